//! The filters of a list of events, as the API and the pages take them in a query.

use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids;
use crate::domain::base::time::{parse_rfc3339, rfc3339};
use crate::domain::delivery::state::STATUSES;
use crate::http::Call;
use crate::store::events::Filter;

/// Which events are asked for, and of which status.
///
/// # Errors
/// `Invalid` naming the parameter that is wrong.
pub fn read(call: &Call) -> Result<(Filter, Option<String>)> {
    let connection = match call.request.query("connection") {
        None => None,
        Some(text) => {
            let id = ids::parse_uuid(&text);
            Some(id.ok_or_else(|| Error::field("connection", "must be a UUID"))?)
        }
    };
    let filter = Filter {
        name: call.request.query("event"),
        resource: call.request.query("resource"),
        resource_id: call.request.query("resource_id"),
        connection,
        since_ms: time(call, "since")?,
        until_ms: time(call, "until")?,
    };
    Ok((filter, call.query_word("status", &STATUSES)?))
}

/// A time in a query, if it is there.
///
/// # Errors
/// `Invalid` naming the parameter.
pub fn time(call: &Call, name: &str) -> Result<Option<i64>> {
    let Some(text) = call.request.query(name) else { return Ok(None) };
    let msg = "must be an RFC 3339 time such as 2026-01-31T08:00:00Z";
    parse_rfc3339(&text).map(Some).ok_or_else(|| Error::field(name, msg))
}

/// The same as parameters of a query, for a link that asks for them again.
pub fn write(filter: &Filter, status: Option<&String>) -> Vec<(&'static str, String)> {
    let all = [
        ("event", filter.name.clone()),
        ("resource", filter.resource.clone()),
        ("resource_id", filter.resource_id.clone()),
        ("connection", filter.connection.clone()),
        ("since", filter.since_ms.map(rfc3339)),
        ("until", filter.until_ms.map(rfc3339)),
        ("status", status.cloned()),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
