//! The catalogue of event types: `/event-types`, `/event-types/{key}`, and each workspace's list of
//! event types and resources, as bare arrays.

use serde_json::{Value, json};

use crate::app::event_types as app;
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::ids::name_id;
use crate::domain::base::limits::CATALOGUE_MAX;
use crate::domain::base::names::check_name;
use crate::domain::base::time::rfc3339;
use crate::domain::routing::event::check_payload;
use crate::domain::tenants::organization::label;
use crate::domain::tenants::workspace::check_description;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::event_types::{self, EventType};
use crate::store::names::{Kind, Name};

fn show(organization: &str, event_type: &EventType) -> Value {
    without_nulls(json!({
        "id": name_id(organization, Kind::Event.as_str(), &event_type.key),
        "key": event_type.key,
        "label": event_type.label,
        "description": event_type.description,
        "group": event_type.group,
        "example": event_type.example,
        "visible": event_type.visible,
        "active": true,
        "created_by": event_type.created_by,
        "created_at": rfc3339(event_type.created_at_ms),
        "updated_at": rfc3339(event_type.updated_at_ms),
    }))
}

/// `GET /event-types`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    let after: Option<String> = cursor::read(call, "event-types")?;
    let organization = &call.caller.machine()?.scope.organization;
    let after = after.unwrap_or_default();
    let found = event_types::list(platform.control(), organization, &after, limit + 1).await?;
    let show = |event_type: &EventType| show(organization, event_type);
    Ok(cursor::page("event-types", found, limit, |event_type| event_type.key.clone(), show))
}

/// `GET /event-types/{key}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let organization = &call.caller.machine()?.scope.organization;
    let key = call.decoded("key");
    let found = event_types::find(platform.control(), organization, &key).await?;
    Ok(Reply::versioned(&show(organization, &found), &found.tag()))
}

/// `PUT /event-types/{key}`: creates it, or takes the place of the one that is there.
pub async fn put<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let caller = call.caller.machine()?;
    let key = call.decoded("key");
    let mut fields = Fields::parse(call.body()?)?;
    if let Err(msg) = check_name(&key) {
        fields.fail("key", msg);
    }
    let now_ms = platform.now_ms();
    let event_type = EventType {
        label: fields.checked_text("label", label).unwrap_or_else(|| key.clone()),
        description: fields.checked_text("description", check_description),
        group: fields.checked_text("group", label),
        example: fields.checked_text("example", check_payload),
        visible: fields.flag("visible").unwrap_or(true),
        key,
        created_by: caller.created_by.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        version: 1,
    };
    fields.finish()?;
    let stored = app::put(platform, caller, &event_type, &call.expected()).await?;
    let organization = &caller.scope.organization;
    Ok(Reply::versioned(&show(organization, &stored), &stored.tag()))
}

/// `PATCH /event-types/{key}`: what is left out is kept, `null` takes away what may be missing.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let caller = call.caller.machine()?;
    let key = call.decoded("key");
    let mut fields = Fields::parse(call.body()?)?;
    let mut cleared = |name: &str, check: fn(&str) -> std::result::Result<(), String>| {
        fields.has(name).then(|| fields.checked_text(name, check))
    };
    let description = cleared("description", check_description);
    let group = cleared("group", label);
    let example = cleared("example", check_payload);
    let change = app::Change {
        label: fields.checked_text("label", label),
        description,
        group,
        example,
        visible: fields.flag("visible"),
    };
    fields.finish()?;
    let changed = app::change(platform, caller, &key, &change, &call.expected()).await?;
    let organization = &caller.scope.organization;
    Ok(Reply::versioned(&show(organization, &changed), &changed.tag()))
}

/// `DELETE /event-types/{key}`. What was emitted under this name stays.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let key = call.decoded("key");
    app::delete(platform, call.caller.machine()?, &key, &call.expected()).await?;
    Ok(Reply::ok(&json!({"key": key})))
}

/// `GET /workspaces/{id}/event-types`: the catalogue, and what the workspace has emitted besides.
pub async fn of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let caller = call.caller.machine()?;
    let workspace = call.id("id", "workspace")?;
    let emitted = app::names(platform, caller, &workspace, Kind::Event).await?;
    let organization = &caller.scope.organization;
    let catalogue = event_types::list(platform.control(), organization, "", CATALOGUE_MAX).await?;
    let mut shown: Vec<Value> =
        catalogue.iter().map(|event_type| show(organization, event_type)).collect();
    let is_new = |name: &str| catalogue.iter().all(|event_type| event_type.key != name);
    let others = emitted.iter().filter(|name| is_new(&name.name));
    shown.extend(others.map(|name| show_emitted(&workspace, Kind::Event, name)));
    Ok(Reply::ok(&Value::from(shown)))
}

/// `GET /workspaces/{id}/resources`: what the workspace has emitted.
pub async fn resources<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let workspace = call.id("id", "workspace")?;
    let caller = call.caller.machine()?;
    let found = app::names(platform, caller, &workspace, Kind::Resource).await?;
    let show = |name| show_emitted(&workspace, Kind::Resource, name);
    Ok(Reply::ok(&found.iter().map(show).collect()))
}

fn show_emitted(workspace: &str, kind: Kind, name: &Name) -> Value {
    let first_seen = rfc3339(name.created_at_ms);
    json!({
        "id": name_id(workspace, kind.as_str(), &name.name),
        "key": name.name,
        "label": name.name,
        "active": true,
        "created_by": "events",
        "created_at": first_seen,
        "updated_at": first_seen,
    })
}
