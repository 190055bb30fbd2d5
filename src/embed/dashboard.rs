//! The first page: what needs attention, how each connection is, and the last events.

use maud::{Markup, html};

use crate::app::events::Listing;
use crate::domain::base::error::Result;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::session::Need;
use crate::embed::charts::Week;
use crate::embed::common::{history_db, with_newest};
use crate::embed::connections::list;
use crate::embed::frame::layout::{Page, Section, page};
use crate::embed::frame::{live, parts};
use crate::embed::history::events;
use crate::embed::last_day::LastDay;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connection_deliveries::{
    self, Accepted, DAY_LOOKED_AT_OF_EACH as LOOKED_AT, FAILED_COUNTED, last_day,
};
use crate::store::connections::{self as stored, Connection};
use crate::store::events::{Filter, NEWEST};
use crate::store::hidden_connections;
use crate::store::lanes::{self, Trouble};
use crate::store::rollups::{self, Rollup};
use crate::store::rules::{self, Rule};
use crate::store::together;

/// Events on this page.
const SHOWN: usize = 8;
/// Connections on this page, however many there are.
const CONNECTIONS_SHOWN: usize = 8;

/// `GET /embed/s/{session}/dashboard`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let scope = visit.session.actor().scope;
    let listing = Listing {
        workspace: visit.session.workspace.clone(),
        filter: Filter::default(),
        status: None,
        before: NEWEST.to_owned(),
        limit: SHOWN,
    };
    let listing = listing.within(&scope);
    let shown = (stored::shown(&scope), rules::shown(&scope), hidden_connections::hidden(&scope));
    let read = together(platform.control(), shown);
    let (read, is_whole) = with_newest(platform, &visit.session, true, read).await;
    let (all, rules, hidden) = read?;
    let ids: Vec<&str> = all.iter().map(|connection| connection.id.as_str()).collect();
    let failed = connection_deliveries::failed(&listing.workspace, &ids);
    let now_ms = platform.now_ms();
    let counted = rollups::list(&[&listing.workspace], Week::since_ms(now_ms));
    let troubled = lanes::troubled(&listing.workspace);
    // Numbers are about all resources, so they are not for a session of one.
    let sees_all = visit.session.resource.is_none();
    let first = &ids[..ids.len().min(if sees_all { CONNECTIONS_SHOWN } else { 0 })];
    let days = last_day(&listing.workspace, first, LastDay::since_ms(now_ms), LOOKED_AT);
    let (read, end) = listing.queries();
    let queries = (read, end, failed, troubled, counted, rollups::progress(), days);
    let (read, end, failed, troubled, counted, progress, days) =
        together(history_db(platform, &visit.session)?, queries).await?;
    let troubles = if sees_all { Troubles { failed, troubled } } else { Troubles::default() };
    let found = listing.page(read, end);
    let live = live::of_list(visit, &listing, &found.found);
    let found = found.without(&hidden, None).found;
    let is_counted = |rollup: &&Rollup| all.iter().any(|one| one.id == rollup.connection);
    let week = Week::of(counted.iter().filter(is_counted), now_ms);
    let body = html! {
        h1 { (t.dashboard) }
        @if all.is_empty() {
            (list::empty(visit))
        } @else {
            section {
                h2 { (t.connections) }
                (needs_attention(visit, &all, &troubles, &rules, now_ms))
                @if sees_all { (last_days(visit, &all, &troubles, &rules, &days, now_ms)) }
            }
        }
        @if sees_all && !all.is_empty() {
            section {
                h2 { (t.charts.week_title) }
                (week.render(t, progress.as_of_ms, now_ms))
            }
        }
        section id="events" data-live {
            h2 { (t.last_events) }
            (parts::lag(t, is_whole))
            @if found.is_empty() { p.hint { (t.no_events) } }
            (events::rows(visit, &found, &all, now_ms))
            @if !found.is_empty() {
                (parts::link_button(visit, Need::View, "events", t.all_events, "quiet"))
            }
        }
    };
    let mut shown = Page::new(Section::Dashboard, t.dashboard);
    shown.live = Some(live);
    Ok(page(visit, &shown, &body))
}

/// What a workspace's LOG shard knows of its connections' troubles.
#[derive(Default)]
struct Troubles {
    failed: Vec<(String, usize)>,
    troubled: Vec<Trouble>,
}

