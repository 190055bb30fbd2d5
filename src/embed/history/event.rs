//! The page of one event: what it carried, whom it was sent to, and what came of it.

use crate::embed::common::home;
use crate::embed::history::payload::payload;
use maud::{Markup, html};

use crate::app::events::{self, EventDetails};
use crate::destinations;
use crate::domain::base::error::Result;
use crate::domain::base::ids::TEST_RULE;
use crate::domain::base::ids::message_id;
use crate::domain::delivery::attempt::Record;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::{Event, FanOut};
use crate::domain::tenants::session::Need;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::live;
use crate::embed::frame::parts::{self, Button};
use crate::embed::history::attempt;
use crate::embed::text::{self, why::Repair};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::DeliverySummary;
use crate::store::hidden_connections;
use crate::store::rules::{self, Rule};
use crate::store::{four, workspaces};

/// The order in which deliveries stand: what needs a person first, what was delivered last.
const ORDER: [State; 6] = [
    State::Failed,
    State::Retrying,
    State::Held,
    State::Pending,
    State::Canceled,
    State::Delivered,
];

/// A command for a shell repeats the payload. With more deliveries it stands on the attempts' own
/// pages only.
const CURLS_MAX: usize = 4;

/// What the page is made of.
struct Shown<'a> {
    visit: &'a EmbedSession,
    whole: EventDetails,
    connections: Vec<Connection>,
    hidden: Vec<String>,
    rules: Vec<Rule>,
    kept_until_ms: Option<i64>,
    now_ms: i64,
}

/// `GET /embed/s/{session}/events/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (id, scope) = (call.id("id", "event")?, visit.session.actor().scope);
    let whole = events::whole_at(platform, &home(visit), &scope, &id).await?;
    let queries = (
        connections::shown(&scope),
        hidden_connections::hidden(&scope),
        rules::shown(&scope),
        workspaces::retention(&visit.session.workspace),
    );
    let (connections, hidden, rules, kept) = four(platform.control(), queries).await?;
    let kept_until_ms = whole.found.kept_until_ms(kept);
    let now_ms = platform.now_ms();
    let shown = Shown { visit, whole, connections, hidden, rules, kept_until_ms, now_ms };
    let title = shown.whole.found.event.name.clone();
    let done = call.request.query("done");
    let mut frame = Page::new(Section::Events, &title);
    frame.live = Some(live::of_event(visit, &shown.whole.found));
    frame.done = done.as_deref();
    Ok(page(visit, &frame, &shown.body()))
}

