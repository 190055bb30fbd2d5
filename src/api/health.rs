//! Whether the installation answers.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::storage::percent_of;
use crate::http::access::is_operator;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::shards::{self, ShardSize};

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
    let mut shown = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")});
    if is_operator(platform, &call.request) {
        let sizes = shards::list().run(platform.control()).await?;
        shown["storage"] = sizes.iter().map(show).collect();
    }
    Ok(Reply::ok(&shown))
}
