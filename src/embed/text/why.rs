//! Words for states, and sentences that say why something is as it is.

use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::attempt::Outcome;
use crate::domain::delivery::cause::Cause;
use crate::domain::delivery::state::EndReason;
use crate::domain::lane::queue::Reason;
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::session::Need;

/// The words of states, and sentences that say why something is as it is.
pub struct Why {
    pub state: fn(&str) -> &str,
    pub status: fn(&str) -> &str,
    pub outcome: fn(Outcome) -> &'static str,
    pub reason: fn(EndReason) -> &'static str,
    pub inactive: fn(InactiveReason) -> &'static str,
    pub held_back: fn(Option<Reason>) -> &'static str,
    pub warned: fn(u32) -> String,
    pub mismatch: fn(Mismatch) -> &'static str,
    pub newest_attempts: fn(usize, u32) -> String,
    pub diagnosis: fn(Cause) -> &'static str,
    pub diagnosis_elsewhere: fn(Outcome) -> Option<&'static str>,
    pub repair: fn(Repair) -> &'static str,
}
/// Where a person repairs what an attempt failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repair {
    /// In the settings of the connection.
    Settings,
    /// In the code that checks signatures.
    Verification,
    /// On the person's own server; a test event shows whether it is done.
    Server,
}

impl Repair {
    /// Where what an attempt failed at is repaired.
    pub fn of(cause: Cause) -> Self {
        match cause {
            Cause::Refused => Self::Verification,
            Cause::TooLarge
            | Cause::MediaType
            | Cause::Rejected
            | Cause::ServerError
            | Cause::LateBody
            | Cause::Certificate => Self::Server,
            _ => Self::Settings,
        }
    }

    /// The same for a destination that is not the customer's own server.
    pub fn elsewhere(outcome: Outcome) -> Self {
        match outcome {
            Outcome::RejectedServerError | Outcome::Timeout | Outcome::NetworkError => Self::Server,
            _ => Self::Settings,
        }
    }

    /// The page of the connection, below its own, and what it takes to see it.
    pub fn page(self) -> (&'static str, Need) {
        match self {
            Self::Settings => ("edit", Need::Manage),
            Self::Verification => ("verification", Need::ViewAll),
            Self::Server => ("test", Need::Test),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;
    use strum::VariantArray;

    #[test]
    fn each_cause_has_a_sentence_of_its_own_and_one_action() {
        for texts in LANGUAGES {
            let told: Vec<&str> =
                Cause::VARIANTS.iter().map(|cause| (texts.why.diagnosis)(*cause)).collect();
            for (index, sentence) in told.iter().enumerate() {
                assert!(sentence.ends_with('.') && sentence.chars().count() < 180, "{sentence}");
                assert!(!told[..index].contains(sentence), "{sentence}");
            }
        }
        let pages = [Repair::Settings, Repair::Verification, Repair::Server].map(Repair::page);
        assert_eq!(pages.map(|(below, ..)| below), ["edit", "verification", "test"]);
        assert_eq!(Repair::of(Cause::Refused), Repair::Verification);
        assert_eq!(Repair::of(Cause::HostName), Repair::Settings);
        assert_eq!(Repair::of(Cause::Certificate), Repair::Server);
    }
}
