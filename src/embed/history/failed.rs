//! The list of what was not delivered: why each delivery was given up, and sending it again.

use maud::{Markup, html};

use crate::app::events;
use crate::app::failed::{self, failed_among};
use crate::domain::base::error::{Error, Result};
use crate::domain::routing::event::FanOut;
use crate::domain::tenants::session::Need;
use crate::embed::common::with_newest;
use crate::embed::frame::layout::{Page, Section, history_tabs, page, path};
use crate::embed::frame::parts::{self, Button, Errors};
use crate::embed::history::delivery::AFTER;
use crate::embed::history::replay_form::{self, Draft};
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::{DeliverySummary, EventWithDeliveries, NEWEST};

/// Events on one page.
const SHOWN: usize = 25;

/// What the page is made of.
struct Shown<'a> {
    visit: &'a EmbedSession,
    connections: &'a [Connection],
    /// The only one that is looked at.
    only: Option<&'a Connection>,
    is_first: bool,
    /// Whether the newest events are among those that were read.
    is_whole: bool,
    now_ms: i64,
}

/// `GET /embed/s/{session}/failed`, with `?connection=` for one of them.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let session = &visit.session;
    let scope = session.actor().scope;
    let before: Option<String> = cursor::read(call, "failed")?;
    let is_first = before.is_none();
    let read = connections::shown(&scope).run(platform.control());
    let (read, is_whole) = with_newest(platform, session, is_first, read).await;
    let connections = read?;
    let asked = call.request.query("connection").filter(|id| !id.is_empty());
    let only = asked.map(|id| {
        let found = connections.iter().find(|connection| connection.id == id);
        found.ok_or_else(|| Error::not_found("connection"))
    });
    let only = only.transpose()?;
    let is_meant = |one: &&Connection| only.is_none_or(|only| only.id == one.id);
    let among: Vec<&str> = connections.iter().filter(is_meant).map(|one| one.id.as_str()).collect();
    let listing = failed::Listing {
        workspace: &session.workspace,
        scope: &scope,
        connections: &among,
        before: before.as_deref().unwrap_or(NEWEST),
        limit: SHOWN,
    };
    let found = failed::list_at(platform, session.shard, listing).await?;
    let now_ms = platform.now_ms();
    let shown = Shown { visit, connections: &connections, only, is_first, is_whole, now_ms };
    let done = call.request.query("done");
    let mut frame = Page::new(Section::Events, t.replay.failed);
    frame.done = done.as_deref();
    Ok(page(visit, &frame, &shown.body(&found, &among)))
}

impl Shown<'_> {
    fn body(&self, found: &events::Page, among: &[&str]) -> Markup {
        let t = text::of(self.visit);
        let next = found.next.as_ref().map(|next| cursor::write("failed", next));
        let only = self.only.map_or(String::new(), |only| format!("connection={}&", only.id));
        html! {
            (history_tabs(self.visit, "failed"))
            h1 { (t.replay.failed) }
            @if !found.found.is_empty() { p.hint { (t.replay.failed_hint) } }
            @if self.connections.len() > 1 { (self.filter()) }
            (self.send_many(&found.found))
            section id="failed" aria-label=(t.replay.failed) {
                (parts::lag(t, self.is_whole))
                @if found.found.is_empty() { (self.nothing(next.is_some())) } @else {
                    table.list.failed {
                        thead {
                            tr {
                                @for (class, head) in t.replay.heads {
                                    @if head.is_empty() { td {} }
                                    @else { th scope="col" class=[class] { (head) } }
                                }
                            }
                        }
                        tbody {
                            @for event in &found.found {
                                @for (owed, delivery) in failed_among(event, among) {
                                    (self.row(event, owed, delivery))
                                }
                            }
                        }
                    }
                }
                @if let Some(next) = next {
                    a.button.quiet href=(path(self.visit, &format!("failed?{only}cursor={next}")))
                        { (t.older) }
                }
            }
        }
    }

    fn filter(&self) -> Markup {
        let t = text::of(self.visit);
        html! {
            form.filters method="get" action=(path(self.visit, "failed")) role="search" {
                label { ((t.form.field)("connection").0)
                    select.menu name="connection" {
                        option value="" { (t.replay.all_connections) }
                        @for one in self.connections {
                            @let is_chosen = self.only.is_some_and(|only| only.id == one.id);
                            option value=(one.id) selected[is_chosen] { (one.name) }
                        }
                    } }
                div.actions { button { (t.show) } }
            }
        }
    }

    /// The form for many at once, folded; for who may send it, where there is something to send.
    fn send_many(&self, found: &[EventWithDeliveries]) -> Markup {
        let t = text::of(self.visit);
        let may = parts::denied(self.visit, Need::Replay).is_none();
        let Some(oldest) = found.last().filter(|_| may) else { return html! {} };
        let only = self.only.map(|only| only.id.as_str());
        let draft = Draft::new(only, Some(oldest.event.created_at_ms), self.now_ms);
        html! {
            details.part.many {
                summary { (t.replay.send_many) }
                (replay_form::render(self.visit, self.connections, &draft, &Errors::default()))
            }
        }
    }

    fn nothing(&self, goes_on: bool) -> Markup {
        let t = text::of(self.visit);
        html! {
            @if goes_on {
                p.hint { (t.replay.none_of_resource) }
            } @else if !self.is_first {
                p.hint { (t.replay.no_more_failed) }
            } @else {
                p.well { (t.replay.none_failed) }
                p.hint { (t.replay.none_failed_hint) }
            }
        }
    }

    fn row(
        &self,
        found: &EventWithDeliveries,
        owed: &FanOut,
        delivery: &DeliverySummary,
    ) -> Markup {
        let t = text::of(self.visit);
        let (visit, event) = (self.visit, &found.event);
        // It can name the receiver.
        let tells = visit.session.may(Need::ViewAll).is_ok();
        let to = self.connections.iter().find(|one| one.id == owed.connection);
        html! {
            tr {
                td {
                    a href=(path(visit, &format!("events/{}", event.id))) {
                        (parts::breakable(&event.name))
                    }
                    @if let Some(id) = &event.resource_id { " " code { (id) } }
                }
                td.wide { @if let Some(to) = to { (to.name) } }
                td {
                    @if let Some(error) = delivery.last_error.as_ref().filter(|_| tells) {
                        ((t.said)(error))
                    }
                    @if let Some(reason) = delivery.reason {
                        " " small { ((t.why.reason)(reason)) }
                    }
                }
                td.wide { (delivery.attempts) }
                td.wide { (parts::time(t, event.created_at_ms, self.now_ms)) }
                td { @if to.is_some_and(|to| to.active) { (self.send_again(&event.id, owed)) } }
            }
        }
    }

    fn send_again(&self, event: &str, owed: &FanOut) -> Markup {
        let t = text::of(self.visit);
        let action = format!("events/{event}/rules/{}/retry", owed.rule);
        let only = self.only.map_or("", |only| only.id.as_str());
        let button = Button {
            label: t.send_again,
            action: &action,
            need: Need::Act,
            look: "quiet",
            fields: &[(AFTER, "failed"), ("connection", only)],
        };
        // The footer says that a page is read only; no row has to say it again.
        let may = parts::denied(self.visit, Need::Act).is_none();
        html! { @if may { (button.render(self.visit)) } }
    }
}
