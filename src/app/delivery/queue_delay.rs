//! How late the jobs of a shard come. A queue that is behind is noted, so that the sweeper does not
//! take what waits in it for lost and have it sent twice.

use serde_json::json;

use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::work::{QueueMessage, Work};
use crate::app::delivery::write_gate;
use crate::domain::base::limits::{
    DELAY_MS_MAX, DELAY_NOTED_EVERY_MS, DELAY_NOTED_FROM_MS, DELAY_NOTED_JOBS,
};
use crate::ports::Platform;
use crate::store::sweeps;

/// The shards whose jobs come late, and how late the youngest of each is. An old one alone says
/// nothing: it may have come before. Neither do a few jobs.
pub fn of_batch(jobs: &[Work], messages: &[QueueMessage], now_ms: i64) -> Vec<(u16, i64)> {
    if jobs.len() < DELAY_NOTED_JOBS {
        return Vec::new();
    }
    let age_ms = |work: &Work| now_ms - messages[work.message].sent_at_ms;
    let youngest = |(shard, jobs): (u16, Vec<&Work>)| {
        let age_ms = jobs.into_iter().map(age_ms).min()?;
        (age_ms >= DELAY_NOTED_FROM_MS).then_some((shard, age_ms.min(DELAY_MS_MAX)))
    };
    group_by_key(jobs, |work| work.job.shard).into_iter().filter_map(youngest).collect()
}

/// Notes delays. One that is not noted is noted with the next batch.
pub async fn note<P: Platform>(platform: P, delays: Vec<(u16, i64)>) {
    for (shard, delay_ms) in delays {
        if write_gate::not_before_ms(&platform, shard).is_some() {
            continue;
        }
        let now_ms = platform.now_ms();
        let noted = match history_db(&platform, shard) {
            Ok(log) => sweeps::note_delay(log, delay_ms, now_ms, DELAY_NOTED_EVERY_MS).await,
            Err(error) => Err(error),
        };
        if let Err(error) = noted {
            platform.log_event(&json!({"at": "deliver", "error": error.to_string()}));
        }
    }
}
