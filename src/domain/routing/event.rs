//! An event as a product emits it, and as it is stored. The payload is checked and stays the same
//! text from the request to the receiver; it is never parsed and written again.

use crate::domain::base::ids::TEST_RULE;
use crate::domain::base::names::{check_name, check_resource_id};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::fields::{Fields, kind_of};
use crate::domain::base::limits::{PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX};
use crate::domain::routing::rule::Mismatch;
use crate::domain::routing::trace::Trace;

/// An event that a caller asks us to accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The workspace it names, if it names one.
    pub workspace: Option<String>,
    /// Name, such as `order.completed`.
    pub name: String,
    /// Kind of thing it is about, such as `order`.
    pub resource: Option<String>,
    /// Which one it is about.
    pub resource_id: Option<String>,
    /// The payload's exact JSON text, an object.
    pub payload: String,
}

/// An accepted event without its payload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Event {
    /// UUIDv7 whose low 32 bits are the workspace's number.
    pub id: String,
    /// Its workspace.
    pub workspace: String,
    /// Name, such as `order.completed`.
    pub name: String,
    /// Kind of thing it is about.
    pub resource: Option<String>,
    /// Which one it is about.
    pub resource_id: Option<String>,
    /// The key that emitted it.
    pub created_by: String,
    /// When it was accepted.
    pub created_at_ms: i64,
    /// How many times what it tells of has gone through a webhook before.
    pub hops: u32,
    /// The trace that it belongs to.
    pub trace: Option<Trace>,
    /// The deliveries it owes, one for each rule that matched.
    pub fan_out: Vec<FanOut>,
    /// Rules for its name that did not match.
    pub unmatched: Vec<Unmatched>,
}

/// A rule for an event's name that did not match the event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Unmatched {
    /// Number of the rule in its workspace.
    #[serde(rename = "n")]
    pub rule_number: u32,
    /// Id of the rule.
    #[serde(rename = "r")]
    pub rule: String,
    /// Why.
    #[serde(rename = "w")]
    pub why: Mismatch,
    /// What in its filter did not hold.
    #[serde(rename = "d", skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One delivery that an event owes: by which rule, to which connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FanOut {
    /// Number of the rule in its workspace.
    #[serde(rename = "n")]
    pub rule_number: u32,
    /// Id of the rule.
    #[serde(rename = "r")]
    pub rule: String,
    /// Id of the connection.
    #[serde(rename = "c")]
    pub connection: String,
    /// Type of the connection.
    #[serde(rename = "t")]
    pub kind: String,
    /// Whether that connection was inactive when the event was accepted, so that this delivery
    /// begins as held. It is not kept with the event: the delivery's state is.
    #[serde(skip)]
    pub held: bool,
    /// How the connection's settings want its deliveries served, which is not kept with the event
    /// either.
    #[serde(skip)]
    pub service: Service,
}

/// How deliveries of a connection are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// By a job for each.
    #[default]
    Jobs,
    /// By its lane alone.
    Lane,
    /// By its lane, each with a number in its line.
    Numbered,
}

impl Service {
    /// The service of a connection whose order is strict, or that is throttled.
    pub fn of(is_strict: bool, is_throttled: bool) -> Self {
        match (is_strict, is_throttled) {
            (true, _) => Self::Numbered,
            (false, true) => Self::Lane,
            (false, false) => Self::Jobs,
        }
    }
}

impl Event {
    /// Whether it was sent to try a connection out.
    pub fn is_test(&self) -> bool {
        self.fan_out.iter().any(|owed| owed.rule_number == TEST_RULE)
    }
}

impl NewEvent {
    /// Reads the body of a request for a test event: `event` and `payload` may be left out, for the
    /// latter `example` stands then if there is one.
    ///
    /// # Errors
    /// As [`NewEvent::parse`].
    pub fn parse_test(text: &str, example: Option<&str>) -> Result<Self> {
        let fields = Fields::parse(text)?;
        let default = |name: &str, value: &str| match fields.exact(name) {
            Some(given) => given.to_owned(),
            None => value.to_owned(),
        };
        let event = default("event", "\"posthorn.test\"");
        let example = example.unwrap_or("{\"message\":\"This is a test event.\"}");
        let payload = default("payload", example);
        Self::parse(&format!("{{\"event\":{event},\"payload\":{payload}}}"))
    }

