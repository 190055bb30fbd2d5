//! Making and revoking machine keys.

use crate::app::{changes, sessions};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::secret::{Sealed, Secret};
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::api_key::{self, machine_key_place};
use crate::domain::tenants::change::Action;
use crate::ports::Platform;
use crate::store::machine_keys::{self, MachineKey, Revoked};

/// A machine key that was just made. Its secret is shown this once.
pub struct NewMachineKey {
    /// Access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
    /// The same, sealed for the row it will stand in.
    pub sealed: Sealed,
}

/// Draws a machine key for this organization.
pub fn generate<P: Platform>(platform: &P, organization: &str) -> NewMachineKey {
    let (access_key, secret_key) = api_key::machine_key(platform.bytes(), platform.bytes());
    let place = machine_key_place(organization, &access_key);
    let sealed = platform.settings().master_keys.seal(platform.bytes(), &place, &secret_key);
    NewMachineKey { access_key, secret_key, sealed }
}

/// Creates a machine key in the actor's organization; the key as it is shown, and its secret.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn create<P: Platform>(
    platform: &P,
    actor: &Actor,
    name: Option<String>,
) -> Result<(MachineKey, Secret)> {
    let organization = &actor.scope.organization;
    let NewMachineKey { access_key, secret_key, sealed } = generate(platform, organization);
    let created_by = Some(actor.created_by.clone());
    let key = MachineKey { access_key, name, created_by, created_at_ms: platform.now_ms() };
    let change = changes::of_machine_key(platform, actor, &key.access_key, Action::Created);
    machine_keys::create(platform.control(), organization, &key, &sealed, &change).await?;
    Ok((key, secret_key))
}

/// Revokes a machine key of the actor's organization, at once, and ends the sessions that it made.
///
/// # Errors
/// `NotFound` when it has no such key; `Conflict` when it is the last one, without which nobody
/// could make another.
pub async fn revoke<P: Platform>(platform: &P, actor: &Actor, access_key: &str) -> Result<()> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    let change = changes::of_machine_key(platform, actor, access_key, Action::Revoked);
    match machine_keys::revoke(control, organization, access_key, &change).await? {
        Revoked::Now => {
            sessions::end_of_key(platform, access_key).await;
            Ok(())
        }
        Revoked::Unknown => Err(Error::not_found("machine key")),
        Revoked::Last => {
            let msg = "This is the organization's last machine key. Create another one first";
            Err(Error::new(Kind::Conflict, msg))
        }
    }
}
