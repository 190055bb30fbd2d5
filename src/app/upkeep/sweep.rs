//! The sweeper: brings back deliveries whose wake-up was lost. It runs every minute, and once when
//! a local installation starts, whose queue lives in memory.
//!
//! It goes from connection to connection, first through those that have no lane: jobs are sent for
//! what is overdue. One of which much is overdue gets a lane, so that the rest goes out as fast as
//! its receiver takes it. Then through the lanes: one with something overdue is nudged and looks
//! itself, and is left alone for a while then, longer each time. Last, held deliveries of
//! connections that are active are released, and replays that do not go on are woken.
//!
//! While the job queue is behind, it waits longer before it takes a job for lost.
//!
//! Each of these has a budget of its own and goes on where the run before ended, so however many
//! connections are failing, every other one has its turn.
//!
//! A run takes a delivery before it sends its job, so that a message of the cron that comes twice
//! wakes nothing twice. What it took and did not send, because it was cut off, has its turn again a
//! minute or more later.

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt};
use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes::nudge;
use crate::app::delivery::wake::wake;
use crate::app::upkeep::budget::Budget;
use crate::app::{activation, replays};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{
    DELAY_NOTED_FOR_MS, NUDGES_AT_ONCE, SEND_BATCH_MAX, SWEEP_AT_ONCE, SWEEP_CONNECTIONS,
    SWEEP_DELIVERIES, SWEEP_NUDGES, SWEEP_PER_CONNECTION,
};
use crate::domain::base::time::{HOUR_MS, MINUTE_MS};
use crate::domain::delivery::job::Job;
use crate::domain::delivery::retry::nudge_backoff_ms;
use crate::domain::lane::queue::{ConnectionQueue, Mode};
use crate::ports::{Platform, PortError};
use crate::store::lanes::{self, Raise};
use crate::store::sweeps::{self, Claim, Nudged, Overdue, OverdueConnection, Position, SweptLane};

/// Sweeps a shard.
///
/// # Errors
/// When a database does not answer. What could be done all the same was done.
pub async fn sweep<P: Platform>(
    platform: &P,
    shard: u16,
    after_restart: bool,
    statements: &mut Budget,
) -> Result<()> {
    let log = history_db(platform, shard)?;
    // The positions and the delay are read, the positions are written, and replays are asked for.
    statements.take(4);
    let known_since_ms = platform.now_ms() - DELAY_NOTED_FOR_MS;
    let (before, delay_ms) = sweeps::positions(log, known_since_ms).await?;
    let delay_ms = if after_restart { 0 } else { delay_ms };
    let mut run = Run { platform, log, shard, after_restart, delay_ms, statements, swept: 0 };
    let mut after = before.clone();
    let jobs = run.jobs(&mut after.jobs).await;
    let lanes = run.lanes(&mut after.lanes).await;
    let Run { swept, .. } = run;
    let held = activation::release_forgotten(platform, shard, &mut after.held, statements).await;
    let woken = replays::wake_forgotten(platform, shard, after_restart).await;
    if after != before {
        sweeps::save_positions(log, &after).await?;
    }
    let swept = swept + held.as_ref().map_or(0, |released| *released);
    if swept > 0 {
        platform.log_event(&json!({"at": "sweep", "shard": shard, "swept": swept}));
    }
    jobs.and(lanes).and(held.map(drop)).and(woken)
}

struct Run<'a, P: Platform> {
    platform: &'a P,
    log: &'a P::Database,
    shard: u16,
    after_restart: bool,
    /// How far the queue is behind.
    delay_ms: i64,
    statements: &'a mut Budget,
    swept: usize,
}

