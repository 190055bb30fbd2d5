//! Deliveries that are missing: by today's rules an event would owe them, and it does not, because
//! a rule is newer than the event, was paused, or had a filter that was too costly.

use std::collections::HashMap;

use crate::app::common::history_db;
use crate::app::turn::Turn;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::{
    MISSING_BYTES_AT_ONCE, MISSING_BYTES_MAX, MISSING_EVENTS_AT_ONCE, MISSING_EVENTS_MAX,
    MISSING_FILTER_BUDGET, MISSING_FILTER_SHARE,
};
use crate::domain::base::names::covers;
use crate::domain::delivery::replay::Selection;
use crate::domain::routing::filter::{Budget, Filter, Payload};
use crate::domain::routing::rule::Rule;
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::ports::Platform;
use crate::store::missing::{self, Owing};
use crate::store::replays::Chosen;

/// A rule with its filter, read once.
struct Judged<'a> {
    rule: &'a Rule,
    filter: Option<std::result::Result<Filter<'a>, ()>>,
}

/// What judging may still cost.
struct Left {
    bytes: usize,
    budget: usize,
    turn: Turn,
}

/// The deliveries to these connections that are missing in a range of time, in the order of their
/// events. A rule whose filter is too costly for a payload even by itself is left out.
///
/// # Errors
/// `Refused` naming `until` when there is too much to look at.
pub async fn find<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    among: &[String],
    what: &Selection,
) -> Result<Vec<Chosen>> {
    let rules = missing::rules(platform.control(), &home.workspace).await?;
    let rules = rules.iter().filter(|rule| among.contains(&rule.connection)).map(|rule| {
        let filter = rule.filter.as_deref().map(|text| Filter::read(text).map_err(drop));
        Judged { rule, filter }
    });
    let rules: Vec<Judged<'_>> = rules.collect();
    let log = history_db(platform, home.shard)?;
    let (mut after, end) = what.events();
    let (mut found, mut looked_at) = (Vec::new(), 0);
    let mut left =
        Left { bytes: MISSING_BYTES_MAX, budget: MISSING_FILTER_BUDGET, turn: Turn::default() };
    loop {
        let range = (after.as_str(), end.as_str());
        let page = missing::events(log, &home.workspace, range, MISSING_EVENTS_AT_ONCE).await?;
        looked_at += page.len();
        if looked_at > MISSING_EVENTS_MAX {
            let msg = format!("more than {MISSING_EVENTS_MAX} events are in this range");
            return Err(too_much(&msg));
        }
        let is_meant = |event: &&Owing| {
            !event.is_erased
                && !event.rules.contains(&0)
                && what.event.as_ref().is_none_or(|name| *name == event.name)
        };
        let meant: Vec<&Owing> = page.iter().filter(is_meant).collect();
        judge(platform, home, &rules, &meant, &mut left, &mut found).await?;
        match page.last() {
            Some(last) if page.len() == MISSING_EVENTS_AT_ONCE => after.clone_from(&last.event),
            _ => return Ok(found),
        }
    }
}

fn too_much(what: &str) -> Error {
    let msg = format!("{what}; choose a shorter one, or one connection");
    Error::field("until", msg).of_kind(Kind::Refused)
}

/// Adds what these events would owe and do not.
async fn judge<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    rules: &[Judged<'_>],
    events: &[&Owing],
    left: &mut Left,
    found: &mut Vec<Chosen>,
) -> Result<()> {
    let log = history_db(platform, home.shard)?;
    let wanted = |event: &Owing| -> Vec<&Judged<'_>> {
        let (resource, id) = (event.resource.as_deref(), event.resource_id.as_deref());
        let is_wanted = |one: &&Judged<'_>| {
            covers(&one.rule.event, &event.name)
                && !event.rules.contains(&one.rule.number)
                && one.rule.matches(resource, id).is_ok()
        };
        rules.iter().filter(is_wanted).collect()
    };
    for slice in slices(events) {
        let with_rules: Vec<(&Owing, Vec<&Judged<'_>>)> =
            slice.iter().map(|event| (*event, wanted(event))).collect();
        let is_filtered =
            |(_, rules): &&(&Owing, Vec<&Judged<'_>>)| rules.iter().any(|one| one.filter.is_some());
        let filtered = with_rules.iter().filter(is_filtered).map(|(event, _)| *event);
        let filtered: Vec<&Owing> = filtered.collect();
        let bytes: usize = filtered.iter().map(|event| event.payload_bytes).sum();
        left.bytes = left.bytes.checked_sub(bytes).ok_or_else(|| {
            let mebibytes = MISSING_BYTES_MAX / (1_024 * 1_024);
            too_much(&format!("filters would read more than {mebibytes} MiB in this range"))
        })?;
        let ids: Vec<&str> = filtered.iter().map(|event| event.event.as_str()).collect();
        let payloads: HashMap<String, String> = match ids.is_empty() {
            true => HashMap::new(),
            false => missing::payloads(log, &home.workspace, &ids).await?.into_iter().collect(),
        };
        for (event, rules) in with_rules {
            let payload = payloads.get(&event.event).map(|text| Payload::new(text));
            for one in rules {
                if passes(one, payload.as_ref(), left)? {
                    found.push(chosen(event, one.rule));
                }
                left.turn.pause(platform).await;
            }
            left.turn.spend(payloads.get(&event.event).map_or(0, String::len));
        }
    }
    Ok(())
}

/// Events whose payloads are read together.
fn slices<'a, 'b>(events: &'a [&'b Owing]) -> Vec<&'a [&'b Owing]> {
    let (mut all, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (index, event) in events.iter().enumerate() {
        if bytes + event.payload_bytes > MISSING_BYTES_AT_ONCE && index > start {
            all.push(&events[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += event.payload_bytes;
    }
    all.push(&events[start..]);
    all
}

/// Whether the filter of a rule lets a payload pass.
fn passes(one: &Judged<'_>, payload: Option<&Payload<'_>>, left: &mut Left) -> Result<bool> {
    let (Some(filter), Some(payload)) = (&one.filter, payload) else {
        // Without a filter everything passes; an event that was deleted meanwhile does not.
        return Ok(one.filter.is_none());
    };
    let share = MISSING_FILTER_SHARE.min(left.budget);
    let budget = Budget::new(share);
    let passed = payload.passes(Some(filter), &budget);
    left.budget -= share - budget.left();
    left.turn.spend(share - budget.left());
    if left.budget == 0 {
        let error = too_much("the filters are too costly for the payloads of this range");
        return Err(error.with_code(Code::FilterTooCostly));
    }
    Ok(passed.is_ok())
}

fn chosen(event: &Owing, rule: &Rule) -> Chosen {
    Chosen {
        event: event.event.clone(),
        rule: rule.number,
        connection: rule.connection.clone(),
        missing: Some((rule.id.clone(), rule.kind.clone())),
    }
}
