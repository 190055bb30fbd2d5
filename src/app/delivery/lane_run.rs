//! Serving a line as its lane says: ask for the next deliveries, start them in that order, settle
//! them in LOG, tell the lane, ask again. For a while; then the lane has another consumer woken.
//!
//! The awaits of a run, and why each may be cut or repeated:
//! 1. ask the lane: what it hands out is leased, and comes again when the lease runs out;
//! 2. read a page of the line, if the lane asks for one: nothing has happened;
//! 3. read the connection and the deliveries: one that is not as the lane believed is not sent, and
//!    one whose job is taken for lost is taken first, so that nobody else sends it meanwhile.
//!    In a strict line the next one is read while the lane is asked, after 5 for the one before;
//! 4. send and wait: a crash before 5 repeats the attempt under the same message id. Those under
//!    way go on while the lane is asked and LOG is read;
//! 5. record (LOG), as attempts end and whatever else is awaited: takes effect only on a delivery
//!    that still owes this very attempt. The lane is told after that, so it never lets a later one
//!    pass by what is not settled.

use std::rc::Rc;

use futures_util::future::{Either, LocalBoxFuture, join, select};
use futures_util::stream::{FuturesUnordered, StreamExt};

use crate::app::common::history_db;
use crate::app::delivery::attempt::AttemptResult;
use crate::app::delivery::effect::ConnectionEffect;
use crate::app::delivery::lane_read::{Read, complain, keys, read_ahead, read_given};
use crate::app::delivery::recorder::{self, FinishedJob};
use crate::app::delivery::slice::{self, FreshTarget};
use crate::app::delivery::slowness::attempt_for_lane;
use crate::app::delivery::write_gate;
use crate::domain::base::limits::{
    HAND_BACK_S, LANE_RUN_DELIVERIES, LANE_RUN_END_MS, LANE_RUN_MS, LANE_RUN_PAGES, SLOTS,
    STRAGGLERS_MS,
};
use crate::domain::connection::model::Target;
use crate::domain::delivery::in_flight::{Begin, By};
use crate::domain::delivery::job::Job;
use crate::domain::delivery::lateness::ends_in_time;
use crate::domain::lane::messages::{Command, ConsumerReport, Given, How, Pull, Settled};
use crate::domain::lane::queue::{ConnectionQueue, LanePolicy, Page, PageStart, QueuePosition};
use crate::ports::{Lanes, Platform, PortError};
use crate::store::lines;

/// Serves a line. `told` is what the consumer knows already, `room` how many attempts it can have
/// under way.
pub async fn run<P: Platform>(platform: P, told: ConsumerReport, room: usize) {
    let mut run = Run {
        started_at_ms: platform.now_ms(),
        platform,
        line: told.line.clone(),
        traits: told.traits,
        told,
        settled: Vec::new(),
        page: None,
        places: Vec::new(),
        handed_out: 0,
        pages: 0,
        room,
        work: FuturesUnordered::new(),
        under_way: 0,
        ended: Vec::new(),
        is_due: false,
        recording: 0,
        by: By::Lane,
        is_first: true,
        stops: false,
    };
    if !run.told.forwarded.is_empty() {
        // The lane would ask for it.
        run.read_page(PageStart::Head).await;
    }
    while run.turn().await {}
}

/// What the work of a run leads to.
enum Progress {
    /// An attempt ended that was made for this hand-out and this job.
    Ended(Given, Job, Box<AttemptResult>),
    /// What ended is to be recorded now.
    Due,
    /// These were recorded, but for some jobs.
    Recorded(Vec<Settled>, Vec<Job>),
}

struct Run<P: Platform> {
    platform: P,
    line: ConnectionQueue,
    traits: LanePolicy,
    told: ConsumerReport,
    settled: Vec<Settled>,
    page: Option<Page>,
    /// What the last page showed of a strict line, in order.
    places: Vec<QueuePosition>,
    started_at_ms: i64,
    /// Deliveries that the lane handed out to it, those among them that it could not start.
    handed_out: usize,
    pages: usize,
    room: usize,
    /// Attempts, the writing of their records, and the wait before it.
    work: FuturesUnordered<LocalBoxFuture<'static, Progress>>,
    /// How many attempts wait for their answer.
    under_way: usize,
    /// Attempts that ended and are not being recorded yet.
    ended: Vec<(Given, Job, AttemptResult)>,
    is_due: bool,
    /// Sets of records that are being written.
    recording: usize,
    /// For whom it attempts what was handed out last.
    by: By,
    is_first: bool,
    stops: bool,
}

