//! Deleting an organization. Its keys are refused and nothing of it is sent from then on; its
//! workspaces and all that they had are cleared away in bounded steps by the cron.

use serde_json::json;

use crate::app::common::changing;
use crate::app::intake::ask;
use crate::app::upkeep::budget::Budget;
use crate::app::upkeep::deleted_workspaces::FORGET_AFTER_MS;
use crate::domain::base::error::Result;
use crate::domain::base::limits::CLEARED_WORKSPACES;
use crate::domain::base::version::Expected;
use crate::domain::tenants::actor::Scope;
use crate::ports::Platform;
use crate::store::organizations::{self, Deleted};
use crate::store::{deleted_workspaces, workspaces};

/// Deletes an organization.
///
/// # Errors
/// `NotFound` when there is none with this id; `PreconditionFailed` when it is of another version.
pub async fn delete<P: Platform>(
    platform: &P,
    organization: &str,
    expected: &Expected,
) -> Result<()> {
    let (control, now_ms) = (platform.control(), platform.now_ms());
    changing(async || {
        let found = organizations::find(control, organization).await?;
        expected.check(&found.tag())?;
        let version = (!expected.is_any()).then_some(found.version);
        let is_deleted = organizations::bury(control, organization, version, now_ms).await?;
        Ok(is_deleted.then_some(()))
    })
    .await?;
    ask::changed_all(platform).await;
    Ok(())
}

/// Statements that each costs: to find its workspaces, three to delete each of them, and four for
/// the rest.
const PER_ORGANIZATION: usize = 1 + 3 * CLEARED_WORKSPACES + 4;

/// Clears away some of what deleted organizations had, as far as the budget goes. One that fails is
/// logged and does not keep the others. Returns whether that was all for now.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn clear_some<P: Platform>(platform: &P, statements: &mut Budget) -> Result<bool> {
    statements.take(1);
    let mut is_all = true;
    for deleted in organizations::deleted(platform.control()).await? {
        if !statements.take(PER_ORGANIZATION) {
            return Ok(false);
        }
        match clear(platform, &deleted).await {
            Ok(done) => is_all = is_all && done,
            Err(error) => platform.log_event(&json!({"at": "delete_organization",
                "organization": deleted.organization, "error": error.to_string()})),
        }
    }
    Ok(is_all)
}

/// Deletes some workspaces, then what else it had; whether no workspace is left. What was made by
/// somebody who was let in just before the deletion is found some minutes later.
async fn clear<P: Platform>(platform: &P, deleted: &Deleted) -> Result<bool> {
    let (control, id, now_ms) = (platform.control(), &deleted.organization, platform.now_ms());
    let scope = Scope::organization(id.clone());
    let workspaces = workspaces::list(control, id, None, "", CLEARED_WORKSPACES).await?;
    for workspace in &workspaces {
        deleted_workspaces::bury(control, &scope, &workspace.id, true, None, now_ms).await?;
    }
    organizations::clear(control, id, now_ms - FORGET_AFTER_MS).await?;
    Ok(workspaces.len() < CLEARED_WORKSPACES)
}
