//! `/workspaces/{id}/stats` and `/stats`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::api::retention;
use crate::app::stats::{self, Stats};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::stats::{Histogram, Tally};
use crate::http::{Call, Reply, without_nulls};
use crate::ports::Platform;
use crate::store::rollups::Rollup;

/// Days where a caller names none, and the most there can be.
pub const DAYS: (i64, i64) = (7, 31);

fn days(call: &Call) -> Result<i64> {
    let Some(text) = call.request.query("days") else { return Ok(DAYS.0) };
    let days = text.parse().ok().filter(|days| (1..=DAYS.1).contains(days));
    days.ok_or_else(|| Error::field("days", format!("must be a whole number from 1 to {}", DAYS.1)))
}

fn percentiles(times: &Histogram) -> Value {
    let told = |percent| times.percentile_ms(percent);
    match told(50) {
        None => Value::Null,
        Some(p50) => json!({"p50": p50, "p95": told(95), "p99": told(99)}),
    }
}

fn show_tally(tally: &Tally) -> Value {
    without_nulls(json!({
        "pending": tally.pending,
        "completed": tally.completed,
        "failed": tally.failed,
        "canceled": tally.canceled,
        "success_rate": tally.success_per_10000().map(|rate| rate as f64 / 10_000.0),
        "receiver_latency_ms": percentiles(&tally.latency),
        "delivery_time_ms": percentiles(&tally.delivery_time),
    }))
}

/// The counts of what has the same key, added up and marked with it, in the order of keys.
fn by(rollups: &[&Rollup], name: &str, key: fn(&Rollup) -> String) -> Vec<Value> {
    let mut sums: BTreeMap<String, Tally> = BTreeMap::new();
    for one in rollups {
        sums.entry(key(one)).or_default().merge(&one.tally);
    }
    let shown = sums.into_iter().map(|(key, sum)| {
        let mut shown = show_tally(&sum);
        shown[name] = json!(key);
        shown
    });
    shown.collect()
}

fn day(rollup: &Rollup) -> String {
    rfc3339(rollup.day_ms)[..10].to_owned()
}

/// The same by connection, and by day for each.
fn by_connection(rollups: &[&Rollup]) -> Vec<Value> {
    let mut lines: BTreeMap<&str, Vec<&Rollup>> = BTreeMap::new();
    for one in rollups {
        lines.entry(&one.connection).or_default().push(one);
    }
    let shown = lines.into_values().flat_map(|line| {
        let days = by(&line, "day", day);
        let mut shown = by(&line, "connection", |one| one.connection.clone());
        shown.iter_mut().for_each(|shown| shown["days"] = json!(days));
        shown
    });
    shown.collect()
}

fn show(stats: &Stats, rollups: &[&Rollup]) -> Value {
    let mut total = Tally::default();
    rollups.iter().for_each(|one| total.merge(&one.tally));
    without_nulls(json!({
        "as_of": stats.as_of_ms.map(rfc3339),
        "since": rfc3339(stats.since_ms),
        "total": show_tally(&total),
        "days": by(rollups, "day", day),
    }))
}

/// `GET /workspaces/{id}/stats`, in total, by day, and by connection and day.
pub async fn of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let days = days(call)?;
    let found = stats::of_workspace(platform, call.caller.machine()?, &id, days).await?;
    let rollups: Vec<&Rollup> = found.rollups.iter().collect();
    let mut shown = show(&found, &rollups);
    shown["connections"] = by_connection(&rollups).into();
    if let Some(kept) = found.kept {
        retention::show(&mut shown, kept);
    }
    Ok(Reply::ok(&shown))
}

/// `GET /stats`, in total, by day, and by workspace.
pub async fn of_organization<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let days = days(call)?;
    let found = stats::of_organization(platform, call.caller.machine()?, days).await?;
    let rollups: Vec<&Rollup> = found.rollups.iter().collect();
    let mut shown = show(&found, &rollups);
    shown["workspaces"] = by(&rollups, "workspace", |one| one.workspace.clone()).into();
    Ok(Reply::ok(&shown))
}
