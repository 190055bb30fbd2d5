//! Deliveries in a LOG shard: what a consumer reads before it attempts, and what it records after.

use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::ids::TEST_RULE;
use crate::domain::base::limits::{DELIVERY_ROW_BYTES, ROW_INLINE_BYTES};
use crate::domain::delivery::attempt::{Outcome, Record};
use crate::domain::delivery::job::Job;
use crate::domain::delivery::state::{EndReason, State};
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::lane::queue::Mode;
use crate::domain::routing::trace::Trace;
use crate::ports::{Database, Param, Statement};
use crate::store::row::{self, FromRow, Readable, Row};
use crate::store::sweeps::Claim;
use crate::store::{run, select, set, statement};

/// A delivery that still owes an attempt, with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// Its workspace.
    pub workspace: String,
    /// Its connection.
    pub connection: String,
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
    /// Its state.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// Times that we ourselves kept it from being attempted.
    pub faults: u32,
    /// When that was for the first time since it was attempted.
    pub faulted_since_ms: Option<i64>,
    /// When it is taken for lost.
    pub sweep_at_ms: i64,
    /// Times that it was, or that a consumer put that off, since its last attempt.
    pub sweeps: u32,
    /// The event's name.
    pub name: String,
    /// The event's resource.
    pub resource: Option<String>,
    /// The event's resource id.
    pub resource_id: Option<String>,
    /// When the event was accepted.
    pub created_at_ms: i64,
    /// How many webhooks what it tells has gone through before.
    pub hops: u32,
    /// The trace that the event belongs to.
    pub trace: Option<Trace>,
    /// When the first attempt was started.
    pub started_at_ms: Option<i64>,
    /// Attempts made before it was replayed.
    pub attempts_before: u32,
    /// Who asked for the attempt that is due, if a person did.
    pub asked_by: Option<String>,
    /// The payload's exact text.
    pub payload: String,
    /// What LOG says of the connection's lane.
    pub mode: Mode,
    /// Whether the connection has a lane.
    pub has_lane: bool,
    /// The first failure since anything succeeded on the connection.
    pub failing_since_ms: Option<i64>,
    /// The last failure, or slow attempt, on the connection.
    pub last_failed_at_ms: Option<i64>,
    /// Whether no earlier one of a strict line is open or held.
    pub is_first: bool,
}

impl Owed {
    /// Its key.
    pub fn key(&self) -> DeliveryKey {
        DeliveryKey {
            workspace: self.workspace.clone(),
            connection: self.connection.clone(),
            event: self.event.clone(),
            rule: self.rule,
        }
    }

    /// Takes it at this time.
    pub fn claim(&self, now_ms: i64) -> Claim {
        Claim::new(self.key(), self.attempts, self.sweeps, now_ms)
    }

    /// Whether it is of a test event.
    pub fn is_test(&self) -> bool {
        self.rule == TEST_RULE
    }

    /// Whether it owes the very attempt that the job is for.
    pub fn is_due_by(&self, job: &Job) -> bool {
        self.attempts + 1 == job.attempt
            && self.event == job.event
            && self.rule == job.rule
            && self.connection == job.connection
            && self.workspace == job.workspace
    }
}

impl FromRow for Owed {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            event: row.text("event"),
            rule: row.int("rule"),
            state: row.word("state"),
            attempts: row.int("attempts"),
            faults: row.int("faults"),
            faulted_since_ms: row.maybe_int("faulted_since_ms"),
            sweep_at_ms: row.int("sweep_at_ms"),
            sweeps: row.int("sweeps"),
            name: row.text("name"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            created_at_ms: row.int("created_at_ms"),
            hops: row.int("hops"),
            trace: row.maybe_text("trace").as_deref().and_then(Trace::stored),
            started_at_ms: row.maybe_int("started_at_ms"),
            attempts_before: row.int("attempts_before"),
            asked_by: row.maybe_text("asked_by"),
            payload: row.text("payload"),
            mode: mode(row),
            has_lane: row.flag("has_lane"),
            failing_since_ms: row.maybe_int("failing_since_ms"),
            last_failed_at_ms: row.maybe_int("last_failed_at_ms"),
            is_first: row.flag("is_first"),
        }
    }
}

/// What LOG says of the connection's lane; a connection without a row has a clear one.
fn mode(row: &mut Row) -> Mode {
    let Some(number) = row.maybe_int::<i64>("mode") else { return Mode::Clear };
    Mode::from_number(number).unwrap_or_else(|| {
        row.is_no("mode", "mode of a lane");
        Mode::Engaged
    })
}

/// Keys of deliveries as the text of a set.
pub fn key_set<'a>(keys: impl IntoIterator<Item = &'a DeliveryKey>) -> Param {
    let keys = keys.into_iter().map(|k| (&k.workspace, &k.connection, &k.event, k.rule));
    set(&keys.collect::<Vec<_>>())
}

