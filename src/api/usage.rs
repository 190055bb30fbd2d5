//! `/usage`: what workspaces used in a month.

use serde_json::{Value, json};

use crate::app::usage;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::time::{month, parse_rfc3339, rfc3339};
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::event_counts::Used;
use crate::store::workspaces::Workspace;

/// The month that is asked for as `YYYY-MM`, the present one by default: when it began, and when
/// the next one did.
fn asked_month<P: Platform>(platform: &P, call: &Call) -> Result<(i64, i64)> {
    let Some(text) = call.request.query("month") else { return Ok(month(platform.now_ms())) };
    let is_month = text.len() == 7 && text.as_bytes()[4] == b'-';
    let first = is_month.then(|| parse_rfc3339(&format!("{text}-01T00:00:00Z"))).flatten();
    let msg = "must be a month such as 2026-01";
    first.map(month).ok_or_else(|| Error::field("month", msg))
}

/// `GET /usage`, by name of the workspace.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let asked = asked_month(platform, call)?;
    let (limit, actor) = (call.limit()?, call.caller.machine()?);
    let list = cursor::list_of("usage", &actor.scope);
    let after: String = cursor::read(call, &list)?.unwrap_or_default();
    let found = usage::list(platform, actor, asked, &after, limit + 1).await?;
    let word = rfc3339(asked.0)[..7].to_owned();
    let show = |(workspace, used): &(Workspace, Used)| -> Value {
        without_nulls(json!({
            "workspace": workspace.id,
            "name": workspace.name,
            "external_id": workspace.external_id,
            "month": word,
            "events": used.events,
            "deliveries": used.deliveries,
        }))
    };
    Ok(cursor::page(&list, found, limit, |(workspace, _)| workspace.name.clone(), show))
}
