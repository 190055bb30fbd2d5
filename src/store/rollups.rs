//! The counts of deliveries by connection and day in a LOG shard, and how far the counting is.

use std::collections::BTreeSet;

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::domain::base::limits::{ROLLUP_LINES, ROLLUP_STEP, STATS_ROWS_MAX};
use crate::domain::base::time::DAY_MS;
use crate::domain::delivery::state::State;
use crate::domain::delivery::stats::{Histogram, Tally};
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, select, set, statement};

/// How far the counting of a shard is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The (workspace, connection) after which it goes on.
    pub after: (String, String),
    /// The day of the connection after that up to which it was counted, if it is under way.
    pub counted_day_ms: Option<i64>,
    /// When the pass that is under way began.
    pub started_at_ms: Option<i64>,
    /// When the last one began that came to its end: what happened before is counted.
    pub as_of_ms: Option<i64>,
}

impl FromRow for Progress {
    fn from_row(row: &mut Row) -> Self {
        Self {
            after: (row.text("workspace"), row.text("connection")),
            counted_day_ms: row.maybe_int("counted_day_ms"),
            started_at_ms: row.maybe_int("started_at_ms"),
            as_of_ms: row.maybe_int("as_of_ms"),
        }
    }
}

const PROGRESS: &str = "\
    select workspace, connection, counted_day_ms, started_at_ms, as_of_ms from rollup_progress \
    where id = 1";

/// How far the counting is.
pub fn progress() -> Query<Progress> {
    Query::new(PROGRESS, [], |rows| Ok(row::first(row::rows(rows)?)?.unwrap_or_default()))
}

const SAVE: &str = "\
    insert into rollup_progress (id, workspace, connection, counted_day_ms, started_at_ms, \
      as_of_ms) values (1, ?1, ?2, ?3, ?4, ?5) on conflict (id) do update set \
      workspace = excluded.workspace, connection = excluded.connection, \
      counted_day_ms = excluded.counted_day_ms, started_at_ms = excluded.started_at_ms, \
      as_of_ms = excluded.as_of_ms";

/// Stores how far the counting is.
///
/// # Errors
/// When the shard does not answer.
pub async fn save(log: &impl Database, progress: &Progress) -> Result<()> {
    let (workspace, connection) = &progress.after;
    let params = [
        workspace.into(),
        connection.into(),
        progress.counted_day_ms.into(),
        progress.started_at_ms.into(),
        progress.as_of_ms.into(),
    ];
    run(log, vec![statement(SAVE, params)]).await.map(drop)
}

/// A connection with what is known of its days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedConnection {
    /// Its workspace.
    pub workspace: String,
    /// The connection.
    pub connection: String,
    /// The last day that was counted.
    pub last_day_ms: Option<i64>,
    /// The days that were counted and may still change, in order.
    pub unfinished: Vec<i64>,
}

struct Day(i64);

impl FromRow for Day {
    fn from_row(row: &mut Row) -> Self {
        Self(row.int("day_ms"))
    }
}

impl FromRow for CountedConnection {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            last_day_ms: row.maybe_int("last_day_ms"),
            unfinished: row
                .rows_by::<Day>("unfinished", "day_ms")
                .into_iter()
                .map(|day| day.0)
                .collect(),
        }
    }
}

/// Seeks from connection to connection, see `sweeps.rs`.
const LINES: &str = "\
    with recursive lines (k, n) as ( \
      select (select workspace || connection from deliveries \
        where (workspace, connection, event) > (?1, ?2, '~') \
        order by workspace, connection limit 1), 1 \
      union all \
      select (select d.workspace || d.connection from deliveries d \
        where (d.workspace, d.connection, d.event) > (substr(k, 1, 36), substr(k, 37), '~') \
        order by d.workspace, d.connection limit 1), n + 1 \
      from lines where k is not null and n < ?3 \
    ) \
    select substr(k, 1, 36) as workspace, substr(k, 37) as connection, \
      (select max(r.day_ms) from rollups r where r.workspace = substr(k, 1, 36) \
         and r.connection = substr(k, 37)) as last_day_ms, \
      (select json_group_array(json_object('day_ms', r.day_ms)) from rollups r \
       indexed by rollups_unfinished \
       where r.workspace = substr(k, 1, 36) and r.connection = substr(k, 37) \
         and r.phase < 2) as unfinished \
    from lines where k is not null";

