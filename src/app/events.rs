//! The history: events, the state of their deliveries, and the attempts of one.

use std::collections::HashMap;

use crate::app::common::{group_by_key, history_db};
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{DELIVERIES_LISTED, LIST_READS_MAX, STATUS_READS_MAX};
use crate::domain::delivery::state::{State, event_status};
use crate::domain::intake::bounds::FLUSHED_AT_ONCE;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::tenants::actor::{Actor, Scope};
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::ports::Platform;
use crate::store::attempts::{self, Attempt};
use crate::store::events::{self, EventWithDeliveries, Filter, NEWEST};
use crate::store::lanes::{self, HeldBack};
use crate::store::workspaces::{self, Workspace};
use crate::store::{Query, hidden_connections, together};

/// A page of events, and where the list goes on.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// The events, newest first.
    pub found: Vec<EventWithDeliveries>,
    /// The event before which it goes on; `None` at the end.
    pub next: Option<String>,
}

impl Page {
    /// The same without what goes to these connections, and of the events that are left only those
    /// of this status.
    pub fn without(mut self, hidden: &[String], status_word: Option<&str>) -> Self {
        for EventWithDeliveries { event, deliveries, .. } in &mut self.found {
            event.fan_out.retain(|owed| !hidden.contains(&owed.connection));
            deliveries.retain(|one| event.fan_out.iter().any(|owed| owed.rule_number == one.rule));
        }
        self.found.retain(|found| status_word.is_none_or(|word| status(found) == word));
        self
    }
}

/// The status of an event over all its deliveries.
pub fn status(found: &EventWithDeliveries) -> &'static str {
    let states: Vec<State> = found.deliveries.iter().map(|delivery| delivery.state).collect();
    event_status(&states)
}

/// A part of a workspace's events, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The workspace.
    pub workspace: String,
    /// Which events.
    pub filter: Filter,
    /// Only those of this status.
    pub status: Option<String>,
    /// The event before which it begins.
    pub before: String,
    /// How many events it shows at the most. It may show fewer and go on, since it reads a bounded
    /// number.
    pub limit: usize,
}

impl Listing {
    /// The same listing as a scope may see it: one of a single resource lists that only.
    pub fn within(mut self, scope: &Scope) -> Self {
        if let Some(only) = &scope.resource {
            self.filter.resource = Some(only.kind.clone());
            self.filter.resource_id = Some(only.id.clone());
        }
        self
    }

    fn reads(&self) -> usize {
        if self.status.is_some() { STATUS_READS_MAX } else { self.limit + 1 }
    }

    /// What has to be read.
    pub fn queries(&self) -> (Query<Vec<EventWithDeliveries>>, Query<Option<String>>) {
        let (of, before) = (&self.workspace, &self.before);
        (
            events::list(of, &self.filter, before, self.reads()),
            events::list_end(of, &self.filter, before),
        )
    }

    /// The page that follows from what was read.
    pub fn page(&self, read: Vec<EventWithDeliveries>, end: Option<String>) -> Page {
        self.page_of(read, end, |found| {
            self.status.as_deref().is_none_or(|word| status(found) == word)
        })
    }

    /// The same of those that `is_meant` takes.
    pub fn page_of(
        &self,
        read: Vec<EventWithDeliveries>,
        end: Option<String>,
        is_meant: impl Fn(&EventWithDeliveries) -> bool,
    ) -> Page {
        // All that match were read, unless there are as many as were asked for.
        let is_full = read.len() == self.reads();
        let last_read = read.last().map(|found| found.event.id.clone());
        let mut found = read;
        found.retain(is_meant);
        let has_more = found.len() > self.limit;
        found.truncate(self.limit);
        let has_more = cut(&mut found) || has_more;
        let last_shown = found.last().map(|found| found.event.id.clone());
        let next = match (has_more, is_full) {
            (true, _) => last_shown,
            (false, true) => last_read,
            (false, false) => end.filter(|_| self.filter != Filter::default()),
        };
        Page { found, next }
    }
}

/// A page of a workspace's events.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn list_of_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    listing: Listing,
) -> Result<Page> {
    let found = workspaces::find(platform.control(), &actor.scope, &listing.workspace).await?;
    if listing.before == NEWEST {
        ask::caught_up(platform, &[&found.id]).await;
    }
    let mut page = list_at(platform, found.shard, &listing.within(&actor.scope)).await?;
    page.found.iter_mut().for_each(|event| event.kept = Some(found.kept()));
    Ok(page)
}

