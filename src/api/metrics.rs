//! `/metrics`: how the installation does, as OpenMetrics text for the operator's scrapes.

use std::fmt::{Display, Write as _};

use http::StatusCode;

use crate::app::vitals;
use crate::domain::base::error::Result;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::shards;

/// The media type of OpenMetrics.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`.
pub async fn get<P: Platform>(platform: &P, _: &Call) -> Result<Reply> {
    let sizes = shards::list().run(platform.control()).await?;
    let vitals = vitals::of_shards(platform).await?;
    let mut text = String::new();
    let version = concat!("{version=\"", env!("CARGO_PKG_VERSION"), "\"}");
    family(&mut text, "posthorn_build", "info", "The running version", &[(version.to_owned(), 1)]);
    let shard = |shard: u16| format!("{{shard=\"{shard}\"}}");
    let of_sizes: Vec<_> = sizes.iter().map(|one| (shard(one.shard), one.bytes)).collect();
    gauge(&mut text, "posthorn_storage_bytes", "Size of the LOG database", &of_sizes);
    let open: Vec<_> = vitals.iter().map(|one| (shard(one.shard), one.open)).collect();
    let help = "Deliveries that owe an attempt, at most 10000 are counted";
    gauge(&mut text, "posthorn_open_deliveries", help, &open);
    let seconds = |ms: i64| ms / 1_000;
    let overdue = vitals.iter().map(|one| (shard(one.shard), seconds(one.overdue_ms)));
    let help = "How long the oldest attempt is overdue";
    gauge(&mut text, "posthorn_oldest_overdue_seconds", help, &overdue.collect::<Vec<_>>());
    let lag = vitals.iter().map(|one| (shard(one.shard), seconds(one.queue_lag_ms)));
    let help = "The same of attempts that only the queue keeps waiting";
    gauge(&mut text, "posthorn_queue_lag_seconds", help, &lag.collect::<Vec<_>>());
    text.push_str("# EOF\n");
    Ok(Reply::json_text(StatusCode::OK, text).with_header("content-type", OPEN_METRICS))
}

fn gauge(text: &mut String, name: &str, help: &str, samples: &[(String, impl Display)]) {
    family(text, name, "gauge", help, samples);
}

fn family(
    text: &mut String,
    name: &str,
    kind: &str,
    help: &str,
    samples: &[(String, impl Display)],
) {
    let suffix = if kind == "info" { "_info" } else { "" };
    let _ = writeln!(text, "# TYPE {name} {kind}\n# HELP {name} {help}");
    for (labels, value) in samples {
        let _ = writeln!(text, "{name}{suffix}{labels} {value}");
    }
}