impl<P: Platform> Run<'_, P> {
    /// What was to be seen to by then is overdue.
    fn overdue_at_ms(&self) -> i64 {
        self.platform.now_ms() - self.delay_ms
    }

    /// One row that cannot be read keeps no other.
    fn complain(&self, wrong: Option<&String>) {
        if let Some(why) = wrong {
            self.platform.log_event(&json!({"at": "sweep", "shard": self.shard, "error": why}));
        }
    }

    /// Sends jobs for what is overdue on connections without a lane: some for each. Those that have
    /// more get a lane.
    async fn jobs(&mut self, position: &mut Position) -> Result<()> {
        let mut deliveries = Budget::new(SWEEP_DELIVERIES);
        let mut with_more = Vec::new();
        let mut is_around = *position == Position::default();
        // One to read, and one to raise lanes.
        while deliveries.left() > 0 && self.statements.take(2) {
            let at_ms = self.overdue_at_ms();
            let found = sweeps::overdue(self.log, position, at_ms, self.after_restart).await?;
            let is_last = found.len() < SWEEP_CONNECTIONS;
            let end = found.last().map(|line| (line.workspace.clone(), line.connection.clone()));
            let has_more = |line: &&OverdueConnection| line.overdue.count >= SWEEP_PER_CONNECTION;
            let more: Vec<Overdue> = found.iter().filter(has_more).filter_map(last_of).collect();
            found.iter().for_each(|line| self.complain(line.overdue.wrong.as_ref()));
            let overdue: Vec<Overdue> =
                found.into_iter().flat_map(|line| line.overdue.rows).collect();
            if !self.bring_back(&overdue, &mut deliveries).await? {
                return Ok(());
            }
            match self.after_restart {
                true => with_more.extend(more),
                false => self.leave_to_lanes(&more).await?,
            }
            *position = end.filter(|_| !is_last).unwrap_or_default();
            if is_last && is_around {
                return self.more_jobs(with_more, &mut deliveries).await;
            }
            is_around = is_around || is_last;
        }
        Ok(())
    }

    /// Gives connections a lane, which is nudged as any other that has something overdue.
    async fn leave_to_lanes(&mut self, with_more: &[Overdue]) -> Result<()> {
        let raise = |overdue: &Overdue| Raise {
            delivery: overdue.key.clone(),
            mode: Mode::Clear,
            failed: false,
        };
        let raised: Vec<Raise> = with_more.iter().map(raise).collect();
        lanes::raise_now(self.log, &raised, self.platform.now_ms()).await
    }

    /// After a restart nothing else is on its way, and a lane would wait for that: sends more jobs
    /// for connections of which much is overdue, in turns.
    async fn more_jobs(
        &mut self,
        mut with_more: Vec<Overdue>,
        deliveries: &mut Budget,
    ) -> Result<()> {
        while let Some(last) = with_more.pop() {
            if deliveries.left() == 0 || !self.statements.take(1) {
                return Ok(());
            }
            let limit = SWEEP_AT_ONCE.min(deliveries.left());
            let more =
                sweeps::overdue_after(self.log, &last.key, self.overdue_at_ms(), true, limit)
                    .await?;
            self.complain(more.wrong.as_ref());
            if !self.bring_back(&more.rows, deliveries).await? {
                return Ok(());
            }
            if more.count >= SWEEP_AT_ONCE {
                with_more.extend(more.rows.last().cloned());
                // The others come before it has its next turn.
                with_more.rotate_right(1);
            }
        }
        Ok(())
    }

    /// Takes these, and sends jobs for them; whether the budget was enough.
    async fn bring_back(&mut self, overdue: &[Overdue], deliveries: &mut Budget) -> Result<bool> {
        for chunk in overdue.chunks(SWEEP_AT_ONCE) {
            if !deliveries.take(chunk.len().min(deliveries.left()).max(1))
                || !self.statements.take(1)
            {
                return Ok(false);
            }
            let now_ms = self.platform.now_ms();
            let claims: Vec<Claim> = chunk.iter().map(|overdue| overdue.claim(now_ms)).collect();
            let taken = sweeps::claim(self.log, &claims).await?;
            let own = chunk.iter().filter(|overdue| taken.contains(&overdue.key));
            let jobs: Vec<Job> = own.map(|overdue| job(self.shard, overdue)).collect();
            let sent = jobs.chunks(SEND_BATCH_MAX).map(|jobs| wake(self.platform, jobs, 0));
            let failed = |PortError(text)| Error::unavailable(text);
            join_all(sent)
                .await
                .into_iter()
                .collect::<std::result::Result<(), _>>()
                .map_err(failed)?;
            self.swept += jobs.len();
        }
        Ok(true)
    }

    /// Nudges lanes with something overdue.
    async fn lanes(&mut self, position: &mut Position) -> Result<()> {
        let mut nudges = Budget::new(SWEEP_NUDGES);
        let mut is_around = *position == Position::default();
        loop {
            // One to read, one to note who was nudged, and after a restart one to say that their
            // jobs are gone.
            let restart = self.after_restart;
            if !self.statements.take(2 + usize::from(restart)) {
                return Ok(());
            }
            let (now_ms, overdue_at_ms) = (self.platform.now_ms(), self.overdue_at_ms());
            // Once an hour also those lanes whose oldest deliveries are not overdue, but others
            // may be.
            let all = now_ms.rem_euclid(HOUR_MS) < MINUTE_MS;
            let found =
                sweeps::lanes(self.log, position, (now_ms, overdue_at_ms), restart, all).await?;
            self.complain(found.wrong.as_ref());
            let is_last = found.count < SWEEP_CONNECTIONS;
            let (mut nudged, mut is_enough) = (Vec::new(), true);
            for lane in found.rows {
                if lane.is_overdue {
                    is_enough = nudges.take(1);
                    if !is_enough {
                        break;
                    }
                    nudged.push(lane.clone());
                }
                *position = (lane.workspace, lane.connection);
            }
            if restart && !nudged.is_empty() {
                sweeps::jobs_are_gone(self.log, &nudged, now_ms).await?;
            }
            self.nudge(&nudged).await?;
            if !is_enough {
                return Ok(());
            }
            if is_last {
                *position = Position::default();
                if is_around {
                    return Ok(());
                }
                is_around = true;
            }
        }
    }

    /// Nudges these lanes side by side, and notes when each may be nudged again.
    async fn nudge(&mut self, lanes: &[SweptLane]) -> Result<()> {
        if lanes.is_empty() {
            return Ok(());
        }
        let (platform, shard) = (self.platform, self.shard);
        let one = |lane: &SweptLane| {
            let (workspace, connection) = (lane.workspace.clone(), lane.connection.clone());
            async move { nudge(platform, &ConnectionQueue { shard, workspace, connection }).await }
        };
        let all = stream::iter(lanes.iter().map(one)).buffer_unordered(NUDGES_AT_ONCE);
        let heard = all.collect::<Vec<bool>>().await;
        self.swept += heard.len();
        let now_ms = self.platform.now_ms();
        let noted = lanes.iter().map(|lane| {
            let nudges = if lane.nudge_after_ms < now_ms - HOUR_MS { 1 } else { lane.nudges + 1 };
            Nudged { lane, nudges, nudge_after_ms: now_ms + nudge_backoff_ms(nudges) }
        });
        sweeps::nudged(self.log, &noted.collect::<Vec<_>>()).await
    }
}

fn last_of(line: &OverdueConnection) -> Option<Overdue> {
    line.overdue.rows.last().cloned()
}

fn job(shard: u16, overdue: &Overdue) -> Job {
    Job::new(shard, overdue.key.clone(), overdue.attempts + 1, overdue.payload_bytes)
}
