//! The attempts of one delivery. They are read by pages: there can be many, each with a long
//! answer.

use crate::app::common::history_db;
use crate::app::events::{delivery_key, home};
use crate::domain::base::error::Result;
use crate::domain::delivery::attempt::Record;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::{attempts, events, together};

/// The attempts of an event's delivery by a rule after the number `after`, in order and at most
/// `limit`, each with the rule's number.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    (event, rule): (&str, &str),
    after: u32,
    limit: usize,
) -> Result<Vec<(u32, Record)>> {
    let home = home(platform, actor, event).await?;
    let of = &home.workspace;
    let queries = (events::find(of, event), attempts::of_delivery(of, event, rule, after, limit));
    let (found, of_rule) = together(history_db(platform, home.shard)?, queries).await?;
    delivery_key(&actor.scope, &found, rule)?;
    Ok(of_rule.into_iter().map(|attempt| (attempt.rule, attempt.record)).collect())
}
