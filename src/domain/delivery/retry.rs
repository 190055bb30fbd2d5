//! When a delivery that failed is tried again.
//!
//! Jitter only ever adds, and `Retry-After` is never shortened: a receiver that names a time is
//! not called before it. The jitter comes from the message id and the attempt number, so that
//! computing a due time twice gives the same answer.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::base::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, parse_http_date};

/// Seconds until a message comes again that could not be served: as long as it is under way
/// already, so each wait is twice the one before, from 1 second to 5 minutes. A queue gives a
/// message up after 100 times, so an outage may last for hours.
pub fn hand_back_s(sent_at_ms: i64, now_ms: i64) -> u32 {
    let s = ((now_ms - sent_at_ms) / SECOND_MS).clamp(1, HAND_BACK_S_MAX);
    u32::try_from(s).unwrap_or(1)
}

/// See [`hand_back_s`].
const HAND_BACK_S_MAX: i64 = 300;

/// The most steps that a schedule can have.
pub const STEPS_MAX: usize = 20;
/// The longest step of a schedule, in seconds: 48 hours.
pub const STEP_SECONDS_MAX: u32 = 172_800;
/// The longest wait that a receiver's `Retry-After` can ask for, in milliseconds: 24 hours.
pub const RETRY_AFTER_MAX_MS: i64 = DAY_MS;
/// How long our own faults may keep a delivery open before it is failed (`internal`), in
/// milliseconds: 7 days.
pub const INTERNAL_DEADLINE_MS: i64 = 7 * DAY_MS;

/// 5 s, 30 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: 11 attempts over 75 h 35 m (and 35 s),
/// the example schedule of the Standard Webhooks 1.0 specification with one early step more.
const DEFAULT_STEPS: [u32; 10] = [5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// The seconds to wait after each failed attempt: 1 to 20 steps of 1 s to 48 h.
///
/// A schedule of n steps makes n + 1 attempts. Its JSON is the bare list, checked on reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u32>")]
pub struct Schedule(Vec<u32>);

impl Default for Schedule {
    fn default() -> Self {
        Schedule(DEFAULT_STEPS.to_vec())
    }
}

impl TryFrom<Vec<u32>> for Schedule {
    type Error = String;

    fn try_from(steps: Vec<u32>) -> Result<Self, String> {
        Schedule::new(steps)
    }
}

impl Schedule {
    /// A schedule of these steps, in seconds. The error says which limit was broken.
    pub fn new(steps: Vec<u32>) -> Result<Schedule, String> {
        if steps.is_empty() || steps.len() > STEPS_MAX {
            let count = steps.len();
            return Err(format!("a retry schedule has 1 to {STEPS_MAX} steps, not {count}"));
        }
        match steps.iter().position(|step| !(1..=STEP_SECONDS_MAX).contains(step)) {
            None => Ok(Schedule(steps)),
            Some(index) => Err(format!(
                "step {} of the retry schedule is {} s; a step is 1 to {STEP_SECONDS_MAX} s (48 h)",
                index + 1,
                steps[index],
            )),
        }
    }

    /// The steps, in seconds.
    pub fn steps(&self) -> &[u32] {
        &self.0
    }

    /// How many attempts a delivery gets: the first one and one after each step.
    pub fn attempts_max(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// When the next attempt is due (epoch milliseconds), or `None` when the attempts are used up.
    ///
    /// `attempt` is the number of the one that just failed, from 1; 0 is read as 1.
    /// `retry_after_ms` is a delay as [`parse_retry_after`] gives it. The answer is the later of
    /// the step with its jitter, up to a tenth of the step, and that delay.
    pub fn next_due_ms(
        &self,
        attempt: u32,
        finished_at_ms: i64,
        retry_after_ms: Option<i64>,
        message_id: &str,
    ) -> Option<i64> {
        let step_ms = self.step_ms(attempt.saturating_sub(1))?;
        let delay_ms = step_ms + jitter_ms(step_ms, attempt, message_id);
        let asked_ms = retry_after_ms.unwrap_or(0).min(RETRY_AFTER_MAX_MS);
        Some(finished_at_ms.saturating_add(delay_ms.max(asked_ms)))
    }

    /// The times of the attempts to come (epoch milliseconds), for people to see: the next one at
    /// `due_ms`, the later ones as if each failed at once and without jitter.
    ///
    /// `attempt` is how many attempts were made, 0 before the first. Empty when they are used up.
    pub fn upcoming(&self, attempt: u32, due_ms: i64) -> Vec<i64> {
        if attempt >= self.attempts_max() {
            return Vec::new();
        }
        let mut times = vec![due_ms];
        let mut last_ms = due_ms;
        for index in attempt.. {
            let Some(step_ms) = self.step_ms(index) else {
                break;
            };
            last_ms = last_ms.saturating_add(step_ms);
            times.push(last_ms);
        }
        times
    }

    fn step_ms(&self, index: u32) -> Option<i64> {
        let step = self.0.get(usize::try_from(index).ok()?)?;
        Some(i64::from(*step) * SECOND_MS)
    }
}

/// 0 to a tenth of the step. Receivers that fail together are not called again together.
fn jitter_ms(step_ms: i64, attempt: u32, message_id: &str) -> i64 {
    let mut hash = Sha256::new();
    hash.update(attempt.to_be_bytes());
    hash.update(message_id.as_bytes());
    let digest = hash.finalize();
    // Four bytes are plenty: the range is at most 17,280,001 values (a tenth of 48 h), so the
    // remainder favours none of them by more than 0.5 %.
    let bits = u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]);
    i64::from(bits) % (step_ms / 10 + 1)
}

