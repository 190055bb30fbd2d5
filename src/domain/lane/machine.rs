//! A lane decides for one connection which deliveries start next, how many at once, and whether any
//! start at all. It sends no requests. What is owed is stored in LOG, not here.
//!
//! It is a state machine without a clock: [`Lane::step`] takes a command and the time and answers
//! with a reply and with effects that its caller carries out. The parts:
//!
//! - *consumers* [report](Command::Tell) the results of attempts they made on their own, and
//!   [pull](Command::Pull) deliveries to attempt for it, bringing pages of the line when asked to;
//! - *leases* say which deliveries are handed out, until a time by which the attempt has ended and
//!   is recorded whatever happens;
//! - the *window* shows a page of the line, the *breaker* and the *pace* say what may go out;
//! - the *alarm* is armed by every step at the minimum of all times that matter, so that a consumer
//!   that vanished, a lost wake-up and a lane that lost its storage are all noticed in time.
//!
//! All of this may be lost, at the cost of one request too many. LOG decides what is owed.

use serde::{Deserialize, Serialize};

use crate::domain::base::limits::{
    LEASE_MARGIN_MS, SLOW_FOR_MS, URGENT_MAX, WAKE_AGAIN_MS, WATCH_MS,
};
use crate::domain::lane::breaker::Breaker;
use crate::domain::lane::messages::{
    Command, ConsumerReport, Effect, Given, How, LogMode, Pull, Reply, Settled,
};
use crate::domain::lane::pace::{HALVED_MS, Pace};
use crate::domain::lane::queue::{
    ConnectionQueue, LanePolicy, Mode, PageStart, QueuePosition, Reason, WaitingDelivery,
};
use crate::domain::lane::window::Window;

