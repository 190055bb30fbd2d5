//! Words for states, and sentences that say why something is as it is.

use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::attempt::Outcome;
use crate::domain::delivery::state::EndReason;
use crate::domain::lane::queue::Reason;
use crate::domain::routing::rule::Mismatch;

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
    /// On the person's own server.
    Server,
}

/// One sentence that says why an attempt failed and what to do, and where; `None` when it did not.
pub fn diagnosis(outcome: Outcome, status: Option<u16>) -> Option<(&'static str, Repair)> {
    let (text, repair) = match (outcome, status) {
        (Outcome::Delivered, _) => return None,
        (Outcome::Gone, _) => (
            "Your server answered 410 Gone: it does not want these requests. Change the URL, or \
             resume the connection when it does.",
            Repair::Settings,
        ),
        (Outcome::RedirectRefused, _) => (
            "Your server answered with a redirect, and redirects are not followed. Enter the final \
             URL.",
            Repair::Settings,
        ),
        (Outcome::UrlRefused, _) => {
            ("This URL is not allowed. Enter a public https URL.", Repair::Settings)
        }
        (Outcome::Timeout, _) => (
            "Your server did not answer in time. Answer first and do the work afterwards, or allow \
             a longer timeout.",
            Repair::Settings,
        ),
        (Outcome::NetworkError, _) => (
            "Your server could not be reached. Check the host name and port of the URL, its TLS \
             certificate, and that a firewall lets our requests in.",
            Repair::Settings,
        ),
        (Outcome::RateLimited, _) => (
            "Your server asked for fewer requests. Set the requests per second of this connection.",
            Repair::Settings,
        ),
        (_, Some(401 | 403)) => (
            "Your server refused the request. Check that it uses the current secret, that it \
             verifies the raw body, and that its clock is right.",
            Repair::Verification,
        ),
        (_, Some(404)) => {
            ("Your server does not know this address. Check the path of the URL.", Repair::Settings)
        }
        (_, Some(405)) => (
            "Your server does not accept this method. Choose another method, or accept this one.",
            Repair::Settings,
        ),
        (_, Some(413)) => (
            "The request was too large for your server. Raise its limit for request bodies.",
            Repair::Server,
        ),
        (_, Some(415)) => (
            "Your server does not accept this content type. It must accept application/json.",
            Repair::Server,
        ),
        (_, Some(500..=599)) => (
            "Your server reported an error of its own. Look at its log at the time of this \
             attempt.",
            Repair::Server,
        ),
        _ => (
            "Your server did not accept the request. Its response below may say why.",
            Repair::Server,
        ),
    };
    Some((text, repair))
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
