//! Rules whose filters were too costly for what was emitted. The event says so, and the operator is
//! told once an hour for each workspace: a replay of what is missing sends it after all.

use crate::app::notices;
use crate::domain::base::time::HOUR_MS;
use crate::domain::routing::event::Event;
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::notice::{Notice, NoticeKind};
use crate::ports::Platform;

/// Notes for the operator what of these events was left out for that reason.
pub async fn tell<P: Platform>(platform: &P, events: impl Iterator<Item = &Event>) {
    let is_told =
        |event: &&Event| event.unmatched.iter().any(|rule| rule.why == Mismatch::FilterTooCostly);
    let mut workspaces: Vec<&str> = events.filter(is_told).map(|e| e.workspace.as_str()).collect();
    workspaces.dedup();
    let now_ms = platform.now_ms();
    for workspace in workspaces {
        let (kind, key) = (NoticeKind::FilterTooCostly, now_ms / HOUR_MS);
        let notice = Notice {
            since_ms: Some(now_ms),
            ..Notice::new(kind, key, workspace, "filter_too_costly")
        };
        notices::raise(platform, notice).await;
    }
}
