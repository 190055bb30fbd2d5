//! How a connection delivers, whatever its destination: in which order, how fast, how long one
//! attempt may take, and when a failed one is repeated.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::limits::TIMEOUT_S_DEFAULT;
use crate::domain::base::time::SECOND_MS;
use crate::domain::delivery::retry::Schedule;
use crate::domain::lane::queue::LanePolicy;

/// Whether the events of a connection wait for one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum Ordering {
    /// They do not: one that fails lets the others pass.
    #[default]
    None,
    /// No event is sent before every earlier one is delivered, failed or canceled.
    Strict,
}

impl Ordering {
    /// The word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The ordering with this word.
    pub fn parse(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// The delivery options of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryOptions {
    /// Time for one attempt.
    pub timeout_seconds: u32,
    /// When a failed attempt is repeated.
    pub retry_schedule_seconds: Schedule,
    /// Whether events wait for one another.
    pub ordering: Ordering,
    /// The most requests that start in any second.
    pub max_per_second: Option<u32>,
    /// The most attempts that are under way at once.
    pub max_in_flight: Option<u32>,
}

impl Default for DeliveryOptions {
    fn default() -> Self {
        Self {
            timeout_seconds: TIMEOUT_S_DEFAULT,
            retry_schedule_seconds: Schedule::default(),
            ordering: Ordering::default(),
            max_per_second: None,
            max_in_flight: None,
        }
    }
}

impl DeliveryOptions {
    /// What they ask of the connection's lane.
    pub fn lane_policy(&self) -> LanePolicy {
        LanePolicy {
            strict: self.ordering == Ordering::Strict,
            per_second: self.max_per_second,
            in_flight: self.max_in_flight,
            timeout_ms: self.timeout_ms(),
        }
    }

    /// Time for one attempt.
    pub fn timeout_ms(&self) -> i64 {
        i64::from(self.timeout_seconds) * SECOND_MS
    }
}
