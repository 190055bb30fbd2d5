//! The doors to the world, as narrow traits. `platform` opens them on Workers, the tests on a
//! native edge with a virtual clock. All is single-threaded: a Worker isolate is.
//!
//! CONTROL and each LOG shard are a [`Database`]. A port's error says whether the call may have
//! taken effect all the same; who retries must be able to answer for that.

#![allow(async_fn_in_trait)]

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use crate::destinations::call::OutboundRequest;
use crate::domain::base::limits::{DATABASE_READ_MS, DATABASE_WRITE_MS};
use crate::domain::base::secret::MasterKeys;
use crate::domain::connection::target_cache::TargetCache;
use crate::domain::delivery::attempt::Answer;
use crate::domain::delivery::in_flight::InFlight;
use crate::domain::delivery::write_gate::WriteGate;
use crate::domain::intake::messages::{Command as IntakeCommand, Reply as IntakeReply};
use crate::domain::lane::messages::{Command, Reply};
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::routing::known_names::KnownNames;
use crate::domain::tenants::large_bodies::LargeBodies;
use crate::domain::tenants::routing_cache::RoutingCache;

/// A value bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// NULL.
    Null,
    /// A whole number within ±2^53. D1 binds it as a floating-point number, so it must only go into
    /// INTEGER columns and comparisons.
    Int(i64),
    /// Text.
    Text(String),
}

impl From<i64> for Param {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Param {
    fn from(value: u32) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<usize> for Param {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<bool> for Param {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Param {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<String> for Param {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl<T: Into<Param>> From<Option<T>> for Param {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// One SQL statement with its parameters, `?1` first.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The text, one of the constants in `store`.
    pub sql: &'static str,
    /// At most 100 parameters (a limit of D1).
    pub params: Vec<Param>,
}

impl Statement {
    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        self.sql.starts_with("select")
            || (self.sql.starts_with("with") && !self.sql.contains(" update "))
    }

    /// How long a batch of statements may take.
    pub fn deadline_ms(statements: &[Self]) -> i64 {
        let is_read = statements.iter().all(Self::is_read);
        if is_read { DATABASE_READ_MS } else { DATABASE_WRITE_MS }
    }
}

/// Rows that a statement returned: the JSON text of an array of objects from column name to value.
/// Texts survive this exactly, and no row goes through a tree of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows(pub String);

impl Rows {
    /// No rows.
    pub fn none() -> Self {
        Self("[]".to_owned())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0 == "[]"
    }
}

/// A call to a dependency that failed. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PortError(pub String);

/// What SQLite and D1 say of a statement whose data they do not take: however often it is sent,
/// they say the same.
const REFUSALS: [&str; 6] = [
    "too big",
    "SQLITE_TOOBIG",
    "constraint failed",
    "SQLITE_CONSTRAINT",
    "malformed JSON",
    "SQLITE_MISMATCH",
];

impl PortError {
    /// Whether a database refused what it was given. Everything else may pass.
    pub fn is_refused_data(&self) -> bool {
        REFUSALS.iter().any(|words| self.0.contains(words))
    }
}

/// A SQL database.
pub trait Database {
    /// Runs the statements in one transaction: all take effect or none. It takes no longer than
    /// [`Statement::deadline_ms`]; a write may take effect after that.
    ///
    /// # Errors
    /// When the answer is not known; the transaction may have been committed.
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError>;

    /// How many bytes the database had after its last answer; `None` before the first.
    fn size_bytes(&self) -> Option<i64>;
}

/// The job queue.
pub trait Jobs {
    /// Sends messages (at most [`SEND_BATCH_MAX`](crate::domain::base::limits::SEND_BATCH_MAX)), to
    /// arrive after `delay_s` seconds at the earliest.
    ///
    /// # Errors
    /// When it is not known that all were taken.
    async fn send(&self, messages: Vec<String>, delay_s: u32) -> Result<(), PortError>;
}

/// The lanes, one for each connection that has ever needed one.
pub trait Lanes {
    /// Asks the lane of a connection. The command takes effect before it is answered.
    ///
    /// # Errors
    /// When it is not known whether the command took effect.
    async fn call(&self, line: &ConnectionQueue, command: Command) -> Result<Reply, PortError>;
}

/// The intakes, by number.
pub trait Intakes {
    /// Asks an intake.
    ///
    /// # Errors
    /// When it is not known whether the command took effect.
    async fn call(&self, number: u16, command: IntakeCommand) -> Result<IntakeReply, PortError>;
}

/// What an intake stores in: a database that is its own.
pub trait IntakeStorage: Database + Clone + 'static {
    /// Waits until all that was written cannot be lost any more.
    ///
    /// # Errors
    /// When that is not known.
    async fn sync(&self) -> Result<(), PortError>;

    /// Sets the alarm, in place of the one that is set.
    ///
    /// # Errors
    /// When it is not known to be set.
    async fn set_alarm(&self, at_ms: i64) -> Result<(), PortError>;

    /// Lets something go on after the call that began it was answered.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
}

/// The way to customers' endpoints.
pub trait Outbound {
    /// Sends a request and reads the answer, all within the request's timeout. Redirects are not
    /// followed. Failures are part of the answer.
    async fn send(&self, request: OutboundRequest) -> Answer;
}

/// What is limited in how many requests it may make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limited {
    /// A publishable key.
    PublishableKey,
    /// A machine key.
    MachineKey,
    /// A session of the embed.
    Session,
    /// A machine key, in calls that cost much.
    MachineKeyCostly,
    /// A session, in pages that cost much.
    SessionCostly,
    /// An address from which comes who has no credential that holds.
    Stranger,
}

/// Counts requests.
pub trait RateLimits {
    /// Counts one request of the key or session `id`. The call is on its way when this returns;
    /// what is awaited is the answer whether the request is within the limit, or an error when that
    /// is not known.
    fn count(&self, limited: Limited, id: &str)
    -> LocalBoxFuture<'static, Result<bool, PortError>>;
}

/// The clock.
pub trait Clock {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Waits.
    async fn sleep_ms(&self, ms: i64);
}

/// Randomness fit for keys.
pub trait Entropy {
    /// Random bytes.
    fn bytes<const N: usize>(&self) -> [u8; N];
}

/// The log.
pub trait Log {
    /// Writes one line, a JSON object.
    fn log_event(&self, json: &Value);
}

/// The configuration of an installation.
#[derive(Debug)]
pub struct Settings {
    /// The operator's token, compared in constant time.
    pub admin_token: String,
    /// Keys that seal secrets.
    pub master_keys: MasterKeys,
    /// Opens http and private addresses as destinations; local development only.
    pub allow_private_destinations: bool,
    /// Stand-ins of providers by integration type: their requests go there. Only where private
    /// destinations are open.
    pub provider_bases: BTreeMap<String, String>,
    /// How many LOG shards there are, at least 1.
    pub log_shards: u16,
    /// How many intakes there are; with none an emit is stored in LOG at once.
    pub intakes: u16,
    /// Hosts of this installation, which are no destinations.
    pub own_hosts: Vec<String>,
    /// Hosts that the operator has stopped: nothing is sent to them.
    pub blocked_hosts: Vec<String>,
    /// How much there may be of what people make.
    pub quotas: Quotas,
    /// What people are told on every page, and in `/health`.
    pub notice: Option<String>,
}

/// How much there may be of what people make; `None` for no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Workspaces of an organization.
    pub workspaces_per_organization: Option<u32>,
    /// Connections of a workspace.
    pub connections_per_workspace: Option<u32>,
    /// Events that a workspace emits in a calendar month (UTC).
    pub events_per_month: Option<u32>,
}

/// All doors together. It is cheap to clone, and clones open the same doors.
pub trait Platform: Clock + Entropy + Log + Clone + 'static {
    /// A SQL database.
    type Database: Database;
    /// The job queue.
    type Jobs: Jobs;
    /// The lanes.
    type Lanes: Lanes;
    /// The intakes.
    type Intakes: Intakes;
    /// The way to customers' endpoints.
    type Outbound: Outbound;
    /// The counts of requests.
    type RateLimits: RateLimits;

