//! Making connections inactive and active again. CONTROL is written first, then LOG. An emit or a
//! consumer that still saw the old state leaves deliveries behind; the consumer then holds them, or
//! the sweeper releases them.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::wake::wake;
use crate::domain::base::error::Result;
use crate::domain::base::limits::{HELD_STEP, SWEEP_CONNECTIONS};
use crate::domain::connection::health::Warning;
use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::connection_states;
use crate::store::connections::{self, Connection};
use crate::store::targets::{self, Wanted};
use crate::store::{held, lanes};

/// What becomes of held deliveries when their connection is activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Held {
    /// They are sent.
    #[default]
    Deliver,
    /// They are canceled.
    Cancel,
}

/// Steps of held deliveries that one call handles; the sweeper releases the rest.
const STEPS_AT_ONCE: usize = 4;

/// Makes a connection inactive; what it owes is held.
///
/// # Errors
/// `NotFound` when the organization has no such connection.
pub async fn deactivate<P: Platform>(platform: &P, actor: &Actor, id: &str) -> Result<Connection> {
    let control = platform.control();
    let found = connections::find(control, &actor.scope, id).await?;
    let (reason, now_ms) = (InactiveReason::Paused, platform.now_ms());
    if found.active {
        connection_states::set_active(control, &found.workspace, id, Some(reason), now_ms).await?;
    }
    held::hold_connection(history_db(platform, found.shard)?, &found.workspace, id).await?;
    connections::find(control, &actor.scope, id).await
}

/// Makes a connection active; what was held is sent, oldest first, or canceled.
///
/// # Errors
/// `NotFound` when the organization has no such connection.
pub async fn activate<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    what: Held,
) -> Result<Connection> {
    let control = platform.control();
    let found = connections::find(control, &actor.scope, id).await?;
    let workspace = &found.workspace;
    let log = history_db(platform, found.shard)?;
    if what == Held::Cancel {
        // Before it is active, or the sweeper could release what is to be canceled.
        while held::cancel_connection(log, workspace, id, platform.now_ms()).await? >= HELD_STEP {}
    }
    connection_states::set_active(control, workspace, id, None, platform.now_ms()).await?;
    // What failed so far does not count any more, or the next failure would end it again.
    lanes::forgive(log, workspace, id).await?;
    for _ in 0..STEPS_AT_ONCE {
        if release(platform, found.shard, workspace, id).await? < HELD_STEP {
            break;
        }
    }
    connections::find(control, &actor.scope, id).await
}

/// Makes connections inactive whose endpoint asked for it or failed for days. To be called before
/// that answer is recorded, and [`hold_inactive`] after with those that are returned: a delivery
/// that is held already would not be recorded. One that was changed meanwhile stays as it is. A
/// failure is logged: the next delivery to such an endpoint leads here again.
pub async fn mark_inactive<P: Platform>(
    platform: &P,
    inactive: Vec<SwitchOff>,
) -> Vec<(String, String)> {
    let (control, now_ms, mut marked) = (platform.control(), platform.now_ms(), Vec::new());
    for SwitchOff { workspace, connection, reason, unchanged_since_ms: since_ms } in inactive {
        let (w, c) = (workspace.as_str(), connection.as_str());
        match connection_states::switch_off(control, w, c, reason, since_ms, now_ms).await {
            Ok(true) => marked.push((workspace, connection)),
            Ok(false) => {}
            Err(error) => complain(platform, "deactivate", c, Err(error)),
        }
    }
    marked
}

/// A connection whose endpoint asked for it, or failed for days.
#[derive(Debug)]
pub struct SwitchOff {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// Why.
    pub reason: InactiveReason,
    /// When it was changed last, as the attempt knew it.
    pub unchanged_since_ms: i64,
}

/// Holds what else these connections owe; the consumer holds what this leaves.
pub async fn hold_inactive<P: Platform>(platform: &P, shard: u16, inactive: &[(String, String)]) {
    for (workspace, connection) in inactive {
        let held = match history_db(platform, shard) {
            Ok(log) => held::hold_connection(log, workspace, connection).await,
            Err(error) => Err(error),
        };
        complain(platform, "deactivate", connection, held);
    }
}

/// Notes warnings that nothing succeeds, or that they are over. A warning that is lost is given at
/// the next failure.
pub async fn warn<P: Platform>(platform: &P, warnings: &[Warning]) {
    for Warning { workspace, connection, says } in warnings {
        let warned =
            connection_states::warn(platform.control(), workspace, connection, *says).await;
        complain(platform, "warn", connection, warned);
    }
}

fn complain<P: Platform>(platform: &P, at: &str, connection: &str, result: Result<()>) {
    if let Err(error) = result {
        let error = error.to_string();
        platform.log_event(&json!({"at": at, "connection": connection, "error": error}));
    }
}

/// Releases one step of a connection's held deliveries and wakes them, oldest first. Returns how
/// many.
async fn release<P: Platform>(
    platform: &P,
    shard: u16,
    workspace: &str,
    connection: &str,
) -> Result<usize> {
    let log = history_db(platform, shard)?;
    let now_ms = platform.now_ms();
    let released = held::release_connection(log, workspace, connection, now_ms).await?;
    let job = |one: &held::Released| {
        let key = DeliveryKey {
            workspace: workspace.to_owned(),
            connection: connection.to_owned(),
            event: one.event.clone(),
            rule: one.rule,
        };
        Job::new(shard, key, one.attempts + 1, one.payload_bytes)
    };
    let jobs: Vec<Job> = released.iter().map(job).collect();
    if let Err(error) = wake(platform, &jobs, 0).await {
        platform.log_event(&json!({"at": "release", "unsent_jobs": jobs.len(),
            "error": error.to_string()}));
    }
    Ok(released.len())
}

/// Releases held deliveries whose connection is active: an emit saw it inactive and was stored
/// after it had been activated. Those of a connection that is gone are canceled. Returns how many
/// went on.
///
/// # Errors
/// When a database does not answer.
pub async fn release_forgotten<P: Platform>(platform: &P, shard: u16) -> Result<usize> {
    let log = history_db(platform, shard)?;
    let mut after = (String::new(), String::new());
    let mut released = 0;
    loop {
        let with_held = held::connections(log, &after).await?;
        let Some(last) = with_held.last().cloned() else { return Ok(released) };
        released += release_some(platform, shard, &with_held).await?;
        if with_held.len() < SWEEP_CONNECTIONS {
            return Ok(released);
        }
        after = last;
    }
}

async fn release_some<P: Platform>(
    platform: &P,
    shard: u16,
    with_held: &[(String, String)],
) -> Result<usize> {
    let named = with_held.iter().map(|(w, c)| (w.as_str(), c.as_str(), Vec::new()));
    let named: Vec<Wanted<'_>> = named.collect();
    let targets = targets::find(platform.control(), &named).await?;
    let mut released = 0;
    for (workspace, connection, _) in named {
        match targets.iter().find(|target| target.connection == connection) {
            Some(target) if !target.active => {}
            Some(_) => released += release(platform, shard, workspace, connection).await?,
            None => {
                let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
                held::cancel_deleted(log, workspace, connection, now_ms).await?;
            }
        }
    }
    Ok(released)
}
