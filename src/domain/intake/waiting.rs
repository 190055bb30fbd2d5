//! Events as an intake keeps them until they are in LOG: a JSON array of objects, in which payloads
//! stand as they are.

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

use crate::domain::intake::bounds::INTAKE_ROW_BYTES;
use crate::domain::intake::messages::Chunk;
use crate::domain::routing::event::{Event, FanOut, Service, Unmatched};
use crate::domain::routing::trace::Trace;

/// The version of this form. What an intake finds in another one it leaves for the release that
/// reads it.
pub const VERSION: u8 = 1;

/// An event as it is written.
#[derive(Serialize)]
struct Written<'a> {
    w: &'a str,
    e: &'a str,
    n: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<&'a str>,
    b: &'a str,
    t: i64,
    #[serde(skip_serializing_if = "is_zero")]
    h: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    f: Vec<(&'a FanOut, bool, Service)>,
    #[serde(skip_serializing_if = "<[Unmatched]>::is_empty")]
    u: &'a [Unmatched],
    p: &'a RawValue,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The same as it is read.
#[derive(Deserialize)]
struct Read {
    w: String,
    e: String,
    n: String,
    r: Option<String>,
    d: Option<String>,
    b: String,
    t: i64,
    #[serde(default)]
    h: u32,
    x: Option<String>,
    #[serde(default)]
    f: Vec<(FanOut, bool, Service)>,
    #[serde(default)]
    u: Vec<Unmatched>,
    p: Box<RawValue>,
}

/// Events with their payloads in chunks that each fit a row.
///
/// # Errors
/// When a payload is no JSON, for the log.
pub fn chunks(events: &[(&Event, &str)]) -> Result<Vec<Chunk>, String> {
    let mut chunks = Vec::new();
    let mut rest = events;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |(event, payload): &&(&Event, &str)| {
            bytes += payload.len() + about(event);
            bytes <= INTAKE_ROW_BYTES
        };
        let fitting = rest.iter().take_while(fits).count().max(1);
        let (some, others) = rest.split_at(fitting);
        let written: Result<Vec<Written<'_>>, _> = some.iter().map(written).collect();
        let text = written.and_then(|written| to_raw_value(&written)).map_err(|e| e.to_string())?;
        chunks.push(Chunk { count: some.len(), text });
        rest = others;
    }
    Ok(chunks)
}

/// Bytes that an event takes without its payload, about.
fn about(event: &Event) -> usize {
    const EACH: usize = 250;
    EACH * (1 + event.fan_out.len() + event.unmatched.len())
}

fn written<'a>((event, payload): &(&'a Event, &'a str)) -> serde_json::Result<Written<'a>> {
    Ok(Written {
        w: &event.workspace,
        e: &event.id,
        n: &event.name,
        r: event.resource.as_deref(),
        d: event.resource_id.as_deref(),
        b: &event.created_by,
        t: event.created_at_ms,
        h: event.hops,
        x: event.trace.as_ref().map(Trace::to_stored),
        f: event.fan_out.iter().map(|owed| (owed, owed.held, owed.service)).collect(),
        u: &event.unmatched,
        p: serde_json::from_str(payload)?,
    })
}

/// Reads arrays of events that stand in one array: a row of an intake.
///
/// # Errors
/// What is malformed, for the log.
pub fn read(text: &str) -> Result<Vec<(Event, String)>, String> {
    let arrays: Vec<Vec<Read>> = serde_json::from_str(text).map_err(|e| e.to_string())?;
    Ok(arrays.into_iter().flatten().map(Read::event).collect())
}

impl Read {
    fn event(self) -> (Event, String) {
        let owed = |(owed, held, service)| FanOut { held, service, ..owed };
        let event = Event {
            id: self.e,
            workspace: self.w,
            name: self.n,
            resource: self.r,
            resource_id: self.d,
            created_by: self.b,
            created_at_ms: self.t,
            hops: self.h,
            trace: self.x.as_deref().and_then(Trace::stored),
            fan_out: self.f.into_iter().map(owed).collect(),
            unmatched: self.u,
        };
        (event, Box::<str>::from(self.p).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::routing::rule::Mismatch;

    fn event(id: &str) -> Event {
        let owed = |service, held| FanOut {
            rule_number: 3,
            rule: "r".into(),
            connection: "c".into(),
            kind: "webhook".into(),
            held,
            service,
        };
        let unmatched = Unmatched {
            rule_number: 4,
            rule: "s".into(),
            why: Mismatch::FilterTooCostly,
            detail: Some("a \"detail\"".into()),
        };
        Event {
            id: id.into(),
            workspace: "w".into(),
            name: "order.completed".into(),
            resource: Some("order".into()),
            resource_id: Some("é\n".into()),
            created_by: "publishable_key".into(),
            created_at_ms: 1_800_000_000_000,
            hops: 2,
            trace: Trace::stored("0af7651916cd43dd8448eb211c80319c-01"),
            fan_out: vec![owed(Service::Numbered, true), owed(Service::Lane, false)],
            unmatched: vec![unmatched],
        }
    }

    #[test]
    fn what_is_written_is_read_again_byte_for_byte() {
        let plain = Event {
            resource: None,
            resource_id: None,
            hops: 0,
            trace: None,
            fan_out: Vec::new(),
            unmatched: Vec::new(),
            ..event("2")
        };
        let payload = "{\n \"a\" : 1.50,\t\"b\":\"\\u00e9 é\" }";
        let written = [(event("1"), payload), (plain, "{}")];
        let refs: Vec<(&Event, &str)> = written.iter().map(|(e, p)| (e, *p)).collect();
        let chunks = chunks(&refs).expect("chunks");
        assert_eq!(chunks.iter().map(|chunk| chunk.count).collect::<Vec<_>>(), [2]);
        let row = format!("[{}]", chunks[0].text.get());
        let expected: Vec<_> = written.iter().map(|(e, p)| (e.clone(), (*p).to_owned())).collect();
        assert_eq!(read(&row).expect("events"), expected);
    }

    #[test]
    fn each_chunk_fits_a_row() {
        let payload = format!("{{\"a\":\"{}\"}}", "x".repeat(INTAKE_ROW_BYTES / 3));
        let events: Vec<Event> = (0..7).map(|n| event(&n.to_string())).collect();
        let refs: Vec<(&Event, &str)> = events.iter().map(|e| (e, &*payload)).collect();
        let cut = chunks(&refs).expect("chunks");
        assert_eq!(cut.iter().map(|chunk| chunk.count).collect::<Vec<_>>(), [2, 2, 2, 1]);
        let ids = |chunk: &Chunk| read(&format!("[{}]", chunk.text.get())).expect("events");
        let ids: Vec<String> = cut.iter().flat_map(ids).map(|(event, _)| event.id).collect();
        assert_eq!(ids, events.iter().map(|event| event.id.clone()).collect::<Vec<_>>());
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(2 * INTAKE_ROW_BYTES));
        let alone = chunks(&[(&events[0], &large), (&events[1], "{}")]).expect("chunks");
        assert_eq!(alone.iter().map(|chunk| chunk.count).collect::<Vec<_>>(), [1, 1]);
        assert!(chunks(&[(&events[0], "{")]).is_err());
        assert!(read("[[{\"w\":1}]]").is_err());
    }
}
