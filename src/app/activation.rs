//! Making connections inactive and active again. CONTROL is written first, then LOG. An emit or a
//! consumer that still saw the old state leaves deliveries behind; the consumer then holds them, or
//! the sweeper releases them.

use serde_json::json;

use crate::app::changes;
use crate::app::common::history_db;
use crate::app::delivery::wake::wake;
use crate::app::intake::ask;
use crate::app::upkeep::budget::Budget;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{HELD_STEP, SWEEP_CONNECTIONS};
use crate::domain::connection::health::Warning;
use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::Action;
use crate::ports::{Database, Platform};
use crate::store::connection_states;
use crate::store::connections::{self, Connection};
use crate::store::sweeps::Position;
use crate::store::{held, lanes, targets};

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

/// Steps of held deliveries that one call cancels: 100,000 deliveries.
const CANCEL_STEPS_AT_ONCE: usize = 200;

/// Makes a connection inactive; what it owes is held.
///
/// # Errors
/// `NotFound` when the organization has no such connection.
pub async fn deactivate<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    reason: InactiveReason,
) -> Result<Connection> {
    let control = platform.control();
    let found = connections::find(control, &actor.scope, id).await?;
    let now_ms = platform.now_ms();
    if found.active {
        let change = changes::of(platform, actor, &found.workspace, &found, Action::Deactivated);
        let (workspace, change) = (&found.workspace, Some(&change));
        let set =
            connection_states::set_active(control, workspace, id, Some(reason), now_ms, change);
        set.await?;
        ask::changed(platform, workspace).await;
    }
    held::hold_connection(history_db(platform, found.shard)?, &found.workspace, id).await?;
    connections::find(control, &actor.scope, id).await
}

/// Makes a connection active; what was held is sent, oldest first, or canceled.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Unavailable` when it holds more than
/// one call cancels: it stays inactive, and the same call goes on.
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
        cancel_held(log, workspace, id, platform.now_ms()).await?;
    }
    let change =
        (!found.active).then(|| changes::of(platform, actor, workspace, &found, Action::Activated));
    let (now_ms, change) = (platform.now_ms(), change.as_ref());
    connection_states::set_active(control, workspace, id, None, now_ms, change).await?;
    ask::changed(platform, workspace).await;
    // What failed so far does not count any more, or the next failure would end it again.
    lanes::forgive(log, workspace, id).await?;
    for _ in 0..STEPS_AT_ONCE {
        if release(platform, found.shard, workspace, id).await? < HELD_STEP {
            break;
        }
    }
    connections::find(control, &actor.scope, id).await
}

/// Cancels what a connection holds, in a bounded number of steps.
async fn cancel_held(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    now_ms: i64,
) -> Result<()> {
    for _ in 0..CANCEL_STEPS_AT_ONCE {
        if held::cancel_connection(log, workspace, connection, now_ms).await? < HELD_STEP {
            return Ok(());
        }
    }
    let canceled = CANCEL_STEPS_AT_ONCE * HELD_STEP;
    Err(Error::unavailable(format!("{canceled} held deliveries were canceled, and more are left")))
}

/// Makes connections inactive whose endpoint asked for it or failed for days. To be called before
/// that answer is recorded, and [`hold_inactive`] after with those that are returned: a delivery
/// that is held already would not be recorded. One that was changed meanwhile stays as it is. A
/// failure is logged: the next delivery to such an endpoint leads here again.
pub async fn mark_inactive<P: Platform>(
    platform: &P,
    inactive: Vec<SwitchOff>,
) -> Vec<(String, String)> {
    let (control, mut marked) = (platform.control(), Vec::new());
    for SwitchOff { workspace, connection, reason, unchanged_since_ms: since_ms } in inactive {
        let (w, c) = (workspace.as_str(), connection.as_str());
        let change = changes::switched_off(platform, w, c, reason);
        match connection_states::switch_off(control, w, c, reason, since_ms, &change).await {
            Ok(true) => {
                // Nobody waits for an answer: what comes meanwhile the consumer holds.
                ask::tell(platform, &workspace).await;
                marked.push((workspace, connection));
            }
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
        let (control, now_ms) = (platform.control(), platform.now_ms());
        let warned = connection_states::warn(control, workspace, connection, *says, now_ms).await;
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
/// after it had been activated. Those of a connection that is gone are canceled. It goes on from
/// `position` as far as the budget reaches. Returns how many went on.
///
/// # Errors
/// When a database does not answer.
pub async fn release_forgotten<P: Platform>(
    platform: &P,
    shard: u16,
    position: &mut Position,
    statements: &mut Budget,
) -> Result<usize> {
    let log = history_db(platform, shard)?;
    let mut is_around = *position == Position::default();
    let mut released = 0;
    // The connections of the shard, and what they are now.
    while statements.take(2) {
        let with_held = held::connections(log, position).await?;
        let is_last = with_held.len() < SWEEP_CONNECTIONS;
        let known = targets::active(platform.control(), &with_held).await?;
        for (workspace, connection) in with_held {
            let found = known.iter().find(|(id, _)| *id == connection);
            if found.is_none_or(|(_, is_active)| *is_active) {
                if !statements.take(1) {
                    return Ok(released);
                }
                let is_gone = found.is_none();
                released += go_on(platform, shard, &workspace, &connection, is_gone).await?;
            }
            *position = (workspace, connection);
        }
        if is_last {
            *position = Position::default();
            if is_around {
                break;
            }
            is_around = true;
        }
    }
    Ok(released)
}

/// Releases one step of what a connection holds, or cancels it; how many were released.
async fn go_on<P: Platform>(
    platform: &P,
    shard: u16,
    workspace: &str,
    connection: &str,
    is_gone: bool,
) -> Result<usize> {
    if !is_gone {
        return release(platform, shard, workspace, connection).await;
    }
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    held::cancel_deleted(log, workspace, connection, now_ms).await.map(|_| 0)
}
