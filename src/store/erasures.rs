//! Erasing: payloads of single events, of all about one resource, or a person's id.

use serde_json::Value;

use crate::domain::base::error::Result;
use crate::domain::base::limits::{CLEARED_ROWS, ERASURE_STEP};
use crate::domain::delivery::state::{EndReason, State, Transition};
use crate::domain::tenants::session::external_user_id;
use crate::ports::{Database, Param};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, changes, run, select, statement};

/// The deliveries `d` of the events of the set `?2`.
macro_rules! deliveries {
    () => {
        "from json_each(?2) j cross join events e cross join json_each(e.fan_out) f \
           cross join deliveries d \
         where e.workspace = ?1 and e.event = j.value and d.workspace = e.workspace \
           and d.connection = f.value ->> 'c' and d.event = e.event and d.rule = f.value ->> 'n' "
    };
}
/// The attempts `a` of the events of the set `?2`.
macro_rules! attempts {
    () => {
        "from json_each(?2) j cross join events e cross join json_each(e.fan_out) f \
           cross join attempts a \
         where e.workspace = ?1 and e.event = j.value and a.workspace = e.workspace \
           and a.connection = f.value ->> 'c' and a.event = e.event and a.rule = f.value ->> 'n' "
    };
}
/// What of an attempt's record came from the receiver, who may have repeated the payload.
macro_rules! answer {
    () => {
        "'$.excerpt', '$.truncated', '$.response_headers', '$.body'"
    };
}

const CANCEL: &str = concat!(
    "update deliveries set state = ?3, open = 0, due_at_ms = null, sweep_at_ms = null, \
       reason = ?5, completed_at_ms = ?4 \
     where (workspace, connection, event, rule) in ( \
       select d.workspace, d.connection, d.event, d.rule ",
    deliveries!(),
    "and (d.open = 1 or d.state = 'held')) returning connection"
);
const EMPTY_FIRST: &str = concat!(
    "update deliveries set first_attempt = json_remove(first_attempt, ",
    answer!(),
    ") where first_attempt is not null and (workspace, connection, event, rule) in ( \
       select d.workspace, d.connection, d.event, d.rule ",
    deliveries!(),
    ")"
);
const EMPTY_ATTEMPTS: &str = concat!(
    "update attempts set record = json_remove(record, ",
    answer!(),
    ") where (workspace, connection, event, rule, number) in ( \
       select a.workspace, a.connection, a.event, a.rule, a.number ",
    attempts!(),
    ")"
);
const DELETE_PAYLOADS: &str = "\
    delete from payloads where id in (select e.payload_id from json_each(?2) j \
      cross join events e where e.workspace = ?1 and e.event = j.value)";
/// The empty text stands for a payload that was erased: no JSON is empty. What a filter did not
/// find can tell of the payload, too.
const EMPTY_EVENTS: &str = "\
    update events set payload = '', payload_id = null, \
      unmatched = iif(unmatched is null, null, (select json_group_array( \
        json(json_remove(f.value, '$.d'))) from json_each(events.unmatched) f)), \
      erased_at_ms = coalesce(erased_at_ms, ?3) \
    where workspace = ?1 and event in (select value from json_each(?2)) \
    returning event, erased_at_ms";

/// What erasing some events did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The connections of the deliveries that it canceled.
    pub canceled: Vec<String>,
    /// The events that are erased now, each with when that was.
    pub events: Vec<(String, i64)>,
}

/// Erases the payloads of these events and what receivers answered, and cancels what they still
/// owe. What happened stays: names, states, times, statuses.
///
/// # Errors
/// When the shard's answer is not known; erasing again is harmless.
pub async fn erase(
    log: &impl Database,
    workspace: &str,
    events: &[&str],
    now_ms: i64,
) -> Result<Erased> {
    struct Canceled(String);
    impl FromRow for Canceled {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("connection"))
        }
    }
    struct Emptied((String, i64));
    impl FromRow for Emptied {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("event"), row.int("erased_at_ms")))
        }
    }
    let set = || Param::from(Value::from(events.to_vec()).to_string());
    let canceled = State::Held.after(Transition::Canceled).as_str();
    let reason = EndReason::Erased.as_str();
    let statements = vec![
        statement(CANCEL, [workspace.into(), set(), canceled.into(), now_ms.into(), reason.into()]),
        statement(EMPTY_FIRST, [workspace.into(), set()]),
        statement(EMPTY_ATTEMPTS, [workspace.into(), set()]),
        statement(DELETE_PAYLOADS, [workspace.into(), set()]),
        statement(EMPTY_EVENTS, [workspace.into(), set(), now_ms.into()]),
    ];
    let results = run(log, statements).await?;
    let canceled: Vec<Canceled> = row::all(row::rows(&results[0])?)?;
    let events: Vec<Emptied> = row::all(row::rows(&results[4])?)?;
    Ok(Erased {
        canceled: canceled.into_iter().map(|one| one.0).collect(),
        events: events.into_iter().map(|one| one.0).collect(),
    })
}