impl Shown<'_> {
    fn body(&self) -> Markup {
        let found = &self.whole.found;
        html! {
            div.heading {
                h1 {
                    (found.event.name)
                    @if found.event.is_test() { " " span.badge data-state="test" { (text::TEST) } }
                }
            }
            (self.facts(&found.event))
            section id="deliveries" data-live {
                h2 { (text::DELIVERIES) }
                @if found.event.fan_out.is_empty() { p.hint { (text::NOT_ROUTED) } }
                @let shown = self.shown();
                @for (owed, delivery) in &shown {
                    (self.delivery(owed, delivery, shown.len() > 1))
                }
                (self.unmatched(&found.event))
            }
            section {
                h2 { (text::PAYLOAD) }
                @if found.erased_at_ms.is_some() {
                    p.hint { (text::ERASED) }
                } @else {
                    (payload(self.visit, &self.whole.payload))
                }
            }
        }
    }

    fn facts(&self, event: &Event) -> Markup {
        html! {
            dl {
                dt { (text::EVENT_ID) } dd { (parts::copyable_word("event-id", &event.id)) }
                @if let Some(resource) = &event.resource {
                    dt { (text::RESOURCE) }
                    dd { (resource) " " (event.resource_id.as_deref().unwrap_or_default()) }
                }
                dt { (text::ACCEPTED) } dd { (parts::time(event.created_at_ms, self.now_ms)) }
                @if let Some(at_ms) = self.kept_until_ms {
                    dt { (text::KEPT_UNTIL) } dd { (parts::time(at_ms, self.now_ms)) }
                }
            }
        }
    }

    /// The deliveries but those to connections that pages leave out, failed ones first.
    fn shown(&self) -> Vec<(&FanOut, &DeliverySummary)> {
        let found = &self.whole.found;
        let by_rule = |rule| found.deliveries.iter().find(|delivery| delivery.rule == rule);
        let shown =
            found.event.fan_out.iter().filter(|owed| !self.hidden.contains(&owed.connection));
        let mut shown: Vec<(&FanOut, &DeliverySummary)> =
            shown.filter_map(|owed| Some((owed, by_rule(owed.rule_number)?))).collect();
        shown.sort_by_key(|(_, delivery)| ORDER.iter().position(|state| *state == delivery.state));
        shown
    }

    /// One delivery. Among many, one that was delivered is folded.
    fn delivery(&self, owed: &FanOut, delivery: &DeliverySummary, folds: bool) -> Markup {
        let to = self.connections.iter().find(|connection| connection.id == owed.connection);
        let at = format!("events/{}/rules/{}", self.whole.found.event.id, owed.rule);
        let heading = html! {
            h3 {
                @match to {
                    Some(to) => {
                        (parts::link(self.visit, Need::ViewAll, &format!("connections/{}", to.id),
                            &to.name))
                    }
                    None => { (text::GONE_CONNECTION) }
                }
                " " (parts::state(delivery.state.as_str()))
            }
        };
        let buttons = self.buttons(delivery, to, &at);
        let body = self.delivery_body(owed, delivery, to, &at);
        let is_done = delivery.state == State::Delivered;
        html! {
            article.delivery id=(format!("delivery-{}", owed.rule_number)) {
                @if folds {
                    details open[!is_done] { summary { (heading) } (buttons) (body) }
                } @else {
                    div.heading { (heading) (buttons) }
                    (body)
                }
            }
        }
    }

    fn delivery_body(
        &self,
        owed: &FanOut,
        delivery: &DeliverySummary,
        to: Option<&Connection>,
        at: &str,
    ) -> Markup {
        let attempts = self.whole.attempts.iter().filter(|a| a.rule == owed.rule_number);
        let records: Vec<&Record> = attempts.map(|attempt| &attempt.record).collect();
        let event = &self.whole.found.event.id;
        let is_delivered = delivery.state == State::Delivered;
        html! {
            p.hint {
                (self.why(owed)) " · "
                (parts::copyable_word(&format!("message-{}", owed.rule_number),
                    &message_id(event, owed.rule_number)))
            }
            (self.outlook(delivery, to))
            (self.held_back(delivery, owed))
            @if let Some(newest) = records.last().filter(|_| !is_delivered) {
                (self.diagnosis(newest, to))
            }
            (self.records(delivery, &records, at))
        }
    }

    /// Why the last attempt failed and what to do about it.
    fn diagnosis(&self, newest: &Record, to: Option<&Connection>) -> Markup {
        let about = to.and_then(|to| destinations::find(&to.kind)).map(|found| found.about());
        let found = match about.is_none_or(|about| about.is_signed) {
            true => text::why::diagnosis(newest.outcome, newest.status),
            false => text::why::diagnosis_elsewhere(newest.outcome),
        };
        let link = |to: &Connection, below: &str, label: &str| {
            let at = format!("connections/{}/{below}", to.id);
            let may = self.visit.session.may(Need::ViewAll).is_ok();
            html! { @if may { (parts::link(self.visit, Need::ViewAll, &at, label)) } }
        };
        html! {
            @if let Some((text, repair)) = found {
                p.diagnosis {
                    (text) " "
                    @match (to, repair) {
                        (Some(to), Repair::Settings) => { (link(to, "edit", text::FIX_URL)) }
                        (Some(to), Repair::Verification) => {
                            (link(to, "verification", text::FIX_CODE))
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// By which rule it is owed.
    fn why(&self, owed: &FanOut) -> Markup {
        let rule = self.rules.iter().find(|rule| rule.id == owed.rule);
        html! {
            @match (owed.rule_number, rule) {
                (TEST_RULE, _) => { (text::BY_TEST) }
                (_, Some(rule)) => {
                    (text::BY_RULE) " "
                    a href=(path(self.visit, &format!("rules/{}", rule.id))) { (rule.event) }
                }
                _ => { (text::BY_GONE_RULE) }
            }
        }
    }

    /// What a person can do about it. Nothing is sent to a connection that is gone or inactive.
    fn buttons(&self, delivery: &DeliverySummary, to: Option<&Connection>, at: &str) -> Markup {
        let state = delivery.state;
        let retry = match state {
            _ if !to.is_some_and(|to| to.active) => None,
            State::Delivered => Some(text::SEND_AGAIN),
            State::Failed | State::Retrying => Some(text::RETRY_NOW),
            _ => None,
        };
        let cancel = (state.is_open() || state == State::Held).then_some(text::CANCEL);
        let (retry_at, cancel_at) = (format!("{at}/retry"), format!("{at}/cancel"));
        html! {
            div.actions {
                @if let Some(label) = retry {
                    (Button {
                        label,
                        action: &retry_at,
                        need: Need::Act,
                        look: "quiet",
                        fields: &[],
                    }.render(self.visit))
                }
                @if let Some(label) = cancel {
                    (parts::link_button(self.visit, Need::Act, &cancel_at, label, "quiet"))
                }
            }
        }
    }

    /// What is still to come, or why nothing is.
    fn outlook(&self, delivery: &DeliverySummary, to: Option<&Connection>) -> Markup {
        let state = delivery.state;
        let made = delivery.attempts - delivery.attempts_before;
        let due_at_ms = delivery.due_at_ms.filter(|_| state == State::Retrying);
        let upcoming = match (due_at_ms, to) {
            (Some(due_at_ms), Some(to)) => {
                to.options.retry_schedule_seconds.upcoming(made, due_at_ms)
            }
            _ => Vec::new(),
        };
        html! {
            @if let Some(reason) = delivery.reason { p { (text::why::reason(reason)) } }
            @if state == State::Held { p { (text::HELD_MEANWHILE) } }
            @if let Some((first, later)) = upcoming.split_first() {
                p {
                    (text::NEXT_ATTEMPT) " " strong { (parts::time(*first, self.now_ms)) }
                    @if !later.is_empty() {
                        " · " (text::THEN)
                        @for (index, at_ms) in later.iter().enumerate() {
                            @if index > 0 { "," } " " (parts::time(*at_ms, self.now_ms))
                        }
                    }
                }
            }
        }
    }

    /// What keeps an open delivery back beside its own schedule.
    fn held_back(&self, delivery: &DeliverySummary, owed: &FanOut) -> Markup {
        let is_open = delivery.state.is_open();
        let mut lanes = self.whole.held_back.iter();
        let lane = lanes.find(|lane| is_open && lane.connection == owed.connection);
        html! { @if let Some(lane) = lane { (parts::held_back(lane, self.now_ms)) } }
    }

    fn records(&self, delivery: &DeliverySummary, records: &[&Record], at: &str) -> Markup {
        let is_open = delivery.state.is_open();
        html! {
            @if let Some((newest, earlier)) = records.split_last() {
                (attempt::summary(self.visit, newest, at, self.now_ms))
                @let is_alone = self.whole.found.event.fan_out.len() <= CURLS_MAX;
                @let payload = if is_alone { self.whole.payload.as_str() } else { "" };
                (attempt::details(self.visit, newest, &self.whole.found.event.id, payload))
                @if delivery.attempts as usize > records.len() {
                    p.hint { (text::why::newest_attempts(records.len(), delivery.attempts)) }
                }
                @for record in earlier.iter().rev() {
                    (attempt::summary(self.visit, record, at, self.now_ms))
                }
            } @else if is_open {
                p.hint { (text::NO_ATTEMPT_YET) }
            }
        }
    }

    fn unmatched(&self, event: &Event) -> Markup {
        html! {
            @if !event.unmatched.is_empty() {
                details.part {
                    summary { (text::UNMATCHED) }
                    ul.plain {
                        @for unmatched in &event.unmatched {
                            @let rule = self.rules.iter().find(|rule| rule.id == unmatched.rule);
                            @let to = rule.and_then(|rule| {
                                self.connections.iter().find(|to| to.id == rule.connection)
                            });
                            li {
                                (to.map_or(text::GONE_CONNECTION, |to| to.name.as_str())) ": "
                                (text::why::mismatch(unmatched.why))
                                @if let Some(detail) = &unmatched.detail {
                                    ": " code { (detail) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
