//! The queue consumer: attempts the deliveries that a batch of jobs names, and serves lines.
//!
//! A batch is answered once all its attempts have started; or, as some batches of an isolate may
//! overlap, once little is left to start: one invocation has few connections, and a backlog would
//! wait for them. One that has lines to serve waits for its attempts, because lines get the slots
//! that those leave; so does one while large payloads are under way in its isolate. A large one for
//! which there is no room comes again.
//!
//! A slow endpoint never holds a batch. An attempt that is unanswered after 250 ms is *slow*: the
//! other jobs of its connection are left to its lane. So are the jobs of a connection whose lane is
//! engaged. Lines are served and replays go on after the batch was answered. Which job is started
//! next is decided in `domain/delivery/slots.rs`.
//!
//! The awaits of a batch, and why each may be cut or repeated:
//! 1. read the connections (CONTROL): nothing has happened yet;
//! 2. read a slice of deliveries (LOG): settled ones and attempts already recorded are dropped
//!    here, so a repeated job does nothing. What would be taken for lost before it ends is put off,
//!    or left to its lane;
//! 3. send and wait: a crash after the receiver's answer and before 4 repeats this attempt, under
//!    the same message id. After the batch was answered the sweeper finds it, before that the queue
//!    hands out the job once more;
//! 4. record (LOG): takes effect only on a delivery that still owes this very attempt;
//! 5. tell the lanes: what a lane does not hear, the sweeper finds in LOG.

mod rest;
mod room;
mod slices;

use std::collections::VecDeque;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use serde_json::json;

use crate::app::delivery::attempt::{AttemptResult, attempt};
use crate::app::delivery::batch::{self, Lines};
use crate::app::delivery::queue_delay;
use crate::app::delivery::recorder::{self, FinishedJob};
use crate::app::delivery::reports::Reports;
use crate::app::delivery::slice::{self, FreshTarget, Slice};
use crate::app::delivery::slowness::takes_long;
use crate::app::delivery::work::{QueueMessage, Work};
use crate::app::delivery::write_gate;
use crate::app::reseal;
use crate::domain::base::limits::{FLUSH_AFTER_MS, FLUSH_OUTCOMES};
use crate::domain::connection::model::Target;
use crate::domain::delivery::job::{Job, Step};
use crate::domain::delivery::lateness::ends_in_time;
use crate::domain::delivery::overlap::JAM_MS;
use crate::domain::delivery::retry::hand_back_s;
use crate::domain::delivery::slots::Slots;
use crate::domain::lane::messages::ConsumerReport;
use crate::ports::Platform;
use crate::store::targets::Wanted;

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
    /// Attempts that have not ended, lines that are served, steps of replays.
    pub rest: LocalBoxFuture<'static, ()>,
}

/// Serves one batch of messages. Never fails: what goes wrong is logged, and the message comes
/// again.
pub async fn deliver<P: Platform>(platform: &P, messages: &[QueueMessage]) -> Served {
    let mut run = Run::new(platform.clone(), messages);
    run.read_targets().await;
    run.start_all().await;
    let is_settled = run.has_lines() || !run.slots.is_waiting() || !run.allows_overlap();
    if is_settled {
        run.settle().await;
    }
    let verdicts = run.answer();
    let rest = async move {
        if !is_settled {
            run.settle().await;
        }
        if let Some(since_ms) = run.overlaps_since_ms {
            run.platform.in_flight().borrow_mut().overlap.end(since_ms);
        }
        run.send_back().await;
        run.finish().await;
    };
    Served { verdicts, rest: Box::pin(rest) }
}

/// Something that the run waited for.
enum BatchEvent {
    Ended(usize, Box<AttemptResult>),
    Slow(usize),
    FlushDue,
    Flushed(Vec<Job>),
    Read(u16, Vec<usize>, Option<Slice>),
    Settled(Vec<usize>, bool),
    Withdrawn(usize),
    Waited,
}

