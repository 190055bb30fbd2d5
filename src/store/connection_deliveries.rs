//! The deliveries of one connection in a LOG shard, newest first: its history is a range.

use serde_json::json;

use crate::domain::base::ids::first_event_id;
use crate::domain::delivery::state::State;
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows};

/// A delivery with what its event is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
    /// Id of its rule.
    pub rule_id: String,
    /// The event's name.
    pub name: String,
    /// The event's resource id.
    pub resource_id: Option<String>,
    /// Its state.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next is due.
    pub due_at_ms: Option<i64>,
    /// When the event was accepted.
    pub created_at_ms: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl FromRow for Delivery {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            rule: row.int("rule"),
            rule_id: row.text("rule_id"),
            name: row.text("name"),
            resource_id: row.maybe_text("resource_id"),
            state: row.word("state"),
            attempts: row.int("attempts"),
            due_at_ms: row.maybe_int("due_at_ms"),
            created_at_ms: row.int("created_at_ms"),
            last_error: row.maybe_text("last_error"),
        }
    }
}

/// Deliveries on the page of a connection.
pub const NEWEST_SHOWN: usize = 20;
/// Deliveries that a page looks at which shows only some of them.
pub const LOOKED_AT: usize = 200;

const LIST: &str = "\
    select d.event, d.rule, d.state, d.attempts, d.due_at_ms, d.created_at_ms, d.last_error, \
      e.name, e.resource_id, (select f.value ->> 'r' from json_each(e.fan_out) f \
        where f.value ->> 'n' = d.rule limit 1) as rule_id \
    from deliveries d cross join events e \
    where d.workspace = ?1 and d.connection = ?2 and (d.event, d.rule) < (?3, ?4) \
      and e.workspace = d.workspace and e.event = d.event \
    order by d.event desc, d.rule desc limit ?5";

/// Deliveries of a connection before the position (event, rule), newest first.
pub fn list(
    workspace: &str,
    connection: &str,
    before: (&str, u32),
    limit: usize,
) -> Query<Vec<Delivery>> {
    let params =
        [workspace.into(), connection.into(), before.0.into(), before.1.into(), limit.into()];
    Query::new(LIST, params, all_rows)
}

/// The newest deliveries of a connection, and one more if there are more.
pub fn newest(workspace: &str, connection: &str) -> Query<Vec<Delivery>> {
    list(workspace, connection, (super::events::NEWEST, 0), NEWEST_SHOWN + 1)
}

/// Deliveries at which the strip of the last 24 hours looks.
pub const DAY_LOOKED_AT: usize = 500;
/// The same for each connection on a page of several.
pub const DAY_LOOKED_AT_OF_EACH: usize = 100;

/// When a delivery was accepted, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// When it was accepted.
    pub at_ms: i64,
    /// Its state.
    pub state: State,
}

impl FromRow for Accepted {
    fn from_row(row: &mut Row) -> Self {
        Self { at_ms: row.int("at_ms"), state: row.word("state") }
    }
}

const LAST_DAY: &str = "\
    select j.value as connection, (select json_group_array(json_object(\
        'at_ms', lines.created_at_ms, 'state', lines.state)) from (\
        select d.created_at_ms, d.state from deliveries d where d.workspace = ?1 \
          and d.connection = j.value and d.event >= ?3 and d.rule > 0 \
        order by d.event desc limit ?4) lines) as accepted \
    from json_each(?2) j";

/// What became of the newest deliveries of each of these connections since `since_ms`: at most
/// `most` of each, without test events.
pub fn last_day(
    workspace: &str,
    connections: &[&str],
    since_ms: i64,
    most: usize,
) -> Query<Vec<(String, Vec<Accepted>)>> {
    struct Day((String, Vec<Accepted>));
    impl FromRow for Day {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("connection"), row.rows("accepted")))
        }
    }
    let (among, since) = (json!(connections).to_string(), first_event_id(since_ms));
    Query::new(LAST_DAY, [workspace.into(), among.into(), since.into(), most.into()], |rows| {
        let days: Vec<Day> = all_rows(rows)?;
        Ok(days.into_iter().map(|Day(day)| day).collect())
    })
}

/// Of each connection by itself: however many deliveries of one have failed, those of another are
/// counted.
const FAILED: &str = "\
    select j.value as connection, (select count(*) from (select 1 from deliveries d \
        indexed by deliveries_failed where d.workspace = ?1 and d.connection = j.value \
          and d.state = 'failed' limit ?3) lines) as failed \
    from json_each(?2) j";

/// Failed deliveries of one connection that are counted for a page of all that are shown.
pub const FAILED_COUNTED: usize = 25;

/// How many deliveries of each of these connections have failed, up to [`FAILED_COUNTED`].
pub fn failed(workspace: &str, connections: &[&str]) -> Query<Vec<(String, usize)>> {
    struct Failed((String, usize));
    impl FromRow for Failed {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("connection"), row.int("failed")))
        }
    }
    let among = json!(connections).to_string();
    Query::new(FAILED, [workspace.into(), among.into(), FAILED_COUNTED.into()], |rows| {
        let failed: Vec<Failed> = all_rows(rows)?;
        Ok(failed.into_iter().map(|Failed(failed)| failed).collect())
    })
}
