//! Moments and spans of time in words, and as forms have them.

use crate::domain::base::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_rfc3339, rfc3339};

/// The words of moments and spans of time.
pub struct Moments {
    pub exact: fn(&str) -> String,
    pub to_the_second: fn(&str) -> String,
    pub bound: fn(i64) -> String,
    pub now: &'static str,
    pub days: &'static str,
    /// A moment that has passed; `*` stands for how long ago.
    pub past: &'static str,
    pub duration: fn(i64) -> String,
    pub seconds: fn(u32) -> String,
}
impl Moments {
    /// A moment seen from now, `ms` away: `3 min ago`, `in 2 h`. The script says it so too.
    pub fn relative(&self, ms: i64) -> String {
        let length = match ms.abs() {
            below if below < 10 * SECOND_MS => return self.now.to_owned(),
            below if below < MINUTE_MS => format!("{} s", below / SECOND_MS),
            below if below < HOUR_MS => format!("{} min", below / MINUTE_MS),
            // Rounded, or a day that has just begun would read as 23 hours.
            below if below < 2 * DAY_MS => format!("{} h", (below + HOUR_MS / 2) / HOUR_MS),
            length => format!("{} {}", length / DAY_MS, self.days),
        };
        if ms < 0 { self.past.replace('*', &length) } else { format!("in {length}") }
    }
}

/// A moment as the fields of forms take it, in UTC, with no more than its minutes.
pub fn field(at_ms: i64) -> String {
    rfc3339(at_ms)[..16].to_owned()
}

/// Reads a moment of a form's field, in UTC; `None` when it is none.
pub fn parse_field(text: &str) -> Option<i64> {
    let text = text.trim().trim_end_matches('Z').replacen(' ', "T", 1);
    // Fields leave out seconds that are zero.
    let seconds = if text.len() == 16 { ":00" } else { "" };
    parse_rfc3339(&format!("{text}{seconds}Z"))
}

/// A retry schedule: `5s, 30s, 5m, 2h`.
pub fn schedule(steps: &[u32]) -> String {
    let step = |seconds: &u32| match seconds {
        s if s % 3_600 == 0 => format!("{}h", s / 3_600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    };
    steps.iter().map(step).collect::<Vec<_>>().join(", ")
}

/// Reads a retry schedule as [`schedule`] writes it; a bare number is seconds.
///
/// # Errors
/// Which step cannot be read.
pub fn parse_schedule(text: &str) -> Result<Vec<u32>, String> {
    let parts = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| parse_step(part).ok_or_else(|| part.to_owned())).collect()
}

fn parse_step(part: &str) -> Option<u32> {
    let digits = part.trim_end_matches(['s', 'm', 'h']);
    let unit = match &part[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => return None,
    };
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::retry::Schedule;
    use crate::embed::text::LANGUAGES;
    use proptest::prelude::*;

    #[test]
    fn moments_and_durations() {
        let t = &LANGUAGES[0].moments;
        for (ms, expected) in [
            (0, "now"),
            (-9_999, "now"),
            (-59_000, "59 s ago"),
            (61_000, "in 1 min"),
            (-7_200_000, "2 h ago"),
            (DAY_MS - 5_000, "in 24 h"),
            (3 * DAY_MS, "in 3 days"),
        ] {
            assert_eq!(t.relative(ms), expected);
        }
        assert_eq!([(t.duration)(12), (t.duration)(1_234)], ["12 ms", "1.2 s"]);
        assert_eq!((t.exact)("2026-01-02T03:04:05.678Z"), "2026-01-02 03:04:05.678 UTC");
        assert_eq!(
            schedule(Schedule::default().steps()),
            "5s, 30s, 5m, 30m, 2h, 5h, 10h, 14h, 20h, 24h"
        );
    }

    #[test]
    fn moments_of_fields_and_ranges() {
        let t = &LANGUAGES[0].moments;
        let minute = 29_500_000 * MINUTE_MS;
        assert_eq!(field(minute + 59_999), "2026-02-02T02:40");
        for (text, expected) in [
            ("2026-02-02T02:40", Some(minute)),
            (" 2026-02-02 02:40 ", Some(minute)),
            ("2026-02-02T02:40:01", Some(minute + 1_000)),
            ("2026-02-02T02:40:00.250Z", Some(minute + 250)),
            ("2026-02-02", None),
            ("2026-02-30T02:40", None),
            ("2026-02-02T02:40+01:00", None),
            ("yesterday, noon", None),
            ("ééééééééé", None),
            ("", None),
        ] {
            assert_eq!(parse_field(text), expected, "{text}");
        }
        assert_eq!((t.bound)(minute), "2026-02-02 02:40 UTC");
        assert_eq!((t.bound)(minute + 1), "2026-02-02 02:40:00.001 UTC");
    }

    #[test]
    fn steps_that_are_none() {
        for text in ["x", "5d", "s", "-1s", "99999999h", "1.5h", "5ms"] {
            assert!(parse_schedule(text).is_err(), "{text}");
        }
        assert_eq!(parse_schedule("5, 1m,2h 3s"), Ok(vec![5, 60, 7_200, 3]));
    }

    proptest! {
        #[test]
        fn a_schedule_is_read_as_it_is_written(
            steps in prop::collection::vec(1u32..172_800, 1..20),
        ) {
            prop_assert_eq!(parse_schedule(&schedule(&steps)), Ok(steps));
        }
    }
}
