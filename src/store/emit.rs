//! What an emit writes to a LOG shard: events, the deliveries they owe, and the claim of its
//! idempotency key, all in one batch.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{EVENT_ROW_BYTES, ROW_INLINE_BYTES, SWEEP_GRACE_MS};
use crate::domain::routing::event::{Event, FanOut, Service};
use crate::domain::routing::idempotency::{Claims, StoredClaim};
use crate::domain::routing::known_names::NewName;
use crate::domain::routing::trace::Trace;
use crate::ports::{Database, Param, Statement};
use crate::store::idempotency;
use crate::store::{all_rows, run, set, statement};

/// With a key nothing is stored unless the request has it: see [`idempotency`].
const INSERT_PAYLOAD: &str = "\
    insert into payloads (payload) select ?3 \
    where not exists (select 1 from events where workspace = ?1 and event = ?2) \
      and (?4 is null or exists (select 1 from idempotency_keys where id = ?4 and owner = ?5))";
const INSERT: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, unmatched, hops, trace, payload) \
    select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?13, ?14, ?15 \
    where ?11 is null or exists (select 1 from idempotency_keys where id = ?11 and owner = ?12)";
/// Follows its payload's insert in the same batch. When the event is there already (the batch is a
/// repetition) both do nothing, and so they do when another request has the key.
const INSERT_AFTER_PAYLOAD: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, unmatched, hops, trace, payload_id) \
    select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?13, ?14, last_insert_rowid() \
    where ?11 is null or exists (select 1 from idempotency_keys where id = ?11 and owner = ?12)";
/// `?2` is 1 when there is a key: then only what was stored owes anything.
const INSERT_DELIVERIES: &str = "\
    insert or ignore into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
      sweep_at_ms, payload_bytes, created_at_ms, seq) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, \
      case value ->> 6 when 1 then 'held' else 'pending' end, 1 - (value ->> 6), \
      case value ->> 6 when 0 then value ->> 5 end, \
      case value ->> 6 when 0 then value ->> 5 + (value ->> 7) end, value ->> 4, value ->> 5, \
      case when value ->> 8 is not null then (select c.n from strict_counters c \
        where c.workspace = value ->> 0 and c.connection = value ->> 1) - (value ->> 8) end \
    from json_each(?1) \
    where ?2 = 0 or exists (select 1 from events e \
      where e.workspace = value ->> 0 and e.event = value ->> 2)";
/// Takes the numbers that the deliveries of a batch need from the counters of their lines. It comes
/// before the events: when they are there already (the batch is a repetition) it does nothing, and
/// the numbers have no gap.
const COUNT: &str = "\
    insert into strict_counters (workspace, connection, n) \
    select value ->> 0, value ->> 1, value ->> 2 from json_each(?1) \
    where not exists (select 1 from events where workspace = value ->> 0 and event = value ->> 3) \
      and (value ->> 4 is null \
        or exists (select 1 from idempotency_keys where id = value ->> 4 and owner = ?2)) \
    on conflict do update set n = n + excluded.n";
const INSERT_NAMES: &str = "\
    insert or ignore into names_seen (workspace, kind, name, created_at_ms) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3 from json_each(?1) \
    where ?2 = 0 or exists (select 1 from events e \
      where e.workspace = value ->> 0 and e.event = value ->> 4)";

/// Stores events with their payloads' texts and the deliveries they owe, and names that they are
/// the first to show, all or none. Storing the same again changes nothing, so an unknown result may
/// be repeated.
///
/// With `claims`, events of a workspace are stored only if this request has the key there. The
/// answer is who has it: nothing without claims.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(
    log: &impl Database,
    events: &[(Event, String)],
    names: &[NewName<'_>],
    claims: Option<&Claims>,
) -> Result<Vec<StoredClaim>> {
    let mut numbers = Numbers::of(events);
    let mut statements: Vec<Statement> = claims.map(idempotency::claim).into_iter().collect();
    statements.extend(numbers.statement(claims));
    let mut deliveries = Vec::new();
    for (event, payload) in events {
        statements.extend(event_statements(event, payload, claims));
        for owed in &event.fan_out {
            // A lane may start what no job is under way for.
            let grace_ms = if owed.service == Service::Jobs { SWEEP_GRACE_MS } else { 0 };
            deliveries.push((
                &event.workspace,
                &owed.connection,
                &event.id,
                owed.rule_number,
                payload.len(),
                event.created_at_ms,
                i64::from(owed.held),
                grace_ms,
                numbers.next(event, owed),
            ));
        }
    }
    let is_guarded = claims.is_some();
    if !deliveries.is_empty() {
        statements.push(statement(INSERT_DELIVERIES, [set(&deliveries), is_guarded.into()]));
    }
    if !names.is_empty() {
        statements.push(statement(INSERT_NAMES, [set(&names), is_guarded.into()]));
    }
    statements.extend(claims.map(idempotency::kept));
    let results = run(log, statements).await?;
    match (claims, results.last()) {
        (Some(_), Some(kept)) => all_rows(kept),
        _ => Ok(Vec::new()),
    }
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

    fn statement(&self, claims: Option<&Claims>) -> Option<Statement> {
        let key = |workspace: &str| claims.and_then(|claims| claims.id_in(workspace));
        let row = |(workspace, connection, count, event): &(&str, &str, i64, &str)| {
            json!([workspace, connection, count, event, key(workspace)])
        };
        let set: Value = self.0.iter().map(row).collect();
        let owner = claims.map(|claims| claims.owner.clone());
        let is_needed = !self.0.is_empty();
        is_needed.then(|| statement(COUNT, [set.to_string().into(), owner.into()]))
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

fn event_statements(event: &Event, payload: &str, claims: Option<&Claims>) -> Vec<Statement> {
    let fan_out = serde_json::to_string(&event.fan_out).expect("a fan-out list is JSON");
    let unmatched = (!event.unmatched.is_empty())
        .then(|| serde_json::to_string(&event.unmatched).expect("a list of rules is JSON"));
    let texts = [&event.name, &event.created_by, &fan_out].map(String::len).iter().sum::<usize>()
        + [&event.resource, &event.resource_id, &unmatched]
            .map(|text| text.as_ref().map_or(0, String::len))
            .iter()
            .sum::<usize>();
    let fits = EVENT_ROW_BYTES + texts + payload.len() <= ROW_INLINE_BYTES;
    let key: Param = claims.and_then(|claims| claims.id_in(&event.workspace)).into();
    let owner: Param = claims.map(|claims| claims.owner.as_str()).into();
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
        unmatched.into(),
        key.clone(),
        owner.clone(),
        event.hops.into(),
        event.trace.as_ref().map(Trace::to_stored).into(),
    ];
    if fits {
        params.push(payload.into());
        return vec![Statement { sql: INSERT, params }];
    }
    let first = [(&event.workspace).into(), (&event.id).into(), payload.into(), key, owner];
    vec![statement(INSERT_PAYLOAD, first), Statement { sql: INSERT_AFTER_PAYLOAD, params }]
}
