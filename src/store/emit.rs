//! What an emit writes to a LOG shard: events, the deliveries they owe, and the claim of its
//! idempotency key, all in one batch.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{
    EVENT_ROW_BYTES, ROW_INLINE_BYTES, STATEMENT_BYTES_MAX, SWEEP_GRACE_MS,
};
use crate::domain::delivery::state::{EndReason, State};
use crate::domain::delivery::stats::day_that_is_over;
use crate::domain::lane::queue::QueuePosition;
use crate::domain::routing::event::{Event, FanOut, Service};
use crate::domain::routing::idempotency::{Claims, StoredClaim};
use crate::domain::routing::known_names::NewName;
use crate::domain::routing::trace::Trace;
use crate::ports::{Database, Param, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{all_rows, run, select, set, statement};
use crate::store::{idempotency, rollups};

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
/// The same for many events whose rows hold their payloads, where no key is claimed.
const INSERT_SET: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, unmatched, hops, trace, payload) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
      value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10, value ->> 11, \
      value ->> 12 from json_each(?1)";
/// Follows its payload's insert in the same batch. When the event is there already (the batch is a
/// repetition) both do nothing, and so they do when another request has the key.
const INSERT_AFTER_PAYLOAD: &str = "\
    insert or ignore into events (workspace, event, name, resource, resource_id, created_by, \
      created_at_ms, fan_out, payload_bytes, unmatched, hops, trace, payload_id) \
    select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?13, ?14, last_insert_rowid() \
    where ?11 is null or exists (select 1 from idempotency_keys where id = ?11 and owner = ?12)";
/// `?2` is 1 when there is a key: then only what was stored owes anything. `?3` is when it is due.
const INSERT_DELIVERIES: &str = "\
    insert or ignore into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
      sweep_at_ms, payload_bytes, created_at_ms, seq) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, \
      case value ->> 6 when 1 then 'held' else 'pending' end, 1 - (value ->> 6), \
      case value ->> 6 when 0 then ?3 end, \
      case value ->> 6 when 0 then ?3 + (value ->> 7) end, value ->> 4, value ->> 5, \
      case when value ->> 8 is not null then (select c.n from strict_counters c \
        where c.workspace = value ->> 0 and c.connection = value ->> 1) - (value ->> 8) end \
    from json_each(?1) \
    where ?2 = 0 or exists (select 1 from events e \
      where e.workspace = value ->> 0 and e.event = value ->> 2) \
    returning event, rule";
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
/// With `claims`, events of a workspace are stored only if this request has the key there. What
/// they owe is due at `due_at_ms`.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn insert(
    log: &impl Database,
    events: &[(Event, String)],
    names: &[NewName<'_>],
    claims: Option<&Claims>,
    due_at_ms: i64,
) -> Result<Stored> {
    let mut numbers = Numbers::of(events);
    let mut statements: Vec<Statement> = claims.map(idempotency::claim).into_iter().collect();
    statements.extend(numbers.statement(claims));
    let mut deliveries = Vec::new();
    let mut together = Vec::new();
    for (event, payload) in events {
        let row = EventRow::of(event, payload);
        match claims {
            None if row.fits && events.len() > 1 => together.push(row),
            claims => statements.extend(row.statements(claims)),
        }
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
    statements.extend(together.chunks(SET_EVENTS).map(EventRow::statement_of_all));
    let is_guarded = claims.is_some();
    let place = (!deliveries.is_empty()).then_some(statements.len());
    if place.is_some() {
        let params = [set(&deliveries), is_guarded.into(), due_at_ms.into()];
        statements.push(statement(INSERT_DELIVERIES, params));
    }
    if !names.is_empty() {
        statements.push(statement(INSERT_NAMES, [set(&names), is_guarded.into()]));
    }
    statements.extend(reopened(events.iter().map(|(event, _)| event), due_at_ms));
    statements.extend(claims.map(idempotency::kept));
    let results = run(log, statements).await?;
    let owed = place.and_then(|place| results.get(place)).map_or(Ok(Vec::new()), all_rows)?;
    let kept = match (claims, results.last()) {
        (Some(_), Some(kept)) => all_rows(kept)?,
        _ => Vec::new(),
    };
    Ok(Stored { kept, owed })
}

/// Has the days counted again that are over and get deliveries all the same, of events that waited
/// long at an intake.
fn reopened<'a>(events: impl Iterator<Item = &'a Event>, now_ms: i64) -> Option<Statement> {
    let days = events.flat_map(|event| {
        let day_ms = day_that_is_over(event.created_at_ms, now_ms);
        let of = move |owed: &'a FanOut| Some((&*event.workspace, day_ms?, &*owed.connection));
        event.fan_out.iter().filter_map(of)
    });
    let days: BTreeSet<(&str, i64, &str)> = days.collect();
    (!days.is_empty()).then(|| rollups::reopen(&days))
}

const STORED_SINCE: &str = "\
    select d.event, d.rule from json_each(?1) j cross join deliveries d \
      on d.workspace = j.value ->> 0 and d.connection = j.value ->> 1 \
        and d.event = j.value ->> 2 and d.rule = j.value ->> 3 \
    where d.due_at_ms >= ?2";

