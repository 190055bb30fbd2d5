//! What an intake has stored and LOG does not have yet: rows by shard, in the order in which they
//! were stored, when which of them are flushed, and whose places are free after that.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use crate::domain::base::limits::SWEEP_GRACE_MS;
use crate::domain::intake::bounds::{
    ALARM_AFTER_MS, ANSWER_FIRST_MS, FLUSH_AGAIN_MS, FLUSH_AGAIN_MS_MAX, FLUSH_BYTES, FLUSH_EVENTS,
    FLUSH_EVERY_MS, FLUSH_EVERY_MS_MAX, FLUSH_LONGER_MS, FLUSHED_KEPT, KEYS_BYTES_MAX,
    SHARE_OF_WORKSPACE, TEXTS_HELD_MAX, WAITING_BYTES_MAX, WAITING_EVENTS_MAX,
};
use crate::domain::intake::messages::Status;
use crate::domain::intake::waiting::VERSION;

/// What is known of a row without its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Its number: rows are flushed in the order of their numbers.
    pub n: i64,
    /// Version of its text.
    pub version: u8,
    /// Which LOG database its events belong in.
    pub shard: u16,
    /// When it was stored.
    pub at_ms: i64,
    /// Whether its events may be in LOG already, so that they are flushed by themselves.
    pub is_alone: bool,
    /// How many events it holds.
    pub events: usize,
    /// How long its text is.
    pub bytes: usize,
}

/// So many events and bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Amount {
    /// Events.
    pub events: usize,
    /// Bytes of their texts.
    pub bytes: usize,
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

/// How much of a row belongs to each workspace.
pub type Shares = Vec<(String, Amount)>;

/// All that waits. `W` stands for somebody who waits for a flush.
#[derive(Debug)]
pub struct Backlog<W> {
    shards: BTreeMap<u16, Shard<W>>,
    waiting: Amount,
    /// Bytes of the texts that are in memory.
    held_bytes: usize,
    /// What workspaces have here since the intake is in memory, and in which shard it belongs.
    of_workspaces: BTreeMap<Rc<str>, (u16, Amount)>,
    /// Numbers of rows that are in LOG and still in the storage, and since when, oldest first.
    flushed: VecDeque<(i64, i64)>,
    /// Rows that another release has to read.
    pub unreadable: usize,
}

/// What waits for a shard.
#[derive(Debug)]
pub struct Shard<W> {
    /// The rows, oldest first.
    rows: VecDeque<Waiting>,
    is_flushing: bool,
    /// Rows at the front that may have been flushed before the intake was in memory. They are
    /// flushed one by one: which of them were flushed together is not known.
    single: usize,
    /// How many rows the flush took whose result is not known, and when it was tried first: the
    /// same are taken again.
    again: Option<(usize, i64)>,
    /// When the last flush began.
    began_ms: i64,
    /// How many events the last flush brought.
    brought: usize,
    not_before_ms: i64,
    failures: u32,
    waiters: Vec<(i64, W)>,
}

/// A row that waits.
#[derive(Debug)]
struct Waiting {
    head: Head,
    /// Its text, if it is in memory.
    text: Option<String>,
    /// How much of it is whose. Empty for a row that was found in the storage.
    of: Vec<(Rc<str>, Amount)>,
}

impl<W> Default for Shard<W> {
    fn default() -> Self {
        Self {
            rows: VecDeque::new(),
            is_flushing: false,
            single: 0,
            again: None,
            began_ms: 0,
            brought: 0,
            not_before_ms: 0,
            failures: 0,
            waiters: Vec::new(),
        }
    }
}

impl<W> Backlog<W> {
    /// What an intake begins with that found these rows in its storage.
    pub fn new(heads: &[Head]) -> Self {
        let mut backlog = Self {
            shards: BTreeMap::new(),
            waiting: Amount::default(),
            held_bytes: 0,
            of_workspaces: BTreeMap::new(),
            flushed: VecDeque::new(),
            unreadable: 0,
        };
        for head in heads {
            if head.version == VERSION {
                backlog.add(*head, None, Vec::new());
            } else {
                backlog.unreadable += 1;
            }
        }
        for shard in backlog.shards.values_mut() {
            shard.single = shard.fitting();
        }
        backlog
    }

    /// Whether so much more of a workspace may wait.
    pub fn has_room(&self, workspace: &str, own: Amount) -> bool {
        let (mut all, mut of) = (self.waiting, own);
        all.add(own);
        if let Some((_, waiting)) = self.of_workspaces.get(workspace) {
            of.add(*waiting);
        }
        all.is_within(1) && of.is_within(SHARE_OF_WORKSPACE)
    }

