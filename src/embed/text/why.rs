//! Words for states, and sentences that say why something is as it is.

use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::attempt::Outcome;
use crate::domain::delivery::cause::Cause;
use crate::domain::delivery::state::EndReason;
use crate::domain::lane::queue::Reason;
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::session::Need;

/// The state of a delivery, or whether a connection or rule is active.
pub fn state(word: &str) -> &str {
    match word {
        "pending" => "Pending",
        "retrying" => "Retrying",
        "delivered" => "Delivered",
        "failed" => "Failed",
        "held" => "Held",
        "canceled" => "Canceled",
        "active" => "Active",
        "inactive" => "Paused",
        "failing" => "Failing",
        "no_rules" => "No rules",
        other => other,
    }
}

/// The status of an event.
pub fn status(status: &str) -> &str {
    match status {
        "pending" => "Pending",
        "processing" => "Processing",
        "retrying" => "Retrying",
        "completed" => "Delivered",
        "failed" => "Failed",
        "canceled" => "Canceled",
        other => other,
    }
}

/// What became of an attempt.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "Delivered",
        Outcome::RejectedClientError => "Rejected",
        Outcome::RejectedServerError => "Server error",
        Outcome::RateLimited => "Too many requests",
        Outcome::AuthFailed => "Not authenticated",
        Outcome::Gone => "Gone",
        Outcome::RedirectRefused => "Redirect refused",
        Outcome::UrlRefused => "URL refused",
        Outcome::Timeout => "Timeout",
        Outcome::NetworkError => "No connection",
    }
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
    /// The page of the connection, below its own, the words that lead there, and what it takes to
    /// see it.
    pub fn page(self) -> (&'static str, &'static str, Need) {
        match self {
            Self::Settings => ("edit", "Edit the connection", Need::Manage),
            Self::Verification => ("verification", "Show the verification code", Need::ViewAll),
            Self::Server => ("test", "Send a test event when it is fixed", Need::Test),
        }
    }
}

/// One sentence that says what an attempt failed at, and what to do about it where.
pub fn diagnosis(cause: Cause) -> (&'static str, Repair) {
    match cause {
        Cause::Refused => (
            "Your server refused the request (401 or 403). Check that it uses the current secret, \
             that it verifies the raw body, and that its clock is right.",
            Repair::Verification,
        ),
        Cause::NotFound => (
            "Your server does not know this address (404). Check the path of the URL.",
            Repair::Settings,
        ),
        Cause::Method => (
            "Your server does not accept this method (405). Choose another method here, or accept \
             this one.",
            Repair::Settings,
        ),
        Cause::Gone => (
            "Your server answered 410 Gone: it does not want these requests. Change the URL, or \
             resume the connection when it does.",
            Repair::Settings,
        ),
        Cause::TooLarge => (
            "The request was too large for your server (413). Raise its limit for request bodies.",
            Repair::Server,
        ),
        Cause::MediaType => (
            "Your server does not accept this content type (415). It must accept application/json.",
            Repair::Server,
        ),
        Cause::Rejected => {
            ("Your server did not accept the request. Its response may say why.", Repair::Server)
        }
        Cause::RateLimited => (
            "Your server asked for fewer requests (429). Set the requests per second of this \
             connection.",
            Repair::Settings,
        ),
        Cause::Redirect => (
            "Your server answered with a redirect, and redirects are not followed. Enter the \
             final URL.",
            Repair::Settings,
        ),
        Cause::ServerError => (
            "Your server reported an error of its own. Look at its log at the time of the attempt.",
            Repair::Server,
        ),
        _ => unanswered(cause),
    }
}

/// The same where no whole answer came.
fn unanswered(cause: Cause) -> (&'static str, Repair) {
    match cause {
        Cause::LateAnswer => (
            "Your server did not answer in time. Answer first and do the work afterwards, or allow \
             a longer timeout.",
            Repair::Settings,
        ),
        Cause::LateBody => (
            "Your server sent a status, but the body of its answer was not complete in time. Send \
             a short body, or none.",
            Repair::Server,
        ),
        Cause::HostName => (
            "The host name of the URL does not resolve. Check its spelling and its DNS record.",
            Repair::Settings,
        ),
        Cause::Certificate => (
            "The TLS certificate of your server is not valid for this host name. Renew it, and \
             send the whole chain.",
            Repair::Server,
        ),
        Cause::Tls => (
            "No TLS connection could be made. Check that the port of the URL speaks https.",
            Repair::Settings,
        ),
        Cause::NothingListens => (
            "Your server refused the connection: nothing listens at this port. Start it, or change \
             the port of the URL.",
            Repair::Settings,
        ),
        Cause::UrlRefused => {
            ("This URL is not allowed. Enter a public https URL.", Repair::Settings)
        }
        _ => (
            "Your server could not be reached. Check the host name and port of the URL, and that a \
             firewall lets our requests in.",
            Repair::Settings,
        ),
    }
}

