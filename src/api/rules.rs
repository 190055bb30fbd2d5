//! `/rules`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::app::preview;
use crate::app::rules::{self as app_rules, Change, NewRule};
use crate::destinations;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{FILTER_BUDGET, RULE_METADATA_BYTES_MAX};
use crate::domain::base::names::check_name;
use crate::domain::base::names::check_pattern;
use crate::domain::base::names::check_resource_id;
use crate::domain::base::time::rfc3339;
use crate::domain::base::tree::Tree;
use crate::domain::routing::event::check_payload;
use crate::domain::routing::filter::{Budget, Filter, NotPassed};
use crate::domain::routing::rule::Metadata;
use crate::domain::tenants::actor::Scope;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::rules::{self, Rule};
use crate::store::{connections, event_types, mappings, together, workspaces};

fn show(rule: &Rule) -> Value {
    let mut shown = json!({
        "id": rule.id,
        "workspace": rule.workspace,
        "connection": rule.connection,
        "type": rule.kind,
        "event": rule.event,
        "metadata": show_metadata(rule),
        "active": rule.active,
        "hidden": rule.hidden,
        "created_by": rule.created_by,
        "created_at": rfc3339(rule.created_at_ms),
        "updated_at": rfc3339(rule.updated_at_ms),
    });
    add_resource(&mut shown, rule.resource.as_deref(), rule.resource_id.as_deref());
    if let Some(filter) = &rule.filter {
        shown["filter"] = serde_json::from_str(filter).unwrap_or_default();
    }
    shown
}

fn show_metadata(rule: &Rule) -> Value {
    let mut shown = json!(rule.metadata);
    shown["action"] = json!(rule.action);
    shown
}

/// Adds the optional resource fields that events, rules and deliveries share.
pub fn add_resource(shown: &mut Value, resource: Option<&str>, resource_id: Option<&str>) {
    if let Some(resource) = resource {
        shown["resource"] = json!(resource);
    }
    if let Some(resource_id) = resource_id {
        shown["resource_id"] = json!(resource_id);
    }
}

/// `GET /rules`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    page(platform, call, &call.caller.machine()?.scope).await
}

/// `GET /workspaces/{id}/rules`.
pub async fn list_of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let scope = &call.caller.machine()?.scope;
    workspaces::find(platform.control(), scope, &id).await?;
    page(platform, call, &scope.within(&id)).await
}

async fn page<P: Platform>(platform: &P, call: &Call, scope: &Scope) -> Result<Reply> {
    let limit = call.wide_limit()?;
    let list = cursor::list_of("rules", scope);
    let after: Option<(String, u32)> = cursor::read(call, &list)?;
    let (after_workspace_name, after_number) = after.unwrap_or_default();
    let filter = rules::Filter {
        event: call.request.query("event"),
        resource: call.request.query("resource"),
        resource_id: call.request.query("resource_id"),
        after_workspace_name,
        after_number,
    };
    let queries = (rules::list(scope, &filter, limit + 1), rules::list_end(scope, &filter));
    let (found, end) = together(platform.control(), queries).await?;
    let position = |rule: &Rule| (rule.workspace_name.clone(), rule.number);
    Ok(cursor::page_within(&list, found, limit, end, position, show))
}

/// `GET /rules/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "rule")?;
    let scope = &call.caller.machine()?.scope;
    let rule = rules::find(platform.control(), scope, &id).await?;
    Ok(Reply::versioned(&show(&rule), &rule.tag()))
}

