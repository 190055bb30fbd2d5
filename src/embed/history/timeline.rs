//! The deliveries of an event with their attempts in order of time: the left side of its page.

use maud::{Markup, html};

use crate::domain::base::ids::TEST_RULE;
use crate::domain::delivery::attempt::{Outcome, Record};
use crate::domain::delivery::state::State;
use crate::domain::routing::event::{Event, FanOut};
use crate::domain::tenants::session::Need;
use crate::embed::frame::layout::path;
use crate::embed::frame::parts::{self, Button};
use crate::embed::history::shown::{Selected, Shown};
use crate::embed::text;
use crate::store::connections::Connection;
use crate::store::events::DeliverySummary;

/// The timeline of an event.
pub struct Timeline<'a> {
    /// What the page is made of.
    pub shown: &'a Shown<'a>,
    /// The attempt that is looked at beside it.
    pub selected: Option<Selected<'a>>,
}

impl Timeline<'_> {
    /// All deliveries, failed ones first, and the rules that did not match.
    pub fn render(&self) -> Markup {
        let t = text::of(self.shown.visit);
        let event = &self.shown.whole.found.event;
        let deliveries = self.shown.deliveries();
        html! {
            h2.unseen { (t.deliveries) }
            @if event.fan_out.is_empty() { p.hint { (t.not_routed) } }
            @for (owed, delivery) in &deliveries {
                (self.delivery(owed, delivery, deliveries.len() > 1))
            }
            (self.unmatched(event))
        }
    }

    /// One delivery. Among many, the attempts of one that was delivered are folded unless it is
    /// looked at; the heading stands above, since a summary can hold no link.
    fn delivery(&self, owed: &FanOut, delivery: &DeliverySummary, folds: bool) -> Markup {
        let t = text::of(self.shown.visit);
        let shown = self.shown;
        let to = shown.connection(owed);
        let at = format!("events/{}/rules/{}", shown.whole.found.event.id, owed.rule);
        let name = to.map_or(t.gone_connection, |to| to.name.as_str());
        let body = html! {
            (self.steps(owed, delivery, to, &at))
            (self.outlook(owed, delivery))
            (self.buttons(delivery, to, &at))
            p.hint { (self.why(owed)) }
        };
        let is_done = delivery.state == State::Delivered;
        let is_selected = self.selected.is_some_and(|one| one.owed.rule == owed.rule);
        html! {
            article.delivery id=(format!("delivery-{}", owed.rule_number)) {
                h3 {
                    @match to {
                        Some(to) => {
                            (parts::link(shown.visit, Need::ViewAll,
                                &format!("connections/{}", to.id), name))
                        }
                        None => { (name) }
                    }
                    " " (parts::state(t, delivery.state.as_str()))
                }
                @if folds {
                    details open[!is_done || is_selected] {
                        summary {
                            ((t.attempts_count)(delivery.attempts))
                            span.unseen { ": " (name) }
                        }
                        (body)
                    }
                } @else { (body) }
            }
        }
    }

    /// The attempts that were made, and the next one with its clock.
    fn steps(
        &self,
        owed: &FanOut,
        delivery: &DeliverySummary,
        to: Option<&Connection>,
        at: &str,
    ) -> Markup {
        let t = text::of(self.shown.visit);
        let records = self.shown.records(owed);
        let upcoming = upcoming(delivery, to);
        let of = to.map(|to| to.options.retry_schedule_seconds.attempts_max());
        let next = delivery.attempts - delivery.attempts_before + 1;
        let mut lanes = self.shown.whole.held_back.iter();
        let lane = lanes.find(|lane| lane.connection == owed.connection);
        let not_before_ms = lane.and_then(|lane| lane.not_before_ms).unwrap_or_default();
        html! {
            @if records.is_empty() && delivery.state.is_open() {
                p.hint { (t.no_attempt_yet) }
            }
            @if delivery.attempts as usize > records.len() {
                p.hint { ((t.why.newest_attempts)(records.len(), delivery.attempts)) }
            }
            ol.steps-made {
                @if let Some(older) = self.older(owed, &records) { (self.step(owed, older, at)) }
                @for record in &records { (self.step(owed, record, at)) }
                @if let Some((first, later)) = upcoming.split_first() {
                    li data-state="next" {
                        span {
                            (t.next_attempt) " "
                            @let due_ms = not_before_ms.max(*first);
                            strong { (parts::due(t, due_ms, self.shown.now_ms)) }
                        }
                        @if let Some(of) = of { small { ((t.history.of_attempts)(next, of)) } }
                    }
                    @if !later.is_empty() {
                        li.later {
                            small {
                                (t.then)
                                @for (index, at_ms) in later.iter().enumerate() {
                                    @if index > 0 { "," }
                                    " " (parts::time(t, *at_ms, self.shown.now_ms))
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The attempt that is looked at, where it is older than those that are shown.
    fn older(&self, owed: &FanOut, records: &[&Record]) -> Option<&Record> {
        let selected = self.selected.filter(|one| one.owed.rule == owed.rule)?.record;
        let is_shown = records.iter().any(|record| record.number == selected.number);
        (!is_shown).then_some(selected)
    }

    fn step(&self, owed: &FanOut, record: &Record, at: &str) -> Markup {
        let t = text::of(self.shown.visit);
        let is_current = self
            .selected
            .is_some_and(|one| one.owed.rule == owed.rule && one.record.number == record.number);
        let below = format!("{at}/attempts/{}", record.number);
        let is_good = record.outcome == Outcome::Delivered;
        html! {
            li data-state=(if is_good { "delivered" } else { "failed" }) {
                a href=(path(self.shown.visit, &below))
                    aria-current=[is_current.then_some("true")] {
                    span.unseen { ((t.attempt_title)(record.number)) ": " }
                    @if let Some(status) = record.status { b { (status) } " " }
                    ((t.why.outcome)(record.outcome))
                }
                small {
                    ((t.moments.duration)(record.duration_ms)) " · "
                    (parts::time(t, record.started_at_ms, self.shown.now_ms))
                    @if record.asked_by.is_some() { " · " (t.by_hand) }
                }
            }
        }
    }

    /// By which rule it is owed.
    fn why(&self, owed: &FanOut) -> Markup {
        let t = text::of(self.shown.visit);
        let rule = self.shown.rules.iter().find(|rule| rule.id == owed.rule);
        html! {
            @match (owed.rule_number, rule) {
                (TEST_RULE, _) => { (t.by_test) }
                (_, Some(rule)) => {
                    (t.by_rule) " "
                    a href=(path(self.shown.visit, &format!("rules/{}", rule.id))) { (rule.event) }
                }
                _ => { (t.by_gone_rule) }
            }
        }
    }

    /// What a person can do about it. Nothing is sent to a connection that is
    /// gone or inactive, nor of an event whose payload is.
    fn buttons(&self, delivery: &DeliverySummary, to: Option<&Connection>, at: &str) -> Markup {
        let t = text::of(self.shown.visit);
        let state = delivery.state;
        let is_erased = self.shown.whole.found.erased_at_ms.is_some();
        let retry = match state {
            _ if is_erased || !to.is_some_and(|to| to.active) => None,
            State::Delivered | State::Canceled => Some((t.send_again, "quiet")),
            State::Failed | State::Retrying => Some((t.retry_now, "primary")),
            _ => None,
        };
        let cancel = (state.is_open() || state == State::Held).then_some(t.cancel);
        let (retry_at, cancel_at) = (format!("{at}/retry"), format!("{at}/cancel"));
        let visit = self.shown.visit;
        html! {
            div.actions {
                @if let Some((label, look)) = retry {
                    (Button { label, action: &retry_at, need: Need::Act, look, fields: &[] }
                        .render(visit))
                }
                @if let Some(label) = cancel {
                    (parts::link_button(visit, Need::Act, &cancel_at, label, "quiet"))
                }
            }
        }
    }

    /// Why nothing more is to come, or what keeps it back beside its own schedule.
    fn outlook(&self, owed: &FanOut, delivery: &DeliverySummary) -> Markup {
        let t = text::of(self.shown.visit);
        let is_open = delivery.state.is_open();
        let mut lanes = self.shown.whole.held_back.iter();
        let lane = lanes.find(|lane| is_open && lane.connection == owed.connection);
        html! {
            @if let Some(reason) = delivery.reason { p { ((t.why.reason)(reason)) } }
            @if delivery.state == State::Held { p { (t.held_meanwhile) } }
            @if let Some(lane) = lane { (parts::held_back(t, lane, self.shown.now_ms)) }
        }
    }

    fn unmatched(&self, event: &Event) -> Markup {
        let t = text::of(self.shown.visit);
        let rules = &self.shown.rules;
        html! {
            @if !event.unmatched.is_empty() {
                details.delivery {
                    summary { (t.unmatched) }
                    ul.plain {
                        @for unmatched in &event.unmatched {
                            @let rule = rules.iter().find(|rule| rule.id == unmatched.rule);
                            @let to = rule.and_then(|rule| {
                                self.shown.connections.iter().find(|to| to.id == rule.connection)
                            });
                            li {
                                (to.map_or(t.gone_connection, |to| to.name.as_str())) ": "
                                ((t.why.mismatch)(unmatched.why))
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

/// When the attempts to come are due.
fn upcoming(delivery: &DeliverySummary, to: Option<&Connection>) -> Vec<i64> {
    let made = delivery.attempts - delivery.attempts_before;
    let due_at_ms = delivery.due_at_ms.filter(|_| delivery.state == State::Retrying);
    match (due_at_ms, to) {
        (Some(due_at_ms), Some(to)) => to.options.retry_schedule_seconds.upcoming(made, due_at_ms),
        _ => Vec::new(),
    }
}
