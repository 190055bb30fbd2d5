//! `/workspaces`.

use serde_json::{Value, json};

use crate::api::limits::{self, LimitsChange};
use crate::api::publishable_keys;
use crate::api::retention::{self, RetentionChange};
use crate::app::common::set;
use crate::app::upkeep::deleted_workspaces;
use crate::app::workspaces::{self as app_workspaces, NewWorkspace};
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::retention::RetentionChoice;
use crate::domain::tenants::workspace::{
    Limits, check_description, check_environment, check_external_id, check_name,
};
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::publishable_keys::PublishableKey;
use crate::store::workspaces::{self, Workspace};

fn show(workspace: &Workspace) -> Value {
    let mut shown = without_nulls(json!({
        "id": workspace.id,
        "name": workspace.name,
        "environment": workspace.environment,
        "external_id": workspace.external_id,
        "created_at": rfc3339(workspace.created_at_ms),
        "updated_at": rfc3339(workspace.updated_at_ms),
    }));
    // The one field that the contract shows as `null`.
    shown["description"] = json!(workspace.description);
    retention::show(&mut shown, workspace.kept());
    limits::show(&mut shown, workspace.limits);
    shown
}

fn show_with_key((workspace, key): (Workspace, Option<PublishableKey>)) -> Value {
    let mut shown = show(&workspace);
    if let Some(key) = &key {
        shown["publishable_key"] = publishable_keys::show(key);
    }
    shown
}

/// `GET /workspaces`, by name; those of an environment, or the one with an external id.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let limit = call.wide_limit()?;
    let (control, scope) = (platform.control(), &call.caller.machine()?.scope);
    let list = cursor::list_of("workspaces", scope);
    let after: Option<String> = cursor::read(call, &list)?;
    let after = after.unwrap_or_default();
    let environment = call.request.query("environment");
    let environment = environment.as_deref();
    let found = match call.request.query("external_id") {
        None => {
            let organization = &scope.organization;
            workspaces::list(control, organization, environment, &after, limit + 1).await?
        }
        Some(id) => {
            let one = workspaces::find_by_external_id(control, &scope.organization, &id).await?;
            let asked_for = |one: &Workspace| {
                environment.is_none_or(|only| one.environment.as_deref() == Some(only))
                    && one.name > after
            };
            one.into_iter().filter(asked_for).collect()
        }
    };
    Ok(cursor::page(&list, found, limit, |w| w.name.clone(), show))
}

/// `POST /workspaces`: 200 with the one that has this external id, where there is one.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let new = NewWorkspace {
        name: fields.required_checked_text("name", check_name),
        description: fields.checked_text("description", check_description),
        environment: fields.checked_text("environment", check_environment),
        external_id: fields.checked_text("external_id", check_external_id),
        retention: RetentionChange::read(&mut fields).apply(RetentionChoice::default()),
        limits: LimitsChange::read(&mut fields).apply(Limits::default()),
    };
    fields.finish()?;
    let actor = call.caller.machine()?;
    let (workspace, is_new) = app_workspaces::create(platform, actor, new).await?;
    let with_key =
        workspaces::find_with_key(platform.control(), &actor.scope, &workspace.id).await?;
    let shown = json!({"workspace": show_with_key(with_key)});
    Ok(if is_new { Reply::created(&shown) } else { Reply::ok(&shown) })
}

/// `GET /workspaces/{id}`, with its publishable key.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let scope = &call.caller.machine()?.scope;
    let id = call.id("id", "workspace")?;
    let with_key = workspaces::find_with_key(platform.control(), scope, &id).await?;
    let tag = with_key.0.tag();
    Ok(Reply::versioned(&show_with_key(with_key), &tag))
}

/// `PUT /workspaces/{id}`: `null` clears what may be cleared, leaving it out keeps it.
pub async fn put<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    change(platform, call, true).await
}

/// `PATCH /workspaces/{id}`: the same, and `name` may be left out.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    change(platform, call, false).await
}

async fn change<P: Platform>(platform: &P, call: &Call, needs_name: bool) -> Result<Reply> {
    let actor = call.caller.machine()?;
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.body()?)?;
    if needs_name && (!fields.has("name") || fields.is_null("name")) {
        fields.fail("name", "is required");
    }
    let name = fields.checked_text("name", check_name);
    let mut cleared = |name: &str, check: fn(&str) -> std::result::Result<(), String>| {
        fields.has(name).then(|| fields.checked_text(name, check))
    };
    let description = cleared("description", check_description);
    let environment = cleared("environment", check_environment);
    let external_id = cleared("external_id", check_external_id);
    let retention = RetentionChange::read(&mut fields);
    let limits = LimitsChange::read(&mut fields);
    fields.finish()?;
    let edit = |workspace: &mut Workspace| {
        set(&mut workspace.name, &name);
        set(&mut workspace.description, &description);
        set(&mut workspace.environment, &environment);
        set(&mut workspace.external_id, &external_id);
        workspace.retention = retention.apply(workspace.retention);
        workspace.limits = limits.apply(workspace.limits);
    };
    let changed = app_workspaces::change(platform, actor, &id, &call.expected(), edit).await?;
    Ok(Reply::versioned(&show(&changed), &changed.tag()))
}

/// `DELETE /workspaces/{id}`, with `force_delete` also when it has connections or rules.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.optional_body()?)?;
    let force = fields.flag("force_delete").unwrap_or(false);
    fields.finish()?;
    let (actor, expected) = (call.caller.machine()?, call.expected());
    deleted_workspaces::delete(platform, actor, &id, force, &expected).await?;
    Ok(Reply::ok(&json!({"id": id})))
}
