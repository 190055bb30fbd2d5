//! Whether the installation answers.

use serde_json::{Value, json};

use crate::app::vitals::{self, ShardVitals};
use crate::domain::base::error::Result;
use crate::domain::base::storage::percent_of;
use crate::http::access::is_operator;
use crate::http::{Call, Reply};
use crate::ports::Platform;
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

/// `GET /health`: the Worker runs. With the admin token also how full the shards are.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut shown = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"),
        "schema": {"control": CONTROL_SCHEMA, "log": LOG_SCHEMA}});
    if let Some(notice) = &platform.settings().notice {
        shown["notice"] = json!(notice);
    }
    if is_operator(platform, &call.request) {
        let sizes = shards::list().run(platform.control()).await?;
        shown["storage"] = sizes.iter().map(show).collect();
        shown["deliveries"] = vitals::of_shards(platform).await?.iter().map(show_vitals).collect();
    }
    Ok(Reply::ok(&shown))
}
