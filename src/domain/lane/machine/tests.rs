//! Lanes against a small model of LOG: every short sequence of what can happen, and long random
//! ones.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::domain::lane::queue::{Page, WaitingDelivery};

/// A line of four deliveries, a lane, and what is under way.
#[derive(Debug, Clone)]
struct World {
    now_ms: i64,
    lane: Lane,
    /// Open deliveries: attempts made, and when they are due.
    line: BTreeMap<u32, (u32, i64)>,
    /// The newest delivery there ever was: no two have the same place, also when one has ended.
    newest: u32,
    /// Deliveries that were handed out and not settled, and until when they are leased.
    under_way: BTreeMap<u32, i64>,
    wanted: Option<PageStart>,
    /// What another consumer read of the line a while ago.
    peeked: Option<Page>,
    traits: LanePolicy,
    is_woken: bool,
    trace: Vec<Act>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// A consumer pulls, with the page if one was asked for.
    Pull,
    /// What was handed out first is delivered and told with the next pull.
    Deliver,
    /// It failed, and the next attempt is due in ten seconds.
    Fail,
    /// The consumer vanishes with all it has.
    Vanish,
    /// Another event is accepted; its job is left to the lane.
    Forward,
    /// Another consumer reads the head of the line.
    Peek,
    /// It comes with what it read, however much happened meanwhile.
    Bring,
    /// Somebody else's attempt failed.
    Report,
    /// Ten seconds pass; the alarm goes off if it was due.
    Wait,
    /// The lane is evicted: what it holds in memory only is lost.
    Evict,
    /// The lane loses its storage; the sweeper nudges it.
    Wipe,
}

const ACTS: [Act; 11] = [
    Act::Pull,
    Act::Deliver,
    Act::Fail,
    Act::Vanish,
    Act::Forward,
    Act::Peek,
    Act::Bring,
    Act::Report,
    Act::Wait,
    Act::Evict,
    Act::Wipe,
];

fn line() -> ConnectionQueue {
    ConnectionQueue { shard: 0, workspace: "w".into(), connection: "c".into() }
}

fn place(rule: u32) -> QueuePosition {
    QueuePosition { event: "e".into(), rule }
}

/// Of the hand-out of a delivery.
fn nonce(lane: &Lane, rule: u32) -> u64 {
    lane.leases.iter().find(|lease| lease.place == place(rule)).map_or(0, |lease| lease.nonce)
}

impl World {
    fn new(strict: bool) -> Self {
        let traits = LanePolicy { strict, timeout_ms: 15_000, ..LanePolicy::default() };
        let line = (1..=4).map(|rule| (rule, (0, 0))).collect();
        let (lane, under_way) = (Lane::default(), BTreeMap::new());
        let mut world = Self {
            now_ms: 1_000_000,
            lane,
            line,
            newest: 4,
            under_way,
            wanted: None,
            peeked: None,
            traits,
            is_woken: false,
            trace: Vec::new(),
        };
        world.step(Command::Nudge(self::line()));
        world
    }

    fn told(&self) -> ConsumerReport {
        ConsumerReport { line: line(), traits: self.traits, ..ConsumerReport::default() }
    }

    fn step(&mut self, command: Command) {
        let (reply, effects) = self.lane.step(command, self.now_ms);
        if effects.contains(&Effect::Wake) {
            self.is_woken = true;
        }
        for given in reply.given {
            let rule = given.place.rule;
            let leased = self.under_way.insert(rule, self.now_ms + 25_000);
            let is_free = leased.is_none_or(|until_ms| until_ms <= self.now_ms);
            assert!(is_free, "{rule} is handed out twice: {:?}", self.trace);
            let owed = self.line.get(&rule).map(|(attempts, _)| attempts + 1);
            assert_eq!(owed, Some(given.attempt), "{rule} does not owe it: {:?}", self.trace);
            self.check_order(rule);
        }
        self.wanted = reply.wanted;
        self.check_limits();
        self.check_alive();
    }

    /// What is handed out is the oldest that may start; in a strict line, the head.
    fn check_order(&self, rule: u32) {
        let Some((attempts, due_at_ms)) = self.line.get(&rule) else { return };
        assert!(*due_at_ms <= self.now_ms, "{attempts} of {rule} is early: {:?}", self.trace);
        for (older, (_, due_at_ms)) in self.line.range(..rule) {
            let is_leased = self.under_way.get(older).is_some_and(|until| *until > self.now_ms);
            let waits = *due_at_ms > self.now_ms && !self.traits.strict;
            assert!(is_leased || waits, "{rule} before {older}: {:?}", self.trace);
        }
    }