/// The next connections that have deliveries, at most [`ROLLUP_LINES`].
///
/// # Errors
/// When the shard does not answer.
pub async fn lines(
    log: &impl Database,
    after: &(String, String),
) -> Result<Vec<CountedConnection>> {
    let params = [(&after.0).into(), (&after.1).into(), ROLLUP_LINES.into()];
    row::all(select(log, statement(LINES, params)).await?)
}

const NEXT_DAY: &str = "\
    select created_at_ms - created_at_ms % 86400000 as day_ms from deliveries \
    where workspace = ?1 and connection = ?2 and event >= ?3 \
    order by workspace, connection, event, rule limit 1";

/// The first day from `from_ms` on of which a connection has deliveries.
///
/// # Errors
/// When the shard does not answer.
pub async fn next_day(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    from_ms: i64,
) -> Result<Option<i64>> {
    let from = ids::first_event_id(from_ms);
    let params = [workspace.into(), connection.into(), from.into()];
    let day: Option<Day> = row::first(select(log, statement(NEXT_DAY, params)).await?)?;
    Ok(day.map(|day| day.0))
}

const CLOSE: &str = "\
    update rollups set phase = 1 where workspace = ?1 and day_ms = ?2 and connection = ?3 \
      and phase <> 3";

/// Notes that a day is being counted for the last time. What is changed from now on takes the note
/// back, and the day is counted again.
///
/// # Errors
/// When the shard does not answer.
pub async fn close(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    day_ms: i64,
) -> Result<()> {
    let params = [workspace.into(), day_ms.into(), connection.into()];
    run(log, vec![statement(CLOSE, params)]).await.map(drop)
}

/// Has the days counted again that a select answers, as workspace, day and connection. A day on
/// which the connection had nothing was not counted, and one that was counted for the last time is
/// counted again.
macro_rules! reopen_days {
    ($($days:expr),+) => {
        concat!(
            "insert into rollups (workspace, day_ms, connection, pending, completed, failed, \
               canceled, latency, delivery_time) \
             select workspace, day_ms, connection, 0, 0, 0, 0, '[]', '[]' from (",
            $($days),+,
            ") days where day_ms <= (select max(r.day_ms) from rollups r \
               where r.workspace = days.workspace and r.connection = days.connection) \
             on conflict (workspace, day_ms, connection) do update set phase = 0 \
               where phase in (1, 2)"
        )
    };
}
pub(super) use reopen_days;

const REOPEN: &str = reopen_days!(
    "select value ->> 0 as workspace, value ->> 1 as day_ms, value ->> 2 as connection \
     from json_each(?1)"
);

/// Has days counted again that are over: workspace, day, connection. It stands in the batch that
/// adds deliveries to them.
pub fn reopen(days: &BTreeSet<(&str, i64, &str)>) -> Statement {
    statement(REOPEN, [set(days)])
}

/// A delivery as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// Its event and the number of its rule.
    pub key: (String, i64),
    /// Its state.
    pub state: State,
    /// How long the receiver took to answer the last attempt, if it was delivered.
    pub latency_ms: Option<i64>,
    /// How long it took until it was delivered.
    pub delivery_ms: Option<i64>,
}

impl FromRow for Counted {
    fn from_row(row: &mut Row) -> Self {
        Self {
            key: (row.text("event"), row.int("rule")),
            state: row.word("state"),
            latency_ms: row.maybe_int("latency_ms"),
            delivery_ms: row.maybe_int("delivery_ms"),
        }
    }
}

const COUNT: &str = "\
    select d.event, d.rule, d.state, \
      case d.state when 'delivered' then d.completed_at_ms \
        - coalesce(d.owed_since_ms, d.created_at_ms) end as delivery_ms, \
      case d.state when 'delivered' then \
        coalesce(iif(d.attempts = 1, d.first_attempt ->> 'duration_ms', null), \
          (select a.record ->> 'duration_ms' from attempts a where a.workspace = d.workspace \
             and a.connection = d.connection and a.event = d.event and a.rule = d.rule \
             and a.number = d.attempts)) end as latency_ms \
    from deliveries d where d.workspace = ?1 and d.connection = ?2 \
      and (d.event, d.rule) > (?3, ?4) and d.event < ?5 \
    order by d.workspace, d.connection, d.event, d.rule limit ?6";

