//! Deleting old events in a LOG shard, and how far that is.
//!
//! An event goes with all that belongs to it in one batch, and only when nothing of it is needed
//! any more. The batch asks that again, because a delivery may have been sent once more since it
//! was read.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::domain::base::limits::{RETENTION_ROWS, RETENTION_STEP};
use crate::domain::base::time::DAY_MS;
use crate::domain::delivery::retention::{Retention, SETTLED_KEPT_MS, STATISTICS_DAYS};
use crate::domain::delivery::state::{EndReason, State, Transition};
use crate::ports::{Database, Param};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, run, select, statement};

/// How far the deleting of a shard is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The workspace at which it goes on.
    pub workspace: String,
    /// The event of that workspace after which it goes on.
    pub event: String,
    /// When the pass that is under way began.
    pub started_at_ms: Option<i64>,
    /// When the last one began that came to its end.
    pub as_of_ms: Option<i64>,
}

impl FromRow for Progress {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            event: row.text("event"),
            started_at_ms: row.maybe_int("started_at_ms"),
            as_of_ms: row.maybe_int("as_of_ms"),
        }
    }
}

const PROGRESS: &str = "\
    select workspace, event, started_at_ms, as_of_ms from retention_progress where id = 1";

/// How far the deleting is.
pub fn progress() -> Query<Progress> {
    Query::new(PROGRESS, [], |rows| Ok(row::first(row::rows(rows)?)?.unwrap_or_default()))
}

const SAVE: &str = "\
    insert into retention_progress (id, workspace, event, started_at_ms, as_of_ms) \
    values (1, ?1, ?2, ?3, ?4) on conflict (id) do update set workspace = excluded.workspace, \
      event = excluded.event, started_at_ms = excluded.started_at_ms, as_of_ms = excluded.as_of_ms";

/// Stores how far the deleting is.
///
/// # Errors
/// When the shard does not answer.
pub async fn save(log: &impl Database, progress: &Progress) -> Result<()> {
    let params = [
        (&progress.workspace).into(),
        (&progress.event).into(),
        progress.started_at_ms.into(),
        progress.as_of_ms.into(),
    ];
    run(log, vec![statement(SAVE, params)]).await.map(drop)
}

/// From when on what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cutoff {
    /// An id above those of all events that may go.
    pub end_event: String,
    /// The same for events with failed or held deliveries.
    pub unsettled_end_event: String,
    /// A delivery that was settled after this moment keeps its event.
    pub settled_ms: i64,
    /// The counts of days before this moment are not kept.
    pub counted_ms: i64,
}

impl Cutoff {
    /// What these numbers of days say at `now_ms`.
    pub fn at(kept: Retention, now_ms: i64) -> Self {
        Self {
            end_event: ids::first_event_id(kept.cutoff_ms(now_ms)),
            unsettled_end_event: ids::first_event_id(kept.unsettled_cutoff_ms(now_ms)),
            settled_ms: now_ms - SETTLED_KEPT_MS,
            counted_ms: now_ms - i64::from(STATISTICS_DAYS) * DAY_MS,
        }
    }
}

/// A workspace, the event after which its deleting goes on, and an id above those that may go.
pub type Range<'a> = (&'a str, &'a str, &'a str);

const WITH_OLD: &str = "\
    select j.value ->> 0 as workspace from json_each(?1) j where exists (select 1 from events e \
      where e.workspace = j.value ->> 0 and e.event > j.value ->> 1 and e.event < j.value ->> 2)";
const DELETE_ROLLUPS: &str = "\
    delete from rollups where (workspace, day_ms, connection) in ( \
      select r.workspace, r.day_ms, r.connection from json_each(?1) j cross join rollups r \
      where r.workspace = j.value ->> 0 and r.day_ms < ?2 limit ?3)";
const DELETE_REPLAYS: &str = "\
    delete from replays where (workspace, id) in ( \
      select r.workspace, r.id from json_each(?1) j cross join replays r \
      where r.workspace = j.value ->> 0 and r.id < j.value ->> 2 and r.status <> 'running' \
      limit ?2)";

/// Those of the workspaces that have old events. Deletes their old replays, and their counts of
/// days before `counted_ms`.
///
/// # Errors
/// When the shard does not answer.
pub async fn with_old(
    log: &impl Database,
    ranges: &[Range<'_>],
    counted_ms: i64,
) -> Result<Vec<String>> {
    struct Workspace(String);
    impl FromRow for Workspace {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("workspace"))
        }
    }
    let set: Param = json!(ranges).to_string().into();
    let rollups = [set.clone(), counted_ms.into(), RETENTION_ROWS.into()];
    let statements = vec![
        statement(WITH_OLD, [set.clone()]),
        statement(DELETE_ROLLUPS, rollups),
        statement(DELETE_REPLAYS, [set, RETENTION_ROWS.into()]),
    ];
    let results = run(log, statements).await?;
    let found: Vec<Workspace> = row::all(row::rows(&results[0])?)?;
    Ok(found.into_iter().map(|found| found.0).collect())
}