    /// Reads one event from the text of a JSON object. Unknown keys are ignored, as the wire
    /// contract says.
    ///
    /// # Errors
    /// `Invalid` naming each bad field; `TooLarge` when only the payload's size is at fault.
    pub fn parse(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        if fields.text("type").is_some_and(|kind| kind != "event") {
            fields.fail("type", "must be \"event\"");
        }
        let event = Self {
            workspace: fields.uuid("workspace"),
            name: fields.required_checked_text("event", check_name),
            resource: fields.checked_text("resource", check_name),
            resource_id: fields.checked_text("resource_id", check_resource_id),
            payload: payload(&mut fields),
        };
        let only_the_size = !fields.failed() && event.payload.len() > PAYLOAD_BYTES_MAX;
        if only_the_size {
            let msg =
                format!("is {} bytes; at most {PAYLOAD_BYTES_MAX} are taken", event.payload.len());
            return Err(Error::field("payload", msg).of_kind(Kind::TooLarge));
        }
        fields.finish()?;
        Ok(event)
    }
}

fn payload(fields: &mut Fields<'_>) -> String {
    let Some(text) = fields.raw("payload") else {
        fields.fail("payload", "is required");
        return String::new();
    };
    if let Err(msg) = check_payload_shape(text) {
        fields.fail("payload", msg);
    }
    text.to_owned()
}

/// Checks the text of a payload by itself: a JSON object within the limits.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_payload(text: &str) -> std::result::Result<(), String> {
    let value: &RawValue =
        serde_json::from_str(text).map_err(|e| format!("This is not valid JSON: {e}"))?;
    if !value.get().starts_with('{') {
        return Err(format!("must be a JSON object, not {}", kind_of(value)));
    }
    if text.len() > PAYLOAD_BYTES_MAX {
        return Err(format!("is {} bytes; at most {PAYLOAD_BYTES_MAX} are taken", text.len()));
    }
    check_payload_shape(text)
}

fn check_payload_shape(text: &str) -> std::result::Result<(), String> {
    if !text.starts_with('{') {
        return Err("must be a JSON object".to_owned());
    }
    if depth(text) > PAYLOAD_DEPTH_MAX {
        return Err(format!("is nested more than {PAYLOAD_DEPTH_MAX} levels deep"));
    }
    Ok(())
}

/// How deep objects and arrays are nested in `text`, which is valid JSON.
pub fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_events_name_the_field() {
        let long = "n".repeat(300);
        let nested = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
        let cases = [
            (r#"{"payload":{}}"#.to_owned(), "event"),
            (r#"{"event":" x ","payload":{}}"#.to_owned(), "event"),
            (format!(r#"{{"event":"{long}","payload":{{}}}}"#), "event"),
            (r#"{"event":1,"payload":{}}"#.to_owned(), "event"),
            (r#"{"event":"","payload":{}}"#.to_owned(), "event"),
            (r#"{"event":"x"}"#.to_owned(), "payload"),
            (r#"{"event":"x","payload":null}"#.to_owned(), "payload"),
            (r#"{"event":"x","payload":[1]}"#.to_owned(), "payload"),
            (r#"{"event":"x","payload":{},"payload":{}}"#.to_owned(), "payload"),
            (format!(r#"{{"event":"x","payload":{nested}}}"#), "payload"),
            (r#"{"event":"x","payload":{},"resource_id":"a b"}"#.to_owned(), "resource_id"),
            (r#"{"event":"x","payload":{},"type":"rule"}"#.to_owned(), "type"),
            (r#"{"event":"x","payload":{},"workspace":"acme"}"#.to_owned(), "workspace"),
        ];
        for (text, param) in cases {
            let error = NewEvent::parse(&text).expect_err(&text);
            assert_eq!(error.kind, Kind::Invalid, "{text}");
            assert_eq!(error.fields[0].param, param, "{text}: {error}");
        }
    }

    #[test]
    fn payload_size_is_limited_exactly() {
        let event = |size: usize| {
            let filler = "x".repeat(size - r#"{"a":""}"#.len());
            NewEvent::parse(&format!(r#"{{"event":"x","payload":{{"a":"{filler}"}}}}"#))
        };
        assert_eq!(event(PAYLOAD_BYTES_MAX).expect("fits").payload.len(), PAYLOAD_BYTES_MAX);
        assert_eq!(event(PAYLOAD_BYTES_MAX + 1).expect_err("too large").kind, Kind::TooLarge);
    }

    #[test]
    fn depth_counts_outside_strings_only() {
        for (text, expected) in [
            ("{}", 1),
            (r#"{"a":[{}]}"#, 3),
            (r#"{"a":"[[[[","b":"\"[[","c":"\\"}"#, 1),
            (r#"{"a":{},"b":{}}"#, 2),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }
}
