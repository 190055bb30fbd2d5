//! Counts deliveries for the statistics. The cron does it, never the emit or the delivery. It goes
//! from connection to connection and counts the days that may have changed.
//!
//! A day is the day on which events were accepted, so its deliveries are a range of ids. It is
//! counted again each time, until it has ended and nothing of it is owed. A change after that, by a
//! replay or by a late success, is noticed by a trigger of the database, and the day is counted
//! once more. Counting only reads, and a read costs a thousandth of a write.
//!
//! A pass begins a quarter of an hour after the one before. It may take several runs, each with a
//! budget; how far it is, is stored after every page of connections. A page that is cut short is
//! done again, which changes nothing.

use crate::app::common::history_db;
use crate::app::upkeep::budget::Budget;
use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::domain::base::limits::{ROLLUP_LINES, ROLLUP_READS, ROLLUP_STEP};
use crate::domain::base::time::{DAY_MS, MINUTE_MS};
use crate::domain::delivery::stats::{Tally, is_over};
use crate::ports::{Database, Platform};
use crate::store::rollups::{self, CountedConnection, Progress};

/// How long after a pass began the next one begins.
const PASS_EVERY_MS: i64 = 15 * MINUTE_MS;

/// Goes on counting on a shard: about as many deliveries as [`ROLLUP_READS`] says, and whole days.
/// With `at_once` a pass begins whenever the last one was. Returns whether the pass is over.
///
/// # Errors
/// When the shard does not answer.
pub async fn advance<P: Platform>(
    platform: &P,
    shard: u16,
    at_once: bool,
    statements: &mut Budget,
) -> Result<bool> {
    // How far the counting is, before and after.
    statements.take(2);
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    let mut progress = rollups::progress().run(log).await?;
    if progress.started_at_ms.is_none() {
        let is_early = |as_of_ms: i64| now_ms - as_of_ms < PASS_EVERY_MS;
        if !at_once && progress.as_of_ms.is_some_and(is_early) {
            return Ok(true);
        }
        progress.started_at_ms = Some(now_ms);
        progress.after = Default::default();
    }
    let mut left = ROLLUP_READS;
    'run: while statements.take(2) {
        let lines = rollups::lines(log, &progress.after).await?;
        let is_last = lines.len() < ROLLUP_LINES;
        for line in lines {
            if !count_line(log, &line, &mut progress, (&mut left, statements), now_ms).await? {
                break 'run;
            }
            progress.after = (line.workspace, line.connection);
            progress.counted_day_ms = None;
        }
        if is_last {
            progress.as_of_ms = progress.started_at_ms.take();
            break;
        }
        rollups::save(log, &progress).await?;
    }
    rollups::save(log, &progress).await?;
    Ok(progress.started_at_ms.is_none())
}

/// Statements that a day costs: to find it, to note that it is counted, to count, to store.
const PER_DAY: usize = 4;

/// Counts the days of a connection that may have changed, in their order, from where the pass is,
/// until nothing is left of the deliveries that a run may read, or of its statements. Returns
/// whether that was enough.
async fn count_line(
    log: &impl Database,
    line: &CountedConnection,
    progress: &mut Progress,
    (left, statements): (&mut usize, &mut Budget),
    now_ms: i64,
) -> Result<bool> {
    let is_ahead = |day_ms: &i64| progress.counted_day_ms.is_none_or(|counted| *day_ms > counted);
    let known: Vec<i64> = line.unfinished.iter().copied().filter(is_ahead).collect();
    let mut known = known.into_iter();
    let last_day_ms = line.last_day_ms.max(progress.counted_day_ms);
    let mut from_ms = last_day_ms.map_or(0, |day_ms| day_ms + DAY_MS);
    *left = left.saturating_sub(1);
    while *left > 0 && statements.take(PER_DAY) {
        let next = match known.next() {
            Some(day_ms) => Some(day_ms),
            None => rollups::next_day(log, &line.workspace, &line.connection, from_ms).await?,
        };
        let Some(day_ms) = next else { return Ok(*left > 0) };
        let count = count_day(log, line, day_ms, now_ms).await?;
        *left = left.saturating_sub(count);
        statements.take(count / ROLLUP_STEP);
        progress.counted_day_ms = Some(day_ms);
        from_ms = from_ms.max(day_ms + DAY_MS);
    }
    Ok(false)
}

/// Counts one day; how many deliveries it has.
async fn count_day(
    log: &impl Database,
    line: &CountedConnection,
    day_ms: i64,
    now_ms: i64,
) -> Result<usize> {
    let (workspace, connection) = (&line.workspace, &line.connection);
    if is_over(day_ms, now_ms) {
        rollups::close(log, workspace, connection, day_ms).await?;
    }
    let (tally, count) = tally(log, workspace, connection, day_ms).await?;
    rollups::put(log, workspace, connection, day_ms, &tally, false).await?;
    Ok(count)
}

/// Counts a day for the last time: some of its deliveries are to be deleted. Returns how many
/// deliveries were read. Where one of them changed meanwhile, the day is not closed yet.
///
/// # Errors
/// When the shard does not answer.
pub async fn close_day(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    day_ms: i64,
) -> Result<usize> {
    rollups::close(log, workspace, connection, day_ms).await?;
    let (tally, count) = tally(log, workspace, connection, day_ms).await?;
    rollups::put(log, workspace, connection, day_ms, &tally, true).await?;
    Ok(count)
}

async fn tally(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    day_ms: i64,
) -> Result<(Tally, usize)> {
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
            return Ok((tally, count));
        }
    }
}