impl<P: Platform> Run<P> {
    /// Asks the lane and does what it says; false when the run is over.
    async fn turn(&mut self) -> bool {
        self.stops |= self.is_over();
        let next = ConsumerReport {
            line: self.line.clone(),
            traits: self.traits,
            ..ConsumerReport::default()
        };
        let room = if self.stops { 0 } else { self.room - self.under_way };
        let pull = Pull {
            told: std::mem::replace(&mut self.told, next),
            settled: std::mem::take(&mut self.settled),
            room: u32::try_from(room).unwrap_or(1),
            page: self.page.take(),
            is_first: std::mem::take(&mut self.is_first),
            stays: self.under_way + self.ended.len() + self.recording > 0,
        };
        let next = self.next_in_line(&pull);
        let (platform, line) = (self.platform.clone(), self.line.clone());
        let asked = async {
            let reply = platform.lanes().call(&line, Command::Pull(Box::new(pull)));
            join(reply, read_ahead(&platform, &line, next)).await
        };
        let (reply, ahead) = self.beside(asked).await;
        let reply = match reply {
            Ok(reply) => reply,
            Err(PortError(error)) => {
                // Its leases run out, and it looks at LOG again.
                complain(&self.platform, &self.line, &error);
                self.stops = true;
                return self.wait().await;
            }
        };
        if let Some(from) = reply.wanted.filter(|_| !self.stops) {
            self.read_page(from).await;
            return true;
        }
        self.handed_out += reply.given.len();
        self.by = if reply.is_failing { By::FailingLane } else { By::Lane };
        self.stops |= !reply.given.is_empty() && !self.serve(reply.given, ahead).await;
        self.wait().await
    }

    /// Waits until there is something to tell the lane; false when nothing is to come.
    async fn wait(&mut self) -> bool {
        while self.settled.is_empty() {
            match self.work.next().await {
                Some(progress) => self.take(progress),
                None => return false,
            }
        }
        true
    }

    /// Waits for something else while attempts go on and are recorded.
    async fn beside<T>(&mut self, other: impl Future<Output = T>) -> T {
        let mut other = Box::pin(other);
        while !self.work.is_empty() {
            match select(other, self.work.next()).await {
                Either::Left((done, _)) => return done,
                Either::Right((progress, rest)) => {
                    progress.into_iter().for_each(|progress| self.take(progress));
                    other = rest;
                }
            }
        }
        other.await
    }

    fn take(&mut self, progress: Progress) {
        match progress {
            Progress::Ended(given, job, done) => {
                self.under_way -= 1;
                self.ended.push((given, job, *done));
                if self.under_way == 0 {
                    self.record();
                } else if !std::mem::replace(&mut self.is_due, true) {
                    // Attempts that began together often end together.
                    let platform = self.platform.clone();
                    self.work.push(Box::pin(async move {
                        platform.sleep_ms(STRAGGLERS_MS).await;
                        Progress::Due
                    }));
                }
            }
            Progress::Due => {
                self.is_due = false;
                self.record();
            }
            Progress::Recorded(mut settled, unrecorded) => {
                self.recording -= 1;
                self.stops |= !unrecorded.is_empty();
                let again_at_ms = self.again_at_ms();
                for job in unrecorded {
                    let same = |one: &&mut Settled| {
                        one.place.event == job.event && one.place.rule == job.rule
                    };
                    let unrecorded = settled.iter_mut().find(same);
                    unrecorded.into_iter().for_each(|one| one.how = How::GivenBack(again_at_ms));
                }
                self.settled.extend(settled);
            }
        }
    }

    /// In a strict line the lane hands out what follows what was delivered, unless something keeps
    /// it from doing so.
    fn next_in_line(&self, pull: &Pull) -> Option<QueuePosition> {
        let [Settled { place, how: How::Delivered, .. }] = &pull.settled[..] else { return None };
        let index = self.places.iter().position(|one| one == place)?;
        self.places.get(index + 1).filter(|_| pull.room > 0).cloned()
    }

    fn is_over(&self) -> bool {
        let elapsed_ms = self.platform.now_ms() - self.started_at_ms;
        self.handed_out >= LANE_RUN_DELIVERIES * self.room / SLOTS
            || self.pages > LANE_RUN_PAGES
            || elapsed_ms >= LANE_RUN_MS
            || (self.handed_out > 0 && elapsed_ms + self.traits.timeout_ms > LANE_RUN_END_MS)
    }

    async fn read_page(&mut self, from: PageStart) {
        self.pages += 1;
        let (platform, line) = (self.platform.clone(), self.line.clone());
        let (strict, now_ms) = (self.traits.strict, self.platform.now_ms());
        let read = self.beside(async {
            let log = history_db(&platform, line.shard)?;
            lines::page(log, &line, strict, from, now_ms).await
        });
        match read.await {
            Ok(page) => {
                if self.traits.strict {
                    self.places = page.rows.iter().map(|row| row.place.clone()).collect();
                }
                self.page = Some(page);
            }
            Err(error) => {
                complain(&self.platform, &self.line, &error.to_string());
                self.stops = true;
            }
        }
    }

