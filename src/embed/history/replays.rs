//! Sending again what died in a range of time: saying what, seeing how many, agreeing, watching.
//!
//! The page with the count carries the id of the replay to be. So a form that is sent twice makes
//! one, and a count that has changed is shown before anything is sent.

use http::StatusCode;
use maud::{Markup, html};

use crate::app::common::new_event_id;
use crate::app::replays::{self as app, Wanted};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::delivery::replay::{Selection, Status};
use crate::domain::tenants::session::Need;
use crate::embed::common::history_db;
use crate::embed::common::home;
use crate::embed::frame::layout::{Page, Section, csrf_token, history_tabs, page, page_with, path};
use crate::embed::frame::live;
use crate::embed::frame::parts::{self, Button, Errors};
use crate::embed::history::replay_form::{self, Draft};
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::NEWEST;
use crate::store::hidden_connections;
use crate::store::replays::{self as stored, Replay};
use crate::store::together;

/// Replays on one page.
const SHOWN: usize = 25;

/// `GET /embed/s/{session}/replays`, newest first.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (session, scope) = (&visit.session, visit.session.actor().scope);
    let queries = (connections::shown(&scope), hidden_connections::hidden(&scope));
    let (connections, hidden) = together(platform.control(), queries).await?;
    let before: Option<String> = cursor::read(call, "replays")?;
    let before = before.unwrap_or_else(|| NEWEST.to_owned());
    let found = stored::list(&session.workspace, &before, SHOWN + 1);
    let mut found = found.run(history_db(platform, session)?).await?;
    let has_more = found.len() > SHOWN;
    found.truncate(SHOWN);
    let next = found.last().filter(|_| has_more).map(|last| cursor::write("replays", &last.id));
    found.retain(|replay| !is_hidden(replay, &hidden));
    let now_ms = platform.now_ms();
    let body = html! {
        (history_tabs(visit, "replays"))
        div.heading {
            h1 { (t.replay.replays) }
            (parts::link_button(visit, Need::Replay, "replays/new", t.replay.send_many, ""))
        }
        p.hint { (t.replay.replays_hint) }
        @if found.is_empty() { p.hint { (t.replay.no_replays) } } @else {
            div.rows {
                @for replay in &found { (row(visit, &connections, replay, now_ms)) }
            }
        }
        @if let Some(next) = next {
            a.button.quiet href=(path(visit, &format!("replays?cursor={next}"))) { (t.older) }
        }
    };
    Ok(page(visit, &Page::new(Section::Events, t.replay.replays), &body))
}

fn is_hidden(replay: &Replay, hidden: &[String]) -> bool {
    replay.selection.connection.as_ref().is_some_and(|id| hidden.contains(id))
}

fn row(visit: &EmbedSession, connections: &[Connection], replay: &Replay, now_ms: i64) -> Markup {
    let t = text::of(visit);
    html! {
        a.row href=(path(visit, &format!("replays/{}", replay.id))) {
            span.main {
                strong { ((t.replay.deliveries)(replay.count)) }
                small {
                    (replay_form::name_of(t, connections, &replay.selection)) " · "
                    (parts::time(t, replay.created_at_ms, now_ms)) " · "
                    (t.replay.asked_by(&replay.created_by))
                }
            }
            span.side {
                (badge(t, replay.status))
                small { ((t.replay.progress)(replay.replayed, replay.count)) }
            }
        }
    }
}

/// The badge of a status has the colour of the deliveries that it leads to.
fn badge(t: &Texts, status: Status) -> Markup {
    let colour = match status {
        Status::Running => "processing",
        Status::Completed => "completed",
        Status::Canceled => "canceled",
    };
    html! { span.badge data-state=(colour) { ((t.replay.status)(status)) } }
}

/// `GET /embed/s/{session}/replays/new`: the form by itself.
pub async fn new<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let connections = shown(platform, visit).await?;
    let asked = |name: &str| call.request.query(name).filter(|value| !value.is_empty());
    let only = asked("connection");
    let mut draft = Draft::new(only.as_deref(), None, platform.now_ms());
    draft.status = asked("status").unwrap_or(draft.status);
    Ok(form(StatusCode::OK, visit, &connections, &draft, &Errors::default(), None))
}

async fn shown<P: Platform>(platform: &P, visit: &EmbedSession) -> Result<Vec<Connection>> {
    connections::shown(&visit.session.actor().scope).run(platform.control()).await
}

fn form(
    status: StatusCode,
    visit: &EmbedSession,
    connections: &[Connection],
    draft: &Draft,
    errors: &Errors,
    notice: Option<&str>,
) -> Reply {
    let t = text::of(visit);
    let body = html! {
        p { a href=(path(visit, "failed")) { "← " (t.replay.failed) } }
        h1 { (t.replay.send_many) }
        @if let Some(notice) = notice { div.notice role="alert" { p { (notice) } } }
        (replay_form::render(visit, connections, draft, errors))
    };
    page_with(status, visit, &Page::new(Section::Events, t.replay.send_many), &body)
}

