//! The newest payloads of a workspace in a LOG shard, to try something out on.

use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows};

/// An event with its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentPayload {
    /// Its id.
    pub event: String,
    /// Its name.
    pub name: String,
    /// When it was accepted.
    pub created_at_ms: i64,
    /// The payload's exact text.
    pub payload: String,
}

impl FromRow for RecentPayload {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            name: row.text("name"),
            created_at_ms: row.int("created_at_ms"),
            payload: row.text("payload"),
        }
    }
}

/// Events that are answered, events that are looked at, and the longest payload that is read.
const SHOWN: usize = 10;
const LOOKED_AT: usize = 300;
const BYTES_MAX: usize = 64 * 1024;

/// Looks at so many events, however few of them are answered.
const NEWEST: &str = "\
    select lines.event, lines.name, lines.created_at_ms, \
      coalesce(lines.payload, p.payload) as payload \
    from (select event, name, resource, resource_id, created_at_ms, payload, payload_id, \
        payload_bytes, erased_at_ms \
      from events where workspace = ?1 order by event desc limit ?2) lines \
      left join payloads p on p.id = lines.payload_id \
    where (lines.name = ?3 or substr(lines.name, 1, length(?4)) = ?4) \
      and (?5 is null or (lines.resource = ?5 and lines.resource_id = ?6)) \
      and lines.erased_at_ms is null and lines.payload_bytes <= ?7 limit ?8";

/// The newest events that a pattern of names covers, with their payloads; only those of one
/// resource, if one is named.
pub fn newest(
    workspace: &str,
    pattern: &str,
    resource: Option<(&str, &str)>,
) -> Query<Vec<RecentPayload>> {
    let (kind, id) = resource.unzip();
    let params = [
        workspace.into(),
        LOOKED_AT.into(),
        pattern.into(),
        // `order.*` begins with `order.`, and all names begin with nothing.
        pattern.strip_suffix('*').map(str::to_owned).into(),
        kind.map(str::to_owned).into(),
        id.map(str::to_owned).into(),
        BYTES_MAX.into(),
        SHOWN.into(),
    ];
    Query::new(NEWEST, params, |rows| {
        let mut found: Vec<RecentPayload> = all_rows(rows)?;
        found.sort_unstable_by(|a, b| b.event.cmp(&a.event));
        Ok(found)
    })
}
