//! The list of events, filtered, and finding one by its id.

use futures_util::future::join;
use maud::{Markup, html};

use crate::app::events::{self, Listing};
use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::domain::delivery::state::{STATUSES, State};
use crate::embed::frame::layout::{Page, Section, history_tabs, page, path};
use crate::embed::frame::{live, parts};
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::events::{DeliverySummary, EventWithDeliveries, Filter, NEWEST};
use crate::store::hidden_connections;

/// Events on one page.
const SHOWN: usize = 25;

/// `GET /embed/s/{session}/events`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let asked = |name: &str| {
        let value = call.request.query(name).map(|text| text.trim().to_owned());
        value.filter(|text| !text.is_empty())
    };
    let searched = asked("q");
    if let Some(event) = searched.as_deref().and_then(event_named) {
        return Ok(Reply::see_other(&path(visit, &format!("events/{event}"))));
    }
    let status = asked("status").filter(|word| STATUSES.contains(&word.as_str()));
    let filter = Filter { name: asked("event"), resource: None, resource_id: asked("resource_id") };
    let before: Option<String> = cursor::read(call, "events")?;
    let is_first = before.is_none();
    let listing = Listing {
        workspace: visit.session.workspace.clone(),
        filter,
        status,
        before: before.unwrap_or_else(|| NEWEST.to_owned()),
        limit: SHOWN,
    };
    let form = form(visit, &listing, searched.as_deref());
    let listing = listing.within(&visit.session.actor().scope);
    let hidden = hidden_connections::hidden(&visit.session.actor().scope);
    let (found, hidden) = join(
        events::list_at(platform, visit.session.shard, &listing),
        hidden.run(platform.control()),
    )
    .await;
    let (found, hidden) = (found?, hidden?);
    // Whoever polls reads the history alone, and compares with all that is in it.
    let live = is_first.then(|| live::of_list(visit, &listing, &found.found));
    let found = found.without(&hidden, listing.status.as_deref());
    let body = html! {
        (history_tabs(visit, "events"))
        h1 { (text::EVENTS) }
        (form)
        @if searched.is_some() { div.notice role="status" { p { (text::NO_SUCH_ID) } } }
        (table(visit, &listing, &found, platform.now_ms()))
    };
    let mut shown = Page::new(Section::Events, text::EVENTS);
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

fn form(visit: &EmbedSession, listing: &Listing, searched: Option<&str>) -> Markup {
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    let chosen = listing.status.as_deref().unwrap_or_default();
    html! {
        form.filters method="get" action=(path(visit, "events")) role="search" {
            label { (text::FILTER_EVENT)
                input name="event" value=(value(&listing.filter.name)) spellcheck="false"; }
            label { (text::FILTER_RESOURCE_ID)
                input name="resource_id" value=(value(&listing.filter.resource_id))
                    spellcheck="false"; }
            label { (text::FILTER_STATUS)
                select.menu name="status" {
                    option value="" { (text::ANY) }
                    @for word in STATUSES {
                        option value=(word) selected[word == chosen] { (text::why::status(word)) }
                    }
                } }
            label { (text::FILTER_ID)
                input name="q" value=(searched.unwrap_or_default()) spellcheck="false"
                    placeholder=(text::FILTER_ID_EXAMPLE); }
            div.actions {
                button { (text::SHOW) }
                a.button.quiet href=(path(visit, "events")) { (text::CLEAR) }
            }
        }
    }
}

fn table(visit: &EmbedSession, listing: &Listing, found: &events::Page, now_ms: i64) -> Markup {
    let is_filtered = listing.status.is_some() || listing.filter != Filter::default();
    html! {
        section id="events" data-live aria-label=(text::EVENTS) {
            @if found.found.is_empty() {
                p.hint { (if is_filtered { text::NOTHING_FOUND } else { text::NO_EVENTS }) }
            }
            (rows(visit, &found.found, now_ms))
            @if let Some(next) = &found.next {
                a.button.quiet href=(path(visit, &next_page(listing, next))) { (text::OLDER) }
            }
        }
    }
}

fn next_page(listing: &Listing, next: &String) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in [
        ("event", &listing.filter.name),
        ("resource_id", &listing.filter.resource_id),
        ("status", &listing.status),
        ("cursor", &Some(cursor::write("events", next))),
    ] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("events?{}", query.finish())
}

/// Events as rows.
pub fn rows(visit: &EmbedSession, events: &[EventWithDeliveries], now_ms: i64) -> Markup {
    html! {
        @if !events.is_empty() {
            div.rows { @for found in events { (row(visit, found, now_ms)) } }
        }
    }
}

fn row(visit: &EmbedSession, found: &EventWithDeliveries, now_ms: i64) -> Markup {
    let event = &found.event;
    let is_delivered = |delivery: &&DeliverySummary| delivery.state == State::Delivered;
    let delivered = found.deliveries.iter().filter(is_delivered).count();
    html! {
        a.row href=(path(visit, &format!("events/{}", event.id))) {
            span.main {
                strong { (event.name) }
                @if event.is_test() { " " span.badge data-state="test" { (text::TEST) } }
                small {
                    @if let Some(resource) = &event.resource { (resource) " " }
                    @if let Some(id) = &event.resource_id { (id) " · " }
                    (parts::time(event.created_at_ms, now_ms))
                }
            }
            span.side {
                @if found.deliveries.is_empty() {
                    span.badge data-state="unrouted" { (text::UNROUTED) }
                } @else {
                    (parts::status(events::status(found)))
                    small { (text::delivered_count(delivered, found.deliveries.len())) }
                }
            }
        }
    }
}
