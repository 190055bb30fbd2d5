//! The queue consumer: attempts the deliveries that a batch of jobs names.
//!
//! A slow endpoint never holds a batch. An attempt that is unanswered after 250 ms is *slow*: it
//! goes on after the batch has ended and records itself, and the other jobs of its connection are
//! handed back to the queue. Which job is started next is decided in `domain/slots.rs`.
//!
//! The awaits of a batch, and why each may be cut or repeated:
//! 1. read the connections (CONTROL): nothing has happened yet;
//! 2. read a slice of deliveries (LOG): settled ones and attempts already recorded are dropped
//!    here, so a repeated job does nothing;
//! 3. send and wait: a crash after the receiver's answer and before 4 repeats this attempt, under
//!    the same message id;
//! 4. record (LOG): takes effect only on a delivery that still owes this very attempt.

use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;

use super::attempt::{Done, attempt};
use super::log;
use super::recorder::{self, Finished};
use crate::domain::connection::Target;
use crate::domain::job::{DeliveryKey, Job};
use crate::domain::limits::{
    FLUSH_AFTER_MS, FLUSH_OUTCOMES, HAND_BACK_S, SLICE_BYTES_MAX, SLOW_AFTER_MS,
};
use crate::domain::slots::Slots;
use crate::ports::Platform;
use crate::store::deliveries::{self, Owed};
use crate::store::{held, targets};

/// What becomes of a queue message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with.
    Ack,
    /// It comes again after this many seconds.
    Retry(u32),
}

/// A batch that was served.
pub struct Served {
    /// What becomes of each message, in order.
    pub verdicts: Vec<Verdict>,
    /// Slow attempts that go on.
    pub rest: LocalBoxFuture<'static, ()>,
}

/// Serves one batch of messages. Never fails: what goes wrong is logged, and the message comes
/// again.
pub async fn deliver<P: Platform>(platform: &P, messages: &[String]) -> Served {
    let mut run = Run::new(platform.clone(), messages);
    run.read_targets().await;
    run.serve().await;
    run.hand_back();
    run.finish()
}

/// Why deliveries that are due are not sent.
#[derive(Clone, Copy)]
enum Unsent {
    /// Their connection is gone.
    Orphans,
    /// Their connection is inactive.
    Paused,
}

/// Something that the run waited for.
enum Turn {
    Ended(usize, Box<Done>),
    Slow(usize),
    FlushDue,
    Flushed(Vec<Job>),
}

struct Run<P: Platform> {
    platform: P,
    /// The jobs by message index; messages that are no job, or repeat one, are not here.
    jobs: HashMap<usize, Job>,
    slices: VecDeque<Vec<usize>>,
    targets: HashMap<String, Rc<Target>>,
    slots: Slots,
    ready: HashMap<usize, Owed>,
    claimed: HashSet<usize>,
    in_flight: HashSet<usize>,
    slow: HashSet<usize>,
    turns: FuturesUnordered<LocalBoxFuture<'static, Turn>>,
    finished: Vec<Finished>,
    flush_due: bool,
    flushing: usize,
    verdicts: Vec<Verdict>,
}

impl<P: Platform> Run<P> {
    fn new(platform: P, messages: &[String]) -> Self {
        let (mut jobs, mut seen) = (HashMap::new(), HashSet::new());
        for (index, message) in messages.iter().enumerate() {
            match Job::parse(message) {
                Ok(job) => {
                    if seen.insert((job.key(), job.attempt)) {
                        jobs.insert(index, job);
                    }
                }
                Err(why) => {
                    platform.line(&json!({"at": "deliver", "malformed_job": why}));
                }
            }
        }
        let slices = slices(&jobs);
        Self {
            platform,
            jobs,
            slices,
            targets: HashMap::new(),
            slots: Slots::default(),
            ready: HashMap::new(),
            claimed: HashSet::new(),
            in_flight: HashSet::new(),
            slow: HashSet::new(),
            turns: FuturesUnordered::new(),
            finished: Vec::new(),
            flush_due: false,
            flushing: 0,
            verdicts: vec![Verdict::Ack; messages.len()],
        }
    }

