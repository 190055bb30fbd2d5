//! The history of a workspace as it is taken to another installation: events with their payloads'
//! texts, deliveries and records of attempts, all as they are stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{EVENT_ROW_BYTES, ROW_INLINE_BYTES};
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, select, statement};

/// An event that is taken along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedEvent {
    /// Its id.
    pub id: String,
    /// Its name.
    pub event: String,
    /// Its resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Its resource id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The key that emitted it.
    pub created_by: String,
    /// When it was accepted.
    pub created_at_ms: i64,
    /// Webhooks before it.
    #[serde(default)]
    pub hops: u32,
    /// Its trace, as it is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// When its payload was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at_ms: Option<i64>,
    /// The payload's exact text; empty when it was erased.
    pub payload: String,
    /// What it owed, by rule.
    pub fan_out: Vec<MovedRule>,
    /// Rules for its name that did not match it, as they are stored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmatched: Vec<Value>,
    /// Its deliveries.
    pub deliveries: Vec<MovedDelivery>,
}

/// One delivery that an event owed, as the event has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRule {
    /// Number of the rule.
    #[serde(rename = "n")]
    pub number: u32,
    /// Id of the rule.
    #[serde(rename = "r")]
    pub rule: String,
    /// Id of the connection.
    #[serde(rename = "c")]
    pub connection: String,
    /// Its type.
    #[serde(rename = "t")]
    pub kind: String,
}

/// A delivery that is taken along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedDelivery {
    /// Its connection.
    pub connection: String,
    /// Number of its rule.
    pub rule: u32,
    /// Its state.
    pub state: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Why it is failed or canceled.
    #[serde(default)]
    pub reason: Option<String>,
    /// Why the last attempt failed.
    #[serde(default)]
    pub last_error: Option<String>,
    /// When it was made.
    pub created_at_ms: i64,
    /// When the first attempt was started.
    #[serde(default)]
    pub started_at_ms: Option<i64>,
    /// When it was settled.
    #[serde(default)]
    pub completed_at_ms: Option<i64>,
    /// The first attempt's record, where it stands in the delivery's row.
    #[serde(default)]
    pub first_attempt: Option<String>,
    /// The other records.
    #[serde(default)]
    pub records: Vec<MovedRecord>,
}

/// The record of an attempt that is taken along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRecord {
    /// The attempt's number.
    pub number: u32,
    /// Its text.
    pub record: String,
}

struct Read(MovedEvent);

