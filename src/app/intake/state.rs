//! What an intake knows in memory.

use futures_channel::oneshot;

use crate::domain::intake::backlog::{Amount, Backlog, Head, Shard};
use crate::domain::intake::gathering::Gathering;
use crate::domain::intake::generations::Generations;
use crate::domain::intake::messages::{Part, PartReply};

/// What an intake knows.
pub struct State {
    /// The generations of routings.
    pub generations: Generations,
    /// Requests that wait to be stored.
    pub gathering: Gathering<Request>,
    /// Whether a group is being stored.
    pub is_committing: bool,
    /// Told when the next group has company enough.
    pub enough: Option<oneshot::Sender<()>>,
    /// Whether it is not known any more what the storage holds.
    pub is_broken: bool,
    /// Number of the last row.
    pub last_n: i64,
    /// What LOG does not have yet; those who wait learn whether it has it now.
    pub backlog: Backlog<oneshot::Sender<bool>>,
    /// When the alarm goes off.
    pub alarm_at_ms: Option<i64>,
}

/// A request that waits to be stored.
pub struct Request {
    /// Its parts, each with its place in the answer.
    pub parts: Vec<(usize, Part)>,
    /// Whether it was sent before, and the answer was lost.
    pub is_repeated: bool,
    /// What is answered so far; the parts' places are filled when they are stored.
    pub replies: Vec<PartReply>,
    /// Who waits.
    pub answer: oneshot::Sender<Vec<PartReply>>,
}

impl State {
    /// What an intake knows that starts with these rows.
    pub fn new(epoch: u64, now_ms: i64, heads: &[Head]) -> Self {
        Self {
            generations: Generations::new(epoch, now_ms),
            gathering: Gathering::default(),
            is_committing: false,
            enough: None,
            is_broken: false,
            last_n: heads.last().map_or(0, |head| head.n),
            backlog: Backlog::new(heads),
            alarm_at_ms: None,
        }
    }

    /// What becomes of a part at once; `None` when it is to be stored.
    pub fn judge(&self, part: &Part, now_ms: i64) -> Option<PartReply> {
        if !self.generations.holds(&part.workspace, part.generation, now_ms) {
            return Some(PartReply::Stale(self.generations.of(&part.workspace)));
        }
        let own = Amount { events: part.count(), bytes: part.bytes() };
        let has_room = self.gathering.has_room(own.bytes, now_ms)
            && self.backlog.has_room(&part.workspace, own);
        (!has_room).then_some(PartReply::Full)
    }

    /// Has a request wait to be stored.
    pub fn gather(&mut self, request: Request, now_ms: i64) {
        let mut own = Amount::default();
        for (_, part) in &request.parts {
            own.events += part.count();
            own.bytes += part.bytes();
        }
        self.gathering.add(request, own, now_ms);
        if let Some(enough) = self.enough.take_if(|_| self.gathering.is_enough()) {
            let _ = enough.send(());
        }
    }

    /// What waits for a shard.
    pub fn shard(&mut self, number: u16) -> &mut Shard<oneshot::Sender<bool>> {
        self.backlog.shard(number)
    }

    /// Notes what became of a flush of the first rows of a shard, and tells those who wait for it.
    pub fn end_flush(&mut self, number: u16, count: usize, is_done: bool, now_ms: i64) {
        let waiters = match is_done {
            true => self.backlog.flushed(number, count),
            false => self.backlog.not_flushed(number, count, now_ms),
        };
        // Who asked may be gone.
        for waiter in waiters {
            let _ = waiter.send(is_done);
        }
    }

    /// Answers that tell whether what a workspace has here now was flushed: one for each shard that
    /// it may be for.
    pub fn when_flushed(&mut self, workspace: &str) -> Vec<oneshot::Receiver<bool>> {
        let mut all = Vec::new();
        self.backlog.wait_for(workspace, || {
            let (answer, receiver) = oneshot::channel();
            all.push(receiver);
            answer
        });
        all
    }

    /// When the alarm is to go off, if it is not set for then. It is noted as set.
    pub fn wanted_alarm(&mut self, now_ms: i64) -> Option<i64> {
        let first = self.backlog.look_at_ms(now_ms)?;
        if self.alarm_at_ms.is_some_and(|at_ms| at_ms <= first) {
            return None;
        }
        self.alarm_at_ms = Some(first);
        Some(first)
    }
}
