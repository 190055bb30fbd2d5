//! What the sweeper reads and writes in a LOG shard.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{SWEEP_CONNECTIONS, SWEEP_PER_CONNECTION, WINDOW_MAX};
use crate::domain::delivery::retry::sweep_backoff_ms;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Readable, Row};
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

impl Overdue {
    /// Takes it at this time.
    pub fn claim(&self, now_ms: i64) -> Claim {
        Claim::new(self.key.clone(), self.attempts, self.sweeps, now_ms)
    }
}

/// A connection with open deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OverdueConnection {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// Its overdue deliveries, oldest first; none where it has a lane, which is nudged instead.
    pub overdue: Readable<Overdue>,
}

/// The (workspace, connection) after which a run goes on; empty texts for the beginning.
pub type Position = (String, String);

macro_rules! overdue_columns {
    () => {
        "workspace, connection, event, rule, attempts, sweeps, payload_bytes "
    };
}

/// Walks from connection to connection by seeking in the partial index of open deliveries: a line
/// of 100,000 costs one seek to pass, because no event comes after `~` (with two columns SQLite
/// would read the whole line). Ids are UUIDs of 36 characters, so two of them joined can be
/// cut apart again. `?6` = 1 asks by `due_at_ms`: after a restart no job is on its way.
const OVERDUE: &str = concat!(
    "with recursive lines (k, n) as ( \
      select (select workspace || connection from deliveries indexed by deliveries_open \
        where open = 1 and (workspace, connection, event) > (?1, ?2, '~') \
        order by workspace, connection limit 1), 1 \
      union all \
      select (select d.workspace || d.connection from deliveries d \
        indexed by deliveries_open where d.open = 1 \
        and (d.workspace, d.connection, d.event) > (substr(k, 1, 36), substr(k, 37), '~') \
        order by d.workspace, d.connection limit 1), n + 1 \
      from lines where k is not null and n < ?3 \
    ) \
    select substr(k, 1, 36) as workspace, substr(k, 37) as connection, \
      case when exists (select 1 from lanes l where l.workspace = substr(k, 1, 36) \
        and l.connection = substr(k, 37)) then '[]' else \
      (select json_group_array(json_object('workspace', workspace, 'connection', connection, \
         'event', event, 'rule', rule, 'attempts', attempts, 'sweeps', sweeps, \
         'payload_bytes', payload_bytes)) from (select ",
    overdue_columns!(),
    "from deliveries d indexed by deliveries_open \
         where d.workspace = substr(k, 1, 36) and d.connection = substr(k, 37) and d.open = 1 \
           and case ?6 when 1 then d.due_at_ms else d.sweep_at_ms end <= ?4 \
         order by event, rule limit ?5)) end as overdue \
    from lines where k is not null"
);
/// The same for one connection, from a delivery on.
const OVERDUE_AFTER: &str = concat!(
    "select ",
    overdue_columns!(),
    "from deliveries indexed by deliveries_open \
     where workspace = ?1 and connection = ?2 and open = 1 and (event, rule) > (?3, ?4) \
       and case ?6 when 1 then due_at_ms else sweep_at_ms end <= ?5 \
     order by event, rule limit ?7"
);

impl FromRow for OverdueConnection {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            overdue: row.readable_rows("overdue"),
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

/// The next connections after `after` that have open deliveries, at most [`SWEEP_CONNECTIONS`],
/// with what of them was to be seen to by `at_ms`, at most [`SWEEP_PER_CONNECTION`] of each.
///
/// # Errors
/// When the shard does not answer. So in the next.
pub async fn overdue(
    log: &impl Database,
    after: &Position,
    now_ms: i64,
    after_restart: bool,
) -> Result<Vec<OverdueConnection>> {
    let params = [
        (&after.0).into(),
        (&after.1).into(),
        SWEEP_CONNECTIONS.into(),
        now_ms.into(),
        SWEEP_PER_CONNECTION.into(),
        after_restart.into(),
    ];
    row::all(select(log, statement(OVERDUE, params)).await?)
}

/// What is overdue on a connection after one of its deliveries, oldest first.
pub async fn overdue_after(
    log: &impl Database,
    after: &DeliveryKey,
    now_ms: i64,
    after_restart: bool,
    limit: usize,
) -> Result<Readable<Overdue>> {
    let params = [
        (&after.workspace).into(),
        (&after.connection).into(),
        (&after.event).into(),
        after.rule.into(),
        now_ms.into(),
        after_restart.into(),
        limit.into(),
    ];
    Ok(row::readable(select(log, statement(OVERDUE_AFTER, params)).await?))
}

const CLAIM: &str = "\
    update deliveries set sweeps = sweeps + 1, sweep_at_ms = j.value ->> 4 from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and event = j.value ->> 2 \
      and rule = j.value ->> 3 and open = 1 and attempts = j.value ->> 5 \
      and sweeps = j.value ->> 6 \
    returning workspace, connection, event, rule";

/// A delivery that is taken to be attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The delivery.
    pub key: DeliveryKey,
    /// Attempts so far, as they were read.
    pub attempts: u32,
    /// How often it was taken since, as that was read.
    pub sweeps: u32,
    /// When it is taken for lost, if nothing comes of it.
    pub sweep_at_ms: i64,
}

