//! Rotating and limiting the publishable key of a workspace.

use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::api_key;
use crate::ports::Platform;
use crate::store::publishable_keys::{self, Change, PublishableKey};
use crate::store::workspaces;

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
    let number = workspaces::find(control, &actor.scope, workspace).await?.number;
    let public_key = api_key::publishable_key(number, platform.bytes());
    let now_ms = platform.now_ms();
    let until_ms = now_ms + grace_ms;
    let key = publishable_keys::rotate(control, workspace, &public_key, until_ms, now_ms).await?;
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
    workspaces::find(control, &actor.scope, workspace).await?;
    publishable_keys::change(control, workspace, change).await?;
    let (_, key) = workspaces::find_with_key(control, &actor.scope, workspace).await?;
    key.ok_or_else(|| Error::not_found("publishable key"))
}
