//! Failed letters: the events of which a delivery was given up.

use crate::app::common::history_db;
use crate::app::events::{self, Page};
use crate::domain::base::error::Result;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::FanOut;
use crate::domain::tenants::actor::Scope;
use crate::ports::Platform;
use crate::store::events::{DeliverySummary, EventWithDeliveries, Filter};
use crate::store::failed;
use crate::store::together;

/// The failed deliveries of an event to one of these connections.
pub fn failed_among<'a>(
    found: &'a EventWithDeliveries,
    connections: &'a [&str],
) -> impl Iterator<Item = (&'a FanOut, &'a DeliverySummary)> {
    found.event.fan_out.iter().filter_map(move |owed| {
        let of_rule = |delivery: &&DeliverySummary| delivery.rule == owed.rule_number;
        let delivery = found.deliveries.iter().find(of_rule)?;
        let is_meant =
            delivery.state == State::Failed && connections.contains(&owed.connection.as_str());
        is_meant.then_some((owed, delivery))
    })
}

/// A part of a workspace's dead letters, newest event first.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The workspace.
    pub workspace: &'a str,
    /// What of it may be seen.
    pub scope: &'a Scope,
    /// Only deliveries to these connections.
    pub connections: &'a [&'a str],
    /// The event before which it begins.
    pub before: &'a str,
    /// The most events and the most failed deliveries that it shows. It may show fewer and still go
    /// on, since it reads a bounded number.
    pub limit: usize,
}

/// A page of the dead letters of a workspace on this shard.
///
/// # Errors
/// When the shard does not answer.
pub async fn list_at<P: Platform>(platform: &P, shard: u16, listing: Listing<'_>) -> Result<Page> {
    let Listing { workspace, scope, connections, before, limit } = listing;
    let log = history_db(platform, shard)?;
    if scope.resource.is_some() {
        // What is about one resource is found by its events, since a delivery does not name it.
        let of_resource = events::Listing {
            workspace: workspace.to_owned(),
            filter: Filter::default(),
            status: Some(State::Failed.status().to_owned()),
            before: before.to_owned(),
            limit,
        };
        let of_resource = of_resource.within(scope);
        let (read, end) = together(log, of_resource.queries()).await?;
        let is_meant =
            |found: &EventWithDeliveries| failed_among(found, connections).next().is_some();
        let page = of_resource.page_of(read, end, is_meant);
        return Ok(shortened(page, connections, limit));
    }
    let events_max = failed::shown_max(connections.len(), limit);
    let mut found = failed::list(workspace, connections, before, events_max + 1).run(log).await?;
    let has_more = found.len() > events_max;
    found.truncate(events_max);
    let next = found.last().filter(|_| has_more).map(|last| last.event.id.clone());
    Ok(shortened(Page { found, next }, connections, limit))
}

/// The page up to the event with its `limit`-th failed delivery.
fn shortened(mut page: Page, connections: &[&str], limit: usize) -> Page {
    let mut deliveries = 0;
    let has_room = |found: &&EventWithDeliveries| {
        let had_room = deliveries < limit;
        deliveries += failed_among(found, connections).count();
        had_room
    };
    let shown = page.found.iter().take_while(has_room).count();
    if shown < page.found.len() {
        page.found.truncate(shown);
        page.next = page.found.last().map(|last| last.event.id.clone());
    }
    page
}