struct Run<P: Platform> {
    platform: P,
    /// Messages that are no job, or repeat one, are not here.
    jobs: Vec<Work>,
    slices: VecDeque<Vec<usize>>,
    targets: Vec<Rc<Target>>,
    slots: Slots,
    turns: FuturesUnordered<LocalBoxFuture<'static, BatchEvent>>,
    finished: Vec<FinishedJob>,
    flush_due: bool,
    /// Writes that are under way.
    flushing: usize,
    /// Shards of which a slice is being read.
    reading: Vec<u16>,
    verdicts: Vec<Verdict>,
    /// Since when it is one of the batches that overlap with the next ones.
    overlaps_since_ms: Option<i64>,
    /// Until when it waits for a slow attempt to end, if every slot holds one, or for room.
    waits_until_ms: i64,
    /// Until when it waits for what others have under way to make room, once it has had to.
    room_until_ms: Option<i64>,
    /// When each message was sent.
    sent_at_ms: Vec<i64>,
    /// Lines to serve after the batch.
    lines: Lines,
    /// Steps of replays to do after the batch.
    steps: Vec<Step>,
    /// Those that are.
    started: Vec<ConsumerReport>,
    reports: Reports,
    /// The shards whose jobs come late, and how late.
    delays: Vec<(u16, i64)>,
}

impl<P: Platform> Run<P> {
    fn new(platform: P, messages: &[QueueMessage]) -> Self {
        let batch::Sorted { jobs, lines, steps, newer } = batch::sort(&platform, messages);
        let slices = batch::slices(&jobs);
        let delays = queue_delay::of_batch(&jobs, messages, platform.now_ms());
        let mut run = Self {
            platform,
            jobs,
            slices,
            targets: Vec::new(),
            slots: Slots::default(),
            turns: FuturesUnordered::new(),
            finished: Vec::new(),
            flush_due: false,
            flushing: 0,
            reading: Vec::new(),
            verdicts: vec![Verdict::Ack; messages.len()],
            overlaps_since_ms: None,
            waits_until_ms: 0,
            room_until_ms: None,
            sent_at_ms: messages.iter().map(|message| message.sent_at_ms).collect(),
            lines,
            steps,
            started: Vec::new(),
            reports: Reports::default(),
            delays,
        };
        for message in newer {
            run.verdicts[message] = Verdict::Retry(run.hand_back_s(message));
        }
        run
    }

    /// Reads the connections of lines.
    async fn read_targets(&mut self) {
        let of_lines = self.lines.iter().map(|line| (&line.workspace, &line.connection));
        let named = of_lines.map(|(w, c)| (w.as_str(), c.as_str(), Vec::new()));
        let named: Vec<Wanted<'_>> = named.collect();
        if named.is_empty() {
            return;
        }
        match reseal::find_targets(&self.platform, &named).await {
            Ok(found) => self.targets = found.into_iter().map(Rc::new).collect(),
            Err(error) => {
                self.platform.log_event(&json!({"at": "deliver", "error": error.to_string()}));
                let lines = self.lines.take();
                lines.iter().flat_map(|(_, messages)| messages).for_each(|message| {
                    self.verdicts[*message] = Verdict::Retry(self.hand_back_s(*message));
                });
            }
        }
    }

    /// It could not be served: it comes again later and later, and not before its shard can be
    /// written.
    fn retry(&mut self, index: usize) {
        let work = &self.jobs[index];
        let at_ms = write_gate::not_before_ms(&self.platform, work.job.shard);
        let gate_s = at_ms.map_or(0, |at_ms| write_gate::seconds_until(&self.platform, at_ms));
        self.come_again(index, self.hand_back_s(work.message).max(gate_s));
    }

    fn hand_back_s(&self, message: usize) -> u32 {
        hand_back_s(self.sent_at_ms[message], self.platform.now_ms())
    }

    fn come_again(&mut self, index: usize, delay_s: u32) {
        self.release(index);
        let again_s = &mut self.jobs[index].again_s;
        *again_s = Some(again_s.unwrap_or_default().max(delay_s));
    }

    /// Takes turns until everything is started, or the rest may go on after the batch is answered.
    async fn start_all(&mut self) {
        loop {
            self.start();
            self.flush_if_due();
            if !self.has_more() || self.may_overlap() || !self.take_turn().await {
                break;
            }
        }
    }

    /// Takes turns until nothing is left but slow attempts; then what was not started goes back,
    /// and the lanes are told.
    async fn settle(&mut self) {
        loop {
            self.start();
            let is_over = !self.has_more() && !self.slots.is_waiting();
            if is_over {
                self.flush();
            } else {
                self.flush_if_due();
            }
            if (is_over && self.flushing == 0) || !self.take_turn().await {
                break;
            }
        }
        self.hand_back();
        self.tell_lanes().await;
    }

    /// Whether something is left that may be started in this batch.
    fn has_more(&self) -> bool {
        let is_left = !self.slices.is_empty() || self.slots.has_more();
        let waits = self.slots.is_waiting() || self.platform.now_ms() < self.waits_until_ms;
        !self.reading.is_empty() || (is_left && waits)
    }

