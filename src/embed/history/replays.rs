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
use crate::embed::text::{self, moments};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::NEWEST;
use crate::store::hidden_connections;
use crate::store::replays::{self as stored, Replay};
use crate::store::two;

/// Replays on one page.
const SHOWN: usize = 25;

/// `GET /embed/s/{session}/replays`, newest first.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (session, scope) = (&visit.session, visit.session.actor().scope);
    let queries = (connections::shown(&scope), hidden_connections::hidden(&scope));
    let (connections, hidden) = two(platform.control(), queries).await?;
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
            h1 { (text::replay::REPLAYS) }
            (parts::link_button(visit, Need::Replay, "replays/new", text::replay::SEND_MANY, ""))
        }
        p.hint { (text::replay::REPLAYS_HINT) }
        @if found.is_empty() { p.hint { (text::replay::NO_REPLAYS) } } @else {
            div.rows {
                @for replay in &found { (row(visit, &connections, replay, now_ms)) }
            }
        }
        @if let Some(next) = next {
            a.button.quiet href=(path(visit, &format!("replays?cursor={next}"))) { (text::OLDER) }
        }
    };
    Ok(page(visit, &Page::new(Section::Events, text::replay::REPLAYS), &body))
}

fn is_hidden(replay: &Replay, hidden: &[String]) -> bool {
    replay.selection.connection.as_ref().is_some_and(|id| hidden.contains(id))
}

fn row(visit: &EmbedSession, connections: &[Connection], replay: &Replay, now_ms: i64) -> Markup {
    html! {
        a.row href=(path(visit, &format!("replays/{}", replay.id))) {
            span.main {
                strong { (text::replay::deliveries(replay.count)) }
                small {
                    (name_of(connections, &replay.selection)) " · "
                    (parts::time(replay.created_at_ms, now_ms)) " · "
                    (text::replay::asked_by(&replay.created_by))
                }
            }
            span.side {
                (badge(replay.status))
                small { (text::replay::progress(replay.replayed, replay.count)) }
            }
        }
    }
}

/// The badge of a status has the colour of the deliveries that it leads to.
fn badge(status: Status) -> Markup {
    let colour = match status {
        Status::Running => "processing",
        Status::Completed => "completed",
        Status::Canceled => "canceled",
    };
    html! { span.badge data-state=(colour) { (text::replay::status(status)) } }
}

/// What a selection goes to, by name.
fn name_of<'a>(connections: &'a [Connection], what: &Selection) -> &'a str {
    let Some(id) = &what.connection else { return text::replay::ALL_CONNECTIONS };
    let found = connections.iter().find(|connection| connection.id == *id);
    found.map_or(text::GONE_CONNECTION, |connection| connection.name.as_str())
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
    let body = html! {
        p { a href=(path(visit, "failed")) { "← " (text::replay::FAILED) } }
        h1 { (text::replay::SEND_MANY) }
        @if let Some(notice) = notice { div.notice role="alert" { p { (notice) } } }
        (replay_form::render(visit, connections, draft, errors))
    };
    page_with(status, visit, &Page::new(Section::Events, text::replay::SEND_MANY), &body)
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
    let connections = shown(platform, visit).await?;
    let counted = match wanted(draft) {
        Ok(wanted) => {
            let counted = app::preview(platform, &home(visit), &wanted).await;
            counted.map(|count| (wanted.selection, count))
        }
        Err(error) => Err(error),
    };
    match counted {
        Ok((_, 0)) => {
            let (none, told) = (Errors::default(), Some(text::replay::NOTHING_CHOSEN));
            Ok(form(StatusCode::OK, visit, &connections, draft, &none, told))
        }
        Ok((selection, count)) => {
            let preview = Preview { draft, selection, count, id, is_changed };
            Ok(preview.page(visit, &connections))
        }
        Err(error) if error.fields.is_empty() => Err(error),
        Err(error) => {
            let (status, errors) = (problem::status(error.kind), Errors(error.into_fields()));
            Ok(form(status, visit, &connections, draft, &errors, None))
        }
    }
}

fn wanted(draft: &Draft) -> Result<Wanted> {
    Ok(Wanted { selection: draft.selection()?, only_shown: true })
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
        let count = self.count.to_string();
        let only = self.selection.connection.as_ref();
        let mut meant = connections.iter().filter(|one| only.is_none_or(|only| *only == one.id));
        let is_held = meant.any(|connection| !connection.active);
        let body = html! {
            h1 { (text::replay::PREVIEW) }
            @if self.is_changed {
                div.notice.bad role="alert" { p { (text::replay::COUNT_CHANGED) } }
            }
            p.count { strong { (text::replay::deliveries(self.count)) } }
            (facts(visit, connections, &self.selection))
            ul {
                li { (text::replay::pace(self.count)) }
                li { (text::replay::SAME_IDS) }
                @if is_held { li { (text::replay::HELD_MEANWHILE) } }
                li { (text::replay::CAN_BE_STOPPED) }
            }
            form method="post" action=(path(visit, "replays")) {
                (csrf_token(visit))
                @for (name, value) in self.draft.hidden() {
                    input type="hidden" name=(name) value=(value);
                }
                input type="hidden" name="id" value=(self.id);
                input type="hidden" name="count" value=(count);
                div.actions {
                    button.primary { (text::replay::confirm(self.count)) }
                    a.button.quiet href=(path(visit, "failed")) { (text::BACK) }
                }
            }
        };
        let status = if self.is_changed { problem::status(Kind::Conflict) } else { StatusCode::OK };
        page_with(status, visit, &Page::new(Section::Events, text::replay::PREVIEW), &body)
    }
}