    fn check_limits(&self) {
        let leased = self.under_way.values().filter(|until_ms| **until_ms > self.now_ms).count();
        let most = if self.traits.strict { 1 } else { 64 };
        assert!(leased <= most, "{leased} at once: {:?}", self.trace);
    }

    /// A line with open deliveries always has somebody on the way, or an alarm to come.
    fn check_alive(&self) {
        let waits = !self.line.is_empty() && self.lane.line.is_some();
        let alarm = self.lane.alarm_at_ms(self.now_ms);
        assert!(!waits || alarm.is_some(), "asleep over an open line: {:?}", self.trace);
        let within_ms = alarm.map_or(0, |at_ms| at_ms - self.now_ms);
        assert!(within_ms <= WATCH_MS, "the alarm is too late: {:?}", self.trace);
    }

    fn page(&self, from: PageStart) -> Page {
        let after = match &from {
            PageStart::Head => 0,
            PageStart::After(place) => place.rule,
        };
        // Two rows are a page here.
        let rows: Vec<WaitingDelivery> =
            self.line.range(after + 1..).take(2).map(waiting).collect();
        let last = rows.last().map_or(u32::MAX - 1, |row| row.place.rule);
        let is_last = self.line.range(last + 1..).next().is_none();
        Page { from, rows, is_last, read_at_ms: self.now_ms }
    }

    fn pull(&mut self, settled: Vec<Settled>) {
        self.is_woken = false;
        let page = self.wanted.clone().map(|from| self.page(from));
        let is_first = settled.is_empty() && page.is_none();
        self.come(settled, page, is_first);
    }

    fn come(&mut self, settled: Vec<Settled>, page: Option<Page>, is_first: bool) {
        let stays = self.under_way.values().any(|until_ms| *until_ms > self.now_ms);
        let pull = Pull { told: self.told(), settled, room: 5, page, is_first, stays };
        self.step(Command::Pull(Box::new(pull)));
    }

    fn settle(&mut self, failed: bool) {
        let Some((&rule, _)) = self.under_way.iter().find(|(_, until)| **until > self.now_ms)
        else {
            return;
        };
        self.under_way.remove(&rule);
        let due_at_ms = self.now_ms + 10_000;
        let how = match (self.line.remove(&rule), failed) {
            (Some((attempts, _)), true) => {
                self.line.insert(rule, (attempts + 1, due_at_ms));
                How::Failed(Some(due_at_ms))
            }
            (Some(_), false) => How::Delivered,
            (None, _) => How::Changed,
        };
        let nonce = nonce(&self.lane, rule);
        self.pull(vec![Settled { place: place(rule), nonce, how }]);
    }

    fn act(&mut self, act: Act) {
        self.trace.push(act);
        match act {
            Act::Pull => self.pull(Vec::new()),
            Act::Deliver => self.settle(false),
            Act::Fail => self.settle(true),
            Act::Vanish => self.wanted = None,
            Act::Forward => {
                self.newest += 1;
                self.line.insert(self.newest, (0, self.now_ms));
                let forwarded = vec![place(self.newest)];
                let told = ConsumerReport { forwarded, ..self.told() };
                self.step(Command::Tell(told));
            }
            Act::Peek => {
                self.peeked = Some(self.page(PageStart::Head));
                self.now_ms += 1;
            }
            Act::Bring => {
                let page = self.peeked.take();
                self.come(Vec::new(), page, false);
            }
            Act::Report => self.step(Command::Tell(ConsumerReport { failed: 1, ..self.told() })),
            Act::Wait => {
                let until_ms = self.now_ms + 10_000;
                let mut alarms = 0;
                while let Some(at_ms) = self.lane.alarm_at_ms(self.now_ms) {
                    if at_ms > until_ms {
                        break;
                    }
                    alarms += 1;
                    assert!(alarms < 50, "the alarm spins: {:?}", self.trace);
                    let before_ms = self.now_ms;
                    self.now_ms = at_ms.max(before_ms + 1);
                    self.step(Command::Alarm);
                }
                self.now_ms = self.now_ms.max(until_ms);
            }
            Act::Evict => {
                // What it heard is lost with its memory.
                self.peeked = None;
                let stored = serde_json::to_string(&self.lane).expect("JSON");
                self.lane = serde_json::from_str(&stored).expect("a lane");
            }
            Act::Wipe => {
                self.lane = Lane::default();
                // Its leases are lost with it: what is under way may be handed out again.
                self.peeked = None;
                self.under_way.clear();
                self.step(Command::Nudge(line()));
            }
        }
    }

