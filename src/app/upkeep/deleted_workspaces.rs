//! Deleting a workspace. One batch makes it unreachable. Its data is then deleted in bounded steps,
//! the first of them at once and the rest by the sweeper.
//!
//! A request that read CONTROL before that batch can still store something after it: an event, a
//! connection, a session. So the workspace is forgotten only when nothing is left some minutes
//! later.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::connections::settle_deleted;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::{CLEARED_CONNECTIONS, CLEARED_SESSIONS};
use crate::domain::base::time::MINUTE_MS;
use crate::domain::base::version::Expected;
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::deleted_workspaces::{self as stored, Deleted};
use crate::store::{replays, sessions, workspace_history, workspaces};

/// Steps of one kind that one call does.
const STEPS_AT_ONCE: usize = 5;
/// Steps of its history that one call does, a thousand rows of each table.
const HISTORY_STEPS_AT_ONCE: usize = 10;

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
    if let Err(error) = clear(platform, &deleted).await {
        complain(platform, &deleted, &error);
    }
    Ok(())
}

/// Clears away what is left of some deleted workspaces of a shard. One that fails is logged and
/// does not keep the others.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn clear_some<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    for deleted in stored::list(platform.control(), shard).await? {
        let cleared = clear(platform, &deleted).await;
        let is_old = platform.now_ms() - deleted.deleted_at_ms >= FORGET_AFTER_MS;
        let done = match cleared {
            Ok(true) if is_old => stored::forget(platform.control(), &deleted).await,
            other => other.map(drop),
        };
        if let Err(error) = done {
            complain(platform, &deleted, &error);
        }
    }
    Ok(())
}

fn complain<P: Platform>(platform: &P, deleted: &Deleted, error: &Error) {
    platform.log_event(&json!({"at": "delete_workspace", "workspace": deleted.workspace,
        "error": error.to_string()}));
}

/// Does some steps; whether nothing was left.
async fn clear<P: Platform>(platform: &P, deleted: &Deleted) -> Result<bool> {
    let (control, workspace) = (platform.control(), &deleted.workspace);
    let log = history_db(platform, deleted.shard)?;
    let now_ms = platform.now_ms();
    let mut left = 0;
    for _ in 0..STEPS_AT_ONCE {
        let ended = sessions::revoke_some(log, workspace, now_ms).await?;
        left += ended;
        if ended < CLEARED_SESSIONS {
            break;
        }
    }
    left += replays::cancel_all(log, workspace, now_ms).await?;
    for _ in 0..STEPS_AT_ONCE {
        let more = stored::delete_rules(control, workspace).await?;
        left += usize::from(more);
        if !more {
            break;
        }
    }
    for _ in 0..STEPS_AT_ONCE {
        let connections = stored::delete_connections(control, workspace).await?;
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
    let mut has_history = true;
    for _ in 0..HISTORY_STEPS_AT_ONCE {
        has_history = workspace_history::clear(log, workspace).await?;
        if !has_history {
            break;
        }
    }
    Ok(left == 0 && !has_history)
}
