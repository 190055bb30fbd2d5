//! One attempt: the request as it was sent, the receiver's answer, the timing.

use maud::{Markup, html};

use crate::app::attempts;
use crate::domain::base::error::Result;
use crate::domain::delivery::attempt::{Outcome, Record};
use crate::domain::tenants::session::Need;
use crate::embed::common::home;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::parts;
use crate::embed::history::payload::{file_name, payload};
use crate::embed::text::{self, moments};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `GET /embed/s/{session}/events/{id}/rules/{rule}/attempts/{n}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (id, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let scope = visit.session.actor().scope;
    let number = call.param("n").parse::<u32>().unwrap_or_default();
    let of = (id.as_str(), rule.as_str());
    let (found, sent_payload, record) =
        attempts::find_at(platform, &home(visit), &scope, of, number).await?;
    let record = &record;
    let title = text::attempt_title(record.number);
    let body = html! {
        p { a href=(path(visit, &format!("events/{id}"))) { "← " (found.event.name) } }
        h1 { (title) }
        p { (outcome(visit, record, platform.now_ms())) }
        @for note in &record.notes { p.hint { (note) } }
        (details(visit, record, &id, &sent_payload))
        section hidden[record.method.is_empty()] {
            h2 { (text::BODY_SENT) }
            @if record.wrapped { p.hint { (text::BODY_WRAPPED) } }
            @if !record.body.is_empty() {
                p.hint { (text::MADE_OF) }
                @match visit.session.may_read_payloads() {
                    Ok(()) => { (parts::copyable("body-made", &record.body)) }
                    Err(denied) => { p.hint { (text::denied(denied)) } }
                }
            } @else if found.erased_at_ms.is_some() {
                p.hint { (text::ERASED) }
            } @else {
                (payload(visit, &sent_payload))
            }
        }
    };
    Ok(page(visit, &Page::new(Section::Events, &title), &body))
}

/// An attempt in a line, with the way to its page.
pub fn summary(visit: &EmbedSession, record: &Record, at: &str, now_ms: i64) -> Markup {
    let below = format!("{at}/attempts/{}", record.number);
    html! {
        p.attempt {
            a href=(path(visit, &below)) { (text::attempt_title(record.number)) } " "
            (outcome(visit, record, now_ms))
        }
    }
}

/// What came of an attempt, and when. An error can name the receiver, which is for who sees
/// connections.
fn outcome(visit: &EmbedSession, record: &Record, now_ms: i64) -> Markup {
    let tells = visit.session.may(Need::ViewAll).is_ok();
    let colour = if record.outcome == Outcome::Delivered { "delivered" } else { "failed" };
    // A bare status stands there already.
    let is_bare = |error: &&String| error.strip_prefix("Answered ").is_some_and(|s| s.len() == 3);
    html! {
        span.badge data-state=(colour) { (text::why::outcome(record.outcome)) } " "
        @if let Some(status) = record.status { code { (status) } " · " }
        (moments::duration(record.duration_ms)) " · " (parts::time(record.started_at_ms, now_ms))
        @if record.asked_by.is_some() { " · " (text::BY_HAND) }
        @if let Some(error) = record.error.as_ref().filter(|e| tells && !is_bare(e)) {
            br; span.error { (error) }
        }
    }
}

/// Request and answer, for who sees connections. The answer's body is somebody's data, so it is for
/// who may read payloads.
pub fn details(visit: &EmbedSession, record: &Record, event: &str, payload: &str) -> Markup {
    if visit.session.may(Need::ViewAll).is_err() {
        return html! {};
    }
    let id = |what: &str| format!("{what}-{}", record.number);
    let may_read = visit.session.may_read_payloads();
    html! {
        details.part open hidden[record.method.is_empty()] {
            summary { (text::REQUEST_SENT) }
            (parts::copyable(&id("sent"), &sent(record)))
            @if !payload.is_empty() {
                @let body = Body::of(record, may_read.is_ok(), event, payload);
                details.part {
                    summary { (text::AS_CURL) }
                    @if let Body::File(file) = &body {
                        p.hint {
                            a href=(path(visit, &format!("events/{event}/payload"))) download=(file)
                                { (text::SAVE_BODY) }
                        }
                    }
                    (parts::copyable(&id("curl"), &curl(record, &body)))
                }
            }
        }
        @if let Some(status) = record.status {
            details.part open {
                summary { (text::ANSWER) " " (status) }
                (parts::copyable(&id("answer"), &answered(status, record)))
                @match may_read {
                    Ok(()) if !record.excerpt.is_empty() => {
                        (parts::copyable(&id("answer-body"), &record.excerpt))
                        @if record.truncated { p.hint { (text::TRUNCATED) } }
                    }
                    Ok(()) => { p.hint { (text::EMPTY_ANSWER) } }
                    Err(denied) => { p.hint { (text::denied(denied)) } }
                }
            }
        }
    }
}

fn sent(record: &Record) -> String {
    let headers = record.request_headers.iter();
    let headers = headers.map(|(name, value)| format!("\n{name}: {value}"));
    format!("{} {}{}", record.method, record.url, headers.collect::<String>())
}

fn answered(status: u16, record: &Record) -> String {
    let headers = record.response_headers.iter();
    let headers = headers.map(|(name, value)| format!("\n{name}: {value}"));
    format!("HTTP {status}{}", headers.collect::<String>())
}

/// Longer bodies do not fit into one argument of a command (Linux takes 128 KiB).
const ARGUMENT_BYTES_MAX: usize = 100_000;

/// How the body stands in the command for a shell.
enum Body {
    /// It does not: it may not be read, or only its envelope was sent.
    Hidden,
    /// In the command.
    Argument(String),
    /// In a file of this name, which the page offers.
    File(String),
}

impl Body {
    fn of(record: &Record, may_read: bool, event: &str, payload: &str) -> Self {
        if !may_read || record.wrapped || !record.body.is_empty() {
            return Self::Hidden;
        }
        let argument = quoted(payload);
        let is_long = argument.len() > ARGUMENT_BYTES_MAX;
        // Of a text that begins with @ curl would read a file; a payload begins with a brace.
        if is_long { Self::File(file_name(event)) } else { Self::Argument(argument) }
    }
}

/// The request as a command for a shell. Credentials stand in it as `***`.
fn curl(record: &Record, body: &Body) -> String {
    // Brackets and braces of a URL are no patterns.
    let first = format!("curl --globoff -X {} {}", record.method, quoted(&record.url));
    let mut lines = vec![first];
    for (name, value) in &record.request_headers {
        lines.push(format!("-H {}", quoted(&format!("{name}: {value}"))));
    }
    match body {
        Body::Hidden => {}
        Body::Argument(argument) => lines.push(format!("--data-binary {argument}")),
        Body::File(file) => lines.push(format!("--data-binary @{file}")),
    }
    lines.join(" \\\n  ")
}

/// A word of a POSIX shell that stands for exactly this text.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_does_not_end_the_word() {
        assert_eq!(quoted("it's; rm"), r"'it'\''s; rm'");
    }
}
