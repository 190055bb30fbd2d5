//! What an intake knows in memory.

use std::collections::{BTreeMap, VecDeque};

use futures_channel::oneshot;

use crate::domain::base::limits::SWEEP_GRACE_MS;
use crate::domain::intake::bounds::{
    ALARM_AFTER_MS, FLUSH_AGAIN_MS, FLUSH_AGAIN_MS_MAX, FLUSH_BYTES, FLUSH_EVENTS, FLUSH_EVERY_MS,
    GATHERED_BYTES_MAX, SHARE_OF_WORKSPACE, SHED_AFTER_MS, TEXTS_HELD_MAX, WAITING_BYTES_MAX,
    WAITING_EVENTS_MAX,
};
use crate::domain::intake::generations::Generations;
use crate::domain::intake::messages::{Part, PartReply, Status};
use crate::domain::intake::waiting::VERSION;
use crate::store::intake::Head;

/// Answers somebody who waits.
type Answer<T> = oneshot::Sender<T>;

/// What an intake knows.
pub struct State {
    /// The generations of routings.
    pub generations: Generations,
    /// Requests that wait to be stored, and when the first of them came.
    pub gathered: Vec<Request>,
    gathered_bytes: usize,
    gathered_since_ms: i64,
    /// Whether a group is being stored.
    pub is_committing: bool,
    /// Whether it is not known any more what the storage holds.
    pub is_broken: bool,
    /// Number of the last row.
    pub last_n: i64,
    /// What waits, by shard.
    pub shards: BTreeMap<u16, Shard>,
    waiting: Amount,
    /// Bytes of the texts that are in memory.
    held_bytes: usize,
    /// What workspaces have here since the intake is in memory, and in which shard it belongs.
    of_workspaces: BTreeMap<String, (u16, Amount)>,
    /// When the alarm goes off.
    pub alarm_at_ms: Option<i64>,
    /// Rows that another release has to read.
    pub unreadable: usize,
}

/// So many events and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Amount {
    events: usize,
    bytes: usize,
}

impl Amount {
    fn add(&mut self, other: Self) {
        self.events += other.events;
        self.bytes += other.bytes;
    }

    fn subtract(&mut self, other: Self) {
        self.events = self.events.saturating_sub(other.events);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// Whether it is within one part in `share` of what may wait.
    fn is_within(self, share: usize) -> bool {
        self.events <= WAITING_EVENTS_MAX / share && self.bytes <= WAITING_BYTES_MAX / share
    }
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
    pub answer: Answer<Vec<PartReply>>,
}

impl Request {
    fn bytes(&self) -> usize {
        self.parts.iter().map(|(_, part)| part.bytes()).sum()
    }
}

/// What waits for a shard.
#[derive(Default)]
pub struct Shard {
    /// The rows, oldest first.
    pub rows: VecDeque<Waiting>,
    /// Whether it is being flushed.
    pub is_flushing: bool,
    /// Rows at the front that may have been flushed before the intake was in memory. They are
    /// flushed one by one: which of them were flushed together is not known.
    single: usize,
    /// How many rows the flush took whose result is not known, and when it was tried first: the
    /// same are taken again.
    again: Option<(usize, i64)>,
    /// When the last flush began.
    pub began_ms: i64,
    not_before_ms: i64,
    failures: u32,
    waiters: Vec<(i64, Answer<bool>)>,
}

/// A row that waits.
pub struct Waiting {
    /// What is known of it.
    pub head: Head,
    /// Its text, if it is in memory.
    text: Option<String>,
    /// How much of it is whose; empty for a row that was found in the storage.
    of: Vec<(String, Amount)>,
}

impl State {
    /// What an intake knows that starts with these rows.
    pub fn new(epoch: u64, now_ms: i64, heads: &[Head]) -> Self {
        let mut state = Self {
            generations: Generations::new(epoch, now_ms),
            gathered: Vec::new(),
            gathered_bytes: 0,
            gathered_since_ms: now_ms,
            is_committing: false,
            is_broken: false,
            last_n: heads.last().map_or(0, |head| head.n),
            shards: BTreeMap::new(),
            waiting: Amount::default(),
            held_bytes: 0,
            of_workspaces: BTreeMap::new(),
            alarm_at_ms: None,
            unreadable: 0,
        };
        for head in heads {
            if head.version == VERSION {
                state.add(*head, None, Vec::new());
            } else {
                state.unreadable += 1;
            }
        }
        for shard in state.shards.values_mut() {
            shard.single = shard.fitting();
        }
        state
    }

