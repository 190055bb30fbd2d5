//! Words of the pages about what was not delivered, and about sending it again.

use crate::domain::base::ids;
use crate::domain::base::limits::{REPLAY_STEP, REPLAY_STEP_S};
use crate::domain::delivery::replay::Status;

texts! {
    FAILED = "Not delivered";
    FAILED_HINT = "What we gave up on, newest first. Mend what it failed at, then send it again: the \
                 same message ids, signed afresh.";
    NONE_FAILED = "Nothing here: no delivery was given up.";
    NONE_FAILED_HINT = "What fails is tried again for days before it is given up. What is given up \
                      appears here, and can be sent again.";
    NO_MORE_FAILED = "There is nothing older.";
    NONE_OF_RESOURCE = "Nothing among these events. Look at older ones.";
    ALL_CONNECTIONS = "All connections";

    SEND_MANY = "Send many again";
    SEND_MANY_HINT = "Chooses what was not delivered of the events that were accepted in this \
                      time. You see how many they are before anything is sent.";
    EVENT_OR_ALL = "Leave empty for all.";
    COUNT = "Count";
    NOTHING_CHOSEN = "Nothing that was accepted in this time waits to be sent again.";
    NO_TIME = "must be a date and a time such as 2026-01-31 08:00";

    PREVIEW = "Send these again?";
    COUNT_CHANGED = "The number has changed meanwhile, so nothing was sent yet. Look again:";
    SAME_IDS = "Each keeps its message id, so that your server can tell what it has already, and \
                is signed afresh.";
    HELD_MEANWHILE = "What goes to a connection that is not active is held until it is.";
    CAN_BE_STOPPED = "You can watch it, and stop it at any time.";

    REPLAY = "Replay";
    REPLAYS = "Replays";
    REPLAYS_HINT = "Each time somebody sent many deliveries again.";
    NO_REPLAYS = "Nobody has sent many deliveries again yet.";
    STOP = "Stop";
    ENDED = "Ended";
    RANGE = "Accepted";
    REPLAYED = "What is sent again";
    ASKED_BY = "Asked for by";
    WHAT_CAME_OF_IT = "What came of it";
    TO_DELIVERIES = "The deliveries of the connection";
    TO_EVENTS = "The events";
    STILL_FAILED = "What is not delivered";
}

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
        0 => "They are sent at once, oldest first.".to_owned(),
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
        Status::Running => "It is under way.".to_owned(),
        Status::Canceled => "It was stopped. What it had not come to stays as it was.".to_owned(),
        Status::Completed if left_out == 0 => "All of them are on their way or there.".to_owned(),
        Status::Completed => format!(
            "It is done. {} left out: somebody had sent or canceled them meanwhile.",
            if left_out == 1 { "One was".to_owned() } else { format!("{left_out} were") }
        ),
    }
}

/// A replay's status in a word.
pub fn status(status: Status) -> &'static str {
    match status {
        Status::Running => "Running",
        Status::Completed => "Done",
        Status::Canceled => "Stopped",
    }
}

/// Who asked for a replay, by the record of its creator.
pub fn asked_by(created_by: &str) -> &str {
    match created_by.split_once(':') {
        // A session without a person of the product's is named by its id.
        Some(("session", who)) if ids::workspace_number(who).is_none() => who,
        Some(("session", _)) => "somebody on this page",
        _ => "the API",
    }
}
