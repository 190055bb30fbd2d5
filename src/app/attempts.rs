//! The attempts of one delivery. They are read by pages: there can be many, each with a long
//! answer.

use crate::app::common::history_db;
use crate::app::events::{check_shown, delivery_key, home};
use crate::domain::base::error::{Error, Result};
use crate::domain::delivery::attempt::Record;
use crate::domain::tenants::actor::{Actor, Scope};
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::ports::Platform;
use crate::store::events::{self, EventWithDeliveries};
use crate::store::{attempts, three, two};

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
    let (found, of_rule) = two(history_db(platform, home.shard)?, queries).await?;
    delivery_key(&actor.scope, &found, rule)?;
    Ok(of_rule.into_iter().map(|attempt| (attempt.rule, attempt.record)).collect())
}

/// One attempt of an event's delivery by a rule, with the event and its payload.
///
/// # Errors
/// `NotFound` when the scope has none with this number, or pages do not show it.
pub async fn find_at<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    scope: &Scope,
    (event, rule): (&str, &str),
    number: u32,
) -> Result<(EventWithDeliveries, String, Record)> {
    let of = &home.workspace;
    let one = attempts::of_delivery(of, event, rule, number.saturating_sub(1), 1);
    let queries = (events::find(of, event), events::payload(of, event), one);
    let (found, payload, one) = three(history_db(platform, home.shard)?, queries).await?;
    let key = delivery_key(scope, &found, rule)?;
    check_shown(platform, scope, &key).await?;
    let one = one.into_iter().find(|attempt| attempt.record.number == number);
    let one = one.ok_or_else(|| Error::not_found("attempt"))?;
    Ok((found, payload, one.record))
}