    /// The configuration.
    fn settings(&self) -> &Settings;
    /// CONTROL.
    fn control(&self) -> &Self::Database;
    /// The LOG database of a shard.
    ///
    /// # Errors
    /// When there is no such shard.
    fn history_db(&self, shard: u16) -> Result<&Self::Database, PortError>;
    /// The job queue.
    fn jobs(&self) -> &Self::Jobs;
    /// The queue of the upkeep, beside that of the jobs.
    fn upkeep(&self) -> &Self::Jobs;
    /// The lanes.
    fn lanes(&self) -> &Self::Lanes;
    /// The intakes.
    fn intakes(&self) -> &Self::Intakes;
    /// The way to customers' endpoints.
    fn outbound(&self) -> &Self::Outbound;
    /// The counts of requests.
    fn rate_limits(&self) -> &Self::RateLimits;
    /// What this isolate is attempting.
    fn in_flight(&self) -> &RefCell<InFlight>;
    /// What this isolate knows of the shards that it writes to.
    fn write_gate(&self) -> &RefCell<WriteGate>;
    /// The connections that this isolate read a moment ago. Whatever it writes to CONTROL empties
    /// it.
    fn targets(&self) -> &RefCell<TargetCache>;
    /// The routings that this isolate read a moment ago.
    fn routings(&self) -> &RefCell<RoutingCache>;
    /// The names of events that this isolate knows to be stored.
    fn known_names(&self) -> &RefCell<KnownNames>;
    /// When keys may send this isolate their next large bodies.
    fn large_bodies(&self) -> &RefCell<LargeBodies>;
}
