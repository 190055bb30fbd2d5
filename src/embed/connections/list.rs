//! The list of connections, and making and changing one.

use crate::embed::connections::form;
use maud::{Markup, html};
use sha2::{Digest, Sha256};

use crate::app::connections::{self as app, Change, NewConnection, Saved};
use crate::app::rules::{NewRule, create as create_rule};
use crate::destinations::{self, Destination};
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::version::Expected;
use crate::domain::routing::rule::Metadata;
use crate::domain::tenants::session::{Need, Session};
use crate::embed::charts::Week;
use crate::embed::common::history_db;
use crate::embed::connections::form::{Context, Draft};
use crate::embed::connections::new_secret::fresh_secret;
use crate::embed::frame::layout::{Page, Section, page, page_with, path};
use crate::embed::frame::parts::{self, Errors};
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::form::Form;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::event_types::{self, Listed};
use crate::store::lanes;
use crate::store::{rollups, rules, together};

/// `GET /embed/s/{session}/connections`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let scope = &visit.session.actor().scope;
    let queries = (connections::shown(scope), rules::shown(scope));
    let (found, rules) = together(platform.control(), queries).await?;
    let (workspace, now_ms) = (&visit.session.workspace, platform.now_ms());
    let counted = rollups::list(&[workspace], Week::since_ms(now_ms));
    let queries = (lanes::troubled(workspace), counted);
    let (troubled, counted) = together(history_db(platform, &visit.session)?, queries).await?;
    let week = |id: &str| Week::of(counted.iter().filter(|rollup| rollup.connection == id), now_ms);
    let is_failing = |id: &str| {
        troubled.iter().any(|one| one.connection == id && one.failing_since_ms.is_some())
    };
    let body = html! {
        div.heading {
            h1 { (t.connections) }
            @if !found.is_empty() { (new_button(visit, "primary")) }
        }
        @if found.is_empty() { (empty(visit)) } @else {
            div.rows {
                @for connection in &found {
                    @let used = rules.iter().filter(|rule| rule.connection == connection.id);
                    @let state = activity(connection, used.count(), is_failing(&connection.id));
                    (row(visit, connection, state, &week(&connection.id)))
                }
            }
        }
    };
    let mut shown = Page::new(Section::Connections, t.connections);
    let done = call.request.query("done");
    shown.done = done.as_deref();
    Ok(page(visit, &shown, &body))
}

/// A button to a new connection.
pub fn new_button(visit: &EmbedSession, look: &str) -> Markup {
    parts::link_button(visit, Need::Manage, "connections/new", text::of(visit).new_connection, look)
}

/// What a workspace without connections shows: the three steps.
pub fn empty(visit: &EmbedSession) -> Markup {
    let t = text::of(visit);
    html! {
        section.empty {
            h2 { (t.start_title) }
            ol.steps {
                @for (title, body) in t.start_steps { li { strong { (title) } p { (body) } } }
            }
            (new_button(visit, "primary"))
        }
    }
}

fn row(visit: &EmbedSession, connection: &Connection, state: &str, week: &Week) -> Markup {
    let t = text::of(visit);
    let address = app::parts(connection).map(|(destination, values)| destination.address(&values));
    let below = format!("connections/{}", connection.id);
    html! {
        a.row href=(path(visit, &below)) {
            span.main {
                strong { (connection.name) }
                @if let Ok(address) = address { small.url { (address) } }
            }
            span.side {
                (parts::state(t, state))
                @let success = week.total().success_per_10000();
                small { (week.strip(t)) " " ((t.charts.percent)(success)) }
            }
        }
    }
}

/// How a connection is, as the word of its badge. `fails` says that its last attempt failed and
/// nothing has succeeded since.
pub fn activity(connection: &Connection, rules: usize, fails: bool) -> &'static str {
    match (connection.active, fails, rules) {
        (false, _, _) => "inactive",
        (true, true, _) => "failing",
        (true, false, 0) => "no_rules",
        (true, false, _) => "active",
    }
}

/// `GET /embed/s/{session}/connections/new`.
pub async fn new<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let asked = call.request.query("type").unwrap_or_default();
    let Some(destination) = destinations::find(&asked) else {
        return Ok(page(visit, &Page::new(Section::Connections, t.new_connection), &grid(visit)));
    };
    let catalogue = catalogue(platform, &visit.session).await?;
    let id = ids::record_id(platform.bytes());
    let context = Context {
        destination,
        action: "connections/new",
        version: None,
        new_id: Some(&id),
        catalogue: &catalogue,
        chosen: Vec::new(),
    };
    let body = html! {
        h1 { (t.new_connection) }
        (form::render(visit, &context, &Draft::new(destination), &Errors::default()))
    };
    Ok(page(visit, &Page::new(Section::Connections, t.new_connection), &body))
}

