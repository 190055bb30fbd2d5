//! Canceling all that a range of events still owes, which undoes a bad emit as far as that goes.

use crate::app::cancel::cancel_all;
use crate::app::common::history_db;
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{CANCEL_STEP, REPLAY_DELIVERIES_MAX};
use crate::domain::delivery::replay::{Counted, Selection};
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::cancellations::{self, Range};
use crate::store::{targets, workspaces};

/// Cancels what the events of a workspace still owe that were accepted in a range of time, or only
/// counts it; how many deliveries that are.
///
/// # Errors
/// `NotFound` when the actor has no such workspace, or that no such connection; `Invalid` and
/// `Refused` naming what is wrong with the range, or that it holds too many.
pub async fn cancel<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    selection: &Selection,
    only_counts: bool,
) -> Result<usize> {
    selection.check()?;
    let home = workspaces::find(platform.control(), &actor.scope, workspace).await?.home();
    if let Some(only) = &selection.connection {
        let found = targets::ids(platform.control(), &home.workspace, Some(only), false).await?;
        found.first().ok_or_else(|| Error::not_found("connection"))?;
    }
    ask::flushed(platform, &home.workspace).await?;
    let (first, end) = selection.events();
    let range = Range {
        workspace: home.workspace.clone(),
        first,
        end,
        event: selection.event.clone(),
        connection: selection.connection.clone(),
    };
    let log = history_db(platform, home.shard)?;
    let (chosen, read) = cancellations::count(log, &range, REPLAY_DELIVERIES_MAX + 1).await?;
    let count = Counted { read, chosen }.checked()?;
    if only_counts {
        return Ok(count);
    }
    let mut canceled = 0;
    // Each step takes what it finds, so that a call that was cut off can be sent again.
    for _ in 0..count.div_ceil(CANCEL_STEP) {
        let keys = cancellations::owed(log, &range, CANCEL_STEP).await?;
        canceled += cancel_all(platform, home.shard, &keys).await?;
    }
    Ok(canceled)
}
