//! Creating and changing workspaces.

use crate::app::changes;
use crate::app::common::{changing, new_id};
use crate::app::upkeep::storage;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::version::Expected;
use crate::domain::delivery::retention::RetentionChoice;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::api_key;
use crate::domain::tenants::change::Action;
use crate::domain::tenants::workspace::Limits;
use crate::ports::Platform;
use crate::store::workspaces::{self, Workspace};

/// A workspace that is to be created.
pub struct NewWorkspace {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Label such as `staging`.
    pub environment: Option<String>,
    /// What the product itself calls it.
    pub external_id: Option<String>,
    /// For how long its events are kept.
    pub retention: RetentionChoice,
    /// How much it may have.
    pub limits: Limits,
}

/// Creates a workspace with its publishable key, on the shard that its number falls on, among those
/// that have room. Where the organization has one with its external id already, that one is the
/// answer, as it is. Returns whether it was created.
///
/// # Errors
/// `Conflict` when the organization has a workspace of this name, `Refused` when it may have no
/// more.
pub async fn create<P: Platform>(
    platform: &P,
    actor: &Actor,
    new: NewWorkspace,
) -> Result<(Workspace, bool)> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    let external_id = new.external_id.clone();
    if let Some(existing) = existing(platform, organization, external_id.as_deref()).await? {
        return Ok((existing, false));
    }
    let (id, now_ms) = (new_id(platform), platform.now_ms());
    let number = workspaces::next_number(control).await?;
    let workspace = Workspace {
        id,
        number,
        shard: storage::shard_for(platform, number).await?,
        name: new.name,
        description: new.description,
        environment: new.environment,
        external_id: new.external_id,
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        retention: new.retention,
        default_retention: RetentionChoice::default(),
        limits: new.limits,
        version: 1,
    };
    let public_key = api_key::publishable_key(number, platform.bytes());
    let quota = platform.settings().quotas.workspaces_per_organization;
    let told = changes::of(platform, actor, &workspace.id, &workspace, Action::Created);
    if workspaces::insert(control, organization, &workspace, &public_key, quota, &told).await? {
        return Ok((workspace, true));
    }
    // Somebody else may have created it in between.
    match existing(platform, organization, external_id.as_deref()).await? {
        Some(existing) => Ok((existing, false)),
        None => Err(taken("name")),
    }
}

async fn existing<P: Platform>(
    platform: &P,
    organization: &str,
    external_id: Option<&str>,
) -> Result<Option<Workspace>> {
    let Some(external_id) = external_id else { return Ok(None) };
    workspaces::find_by_external_id(platform.control(), organization, external_id).await
}

fn taken(field: &str) -> Error {
    let taken = Error::field(field, "is taken by another workspace of this organization");
    let code = if field == "name" { Code::NameTaken } else { Code::Duplicate };
    taken.of_kind(Kind::Conflict).with_code(code)
}

/// Changes a workspace of the version that is expected.
///
/// # Errors
/// `Conflict` naming `name` or `external_id` when another workspace has it; `PreconditionFailed`
/// when the workspace is of another version.
pub async fn change<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    expected: &Expected,
    edit: impl Fn(&mut Workspace),
) -> Result<Workspace> {
    let (control, organization) = (platform.control(), &actor.scope.organization);
    changing(async || {
        let mut workspace = workspaces::find(control, &actor.scope, id).await?;
        expected.check(&workspace.tag())?;
        let before = workspace.clone();
        edit(&mut workspace);
        workspace.updated_at_ms = platform.now_ms();
        let change = changes::updated(platform, actor, id, &before, &workspace);
        if workspaces::update(control, organization, &workspace, change.as_ref()).await? {
            workspace.version += 1;
            return Ok(Some(workspace));
        }
        if workspaces::find(control, &actor.scope, id).await?.version != workspace.version {
            return Ok(None);
        }
        let other = existing(platform, organization, workspace.external_id.as_deref()).await?;
        let is_other = other.is_some_and(|other| other.id != workspace.id);
        Err(taken(if is_other { "external_id" } else { "name" }))
    })
    .await
}
