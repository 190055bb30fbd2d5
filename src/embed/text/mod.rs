//! What people read in the embed: one table of texts, and one file for each language that fills it.
//! A language without one of the texts does not compile.
//!
//! Here stand the words of all pages, below it those of forms, of states, and of replays. To add a
//! language: a file beside `en.rs`, and its line in [`LANGUAGES`].

use crate::domain::base::error::Kind;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::signing::Signing;
use crate::domain::tenants::session::{Denied, Role, Session};
use crate::http::Request;
use crate::http::access::EmbedSession;

pub mod catalogue;
pub mod changes;
pub mod charts;
pub mod connection;
mod de;
mod en;
pub mod filter;
pub mod foreign;
pub mod form;
pub mod history;
pub mod mapping;
pub mod moments;
pub mod replay;
pub mod said;
pub mod search;
pub mod why;

/// All languages; the first is for who asks for none of them.
pub static LANGUAGES: [&Texts; 2] = [&en::TEXTS, &de::TEXTS];

/// The texts of a visit's pages.
pub fn of(visit: &EmbedSession) -> &'static Texts {
    of_session(&visit.session)
}

/// The texts of a session's pages, which were chosen when it was launched.
pub fn of_session(session: &Session) -> &'static Texts {
    session.look.tokens.locale.as_deref().and_then(find).unwrap_or(LANGUAGES[0])
}

/// The texts that a request asks for: its query, else its header.
pub fn of_request(request: &Request) -> &'static Texts {
    let asked = request.query("locale").and_then(|tag| find(&tag));
    asked.or_else(|| accepted(request.header("accept-language")?)).unwrap_or(LANGUAGES[0])
}

/// The language of a tag such as `de` or `de-AT`.
fn find(tag: &str) -> Option<&'static Texts> {
    let language = tag.split(['-', '_']).next().unwrap_or_default();
    LANGUAGES.into_iter().find(|texts| texts.tag.eq_ignore_ascii_case(language))
}

/// The language that a browser likes best of those that there are.
fn accepted(header: &str) -> Option<&'static Texts> {
    let mut best: Option<(f32, &'static Texts)> = None;
    for part in header.split(',').take(ACCEPTED_MAX) {
        let (tag, quality) = part.split_once(";q=").unwrap_or((part, "1"));
        let quality = quality.trim().parse().unwrap_or(0.0);
        let is_better = quality > best.map_or(0.0, |(most, _)| most);
        if let Some(texts) = find(tag.trim()).filter(|_| is_better) {
            best = Some((quality, texts));
        }
    }
    best.map(|(_, texts)| texts)
}

/// A number with its thousands apart: `12,904`.
fn grouped(number: u64, between: char) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

/// Languages that are looked at of a browser's list.
const ACCEPTED_MAX: usize = 20;

