//! Pages of a connection's line in a LOG shard: its open deliveries, oldest first. However long a
//! line is, a page costs as many rows as it has.

use crate::domain::base::error::Result;
use crate::domain::base::limits::WINDOW_MAX;
use crate::domain::delivery::state::State;
use crate::domain::lane::queue::{
    ConnectionQueue, Page, PageStart, QueuePosition, WaitingDelivery,
};
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, statement};

impl FromRow for WaitingDelivery {
    fn from_row(row: &mut Row) -> Self {
        let state: State = row.word("state");
        let is_held = state == State::Held;
        // One that is held has neither time.
        let mut time = |column| if is_held { 0 } else { row.int(column) };
        let (sweep_at_ms, due_at_ms): (i64, i64) = (time("sweep_at_ms"), time("due_at_ms"));
        Self {
            place: QueuePosition { event: row.text("event"), rule: row.int("rule") },
            attempt: row.int::<u32>("attempts") + 1,
            // For one that is pending a job was sent, and may be under way.
            start_at_ms: if state == State::Pending { sweep_at_ms } else { due_at_ms },
            due_at_ms,
            payload_bytes: row.int("payload_bytes"),
            is_held,
        }
    }
}

macro_rules! columns {
    () => {
        "select event, rule, state, attempts, due_at_ms, sweep_at_ms, payload_bytes "
    };
}

const OLDEST: &str = concat!(
    columns!(),
    "from deliveries indexed by deliveries_open \
     where workspace = ?1 and connection = ?2 and open = 1 \
     and (event, rule) > (?3, ?4) order by event, rule limit ?5"
);
/// Those of the oldest that were accepted before their connection's order was strict.
const UNNUMBERED: &str = concat!(
    columns!(),
    "from (select event, rule, state, attempts, due_at_ms, sweep_at_ms, payload_bytes, seq \
       from deliveries indexed by deliveries_open \
       where workspace = ?1 and connection = ?2 and open = 1 \
       order by event, rule limit ?3) lines where seq is null"
);
const NUMBERED: &str = concat!(
    columns!(),
    "from deliveries indexed by deliveries_strict \
     where workspace = ?1 and connection = ?2 \
     and seq is not null and (open = 1 or state = 'held') order by seq limit ?3"
);

/// A page of a line. In a strict one what has no number comes first, then the others by number,
/// those that are held included, because they keep back what follows. `now_ms` is noted as the time
/// of reading.
///
/// # Errors
/// When the shard does not answer.
pub async fn page(
    log: &impl Database,
    line: &ConnectionQueue,
    strict: bool,
    from: PageStart,
    now_ms: i64,
) -> Result<Page> {
    let (workspace, connection) = (&line.workspace, &line.connection);
    let mut statements = Vec::new();
    if strict {
        let params = || [workspace.into(), connection.into(), WINDOW_MAX.into()];
        statements.push(statement(UNNUMBERED, params()));
        statements.push(statement(NUMBERED, params()));
    } else {
        let after = match &from {
            PageStart::Head => QueuePosition::default(),
            PageStart::After(place) => place.clone(),
        };
        let params = [
            workspace.into(),
            connection.into(),
            after.event.into(),
            after.rule.into(),
            WINDOW_MAX.into(),
        ];
        statements.push(statement(OLDEST, params));
    }
    let mut rows: Vec<WaitingDelivery> = Vec::new();
    for (index, result) in run(log, statements).await?.iter().enumerate() {
        let found: Vec<WaitingDelivery> = row::all(row::rows(result)?)?;
        // What has a number is started by its lane alone: no job of it can be under way.
        let is_numbered = strict && index > 0;
        rows.extend(found.into_iter().map(|row| match is_numbered {
            true => WaitingDelivery { start_at_ms: row.due_at_ms, ..row },
            false => row,
        }));
    }
    let is_last = rows.len() < WINDOW_MAX;
    Ok(Page { from, rows, is_last, read_at_ms: now_ms })
}

/// The oldest open delivery of a line, the head of a strict one. Test events are left out: they
/// wait for nothing. `None` where nothing is open, or the head of a strict line is held.
///
/// # Errors
/// When the shard does not answer.
pub async fn oldest(
    log: &impl Database,
    line: &ConnectionQueue,
    strict: bool,
    now_ms: i64,
) -> Result<Option<WaitingDelivery>> {
    let page = page(log, line, strict, PageStart::Head, now_ms).await?;
    let first = page.rows.into_iter().find(|row| !row.is_test());
    Ok(first.filter(|row| !row.is_held))
}