const OWED: &str = "\
    select d.workspace, d.connection, d.event, d.rule, d.state, d.attempts, d.faults, \
      d.faulted_since_ms, d.sweep_at_ms, d.sweeps, \
      d.started_at_ms, d.attempts_before, d.asked_by, \
      e.name, e.resource, e.resource_id, e.created_at_ms, e.hops, e.trace, \
      coalesce(e.payload, p.payload) as payload, l.mode, l.failing_since_ms, \
      l.raised_at_ms as last_failed_at_ms, l.mode is not null as has_lane, \
      d.seq is null or not exists (select 1 from deliveries b \
          indexed by deliveries_strict \
        where b.workspace = d.workspace and b.connection = d.connection and b.seq < d.seq \
          and b.seq is not null and (b.open = 1 or b.state = 'held')) as is_first \
    from json_each(?1) j cross join deliveries d cross join events e \
      left join payloads p on p.id = e.payload_id \
      left join lanes l on l.workspace = d.workspace and l.connection = d.connection \
    where d.workspace = j.value ->> 0 and d.connection = j.value ->> 1 \
      and d.event = j.value ->> 2 and d.rule = j.value ->> 3 and d.open = 1 \
      and e.workspace = d.workspace and e.event = d.event";

/// Those of the deliveries that still owe an attempt, each by itself.
///
/// # Errors
/// When the shard does not answer.
pub async fn owed(log: &impl Database, keys: &[DeliveryKey]) -> Result<Readable<Owed>> {
    Ok(row::readable(select(log, statement(OWED, [key_set(keys)])).await?))
}

/// What an attempt made of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryUpdate {
    /// The delivery.
    pub key: DeliveryKey,
    /// Its new state.
    pub state: State,
    /// When the next attempt is due.
    pub due_at_ms: Option<i64>,
    /// When the sweeper looks at it.
    pub sweep_at_ms: Option<i64>,
    /// When its first attempt was started.
    pub started_at_ms: i64,
    /// When it was settled.
    pub completed_at_ms: Option<i64>,
    /// Why it is failed.
    pub reason: Option<EndReason>,
    /// The attempt.
    pub record: Record,
}

/// Whether a delivery that was held or canceled during the attempt stays so.
macro_rules! stays {
    () => {
        "((state = 'canceled' and j.value ->> 'state' <> 'delivered') \
           or (state = 'held' and j.value ->> 'state' = 'retrying'))"
    };
}

/// Takes effect on a delivery that made this very attempt as its next one, also if it was held or
/// canceled meanwhile. A success also takes effect on whatever else became of the delivery, because
/// the receiver has the event.
const RECORD: &str = concat!(
    "update deliveries set \
       state = iif(",
    stays!(),
    ", state, j.value ->> 'state'), open = iif(",
    stays!(),
    ", 0, j.value ->> 'open'), due_at_ms = iif(",
    stays!(),
    ", null, j.value ->> 'due'), sweep_at_ms = iif(",
    stays!(),
    ", null, j.value ->> 'sweep'), reason = iif(",
    stays!(),
    ", reason, j.value ->> 'reason'), completed_at_ms = iif(",
    stays!(),
    ", completed_at_ms, j.value ->> 'completed'), sweeps = 0, faults = 0, \
       faulted_since_ms = null, \
       attempts = max(attempts, j.value ->> 'number'), \
       last_error = j.value ->> 'error', asked_by = null, \
       started_at_ms = j.value ->> 'started', \
       first_attempt = coalesce(j.value ->> 'record', first_attempt) \
     from json_each(?1) j \
     where workspace = j.value ->> 'w' and connection = j.value ->> 'c' \
       and event = j.value ->> 'e' and rule = j.value ->> 'r' \
       and ((state in ('pending', 'retrying', 'held', 'canceled') \
           and attempts = (j.value ->> 'number') - 1) \
         or (state <> 'delivered' and j.value ->> 'state' = 'delivered'))"
);

/// A [`DeliveryUpdate`] as the JSON texts that statements take, of which the length is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedUpdate {
    outcome: String,
    /// The record where it has a row of its own.
    record: Option<String>,
}

impl EncodedUpdate {
    /// Encodes an update.
    pub fn of(one: &DeliveryUpdate) -> Self {
        let text = super::attempts::text(&one.key, &one.record);
        let inline = one.record.number == 1 && fits(one, &text);
        let outcome = outcome_text(one, inline.then_some(&text));
        let record = (!inline).then(|| super::attempts::row(&one.key, one.record.number, &text));
        Self { outcome, record }
    }

    /// How many bytes it adds to a batch of statements.
    pub fn bytes(&self) -> usize {
        self.outcome.len() + self.record.as_ref().map_or(0, String::len)
    }
}

/// Records attempts, at most one for each delivery, in one batch with what they mean for lanes.
///
/// # Errors
/// When the shard's answer is not known; recording the same again is harmless.
pub async fn record(
    log: &impl Database,
    attempted: &[EncodedUpdate],
    lanes: Vec<Statement>,
) -> Result<()> {
    let outcomes: Vec<&str> = attempted.iter().map(|one| one.outcome.as_str()).collect();
    let records: Vec<&str> = attempted.iter().filter_map(|one| one.record.as_deref()).collect();
    let set = format!("[{}]", outcomes.join(","));
    let mut statements: Vec<Statement> = vec![statement(RECORD, [set.into()])];
    statements.extend(super::attempts::insert(&records));
    statements.extend(lanes);
    run(log, statements).await.map(drop)
}

