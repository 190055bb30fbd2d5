//! What a consumer batch is made of: jobs in slices, lines to serve, and what is told to lanes.

use serde_json::json;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::app::delivery::work::{QueueMessage, Work};
use futures_util::future::join_all;

use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::attempt::AttemptResult;
use crate::app::delivery::lane_run;
use crate::app::delivery::lanes;
use crate::app::delivery::recorder::{self, FinishedJob};
use crate::app::delivery::reports::{Report, Reports};
use crate::domain::base::error::Result;
use crate::domain::base::limits::{SLICE_BYTES_MAX, SLICE_JOBS_MAX};
use crate::domain::connection::model::Target;
use crate::domain::delivery::job::{Message, Step};
use crate::domain::lane::messages::ConsumerReport;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::lane::queue::{ConnectionQueue, Mode, QueuePosition};
use crate::ports::Platform;
use crate::store::deliveries::{self};
use crate::store::held;
use crate::store::lanes::{Raise, raise_now};

/// What the messages of a batch ask for.
#[derive(Default)]
pub struct Sorted {
    /// Deliveries to attempt.
    pub jobs: Vec<Work>,
    /// Lines to serve.
    pub lines: Lines,
    /// Steps of replays to do.
    pub steps: Vec<Step>,
    /// Messages of a newer release, which come again until somebody can read them.
    pub newer: Vec<usize>,
}

/// Sorts messages. Those that are malformed, or repeat one, are left out.
pub fn sort<P: Platform>(platform: &P, messages: &[QueueMessage]) -> Sorted {
    let Sorted { mut jobs, mut lines, mut steps, mut newer } = Sorted::default();
    for (message, QueueMessage { text, .. }) in messages.iter().enumerate() {
        match Message::parse(text) {
            Ok(Message::Deliver(asked)) => {
                for job in asked {
                    if !jobs.iter().any(|work| work.job.is_same_attempt(&job)) {
                        jobs.push(Work::new(message, job));
                    }
                }
            }
            Ok(Message::Lane(line)) => lines.wake(line, message),
            Ok(Message::Replay(step)) if steps.contains(&step) => {}
            Ok(Message::Replay(step)) => steps.push(step),
            Err(_) if Message::is_of_newer_release(text) => newer.push(message),
            Err(why) => platform.log_event(&json!({"at": "deliver", "malformed_job": why})),
        }
    }
    Sorted { jobs, lines, steps, newer }
}

/// Cuts the jobs into slices of one shard, of bounded numbers of jobs and of payload bytes, in
/// message order.
pub fn slices(jobs: &[Work]) -> VecDeque<Vec<usize>> {
    let mut slices = VecDeque::new();
    for (_, indices) in group_by_key(0..jobs.len(), |index| jobs[*index].job.shard) {
        let (mut slice, mut bytes) = (Vec::new(), 0);
        for index in indices {
            bytes += jobs[index].job.payload_bytes;
            let is_full = bytes > SLICE_BYTES_MAX || slice.len() == SLICE_JOBS_MAX;
            if is_full && !slice.is_empty() {
                slices.push_back(std::mem::take(&mut slice));
                bytes = jobs[index].job.payload_bytes;
            }
            slice.push(index);
        }
        slices.push_back(slice);
    }
    slices
}

/// Why deliveries that are due are not sent.
#[derive(Clone, Copy)]
pub enum Unsent {
    /// Their connection is gone.
    Orphans,
    /// Their connection is inactive.
    Paused,
}

/// Cancels deliveries whose connection is gone, holds those whose connection is inactive.
///
/// # Errors
/// When LOG does not answer.
pub async fn settle_unsent<P: Platform>(
    platform: &P,
    shard: u16,
    keys: &[DeliveryKey],
    why: Unsent,
) -> Result<()> {
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    if let Unsent::Paused = why {
        return held::hold(log, keys).await;
    }
    deliveries::cancel(log, keys, now_ms).await?;
    // One of them will do for what else its connection left behind.
    let line = |key: &DeliveryKey| ConnectionQueue {
        shard,
        workspace: key.workspace.clone(),
        connection: key.connection.clone(),
    };
    for (line, _) in group_by_key(keys.iter().map(line), ConnectionQueue::clone) {
        lanes::abandon(platform, &line).await?;
    }
    Ok(())
}

/// Lines to serve, each once however many messages ask for it.
#[derive(Debug, Default)]
pub struct Lines(Vec<(ConsumerReport, Vec<usize>)>);

/// What becomes of lines.
#[derive(Debug, Default)]
pub struct Started {
    /// These are served.
    pub started: Vec<ConsumerReport>,
    /// For these there is no slot, but their lane has something to hear.
    pub left: Vec<ConsumerReport>,
    /// Messages that ask for lines for which there is no slot.
    pub left_messages: Vec<usize>,
}

