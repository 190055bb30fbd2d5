//! Statistics of deliveries, of a workspace or of a whole organization.

use crate::app::common::history_db;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::limits::{MERGED_WORKSPACES_MAX, STATS_ROWS_MAX};
use crate::domain::base::time::DAY_MS;
use crate::domain::delivery::retention::Retention;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::rollups::{self, Rollup};
use crate::store::together;
use crate::store::workspaces::{self, Workspace};

/// What was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// What happened before this moment is counted; `None` when nothing was counted yet.
    pub as_of_ms: Option<i64>,
    /// The first day's first millisecond.
    pub since_ms: i64,
    /// Counts by connection and day.
    pub rollups: Vec<Rollup>,
    /// For how long events are kept, of which only the counts stay then.
    pub kept: Option<Retention>,
}

/// Statistics of a workspace over so many days, today included.
///
/// # Errors
/// `NotFound` when the actor has no such workspace; `Refused` naming `days` when it has too many
/// connections for them.
pub async fn of_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    days: i64,
) -> Result<Stats> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    let kept = Some(found.kept());
    let stats = read(platform, &[found], days).await?;
    Ok(Stats { kept, ..stats })
}

/// Statistics of all workspaces of the actor's organization.
///
/// # Errors
/// `Refused` when there are more workspaces than are added up, or naming `days`.
pub async fn of_organization<P: Platform>(platform: &P, actor: &Actor, days: i64) -> Result<Stats> {
    let (organization, most) = (&actor.scope.organization, MERGED_WORKSPACES_MAX);
    let all = workspaces::list(platform.control(), organization, None, "", most + 1).await?;
    if all.len() > most {
        let msg = format!(
            "The statistics of more than {most} workspaces are not added up; ask for each \
             workspace's with GET /api/v1/workspaces/{{id}}/stats"
        );
        return Err(Error::new(Kind::Refused, msg));
    }
    read(platform, &all, days).await
}

async fn read<P: Platform>(platform: &P, all: &[Workspace], days: i64) -> Result<Stats> {
    let today_ms = platform.now_ms() - platform.now_ms().rem_euclid(DAY_MS);
    let since_ms = today_ms - (days - 1) * DAY_MS;
    let mut stats = Stats { as_of_ms: None, since_ms, rollups: Vec::new(), kept: None };
    let mut as_of = Vec::new();
    for shard in 0..platform.settings().log_shards {
        let here: Vec<&str> =
            all.iter().filter(|w| w.shard == shard).map(|w| w.id.as_str()).collect();
        if here.is_empty() {
            continue;
        }
        let queries = (rollups::progress(), rollups::list(&here, since_ms));
        let (progress, found) = together(history_db(platform, shard)?, queries).await?;
        as_of.push(progress.as_of_ms);
        stats.rollups.extend(found);
    }
    if stats.rollups.len() > STATS_ROWS_MAX {
        let msg = format!("asks for more than {STATS_ROWS_MAX} counts; ask for fewer days");
        return Err(Error::field("days", msg).of_kind(Kind::Refused));
    }
    // A shard that was not counted yet comes first.
    stats.as_of_ms = as_of.into_iter().min().flatten();
    Ok(stats)
}
