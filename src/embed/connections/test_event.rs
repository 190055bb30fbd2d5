//! Sending a test event to a connection: the catalogue's example, which can be edited.

use maud::{Markup, html};

use crate::app::test_event;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::names::check_name;
use crate::domain::routing::event::{NewEvent, check_payload};
use crate::domain::tenants::session::Role;
use crate::embed::frame::layout::{Page, Section, csrf_token, page, page_with, path};
use crate::embed::frame::parts::{Errors, Field};
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::event_types::{self, Listed};
use crate::store::rules::{self, Rule};
use crate::store::together;

/// Name and payload of a test event where the catalogue has nothing to offer.
const DEFAULT_NAME: &str = "posthorn.test";
const DEFAULT_PAYLOAD: &str = "{\n  \"message\": \"This is a test event.\"\n}";

/// What a member sends where there is no example.
const MEMBER_PAYLOAD: &str = "{\"test\": true}";

/// What stands in the fields.
struct Draft {
    event: String,
    payload: String,
}

/// `GET /embed/s/{session}/connections/{id}/test`, with `?event=` for another example.
pub async fn form<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (id, scope) = (call.id("id", "connection")?, visit.session.actor().scope);
    let asked = call.request.query("event");
    let organization = &visit.session.organization;
    let queries = (
        connections::one_shown(&scope, &id),
        event_types::listed(organization),
        rules::shown(&scope),
        event_types::example(organization, asked.as_deref().unwrap_or_default()),
    );
    let (connection, catalogue, rules, example) = together(platform.control(), queries).await?;
    let Some(event) = asked else {
        // The example is known only once the event is: the page is asked for again with its name.
        let first = first_event(&catalogue, &rules, &id);
        let query: String = url::form_urlencoded::byte_serialize(first.as_bytes()).collect();
        return Ok(Reply::see_other(&path(visit, &format!("connections/{id}/test?event={query}"))));
    };
    let default = match visit.session.role {
        Role::Member => MEMBER_PAYLOAD,
        Role::Admin | Role::Owner => DEFAULT_PAYLOAD,
    };
    let payload = example.unwrap_or_else(|| default.to_owned());
    let draft = Draft { event, payload };
    let body = body(visit, &connection, &catalogue, &draft, &Errors::default());
    Ok(page(visit, &Page::new(Section::Connections, t.send_test), &body))
}

/// An event that the connection is sent, if the catalogue has it; else the catalogue's first.
fn first_event<'a>(catalogue: &'a [Listed], rules: &[Rule], connection: &str) -> &'a str {
    let is_sent = |listed: &&Listed| {
        rules.iter().any(|rule| rule.connection == connection && rule.event == listed.key)
    };
    let found = catalogue.iter().find(is_sent).or(catalogue.first());
    found.map_or(DEFAULT_NAME, |listed| listed.key.as_str())
}

fn body(
    visit: &EmbedSession,
    connection: &Connection,
    catalogue: &[Listed],
    draft: &Draft,
    errors: &Errors,
) -> Markup {
    let t = text::of(visit);
    let at = path(visit, &format!("connections/{}/test", connection.id));
    let field = |name: &'static str| {
        let (label, hint) = (t.form.field)(name);
        Field { name, label, hint, error: errors.of(name) }
    };
    let mut options: Vec<(&str, &str)> =
        catalogue.iter().map(|listed| (listed.key.as_str(), listed.label.as_str())).collect();
    if !options.iter().any(|(key, _)| *key == draft.event) {
        options.push((&draft.event, &draft.event));
    }
    html! {
        h1 { (t.send_test) }
        p { ((t.test_target)(&connection.name)) }
        @if !connection.active { div.notice { p { (t.test_held) } } }
        @if options.len() > 1 {
            form.filters.sheet method="get" action=(at) {
                (field("event").select(&draft.event, &options))
                div.actions { button { (t.take_example) } }
            }
        }
        (errors.summary(t, &["event", "payload"]))
        form.sheet method="post" action=(at) {
            (csrf_token(visit))
            input type="hidden" name="event" value=(draft.event);
            p { (t.event) ": " code { (draft.event) } }
            @if visit.session.role == Role::Member {
                p.label { (t.payload) }
                pre { code { (draft.payload) } }
            } @else {
                (field("payload").textarea(&draft.payload, 12))
            }
            div.actions {
                button.primary { (t.send_test) }
                a.button.quiet href=(path(visit, &format!("connections/{}", connection.id)))
                    { (t.back) }
            }
        }
    }
}

/// `POST /embed/s/{session}/connections/{id}/test`.
pub async fn send<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let t = text::of(visit);
    let (id, scope) = (call.id("id", "connection")?, visit.session.actor().scope);
    let organization = &visit.session.organization;
    let event = form.get("event").trim().to_owned();
    let queries = (
        connections::one_shown(&scope, &id),
        event_types::listed(organization),
        event_types::example(organization, &event),
    );
    let (connection, catalogue, example) = together(platform.control(), queries).await?;
    // What goes out is signed: a member sends what the catalogue has, and nothing of his own.
    let is_known = event == DEFAULT_NAME || catalogue.iter().any(|listed| listed.key == event);
    let draft = match visit.session.role {
        Role::Member if !is_known => return Err(Error::not_found("event type")),
        Role::Member => Draft { event, payload: example.unwrap_or_else(|| MEMBER_PAYLOAD.into()) },
        Role::Admin | Role::Owner => Draft { event, payload: exact(form.get("payload"), example) },
    };
    let errors = check(t, &draft);
    if !errors.0.is_empty() {
        let body = body(visit, &connection, &catalogue, &draft, &errors);
        let status = problem::status(Kind::Invalid);
        let shown = Page::new(Section::Connections, t.send_test);
        return Ok(page_with(status, visit, &shown, &body));
    }
    let only = visit.session.resource.as_ref();
    let new = NewEvent {
        workspace: None,
        name: draft.event,
        resource: only.map(|only| only.kind.clone()),
        resource_id: only.map(|only| only.id.clone()),
        payload: draft.payload,
    };
    let sent = test_event::send(platform, &visit.session.actor(), &id, new).await?;
    Ok(Reply::see_other(&path(visit, &format!("events/{}?done=test-sent", sent.id))))
}

/// Browsers send line breaks as CR LF. An example that was not edited goes out byte for byte.
fn exact(sent: &str, example: Option<String>) -> String {
    let plain = sent.replace("\r\n", "\n");
    example.filter(|example| example.replace("\r\n", "\n") == plain).unwrap_or(plain)
}

fn check(t: &Texts, draft: &Draft) -> Errors {
    let named = |name: &str, msg: String| Error::field(name, msg).into_fields();
    let mut errors = check_name(&draft.event).map_err(|msg| named("event", msg)).err();
    if let Err(msg) = check_payload(draft.payload.trim()) {
        errors.get_or_insert_default().extend(named("payload", msg));
    }
    Errors::new(t, errors.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_that_was_not_edited_keeps_its_bytes() {
        let example = || Some("{\r\n \"a\": 1 }".to_owned());
        assert_eq!(exact("{\r\n \"a\": 1 }", example()), "{\r\n \"a\": 1 }");
        assert_eq!(exact("{\r\n \"a\": 2 }", example()), "{\n \"a\": 2 }");
        assert_eq!(exact("{\r\n}", None), "{\n}");
    }
}
