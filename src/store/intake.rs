//! The storage of an intake, a database of its own: rows of events that are not in LOG yet or just
//! came there, in the order in which they were accepted, and idempotency keys of its workspaces.

use crate::domain::base::error::{Error, Result};
use crate::domain::intake::backlog::Head;
use crate::domain::intake::waiting::VERSION;
use crate::domain::routing::idempotency::StoredClaim;
use crate::ports::{Database, Statement};
use crate::store::idempotency;
use crate::store::row::{FromRow, Row};
use crate::store::{all_rows, run, set, statement};

/// `version` is that of the text; `events` is how many it holds.
const ROWS: &str = "\
    create table if not exists waiting (n integer not null primary key, version integer not null, \
      shard integer not null, at_ms integer not null, is_alone integer not null, \
      events integer not null, \
      text text not null)";
/// As in LOG, where the keys of an installation without intakes are.
const KEYS: &str = "\
    create table if not exists idempotency_keys (id text not null primary key, \
      owner text not null, body_hash text not null, events text not null, \
      created_by text not null, created_at_ms integer not null) without rowid";
const HEADS: &str = "\
    select n, version, shard, at_ms, is_alone, events, length(text) as bytes from waiting \
    where n > ?1 order by n limit ?2";
/// Rows that are read at once.
const HEADS_AT_ONCE: usize = 10_000;

impl FromRow for Head {
    fn from_row(row: &mut Row) -> Self {
        Self {
            n: row.int("n"),
            version: row.int("version"),
            shard: row.int("shard"),
            at_ms: row.int("at_ms"),
            is_alone: row.flag("is_alone"),
            events: row.int::<u32>("events") as usize,
            bytes: row.int::<u32>("bytes") as usize,
        }
    }
}

/// Makes the tables if they are not there; all rows that wait.
///
/// # Errors
/// When the storage does not answer.
pub async fn open(storage: &impl Database) -> Result<Vec<Head>> {
    let tables = vec![statement(ROWS, []), statement(KEYS, [])];
    run(storage, tables).await?;
    let (mut heads, mut last): (Vec<Head>, i64) = (Vec::new(), 0);
    loop {
        let page = statement(HEADS, [last.into(), HEADS_AT_ONCE.into()]);
        let results = run(storage, vec![page]).await?;
        let page: Vec<Head> = all_rows(&results[0])?;
        heads.extend(&page);
        match page.last() {
            Some(head) if page.len() == HEADS_AT_ONCE => last = head.n,
            _ => return Ok(heads),
        }
    }
}

const ADD: &str = "\
    insert into waiting (n, version, shard, at_ms, is_alone, events, text) \
    values (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
/// A new row in the place of one that was flushed: one row written, where deleting that one and
/// adding this one are two.
const REPLACE: &str = "\
    update waiting set n = ?1, version = ?2, shard = ?3, at_ms = ?4, is_alone = ?5, events = ?6, \
      text = ?7 where n = ?8 \
    returning n";

/// Stores rows with their texts and claims keys that nobody has, all or none. The first rows take
/// the places of `flushed` ones.
///
/// # Errors
/// When it is not known whether they were stored.
pub async fn add(
    storage: &impl Database,
    rows: &[(Head, String)],
    claims: &[StoredClaim],
    flushed: &[i64],
) -> Result<()> {
    let row = |(place, (head, text)): (usize, &(Head, String))| {
        let (n, at_ms, events) = (head.n.into(), head.at_ms.into(), head.events.into());
        let (version, shard) = (u32::from(VERSION).into(), u32::from(head.shard).into());
        let (is_alone, text) = (head.is_alone.into(), text.into());
        match flushed.get(place) {
            Some(&former) => {
                let former = former.into();
                statement(REPLACE, [n, version, shard, at_ms, is_alone, events, text, former])
            }
            None => statement(ADD, [n, version, shard, at_ms, is_alone, events, text]),
        }
    };
    let mut statements: Vec<Statement> = rows.iter().enumerate().map(row).collect();
    statements.extend(claims.iter().map(idempotency::keep));
    let results = run(storage, statements).await?;
    for replaced in results.iter().take(rows.len().min(flushed.len())) {
        // Never: what is not there any more would not be stored, and be answered all the same.
        if replaced.is_empty() {
            return Err(Error::internal("the place of a flushed row is gone"));
        }
    }
    Ok(())
}

const TEXTS: &str = "\
    select w.text from json_each(?1) j cross join waiting w where w.n = j.value";

/// The texts of rows, in the order of these numbers.
///
/// # Errors
/// When the storage does not answer.
pub async fn texts(storage: &impl Database, numbers: &[i64]) -> Result<Vec<String>> {
    struct Text(String);
    impl FromRow for Text {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("text"))
        }
    }
    let results = run(storage, vec![statement(TEXTS, [set(&numbers)])]).await?;
    let found: Vec<Text> = all_rows(&results[0])?;
    Ok(found.into_iter().map(|Text(text)| text).collect())
}

const DROP: &str = "delete from waiting where n in (select value from json_each(?1))";

/// Deletes rows that were flushed.
///
/// # Errors
/// When it is not known whether they were deleted.
pub async fn drop_rows(storage: &impl Database, numbers: &[i64]) -> Result<()> {
    run(storage, vec![statement(DROP, [set(&numbers)])]).await.map(drop)
}