impl Lines {
    fn wake(&mut self, line: ConnectionQueue, message: usize) {
        match self.0.iter_mut().find(|(told, _)| told.line == line) {
            Some((_, messages)) => messages.push(message),
            None => {
                self.0.push((ConsumerReport { line, ..ConsumerReport::default() }, vec![message]))
            }
        }
    }

    /// The lines.
    pub fn iter(&self) -> impl Iterator<Item = &ConnectionQueue> {
        self.0.iter().map(|(told, _)| &told.line)
    }

    /// Takes all of them, with the messages that ask for each.
    pub fn take(&mut self) -> Vec<(ConnectionQueue, Vec<usize>)> {
        let all = std::mem::take(&mut self.0);
        all.into_iter().map(|(told, messages)| (told.line, messages)).collect()
    }

    /// Adds the line of a lane that has something to hear.
    pub fn add(&mut self, told: ConsumerReport) {
        match self.0.iter_mut().find(|(known, _)| known.line == told.line) {
            Some((known, _)) => *known = told,
            None => self.0.push((told, Vec::new())),
        }
    }

    /// Starts as many as there are slots.
    pub fn start(&mut self, slots: usize) -> Started {
        let mut all = Started::default();
        for (told, messages) in std::mem::take(&mut self.0) {
            if all.started.len() < slots {
                all.started.push(told);
            } else {
                all.left_messages.extend(messages);
                if !told.forwarded.is_empty() {
                    all.left.push(told);
                }
            }
        }
        all
    }
}

/// The deliveries by which connections turned out to be slow, with their shards.
pub fn slow(reports: &[Report]) -> Vec<(u16, DeliveryKey)> {
    let slow = reports.iter().filter(|r| r.is_slow() && r.read < Mode::Engaged);
    let key = |report: &Report| {
        let line = &report.told.line;
        report.slow.as_ref().map(|place| (line.shard, line.key(place)))
    };
    slow.filter_map(key).collect()
}

/// Raises the mode of connections that turned out to be slow, so that the batches to come leave
/// them to their lanes.
pub async fn raise_slow<P: Platform>(platform: &P, slow: Vec<(u16, DeliveryKey)>) {
    for (shard, slow) in group_by_key(slow, |(shard, _)| *shard) {
        let raise = |(_, delivery)| Raise { delivery, mode: Mode::Engaged, failed: false };
        let raised: Vec<Raise> = slow.into_iter().map(raise).collect();
        let done = match history_db(platform, shard) {
            Ok(log) => raise_now(log, &raised, platform.now_ms()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            platform.log_event(&json!({"at": "deliver", "error": error.to_string()}));
        }
    }
}

/// Tells lanes. Returns the deliveries that were left to a lane which did not hear of it.
pub async fn tell<P: Platform>(
    platform: &P,
    told: Vec<ConsumerReport>,
    left: Vec<ConsumerReport>,
) -> Vec<(ConnectionQueue, QueuePosition)> {
    let tell = async |one: ConsumerReport| {
        let (line, forwarded) = (one.line.clone(), one.forwarded.clone());
        let lost = if lanes::tell(platform, one).await { Vec::new() } else { forwarded };
        lost.into_iter().map(|place| (line.clone(), place)).collect::<Vec<_>>()
    };
    join_all(told.into_iter().chain(left).map(tell)).await.concat()
}

/// Records attempts that outlived their batch, and tells their lanes.
pub async fn finish_stragglers<P: Platform>(platform: &P, ended: Vec<(&Work, AttemptResult)>) {
    let mut reports = Reports::default();
    for (work, done) in &ended {
        if let AttemptResult::DeliveryUpdate { meaning, .. } = done {
            reports.on_job(work).add(&work.job.place(), meaning, work.is_slow);
        }
    }
    let finished =
        ended.into_iter().map(|(work, done)| FinishedJob { job: work.job.clone(), done });
    recorder::record(platform, finished.collect()).await;
    let told = reports.take().into_iter().map(Report::into_told).collect();
    tell(platform, told, Vec::new()).await;
}

/// Serves lines; `slots` is how many attempts all together may have under way.
pub async fn serve_lines<P: Platform>(
    platform: P,
    lines: Vec<ConsumerReport>,
    targets: Vec<Rc<Target>>,
    slots: usize,
) {
    let room = (slots / lines.len().max(1)).max(1);
    let run = |mut told: ConsumerReport| {
        // One that is gone is found out when its lane hands something out.
        let target = targets.iter().find(|target| target.connection == told.line.connection);
        told.traits = target.map(|target| target.options.lane_policy()).unwrap_or_default();
        lane_run::run(platform.clone(), told, room)
    };
    join_all(lines.into_iter().map(run)).await;
}
