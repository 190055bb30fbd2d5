//! The first page: what needs attention, and the last events.

use maud::{Markup, html};

use super::layout::{Page, Section, page, path};
use super::{connections, events, live, log, text};
use crate::app::events::Listing;
use crate::domain::connection::InactiveReason;
use crate::domain::error::Result;
use crate::domain::session::SessionType;
use crate::http::access::Visit;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connection_deliveries::{self, ATTENTION_COUNTED, Attention};
use crate::store::connections::{self as stored, Connection};
use crate::store::events::{Filter, NEWEST};
use crate::store::rules;
use crate::store::{three, two};

/// Events on this page.
const SHOWN: usize = 8;

/// `GET /embed/s/{session}/dashboard`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let scope = visit.session.actor().scope;
    let listing = Listing {
        workspace: visit.session.workspace.clone(),
        filter: Filter::default(),
        status: None,
        before: NEWEST.to_owned(),
        limit: SHOWN,
    };
    let listing = listing.within(&scope);
    let (read, end) = listing.queries();
    let attention = connection_deliveries::attention(&listing.workspace);
    let (read, end, attention) =
        three(log(platform, &visit.session)?, (read, end, attention)).await?;
    let queries = (stored::shown(&scope), rules::shown(&scope));
    let (all, rules) = two(platform.control(), queries).await?;
    let found = listing.page(read, end).found;
    let body = html! {
        h1 { (text::DASHBOARD) }
        @if all.is_empty() {
            (connections::empty(visit))
        } @else {
            (needs_attention(visit, &all, &attention, rules.is_empty()))
        }
        section id="events" data-live {
            h2 { (text::LAST_EVENTS) }
            @if found.is_empty() { p.hint { (text::NO_EVENTS) } }
            (events::rows(visit, &found, platform.now_ms()))
            @if !found.is_empty() {
                a.button.quiet href=(path(visit, "events")) { (text::ALL_EVENTS) }
            }
        }
    };
    let mut shown = Page::new(Section::Dashboard, text::DASHBOARD);
    shown.live = Some(live::of_list(visit, &listing, &found));
    Ok(page(visit, &shown, &body))
}

fn needs_attention(
    visit: &Visit,
    all: &[Connection],
    attention: &[Attention],
    no_rules: bool,
) -> Markup {
    let inactive: Vec<_> = all.iter().filter(|connection| !connection.active).collect();
    // What is dead is about all resources, so it is not counted for a session of one.
    let sees_all = visit.session.session_type != SessionType::Resource;
    let dead: Vec<(&Connection, usize)> = attention
        .iter()
        .filter(|waiting| waiting.dead > 0 && sees_all)
        .filter_map(|waiting| {
            Some((all.iter().find(|c| c.id == waiting.connection)?, waiting.dead))
        })
        .collect();
    let warned: Vec<(&Connection, u32)> = all
        .iter()
        .filter(|connection| connection.active)
        .filter_map(|connection| Some((connection, connection.warning?.1)))
        .filter(|(_, percent)| *percent > 0)
        .collect();
    let all_well = inactive.is_empty() && warned.is_empty() && dead.is_empty() && !no_rules;
    let to = |connection: &Connection| path(visit, &format!("connections/{}", connection.id));
    html! {
        section {
            h2 { (text::ATTENTION) }
            @if all_well { p.well { (text::ALL_WELL) } }
            @for connection in inactive {
                @let reason = connection.inactive_reason.as_deref().unwrap_or_default();
                @let bad = reason != InactiveReason::Paused.as_str();
                div.notice.bad[bad] {
                    p {
                        a href=(to(connection)) { (connection.name) } ": "
                        (text::why::inactive(reason))
                    }
                }
            }
            @for (connection, percent) in warned {
                div.notice.bad {
                    p { a href=(to(connection)) { (connection.name) } ": " (text::why::warned(percent)) }
                }
            }
            @for (connection, count) in dead {
                div.notice.bad {
                    p {
                        a href=(to(connection)) { (connection.name) } ": "
                        (text::dead_count(count, count >= ATTENTION_COUNTED))
                    }
                    p { a href=(path(visit, "events?status=failed")) { (text::SHOW_DEAD) } }
                }
            }
            @if no_rules {
                div.notice {
                    p { (text::NO_RULES) " " a href=(path(visit, "rules")) { (text::ADD_RULE) } }
                }
            }
        }
    }
}