/// Reads a `Retry-After` header (RFC 9110 section 10.2.3) into a delay in milliseconds.
///
/// Seconds or an HTTP date; a date in the past is no delay, and nothing waits longer than
/// [`RETRY_AFTER_MAX_MS`]. `None` when the text is neither.
pub fn parse_retry_after(text: &str, now_ms: i64) -> Option<i64> {
    let text = text.trim();
    let delay_ms = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only too many digits can fail here, and they mean a very long time.
        text.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(SECOND_MS)
    } else {
        parse_http_date(text)?.saturating_sub(now_ms)
    };
    Some(delay_ms.clamp(0, RETRY_AFTER_MAX_MS))
}

/// How long to wait after a fault of our own, in milliseconds: 1, 2, 4 ... minutes, at most 1 hour.
///
/// `faults` counts them from 1, this one included; 0 is read as 1.
pub fn internal_backoff_ms(faults: u32) -> i64 {
    doubling_minutes_ms(faults).min(HOUR_MS)
}

/// How far the sweeper moves a due time when it hands a delivery out, in milliseconds: 1, 2, 4 ...
/// minutes, at most 64 minutes.
///
/// `sweeps` counts them from 1, this one included; 0 is read as 1.
pub fn sweep_backoff_ms(sweeps: u32) -> i64 {
    doubling_minutes_ms(sweeps)
}

/// How long the sweeper leaves a lane alone that it has nudged so many times in a row: 1, 2, 4
/// minutes. No longer, since what was lost is to be attempted within five.
pub fn nudge_backoff_ms(nudges: u32) -> i64 {
    doubling_minutes_ms(nudges.min(3))
}

