//! Attempts that a person asks for, in a LOG shard.

use crate::domain::base::error::Result;
use crate::domain::base::limits::SWEEP_GRACE_MS;
use crate::domain::delivery::state::{State, Transition};
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, select, statement};

const REPLAY: &str = "\
    update deliveries set state = ?5, open = 1, due_at_ms = ?6, sweep_at_ms = ?6 + ?7, \
      sweeps = 0, faults = 0, faulted_since_ms = null, reason = null, \
      completed_at_ms = null, asked_by = ?8, attempts_before = attempts, owed_since_ms = ?6, \
      seq = case when ?4 > 0 then \
        (select n from strict_counters where workspace = ?1 and connection = ?2) end \
    where workspace = ?1 and connection = ?2 and event = ?3 and rule = ?4 and open = 0 \
      and state in ('delivered', 'failed', 'canceled') and not exists (select 1 from events e \
        where e.workspace = ?1 and e.event = ?3 and e.erased_at_ms is not null) \
    returning attempts, payload_bytes";
/// What is replayed goes to the tail of a strict line; a test event stands outside it.
const TAKE_NUMBER: &str = "\
    update strict_counters set n = n + 1 where workspace = ?1 and connection = ?2 and ?4 > 0 \
      and exists (select 1 from deliveries where workspace = ?1 and connection = ?2 \
        and event = ?3 and rule = ?4 and open = 0 \
        and state in ('delivered', 'failed', 'canceled')) \
      and not exists (select 1 from events e \
        where e.workspace = ?1 and e.event = ?3 and e.erased_at_ms is not null)";
const HURRY: &str = "\
    update deliveries set due_at_ms = ?5, sweep_at_ms = ?5 + ?6, sweeps = 0, asked_by = ?7 \
    where workspace = ?1 and connection = ?2 and event = ?3 and rule = ?4 and open = 1 \
    returning attempts, payload_bytes";

/// What a job for a delivery needs beside its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Woken {
    /// Attempts so far.
    pub attempts: u32,
    /// Bytes of its payload.
    pub payload_bytes: i64,
}

impl FromRow for Woken {
    fn from_row(row: &mut Row) -> Self {
        Self { attempts: row.int("attempts"), payload_bytes: row.int("payload_bytes") }
    }
}

/// Makes a delivery that is settled owed again, its retry schedule from the start.
/// `None` when it is not any more.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn replay(
    log: &impl Database,
    key: &DeliveryKey,
    asked_by: &str,
    now_ms: i64,
) -> Result<Option<Woken>> {
    let state = State::Failed.after(Transition::Replayed);
    let params = [
        (&key.workspace).into(),
        (&key.connection).into(),
        (&key.event).into(),
        key.rule.into(),
        state.as_str().into(),
        now_ms.into(),
        SWEEP_GRACE_MS.into(),
        asked_by.into(),
    ];
    let number =
        [(&key.workspace).into(), (&key.connection).into(), (&key.event).into(), key.rule.into()];
    let statements = vec![statement(TAKE_NUMBER, number), statement(REPLAY, params)];
    row::first(row::rows(&run(log, statements).await?[1])?)
}

/// Makes the next attempt of an open delivery due now. `None` when it is not open any more.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn hurry(
    log: &impl Database,
    key: &DeliveryKey,
    asked_by: &str,
    now_ms: i64,
) -> Result<Option<Woken>> {
    let params = [
        (&key.workspace).into(),
        (&key.connection).into(),
        (&key.event).into(),
        key.rule.into(),
        now_ms.into(),
        SWEEP_GRACE_MS.into(),
        asked_by.into(),
    ];
    row::first(select(log, statement(HURRY, params)).await?)
}
