//! A filtered list of events as a file: a line for each delivery.

use http::StatusCode;
use serde_json::{Value, json};

use crate::app::events::{self, Listing, Page};
use crate::domain::base::error::Result;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::session::Need;
use crate::embed::common::with_newest;
use crate::embed::history::search::Search;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::{DeliverySummary, EventWithDeliveries, NEWEST};
use crate::store::{hidden_connections, together};

/// Events that are read at once, and how often: the most in one file.
const EVENTS_AT_ONCE: usize = 500;
const PAGES_MAX: usize = 20;
/// Bytes after which nothing more is read into a file: what one event adds is bounded.
const FILE_BYTES: usize = 8 * 1024 * 1024;
/// The header that says where the next file goes on; so does the last line.
const NEXT: &str = "posthorn-next-cursor";

/// The columns of a file.
const COLUMNS: [&str; 12] = [
    "event_id",
    "event",
    "resource",
    "resource_id",
    "accepted_at",
    "status",
    "connection_id",
    "connection",
    "delivery",
    "attempts",
    "completed_at",
    "last_error",
];

/// `GET /embed/s/{session}/events/export`: CSV, or with `?format=jsonl` JSON lines.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (session, scope) = (&visit.session, visit.session.actor().scope);
    let control = (connections::shown(&scope), hidden_connections::hidden(&scope));
    let before: Option<String> = cursor::read(call, "events")?;
    let read = together(platform.control(), control);
    let (read, _) = with_newest(platform, session, before.is_none(), read).await;
    let (connections, hidden) = read?;
    let search = Search::read(call, &connections)?;
    let mut before = before.unwrap_or_else(|| NEWEST.to_owned());
    let is_json = call.request.query("format").as_deref() == Some("jsonl");
    let mut text = if is_json { String::new() } else { row(&COLUMNS.map(str::to_owned)) };
    let mut next = None;
    for _ in 0..PAGES_MAX {
        let listing = Listing {
            workspace: session.workspace.clone(),
            filter: search.filter.clone(),
            status: search.status.clone(),
            before,
            limit: EVENTS_AT_ONCE,
        };
        let found = events::list_at(platform, session.shard, &listing.within(&scope)).await?;
        let found = found.without(&hidden, search.status.as_deref());
        let lines = lines(visit, &found, &connections);
        text.push_str(&if is_json { json_lines(&lines) } else { csv(&lines) });
        next = found.next;
        match &next {
            Some(position) if text.len() < FILE_BYTES => before = position.clone(),
            _ => break,
        }
    }
    let next = next.map(|position| cursor::write("events", &position));
    if let Some(next) = &next {
        let last = ["next_cursor".to_owned(), next.clone()];
        let told = || format!("{}\n", json!({"next_cursor": next}));
        text.push_str(&if is_json { told() } else { row(&last) });
    }
    let (content_type, ending) = match is_json {
        true => ("application/x-ndjson", "jsonl"),
        false => ("text/csv; charset=utf-8", "csv"),
    };
    let name = format!("attachment; filename=\"events.{ending}\"");
    let reply = Reply::html(StatusCode::OK, text);
    let reply = match next {
        Some(next) => reply.with_header(NEXT, &next),
        None => reply,
    };
    Ok(reply
        .with_header("content-type", content_type)
        .with_header("content-disposition", &name)
        .with_header("cache-control", "no-store")
        .with_header("x-content-type-options", "nosniff"))
}

/// A line for each delivery, and one for an event that has none.
fn lines(visit: &EmbedSession, found: &Page, connections: &[Connection]) -> Vec<[Value; 12]> {
    let mut lines = Vec::new();
    for one in &found.found {
        if one.event.fan_out.is_empty() {
            lines.push(line(visit, one, None, ""));
        }
        for owed in &one.event.fan_out {
            let of_rule = |delivery: &&DeliverySummary| delivery.rule == owed.rule_number;
            let name = connections.iter().find(|to| to.id == owed.connection);
            let name = name.map_or("", |to| to.name.as_str());
            let delivery = one.deliveries.iter().find(of_rule);
            lines.push(line(visit, one, delivery.map(|it| (owed.connection.as_str(), it)), name));
        }
    }
    lines
}

fn line(
    visit: &EmbedSession,
    found: &EventWithDeliveries,
    delivery: Option<(&str, &DeliverySummary)>,
    name: &str,
) -> [Value; 12] {
    let event = &found.event;
    // It can name the receiver.
    let tells = visit.session.may(Need::ViewAll).is_ok();
    let (to, it) = delivery.unzip();
    [
        json!(event.id),
        json!(event.name),
        json!(event.resource),
        json!(event.resource_id),
        json!(rfc3339(event.created_at_ms)),
        json!(events::status(found)),
        json!(to),
        json!(name),
        json!(it.map(|it| it.state.as_str())),
        json!(it.map(|it| it.attempts)),
        json!(it.and_then(|it| it.completed_at_ms).map(rfc3339)),
        json!(it.and_then(|it| it.last_error.as_ref()).filter(|_| tells)),
    ]
}

fn json_lines(lines: &[[Value; 12]]) -> String {
    let object = |line: &[Value; 12]| {
        let entries = COLUMNS.iter().zip(line).filter(|(_, value)| !value.is_null());
        let entries = entries.map(|(name, value)| ((*name).to_owned(), value.clone()));
        format!("{}\n", Value::Object(entries.collect()))
    };
    lines.iter().map(object).collect()
}

fn row(cells: &[String]) -> String {
    format!("{}\r\n", cells.join(","))
}

fn csv(lines: &[[Value; 12]]) -> String {
    let mut text = String::new();
    for line in lines {
        let cell = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => cell(text),
            other => other.to_string(),
        };
        text.push_str(&row(&line.each_ref().map(cell)));
    }
    text
}

/// A text as a cell. Spreadsheets run what begins like a formula, so it gets a quote before it.
fn cell(text: &str) -> String {
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_text_whatever_it_begins_with() {
        for (text, expected) in [
            ("plain", "plain"),
            ("=1+1", "'=1+1"),
            ("+49", "'+49"),
            ("-2", "'-2"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("a,b", "\"a,b\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("", ""),
        ] {
            assert_eq!(cell(text), expected, "{text}");
        }
    }
}