    /// From wherever it is, a receiver that answers gets the rest of the line.
    fn drain(&mut self) {
        for _ in 0..200 {
            if self.line.is_empty() {
                return;
            }
            match (self.under_way.values().any(|until| *until > self.now_ms), self.is_woken) {
                (true, _) => self.act(Act::Deliver),
                (false, true) => self.act(Act::Pull),
                (false, false) if self.wanted.is_some() => self.act(Act::Pull),
                (false, false) => self.act(Act::Wait),
            }
        }
        panic!("{} left: {:?}", self.line.len(), self.trace);
    }
}

fn waiting((rule, (attempts, due_at_ms)): (&u32, &(u32, i64))) -> WaitingDelivery {
    let (attempt, due_at_ms) = (attempts + 1, *due_at_ms);
    let (place, payload_bytes, is_held) = (place(*rule), 2, false);
    WaitingDelivery { place, attempt, start_at_ms: due_at_ms, due_at_ms, payload_bytes, is_held }
}

/// Every sequence of four acts, strict and not: order, limits and liveness hold at each step, and
/// the line drains from each end.
#[test]
fn every_short_sequence() {
    fn go(world: &World, depth: usize, ends: &mut usize) {
        if depth == 0 {
            world.clone().drain();
            *ends += 1;
            return;
        }
        for act in ACTS {
            let mut next = world.clone();
            next.act(act);
            go(&next, depth - 1, ends);
        }
    }
    for strict in [false, true] {
        let mut ends = 0;
        go(&World::new(strict), 4, &mut ends);
        assert_eq!(ends, ACTS.len().pow(4));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]
    #[test]
    fn every_long_sequence(
        strict: bool,
        acts in prop::collection::vec(0usize..ACTS.len(), 5..60),
    ) {
        let mut world = World::new(strict);
        acts.into_iter().for_each(|act| world.act(ACTS[act]));
        world.drain();
    }
}

fn told() -> ConsumerReport {
    ConsumerReport { line: line(), ..ConsumerReport::default() }
}

fn pull_of(told: ConsumerReport, settled: Vec<Settled>, room: u32, page: Option<Page>) -> Pull {
    Pull { told, settled, room, page, is_first: false, stays: false }
}

fn pull(lane: &mut Lane, room: u32, page: Option<Page>, now_ms: i64) -> Reply {
    let pull = pull_of(told(), Vec::new(), room, page);
    lane.step(Command::Pull(Box::new(pull)), now_ms).0
}

fn head(rules: impl Iterator<Item = u32>) -> Page {
    let rows = rules.map(|rule| waiting((&rule, &(0, 0)))).collect();
    Page { from: PageStart::Head, rows, is_last: true, read_at_ms: 0 }
}

#[test]
fn while_the_breaker_is_open_only_probes_go_out() {
    let mut lane = Lane::default();
    lane.step(Command::Tell(ConsumerReport { failed: 5, due_at_ms: Some(5_000), ..told() }), 0);
    assert_eq!(pull(&mut lane, 5, Some(head(1..=9)), 999), Reply::default(), "no probe yet");
    let first = pull(&mut lane, 5, Some(head(1..=9)), 1_000);
    assert_eq!(first.given.iter().map(|g| g.place.rule).collect::<Vec<_>>(), [1]);
    assert_eq!(pull(&mut lane, 5, None, 1_001).given, [], "one at a time");
    let nonce = nonce(&lane, 1);
    let settled = vec![Settled { place: place(1), nonce, how: How::Delivered }];
    let next = pull_of(told(), settled, 5, None);
    let (reply, _) = lane.step(Command::Pull(Box::new(next)), 1_100);
    let given: Vec<u32> = reply.given.iter().map(|g| g.place.rule).collect();
    assert_eq!(given, [2, 3], "it is closed, and the line drains from its oldest on");
}

