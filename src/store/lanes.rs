//! What a LOG shard says about lanes: their modes, read with the jobs, and since when nothing
//! succeeded.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::CONNECTIONS_SHOWN_MAX;
use crate::domain::connection::health::PAUSE_MAX_MS;
use crate::domain::lane::messages::LogMode;
use crate::domain::lane::queue::{ConnectionQueue, DeliveryKey, Mode, Reason};
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// A connection of which an attempt failed or was slow, or one that has much to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raise {
    /// The delivery that showed it.
    pub delivery: DeliveryKey,
    /// The mode that it has from now on, if it has no higher one.
    pub mode: Mode,
    /// Whether an attempt failed.
    pub failed: bool,
}

/// The deletion of a connection cancels what it owes and forgets its lane: what becomes known of
/// such a delivery afterwards raises nothing.
const RAISE: &str = "\
    insert into lanes (workspace, connection, mode, raised_at_ms, failing_since_ms) \
    select d.workspace, d.connection, j.value ->> 4, ?2, case j.value ->> 5 when 1 then ?2 end \
    from json_each(?1) j cross join deliveries d \
    where d.workspace = j.value ->> 0 and d.connection = j.value ->> 1 \
      and d.event = j.value ->> 2 and d.rule = j.value ->> 3 \
      and (d.state <> 'canceled' or d.reason is not 'connection_deleted') \
    on conflict do update set mode = max(mode, excluded.mode), \
      raised_at_ms = excluded.raised_at_ms, \
      failing_since_ms = case when raised_at_ms < ?2 - ?3 then excluded.failing_since_ms \
        else coalesce(failing_since_ms, excluded.failing_since_ms) end";

/// The statement that raises modes, if there are any: it goes into the batch that records what
/// raised them.
pub fn raise(raised: &[Raise], now_ms: i64) -> Option<Statement> {
    let row = |Raise { delivery: key, mode, failed }: &Raise| {
        let (mode, failed) = (mode.as_number(), i64::from(*failed));
        json!([key.workspace, key.connection, key.event, key.rule, mode, failed])
    };
    let set = Value::from(raised.iter().map(row).collect::<Vec<_>>()).to_string();
    (!raised.is_empty()).then(|| statement(RAISE, [set.into(), now_ms.into(), PAUSE_MAX_MS.into()]))
}

/// Raises modes.
///
/// # Errors
/// When the shard does not answer.
pub async fn raise_now(log: &impl Database, raised: &[Raise], now_ms: i64) -> Result<()> {
    run(log, raise(raised, now_ms).into_iter().collect()).await.map(drop)
}

const SUCCEEDED: &str = "\
    update lanes set failing_since_ms = null from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 \
      and failing_since_ms is not null";

/// The statement that notes that something succeeded on these connections, given as (workspace,
/// connection), if there are any.
pub fn succeeded(connections: &[(&str, &str)]) -> Option<Statement> {
    let rows = connections.iter().map(|(workspace, connection)| json!([workspace, connection]));
    let set = Value::from(rows.collect::<Vec<_>>()).to_string();
    (!connections.is_empty()).then(|| statement(SUCCEEDED, [set.into()]))
}

/// Notes that a connection gets another chance: what failed so far does not count.
///
/// # Errors
/// When the shard does not answer.
pub async fn forgive(log: &impl Database, workspace: &str, connection: &str) -> Result<()> {
    let statements = succeeded(&[(workspace, connection)]).into_iter().collect();
    run(log, statements).await.map(drop)
}

/// A lane without a row that owes nothing is of a connection that is gone: it hears late of
/// attempts that were under way then. Whatever engages any other one has raised its row.
const ENGAGE: &str = "\
    insert into lanes (workspace, connection, mode, reason, not_before_ms, raised_at_ms) \
    select ?1, ?2, ?3, ?4, ?5, ?6 \
    where exists (select 1 from lanes where workspace = ?1 and connection = ?2) \
      or exists (select 1 from deliveries indexed by deliveries_open \
        where workspace = ?1 and connection = ?2 and open = 1) \
    on conflict do update set mode = excluded.mode, reason = excluded.reason, \
      not_before_ms = excluded.not_before_ms, raised_at_ms = excluded.raised_at_ms";
const LOWER: &str = "\
    update lanes set mode = ?3, reason = null, not_before_ms = null \
    where workspace = ?1 and connection = ?2 and raised_at_ms <= ?4";

/// Writes the mode that a lane has. It is lowered only if nobody raised it in between.
///
/// # Errors
/// When the shard does not answer.
pub async fn set_mode(log: &impl Database, line: &ConnectionQueue, to: &LogMode) -> Result<()> {
    let (workspace, connection) = (&line.workspace, &line.connection);
    let statement = if to.mode == Mode::Engaged {
        let reason = to.reason.map(Reason::as_str);
        let params = [
            workspace.into(),
            connection.into(),
            to.mode.as_number().into(),
            reason.into(),
            to.not_before_ms.into(),
            to.raised_by_ms.into(),
        ];
        statement(ENGAGE, params)
    } else {
        let params = [
            workspace.into(),
            connection.into(),
            to.mode.as_number().into(),
            to.raised_by_ms.into(),
        ];
        statement(LOWER, params)
    };
    run(log, vec![statement]).await.map(drop)
}