impl Troubles {
    /// Failed deliveries of a connection, as far as they are counted.
    fn failed(&self, connection: &Connection) -> usize {
        let found = self.failed.iter().find(|(id, _)| *id == connection.id);
        found.map_or(0, |(_, failed)| *failed)
    }

    /// All that is wrong with a connection, in one box; `None` when nothing is.
    fn notice(
        &self,
        visit: &EmbedSession,
        connection: &Connection,
        has_rules: bool,
        now_ms: i64,
    ) -> Option<Markup> {
        let t = text::of(visit);
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
        let (name, at) = (&connection.name, format!("connections/{}", connection.id));
        let failed_at = format!("failed?connection={}", connection.id);
        Some(html! {
            div.notice.bad[(!is_fine && !is_paused) || failed > 0] {
                p {
                    (parts::link(visit, Need::ViewAll, &at, name))
                    @if let Some(reason) = inactive { ": " ((t.why.inactive)(reason)) }
                    @if let Some(since_ms) = trouble.and_then(|one| one.failing_since_ms) {
                        ": " (t.failing_since) " " (parts::moment_and_age(t, since_ms, now_ms)) "."
                    }
                    @if !has_rules { ": " (t.no_rules_yet) }
                }
                @if let Some((_, percent)) = warned { p { ((t.why.warned)(percent)) } }
                @if let Some(lane) = trouble.filter(|one| one.lane.reason.is_some()) {
                    (parts::held_back(t, &lane.lane, now_ms))
                }
                @if failed > 0 {
                    p {
                        ((t.failed_count)(failed, failed >= FAILED_COUNTED)) " "
                        @if visit.session.may(Need::View).is_ok() {
                            (parts::link(visit, Need::View, &failed_at, t.show_failed))
                        }
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
    let t = text::of(visit);
    let no_rules = rules.is_empty();
    let has_rules = |id: &str| no_rules || rules.iter().any(|rule| rule.connection == id);
    let notice = |one: &Connection| troubles.notice(visit, one, has_rules(&one.id), now_ms);
    let notices: Vec<Markup> = all.iter().filter_map(notice).collect();
    html! {
        @if notices.is_empty() && !no_rules { p.well { (t.all_well) } }
        @for notice in notices { (notice) }
        @if no_rules {
            div.notice {
                p {
                    (t.no_rules) " "
                    @if visit.session.may(Need::View).is_ok() {
                        (parts::link(visit, Need::View, "rules", t.add_rule))
                    }
                }
            }
        }
    }
}

/// How each connection is, and what became of its deliveries of the last 24 hours.
fn last_days(
    visit: &EmbedSession,
    all: &[Connection],
    troubles: &Troubles,
    rules: &[Rule],
    days: &[(String, Vec<Accepted>)],
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    let shown: Vec<(&Connection, LastDay)> = all
        .iter()
        .take(CONNECTIONS_SHOWN)
        .map(|one| (one, LastDay::of(days, &one.id, LOOKED_AT, now_ms)))
        .collect();
    let state = |one: &Connection| {
        let mut lanes = troubles.troubled.iter().filter(|lane| lane.connection == one.id);
        let fails = lanes.any(|lane| lane.failing_since_ms.is_some());
        list::activity(one, rules.iter().filter(|rule| rule.connection == one.id).count(), fails)
    };
    html! {
        div id="last-day" data-live {
            table.list {
                thead {
                    tr {
                        th scope="col" { (t.form.label("connection")) }
                        th scope="col" { (t.charts.day_title) }
                    }
                }
                tbody {
                    @for (one, day) in &shown {
                        tr {
                            td {
                                (parts::link(visit, Need::ViewAll,
                                    &format!("connections/{}", one.id), &one.name))
                                " " (parts::state(t, state(one)))
                            }
                            td { (day.render(t)) }
                        }
                    }
                }
            }
            @if shown.iter().any(|(_, day)| day.is_cut()) {
                p.hint { ((t.charts.newest_of_each)(LOOKED_AT)) }
            }
            @if all.len() > shown.len() {
                (parts::link_button(visit, Need::ViewAll, "connections", t.replay.all_connections,
                    "quiet"))
            }
        }
    }
}
