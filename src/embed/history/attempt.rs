//! One attempt: what it means, the receiver's answer, the request as it was sent, and how it
//! differs from the attempt before it. It is the right side of its event's page.

use maud::{Markup, html};

use crate::destinations;
use crate::domain::delivery::attempt::{Outcome, Record};
use crate::domain::delivery::cause::Cause;
use crate::domain::tenants::session::Need;
use crate::embed::frame::layout::path;
use crate::embed::frame::parts;
use crate::embed::history::compare::compare;
use crate::embed::history::payload::file_name;
use crate::embed::history::shown::{Selected, Shown};
use crate::embed::history::verify_link;
use crate::embed::text::{self, history as words, moments};

/// What is shown of an attempt.
pub struct Pane<'a> {
    /// What the page is made of.
    pub shown: &'a Shown<'a>,
    /// The attempt; none when there is none yet.
    pub selected: Option<Selected<'a>>,
}

impl Pane<'_> {
    /// The attempt, or that there is none.
    pub fn render(&self) -> Markup {
        let Some(selected) = self.selected else {
            return html! { h2.unseen { (words::ATTEMPT) } p.hint { (words::NO_ATTEMPT) } };
        };
        let record = selected.record;
        let to = self.shown.connection(selected.owed);
        // An error can name the receiver, which is for who sees connections.
        let tells = self.shown.visit.session.may(Need::ViewAll).is_ok();
        html! {
            div.heading {
                h2 {
                    (text::attempt_title(record.number))
                    @if let Some(to) = to { " " small { (text::SENT_TO) " " (to.name) } }
                }
                @if tells { (self.menu(selected)) }
            }
            (self.outcome(record, tells))
            (self.meaning(selected))
            @for note in &record.notes { p.hint { (note) } }
            @if tells { (self.answer(record)) (self.request(selected)) (self.changes(selected)) }
        }
    }

    /// What came of it, and when.
    fn outcome(&self, record: &Record, tells: bool) -> Markup {
        let colour = if record.outcome == Outcome::Delivered { "delivered" } else { "failed" };
        // A bare status stands there already.
        let is_bare =
            |error: &&String| error.strip_prefix("Answered ").is_some_and(|s| s.len() == 3);
        html! {
            p.outcome {
                span.badge data-state=(colour) { (text::why::outcome(record.outcome)) } " "
                @if let Some(status) = record.status { code { (status) } " · " }
                (moments::duration(record.duration_ms)) " · "
                (parts::moment(record.started_at_ms)) " · "
                (parts::time(record.started_at_ms, self.shown.now_ms))
                @if record.asked_by.is_some() { " · " (text::BY_HAND) }
                @if let Some(error) = record.error.as_ref().filter(|e| tells && !is_bare(e)) {
                    br; span.error { (error) }
                }
            }
        }
    }

    /// What the attempt failed at, in a sentence with one action.
    fn meaning(&self, selected: Selected<'_>) -> Markup {
        let (visit, record) = (self.shown.visit, selected.record);
        let to = self.shown.connection(selected.owed);
        let about = to.and_then(|to| destinations::find(&to.kind)).map(|found| found.about());
        let found = match about.is_none_or(|about| about.is_signed) {
            true => Cause::of(record.outcome, record.status, record.error.as_deref())
                .map(text::why::diagnosis),
            false => text::why::diagnosis_elsewhere(record.outcome),
        };
        let may = |need| visit.session.may(need).is_ok();
        html! {
            @if let Some((sentence, repair)) = found {
                @let (below, label, need) = repair.page();
                p.diagnosis {
                    (sentence) " "
                    @if let Some(to) = to.filter(|_| may(Need::ViewAll) && may(need)) {
                        a href=(path(visit, &format!("connections/{}/{below}", to.id))) { (label) }
                    }
                }
            }
        }
    }

    /// The receiver's answer. Its body is somebody's data, so it is for who may read payloads.
    fn answer(&self, record: &Record) -> Markup {
        let Some(status) = record.status else { return html! {} };
        let number = record.number;
        html! {
            h3 { (text::ANSWER) " " (status) }
            @match self.shown.visit.session.may_read_payloads() {
                Ok(()) if !record.excerpt.is_empty() => {
                    (parts::body(&format!("answer-body-{number}"), &record.excerpt))
                    @if record.truncated { p.hint { (text::TRUNCATED) } }
                }
                Ok(()) => { p.hint { (text::EMPTY_ANSWER) } }
                Err(denied) => { p.hint { (text::denied(denied)) } }
            }
            @if !record.response_headers.is_empty() {
                details.part open {
                    summary { (words::ANSWER_HEADERS) }
                    (headers(&format!("answer-{number}"), &record.response_headers))
                }
            }
        }
    }

    /// The request as it was sent.
    fn request(&self, selected: Selected<'_>) -> Markup {
        let record = selected.record;
        if record.method.is_empty() {
            return html! {};
        }
        let (number, whole) = (record.number, &self.shown.whole);
        let may_read = self.shown.visit.session.may_read_payloads();
        let event = &whole.found.event.id;
        html! {
            h3 { (text::REQUEST_SENT) }
            p { code id=(format!("url-{number}")) { (record.method) " " (record.url) } }
            @if record.wrapped { p.hint { (text::BODY_WRAPPED) } }
            @if record.body.is_empty() && !record.wrapped { p.hint { (words::BODY_IS_PAYLOAD) } }
            @if !record.body.is_empty() {
                p.hint { (text::MADE_OF) }
                @match may_read {
                    Ok(()) => { (parts::body("body-made", &record.body)) }
                    Err(denied) => { p.hint { (text::denied(denied)) } }
                }
            }
            @if let Some(to) = self.shown.connection(selected.owed) {
                @let is_whole = record.body.is_empty() && !record.wrapped && may_read.is_ok();
                @let body = Some(whole.payload.as_str()).filter(|_| is_whole);
                @if let Some(at) = verify_link::link(to, record, body) {
                    p {
                        a href=(at) target="_blank" rel="noopener" { (words::VERIFY) }
                        " " small { (words::VERIFY_HINT) }
                    }
                }
            }
            details.part open {
                summary { (words::REQUEST_HEADERS) }
                (headers(&format!("sent-{number}"), &record.request_headers))
            }
            @if !whole.payload.is_empty() {
                @let body = Body::of(record, may_read.is_ok(), event, &whole.payload);
                details.part {
                    summary { (text::AS_CURL) }
                    @if let Body::File(file) = &body {
                        p.hint {
                            a href=(path(self.shown.visit, &format!("events/{event}/payload")))
                                download=(file) { (text::SAVE_BODY) }
                        }
                    }
                    (parts::copyable(&format!("curl-{number}"), &curl(record, &body)))
                }
            }
        }
    }

    /// What is different from the attempt before it, folded.
    fn changes(&self, selected: Selected<'_>) -> Markup {
        let number = selected.record.number;
        let before = number.checked_sub(1);
        let before = before.and_then(|before| self.shown.looked_at(selected.owed, before));
        let Some(before) = before else { return html! {} };
        let may_read = self.shown.visit.session.may_read_payloads().is_ok();
        html! {
            details.part {
                summary { (words::compared_with(before.number)) }
                (compare(before, selected.record, may_read))
            }
        }
    }

    /// All that can be copied of an attempt, in one menu. It is there where a script can copy.
    fn menu(&self, selected: Selected<'_>) -> Markup {
        let record = selected.record;
        let number = record.number;
        let may_read = self.shown.visit.session.may_read_payloads().is_ok();
        let is_sent = !record.method.is_empty();
        let has_payload = !self.shown.whole.payload.is_empty();
        let is_made = !record.body.is_empty();
        let body = match (is_made, record.wrapped) {
            _ if !may_read || !is_sent => None,
            (true, _) => Some("body-made"),
            (false, false) if has_payload => Some("payload"),
            _ => None,
        };
        let answer = may_read && !record.excerpt.is_empty();
        let items = [
            body.map(|id| (words::COPY_BODY, id.to_owned())),
            is_sent.then(|| (words::COPY_HEADERS, format!("sent-{number}"))),
            (is_sent && has_payload).then(|| (words::COPY_CURL, format!("curl-{number}"))),
            answer.then(|| (words::COPY_ANSWER, format!("answer-body-{number}"))),
            Some((words::COPY_MESSAGE, "message".to_owned())),
        ];
        html! {
            span.unseen id="message" { (self.shown.message(selected.owed)) }
            details.copy-menu {
                summary.button { (text::COPY) }
                div {
                    @for (label, id) in items.into_iter().flatten() {
                        button type="button" class="copy" data-copy=(id) hidden { (label) }
                    }
                }
            }
        }
    }
}

/// Headers as a table, whose text alone is what a request has: a line for each.
fn headers(id: &str, headers: &[(String, String)]) -> Markup {
    html! {
        table.headers id=(id) {
            tbody {
                @for (name, value) in headers {
                    tr { th scope="row" { (name) span.unseen { ": " } } td { (value) "\n" } }
                }
            }
        }
    }
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
