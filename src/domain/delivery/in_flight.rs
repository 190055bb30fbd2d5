//! The deliveries that this isolate is attempting right now. A slow attempt can last longer than
//! its batch, and its job may be repeated meanwhile: the repeated job is then dropped here. This
//! lives in the memory of one isolate. It reduces duplicates and guarantees nothing; losing it
//! costs nothing.
//!
//! What is attempted holds its payload in memory until that is recorded, and a receiver may take
//! its time. So the payloads under way in one isolate have a bound: the platform ends an isolate at
//! 128 MB, with all that it was doing. Lanes serve what failed or is slow, and leave half of the
//! room to everybody else.

use std::collections::HashMap;

use crate::domain::delivery::overlap::{BELIEVED_MS, Overlap};
use crate::domain::lane::queue::DeliveryKey;

/// How often what is not believed any more is cleared away.
const CLEARED_EVERY_MS: i64 = 5_000;

/// Bytes of payloads under way from which on no large one is begun.
const BYTES_MAX: i64 = 16 * 1024 * 1024;
/// Of these, the bytes of those that lanes begin.
const LANE_BYTES_MAX: i64 = BYTES_MAX / 2;
/// Bytes of a payload that may be begun at any time: thousands of them are little.
const SMALL_BYTES: i64 = 16 * 1024;
/// Bytes of payloads that batches have under way up to which another one begins beside them. What
/// one batch reads fits beside that.
const OVERLAP_BYTES_MAX: i64 = BYTES_MAX / 2;

/// Who begins an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A batch of jobs.
    Batch,
    /// A lane.
    Lane,
}

/// What came of the wish to begin an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// It is noted as begun.
    Begun,
    /// One of this delivery is under way already.
    IsUnderWay,
    /// The payloads under way leave no room for this one now.
    HasNoRoom,
}

/// An attempt that is believed to be under way.
#[derive(Debug)]
struct UnderWay {
    until_ms: i64,
    by: By,
    payload_bytes: i64,
}

/// The deliveries under way, each until it is not believed any more.
#[derive(Debug, Default)]
pub struct InFlight {
    under_way: HashMap<DeliveryKey, UnderWay>,
    /// Bytes of their payloads, by who began them.
    bytes: [i64; 2],
    cleared_at_ms: i64,
    /// The batches that go on after they were answered.
    pub overlap: Overlap,
}

impl InFlight {
    /// Notes that an attempt begins, if it may.
    pub fn begin(&mut self, key: &DeliveryKey, by: By, payload_bytes: i64, now_ms: i64) -> Begin {
        if now_ms - self.cleared_at_ms >= CLEARED_EVERY_MS {
            self.under_way.retain(|_, one| one.until_ms > now_ms);
            self.bytes = [0; 2];
            for one in self.under_way.values() {
                self.bytes[one.by as usize] += one.payload_bytes;
            }
            self.cleared_at_ms = now_ms;
        }
        if self.under_way.get(key).is_some_and(|one| one.until_ms > now_ms) {
            return Begin::IsUnderWay;
        }
        if payload_bytes > SMALL_BYTES && !self.has_room(by, payload_bytes) {
            return Begin::HasNoRoom;
        }
        self.end(key);
        self.bytes[by as usize] += payload_bytes;
        let until_ms = now_ms + BELIEVED_MS;
        self.under_way.insert(key.clone(), UnderWay { until_ms, by, payload_bytes });
        Begin::Begun
    }

    /// Notes that an attempt was recorded, or could not be.
    pub fn end(&mut self, key: &DeliveryKey) {
        if let Some(ended) = self.under_way.remove(key) {
            self.bytes[ended.by as usize] -= ended.payload_bytes;
        }
    }

    /// Whether batches have so little under way that one may be answered before its attempts end.
    pub fn allows_overlap(&self) -> bool {
        self.bytes[By::Batch as usize] <= OVERLAP_BYTES_MAX
    }

    fn has_room(&self, by: By, payload_bytes: i64) -> bool {
        let of_lanes = self.bytes[By::Lane as usize] + payload_bytes;
        let all = of_lanes + self.bytes[By::Batch as usize];
        all <= BYTES_MAX && (by == By::Batch || of_lanes <= LANE_BYTES_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event: &str) -> DeliveryKey {
        DeliveryKey { workspace: "w".into(), connection: "c".into(), event: event.into(), rule: 1 }
    }

    #[test]
    fn one_at_a_time_and_not_for_ever() {
        let mut in_flight = InFlight::default();
        let mut begin = |event, now_ms| in_flight.begin(&key(event), By::Batch, 1, now_ms);
        assert_eq!([begin("a", 0), begin("b", 0)], [Begin::Begun; 2]);
        assert_eq!(begin("a", BELIEVED_MS - 1), Begin::IsUnderWay);
        in_flight.end(&key("b"));
        let mut begin = |event, now_ms| in_flight.begin(&key(event), By::Lane, 1, now_ms);
        assert_eq!([begin("b", 1), begin("a", BELIEVED_MS)], [Begin::Begun; 2]);
    }

    #[test]
    fn large_payloads_have_a_bound_and_small_ones_pass() {
        let (mut in_flight, half) = (InFlight::default(), BYTES_MAX / 2);
        let mut begin = |event, by, bytes| in_flight.begin(&key(event), by, bytes, 0);
        assert_eq!(begin("a", By::Lane, half), Begin::Begun);
        assert_eq!(begin("b", By::Lane, SMALL_BYTES + 1), Begin::HasNoRoom, "half is for batches");
        assert_eq!(begin("b", By::Batch, half), Begin::Begun);
        assert_eq!(begin("c", By::Batch, SMALL_BYTES + 1), Begin::HasNoRoom);
        assert_eq!(begin("c", By::Batch, SMALL_BYTES), Begin::Begun);
        assert!(!in_flight.allows_overlap());
        in_flight.end(&key("b"));
        assert!(in_flight.allows_overlap(), "what lanes have under way keeps no batch waiting");
        let mut begin = |bytes, at_ms| in_flight.begin(&key("d"), By::Batch, bytes, at_ms);
        assert_eq!(begin(half - SMALL_BYTES + 1, 1), Begin::HasNoRoom);
        assert_eq!(begin(BYTES_MAX, BELIEVED_MS), Begin::Begun, "all others were cut off");
    }
}
