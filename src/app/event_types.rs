//! Changing the catalogue of event types, and what a workspace has emitted of them.

use crate::app::changes;
use crate::app::common::{changing, history_db};
use crate::domain::base::error::{Kind, Result};
use crate::domain::base::version::Expected;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::Action;
use crate::ports::Platform;
use crate::store::event_types::{self, EventType};
use crate::store::{names, workspaces};

/// Creates an event type, or puts it in the place of the one with its key.
///
/// # Errors
/// `PreconditionFailed` when a version is expected that the one that is there does not have;
/// `Refused` when the catalogue is full.
pub async fn put<P: Platform>(
    platform: &P,
    actor: &Actor,
    new: &EventType,
    expected: &Expected,
) -> Result<EventType> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    changing(async || {
        let found = match event_types::find(control, organization, &new.key).await {
            Ok(found) => Some(found),
            Err(error) if error.kind == Kind::NotFound => None,
            Err(error) => return Err(error),
        };
        expected.check(&found.as_ref().map(EventType::tag).unwrap_or_default())?;
        let version = found.as_ref().map(|found| found.version).filter(|_| !expected.is_any());
        let change = match &found {
            Some(found) => changes::updated(platform, actor, organization, found, new),
            None => Some(changes::of(platform, actor, organization, new, Action::Created)),
        };
        event_types::put(control, organization, new, version, change.as_ref()).await
    })
    .await
}

/// What is to be changed about an event type; `None` leaves it as it is.
pub struct Change {
    /// New label.
    pub label: Option<String>,
    /// New description; `Some(None)` takes it away. So do the next two.
    pub description: Option<Option<String>>,
    /// What it is listed under.
    pub group: Option<Option<String>>,
    /// The text of an example.
    pub example: Option<Option<String>>,
    /// Whether customers see it.
    pub visible: Option<bool>,
}

/// Changes an event type of the version that is expected.
///
/// # Errors
/// `NotFound` when the catalogue has none with this key; `PreconditionFailed` when it is of another
/// version.
pub async fn change<P: Platform>(
    platform: &P,
    actor: &Actor,
    key: &str,
    change: &Change,
    expected: &Expected,
) -> Result<EventType> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    changing(async || {
        let mut found = event_types::find(control, organization, key).await?;
        expected.check(&found.tag())?;
        let before = found.clone();
        let Change { label, description, group, example, visible } = change;
        found.label = label.clone().unwrap_or(found.label);
        found.description = description.clone().unwrap_or(found.description);
        found.group = group.clone().unwrap_or(found.group);
        found.example = example.clone().unwrap_or(found.example);
        found.visible = visible.unwrap_or(found.visible);
        found.updated_at_ms = platform.now_ms();
        let change = changes::updated(platform, actor, organization, &before, &found);
        let (version, change) = (Some(found.version), change.as_ref());
        event_types::put(control, organization, &found, version, change).await
    })
    .await
}

/// Takes an event type of the version that is expected out of the catalogue.
///
/// # Errors
/// `NotFound` when it has none with this key; `PreconditionFailed` when it is of another version.
pub async fn delete<P: Platform>(
    platform: &P,
    actor: &Actor,
    key: &str,
    expected: &Expected,
) -> Result<()> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    changing(async || {
        let found = event_types::find(control, organization, key).await?;
        expected.check(&found.tag())?;
        let version = (!expected.is_any()).then_some(found.version);
        let change = changes::of(platform, actor, organization, &found, Action::Deleted);
        let deleted = event_types::delete(control, organization, key, version, &change).await?;
        Ok(deleted.then_some(()))
    })
    .await
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
    names::list(workspace, kind).run(history_db(platform, found.shard)?).await
}
