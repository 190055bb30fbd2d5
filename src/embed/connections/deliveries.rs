//! What a connection was sent lately: its last days in numbers, the newest deliveries, and what
//! keeps them back.

use maud::{Markup, html};

use crate::domain::base::error::Result;
use crate::domain::tenants::session::SessionType;
use crate::embed::charts::Week;
use crate::embed::common::history_db;
use crate::embed::frame::layout::path;
use crate::embed::frame::parts;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, cursor};
use crate::ports::Platform;
use crate::store::connection_deliveries::{self, Delivery, NEWEST_SHOWN};
use crate::store::events::NEWEST;
use crate::store::lanes::{self, HeldBack, Trouble};
use crate::store::{rollups, six};

/// Since when nothing succeeds, and the last error that is on the page.
pub fn failing_notice(page: &Deliveries, now_ms: i64) -> Markup {
    let since_ms = page.trouble.as_ref().and_then(|trouble| trouble.failing_since_ms);
    let last_error = page.read.iter().find_map(|delivery| delivery.last_error.as_deref());
    html! {
        @if let Some(since_ms) = since_ms {
            div.notice.bad role="status" {
                p {
                    (text::FAILING_SINCE) " " (parts::time(since_ms, now_ms)) ". "
                    @if let Some(error) = last_error { (text::LAST_ERROR) " " (error) }
                }
            }
        }
    }
}

/// What keeps the whole line back: its lane, or the event at its head.
pub fn line_notice(visit: &EmbedSession, page: &Deliveries, now_ms: i64) -> Markup {
    html! {
        @if let Some(lane) = &page.held_back { div.notice { (parts::held_back(lane, now_ms)) } }
        @if let Some(event) = &page.holds_the_line {
            div.notice {
                p {
                    (text::HOLDS_THE_LINE) " "
                    a href=(path(visit, &format!("events/{event}"))) { code { (event) } }
                }
            }
        }
    }
}

/// A page of a connection's deliveries.
pub struct Deliveries {
    /// The deliveries, newest first, one more than are shown if there is more.
    pub read: Vec<Delivery>,
    /// Whether they are the newest.
    pub is_first: bool,
    /// Why its lane holds deliveries back.
    pub held_back: Option<HeldBack>,
    /// The event at the head of a strict line that holds the others back.
    pub holds_the_line: Option<String>,
    /// Whether its last attempt failed.
    pub trouble: Option<Trouble>,
    /// What became of its deliveries in the last days.
    pub week: Week,
    /// Until when they were counted.
    pub counted_ms: Option<i64>,
}

/// None for a session of one resource: what it was sent is about other resources too.
pub async fn read<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    call: &Call,
    id: &str,
) -> Result<Option<Deliveries>> {
    let session = &visit.session;
    if session.session_type == SessionType::Resource {
        return Ok(None);
    }
    let before: Option<(String, u32)> = cursor::read(call, "deliveries")?;
    let is_first = before.is_none();
    let (event, rule) = before.unwrap_or_else(|| (NEWEST.to_owned(), 0));
    let of = &session.workspace;
    let now_ms = platform.now_ms();
    let queries = (
        connection_deliveries::list(of, id, (&event, rule), NEWEST_SHOWN + 1),
        lanes::held_back(of, id),
        lanes::holds_the_line(of, id),
        lanes::trouble(of, id),
        rollups::of_connection(of, id, Week::since_ms(now_ms)),
        rollups::progress(),
    );
    let (read, held_back, holds_the_line, trouble, counted, progress) =
        six(history_db(platform, session)?, queries).await?;
    let (week, counted_ms) = (Week::of(counted.iter(), now_ms), progress.as_of_ms);
    Ok(Some(Deliveries { read, is_first, held_back, holds_the_line, trouble, week, counted_ms }))
}

/// What became of its deliveries in the last days.
pub fn week(page: &Deliveries, now_ms: i64) -> Markup {
    html! {
        section {
            h2 { (text::charts::WEEK) }
            (page.week.render(page.counted_ms, now_ms))
        }
    }
}

/// The deliveries, with a link to older ones.
pub fn history(visit: &EmbedSession, page: &Deliveries, id: &str, now_ms: i64) -> Markup {
    let shown = &page.read[..page.read.len().min(NEWEST_SHOWN)];
    let next = shown.last().filter(|_| page.read.len() > NEWEST_SHOWN);
    let next = next.map(|last| cursor::write("deliveries", &(&last.event, last.rule)));
    html! {
        section id="deliveries" data-live {
            div.heading {
                h2 { (text::DELIVERIES) }
                a href=(path(visit, &format!("failed?connection={id}"))) { (text::replay::FAILED) }
            }
            @if shown.is_empty() { p.hint { (text::NO_DELIVERIES) } } @else {
                div.rows { @for delivery in shown { (delivery_row(visit, delivery, now_ms)) } }
            }
            @if let Some(next) = next {
                @let older = format!("connections/{id}?cursor={next}#deliveries");
                a.button.quiet href=(path(visit, &older)) { (text::OLDER) }
            }
        }
    }
}

fn delivery_row(visit: &EmbedSession, delivery: &Delivery, now_ms: i64) -> Markup {
    html! {
        a.row href=(path(visit, &format!("events/{}", delivery.event))) {
            span.main {
                strong { (delivery.name) }
                small {
                    @if let Some(id) = &delivery.resource_id { (id) " · " }
                    (parts::time(delivery.created_at_ms, now_ms))
                    @if let Some(error) = &delivery.last_error { " · " (error) }
                }
            }
            span.side {
                (parts::state(delivery.state.as_str()))
                small {
                    (text::attempts_count(delivery.attempts))
                    @if let Some(due_at_ms) = delivery.due_at_ms.filter(|_| delivery.attempts > 0) {
                        " · " (text::NEXT) " " (parts::time(due_at_ms, now_ms))
                    }
                }
            }
        }
    }
}