/// Those of the deliveries that these events owe that are due since `since_ms`: after tries of
/// [`insert`] with unknown results, what the first of them or a later one has stored.
///
/// # Errors
/// When the shard does not answer.
pub async fn stored_since(
    log: &impl Database,
    events: &[(Event, String)],
    since_ms: i64,
) -> Result<Vec<QueuePosition>> {
    let row = |(event, owed): (&Event, &FanOut)| {
        json!([event.workspace, owed.connection, event.id, owed.rule_number])
    };
    let all =
        events.iter().flat_map(|(event, _)| event.fan_out.iter().map(move |one| (event, one)));
    let set: Value = all.map(row).collect();
    row::all(select(log, statement(STORED_SINCE, [set.to_string().into(), since_ms.into()])).await?)
}

impl FromRow for QueuePosition {
    fn from_row(row: &mut Row) -> Self {
        Self { event: row.text("event"), rule: row.int("rule") }
    }
}

/// What a batch stored.
#[derive(Debug, Default)]
pub struct Stored {
    /// Who has the keys: nothing without claims.
    pub kept: Vec<StoredClaim>,
    /// The deliveries that were not there before.
    pub owed: Vec<QueuePosition>,
}

/// As an event whose payload was erased: the empty text is no JSON.
const SET_ASIDE: &str = "\
    insert or ignore into events (workspace, event, name, created_by, created_at_ms, fan_out, \
      payload_bytes, payload, erased_at_ms) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', ?8)";
const FAIL_SET_ASIDE: &str = "\
    insert or ignore into deliveries (workspace, connection, event, rule, state, open, \
      payload_bytes, reason, created_at_ms, completed_at_ms) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, 0, ?3, ?4, ?5, ?6 \
    from json_each(?1)";

/// Stores an event that the database refuses without its payload; what it owes has failed.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn set_aside(
    log: &impl Database,
    event: &Event,
    payload_bytes: usize,
    now_ms: i64,
) -> Result<()> {
    let row = |owed: &FanOut| json!([event.workspace, owed.connection, event.id, owed.rule_number]);
    let rows: Value = event.fan_out.iter().map(row).collect();
    let fan_out = serde_json::to_string(&event.fan_out).expect("a fan-out list is JSON");
    let (of, id) = ((&event.workspace).into(), (&event.id).into());
    let (name, by) = ((&event.name).into(), (&event.created_by).into());
    let (at, bytes) = (Param::from(event.created_at_ms), Param::from(payload_bytes));
    let kept = [of, id, name, by, at.clone(), fan_out.into(), bytes.clone(), Param::from(now_ms)];
    let (state, reason) = (State::Failed.into(), EndReason::Internal.as_str());
    let state: &str = state;
    let failed = [rows.to_string().into(), state.into(), bytes, reason.into(), at, now_ms.into()];
    let mut statements = vec![statement(SET_ASIDE, kept), statement(FAIL_SET_ASIDE, failed)];
    statements.extend(reopened(std::iter::once(event), now_ms));
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

/// An event as its row has it.
struct EventRow<'a> {
    event: &'a Event,
    payload: &'a str,
    fan_out: String,
    unmatched: Option<String>,
    /// Whether the payload stands in the row.
    fits: bool,
}

/// Events of one statement: with the largest rows half of what a statement may have.
const SET_EVENTS: usize = STATEMENT_BYTES_MAX / 2 / ROW_INLINE_BYTES;

impl<'a> EventRow<'a> {
    fn of(event: &'a Event, payload: &'a str) -> Self {
        let fan_out = serde_json::to_string(&event.fan_out).expect("a fan-out list is JSON");
        let unmatched = (!event.unmatched.is_empty())
            .then(|| serde_json::to_string(&event.unmatched).expect("a list of rules is JSON"));
        let own = [&event.name, &event.created_by, &fan_out].map(String::len);
        let others = [&event.resource, &event.resource_id, &unmatched];
        let others = others.map(|text| text.as_ref().map_or(0, String::len));
        let texts = own.iter().chain(&others).sum::<usize>();
        let fits = EVENT_ROW_BYTES + texts + payload.len() <= ROW_INLINE_BYTES;
        Self { event, payload, fan_out, unmatched, fits }
    }

    fn trace(&self) -> Option<String> {
        self.event.trace.as_ref().map(Trace::to_stored)
    }

    fn statement_of_all(rows: &[Self]) -> Statement {
        let row = |row: &Self| {
            let event = row.event;
            json!([
                event.workspace,
                event.id,
                event.name,
                event.resource,
                event.resource_id,
                event.created_by,
                event.created_at_ms,
                row.fan_out,
                row.payload.len(),
                row.unmatched,
                event.hops,
                row.trace(),
                row.payload
            ])
        };
        statement(INSERT_SET, [set(&rows.iter().map(row).collect::<Vec<Value>>())])
    }

    fn statements(self, claims: Option<&Claims>) -> Vec<Statement> {
        let (event, payload) = (self.event, self.payload);
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
            (&self.fan_out).into(),
            payload.len().into(),
            self.unmatched.clone().into(),
            key.clone(),
            owner.clone(),
            event.hops.into(),
            self.trace().into(),
        ];
        if self.fits {
            params.push(payload.into());
            return vec![Statement { sql: INSERT, params }];
        }
        let first = [(&event.workspace).into(), (&event.id).into(), payload.into(), key, owner];
        vec![statement(INSERT_PAYLOAD, first), Statement { sql: INSERT_AFTER_PAYLOAD, params }]
    }
}
