//! Creating an organization with its first machine key, and changing it.

use crate::app::common::{changing, new_id};
use crate::app::intake::ask;
use crate::app::machine_keys::{self, NewMachineKey};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::secret::Secret;
use crate::domain::base::version::Expected;
use crate::domain::tenants::actor::Scope;
use crate::ports::Platform;
use crate::store::machine_keys::MachineKey;
use crate::store::organizations::{self, Organization};
use crate::store::workspaces;

/// A new organization. The secret is shown this once.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// Access key of its first machine key.
    pub access_key: String,
    /// That key's secret.
    pub secret_key: Secret,
}

/// Creates an organization with this name.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn create<P: Platform>(platform: &P, name: &str) -> Result<Created> {
    let id = new_id(platform);
    let NewMachineKey { access_key, secret_key, sealed } = machine_keys::generate(platform, &id);
    let created_at_ms = platform.now_ms();
    let key = MachineKey { access_key, name: None, created_by: None, created_at_ms };
    organizations::insert_with_key(platform.control(), &id, name, &key, &sealed).await?;
    Ok(Created { id, created_at_ms, access_key: key.access_key, secret_key })
}

/// Checks that an organization has the workspace that is to take operational events.
///
/// # Errors
/// `Invalid` naming `operational_workspace` when it has not.
pub async fn check_operational<P: Platform>(
    platform: &P,
    organization: &str,
    workspace: Option<&str>,
) -> Result<()> {
    let Some(workspace) = workspace else { return Ok(()) };
    let scope = Scope::organization(organization.to_owned());
    match workspaces::find(platform.control(), &scope, workspace).await {
        Err(error) if error.kind == Kind::NotFound => {
            Err(Error::field("operational_workspace", "is not a workspace of this organization"))
        }
        found => found.map(drop),
    }
}

/// Changes an organization of the version that is expected.
///
/// # Errors
/// `PreconditionFailed` when it is of another version.
pub async fn change<P: Platform>(
    platform: &P,
    id: &str,
    expected: &Expected,
    edit: impl Fn(&mut Organization),
) -> Result<Organization> {
    let control = platform.control();
    changing(async || {
        let mut organization = organizations::find(control, id).await?;
        expected.check(&organization.tag())?;
        let before = organization.clone();
        edit(&mut organization);
        let is_stored = organizations::update(control, &organization).await?;
        if is_stored && routes_differently(&before, &organization) {
            ask::changed_all(platform).await;
        }
        organization.version += 1;
        Ok(is_stored.then_some(organization))
    })
    .await
}

/// Whether what the workspaces of an organization emit goes another way.
fn routes_differently(before: &Organization, after: &Organization) -> bool {
    let of = |one: &Organization| (one.suspended_at_ms.is_some(), one.trace_context);
    of(before) != of(after)
}
