//! How a shard does: what is owed, and what of it is late.

use crate::domain::base::limits::VITALS_LOOKED_AT;
use crate::store::Query;
use crate::store::row::{self, FromRow, Row};

/// What is owed on a shard. Of a great many deliveries only the first are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Deliveries that owe an attempt, as far as they were looked at.
    pub open: i64,
    /// When the oldest of them was due.
    pub due_at_ms: Option<i64>,
    /// The same of those that wait for the queue alone: not behind another one, nor for a lane.
    pub queued_due_at_ms: Option<i64>,
}

impl FromRow for Vitals {
    fn from_row(row: &mut Row) -> Self {
        Self {
            open: row.int("open"),
            due_at_ms: row.maybe_int("due_at_ms"),
            queued_due_at_ms: row.maybe_int("queued_due_at_ms"),
        }
    }
}

const VITALS: &str = "\
    select count(*) as open, min(due_at_ms) as due_at_ms, \
      min(case when waits = 0 then due_at_ms end) as queued_due_at_ms \
    from (select d.due_at_ms, d.seq is not null or exists (select 1 from lanes l \
        where l.workspace = d.workspace and l.connection = d.connection and l.mode > 0) as waits \
      from deliveries d indexed by deliveries_open \
      where d.workspace > '' and d.open = 1 order by d.workspace, d.connection limit ?1)";

/// How the shard does.
pub fn vitals() -> Query<Vitals> {
    Query::new(VITALS, [VITALS_LOOKED_AT.into()], |rows| row::one(row::rows(rows)?, "count"))
}