/// The erasing of all events about one resource, or of a person's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub id: String,
    /// Its workspace.
    pub workspace: String,
    /// What kind of thing; empty for a person, and once it is done.
    pub resource: String,
    /// Which one; empty for a person, and once it is done.
    pub resource_id: String,
    /// How records name the person as their creator; empty for a resource, and once it is done.
    pub person: String,
    /// The event after which it goes on.
    pub position: String,
    /// An id above those of all events that it looks at.
    pub end_event: String,
    /// Events that it has erased so far.
    pub events: u32,
    /// When it was asked for.
    pub created_at_ms: i64,
    /// When it was done.
    pub completed_at_ms: Option<i64>,
}

impl FromRow for Erasure {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            workspace: row.text("workspace"),
            resource: row.text("resource"),
            resource_id: row.text("resource_id"),
            person: row.text("person"),
            position: row.text("position"),
            end_event: row.text("end_event"),
            events: row.int("events"),
            created_at_ms: row.int("created_at_ms"),
            completed_at_ms: row.maybe_int("completed_at_ms"),
        }
    }
}

macro_rules! columns {
    () => {
        "select id, workspace, resource, resource_id, person, position, end_event, events, \
           created_at_ms, completed_at_ms from erasures "
    };
}

const INSERT: &str = "\
    insert into erasures (workspace, id, resource, resource_id, position, end_event, events, \
      created_at_ms, person) values (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8)";
const FIND: &str = concat!(columns!(), "where workspace = ?1 and id = ?2");
const RUNNING: &str = concat!(
    columns!(),
    "indexed by erasures_running where completed_at_ms is null and workspace > '' \
     order by workspace, id limit 1"
);

/// Stores an erasure that is to be done.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(log: &impl Database, erasure: &Erasure) -> Result<()> {
    let params = [
        (&erasure.workspace).into(),
        (&erasure.id).into(),
        (&erasure.resource).into(),
        (&erasure.resource_id).into(),
        (&erasure.position).into(),
        (&erasure.end_event).into(),
        erasure.created_at_ms.into(),
        (&erasure.person).into(),
    ];
    run(log, vec![statement(INSERT, params)]).await.map(drop)
}

/// An erasure of this workspace; `NotFound` when it has none with this id.
pub fn find(workspace: &str, id: &str) -> Query<Erasure> {
    Query::new(FIND, [workspace.into(), id.into()], |rows| row::one(row::rows(rows)?, "erasure"))
}

/// One that is not done, if there is any.
///
/// # Errors
/// When the shard does not answer.
pub async fn running(log: &impl Database) -> Result<Option<Erasure>> {
    row::first(select(log, statement(RUNNING, [])).await?)
}

/// An event that an erasure looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedAt {
    /// The event.
    pub event: String,
    /// Whether it is about the resource.
    pub is_meant: bool,
}

impl FromRow for LookedAt {
    fn from_row(row: &mut Row) -> Self {
        Self { event: row.text("event"), is_meant: row.flag("is_meant") }
    }
}

const LOOK: &str = "\
    select event, coalesce(resource = ?4 and resource_id = ?5, 0) as is_meant from events \
    where workspace = ?1 and event > ?2 and event < ?3 order by workspace, event limit ?6";

/// The next events that an erasure looks at, at most [`ERASURE_STEP`].
///
/// # Errors
/// When the shard does not answer.
pub async fn look(log: &impl Database, erasure: &Erasure) -> Result<Vec<LookedAt>> {
    let params = [
        (&erasure.workspace).into(),
        (&erasure.position).into(),
        (&erasure.end_event).into(),
        (&erasure.resource).into(),
        (&erasure.resource_id).into(),
        ERASURE_STEP.into(),
    ];
    row::all(select(log, statement(LOOK, params)).await?)
}

