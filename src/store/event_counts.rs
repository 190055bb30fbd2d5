//! Events by workspace and month, for the quota: the counts in a LOG shard, the marks in CONTROL.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::COUNTED_WORKSPACES;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// A workspace whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventCount {
    /// The workspace.
    pub workspace: String,
    /// Until when it is marked to have used up its events.
    pub full_until_ms: Option<i64>,
}

impl FromRow for EventCount {
    fn from_row(row: &mut Row) -> Self {
        Self { workspace: row.text("id"), full_until_ms: row.maybe_int("full_until_ms") }
    }
}

/// Workspaces have their turn by number, [`COUNTED_WORKSPACES`] in a minute.
const TURN: &str = "\
    select id, full_until_ms from workspaces indexed by workspaces_by_number \
    where number >= (select (?2 % (max(number) / ?3 + 1)) * ?3 from workspaces) \
      and number < (select (?2 % (max(number) / ?3 + 1)) * ?3 + ?3 from workspaces) \
      and shard = ?1";

/// The workspaces of a shard whose turn is in this minute, given as minutes since 1970.
pub fn turn(shard: u16, minute: i64) -> Query<Vec<EventCount>> {
    let params = [i64::from(shard).into(), minute.into(), COUNTED_WORKSPACES.into()];
    Query::new(TURN, params, all_rows)
}

/// The month to count, as far as it is to be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    /// When it began.
    pub since_ms: i64,
    /// An id below those of all its events.
    pub first_event: String,
    /// An id above those of all events that are to be counted.
    pub end_event: String,
}

/// Operational events are outside the quota. Only what came since the count before is read, and a
/// workspace without anything new writes no row. When the statement is repeated nothing is new.
const COUNT: &str = "\
    insert into event_counts (workspace, month_ms, events, counted_to) \
    select workspace, ?2, events, ?4 from ( \
      select j.value as workspace, (select count(*) from events e where e.workspace = j.value \
        and e.created_by <> 'posthorn' \
        and e.event < ?4 and e.event >= max(?3, coalesce((select c.counted_to from event_counts c \
          where c.workspace = j.value), ''))) as events \
      from json_each(?1) j) counted \
    where events > 0 \
    on conflict do update set \
      events = excluded.events + iif(month_ms = excluded.month_ms, events, 0), \
      month_ms = excluded.month_ms, counted_to = excluded.counted_to";
const COUNTED: &str = "\
    select c.workspace, c.events from json_each(?1) j cross join event_counts c \
    where c.workspace = j.value and c.month_ms = ?2";

/// Goes on counting the events of these workspaces; how many each has in the month.
///
/// # Errors
/// When the shard does not answer.
pub async fn count(
    log: &impl Database,
    workspaces: &[&str],
    month: &Month,
) -> Result<Vec<(String, i64)>> {
    struct Counted((String, i64));
    impl FromRow for Counted {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("workspace"), row.int("events")))
        }
    }
    let set = json!(workspaces).to_string();
    let params = [
        set.clone().into(),
        month.since_ms.into(),
        (&month.first_event).into(),
        (&month.end_event).into(),
    ];
    let counted = statement(COUNTED, [set.into(), month.since_ms.into()]);
    let results = run(log, vec![statement(COUNT, params), counted]).await?;
    let found: Vec<Counted> = row::all(row::rows(&results[1])?)?;
    Ok(found.into_iter().map(|Counted(counted)| counted).collect())
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
