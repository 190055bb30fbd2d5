//! The history: events, the state of their deliveries, and the attempts of one.

use super::log;
use crate::domain::actor::Actor;
use crate::domain::attempt::Record;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::event::FanOut;
use crate::domain::ids;
use crate::domain::job::DeliveryKey;
use crate::domain::limits::MERGED_WORKSPACES_MAX;
use crate::domain::workspace::Home;
use crate::ports::Platform;
use crate::store::events::EventWithDeliveries;
use crate::store::{attempts, events, names, workspaces};

/// The newest events of one workspace before the id `before`.
///
/// # Errors
/// `NotFound` when the organization has no such workspace.
pub async fn list_of_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<EventWithDeliveries>> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    events::list(log(platform, found.shard)?, &[workspace], before, limit).await
}

/// The newest events of all workspaces of the organization before the id `before`, merged.
///
/// # Errors
/// `Refused` when there are more workspaces than are merged.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &str,
    limit: usize,
) -> Result<Vec<EventWithDeliveries>> {
    let most = MERGED_WORKSPACES_MAX;
    let all = workspaces::list(platform.control(), &actor.scope.organization, "", most + 1).await?;
    if all.len() > most {
        let msg = format!(
            "The events of more than {most} workspaces are not merged; list each workspace's with \
             GET /api/v1/workspaces/{{id}}/events"
        );
        return Err(Error::new(Kind::Refused, msg));
    }
    let mut found = Vec::new();
    for shard in 0..platform.settings().log_shards {
        let here: Vec<&str> =
            all.iter().filter(|w| w.shard == shard).map(|w| w.id.as_str()).collect();
        if !here.is_empty() {
            found.extend(events::list(log(platform, shard)?, &here, before, limit).await?);
        }
    }
    found.sort_unstable_by(|a, b| b.event.id.cmp(&a.event.id));
    found.truncate(limit);
    Ok(found)
}

/// The event types or resources that a workspace has emitted.
///
/// # Errors
/// `NotFound` when the organization has no such workspace.
pub async fn names<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    kind: names::Kind,
) -> Result<Vec<names::Name>> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    names::list(log(platform, found.shard)?, workspace, kind).await
}

/// Where an event lives, if its workspace belongs to the caller's organization.
async fn home<P: Platform>(platform: &P, actor: &Actor, event: &str) -> Result<Home> {
    let absent = || Error::not_found("event");
    let number = ids::workspace_number(event).ok_or_else(absent)?;
    let control = platform.control();
    match workspaces::find_by_number(control, &actor.scope, number).await {
        Ok(workspace) => Ok(workspace.home()),
        Err(error) if error.kind == Kind::NotFound => Err(absent()),
        Err(error) => Err(error),
    }
}

/// One event with the exact text of its payload.
///
/// # Errors
/// `NotFound` when the organization has none with this id.
pub async fn find<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
) -> Result<(EventWithDeliveries, String)> {
    let home = home(platform, actor, event).await?;
    let log = log(platform, home.shard)?;
    let found = events::find(log, &home.workspace, event).await?;
    let payload = events::payload(log, &home.workspace, event).await?;
    Ok((found, payload))
}

/// The exact text of an event's payload.
///
/// # Errors
/// `NotFound` when the organization has none with this id.
pub async fn payload<P: Platform>(platform: &P, actor: &Actor, event: &str) -> Result<String> {
    let home = home(platform, actor, event).await?;
    events::payload(log(platform, home.shard)?, &home.workspace, event).await
}

/// The attempts of an event's delivery by a rule, in order.
///
/// # Errors
/// `NotFound` when the organization has no such event, or the event owes nothing by this rule.
pub async fn attempts<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
    rule: &str,
) -> Result<Vec<Record>> {
    let home = home(platform, actor, event).await?;
    let log = log(platform, home.shard)?;
    let found = events::find(log, &home.workspace, event).await?;
    let owed = found.event.fan_out.into_iter().find(|owed| owed.rule == rule);
    let FanOut { rule_number, connection, .. } =
        owed.ok_or_else(|| Error::not_found("delivery of this event by this rule"))?;
    let key = DeliveryKey {
        workspace: home.workspace,
        connection,
        event: event.to_owned(),
        rule: rule_number,
    };
    attempts::list(log, &key).await
}
