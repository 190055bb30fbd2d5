//! Events that go round in a circle: a receiver that emits what it receives, or a connection that
//! leads back to this installation. Each delivery says how many webhooks what it tells of has gone
//! through; an emit that passes that on is counted, and refused when it is too many. A delivery of
//! this very installation is refused at once.

use crate::app::common::history_db;
use crate::app::intake::ask;
use crate::app::notices;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::HOPS_MAX;
use crate::domain::base::time::HOUR_MS;
use crate::domain::routing::trace::Trace;
use crate::domain::tenants::notice::{Notice, NoticeKind};
use crate::ports::Platform;
use crate::store::{events, workspaces};

/// Header that counts the webhooks on the way of what a request tells.
pub const HOPS_HEADER: &str = "posthorn-hops";
/// Header with the id of the event that a request delivers.
pub const EVENT_HEADER: &str = "posthorn-event-id";

/// Where an emit came from, as far as its headers tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Came {
    /// Webhooks on its way.
    pub hops: u32,
    /// The event whose delivery it is, if it is one.
    pub event: Option<String>,
    /// The trace that it is part of.
    pub trace: Option<Trace>,
}

impl Came {
    /// Reads the headers. A count that is no number is ignored.
    pub fn read(hops: Option<&str>, event: Option<&str>, trace: Option<&str>) -> Self {
        let hops = hops
            .map(str::trim)
            .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        // A number beyond what fits is many.
        let hops = hops.map_or(0, |text| text.parse().unwrap_or(u32::MAX));
        Self {
            hops,
            event: event.and_then(|id| ids::parse_uuid(id.trim())),
            trace: Trace::read(trace),
        }
    }
}

/// Refuses what goes round in a circle, and notes it for the operator once an hour for each
/// workspace. `workspace` is the one that emits.
///
/// # Errors
/// `Refused` with the code `loop`; `Unavailable` when a shard or an intake does not answer.
pub async fn check<P: Platform>(platform: &P, came: &Came, workspace: Option<&str>) -> Result<()> {
    let checked = find(platform, came).await;
    let is_loop = checked.as_ref().is_err_and(|error| error.code == Some(Code::Loop));
    if let Some(workspace) = workspace.filter(|_| is_loop) {
        let now_ms = platform.now_ms();
        let cause = if came.hops > HOPS_MAX { "hops" } else { "own_delivery" };
        let key = now_ms / HOUR_MS;
        let notice = Notice {
            since_ms: Some(now_ms),
            ..Notice::new(NoticeKind::EventLoop, key, workspace, cause)
        };
        notices::raise(platform, notice).await;
    }
    checked
}

async fn find<P: Platform>(platform: &P, came: &Came) -> Result<()> {
    if came.hops > HOPS_MAX {
        let msg = format!(
            "The event has gone through more than {HOPS_MAX} webhooks, so it is taken for a loop. \
             Emit from your own code, without the posthorn- headers of the request"
        );
        return Err(Error::new(Kind::Refused, msg).with_code(Code::Loop));
    }
    let Some(event) = &came.event else { return Ok(()) };
    let Some(number) = ids::workspace_number(event) else { return Ok(()) };
    let Some(home) = workspaces::home(platform.control(), number).await? else { return Ok(()) };
    let log = history_db(platform, home.shard)?;
    let mut is_ours = events::exists(log, &home.workspace, event).await?;
    if !is_ours && ask::may_wait(platform, event) {
        ask::flushed(platform, &home.workspace).await?;
        is_ours = events::exists(log, &home.workspace, event).await?;
    }
    if !is_ours {
        return Ok(());
    }
    let msg = "This is a delivery of this installation, which does not emit what it delivers. Emit \
               from your own code, without the posthorn- headers of the request";
    Err(Error::new(Kind::Refused, msg).with_code(Code::Loop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_decimal_or_ignored() {
        for (text, expected) in [
            (None, 0),
            (Some("0"), 0),
            (Some("3"), 3),
            (Some(" 5 "), 5),
            (Some("007"), 7),
            (Some("-1"), 0),
            (Some("+1"), 0),
            (Some("1.5"), 0),
            (Some("x"), 0),
            (Some(""), 0),
            (Some("99999999999999999999"), u32::MAX),
        ] {
            assert_eq!(Came::read(text, None, None).hops, expected, "{text:?}");
        }
        assert_eq!(Came::read(None, Some("x"), None).event, None);
    }
}
