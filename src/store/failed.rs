//! Failed deliveries of a workspace in a LOG shard, newest first over its connections.
//!
//! The index of failed deliveries is in order for each connection. So a list goes from event to
//! event: the next one is the newest of the next ones of all connections. Deliveries that did not
//! fail are never read.

use serde_json::json;

use crate::store::events::{EventWithDeliveries, event_columns};
use crate::store::{Query, row};

/// The newest event before `$before` of which a delivery to one of the connections is failed.
macro_rules! next {
    ($before:literal) => {
        concat!(
            "(select max((select d.event from deliveries d indexed by deliveries_failed \
               where d.workspace = ?1 and d.connection = j.value and d.state = 'failed' \
                 and d.event < ",
            $before,
            " order by d.event desc limit 1)) from json_each(?2) j)"
        )
    };
}

const LIST: &str = concat!(
    "with recursive lines(event) as (select ",
    next!("?3"),
    " union all select ",
    next!("lines.event"),
    " from lines where lines.event is not null limit ?4) ",
    event_columns!(),
    "from lines cross join events e where e.workspace = ?1 and e.event = lines.event"
);

/// Failed deliveries that one page looks at, over all connections.
const LOOKED_AT: usize = 2_500;

/// The most events that one page can show: each is looked for among the failed deliveries of every
/// connection, and read with its own.
pub fn shown_max(connections: usize, asked: usize) -> usize {
    asked.min(LOOKED_AT / connections.max(1)).max(1)
}

/// The newest events before the id `before` of which a delivery to one of these connections is
/// failed, at most `limit`, newest first.
pub fn list(
    workspace: &str,
    connections: &[&str],
    before: &str,
    limit: usize,
) -> Query<Vec<EventWithDeliveries>> {
    let among = json!(connections).to_string();
    Query::new(LIST, [workspace.into(), among.into(), before.into(), limit.into()], |rows| {
        let mut found = row::rows(rows)?;
        row::sort_by(&mut found, &["event"]);
        found.reverse();
        row::all(found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shorter_where_many_connections_are_looked_at() {
        for (connections, expected) in [(0, 25), (1, 25), (100, 25), (200, 12), (9_999, 1)] {
            assert_eq!(shown_max(connections, 25), expected, "{connections}");
        }
    }
}
