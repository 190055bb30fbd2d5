//! Deliveries that a person cancels.

use crate::domain::base::error::Result;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Database;
use crate::store::deliveries::key_set;
use crate::store::row::{self, FromRow, Row};
use crate::store::{select, statement};

const CANCEL: &str = "\
    update deliveries set state = 'canceled', open = 0, due_at_ms = null, sweep_at_ms = null, \
      reason = 'canceled', completed_at_ms = ?2 from json_each(?1) j \
    where workspace = j.value ->> 0 and connection = j.value ->> 1 and event = j.value ->> 2 \
      and rule = j.value ->> 3 and (open = 1 or state = 'held') returning connection";

/// Cancels those of the deliveries that are open or held, as a person wants it; returns the
/// connection of each.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel(log: &impl Database, keys: &[DeliveryKey], now_ms: i64) -> Result<Vec<String>> {
    struct Canceled(String);
    impl FromRow for Canceled {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("connection"))
        }
    }
    let params = [key_set(keys), now_ms.into()];
    let canceled: Vec<Canceled> = row::all(select(log, statement(CANCEL, params)).await?)?;
    Ok(canceled.into_iter().map(|canceled| canceled.0).collect())
}
