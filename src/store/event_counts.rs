//! Events by workspace and month, for quotas and for what is used: the counts in a LOG shard, the
//! marks in CONTROL.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::COUNTED_WORKSPACES;
use crate::ports::{Database, Param, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// A workspace whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// The workspace.
    pub workspace: String,
    /// Until when it is marked to have used up its events.
    pub full_until_ms: Option<i64>,
    /// The events that it may emit in a month, where it says so itself.
    pub limit: Option<i64>,
}

impl FromRow for EventCount {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("id"),
            full_until_ms: row.maybe_int("full_until_ms"),
            limit: row.maybe_int("limit_events_per_month"),
        }
    }
}

/// Workspaces have their turn by number, [`COUNTED_WORKSPACES`] in a minute.
const TURN: &str = "\
    select id, full_until_ms, limit_events_per_month from workspaces \
      indexed by workspaces_by_number \
    where number >= (select (?2 % (max(number) / ?3 + 1)) * ?3 from workspaces) \
      and number < (select (?2 % (max(number) / ?3 + 1)) * ?3 + ?3 from workspaces) \
      and shard = ?1";

/// The workspaces of a shard whose turn is in this minute, given as minutes since 1970.
pub fn turn(shard: u16, minute: i64) -> Query<Vec<EventCount>> {
    let params = [i64::from(shard).into(), minute.into(), COUNTED_WORKSPACES.into()];
    Query::new(TURN, params, all_rows)
}

/// A month to count, as far as it is to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// When it began.
    pub since_ms: i64,
    /// An id below those of all its events.
    pub first_event: String,
    /// An id above those of all events that are to be counted.
    pub end_event: String,
    /// Where nobody waits for the count, what was counted up to here is left alone.
    pub fresh_event: String,
}

/// Operational events are not counted. Only what came since the count before is read, and a
/// workspace without anything new writes no row. When the statement is repeated nothing is new.
const COUNT: &str = "\
    insert into event_counts (workspace, month_ms, events, counted_to) \
    select workspace, ?2, events, ?4 from ( \
      select of_turn.workspace, (select count(*) from events e \
        where e.workspace = of_turn.workspace and e.created_by <> 'posthorn' \
          and e.event < ?4 and e.event >= max(?3, of_turn.counted_to)) as events \
      from (select j.value ->> 0 as workspace, j.value ->> 1 as has_limit, \
        coalesce((select c.counted_to from event_counts c where c.workspace = j.value ->> 0 \
          and c.month_ms = ?2), '') as counted_to from json_each(?1) j) of_turn \
      where of_turn.has_limit = 1 or of_turn.counted_to < ?5) counted \
    where events > 0 \
    on conflict do update set events = event_counts.events + excluded.events, \
      counted_to = excluded.counted_to";
const COUNTED: &str = "\
    select c.workspace, c.events from json_each(?1) j cross join event_counts c \
    where c.workspace = j.value ->> 0 and c.month_ms = ?2";

fn counting(set: &str, month: &Month) -> Statement {
    let params = [
        set.into(),
        month.since_ms.into(),
        (&month.first_event).into(),
        (&month.end_event).into(),
        (&month.fresh_event).into(),
    ];
    statement(COUNT, params)
}

/// Goes on counting the events of these workspaces in the months, each given with whether it has a
/// limit; how many each has in the last of the months.
///
/// # Errors
/// When the shard does not answer.
pub async fn count(
    log: &impl Database,
    workspaces: &[(&str, bool)],
    months: &[Month; 2],
) -> Result<Vec<(String, i64)>> {
    struct Counted((String, i64));
    impl FromRow for Counted {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("workspace"), row.int("events")))
        }
    }
    let one = |(workspace, has_limit): &(&str, bool)| json!([workspace, i64::from(*has_limit)]);
    let set = workspaces.iter().map(one).collect::<Value>().to_string();
    let [former, this] = months;
    let counted: [Param; 2] = [set.as_str().into(), this.since_ms.into()];
    let statements =
        vec![counting(&set, former), counting(&set, this), statement(COUNTED, counted)];
    let results = run(log, statements).await?;
    let found: Vec<Counted> = row::all(row::rows(&results[2])?)?;
    Ok(found.into_iter().map(|Counted(counted)| counted).collect())
}

/// What a workspace used in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// The workspace.
    pub workspace: String,
    /// Events that it emitted.
    pub events: i64,
    /// Deliveries that they owed.
    pub deliveries: i64,
}

impl FromRow for Used {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            events: row.int("events"),
            deliveries: row.int("deliveries"),
        }
    }
}

const USED: &str = "\
    select j.value as workspace, \
      coalesce((select c.events from event_counts c where c.workspace = j.value \
        and c.month_ms = ?2), 0) as events, \
      (select coalesce(sum(r.pending + r.completed + r.failed + r.canceled), 0) from rollups r \
        where r.workspace = j.value and r.day_ms >= ?2 and r.day_ms < ?3) as deliveries \
    from json_each(?1) j";

/// What these workspaces used in the month between two moments, as far as it was counted.
pub fn used(workspaces: &[&str], (since_ms, until_ms): (i64, i64)) -> Query<Vec<Used>> {
    let set = json!(workspaces).to_string();
    Query::new(USED, [set.into(), since_ms.into(), until_ms.into()], all_rows)
}

const MARK: &str = "\
    update workspaces set full_until_ms = j.value ->> 1 from json_each(?1) j \
    where workspaces.id = j.value ->> 0";

/// Marks workspaces, given with the time until which they have used up their events.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn mark(control: &impl Database, changed: &[(&str, Option<i64>)]) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let rows = changed.iter().map(|(workspace, until_ms)| json!([workspace, until_ms]));
    let set = Value::from(rows.collect::<Vec<_>>()).to_string();
    run(control, vec![statement(MARK, [set.into()])]).await.map(drop)
}
