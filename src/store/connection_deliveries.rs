//! The deliveries of one connection in a LOG shard, newest first: its history is a range.

use crate::domain::delivery::state::State;
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows};

/// A delivery with what its event is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Delivery {
    /// Its event.
    pub event: String,
    /// Number of its rule.
    pub rule: u32,
    /// The event's name.
    pub name: String,
    /// The event's resource id.
    pub resource_id: Option<String>,
    /// Its state.
    pub state: State,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next is due.
    pub due_at_ms: Option<i64>,
    /// When the event was accepted.
    pub created_at_ms: i64,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl FromRow for Delivery {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            rule: row.int("rule"),
            name: row.text("name"),
            resource_id: row.maybe_text("resource_id"),
            state: row.word("state"),
            attempts: row.int("attempts"),
            due_at_ms: row.maybe_int("due_at_ms"),
            created_at_ms: row.int("created_at_ms"),
            last_error: row.maybe_text("last_error"),
        }
    }
}

/// Deliveries on the page of a connection.
pub const NEWEST_SHOWN: usize = 20;

const LIST: &str = "\
    select d.event, d.rule, d.state, d.attempts, d.due_at_ms, d.created_at_ms, d.last_error, \
      e.name, e.resource_id \
    from deliveries d cross join events e \
    where d.workspace = ?1 and d.connection = ?2 and (d.event, d.rule) < (?3, ?4) \
      and e.workspace = d.workspace and e.event = d.event \
    order by d.event desc, d.rule desc limit ?5";

/// Deliveries of a connection before the position (event, rule), newest first.
pub fn list(
    workspace: &str,
    connection: &str,
    before: (&str, u32),
    limit: usize,
) -> Query<Vec<Delivery>> {
    let params =
        [workspace.into(), connection.into(), before.0.into(), before.1.into(), limit.into()];
    Query::new(LIST, params, all_rows)
}

/// The newest deliveries of a connection, and one more if there are more.
pub fn newest(workspace: &str, connection: &str) -> Query<Vec<Delivery>> {
    list(workspace, connection, (super::events::NEWEST, 0), NEWEST_SHOWN + 1)
}

const ATTENTION: &str = "\
    select connection, state from deliveries where workspace = ?1 \
      and state in ('failed', 'held') order by workspace, connection, event limit ?2";

/// How many deliveries of a connection wait for somebody to look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// The connection.
    pub connection: String,
    /// Failed ones.
    pub failed: usize,
    /// Held ones.
    pub held: usize,
}

/// Failed and held deliveries of a workspace that are counted for one page.
pub const ATTENTION_COUNTED: usize = 500;

/// What of a workspace waits for somebody to look, by connection, as far as it is counted.
pub fn attention(workspace: &str) -> Query<Vec<Attention>> {
    Query::new(ATTENTION, [workspace.into(), ATTENTION_COUNTED.into()], |rows| {
        let mut counted: Vec<Attention> = Vec::new();
        for WaitingDelivery { connection, state } in all_rows::<WaitingDelivery>(rows)? {
            if counted.last().is_none_or(|last| last.connection != connection) {
                counted.push(Attention { connection, ..Attention::default() });
            }
            if let Some(last) = counted.last_mut() {
                last.failed += usize::from(state == State::Failed);
                last.held += usize::from(state == State::Held);
            }
        }
        Ok(counted)
    })
}

struct WaitingDelivery {
    connection: String,
    state: State,
}

impl FromRow for WaitingDelivery {
    fn from_row(row: &mut Row) -> Self {
        Self { connection: row.text("connection"), state: row.word("state") }
    }
}