/// What was erased is forgotten: its id can be the name of a person.
const ADVANCE: &str = "\
    update erasures set position = ?3, events = ?4, completed_at_ms = ?5, \
      resource = iif(?5 is null, resource, ''), resource_id = iif(?5 is null, resource_id, ''), \
      person = iif(?5 is null, person, '') \
    where workspace = ?1 and id = ?2";

/// Stores how far an erasure is.
///
/// # Errors
/// When the shard does not answer.
pub async fn advance(log: &impl Database, erasure: &Erasure) -> Result<()> {
    let params = [
        (&erasure.workspace).into(),
        (&erasure.id).into(),
        (&erasure.position).into(),
        erasure.events.into(),
        erasure.completed_at_ms.into(),
    ];
    run(log, vec![statement(ADVANCE, params)]).await.map(drop)
}

const FORGET_IN_SESSIONS: &str = "\
    update sessions set external_user_id = null \
    where id in (select id from sessions indexed by sessions_by_person \
      where workspace = ?1 and external_user_id = ?2 limit ?3) returning id";
const FORGET_IN_REPLAYS: &str = "\
    update replays set created_by = ?3 where workspace = ?1 and created_by = ?2";
const FORGET_IN_CONNECTIONS: &str = "\
    update connections set created_by = ?3 where workspace = ?1 and created_by = ?2";
const FORGET_IN_RULES: &str = "\
    update rules set created_by = ?3 where workspace = ?1 and created_by = ?2";

/// Clears a person's id from the replays, connections and rules of a workspace, and from some of
/// its sessions and changes, which can be many; whether none is left.
///
/// # Errors
/// When a database does not answer.
pub async fn forget_person(
    control: &impl Database,
    log: &impl Database,
    workspace: &str,
    person: &str,
) -> Result<bool> {
    let renamed = || [workspace.into(), person.into(), NOBODY.into()];
    let external_user_id = external_user_id(person);
    let in_control = vec![
        statement(FORGET_IN_CONNECTIONS, renamed()),
        statement(FORGET_IN_RULES, renamed()),
        changes::person_forgotten(workspace, external_user_id),
    ];
    let cleared_changes = row::rows(&run(control, in_control).await?[2])?.len();
    let of_sessions = [workspace.into(), external_user_id.into(), CLEARED_ROWS.into()];
    let in_log =
        vec![statement(FORGET_IN_SESSIONS, of_sessions), statement(FORGET_IN_REPLAYS, renamed())];
    let cleared_sessions = row::rows(&run(log, in_log).await?[0])?.len();
    Ok(cleared_changes < CLEARED_ROWS && cleared_sessions < CLEARED_ROWS)
}

/// How records name a person whose id was cleared.
pub const NOBODY: &str = "session:erased";

const FORGET_IN_EVENTS: &str = "\
    update events set created_by = ?4 where workspace = ?1 and created_by = ?3 \
      and event in (select value from json_each(?2)) returning event";
const FORGET_IN_DELIVERIES: &str = concat!(
    "update deliveries set asked_by = iif(asked_by = ?3, ?4, asked_by), \
       first_attempt = iif(first_attempt ->> 'asked_by' = ?3, \
         json_set(first_attempt, '$.asked_by', ?4), first_attempt) \
     where (asked_by = ?3 or first_attempt ->> 'asked_by' = ?3) \
       and (workspace, connection, event, rule) in ( \
         select d.workspace, d.connection, d.event, d.rule ",
    deliveries!(),
    ")"
);
const FORGET_IN_ATTEMPTS: &str = concat!(
    "update attempts set record = json_set(record, '$.asked_by', ?4) \
     where record ->> 'asked_by' = ?3 and (workspace, connection, event, rule, number) in ( \
       select a.workspace, a.connection, a.event, a.rule, a.number ",
    attempts!(),
    ")"
);

/// Clears a person's id from these events and their attempts; how many events the person emitted.
///
/// # Errors
/// When the shard does not answer.
pub async fn forget_in_events(
    log: &impl Database,
    workspace: &str,
    events: &[&str],
    person: &str,
) -> Result<usize> {
    let params = || {
        let set = Param::from(Value::from(events.to_vec()).to_string());
        [workspace.into(), set, person.into(), NOBODY.into()]
    };
    let statements = vec![
        statement(FORGET_IN_EVENTS, params()),
        statement(FORGET_IN_DELIVERIES, params()),
        statement(FORGET_IN_ATTEMPTS, params()),
    ];
    row::rows(&run(log, statements).await?[0]).map(|rows| rows.len())
}
