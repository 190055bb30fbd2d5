//! A person has a delivery attempted now: an open one before it is due, a settled one once more.

use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes;
use crate::app::delivery::wake::wake;
use crate::app::erasures;
use crate::app::events::{check_shown, delivery_key, home};
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::ATTEMPTS_BY_HAND_MAX;
use crate::domain::base::time::MINUTE_MS;
use crate::domain::delivery::job::Job;
use crate::domain::delivery::state::State;
use crate::domain::lane::queue::{ConnectionQueue, DeliveryKey, QueuePosition};
use crate::domain::tenants::actor::{Actor, Scope};
use crate::ports::Platform;
use crate::store::events::{self, DeliverySummary, EventWithDeliveries};
use crate::store::{connections, retries};

/// How long a delivery that is due is left to the job that is on its way to it, or serves it.
const PENDING_LEFT_ALONE_MS: i64 = MINUTE_MS;

/// Has the delivery of an event by a rule attempted now. Returns the event as it is then.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule; `TooEarly`
/// when an attempt is under way or only just due; `Conflict` when its connection is inactive or
/// gone.
pub async fn retry<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
    rule: &str,
) -> Result<EventWithDeliveries> {
    let home = home(platform, actor, event).await?;
    let log = history_db(platform, home.shard)?;
    let found = events::find(&home.workspace, event).run(log).await?;
    let key = delivery_key(&actor.scope, &found, rule)?;
    let delivery = found.deliveries.iter().find(|delivery| delivery.rule == key.rule);
    let delivery = delivery.ok_or_else(|| Error::internal("an owed delivery has no row"))?;
    check_shown(platform, &actor.scope, &key).await?;
    if found.erased_at_ms.is_some() {
        return Err(erasures::refusal());
    }
    check_connection(platform, &actor.scope, &key).await?;
    let now_ms = platform.now_ms();
    let state = check(delivery, now_ms)?;
    let (by, line) = (&actor.created_by, ConnectionQueue::of(home.shard, &key));
    let place = QueuePosition { event: key.event.clone(), rule: key.rule };
    if state.is_open() && lanes::is_leased(platform, &line, place).await {
        return Err(Error::new(Kind::TooEarly, "An attempt is under way; wait for its outcome"));
    }
    let woken = match state {
        State::Pending | State::Retrying => retries::hurry(log, &key, by, now_ms).await?,
        _ => retries::replay(log, &key, by, now_ms).await?,
    };
    // Somebody else was faster where nothing was woken; the answer shows the result.
    match woken {
        // What waits for a retry is its lane's to start, after all that waits for longer.
        Some(_) if state == State::Retrying => drop(lanes::nudge(platform, &line).await),
        Some(woken) => {
            let job = Job::new(home.shard, key, woken.attempts + 1, woken.payload_bytes);
            send(platform, job).await;
        }
        None => {}
    }
    events::find(&home.workspace, event).run(log).await
}

/// What a connection that is gone or inactive owes stays as it is, whatever somebody asks for.
async fn check_connection<P: Platform>(
    platform: &P,
    scope: &Scope,
    key: &DeliveryKey,
) -> Result<()> {
    let refuse =
        |msg: &str| Err(Error::new(Kind::Conflict, msg).with_code(Code::ConnectionInactive));
    match connections::find(platform.control(), scope, &key.connection).await {
        Ok(connection) if connection.active => Ok(()),
        Ok(_) => refuse("The connection of this delivery is inactive; activate it first"),
        Err(error) if error.kind == Kind::NotFound => {
            refuse("The connection of this delivery was deleted, so it cannot be sent again")
        }
        Err(error) => Err(error),
    }
}

/// The state of a delivery that can be attempted now. Retries are the lane's, which knows what is
/// under way; of any other attempt that is due a job was sent.
fn check(delivery: &DeliverySummary, now_ms: i64) -> Result<State> {
    let refuse = |kind, msg: &str| Err(Error::new(kind, msg));
    if delivery.attempts >= ATTEMPTS_BY_HAND_MAX {
        let msg = format!("It was attempted {ATTEMPTS_BY_HAND_MAX} times, the most there can be");
        return Err(Error::new(Kind::Refused, msg).with_code(Code::Quota));
    }
    let waited_ms = delivery.due_at_ms.map(|due_at_ms| now_ms - due_at_ms);
    let is_under_way = waited_ms.is_some_and(|it| (0..PENDING_LEFT_ALONE_MS).contains(&it));
    match delivery.state {
        State::Pending if is_under_way => {
            refuse(Kind::TooEarly, "An attempt is on its way; try again in a minute")
        }
        State::Held => {
            let msg = "It is held because its connection is inactive; activate that";
            Err(Error::new(Kind::Conflict, msg).with_code(Code::ConnectionInactive))
        }
        state => Ok(state),
    }
}

/// Wakes a delivery by a job; where the connection's lane is engaged, the consumer passes it on. A
/// failure costs a minute: then the sweeper wakes it.
async fn send<P: Platform>(platform: &P, job: Job) {
    if let Err(error) = wake(platform, &[job], 0).await {
        platform.log_event(&json!({"at": "retry", "unsent_jobs": 1, "error": error.to_string()}));
    }
}
