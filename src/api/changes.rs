//! `/workspaces/{id}/changes`: who changed what.

use serde_json::{Value, json};

use crate::app::changes;
use crate::domain::base::error::Result;
use crate::domain::base::time::rfc3339;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::changes::Change;
use crate::store::events::NEWEST;

fn show(change: &Change) -> Value {
    json!({
        "id": change.id,
        "at": rfc3339(change.at_ms),
        "actor": without_nulls(json!({
            "kind": change.author.kind.as_str(),
            "id": change.author.id,
            "external_user_id": change.author.external_user_id,
        })),
        "record": {
            "type": change.record_kind.as_str(),
            "id": change.record,
            "name": change.name,
        },
        "action": change.action.as_str(),
        "fields": change.fields,
    })
}

/// `GET /workspaces/{id}/changes`, newest first.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (id, limit) = (call.id("id", "workspace")?, call.limit()?);
    let actor = call.caller.machine()?;
    let list = format!("changes/{id}");
    let before: Option<String> = cursor::read(call, &list)?;
    let before = before.as_deref().unwrap_or(NEWEST);
    let found = changes::list(platform, actor, &id, before, limit + 1).await?;
    Ok(cursor::page(&list, found, limit, |change| change.id.clone(), show))
}
