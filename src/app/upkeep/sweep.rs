//! The sweeper: brings back deliveries whose wake-up was lost. It runs every minute, and once when
//! a local installation starts, whose queue lives in memory.
//!
//! It goes from connection to connection. The lane of one that has a lane gets one nudge and looks
//! itself; for one that has none, jobs are sent. Replays that do not go on are woken, too, and what
//! has had its time (sessions, idempotency keys) is deleted in small steps. Last, the statistics go
//! on counting, so does the quota of events, and old events are deleted.
//!
//! Jobs are sent before their rows are put off, so a crash in between repeats a wake-up and never
//! loses one.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes::nudge;
use crate::app::delivery::wake::wake;
use crate::app::upkeep::{
    deleted_organizations, deleted_workspaces, quotas, retention, rollups, storage,
};
use crate::app::{activation, erasures, replays, reseal, sessions};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{
    ERASURE_STEPS, IDEMPOTENCY_KEPT_MS, KEYS_FORGOTTEN_AT_ONCE, KEYS_FORGOTTEN_STEPS,
    RETENTION_STATEMENTS, SEND_BATCH_MAX, SWEEP_DELIVERIES,
};
use crate::domain::base::time::{HOUR_MS, MINUTE_MS};
use crate::domain::delivery::job::Job;
use crate::domain::delivery::retry::sweep_backoff_ms;
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::routing::idempotency::swept_ids;
use crate::ports::{Platform, PortError};
use crate::store::idempotency;
use crate::store::sweeps::{self, Overdue};

/// A nudge is a request of its own, of which one invocation may make a thousand: so many deliveries
/// does it count for.
const NUDGE_WEIGHT: usize = 10;

/// Sweeps every shard. A shard that fails is logged and does not keep the others from being swept.
pub async fn sweep<P: Platform>(platform: &P, after_restart: bool) {
    if let Err(error) = deleted_organizations::clear_some(platform).await {
        let error = error.to_string();
        platform.log_event(&json!({"at": "delete_organization", "error": error}));
    }
    if let Err(error) = reseal::advance(platform).await {
        platform.log_event(&json!({"at": "reseal", "error": error.to_string()}));
    }
    for shard in 0..platform.settings().log_shards {
        match sweep_shard(platform, shard, after_restart).await {
            Ok(0) => {}
            Ok(swept) => {
                platform.log_event(&json!({"at": "sweep", "shard": shard, "swept": swept}))
            }
            Err(error) => {
                platform
                    .log_event(&json!({"at": "sweep", "shard": shard, "error": error.to_string()}));
            }
        }
        if let Err(error) = quotas::enforce(platform, shard).await {
            platform.log_event(&json!({"at": "quota", "shard": shard, "error": error.to_string()}));
        }
        if let Err(error) = rollups::advance(platform, shard, after_restart).await {
            platform
                .log_event(&json!({"at": "rollup", "shard": shard, "error": error.to_string()}));
        }
        if let Err(error) = storage::note(platform, shard).await {
            let error = error.to_string();
            platform.log_event(&json!({"at": "storage", "shard": shard, "error": error}));
        }
        if let Err(error) = retention::advance(platform, shard, RETENTION_STATEMENTS).await {
            let error = error.to_string();
            platform.log_event(&json!({"at": "retention", "shard": shard, "error": error}));
        }
    }
}

async fn sweep_shard<P: Platform>(platform: &P, shard: u16, after_restart: bool) -> Result<usize> {
    let log = history_db(platform, shard)?;
    let mut after = (String::new(), String::new());
    sessions::forget_old(platform, shard).await?;
    deleted_workspaces::clear_some(platform, shard).await?;
    replays::wake_forgotten(platform, shard, after_restart).await?;
    forget_keys(platform, shard).await?;
    erasures::advance(platform, shard, ERASURE_STEPS).await?;
    let mut swept = activation::release_forgotten(platform, shard).await?;
    while swept < SWEEP_DELIVERIES {
        let now_ms = platform.now_ms();
        // Once an hour also those lanes whose oldest deliveries are not overdue, but others may be.
        let all_lanes = now_ms.rem_euclid(HOUR_MS) < MINUTE_MS;
        let found = sweeps::overdue(log, &after, now_ms, after_restart, all_lanes).await?;
        let (with_lane, without): (Vec<_>, Vec<_>) =
            found.lines.into_iter().partition(|line| line.has_lane);
        swept += with_lane.len() * NUDGE_WEIGHT;
        for sweeps::OverdueConnection { workspace, connection, .. } in with_lane {
            nudge(platform, &ConnectionQueue { shard, workspace, connection }).await;
        }
        let overdue: Vec<Overdue> = without.into_iter().flat_map(|line| line.overdue).collect();
        for chunk in overdue.chunks(SEND_BATCH_MAX) {
            let jobs: Vec<Job> = chunk.iter().map(|overdue| job(shard, overdue)).collect();
            let failed = |PortError(text)| Error::unavailable(text);
            wake(platform, &jobs, 0).await.map_err(failed)?;
            let now_ms = platform.now_ms();
            let put_off = chunk.iter().map(|o| (o, now_ms + sweep_backoff_ms(o.sweeps + 1)));
            sweeps::put_off(log, &put_off.collect::<Vec<_>>()).await?;
        }
        swept += overdue.len();
        match found.go_on_after {
            Some(last) => after = last,
            None => break,
        }
    }
    Ok(swept)
}

/// Deletes the old idempotency keys whose turn it is: all of them have one once a day.
async fn forget_keys<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    let (now_ms, log) = (platform.now_ms(), history_db(platform, shard)?);
    let (from, until) = swept_ids(now_ms);
    for _ in 0..KEYS_FORGOTTEN_STEPS {
        let claimed_until_ms = now_ms - IDEMPOTENCY_KEPT_MS;
        let range = (from.as_str(), until.as_str());
        let forgotten =
            idempotency::forget(log, range, claimed_until_ms, KEYS_FORGOTTEN_AT_ONCE).await?;
        if forgotten < KEYS_FORGOTTEN_AT_ONCE {
            break;
        }
    }
    Ok(())
}

fn job(shard: u16, overdue: &Overdue) -> Job {
    Job::new(shard, overdue.key.clone(), overdue.attempts + 1, overdue.payload_bytes)
}
