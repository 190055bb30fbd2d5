//! What the sweeper reads and writes in a LOG shard.

use serde_json::{Value, json};

use super::row::{self, FromRow, Row};
use super::{run, select, statement};
use crate::domain::error::Result;
use crate::domain::job::DeliveryKey;
use crate::domain::limits::{SWEEP_CONNECTIONS, SWEEP_PER_CONNECTION};
use crate::ports::Database;

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

/// One answer: the overdue deliveries of some connections, and where to go on.
#[derive(Debug, Default)]
pub struct Found {
    /// Overdue deliveries, oldest first for each connection.
    pub overdue: Vec<Overdue>,
    /// The last (workspace, connection) that was looked at, if there may be more after it.
    pub go_on_after: Option<(String, String)>,
}

/// Walks from connection to connection by seeking in the partial index of open deliveries: a line
/// of 100,000 costs one seek to pass. Ids are UUIDs of 36 characters, so two of them joined can be
/// cut apart again. `?6` = 1 asks by `due_at_ms`: after a restart no job is on its way.
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
      (select json_group_array(json_object('workspace', workspace, 'connection', connection, \
         'event', event, 'rule', rule, 'attempts', attempts, 'sweeps', sweeps, \
         'payload_bytes', payload_bytes)) from ( \
         select workspace, connection, event, rule, attempts, sweeps, payload_bytes \
         from deliveries d \
         where d.workspace = substr(k, 1, 36) and d.connection = substr(k, 37) and d.open = 1 \
           and case ?6 when 1 then d.due_at_ms else d.sweep_at_ms end <= ?4 \
         order by event, rule limit ?5)) as overdue \
    from lines where k is not null";

struct Line {
    workspace: String,
    connection: String,
    overdue: Vec<Overdue>,
}

impl FromRow for Line {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
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

/// Overdue deliveries of the connections after `after`.
///
/// # Errors
/// When the shard does not answer.
pub async fn overdue(
    log: &impl Database,
    after: &(String, String),
    now_ms: i64,
    after_restart: bool,
) -> Result<Found> {
    let params = [
        (&after.0).into(),
        (&after.1).into(),
        SWEEP_CONNECTIONS.into(),
        now_ms.into(),
        SWEEP_PER_CONNECTION.into(),
        after_restart.into(),
    ];
    let mut found = Found::default();
    let lines: Vec<Line> = row::all(select(log, statement(OVERDUE, params)).await?)?;
    let is_full = lines.len() >= SWEEP_CONNECTIONS;
    for line in lines {
        found.overdue.extend(line.overdue);
        found.go_on_after = is_full.then_some((line.workspace, line.connection));
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
