//! Test events: one event to one connection, with rule number 0 instead of a rule. They are
//! attempted at once and once: neither the breaker nor a strict order keeps them back, and what
//! comes of them counts for nothing but themselves.

use crate::app::common::new_event_id;
use crate::app::emit::direct::store_and_wake;
use crate::domain::base::error::{Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::ids::{self, TEST_RULE};
use crate::domain::routing::event::{Event, FanOut, NewEvent, Service};
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::{connections, event_types, workspaces};

/// The catalogue's example for the event that a request for a test event names without a payload.
///
/// # Errors
/// `Invalid` when the body is no JSON object.
pub async fn example<P: Platform>(
    platform: &P,
    actor: &Actor,
    body: &str,
) -> Result<Option<String>> {
    let mut fields = Fields::parse(body)?;
    let Some(name) = fields.text("event").filter(|_| !fields.has("payload")) else {
        return Ok(None);
    };
    match event_types::find(platform.control(), &actor.scope.organization, &name).await {
        Ok(event_type) => Ok(event_type.example),
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sends a test event to a connection.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Unavailable` when it is not known that
/// the event was stored.
pub async fn send<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &str,
    new: NewEvent,
) -> Result<Event> {
    let control = platform.control();
    let found = connections::find(control, &actor.scope, connection).await?;
    let workspace = workspaces::find(control, &actor.scope, &found.workspace).await?;
    let now_ms = platform.now_ms();
    let event = Event {
        id: new_event_id(platform, workspace.number),
        workspace: workspace.id,
        name: new.name,
        resource: new.resource,
        resource_id: new.resource_id,
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        hops: 0,
        trace: None,
        fan_out: vec![FanOut {
            rule_number: TEST_RULE,
            rule: ids::test_rule_id(connection),
            connection: connection.to_owned(),
            kind: found.kind,
            held: !found.active,
            service: Service::Jobs,
        }],
        unmatched: Vec::new(),
    };
    let stored = vec![(event.clone(), new.payload)];
    store_and_wake(platform, workspace.shard, &stored).await?;
    Ok(event)
}
