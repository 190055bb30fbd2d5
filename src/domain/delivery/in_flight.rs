//! The deliveries that this isolate is attempting right now. A slow attempt can last longer than
//! its batch, and its job may be repeated meanwhile: the repeated job is then dropped here. This
//! lives in the memory of one isolate. It reduces duplicates and guarantees nothing; losing it
//! costs nothing.

use std::collections::HashMap;

use crate::domain::delivery::overlap::{BELIEVED_MS, Overlap};
use crate::domain::lane::queue::DeliveryKey;

/// How often what is not believed any more is cleared away.
const CLEARED_EVERY_MS: i64 = 5_000;

/// The deliveries under way, each until it is not believed any more.
#[derive(Debug, Default)]
pub struct InFlight {
    until_ms: HashMap<DeliveryKey, i64>,
    cleared_at_ms: i64,
    /// The batches that go on after they were answered.
    pub overlap: Overlap,
}

impl InFlight {
    /// Notes that an attempt begins; false when one is under way already.
    pub fn begin(&mut self, key: &DeliveryKey, now_ms: i64) -> bool {
        if now_ms - self.cleared_at_ms >= CLEARED_EVERY_MS {
            self.until_ms.retain(|_, until_ms| *until_ms > now_ms);
            self.cleared_at_ms = now_ms;
        }
        let free = self.until_ms.get(key).is_none_or(|until_ms| *until_ms <= now_ms);
        if free {
            self.until_ms.insert(key.clone(), now_ms + BELIEVED_MS);
        }
        free
    }

    /// Notes that an attempt was recorded, or could not be.
    pub fn end(&mut self, key: &DeliveryKey) {
        self.until_ms.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_not_for_ever() {
        let key = |event: &str| DeliveryKey {
            workspace: "w".into(),
            connection: "c".into(),
            event: event.into(),
            rule: 1,
        };
        let mut in_flight = InFlight::default();
        assert!(in_flight.begin(&key("a"), 0) && in_flight.begin(&key("b"), 0));
        assert!(!in_flight.begin(&key("a"), BELIEVED_MS - 1));
        in_flight.end(&key("b"));
        assert!(in_flight.begin(&key("b"), 1));
        assert!(in_flight.begin(&key("a"), BELIEVED_MS));
    }
}
