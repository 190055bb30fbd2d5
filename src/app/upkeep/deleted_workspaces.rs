//! Deleting a workspace. One batch makes it unreachable. Its data is then deleted in bounded steps,
//! the first of them at once and the rest by the sweeper.
//!
//! A request that read CONTROL before that batch can still store something after it: an event, a
//! connection, a session. So the workspace is forgotten only when nothing is left some minutes
//! later.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::connections::settle_deleted;
use crate::app::intake::ask;
use crate::app::upkeep::budget::Budget;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::{CLEARED_CONNECTIONS, CLEARED_SESSIONS};
use crate::domain::base::time::MINUTE_MS;
use crate::domain::base::version::Expected;
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::deleted_workspaces::{self as stored, Deleted};
use crate::store::{replays, sessions, workspace_history, workspaces};

/// Statements that a deletion itself spends on clearing away; the cron goes on.
const CLEARED_AT_ONCE: usize = 450;

/// Statements that a step of its rules and changes costs, and of its connections.
const PER_RULES_STEP: usize = 3;
const PER_CONNECTIONS_STEP: usize = 4;
/// Statements of each connection: what it owed and held is canceled, its lane and counter go.
const PER_CONNECTION: usize = 4;
/// Statements that a step of its history costs.
const PER_HISTORY_STEP: usize = 15;

/// How long after its deletion a workspace can be forgotten.
pub const FORGET_AFTER_MS: i64 = 5 * MINUTE_MS;

/// Deletes a workspace: its keys and sessions, its rules and connections; what it still owed is
/// canceled, and its history is erased.
///
/// # Errors
/// `NotFound` when the actor has no such workspace; `Conflict` when it has connections or rules and
/// `force` is not set; `PreconditionFailed` when it is of another version.
pub async fn delete<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    force: bool,
    expected: &Expected,
) -> Result<()> {
    let control = platform.control();
    let found = workspaces::find(control, &actor.scope, id).await?;
    expected.check(&found.tag())?;
    let (version, now_ms) = ((!expected.is_any()).then_some(found.version), platform.now_ms());
    let buried = stored::bury(control, &actor.scope, id, force, version, now_ms).await?;
    let Some(deleted) = buried else {
        // Somebody else may have deleted or changed it just now.
        expected.check(&workspaces::find(control, &actor.scope, id).await?.tag())?;
        let used = "The workspace has connections or rules. Delete them first, or pass \
                    force_delete: true";
        return Err(Error::new(Kind::Conflict, used).with_code(Code::InUse));
    };
    ask::changed(platform, id).await;
    let mut statements = Budget::new(CLEARED_AT_ONCE);
    if let Err(error) = clear(platform, &deleted, &mut statements).await {
        complain(platform, &deleted, &error);
    }
    Ok(())
}

/// Clears away what is left of some deleted workspaces of a shard, as far as the budget goes. One
/// that fails is logged and does not keep the others. Returns whether the budget was enough.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn clear_some<P: Platform>(
    platform: &P,
    shard: u16,
    statements: &mut Budget,
) -> Result<bool> {
    statements.take(1);
    for deleted in stored::list(platform.control(), shard).await? {
        // Two for forgetting it, with its notices.
        if !statements.take(2) {
            return Ok(false);
        }
        let cleared = clear(platform, &deleted, statements).await;
        let is_enough = !matches!(cleared, Ok(None));
        let cleared = cleared.map(|left| left == Some(0));
        let is_old = platform.now_ms() - deleted.deleted_at_ms >= FORGET_AFTER_MS;
        let done = match cleared {
            Ok(true) if is_old => stored::forget(platform.control(), &deleted).await,
            other => other.map(drop),
        };
        if let Err(error) = done {
            complain(platform, &deleted, &error);
        }
        if !is_enough {
            return Ok(false);
        }
    }
    Ok(true)
}

fn complain<P: Platform>(platform: &P, deleted: &Deleted, error: &Error) {
    platform.log_event(&json!({"at": "delete_workspace", "workspace": deleted.workspace,
        "error": error.to_string()}));
}

/// Does as many steps as the budget allows. How much there was; `None` when the budget was not
/// enough.
async fn clear<P: Platform>(
    platform: &P,
    deleted: &Deleted,
    statements: &mut Budget,
) -> Result<Option<usize>> {
    let (control, workspace) = (platform.control(), &deleted.workspace);
    let log = history_db(platform, deleted.shard)?;
    let now_ms = platform.now_ms();
    let mut left = 0;
    loop {
        if !statements.take(1) {
            return Ok(None);
        }
        let ended = sessions::revoke_some(log, workspace, now_ms).await?;
        left += ended;
        if ended < CLEARED_SESSIONS {
            break;
        }
    }
    if !statements.take(1) {
        return Ok(None);
    }
    left += replays::cancel_all(log, workspace, now_ms).await?;
    loop {
        if !statements.take(PER_RULES_STEP) {
            return Ok(None);
        }
        let more = stored::delete_rules(control, workspace).await?;
        left += usize::from(more);
        if !more {
            break;
        }
    }
    loop {
        if statements.left() < PER_CONNECTIONS_STEP + CLEARED_CONNECTIONS * PER_CONNECTION {
            return Ok(None);
        }
        let connections = stored::delete_connections(control, workspace).await?;
        // Only what there was is spent, or ten workspaces of which nothing is left use it all up.
        statements.take(PER_CONNECTIONS_STEP + connections.len() * PER_CONNECTION);
        left += connections.len();
        let is_full = connections.len() >= CLEARED_CONNECTIONS;
        for connection in connections {
            let workspace = workspace.clone();
            settle_deleted(
                platform,
                ConnectionQueue { shard: deleted.shard, workspace, connection },
            )
            .await;
        }
        if !is_full {
            break;
        }
    }
    loop {
        if statements.left() < PER_HISTORY_STEP {
            return Ok(None);
        }
        statements.take(PER_HISTORY_STEP);
        if !workspace_history::clear(log, workspace).await? {
            return Ok(Some(left));
        }
        left += 1;
    }
}