/// All that people read in the embed, in one language.
pub struct Texts {
    /// The tag of the language.
    pub tag: &'static str,
    pub navigation: &'static str,
    pub skip: &'static str,
    pub dashboard: &'static str,
    pub connections: &'static str,
    pub rules: &'static str,
    pub events: &'static str,
    pub theme: &'static str,
    pub theme_auto: &'static str,
    pub theme_light: &'static str,
    pub theme_dark: &'static str,
    pub read_only: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub back: &'static str,
    pub save: &'static str,
    pub edit: &'static str,
    pub show: &'static str,
    pub clear: &'static str,
    pub any: &'static str,
    pub older: &'static str,
    pub test: &'static str,
    pub set: &'static str,
    pub unchanged: &'static str,
    pub not_saved: &'static str,
    pub changed_meanwhile: &'static str,
    pub changed_meanwhile_advice: &'static str,
    pub field: &'static str,
    pub stored_now: &'static str,
    pub yours: &'static str,
    pub choose_one: &'static str,
    pub closed_title: &'static str,
    pub closed_body: &'static str,
    pub suspended: &'static str,
    pub foreign_form: &'static str,
    pub start_title: &'static str,
    pub new_connection: &'static str,
    pub grid_hint: &'static str,
    pub rules_later: &'static str,
    pub rule_step: &'static str,
    pub not_checked: &'static str,
    pub made_of: &'static str,
    pub edit_connection: &'static str,
    pub create_connection: &'static str,
    pub delete_connection: &'static str,
    pub keep: &'static str,
    pub cancel_delivery: &'static str,
    pub cancel_delivery_means: &'static str,
    pub cancel_yes: &'static str,
    pub end_overlap_ask: &'static str,
    pub end_overlap_means: &'static str,
    pub end_overlap_yes: &'static str,
    pub delete_ask: &'static str,
    pub created_title: &'static str,
    pub saved_title: &'static str,
    pub next_steps: &'static str,
    pub verification: &'static str,
    pub verification_step: &'static str,
    pub test_step: &'static str,
    pub send_test: &'static str,
    pub to_connection: &'static str,
    pub destination: &'static str,
    pub name_example: &'static str,
    pub events_to_send: &'static str,
    pub events_to_send_hint: &'static str,
    pub no_catalogue: &'static str,
    pub signature: &'static str,
    pub body_scheme_warning: &'static str,
    pub secret: &'static str,
    pub authentication: &'static str,
    pub authentication_hint: &'static str,
    pub header_name: &'static str,
    pub header_value: &'static str,
    pub delivery_options: &'static str,
    pub settings: &'static str,
    pub deliveries: &'static str,
    pub no_deliveries: &'static str,
    pub pause: &'static str,
    pub resume: &'static str,
    pub resume_without: &'static str,
    pub held_meanwhile: &'static str,
    pub not_before: &'static str,
    pub holds_the_line: &'static str,
    pub failing_since: &'static str,
    pub last_error: &'static str,
    pub gone_connection: &'static str,
    pub your_secret: &'static str,
    pub secret_once: &'static str,
    pub equivalent_secret: &'static str,
    pub equivalent_secret_why: &'static str,
    pub short_secret: &'static str,
    pub unseen_secret: &'static str,
    pub stops_signing: &'static str,
    pub rotate: &'static str,
    pub rotated_title: &'static str,
    pub new_secret_title: &'static str,
    pub no_overlap: &'static str,
    pub live_secrets: &'static str,
    pub end_overlap: &'static str,
    pub rules_hint: &'static str,
    pub no_rules: &'static str,
    pub no_rules_yet: &'static str,
    pub new_rule: &'static str,
    pub add_rule: &'static str,
    pub edit_rule: &'static str,
    pub delete_rule: &'static str,
    pub delete_rule_warning: &'static str,
    pub pattern_hint: &'static str,
    pub rule_limits: &'static str,
    pub rule_filter: &'static str,
    pub filtered: &'static str,
    pub rule_inactive: &'static str,
    pub sent_to: &'static str,
    pub filter_event: &'static str,
    pub filter_resource_id: &'static str,
    pub filter_status: &'static str,
    pub filter_id: &'static str,
    pub filter_id_example: &'static str,
    pub no_events: &'static str,
    pub nothing_found: &'static str,
    pub no_such_id: &'static str,
    pub unrouted: &'static str,
    pub not_routed: &'static str,
    pub last_events: &'static str,
    pub all_events: &'static str,
    pub all_well: &'static str,
    pub show_failed: &'static str,
    pub event: &'static str,
    pub event_id: &'static str,
    pub resource: &'static str,
    pub accepted: &'static str,
    pub kept_until: &'static str,
    pub erased: &'static str,
    pub payload: &'static str,
    pub by_test: &'static str,
    pub by_rule: &'static str,
    pub by_gone_rule: &'static str,
    pub by_hand: &'static str,
    pub unmatched: &'static str,
    pub retry_now: &'static str,
    pub cancel: &'static str,
    pub send_again: &'static str,
    pub next_attempt: &'static str,
    pub then: &'static str,
    pub no_attempt_yet: &'static str,
    pub request_sent: &'static str,
    pub save_body: &'static str,
    pub unsent: &'static str,
    pub as_curl: &'static str,
    pub answer: &'static str,
    pub truncated: &'static str,
    pub empty_answer: &'static str,
    pub body_wrapped: &'static str,
    pub take_example: &'static str,
    pub test_held: &'static str,
    pub code_hint: &'static str,
    pub start_steps: [(&'static str, &'static str); 3],
    pub done: fn(&str) -> Option<&'static str>,
    pub denied: fn(Denied) -> &'static str,
    pub failed_title: fn(Kind) -> &'static str,
    pub role: fn(Role) -> &'static str,
    pub number: fn(u64) -> String,
    pub signature_summary: fn(&Signing) -> String,
    pub secret_name: fn(u32, bool) -> String,
    pub secret_set_by: fn(SetBy) -> &'static str,
    pub rules_count: fn(usize) -> String,
    pub copy_label: fn(&str) -> String,
    pub cancel_held_title: fn(usize, bool) -> String,
    pub cancel_held_means: fn(usize) -> String,
    pub delete_means: fn(usize, usize, bool) -> String,
    pub attempts_count: fn(u32) -> String,
    pub delivered_count: fn(usize, usize) -> String,
    pub failed_count: fn(usize, bool) -> String,
    pub test_target: fn(&str) -> String,
    pub attempt_title: fn(u32) -> String,
    pub payload_facts: fn(usize) -> String,
    pub failed_message: fn(Kind, &str) -> String,
    /// A sentence that stands in the history or comes from a destination, where it is English.
    pub said: fn(&str) -> String,
    pub catalogue: catalogue::Catalogue,
    pub changes: changes::Changes,
    pub charts: charts::Charts,
    pub connection: connection::Connection,
    pub filter: filter::Filter,
    pub foreign: foreign::Foreign,
    pub form: form::Form,
    pub history: history::History,
    pub mapping: mapping::Mapping,
    pub moments: moments::Moments,
    pub replay: replay::Replay,
    pub search: search::Search,
    pub why: why::Why,
}
