//! Cursors: where a list goes on, as one opaque word (`^[A-Za-z0-9_-]+$`, the wire contract).
//!
//! A cursor names its list and ends with a check of what it says. So one of another list, one that
//! was cut short and one that somebody made up are told apart from ours. The check is no secret: a
//! position opens nothing, since every list asks for what its caller may see.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::actor::Scope;
use crate::http::{Call, Reply};

/// Reads the cursor of a call; `None` at the start of a list. `list` names the list, so that a
/// cursor of one is not taken for one of another.
///
/// # Errors
/// `Invalid` naming `cursor` when it is not one that this list gave.
pub fn read<T: DeserializeOwned>(call: &Call, list: &str) -> Result<Option<T>> {
    let Some(text) = call.request.query("cursor") else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(&text).ok();
    let checked = decoded.as_deref().and_then(checked);
    let read: Option<(String, T)> =
        checked.and_then(|json| serde_json::from_str(std::str::from_utf8(json).ok()?).ok());
    match read {
        Some((name, position)) if name == list => Ok(Some(position)),
        _ => Err(Error::field("cursor", "is not a cursor of this list")),
    }
}

/// The cursor that goes on at this position of a list.
pub fn write(list: &str, position: &impl Serialize) -> String {
    let mut bytes = json!([list, position]).to_string().into_bytes();
    let check = check(&bytes);
    bytes.extend(check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The name of a list of this scope: that of one workspace is another list than that of another,
/// and than that of the whole organization.
pub fn list_of(list: &str, scope: &Scope) -> String {
    let of = scope.workspace.as_ref().unwrap_or(&scope.organization);
    format!("{list}/{of}")
}

/// Bytes of the check.
const CHECK_BYTES: usize = 6;

fn check(json: &[u8]) -> [u8; CHECK_BYTES] {
    let digest = Sha256::new().chain_update("posthorn cursor ").chain_update(json).finalize();
    std::array::from_fn(|index| digest[index])
}

/// What a cursor says, if its check fits.
fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (json, given) = bytes.split_at_checked(bytes.len().checked_sub(CHECK_BYTES)?)?;
    (check(json) == given).then_some(json)
}

/// The list envelope of the wire contract. `found` has one record more than `limit` where there is
/// more to come; `position` says where to go on after a record.
pub fn page<T, C: Serialize>(
    list: &str,
    found: Vec<T>,
    limit: usize,
    position: impl Fn(&T) -> C,
    show: impl Fn(&T) -> Value,
) -> Reply {
    page_within(list, found, limit, None, position, show)
}

/// The same of a list that looks at a bounded number of records: `end` is where it goes on when
/// all that it found is shown.
pub fn page_within<T, C: Serialize>(
    list: &str,
    mut found: Vec<T>,
    limit: usize,
    end: Option<C>,
    position: impl Fn(&T) -> C,
    show: impl Fn(&T) -> Value,
) -> Reply {
    let next = if found.len() > limit { found.get(limit - 1).map(position) } else { end };
    found.truncate(limit);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;
    use crate::http::access::Caller;

    fn call(cursor: &str) -> Call {
        let request = Request {
            method: http::Method::GET,
            origin: String::new(),
            path: String::new(),
            query: format!("cursor={cursor}"),
            headers: http::HeaderMap::new(),
            body: Vec::new(),
        };
        Call { request, caller: Caller::Anyone, params: Vec::new() }
    }

    #[test]
    fn a_list_takes_its_own_cursors_only() {
        let position = ("name".to_owned(), 7);
        let cursor = write("rules/1", &position);
        let word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(cursor.chars().all(word), "{cursor}");
        let given: Option<(String, u32)> = read(&call(&cursor), "rules/1").expect("its own");
        assert_eq!(given, Some(position));
        assert!(read::<(String, u32)>(&call(&cursor), "rules/2").is_err());
        assert!(read::<String>(&call(&cursor), "rules/1").is_err());
        // Every single character counts, and so does what is cut off or put behind.
        for index in 0..cursor.len() {
            for other in ["A", "7", "_"] {
                let mut changed = cursor.clone();
                changed.replace_range(index..=index, other);
                let read = read::<(String, u32)>(&call(&changed), "rules/1");
                assert_eq!(read.is_err(), changed != cursor, "{changed}");
            }
        }
        for forged in ["", "x", "AAAAAAAA", &cursor[4..], &cursor[..cursor.len() - 4]] {
            assert!(read::<(String, u32)>(&call(forged), "rules/1").is_err(), "{forged}");
        }
        let unchecked = URL_SAFE_NO_PAD.encode(json!(["rules/1", ["name", 7]]).to_string());
        assert!(read::<(String, u32)>(&call(&unchecked), "rules/1").is_err());
    }
}
