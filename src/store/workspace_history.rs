//! Deleting all that a deleted workspace had in its LOG shard, in bounded steps.

use crate::domain::base::error::Result;
use crate::domain::base::limits::CLEARED_ROWS;
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, statement};

/// Deletes some rows of a deleted workspace from a table, by its key.
macro_rules! clear {
    ($table:literal, $key:literal) => {
        concat!(
            "delete from ",
            $table,
            " where (",
            $key,
            ") in (select ",
            $key,
            " from ",
            $table,
            " where workspace = ?1 limit ?2)"
        )
    };
}
/// An event is left to the next step until none of its workspace's deliveries is there.
macro_rules! first_events {
    () => {
        "from events e where e.workspace = ?1 \
           and not exists (select 1 from deliveries d where d.workspace = ?1) \
         order by e.workspace, e.event limit ?2)"
    };
}
/// In the order in which they go.
const CLEAR: [&str; 14] = [
    clear!("deliveries", "workspace, connection, event, rule"),
    clear!("attempts", "workspace, connection, event, rule, number"),
    concat!("delete from payloads where id in (select e.payload_id ", first_events!()),
    concat!(
        "delete from events where (workspace, event) in (select e.workspace, e.event ",
        first_events!()
    ),
    clear!("sessions", "id"),
    clear!("replay_steps", "workspace, replay, number"),
    clear!("replays", "workspace, id"),
    clear!("rollups", "workspace, day_ms, connection"),
    clear!("names_seen", "workspace, kind, name"),
    clear!("lanes", "workspace, connection"),
    clear!("strict_counters", "workspace, connection"),
    clear!("event_counts", "workspace, month_ms"),
    clear!("failure_counts", "workspace, connection"),
    clear!("erasures", "workspace, id"),
];
const IS_LEFT: &str = "\
    select exists (select 1 from deliveries where workspace = ?1) \
      or exists (select 1 from attempts where workspace = ?1) \
      or exists (select 1 from events where workspace = ?1) \
      or exists (select 1 from sessions where workspace = ?1) \
      or exists (select 1 from replay_steps where workspace = ?1) \
      or exists (select 1 from replays where workspace = ?1) \
      or exists (select 1 from rollups where workspace = ?1) \
      or exists (select 1 from names_seen where workspace = ?1) \
      or exists (select 1 from lanes where workspace = ?1) \
      or exists (select 1 from strict_counters where workspace = ?1) \
      or exists (select 1 from event_counts where workspace = ?1) \
      or exists (select 1 from failure_counts where workspace = ?1) \
      or exists (select 1 from erasures where workspace = ?1) as is_left";

/// Deletes some of all that a deleted workspace had; whether anything is left.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn clear(log: &impl Database, workspace: &str) -> Result<bool> {
    struct Left(bool);
    impl FromRow for Left {
        fn from_row(row: &mut Row) -> Self {
            Self(row.flag("is_left"))
        }
    }
    let clear = |sql| statement(sql, [workspace.into(), CLEARED_ROWS.into()]);
    let mut statements: Vec<Statement> = CLEAR.into_iter().map(clear).collect();
    statements.push(statement(IS_LEFT, [workspace.into()]));
    let results = run(log, statements).await?;
    let left: Left = row::one(row::rows(&results[CLEAR.len()])?, "workspace")?;
    Ok(left.0)
}
