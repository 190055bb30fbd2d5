//! The deliveries of one connection as the API lists them, newest first: each with its event and
//! the rule that it follows from.

use crate::domain::base::limits::LIST_READS_MAX;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::{Event, FanOut, Service};
use crate::store::events::{DeliverySummary, event_alone};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows};

/// A delivery with its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The event, without its other deliveries.
    pub event: Event,
    /// What of its fan-out this is.
    pub owed: FanOut,
    /// The state.
    pub delivery: DeliverySummary,
}

impl FromRow for Listed {
    fn from_row(row: &mut Row) -> Self {
        let delivery = DeliverySummary::from_row(row);
        let owed = FanOut {
            rule_number: delivery.rule,
            rule: row.text("rule_id"),
            connection: row.text("connection"),
            kind: row.text("kind"),
            held: false,
            service: Service::default(),
        };
        Self { event: event_alone(row), owed, delivery }
    }
}

/// What of the deliveries' rows is read.
macro_rules! delivery {
    () => {
        "select workspace, connection, event, rule, state, attempts, attempts_before, due_at_ms, \
           started_at_ms, completed_at_ms, last_error, reason from deliveries "
    };
}

/// What a [`Listed`] is read from: `lines` are the deliveries.
macro_rules! columns {
    () => {
        "select lines.*, e.name, e.resource, e.resource_id, e.created_by, e.created_at_ms, \
           (select f.value ->> 'r' from json_each(e.fan_out) f \
            where f.value ->> 'n' = lines.rule limit 1) as rule_id, \
           (select f.value ->> 't' from json_each(e.fan_out) f \
            where f.value ->> 'n' = lines.rule limit 1) as kind from ("
    };
}

const LIST: &str = concat!(
    columns!(),
    delivery!(),
    "where workspace = ?1 and connection = ?2 and (event, rule) < (?3, ?4) \
     order by event desc, rule desc limit ?5) lines cross join events e \
     where e.workspace = lines.workspace and e.event = lines.event"
);
/// The failed ones have an index, which is in the order of the list.
const LIST_FAILED: &str = concat!(
    columns!(),
    delivery!(),
    "indexed by deliveries_failed where workspace = ?1 and connection = ?2 \
       and (event, rule) < (?3, ?4) and state = 'failed' \
     order by event desc, rule desc limit ?5) lines cross join events e \
     where e.workspace = lines.workspace and e.event = lines.event"
);
/// Looks at so many deliveries, however few of them are shown.
const LIST_OF_STATES: &str = concat!(
    columns!(),
    delivery!(),
    "where workspace = ?1 and connection = ?2 and (event, rule) < (?3, ?4) \
     order by event desc, rule desc limit ?6) lines cross join events e \
     where lines.state in (?7, ?8) and e.workspace = lines.workspace and e.event = lines.event \
     limit ?5"
);
/// The last one that a list of some states looks at, if there may be more after it.
const LIST_END: &str = "\
    select event, rule from deliveries where workspace = ?1 and connection = ?2 \
      and (event, rule) < (?3, ?4) order by event desc, rule desc limit 1 offset ?5";

/// Deliveries that one page looks at: they are read for the list and for its end.
const LOOKED_AT: usize = LIST_READS_MAX / 2;

/// Deliveries of a connection before the position (event, rule), at most `limit`; only those in one
/// of two states, if states are named.
pub fn list(
    workspace: &str,
    connection: &str,
    states: Option<(State, State)>,
    before: (&str, u32),
    limit: usize,
) -> Query<Vec<Listed>> {
    let [of, to, event, rule] =
        [workspace.into(), connection.into(), before.0.into(), before.1.into()];
    match states {
        None => Query::new(LIST, [of, to, event, rule, limit.into()], all_rows),
        Some((State::Failed, _)) => {
            Query::new(LIST_FAILED, [of, to, event, rule, limit.into()], all_rows)
        }
        Some((one, other)) => {
            let words = [one.as_str().into(), other.as_str().into()];
            let [one, other] = words;
            let looked_at = LOOKED_AT.into();
            let params = [of, to, event, rule, limit.into(), looked_at, one, other];
            Query::new(LIST_OF_STATES, params, all_rows)
        }
    }
}

/// Where a list of some states goes on when it has shown all that it looked at; `None` at the end.
pub fn list_end(
    workspace: &str,
    connection: &str,
    before: (&str, u32),
) -> Query<Option<(String, u32)>> {
    struct End((String, u32));
    impl FromRow for End {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("event"), row.int("rule")))
        }
    }
    let last = (LOOKED_AT - 1).into();
    let params = [workspace.into(), connection.into(), before.0.into(), before.1.into(), last];
    Query::new(LIST_END, params, |rows| {
        let end: Option<End> = row::first(row::rows(rows)?)?;
        Ok(end.map(|end| end.0))
    })
}