/// Which deliveries are meant.
fn facts(visit: &EmbedSession, connections: &[Connection], what: &Selection) -> Markup {
    let is_shown = connections.iter().any(|one| Some(&one.id) == what.connection.as_ref());
    html! {
        dl {
            dt { (text::form::field("connection").0) }
            dd {
                @match what.connection.as_deref().filter(|_| is_shown) {
                    Some(id) => {
                        a href=(path(visit, &format!("connections/{id}"))) {
                            (name_of(connections, what))
                        }
                    }
                    None => { (name_of(connections, what)) }
                }
            }
            dt { (text::form::field("status").0) }
            dd { (text::replay::which(what.which.status())) }
            @if let Some(event) = &what.event {
                dt { (text::EVENT) } dd { (event) }
            }
            dt { (text::replay::RANGE) }
            dd { (text::replay::range(&moments::bound(what.since_ms),
                &moments::bound(what.until_ms))) }
        }
    }
}

/// `POST /embed/s/{session}/replays`: makes the replay that somebody agreed to.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let (actor, draft) = (visit.session.actor(), Draft::sent(&form));
    let expected = form.get("count").parse().unwrap_or_default();
    let id = ids::parse_uuid(form.get("id")).ok_or_else(|| Error::not_found("replay"))?;
    let made = match wanted(&draft) {
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
    let (connections, hidden) = two(platform.control(), queries).await?;
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
    let (replay, connections) = find(platform, visit, call).await?;
    let now_ms = platform.now_ms();
    let body = html! {
        p { a href=(path(visit, "replays")) { "← " (text::replay::REPLAYS) } }
        section id="replay" data-live { (progress(visit, &replay, now_ms)) }
        section {
            h2 { (text::replay::REPLAYED) }
            (facts(visit, &connections, &replay.selection))
            p {
                (text::replay::ASKED_BY) " " (text::replay::asked_by(&replay.created_by)) ", "
                (parts::time(replay.created_at_ms, now_ms)) "."
            }
        }
        section {
            h2 { (text::replay::WHAT_CAME_OF_IT) }
            (outcome_links(visit, &connections, &replay.selection))
        }
    };
    let done = call.request.query("done");
    let mut frame = Page::new(Section::Events, text::replay::REPLAY);
    frame.live = Some(live::of_replay(visit, &replay));
    frame.done = done.as_deref();
    Ok(page(visit, &frame, &body))
}

/// How far it is; the part that is kept up to date.
fn progress(visit: &EmbedSession, replay: &Replay, now_ms: i64) -> Markup {
    let told = text::replay::progress(replay.replayed, replay.count);
    let left_out = replay.count.saturating_sub(replay.replayed);
    let stop = format!("replays/{}/stop", replay.id);
    let is_running = replay.status == Status::Running;
    let may_stop = parts::denied(visit, Need::Replay).is_none();
    html! {
        div.heading {
            h1 { (text::replay::REPLAY) " " (badge(replay.status)) }
            @if is_running && may_stop {
                (Button {
                    label: text::replay::STOP,
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
        p { (text::replay::status_told(replay.status, left_out)) }
        @if let Some(at_ms) = replay.completed_at_ms {
            p.hint { (text::replay::ENDED) " " (parts::time(at_ms, now_ms)) "." }
        }
    }
}

fn outcome_links(visit: &EmbedSession, connections: &[Connection], what: &Selection) -> Markup {
    let shown = what.connection.as_ref().filter(|id| connections.iter().any(|c| c.id == **id));
    let (all, label, failed) = match (shown, &what.event) {
        (Some(id), _) => (
            format!("connections/{id}#deliveries"),
            text::replay::TO_DELIVERIES,
            format!("failed?connection={id}"),
        ),
        (None, Some(event)) => {
            let query: String = url::form_urlencoded::byte_serialize(event.as_bytes()).collect();
            (format!("events?event={query}"), text::replay::TO_EVENTS, "failed".to_owned())
        }
        (None, None) => ("events".to_owned(), text::replay::TO_EVENTS, "failed".to_owned()),
    };
    html! {
        ul.plain {
            li { a href=(path(visit, &all)) { (label) } }
            li { a href=(path(visit, &failed)) { (text::replay::STILL_FAILED) } }
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
