//! Whether the installation answers, and what its operator is told of it.

use serde_json::{Value, json};

use crate::app::intake::ask;
use crate::app::reseal;
use crate::app::vitals::{self, ShardVitals};
use crate::domain::base::error::Result;
use crate::domain::base::storage::percent_of;
use crate::domain::intake::messages::Status;
use crate::http::access::is_operator;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::reseal::KeyCount;
use crate::store::shards::{self, ShardSize};

/// The newest migrations of this version.
pub const CONTROL_SCHEMA: &str = "0001_initial";
/// The same of LOG.
pub const LOG_SCHEMA: &str = "0001_initial";

fn show_vitals(of: &ShardVitals) -> Value {
    json!({
        "shard": of.shard,
        "open": of.open,
        "oldest_overdue_seconds": of.overdue_ms / 1_000,
        "queue_lag_seconds": of.queue_lag_ms / 1_000,
    })
}

fn show(size: &ShardSize) -> Value {
    json!({
        "shard": size.shard,
        "bytes": size.bytes,
        "percent": percent_of(size.bytes),
        "level": size.level().as_str(),
    })
}

/// `GET /health`: the Worker runs. With the admin token also how full the shards are, and what the
/// master keys have sealed.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut shown = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"),
        "schema": {"control": CONTROL_SCHEMA, "log": LOG_SCHEMA}});
    if let Some(notice) = &platform.settings().notice {
        shown["notice"] = json!(notice);
    }
    if is_operator(platform, &call.request).await? {
        let sizes = shards::list().run(platform.control()).await?;
        shown["storage"] = sizes.iter().map(show).collect();
        shown["deliveries"] = vitals::of_shards(platform).await?.iter().map(show_vitals).collect();
        shown["intakes"] = intakes(platform).await;
        shown["master_keys"] = master_keys(platform).await?;
    }
    Ok(Reply::ok(&shown))
}

/// What waits at the intakes. Of one that does not answer nothing is known.
async fn intakes<P: Platform>(platform: &P) -> Value {
    let now_ms = platform.now_ms();
    let show = |(number, status): (usize, Option<Status>)| {
        let Some(status) = status else { return json!({"intake": number}) };
        let waits_ms = status.oldest_at_ms.map_or(0, |at_ms| now_ms - at_ms);
        json!({
            "intake": number,
            "waiting": status.waiting,
            "oldest_waiting_seconds": waits_ms / 1_000,
            "keys_percent": status.keys_percent,
        })
    };
    ask::poke_all(platform).await.into_iter().enumerate().map(show).collect()
}

/// `GET /health/keys`: how many values each master key has sealed.
pub async fn keys<P: Platform>(platform: &P, _: &Call) -> Result<Reply> {
    Ok(Reply::ok(&master_keys(platform).await?))
}

/// `POST /health/keys/reseal`: seals some of what older keys have sealed anew.
pub async fn reseal<P: Platform>(platform: &P, _: &Call) -> Result<Reply> {
    let done = reseal::step(platform).await?;
    let mut shown = master_keys(platform).await?;
    shown["resealed"] = done.resealed.into();
    shown["failed"] = done.failed.into();
    Ok(Reply::ok(&shown))
}

async fn master_keys<P: Platform>(platform: &P) -> Result<Value> {
    let keys = &platform.settings().master_keys;
    let counts = reseal::counts(platform).await?;
    let status = |id: &str| match id {
        id if id == keys.newest_id() => "newest",
        id if keys.older_ids().contains(&id) => "older",
        _ => "unknown",
    };
    let left = counts.iter().filter(|count| count.key != keys.newest_id());
    let left: i64 = left.map(|count| count.values).sum();
    let show = |count: &KeyCount| {
        let KeyCount { key, values } = count;
        json!({"id": key, "status": status(key), "values": values})
    };
    Ok(json!({"keys": counts.iter().map(show).collect::<Vec<_>>(), "left": left}))
}