/// `POST /rules`.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let mut new = NewRule {
        workspace: fields.required_uuid("workspace"),
        connection: fields.required_uuid("connection"),
        event: fields.required_checked_text("event", check_pattern),
        resource: fields.checked_text("resource", check_name),
        resource_id: fields.checked_text("resource_id", check_resource_id),
        filter: filter(&mut fields).map(|filter| filter.to_json().to_string()),
        action: None,
        metadata: Metadata::new(),
        active: fields.flag("active").unwrap_or(true),
        hidden: fields.flag("hidden").unwrap_or(false),
    };
    if let Some((action, metadata)) = metadata(&mut fields) {
        (new.action, new.metadata) = (Some(action), metadata);
    }
    fields.finish()?;
    let rule = app_rules::create(platform, call.caller.machine()?, new).await?;
    Ok(Reply::created(&json!({"rule": show(&rule)})))
}

fn filter<'a>(fields: &mut Fields<'a>) -> Option<Filter<'a>> {
    let text = fields.raw("filter").filter(|text| *text != "null")?;
    match Filter::parse(text) {
        Ok(filter) => Some(filter),
        Err(error) => {
            fields.fail_with("filter", error);
            None
        }
    }
}

/// `POST /rules/test-filter`: whether a payload would pass, and if not, why.
pub async fn test_filter<P: Platform>(_: &P, call: &Call) -> Result<Reply> {
    call.caller.machine()?;
    let mut fields = Fields::parse(call.body()?)?;
    let filter = filter(&mut fields);
    if filter.is_none() && !fields.failed() {
        fields.fail("filter", "is required");
    }
    let payload = fields.raw("payload").unwrap_or_else(|| {
        fields.fail("payload", "is required");
        "{}"
    });
    if let Err(msg) = check_payload(payload) {
        fields.fail("payload", msg);
    }
    fields.finish()?;
    let tree = Tree::read(payload).ok_or_else(|| Error::internal("a payload is no tree"))?;
    let budget = Budget::new(FILTER_BUDGET);
    match filter.map_or(Ok(()), |filter| filter.check(&tree, &budget)) {
        Ok(()) => Ok(Reply::ok(&json!({"matches": true}))),
        Err(NotPassed::Fails(why)) => {
            Ok(Reply::ok(&json!({"matches": false, "reason": why.told()})))
        }
        Err(NotPassed::TooCostly) => {
            let msg = "is too costly for this payload; an emit would not match it";
            let error = Error::field("filter", msg).of_kind(Kind::Refused);
            Err(error.with_code(Code::FilterTooCostly))
        }
    }
}

/// `POST /rules/{id}/preview`: what the rule would send for a payload, by default for the example
/// of its event. Nothing is sent.
pub async fn preview<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (actor, id) = (call.caller.machine()?, call.id("id", "rule")?);
    let text = call.body().ok().filter(|text| !text.is_empty()).unwrap_or("{}");
    let mut fields = Fields::parse(text)?;
    let payload = fields.raw("payload").map(str::to_owned);
    let given = if fields.has("metadata") { metadata(&mut fields) } else { None };
    if let Some(Err(msg)) = payload.as_deref().map(check_payload) {
        fields.fail("payload", msg);
    }
    fields.finish()?;
    let control = platform.control();
    let rule = rules::find(control, &actor.scope, &id).await?;
    let connection = connections::find(control, &actor.scope, &rule.connection).await?;
    let payload = match payload {
        Some(payload) => payload,
        None => example(platform, &actor.scope, &rule.event).await?,
    };
    let (action, metadata) = given.unwrap_or((rule.action, rule.metadata));
    let (event, now_ms) = (&rule.event, platform.now_ms());
    let stored = mappings::find(&connection.workspace, &connection.id).run(control).await?;
    let mapping = stored.as_ref().map(|stored| stored.schema.as_str());
    let shown =
        preview::preview(&connection, &action, &metadata, event, &payload, mapping, now_ms)?;
    Ok(Reply::ok(&without_nulls(json!({
        "texts": shown.texts,
        "request": shown.request,
        "notes": shown.notes,
        "refused": shown.refused,
    }))))
}

