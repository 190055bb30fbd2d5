//! Events in a LOG shard, with the deliveries that each owes.

use std::borrow::Cow;

use serde_json::json;

use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids::first_event_id;
use crate::domain::base::limits::{LIST_READS_MAX, WORKSPACES_LISTED};
use crate::domain::delivery::retention::Retention;
use crate::domain::delivery::state::{EndReason, State};
use crate::domain::routing::event::{Event, FanOut, Service, Unmatched};
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, select, statement};

/// The state of one delivery as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliverySummary {
    /// Number of its rule.
    pub rule: u32,
    /// Its state.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next is due.
    pub due_at_ms: Option<i64>,
    /// When the first attempt was started.
    pub started_at_ms: Option<i64>,
    /// When it was settled.
    pub completed_at_ms: Option<i64>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Why it is failed or canceled.
    pub reason: Option<EndReason>,
    /// Attempts made before it was replayed.
    pub attempts_before: u32,
}

/// An event with the state of its deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EventWithDeliveries {
    /// The event.
    pub event: Event,
    /// Its deliveries, in no order.
    pub deliveries: Vec<DeliverySummary>,
    /// When its payload was erased.
    pub erased_at_ms: Option<i64>,
    /// For how long its workspace keeps events, where that was read beside it.
    pub kept: Option<Retention>,
}

impl EventWithDeliveries {
    /// Until when it is kept; `None` while something of it is owed.
    pub fn kept_until_ms(&self, kept: Retention) -> Option<i64> {
        let deliveries = self.deliveries.iter().map(|one| (one.state, one.completed_at_ms));
        kept.kept_until_ms(self.event.created_at_ms, deliveries)
    }
}

impl FromRow for EventWithDeliveries {
    fn from_row(row: &mut Row) -> Self {
        let (fan_out, unmatched) = (row.rows("fan_out"), row.rows("unmatched"));
        let event = Event { fan_out, unmatched, ..event_alone(row) };
        let deliveries = row.rows("deliveries");
        Self { event, deliveries, erased_at_ms: row.maybe_int("erased_at_ms"), kept: None }
    }
}

/// An event without what its rules made of it.
pub(super) fn event_alone(row: &mut Row) -> Event {
    Event {
        id: row.text("event"),
        workspace: row.text("workspace"),
        name: row.text("name"),
        resource: row.maybe_text("resource"),
        resource_id: row.maybe_text("resource_id"),
        created_by: row.text("created_by"),
        created_at_ms: row.int("created_at_ms"),
        // Deliveries say it, pages do not.
        hops: 0,
        trace: None,
        fan_out: Vec::new(),
        unmatched: Vec::new(),
    }
}

impl FromRow for FanOut {
    fn from_row(row: &mut Row) -> Self {
        Self {
            rule_number: row.int("n"),
            rule: row.text("r"),
            connection: row.text("c"),
            kind: row.text("t"),
            held: false,
            service: Service::default(),
        }
    }
}

impl FromRow for Unmatched {
    fn from_row(row: &mut Row) -> Self {
        Self {
            rule_number: row.int("n"),
            rule: row.text("r"),
            why: row.word("w"),
            detail: row.text_if_any("d"),
        }
    }
}

impl FromRow for DeliverySummary {
    fn from_row(row: &mut Row) -> Self {
        Self {
            rule: row.int("rule"),
            state: row.word("state"),
            attempts: row.int("attempts"),
            due_at_ms: row.maybe_int("due_at_ms"),
            started_at_ms: row.maybe_int("started_at_ms"),
            completed_at_ms: row.maybe_int("completed_at_ms"),
            last_error: row.maybe_text("last_error"),
            reason: row.maybe_word("reason"),
            attempts_before: row.int("attempts_before"),
        }
    }
}

const EXISTS: &str = "select event from events where workspace = ?1 and event = ?2";

