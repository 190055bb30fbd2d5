//! The first page: what needs attention, and the last events.

use crate::embed::connections::list;
use maud::{Markup, html};

use crate::app::events::Listing;
use crate::domain::base::error::Result;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::session::Need;
use crate::embed::common::history_db;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::{live, parts};
use crate::embed::history::events;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connection_deliveries::{self, ATTENTION_COUNTED, Attention};
use crate::store::connections::{self as stored, Connection};
use crate::store::events::{Filter, NEWEST};
use crate::store::hidden_connections;
use crate::store::lanes::{self, Trouble};
use crate::store::rules::{self, Rule};
use crate::store::{four, three};

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
    let waiting = connection_deliveries::attention(&listing.workspace);
    let queries = (read, end, waiting, lanes::troubled(&listing.workspace));
    let (read, end, waiting, troubled) =
        four(history_db(platform, &visit.session)?, queries).await?;
    // They are about all resources, so they are not for a session of one.
    let sees_all = visit.session.may(Need::ViewAll).is_ok();
    let troubles = if sees_all { Troubles { waiting, troubled } } else { Troubles::default() };
    let queries = (stored::shown(&scope), rules::shown(&scope), hidden_connections::hidden(&scope));
    let (all, rules, hidden) = three(platform.control(), queries).await?;
    let found = listing.page(read, end);
    let live = live::of_list(visit, &listing, &found.found);
    let found = found.without(&hidden, None).found;
    let now_ms = platform.now_ms();
    let body = html! {
        h1 { (text::DASHBOARD) }
        @if all.is_empty() {
            (list::empty(visit))
        } @else {
            (needs_attention(visit, &all, &troubles, &rules, now_ms))
        }
        section id="events" data-live {
            h2 { (text::LAST_EVENTS) }
            @if found.is_empty() { p.hint { (text::NO_EVENTS) } }
            (events::rows(visit, &found, now_ms))
            @if !found.is_empty() {
                a.button.quiet href=(path(visit, "events")) { (text::ALL_EVENTS) }
            }
        }
    };
    let mut shown = Page::new(Section::Dashboard, text::DASHBOARD);
    shown.live = Some(live);
    Ok(page(visit, &shown, &body))
}

/// What a workspace's LOG shard knows of its connections' troubles.
#[derive(Default)]
struct Troubles {
    waiting: Vec<Attention>,
    troubled: Vec<Trouble>,
}

impl Troubles {
    /// Failed deliveries of a connection, as far as they are counted.
    fn failed(&self, connection: &Connection) -> usize {
        let found = self.waiting.iter().find(|waiting| waiting.connection == connection.id);
        found.map_or(0, |waiting| waiting.failed)
    }

    /// All that is wrong with a connection, in one box; `None` when nothing is.
    fn notice(
        &self,
        visit: &EmbedSession,
        connection: &Connection,
        has_rules: bool,
        now_ms: i64,
    ) -> Option<Markup> {
        let inactive = connection.inactive_reason;
        let warned = connection.warning.filter(|(_, percent)| connection.active && *percent > 0);
        let trouble = self.troubled.iter().find(|lane| lane.connection == connection.id);
        let trouble = trouble.filter(|_| connection.active);
        let failed = self.failed(connection);
        let is_fine = inactive.is_none() && warned.is_none() && trouble.is_none() && failed == 0;
        if is_fine && has_rules {
            return None;
        }
        let is_paused = inactive == Some(InactiveReason::Paused);
        let to = |below: String| path(visit, &below);
        Some(html! {
            div.notice.bad[(!is_fine && !is_paused) || failed > 0] {
                p {
                    a href=(to(format!("connections/{}", connection.id))) { (connection.name) }
                    @if let Some(reason) = inactive { ": " (text::why::inactive(reason)) }
                    @if let Some(since_ms) = trouble.and_then(|one| one.failing_since_ms) {
                        ": " (text::FAILING_SINCE) " " (parts::time(since_ms, now_ms)) "."
                    }
                    @if !has_rules { ": " (text::NO_RULES_YET) }
                }
                @if let Some((_, percent)) = warned { p { (text::why::warned(percent)) } }
                @if let Some(lane) = trouble.filter(|one| one.lane.reason.is_some()) {
                    (parts::held_back(&lane.lane, now_ms))
                }
                @if failed > 0 {
                    p {
                        (text::failed_count(failed, failed >= ATTENTION_COUNTED)) " "
                        a href=(to(format!("failed?connection={}", connection.id)))
                            { (text::SHOW_FAILED) }
                    }
                }
            }
        })
    }
}

fn needs_attention(
    visit: &EmbedSession,
    all: &[Connection],
    troubles: &Troubles,
    rules: &[Rule],
    now_ms: i64,
) -> Markup {
    let no_rules = rules.is_empty();
    let has_rules = |id: &str| no_rules || rules.iter().any(|rule| rule.connection == id);
    let notice = |one: &Connection| troubles.notice(visit, one, has_rules(&one.id), now_ms);
    let notices: Vec<Markup> = all.iter().filter_map(notice).collect();
    html! {
        section {
            h2 { (text::ATTENTION) }
            @if notices.is_empty() && !no_rules { p.well { (text::ALL_WELL) } }
            @for notice in notices { (notice) }
            @if no_rules {
                div.notice {
                    p { (text::NO_RULES) " " a href=(path(visit, "rules")) { (text::ADD_RULE) } }
                }
            }
        }
    }
}
