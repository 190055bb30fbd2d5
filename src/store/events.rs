//! Events in a LOG shard, with the deliveries that each owes.

use serde_json::{Value, json};

use super::row::{self, FromRow, Row};
use super::{run, select, statement};
use crate::domain::error::Result;
use crate::domain::event::{Event, FanOut, Service};
use crate::domain::limits::{PAYLOAD_INLINE_BYTES, SWEEP_GRACE_MS};
use crate::ports::{Database, Param, Statement};

const INSERT_PAYLOAD: &str = "\
    insert into payloads (payload) select ?3 \
    where not exists (select 1 from events where workspace = ?1 and event = ?2)";
const INSERT: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, payload) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
      ?10)";
/// Follows its payload's insert in the same batch. When the event is there already (the batch is a
/// repetition) both do nothing.
const INSERT_AFTER_PAYLOAD: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, payload_id) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
      ?9, last_insert_rowid())";
const INSERT_DELIVERIES: &str = "\
    insert or ignore into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
      sweep_at_ms, payload_bytes, created_at_ms, seq) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, \
      case value ->> 6 when 1 then 'held' else 'pending' end, 1 - (value ->> 6), \
      case value ->> 6 when 0 then value ->> 5 end, \
      case value ->> 6 when 0 then value ->> 5 + (value ->> 7) end, value ->> 4, value ->> 5, \
      case when value ->> 8 is not null then (select c.n from strict_counters c \
        where c.workspace = value ->> 0 and c.connection = value ->> 1) - (value ->> 8) end \
    from json_each(?1)";
/// Takes the numbers that the deliveries of a batch need from the counters of their lines. It comes
/// first in the batch: when the events are there already (the batch is a repetition) it does
/// nothing, and the numbers have no gap.
const COUNT: &str = "\
    insert into strict_counters (workspace, connection, n) \
    select value ->> 0, value ->> 1, value ->> 2 from json_each(?1) \
    where not exists (select 1 from events where workspace = value ->> 0 and event = value ->> 3) \
    on conflict do update set n = n + excluded.n";
const INSERT_NAMES: &str = "\
    insert or ignore into names_seen (workspace, kind, name, created_at_ms) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?1)";

/// Stores events with their payloads' texts and the deliveries they owe, all or none. Storing the
/// same again changes nothing, so an unknown result may be repeated.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(log: &impl Database, events: &[(Event, String)]) -> Result<()> {
    let mut numbers = Numbers::of(events);
    let mut statements: Vec<Statement> = numbers.statement().into_iter().collect();
    let (mut deliveries, mut names) = (Vec::new(), Vec::new());
    for (event, payload) in events {
        statements.extend(event_statements(event, payload));
        for owed in &event.fan_out {
            // A lane may start what no job is under way for.
            let grace_ms = if owed.service == Service::Jobs { SWEEP_GRACE_MS } else { 0 };
            deliveries.push(json!([
                event.workspace,
                owed.connection,
                event.id,
                owed.rule_number,
                payload.len(),
                event.created_at_ms,
                i64::from(owed.held),
                grace_ms,
                numbers.next(event, owed),
            ]));
        }
        let mut seen = |kind: &str, name: &str| {
            names.push(json!([event.workspace, kind, name, event.created_at_ms]));
        };
        // A test event is no event of the workspace's own.
        if !event.is_test() {
            seen("event", &event.name);
            event.resource.iter().for_each(|resource| seen("resource", resource));
        }
    }
    if !deliveries.is_empty() {
        let set = Value::from(deliveries).to_string();
        statements.push(statement(INSERT_DELIVERIES, [set.into()]));
    }
    if !names.is_empty() {
        statements.push(statement(INSERT_NAMES, [Value::from(names).to_string().into()]));
    }
    run(log, statements).await.map(drop)
}

/// The numbers that a batch takes from the counters of strict lines, by connection: workspace,
/// connection, how many are left to give, and the first event that takes one.
struct Numbers<'a>(Vec<(&'a str, &'a str, i64, &'a str)>);

impl<'a> Numbers<'a> {
    fn of(events: &'a [(Event, String)]) -> Self {
        let mut all: Vec<(&str, &str, i64, &str)> = Vec::new();
        for (event, _) in events {
            for owed in event.fan_out.iter().filter(|owed| owed.service == Service::Numbered) {
                match all.iter_mut().find(|(_, connection, ..)| *connection == owed.connection) {
                    Some((_, _, count, _)) => *count += 1,
                    None => all.push((&event.workspace, &owed.connection, 1, &event.id)),
                }
            }
        }
        Self(all)
    }

    fn statement(&self) -> Option<Statement> {
        let set = json!(self.0).to_string();
        (!self.0.is_empty()).then(|| statement(COUNT, [set.into()]))
    }

    /// How far the number of this delivery is below the last one that the batch takes.
    fn next(&mut self, event: &Event, owed: &FanOut) -> Option<i64> {
        if owed.service != Service::Numbered {
            return None;
        }
        let same = |(workspace, connection, ..): &&mut (&str, &str, i64, &str)| {
            *workspace == event.workspace && *connection == owed.connection
        };
        let (_, _, left, _) = self.0.iter_mut().find(same)?;
        *left -= 1;
        Some(*left)
    }
}

