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
use crate::domain::connection::options::Ordering;
use crate::domain::delivery::job::Job;
use crate::domain::delivery::state::State;
use crate::domain::lane::queue::{ConnectionQueue, DeliveryKey, QueuePosition, WaitingDelivery};
use crate::domain::tenants::actor::{Actor, Scope};
use crate::ports::{Database, Platform};
use crate::store::events::{self, DeliverySummary, EventWithDeliveries};
use crate::store::retries::{self, Woken};
use crate::store::{connections, lines};

/// How long a delivery that is due is left to the job that is on its way to it, or serves it.
const PENDING_LEFT_ALONE_MS: i64 = MINUTE_MS;

/// Has the delivery of an event by a rule attempted now. Returns the event as it is then.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule; `TooEarly`
/// when an attempt is under way or only just due; `Conflict` when its connection is inactive or
/// gone, or sends in strict order and this is not its turn.
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
    let strict = is_strict(platform, &actor.scope, &key).await?;
    let line = ConnectionQueue::of(home.shard, &key);
    let state = check(delivery, platform.now_ms())?;
    if strict && state.is_open() {
        check_first(log, &line, &key).await?;
    }
    attempt_now(platform, actor, &line, &key, (state, strict)).await?;
    events::find(&home.workspace, event).run(log).await
}

/// Has the oldest open delivery of a connection attempted now, as the first sign of life of a
/// receiver that was repaired. Returns its event, and the number of its rule.
///
/// # Errors
/// `NotFound` when the actor has no such connection; `Conflict` when that is inactive or nothing is
/// open; `TooEarly` as for [`retry`].
pub async fn probe<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &str,
) -> Result<(EventWithDeliveries, u32)> {
    let found = connections::find(platform.control(), &actor.scope, connection).await?;
    if !found.active {
        return Err(inactive("The connection is inactive; activate it first"));
    }
    let (shard, workspace) = (found.shard, found.workspace.clone());
    let log = history_db(platform, shard)?;
    let line = ConnectionQueue { shard, workspace, connection: found.id };
    let strict = found.options.ordering == Ordering::Strict;
    let Some(first) = lines::oldest(log, &line, strict, platform.now_ms()).await? else {
        return Err(Error::new(Kind::Conflict, "Nothing waits to be sent on this connection"));
    };
    let key = line.key(&first.place);
    let event = events::find(&line.workspace, &key.event).run(log).await?;
    let delivery = event.deliveries.iter().find(|one| one.rule == key.rule);
    let delivery = delivery.ok_or_else(|| Error::internal("an owed delivery has no row"))?;
    let state = check(delivery, platform.now_ms())?;
    attempt_now(platform, actor, &line, &key, (state, strict)).await?;
    Ok((events::find(&line.workspace, &key.event).run(log).await?, key.rule))
}

/// Makes a delivery due and has its lane hand it out, whatever the breaker says. What goes to the
/// tail of a strict line waits there for its turn.
async fn attempt_now<P: Platform>(
    platform: &P,
    actor: &Actor,
    line: &ConnectionQueue,
    key: &DeliveryKey,
    (state, strict): (State, bool),
) -> Result<()> {
    let log = history_db(platform, line.shard)?;
    let (by, now_ms) = (&actor.created_by, platform.now_ms());
    let place = QueuePosition { event: key.event.clone(), rule: key.rule };
    if state.is_open() && lanes::is_leased(platform, line, place.clone()).await {
        return Err(Error::new(Kind::TooEarly, "An attempt is under way; wait for its outcome"));
    }
    let woken = match state.is_open() {
        true => retries::hurry(log, key, by, now_ms).await?,
        false => retries::replay(log, key, by, now_ms).await?,
    };
    // Somebody else was faster where nothing was woken; the answer shows the result.
    let Some(Woken { attempts, payload_bytes }) = woken else { return Ok(()) };
    let waits_in_line = strict && !state.is_open() && !key.is_test();
    let attempt = attempts + 1;
    let delivery = WaitingDelivery { attempt, payload_bytes, ..WaitingDelivery::first(place) };
    // What waits for a retry is its lane's to start; the sweeper nudges one that did not hear.
    let is_heard = !waits_in_line && lanes::hurry(platform, line, delivery).await;
    if !is_heard && state != State::Retrying {
        send(platform, Job::new(line.shard, key.clone(), attempt, payload_bytes)).await;
    }
    Ok(())
}

/// In a strict line nothing open is sent before what stands in front of it.
async fn check_first(log: &impl Database, line: &ConnectionQueue, key: &DeliveryKey) -> Result<()> {
    let oldest = lines::oldest(log, line, true, 0).await?;
    if key.is_test() || oldest.is_some_and(|head| line.key(&head.place) == *key) {
        return Ok(());
    }
    let msg = "Its connection sends in strict order, and an earlier event is not settled yet: \
               retry or cancel that one first";
    Err(Error::new(Kind::Conflict, msg))
}

/// Whether the connection sends in strict order. What one that is gone or inactive owes stays as it
/// is, whatever somebody asks for.
async fn is_strict<P: Platform>(platform: &P, scope: &Scope, key: &DeliveryKey) -> Result<bool> {
    match connections::find(platform.control(), scope, &key.connection).await {
        Ok(connection) if connection.active => Ok(connection.options.ordering == Ordering::Strict),
        Ok(_) => Err(inactive("The connection of this delivery is inactive; activate it first")),
        Err(error) if error.kind == Kind::NotFound => {
            Err(inactive("The connection of this delivery was deleted, so it cannot be sent again"))
        }
        Err(error) => Err(error),
    }
}

fn inactive(msg: &str) -> Error {
    Error::new(Kind::Conflict, msg).with_code(Code::ConnectionInactive)
}

/// The state of a delivery that can be attempted now. Retries are the lane's, which knows what is
/// under way; of any other attempt that is due a job was sent.
fn check(delivery: &DeliverySummary, now_ms: i64) -> Result<State> {
    let refuse = |kind, msg: &str| Err(Error::new(kind, msg));
    if delivery.attempts >= ATTEMPTS_BY_HAND_MAX {
        let msg = format!(
            "The delivery was attempted {ATTEMPTS_BY_HAND_MAX} times, the most there can be; emit \
             the event again"
        );
        return Err(Error::new(Kind::Refused, msg).with_code(Code::Quota));
    }
    let waited_ms = delivery.due_at_ms.map(|due_at_ms| now_ms - due_at_ms);
    let is_under_way = waited_ms.is_some_and(|it| (0..PENDING_LEFT_ALONE_MS).contains(&it));
    match delivery.state {
        State::Pending if is_under_way => {
            refuse(Kind::TooEarly, "An attempt is on its way; try again in a minute")
        }
        State::Held => {
            let msg =
                "The delivery is held because its connection is inactive; activate that first";
            Err(inactive(msg))
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