/// An old event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldEvent {
    /// Its id.
    pub event: String,
    /// The first millisecond of its day.
    pub day_ms: i64,
    /// Whether a delivery needs it.
    pub is_kept: bool,
    /// The connections of those of its deliveries that are held.
    pub held: Vec<String>,
    /// The connections of its deliveries, each with the phase in which the counts of its day are:
    /// `None` when the day was never counted.
    pub counted: Vec<(String, Option<i64>)>,
}

struct OfDelivery {
    connection: String,
    is_held: bool,
    phase: Option<i64>,
}

impl FromRow for OfDelivery {
    fn from_row(row: &mut Row) -> Self {
        Self {
            connection: row.text("connection"),
            is_held: row.flag("is_held"),
            phase: row.maybe_int("phase"),
        }
    }
}

impl FromRow for OldEvent {
    fn from_row(row: &mut Row) -> Self {
        let deliveries: Vec<OfDelivery> = row.rows("deliveries");
        let held = deliveries.iter().filter(|one| one.is_held).map(|one| one.connection.clone());
        Self {
            event: row.text("event"),
            day_ms: row.int("day_ms"),
            is_kept: row.flag("is_kept"),
            held: held.collect(),
            counted: deliveries.into_iter().map(|one| (one.connection, one.phase)).collect(),
        }
    }
}

/// The deliveries `d` of the event `e`, found by its fan-out list.
macro_rules! deliveries {
    () => {
        "json_each(e.fan_out) f cross join deliveries d where d.workspace = e.workspace \
           and d.connection = f.value ->> 'c' and d.event = e.event and d.rule = f.value ->> 'n' "
    };
}
/// Whether the delivery `d` of the event `e` needs it: it is owed or held, was settled just now, or
/// failed not long ago. `?3` is [`Cutoff::unsettled_end_event`], `?4` [`Cutoff::settled_ms`], `?5`
/// the word of a failed delivery.
macro_rules! needs_it {
    () => {
        "(d.open = 1 or d.state = 'held' or d.completed_at_ms > ?4 \
           or (d.state = ?5 and e.event >= ?3)) "
    };
}
/// The counts of the day of the event `e` and the connection of its delivery `d`.
macro_rules! counts {
    () => {
        "rollups r where r.workspace = d.workspace \
           and r.day_ms = e.created_at_ms - e.created_at_ms % 86400000 \
           and r.connection = d.connection "
    };
}

const OLD: &str = concat!(
    "select e.event, e.created_at_ms - e.created_at_ms % 86400000 as day_ms, \
       exists (select 1 from ",
    deliveries!(),
    "and ",
    needs_it!(),
    ") as is_kept, \
       (select json_group_array(json_object('connection', d.connection, \
          'is_held', d.state = 'held', 'phase', (select r.phase from ",
    counts!(),
    "))) from ",
    deliveries!(),
    ") as deliveries \
     from events e where e.workspace = ?1 and e.event > ?2 and e.event < ?6 \
     order by e.workspace, e.event limit ?7"
);

/// The next old events of a workspace after the id `after`, at most [`RETENTION_STEP`].
///
/// # Errors
/// When the shard does not answer.
pub async fn old(
    log: &impl Database,
    workspace: &str,
    after: &str,
    cutoff: &Cutoff,
) -> Result<Vec<OldEvent>> {
    let params = [
        workspace.into(),
        after.into(),
        (&cutoff.unsettled_end_event).into(),
        cutoff.settled_ms.into(),
        State::Failed.as_str().into(),
        (&cutoff.end_event).into(),
        RETENTION_STEP.into(),
    ];
    row::all(select(log, statement(OLD, params)).await?)
}

fn set(events: &[&str]) -> Param {
    Value::from(events.to_vec()).to_string().into()
}

const EXPIRE: &str = concat!(
    "update deliveries set state = ?3, reason = ?4, completed_at_ms = ?5 \
     where (workspace, connection, event, rule) in ( \
       select d.workspace, d.connection, d.event, d.rule \
       from json_each(?2) j cross join events e cross join ",
    deliveries!(),
    "and e.workspace = ?1 and e.event = j.value and d.state = 'held')"
);

