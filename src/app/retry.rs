//! A person has a delivery attempted now: an open one before its time, a settled one once more.

use serde_json::json;

use super::events::{delivery_key, home};
use super::wake::wake;
use super::{lanes, log};
use crate::domain::actor::Actor;
use crate::domain::delivery::State;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::job::{DeliveryKey, Job};
use crate::domain::line::{Line, Place};
use crate::domain::time::MINUTE_MS;
use crate::ports::Platform;
use crate::store::events::{self, EventWithDeliveries};
use crate::store::retries;

/// How long a delivery that was not attempted yet is left to the job that is on its way to it.
const PENDING_LEFT_ALONE_MS: i64 = MINUTE_MS;

/// Has the delivery of an event by a rule attempted now. Returns the event as it is then.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule; `TooEarly`
/// when an attempt is under way or only just due; `Conflict` when it is held or canceled.
pub async fn retry<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
    rule: &str,
) -> Result<EventWithDeliveries> {
    let home = home(platform, actor, event).await?;
    let log = log(platform, home.shard)?;
    let found = events::find(&home.workspace, event).run(log).await?;
    let key = delivery_key(&actor.scope, &found, rule)?;
    let delivery = found.deliveries.iter().find(|delivery| delivery.rule == key.rule);
    let delivery = delivery.ok_or_else(|| Error::internal("an owed delivery has no row"))?;
    let now_ms = platform.now_ms();
    check(State::parse(&delivery.state), found.event.created_at_ms, now_ms)?;
    let is_open = State::parse(&delivery.state).is_some_and(State::is_open);
    if is_open && is_under_way(platform, home.shard, &key).await {
        return Err(Error::new(Kind::TooEarly, "An attempt is being made right now"));
    }
    let woken = if is_open {
        retries::hurry(log, &key, &actor.created_by, now_ms).await?
    } else {
        retries::replay(log, &key, &actor.created_by, now_ms).await?
    };
    // Somebody else was faster where nothing was woken; the answer shows what became of it.
    if let Some(woken) = woken {
        send(platform, home.shard, key, woken).await;
    }
    events::find(&home.workspace, event).run(log).await
}

fn check(state: Option<State>, created_at_ms: i64, now_ms: i64) -> Result<()> {
    let refuse = |kind, msg: &str| Err(Error::new(kind, msg));
    match state {
        Some(State::Pending) if now_ms - created_at_ms < PENDING_LEFT_ALONE_MS => {
            refuse(Kind::TooEarly, "Its first attempt is on its way; try again in a minute")
        }
        Some(State::Held) => {
            refuse(Kind::Conflict, "It is held because its connection is inactive; activate that")
        }
        Some(State::Canceled) => refuse(Kind::Conflict, "It was canceled"),
        _ => Ok(()),
    }
}

/// Whether its lane has handed it out. A connection without a lane has one that knows nothing.
async fn is_under_way<P: Platform>(platform: &P, shard: u16, key: &DeliveryKey) -> bool {
    let (workspace, connection) = (key.workspace.clone(), key.connection.clone());
    let place = Place { event: key.event.clone(), rule: key.rule };
    lanes::is_leased(platform, &Line { shard, workspace, connection }, place).await
}

/// Wakes a delivery by a job; where the lane has charge of the connection, the consumer passes it
/// on. A failure costs a minute: the sweeper sees to it.
async fn send<P: Platform>(platform: &P, shard: u16, key: DeliveryKey, woken: retries::Woken) {
    let job = Job::new(shard, key, woken.attempts + 1, woken.payload_bytes);
    if let Err(error) = wake(platform, &[job], 0).await {
        platform.line(&json!({"at": "retry", "unsent_jobs": 1, "error": error.to_string()}));
    }
}
