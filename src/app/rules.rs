//! Creating a rule.

use super::new_id;
use crate::destination::WEBHOOK;
use crate::domain::actor::Actor;
use crate::domain::error::{Error, Result};
use crate::ports::Platform;
use crate::store::{connections, rules, workspaces};

/// The one action there is.
pub const SEND_WEBHOOK: &str = "send_webhook";

/// A rule to be created.
pub struct NewRule {
    /// Workspace.
    pub workspace: String,
    /// Connection it sends to.
    pub connection: String,
    /// Event name it matches.
    pub event: String,
    /// Resource it is limited to.
    pub resource: Option<String>,
    /// Resource id it is limited to.
    pub resource_id: Option<String>,
    /// Whether it routes.
    pub active: bool,
    /// Whether pages leave it out.
    pub hidden: bool,
}

/// Creates a rule. Its connection must be one of its workspace.
///
/// # Errors
/// `NotFound` when the organization has no such workspace, or the workspace no such connection.
pub async fn create<P: Platform>(platform: &P, actor: &Actor, new: NewRule) -> Result<rules::Rule> {
    let control = platform.control();
    let workspace = workspaces::find(control, &actor.scope, &new.workspace).await?;
    let connection = connections::find(control, &actor.scope, &new.connection).await?;
    if connection.workspace != new.workspace {
        return Err(Error::not_found("connection"));
    }
    let now_ms = platform.now_ms();
    let rule = rules::Rule {
        id: new_id(platform),
        number: 0,
        kind: WEBHOOK.to_owned(),
        action: SEND_WEBHOOK.to_owned(),
        workspace: workspace.id,
        workspace_name: workspace.name,
        connection: new.connection,
        event: new.event,
        resource: new.resource,
        resource_id: new.resource_id,
        active: u8::from(new.active),
        hidden: u8::from(new.hidden),
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    rules::insert(control, &rule).await?;
    Ok(rule)
}
