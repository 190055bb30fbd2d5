//! How a connection is: one sentence with its cause and one action, and the numbers beside it.

use maud::{Markup, html};

use crate::destinations;
use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::cause::Cause;
use crate::domain::delivery::state::State;
use crate::domain::tenants::session::Need;
use crate::embed::connections::deliveries::Deliveries;
use crate::embed::frame::layout::path;
use crate::embed::frame::parts::{self, Button};
use crate::embed::text::{self, connection as words, why::Repair};
use crate::http::access::EmbedSession;
use crate::store::connections::Connection;
use crate::store::held::WAITING_COUNTED;

/// What the health is told from.
pub struct Health<'a> {
    /// Who looks at it.
    pub visit: &'a EmbedSession,
    /// The connection.
    pub connection: &'a Connection,
    /// How many rules send to it.
    pub rules: usize,
    /// What it was sent; none for a session of one resource.
    pub page: Option<&'a Deliveries>,
    /// When it is shown.
    pub now_ms: i64,
}

impl Health<'_> {
    /// The sentence and its action, what keeps deliveries back, and the numbers.
    pub fn render(&self) -> Markup {
        html! {
            section id="health" data-live {
                (self.state())
                @if let Some(page) = self.page { (self.line(page)) (self.numbers(page)) }
            }
        }
    }

    fn state(&self) -> Markup {
        let t = text::of(self.visit);
        let trouble = self.page.and_then(|page| page.trouble.as_ref());
        let since_ms = trouble.and_then(|trouble| trouble.failing_since_ms);
        match (self.connection.inactive_reason, since_ms) {
            (Some(reason), _) => self.inactive(reason),
            (None, Some(since_ms)) => self.failing(since_ms),
            (None, None) if self.rules == 0 => self.no_rules(),
            (None, None) => html! {
                (self.warning())
                @if let Some(page) = self.page {
                    @let newest = page.shown.iter().find(|one| one.state == State::Delivered);
                    @match newest {
                        Some(newest) => {
                            p.well {
                                (t.connection.working) " " (t.connection.last_delivered) " "
                                (parts::moment_and_age(t, newest.created_at_ms, self.now_ms)) "."
                            }
                        }
                        None if page.shown.is_empty() => {}
                        None => { p.hint { (t.connection.none_delivered) } }
                    }
                }
            },
        }
    }

    /// Nothing is sent: why, and the way back.
    fn inactive(&self, reason: InactiveReason) -> Markup {
        let t = text::of(self.visit);
        let at = format!("connections/{}/activate", self.connection.id);
        let is_bad = reason != InactiveReason::Paused;
        let waiting = self.page.map_or(0, |page| page.waiting);
        html! {
            div.notice.bad[is_bad] role="status" {
                p { strong { ((t.why.inactive)(reason)) } " " (t.held_meanwhile) }
                @if waiting > 0 { p { ((t.connection.held)(waiting, waiting >= WAITING_COUNTED)) } }
                div.actions {
                    (Button {
                        label: t.resume,
                        action: &at,
                        need: Need::Manage,
                        look: "primary",
                        fields: &[],
                    }.render(self.visit))
                    @if waiting > 0 || self.page.is_none() {
                        (parts::link_button(self.visit, Need::Manage, &at, t.resume_without,
                            "quiet"))
                    }
                }
            }
        }
    }

    /// Nothing arrives: since when, why, and what to do about it.
    fn failing(&self, since_ms: i64) -> Markup {
        let t = text::of(self.visit);
        let shown = self.page.map(|page| page.shown.as_slice()).unwrap_or_default();
        let error = shown.iter().find_map(|delivery| delivery.last_error.as_deref());
        let about = destinations::find(&self.connection.kind).map(|found| found.about());
        let is_own = about.is_none_or(|about| about.is_signed);
        let cause = error.filter(|_| is_own).and_then(Cause::of_error);
        let repair = cause.map_or(Repair::Settings, Repair::of);
        let (below, need) = repair.page();
        let at = format!("connections/{}/{below}", self.connection.id);
        let waiting = self.page.map_or(0, |page| page.waiting);
        html! {
            div.notice.bad role="status" {
                p {
                    strong {
                        (t.failing_since) " " (parts::moment_and_age(t, since_ms, self.now_ms)) ". "
                    }
                    @if let Some(cause) = cause { ((t.why.diagnosis)(cause)) }
                }
                @if let Some(error) = error { p { (t.last_error) " " ((t.said)(error)) } }
                @if waiting > 0 {
                    p { ((t.connection.waiting)(waiting, waiting >= WAITING_COUNTED)) }
                }
                (self.warning())
                div.actions {
                    @if waiting > 0 {
                        (Button {
                            label: t.connection.try_now,
                            action: &format!("connections/{}/probe", self.connection.id),
                            need: Need::Test,
                            look: "primary",
                            fields: &[],
                        }.render(self.visit))
                    }
                    @if self.visit.session.may(need).is_ok() {
                        a.button href=(path(self.visit, &at)) { ((t.why.repair)(repair)) }
                    }
                    @if let Some(last) = shown.iter().find(|one| one.last_error.is_some()) {
                        a.button.quiet href=(path(self.visit, &format!("events/{}", last.event))) {
                            (t.connection.last_answer)
                        }
                    }
                }
            }
        }
    }

    /// Nothing succeeds any more, and some time is left to change that.
    fn warning(&self) -> Markup {
        let t = text::of(self.visit);
        let given = self.connection.warning;
        let given = given.filter(|(_, percent)| self.connection.active && *percent > 0);
        html! {
            @if let Some((since_ms, percent)) = given {
                p role="alert" {
                    ((t.why.warned)(percent)) " "
                    (t.failing_since) " " (parts::moment_and_age(t, since_ms, self.now_ms)) "."
                }
            }
        }
    }

    fn no_rules(&self) -> Markup {
        let t = text::of(self.visit);
        let at = format!("rules?connection={}", self.connection.id);
        html! {
            div.notice role="status" {
                p { strong { (t.no_rules_yet) } }
                (parts::link_button(self.visit, Need::ManageRules, &at, t.add_rule, ""))
            }
        }
    }

    /// What keeps the whole line back: its lane, or the event at its head.
    fn line(&self, page: &Deliveries) -> Markup {
        let t = text::of(self.visit);
        html! {
            @if let Some(lane) = &page.held_back {
                div.notice { (parts::held_back(t, lane, self.now_ms)) }
            }
            @if let Some(event) = &page.holds_the_line {
                div.notice {
                    p {
                        (t.holds_the_line) " "
                        a href=(path(self.visit, &format!("events/{event}"))) { code { (event) } }
                    }
                }
            }
        }
    }

    fn numbers(&self, page: &Deliveries) -> Markup {
        let t = text::of(self.visit);
        let total = page.week.total();
        let times = (total.latency.percentile_ms(50), total.latency.percentile_ms(95));
        let failed = format!("connections/{}?status=failed#deliveries", self.connection.id);
        let is_counted = total.completed + total.failed > 0;
        html! {
            dl.tiles {
                div { dt { (page.last_day.title(t)) } dd { (page.last_day.render(t)) } }
                div {
                    dt { (t.charts.week_title) }
                    dd {
                        (page.week.strip(t)) " "
                        ((t.charts.percent)(total.success_per_10000()))
                    }
                }
                div {
                    dt { (t.connection.waiting_title) }
                    dd { (words::counted(page.waiting, WAITING_COUNTED)) }
                }
                div {
                    dt { (t.charts.failed) }
                    dd {
                        @if total.failed > 0 {
                            a href=(path(self.visit, &failed)) { ((t.number)(total.failed)) }
                        } @else { ((t.number)(total.failed)) }
                    }
                }
                div { dt { (t.charts.times_title) } dd { ((t.charts.times)(times)) } }
            }
            @if is_counted { (page.week.table(t, page.counted_ms, self.now_ms)) }
            @else { p.hint { (t.charts.not_counted) } }
        }
    }
}
