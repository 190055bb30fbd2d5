//! `/workspaces`.

use serde_json::{Value, json};

use crate::app;
use crate::domain::error::Result;
use crate::domain::fields::Fields;
use crate::domain::time::rfc3339;
use crate::domain::workspace::{check_description, check_name};
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::workspaces::{self, PublishableKey, Workspace};

fn show(workspace: &Workspace) -> Value {
    json!({
        "id": workspace.id,
        "name": workspace.name,
        "description": workspace.description,
        "created_at": rfc3339(workspace.created_at_ms),
        "updated_at": rfc3339(workspace.updated_at_ms),
    })
}

fn show_with_key(workspace: &Workspace, key: Option<&PublishableKey>) -> Value {
    let mut shown = show(workspace);
    shown["publishable_key"] =
        key.map_or(Value::Null, |key| json!({"public_key": key.public_key, "name": key.name}));
    shown
}

/// `GET /workspaces`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    let after: Option<String> = cursor::read(call, "workspaces")?;
    let scope = &call.caller.machine()?.scope;
    let after = after.unwrap_or_default();
    let found =
        workspaces::list(platform.control(), &scope.organization, &after, limit + 1).await?;
    Ok(cursor::page("workspaces", found, limit, |w| w.name.clone(), show))
}

/// `POST /workspaces`.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let name = fields.required_checked_text("name", check_name);
    let description = fields.checked_text("description", check_description);
    fields.finish()?;
    let scope = &call.caller.machine()?.scope;
    let created =
        app::workspaces::create(platform, &scope.organization, &name, description.as_deref())
            .await?;
    let (created, key) =
        workspaces::find_with_key(platform.control(), scope, &created.id, platform.now_ms())
            .await?;
    Ok(Reply::created(&json!({"workspace": show_with_key(&created, key.as_ref())})))
}

/// `GET /workspaces/{id}`, with its publishable key.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let scope = &call.caller.machine()?.scope;
    let id = call.id("id", "workspace")?;
    let (workspace, key) =
        workspaces::find_with_key(platform.control(), scope, &id, platform.now_ms()).await?;
    Ok(Reply::ok(&show_with_key(&workspace, key.as_ref())))
}

/// `PUT /workspaces/{id}`: `description: null` clears it, leaving it out keeps it.
pub async fn put<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    change(platform, call, true).await
}

/// `PATCH /workspaces/{id}`: the same, and `name` may be left out.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    change(platform, call, false).await
}

async fn change<P: Platform>(platform: &P, call: &Call, needs_name: bool) -> Result<Reply> {
    let control = platform.control();
    let scope = &call.caller.machine()?.scope;
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.body()?)?;
    if needs_name && (!fields.has("name") || fields.is_null("name")) {
        fields.fail("name", "is required");
    }
    let name = fields.checked_text("name", check_name);
    let description = fields.checked_text("description", check_description);
    let keeps_description = !fields.has("description");
    fields.finish()?;
    let mut workspace = workspaces::find(control, scope, &id).await?;
    workspace.name = name.unwrap_or(workspace.name);
    workspace.updated_at_ms = platform.now_ms();
    if !keeps_description {
        workspace.description = description;
    }
    let description = workspace.description.as_deref();
    let now_ms = workspace.updated_at_ms;
    workspaces::update(control, &scope.organization, &id, &workspace.name, description, now_ms)
        .await?;
    Ok(Reply::ok(&show(&workspace)))
}
