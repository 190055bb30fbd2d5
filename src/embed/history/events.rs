//! The list of events, filtered, and finding one by its id.

use maud::{Markup, html};

use crate::app::events::{self, Listing};
use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::domain::delivery::state::State;
use crate::domain::tenants::session::Need;
use crate::embed::common::with_newest;
use crate::embed::frame::layout::{Page, Section, history_tabs, page, path};
use crate::embed::frame::{live, parts};
use crate::embed::history::search::Search;
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::{DeliverySummary, EventWithDeliveries, NEWEST};
use crate::store::{hidden_connections, together};

/// Events on one page.
const SHOWN: usize = 25;
/// Connections that are named for an event in a list.
const NAMED: usize = 2;

/// `GET /embed/s/{session}/events`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let scope = visit.session.actor().scope;
    let searched = call.request.query("q").map(|text| text.trim().to_owned());
    if let Some(event) = searched.as_deref().and_then(event_named) {
        return Ok(Reply::see_other(&path(visit, &format!("events/{event}"))));
    }
    let control = (connections::shown(&scope), hidden_connections::hidden(&scope));
    let before: Option<String> = cursor::read(call, "events")?;
    let is_first = before.is_none();
    let read = together(platform.control(), control);
    let (read, is_whole) = with_newest(platform, &visit.session, is_first, read).await;
    let (connections, hidden) = read?;
    let search = Search::read(call, &connections)?;
    let listing = Listing {
        workspace: visit.session.workspace.clone(),
        filter: search.filter.clone(),
        status: search.status.clone(),
        before: before.unwrap_or_else(|| NEWEST.to_owned()),
        limit: SHOWN,
    };
    let listing = listing.within(&scope);
    let found = events::list_at(platform, visit.session.shard, &listing).await?;
    // Whoever polls reads the history alone, and compares with all that is in it.
    let live = is_first.then(|| live::of_list(visit, &listing, &found.found));
    let found = found.without(&hidden, listing.status.as_deref());
    let now_ms = platform.now_ms();
    let body = html! {
        (history_tabs(visit, "events"))
        h1 { (t.events) }
        (search.form(visit, &connections))
        @if search.id.is_some() { div.notice role="status" { p { (t.no_such_id) } } }
        section id="events" data-live aria-label=(t.events) {
            (parts::lag(t, is_whole))
            @if found.found.is_empty() {
                p.hint { (if search.is_all() { t.no_events } else { t.nothing_found }) }
            }
            (rows(visit, &found.found, &connections, now_ms))
            div.actions {
                @if !is_first {
                    a.button.quiet href=(path(visit, &search.newest())) { (t.search.newest) }
                }
                @if let Some(next) = &found.next {
                    @let older = search.older(&cursor::write("events", next));
                    a.button.quiet href=(path(visit, &older)) { (t.older) }
                }
            }
        }
    };
    let mut shown = Page::new(Section::Events, t.events);
    shown.live = live;
    Ok(page(visit, &shown, &body))
}

/// The event that an event id or a message id names.
fn event_named(text: &str) -> Option<String> {
    if let Some(hex) = text.strip_prefix("msg_").filter(|hex| hex.len() == 40 && hex.is_ascii()) {
        let (a, rest) = hex.split_at(8);
        let (b, c, d, e) = (&rest[..4], &rest[4..8], &rest[8..12], &rest[12..24]);
        return ids::parse_uuid(&format!("{a}-{b}-{c}-{d}-{e}"));
    }
    ids::parse_uuid(text)
}

/// Events as a table.
pub fn rows(
    visit: &EmbedSession,
    events: &[EventWithDeliveries],
    connections: &[Connection],
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    html! {
        @if !events.is_empty() {
            table.list {
                thead {
                    tr {
                        @for (class, head) in t.search.heads {
                            th scope="col" class=[class] { (head) }
                        }
                    }
                }
                tbody { @for found in events { (row(visit, found, connections, now_ms)) } }
            }
        }
    }
}

fn row(
    visit: &EmbedSession,
    found: &EventWithDeliveries,
    connections: &[Connection],
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    let event = &found.event;
    let is_delivered = |delivery: &&DeliverySummary| delivery.state == State::Delivered;
    let delivered = found.deliveries.iter().filter(is_delivered).count();
    let below = format!("events/{}", event.id);
    html! {
        tr {
            td {
                @let name = parts::breakable(&event.name);
                @if visit.session.may(Need::View).is_ok() {
                    a href=(path(visit, &below)) { (name) }
                } @else { (name) }
                @if event.is_test() { " " span.badge data-state="test" { (t.test) } }
                @if let Some(id) = &event.resource_id { " " code { (id) } }
            }
            td.wide { (sent_to(t, found, connections)) }
            td {
                @if found.deliveries.is_empty() {
                    span.badge data-state="unrouted" { (t.unrouted) }
                } @else {
                    (parts::status(t, events::status(found)))
                    @if found.deliveries.len() > 1 {
                        @let all = found.deliveries.len();
                        " " small.count-of { ((t.delivered_count)(delivered, all)) }
                    }
                }
            }
            td { (parts::time(t, event.created_at_ms, now_ms)) }
        }
    }
}

/// The connections that an event goes to, by name.
fn sent_to(t: &Texts, found: &EventWithDeliveries, connections: &[Connection]) -> Markup {
    let mut to: Vec<&str> = found.event.fan_out.iter().map(|o| o.connection.as_str()).collect();
    to.dedup();
    let name = |id: &&str| {
        let found = connections.iter().find(|connection| connection.id == **id);
        found.map_or(t.gone_connection, |connection| connection.name.as_str())
    };
    html! {
        (to.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", "))
        @if to.len() > NAMED { " " small { ((t.search.and_more)(to.len() - NAMED)) } }
    }
}