/// Whether the delivery's row stays short with the record in it.
fn fits(one: &DeliveryUpdate, record: &str) -> bool {
    let error = one.record.error.as_ref().map_or(0, String::len);
    DELIVERY_ROW_BYTES + error + record.len() <= ROW_INLINE_BYTES
}

/// What [`RECORD`] reads of an attempt.
#[derive(Serialize)]
struct OutcomeRow<'a> {
    w: &'a str,
    c: &'a str,
    e: &'a str,
    r: u32,
    state: &'a str,
    open: u8,
    due: Option<i64>,
    sweep: Option<i64>,
    number: u32,
    reason: Option<&'a str>,
    error: Option<&'a String>,
    started: i64,
    completed: Option<i64>,
    record: Option<&'a String>,
}

fn outcome_text(one: &DeliveryUpdate, record: Option<&String>) -> String {
    // What delivered can tell of a body that could not be read; that is no failure.
    let failed = one.record.outcome != Outcome::Delivered;
    let row = OutcomeRow {
        w: &one.key.workspace,
        c: &one.key.connection,
        e: &one.key.event,
        r: one.key.rule,
        state: one.state.as_str(),
        open: u8::from(one.state.is_open()),
        due: one.due_at_ms,
        sweep: one.sweep_at_ms,
        number: one.record.number,
        reason: one.reason.map(EndReason::as_str),
        error: one.record.error.as_ref().filter(|_| failed),
        started: one.started_at_ms,
        completed: one.completed_at_ms,
        record,
    };
    serde_json::to_string(&row).expect("a row is JSON")
}

const CANCEL: &str = "\
    update deliveries set state = 'canceled', open = 0, due_at_ms = null, sweep_at_ms = null, \
      reason = 'connection_deleted', completed_at_ms = ?2 from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and event = j.value ->> 2 \
      and rule = j.value ->> 3 and open = 1";

/// Cancels open deliveries whose connection is gone.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel(log: &impl Database, keys: &[DeliveryKey], now_ms: i64) -> Result<()> {
    run(log, vec![statement(CANCEL, [key_set(keys), now_ms.into()])]).await.map(drop)
}

const CANCEL_CONNECTION: &str = "\
    update deliveries indexed by deliveries_open \
    set state = 'canceled', open = 0, due_at_ms = null, sweep_at_ms = null, \
      reason = 'connection_deleted', completed_at_ms = ?3 \
    where workspace = ?1 and connection = ?2 and open = 1 and event <= (select max(event) from \
      (select event from deliveries indexed by deliveries_open \
       where workspace = ?1 and connection = ?2 and open = 1 order by event limit ?4))";

/// Cancels the oldest open deliveries of a deleted connection, about `limit` of them, and a step of
/// those that are held: an attempt of one of these can be under way.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel_connection(
    log: &impl Database,
    workspace: &str,
    connection: &str,
    now_ms: i64,
    limit: usize,
) -> Result<()> {
    let params = [workspace.into(), connection.into(), now_ms.into(), limit.into()];
    let held = super::held::canceling_deleted(workspace, connection, now_ms);
    run(log, vec![statement(CANCEL_CONNECTION, params), held]).await.map(drop)
}

/// A delivery that we ourselves kept from being attempted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalFault {
    /// The delivery.
    pub key: DeliveryKey,
    /// Its new state: unchanged, or failed when this went on for too long.
    pub state: State,
    /// When it is tried again.
    pub due_at_ms: Option<i64>,
}

const FAULT: &str = "\
    update deliveries set state = j.value ->> 'state', open = j.value ->> 'open', \
      due_at_ms = j.value ->> 'due', sweep_at_ms = j.value ->> 'due', faults = faults + 1, \
      faulted_since_ms = coalesce(faulted_since_ms, ?2), \
      last_error = 'internal', \
      reason = case j.value ->> 'open' when 0 then 'internal' end, \
      completed_at_ms = case j.value ->> 'open' when 0 then ?2 end \
    from json_each(?1) j \
    where workspace = j.value ->> 'w' and connection = j.value ->> 'c' \
      and event = j.value ->> 'e' and rule = j.value ->> 'r' and open = 1";

/// Records faults of our own. They use no attempt.
///
/// # Errors
/// When the shard does not answer.
pub async fn fault(log: &impl Database, faulted: &[InternalFault], now_ms: i64) -> Result<()> {
    let one = |f: &InternalFault| {
        json!({"w": f.key.workspace, "c": f.key.connection, "e": f.key.event, "r": f.key.rule,
            "state": f.state.as_str(), "open": i64::from(f.state.is_open()), "due": f.due_at_ms})
    };
    let set = Value::from(faulted.iter().map(one).collect::<Vec<_>>()).to_string();
    run(log, vec![statement(FAULT, [set.into(), now_ms.into()])]).await.map(drop)
}
