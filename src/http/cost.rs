//! Calls that cost much have a rate limit of their own beside that of all calls.

use http::Method;

use crate::app::rate_limits::count;
use crate::domain::base::error::Result;
use crate::http::Request;
use crate::http::access::Caller;
use crate::ports::{Limited, Platform};

/// Rows that look through deliveries, judge payloads or ask a provider.
const COSTLY: [(Method, &str); 8] = [
    (Method::POST, "/api/v1/rules/test-filter"),
    (Method::POST, "/api/v1/rules/:id/preview"),
    (Method::GET, "/api/v1/connections/:id/actions"),
    (Method::POST, "/api/v1/workspaces/:id/replays"),
    (Method::POST, "/embed/s/:session/replays"),
    (Method::POST, "/embed/s/:session/replays/new"),
    (Method::GET, "/embed/s/:session/failed"),
    (Method::GET, "/embed/s/:session/events/export"),
];

/// Whether a call of the row at `path` costs much: one of those, or a list by status, which looks
/// at the deliveries of each event.
fn is_costly(path: &str, request: &Request) -> bool {
    let is_list = path.ends_with("/events") || path.ends_with("/deliveries");
    COSTLY.iter().any(|(method, row)| *method == request.method && *row == path)
        || (is_list && request.query("status").is_some_and(|status| !status.is_empty()))
}

/// Counts a call of the row at `path` if it costs much.
///
/// # Errors
/// `RateLimited` when the caller makes too many of them.
pub async fn check<P: Platform>(
    platform: &P,
    path: &str,
    request: &Request,
    caller: &Caller,
) -> Result<()> {
    if !is_costly(path, request) {
        return Ok(());
    }
    let (limited, id) = match caller {
        Caller::Machine(actor) => (Limited::MachineKeyCostly, actor.created_by.as_str()),
        Caller::EmbedSession(visit) => (Limited::SessionCostly, visit.session.id.as_str()),
        Caller::Visitor(cookie) => (Limited::SessionCostly, cookie.session.as_str()),
        _ => return Ok(()),
    };
    count(platform, limited, id).check(platform).await
}
