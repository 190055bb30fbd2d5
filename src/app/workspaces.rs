//! Creating a workspace.

use super::new_id;
use crate::domain::api_key;
use crate::domain::error::Result;
use crate::ports::Platform;
use crate::store::workspaces::{self, NewWorkspace, Workspace};

/// Creates a workspace with its publishable key, on the shard that its number falls on.
///
/// # Errors
/// `Conflict` when the organization has a workspace of this name, `Refused` when it may have no
/// more.
pub async fn create<P: Platform>(
    platform: &P,
    organization: &str,
    name: &str,
    description: Option<&str>,
) -> Result<Workspace> {
    let (id, now_ms) = (new_id(platform), platform.now_ms());
    let control = platform.control();
    let number = workspaces::next_number(control).await?;
    let shards = u32::from(platform.settings().log_shards.max(1));
    let shard = u16::try_from(number % shards).unwrap_or(0);
    let public_key = api_key::publishable_key(number, platform.bytes());
    let new = NewWorkspace { id: &id, name, description, now_ms };
    let quota = platform.settings().quotas.workspaces_per_organization;
    workspaces::insert(control, organization, &new, number, shard, &public_key, quota).await?;
    Ok(Workspace {
        id,
        number,
        shard,
        name: name.to_owned(),
        description: description.map(str::to_owned),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    })
}