    async fn read_targets(&mut self) {
        let named: HashSet<(&str, &str)> =
            self.jobs.values().map(|j| (j.workspace.as_str(), j.connection.as_str())).collect();
        if named.is_empty() {
            return;
        }
        let named: Vec<_> = named.into_iter().collect();
        match targets::find(self.platform.control(), &named).await {
            Ok(found) => {
                self.targets = found.into_iter().map(|(id, t)| (id, Rc::new(t))).collect();
            }
            Err(error) => {
                self.platform.line(&json!({"at": "deliver", "error": error.to_string()}));
                let all = std::mem::take(&mut self.slices);
                all.into_iter().flatten().for_each(|index| self.retry(index));
            }
        }
    }

    fn retry(&mut self, index: usize) {
        self.release(index);
        self.verdicts[index] = Verdict::Retry(HAND_BACK_S);
    }

    /// Starts what may be started and takes turns until nothing is left but slow attempts.
    async fn serve(&mut self) {
        loop {
            self.start().await;
            self.flush_if_due();
            if !self.slots.is_waiting() {
                break;
            }
            self.take_turn().await;
        }
        while self.flushing > 0 || !self.finished.is_empty() {
            self.flush();
            self.take_turn().await;
        }
    }

    async fn start(&mut self) {
        while !self.slots.is_jammed() {
            if let Some(index) = self.slots.start() {
                self.launch(index);
            } else if !self.slots.is_waiting() && !self.slices.is_empty() {
                self.read_slice().await;
            } else {
                break;
            }
        }
    }

