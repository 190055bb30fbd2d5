//! A person cancels deliveries that are owed or held. A success that still arrives is recorded: the
//! receiver has the event.

use crate::app::common::history_db;
use crate::app::delivery::lanes;
use crate::app::events::{check_shown, delivery_key, home};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::canceled_by_hand;
use crate::store::events::{self, EventWithDeliveries};

/// Cancels the delivery of an event by a rule. Returns the event as it is then.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule; `Conflict`
/// when the delivery is settled.
pub async fn delivery<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
    rule: &str,
) -> Result<EventWithDeliveries> {
    let home = home(platform, actor, event).await?;
    let found = events::find(&home.workspace, event).run(history_db(platform, home.shard)?).await?;
    let key = delivery_key(&actor.scope, &found, rule)?;
    check_shown(platform, &actor.scope, &key).await?;
    cancel(platform, home.shard, &[key]).await?;
    events::find(&home.workspace, event).run(history_db(platform, home.shard)?).await
}

/// Cancels all that an event still owes. Returns the event as it is then.
///
/// # Errors
/// `NotFound` when the actor has no such event; `Conflict` when all of it is settled.
pub async fn event<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
) -> Result<EventWithDeliveries> {
    let home = home(platform, actor, event).await?;
    let found = events::find(&home.workspace, event).run(history_db(platform, home.shard)?).await?;
    let owed = found.event.fan_out.iter();
    let keys = owed.map(|owed| delivery_key(&actor.scope, &found, &owed.rule));
    let keys = keys.collect::<Result<Vec<_>>>()?;
    cancel(platform, home.shard, &keys).await?;
    events::find(&home.workspace, event).run(history_db(platform, home.shard)?).await
}

/// Cancels those that are open or held, and lets their lines go on without them.
async fn cancel<P: Platform>(platform: &P, shard: u16, keys: &[DeliveryKey]) -> Result<()> {
    if cancel_all(platform, shard, keys).await? == 0 {
        let msg = "There is nothing to cancel: what is delivered, failed or canceled stays so";
        return Err(Error::new(Kind::Conflict, msg));
    }
    Ok(())
}

/// The same of whatever there is to cancel; how many that were.
///
/// # Errors
/// When the shard does not answer.
pub async fn cancel_all<P: Platform>(
    platform: &P,
    shard: u16,
    keys: &[DeliveryKey],
) -> Result<usize> {
    let log = history_db(platform, shard)?;
    let mut canceled = canceled_by_hand::cancel(log, keys, platform.now_ms()).await?;
    let count = canceled.len();
    canceled.sort_unstable();
    canceled.dedup();
    for connection in canceled {
        let workspace = keys.first().map(|key| key.workspace.clone()).unwrap_or_default();
        lanes::nudge(platform, &ConnectionQueue { shard, workspace, connection }).await;
    }
    Ok(count)
}
