//! Labels, hints and choices of forms.

use crate::embed::text::{GENERATE, OWN};

/// Values with their labels.
pub type Options<const N: usize> = [(&'static str, &'static str); N];

/// The choice of nothing.
pub const NONE: &str = "None";
/// Whether events wait for one another.
pub const ORDERINGS: Options<2> = [
    ("none", "As fast as possible: a failing event does not block later ones"),
    (
        "strict",
        "Strict: an event is sent only after all earlier ones are delivered, failed or canceled",
    ),
];
/// Secrets of a new connection.
pub const NEW_SECRET: Options<2> = [("generate", GENERATE), ("own", OWN)];
/// The secret of a connection that is changed.
pub const CHANGED_SECRET: Options<3> = [
    ("keep", "Keep the current secret"),
    ("generate", "Replace it now with a generated secret"),
    ("own", "Replace it now with my own secret"),
];
/// How long the former secret goes on signing, in seconds.
pub const OVERLAPS: Options<5> = [
    ("0", "Not at all: only the new secret is used"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "7 days"),
];

/// What a rule does.
pub const ACTION: &str = "Action";
/// Shows the fields of the action that was chosen.
pub const SHOW_FIELDS: &str = "Show its fields";
/// Nothing is chosen yet.
pub const CHOOSE: &str = "Choose one";
/// Reads a live list for the first time.
pub const LOAD_LIST: &str = "Load the list";
/// Reads it anew.
pub const RELOAD_LIST: &str = "Load the list again";
/// The list is not there.
pub const LIST_NOT_READ: &str = "Load the list to choose from it, or enter an id.";
/// What can stand in templates.
pub const PATHS: &str = "What the example of this event has:";
/// Shows what would be sent.
pub const PREVIEW: &str = "Preview";
/// Above what would be sent.
pub const WOULD_SEND: &str = "For the example of this event:";

/// Label and hint of a field.
pub fn field(name: &str) -> (&'static str, &'static str) {
    match name {
        "name" => ("Name", ""),
        "signing_secret" => ("Your secret", "whsec_ and base64, or any text of 8 to 256 bytes."),
        "timeout_seconds" => ("Timeout", "Seconds until the whole response has arrived, 1 to 25."),
        "retry_schedule" => (
            "Retries",
            "The time after each failed attempt, such as 5s, 30s, 5m, 2h. 1 to 20 steps.",
        ),
        "ordering" => ("Order", ""),
        "max_in_flight" => (
            "Requests at once",
            "The maximum. Leave empty: as many as your endpoint answers well, 64 at most.",
        ),
        "max_per_second" => ("Requests per second", "The maximum. Leave empty for no limit."),
        "overlap" => ("Keep using the old secret for", ""),
        "event" => ("Event", ""),
        "payload" => ("Payload", "A JSON object. It is sent exactly as written here."),
        "connection" => ("Connection", ""),
        "status" => ("Deliveries", ""),
        "since" => ("Accepted since", "UTC."),
        "until" => ("Accepted until", "UTC. At most 14 days later."),
        "resource" => ("Resource", "Such as order. Leave empty for all."),
        "resource_id" => ("Resource id", "Leave empty for all."),
        "filter" => {
            ("Filter", "Such as {\"path\": \"order.total\", \"gt\": 100}. Leave empty for all.")
        }
        _ => ("", ""),
    }
}

/// The name of a field in a list of errors.
pub fn label(name: &str) -> &str {
    match field(name).0 {
        "" => name,
        label => label,
    }
}
