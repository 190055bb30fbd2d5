//! The history: events, the state of their deliveries, and the attempts of one.

use super::log;
use crate::domain::actor::{Actor, Scope};
use crate::domain::attempt::Record;
use crate::domain::delivery::{State, event_status};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::ids;
use crate::domain::job::DeliveryKey;
use crate::domain::limits::{MERGED_WORKSPACES_MAX, STATUS_READS_MAX};
use crate::domain::workspace::Home;
use crate::ports::Platform;
use crate::store::attempts::{self, Attempt};
use crate::store::events::{self, EventWithDeliveries, Filter};
use crate::store::{names, three, two, workspaces};

/// A page of events, and where the list goes on.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, newest first.
    pub found: Vec<EventWithDeliveries>,
    /// The event before which it goes on; `None` at the end.
    pub next: Option<String>,
}

/// The status of an event over all its deliveries.
pub fn status(found: &EventWithDeliveries) -> &'static str {
    let state = |delivery: &events::DeliverySummary| State::parse(&delivery.state);
    let states: Vec<State> = found.deliveries.iter().filter_map(state).collect();
    event_status(&states)
}

/// The newest events of one workspace before the id `before`.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn list_of_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    filter: &Filter,
    wanted: Option<&str>,
    before: &str,
    limit: usize,
) -> Result<Page> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    let home = found.home();
    list_at(platform, &home, &actor.scope, filter, wanted, before, limit).await
}

/// The newest events at this home before the id `before`, filtered, and by status if one is
/// `wanted`. Few may be found on a page with more to come, since a page reads a bounded number.
///
/// # Errors
/// When the shard does not answer.
pub async fn list_at<P: Platform>(
    platform: &P,
    home: &Home,
    scope: &Scope,
    filter: &Filter,
    wanted: Option<&str>,
    before: &str,
    limit: usize,
) -> Result<Page> {
    let log = log(platform, home.shard)?;
    let filter = &within(scope, filter);
    let reads = if wanted.is_some() { STATUS_READS_MAX } else { limit + 1 };
    let queries = (
        events::list(&home.workspace, filter, before, reads),
        events::list_end(&home.workspace, before),
    );
    let (read, end) = two(log, queries).await?;
    // All that match were read, unless there are as many as were asked for.
    let is_full = read.len() == reads;
    let last = read.last().map(|found| found.event.id.clone());
    let mut found = read;
    found.retain(|found| wanted.is_none_or(|wanted| status(found) == wanted));
    let has_more = found.len() > limit;
    found.truncate(limit);
    let shown_last = found.last().map(|found| found.event.id.clone());
    let is_filtered = *filter != Filter::default();
    let next = match (has_more, is_full) {
        (true, _) => shown_last,
        (false, true) => last,
        (false, false) => end.filter(|_| is_filtered),
    };
    Ok(Page { found, next })
}

/// The filter within a scope: a scope of one resource asks for that one only.
fn within(scope: &Scope, filter: &Filter) -> Filter {
    match &scope.resource {
        None => filter.clone(),
        Some(only) => Filter {
            resource: Some(only.kind.clone()),
            resource_id: Some(only.id.clone()),
            ..filter.clone()
        },
    }
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
    let organization = &actor.scope.organization;
    let all = workspaces::list(platform.control(), organization, "", most + 1).await?;
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
            found.extend(events::list_of_each(log(platform, shard)?, &here, before, limit).await?);
        }
    }
    found.sort_unstable_by(|a, b| b.event.id.cmp(&a.event.id));
    found.truncate(limit);
    Ok(found)
}

/// The event types or resources that a workspace has emitted.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn names<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    kind: names::Kind,
) -> Result<Vec<names::Name>> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    names::list(workspace, kind).run(log(platform, found.shard)?).await
}

/// Where an event lives, if its workspace is in the actor's scope.
pub async fn home<P: Platform>(platform: &P, actor: &Actor, event: &str) -> Result<Home> {
    let absent = || Error::not_found("event");
    let number = ids::workspace_number(event).ok_or_else(absent)?;
    let control = platform.control();
    match workspaces::find_by_number(control, &actor.scope, number).await {
        Ok(workspace) => Ok(workspace.home()),
        Err(error) if error.kind == Kind::NotFound => Err(absent()),
        Err(error) => Err(error),
    }
}

/// An event with all that is known of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Whole {
    /// The event and the state of its deliveries.
    pub found: EventWithDeliveries,
    /// The payload's exact text.
    pub payload: String,
    /// The attempts of all its deliveries, those of each in order.
    pub attempts: Vec<Attempt>,
}

/// An event at this home with all that is known of it.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn whole_at<P: Platform>(
    platform: &P,
    home: &Home,
    scope: &Scope,
    event: &str,
) -> Result<Whole> {
    let of = &home.workspace;
    let queries =
        (events::find(of, event), events::payload(of, event), attempts::of_event(of, event));
    let (found, payload, attempts) = three(log(platform, home.shard)?, queries).await?;
    check_seen(scope, &found)?;
    Ok(Whole { found, payload, attempts })
}

/// What is about another resource than the scope's does not exist for it.
fn check_seen(scope: &Scope, found: &EventWithDeliveries) -> Result<()> {
    let (resource, id) = (found.event.resource.as_deref(), found.event.resource_id.as_deref());
    if scope.sees(resource, id) { Ok(()) } else { Err(Error::not_found("event")) }
}

/// The key of an event's delivery by the rule with this id.
///
/// # Errors
/// `NotFound` when the scope does not see the event, or the event owes nothing by this rule.
pub fn delivery_key(scope: &Scope, found: &EventWithDeliveries, rule: &str) -> Result<DeliveryKey> {
    check_seen(scope, found)?;
    let owed = found.event.fan_out.iter().find(|owed| owed.rule == rule);
    let owed = owed.ok_or_else(|| Error::not_found("delivery of this event by this rule"))?;
    Ok(DeliveryKey {
        workspace: found.event.workspace.clone(),
        connection: owed.connection.clone(),
        event: found.event.id.clone(),
        rule: owed.rule_number,
    })
}

/// One event with the exact text of its payload.
///
/// # Errors
/// `NotFound` when the actor has none with this id.
pub async fn find<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
) -> Result<(EventWithDeliveries, String)> {
    let home = home(platform, actor, event).await?;
    let of = &home.workspace;
    two(log(platform, home.shard)?, (events::find(of, event), events::payload(of, event))).await
}

/// The exact text of an event's payload.
///
/// # Errors
/// `NotFound` when the actor has none with this id.
pub async fn payload<P: Platform>(platform: &P, actor: &Actor, event: &str) -> Result<String> {
    let home = home(platform, actor, event).await?;
    events::payload(&home.workspace, event).run(log(platform, home.shard)?).await
}

/// The attempts of an event's delivery by a rule, in order.
///
/// # Errors
/// `NotFound` when the actor has no such event, or the event owes nothing by this rule.
pub async fn attempts<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
    rule: &str,
) -> Result<Vec<Record>> {
    let home = home(platform, actor, event).await?;
    let queries =
        (events::find(&home.workspace, event), attempts::of_event(&home.workspace, event));
    let (found, all) = two(log(platform, home.shard)?, queries).await?;
    let key = delivery_key(&actor.scope, &found, rule)?;
    let of_rule = all.into_iter().filter(|attempt| attempt.rule == key.rule);
    Ok(of_rule.map(|attempt| attempt.record).collect())
}
