//! Operational events: the cron emits what was noted, into the workspace that the organization
//! names. A notice is kept in the batch of the change that causes it, and its event has an id that
//! follows from it, so a crash neither loses nor repeats one. They are outside quotas, and none is
//! about the operational workspace itself.

use futures_util::future::join_all;
use serde_json::json;

use crate::app::common::{group_by_key, history_db};
use crate::app::emit::direct::store_and_wake;
use crate::app::emit::matching::owed_by;
use crate::domain::base::error::Result;
use crate::domain::base::names;
use crate::domain::base::storage::StorageLevel;
use crate::domain::base::time::{HOUR_MS, MINUTE_MS};
use crate::domain::routing::event::{Event, NewEvent};
use crate::domain::tenants::notice::{
    CREATED_BY, NOTICE_TRIED_MS, Notice, NoticeKind, PendingNotice,
};
use crate::domain::tenants::routing::Routing;
use crate::ports::Platform;
use crate::store::routing;
use crate::store::{failure_counts, notices};

fn complain<P: Platform>(platform: &P, done: Result<()>) {
    if let Err(error) = done {
        platform.log_event(&json!({"at": "notices", "error": error.to_string()}));
    }
}

/// What the cron does for a shard, and with the first one for CONTROL.
pub async fn advance<P: Platform>(platform: &P, shard: u16) {
    complain(platform, note_failures(platform, shard).await);
    if shard == 0 {
        complain(platform, send(platform).await);
    }
}

/// Makes notices of deliveries that were given up: the first at once, and then once an hour.
async fn note_failures<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    let counts = failure_counts::untold(now_ms).run(log).await?;
    if counts.is_empty() {
        return Ok(());
    }
    let failed = counts.iter().filter(|one| one.count > 0);
    let failed = failed.map(|one| Notice {
        connection: Some(one.connection.clone()),
        since_ms: Some(one.since_ms),
        count: Some(one.count),
        ..Notice::new(
            NoticeKind::DeliveryFailed,
            format!("{}:{}", one.connection, one.since_ms),
            &one.workspace,
            "given_up",
        )
    });
    notices::raise(platform.control(), &failed.collect::<Vec<_>>(), now_ms).await?;
    failure_counts::told(log, &counts, now_ms).await
}

/// Emits the oldest notices, those of one shard together. A shard that does not answer leaves its
/// own to the next minute.
async fn send<P: Platform>(platform: &P) -> Result<()> {
    let (control, now_ms) = (platform.control(), platform.now_ms());
    if now_ms.rem_euclid(HOUR_MS) < MINUTE_MS {
        notices::forget(control, now_ms).await?;
    }
    let pending = notices::pending().run(control).await?;
    if pending.is_empty() {
        return Ok(());
    }
    let (mut kinds, mut to) = (Vec::new(), Vec::new());
    for notice in &pending {
        kinds.push(notice.kind.event_name());
        to.extend(notice.to.as_deref());
    }
    to.sort_unstable();
    to.dedup();
    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    let routings = routing::find(control, &to, &names::patterns_of_all(&kinds)).await?;
    let homes = pending.iter().map(|notice| {
        let home = routings.iter().find(|one| Some(&one.home.workspace) == notice.to.as_ref());
        (notice, home)
    });
    let (mut done, mut sendable) = (Vec::new(), Vec::new());
    for (notice, home) in homes {
        match home.filter(|_| now_ms - notice.at_ms < NOTICE_TRIED_MS) {
            Some(home) => sendable.push((notice, home)),
            None => done.push(notice.id.as_str()),
        }
    }
    let sendable = sendable.into_iter().filter(|(_, home)| home.storage != StorageLevel::Full);
    for (shard, of_shard) in group_by_key(sendable, |(_, home)| home.home.shard) {
        let events = of_shard.iter().map(|(notice, home)| event(platform, notice, home));
        match store_and_wake(platform, shard, &join_all(events).await).await {
            Ok(()) => done.extend(of_shard.iter().map(|(notice, _)| notice.id.as_str())),
            Err(error) => complain(platform, Err(error)),
        }
    }
    notices::sent(control, &done, now_ms).await
}

async fn event<P: Platform>(
    platform: &P,
    notice: &PendingNotice,
    home: &Routing,
) -> (Event, String) {
    let new = NewEvent {
        workspace: None,
        name: notice.kind.event_name(),
        resource: notice.connection.as_ref().map(|_| "connection".to_owned()),
        resource_id: notice.connection.clone(),
        payload: notice.payload(),
    };
    let (fan_out, unmatched) = owed_by(platform, &new, home).await;
    let event = Event {
        id: notice.event_id(home.home.number),
        workspace: home.home.workspace.clone(),
        name: new.name,
        resource: new.resource,
        resource_id: new.resource_id,
        created_by: CREATED_BY.to_owned(),
        created_at_ms: notice.at_ms,
        hops: 0,
        trace: None,
        fan_out,
        unmatched,
    };
    (event, new.payload)
}
