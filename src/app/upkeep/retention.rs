//! Deleting old events, workspace by workspace of a shard, in bounded steps.
//!
//! A pass begins some hours after the one before and takes as many runs as it needs; where it is,
//! is stored at the end of each run. A run that is cut short is done again, which changes nothing:
//! an event goes with all that belongs to it in one batch, which asks once more whether anything
//! needs it. What is owed keeps its event for ever.
//!
//! The counts of a day outlive its deliveries. So before the first of them goes the day is counted
//! for the last time (see `rollups.rs`); a day that was never counted has to wait for that.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::app::common::history_db;
use crate::app::notices;
use crate::app::upkeep::rollups::close_day;
use crate::domain::base::error::Result;
use crate::domain::base::ids::first_event_id;
use crate::domain::base::limits::{RETENTION_STEP, RETENTION_WORKSPACES, ROLLUP_STEP};
use crate::domain::base::time::{DAY_MS, HOUR_MS};
use crate::domain::delivery::retention::{EXPIRY_WARNED_MS, Retention};
use crate::domain::tenants::notice::{Notice, NoticeKind};
use crate::ports::Platform;
use crate::store::retention::{self, Cutoff, DELETE_STATEMENTS, OldEvent, Progress};
use crate::store::workspaces::{self, Workspace};

/// How long after a pass began the next one begins.
const PASS_EVERY_MS: i64 = 6 * HOUR_MS;
/// A day that was counted for the last time, or is closed.
const COUNTED: i64 = 2;

/// Goes on deleting on a shard, with about so many statements; whether the pass is over.
///
/// # Errors
/// When a database does not answer.
pub async fn advance<P: Platform>(platform: &P, shard: u16, statements: usize) -> Result<bool> {
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    let mut progress = retention::progress().run(log).await?;
    if progress.started_at_ms.is_none() {
        if progress.as_of_ms.is_some_and(|as_of_ms| now_ms - as_of_ms < PASS_EVERY_MS) {
            return Ok(true);
        }
        progress = Progress {
            started_at_ms: Some(now_ms),
            as_of_ms: progress.as_of_ms,
            ..Progress::default()
        };
    }
    let mut run = Run { platform, log, now_ms, progress, left: statements, deleted: 0 };
    let advanced = run.pass(shard).await;
    if run.deleted > 0 {
        platform.log_event(&json!({"at": "retention", "shard": shard, "deleted": run.deleted}));
    }
    retention::save(log, &run.progress).await?;
    advanced.map(|()| run.progress.started_at_ms.is_none())
}

/// A run.
struct Run<'a, P: Platform> {
    platform: &'a P,
    log: &'a P::Database,
    now_ms: i64,
    progress: Progress,
    /// Statements that it may still make.
    left: usize,
    deleted: usize,
}

