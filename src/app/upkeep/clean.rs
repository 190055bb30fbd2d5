//! Deletes what has had its time in small steps: sessions, what is left of deleted organizations
//! and workspaces.

use crate::app::sessions;
use crate::app::upkeep::budget::Budget;
use crate::app::upkeep::{deleted_organizations, deleted_workspaces};
use crate::domain::base::error::Result;
use crate::domain::base::limits::ENDED_STEPS;
use crate::ports::Platform;
use crate::store::changes;

/// Goes on deleting on a shard; whether that is all for now.
///
/// # Errors
/// When a database does not answer.
pub async fn clean<P: Platform>(platform: &P, shard: u16, statements: &mut Budget) -> Result<bool> {
    // The keys that were revoked, the steps that end their sessions, the old ones, and old changes.
    statements.take(3 + ENDED_STEPS);
    let forgotten = sessions::forget_old(platform, shard).await;
    let buried = match shard {
        0 => {
            let buried = deleted_organizations::clear_some(platform, statements).await;
            let forgotten = changes::forget_old(platform.control(), platform.now_ms()).await;
            buried.and_then(|is_all| forgotten.map(|()| is_all))
        }
        _ => Ok(true),
    };
    let cleared = deleted_workspaces::clear_some(platform, shard, statements).await;
    forgotten.and(buried).and_then(|buried| Ok(buried && cleared?))
}
