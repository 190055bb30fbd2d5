//! Rules: which events go to which connection.

use maud::{Markup, html};

use crate::app::changes;
use crate::app::rules::{self as app, Change, NewRule};
use crate::domain::base::error::{Kind, Result};
use crate::domain::base::version::Expected;
use crate::domain::tenants::change::Action;
use crate::domain::tenants::session::Need;
use crate::embed::frame::layout::{Page, Section, csrf_token, page, page_with, path};
use crate::embed::frame::parts::{self, Button, Errors, Field};
use crate::embed::rule_action::ActionPart;
use crate::embed::rule_draft::Draft;
use crate::embed::rule_filter;
use crate::embed::rule_reads::{Read, help, read, read_with};
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;
use crate::store::connections;
use crate::store::deleted_rules;
use crate::store::rules::{self, Rule};

/// `GET /embed/s/{session}/rules`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let chosen = call.request.query("connection").unwrap_or_default();
    let read = read(platform, visit, &chosen).await?;
    let event = call.request.query("event").unwrap_or_default();
    let draft = Draft { connection: chosen, event, ..Draft::default() };
    let done = call.request.query("done");
    let mut shown = Page::new(Section::Rules, t.rules);
    shown.done = done.as_deref();
    Ok(page(visit, &shown, &body(visit, &read, &draft, &Errors::default())))
}

fn body(visit: &EmbedSession, read: &Read, draft: &Draft, errors: &Errors) -> Markup {
    let t = text::of(visit);
    html! {
        h1 { (t.rules) }
        p.hint {
            (t.rules_hint) " "
            a href=(path(visit, "event-types")) { (t.catalogue.event_types) }
        }
        @if read.connections.is_empty() {
            (crate::embed::connections::list::empty(visit))
        } @else {
            @if read.rules.is_empty() { p { (t.no_rules) } } @else {
                div.rows { @for rule in &read.rules { (row(visit, rule, read)) } }
            }
            section {
                h2 { (t.new_rule) }
                @match parts::denied(visit, Need::ManageRules) {
                    Some(why) => { p.hint { (why) } }
                    None => { (form(visit, read, "rules", draft, errors, t.add_rule)) }
                }
            }
        }
    }
}

fn row(visit: &EmbedSession, rule: &Rule, read: &Read) -> Markup {
    let t = text::of(visit);
    let to = read.connections.iter().find(|connection| connection.id == rule.connection);
    html! {
        div.row {
            span.main {
                strong { (rule.event) } (limits(t, rule))
                @if read.is_unknown(&rule.event) { p.hint { (t.filter.unknown) } }
                small {
                    (t.sent_to) " "
                    @if let Some(to) = to {
                        (parts::link(visit, Need::ViewAll, &format!("connections/{}", to.id),
                            &to.name))
                    }
                }
            }
            span.side { (controls(visit, rule)) }
        }
    }
}

fn limits(t: &Texts, rule: &Rule) -> Markup {
    html! {
        @if let Some(resource) = &rule.resource { " " code { (resource) } }
        @if let Some(id) = &rule.resource_id { " " code { (id) } }
        @if let Some(filter) = &rule.filter { " " code title=(filter) { (t.filtered) } }
    }
}

fn controls(visit: &EmbedSession, rule: &Rule) -> Markup {
    let t = text::of(visit);
    let at = format!("rules/{}", rule.id);
    html! {
        (parts::state(t, if rule.active { "active" } else { "inactive" })) " "
        @if parts::denied(visit, Need::ManageRules).is_none() {
            a href=(path(visit, &at)) aria-label=((t.filter.edit_rule)(&rule.event)) { (t.edit) }
        }
    }
}

/// The rules on the page of their connection.
pub fn of_connection(visit: &EmbedSession, connection: &str, rules: &[Rule]) -> Markup {
    let t = text::of(visit);
    html! {
        @if rules.is_empty() { p.hint { (t.no_rules_yet) } } @else {
            ul.plain {
                @for rule in rules {
                    li { strong { (rule.event) } (limits(t, rule)) " " (controls(visit, rule)) }
                }
            }
        }
        (parts::link_button(visit, Need::ManageRules, &format!("rules?connection={connection}"),
            t.add_rule, "quiet"))
    }
}

const FIELDS: [&str; 5] = ["connection", "event", "resource", "resource_id", "filter"];

