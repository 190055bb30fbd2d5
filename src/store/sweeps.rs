//! What the sweeper reads and writes in a LOG shard.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{
    SWEEP_AFTER_RESTART, SWEEP_CONNECTIONS, SWEEP_PER_CONNECTION, WINDOW_MAX,
};
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, select, statement};

/// An open delivery that nobody saw to in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overdue {
    /// The delivery.
    pub key: DeliveryKey,
    /// Attempts so far.
    pub attempts: u32,
    /// Times it was swept since its last attempt.
    pub sweeps: u32,
    /// Bytes of its payload.
    pub payload_bytes: i64,
}

/// A connection with overdue deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueConnection {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// Whether it has a lane.
    pub has_lane: bool,
    /// Its overdue deliveries, oldest first; of one that has a lane, one stands for all.
    pub overdue: Vec<Overdue>,
}

/// One answer: the overdue deliveries of some connections, and where to go on.
#[derive(Debug, Default)]
pub struct Found {
    /// Connections that have overdue deliveries.
    pub lines: Vec<OverdueConnection>,
    /// The last (workspace, connection) that was looked at, if there may be more after it.
    pub go_on_after: Option<(String, String)>,
}

/// Walks from connection to connection by seeking in the partial index of open deliveries: a line
/// of 100,000 costs one seek to pass. Ids are UUIDs of 36 characters, so two of them joined can be
/// cut apart again. `?6` = 1 asks by `due_at_ms`: after a restart no job is on its way.
///
/// Of a connection that has a lane only the oldest are looked at, because its own alarm is what
/// normally wakes it; `?8` = 1 asks for those of its deliveries that are not overdue, too.
const OVERDUE: &str = "\
    with recursive lines (k, n) as ( \
      select (select workspace || connection from deliveries where open = 1 \
        and (workspace, connection) > (?1, ?2) order by workspace, connection limit 1), 1 \
      union all \
      select (select d.workspace || d.connection from deliveries d where d.open = 1 \
        and (d.workspace, d.connection) > (substr(k, 1, 36), substr(k, 37)) \
        order by d.workspace, d.connection limit 1), n + 1 \
      from lines where k is not null and n < ?3 \
    ) \
    select substr(k, 1, 36) as workspace, substr(k, 37) as connection, \
      has_lane, case has_lane when 1 then \
        (select json_group_array(json_object('workspace', workspace, 'connection', connection, \
           'event', event, 'rule', rule, 'attempts', attempts, 'sweeps', sweeps, \
           'payload_bytes', payload_bytes)) from ( \
           select workspace, connection, event, rule, attempts, sweeps, payload_bytes from ( \
             select * from deliveries d \
             where d.workspace = substr(k, 1, 36) and d.connection = substr(k, 37) and d.open = 1 \
             order by event, rule limit ?7) lines \
           where ?8 = 1 or case ?6 when 1 then due_at_ms else sweep_at_ms end <= ?4 \
           limit 1)) else \
      (select json_group_array(json_object('workspace', workspace, 'connection', connection, \
         'event', event, 'rule', rule, 'attempts', attempts, 'sweeps', sweeps, \
         'payload_bytes', payload_bytes)) from ( \
         select workspace, connection, event, rule, attempts, sweeps, payload_bytes \
         from deliveries d \
         where d.workspace = substr(k, 1, 36) and d.connection = substr(k, 37) and d.open = 1 \
           and case ?6 when 1 then d.due_at_ms else d.sweep_at_ms end <= ?4 \
         order by event, rule limit ?5)) end as overdue \
    from (select k, exists (select 1 from lanes l where l.workspace = substr(k, 1, 36) \
      and l.connection = substr(k, 37)) as has_lane from lines where k is not null) lines";

impl FromRow for OverdueConnection {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            has_lane: row.flag("has_lane"),
            overdue: row.rows("overdue"),
        }
    }
}

impl FromRow for Overdue {
    fn from_row(row: &mut Row) -> Self {
        let key = DeliveryKey {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            event: row.text("event"),
            rule: row.int("rule"),
        };
        Self {
            key,
            attempts: row.int("attempts"),
            sweeps: row.int("sweeps"),
            payload_bytes: row.int("payload_bytes"),
        }
    }
}

/// Overdue deliveries of the connections after `after`; with `all_lanes`, any open delivery of one
/// that has a lane.
///
/// # Errors
/// When the shard does not answer.
pub async fn overdue(
    log: &impl Database,
    after: &(String, String),
    now_ms: i64,
    after_restart: bool,
    all_lanes: bool,
) -> Result<Found> {
    let params = [
        (&after.0).into(),
        (&after.1).into(),
        SWEEP_CONNECTIONS.into(),
        now_ms.into(),
        if after_restart { SWEEP_AFTER_RESTART } else { SWEEP_PER_CONNECTION }.into(),
        after_restart.into(),
        WINDOW_MAX.into(),
        all_lanes.into(),
    ];
    let mut found = Found::default();
    let lines: Vec<OverdueConnection> = row::all(select(log, statement(OVERDUE, params)).await?)?;
    let is_full = lines.len() >= SWEEP_CONNECTIONS;
    for line in lines {
        let last = || (line.workspace.clone(), line.connection.clone());
        found.go_on_after = is_full.then(last);
        if !line.overdue.is_empty() {
            found.lines.push(line);
        }
    }
    Ok(found)
}

const MOVE: &str = "\
    update deliveries set sweeps = sweeps + 1, sweep_at_ms = j.value ->> 4 from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and event = j.value ->> 2 \
      and rule = j.value ->> 3 and open = 1 and attempts = j.value ->> 5";

/// Moves the time at which the sweeper sees to these deliveries again, unless they were attempted
/// meanwhile.
///
/// # Errors
/// When the shard does not answer.
pub async fn put_off(log: &impl Database, swept: &[(&Overdue, i64)]) -> Result<()> {
    let row = |(o, sweep_at_ms): &(&Overdue, i64)| {
        let k = &o.key;
        json!([k.workspace, k.connection, k.event, k.rule, sweep_at_ms, o.attempts])
    };
    let set = Value::from(swept.iter().map(row).collect::<Vec<_>>()).to_string();
    run(log, vec![statement(MOVE, [set.into()])]).await.map(drop)
}
