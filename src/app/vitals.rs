//! How the installation does, for its operator: what is owed on each shard and how late it is.

use futures_util::future::try_join_all;

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::ports::Platform;
use crate::store::vitals;

/// How a shard does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardVitals {
    /// Its number.
    pub shard: u16,
    /// Deliveries that owe an attempt; of a great many only the first 10,000 are counted.
    pub open: i64,
    /// How long the oldest attempt is overdue.
    pub overdue_ms: i64,
    /// How long the oldest attempt is overdue that only the queue keeps waiting.
    pub queue_lag_ms: i64,
}

/// How each shard does.
///
/// # Errors
/// When a shard does not answer.
pub async fn of_shards<P: Platform>(platform: &P) -> Result<Vec<ShardVitals>> {
    let now_ms = platform.now_ms();
    let since = |due_ms: Option<i64>| due_ms.map_or(0, |due_ms| (now_ms - due_ms).max(0));
    let of_shard = async |shard: u16| {
        let found = vitals::vitals().run(history_db(platform, shard)?).await?;
        Ok(ShardVitals {
            shard,
            open: found.open,
            overdue_ms: since(found.due_at_ms),
            queue_lag_ms: since(found.queued_due_at_ms),
        })
    };
    try_join_all((0..platform.settings().log_shards).map(of_shard)).await
}