/// `POST /embed/s/{session}/replays/new`: how many there are, and whether to go on.
pub async fn preview<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, draft) = (call.caller.visit()?, Draft::sent(&call.form()?));
    let id = new_event_id(platform, home(visit).number);
    count(platform, visit, &draft, &id, false).await
}

/// The page with the count of what the form asks for; the form again where that is nothing, or
/// cannot be replayed.
async fn count<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    draft: &Draft,
    id: &str,
    is_changed: bool,
) -> Result<Reply> {
    let t = text::of(visit);
    let connections = shown(platform, visit).await?;
    let counted = match wanted(t, draft) {
        Ok(wanted) => {
            let counted = app::preview(platform, &home(visit), &wanted).await;
            counted.map(|count| (wanted.selection, count))
        }
        Err(error) => Err(error),
    };
    match counted {
        Ok((_, 0)) => {
            let (none, told) = (Errors::default(), Some(t.replay.nothing_chosen));
            Ok(form(StatusCode::OK, visit, &connections, draft, &none, told))
        }
        Ok((selection, count)) => {
            let preview = Preview { draft, selection, count, id, is_changed };
            Ok(preview.page(visit, &connections))
        }
        Err(error) if error.fields.is_empty() => Err(error),
        Err(error) => {
            let status = problem::status(error.kind);
            Ok(form(status, visit, &connections, draft, &Errors::new(t, error.into_fields()), None))
        }
    }
}

fn wanted(t: &Texts, draft: &Draft) -> Result<Wanted> {
    Ok(Wanted { selection: draft.selection(t)?, only_shown: true })
}

/// What somebody is asked to agree to.
struct Preview<'a> {
    draft: &'a Draft,
    selection: Selection,
    count: usize,
    /// Id of the replay to be.
    id: &'a str,
    /// Whether it was another count that somebody agreed to.
    is_changed: bool,
}

impl Preview<'_> {
    fn page(&self, visit: &EmbedSession, connections: &[Connection]) -> Reply {
        let t = text::of(visit);
        let count = self.count.to_string();
        let only = self.selection.connection.as_ref();
        let mut meant = connections.iter().filter(|one| only.is_none_or(|only| *only == one.id));
        let is_held = meant.any(|connection| !connection.active);
        let body = html! {
            h1 { (t.replay.preview) }
            @if self.is_changed {
                div.notice.bad role="alert" { p { (t.replay.count_changed) } }
            }
            p.count { strong { ((t.replay.deliveries)(self.count)) } }
            (facts(visit, connections, &self.selection))
            ul {
                li { ((t.replay.pace)(self.count)) }
                li { (t.replay.same_ids) }
                @if is_held { li { (t.replay.held_meanwhile) } }
                li { (t.replay.can_be_stopped) }
            }
            form method="post" action=(path(visit, "replays")) {
                (csrf_token(visit))
                @for (name, value) in self.draft.hidden() {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="id" value=(self.id);
                input type="hidden" name="count" value=(count);
                div.actions {
                    button.primary { ((t.replay.confirm)(self.count)) }
                    a.button.quiet href=(path(visit, "failed")) { (t.back) }
                }
            }
        };
        let status = if self.is_changed { problem::status(Kind::Conflict) } else { StatusCode::OK };
        page_with(status, visit, &Page::new(Section::Events, t.replay.preview), &body)
    }
}

/// Which deliveries are meant.
fn facts(visit: &EmbedSession, connections: &[Connection], what: &Selection) -> Markup {
    let t = text::of(visit);
    let is_shown = connections.iter().any(|one| Some(&one.id) == what.connection.as_ref());
    html! {
        dl {
            dt { ((t.form.field)("connection").0) }
            dd {
                @match what.connection.as_deref().filter(|_| is_shown) {
                    Some(id) => {
                        a href=(path(visit, &format!("connections/{id}"))) {
                            (replay_form::name_of(t, connections, what))
                        }
                    }
                    None => { (replay_form::name_of(t, connections, what)) }
                }
            }
            dt { ((t.form.field)("status").0) }
            dd { (t.replay.which(what.which.status())) }
            @if let Some(event) = &what.event {
                dt { (t.event) } dd { (event) }
            }
            dt { (t.replay.range_title) }
            dd { ((t.replay.range)(&(t.moments.bound)(what.since_ms),
                &(t.moments.bound)(what.until_ms))) }
        }
    }
}