    /// Reads the next slice: drops what is under way or settled, cancels what has no connection any
    /// more, and puts the rest in line.
    async fn read_slice(&mut self) {
        let Some(slice) = self.slices.pop_front() else { return };
        // What is under way is claimed before it is read, so that a row read here is not one that
        // another batch of this isolate is just recording.
        let slice: Vec<usize> = slice.into_iter().filter(|index| self.claim(*index)).collect();
        let Some(shard) = slice.first().map(|index| self.jobs[index].shard) else { return };
        let keys: Vec<DeliveryKey> = slice.iter().map(|index| self.jobs[index].key()).collect();
        let found = match log(&self.platform, shard) {
            Ok(log) => deliveries::owed(log, &keys).await,
            Err(error) => Err(error),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                self.platform.line(&json!({"at": "deliver", "error": error.to_string()}));
                slice.into_iter().for_each(|index| self.retry(index));
                return;
            }
        };
        let mut owed: HashMap<DeliveryKey, Owed> =
            found.into_iter().map(|owed| (owed.key(), owed)).collect();
        let (mut orphans, mut paused) = (Vec::new(), Vec::new());
        for index in slice {
            let job = &self.jobs[&index];
            let row = owed.remove(&job.key()).filter(|owed| owed.attempts + 1 == job.attempt);
            match (row, self.targets.get(&job.connection)) {
                (None, _) => self.release(index),
                (Some(_), None) => orphans.push(index),
                (Some(_), Some(target)) if !target.active => paused.push(index),
                (Some(row), Some(_)) => {
                    self.slots.add(index, &job.connection);
                    self.ready.insert(index, row);
                }
            }
        }
        self.settle_unsent(shard, orphans, Unsent::Orphans).await;
        self.settle_unsent(shard, paused, Unsent::Paused).await;
    }

    fn claim(&mut self, index: usize) -> bool {
        let (key, now_ms) = (self.jobs[&index].key(), self.platform.now_ms());
        let claimed = self.platform.in_flight().borrow_mut().begin(&key, now_ms);
        if claimed {
            self.claimed.insert(index);
        }
        claimed
    }

    fn release(&mut self, index: usize) {
        if self.claimed.remove(&index) {
            self.platform.in_flight().borrow_mut().end(&self.jobs[&index].key());
        }
    }

    /// Cancels deliveries whose connection is gone, holds those whose connection is inactive.
    async fn settle_unsent(&mut self, shard: u16, indices: Vec<usize>, why: Unsent) {
        if indices.is_empty() {
            return;
        }
        let keys: Vec<DeliveryKey> = indices.iter().map(|index| self.jobs[index].key()).collect();
        let now_ms = self.platform.now_ms();
        let settled = match (log(&self.platform, shard), why) {
            (Ok(log), Unsent::Orphans) => deliveries::cancel(log, &keys, now_ms).await,
            (Ok(log), Unsent::Paused) => held::hold(log, &keys).await,
            (Err(error), _) => Err(error),
        };
        if let Err(error) = settled {
            self.platform.line(&json!({"at": "deliver", "error": error.to_string()}));
            indices.into_iter().for_each(|index| self.retry(index));
        } else {
            indices.into_iter().for_each(|index| self.release(index));
        }
    }

    fn launch(&mut self, index: usize) {
        let connection = &self.jobs[&index].connection;
        let (Some(owed), Some(target)) = (self.ready.remove(&index), self.targets.get(connection))
        else {
            return;
        };
        let (platform, target) = (self.platform.clone(), Rc::clone(target));
        self.in_flight.insert(index);
        self.turns.push(Box::pin(async move {
            Turn::Ended(index, Box::new(attempt(&platform, &target, &owed).await))
        }));
        self.wait(SLOW_AFTER_MS, Turn::Slow(index));
    }

    fn wait(&self, ms: i64, then: Turn) {
        let platform = self.platform.clone();
        self.turns.push(Box::pin(async move {
            platform.sleep_ms(ms).await;
            then
        }));
    }

    async fn take_turn(&mut self) {
        match self.turns.next().await {
            Some(Turn::Ended(index, done)) => {
                self.in_flight.remove(&index);
                if self.slow.remove(&index) {
                    self.slots.slow_ended(index);
                } else {
                    self.slots.answered(index);
                }
                if self.finished.is_empty() {
                    self.wait(FLUSH_AFTER_MS, Turn::FlushDue);
                }
                self.finished.push(Finished { job: self.jobs[&index].clone(), done: *done });
            }
            Some(Turn::Slow(index)) if self.in_flight.contains(&index) => {
                self.slow.insert(index);
                self.slots.became_slow(index);
            }
            Some(Turn::FlushDue) => self.flush_due = true,
            Some(Turn::Flushed(unrecorded)) => {
                self.flushing -= 1;
                self.repeat(&unrecorded);
            }
            Some(Turn::Slow(_)) | None => {}
        }
    }

    fn repeat(&mut self, unrecorded: &[Job]) {
        let lost: HashSet<DeliveryKey> = unrecorded.iter().map(Job::key).collect();
        let indices: Vec<usize> = self
            .jobs
            .iter()
            .filter_map(|(index, job)| lost.contains(&job.key()).then_some(*index))
            .collect();
        indices.into_iter().for_each(|index| self.retry(index));
    }

    fn flush_if_due(&mut self) {
        if self.flush_due || self.finished.len() >= FLUSH_OUTCOMES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.flush_due = false;
        let finished = std::mem::take(&mut self.finished);
        if finished.is_empty() {
            return;
        }
        self.flushing += 1;
        let platform = self.platform.clone();
        self.turns.push(Box::pin(async move {
            Turn::Flushed(recorder::record(&platform, finished).await)
        }));
    }

    /// What was not started comes again.
    fn hand_back(&mut self) {
        let slices = std::mem::take(&mut self.slices);
        let waiting: Vec<usize> =
            slices.into_iter().flatten().chain(self.slots.not_started()).collect();
        waiting.into_iter().for_each(|index| self.retry(index));
    }

    /// The slow attempts go on, and each records itself.
    fn finish(self) -> Served {
        let Self { platform, jobs, in_flight, mut turns, verdicts, .. } = self;
        let rest = async move {
            let mut left = in_flight.len();
            while left > 0 {
                let Some(turn) = turns.next().await else { break };
                if let Turn::Ended(index, done) = turn {
                    left -= 1;
                    let finished = vec![Finished { job: jobs[&index].clone(), done: *done }];
                    recorder::record(&platform, finished).await;
                }
            }
        };
        Served { verdicts, rest: Box::pin(rest) }
    }
}

/// Cuts the jobs into slices of one shard and a bounded number of payload bytes, in message order.
fn slices(jobs: &HashMap<usize, Job>) -> VecDeque<Vec<usize>> {
    let mut indices: Vec<usize> = jobs.keys().copied().collect();
    indices.sort_unstable_by_key(|index| (jobs[index].shard, *index));
    let mut slices: VecDeque<Vec<usize>> = VecDeque::new();
    let (mut shard, mut bytes) = (None, 0);
    for index in indices {
        let job = &jobs[&index];
        bytes += job.payload_bytes;
        match slices.back_mut() {
            Some(slice) if shard == Some(job.shard) && bytes <= SLICE_BYTES_MAX => {
                slice.push(index);
            }
            _ => {
                slices.push_back(vec![index]);
                (shard, bytes) = (Some(job.shard), job.payload_bytes);
            }
        }
    }
    slices
}
