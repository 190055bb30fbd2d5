//! What CONTROL knows of LOG shards: how large each was when it was looked at last.

use crate::domain::base::error::Result;
use crate::domain::base::storage::StorageLevel;
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// The size of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardSize {
    /// Its number.
    pub shard: u16,
    /// Bytes of its database.
    pub bytes: i64,
}

impl ShardSize {
    /// How full it is.
    pub fn level(self) -> StorageLevel {
        StorageLevel::of(self.bytes)
    }
}

impl FromRow for ShardSize {
    fn from_row(row: &mut Row) -> Self {
        Self { shard: row.int("shard"), bytes: row.int("bytes") }
    }
}

const LIST: &str = "select shard, bytes from shards where shard >= 0 order by shard";

/// The sizes of those shards that were looked at, by number.
pub fn list() -> Query<Vec<ShardSize>> {
    Query::new(LIST, [], all_rows)
}

const FIND: &str = "select shard, bytes from shards where shard = ?1";

/// The size of a shard, if it was looked at.
pub fn find(shard: u16) -> Query<Option<ShardSize>> {
    Query::new(FIND, [i64::from(shard).into()], |rows| row::first(row::rows(rows)?))
}

const PUT: &str = "\
    insert into shards (shard, bytes, noted_at_ms) values (?1, ?2, ?3) \
    on conflict do update set bytes = excluded.bytes, noted_at_ms = excluded.noted_at_ms";

/// Stores the size of a shard, and in the same batch whom to tell.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn put(
    control: &impl Database,
    size: ShardSize,
    now_ms: i64,
    told: Option<Statement>,
) -> Result<()> {
    let params = [i64::from(size.shard).into(), size.bytes.into(), now_ms.into()];
    let statements = told.into_iter().chain([statement(PUT, params)]);
    run(control, statements.collect()).await.map(drop)
}
