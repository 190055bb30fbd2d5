//! The messages between consumers and lanes, and the effects that a lane asks for.

use serde::{Deserialize, Serialize};

use crate::domain::lane::queue::{
    ConnectionQueue, LanePolicy, Mode, Page, PageStart, QueuePosition, Reason, WaitingDelivery,
};

/// What a lane is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Take note of this.
    Tell(ConsumerReport),
    /// Take note of this, and hand out what may start.
    Pull(Box<Pull>),
    /// See whether there is anything to do: the line has overdue deliveries.
    Nudge(ConnectionQueue),
    /// Hand this delivery out at once: a person asks for it. The breaker does not keep it back.
    Hurry {
        /// Whose line it is in.
        line: ConnectionQueue,
        /// Which one, and the attempt to make.
        delivery: WaitingDelivery,
    },
    /// Say whether this delivery is handed out. Changes nothing.
    Ask(QueuePosition),
    /// The time for which the alarm was set has come.
    Alarm,
    /// The connection is gone: forget everything.
    Forget(ConnectionQueue),
}

/// What a consumer knows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ConsumerReport {
    /// Whose line it is about.
    pub line: ConnectionQueue,
    /// What the settings ask.
    pub traits: LanePolicy,
    /// The mode that LOG shows, where the consumer has just read or raised it.
    pub seen: Option<Mode>,
    /// Attempts that succeeded.
    pub ok: u32,
    /// Attempts that failed.
    pub failed: u32,
    /// When the first of those that failed is due again.
    pub due_at_ms: Option<i64>,
    /// An attempt took long.
    pub is_slow: bool,
    /// The receiver asks for less: the time until which it does, or 0 where it names none.
    pub less_until_ms: Option<i64>,
    /// Deliveries that the consumer had a job for and left to the lane.
    pub forwarded: Vec<QueuePosition>,
}

/// A consumer that serves the line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// What it knows.
    pub told: ConsumerReport,
    /// The results of deliveries that were handed out. They are in LOG already.
    pub settled: Vec<Settled>,
    /// How many it can start now; 0 when it stops.
    pub room: u32,
    /// The page that was asked for.
    pub page: Option<Page>,
    /// It comes for the first time.
    #[serde(default)]
    pub is_first: bool,
    /// Attempts of its are under way: it comes again, whatever the answer is.
    #[serde(default)]
    pub stays: bool,
}

/// The result of a delivery that was handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// Which one.
    pub place: QueuePosition,
    /// The hand-out that this is about.
    #[serde(default)]
    pub nonce: u64,
    /// The result.
    pub how: How,
}

/// See [`Settled`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// An attempt succeeded.
    Delivered,
    /// An attempt failed; when the next is due, if there is one.
    Failed(Option<i64>),
    /// We ourselves kept it from being attempted; when it is tried again, if it is.
    InternalFault(Option<i64>),
    /// It is not as the lane believed: settled, held, or at another attempt.
    Changed,
    /// It was not started, and may be at this time.
    GivenBack(i64),
}

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reply {
    /// Deliveries to start, in this order.
    pub given: Vec<Given>,
    /// The page to bring with the next pull.
    pub wanted: Option<PageStart>,
    /// Whether the delivery that was asked about is handed out.
    #[serde(default)]
    pub is_leased: bool,
    /// Whether the receiver of what is handed out failed at the last attempt.
    #[serde(default)]
    pub is_failing: bool,
}

/// A delivery that is handed out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// Which one.
    pub place: QueuePosition,
    /// The attempt to make.
    pub attempt: u32,
    /// Bytes of its payload.
    pub payload_bytes: i64,
    /// When the job that was sent for it was given up, if that is why it is handed out; or 0.
    #[serde(default)]
    pub lost_at_ms: i64,
    /// Until when it is handed out: the attempt has to end before.
    #[serde(default)]
    pub until_ms: i64,
    /// Tells this hand-out from others of the same delivery.
    #[serde(default)]
    pub nonce: u64,
}

/// What its surroundings have to do for a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Send a job that makes a consumer serve the line.
    Wake,
    /// Write the mode to LOG.
    SetMode(LogMode),
}

/// The mode to store in LOG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogMode {
    /// The mode.
    pub mode: Mode,
    /// Why it is engaged.
    pub reason: Option<Reason>,
    /// Until when the breaker keeps everything back.
    pub not_before_ms: Option<i64>,
    /// It is lowered only if nobody raised it after this.
    pub raised_by_ms: i64,
}