/// Whether a workspace has this event.
///
/// # Errors
/// When the shard does not answer.
pub async fn exists(log: &impl Database, workspace: &str, event: &str) -> Result<bool> {
    let found = run(log, vec![statement(EXISTS, [workspace.into(), event.into()])]).await?;
    Ok(!found[0].is_empty())
}

/// What an [`EventWithDeliveries`] is read from: the deliveries are found by the fan-out list.
macro_rules! columns {
    () => {
        "select e.workspace, e.event, e.name, e.resource, e.resource_id, e.created_by, \
           e.created_at_ms, e.fan_out, e.unmatched, e.erased_at_ms, \
           (select json_group_array(json_object('rule', d.rule, 'state', d.state, \
              'attempts', d.attempts, 'due_at_ms', d.due_at_ms, 'started_at_ms', d.started_at_ms, \
              'completed_at_ms', d.completed_at_ms, 'last_error', d.last_error, \
              'reason', d.reason, 'attempts_before', d.attempts_before)) \
            from json_each(e.fan_out) f cross join deliveries d \
            where d.workspace = e.workspace and d.connection = f.value ->> 'c' \
              and d.event = e.event and d.rule = f.value ->> 'n') as deliveries "
    };
}

pub(super) use columns as event_columns;

/// Which events a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those of this name, or of names that this pattern covers.
    pub name: Option<String>,
    /// Only those about this kind of resource.
    pub resource: Option<String>,
    /// Only those about the resource with this id.
    pub resource_id: Option<String>,
    /// Only those that were sent to this connection, or should have been.
    pub connection: Option<String>,
    /// Only those that were accepted from this moment on.
    pub since_ms: Option<i64>,
    /// Only those that were accepted before this moment.
    pub until_ms: Option<i64>,
}

impl Filter {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The id before which a list begins that was to begin before this one.
    fn before<'a>(&self, before: &'a str) -> Cow<'a, str> {
        let until = self.until_ms.map(first_event_id).filter(|until| until.as_str() < before);
        until.map_or(Cow::Borrowed(before), Cow::Owned)
    }
}

const LIST: &str = concat!(
    columns!(),
    "from events e where e.workspace = ?1 and e.event < ?2 order by e.event desc limit ?3"
);
/// Events at which a filtered page looks: each is read for the bound, for the list and for its end.
const LOOKED_AT: usize = LIST_READS_MAX / 3;

/// Looks at so many events, however few of them are shown.
const LIST_FILTERED: &str = concat!(
    columns!(),
    "from events e where e.workspace = ?1 and e.event < ?2 \
       and e.event >= coalesce((select event from events where workspace = ?1 and event < ?2 \
         order by event desc limit 1 offset ?4), '') \
       and (?5 is null or e.name = ?5 or substr(e.name, 1, length(?8)) = ?8) \
       and (?6 is null or coalesce(e.resource, 'global') = ?6) \
       and (?7 is null or e.resource_id = ?7) and (?9 is null or e.event >= ?9) \
       and (?10 is null or exists (select 1 from json_each(e.fan_out) f \
         where f.value ->> 'c' = ?10)) \
     order by e.event desc limit ?3"
);
/// The last event that a filtered list reads, if there are more after it.
const LIST_END: &str = "\
    select event from events where workspace = ?1 and event < ?2 \
      and (?4 is null or event >= ?4) order by event desc limit 1 offset ?3";
const FIND: &str = concat!(columns!(), "from events e where e.workspace = ?1 and e.event = ?2");

/// A text after every event id: where a list from the newest on begins.
pub const NEWEST: &str = "~";

/// The newest events of a workspace before the id `before`, at most `limit`, filtered.
pub fn list(
    workspace: &str,
    filter: &Filter,
    before: &str,
    limit: usize,
) -> Query<Vec<EventWithDeliveries>> {
    let before = filter.before(before);
    let (of, before, limit) = (workspace.into(), before.as_ref().into(), limit.into());
    if filter.is_empty() {
        return Query::new(LIST, [of, before, limit], all_rows);
    }
    let params = [
        of,
        before,
        limit,
        (LOOKED_AT - 1).into(),
        filter.name.clone().into(),
        filter.resource.clone().into(),
        filter.resource_id.clone().into(),
        // `order.*` begins with `order.`, and all names begin with nothing.
        filter.name.as_deref().and_then(|name| name.strip_suffix('*')).map(str::to_owned).into(),
        filter.since_ms.map(first_event_id).into(),
        filter.connection.clone().into(),
    ];
    Query::new(LIST_FILTERED, params, all_rows)
}

