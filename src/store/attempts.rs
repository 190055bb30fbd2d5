//! Records of attempts in a LOG shard. The first attempt's stands inside its delivery row unless it
//! is long; the others have rows of their own.

use serde_json::{Value, json};

use super::row::{self, FromRow, Row};
use super::{select, statement};
use crate::domain::attempt::Record;
use crate::domain::error::Result;
use crate::domain::job::DeliveryKey;
use crate::ports::{Database, Statement};

/// Where two consumers made the same attempt, the one that was delivered is kept.
const INSERT: &str = "\
    insert into attempts (workspace, connection, event, rule, number, record) \
    select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 \
    from json_each(?1) where true \
    on conflict do update set record = excluded.record \
      where excluded.record ->> 'outcome' = 'delivered'";

/// The statement that stores these records, if there are any: delivery, number, JSON text.
pub fn insert(records: &[(&DeliveryKey, u32, String)]) -> Option<Statement> {
    let row = |(k, number, text): &(&DeliveryKey, u32, String)| {
        json!([k.workspace, k.connection, k.event, k.rule, number, text])
    };
    let set = Value::from(records.iter().map(row).collect::<Vec<_>>()).to_string();
    (!records.is_empty()).then(|| statement(INSERT, [set.into()]))
}

const LIST: &str = "\
    select 1 as number, first_attempt as record from deliveries \
      where workspace = ?1 and connection = ?2 and event = ?3 and rule = ?4 \
        and first_attempt is not null \
    union all \
    select number, record from attempts \
      where workspace = ?1 and connection = ?2 and event = ?3 and rule = ?4";

struct Stored(Option<Record>);

impl FromRow for Stored {
    fn from_row(row: &mut Row) -> Self {
        Self(row.json("record"))
    }
}

/// All attempts of a delivery in order.
///
/// # Errors
/// When the shard does not answer.
pub async fn list(log: &impl Database, key: &DeliveryKey) -> Result<Vec<Record>> {
    let params =
        [(&key.workspace).into(), (&key.connection).into(), (&key.event).into(), key.rule.into()];
    let mut found = select(log, statement(LIST, params)).await?;
    row::sort_by(&mut found, "number");
    let stored: Vec<Stored> = row::all(found)?;
    Ok(stored.into_iter().filter_map(|stored| stored.0).collect())
}