/// A page of the events of a workspace on this shard.
///
/// # Errors
/// When the shard does not answer.
pub async fn list_at<P: Platform>(platform: &P, shard: u16, listing: &Listing) -> Result<Page> {
    let (read, end) = together(history_db(platform, shard)?, listing.queries()).await?;
    Ok(listing.page(read, end))
}

/// The newest events of all workspaces of the organization before the id `before`, merged: at most
/// `limit`, and fewer where few workspaces have most of them, since it reads a bounded number.
///
/// The events of a page are of the workspaces whose newest event is among the newest. To find them
/// costs one row of each workspace; the others are not read further. With many workspaces it lags
/// by a flush.
///
/// # Errors
/// When a database does not answer.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &str,
    limit: usize,
) -> Result<Page> {
    let all = workspaces::locations(platform.control(), &actor.scope.organization).await?;
    if before == NEWEST && all.len() <= FLUSHED_AT_ONCE {
        let of: Vec<&str> = all.iter().map(|home| home.workspace.as_str()).collect();
        ask::caught_up(platform, &of).await;
    }
    let by_number: HashMap<u32, WorkspaceLocation> =
        all.into_iter().map(|home| (home.number, home)).collect();
    let home = |event: &String| by_number.get(&ids::workspace_number(event)?);
    let wanted = limit + 1;
    let mut homes: Vec<&WorkspaceLocation> = by_number.values().collect();
    if homes.len() > wanted {
        let mut newest = newest_ids(platform, &homes, before, 1).await?.concat();
        newest.sort_unstable_by(|a, b| b.cmp(a));
        homes = newest.iter().take(wanted).filter_map(home).collect();
    }
    let of_each = LIST_READS_MAX / homes.len().max(1);
    let lists = newest_ids(platform, &homes, before, of_each.min(wanted)).await?;
    let (shown, has_more) = merged(lists, of_each.min(wanted), limit);
    let keys = shown.iter().filter_map(|event| Some((home(event)?, event.as_str())));
    let mut found = Vec::new();
    for (shard, keys) in group_by_key(keys, |(home, _)| home.shard) {
        let keys: Vec<_> =
            keys.into_iter().map(|(home, event)| (home.workspace.as_str(), event)).collect();
        found.extend(events::these(history_db(platform, shard)?, &keys).await?);
    }
    found.sort_unstable_by(|a, b| b.event.id.cmp(&a.event.id));
    let of: Vec<&str> = found.iter().map(|one| one.event.workspace.as_str()).collect();
    let kept = workspaces::kept(platform.control(), &of).await?;
    for one in &mut found {
        one.kept = kept.get(&one.event.workspace).copied();
    }
    let next = if cut(&mut found) {
        found.last().map(|one| one.event.id.clone())
    } else {
        shown.into_iter().next_back().filter(|_| has_more)
    };
    Ok(Page { found, next })
}

/// Cuts a page where its deliveries become too many for one answer; whether it did.
fn cut(found: &mut Vec<EventWithDeliveries>) -> bool {
    let mut deliveries = 0;
    let mut fits = |one: &EventWithDeliveries| {
        deliveries += one.deliveries.len();
        deliveries <= DELIVERIES_LISTED
    };
    let (all, fitting) = (found.len(), found.iter().take_while(|one| fits(one)).count());
    found.truncate(fitting.max(1));
    found.len() < all
}

async fn newest_ids<P: Platform>(
    platform: &P,
    homes: &[&WorkspaceLocation],
    before: &str,
    of_each: usize,
) -> Result<Vec<Vec<String>>> {
    let mut found = Vec::new();
    for (shard, homes) in group_by_key(homes, |home| home.shard) {
        let here: Vec<&str> = homes.into_iter().map(|home| home.workspace.as_str()).collect();
        let log = history_db(platform, shard)?;
        found.extend(events::newest_ids(log, &here, before, of_each).await?);
    }
    Ok(found)
}

/// The newest of these lists, at most `limit`, and whether there are more. What is older than the
/// last of a list that was cut at `of_each` is for a later page.
fn merged(lists: Vec<Vec<String>>, of_each: usize, limit: usize) -> (Vec<String>, bool) {
    let is_cut = |list: &&Vec<String>| list.len() == of_each;
    let certain = lists.iter().filter(is_cut).filter_map(|list| list.last()).max().cloned();
    let mut all = lists.concat();
    all.sort_unstable_by(|a, b| b.cmp(a));
    let has_more = all.len() > limit || certain.is_some();
    all.retain(|event| certain.as_ref().is_none_or(|certain| event >= certain));
    all.truncate(limit);
    (all, has_more)
}