/// The same for a destination that is not the customer's own server, or that checks no signature.
/// What it said stands beside this.
pub fn diagnosis_elsewhere(outcome: Outcome) -> Option<(&'static str, Repair)> {
    Some(match outcome {
        Outcome::Delivered => return None,
        Outcome::AuthFailed => (
            "The destination refused the credentials. Enter new ones, or allow what it says is \
             missing.",
            Repair::Settings,
        ),
        Outcome::RateLimited => (
            "The destination asked for fewer requests. It is tried again when it says so; you can \
             set the requests per second of this connection.",
            Repair::Settings,
        ),
        Outcome::RejectedClientError => (
            "The destination refused this request. Change what its words name: the rule, the \
             connection, or the event's payload.",
            Repair::Settings,
        ),
        Outcome::RejectedServerError => {
            ("The destination had trouble of its own. It is tried again.", Repair::Server)
        }
        Outcome::Timeout | Outcome::NetworkError => {
            ("The destination could not be reached in time. It is tried again.", Repair::Server)
        }
        Outcome::Gone | Outcome::RedirectRefused | Outcome::UrlRefused => {
            ("There is no destination at this address any more.", Repair::Settings)
        }
    })
}

/// Why a delivery is failed or canceled.
pub fn reason(reason: EndReason) -> &'static str {
    match reason {
        EndReason::Gone => "Your server answered 410 Gone, so there are no more attempts.",
        EndReason::Aborted => {
            "Your server answered with webhook-delivery: abort-message, so there are no \
                      more attempts."
        }
        EndReason::Rejected => {
            "The destination refused it, and would refuse it again, so there are no more attempts."
        }
        EndReason::AttemptsUsedUp => "All attempts of the retry schedule failed.",
        EndReason::Internal => "We could not send it for 7 days because of an error on our side.",
        EndReason::HeldExpired => "It was held for too long, because its connection was paused.",
        EndReason::ConnectionDeleted => "Its connection was deleted.",
        EndReason::Canceled => "It was canceled.",
        EndReason::Erased => "Its payload was erased.",
    }
}

/// Why a connection is inactive.
pub fn inactive(reason: InactiveReason) -> &'static str {
    match reason {
        InactiveReason::EndpointGone => {
            "Your server answered 410 Gone, so nothing is sent to it any more. \
                            Resume when it accepts requests again."
        }
        InactiveReason::DisabledByReceiver => {
            "Your server answered with webhook-delivery: disable. Resume when it accepts \
             requests again."
        }
        InactiveReason::DeliveryFailing => {
            "Nothing could be delivered for 5 days. Check the URL and your server, resume, and \
             send a test event."
        }
        InactiveReason::AuthenticationInvalid => {
            "The destination refused its credentials. Enter new ones, then resume."
        }
        InactiveReason::SecretsMissing => {
            "It was moved here without its secrets. Enter the signing secret and the credentials \
             again, then resume."
        }
        InactiveReason::Paused => "Paused.",
    }
}

/// Why a lane holds deliveries back.
pub fn held_back(reason: Option<Reason>) -> &'static str {
    match reason {
        Some(Reason::BreakerOpen) => {
            "Several attempts failed in a row. Until one succeeds, only one delivery at a time is \
             tried."
        }
        Some(Reason::SlowedDown) => {
            "Your server asked for fewer requests, so they are sent more slowly."
        }
        Some(Reason::Slow) => {
            "Your server answers slowly, so fewer requests are sent at the same time."
        }
        None => "Deliveries are sent one after the other.",
    }
}

/// How much of the time has passed until a connection is switched off.
pub fn warned(percent: u32) -> String {
    format!(
        "Nothing has been delivered for {percent} % of the 5 days after which this connection is \
         switched off. After that its events are held, not lost. Check the URL and your server."
    )
}

/// Why a rule did not match an event.
pub fn mismatch(why: Mismatch) -> &'static str {
    match why {
        Mismatch::Inactive => "the rule is paused",
        Mismatch::Resource => "the rule is for another resource",
        Mismatch::ResourceId => "the rule is for another resource id",
        Mismatch::Filter => "the payload did not match the filter of the rule",
        Mismatch::FilterTooCostly => "the filter of the rule was too costly for this payload",
    }
}

/// That a page shows the newest attempts only.
pub fn newest_attempts(shown: usize, all: u32) -> String {
    format!("The newest {shown} of {all} attempts.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn each_cause_has_a_sentence_of_its_own_and_one_action() {
        let told: Vec<&str> = Cause::VARIANTS.iter().map(|cause| diagnosis(*cause).0).collect();
        for (index, sentence) in told.iter().enumerate() {
            assert!(sentence.ends_with('.') && sentence.len() < 180, "{sentence}");
            assert!(!told[..index].contains(sentence), "{sentence}");
        }
        let pages = [Repair::Settings, Repair::Verification, Repair::Server].map(Repair::page);
        assert_eq!(pages.map(|(below, ..)| below), ["edit", "verification", "test"]);
        assert_eq!(diagnosis(Cause::Refused).1, Repair::Verification);
        assert_eq!(diagnosis(Cause::HostName).1, Repair::Settings);
        assert_eq!(diagnosis(Cause::Certificate).1, Repair::Server);
    }
}