/// `POST /embed/s/{session}/replays`: makes the replay that somebody agreed to.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let (actor, draft) = (visit.session.actor(), Draft::sent(&form));
    let expected = form.get("count").parse().unwrap_or_default();
    let id = ids::parse_uuid(form.get("id")).ok_or_else(|| Error::not_found("replay"))?;
    let made = match wanted(text::of(visit), &draft) {
        Ok(wanted) => {
            let home = home(visit);
            app::create(platform, &home, &actor, wanted, Some(id.clone()), Some(expected)).await
        }
        Err(error) => Err(error),
    };
    let refused = match made {
        Ok(replay) => return Ok(to(visit, &replay.id, "")),
        Err(refused) => refused,
    };
    // The same form once more: the replay that it made is why the count is another.
    let workspace = &visit.session.workspace;
    match stored::find(workspace, &id).run(history_db(platform, &visit.session)?).await {
        Ok(replay) => Ok(to(visit, &replay.id, "")),
        Err(_) if refused.kind == Kind::Conflict || !refused.fields.is_empty() => {
            count(platform, visit, &draft, &id, refused.kind == Kind::Conflict).await
        }
        Err(_) => Err(refused),
    }
}

fn to(visit: &EmbedSession, replay: &str, query: &str) -> Reply {
    Reply::see_other(&path(visit, &format!("replays/{replay}{query}")))
}

/// A replay that pages show, and the connections to name it by.
async fn find<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    call: &Call,
) -> Result<(Replay, Vec<Connection>)> {
    let (id, scope) = (call.id("id", "replay")?, visit.session.actor().scope);
    let queries = (connections::shown(&scope), hidden_connections::hidden(&scope));
    let (connections, hidden) = together(platform.control(), queries).await?;
    let found = stored::find(&visit.session.workspace, &id);
    let found = found.run(history_db(platform, &visit.session)?).await?;
    if is_hidden(&found, &hidden) {
        return Err(Error::not_found("replay"));
    }
    Ok((found, connections))
}

/// `GET /embed/s/{session}/replays/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (replay, connections) = find(platform, visit, call).await?;
    let now_ms = platform.now_ms();
    let body = html! {
        p { a href=(path(visit, "replays")) { "← " (t.replay.replays) } }
        section id="replay" data-live { (progress(visit, &replay, now_ms)) }
        section {
            h2 { (t.replay.replayed) }
            (facts(visit, &connections, &replay.selection))
            p {
                (t.replay.asked_by_title) " " (t.replay.asked_by(&replay.created_by)) ", "
                (parts::time(t, replay.created_at_ms, now_ms)) "."
            }
        }
        section {
            h2 { (t.replay.what_came_of_it) }
            (outcome_links(visit, &connections, &replay.selection))
        }
    };
    let done = call.request.query("done");
    let mut frame = Page::new(Section::Events, t.replay.replay);
    frame.live = Some(live::of_replay(visit, &replay));
    frame.done = done.as_deref();
    Ok(page(visit, &frame, &body))
}

/// How far it is; the part that is kept up to date.
fn progress(visit: &EmbedSession, replay: &Replay, now_ms: i64) -> Markup {
    let t = text::of(visit);
    let told = (t.replay.progress)(replay.replayed, replay.count);
    let left_out = replay.count.saturating_sub(replay.replayed);
    let stop = format!("replays/{}/stop", replay.id);
    let is_running = replay.status == Status::Running;
    let may_stop = parts::denied(visit, Need::Replay).is_none();
    html! {
        div.heading {
            h1 { (t.replay.replay) " " (badge(t, replay.status)) }
            @if is_running && may_stop {
                (Button {
                    label: t.replay.stop,
                    action: &stop,
                    need: Need::Replay,
                    look: "danger",
                    fields: &[],
                }.render(visit))
            }
        }
        @if replay.count > 0 {
            progress max=(replay.count) value=(replay.replayed) aria-label=(told) {}
        }
        p { strong { (told) } }
        p { ((t.replay.status_told)(replay.status, left_out)) }
        @if let Some(at_ms) = replay.completed_at_ms {
            p.hint { (t.replay.ended) " " (parts::time(t, at_ms, now_ms)) "." }
        }
    }
}

fn outcome_links(visit: &EmbedSession, connections: &[Connection], what: &Selection) -> Markup {
    let t = text::of(visit);
    let shown = what.connection.as_ref().filter(|id| connections.iter().any(|c| c.id == **id));
    let (all, label, failed) = match (shown, &what.event) {
        (Some(id), _) => (
            format!("connections/{id}#deliveries"),
            t.replay.to_deliveries,
            format!("failed?connection={id}"),
        ),
        (None, Some(event)) => {
            let query: String = url::form_urlencoded::byte_serialize(event.as_bytes()).collect();
            (format!("events?event={query}"), t.replay.to_events, "failed".to_owned())
        }
        (None, None) => ("events".to_owned(), t.replay.to_events, "failed".to_owned()),
    };
    html! {
        ul.plain {
            li { a href=(path(visit, &all)) { (label) } }
            li { a href=(path(visit, &failed)) { (t.replay.still_failed) } }
        }
    }
}

/// `POST /embed/s/{session}/replays/{id}/stop`.
pub async fn stop<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (replay, _) = find(platform, visit, call).await?;
    let stopped = app::cancel(platform, &visit.session.actor(), &replay.id).await?;
    let is_stopped = stopped.status == Status::Canceled;
    Ok(to(visit, &replay.id, if is_stopped { "?done=replay-stopped" } else { "" }))
}