    /// Whether so much is stored that no new idempotency key is taken.
    pub fn is_full_of_keys(&self, stored_bytes: i64) -> bool {
        self.keys_percent(stored_bytes) >= 100
    }

    /// How much of what idempotency keys may take is taken where so much is stored, in percent.
    /// What waits does not count.
    fn keys_percent(&self, stored_bytes: i64) -> i64 {
        let waiting = i64::try_from(self.waiting.bytes).unwrap_or(i64::MAX);
        stored_bytes.saturating_sub(waiting).max(0).saturating_mul(100) / KEYS_BYTES_MAX
    }

    /// Notes a row that was stored.
    pub fn add(&mut self, head: Head, text: Option<String>, of: Shares) {
        self.waiting.add(Amount { events: head.events, bytes: head.bytes });
        let mut share = |(workspace, amount): (String, Amount)| {
            let known = self.of_workspaces.get_key_value(workspace.as_str());
            // Hundreds of thousands of rows may be of few workspaces.
            let workspace = known.map_or_else(|| workspace.into(), |(known, _)| Rc::clone(known));
            let entry = self.of_workspaces.entry(Rc::clone(&workspace));
            entry.or_insert((head.shard, Amount::default())).1.add(amount);
            (workspace, amount)
        };
        let of = of.into_iter().map(&mut share).collect();
        let text = text.filter(|text| self.held_bytes + text.len() <= TEXTS_HELD_MAX);
        self.held_bytes += text.as_ref().map_or(0, String::len);
        let shard = self.shards.entry(head.shard).or_default();
        shard.rows.push_back(Waiting { head, text, of });
    }

    /// What waits for a shard.
    pub fn shard(&mut self, number: u16) -> &mut Shard<W> {
        self.shards.entry(number).or_default()
    }

    /// The numbers of the first rows of a shard, and their texts as far as they are in memory,
    /// where they are not any more afterwards.
    pub fn take_rows(&mut self, number: u16, count: usize) -> Vec<(i64, Option<String>)> {
        let rows = self.shards.entry(number).or_default().rows.iter_mut().take(count);
        let taken: Vec<_> = rows.map(|row| (row.head.n, row.text.take())).collect();
        let held = taken.iter().filter_map(|(_, text)| text.as_ref()).map(String::len);
        self.held_bytes -= held.sum::<usize>();
        taken
    }

