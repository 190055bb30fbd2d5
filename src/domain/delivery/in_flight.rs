//! The deliveries that this isolate is attempting right now. A slow attempt can last longer than
//! its batch, and its job may be repeated meanwhile: the repeated job is then dropped here. This
//! lives in the memory of one isolate. It reduces duplicates and guarantees nothing; losing it
//! costs nothing.
//!
//! What is attempted holds its payload in memory until that is recorded, and a receiver may take
//! its time. So the payloads under way in one isolate have a bound: the platform ends an isolate at
//! 128 MB, with all that it was doing. Lanes serve what failed or is slow, and leave half of the
//! room to everybody else; those of receivers that fail leave half of that to those that are only
//! slow. One workspace leaves a quarter of each to the others.

use std::collections::HashMap;

use crate::domain::delivery::overlap::{BELIEVED_MS, Overlap};
use crate::domain::lane::queue::DeliveryKey;

/// How often what is not believed any more is cleared away.
const CLEARED_EVERY_MS: i64 = 5_000;

/// Bytes of payloads under way from which on no large one is begun.
const BYTES_MAX: i64 = 16 * 1024 * 1024;
/// Of these, the bytes of those that lanes begin.
const LANE_BYTES_MAX: i64 = BYTES_MAX / 2;
/// Of these, the bytes of those whose receivers fail: one that hangs holds its own for long.
const FAILING_BYTES_MAX: i64 = LANE_BYTES_MAX / 2;
/// Milliseconds that a batch waits for room: an endpoint that hangs holds its own for as long as
/// its timeout, every other one for a moment.
pub const ROOM_WAIT_MS: i64 = 250;
/// Milliseconds after which it looks again.
pub const ROOM_LOOK_MS: i64 = 25;
/// Seconds after which a job that found none comes again at the latest.
pub const ROOM_AGAIN_S: u32 = 5;
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
    /// A lane whose receiver failed at the last attempt.
    FailingLane,
}

impl By {
    /// Whether this one's room is a part of that one's.
    fn is_within(self, room: Self) -> bool {
        self == room || (self == Self::FailingLane && room == Self::Lane)
    }
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
    cleared_at_ms: i64,
    /// The batches that go on after they were answered.
    pub overlap: Overlap,
}

impl InFlight {
    /// Notes that an attempt begins, if it may.
    pub fn begin(&mut self, key: &DeliveryKey, by: By, payload_bytes: i64, now_ms: i64) -> Begin {
        if now_ms - self.cleared_at_ms >= CLEARED_EVERY_MS {
            self.under_way.retain(|_, one| one.until_ms > now_ms);
            self.cleared_at_ms = now_ms;
        }
        if self.under_way.get(key).is_some_and(|one| one.until_ms > now_ms) {
            return Begin::IsUnderWay;
        }
        if payload_bytes > SMALL_BYTES && !self.has_room(key, by, payload_bytes) {
            return Begin::HasNoRoom;
        }
        let until_ms = now_ms + BELIEVED_MS;
        self.under_way.insert(key.clone(), UnderWay { until_ms, by, payload_bytes });
        Begin::Begun
    }

    /// Notes that an attempt was recorded, or could not be.
    pub fn end(&mut self, key: &DeliveryKey) {
        self.under_way.remove(key);
    }

    /// Whether batches have so little under way that one may be answered before its attempts end.
    pub fn allows_overlap(&self) -> bool {
        self.bytes(|_, one| one.by == By::Batch) <= OVERLAP_BYTES_MAX
    }

    fn has_room(&self, key: &DeliveryKey, by: By, payload_bytes: i64) -> bool {
        let rooms = [
            (BYTES_MAX, None),
            (LANE_BYTES_MAX, Some(By::Lane)),
            (FAILING_BYTES_MAX, Some(By::FailingLane)),
        ];
        let is_in = |by: By, room: Option<By>| room.is_none_or(|room| by.is_within(room));
        rooms.into_iter().filter(|(_, room)| is_in(by, *room)).all(|(most, room)| {
            let is_of = |one: &UnderWay| is_in(one.by, room);
            let all = self.bytes(|_, one| is_of(one));
            let own = self.bytes(|other, one| is_of(one) && other.workspace == key.workspace);
            all + payload_bytes <= most && own + payload_bytes <= most / 4 * 3
        })
    }