/// Gives up the held deliveries of these events.
///
/// # Errors
/// When the shard does not answer.
pub async fn expire(
    log: &impl Database,
    workspace: &str,
    events: &[&str],
    now_ms: i64,
) -> Result<()> {
    let state = State::Held.after(Transition::GivenUp).as_str();
    let params = [
        workspace.into(),
        set(events),
        state.into(),
        EndReason::HeldExpired.as_str().into(),
        now_ms.into(),
    ];
    run(log, vec![statement(EXPIRE, params)]).await.map(drop)
}

/// Closes those days for ever that were counted when nothing of them was owed any more.
const CLOSE_DAYS: &str = "\
    update rollups set phase = 3 where phase = 2 and (workspace, day_ms, connection) in ( \
       select r.workspace, r.day_ms, r.connection \
       from json_each(?2) j cross join events e cross join json_each(e.fan_out) f \
         cross join rollups r \
       where e.workspace = ?1 and e.event = j.value and r.workspace = e.workspace \
         and r.day_ms = e.created_at_ms - e.created_at_ms % 86400000 \
         and r.connection = f.value ->> 'c')";
/// The event `e` of the set `?2` of which no delivery needs it, and each was counted for ever. `?6`
/// is [`Cutoff::counted_ms`].
macro_rules! free_event {
    () => {
        concat!(
            "e.workspace = ?1 and e.event = j.value and not exists (select 1 from ",
            deliveries!(),
            "and (",
            needs_it!(),
            "or (e.created_at_ms >= ?6 and not exists (select 1 from ",
            counts!(),
            "and r.phase = 3)))) "
        )
    };
}

const DELETE_ATTEMPTS: &str = concat!(
    "delete from attempts where (workspace, connection, event, rule, number) in ( \
       select a.workspace, a.connection, a.event, a.rule, a.number \
       from json_each(?2) j cross join events e cross join json_each(e.fan_out) f \
         cross join attempts a \
       where a.workspace = e.workspace and a.connection = f.value ->> 'c' \
         and a.event = e.event and a.rule = f.value ->> 'n' and ",
    free_event!(),
    ")"
);
const DELETE_DELIVERIES: &str = concat!(
    "delete from deliveries where open = 0 and (workspace, connection, event, rule) in ( \
       select b.workspace, b.connection, b.event, b.rule \
       from json_each(?2) j cross join events e cross join json_each(e.fan_out) f \
         cross join deliveries b \
       where b.workspace = e.workspace and b.connection = f.value ->> 'c' \
         and b.event = e.event and b.rule = f.value ->> 'n' and ",
    free_event!(),
    ")"
);
const DELETE_PAYLOADS: &str = concat!(
    "delete from payloads where id in (select e.payload_id from json_each(?2) j \
       cross join events e where e.workspace = ?1 and e.event = j.value \
         and not exists (select 1 from ",
    deliveries!(),
    "))"
);
const DELETE_EVENTS: &str = concat!(
    "delete from events where workspace = ?1 and event in (select e.event from json_each(?2) j \
       cross join events e where e.workspace = ?1 and e.event = j.value \
         and not exists (select 1 from ",
    deliveries!(),
    ")) returning event"
);

/// Deletes those of the events that nothing needs any more, with all that belongs to them; how
/// many. Only what was counted for ever goes. It is one batch of [`DELETE_STATEMENTS`].
///
/// # Errors
/// When the shard's answer is not known; deleting the same again is harmless.
pub async fn delete(
    log: &impl Database,
    workspace: &str,
    events: &[&str],
    cutoff: &Cutoff,
) -> Result<usize> {
    let key = || [workspace.into(), set(events)];
    let guarded = || {
        let [workspace, events] = key();
        let (settled_ms, failed) = (cutoff.settled_ms.into(), State::Failed.as_str().into());
        let unsettled = (&cutoff.unsettled_end_event).into();
        [workspace, events, unsettled, settled_ms, failed, cutoff.counted_ms.into()]
    };
    let statements = vec![
        statement(CLOSE_DAYS, key()),
        statement(DELETE_ATTEMPTS, guarded()),
        statement(DELETE_DELIVERIES, guarded()),
        statement(DELETE_PAYLOADS, key()),
        statement(DELETE_EVENTS, key()),
    ];
    let results = run(log, statements).await?;
    row::rows(&results[DELETE_STATEMENTS - 1]).map(|rows| rows.len())
}

/// Statements of one [`delete`].
pub const DELETE_STATEMENTS: usize = 5;
