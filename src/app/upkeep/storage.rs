//! How full the shards are. The cron notes what the databases tell of their size with each answer;
//! emits and new workspaces read what was noted with what they read anyway.

use serde_json::json;

use crate::app::common::history_db;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::storage::{DATABASE_BYTES_MAX, StorageLevel, percent_of};
use crate::domain::base::time::DAY_MS;
use crate::ports::{Database, Platform};
use crate::store::notices;
use crate::store::shards::{self, ShardSize};

/// A size is noted again when it has changed by so much, a thousandth of a database.
const NOTED_BYTES: i64 = DATABASE_BYTES_MAX / 1_000;

/// Notes how large a shard is, and tells the log when it reached another level.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn note<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    let Some(bytes) = history_db(platform, shard)?.size_bytes() else { return Ok(()) };
    let (control, size) = (platform.control(), ShardSize { shard, bytes });
    let before = shards::find(shard).run(control).await?;
    let level_before = before.map_or(StorageLevel::Normal, ShardSize::level);
    if level_before != size.level() {
        platform.log_event(&json!({"at": "storage", "shard": shard, "bytes": bytes,
            "percent": percent_of(bytes), "level": size.level().as_str()}));
    } else if before.is_some_and(|before| (before.bytes - bytes).abs() < NOTED_BYTES) {
        return Ok(());
    }
    let (now_ms, level, percent) = (platform.now_ms(), size.level(), percent_of(bytes));
    let told = (level > level_before).then(|| {
        // A level that is reached again a day later is told again.
        let key = format!("{shard}:{}:{}", level.as_str(), now_ms / DAY_MS);
        notices::raised_of_shard(&key, shard, level.as_str(), percent, now_ms)
    });
    shards::put(control, size, now_ms, told).await
}

/// The shard for the workspace with this number: each in its turn, but those that are nearly full.
///
/// # Errors
/// `Unavailable` when all are nearly full.
pub async fn shard_for<P: Platform>(platform: &P, number: u32) -> Result<u16> {
    let known = shards::list().run(platform.control()).await?;
    let is_open = |shard: &u16| {
        let size = known.iter().find(|size| size.shard == *shard);
        size.is_none_or(|size| size.level() < StorageLevel::NearlyFull)
    };
    let open: Vec<u16> = (0..platform.settings().log_shards.max(1)).filter(is_open).collect();
    let turn = number as usize % open.len().max(1);
    open.get(turn).copied().ok_or_else(|| {
        let msg = "The storage of this installation is full; nothing was created. Its operator \
                   has to add a shard";
        Error::new(Kind::Unavailable, msg)
    })
}

/// The refusal of an emit into a shard that is full.
pub fn refusal() -> Error {
    let msg = "The storage for this workspace is full; nothing was accepted. The operator of this \
               installation has to add room";
    Error::new(Kind::Unavailable, msg)
}