    /// Bytes of the payloads under way that are meant.
    fn bytes(&self, is_meant: impl Fn(&DeliveryKey, &UnderWay) -> bool) -> i64 {
        let meant = self.under_way.iter().filter(|(key, one)| is_meant(key, one));
        meant.map(|(_, one)| one.payload_bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(event: &str) -> DeliveryKey {
        key_of("w", event)
    }

    fn key_of(workspace: &str, event: &str) -> DeliveryKey {
        let (workspace, event) = (workspace.into(), event.into());
        DeliveryKey { workspace, connection: "c".into(), event, rule: 1 }
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
        let (mut in_flight, quarter) = (InFlight::default(), BYTES_MAX / 4);
        let mut begin = |w, event, by, bytes| in_flight.begin(&key_of(w, event), by, bytes, 0);
        assert_eq!(begin("v", "a", By::Lane, quarter), Begin::Begun);
        assert_eq!(begin("w", "a", By::Lane, quarter), Begin::Begun);
        assert_eq!(begin("x", "b", By::Lane, SMALL_BYTES + 1), Begin::HasNoRoom, "half is theirs");
        assert_eq!(begin("v", "b", By::Batch, quarter), Begin::Begun);
        assert_eq!(begin("w", "b", By::Batch, quarter), Begin::Begun);
        assert_eq!(begin("x", "c", By::Batch, SMALL_BYTES + 1), Begin::HasNoRoom);
        assert_eq!(begin("x", "c", By::Batch, SMALL_BYTES), Begin::Begun);
        assert!(!in_flight.allows_overlap());
        in_flight.end(&key_of("v", "b"));
        in_flight.end(&key_of("x", "c"));
        assert!(in_flight.allows_overlap(), "what lanes have under way keeps no batch waiting");
        let mut begin = |bytes, at_ms| in_flight.begin(&key_of("x", "d"), By::Batch, bytes, at_ms);
        assert_eq!(begin(quarter + 1, 1), Begin::HasNoRoom);
        assert_eq!(begin(BYTES_MAX / 4 * 3, BELIEVED_MS), Begin::Begun, "all others were cut off");
    }

    #[test]
    fn those_that_fail_leave_room_to_those_that_are_slow() {
        let (mut in_flight, most) = (InFlight::default(), FAILING_BYTES_MAX);
        let mut begin = |w, event, by, bytes| in_flight.begin(&key_of(w, event), by, bytes, 0);
        assert_eq!(begin("v", "a", By::FailingLane, most / 2), Begin::Begun);
        assert_eq!(begin("w", "a", By::FailingLane, most / 2), Begin::Begun);
        assert_eq!(begin("x", "a", By::FailingLane, SMALL_BYTES + 1), Begin::HasNoRoom);
        assert_eq!(begin("x", "a", By::Lane, most), Begin::Begun);
        assert_eq!(begin("y", "a", By::Lane, SMALL_BYTES + 1), Begin::HasNoRoom, "lanes are full");
    }

    #[test]
    fn one_workspace_leaves_room_to_the_others() {
        for (by, most) in [
            (By::Batch, BYTES_MAX),
            (By::Lane, LANE_BYTES_MAX),
            (By::FailingLane, FAILING_BYTES_MAX),
        ] {
            let mut in_flight = InFlight::default();
            let mut begin = |w, event, bytes| in_flight.begin(&key_of(w, event), by, bytes, 0);
            assert_eq!(begin("w", "a", most / 4 * 3), Begin::Begun);
            assert_eq!(begin("w", "b", SMALL_BYTES + 1), Begin::HasNoRoom);
            assert_eq!(begin("x", "b", most / 4), Begin::Begun);
        }
    }
}
