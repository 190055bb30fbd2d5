//! Counting what became of deliveries, for the statistics. The cron does it, never the emit or the
//! delivery: it goes from connection to connection and counts the days that may have changed.
//!
//! A day is the one on which events were accepted, so its deliveries are a range of ids. It is
//! counted afresh each time, until it is over and nothing of it is owed any more. Whatever is
//! changed after that, by a replay or by a success that comes late, is noticed by a trigger of the
//! database, and the day is counted again. To count is to read, and reading costs a thousandth of
//! writing.
//!
//! A pass begins a quarter of an hour after the one before. It may take several runs; a run that
//! is cut short is done again, which changes nothing.

use super::log;
use crate::domain::error::Result;
use crate::domain::ids;
use crate::domain::limits::{ROLLUP_LINES, ROLLUP_READS, ROLLUP_STEP};
use crate::domain::stats::Tally;
use crate::domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use crate::ports::{Database, Platform};
use crate::store::rollups::{self, Line};

/// How long after a pass began the next one begins.
const PASS_EVERY_MS: i64 = 15 * MINUTE_MS;
/// How long after its end a day is over: an emit that was accepted just before it is stored.
const OVER_AFTER_MS: i64 = HOUR_MS;

/// Goes on counting on a shard: a bounded number of deliveries, or one connection's days. With
/// `at_once` a pass begins whenever the last one was.
///
/// # Errors
/// When the shard does not answer.
pub async fn advance<P: Platform>(platform: &P, shard: u16, at_once: bool) -> Result<()> {
    let (log, now_ms) = (log(platform, shard)?, platform.now_ms());
    let mut progress = rollups::progress().run(log).await?;
    if progress.started_at_ms.is_none() {
        let is_early = |as_of_ms: i64| now_ms - as_of_ms < PASS_EVERY_MS;
        if !at_once && progress.as_of_ms.is_some_and(is_early) {
            return Ok(());
        }
        progress.started_at_ms = Some(now_ms);
        progress.after = Default::default();
    }
    let mut reads = 0;
    while reads < ROLLUP_READS {
        let lines = rollups::lines(log, &progress.after).await?;
        let is_last = lines.len() < ROLLUP_LINES;
        let mut left = lines.len();
        for line in lines {
            reads += 1 + count_line(log, &line, now_ms).await?;
            progress.after = (line.workspace, line.connection);
            left -= 1;
            if reads >= ROLLUP_READS {
                break;
            }
        }
        if is_last && left == 0 {
            progress.as_of_ms = progress.started_at_ms.take();
            break;
        }
    }
    rollups::save(log, &progress).await
}

/// Counts the days of a connection that may have changed; how many deliveries that were.
async fn count_line(log: &impl Database, line: &Line, now_ms: i64) -> Result<usize> {
    let mut counted = 0;
    for day_ms in &line.unfinished {
        counted += count_day(log, line, *day_ms, now_ms).await?;
    }
    let mut from_ms = line.last_day_ms.map_or(0, |day_ms| day_ms + DAY_MS);
    let of = (&line.workspace, &line.connection);
    while let Some(day_ms) = rollups::next_day(log, of.0, of.1, from_ms).await? {
        counted += count_day(log, line, day_ms, now_ms).await?;
        from_ms = day_ms + DAY_MS;
    }
    Ok(counted)
}

async fn count_day(log: &impl Database, line: &Line, day_ms: i64, now_ms: i64) -> Result<usize> {
    let (workspace, connection) = (&line.workspace, &line.connection);
    if day_ms + DAY_MS + OVER_AFTER_MS <= now_ms {
        rollups::close(log, workspace, connection, day_ms).await?;
    }
    let (mut tally, mut count) = (Tally::default(), 0);
    let mut after = (ids::first_event_id(day_ms), -1);
    loop {
        let step = rollups::count(log, workspace, connection, day_ms, &after).await?;
        let is_full = step.len() >= ROLLUP_STEP;
        count += step.len();
        for one in step {
            tally.add(one.state, one.latency_ms, one.delivery_ms);
            after = one.key;
        }
        if !is_full {
            break;
        }
    }
    rollups::put(log, workspace, connection, day_ms, &tally).await?;
    Ok(count)
}
