//! Erasing: the payload of one event, of all events about one resource, or a person's id. What
//! happened stays readable.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes;
use crate::app::events::home;
use crate::app::intake::ask;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids::{event_id, first_event_id};
use crate::domain::base::limits::ERASURE_STEP;
use crate::domain::delivery::upkeep::{Task, UpkeepJob};
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::session::creator;
use crate::ports::{Jobs, Platform, PortError};
use crate::store::erasures::{self, Erasure, LookedAt};
use crate::store::workspaces;

/// Steps that are done before the request is answered.
const STEPS_AT_ONCE: usize = 4;

/// Erases the payload of an event; what it still owes is canceled. Returns when it was erased, the
/// first time if it was before.
///
/// # Errors
/// `NotFound` when the actor has no such event.
pub async fn payload<P: Platform>(platform: &P, actor: &Actor, event: &str) -> Result<i64> {
    let home = home(platform, actor, event).await?;
    // What came a moment ago may lie there still.
    ask::flushed(platform, &home.workspace).await?;
    let erased = erase(platform, home.shard, &home.workspace, &[event]).await?;
    erased.first().map(|(_, at_ms)| *at_ms).ok_or_else(|| Error::not_found("event"))
}

/// Erases events of a workspace, and lets the connections go on without them.
async fn erase<P: Platform>(
    platform: &P,
    shard: u16,
    workspace: &str,
    events: &[&str],
) -> Result<Vec<(String, i64)>> {
    let log = history_db(platform, shard)?;
    let mut erased = erasures::erase(log, workspace, events, platform.now_ms()).await?;
    erased.canceled.sort_unstable();
    erased.canceled.dedup();
    for connection in erased.canceled {
        let workspace = workspace.to_owned();
        lanes::nudge(platform, &ConnectionQueue { shard, workspace, connection }).await;
    }
    Ok(erased.events)
}

/// The refusal of what needs a payload that was erased.
pub fn refusal() -> Error {
    let msg = "The payload of this event was erased, so it cannot be sent again";
    Error::new(Kind::Conflict, msg).with_code(Code::Erased)
}

/// What is to be erased of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The payloads of all events about the resource of this kind with this id.
    Resource(String, String),
    /// The id of a person, as sessions name it.
    Person(String),
}

/// Erases what a workspace has so far of a resource or a person: some at once, the rest on the
/// upkeep queue.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn create<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    what: What,
) -> Result<Erasure> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    ask::flushed(platform, &found.id).await?;
    let now_ms = platform.now_ms();
    let (resource, resource_id, person) = match what {
        What::Resource(resource, resource_id) => (resource, resource_id, String::new()),
        What::Person(id) => (String::new(), String::new(), creator(&id)),
    };
    let mut erasure = Erasure {
        id: event_id(now_ms, platform.bytes(), 0, found.number),
        workspace: found.id,
        resource,
        resource_id,
        person,
        position: String::new(),
        end_event: first_event_id(now_ms + 1),
        events: 0,
        created_at_ms: now_ms,
        completed_at_ms: None,
    };
    erasures::insert(history_db(platform, found.shard)?, &erasure).await?;
    steps(platform, found.shard, &mut erasure, STEPS_AT_ONCE).await?;
    if erasure.completed_at_ms.is_none() {
        let rest = UpkeepJob::new(found.shard, Task::Erase, false, now_ms);
        if let Err(PortError(error)) = platform.upkeep().send(vec![rest.to_text()], 0).await {
            platform.log_event(&json!({"at": "upkeep", "error": error}));
        }
    }
    Ok(erasure)
}

/// An erasure of a workspace.
///
/// # Errors
/// `NotFound` when the actor has none with this id.
pub async fn find<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    id: &str,
) -> Result<Erasure> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    erasures::find(&found.id, id).run(history_db(platform, found.shard)?).await
}

/// Goes on with what is not done on a shard, in so many steps; whether nothing is left.
///
/// # Errors
/// When the shard does not answer.
pub async fn advance<P: Platform>(platform: &P, shard: u16, step_count: usize) -> Result<bool> {
    match erasures::running(history_db(platform, shard)?).await? {
        Some(mut erasure) => steps(platform, shard, &mut erasure, step_count).await.map(|()| false),
        None => Ok(true),
    }
}

async fn steps<P: Platform>(
    platform: &P,
    shard: u16,
    erasure: &mut Erasure,
    step_count: usize,
) -> Result<()> {
    let log = history_db(platform, shard)?;
    for _ in 0..step_count {
        let looked_at = erasures::look(log, erasure).await?;
        let erased = step(platform, shard, erasure, &looked_at).await?;
        erasure.events += u32::try_from(erased).unwrap_or_default();
        if let Some(last) = looked_at.last() {
            erasure.position.clone_from(&last.event);
        }
        if looked_at.len() < ERASURE_STEP {
            let (of, person) = (&erasure.workspace, &erasure.person);
            let is_done = person.is_empty()
                || erasures::forget_person(platform.control(), log, of, person).await?;
            erasure.completed_at_ms = is_done.then(|| platform.now_ms());
        }
        erasures::advance(log, erasure).await?;
        if erasure.completed_at_ms.is_some() {
            break;
        }
    }
    Ok(())
}

/// Erases what an erasure is about of these events; of how many.
async fn step<P: Platform>(
    platform: &P,
    shard: u16,
    erasure: &Erasure,
    looked_at: &[LookedAt],
) -> Result<usize> {
    if !erasure.person.is_empty() {
        let all: Vec<&str> = looked_at.iter().map(|one| one.event.as_str()).collect();
        let log = history_db(platform, shard)?;
        return erasures::forget_in_events(log, &erasure.workspace, &all, &erasure.person).await;
    }
    let meant = looked_at.iter().filter(|one| one.is_meant);
    let meant: Vec<&str> = meant.map(|one| one.event.as_str()).collect();
    if meant.is_empty() {
        return Ok(0);
    }
    erase(platform, shard, &erasure.workspace, &meant).await.map(|erased| erased.len())
}