const DELETE: &str = "delete from lanes where workspace = ?1 and connection = ?2";
const DELETE_COUNTER: &str = "delete from strict_counters where workspace = ?1 and connection = ?2";

/// Forgets the lane of a connection that is gone.
///
/// # Errors
/// When the shard does not answer.
pub async fn delete(log: &impl Database, workspace: &str, connection: &str) -> Result<()> {
    let params = || [workspace.into(), connection.into()];
    let statements = vec![statement(DELETE, params()), statement(DELETE_COUNTER, params())];
    run(log, statements).await.map(drop)
}

/// What pages show of a lane that holds deliveries back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// The connection.
    pub connection: String,
    /// Why; none where the connection's settings want it so.
    pub reason: Option<Reason>,
    /// Until when nothing is sent.
    pub not_before_ms: Option<i64>,
}

impl FromRow for HeldBack {
    fn from_row(row: &mut Row) -> Self {
        Self {
            connection: row.text("connection"),
            reason: row.maybe_word("reason"),
            not_before_ms: row.maybe_int("not_before_ms"),
        }
    }
}

const FAILING: &str = "\
    select l.connection, l.failing_since_ms from json_each(?1) j cross join lanes l \
    where l.workspace = j.value ->> 0 and l.connection = j.value ->> 1 \
      and l.failing_since_ms is not null";

/// Those of the connections, given as (workspace, connection), of which nothing has succeeded since
/// an attempt failed, and when that was.
pub fn failing(connections: &[(&str, &str)]) -> Query<Vec<(String, i64)>> {
    struct Failing((String, i64));
    impl FromRow for Failing {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("connection"), row.int("failing_since_ms")))
        }
    }
    Query::new(FAILING, [json!(connections).to_string().into()], |rows| {
        let failing: Vec<Failing> = all_rows(rows)?;
        Ok(failing.into_iter().map(|Failing(failing)| failing).collect())
    })
}

const OF_CONNECTION: &str = "\
    select connection, reason, not_before_ms from lanes \
    where workspace = ?1 and connection = ?2 and mode = 2 and reason is not null";
const TROUBLED: &str = "\
    select connection, reason, not_before_ms, failing_since_ms from lanes \
    where workspace = ?1 and (failing_since_ms is not null or (mode = 2 and reason = ?2)) \
    order by workspace, connection limit ?3";
const TROUBLE: &str = "\
    select connection, reason, not_before_ms, failing_since_ms from lanes \
    where workspace = ?1 and connection = ?2 and failing_since_ms is not null";
const OF_EVENT: &str = "\
    select l.connection, l.reason, l.not_before_ms \
    from events e cross join json_each(e.fan_out) f cross join lanes l \
    where e.workspace = ?1 and e.event = ?2 and l.workspace = e.workspace \
      and l.connection = f.value ->> 'c' and l.mode = 2 and l.reason is not null";

/// Whether and why the lane of a connection holds deliveries back.
pub fn held_back(workspace: &str, connection: &str) -> Query<Option<HeldBack>> {
    let params = [workspace.into(), connection.into()];
    Query::new(OF_CONNECTION, params, |rows| row::first(row::rows(rows)?))
}

/// A connection whose last attempt failed, or whose breaker is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The connection.
    pub connection: String,
    /// The first failure since anything succeeded.
    pub failing_since_ms: Option<i64>,
    /// Why and until when its lane holds deliveries back.
    pub lane: HeldBack,
}

impl FromRow for Trouble {
    fn from_row(row: &mut Row) -> Self {
        let failing_since_ms = row.maybe_int("failing_since_ms");
        let lane = HeldBack::from_row(row);
        Self { connection: lane.connection.clone(), failing_since_ms, lane }
    }
}

/// The connections of a workspace that are in trouble, as many as a page shows connections.
pub fn troubled(workspace: &str) -> Query<Vec<Trouble>> {
    let reason = Reason::BreakerOpen.as_str();
    let params = [workspace.into(), reason.into(), CONNECTIONS_SHOWN_MAX.into()];
    Query::new(TROUBLED, params, all_rows)
}

/// Whether a connection is failing.
pub fn trouble(workspace: &str, connection: &str) -> Query<Option<Trouble>> {
    let params = [workspace.into(), connection.into()];
    Query::new(TROUBLE, params, |rows| row::first(row::rows(rows)?))
}

/// The lanes that hold deliveries of an event back.
pub fn of_event(workspace: &str, event: &str) -> Query<Vec<HeldBack>> {
    Query::new(OF_EVENT, [workspace.into(), event.into()], all_rows)
}

const FIRST: &str = "\
    select event, attempts from deliveries indexed by deliveries_strict \
    where workspace = ?1 and connection = ?2 and seq is not null and (open = 1 or state = 'held') \
    order by workspace, connection, seq limit 1";

/// The event at the head of a strict line, if its delivery failed already.
pub fn holds_the_line(workspace: &str, connection: &str) -> Query<Option<String>> {
    struct First(String, u32);
    impl FromRow for First {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("event"), row.int("attempts"))
        }
    }
    Query::new(FIRST, [workspace.into(), connection.into()], |rows| {
        let first: Option<First> = row::first(row::rows(rows)?)?;
        Ok(first.filter(|First(_, attempts)| *attempts > 0).map(|first| first.0))
    })
}