    /// Notes that the first rows of a shard are in LOG, or need not be any more. Those who waited
    /// for nothing else.
    pub fn flushed(&mut self, number: u16, count: usize) -> Vec<W> {
        let Some(shard) = self.shards.get_mut(&number) else { return Vec::new() };
        shard.brought = 0;
        for row in shard.rows.drain(..count.min(shard.rows.len())) {
            shard.brought += row.head.events;
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
        let waiters = std::mem::take(&mut shard.waiters).into_iter();
        let (done, left): (Vec<_>, Vec<_>) = waiters.partition(|(n, _)| *n < first);
        shard.waiters = left;
        done.into_iter().map(|(_, waiter)| waiter).collect()
    }

    /// Keeps the numbers of rows that are in LOG now, for new rows to take their places; those that
    /// are too many to keep, which are to be deleted.
    pub fn keep_flushed(&mut self, numbers: Vec<i64>, now_ms: i64) -> Vec<i64> {
        self.flushed.extend(numbers.into_iter().map(|n| (n, now_ms)));
        let too_many = self.flushed.len().saturating_sub(FLUSHED_KEPT);
        self.flushed.drain(..too_many).map(|(n, _)| n).collect()
    }

    /// The numbers of so many of the rows that are in LOG, whose places new ones take. Those that
    /// came there last are taken first: who is not needed grows old and is deleted.
    pub fn take_flushed(&mut self, count: usize) -> Vec<i64> {
        let rest = self.flushed.len().saturating_sub(count);
        self.flushed.drain(rest..).map(|(n, _)| n).collect()
    }

    /// The numbers of the rows that were in LOG by then, which are to be deleted.
    pub fn take_flushed_by(&mut self, at_ms: i64) -> Vec<i64> {
        let count = self.flushed.partition_point(|(_, flushed_at_ms)| *flushed_at_ms <= at_ms);
        self.flushed.drain(..count).map(|(n, _)| n).collect()
    }

    /// Notes that a flush of so many rows of a shard failed. All who waited for it.
    pub fn not_flushed(&mut self, number: u16, count: usize, now_ms: i64) -> Vec<W> {
        let Some(shard) = self.shards.get_mut(&number) else { return Vec::new() };
        let wait_ms = (FLUSH_AGAIN_MS << shard.failures.min(10)).min(FLUSH_AGAIN_MS_MAX);
        shard.failures += 1;
        let since_ms = shard.again.map_or(shard.began_ms, |(_, since_ms)| since_ms);
        shard.again = Some((count, since_ms));
        shard.not_before_ms = now_ms + wait_ms;
        shard.waiters.drain(..).map(|(_, waiter)| waiter).collect()
    }

    /// The shards that can be flushed now, from now on being flushed. One that somebody waits for
    /// is tried again at once after a failure.
    pub fn begin_flush(&mut self, now_ms: i64) -> Vec<u16> {
        let can = |(_, shard): &(&u16, &mut Shard<W>)| {
            let is_time = shard.not_before_ms <= now_ms || !shard.waiters.is_empty();
            !shard.rows.is_empty() && !shard.is_flushing && is_time
        };
        let begin = |(number, shard): (&u16, &mut Shard<W>)| {
            shard.is_flushing = true;
            *number
        };
        self.shards.iter_mut().filter(can).map(begin).collect()
    }

    /// Has somebody wait until what a workspace has here now was flushed: `waiter` is asked for one
    /// for each shard that it may be for.
    pub fn wait_for(&mut self, workspace: &str, mut waiter: impl FnMut() -> W) {
        let known = self.of_workspaces.get(workspace).map(|(shard, _)| *shard);
        // Whose a row is that was found in the storage is not known, and those come first.
        let is_of_storage = |shard: &Shard<W>| shard.rows.front().is_some_and(|r| r.of.is_empty());
        for (number, shard) in &mut self.shards {
            let Some(last) = shard.rows.back().map(|row| row.head.n) else { continue };
            if known == Some(*number) || is_of_storage(shard) {
                shard.waiters.push((last, waiter()));
            }
        }
    }

    /// When something has to be looked at that waits, or is in LOG and still in the storage; `None`
    /// when there is nothing.
    pub fn look_at_ms(&self, now_ms: i64) -> Option<i64> {
        let waiting = self.shards.values().filter(|shard| !shard.rows.is_empty());
        let flushed = (!self.flushed.is_empty()).then_some(now_ms + ALARM_AFTER_MS);
        waiting.map(|shard| shard.look_at_ms(now_ms)).chain(flushed).min()
    }

    /// How things are where so much is stored.
    pub fn status(&self, stored_bytes: i64) -> Status {
        let fronts = self.shards.values().filter_map(|shard| shard.rows.front());
        let oldest_at_ms = fronts.map(|row| row.head.at_ms).min();
        Status {
            waiting: self.waiting.events,
            oldest_at_ms,
            keys_percent: self.keys_percent(stored_bytes),
        }
    }
}

impl<W> Shard<W> {
    /// After a failure as soon as it may be tried again.
    fn look_at_ms(&self, now_ms: i64) -> i64 {
        let fails = self.failures > 0 && !self.is_flushing;
        if fails { self.not_before_ms.max(now_ms + 1) } else { now_ms + ALARM_AFTER_MS }
    }

    /// Notes that a flush begins.
    pub fn begin(&mut self, now_ms: i64) {
        self.began_ms = now_ms;
    }

    /// Notes that nobody flushes it any more.
    pub fn rest(&mut self) {
        self.is_flushing = false;
    }

    /// Since when tries of the next flush may have stored its events and woken nothing, if that is
    /// so recent that the sweeper has not woken them either.
    pub fn unsent_since_ms(&self, now_ms: i64) -> Option<i64> {
        let since_ms = self.again.map(|(_, since_ms)| since_ms);
        since_ms.filter(|since_ms| now_ms - since_ms < SWEEP_GRACE_MS)
    }

    /// How long the next flush waits for what else comes: one that is full or alone goes at once,
    /// and the first after a while when what it brings was answered.
    pub fn rest_ms(&self, now_ms: i64) -> i64 {
        let is_full = self.again.is_some() || self.next_count() < self.rows.len();
        let brought = i64::try_from(self.brought).unwrap_or(i64::MAX);
        let every_ms = FLUSH_LONGER_MS.saturating_mul(brought).saturating_add(FLUSH_EVERY_MS);
        let every_ms = every_ms.min(FLUSH_EVERY_MS_MAX);
        let rest_ms = (self.began_ms + every_ms - now_ms).clamp(ANSWER_FIRST_MS, every_ms);
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

#[cfg(test)]
mod tests;
