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
use crate::embed::text::{self, why::Repair};

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
        let t = text::of(self.shown.visit);
        let Some(selected) = self.selected else {
            return html! { h2.unseen { (t.history.attempt) } p.hint { (t.history.no_attempt) } };
        };
        let record = selected.record;
        let to = self.shown.connection(selected.owed);
        // An error can name the receiver, which is for who sees connections.
        let tells = self.shown.visit.session.may(Need::ViewAll).is_ok();
        html! {
            div.heading {
                h2 {
                    ((t.attempt_title)(record.number))
                    @if let Some(to) = to { " " small { (t.sent_to) " " (to.name) } }
                }
                @if tells { (self.menu(selected)) }
            }
            (self.outcome(record, tells))
            (self.meaning(selected))
            @for note in &record.notes { p.hint { ((t.said)(note)) } }
            @if tells { (self.answer(record)) (self.request(selected)) (self.changes(selected)) }
        }
    }

    /// What came of it, and when.
    fn outcome(&self, record: &Record, tells: bool) -> Markup {
        let t = text::of(self.shown.visit);
        let colour = if record.outcome == Outcome::Delivered { "delivered" } else { "failed" };
        // A bare status stands there already.
        let is_bare =
            |error: &&String| error.strip_prefix("Answered ").is_some_and(|s| s.len() == 3);
        html! {
            p.outcome {
                span.badge data-state=(colour) { ((t.why.outcome)(record.outcome)) } " "
                @if let Some(status) = record.status { code { (status) } " · " }
                ((t.moments.duration)(record.duration_ms)) " · "
                (parts::moment(t, record.started_at_ms)) " · "
                (parts::time(t, record.started_at_ms, self.shown.now_ms))
                @if record.asked_by.is_some() { " · " (t.by_hand) }
                @if let Some(error) = record.error.as_ref().filter(|e| tells && !is_bare(e)) {
                    br; span.error { ((t.said)(error)) }
                }
            }
        }
    }

    /// What the attempt failed at, in a sentence with one action.
    fn meaning(&self, selected: Selected<'_>) -> Markup {
        let t = text::of(self.shown.visit);
        let (visit, record) = (self.shown.visit, selected.record);
        let to = self.shown.connection(selected.owed);
        let about = to.and_then(|to| destinations::find(&to.kind)).map(|found| found.about());
        let found = match about.is_none_or(|about| about.is_signed) {
            true => Cause::of(record.outcome, record.status, record.error.as_deref())
                .map(|cause| ((t.why.diagnosis)(cause), Repair::of(cause))),
            false => (t.why.diagnosis_elsewhere)(record.outcome)
                .map(|sentence| (sentence, Repair::elsewhere(record.outcome))),
        };
        let may = |need| visit.session.may(need).is_ok();
        html! {
            @if let Some((sentence, repair)) = found {
                @let (below, need) = repair.page();
                p.diagnosis {
                    (sentence) " "
                    @if let Some(to) = to.filter(|_| may(Need::ViewAll) && may(need)) {
                        a href=(path(visit, &format!("connections/{}/{below}", to.id))) {
                            ((t.why.repair)(repair))
                        }
                    }
                }
            }
        }
    }

    /// The receiver's answer. Its body is somebody's data, so it is for who may read payloads.
    fn answer(&self, record: &Record) -> Markup {
        let t = text::of(self.shown.visit);
        let Some(status) = record.status else { return html! {} };
        let number = record.number;
        html! {
            h3 { (t.answer) " " (status) }
            @match self.shown.visit.session.may_read_payloads() {
                Ok(()) if !record.excerpt.is_empty() => {
                    (parts::body(t, &format!("answer-body-{number}"), &record.excerpt))
                    @if record.truncated { p.hint { (t.truncated) } }
                }
                Ok(()) => { p.hint { (t.empty_answer) } }
                Err(denied) => { p.hint { ((t.denied)(denied)) } }
            }
            @if !record.response_headers.is_empty() {
                details.part open {
                    summary { (t.history.answer_headers) }
                    (headers(&format!("answer-{number}"), &record.response_headers))
                }
            }
        }
    }

    /// The request as it was sent.
    fn request(&self, selected: Selected<'_>) -> Markup {
        let t = text::of(self.shown.visit);
        let record = selected.record;
        if record.method.is_empty() {
            return html! {};
        }
        let (number, whole) = (record.number, &self.shown.whole);
        let may_read = self.shown.visit.session.may_read_payloads();
        let event = &whole.found.event.id;
        html! {
            h3 { (t.request_sent) }
            p { code id=(format!("url-{number}")) { (record.method) " " (record.url) } }
            @if record.wrapped { p.hint { (t.body_wrapped) } }
            @if record.body.is_empty() && !record.wrapped { p.hint { (t.history.body_is_payload) } }
            @if !record.body.is_empty() {
                p.hint { (t.made_of) }
                @match may_read {
                    Ok(()) => { (parts::body(t, "body-made", &record.body)) }
                    Err(denied) => { p.hint { ((t.denied)(denied)) } }
                }
            }
            @if let Some(to) = self.shown.connection(selected.owed) {
                @let is_whole = record.body.is_empty() && !record.wrapped && may_read.is_ok();
                @let body = Some(whole.payload.as_str()).filter(|_| is_whole);
                @if let Some(at) = verify_link::link(to, record, body) {
                    p {
                        a href=(at) target="_blank" rel="noopener" { (t.history.verify) }
                        " " small { (t.history.verify_hint) }
                    }
                }
            }
            details.part open {
                summary { (t.history.request_headers) }
                (headers(&format!("sent-{number}"), &record.request_headers))
            }
            @if !whole.payload.is_empty() {
                @let body = Body::of(record, may_read.is_ok(), event, &whole.payload);
                details.part {
                    summary { (t.as_curl) }
                    @if let Body::File(file) = &body {
                        p.hint {
                            a href=(path(self.shown.visit, &format!("events/{event}/payload")))
                                download=(file) { (t.save_body) }
                        }
                    }
                    (parts::copyable(t, &format!("curl-{number}"), &curl(record, &body)))
                }
            }
        }
    }

    /// What is different from the attempt before it, folded.
    fn changes(&self, selected: Selected<'_>) -> Markup {
        let t = text::of(self.shown.visit);
        let number = selected.record.number;
        let before = number.checked_sub(1);
        let before = before.and_then(|before| self.shown.looked_at(selected.owed, before));
        let Some(before) = before else { return html! {} };
        let may_read = self.shown.visit.session.may_read_payloads().is_ok();
        html! {
            details.part {
                summary { ((t.history.compared_with)(before.number)) }
                (compare(t, before, selected.record, may_read))
            }
        }
    }

    /// All that can be copied of an attempt, in one menu. It is there where a script can copy.
    fn menu(&self, selected: Selected<'_>) -> Markup {
        let t = text::of(self.shown.visit);
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
            body.map(|id| (t.history.copy_body, id.to_owned())),
            is_sent.then(|| (t.history.copy_headers, format!("sent-{number}"))),
            (is_sent && has_payload).then(|| (t.history.copy_curl, format!("curl-{number}"))),
            answer.then(|| (t.history.copy_answer, format!("answer-body-{number}"))),
            Some((t.history.copy_message, "message".to_owned())),
        ];
        html! {
            span.unseen id="message" { (self.shown.message(selected.owed)) }
            details.copy-menu {
                summary.button { (t.copy) }
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
