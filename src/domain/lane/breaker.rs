//! The circuit breaker of a lane: whether requests go to a receiver that fails.
//!
//! It opens after [`FAILURES_IN_ROW`] failures in a row, or when at least half of the attempts
//! reported in the last five minutes failed and there were enough of them. While it is open only
//! probes are sent, one at a time and at growing intervals. The first success closes it. A probe is
//! an ordinary attempt of a delivery that is due, so no extra request is sent.

use serde::{Deserialize, Serialize};

use crate::domain::base::time::{MINUTE_MS, SECOND_MS};

/// Failures in a row that open it.
pub const FAILURES_IN_ROW: u32 = 5;
/// Attempts in five minutes below which their share of failures says nothing.
pub const RATE_ATTEMPTS_MIN: u32 = 10;
/// How far back the share of failures looks: whole minutes, the current one included.
const RATE_MINUTES: i64 = 5;
/// Time from the failure that opened it to the first probe; it doubles with each failed probe.
pub const PROBE_GAP_MS: i64 = SECOND_MS;
/// The longest time between two probes.
pub const PROBE_GAP_MAX_MS: i64 = MINUTE_MS;

/// The breaker of one connection.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Breaker {
    in_row: u32,
    minutes: Vec<Minute>,
    open: Option<Open>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Minute {
    number: i64,
    ok: u32,
    failed: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    failed_probes: u32,
    probe_at_ms: i64,
}

impl Breaker {
    /// Whether nothing but probes may go out.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether what was attempted last failed.
    pub fn is_failing(&self) -> bool {
        self.is_open() || self.in_row > 0
    }

    /// While it is open: when the next probe may start.
    pub fn probe_at_ms(&self) -> Option<i64> {
        self.open.as_ref().map(|open| open.probe_at_ms)
    }

    /// Takes note of attempts that succeeded and failed. Of attempts that were reported together
    /// the order is not known; a success among them breaks the row.
    pub fn report(&mut self, ok: u32, failed: u32, now_ms: i64) {
        if ok == 0 && failed == 0 {
            return;
        }
        if ok > 0 {
            self.in_row = 0;
            if self.open.take().is_some() {
                // What was counted before the outage ended would open it again at once.
                self.minutes.clear();
            }
        }
        self.count(ok, failed, now_ms);
        if failed == 0 {
            return;
        }
        if ok == 0 {
            self.in_row = self.in_row.saturating_add(failed);
        }
        if let Some(open) = &mut self.open {
            open.failed_probes = open.failed_probes.saturating_add(1);
            open.probe_at_ms = now_ms + gap_ms(open.failed_probes);
        } else if self.in_row >= FAILURES_IN_ROW || self.fails_mostly() {
            self.open = Some(Open { failed_probes: 0, probe_at_ms: now_ms + gap_ms(0) });
        }
    }

    fn count(&mut self, ok: u32, failed: u32, now_ms: i64) {
        let number = now_ms.div_euclid(MINUTE_MS);
        self.minutes.retain(|minute| minute.number > number - RATE_MINUTES);
        match self.minutes.iter_mut().find(|minute| minute.number == number) {
            Some(minute) => {
                minute.ok = minute.ok.saturating_add(ok);
                minute.failed = minute.failed.saturating_add(failed);
            }
            None => self.minutes.push(Minute { number, ok, failed }),
        }
    }

    fn fails_mostly(&self) -> bool {
        let sum = |of: fn(&Minute) -> u32| {
            self.minutes.iter().map(of).fold(0u32, |sum, n| sum.saturating_add(n))
        };
        let (ok, failed) = (sum(|minute| minute.ok), sum(|minute| minute.failed));
        failed >= ok && ok.saturating_add(failed) >= RATE_ATTEMPTS_MIN
    }
}

/// 1, 2, 4 ... seconds, at most a minute.
fn gap_ms(failed_probes: u32) -> i64 {
    (PROBE_GAP_MS << failed_probes.min(6)).min(PROBE_GAP_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn five_in_a_row_open_it_and_one_success_closes_it() {
        let mut breaker = Breaker::default();
        for failure in 1..=5 {
            assert!(!breaker.is_open(), "after {} failures", failure - 1);
            breaker.report(0, 1, 1_000);
        }
        assert_eq!(breaker.probe_at_ms(), Some(2_000));
        breaker.report(1, 0, 2_000);
        assert!(!breaker.is_open());
        breaker.report(0, 4, 2_001);
        assert!(!breaker.is_open(), "the row began anew");
        breaker.report(0, 1, 2_002);
        assert!(breaker.is_open());
    }

    #[test]
    fn probes_are_further_and_further_apart() {
        let mut breaker = Breaker::default();
        breaker.report(0, 5, 0);
        let mut gaps = Vec::new();
        for _ in 0..9 {
            let at_ms = breaker.probe_at_ms().expect("open");
            breaker.report(0, 1, at_ms);
            gaps.push((breaker.probe_at_ms().expect("still open") - at_ms) / SECOND_MS);
        }
        assert_eq!(gaps, [2, 4, 8, 16, 32, 60, 60, 60, 60]);
    }

    #[test]
    fn half_of_ten_in_five_minutes_open_it() {
        #[track_caller]
        fn check(reports: &[(u32, u32, i64)], expected: bool) {
            let mut breaker = Breaker::default();
            for &(ok, failed, minute) in reports {
                breaker.report(ok, failed, minute * MINUTE_MS);
            }
            assert_eq!(breaker.is_open(), expected, "{reports:?}");
        }
        check(&[(5, 5, 0)], true);
        check(&[(6, 5, 0)], false);
        check(&[(4, 5, 0)], false);
        check(&[(3, 3, 0), (2, 2, 4)], true);
        check(&[(3, 3, 0), (2, 2, 5)], false);
    }

    proptest! {
        /// Whatever is reported in whatever order: after a success alone it is closed, and after
        /// five failures alone it is open with a probe to come within a minute.
        #[test]
        fn its_ends_do_not_depend_on_its_past(
            reports in prop::collection::vec((0u32..9, 0u32..9, 0i64..MINUTE_MS), 0..60),
        ) {
            let (mut breaker, mut now_ms) = (Breaker::default(), 0);
            for (ok, failed, pause_ms) in reports {
                now_ms += pause_ms;
                breaker.report(ok, failed, now_ms);
            }
            let mut well = breaker.clone();
            well.report(1, 0, now_ms);
            prop_assert!(!well.is_open());
            breaker.report(0, 5, now_ms);
            let probe_at_ms = breaker.probe_at_ms().expect("open");
            prop_assert!((now_ms + 1..=now_ms + PROBE_GAP_MAX_MS).contains(&probe_at_ms));
        }
    }
}