fn form(
    visit: &EmbedSession,
    read: &Read,
    action: &str,
    draft: &Draft,
    errors: &Errors,
    button: &str,
) -> Markup {
    let t = text::of(visit);
    let field = |name: &'static str| {
        let (label, hint) = (t.form.field)(name);
        Field { name, label, hint, error: errors.of(name) }
    };
    let to: Vec<(&str, &str)> =
        read.connections.iter().map(|c| (c.id.as_str(), c.name.as_str())).collect();
    let known = read.choices();
    let part = action_part(t, read, draft, errors);
    let inputs = part.as_ref().map(ActionPart::places).unwrap_or_default();
    let mut places: Vec<_> = FIELDS.iter().map(|name| (*name, *name, t.form.label(name))).collect();
    places.extend(inputs.iter().map(|(name, label)| (name.as_str(), name.as_str(), *label)));
    html! {
        (errors.linked(t, &places))
        form.sheet method="post" action=(path(visit, action)) {
            (csrf_token(visit))
            // What a press of Enter does: the first button of a form, and not one that only helps.
            button.unseen aria-hidden="true" tabindex="-1" { (button) }
            @if !draft.version.is_empty() {
                input type="hidden" name="version" value=(draft.version);
            }
            (Field { hint: t.pattern_hint, ..field("event") }.suggesting(&draft.event, &known))
            (field("connection").select(&draft.connection, &to))
            @if visit.session.resource.is_none() {
                details.part open[!draft.resource.is_empty() || !draft.resource_id.is_empty()] {
                    summary { (t.rule_limits) }
                    (field("resource").input("text", &draft.resource, ""))
                    (field("resource_id").input("text", &draft.resource_id, ""))
                }
            }
            @if let Some(part) = &part { (part.render()) }
            (rule_filter::render(visit, draft, read.trial.as_ref(), errors))
            label.choice {
                input type="checkbox" name="active" value="0" checked[draft.is_inactive];
                span { (t.rule_inactive) }
            }
            div.actions { button.primary { (button) } }
        }
    }
}

/// What the chosen connection's destination wants to know.
fn action_part<'a>(
    t: &'a Texts,
    read: &'a Read,
    draft: &'a Draft,
    errors: &'a Errors,
) -> Option<ActionPart<'a>> {
    let connection = read.connection(&draft.connection).or(read.connections.first())?;
    Some(ActionPart {
        t,
        connection,
        action: &draft.action,
        metadata: &draft.metadata,
        lists: read.lists.as_ref(),
        example: read.example.as_deref(),
        preview: read.preview.as_ref(),
        errors,
    })
}

/// `POST /embed/s/{session}/rules`.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let form = call.form()?;
    let draft = Draft::sent(&form);
    if let Some(does) = form.filled("do") {
        let mut read = read(platform, visit, &draft.connection).await?;
        help(platform, visit, does, &draft, &mut read).await?;
        let body = body(visit, &read, &draft, &Errors::default());
        return Ok(page(visit, &Page::new(Section::Rules, t.rules), &body));
    }
    let errors = draft.check(t);
    if !errors.0.is_empty() {
        return again(platform, visit, &draft, errors).await;
    }
    connections::one_shown(&visit.session.actor().scope, &draft.connection)
        .run(platform.control())
        .await?;
    let (resource, resource_id) = draft.limits(visit);
    let new = NewRule {
        workspace: visit.session.workspace.clone(),
        connection: draft.connection.clone(),
        event: draft.event.clone(),
        resource,
        resource_id,
        filter: draft.kept_filter().unwrap_or_default(),
        action: draft.chosen_action(),
        metadata: draft.metadata.clone(),
        active: !draft.is_inactive,
        hidden: false,
    };
    match app::create(platform, &visit.session.actor(), new).await {
        Ok(rule) => saved(platform, visit, &rule.event).await,
        Err(error) if error.fields.is_empty() => Err(error),
        Err(error) => again(platform, visit, &draft, Errors::new(t, error.into_fields())).await,
    }
}

/// The word that says that a rule was saved whose event nobody knows yet.
const UNKNOWN_SAVED: &str = "saved-unknown";

async fn saved<P: Platform>(platform: &P, visit: &EmbedSession, event: &str) -> Result<Reply> {
    let read = read(platform, visit, "").await?;
    let done = if read.is_unknown(event) { UNKNOWN_SAVED } else { "saved" };
    Ok(Reply::see_other(&path(visit, &format!("rules?done={done}"))))
}

