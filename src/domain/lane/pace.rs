//! How many attempts of a lane may run at once, and how many requests may start in a second.
//!
//! After an outage a line starts with one attempt in flight. Each attempt that succeeds makes room
//! for one more, so the number doubles in the time of an answer, up to [`IN_FLIGHT_MAX`]; a failure
//! halves it. A receiver that asks for fewer requests (429, 502, 504) gets half for some time.

use serde::{Deserialize, Serialize};

use crate::domain::base::time::SECOND_MS;

/// The most attempts of one lane that are under way at once, over all consumers.
pub const IN_FLIGHT_MAX: u32 = 64;
/// How long a pace that was halved stays so, unless the receiver asks for longer.
pub const HALVED_MS: i64 = 30 * SECOND_MS;
/// Bounds of the setting `max_per_second`.
pub const PER_SECOND_MAX: u32 = 1_000;

/// The pace of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    in_flight_max: u32,
    /// While the receiver asks for less: how much it gets, and until when.
    halved: Option<Halved>,
    /// When requests were handed out in the last second, and how many.
    starts: Vec<(i64, u32)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Halved {
    in_flight_max: u32,
    until_ms: i64,
}

impl Default for Pace {
    fn default() -> Self {
        Self { in_flight_max: 1, halved: None, starts: Vec::new() }
    }
}

impl Pace {
    /// How many attempts may be under way.
    pub fn in_flight_max(&self, now_ms: i64) -> u32 {
        match &self.halved {
            Some(halved) if now_ms < halved.until_ms => {
                halved.in_flight_max.min(self.in_flight_max)
            }
            _ => self.in_flight_max,
        }
    }

    /// Until when the receiver asked for less.
    pub fn halved_until_ms(&self, now_ms: i64) -> Option<i64> {
        self.halved.as_ref().map(|halved| halved.until_ms).filter(|until_ms| now_ms < *until_ms)
    }

    /// Attempts ended that were under way together: so many succeeded, and so many failed.
    pub fn ended(&mut self, ok: u32, failed: u32) {
        self.in_flight_max = if failed == 0 {
            self.in_flight_max.saturating_add(ok).min(IN_FLIGHT_MAX)
        } else {
            (self.in_flight_max / 2).max(1)
        };
    }

    /// Begins again with one at a time.
    pub fn restart(&mut self) {
        self.in_flight_max = 1;
    }

    /// The receiver asks for less until `until_ms`.
    pub fn halve(&mut self, until_ms: i64, now_ms: i64) {
        let in_flight_max = (self.in_flight_max(now_ms) / 2).max(1);
        let until_ms = until_ms.max(self.halved_until_ms(now_ms).unwrap_or(0));
        self.halved = Some(Halved { in_flight_max, until_ms });
    }

    /// How many requests may start now if at most `per_second` may in any second.
    pub fn room(&self, per_second: u32, now_ms: i64) -> u32 {
        let recent = self.starts.iter().filter(|(at_ms, _)| *at_ms > now_ms - SECOND_MS);
        per_second.saturating_sub(recent.map(|(_, count)| count).sum())
    }

    /// When the next request may start if none may now.
    pub fn room_at_ms(&self, per_second: u32, now_ms: i64) -> i64 {
        if self.room(per_second, now_ms) > 0 {
            return now_ms;
        }
        let oldest = self.starts.iter().map(|(at_ms, _)| at_ms + SECOND_MS);
        oldest.filter(|at_ms| *at_ms > now_ms).min().unwrap_or(now_ms)
    }

    /// Notes that requests start.
    pub fn started(&mut self, count: u32, now_ms: i64) {
        self.starts.retain(|(at_ms, _)| *at_ms > now_ms - SECOND_MS);
        if count > 0 {
            self.starts.push((now_ms, count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn it_grows_with_each_success_and_halves_on_failure() {
        let mut pace = Pace::default();
        let mut seen = vec![pace.in_flight_max(0)];
        let ends = [(1, 0), (2, 0), (4, 0), (30, 0), (90, 0), (5, 1), (0, 9), (1, 0), (0, 0)];
        for (ok, failed) in ends {
            pace.ended(ok, failed);
            seen.push(pace.in_flight_max(0));
        }
        assert_eq!(seen, [1, 2, 4, 8, 38, 64, 32, 16, 17, 17]);
        (0..9).for_each(|_| pace.ended(0, 1));
        assert_eq!(pace.in_flight_max(0), 1);
    }

    #[test]
    fn a_receiver_that_asks_for_less_gets_half_for_a_while() {
        let mut pace = Pace::default();
        pace.ended(7, 0);
        pace.halve(30_000, 0);
        assert_eq!((pace.in_flight_max(29_999), pace.in_flight_max(30_000)), (4, 8));
        pace.halve(20_000, 1);
        assert_eq!((pace.in_flight_max(29_999), pace.halved_until_ms(1)), (2, Some(30_000)));
        (0..4).for_each(|_| pace.halve(60_000, 2));
        assert_eq!((pace.in_flight_max(59_999), pace.halved_until_ms(60_000)), (1, None));
    }

    proptest! {
        /// However often it is asked, no second sees more starts than it may.
        #[test]
        fn no_second_sees_more(
            per_second in 1u32..20,
            asks in prop::collection::vec((0i64..400, 1u32..10), 1..80),
        ) {
            let (mut pace, mut now_ms, mut starts) = (Pace::default(), 0, Vec::new());
            for (pause_ms, wanted) in asks {
                now_ms += pause_ms;
                let count = wanted.min(pace.room(per_second, now_ms));
                if count == 0 {
                    let at_ms = pace.room_at_ms(per_second, now_ms);
                    prop_assert!(at_ms > now_ms && pace.room(per_second, at_ms) > 0);
                }
                pace.started(count, now_ms);
                starts.extend((0..count).map(|_| now_ms));
            }
            for (index, first_ms) in starts.iter().enumerate() {
                let within = starts[index..].iter().filter(|ms| **ms < first_ms + SECOND_MS);
                prop_assert!(within.count() <= per_second as usize);
            }
        }
    }
}
