//! The events of each workspace in a month, and quotas of them. The cron counts, so that an emit
//! costs nothing more: a workspace that has used up its events is marked, and the read that every
//! emit needs finds the mark. So a workspace can emit somewhat more than its quota, until the cron
//! counts it again. A workspace without a quota is counted for `GET /usage`, every quarter of an
//! hour.

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
/// Where there is no quota nobody waits for the count.
const COUNTED_EVERY_MS: i64 = 15 * MINUTE_MS;

/// At how many percent of its quota a workspace is told of.
const TOLD_AT: [i64; 2] = [100, 80];

/// Counts the events of those workspaces of a shard whose turn it is, and marks those that have
/// used up their quota.
///
/// # Errors
/// When a database does not answer.
pub async fn enforce<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    let default = platform.settings().quotas.events_per_month.map(i64::from);
    let now_ms = platform.now_ms();
    let turn = event_counts::turn(shard, now_ms / MINUTE_MS).run(platform.control()).await?;
    if turn.is_empty() {
        return Ok(());
    }
    let (months, next_month_ms) = months(now_ms);
    let month_ms = months[1].since_ms;
    let quota_of = |one: &event_counts::EventCount| one.limit.or(default);
    let workspaces: Vec<(&str, bool)> =
        turn.iter().map(|one| (one.workspace.as_str(), quota_of(one).is_some())).collect();
    let counts = event_counts::count(history_db(platform, shard)?, &workspaces, &months).await?;
    let (mut changed, mut told) = (Vec::new(), Vec::new());
    for one in &turn {
        let found = counts.iter().find(|(workspace, _)| *workspace == one.workspace);
        let events = found.map_or(0, |(_, events)| *events);
        let quota = quota_of(one);
        told.extend(quota.and_then(|quota| warning(&one.workspace, events, quota, month_ms)));
        let until_ms = quota.is_some_and(|quota| events >= quota).then_some(next_month_ms);
        if until_ms != one.full_until_ms {
            changed.push((one.workspace.as_str(), until_ms));
        }
    }
    notices::raise(platform.control(), &told, now_ms).await?;
    event_counts::mark(platform.control(), &changed).await
}

/// The month before this one, which is counted to its end, and this one; and when the next begins.
fn months(now_ms: i64) -> ([Month; 2], i64) {
    let (month_ms, next_month_ms) = month(now_ms);
    let (former_ms, _) = month(month_ms - 1);
    let counted_ms = now_ms - COUNTED_AFTER_MS;
    let of = |since_ms: i64, end_ms: i64| Month {
        since_ms,
        first_event: first_event_id(since_ms),
        end_event: first_event_id(end_ms.min(counted_ms)),
        fresh_event: first_event_id(end_ms.min(counted_ms - COUNTED_EVERY_MS)),
    };
    ([of(former_ms, month_ms), of(month_ms, next_month_ms)], next_month_ms)
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