/// The next deliveries of a connection on a day after the position (event, rule), at most
/// [`ROLLUP_STEP`].
///
/// # Errors
/// When the shard does not answer.
pub async fn count(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    day_ms: i64,
    after: &(String, i64),
) -> Result<Vec<Counted>> {
    let params = [
        workspace.into(),
        connection.into(),
        (&after.0).into(),
        after.1.into(),
        ids::first_event_id(day_ms + DAY_MS).into(),
        ROLLUP_STEP.into(),
    ];
    row::all(select(log, statement(COUNT, params)).await?)
}

/// A row that says the same is not written. A day stays only if it was closed before it was
/// counted, and nothing of it was changed since. `?10` is 1 when it is to be closed for ever: then
/// what is still owed does not matter.
const PUT: &str = "\
    insert into rollups (workspace, day_ms, connection, pending, completed, failed, canceled, \
      latency, delivery_time) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
    on conflict (workspace, day_ms, connection) do update set pending = excluded.pending, \
      completed = excluded.completed, failed = excluded.failed, canceled = excluded.canceled, \
      latency = excluded.latency, delivery_time = excluded.delivery_time, \
      phase = case when phase <> 1 then 0 when ?10 = 1 then 3 when excluded.pending = 0 then 2 \
        else 0 end \
    where phase <> 3 and (phase <> 0 \
      or (pending, completed, failed, canceled, latency, delivery_time) <> \
      (excluded.pending, excluded.completed, excluded.failed, excluded.canceled, \
       excluded.latency, excluded.delivery_time))";

/// Stores what was counted; with `is_last` the day is closed for ever, unless something of it was
/// changed since [`close`].
///
/// # Errors
/// When the shard does not answer.
pub async fn put(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    day_ms: i64,
    tally: &Tally,
    is_last: bool,
) -> Result<()> {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX).into();
    let text = |histogram: &Histogram| json!(histogram.counts()).to_string().into();
    let params = [
        workspace.into(),
        day_ms.into(),
        connection.into(),
        number(tally.pending),
        number(tally.completed),
        number(tally.failed),
        number(tally.canceled),
        text(&tally.latency),
        text(&tally.delivery_time),
        is_last.into(),
    ];
    run(log, vec![statement(PUT, params)]).await.map(drop)
}

/// The counts of a connection's deliveries on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// The workspace.
    pub workspace: String,
    /// The connection.
    pub connection: String,
    /// The day's first millisecond.
    pub day_ms: i64,
    /// The counts.
    pub tally: Tally,
}

impl FromRow for Rollup {
    fn from_row(row: &mut Row) -> Self {
        let histogram = |row: &mut Row, column: &str| Histogram::from_counts(row.json(column));
        let tally = Tally {
            pending: row.int("pending"),
            completed: row.int("completed"),
            failed: row.int("failed"),
            canceled: row.int("canceled"),
            latency: histogram(row, "latency"),
            delivery_time: histogram(row, "delivery_time"),
        };
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            day_ms: row.int("day_ms"),
            tally,
        }
    }
}

const LIST: &str = "\
    select r.workspace, r.connection, r.day_ms, r.pending, r.completed, r.failed, r.canceled, \
      r.latency, r.delivery_time from json_each(?1) j cross join rollups r \
    where r.workspace = j.value and r.day_ms >= ?2 limit ?3";

const OF_CONNECTION: &str = "\
    select r.workspace, r.connection, r.day_ms, r.pending, r.completed, r.failed, r.canceled, \
      r.latency, r.delivery_time from rollups r \
    where r.workspace = ?1 and r.connection = ?2 and r.day_ms >= ?3";

/// What became of the deliveries of a connection since a day, by day.
pub fn of_connection(workspace: &str, connection: &str, since_ms: i64) -> Query<Vec<Rollup>> {
    let params = [workspace.into(), connection.into(), since_ms.into()];
    Query::new(OF_CONNECTION, params, all_rows)
}

/// What became of the deliveries of these workspaces since a day, by workspace and day; one more
/// than [`STATS_ROWS_MAX`] if there is more.
pub fn list(workspaces: &[&str], since_ms: i64) -> Query<Vec<Rollup>> {
    let set = json!(workspaces).to_string();
    Query::new(LIST, [set.into(), since_ms.into(), (STATS_ROWS_MAX + 1).into()], all_rows)
}
