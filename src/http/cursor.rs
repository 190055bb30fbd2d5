//! Cursors: where a list goes on, as one opaque word (`^[A-Za-z0-9_-]+$`, the wire contract).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Call, Reply};
use crate::domain::error::{Error, Result};

/// Reads the cursor of a call; `None` at the start of a list. `list` names the list, so that a
/// cursor of one is not taken for one of another.
///
/// # Errors
/// `Invalid` naming `cursor` when it is not one that this list gave.
pub fn read<T: DeserializeOwned>(call: &Call, list: &str) -> Result<Option<T>> {
    let Some(text) = call.request.query("cursor") else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(&text).ok();
    let read: Option<(String, T)> = decoded.and_then(|json| serde_json::from_slice(&json).ok());
    match read {
        Some((name, position)) if name == list => Ok(Some(position)),
        _ => Err(Error::field("cursor", "is not a cursor of this list")),
    }
}

/// The cursor that goes on at this position of a list.
pub fn write(list: &str, position: &impl Serialize) -> String {
    let text = json!([list, position]).to_string();
    URL_SAFE_NO_PAD.encode(text)
}

/// The list envelope of the wire contract. `found` has one record more than `limit` where there is
/// more to come; `position` tells where to go on after a record.
pub fn page<T, C: Serialize>(
    list: &str,
    mut found: Vec<T>,
    limit: usize,
    position: impl Fn(&T) -> C,
    show: impl Fn(&T) -> Value,
) -> Reply {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(position);
    page_to(list, found.iter().map(show).collect(), limit, next.as_ref())
}

/// The list envelope around these records, where the list goes on at `next`.
pub fn page_to(
    list: &str,
    records: Vec<Value>,
    limit: usize,
    next: Option<&impl Serialize>,
) -> Reply {
    envelope(records, limit, next.map(|next| write(list, next)))
}

/// Apart from [`page`], which is compiled anew for every kind of record.
fn envelope(records: Vec<Value>, limit: usize, next: Option<String>) -> Reply {
    Reply::ok(&json!({
        "count": records.len(), "limit": limit, "next_cursor": next, "records": records,
    }))
}
