//! The monthly quota of events, where an installation has one. The cron counts, so that an emit
//! costs nothing more: a workspace that has used up its events is marked, and the read that every
//! emit needs finds the mark. So a workspace can emit somewhat more than its quota, until the cron
//! counts it again.

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::domain::base::ids::first_event_id;
use crate::domain::base::time::{MINUTE_MS, month};
use crate::domain::tenants::notice::{Notice, NoticeKind};
use crate::ports::Platform;
use crate::store::event_counts::{self, Month};
use crate::store::notices;

/// Events are counted when they are as old as this: each that was accepted is stored by then.
const COUNTED_AFTER_MS: i64 = MINUTE_MS;

/// At how many percent of its quota a workspace is told of.
const TOLD_AT: [i64; 2] = [100, 80];

/// Counts the events of those workspaces of a shard whose turn it is, and marks those that have
/// used up their quota. Does nothing where there is none.
///
/// # Errors
/// When a database does not answer.
pub async fn enforce<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    let Some(quota) = platform.settings().quotas.events_per_month else { return Ok(()) };
    let now_ms = platform.now_ms();
    let turn = event_counts::turn(shard, now_ms / MINUTE_MS).run(platform.control()).await?;
    if turn.is_empty() {
        return Ok(());
    }
    let (month_ms, next_month_ms) = month(now_ms);
    let this = Month {
        since_ms: month_ms,
        first_event: first_event_id(month_ms),
        end_event: first_event_id(now_ms - COUNTED_AFTER_MS),
    };
    let workspaces: Vec<&str> = turn.iter().map(|one| one.workspace.as_str()).collect();
    let counts = event_counts::count(history_db(platform, shard)?, &workspaces, &this).await?;
    let (mut changed, mut told) = (Vec::new(), Vec::new());
    for one in &turn {
        let found = counts.iter().find(|(workspace, _)| *workspace == one.workspace);
        let events = found.map_or(0, |(_, events)| *events);
        let is_full = found.is_some_and(|(_, events)| *events >= i64::from(quota));
        told.extend(warning(&one.workspace, events, i64::from(quota), month_ms));
        let until_ms = is_full.then_some(next_month_ms);
        if until_ms != one.full_until_ms {
            changed.push((one.workspace.as_str(), until_ms));
        }
    }
    notices::raise(platform.control(), &told, now_ms).await?;
    event_counts::mark(platform.control(), &changed).await
}

/// What is told of a workspace that has used up most or all of its events, once a month each.
fn warning(workspace: &str, events: i64, quota: i64, month_ms: i64) -> Option<Notice> {
    let percent = TOLD_AT.into_iter().find(|percent| events * 100 >= quota * percent)?;
    Some(Notice {
        since_ms: Some(month_ms),
        count: Some(events),
        percent: Some(percent),
        ..Notice::new(
            NoticeKind::QuotaWarning,
            format!("{month_ms}:{percent}"),
            workspace,
            "events_per_month",
        )
    })
}