#[test]
fn modes_are_raised_and_lowered_again() {
    let mut lane = Lane::default();
    let mut modes = Vec::new();
    let mut note = |(_, effects): (Reply, Vec<Effect>)| {
        for effect in effects {
            if let Effect::SetMode(LogMode { mode, reason, .. }) = effect {
                modes.push((mode, reason));
            }
        }
    };
    let failed = |count| ConsumerReport { failed: count, seen: Some(Mode::Watch), ..told() };
    note(lane.step(Command::Tell(failed(1)), 0));
    note(lane.step(Command::Tell(failed(4)), 1));
    note(lane.step(Command::Tell(ConsumerReport { ok: 1, ..told() }), 2));
    let less =
        ConsumerReport { failed: 1, less_until_ms: Some(0), seen: Some(Mode::Engaged), ..told() };
    note(lane.step(Command::Tell(less), 3));
    note(lane.step(Command::Alarm, 3 + HALVED_MS));
    note(lane.step(Command::Tell(ConsumerReport { is_slow: true, ..told() }), 40_000));
    note(lane.step(Command::Alarm, 40_000 + SLOW_FOR_MS));
    use Mode::{Clear, Engaged, Watch};
    assert_eq!(
        modes,
        [
            (Engaged, Some(Reason::BreakerOpen)),
            (Watch, None),
            (Engaged, Some(Reason::SlowedDown)),
            (Watch, None),
            (Engaged, Some(Reason::Slow)),
            (Clear, None),
        ]
    );
    // Somebody who read the old mode makes the lane write it again.
    let (_, effects) =
        lane.step(Command::Tell(ConsumerReport { seen: Some(Watch), ..told() }), 900_000);
    assert!(matches!(effects[..], [Effect::SetMode(LogMode { mode: Clear, .. })]), "{effects:?}");
}

#[test]
fn a_throttled_lane_hands_out_no_more_than_it_may() {
    let mut lane = Lane::default();
    let traits = LanePolicy { per_second: Some(3), ..LanePolicy::default() };
    let mut given = Vec::new();
    let mut now_ms = 0;
    let mut page = Some(head(1..=20));
    let mut settled = Vec::new();
    while given.len() < 20 {
        let told = ConsumerReport { traits, ..told() };
        let next = pull_of(told, std::mem::take(&mut settled), 5, page.take());
        let (reply, _) = lane.step(Command::Pull(Box::new(next)), now_ms);
        for one in reply.given {
            given.push(now_ms);
            settled.push(Settled { place: one.place, nonce: one.nonce, how: How::Delivered });
        }
        now_ms += 100;
    }
    for (index, first_ms) in given.iter().enumerate() {
        let within = given[index..].iter().filter(|ms| **ms < first_ms + 1_000).count();
        assert!(within <= 3, "{given:?}");
    }
    assert!(given[19] <= 7_000, "and no less: {given:?}");
}

#[test]
fn a_lost_wake_up_is_sent_again() {
    let mut lane = Lane::default();
    let (_, effects) = lane.step(Command::Nudge(line()), 0);
    assert_eq!(effects, [Effect::Wake]);
    let (_, effects) = lane.step(Command::Nudge(line()), 1_000);
    assert_eq!(effects, [], "one is on the way");
    assert_eq!(lane.alarm_at_ms(1_000), Some(WAKE_AGAIN_MS));
    let (_, effects) = lane.step(Command::Alarm, WAKE_AGAIN_MS);
    assert_eq!(effects, [Effect::Wake]);
}

#[test]
fn who_asks_hears_what_is_handed_out_and_changes_nothing() {
    let mut lane = Lane::default();
    assert_eq!(pull(&mut lane, 1, Some(head(1..=2)), 0).given.len(), 1);
    let before = lane.clone();
    let mut ask = |rule, now_ms| lane.step(Command::Ask(place(rule)), now_ms);
    let leased = Reply { is_leased: true, ..Reply::default() };
    assert_eq!(ask(1, 1_000), (leased, vec![]));
    assert_eq!(ask(2, 1_000), (Reply::default(), vec![]), "it waits");
    let later_ms = 2 * WAKE_AGAIN_MS;
    assert_eq!(ask(1, later_ms), (Reply::default(), vec![]), "the lease ran out");
    assert_eq!(lane, before);
}

/// A strict line whose first deliveries are pending: their jobs are given up after three minutes.
fn pending(rules: impl Iterator<Item = u32>, read_at_ms: i64) -> Page {
    let given_up_ms = 180_000;
    let row = |row: WaitingDelivery| WaitingDelivery { start_at_ms: given_up_ms, ..row };
    let page = head(rules);
    Page { rows: page.rows.into_iter().map(row).collect(), read_at_ms, ..page }
}

