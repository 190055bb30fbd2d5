//! Held deliveries in a LOG shard: deliveries that wait while their connection is inactive.
//!
//! Connections are handled in bounded steps, oldest events first. The caller repeats until a step
//! was not full.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{HELD_STEP, SWEEP_CONNECTIONS, SWEEP_GRACE_MS};
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, run, select, statement};

const HOLD: &str = "\
    update deliveries set state = 'held', open = 0, due_at_ms = null, sweep_at_ms = null \
    from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and event = j.value ->> 2 \
      and rule = j.value ->> 3 and open = 1";

/// Holds these open deliveries.
///
/// # Errors
/// When the shard does not answer.
pub async fn hold(log: &impl Database, keys: &[DeliveryKey]) -> Result<()> {
    let keys = keys.iter().map(|k| json!([k.workspace, k.connection, k.event, k.rule]));
    let set = Value::from(keys.collect::<Vec<_>>()).to_string();
    run(log, vec![statement(HOLD, [set.into()])]).await.map(drop)
}

const HOLD_CONNECTION: &str = "\
    update deliveries indexed by deliveries_open \
    set state = 'held', open = 0, due_at_ms = null, sweep_at_ms = null \
    where workspace = ?1 and connection = ?2 and open = 1 and event <= (select max(event) from \
      (select event from deliveries indexed by deliveries_open \
       where workspace = ?1 and connection = ?2 and open = 1 order by event limit ?3))";

/// Holds one step of a connection's open deliveries.
///
/// # Errors
/// When the shard does not answer.
pub async fn hold_connection(log: &impl Database, workspace: &str, connection: &str) -> Result<()> {
    let params = [workspace.into(), connection.into(), HELD_STEP.into()];
    run(log, vec![statement(HOLD_CONNECTION, params)]).await.map(drop)
}

const COUNT_HELD: &str = "\
    select count(*) as n from (select 1 from deliveries indexed by deliveries_held \
      where workspace = ?1 and connection = ?2 and state = 'held' limit ?3)";
const COUNT_OPEN: &str = "\
    select count(*) as n from (select 1 from deliveries indexed by deliveries_open \
      where workspace = ?1 and connection = ?2 and open = 1 limit ?3)";

/// The most deliveries that are counted for a question to a person.
pub const COUNTED_MAX: usize = 1_000;

/// How many deliveries of a connection are held, at most [`COUNTED_MAX`].
pub fn count_held(workspace: &str, connection: &str) -> Query<usize> {
    count(COUNT_HELD, workspace, connection, COUNTED_MAX)
}

/// How many deliveries of a connection are open, at most [`COUNTED_MAX`].
pub fn count_open(workspace: &str, connection: &str) -> Query<usize> {
    count(COUNT_OPEN, workspace, connection, COUNTED_MAX)
}

/// The most deliveries that are counted for a page that is looked at often.
pub const WAITING_COUNTED: usize = 100;

/// How many deliveries of a connection wait, at most [`WAITING_COUNTED`]: those that are owed while
/// it is active, those that are held while it is not.
pub fn count_waiting(workspace: &str, connection: &str, is_active: bool) -> Query<usize> {
    let sql = if is_active { COUNT_OPEN } else { COUNT_HELD };
    count(sql, workspace, connection, WAITING_COUNTED)
}

fn count(sql: &'static str, workspace: &str, connection: &str, most: usize) -> Query<usize> {
    struct Count(usize);
    impl FromRow for Count {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int("n"))
        }
    }
    let params = [workspace.into(), connection.into(), most.into()];
    Query::new(sql, params, |rows| Ok(row::one::<Count>(row::rows(rows)?, "count")?.0))
}

/// A delivery that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
    /// Attempts so far.
    pub attempts: u32,
    /// Bytes of its payload.
    pub payload_bytes: i64,
}

impl FromRow for Released {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            rule: row.int("rule"),
            attempts: row.int("attempts"),
            payload_bytes: row.int("payload_bytes"),
        }
    }
}