/// All that can be connected.
fn grid(visit: &EmbedSession) -> Markup {
    let t = text::of(visit);
    html! {
        h1 { (t.new_connection) }
        p.hint { (t.grid_hint) }
        ul.grid {
            @for about in destinations::ALL.iter().map(|destination| destination.about()) {
                @let at = format!("connections/new?type={}", about.key);
                li {
                    a.row href=(path(visit, &at)) {
                        span.main {
                            strong { ((t.form.registry)(about.name)) }
                            small { ((t.form.registry)(about.actions[0].description)) }
                        }
                    }
                }
            }
        }
    }
}

/// What is connected; the first of all when nothing was chosen.
fn chosen(kind: &str) -> &'static dyn Destination {
    destinations::find(kind).unwrap_or(destinations::ALL[0])
}

async fn catalogue<P: Platform>(platform: &P, session: &Session) -> Result<Vec<Listed>> {
    event_types::listed(&session.organization).run(platform.control()).await
}

/// `POST /embed/s/{session}/connections/new`: makes the connection with rules for the events that
/// were chosen. The answer shows a generated secret, this once.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let sent = ids::parse_uuid(form.get("id")).unwrap_or_else(|| ids::record_id(platform.bytes()));
    let id = own_id(&visit.session.workspace, &sent);
    let destination = chosen(form.get("type"));
    let new = NewConnection {
        id: Some(id.clone()),
        workspace: visit.session.workspace.clone(),
        destination,
        name: form.filled("name").unwrap_or_default().to_owned(),
        metadata: form::metadata(&form, destination),
        hidden: false,
        skip_test: false,
        origin: call.request.origin.clone(),
    };
    let saved = match app::create(platform, &visit.session.actor(), new).await {
        Ok(saved) => saved,
        // The same form once more: what it made is there.
        Err(error) if error.code == Some(Code::Duplicate) => {
            return Ok(Reply::see_other(&path(visit, &format!("connections/{id}"))));
        }
        Err(error) => return new_again(platform, visit, &form, &sent, error).await,
    };
    let unrouted = route(platform, visit, &id, &form).await?;
    Ok(created(visit, &saved, &unrouted))
}

/// The id of the connection that a form makes. The form names it, so that it makes but one however
/// often it is sent; nobody can name a connection that is there already, of whomever it may be.
fn own_id(workspace: &str, sent: &str) -> String {
    let digest = Sha256::digest(format!("connection:{workspace}:{sent}"));
    ids::record_id(std::array::from_fn(|at| digest[at]))
}

/// The form once more, with what was wrong.
async fn new_again<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    form: &Form,
    id: &str,
    error: Error,
) -> Result<Reply> {
    let catalogue = catalogue(platform, &visit.session).await?;
    let context = Context {
        destination: chosen(form.get("type")),
        action: "connections/new",
        version: None,
        new_id: Some(id),
        catalogue: &catalogue,
        chosen: form.all("event").map(str::to_owned).collect(),
    };
    again(visit, &context, text::of(visit).new_connection, form, error)
}

fn again(
    visit: &EmbedSession,
    context: &Context<'_>,
    title: &str,
    form: &Form,
    error: Error,
) -> Result<Reply> {
    if error.fields.is_empty() {
        return Err(error);
    }
    let status = problem::status(error.kind);
    let (draft, errors) =
        (Draft::sent(form, context.destination), form::errors(text::of(visit), form, error));
    let body = html! {
        h1 { (title) }
        (form::render(visit, context, &draft, &errors))
    };
    Ok(page_with(status, visit, &Page::new(Section::Connections, title), &body))
}

/// Makes a rule for each event that was chosen; answers those that could not be made.
async fn route<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    connection: &str,
    form: &Form,
) -> Result<Vec<String>> {
    let (t, session) = (text::of(visit), &visit.session);
    let (mut unrouted, known) = (Vec::new(), catalogue(platform, session).await?);
    for event in form.all("event").filter(|event| known.iter().any(|listed| listed.key == *event)) {
        let new = NewRule {
            workspace: session.workspace.clone(),
            connection: connection.to_owned(),
            event: event.to_owned(),
            resource: None,
            resource_id: None,
            filter: None,
            action: None,
            metadata: Metadata::new(),
            active: true,
            hidden: false,
        };
        if let Err(error) = create_rule(platform, &session.actor(), new).await {
            unrouted.push(format!("{event}: {}", Errors::told(t, error)));
        }
    }
    Ok(unrouted)
}

