//! Records of attempts in a LOG shard. The first attempt's record is in its delivery's row unless
//! it is long; the others have rows of their own.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::base::limits::ATTEMPTS_SHOWN;
use crate::domain::delivery::attempt::Record;
use crate::domain::delivery::headers::StoredHeader;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::{Rows, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, statement};

/// Where two consumers made the same attempt, the one that was delivered is kept. Of a delivery
/// that was deleted meanwhile nothing is kept.
const INSERT: &str = "\
    insert into attempts (workspace, connection, event, rule, number, record) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
    from json_each(?1) where exists (select 1 from deliveries d where d.workspace = value ->> 0 \
      and d.connection = value ->> 1 and d.event = value ->> 2 and d.rule = value ->> 3) \
    on conflict do update set record = excluded.record \
      where excluded.record ->> 'outcome' = 'delivered'";

/// The JSON text of a record's row.
pub fn row(k: &DeliveryKey, number: u32, record: &str) -> String {
    json!([k.workspace, k.connection, k.event, k.rule, number, record]).to_string()
}

/// The statement that stores these rows, if there are any.
pub fn insert(rows: &[&str]) -> Option<Statement> {
    let set = format!("[{}]", rows.join(","));
    (!rows.is_empty()).then(|| statement(INSERT, [set.into()]))
}

/// Delivery by delivery through the event's fan-out list. What the receiver answered is left out of
/// all but the last attempt of each.
const OF_EVENT: &str = "\
    select d.event, d.connection, d.rule, 1 as number, case when d.attempts > 1 then \
        json_remove(d.first_attempt, '$.excerpt', '$.body', '$.response_headers') \
        else d.first_attempt end as record \
      from events e cross join json_each(e.fan_out) f cross join deliveries d \
      where e.workspace = ?1 and e.event = ?2 and d.workspace = e.workspace \
        and d.connection = f.value ->> 'c' and d.event = e.event and d.rule = f.value ->> 'n' \
        and d.first_attempt is not null and d.attempts <= ?3 \
    union all \
    select a.event, a.connection, a.rule, a.number, case when a.number < d.attempts then \
        json_remove(a.record, '$.excerpt', '$.body', '$.response_headers') else a.record end \
      from events e cross join json_each(e.fan_out) f cross join deliveries d \
        cross join attempts a \
      where e.workspace = ?1 and e.event = ?2 and d.workspace = e.workspace \
        and d.connection = f.value ->> 'c' and d.event = e.event and d.rule = f.value ->> 'n' \
        and a.workspace = d.workspace and a.connection = d.connection and a.event = d.event \
        and a.rule = d.rule and a.number > d.attempts - ?3";

/// The numbers of a delivery's attempts have no gaps.
const OF_DELIVERY: &str = "\
    select d.event, d.rule, 1 as number, d.first_attempt as record \
      from events e cross join json_each(e.fan_out) f cross join deliveries d \
      where e.workspace = ?1 and e.event = ?2 and f.value ->> 'r' = ?3 \
        and d.workspace = e.workspace and d.connection = f.value ->> 'c' and d.event = e.event \
        and d.rule = f.value ->> 'n' and d.first_attempt is not null and ?4 < 1 \
    union all \
    select a.event, a.rule, a.number, a.record \
      from events e cross join json_each(e.fan_out) f cross join attempts a \
      where e.workspace = ?1 and e.event = ?2 and f.value ->> 'r' = ?3 \
        and a.workspace = e.workspace and a.connection = f.value ->> 'c' and a.event = e.event \
        and a.rule = f.value ->> 'n' and a.number > ?4 and a.number <= ?4 + ?5";

/// The record of an attempt with the number of its delivery's rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Number of the rule.
    pub rule: u32,
    /// The record.
    pub record: Record,
}

struct Stored(u32, Option<Record>);

impl FromRow for Stored {
    fn from_row(row: &mut Row) -> Self {
        let (event, rule) = (row.text("event"), row.int("rule"));
        let stored: Option<Record<StoredHeader>> = row.json("record");
        Self(rule, stored.map(|record| record.unpack(&event, rule)))
    }
}

/// The text of a record as it is stored.
pub fn text(key: &DeliveryKey, record: &Record) -> String {
    let stored = record.clone().pack(&key.event, key.rule);
    serde_json::to_string(&stored).expect("a record is JSON")
}

/// The newest [`ATTEMPTS_SHOWN`] attempts of all deliveries of an event, those of each in order.
pub fn of_event(workspace: &str, event: &str) -> Query<Vec<Attempt>> {
    Query::new(OF_EVENT, [workspace.into(), event.into(), ATTEMPTS_SHOWN.into()], in_order)
}

/// The attempts of an event's delivery by the rule with this id after the number `after`, in order,
/// at most `limit`.
pub fn of_delivery(
    workspace: &str,
    event: &str,
    rule: &str,
    after: u32,
    limit: usize,
) -> Query<Vec<Attempt>> {
    let params = [workspace.into(), event.into(), rule.into(), after.into(), limit.into()];
    Query::new(OF_DELIVERY, params, in_order)
}

fn in_order(rows: &Rows) -> Result<Vec<Attempt>> {
    let mut found = row::rows(rows)?;
    row::sort_by(&mut found, &["number"]);
    let stored: Vec<Stored> = row::all(found)?;
    let attempt = |Stored(rule, record)| Some(Attempt { rule, record: record? });
    Ok(stored.into_iter().filter_map(attempt).collect())
}