/// The state of a lane. The window is not part of what is stored. What an older release stored has
/// its defaults for what is new; what a newer one added is left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Lane {
    line: Option<ConnectionQueue>,
    traits: LanePolicy,
    breaker: Breaker,
    pace: Pace,
    leases: Vec<Lease>,
    /// Deliveries that people wait for, test events among them: they are handed out at once.
    urgent: Vec<WaitingDelivery>,
    /// The nonce of the last hand-out.
    given: u64,
    /// When something in the line may start, as far as was known at the last step.
    next_at_ms: Option<i64>,
    /// Until then somebody is believed to be on the way or at work.
    served_until_ms: i64,
    /// Until then one more is believed to be on the way, beside those at work.
    another_until_ms: i64,
    watch_until_ms: i64,
    slow_until_ms: i64,
    /// What LOG is believed to say.
    in_log: InLog,
    #[serde(skip)]
    window: Window,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct InLog {
    mode: Mode,
    reason: Option<Reason>,
    not_before_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Lease {
    place: QueuePosition,
    attempt: u32,
    until_ms: i64,
    #[serde(default)]
    nonce: u64,
}

impl Lane {
    /// Takes one step.
    pub fn step(&mut self, command: Command, now_ms: i64) -> (Reply, Vec<Effect>) {
        let mut reply = Reply::default();
        if let Command::Ask(place) = command {
            let lease = self.leases.iter().find(|lease| lease.place == place);
            reply.is_leased = lease.is_some_and(|lease| lease.until_ms > now_ms);
            return (reply, Vec::new());
        }
        self.expire_leases(now_ms);
        let mut is_served = false;
        match command {
            Command::Tell(told) => self.hear(told, false, now_ms),
            Command::Nudge(line) => {
                self.line = Some(line);
                self.look_again(now_ms, now_ms);
            }
            Command::Hurry { line, delivery } => {
                self.line = Some(line);
                self.hurry(delivery);
            }
            Command::Pull(pull) => {
                let Pull { told, settled, room, page, is_first, stays } = *pull;
                if is_first {
                    self.another_until_ms = 0;
                }
                let is_quick = !told.is_slow && !settled.is_empty();
                // A page from the head was read after what the consumer left to the lane was
                // stored.
                let has_head = matches!(&page, Some(page) if page.from == PageStart::Head);
                self.hear(told, has_head, now_ms);
                self.settle(settled, now_ms);
                if page.is_some_and(|page| !self.window.take(page, now_ms)) {
                    self.look_again(now_ms, now_ms);
                }
                self.serve(room, stays, now_ms, &mut reply);
                is_served = reply.wanted.is_none() && now_ms < self.served_until_ms;
                if is_quick && self.leases.is_empty() && reply.wanted.is_none() {
                    // All that was due is done, and the receiver took no time over it.
                    self.slow_until_ms = 0;
                }
            }
            Command::Alarm | Command::Ask(_) => {}
            Command::Forget(line) => *self = Self { line: Some(line), ..Self::default() },
        }
        self.next_at_ms = self.next_at_ms(now_ms);
        let wakes = reply == Reply::default() && self.work_at_ms(now_ms) == Some(now_ms);
        let mut effects = Vec::new();
        if wakes {
            self.served_until_ms = now_ms + WAKE_AGAIN_MS;
            effects.push(Effect::Wake);
        } else if (is_served || !self.urgent.is_empty()) && self.wants_another(now_ms) {
            self.another_until_ms = now_ms + WAKE_AGAIN_MS;
            effects.push(Effect::Wake);
        }
        effects.extend(self.set_mode(now_ms));
        (reply, effects)
    }

    /// Whose lane it is, once anybody said so.
    pub fn line(&self) -> Option<&ConnectionQueue> {
        self.line.as_ref()
    }

    /// When the alarm has to go off.
    pub fn alarm_at_ms(&self, now_ms: i64) -> Option<i64> {
        let lease = self.leases.iter().map(|lease| lease.until_ms).min();
        let halved = self.pace.halved_until_ms(now_ms);
        let later = [self.watch_until_ms, self.slow_until_ms].into_iter().filter(|at| *at > now_ms);
        [self.work_at_ms(now_ms), lease, halved].into_iter().flatten().chain(later).min()
    }

    fn in_flight_max(&self, now_ms: i64) -> u32 {
        if self.traits.strict || self.breaker.is_open() {
            return 1;
        }
        let most = self.pace.in_flight_max(now_ms);
        self.traits.in_flight.map_or(most, |asked| asked.min(most))
    }

    fn in_flight(&self) -> u32 {
        u32::try_from(self.leases.len()).unwrap_or(u32::MAX)
    }

    fn is_leased(leases: &[Lease], place: &QueuePosition) -> bool {
        leases.iter().any(|lease| lease.place == *place)
    }

    /// A lease that ran out belonged to a consumer that vanished; only LOG has the result. If that
    /// shows the same attempt still, its job is gone, too.
    fn expire_leases(&mut self, now_ms: i64) {
        let before = self.leases.len();
        let gone = self.leases.extract_if(.., |lease| lease.until_ms <= now_ms);
        gone.for_each(|lease| self.window.vanished(&lease.place, lease.attempt, now_ms));
        if self.leases.len() < before {
            self.look_again(now_ms, now_ms);
        }
    }

    /// The line is not as the window shows it.
    fn look_again(&mut self, at_ms: i64, now_ms: i64) {
        self.window.stale_from(at_ms, now_ms);
        self.next_at_ms = Some(self.next_at_ms.map_or(at_ms, |next| next.min(at_ms)));
    }

    fn hear(&mut self, told: ConsumerReport, has_head: bool, now_ms: i64) {
        self.line = Some(told.line);
        self.traits = told.traits;
        self.in_log.mode = told.seen.unwrap_or(self.in_log.mode);
        if let Some(due_at_ms) = told.due_at_ms {
            self.look_again(due_at_ms, now_ms);
        }
        for place in told.forwarded.iter().filter(|place| place.is_test()) {
            self.hurry(WaitingDelivery::first(place.clone()));
        }
        if !told.forwarded.is_empty() {
            self.window.forward(told.forwarded);
            if !has_head {
                self.look_again(now_ms, now_ms);
            }
        }
        if told.is_slow {
            self.slow_until_ms = now_ms + SLOW_FOR_MS;
        }
        self.count(told.ok, told.failed, now_ms);
        if let Some(until_ms) = told.less_until_ms {
            self.pace.halve(until_ms.max(now_ms + HALVED_MS), now_ms);
        }
    }

    fn count(&mut self, ok: u32, failed: u32, now_ms: i64) {
        let was_open = self.breaker.is_open();
        self.breaker.report(ok, failed, now_ms);
        if was_open != self.breaker.is_open() {
            self.pace.restart();
        }
        if failed > 0 {
            self.watch_until_ms = now_ms + WATCH_MS;
        }
    }

    fn settle(&mut self, settled: Vec<Settled>, now_ms: i64) {
        let (mut ok, mut failed) = (0, 0);
        for Settled { place, nonce, how } in settled {
            let lease = self.leases.iter().position(|lease| lease.place == place);
            let is_own = lease.is_some_and(|index| self.leases[index].nonce == nonce);
            if lease.is_some() && !is_own {
                // It came too late: the delivery was handed out to somebody else meanwhile.
                ok += u32::from(how == How::Delivered);
                failed += u32::from(matches!(how, How::Failed(_)));
                self.look_again(now_ms, now_ms);
                continue;
            }
            let attempt = lease.map_or(0, |index| self.leases.swap_remove(index).attempt);
            if attempt > 0 && !self.window.ended(&place, attempt, &how, now_ms) {
                self.look_again(now_ms, now_ms);
            }
            let again_at_ms = match how {
                How::Delivered => {
                    ok += 1;
                    None
                }
                How::Failed(due_at_ms) => {
                    failed += 1;
                    due_at_ms
                }
                How::InternalFault(due_at_ms) => due_at_ms,
                How::GivenBack(at_ms) => Some(at_ms),
                How::Changed => {
                    self.window.doubt(place.clone(), attempt, now_ms);
                    // In a strict line the result decides whether the next one may start.
                    self.look_again(now_ms, now_ms);
                    None
                }
            };
            match (self.window.find_mut(&place), again_at_ms) {
                (Some(row), Some(at_ms)) => {
                    row.attempt += u32::from(matches!(how, How::Failed(_)));
                    (row.start_at_ms, row.due_at_ms) = (at_ms, at_ms);
                }
                (None, Some(at_ms)) => self.look_again(at_ms, now_ms),
                (_, None) => self.window.remove(&place),
            }
        }
        self.count(ok, failed, now_ms);
        if ok + failed > 0 {
            self.pace.ended(ok, failed);
        }
    }

    fn hurry(&mut self, delivery: WaitingDelivery) {
        let place = &delivery.place;
        let is_known = self.urgent.iter().any(|known| known.place == *place);
        if !is_known && !Self::is_leased(&self.leases, place) && self.urgent.len() < URGENT_MAX {
            self.urgent.push(delivery);
        }
    }

    /// The delivery that somebody waits for and that may start. What the connection asks for holds
    /// for it, too, but not what the lane found out by itself.
    fn next_urgent(&self) -> Option<usize> {
        let most = if self.traits.strict { Some(1) } else { self.traits.in_flight };
        let has_room = most.is_none_or(|most| self.in_flight() < most);
        let may_start = |delivery: &WaitingDelivery| has_room || delivery.is_test();
        self.urgent.iter().position(may_start)
    }

    /// Hands out what may start, or says which page to bring.
    fn serve(&mut self, room: u32, stays: bool, now_ms: i64, reply: &mut Reply) {
        self.served_until_ms = if stays { now_ms + WAKE_AGAIN_MS } else { 0 };
        let per_second = self.traits.per_second;
        let mut free = per_second.map_or(room, |most| room.min(self.pace.room(most, now_ms)));
        while let Some(index) = self.next_urgent().filter(|_| free > 0) {
            let delivery = self.urgent.remove(index);
            self.lease(&delivery, 0, now_ms, reply);
            free -= 1;
        }
        free = free.min(self.in_flight_max(now_ms).saturating_sub(self.in_flight()));
        if free > 0 && self.breaker.probe_at_ms().is_none_or(|at_ms| at_ms <= now_ms) {
            if !self.window.is_stale(now_ms) {
                self.hand_out(free, now_ms, reply);
            }
            if reply.given.is_empty() {
                reply.wanted = self.window.wanted(self.traits.strict, now_ms);
            }
            if reply.wanted.is_some() {
                self.next_at_ms = Some(now_ms);
            }
        }
        self.pace.started(u32::try_from(reply.given.len()).unwrap_or(0), now_ms);
        reply.is_failing = self.breaker.is_failing() && !reply.given.is_empty();
        if *reply != Reply::default() {
            self.served_until_ms = now_ms + WAKE_AGAIN_MS;
        }
    }

    fn hand_out(&mut self, free: u32, now_ms: i64, reply: &mut Reply) {
        for _ in 0..free {
            let leases = &self.leases;
            let under_way = |place: &QueuePosition| Self::is_leased(leases, place);
            let Some(row) = self.window.first(self.traits.strict, now_ms, under_way) else { break };
            let (row, lost_at_ms) = (row.clone(), self.window.lost_at_ms(row));
            self.lease(&row, lost_at_ms, now_ms, reply);
        }
    }

    fn lease(&mut self, row: &WaitingDelivery, lost_at_ms: i64, now_ms: i64, reply: &mut Reply) {
        let until_ms = now_ms + self.traits.timeout_ms + LEASE_MARGIN_MS;
        let (place, attempt, payload_bytes) = (row.place.clone(), row.attempt, row.payload_bytes);
        self.window.started(&place);
        // A lane that lost its storage does not begin with the same numbers again.
        self.given = (self.given + 1).max(now_ms.unsigned_abs());
        let nonce = self.given;
        self.leases.push(Lease { place: place.clone(), attempt, until_ms, nonce });
        reply.given.push(Given { place, attempt, payload_bytes, lost_at_ms, until_ms, nonce });
    }

    fn next_at_ms(&self, now_ms: i64) -> Option<i64> {
        if self.window.is_stale(now_ms) {
            // Nothing is known but what was known before.
            return self.next_at_ms;
        }
        let under_way = |place: &QueuePosition| Self::is_leased(&self.leases, place);
        self.window.next_at_ms(self.traits.strict, now_ms, under_way)
    }

    /// When somebody has to be woken to serve the line, not before now.
    fn work_at_ms(&self, now_ms: i64) -> Option<i64> {
        self.start_at_ms(now_ms).map(|at_ms| at_ms.max(self.served_until_ms))
    }

    /// Whether more may start now than those at work have room for: a consumer has only so many
    /// connections. Each that comes may call the next.
    fn wants_another(&self, now_ms: i64) -> bool {
        now_ms >= self.another_until_ms && self.start_at_ms(now_ms) == Some(now_ms)
    }

    /// When the next delivery may start, not before now.
    fn start_at_ms(&self, now_ms: i64) -> Option<i64> {
        let per_second = self.traits.per_second;
        let room_at_ms = per_second.map(|n| self.pace.room_at_ms(n, now_ms));
        if self.next_urgent().is_some() {
            return Some(room_at_ms.unwrap_or(now_ms));
        }
        if self.in_flight() >= self.in_flight_max(now_ms) {
            return None;
        }
        let gate_ms = self.breaker.probe_at_ms().max(room_at_ms).unwrap_or(now_ms);
        self.next_at_ms.map(|next_ms| next_ms.max(gate_ms).max(now_ms))
    }

    fn mode(&self, now_ms: i64) -> InLog {
        let engaged = |reason, not_before_ms| InLog {
            mode: Mode::Engaged,
            reason: Some(reason),
            not_before_ms,
        };
        if let Some(probe_at_ms) = self.breaker.probe_at_ms() {
            return engaged(Reason::BreakerOpen, Some(probe_at_ms));
        }
        if self.pace.halved_until_ms(now_ms).is_some() {
            return engaged(Reason::SlowedDown, None);
        }
        if now_ms < self.slow_until_ms {
            return engaged(Reason::Slow, None);
        }
        let mode = if now_ms < self.watch_until_ms { Mode::Watch } else { Mode::Clear };
        InLog { mode, reason: None, not_before_ms: None }
    }

    fn set_mode(&mut self, now_ms: i64) -> Option<Effect> {
        let wanted = self.mode(now_ms);
        if wanted == self.in_log {
            return None;
        }
        self.in_log = wanted;
        let InLog { mode, reason, not_before_ms } = wanted;
        // To `clear` it goes only when LOG shows no failure in the time that is watched.
        let raised_by_ms = if mode == Mode::Clear { now_ms - WATCH_MS } else { now_ms };
        Some(Effect::SetMode(LogMode { mode, reason, not_before_ms, raised_by_ms }))
    }
}

#[cfg(test)]
mod tests;
