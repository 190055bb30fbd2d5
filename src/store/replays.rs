//! Replays in a LOG shard, beside the deliveries that they are about.

use serde_json::{Value, json};

use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{REPLAY_DELIVERIES_MAX, REPLAY_READS_MAX, REPLAY_STEP};
use crate::domain::delivery::replay::{Counted, Selection, Status, Which};
use crate::ports::{Database, Param, Rows};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// A replay.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Replay {
    /// Id, a UUIDv7 whose low 32 bits are its workspace's number.
    pub id: String,
    /// Workspace.
    pub workspace: String,
    /// How far it is.
    pub status: Status,
    /// What was asked for.
    pub selection: Selection,
    /// Deliveries that it is about.
    pub count: usize,
    /// Those that it has made owed again so far.
    pub replayed: usize,
    /// The next step.
    pub position: u32,
    /// Who created it.
    pub created_by: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was done or canceled.
    pub completed_at_ms: Option<i64>,
}

impl FromRow for Replay {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            workspace: row.text("workspace"),
            status: row.word("status"),
            selection: Selection {
                connection: row.maybe_text("connection"),
                event: row.maybe_text("event"),
                which: row.word("state"),
                since_ms: row.int("since_ms"),
                until_ms: row.int("until_ms"),
            },
            count: row.int("count"),
            replayed: row.int("replayed"),
            position: row.int("position"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            completed_at_ms: row.maybe_int("completed_at_ms"),
        }
    }
}

macro_rules! columns {
    () => {
        "select id, workspace, status, state, connection, event, since_ms, until_ms, count, \
           replayed, position, created_by, created_at_ms, completed_at_ms from replays "
    };
}

/// A delivery that a replay is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
    /// Its connection.
    pub connection: String,
    /// Of one that is missing, the id of its rule and the type of its connection.
    pub missing: Option<(String, String)>,
}

impl FromRow for Chosen {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            rule: row.int("rule"),
            connection: row.text("connection"),
            missing: None,
        }
    }
}

/// The deliveries of a range of ids, connection by connection.
macro_rules! in_range {
    ($index:literal) => {
        concat!(
            "from json_each(?2) j cross join deliveries d ",
            $index,
            "where d.workspace = ?1 \
               and d.connection = j.value and d.event >= ?3 and d.event < ?4 "
        )
    };
}
/// Whether the event of one has the name that is asked for.
macro_rules! is_named {
    () => {
        "(?5 is null or exists (select 1 from events e where e.workspace = d.workspace \
           and e.event = d.event and e.name = ?5)) "
    };
}

const COUNT_FAILED: &str = concat!(
    "select count(*) as found, coalesce(sum(fits), 0) as chosen from (select ",
    is_named!(),
    "as fits ",
    in_range!("indexed by deliveries_failed "),
    "and d.state = 'failed' limit ?6) lines"
);
const COUNT_OF_STATE: &str = concat!(
    "select count(*) as found, coalesce(sum(fits), 0) as chosen from (select d.state = ?7 \
       and ",
    is_named!(),
    "as fits ",
    in_range!(""),
    "limit ?6) lines"
);
const CHOOSE_FAILED: &str = concat!(
    "select d.connection, d.event, d.rule ",
    in_range!("indexed by deliveries_failed "),
    "and d.state = 'failed' and ",
    is_named!(),
    "limit ?6"
);
const CHOOSE_OF_STATE: &str = concat!(
    "select d.connection, d.event, d.rule ",
    in_range!(""),
    "and d.state = ?7 and ",
    is_named!(),
    "limit ?6"
);

/// The statement for what is failed, or the one for another state, with its parameters.
fn of_state<T>(
    (failed, other): (&'static str, &'static str),
    (workspace, among): (&str, &[String]),
    (what, limit): (&Selection, usize),
    read: fn(&Rows) -> Result<T>,
) -> Query<T> {
    let (first, end) = what.events();
    let [workspace, among, first, end, event, limit] = [
        workspace.into(),
        json!(among).to_string().into(),
        first.into(),
        end.into(),
        what.event.clone().into(),
        limit.into(),
    ];
    if what.which == Which::Failed {
        return Query::new(failed, [workspace, among, first, end, event, limit], read);
    }
    let state = what.which.as_str().into();
    Query::new(other, [workspace, among, first, end, event, limit, state], read)
}

impl FromRow for Counted {
    fn from_row(row: &mut Row) -> Self {
        Self { read: row.int("found"), chosen: row.int("chosen") }
    }
}

/// How many deliveries of these connections are to be replayed. It reads a bounded number.
pub fn count(workspace: &str, among: &[String], what: &Selection) -> Query<Counted> {
    let (sql, range) = ((COUNT_FAILED, COUNT_OF_STATE), (what, REPLAY_READS_MAX + 1));
    of_state(sql, (workspace, among), range, |rows| row::one(row::rows(rows)?, "count"))
}