impl FromRow for Read {
    fn from_row(row: &mut Row) -> Self {
        Self(MovedEvent {
            id: row.text("event"),
            event: row.text("name"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            hops: row.int("hops"),
            trace: row.maybe_text("trace"),
            erased_at_ms: row.maybe_int("erased_at_ms"),
            payload: row.text("payload"),
            fan_out: row.json("fan_out"),
            unmatched: row.maybe_json("unmatched").unwrap_or_default(),
            deliveries: row.json("deliveries"),
        })
    }
}

/// Delivery by delivery through the fan-out list, as everything that shows an event.
const READ: &str = "\
    select e.event, e.name, e.resource, e.resource_id, e.created_by, e.created_at_ms, e.hops, \
      e.trace, e.erased_at_ms, e.fan_out, e.unmatched, \
      coalesce(e.payload, (select p.payload from payloads p where p.id = e.payload_id), '') \
        as payload, \
      (select json_group_array(json_object('connection', d.connection, 'rule', d.rule, \
         'state', d.state, 'attempts', d.attempts, 'reason', d.reason, \
         'last_error', d.last_error, 'created_at_ms', d.created_at_ms, \
         'started_at_ms', d.started_at_ms, 'completed_at_ms', d.completed_at_ms, \
         'first_attempt', d.first_attempt, \
         'records', json((select json_group_array(json_object('number', a.number, \
             'record', a.record)) from attempts a \
           where a.workspace = d.workspace and a.connection = d.connection \
             and a.event = d.event and a.rule = d.rule)))) \
       from json_each(e.fan_out) f cross join deliveries d \
       where d.workspace = e.workspace and d.connection = f.value ->> 'c' and d.event = e.event \
         and d.rule = f.value ->> 'n') as deliveries \
    from events e where e.workspace = ?1 and e.event > ?2 order by e.workspace, e.event limit ?3";

/// The events of a workspace after this one, the oldest first.
///
/// # Errors
/// When the shard does not answer.
pub async fn read(
    log: &impl Database,
    workspace: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<MovedEvent>> {
    let params = [workspace.into(), after.into(), limit.into()];
    let read: Vec<Read> = row::all(select(log, statement(READ, params)).await?)?;
    Ok(read.into_iter().map(|Read(event)| event).collect())
}

/// A workspace that takes a history in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Into {
    /// Its number.
    pub number: u32,
    /// Its shard.
    pub shard: u16,
    /// Its rules: id and number.
    pub rules: Vec<(String, u32)>,
}

impl FromRow for Into {
    fn from_row(row: &mut Row) -> Self {
        Self { number: row.int("number"), shard: row.int("shard"), rules: row.json("rules") }
    }
}

const INTO: &str = "\
    select w.number, w.shard, (select json_group_array(json_array(r.id, r.number)) \
      from rules r where r.workspace = w.id) as rules \
    from workspaces w where w.id = ?1";

/// A workspace, whoever has it: for the operator.
pub fn into_workspace(workspace: &str) -> Query<Option<Into>> {
    Query::new(INTO, [workspace.into()], |rows| Ok(all_rows(rows)?.pop()))
}

const INSERT_PAYLOAD: &str = "\
    insert into payloads (payload) select ?3 \
    where not exists (select 1 from events where workspace = ?1 and event = ?2)";
macro_rules! insert {
    ($column:literal, $value:literal) => {
        concat!(
            "insert or ignore into events (workspace, event, name, resource, resource_id, \
               created_by, created_at_ms, fan_out, payload_bytes, unmatched, hops, trace, \
               erased_at_ms, ",
            $column,
            ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ",
            $value,
            ")"
        )
    };
}
const INSERT: &str = insert!("payload", "?14");
/// Follows its payload's insert in the same batch.
const INSERT_AFTER_PAYLOAD: &str = insert!("payload_id", "last_insert_rowid()");
/// They are settled, whatever they were: the installation that they come from owes the rest.
const INSERT_DELIVERIES: &str = "\
    insert or ignore into deliveries (workspace, connection, event, rule, state, open, attempts, \
      payload_bytes, reason, last_error, created_at_ms, started_at_ms, completed_at_ms, \
      first_attempt) \
    select ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, 0, value ->> 4, value ->> 5, \
      value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11 \
    from json_each(?1)";
const INSERT_ATTEMPTS: &str = "\
    insert or ignore into attempts (workspace, connection, event, rule, number, record) \
    select ?2, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 \
    from json_each(?1)";
const INSERT_NAMES: &str = "\
    insert or ignore into names_seen (workspace, kind, name, created_at_ms) \
    select ?2, value ->> 0, value ->> 1, value ->> 2 from json_each(?1)";

/// Stores events that come from elsewhere with all that became of them, all or none. Storing the
/// same again changes nothing.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(log: &impl Database, workspace: &str, events: &[MovedEvent]) -> Result<()> {
    let (mut deliveries, mut attempts, mut names) = (Vec::new(), Vec::new(), Vec::new());
    let mut statements = Vec::new();
    for one in events {
        statements.extend(event(workspace, one));
        names.push(json!(["event", one.event, one.created_at_ms]));
        let resource = one.resource.iter();
        names.extend(resource.map(|name| json!(["resource", name, one.created_at_ms])));
        for d in &one.deliveries {
            let key = (&d.connection, &one.id, d.rule);
            deliveries.push(json!([
                key.0,
                key.1,
                key.2,
                d.state,
                d.attempts,
                one.payload.len(),
                d.reason,
                d.last_error,
                d.created_at_ms,
                d.started_at_ms,
                d.completed_at_ms,
                d.first_attempt
            ]));
            let record = |of: &MovedRecord| json!([key.0, key.1, key.2, of.number, of.record]);
            attempts.extend(d.records.iter().map(record));
        }
    }
    for (sql, rows) in
        [(INSERT_DELIVERIES, deliveries), (INSERT_ATTEMPTS, attempts), (INSERT_NAMES, names)]
    {
        if !rows.is_empty() {
            statements.push(statement(sql, [json!(rows).to_string().into(), workspace.into()]));
        }
    }
    run(log, statements).await.map(drop)
}

fn event(workspace: &str, event: &MovedEvent) -> Vec<Statement> {
    let unmatched = (!event.unmatched.is_empty()).then(|| json!(event.unmatched).to_string());
    let fan_out = json!(event.fan_out).to_string();
    let texts = event.event.len() + event.created_by.len() + fan_out.len();
    let fits = EVENT_ROW_BYTES + texts + event.payload.len() <= ROW_INLINE_BYTES;
    let mut params = vec![
        workspace.into(),
        (&event.id).into(),
        (&event.event).into(),
        event.resource.clone().into(),
        event.resource_id.clone().into(),
        (&event.created_by).into(),
        event.created_at_ms.into(),
        fan_out.into(),
        event.payload.len().into(),
        unmatched.into(),
        event.hops.into(),
        event.trace.clone().into(),
        event.erased_at_ms.into(),
    ];
    if fits {
        params.push((&event.payload).into());
        return vec![Statement { sql: INSERT, params }];
    }
    let first = [workspace.into(), (&event.id).into(), (&event.payload).into()];
    vec![statement(INSERT_PAYLOAD, first), Statement { sql: INSERT_AFTER_PAYLOAD, params }]
}