impl Claim {
    /// Takes it at this time, for longer each time.
    pub fn new(key: DeliveryKey, attempts: u32, sweeps: u32, now_ms: i64) -> Self {
        Self { key, attempts, sweeps, sweep_at_ms: now_ms + sweep_backoff_ms(sweeps + 1) }
    }
}

/// Moves the time at which the sweeper sees to these deliveries again, and returns those that are
/// the caller's: not what was attempted meanwhile, nor what somebody else has taken.
///
/// # Errors
/// When the shard's answer is not known: what was moved is seen to at its new time.
pub async fn claim(log: &impl Database, claims: &[Claim]) -> Result<HashSet<DeliveryKey>> {
    let row = |claim: &Claim| {
        let Claim { key: k, attempts, sweeps, sweep_at_ms } = claim;
        json!([k.workspace, k.connection, k.event, k.rule, sweep_at_ms, attempts, sweeps])
    };
    let set = Value::from(claims.iter().map(row).collect::<Vec<_>>()).to_string();
    let taken: Vec<DeliveryKey> = row::all(select(log, statement(CLAIM, [set.into()])).await?)?;
    Ok(taken.into_iter().collect())
}

/// A lane that the sweeper looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweptLane {
    /// The workspace.
    pub workspace: String,
    /// The connection.
    pub connection: String,
    /// How often it was nudged in a row.
    pub nudges: u32,
    /// Until when it was to be left alone.
    pub nudge_after_ms: i64,
    /// Whether it is to be nudged.
    pub is_overdue: bool,
}

impl FromRow for SweptLane {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            nudges: row.int("nudges"),
            nudge_after_ms: row.int("nudge_after_ms"),
            is_overdue: row.flag("is_overdue"),
        }
    }
}

/// Only the oldest deliveries of each are looked at, because its own alarm is what normally wakes a
/// lane; `?7` = 1 asks for those that are not overdue, too. `?4` is the time by which something was
/// overdue, `?8` the time.
const LANES: &str = "\
    with lines as (select workspace, connection, nudges, nudge_after_ms from lanes \
      where (workspace, connection) > (?1, ?2) order by workspace, connection limit ?3) \
    select workspace, connection, nudges, nudge_after_ms, \
      (?6 = 1 or nudge_after_ms <= ?8) and exists (select 1 from ( \
        select due_at_ms, sweep_at_ms from deliveries d indexed by deliveries_open \
        where d.workspace = lines.workspace and d.connection = lines.connection and d.open = 1 \
        order by event, rule limit ?5) oldest_lines \
        where ?7 = 1 or case ?6 when 1 then due_at_ms else sweep_at_ms end <= ?4) as is_overdue \
    from lines";

/// The next lanes after `after`, at most [`SWEEP_CONNECTIONS`]. What was to be seen to by
/// `overdue_at_ms` is overdue.
///
/// # Errors
/// When the shard does not answer. So in the next.
pub async fn lanes(
    log: &impl Database,
    after: &Position,
    (now_ms, overdue_at_ms): (i64, i64),
    after_restart: bool,
    all: bool,
) -> Result<Readable<SweptLane>> {
    let params = [
        (&after.0).into(),
        (&after.1).into(),
        SWEEP_CONNECTIONS.into(),
        overdue_at_ms.into(),
        WINDOW_MAX.into(),
        after_restart.into(),
        all.into(),
        now_ms.into(),
    ];
    Ok(row::readable(select(log, statement(LANES, params)).await?))
}

const NUDGED: &str = "\
    update lanes set nudges = j.value ->> 2, nudge_after_ms = j.value ->> 3 \
    from json_each(?1) j where workspace = j.value ->> 0 and connection = j.value ->> 1";

/// A lane that was nudged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudged<'a> {
    /// The lane.
    pub lane: &'a SweptLane,
    /// How often in a row.
    pub nudges: u32,
    /// Until when it is left alone.
    pub nudge_after_ms: i64,
}

