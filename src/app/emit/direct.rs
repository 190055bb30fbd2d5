//! Stores events in LOG: where there is no intake, events of our own, and what an intake flushes.
//! One batch for each shard (events with the deliveries they owe: the truth), one queue send for
//! each hundred messages (only wake-ups).
//!
//! An unknown result of the batch is repeated once with the same ids, which changes nothing that
//! is stored already. Once the batch is stored the event is accepted, also when the send fails: the
//! sweeper then sends the jobs.

use std::collections::HashSet;

use serde_json::json;

use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::wake::wake;
use crate::app::delivery::write_gate;
use crate::app::emit::{Accepted, UNKNOWN};
use crate::domain::base::error::Result;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::routing::event::Event;
use crate::domain::routing::idempotency::{Claims, Key, Sender};
use crate::ports::Platform;
use crate::store::emit::{self as store, Stored};

/// Stores what was accepted, shard by shard, wakes its deliveries, and corrects the answers to what
/// was not stored. Whether anything was.
pub async fn store_all<P: Platform>(
    platform: &P,
    key: Option<(&Key, Sender)>,
    all: Vec<(Accepted, String)>,
    answers: &mut [Result<Event>],
) -> bool {
    let owner = all.first().map(|(first, _)| first.event.id.clone()).unwrap_or_default();
    let (mut jobs, mut stored) = (Vec::new(), false);
    for (shard, accepted) in group_by_key(all, |(accepted, _)| accepted.shard) {
        let (indices, rows): (Vec<_>, Vec<_>) = accepted
            .into_iter()
            .map(|(accepted, payload)| (accepted.index, (accepted.event, payload)))
            .unzip();
        let events = || indices.iter().copied().zip(rows.iter().map(|(event, _)| event));
        let claims = key.and_then(|(key, sender)| Claims::of(key, sender, &owner, events()));
        let now_ms = platform.now_ms();
        let kept = match store(platform, shard, &rows, claims.as_ref(), now_ms).await {
            Ok((stored, _)) => stored.kept,
            Err(error) => {
                indices.iter().for_each(|&index| answers[index] = Err(error.clone()));
                continue;
            }
        };
        for (&index, (event, payload)) in indices.iter().zip(&rows) {
            match claims.as_ref().and_then(|claims| claims.first_answer(&kept, index, event)) {
                Some(first) => answers[index] = first,
                None => {
                    stored = true;
                    jobs.extend(wake_ups(shard, event, payload));
                }
            }
        }
    }
    send(platform, &jobs).await;
    stored
}

/// Stores events of our own with the deliveries they owe, and wakes them.
///
/// # Errors
/// `Unavailable` when it is not known that they were stored.
pub async fn store_and_wake<P: Platform>(
    platform: &P,
    shard: u16,
    rows: &[(Event, String)],
) -> Result<()> {
    store(platform, shard, rows, None, platform.now_ms()).await?;
    let jobs = rows.iter().flat_map(|(event, payload)| wake_ups(shard, event, payload));
    send(platform, &jobs.collect::<Vec<_>>()).await;
    Ok(())
}

/// The same of what an intake held, which may be there already. Only what is new is woken, and what
/// an earlier try since `since_ms` may have stored: that one woke nothing.
///
/// # Errors
/// As [`store_and_wake`].
pub async fn flush<P: Platform>(
    platform: &P,
    shard: u16,
    rows: &[(Event, String)],
    since_ms: Option<i64>,
) -> Result<()> {
    let now_ms = platform.now_ms();
    let (mut stored, tries) = store(platform, shard, rows, None, now_ms).await?;
    if tries > 1 || since_ms.is_some() {
        let since_ms = since_ms.unwrap_or(now_ms);
        stored.owed = store::stored_since(history_db(platform, shard)?, rows, since_ms).await?;
    }
    let new: HashSet<(&str, u32)> =
        stored.owed.iter().map(|one| (one.event.as_str(), one.rule)).collect();
    let all = rows.iter().flat_map(|(event, payload)| wake_ups(shard, event, payload));
    let is_new = |job: &Job| new.contains(&(job.event.as_str(), job.rule));
    send(platform, &all.filter(is_new).collect::<Vec<_>>()).await;
    Ok(())
}

/// Stores events, what they owe due at `now_ms`; what that did, and how often it was tried.
async fn store<P: Platform>(
    platform: &P,
    shard: u16,
    accepted: &[(Event, String)],
    claims: Option<&Claims>,
    now_ms: i64,
) -> Result<(Stored, usize)> {
    let log = history_db(platform, shard)?;
    let names = platform.known_names().borrow().new_ones(accepted, now_ms);
    let insert = || store::insert(log, accepted, &names, claims, now_ms);
    let (stored, tries) = match insert().await {
        Err(error) if !error.is_refused_data() => (insert().await, 2),
        stored => (stored, 1),
    };
    // With a key it may be that nothing was stored.
    if stored.is_ok() && claims.is_none() {
        platform.known_names().borrow_mut().learn(&names, now_ms);
    }
    write_gate::note(platform, shard, &stored);
    stored.map(|stored| (stored, tries)).map_err(|error| error.unavailable_means(UNKNOWN))
}

fn wake_ups(shard: u16, event: &Event, payload: &str) -> Vec<Job> {
    let bytes = i64::try_from(payload.len()).unwrap_or(i64::MAX);
    let owed = event.fan_out.iter().filter(|owed| !owed.held).map(|owed| DeliveryKey {
        workspace: event.workspace.clone(),
        connection: owed.connection.clone(),
        event: event.id.clone(),
        rule: owed.rule_number,
    });
    owed.map(|key| Job::new(shard, key, 1, bytes)).collect()
}

/// Sends wake-ups. A failure is only logged: what they would wake is stored.
async fn send<P: Platform>(platform: &P, jobs: &[Job]) {
    if let Err(error) = wake(platform, jobs, 0).await {
        platform.log_event(&json!({"at": "emit", "unsent_jobs": jobs.len(),
            "error": error.to_string()}));
    }
}
