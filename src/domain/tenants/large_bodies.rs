//! How fast one key may send large bodies into an isolate. To read, match, store, sign and send a
//! megabyte takes about 40 ms of the one thread that serves everybody, so a key gets a share of it:
//! its next body is read when those before it have had their time.

use std::collections::{BTreeMap, VecDeque};

use crate::domain::base::time::SECOND_MS;

/// Bytes of large bodies that an isolate takes from one key in a second: a bulk that is as large as
/// it may be. They take about a third of its thread.
pub const LARGE_BODIES_BYTES_PER_S: u64 = 8 * 1_024 * 1_024;
/// Time between the beginnings of two bodies: how long the first one is, is known when it is there.
const APART_MS: i64 = 8;
/// How long a large body waits for those that came with the same key before it. The public clients
/// wait for an answer for 5 s, and it has to be read and stored yet.
pub const LARGE_BODY_WAIT_MS: i64 = 4 * SECOND_MS;

/// One who waits and does not come for so long after its time is gone: nobody waits for it.
const GONE_AFTER_MS: i64 = 250;

/// The turns of keys. Keys that may send a body now are not in it.
#[derive(Debug, Default)]
pub struct LargeBodies {
    of_keys: BTreeMap<String, Turns>,
    last_ticket: u64,
}

#[derive(Debug, Default)]
struct Turns {
    /// When the next body may begin.
    next_ms: i64,
    /// Those who wait, in the order in which they came: the first is next.
    waiting: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    ticket: u64,
    try_at_ms: i64,
}

impl LargeBodies {
    /// Begins with a body of this key. One who waits keeps its place by its `ticket`, which it gets
    /// at its first try.
    ///
    /// # Errors
    /// When it may be tried again, if it may not begin now. Those who wait are told times of their
    /// own, so that however many they are, few try at once; one after `until_ms` is not kept free.
    pub fn begin(
        &mut self,
        key: &str,
        ticket: &mut Option<u64>,
        until_ms: i64,
        now_ms: i64,
    ) -> Result<(), i64> {
        self.forget(now_ms);
        let turns = self.of_keys.entry(key.to_owned()).or_default();
        let known = turns.waiting.iter().position(|waiter| Some(waiter.ticket) == *ticket);
        let place = known.unwrap_or(turns.waiting.len());
        if place == 0 && turns.next_ms <= now_ms {
            turns.waiting.pop_front();
            turns.next_ms = now_ms + APART_MS;
            return Ok(());
        }
        let behind = i64::try_from(place).unwrap_or(i64::MAX);
        let at_ms = turns.next_ms.max(now_ms).saturating_add(APART_MS.saturating_mul(behind));
        if let Some(place) = known {
            turns.waiting.remove(place);
        }
        if at_ms <= until_ms {
            self.last_ticket += u64::from(known.is_none());
            let own = ticket.filter(|_| known.is_some()).unwrap_or(self.last_ticket);
            turns.waiting.insert(place, Waiter { ticket: own, try_at_ms: at_ms });
            *ticket = Some(own);
        }
        Err(at_ms)
    }

    /// Counts a body that was read.
    pub fn count(&mut self, key: &str, bytes: usize, now_ms: i64) {
        self.forget(now_ms);
        // In 64 bits: a thousand times 8 MiB is more than a size of wasm can be.
        let thousandfold = bytes as u64 * SECOND_MS.unsigned_abs();
        let takes_ms = thousandfold.div_ceil(LARGE_BODIES_BYTES_PER_S);
        let turns = self.of_keys.entry(key.to_owned()).or_default();
        turns.next_ms = turns.next_ms.max(now_ms) + i64::try_from(takes_ms).unwrap_or(i64::MAX);
    }

    fn forget(&mut self, now_ms: i64) {
        self.of_keys.retain(|_, turns| {
            turns.waiting.retain(|waiter| waiter.try_at_ms + GONE_AFTER_MS >= now_ms);
            turns.next_ms > now_ms || !turns.waiting.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1_024 * 1_024;

    const LONG_MS: i64 = 1_000_000;

    #[test]
    fn a_key_waits_for_its_own_bodies_and_for_no_others() {
        let (mut bodies, mut ticket) = (LargeBodies::default(), None);
        assert_eq!(
            bodies.begin("a", &mut None, LONG_MS, 1_000),
            Ok(()),
            "the first waits for none"
        );
        let early = bodies.begin("a", &mut ticket, LONG_MS, 1_000);
        assert_eq!(early, Err(1_008), "its size is not known yet");
        bodies.count("a", 4 * MIB, 1_020);
        assert_eq!(bodies.begin("b", &mut None, LONG_MS, 1_020), Ok(()));
        bodies.count("a", 1, 1_020);
        let early = bodies.begin("a", &mut ticket, LONG_MS, 1_020);
        assert_eq!(early, Err(1_521), "a part of a millisecond is one");
        assert_eq!(bodies.begin("a", &mut ticket, LONG_MS, 1_521), Ok(()));
    }

    #[test]
    fn those_who_wait_do_not_try_at_once() {
        let mut bodies = LargeBodies::default();
        bodies.count("a", MIB, 0);
        let mut begin = |until_ms| bodies.begin("a", &mut None, until_ms, 0);
        assert_eq!([begin(150), begin(150), begin(150)], [Err(125), Err(133), Err(141)]);
        assert_eq!([begin(148), begin(148)], [Err(149); 2], "it does not wait");
    }

    #[test]
    fn who_came_first_is_next_whoever_comes_at_the_right_moment() {
        let mut bodies = LargeBodies::default();
        let mut tickets = [None; 3];
        bodies.count("a", MIB, 0);
        for (ticket, at_ms) in tickets.iter_mut().zip([125, 133, 141]) {
            assert_eq!(bodies.begin("a", ticket, LONG_MS, 0), Err(at_ms));
        }
        assert_eq!(bodies.begin("a", &mut None, LONG_MS, 125), Err(125 + 3 * APART_MS));
        assert_eq!(bodies.begin("a", &mut tickets[1], LONG_MS, 133), Err(133 + APART_MS));
        assert_eq!(bodies.begin("a", &mut tickets[0], LONG_MS, 134), Ok(()));
        bodies.count("a", MIB, 135);
        // The second is next, and is gone: the third does not wait for it for ever.
        let late_ms = 400 + GONE_AFTER_MS;
        assert_eq!(bodies.begin("a", &mut tickets[2], LONG_MS, 300), Err(300 + APART_MS));
        assert_eq!(bodies.begin("a", &mut tickets[2], LONG_MS, late_ms), Ok(()));
    }

    #[test]
    fn one_that_never_comes_keeps_no_others_back() {
        let mut bodies = LargeBodies::default();
        for n in 0..100 {
            assert_eq!(bodies.begin("a", &mut None, LONG_MS, n * APART_MS), Ok(()));
        }
    }
}
