//! Deliveries that were given up, counted by connection for the operational event that tells of
//! them. A trigger counts, in the transaction that gives a delivery up.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::NOTICES_AT_ONCE;
use crate::domain::base::time::HOUR_MS;
use crate::ports::Database;
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// Given-up deliveries of a connection that nobody was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureCount {
    /// The workspace.
    pub workspace: String,
    /// The connection.
    pub connection: String,
    /// When the first of them was given up.
    pub since_ms: i64,
    /// How many.
    pub count: i64,
}

impl FromRow for FailureCount {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            since_ms: row.int("since_ms"),
            count: row.int("count"),
        }
    }
}

/// Connections stay for the hour in which they were told of, and those alone: there are few.
const UNTOLD: &str = "\
    select workspace, connection, since_ms, count from failure_counts \
    where workspace > '' and coalesce(told_at_ms, 0) <= ?1 limit ?2";

/// Those whose turn it is: told of for the last time at least an hour ago. A count may be 0.
pub fn untold(now_ms: i64) -> Query<Vec<FailureCount>> {
    Query::new(UNTOLD, [(now_ms - HOUR_MS).into(), NOTICES_AT_ONCE.into()], all_rows)
}

/// What failed since the read stays counted, from now on.
const TOLD: &str = "\
    update failure_counts set count = count - (j.value ->> 3), told_at_ms = ?2, since_ms = ?2 \
    from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and since_ms = j.value ->> 2";
const FORGET: &str = "\
    delete from failure_counts where (workspace, connection) in (\
      select j.value ->> 0, j.value ->> 1 from json_each(?1) j) and count = 0";

/// Notes that these were told of; those of which nothing failed in the last hour are forgotten.
///
/// # Errors
/// When the shard's answer is not known; it may be repeated.
pub async fn told(log: &impl Database, counts: &[FailureCount], now_ms: i64) -> Result<()> {
    let (quiet, told): (Vec<_>, Vec<_>) = counts.iter().partition(|one| one.count == 0);
    let set = |some: Vec<&FailureCount>| {
        let row =
            |one: &FailureCount| json!([one.workspace, one.connection, one.since_ms, one.count]);
        some.into_iter().map(row).collect::<Value>().to_string()
    };
    let statements = vec![
        statement(FORGET, [set(quiet).into()]),
        statement(TOLD, [set(told).into(), now_ms.into()]),
    ];
    run(log, statements).await.map(drop)
}
