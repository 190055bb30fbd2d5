//! Words for states, and sentences that say why something is as it is.

use crate::domain::delivery::attempt::Outcome;
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
        "inactive" => "Inactive",
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

/// Why a delivery is failed or canceled.
pub fn reason(reason: &str) -> String {
    match reason {
        "gone" => "Your server answered 410: it wants no more of this.".to_owned(),
        "aborted" => "Your server asked us not to try this one again.".to_owned(),
        "attempts_used_up" => "All attempts of the schedule failed.".to_owned(),
        "internal" => "We could not send it for 7 days. That is our fault, not yours.".to_owned(),
        "held_expired" => "It was held for too long: its connection was not active.".to_owned(),
        "connection_deleted" => "Its connection was deleted.".to_owned(),
        "canceled" => "It was canceled.".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Why a connection is inactive.
pub fn inactive(reason: &str) -> &'static str {
    match reason {
        "endpoint_gone" => {
            "Your server answered 410 Gone, so nothing more is sent to it. Resume \
                            when it takes requests again."
        }
        "disabled_by_receiver" => {
            "Your server asked for it by the header webhook-delivery: disable. Resume when it \
             takes requests again."
        }
        "delivery_failing" => {
            "Nothing could be delivered for 5 days. Check the URL and your server, send a test \
             event after you have resumed."
        }
        _ => "Paused.",
    }
}

/// Why a lane holds deliveries back.
pub fn held_back(reason: Option<&str>) -> &'static str {
    match reason {
        Some("breaker_open") => {
            "Several attempts in a row failed, so only one at a time is tried until one succeeds."
        }
        Some("slowed_down") => "Your server asked for fewer requests, so they are sent slowly.",
        Some("slow") => "Your server takes long to answer, so requests wait for one another.",
        _ => "Requests are sent one after the other.",
    }
}

/// How much of the time has passed until a connection is switched off.
pub fn warned(percent: u32) -> String {
    format!(
        "Nothing was delivered for a while: {percent} % of the 5 days have passed after which it \
         is switched off. Its events are kept, and held from then on. Check the URL and your \
         server."
    )
}

/// Why a rule did not match an event.
pub fn mismatch(why: Mismatch) -> &'static str {
    match why {
        Mismatch::Inactive => "the rule is switched off",
        Mismatch::Resource => "the rule is for another resource",
        Mismatch::ResourceId => "the rule is for another resource id",
        Mismatch::Filter => "the filter of the rule did not let it pass",
    }
}