fn event_statements(event: &Event, payload: &str) -> Vec<Statement> {
    let fan_out = serde_json::to_string(&event.fan_out).unwrap_or_default();
    let mut params: Vec<Param> = vec![
        (&event.workspace).into(),
        (&event.id).into(),
        (&event.name).into(),
        event.resource.clone().into(),
        event.resource_id.clone().into(),
        (&event.created_by).into(),
        event.created_at_ms.into(),
        fan_out.into(),
        payload.len().into(),
    ];
    if payload.len() <= PAYLOAD_INLINE_BYTES {
        params.push(payload.into());
        return vec![Statement { sql: INSERT, params }];
    }
    let key = [(&event.workspace).into(), (&event.id).into(), payload.into()];
    vec![statement(INSERT_PAYLOAD, key), Statement { sql: INSERT_AFTER_PAYLOAD, params }]
}

/// The state of one delivery as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliverySummary {
    /// Number of its rule.
    pub rule: u32,
    /// Its state's word.
    pub state: String,
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
}

/// An event with the state of its deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventWithDeliveries {
    /// The event.
    pub event: Event,
    /// Its deliveries, in no order.
    pub deliveries: Vec<DeliverySummary>,
}

impl FromRow for EventWithDeliveries {
    fn from_row(row: &mut Row) -> Self {
        let event = Event {
            id: row.text("event"),
            workspace: row.text("workspace"),
            name: row.text("name"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            fan_out: row.rows("fan_out"),
        };
        Self { event, deliveries: row.rows("deliveries") }
    }
}

impl FromRow for FanOut {
    fn from_row(row: &mut Row) -> Self {
        Self {
            rule_number: row.int("n"),
            rule: row.text("r"),
            connection: row.text("c"),
            held: false,
            service: Service::default(),
        }
    }
}

impl FromRow for DeliverySummary {
    fn from_row(row: &mut Row) -> Self {
        Self {
            rule: row.int("rule"),
            state: row.text("state"),
            attempts: row.int("attempts"),
            due_at_ms: row.maybe_int("due_at_ms"),
            started_at_ms: row.maybe_int("started_at_ms"),
            completed_at_ms: row.maybe_int("completed_at_ms"),
            last_error: row.maybe_text("last_error"),
        }
    }
}

/// What an [`EventWithDeliveries`] is read from: the deliveries are found by the fan-out list.
macro_rules! columns {
    () => {
        "select e.workspace, e.event, e.name, e.resource, e.resource_id, e.created_by, \
           e.created_at_ms, e.fan_out, \
           (select json_group_array(json_object('rule', d.rule, 'state', d.state, \
              'attempts', d.attempts, 'due_at_ms', d.due_at_ms, 'started_at_ms', d.started_at_ms, \
              'completed_at_ms', d.completed_at_ms, 'last_error', d.last_error)) \
            from json_each(e.fan_out) f cross join deliveries d \
            where d.workspace = e.workspace and d.connection = f.value ->> 'c' \
              and d.event = e.event and d.rule = f.value ->> 'n') as deliveries "
    };
}

const LIST: &str = concat!(
    columns!(),
    "from events e where e.workspace = ?1 and e.event < ?2 order by e.event desc limit ?3"
);
const FIND: &str = concat!(columns!(), "from events e where e.workspace = ?1 and e.event = ?2");

/// A text after every event id: where a list from the newest on begins.
pub const NEWEST: &str = "~";

/// The newest events of each of these workspaces of one shard before the event id `before`, at most
/// `limit` of each, in one read.
///
/// # Errors
/// When the shard does not answer.
pub async fn list(
    log: &impl Database,
    workspaces: &[&str],
    before: &str,
    limit: usize,
) -> Result<Vec<EventWithDeliveries>> {
    let range =
        |workspace: &&str| statement(LIST, [(*workspace).into(), before.into(), limit.into()]);
    let results = run(log, workspaces.iter().map(range).collect()).await?;
    let mut found = Vec::new();
    for result in results {
        found.extend(row::all(row::rows(&result)?)?);
    }
    Ok(found)
}

/// An event of this workspace with its deliveries.
///
/// # Errors
/// `NotFound` when the workspace has none with this id.
pub async fn find(
    log: &impl Database,
    workspace: &str,
    event: &str,
) -> Result<EventWithDeliveries> {
    let params = [workspace.into(), event.into()];
    row::one(select(log, statement(FIND, params)).await?, "event")
}

const PAYLOAD: &str = "\
    select coalesce(e.payload, p.payload) as payload from events e \
      left join payloads p on p.id = e.payload_id where e.workspace = ?1 and e.event = ?2";

/// The exact text of an event's payload.
///
/// # Errors
/// `NotFound` when the workspace has no event with this id.
pub async fn payload(log: &impl Database, workspace: &str, event: &str) -> Result<String> {
    struct Payload(String);
    impl FromRow for Payload {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("payload"))
        }
    }
    let params = [workspace.into(), event.into()];
    let found: Payload = row::one(select(log, statement(PAYLOAD, params)).await?, "event")?;
    Ok(found.0)
}