impl<P: Platform> Run<'_, P> {
    fn spend(&mut self, statements: usize) {
        self.left = self.left.saturating_sub(statements);
    }

    /// Goes from workspace to workspace until the last one, or until nothing is left to spend.
    async fn pass(&mut self, shard: u16) -> Result<()> {
        while self.left > 0 {
            let control = self.platform.control();
            let group = workspaces::of_shard(control, shard, &self.progress.workspace).await?;
            self.spend(1);
            if !self.group(&group).await? {
                return Ok(());
            }
            match group.last() {
                Some(last) if group.len() >= RETENTION_WORKSPACES => self.go_on_after(&last.id),
                _ => {
                    self.progress.as_of_ms = self.progress.started_at_ms.take();
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn go_on_after(&mut self, workspace: &str) {
        // Ids are of one length, so nothing lies between an id and the same with a letter more.
        self.progress.workspace = format!("{workspace}~");
        self.progress.event.clear();
    }

    /// Whether all of these workspaces were done.
    async fn group(&mut self, group: &[Workspace]) -> Result<bool> {
        let cutoffs: Vec<Cutoff> =
            group.iter().map(|one| Cutoff::at(one.kept(), self.now_ms)).collect();
        let of = |one: &Workspace| match one.id == self.progress.workspace {
            true => self.progress.event.clone(),
            false => String::new(),
        };
        let after: Vec<String> = group.iter().map(of).collect();
        let range = |((one, cutoff), after): ((&'_ Workspace, &'_ Cutoff), &'_ String)| {
            (one.id.clone(), after.clone(), cutoff.end_event.clone())
        };
        let ranges: Vec<_> = group.iter().zip(&cutoffs).zip(&after).map(range).collect();
        let ranges: Vec<_> =
            ranges.iter().map(|(w, a, e)| (w.as_str(), a.as_str(), e.as_str())).collect();
        let counted_ms = cutoffs.first().map_or(0, |cutoff| cutoff.counted_ms);
        let with_old = retention::with_old(self.log, &ranges, counted_ms).await?;
        self.spend(3);
        for ((workspace, cutoff), after) in group.iter().zip(&cutoffs).zip(after) {
            if !with_old.contains(&workspace.id) {
                continue;
            }
            self.progress.workspace.clone_from(&workspace.id);
            self.progress.event = after;
            if !self.workspace(workspace, cutoff).await? {
                return Ok(false);
            }
            self.go_on_after(&workspace.id);
        }
        Ok(true)
    }

    /// Whether the workspace was done.
    async fn workspace(&mut self, workspace: &Workspace, cutoff: &Cutoff) -> Result<bool> {
        let mut expiring = BTreeMap::new();
        let is_done = loop {
            if self.left == 0 {
                break false;
            }
            let after = self.progress.event.clone();
            let old = retention::old(self.log, &workspace.id, &after, cutoff).await?;
            self.spend(1);
            let Some(last) = old.last().map(|last| last.event.clone()) else { break true };
            if !self.step(workspace, cutoff, &old).await? {
                break false;
            }
            self.warn_of(workspace.kept(), &old, &mut expiring);
            self.progress.event = last;
            if old.len() < RETENTION_STEP {
                break true;
            }
        };
        for (connection, count) in expiring {
            self.platform.log_event(&json!({"at": "held_expiring", "workspace": workspace.id,
                "connection": connection, "count": count}));
            // A pass that goes on after a crash tells the same once.
            let pass_ms = self.progress.started_at_ms.unwrap_or(self.now_ms);
            let key = format!("{connection}:{pass_ms}");
            let notice = Notice {
                connection: Some(connection),
                count: i64::try_from(count).ok(),
                ..Notice::new(NoticeKind::HeldExpiring, key, &workspace.id, "retention")
            };
            notices::raise(self.platform, notice).await;
        }
        Ok(is_done)
    }

    /// Deletes those of the events that nothing needs; whether they were all seen to.
    async fn step(
        &mut self,
        workspace: &Workspace,
        cutoff: &Cutoff,
        old: &[OldEvent],
    ) -> Result<bool> {
        let id = &workspace.id;
        let expired = old.iter().filter(|one| one.event < cutoff.unsettled_end_event);
        let expired = expired.filter(|one| !one.held.is_empty());
        let expired: Vec<&str> = expired.map(|one| one.event.as_str()).collect();
        if !expired.is_empty() {
            retention::expire(self.log, id, &expired, self.now_ms).await?;
            self.spend(1);
        }
        let free = old.iter().filter(|one| is_free(one, cutoff.counted_ms));
        let free: Vec<&OldEvent> = free.collect();
        for (day_ms, connection) in uncounted(&free) {
            if self.left == 0 {
                return Ok(false);
            }
            let read = close_day(self.log, id, connection, day_ms).await?;
            self.spend(3 + read / ROLLUP_STEP);
        }
        if free.is_empty() {
            return Ok(true);
        }
        let free: Vec<&str> = free.iter().map(|one| one.event.as_str()).collect();
        self.deleted += retention::delete(self.log, id, &free, cutoff).await?;
        self.spend(DELETE_STATEMENTS);
        Ok(true)
    }

    /// Counts held deliveries that expire in some days, each in one pass only: those of the days
    /// that came near since the pass before.
    fn warn_of(&self, kept: Retention, old: &[OldEvent], expiring: &mut BTreeMap<String, usize>) {
        let near_from = |pass_ms: i64| {
            let at_ms = kept.unsettled_cutoff_ms(pass_ms) + EXPIRY_WARNED_MS;
            first_event_id(at_ms - at_ms.rem_euclid(DAY_MS))
        };
        let from = self.progress.as_of_ms.map(near_from).unwrap_or_default();
        let until = near_from(self.progress.started_at_ms.unwrap_or(self.now_ms));
        let near = old.iter().filter(|one| (&from..&until).contains(&&one.event));
        for connection in near.flat_map(|one| &one.held) {
            *expiring.entry(connection.clone()).or_default() += 1;
        }
    }
}

/// Whether nothing needs an event whose deliveries were all counted at least once, if their counts
/// are kept.
fn is_free(old: &OldEvent, counted_ms: i64) -> bool {
    let is_counted = |(_, phase): &(String, Option<i64>)| phase.is_some();
    !old.is_kept && (old.day_ms < counted_ms || old.counted.iter().all(is_counted))
}

/// The days of these events that were counted and could still change, with their connections.
fn uncounted<'a>(free: &[&'a OldEvent]) -> BTreeSet<(i64, &'a str)> {
    let may_change =
        |(_, phase): &&(String, Option<i64>)| phase.is_some_and(|phase| phase < COUNTED);
    let of = |one: &&'a OldEvent| {
        let day_ms = one.day_ms;
        let counted = one.counted.iter().filter(may_change);
        counted.map(move |(connection, _)| (day_ms, connection.as_str())).collect::<Vec<_>>()
    };
    free.iter().flat_map(of).collect()
}