async fn again<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    draft: &Draft,
    errors: Errors,
) -> Result<Reply> {
    let t = text::of(visit);
    let read = read(platform, visit, &draft.connection).await?;
    let status = problem::status(Kind::Invalid);
    let body = body(visit, &read, draft, &errors);
    Ok(page_with(status, visit, &Page::new(Section::Rules, t.rules), &body))
}

/// `GET /embed/s/{session}/rules/{id}`.
pub async fn edit<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (rule, read) = read_with(platform, visit, &call.id("id", "rule")?).await?;
    let body = edit_body(visit, &read, &rule.id, &Draft::of(&rule), &Errors::default());
    Ok(page(visit, &Page::new(Section::Rules, t.edit_rule), &body))
}

fn edit_body(
    visit: &EmbedSession,
    read: &Read,
    id: &str,
    draft: &Draft,
    errors: &Errors,
) -> Markup {
    let t = text::of(visit);
    let (at, delete) = (format!("rules/{id}"), format!("rules/{id}/delete"));
    html! {
        h1 { (t.edit_rule) }
        (form(visit, read, &at, draft, errors, t.save))
        details.part.danger {
            summary { (t.delete_rule) }
            p { (t.delete_rule_warning) }
            (Button {
                label: t.delete_rule,
                action: &delete,
                need: Need::ManageRules,
                look: "danger",
                fields: &[],
            }.render(visit))
        }
    }
}

/// `POST /embed/s/{session}/rules/{id}`.
pub async fn update<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (rule, mut read) = read_with(platform, visit, &call.id("id", "rule")?).await?;
    let form = call.form()?;
    let mut draft = Draft::sent(&form);
    if let Some(does) = form.filled("do") {
        help(platform, visit, does, &draft, &mut read).await?;
        let body = edit_body(visit, &read, &rule.id, &draft, &Errors::default());
        return Ok(page(visit, &Page::new(Section::Rules, t.edit_rule), &body));
    }
    let mut errors = draft.check(t);
    if errors.0.is_empty() {
        let actor = visit.session.actor();
        connections::one_shown(&actor.scope, &draft.connection).run(platform.control()).await?;
        let (resource, resource_id) = draft.limits(visit);
        let change = Change {
            event: Some(draft.event.clone()),
            resource: Some(resource),
            resource_id: Some(resource_id),
            filter: Some(draft.kept_filter().unwrap_or_default()),
            connection: Some(draft.connection.clone()),
            action: draft.chosen_action(),
            metadata: Some(draft.with_kept(&rule)),
            active: Some(!draft.is_inactive),
            hidden: None,
        };
        let expected = Expected::read(form.filled("version"));
        match app::change(platform, &actor, &rule.id, &change, &expected).await {
            Ok(_) => {
                let done = if read.is_unknown(&draft.event) { UNKNOWN_SAVED } else { "saved" };
                return Ok(Reply::see_other(&path(visit, &format!("rules?done={done}"))));
            }
            Err(error) if error.kind == Kind::PreconditionFailed => {
                let stored = Draft::of(&rule);
                let differences = draft.differences(t, &stored, &read.connections);
                draft.version = stored.version;
                let body = html! {
                    (parts::changed_meanwhile(t, &differences))
                    (edit_body(visit, &read, &rule.id, &draft, &Errors::default()))
                };
                let status = problem::status(Kind::Conflict);
                let shown = Page::new(Section::Rules, t.edit_rule);
                return Ok(page_with(status, visit, &shown, &body));
            }
            Err(error) if error.fields.is_empty() => return Err(error),
            Err(error) => errors = Errors::new(t, error.into_fields()),
        }
    }
    let body = edit_body(visit, &read, &rule.id, &draft, &errors);
    let status = problem::status(Kind::Invalid);
    Ok(page_with(status, visit, &Page::new(Section::Rules, t.edit_rule), &body))
}

/// `POST /embed/s/{session}/rules/{id}/delete`. What is under way by it stays under way.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let actor = visit.session.actor();
    let found = rules::one_shown(&actor.scope, &call.id("id", "rule")?);
    let rule = found.run(platform.control()).await?;
    let (control, workspace) = (platform.control(), &rule.workspace);
    let change = changes::of(platform, &actor, workspace, &rule, Action::Deleted);
    deleted_rules::delete(control, workspace, &rule.id, None, &change).await?;
    Ok(Reply::see_other(&path(visit, "rules?done=deleted")))
}