/// 1, 2, 4 ... 64 minutes.
fn doubling_minutes_ms(count: u32) -> i64 {
    MINUTE_MS << count.saturating_sub(1).min(6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_MS: i64 = 1_700_000_000_000;

    #[test]
    fn the_default_is_11_attempts_in_75_h_35_m() {
        let schedule = Schedule::default();
        assert_eq!(schedule.attempts_max(), 11);
        let total_s: u32 = schedule.steps().iter().sum();
        assert_eq!(total_s, 75 * 3600 + 35 * 60 + 35);
        assert_eq!(Schedule::new(DEFAULT_STEPS.to_vec()), Ok(schedule));
    }

    #[test]
    fn limits_of_a_schedule() {
        #[track_caller]
        fn check(steps: &[u32], expected: Result<u32, &str>) {
            let made = Schedule::new(steps.to_vec());
            let json = serde_json::to_string(steps).unwrap();
            let read = serde_json::from_str::<Schedule>(&json);
            assert_eq!(read.is_ok(), made.is_ok());
            if let Ok(read) = read {
                assert_eq!(serde_json::to_string(&read).unwrap(), json);
            }
            let made = made.map(|schedule| schedule.attempts_max());
            assert_eq!(made.as_ref().map(|max| *max).map_err(String::as_str), expected);
        }
        check(&[1], Ok(2));
        check(&[172_800; 20], Ok(21));
        check(&[], Err("a retry schedule has 1 to 20 steps, not 0"));
        check(&[5; 21], Err("a retry schedule has 1 to 20 steps, not 21"));
        check(&[5, 0], Err("step 2 of the retry schedule is 0 s; a step is 1 to 172800 s (48 h)"));
        check(
            &[172_801],
            Err("step 1 of the retry schedule is 172801 s; a step is 1 to 172800 s (48 h)"),
        );
    }

    #[test]
    fn a_message_that_cannot_be_served_comes_again_later_and_later() {
        let (mut now_ms, mut waits) = (NOW_MS, Vec::new());
        for _ in 0..100 {
            let wait_s = hand_back_s(NOW_MS, now_ms);
            now_ms += i64::from(wait_s) * SECOND_MS;
            waits.push(wait_s);
        }
        assert_eq!(waits[..11], [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
        assert!(now_ms - NOW_MS > 7 * HOUR_MS, "longer than any outage");
        assert_eq!(hand_back_s(NOW_MS + 2_000, NOW_MS), 1, "clocks differ");
    }

    #[test]
    fn retry_after() {
        #[track_caller]
        fn check(text: &str, expected: Option<i64>) {
            assert_eq!(parse_retry_after(text, NOW_MS), expected, "{text}");
        }
        check("0", Some(0));
        check("120", Some(120_000));
        check(" 7 ", Some(7_000));
        check("86400", Some(DAY_MS));
        check("86401", Some(DAY_MS));
        check("99999999999999999999999999", Some(DAY_MS));
        // 1700000000 is Tue, 14 Nov 2023 22:13:20 GMT.
        check("Tue, 14 Nov 2023 22:14:20 GMT", Some(60_000));
        check("Tuesday, 14-Nov-23 22:14:20 GMT", Some(60_000));
        check("Tue Nov 14 22:14:20 2023", Some(60_000));
        check("Tue, 14 Nov 2023 22:13:20 GMT", Some(0));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(0));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY_MS));
        check("", None);
        check("-5", None);
        check("+5", None);
        check("1.5", None);
        check("5s", None);
        check("soon", None);
    }

    #[test]
    fn due_times_are_stable() {
        // The jitter is part of what the page shows, so it must not change between releases:
        // python3 -c "import hashlib; print(int.from_bytes(hashlib.sha256(
        //   (1).to_bytes(4, 'big') + b'msg_1').digest()[:4], 'big') % 501)"
        #[track_caller]
        fn check(attempt: u32, retry_after_ms: Option<i64>, expected: Option<i64>) {
            let schedule = Schedule::default();
            let due_ms = schedule.next_due_ms(attempt, NOW_MS, retry_after_ms, "msg_1");
            assert_eq!(due_ms.map(|due_ms| due_ms - NOW_MS), expected, "{attempt}");
        }
        check(1, None, Some(5_000 + 456));
        check(0, None, Some(5_000 + 382));
        check(2, None, Some(30_000 + 1_907));
        check(10, None, Some(86_400_000 + 2_865_862));
        check(11, None, None);
        check(u32::MAX, Some(1), None);
        check(1, Some(0), Some(5_000 + 456));
        check(1, Some(4_000), Some(5_000 + 456));
        check(1, Some(60_000), Some(60_000));
        check(1, Some(i64::MAX), Some(DAY_MS));
        check(1, Some(i64::MIN), Some(5_000 + 456));
        check(10, Some(DAY_MS), Some(86_400_000 + 2_865_862));
    }

    #[test]
    fn attempts_to_come() {
        #[track_caller]
        fn check(attempt: u32, expected: &[i64]) {
            let schedule = Schedule::new(vec![5, 30, 300]).unwrap();
            assert_eq!(schedule.upcoming(attempt, 1_000), expected, "{attempt}");
        }
        check(0, &[1_000, 6_000, 36_000, 336_000]);
        check(1, &[1_000, 31_000, 331_000]);
        check(2, &[1_000, 301_000]);
        check(3, &[1_000]);
        check(4, &[]);
        check(u32::MAX, &[]);
    }

    #[test]
    fn backoffs_double() {
        #[track_caller]
        fn check(count: u32, internal_minutes: i64, sweep_minutes: i64) {
            assert_eq!(internal_backoff_ms(count), internal_minutes * MINUTE_MS);
            assert_eq!(sweep_backoff_ms(count), sweep_minutes * MINUTE_MS);
            assert_eq!(nudge_backoff_ms(count), sweep_minutes.min(4) * MINUTE_MS);
        }
        check(0, 1, 1);
        check(1, 1, 1);
        check(2, 2, 2);
        check(3, 4, 4);
        check(6, 32, 32);
        check(7, 60, 64);
        check(8, 60, 64);
        check(u32::MAX, 60, 64);
    }

    proptest! {
        #[test]
        fn jitter_only_adds_and_the_later_time_wins(
            steps in prop::collection::vec(1..=STEP_SECONDS_MAX, 1..=STEPS_MAX),
            attempt in 1..=25_u32,
            retry_after_ms in prop::option::of(0..=RETRY_AFTER_MAX_MS),
            message_id in "msg_[0-9a-f]{40}",
        ) {
            let schedule = Schedule::new(steps.clone()).unwrap();
            let due_ms = schedule.next_due_ms(attempt, NOW_MS, retry_after_ms, &message_id);
            let coming = schedule.upcoming(attempt, due_ms.unwrap_or(0));
            let left = schedule.attempts_max().saturating_sub(attempt);
            prop_assert_eq!(coming.len(), left as usize);
            prop_assert_eq!(due_ms.is_some(), left > 0);
            if let Some(due_ms) = due_ms {
                let step_ms = i64::from(steps[attempt as usize - 1]) * SECOND_MS;
                let asked_ms = retry_after_ms.unwrap_or(0);
                let delay_ms = due_ms - NOW_MS;
                prop_assert!(delay_ms >= step_ms.max(asked_ms));
                prop_assert!(delay_ms <= (step_ms + step_ms / 10).max(asked_ms));
            }
        }
    }

    #[test]
    fn jitter_spreads_over_its_whole_range() {
        let all: Vec<i64> = (0..2_000).map(|n| jitter_ms(5_000, 1, &format!("msg_{n}"))).collect();
        assert_eq!(all.iter().min(), Some(&0));
        assert_eq!(all.iter().max(), Some(&500));
        let mean = all.iter().sum::<i64>() / 2_000;
        assert!((235..=265).contains(&mean), "{mean}");
    }
}
