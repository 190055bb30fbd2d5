//! Rotating and limiting the publishable key of a workspace.

use crate::app::changes;
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::api_key;
use crate::domain::tenants::change::Action;
use crate::ports::Platform;
use crate::store::publishable_keys::{self, Change, PublishableKey};
use crate::store::workspaces::{self, Workspace};

/// Gives a workspace a new key with the former one's name and limits; the key, and until when the
/// former one is valid beside it.
///
/// # Errors
/// `NotFound` when the actor has no such workspace; `Conflict` naming `grace_seconds` when too many
/// keys are valid.
pub async fn rotate<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    grace_ms: i64,
) -> Result<(PublishableKey, i64)> {
    let control = platform.control();
    let (found, former) = found(platform, actor, workspace).await?;
    let public_key = api_key::publishable_key(found.number, platform.bytes());
    let key = PublishableKey { public_key, ..former };
    let told = changes::of(platform, actor, workspace, &key, Action::Rotated);
    let until_ms = told.at_ms + grace_ms;
    let key =
        publishable_keys::rotate(control, workspace, &key.public_key, until_ms, &told).await?;
    ask::changed(platform, workspace).await;
    Ok((key, until_ms))
}

/// Changes name and limits of a workspace's key.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn change<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    change: &Change,
) -> Result<PublishableKey> {
    let control = platform.control();
    let (_, before) = found(platform, actor, workspace).await?;
    let mut after = before.clone();
    let Change { name, events, origins } = change;
    after.name = name.clone().unwrap_or(after.name);
    after.limits.events = events.clone().unwrap_or(after.limits.events);
    after.limits.origins = origins.clone().unwrap_or(after.limits.origins);
    let told = changes::updated(platform, actor, workspace, &before, &after);
    publishable_keys::change(control, workspace, change, told.as_ref()).await?;
    ask::changed(platform, workspace).await;
    found(platform, actor, workspace).await.map(|(_, key)| key)
}

/// A workspace with its key.
async fn found<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
) -> Result<(Workspace, PublishableKey)> {
    let found = workspaces::find_with_key(platform.control(), &actor.scope, workspace);
    let (workspace, key) = found.await?;
    Ok((workspace, key.ok_or_else(|| Error::not_found("publishable key"))?))
}
