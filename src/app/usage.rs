//! What workspaces used in a month: events that were emitted, and deliveries that they owed.

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::event_counts::{self, Used};
use crate::store::workspaces::{self, Workspace};

/// The workspaces of the actor's organization by name, those after `after` and at most `limit`,
/// each with what it used between two moments as far as it was counted.
///
/// # Errors
/// When a database does not answer.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    month: (i64, i64),
    after: &str,
    limit: usize,
) -> Result<Vec<(Workspace, Used)>> {
    let organization = &actor.scope.organization;
    let all = workspaces::list(platform.control(), organization, None, after, limit).await?;
    let mut used = Vec::new();
    for shard in 0..platform.settings().log_shards {
        let of_shard = all.iter().filter(|workspace| workspace.shard == shard);
        let here: Vec<&str> = of_shard.map(|workspace| workspace.id.as_str()).collect();
        if !here.is_empty() {
            let log = history_db(platform, shard)?;
            used.extend(event_counts::used(&here, month).run(log).await?);
        }
    }
    let with_used = |workspace: Workspace| {
        let its = used.iter().find(|used| used.workspace == workspace.id)?.clone();
        Some((workspace, its))
    };
    Ok(all.into_iter().filter_map(with_used).collect())
}