/// The catalogue's example for an event; an empty object where there is none.
async fn example<P: Platform>(platform: &P, scope: &Scope, event: &str) -> Result<String> {
    let found = event_types::find(platform.control(), &scope.organization, event).await;
    match found {
        Ok(event_type) => Ok(event_type.example.unwrap_or_else(|| "{}".to_owned())),
        Err(error) if error.kind == Kind::NotFound => Ok("{}".to_owned()),
        Err(error) => Err(error),
    }
}

/// The action and what it needs to know: texts by key.
fn metadata(fields: &mut Fields<'_>) -> Option<(String, Metadata)> {
    let Some(text) = fields.raw("metadata") else {
        let action = destinations::ALL[0].about().actions[0].key;
        fields.fail("metadata", format!("is required: {{\"action\":\"{action}\"}}"));
        return None;
    };
    match read_metadata(text) {
        Ok(read) => Some(read),
        Err(error) => {
            fields.fail_with("metadata", error);
            None
        }
    }
}

/// Whether any destination can do it; whether the rule's own can is known when that is read.
fn check_action(key: &str) -> std::result::Result<(), String> {
    let abouts = || destinations::ALL.iter().map(|destination| destination.about());
    if abouts().any(|about| about.action(key).is_some()) {
        return Ok(());
    }
    // Several destinations can do the same.
    let keys: BTreeSet<&str> = abouts().flat_map(|a| a.actions).map(|action| action.key).collect();
    Err(format!("must be one of {}", keys.into_iter().collect::<Vec<_>>().join(", ")))
}

fn read_metadata(text: &str) -> Result<(String, Metadata)> {
    let mut fields = Fields::parse(text)?;
    let action = fields.required_checked_text("action", check_action);
    let mut metadata = Metadata::new();
    for key in fields.names().into_iter().filter(|key| key != "action") {
        let value = fields.text(&key);
        metadata.extend(value.map(|value| (key, value)));
    }
    fields.finish()?;
    if text.len() > RULE_METADATA_BYTES_MAX {
        let msg = format!("must be at most {RULE_METADATA_BYTES_MAX} bytes");
        return Err(Error::invalid(msg));
    }
    Ok((action, metadata))
}

/// `PATCH /rules/{id}`: what is left out is kept, `null` takes a limit or the filter away.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "rule")?;
    let mut fields = Fields::parse(call.body()?)?;
    for kept in ["connection", "workspace"] {
        if fields.has(kept) {
            fields.fail(kept, "cannot be changed; create another rule and delete this one");
        }
    }
    let (is_resource, is_id) = (fields.has("resource"), fields.has("resource_id"));
    let is_filter = fields.has("filter");
    let mut change = Change {
        event: fields.checked_text("event", check_pattern),
        resource: is_resource.then_some(fields.checked_text("resource", check_name)),
        resource_id: is_id.then_some(fields.checked_text("resource_id", check_resource_id)),
        filter: is_filter.then_some(filter(&mut fields).map(|filter| filter.to_json().to_string())),
        connection: None,
        action: None,
        metadata: None,
        active: fields.flag("active"),
        hidden: fields.flag("hidden"),
    };
    if fields.has("metadata")
        && let Some((action, metadata)) = metadata(&mut fields)
    {
        (change.action, change.metadata) = (Some(action), Some(metadata));
    }
    fields.finish()?;
    let (actor, expected) = (call.caller.machine()?, call.expected());
    let rule = app_rules::change(platform, actor, &id, &change, &expected).await?;
    Ok(Reply::versioned(&show(&rule), &rule.tag()))
}

/// `DELETE /rules/{id}`. What is under way by it stays under way.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "rule")?;
    let rule = app_rules::delete(platform, call.caller.machine()?, &id, &call.expected()).await?;
    let mut shown = json!({
        "id": rule.id, "connection": rule.connection, "type": rule.kind, "event": rule.event,
    });
    add_resource(&mut shown, rule.resource.as_deref(), rule.resource_id.as_deref());
    Ok(Reply::ok(&shown))
}
