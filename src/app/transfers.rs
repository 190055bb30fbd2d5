//! Taking a workspace's history to another installation. Rules and connections have other ids
//! there, and so have events: an event's id ends with its workspace's number.

use std::collections::HashMap;

use serde_json::Value;

use crate::app::common::history_db;
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids::{self, TEST_RULE};
use crate::domain::base::names::check_name;
use crate::domain::delivery::state::{EndReason, State};
use crate::domain::routing::event::check_payload;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::transfers::{self, Into, MovedDelivery, MovedEvent, MovedRule};
use crate::store::workspaces;

/// What is read from `after` on, and where it goes on. All that was accepted before it begins is in
/// it.
///
/// # Errors
/// `NotFound` when the organization has no such workspace; as [`ask::flushed`].
pub async fn export<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    after: &str,
    limit: usize,
) -> Result<(Vec<MovedEvent>, Option<String>)> {
    let workspace = workspaces::find(platform.control(), &actor.scope, id).await?;
    if after.is_empty() {
        ask::flushed(platform, &workspace.id).await?;
    }
    let log = history_db(platform, workspace.shard)?;
    let found = transfers::read(log, id, after, limit).await?;
    let is_full = found.len() >= limit;
    let next = found.last().map(|last| last.id.clone()).filter(|_| is_full);
    Ok((found, next))
}

/// What of an export is what here: by its id there.
#[derive(Debug, Default)]
pub struct Renamed {
    /// Connections.
    pub connections: HashMap<String, String>,
    /// Rules.
    pub rules: HashMap<String, String>,
}

/// What was taken in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Events.
    pub events: usize,
    /// Deliveries whose rule or connection is not here: it had been deleted.
    pub left_out: usize,
}

/// Takes events in. The same again changes nothing.
///
/// # Errors
/// `NotFound` when there is no such workspace; `Invalid` when a record is none of this version.
pub async fn import<P: Platform>(
    platform: &P,
    workspace: &str,
    renamed: &Renamed,
    events: Vec<MovedEvent>,
) -> Result<Imported> {
    let into = transfers::into_workspace(workspace).run(platform.control()).await?;
    let into = into.ok_or_else(|| Error::not_found("workspace"))?;
    let (mut imported, now_ms) = (Imported::default(), platform.now_ms());
    let mut moved = Vec::new();
    for event in events {
        let (event, left_out) = rewritten(event, &into, renamed, now_ms)?;
        imported.events += 1;
        imported.left_out += left_out;
        moved.push(event);
    }
    transfers::insert(history_db(platform, into.shard)?, workspace, &moved).await?;
    Ok(imported)
}

/// An event as it is here, and how many of its deliveries are left out.
fn rewritten(
    event: MovedEvent,
    into: &Into,
    renamed: &Renamed,
    now_ms: i64,
) -> Result<(MovedEvent, usize)> {
    let id = ids::of_workspace(&event.id, into.number);
    let id = id.ok_or_else(|| Error::field("events", "has an id that is no event's"))?;
    check(&event).map_err(|what| Error::field("events", what))?;
    let (mut fan_out, mut deliveries, mut left_out) = (Vec::new(), Vec::new(), 0);
    for delivery in event.deliveries {
        let owed = event
            .fan_out
            .iter()
            .find(|owed| owed.number == delivery.rule && owed.connection == delivery.connection);
        match owed.and_then(|owed| here(owed, into, renamed)) {
            Some(owed) => {
                deliveries.push(settled(delivery, &owed, now_ms)?);
                fan_out.push(owed);
            }
            None => left_out += 1,
        }
    }
    let unmatched = event.unmatched.into_iter().filter_map(|rule| unmatched(rule, into, renamed));
    let unmatched = unmatched.collect();
    Ok((MovedEvent { id, fan_out, deliveries, unmatched, ..event }, left_out))
}

/// A rule that did not match, by its id and number here.
fn unmatched(mut rule: Value, into: &Into, renamed: &Renamed) -> Option<Value> {
    let (id, number) = rule_here(rule["r"].as_str()?, into, renamed)?;
    (rule["r"], rule["n"]) = (id.into(), number.into());
    Some(rule)
}

/// The id and the number that a rule has here.
fn rule_here(rule: &str, into: &Into, renamed: &Renamed) -> Option<(String, u32)> {
    let id = renamed.rules.get(rule)?;
    into.rules.iter().find(|(here, _)| here == id).cloned()
}

/// Checks what pages and receivers rely on.
fn check(event: &MovedEvent) -> std::result::Result<(), String> {
    check_name(&event.event).map_err(|what| format!("has a name that {what}"))?;
    if event.erased_at_ms.is_none() {
        check_payload(&event.payload).map_err(|what| format!("has a payload that {what}"))?;
    }
    let texts = event.deliveries.iter().flat_map(|one| {
        one.first_attempt.iter().chain(one.records.iter().map(|record| &record.record))
    });
    let is_record =
        |text: &String| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    if texts.into_iter().all(is_record) {
        return Ok(());
    }
    Err("has a record of an attempt that is none".to_owned())
}

fn here(owed: &MovedRule, into: &Into, renamed: &Renamed) -> Option<MovedRule> {
    let connection = renamed.connections.get(&owed.connection)?.clone();
    let kind = owed.kind.clone();
    if owed.number == TEST_RULE {
        let rule = ids::test_rule_id(&connection);
        return Some(MovedRule { number: TEST_RULE, rule, connection, kind });
    }
    let (rule, number) = rule_here(&owed.rule, into, renamed)?;
    Some(MovedRule { number, rule, connection, kind })
}

/// A delivery as it is here. What is still owed there is owed there alone: here it is canceled, and
/// can be sent by hand.
fn settled(delivery: MovedDelivery, owed: &MovedRule, now_ms: i64) -> Result<MovedDelivery> {
    let unknown = || Error::field("events", "has a delivery in a state that is none");
    let state: State = delivery.state.parse().map_err(|_| unknown())?;
    let (connection, rule) = (owed.connection.clone(), owed.number);
    let delivery = MovedDelivery { connection, rule, ..delivery };
    if !state.is_open() && state != State::Held {
        return Ok(delivery);
    }
    Ok(MovedDelivery {
        state: State::Canceled.as_str().to_owned(),
        reason: Some(EndReason::Canceled.as_str().to_owned()),
        completed_at_ms: Some(now_ms),
        ..delivery
    })
}
