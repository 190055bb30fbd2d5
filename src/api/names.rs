//! `/workspaces/{id}/event-types` and `/workspaces/{id}/resources`: what the workspace has
//! emitted, as bare arrays.

use serde_json::{Value, json};

use crate::app::events;
use crate::domain::error::Result;
use crate::domain::ids::name_id;
use crate::domain::time::rfc3339;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::names::{Kind, Name};

/// `GET /workspaces/{id}/event-types`.
pub async fn event_types<P: Platform>(platform: &P, call: Call) -> Result<Reply> {
    list(platform, &call, Kind::Event).await
}

/// `GET /workspaces/{id}/resources`.
pub async fn resources<P: Platform>(platform: &P, call: Call) -> Result<Reply> {
    list(platform, &call, Kind::Resource).await
}

async fn list<P: Platform>(platform: &P, call: &Call, kind: Kind) -> Result<Reply> {
    let workspace = call.id("id", "workspace")?;
    let found = events::names(platform, call.caller.machine()?, &workspace, kind).await?;
    let shown: Vec<Value> = found.iter().map(|name| show(&workspace, kind, name)).collect();
    Ok(Reply::ok(&Value::from(shown)))
}

fn show(workspace: &str, kind: Kind, name: &Name) -> Value {
    let first_seen = rfc3339(name.created_at_ms);
    json!({
        "id": name_id(workspace, kind.as_str(), &name.name),
        "key": name.name,
        "label": name.name,
        "description": null,
        "active": true,
        "created_by": "events",
        "created_at": first_seen,
        "updated_at": first_seen,
    })
}