    /// What becomes of a part at once; `None` when it is to be stored.
    pub fn judge(&self, part: &Part, now_ms: i64) -> Option<PartReply> {
        if !self.generations.holds(&part.workspace, part.generation, now_ms) {
            return Some(PartReply::Stale(self.generations.of(&part.workspace)));
        }
        let own = Amount { events: part.count(), bytes: part.bytes() };
        let (mut all, mut of) = (self.waiting, own);
        all.add(own);
        if let Some((_, waiting)) = self.of_workspaces.get(&part.workspace) {
            of.add(*waiting);
        }
        let is_late = !self.gathered.is_empty() && now_ms - self.gathered_since_ms >= SHED_AFTER_MS;
        let has_room = self.gathered_bytes + own.bytes <= GATHERED_BYTES_MAX
            && all.is_within(1)
            && of.is_within(SHARE_OF_WORKSPACE);
        (is_late || !has_room).then_some(PartReply::Full)
    }

    /// Has a request wait to be stored.
    pub fn gather(&mut self, request: Request, now_ms: i64) {
        if self.gathered.is_empty() {
            self.gathered_since_ms = now_ms;
        }
        self.gathered_bytes += request.bytes();
        self.gathered.push(request);
    }

    /// Takes what is to be stored together: whole requests, up to so many bytes.
    pub fn take_group(&mut self, bytes_max: usize, now_ms: i64) -> Vec<Request> {
        let mut bytes = 0;
        let fits = |request: &&Request| {
            bytes += request.bytes();
            bytes <= bytes_max
        };
        let fitting = self.gathered.iter().take_while(fits).count().max(1);
        let rest = self.gathered.split_off(fitting.min(self.gathered.len()));
        let group = std::mem::replace(&mut self.gathered, rest);
        self.gathered_bytes = self.gathered.iter().map(Request::bytes).sum();
        self.gathered_since_ms = now_ms;
        group
    }

    /// Notes a row that was stored.
    pub fn add(&mut self, head: Head, text: Option<String>, of: Vec<(String, usize, usize)>) {
        let amount = Amount { events: head.events, bytes: head.bytes };
        self.waiting.add(amount);
        let of: Vec<_> = of
            .into_iter()
            .map(|(workspace, events, bytes)| (workspace, Amount { events, bytes }))
            .collect();
        for (workspace, amount) in &of {
            let entry = self.of_workspaces.entry(workspace.clone());
            entry.or_insert((head.shard, Amount::default())).1.add(*amount);
        }
        let text = text.filter(|text| self.held_bytes + text.len() <= TEXTS_HELD_MAX);
        self.held_bytes += text.as_ref().map_or(0, String::len);
        let shard = self.shards.entry(head.shard).or_default();
        shard.rows.push_back(Waiting { head, text, of });
    }

    /// The numbers of the first rows of a shard, and their texts as far as they are in memory,
    /// where they are not any more afterwards.
    pub fn take_rows(&mut self, number: u16, count: usize) -> Vec<(i64, Option<String>)> {
        let shard = self.shards.entry(number).or_default();
        let rows = shard.rows.iter_mut().take(count);
        let taken: Vec<_> = rows.map(|row| (row.head.n, row.text.take())).collect();
        let bytes: usize =
            taken.iter().filter_map(|(_, text)| text.as_ref()).map(String::len).sum();
        self.held_bytes -= bytes;
        taken
    }

    /// Notes that the first rows of a shard are in LOG, or need not be any more.
    pub fn flushed(&mut self, number: u16, count: usize) {
        let Some(shard) = self.shards.get_mut(&number) else { return };
        for row in shard.rows.drain(..count.min(shard.rows.len())) {
            self.waiting.subtract(Amount { events: row.head.events, bytes: row.head.bytes });
            for (workspace, amount) in row.of {
                if let Some((_, waiting)) = self.of_workspaces.get_mut(&workspace) {
                    waiting.subtract(amount);
                    if waiting.events == 0 {
                        self.of_workspaces.remove(&workspace);
                    }
                }
            }
        }
        shard.single = shard.single.saturating_sub(count);
        (shard.again, shard.failures, shard.not_before_ms) = (None, 0, 0);
        let first = shard.rows.front().map_or(i64::MAX, |row| row.head.n);
        let waiters = std::mem::take(&mut shard.waiters);
        for (n, answer) in waiters {
            if n < first {
                // Who asked may be gone.
                let _ = answer.send(true);
            } else {
                shard.waiters.push((n, answer));
            }
        }
    }