    fn start(&mut self) {
        while !self.slots.is_jammed() {
            self.leave_unwritable();
            match self.slots.start() {
                Some(index) => self.launch(index),
                None => break,
            }
        }
        if !self.slots.is_jammed() {
            self.read_slices();
        }
    }

    fn launch(&mut self, index: usize) {
        let Some((owed, fresh)) = self.jobs[index].ready.take() else { return };
        let platform = self.platform.clone();
        self.jobs[index].is_in_flight = true;
        self.turns.push(Box::pin(async move {
            let fresh = match fresh.is_fresh(platform.now_ms()) {
                true => Some(fresh),
                false => slice::read_target(&platform, &[owed.key()]).await,
            };
            // One that waited long for its turn could be taken for lost while it is attempted.
            let is_in_time = |fresh: &Rc<FreshTarget>| {
                let timeout_ms = fresh.target.options.timeout_ms();
                ends_in_time(platform.now_ms(), timeout_ms, owed.sweep_at_ms)
            };
            match fresh.filter(is_in_time) {
                Some(fresh) => {
                    let done = attempt(&platform, &fresh.target, &owed).await;
                    BatchEvent::Ended(index, Box::new(done))
                }
                None => BatchEvent::Withdrawn(index),
            }
        }));
        let platform = self.platform.clone();
        self.turns.push(Box::pin(async move {
            takes_long(&platform).await;
            BatchEvent::Slow(index)
        }));
    }

    fn wait(&self, ms: i64, then: BatchEvent) {
        let platform = self.platform.clone();
        self.turns.push(Box::pin(async move {
            platform.sleep_ms(ms).await;
            then
        }));
    }

    /// Waits for what happens next and goes on with it; false when nothing is to come.
    async fn take_turn(&mut self) -> bool {
        let Some(event) = self.turns.next().await else { return false };
        match event {
            BatchEvent::Ended(index, done) => {
                self.end_flight(index);
                self.report(index, &done);
                if self.finished.is_empty() {
                    self.wait(FLUSH_AFTER_MS, BatchEvent::FlushDue);
                }
                self.finished.push(FinishedJob { job: self.jobs[index].job.clone(), done: *done });
            }
            BatchEvent::Slow(index) if self.jobs[index].is_in_flight => {
                self.jobs[index].is_slow = true;
                self.slots.became_slow(index);
                let work = &self.jobs[index];
                self.reports.on_job(work).slow = Some(work.job.place());
                if self.overlaps_since_ms.is_some() && self.slots.is_jammed() {
                    self.waits_until_ms = self.platform.now_ms() + JAM_MS;
                    self.wait(JAM_MS, BatchEvent::Waited);
                }
            }
            BatchEvent::Withdrawn(index) => {
                // Its connection was changed, or it waited too long: the next batch sees to it.
                self.end_flight(index);
                self.come_again(index, 0);
            }
            BatchEvent::Read(shard, slice, read) => self.take_slice(shard, slice, read),
            BatchEvent::Settled(indices, is_done) => {
                self.flushing -= 1;
                let end = if is_done { Self::release } else { Self::retry };
                indices.into_iter().for_each(|index| end(self, index));
            }
            BatchEvent::FlushDue => self.flush_due = true,
            BatchEvent::Flushed(unrecorded) => {
                self.flushing -= 1;
                self.repeat(&unrecorded);
            }
            BatchEvent::Slow(_) | BatchEvent::Waited => {}
        }
        true
    }

    fn end_flight(&mut self, index: usize) {
        let work = &mut self.jobs[index];
        work.is_in_flight = false;
        if work.is_slow {
            self.slots.slow_ended(index);
        } else {
            self.slots.answered(index);
        }
    }

    /// Notes for its lane what an attempt led to.
    fn report(&mut self, index: usize, done: &AttemptResult) {
        let AttemptResult::DeliveryUpdate { meaning, .. } = done else { return };
        let work = &self.jobs[index];
        let report = self.reports.on_job(work);
        report.add(&work.job.place(), meaning, work.is_slow);
        if report.is_hopeless() {
            self.slots.stop(index);
        }
    }

    fn repeat(&mut self, unrecorded: &[Job]) {
        let is_lost = |work: &Work| unrecorded.iter().any(|job| job.is_same_delivery(&work.job));
        let lost: Vec<usize> =
            (0..self.jobs.len()).filter(|index| is_lost(&self.jobs[*index])).collect();
        lost.into_iter().for_each(|index| self.retry(index));
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
            BatchEvent::Flushed(recorder::record(&platform, finished).await)
        }));
    }
}