/// Notes that lanes were nudged.
pub async fn nudged(log: &impl Database, nudged: &[Nudged<'_>]) -> Result<()> {
    let row = |one: &Nudged| {
        json!([one.lane.workspace, one.lane.connection, one.nudges, one.nudge_after_ms])
    };
    let set = Value::from(nudged.iter().map(row).collect::<Vec<_>>()).to_string();
    run(log, vec![statement(NUDGED, [set.into()])]).await.map(drop)
}

const JOBS_ARE_GONE: &str = "\
    update deliveries indexed by deliveries_open set sweep_at_ms = ?2 from json_each(?1) j \
    where deliveries.workspace = j.value ->> 0 and deliveries.connection = j.value ->> 1 \
      and deliveries.open = 1 and deliveries.state = 'pending' and deliveries.sweep_at_ms > ?2";

/// Says that no job is on its way for what is pending on these lanes: they need not wait for one.
pub async fn jobs_are_gone(log: &impl Database, lanes: &[SweptLane], now_ms: i64) -> Result<()> {
    let row = |lane: &SweptLane| json!([lane.workspace, lane.connection]);
    let set = Value::from(lanes.iter().map(row).collect::<Vec<_>>()).to_string();
    run(log, vec![statement(JOBS_ARE_GONE, [set.into(), now_ms.into()])]).await.map(drop)
}

const NOTE_DELAY: &str = "\
    insert into queue_delays (id, delay_ms, noted_at_ms) values (1, ?1, ?2) \
    on conflict (id) do update set delay_ms = excluded.delay_ms, \
      noted_at_ms = excluded.noted_at_ms where noted_at_ms <= excluded.noted_at_ms - ?3";

/// Notes how late the jobs of a shard come, unless that was done within the last `every_ms`.
///
/// # Errors
/// When the shard does not answer. So in the next.
pub async fn note_delay(
    log: &impl Database,
    delay_ms: i64,
    now_ms: i64,
    every_ms: i64,
) -> Result<()> {
    let params = [delay_ms.into(), now_ms.into(), every_ms.into()];
    run(log, vec![statement(NOTE_DELAY, params)]).await.map(drop)
}

/// Where the next run goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Positions {
    /// Through the connections without a lane.
    pub jobs: Position,
    /// Through the lanes.
    pub lanes: Position,
    /// Through the connections with held deliveries.
    pub held: Position,
}

const POSITIONS: &str = "\
    select jobs_workspace, jobs_connection, lanes_workspace, lanes_connection, held_workspace, \
      held_connection from sweep_positions where id = 1";
const SAVE_POSITIONS: &str = "\
    insert into sweep_positions (id, jobs_workspace, jobs_connection, lanes_workspace, \
      lanes_connection, held_workspace, held_connection) values (1, ?1, ?2, ?3, ?4, ?5, ?6) \
    on conflict (id) do update set jobs_workspace = excluded.jobs_workspace, \
      jobs_connection = excluded.jobs_connection, lanes_workspace = excluded.lanes_workspace, \
      lanes_connection = excluded.lanes_connection, held_workspace = excluded.held_workspace, \
      held_connection = excluded.held_connection";

impl FromRow for Positions {
    fn from_row(row: &mut Row) -> Self {
        Self {
            jobs: (row.text("jobs_workspace"), row.text("jobs_connection")),
            lanes: (row.text("lanes_workspace"), row.text("lanes_connection")),
            held: (row.text("held_workspace"), row.text("held_connection")),
        }
    }
}

/// How late jobs were as it was noted since `since_ms`; 0 when nobody noted it.
const DELAY: &str = "select delay_ms from queue_delays where id = 1 and noted_at_ms > ?1";

/// Where this run goes on, and how late the jobs of the shard were since `since_ms`, in
/// milliseconds: 0 if nobody noted it.
pub async fn positions(log: &impl Database, since_ms: i64) -> Result<(Positions, i64)> {
    struct Delay(i64);
    impl FromRow for Delay {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int("delay_ms"))
        }
    }
    let statements = vec![statement(POSITIONS, []), statement(DELAY, [since_ms.into()])];
    let results = run(log, statements).await?;
    let positions = row::first(row::rows(&results[0])?)?.unwrap_or_default();
    let delay: Option<Delay> = row::first(row::rows(&results[1])?)?;
    Ok((positions, delay.map_or(0, |Delay(ms)| ms)))
}

/// Stores where the next run goes on.
pub async fn save_positions(log: &impl Database, positions: &Positions) -> Result<()> {
    let Positions { jobs, lanes, held } = positions;
    let params = [jobs, lanes, held].map(|(workspace, connection)| [workspace, connection]);
    let [[a, b], [c, d], [e, f]] = params;
    let params = [a.into(), b.into(), c.into(), d.into(), e.into(), f.into()];
    run(log, vec![statement(SAVE_POSITIONS, params)]).await.map(drop)
}
