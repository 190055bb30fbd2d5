//! The deliveries of one connection as the API lists them, newest first: each with its event and
//! the rule that it follows from.

use crate::domain::base::ids::first_event_id;
use crate::domain::base::limits::LIST_READS_MAX;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::{Event, FanOut, Service};
use crate::ports::Param;
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
    "where workspace = ?1 and connection = ?2 and (event, rule) < (?3, ?4) and event >= ?6 \
     order by event desc, rule desc limit ?5) lines cross join events e \
     where e.workspace = lines.workspace and e.event = lines.event"
);
/// The failed ones have an index, which is in the order of the list.
const LIST_FAILED: &str = concat!(
    columns!(),
    delivery!(),
    "indexed by deliveries_failed where workspace = ?1 and connection = ?2 \
       and (event, rule) < (?3, ?4) and event >= ?6 and state = 'failed' \
     order by event desc, rule desc limit ?5) lines cross join events e \
     where e.workspace = lines.workspace and e.event = lines.event"
);
/// Looks at so many deliveries, however few of them are shown.
const LIST_FILTERED: &str = concat!(
    columns!(),
    delivery!(),
    "where workspace = ?1 and connection = ?2 and (event, rule) < (?3, ?4) and event >= ?6 \
     order by event desc, rule desc limit ?7) lines cross join events e \
     where (?8 is null or lines.state in (?8, ?9)) and e.workspace = lines.workspace \
       and e.event = lines.event \
       and (?10 is null or e.name = ?10 or substr(e.name, 1, length(?11)) = ?11) \
     limit ?5"
);
/// The last one that a filtered list looks at, if there may be more after it.
const LIST_END: &str = "\
    select event, rule from deliveries where workspace = ?1 and connection = ?2 \
      and (event, rule) < (?3, ?4) and event >= ?5 \
    order by event desc, rule desc limit 1 offset ?6";

/// Deliveries that one page looks at: they are read for the list, each with its event, and for its
/// end.
const LOOKED_AT: usize = LIST_READS_MAX / 3;

/// Which deliveries of a connection are listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in one of these states.
    pub states: Option<(State, State)>,
    /// Only those of events of this name, or of names that this pattern covers.
    pub name: Option<String>,
    /// Only those of events that were accepted from this moment on.
    pub since_ms: Option<i64>,
    /// Only those of events that were accepted before this moment.
    pub until_ms: Option<i64>,
}

impl Filter {
    /// Whether a page looks at no more than it shows.
    pub fn is_exact(&self) -> bool {
        self.name.is_none() && matches!(self.states, None | Some((State::Failed, _)))
    }

    /// Where a list begins that was to begin before this position (event, rule).
    fn before(&self, (event, rule): (&str, u32)) -> (String, u32) {
        let until = self.until_ms.map(first_event_id).filter(|until| until.as_str() < event);
        until.map_or_else(|| (event.to_owned(), rule), |until| (until, 0))
    }

    /// An id that is not above those of the events that are meant.
    fn first(&self) -> String {
        self.since_ms.map(first_event_id).unwrap_or_default()
    }

    fn range(&self, workspace: &str, connection: &str, before: (&str, u32)) -> [Param; 4] {
        let (event, rule) = self.before(before);
        [workspace.into(), connection.into(), event.into(), rule.into()]
    }
}

/// Deliveries of a connection before the position (event, rule), at most `limit`.
pub fn list(
    workspace: &str,
    connection: &str,
    filter: &Filter,
    before: (&str, u32),
    limit: usize,
) -> Query<Vec<Listed>> {
    let [of, to, event, rule] = filter.range(workspace, connection, before);
    let (limit, first) = (limit.into(), filter.first().into());
    if filter.is_exact() {
        let sql = if filter.states.is_none() { LIST } else { LIST_FAILED };
        return Query::new(sql, [of, to, event, rule, limit, first], all_rows);
    }
    let word = |state: State| state.as_str().to_owned();
    let params = [
        of,
        to,
        event,
        rule,
        limit,
        first,
        LOOKED_AT.into(),
        filter.states.map(|(one, _)| word(one)).into(),
        filter.states.map(|(_, other)| word(other)).into(),
        filter.name.clone().into(),
        // `order.*` begins with `order.`, and all names begin with nothing.
        filter.name.as_deref().and_then(|name| name.strip_suffix('*')).map(str::to_owned).into(),
    ];
    Query::new(LIST_FILTERED, params, all_rows)
}

/// Where a filtered list goes on when it has shown all that it looked at; `None` at the end.
pub fn list_end(
    workspace: &str,
    connection: &str,
    filter: &Filter,
    before: (&str, u32),
) -> Query<Option<(String, u32)>> {
    struct End((String, u32));
    impl FromRow for End {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("event"), row.int("rule")))
        }
    }
    let [of, to, event, rule] = filter.range(workspace, connection, before);
    let params = [of, to, event, rule, filter.first().into(), (LOOKED_AT - 1).into()];
    Query::new(LIST_END, params, |rows| {
        let end: Option<End> = row::first(row::rows(rows)?)?;
        Ok(end.map(|end| end.0))
    })
}
