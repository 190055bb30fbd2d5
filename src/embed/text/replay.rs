//! Words of the pages about what was not delivered, and about sending it again.

use crate::domain::base::ids;
use crate::domain::base::limits::{REPLAY_STEP, REPLAY_STEP_S};
use crate::domain::delivery::replay::Status;

texts! {
    FAILED = "Failed";
    FAILED_HINT = "Deliveries without further attempts, newest first. Fix the cause, then send \
                   them again: with the same message ids and new signatures.";
    NONE_FAILED = "No failed deliveries.";
    NONE_FAILED_HINT = "A delivery is retried for days before it counts as failed. Failed \
                        deliveries appear here and can be sent again.";
    NO_MORE_FAILED = "There are no older ones.";
    NONE_OF_RESOURCE = "None of these events failed. Look at older ones.";
    ALL_CONNECTIONS = "All connections";

    SEND_MANY = "Send many again";
    SEND_MANY_HINT = "Choose which deliveries of the events accepted in a time range are sent \
                      again. You see their number before anything is sent.";
    EVENT_OR_ALL = "Leave empty for all.";
    COUNT = "Count";
    NOTHING_CHOSEN = "There are no such deliveries in this time range.";
    NO_TIME = "must be a date and a time such as 2026-01-31 08:00";

    PREVIEW = "Send these again?";
    COUNT_CHANGED = "The number has changed, so nothing was sent yet. Please check again:";
    SAME_IDS = "Each keeps its message id, so that your server can recognise what it already \
                has, and gets a new signature.";
    HELD_MEANWHILE = "Deliveries to a paused connection are held until it is resumed.";
    CAN_BE_STOPPED = "You can follow the progress and stop it at any time.";

    REPLAY = "Replay";
    REPLAYS = "Replays";
    REPLAYS_HINT = "Every time somebody sent many deliveries again.";
    NO_REPLAYS = "Nobody has sent many deliveries again yet.";
    STOP = "Stop";
    ENDED = "Ended";
    RANGE = "Accepted";
    REPLAYED = "Deliveries";
    ASKED_BY = "Started by";
    WHAT_CAME_OF_IT = "Result";
    TO_DELIVERIES = "The deliveries of the connection";
    TO_EVENTS = "The events";
    STILL_FAILED = "Failed deliveries";
}

/// What became of the deliveries that are sent again, in the words of the API.
pub const WHICH: [(&str, &str); 4] = [
    ("failed", "that failed"),
    ("canceled", "that were canceled"),
    ("completed", "that were delivered, once more"),
    ("missing", "that are missing: today's rules match and nothing was sent"),
];

/// One of these in words.
pub fn which(status: &str) -> &str {
    WHICH.iter().find(|(word, _)| *word == status).map_or(status, |(_, label)| label)
}

/// The columns of the list of failed deliveries; narrow pages leave some of them out.
pub const HEADS: [(Option<&str>, &str); 6] = [
    (None, "Event"),
    (Some("wide"), "Connection"),
    (None, "Why"),
    (Some("wide"), "Attempts"),
    (Some("wide"), "Accepted"),
    (None, ""),
];

/// How many deliveries a replay is about.
pub fn deliveries(count: usize) -> String {
    super::plural(count, "delivery", "deliveries")
}

/// The button that confirms a replay.
pub fn confirm(count: usize) -> String {
    format!("Send {} again", deliveries(count))
}

/// How long a replay takes.
pub fn pace(count: usize) -> String {
    let seconds = (count.saturating_sub(1) / REPLAY_STEP) as u32 * REPLAY_STEP_S;
    match seconds {
        0 => "They are sent now, oldest first.".to_owned(),
        _ => format!(
            "They are sent oldest first, {REPLAY_STEP} every {REPLAY_STEP_S} seconds: it takes \
             about {}.",
            if seconds < 60 { format!("{seconds} s") } else { format!("{} min", seconds / 60 + 1) }
        ),
    }
}

/// A range of time.
pub fn range(since: &str, until: &str) -> String {
    format!("from {since} to {until}")
}

/// How far a replay is.
pub fn progress(replayed: usize, count: usize) -> String {
    format!("{replayed} of {count} sent again")
}

/// What is said of a replay as it is.
pub fn status_told(status: Status, left_out: usize) -> String {
    match status {
        Status::Running => "Running.".to_owned(),
        Status::Canceled => "Stopped. Deliveries not yet reached were not changed.".to_owned(),
        Status::Completed if left_out == 0 => "All of them were sent again.".to_owned(),
        Status::Completed => format!(
            "Completed. {} skipped, because somebody had already sent or canceled them.",
            if left_out == 1 { "One was".to_owned() } else { format!("{left_out} were") }
        ),
    }
}

/// A replay's status in a word.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Running => "Running",
        Status::Completed => "Completed",
        Status::Canceled => "Stopped",
    }
}

/// Who asked for a replay, by the record of its creator.
pub fn asked_by(created_by: &str) -> &str {
    match created_by.split_once(':') {
        // A session without a person of the product's is named by its id.
        Some(("session", who)) if ids::workspace_number(who).is_none() => who,
        Some(("session", _)) => "a person on this page",
        _ => "the API",
    }
}
