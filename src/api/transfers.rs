//! `/workspaces/{id}/history`: all that became of a workspace's events, to take it elsewhere.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::transfers::{self, Renamed};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::MOVED_AT_ONCE;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::transfers::MovedEvent;

/// `GET /workspaces/{id}/history`: the oldest first.
pub async fn export<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (id, actor) = (call.id("id", "workspace")?, call.caller.machine()?);
    let list = cursor::list_of("history", &actor.scope.within(&id));
    let after: Option<String> = cursor::read(call, &list)?;
    let limit = call.limit()?.min(MOVED_AT_ONCE);
    let (found, next) =
        transfers::export(platform, actor, &id, &after.unwrap_or_default(), limit).await?;
    let records = found.iter().map(show).collect();
    Ok(cursor::page_to(&list, records, limit, next.as_ref()))
}

fn show(event: &MovedEvent) -> Value {
    let mut shown = json!(event);
    let deliveries = shown["deliveries"].as_array_mut().map(std::mem::take).unwrap_or_default();
    shown["deliveries"] = deliveries.into_iter().map(without_nulls).collect();
    shown
}

/// What an import sends.
#[derive(Deserialize)]
struct History {
    #[serde(default)]
    connections: HashMap<String, String>,
    #[serde(default)]
    rules: HashMap<String, String>,
    events: Vec<MovedEvent>,
}

/// `POST /workspaces/{id}/history`, for the operator.
pub async fn import<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let read: std::result::Result<History, _> = serde_json::from_str(call.body()?);
    let History { connections, rules, events } =
        read.map_err(|e| Error::field("events", format!("is no history: {e}")))?;
    let renamed = Renamed { connections, rules };
    let imported = transfers::import(platform, &id, &renamed, events).await?;
    Ok(Reply::ok(&json!({"events": imported.events, "left_out": imported.left_out})))
}