/// What is given by the head of a strict line whose jobs were left to the lane.
fn first_of_strict(lane: &mut Lane) -> Given {
    let traits = LanePolicy { strict: true, ..LanePolicy::default() };
    let told = ConsumerReport { traits, forwarded: (1..=3).map(place).collect(), ..told() };
    let pull = pull_of(told, Vec::new(), 1, Some(pending(1..=3, 0)));
    let (reply, _) = lane.step(Command::Pull(Box::new(pull)), 0);
    reply.given.into_iter().next().expect("the head")
}

fn strict_pull(lane: &mut Lane, settled: Vec<Settled>, page: Option<Page>, now_ms: i64) -> Reply {
    let traits = LanePolicy { strict: true, ..LanePolicy::default() };
    let told = ConsumerReport { traits, ..told() };
    lane.step(Command::Pull(Box::new(pull_of(told, settled, 1, page))), now_ms).0
}

/// However an attempt ended: a page that was read while it was under way and comes after it keeps
/// the line waiting for nothing.
#[test]
fn a_page_that_is_older_than_what_was_heard_stops_no_strict_line() {
    for (how, next) in [
        (How::Delivered, Some((2, 1))),
        (How::Failed(None), Some((2, 1))),
        (How::Failed(Some(1_000)), Some((1, 2))),
        (How::InternalFault(Some(1_000)), Some((1, 1))),
        // The line is read again.
        (How::InternalFault(None), None),
        (How::Changed, None),
    ] {
        let mut lane = Lane::default();
        let given = first_of_strict(&mut lane);
        let settled = vec![Settled { place: given.place, nonce: given.nonce, how: how.clone() }];
        let stopped = pull_of(told(), settled, 0, None);
        lane.step(Command::Pull(Box::new(stopped)), 100);
        let old = strict_pull(&mut lane, Vec::new(), Some(pending(1..=3, 50)), 200);
        let reply = if old.given.is_empty() && old.wanted.is_none() {
            strict_pull(&mut lane, Vec::new(), None, 1_000)
        } else {
            old
        };
        let given = reply.given.first().map(|given| (given.place.rule, given.attempt));
        assert_eq!(given, next, "{how:?}: {reply:?}");
        assert_eq!(reply.wanted.is_some(), next.is_none(), "{how:?}: {reply:?}");
    }
}

/// A first attempt looks as if its job had time. Who had it from the lane is gone, and so is that.
#[test]
fn a_first_attempt_whose_consumer_vanished_goes_on_at_once() {
    let mut lane = Lane::default();
    let told = ConsumerReport { forwarded: vec![place(1)], ..told() };
    let first = pull_of(told, Vec::new(), 1, Some(pending(1..=1, 0)));
    let given = lane.step(Command::Pull(Box::new(first)), 0).0.given.remove(0);
    let page = || Some(pending(1..=1, given.until_ms));
    assert_eq!(pull(&mut lane, 1, page(), given.until_ms - 1).given, [], "it may be at work");
    let again = pull(&mut lane, 1, page(), given.until_ms).given.remove(0);
    assert_eq!((again.place, again.attempt), (given.place, given.attempt));
}

#[test]
fn who_comes_too_late_does_not_end_the_lease_of_another() {
    let mut lane = Lane::default();
    let first = pull(&mut lane, 1, Some(head(1..=2)), 0).given.remove(0);
    assert_eq!(first.until_ms, 25_000 + LEASE_MARGIN_MS);
    let again_ms = first.until_ms + 1;
    let page = Page { read_at_ms: again_ms, ..head(1..=2) };
    let second = pull(&mut lane, 1, Some(page), again_ms).given.remove(0);
    assert_eq!(first.place, second.place);
    let late = |nonce| Settled { place: place(1), nonce, how: How::GivenBack(again_ms) };
    let tell = |lane: &mut Lane, nonce| {
        let settled = vec![late(nonce)];
        let next = pull_of(told(), settled, 0, None);
        lane.step(Command::Pull(Box::new(next)), again_ms + 1);
        lane.step(Command::Ask(place(1)), again_ms + 1).0.is_leased
    };
    assert!(tell(&mut lane, first.nonce), "the first one's time is over");
    assert!(!tell(&mut lane, second.nonce), "its own lease it ends");
}

#[test]
fn a_lane_that_is_forgotten_sleeps() {
    let mut lane = Lane::default();
    lane.step(Command::Tell(ConsumerReport { failed: 9, due_at_ms: Some(5), ..told() }), 0);
    lane.step(Command::Forget(line()), 1);
    assert_eq!(lane.alarm_at_ms(1), None);
}