    /// Notes that a flush of so many rows of a shard failed.
    pub fn not_flushed(&mut self, number: u16, count: usize, now_ms: i64) {
        let Some(shard) = self.shards.get_mut(&number) else { return };
        let wait_ms = (FLUSH_AGAIN_MS << shard.failures.min(10)).min(FLUSH_AGAIN_MS_MAX);
        shard.failures += 1;
        let since_ms = shard.again.map_or(shard.began_ms, |(_, since_ms)| since_ms);
        shard.again = Some((count, since_ms));
        shard.not_before_ms = now_ms + wait_ms;
        for (_, answer) in shard.waiters.drain(..) {
            let _ = answer.send(false);
        }
    }

    /// The shards that can be flushed now, from now on being flushed. One that somebody waits for
    /// is tried again at once after a failure.
    pub fn begin_flush(&mut self, now_ms: i64) -> Vec<u16> {
        let can = |(_, shard): &(&u16, &mut Shard)| {
            let is_time = shard.not_before_ms <= now_ms || !shard.waiters.is_empty();
            !shard.rows.is_empty() && !shard.is_flushing && is_time
        };
        let begin = |(number, shard): (&u16, &mut Shard)| {
            shard.is_flushing = true;
            *number
        };
        self.shards.iter_mut().filter(can).map(begin).collect()
    }

    /// Answers that tell whether what a workspace has here now was flushed: one for each shard that
    /// it may be for.
    pub fn when_flushed(&mut self, workspace: &str) -> Vec<oneshot::Receiver<bool>> {
        let known = self.of_workspaces.get(workspace).map(|(shard, _)| *shard);
        let is_of_storage = |shard: &Shard| shard.rows.iter().any(|row| row.of.is_empty());
        let mut all = Vec::new();
        for (number, shard) in &mut self.shards {
            let Some(last) = shard.rows.back().map(|row| row.head.n) else { continue };
            if known == Some(*number) || is_of_storage(shard) {
                let (answer, receiver) = oneshot::channel();
                shard.waiters.push((last, answer));
                all.push(receiver);
            }
        }
        all
    }

    /// When the alarm is to go off, if it is not set for then. It is noted as set.
    pub fn wanted_alarm(&mut self, now_ms: i64) -> Option<i64> {
        let waiting = self.shards.values().filter(|shard| !shard.rows.is_empty());
        let first = waiting.map(|shard| shard.alarm_at_ms(now_ms)).min()?;
        if self.alarm_at_ms.is_some_and(|at_ms| at_ms <= first) {
            return None;
        }
        self.alarm_at_ms = Some(first);
        Some(first)
    }

    /// How things are.
    pub fn status(&self) -> Status {
        let fronts = self.shards.values().filter_map(|shard| shard.rows.front());
        let oldest_at_ms = fronts.map(|row| row.head.at_ms).min();
        Status { waiting: self.waiting.events, oldest_at_ms }
    }
}

impl Shard {
    /// When to look at it again: after a failure as soon as it may be tried again.
    fn alarm_at_ms(&self, now_ms: i64) -> i64 {
        let fails = self.failures > 0 && !self.is_flushing;
        if fails { self.not_before_ms.max(now_ms + 1) } else { now_ms + ALARM_AFTER_MS }
    }

    /// Since when tries of the next flush may have stored its events and woken nothing, if that is
    /// so recent that the sweeper has not woken them either.
    pub fn unsent_since_ms(&self, now_ms: i64) -> Option<i64> {
        let since_ms = self.again.map(|(_, since_ms)| since_ms);
        since_ms.filter(|since_ms| now_ms - since_ms < SWEEP_GRACE_MS)
    }

    /// How long the next flush waits for what else comes: one that is full goes at once, and so
    /// does the first after a while.
    pub fn rest_ms(&self, now_ms: i64) -> i64 {
        let is_full = self.again.is_some() || self.fitting() < self.rows.len();
        let rest_ms = (self.began_ms + FLUSH_EVERY_MS - now_ms).clamp(0, FLUSH_EVERY_MS);
        if is_full || !self.waiters.is_empty() { 0 } else { rest_ms }
    }

    /// How many rows at the front are flushed together.
    pub fn next_count(&self) -> usize {
        match self.again {
            Some((count, _)) => count,
            None if self.single > 0 => 1.min(self.rows.len()),
            None => self.fitting(),
        }
    }

    fn fitting(&self) -> usize {
        let (mut events, mut bytes) = (0, 0);
        // One that may be in LOG already takes no others with it: see `store::emit`.
        if self.rows.front().is_some_and(|row| row.head.is_alone) {
            return 1;
        }
        let fits = |row: &&Waiting| {
            events += row.head.events;
            bytes += row.head.bytes;
            events <= FLUSH_EVENTS && bytes <= FLUSH_BYTES && !row.head.is_alone
        };
        self.rows.iter().take_while(fits).count().max(1).min(self.rows.len())
    }
}