const RELEASE: &str = "\
    update deliveries indexed by deliveries_held \
    set state = 'pending', open = 1, due_at_ms = ?3, sweep_at_ms = ?4, sweeps = 0 \
    where workspace = ?1 and connection = ?2 and state = 'held' and event <= (select max(event) \
      from (select event from deliveries indexed by deliveries_held \
        where workspace = ?1 and connection = ?2 and state = 'held' order by event limit ?5)) \
    returning event, rule, attempts, payload_bytes";

/// Releases one step of a connection's held deliveries, in the order of their events; they are due
/// now.
///
/// # Errors
/// When the shard does not answer.
pub async fn release_connection(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    now_ms: i64,
) -> Result<Vec<Released>> {
    let params = [
        workspace.into(),
        connection.into(),
        now_ms.into(),
        (now_ms + SWEEP_GRACE_MS).into(),
        HELD_STEP.into(),
    ];
    let mut released = select(log, statement(RELEASE, params)).await?;
    row::sort_by(&mut released, &["event"]);
    row::all(released)
}

const CANCEL: &str = "\
    update deliveries indexed by deliveries_held \
    set state = 'canceled', reason = ?5, completed_at_ms = ?3 \
    where workspace = ?1 and connection = ?2 and state = 'held' and event <= (select max(event) \
      from (select event from deliveries indexed by deliveries_held \
        where workspace = ?1 and connection = ?2 and state = 'held' order by event limit ?4)) \
    returning rule";

/// Cancels one step of a connection's held deliveries; returns how many.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel_connection(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    now_ms: i64,
) -> Result<usize> {
    Ok(select(log, canceling(workspace, connection, now_ms, "canceled")).await?.len())
}

/// The same where the connection is gone.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel_deleted(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    now_ms: i64,
) -> Result<usize> {
    Ok(select(log, canceling_deleted(workspace, connection, now_ms)).await?.len())
}

/// The statement that cancels one step of what a connection that is gone holds.
pub fn canceling_deleted(workspace: &str, connection: &str, now_ms: i64) -> Statement {
    canceling(workspace, connection, now_ms, "connection_deleted")
}

fn canceling(workspace: &str, connection: &str, now_ms: i64, reason: &str) -> Statement {
    let step = HELD_STEP.into();
    let params = [workspace.into(), connection.into(), now_ms.into(), step, reason.into()];
    statement(CANCEL, params)
}

/// Seeks from connection to connection in the index of held deliveries; see `sweeps.rs`.
const CONNECTIONS: &str = "\
    with recursive lines (k, n) as ( \
      select (select workspace || connection from deliveries indexed by deliveries_held \
        where state = 'held' and (workspace, connection, event) > (?1, ?2, '~') \
        order by workspace, connection limit 1), 1 \
      union all \
      select (select d.workspace || d.connection from deliveries d \
        indexed by deliveries_held where d.state = 'held' \
        and (d.workspace, d.connection, d.event) > (substr(k, 1, 36), substr(k, 37), '~') \
        order by d.workspace, d.connection limit 1), n + 1 \
      from lines where k is not null and n < ?3 \
    ) \
    select substr(k, 1, 36) as workspace, substr(k, 37) as connection from lines \
    where k is not null";

impl FromRow for (String, String) {
    fn from_row(row: &mut Row) -> Self {
        (row.text("workspace"), row.text("connection"))
    }
}

/// The next connections after `after` that have held deliveries, as (workspace, connection): at
/// most [`SWEEP_CONNECTIONS`].
///
/// # Errors
/// When the shard does not answer.
pub async fn connections(
    log: &impl Database,
    after: &(String, String),
) -> Result<Vec<(String, String)>> {
    let params = [(&after.0).into(), (&after.1).into(), SWEEP_CONNECTIONS.into()];
    row::all(select(log, statement(CONNECTIONS, params)).await?)
}
