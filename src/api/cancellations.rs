//! `/workspaces/{id}/cancellations`: canceling all that a range of events still owes.

use serde_json::json;

use crate::api::replays::read_range;
use crate::app::cancellations;
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::delivery::replay::Which;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `POST /workspaces/{id}/cancellations`; with `dry_run` it only counts.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.body()?)?;
    let selection = read_range(&mut fields, Which::Owed);
    let dry_run = fields.flag("dry_run").unwrap_or(false);
    fields.finish()?;
    let actor = call.caller.machine()?;
    let count = cancellations::cancel(platform, actor, &id, &selection, dry_run).await?;
    Ok(Reply::ok(&json!({"count": count})))
}