/// Where an event lives, if its workspace is in the actor's scope.
pub async fn home<P: Platform>(
    platform: &P,
    actor: &Actor,
    event: &str,
) -> Result<WorkspaceLocation> {
    home_of(platform, actor, event, "event").await
}

/// Where a record lives whose id carries its workspace's number, if that is in the actor's scope.
///
/// # Errors
/// `NotFound` for `noun` when it is not.
pub async fn home_of<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    noun: &str,
) -> Result<WorkspaceLocation> {
    workspace_of(platform, actor, id, noun).await.map(|workspace| workspace.home())
}

async fn workspace_of<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    noun: &str,
) -> Result<Workspace> {
    let absent = || Error::not_found(noun);
    let number = ids::workspace_number(id).ok_or_else(absent)?;
    match workspaces::find_by_number(platform.control(), &actor.scope, number).await {
        Ok(workspace) => Ok(workspace),
        Err(error) if error.kind == Kind::NotFound => Err(absent()),
        Err(error) => Err(error),
    }
}

/// An event with all that is known of it.
#[derive(Debug, PartialEq, Eq)]
pub struct EventDetails {
    /// The event and the state of its deliveries.
    pub found: EventWithDeliveries,
    /// The payload's exact text.
    pub payload: String,
    /// The newest attempts of all its deliveries, those of each in order; what receivers answered
    /// to any but the last of each is left out.
    pub attempts: Vec<Attempt>,
    /// The attempt that is looked at and the one before it, with all that was answered.
    pub looked_at: Vec<Attempt>,
    /// The lanes that hold deliveries of it back.
    pub held_back: Vec<HeldBack>,
}

/// An event at this home with all that is known of it. `look_at` is the id of a rule and the number
/// of an attempt.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn whole_at<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    scope: &Scope,
    event: &str,
    look_at: Option<(&str, u32)>,
) -> Result<EventDetails> {
    let of = &home.workspace;
    let (rule, number) = look_at.unwrap_or_default();
    let queries = (
        events::find(of, event),
        events::payload(of, event),
        attempts::of_event(of, event),
        lanes::of_event(of, event),
        attempts::of_delivery(of, event, rule, number.saturating_sub(2), 2),
    );
    let (found, payload, attempts, held_back, looked_at) =
        together(history_db(platform, home.shard)?, queries).await?;
    check_seen(scope, &found)?;
    Ok(EventDetails { found, payload, attempts, looked_at, held_back })
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
    let owed = owed.ok_or_else(no_such_delivery)?;
    Ok(DeliveryKey {
        workspace: found.event.workspace.clone(),
        connection: owed.connection.clone(),
        event: found.event.id.clone(),
        rule: owed.rule_number,
    })
}

/// Hidden connections, and what goes to them, do not exist for those whom pages show to.
///
/// # Errors
/// `NotFound` when the delivery is to one.
pub async fn check_shown<P: Platform>(
    platform: &P,
    scope: &Scope,
    key: &DeliveryKey,
) -> Result<()> {
    if scope.shown_only
        && hidden_connections::is_hidden(platform.control(), scope, &key.connection).await?
    {
        return Err(no_such_delivery());
    }
    Ok(())
}

fn no_such_delivery() -> Error {
    Error::not_found("delivery of this event by this rule")
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
    let workspace = workspace_of(platform, actor, event, "event").await?;
    let queries = (events::find(&workspace.id, event), events::payload(&workspace.id, event));
    let (mut found, payload) = together(history_db(platform, workspace.shard)?, queries).await?;
    found.kept = Some(workspace.kept());
    Ok((found, payload))
}

/// An event and the number of the rule of one of its deliveries, by the id that every attempt of
/// this delivery carries.
///
/// # Errors
/// `NotFound` when the actor has no such delivery.
pub async fn message<P: Platform>(
    platform: &P,
    actor: &Actor,
    message: &str,
) -> Result<(EventWithDeliveries, u32)> {
    let absent = || Error::not_found("message");
    let (event, rule) = ids::parse_message_id(message).ok_or_else(absent)?;
    let workspace = workspace_of(platform, actor, &event, "message").await?;
    let found = events::find(&workspace.id, &event).run(history_db(platform, workspace.shard)?);
    let mut found = found.await.map_err(|e| if e.kind == Kind::NotFound { absent() } else { e })?;
    check_seen(&actor.scope, &found)?;
    found.kept = Some(workspace.kept());
    let is_owed = found.event.fan_out.iter().any(|owed| owed.rule_number == rule);
    if is_owed { Ok((found, rule)) } else { Err(absent()) }
}
