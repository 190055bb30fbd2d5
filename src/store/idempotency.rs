//! Idempotency keys in a LOG shard. A key is claimed by the batch that stores the events. The claim
//! is the first statement and does nothing if there is one already; every insert after it checks
//! whose claim it is, and the last statement returns it. It is one transaction, so the first
//! request wins and all the others learn that.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{
    IDEMPOTENCY_KEPT_MS, KEYS_FORGOTTEN_AT_ONCE, KEYS_FORGOTTEN_STEPS,
};
use crate::domain::routing::idempotency::{Claim, Claims, Placed, StoredClaim, swept_ids};
use crate::ports::{Database, Statement};
use crate::store::row::{FromRow, Row};
use crate::store::{all_rows, run, set, statement};

/// A key that is there is left alone, unless its time is over: the sweeper may come late.
const CLAIM: &str = "\
    insert into idempotency_keys (id, owner, body_hash, events, created_by, created_at_ms) \
    select value ->> 0, ?2, ?3, value -> 1, ?4, ?5 from json_each(?1) where true \
    on conflict do update set owner = excluded.owner, body_hash = excluded.body_hash, \
      events = excluded.events, created_by = excluded.created_by, \
      created_at_ms = excluded.created_at_ms \
    where idempotency_keys.created_at_ms <= excluded.created_at_ms - ?6";

/// Claims keys; the first statement of its batch.
pub fn claim(claims: &Claims) -> Statement {
    let row = |claim: &Claim| {
        let events: Value = claim.events.iter().map(placed).collect();
        json!([claim.id, events])
    };
    let rows: Value = claims.of.iter().map(row).collect();
    let params = [
        rows.to_string().into(),
        (&claims.owner).into(),
        (&claims.body_hash).into(),
        (&claims.created_by).into(),
        claims.created_at_ms.into(),
        IDEMPOTENCY_KEPT_MS.into(),
    ];
    statement(CLAIM, params)
}

const KEPT: &str = "\
    select k.id, k.owner, k.body_hash, k.events, k.created_by, k.created_at_ms \
    from json_each(?1) j cross join idempotency_keys k where k.id = j.value";

/// Asks who has the keys; the last statement of the batch that claims them.
pub fn kept(claims: &Claims) -> Statement {
    let ids: Value = claims.of.iter().map(|claim| claim.id.as_str()).collect();
    statement(KEPT, [ids.to_string().into()])
}

const KEEP: &str = "\
    insert into idempotency_keys (id, owner, body_hash, events, created_by, created_at_ms) \
    values (?1, ?2, ?3, ?4, ?5, ?6) \
    on conflict do update set owner = excluded.owner, body_hash = excluded.body_hash, \
      events = excluded.events, created_by = excluded.created_by, \
      created_at_ms = excluded.created_at_ms";

/// Claims a key that nobody has, or whose time is over.
pub fn keep(claim: &StoredClaim) -> Statement {
    let events: Value = claim.events.iter().map(placed).collect();
    let params = [
        (&claim.id).into(),
        (&claim.owner).into(),
        (&claim.body_hash).into(),
        events.to_string().into(),
        (&claim.created_by).into(),
        claim.created_at_ms.into(),
    ];
    statement(KEEP, params)
}

/// Who has these keys.
///
/// # Errors
/// When the database does not answer.
pub async fn find(db: &impl Database, ids: &[&str]) -> Result<Vec<StoredClaim>> {
    let results = run(db, vec![statement(KEPT, [set(&ids)])]).await?;
    all_rows(&results[0])
}

fn placed(placed: &Placed) -> Value {
    json!({"i": placed.index, "e": placed.event})
}

impl FromRow for StoredClaim {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            owner: row.text("owner"),
            body_hash: row.text("body_hash"),
            events: row.rows("events"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
        }
    }
}

impl FromRow for Placed {
    fn from_row(row: &mut Row) -> Self {
        Self { index: row.int::<u32>("i") as usize, event: row.text("e") }
    }
}

const FORGET: &str = "\
    delete from idempotency_keys where id in (select id from idempotency_keys \
      where id >= ?1 and id < ?2 and created_at_ms <= ?3 limit ?4) returning id";

/// Deletes the old keys whose turn it is in the minute of `now_ms`, in steps: all keys have their
/// turn once a day.
///
/// # Errors
/// When the database does not answer.
pub async fn forget_old(db: &impl Database, now_ms: i64) -> Result<()> {
    let (from, until) = swept_ids(now_ms);
    let claimed_until_ms = now_ms - IDEMPOTENCY_KEPT_MS;
    for _ in 0..KEYS_FORGOTTEN_STEPS {
        let limit = KEYS_FORGOTTEN_AT_ONCE.into();
        let params = [(&from).into(), (&until).into(), claimed_until_ms.into(), limit];
        let results = run(db, vec![statement(FORGET, params)]).await?;
        if super::row::rows(&results[0])?.len() < KEYS_FORGOTTEN_AT_ONCE {
            break;
        }
    }
    Ok(())
}
