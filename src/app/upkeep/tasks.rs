//! The upkeep queue: the cron sends a message for each shard and task, and each message is a run
//! with a budget of its own. A shard that fails keeps no other one waiting, and neither does a
//! task. A run that is not done sends the message for the next one.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::intake::ask;
use crate::app::upkeep::budget::Budget;
use crate::app::upkeep::{clean, notices, quotas, retention, rollups, storage, sweep};
use crate::app::{erasures, reseal};
use crate::domain::base::error::Result;
use crate::domain::base::limits::{
    ERASURE_STEPS, KEYS_FORGOTTEN_STEPS, RESEAL_STEPS, RETENTION_STATEMENTS, SEND_BATCH_MAX,
    UPKEEP_STATEMENTS,
};
use crate::domain::base::time::MINUTE_MS;
use crate::domain::delivery::upkeep::{FOLLOWED_AFTER_S, Task, UpkeepJob};
use crate::ports::{Jobs, Platform, PortError};
use crate::store::idempotency;

/// Statements of a sweep's message that what has its turn by the minute may make: the forgetting of
/// keys, the quota's six, the two of the storage, the notices' nine, and what is sealed anew.
const BY_THE_MINUTE: usize = KEYS_FORGOTTEN_STEPS + 6 + 2 + 9 + 4 * RESEAL_STEPS;

/// What the cron does: sends a message for every shard and task, the most urgent first. One that
/// is not sent is sent a minute later. Intakes whose alarm was lost go on, too.
pub async fn announce<P: Platform>(platform: &P, after_restart: bool) {
    let (shards, now_ms) = (0..platform.settings().log_shards, platform.now_ms());
    let is_due = |task: &Task| after_restart || task.is_due_in(now_ms / MINUTE_MS);
    let of_task =
        |task| shards.clone().map(move |shard| UpkeepJob::new(shard, task, after_restart, now_ms));
    let jobs: Vec<UpkeepJob> = Task::ALL.into_iter().filter(is_due).flat_map(of_task).collect();
    send(platform, &jobs, 0).await;
    ask::poke_all(platform).await;
}

async fn send<P: Platform>(platform: &P, jobs: &[UpkeepJob], delay_s: u32) {
    for chunk in jobs.chunks(SEND_BATCH_MAX) {
        let texts = chunk.iter().map(|job| job.to_text()).collect();
        if let Err(PortError(error)) = platform.upkeep().send(texts, delay_s).await {
            platform.log_event(&json!({"at": "upkeep", "error": error}));
        }
    }
}

/// What has its turn by the minute, each by itself: one that fails keeps no other one.
async fn by_the_minute<P: Platform>(platform: &P, shard: u16) {
    let log = |at: &str, done: Result<()>| {
        if let Err(error) = done {
            let error = error.to_string();
            platform.log_event(&json!({"at": at, "shard": shard, "error": error}));
        }
    };
    log("upkeep", forget_keys(platform, shard).await);
    log("quota", quotas::enforce(platform, shard).await);
    log("storage", storage::note(platform, shard).await);
    notices::advance(platform, shard).await;
    if shard == 0 {
        log("reseal", reseal::advance(platform).await);
    }
}

async fn forget_keys<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    idempotency::forget_old(history_db(platform, shard)?, platform.now_ms()).await
}

/// Does what a message says. A failure is logged: the cron sends the same message again.
pub async fn work<P: Platform>(platform: &P, job: UpkeepJob) {
    let UpkeepJob { shard, task, after_restart, .. } = job;
    let mut statements = Budget::new(UPKEEP_STATEMENTS);
    let done: Result<bool> = match task {
        Task::Sweep => {
            // What is overdue comes first, and leaves a part of the statements to the rest.
            statements.take(BY_THE_MINUTE);
            let swept = sweep::sweep(platform, shard, after_restart, &mut statements).await;
            by_the_minute(platform, shard).await;
            swept.map(|()| true)
        }
        Task::Erase => erasures::advance(platform, shard, ERASURE_STEPS).await,
        Task::Clean => clean::clean(platform, shard, &mut statements).await,
        Task::Retain => retention::advance(platform, shard, RETENTION_STATEMENTS).await,
        Task::Count => rollups::advance(platform, shard, after_restart, &mut statements).await,
    };
    match done {
        Ok(true) => {}
        Ok(false) => {
            let next = job.next(platform.now_ms());
            send(platform, next.as_slice(), FOLLOWED_AFTER_S).await;
        }
        Err(error) => {
            let error = error.to_string();
            platform.log_event(&json!({"at": "upkeep", "task": task.as_str(), "shard": shard,
                "error": error}));
        }
    }
}
