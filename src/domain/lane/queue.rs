//! The line of a connection: its open deliveries, oldest first, as LOG has them. These types are
//! shared by what reads the line (`store/lines.rs`), what keeps its order (`machine.rs`) and what
//! attempts its deliveries (the consumer).

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::ids::TEST_RULE;
use crate::domain::base::time::SECOND_MS;

/// Primary key of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
}

impl DeliveryKey {
    /// Whether it is of a test event.
    pub fn is_test(&self) -> bool {
        self.rule == TEST_RULE
    }
}

/// Whose line it is. It names the lane of the connection, too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct ConnectionQueue {
    /// The LOG shard that holds it.
    pub shard: u16,
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
}

impl ConnectionQueue {
    /// The line of a delivery on this shard.
    pub fn of(shard: u16, key: &DeliveryKey) -> Self {
        Self { shard, workspace: key.workspace.clone(), connection: key.connection.clone() }
    }

    /// The key of a delivery in this line.
    pub fn key(&self, at: &QueuePosition) -> DeliveryKey {
        DeliveryKey {
            workspace: self.workspace.clone(),
            connection: self.connection.clone(),
            event: at.event.clone(),
            rule: at.rule,
        }
    }
}

/// Which delivery of a line. Places sort by age: event ids begin with a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct QueuePosition {
    /// Its event.
    #[serde(rename = "e")]
    pub event: String,
    /// Number of its rule.
    #[serde(rename = "r")]
    pub rule: u32,
}

impl QueuePosition {
    /// Whether it is of a test event.
    pub fn is_test(&self) -> bool {
        self.rule == TEST_RULE
    }
}

/// What consumers have to do with a lane. It stands in LOG and is read with the jobs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Nothing.
    #[default]
    Clear,
    /// Something failed lately: each batch reports how many attempts succeeded and failed.
    Watch,
    /// No attempt but those that the lane hands out.
    Engaged,
}

impl Mode {
    /// The number in the database.
    pub fn as_number(self) -> i64 {
        self as i64
    }

    /// The mode with this number, if there is one.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Clear, Self::Watch, Self::Engaged].into_iter().find(|it| it.as_number() == number)
    }
}

/// Why a lane is engaged.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// Its breaker is open.
    BreakerOpen,
    /// The receiver answered 429, 502 or 504.
    SlowedDown,
    /// The receiver takes long to answer.
    Slow,
}

impl Reason {
    /// The word in the database and for people.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a connection's settings ask of its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LanePolicy {
    /// No event starts before every earlier one is settled.
    pub strict: bool,
    /// The most requests that start in any second.
    pub per_second: Option<u32>,
    /// The most attempts that are under way at once.
    #[serde(default)]
    pub in_flight: Option<u32>,
    /// The time that one attempt may take.
    pub timeout_ms: i64,
}

impl Default for LanePolicy {
    fn default() -> Self {
        Self { strict: false, per_second: None, in_flight: None, timeout_ms: 25 * SECOND_MS }
    }
}

impl LanePolicy {
    /// Whether no attempt may be made but those that the lane hands out.
    pub fn is_pull_only(&self) -> bool {
        self.strict || self.per_second.is_some() || self.in_flight.is_some()
    }
}

/// A delivery that waits in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDelivery {
    /// Which one.
    #[serde(rename = "p")]
    pub place: QueuePosition,
    /// The attempt that it owes.
    #[serde(rename = "n")]
    pub attempt: u32,
    /// When it may start. For one that no attempt was made of this is when the job that was sent
    /// for it is given up, because that job may be under way.
    #[serde(rename = "t")]
    pub start_at_ms: i64,
    /// When it is due by its own schedule.
    #[serde(rename = "d")]
    pub due_at_ms: i64,
    /// Bytes of its payload.
    #[serde(rename = "b")]
    pub payload_bytes: i64,
    /// Kept back because its connection was inactive. In a strict line it keeps back the others.
    #[serde(rename = "h", default, skip_serializing_if = "std::ops::Not::not")]
    pub is_held: bool,
}

impl WaitingDelivery {
    /// One of which nothing is known but where it stands: no attempt of it was made.
    pub fn first(place: QueuePosition) -> Self {
        Self { place, attempt: 1, start_at_ms: 0, due_at_ms: 0, payload_bytes: 0, is_held: false }
    }

    /// Whether it is of a test event, which stands outside the order of a strict line.
    pub fn is_test(&self) -> bool {
        self.place.is_test()
    }
}

/// Where a page of a line begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PageStart {
    /// With the oldest delivery.
    Head,
    /// With the next one after this place.
    After(QueuePosition),
}

/// A page of a line as it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Where it begins.
    pub from: PageStart,
    /// At most [`WINDOW_MAX`](crate::domain::base::limits::WINDOW_MAX) deliveries, oldest first.
    pub rows: Vec<WaitingDelivery>,
    /// Whether nothing comes after it.
    pub is_last: bool,
    /// When it was read, at the latest.
    pub read_at_ms: i64,
}