/// The deliveries of these connections that are to be replayed, in order of their events. To be
/// read together with [`count`], which says whether they are too many.
pub fn choose(workspace: &str, among: &[String], what: &Selection) -> Query<Vec<Chosen>> {
    let (sql, range) = ((CHOOSE_FAILED, CHOOSE_OF_STATE), (what, REPLAY_DELIVERIES_MAX));
    of_state(sql, (workspace, among), range, |rows| {
        let mut chosen = row::rows(rows)?;
        row::sort_by(&mut chosen, &["event", "rule", "connection"]);
        row::all(chosen)
    })
}

/// Comes before the replay in its batch: when that is there already (the batch is a repetition) no
/// step comes back that was done.
const INSERT_STEPS: &str = "\
    insert into replay_steps (workspace, replay, number, deliveries) \
    select ?1, ?2, key, value from json_each(?3) \
    where not exists (select 1 from replays where workspace = ?1 and id = ?2)";
const INSERT: &str = "\
    insert or ignore into replays (workspace, id, status, state, connection, event, since_ms, \
      until_ms, count, created_by, created_at_ms, advanced_at_ms, completed_at_ms) \
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?12)";
const FIND: &str = concat!(columns!(), "where workspace = ?1 and id = ?2");

/// Stores a replay of these deliveries, in this order. Storing the same again changes nothing.
/// Returns the replay as it is then.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(log: &impl Database, replay: &Replay, chosen: &[Chosen]) -> Result<Replay> {
    let one = |chosen: &Chosen| {
        let Chosen { event, rule, connection, missing } = chosen;
        match missing {
            None => json!([connection, event, rule]),
            Some((id, kind)) => json!([connection, event, rule, id, kind]),
        }
    };
    let step = |chosen: &[Chosen]| Value::from(chosen.iter().map(one).collect::<Vec<_>>());
    let steps = Value::from(chosen.chunks(REPLAY_STEP).map(step).collect::<Vec<_>>());
    let (workspace, id): (Param, Param) = ((&replay.workspace).into(), (&replay.id).into());
    let what = &replay.selection;
    let row = [
        workspace.clone(),
        id.clone(),
        replay.status.as_str().into(),
        what.which.as_str().into(),
        what.connection.clone().into(),
        what.event.clone().into(),
        what.since_ms.into(),
        what.until_ms.into(),
        replay.count.into(),
        (&replay.created_by).into(),
        replay.created_at_ms.into(),
        replay.completed_at_ms.into(),
    ];
    let statements = vec![
        statement(INSERT_STEPS, [workspace.clone(), id.clone(), steps.to_string().into()]),
        statement(INSERT, row),
        statement(FIND, [workspace, id]),
    ];
    row::one(row::rows(&run(log, statements).await?[2])?, "replay")
}

/// A replay of this workspace; `NotFound` when it has none with this id.
pub fn find(workspace: &str, replay: &str) -> Query<Replay> {
    let params = [workspace.into(), replay.into()];
    Query::new(FIND, params, |rows| row::one(row::rows(rows)?, "replay"))
}

const LIST: &str =
    concat!(columns!(), "where workspace = ?1 and id < ?2 order by workspace, id desc limit ?3");

/// The newest replays of a workspace before the id `before`.
pub fn list(workspace: &str, before: &str, limit: usize) -> Query<Vec<Replay>> {
    Query::new(LIST, [workspace.into(), before.into(), limit.into()], all_rows)
}

const CANCEL: &str = "\
    update replays set status = 'canceled', completed_at_ms = ?3 \
    where workspace = ?1 and id = ?2 and status = 'running'";
const CANCEL_STEPS: &str = "delete from replay_steps where workspace = ?1 and replay = ?2";

/// Stops a replay: what it has not come to stays as it is. Returns the replay as it is then.
///
/// # Errors
/// `NotFound` when the workspace has none with this id.
pub async fn cancel(
    log: &impl Database,
    workspace: &str,
    replay: &str,
    now_ms: i64,
) -> Result<Replay> {
    let key = || [workspace.into(), replay.into()];
    let statements = vec![
        statement(CANCEL, [workspace.into(), replay.into(), now_ms.into()]),
        statement(CANCEL_STEPS, key()),
        statement(FIND, key()),
    ];
    let results = run(log, statements).await?;
    row::first(row::rows(&results[2])?)?.ok_or_else(|| Error::not_found("replay"))
}

const CANCEL_ALL: &str = "\
    update replays indexed by replays_running \
    set status = 'canceled', completed_at_ms = ?2 \
    where workspace = ?1 and status = 'running' returning id";

/// Stops all replays of a deleted workspace; how many. A step that is left finds its replay
/// stopped and does nothing.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel_all(log: &impl Database, workspace: &str, now_ms: i64) -> Result<usize> {
    let params = [workspace.into(), now_ms.into()];
    let stopped = run(log, vec![statement(CANCEL_ALL, params)]).await?;
    Ok(row::rows(&stopped[0])?.len())
}
