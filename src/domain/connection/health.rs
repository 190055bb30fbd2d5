//! When a connection is warned about or switched off because all its attempts fail.
//!
//! The time counts from the first failure since the last success, and it is checked when another
//! attempt fails. The failures that switch a connection off cover the whole time, without a long
//! pause between them: one bad evening is not enough, and neither are two of them a week apart.

use crate::domain::base::time::DAY_MS;

/// Time in which nothing succeeded after which a connection is given up.
pub const FAILING_MS: i64 = 5 * DAY_MS;
/// Percentages of that time at which people are warned.
pub const WARNINGS: [u32; 2] = [50, 90];

/// A failure after a longer pause than this begins the time anew: two bad days a week apart do not
/// span the week. The longest step of a retry schedule with its jitter (53 h) is shorter.
pub const PAUSE_MAX_MS: i64 = 3 * DAY_MS;

/// A warning of a connection that changes: since when nothing succeeds and how much of the time
/// until it is given up has passed in percent, or that it is over.
#[derive(Debug)]
pub struct Warning {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// What it says.
    pub says: Option<(i64, u32)>,
}

/// What another failure means for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// Nothing new.
    Unchanged,
    /// People have to be warned: this much of the time has passed, in percent.
    Warning(u32),
    /// The time is over.
    GivenUp,
}

/// Since when a connection fails, if it failed last at `last_failed_at_ms` and fails now.
pub fn failing_since(
    failing_since_ms: Option<i64>,
    last_failed_at_ms: i64,
    now_ms: i64,
) -> Option<i64> {
    failing_since_ms.filter(|_| now_ms - last_failed_at_ms <= PAUSE_MAX_MS)
}

/// Judges a failure at `now_ms`; `warned_percent` is the last warning.
pub fn after_failure(failing_since_ms: Option<i64>, warned_percent: u32, now_ms: i64) -> Health {
    let failing_ms = failing_since_ms.map_or(0, |since_ms| now_ms - since_ms);
    if failing_ms >= FAILING_MS {
        return Health::GivenUp;
    }
    let passed = |percent: &u32| failing_ms >= FAILING_MS / 100 * i64::from(*percent);
    match WARNINGS.into_iter().rev().find(passed) {
        Some(percent) if percent > warned_percent => Health::Warning(percent),
        _ => Health::Unchanged,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::time::HOUR_MS;

    #[test]
    fn two_bad_days_a_week_apart_give_nothing_up() {
        let judge = |last_failed_day, day| {
            let since_ms = failing_since(Some(0), last_failed_day * DAY_MS, day * DAY_MS);
            after_failure(since_ms, 0, day * DAY_MS)
        };
        assert_eq!(judge(0, 7), Health::Unchanged);
        assert_eq!(judge(4, 7), Health::GivenUp, "it failed on and on");
    }

    #[test]
    fn two_warnings_and_then_it_is_over() {
        let mut warned = 0;
        let mut told = Vec::new();
        for hour in 0..=121 {
            match after_failure(Some(0), warned, hour * HOUR_MS) {
                Health::Unchanged => {}
                Health::Warning(percent) => {
                    warned = percent;
                    told.push((hour, Health::Warning(percent)));
                }
                Health::GivenUp => told.push((hour, Health::GivenUp)),
            }
        }
        assert_eq!(
            told,
            [
                (60, Health::Warning(50)),
                (108, Health::Warning(90)),
                (120, Health::GivenUp),
                (121, Health::GivenUp),
            ]
        );
        assert_eq!(after_failure(None, 0, i64::MAX), Health::Unchanged, "the first failure");
    }
}