fn created(visit: &EmbedSession, saved: &Saved, unrouted: &[String]) -> Reply {
    let t = text::of(visit);
    let (id, about) = (&saved.connection.id, chosen(&saved.connection.kind).about());
    let at = format!("connections/{id}");
    let body = html! {
        h1 { (t.created_title) }
        @if saved.credentials_checked == Some(false) {
            div.notice { p { (t.not_checked) } }
        }
        @for problem in unrouted { div.notice.bad role="alert" { p { (problem) } } }
        (fresh_secret(t, saved, &path(visit, &at)))
        section {
            h2 { (t.next_steps) }
            ol.steps {
                @if about.is_signed {
                    li {
                        a href=(path(visit, &format!("{at}/verification"))) { (t.verification) }
                        p { (t.verification_step) }
                    }
                }
                @if about.reads_rules() {
                    li {
                        a href=(path(visit, &format!("rules?connection={id}"))) { (t.add_rule) }
                        p { (t.rule_step) }
                    }
                }
                li {
                    a href=(path(visit, &format!("{at}/test"))) { (t.send_test) }
                    p { (t.test_step) }
                }
            }
            div.actions {
                a.button.primary href=(path(visit, &format!("{at}/test"))) { (t.send_test) }
                a.button.quiet href=(path(visit, &at)) { (t.to_connection) }
            }
        }
    };
    page(visit, &Page::new(Section::Connections, t.created_title), &body)
}

/// `GET /embed/s/{session}/connections/{id}/edit`.
pub async fn edit<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let id = call.id("id", "connection")?;
    let found = shown(platform, &visit.session, &id).await?;
    let (destination, values) = app::parts(&found)?;
    let draft = Draft::of(&found.name, destination, &values, &found.options);
    let action = format!("connections/{id}/edit");
    let context = editing(&action, destination, found.tag());
    let body = html! {
        h1 { (t.edit_connection) }
        (form::render(visit, &context, &draft, &Errors::default()))
    };
    Ok(page(visit, &Page::new(Section::Connections, t.edit_connection), &body))
}

fn editing<'a>(
    action: &'a str,
    destination: &'static dyn Destination,
    version: String,
) -> Context<'a> {
    let version = Some(version);
    Context { destination, action, version, new_id: None, catalogue: &[], chosen: Vec::new() }
}

/// A connection that pages show.
///
/// # Errors
/// `NotFound` when the session has none with this id, or pages leave it out.
pub async fn shown<P: Platform>(platform: &P, session: &Session, id: &str) -> Result<Connection> {
    connections::one_shown(&session.actor().scope, id).run(platform.control()).await
}

/// `POST /embed/s/{session}/connections/{id}/edit`.
pub async fn update<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let t = text::of(visit);
    let id = call.id("id", "connection")?;
    let (destination, _) = app::parts(&shown(platform, &visit.session, &id).await?)?;
    let name = form.filled("name").unwrap_or_default().to_owned();
    let metadata = Some(form::metadata(&form, destination));
    let origin = call.request.origin.clone();
    let change = Change { name: Some(name), metadata, hidden: None, skip_test: false, origin };
    let expected = Expected::read(form.filled("version"));
    let saved = app::update(platform, &visit.session.actor(), &id, &change, &expected).await;
    let at = path(visit, &format!("connections/{id}"));
    match saved {
        Ok(saved) if saved.shows_secret() => {
            let body = html! {
                h1 { (t.saved_title) }
                (fresh_secret(t, &saved, &at))
                a.button.primary href=(at) { (t.to_connection) }
            };
            Ok(page(visit, &Page::new(Section::Connections, t.saved_title), &body))
        }
        Ok(_) => Ok(Reply::see_other(&format!("{at}?done=saved"))),
        Err(error) if error.kind == Kind::PreconditionFailed => {
            stale(visit, &shown(platform, &visit.session, &id).await?, &form)
        }
        Err(error) => {
            let action = format!("connections/{id}/edit");
            let context = editing(&action, destination, form.get("version").to_owned());
            again(visit, &context, t.edit_connection, &form, error)
        }
    }
}

/// The form once more, beside what somebody else made of the connection meanwhile.
fn stale(visit: &EmbedSession, now: &Connection, form: &Form) -> Result<Reply> {
    let t = text::of(visit);
    let (destination, values) = app::parts(now)?;
    let stored = Draft::of(&now.name, destination, &values, &now.options);
    let draft = Draft::sent(form, destination);
    let action = format!("connections/{}/edit", now.id);
    let context = editing(&action, destination, now.tag());
    let body = html! {
        h1 { (t.edit_connection) }
        (parts::changed_meanwhile(t, &draft.differences(t, &stored, destination)))
        (form::render(visit, &context, &draft, &Errors::default()))
    };
    let (status, title) = (problem::status(Kind::Conflict), t.edit_connection);
    Ok(page_with(status, visit, &Page::new(Section::Connections, title), &body))
}
