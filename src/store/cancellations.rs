//! What a range of events still owes, in a LOG shard.

use crate::domain::base::error::Result;
use crate::domain::base::limits::REPLAY_READS_MAX;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::{Database, Param};
use crate::store::row::{self, FromRow, Row};
use crate::store::{all_rows, run, select, statement};

/// Which events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// Their workspace.
    pub workspace: String,
    /// An id that is not above those of all of them.
    pub first: String,
    /// An id above those of all of them.
    pub end: String,
    /// Only those of this name.
    pub event: Option<String>,
    /// Only what is owed to this connection.
    pub connection: Option<String>,
}

impl Range {
    fn params(&self, limit: usize) -> [Param; 7] {
        [
            (&self.workspace).into(),
            (&self.first).into(),
            (&self.end).into(),
            self.event.clone().into(),
            self.connection.clone().into(),
            REPLAY_READS_MAX.into(),
            limit.into(),
        ]
    }
}

/// The open and held deliveries of so many of the events.
macro_rules! owed {
    () => {
        "from (select workspace, event, name, fan_out from events where workspace = ?1 \
             and event >= ?2 and event < ?3 and (?4 is null or name = ?4) \
           order by event limit ?6) lines \
           cross join json_each(lines.fan_out) f cross join deliveries d \
         where d.workspace = lines.workspace and d.connection = f.value ->> 'c' \
           and d.event = lines.event and d.rule = f.value ->> 'n' \
           and (?5 is null or d.connection = ?5) and (d.open = 1 or d.state = 'held') \
         limit ?7"
    };
}

const COUNT: &str = concat!("select count(*) as n from (select 1 ", owed!(), ")");
const LOOKED_AT: &str = "\
    select count(*) as n from (select 1 from events where workspace = ?1 and event >= ?2 \
      and event < ?3 and (?4 is null or name = ?4) limit ?5)";
const OWED: &str = concat!("select d.workspace, d.connection, d.event, d.rule ", owed!());

/// How many deliveries a range still owes, at most `limit`, and how many events had to be looked
/// at, at most one more than [`REPLAY_READS_MAX`].
///
/// # Errors
/// When the shard does not answer.
pub async fn count(log: &impl Database, range: &Range, limit: usize) -> Result<(usize, usize)> {
    struct Count(usize);
    impl FromRow for Count {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int::<u32>("n") as usize)
        }
    }
    let [workspace, first, end, event, ..] = range.params(limit);
    let most = (REPLAY_READS_MAX + 1).into();
    let looked_at = statement(LOOKED_AT, [workspace, first, end, event, most]);
    let results = run(log, vec![statement(COUNT, range.params(limit)), looked_at]).await?;
    let count = |at: usize| -> Result<usize> {
        let counts: Vec<Count> = all_rows(&results[at])?;
        Ok(counts.first().map_or(0, |count| count.0))
    };
    Ok((count(0)?, count(1)?))
}

/// Deliveries that a range still owes, at most `limit`.
///
/// # Errors
/// When the shard does not answer.
pub async fn owed(log: &impl Database, range: &Range, limit: usize) -> Result<Vec<DeliveryKey>> {
    row::all(select(log, statement(OWED, range.params(limit))).await?)
}

impl FromRow for DeliveryKey {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            event: row.text("event"),
            rule: row.int("rule"),
        }
    }
}
