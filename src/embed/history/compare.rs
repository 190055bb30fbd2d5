//! Two attempts of one delivery side by side: only what is different.

use maud::{Markup, html};

use crate::domain::delivery::attempt::Record;
use crate::embed::text::Texts;

/// What is different: its name, before, and now.
type Change = (String, String, String);

/// A table of what is different between an attempt and a later one. Of a body that may not be read
/// it says no more than that it is another one.
pub fn compare(t: &Texts, before: &Record, now: &Record, may_read: bool) -> Markup {
    html! {
        table {
            thead {
                tr {
                    td {}
                    th scope="col" { ((t.attempt_title)(before.number)) }
                    th scope="col" { ((t.attempt_title)(now.number)) }
                }
            }
            tbody {
                @for (name, before, now) in changes(t, before, now, may_read) {
                    tr { th scope="row" { (name) } td { (before) } td { (now) } }
                }
            }
        }
    }
}

fn changes(t: &Texts, before: &Record, now: &Record, may_read: bool) -> Vec<Change> {
    let status = |record: &Record| match record.status {
        Some(status) => status.to_string(),
        None => (t.why.outcome)(record.outcome).to_owned(),
    };
    let duration = |record: &Record| (t.moments.duration)(record.duration_ms);
    let request = |record: &Record| format!("{} {}", record.method, record.url);
    let body = |record: &Record| match may_read {
        true => record.excerpt.chars().take(SHOWN).collect(),
        false => String::new(),
    };
    let mut changes = vec![
        (t.history.status.to_owned(), status(before), status(now)),
        (t.history.took.to_owned(), duration(before), duration(now)),
        (t.request_sent.to_owned(), request(before), request(now)),
    ];
    changes.extend(of_headers(&before.request_headers, &now.request_headers));
    changes.extend(of_headers(&before.response_headers, &now.response_headers));
    changes.retain(|(_, before, now)| before != now);
    if before.excerpt != now.excerpt {
        let told = |record: &Record| match body(record) {
            shown if shown.is_empty() => t.history.another_body.to_owned(),
            shown => shown,
        };
        changes.push((t.history.answer_body.to_owned(), told(before), told(now)));
    }
    changes
}

/// Characters of a body that are shown.
const SHOWN: usize = 200;

fn of_headers(before: &[(String, String)], now: &[(String, String)]) -> Vec<Change> {
    let value = |headers: &[(String, String)], name: &str| {
        let found = headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut names: Vec<&String> = before.iter().chain(now).map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| (name.clone(), value(before, name), value(now, name))).collect()
}