    /// Attempts what was handed out, in that order; false when there is nothing more to serve. It
    /// is claimed before it is read, so that what is read is within the bound of its isolate.
    async fn serve(&mut self, given: Vec<Given>, ahead: Option<(QueuePosition, Read)>) -> bool {
        let (given, refused): (Vec<Given>, Vec<Given>) =
            given.into_iter().partition(|given| self.claim(given));
        refused.iter().for_each(|given| self.tell(given, self.given_back()));
        if given.is_empty() {
            return true;
        }
        let (platform, line) = (self.platform.clone(), self.line.clone());
        let read = self.beside(read_given(&platform, &line, &given, ahead)).await;
        let Some((target, mut owed)) = read else {
            self.leave(&given, self.given_back());
            return false;
        };
        let Some(fresh) = target else {
            given.iter().for_each(|given| self.release(given));
            return false;
        };
        if !fresh.target.active {
            self.leave(&given, How::Changed);
            return false;
        }
        let Some(target) = self.refreshed(fresh, &given).await else {
            // Its connection was changed meanwhile: the next run sees to it.
            self.leave(&given, self.given_back());
            return false;
        };
        self.traits = target.options.lane_policy();
        for given in given {
            let job = self.job(&given);
            let row = owed.iter().position(|owed| owed.is_due_by(&job));
            let row = row.map(|index| owed.swap_remove(index));
            match row.filter(|row| row.is_first || !self.traits.strict) {
                None => self.leave(&[given], How::Changed),
                Some(_) if self.is_too_late(&given) => self.leave(&[given], self.given_back()),
                Some(row) => {
                    let (platform, target) = (self.platform.clone(), Rc::clone(&target));
                    self.under_way += 1;
                    self.work.push(Box::pin(async move {
                        let done = attempt_for_lane(&platform, &target, &row).await;
                        Progress::Ended(given, job, Box::new(done))
                    }));
                }
            }
        }
        true
    }

    /// The connection as it may be used now: LOG and the lane may have taken their time since it
    /// was read. `None` when it cannot be, or takes no deliveries any more.
    async fn refreshed(&self, known: Rc<FreshTarget>, given: &[Given]) -> Option<Rc<Target>> {
        let fresh = match known.is_fresh(self.platform.now_ms()) {
            true => Some(known),
            false => slice::read_target(&self.platform, &keys(&self.line, given)).await,
        };
        fresh.map(|fresh| Rc::clone(&fresh.target))
    }

    fn job(&self, given: &Given) -> Job {
        let key = self.line.key(&given.place);
        Job::new(self.line.shard, key, given.attempt, given.payload_bytes)
    }

    /// Whether an attempt that begins now could outlast its lease: it would overlap with that of
    /// whoever gets the delivery then. Asked right before the request is sent.
    fn is_too_late(&self, given: &Given) -> bool {
        let now_ms = self.platform.now_ms();
        // A lane of an older release does not say until when.
        given.until_ms > 0 && !ends_in_time(now_ms, self.traits.timeout_ms, given.until_ms)
    }

    fn claim(&self, given: &Given) -> bool {
        let (key, now_ms) = (self.line.key(&given.place), self.platform.now_ms());
        let mut in_flight = self.platform.in_flight().borrow_mut();
        in_flight.begin(&key, self.by, given.payload_bytes, now_ms) == Begin::Begun
    }

    fn release(&self, given: &Given) {
        self.platform.in_flight().borrow_mut().end(&self.line.key(&given.place));
    }

    /// Settles without an attempt what was claimed.
    fn leave(&mut self, given: &[Given], how: How) {
        for given in given {
            self.release(given);
            self.tell(given, how.clone());
        }
    }

    /// Has the lane told what became of a hand-out.
    fn tell(&mut self, given: &Given, how: How) {
        self.settled.push(settled(given, how));
    }

    fn given_back(&self) -> How {
        How::GivenBack(self.again_at_ms())
    }

    /// When something may start that could not be started or recorded now.
    fn again_at_ms(&self) -> i64 {
        let at_ms = self.platform.now_ms() + i64::from(HAND_BACK_S) * 1_000;
        let gate_ms = write_gate::not_before_ms(&self.platform, self.line.shard);
        at_ms.max(gate_ms.unwrap_or_default())
    }

    /// Begins to record what attempts led to, and notes it for the lane.
    fn record(&mut self) {
        let (mut finished, mut ended) = (Vec::new(), Vec::new());
        for (given, job, done) in std::mem::take(&mut self.ended) {
            let how = match &done {
                AttemptResult::DeliveryUpdate { meaning, .. } => self.note(meaning),
                AttemptResult::InternalFault(faulted) => How::InternalFault(faulted.due_at_ms),
            };
            ended.push(settled(&given, how));
            finished.push(FinishedJob { job, done });
        }
        if finished.is_empty() {
            return;
        }
        self.recording += 1;
        let platform = self.platform.clone();
        self.work.push(Box::pin(async move {
            Progress::Recorded(ended, recorder::record(&platform, finished).await)
        }));
    }

    fn note(&mut self, meaning: &ConnectionEffect) -> How {
        self.told.is_slow |= meaning.is_slow;
        self.told.less_until_ms = self.told.less_until_ms.max(meaning.less_until_ms);
        match (meaning.succeeded, meaning.failed) {
            (true, _) => How::Delivered,
            (false, true) => How::Failed(meaning.due_at_ms),
            // The receiver aborted the message: it answers, and this delivery is settled.
            (false, false) => How::InternalFault(None),
        }
    }
}

fn settled(given: &Given, how: How) -> Settled {
    Settled { place: given.place.clone(), nonce: given.nonce, how }
}