/// Where a filtered [`list`] goes on when it has shown all of what it read; `None` at the end. Of a
/// list without a filter it looks at one event only: such a list goes on after what it shows.
pub fn list_end(workspace: &str, filter: &Filter, before: &str) -> Query<Option<String>> {
    struct End(String);
    impl FromRow for End {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("event"))
        }
    }
    let since = filter.since_ms.map(first_event_id);
    let before = filter.before(before);
    let passed = if filter.is_empty() { 0 } else { LOOKED_AT - 1 };
    let params = [workspace.into(), before.as_ref().into(), passed.into(), since.into()];
    Query::new(LIST_END, params, |rows| {
        let end: Option<End> = row::first(row::rows(rows)?)?;
        Ok(end.map(|end| end.0))
    })
}

const NEWEST_IDS: &str = "\
    select (select json_group_array(event) from (select event from events \
      where workspace = j.value and event < ?2 order by event desc limit ?3)) as events \
    from json_each(?1) j";

/// The ids of the newest events of each of these workspaces of one shard before the id `before`,
/// at most `of_each` of each, newest first. Workspaces without any are left out.
///
/// # Errors
/// When the shard does not answer.
pub async fn newest_ids(
    log: &impl Database,
    workspaces: &[&str],
    before: &str,
    of_each: usize,
) -> Result<Vec<Vec<String>>> {
    struct Ids(String);
    impl FromRow for Ids {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("events"))
        }
    }
    let of_set = |set: &[&str]| {
        let set = json!(set).to_string();
        statement(NEWEST_IDS, [set.into(), before.into(), of_each.into()])
    };
    let mut found = Vec::new();
    for result in run(log, workspaces.chunks(WORKSPACES_LISTED).map(of_set).collect()).await? {
        for Ids(text) in all_rows(&result)? {
            let ids = serde_json::from_str(&text).map_err(|e| Error::internal(e.to_string()))?;
            found.push(ids);
        }
    }
    found.retain(|ids: &Vec<String>| !ids.is_empty());
    Ok(found)
}

const THESE: &str = concat!(
    columns!(),
    "from json_each(?1) j cross join events e \
     where e.workspace = j.value ->> 0 and e.event = j.value ->> 1"
);

/// These events of one shard, given by their workspaces and ids, with their deliveries.
///
/// # Errors
/// When the shard does not answer.
pub async fn these(
    log: &impl Database,
    events: &[(&str, &str)],
) -> Result<Vec<EventWithDeliveries>> {
    row::all(select(log, statement(THESE, [json!(events).to_string().into()])).await?)
}

/// An event of this workspace with its deliveries; `NotFound` when it has none with this id.
pub fn find(workspace: &str, event: &str) -> Query<EventWithDeliveries> {
    let params = [workspace.into(), event.into()];
    Query::new(FIND, params, |rows| row::one(row::rows(rows)?, "event"))
}

const PAYLOAD: &str = "\
    select coalesce(e.payload, p.payload) as payload from events e \
      left join payloads p on p.id = e.payload_id where e.workspace = ?1 and e.event = ?2";

/// The exact text of an event's payload, empty if it was erased; `NotFound` when the workspace has
/// none with this id.
pub fn payload(workspace: &str, event: &str) -> Query<String> {
    struct Payload(String);
    impl FromRow for Payload {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("payload"))
        }
    }
    Query::new(PAYLOAD, [workspace.into(), event.into()], |rows| {
        let found: Payload = row::one(row::rows(rows)?, "event")?;
        Ok(found.0)
    })
}
