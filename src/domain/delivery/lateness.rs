//! What comes late: a job can wait so long that its delivery would be taken for lost, and attempted
//! by somebody else, while the consumer attempts it.

use crate::domain::base::limits::LEASE_LEFT_MS;
use crate::domain::delivery::overlap::BELIEVED_MS;
use crate::domain::lane::queue::{LanePolicy, Mode};

/// What a consumer does with a delivery that a job came for and that it is to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Attempts it.
    InTime,
    /// Attempts it once it has put off the time at which it is taken for lost.
    PutOffFirst,
    /// Leaves it to its lane, which hands out what it takes for lost itself.
    LeaveToLane,
}

/// Decides by the time at which the delivery is taken for lost. A test event waits for no lane.
pub fn timing(lost_at_ms: i64, now_ms: i64, has_lane: bool, is_test: bool) -> Timing {
    match lost_at_ms < now_ms + BELIEVED_MS {
        false => Timing::InTime,
        true if has_lane && !is_test => Timing::LeaveToLane,
        true => Timing::PutOffFirst,
    }
}

/// Whether an attempt that begins now is over, with a margin, before its delivery is somebody
/// else's.
pub fn ends_in_time(now_ms: i64, timeout_ms: i64, lost_at_ms: i64) -> bool {
    now_ms + timeout_ms + LEASE_LEFT_MS <= lost_at_ms
}

/// Whether a delivery is its lane's to start, whenever its job comes.
pub fn is_for_lane(mode: Mode, policy: &LanePolicy, is_test: bool) -> bool {
    let is_engaged = policy.is_pull_only() || mode == Mode::Engaged;
    // A test event waits for nothing but the pace, which its lane keeps.
    let is_free = is_test && policy.per_second.is_none();
    is_engaged && !is_free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_taken_for_lost_meanwhile_is_late() {
        let now_ms = 1_000_000;
        let edge_ms = now_ms + BELIEVED_MS;
        assert_eq!(timing(edge_ms, now_ms, true, false), Timing::InTime);
        assert_eq!(timing(edge_ms - 1, now_ms, false, false), Timing::PutOffFirst);
        assert_eq!(timing(edge_ms - 1, now_ms, true, false), Timing::LeaveToLane);
        assert_eq!(timing(edge_ms - 1, now_ms, true, true), Timing::PutOffFirst);
    }

    #[test]
    fn an_attempt_ends_with_a_margin() {
        assert!(ends_in_time(1_000, 500, 1_500 + LEASE_LEFT_MS));
        assert!(!ends_in_time(1_001, 500, 1_500 + LEASE_LEFT_MS));
    }

    #[test]
    fn a_lane_starts_what_is_engaged_strict_or_paced_but_a_test_event_only_for_its_pace() {
        let free = LanePolicy::default();
        assert!(!is_for_lane(Mode::Clear, &free, false));
        assert!(is_for_lane(Mode::Engaged, &free, false));
        assert!(!is_for_lane(Mode::Engaged, &free, true));
        let strict = LanePolicy { strict: true, ..free };
        assert!(is_for_lane(Mode::Clear, &strict, false));
        assert!(!is_for_lane(Mode::Clear, &strict, true));
        let paced = LanePolicy { per_second: Some(5), ..free };
        assert!(is_for_lane(Mode::Clear, &paced, true));
    }
}
