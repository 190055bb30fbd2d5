//! Creating and changing rules.

use crate::app::common::new_id;
use crate::destinations::model::Action;
use crate::destinations::{self, Destination};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::FAN_OUT_MAX;
use crate::domain::base::names::widest;
use crate::domain::routing::rule::Metadata;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::{connections, rules, workspaces};

/// A rule to be created.
pub struct NewRule {
    /// Workspace.
    pub workspace: String,
    /// Connection it sends to.
    pub connection: String,
    /// Pattern of the event names that it matches, checked.
    pub event: String,
    /// Resource it is limited to.
    pub resource: Option<String>,
    /// Resource id it is limited to.
    pub resource_id: Option<String>,
    /// Text of the filter that payloads must pass, checked.
    pub filter: Option<String>,
    /// What it asks of its destination; by default the destination's first action.
    pub action: Option<String>,
    /// What the action needs to know.
    pub metadata: Metadata,
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
    let destination = destinations::stored(&connection.kind).map_err(Error::internal)?;
    let action = action(destination, new.action.as_deref())?;
    let rule = rules::Rule {
        id: new_id(platform),
        number: 0,
        kind: connection.kind,
        action: action.key.to_owned(),
        metadata: new.metadata,
        workspace: workspace.id,
        workspace_name: workspace.name,
        connection: new.connection,
        event: new.event,
        resource: new.resource,
        resource_id: new.resource_id,
        filter: new.filter,
        active: new.active,
        hidden: new.hidden,
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
    };
    check_width(platform, &rule).await?;
    rules::insert(control, &rule).await?;
    Ok(rule)
}

/// The action of a destination that has this key; without a key its first.
///
/// # Errors
/// `Invalid` when it has none of this key.
fn action(destination: &dyn Destination, key: Option<&str>) -> Result<&'static Action> {
    let about = destination.about();
    let found = key.map_or(about.actions.first(), |key| about.action(key));
    found.ok_or_else(|| {
        let keys: Vec<&str> = about.actions.iter().map(|action| action.key).collect();
        Error::field("metadata.action", format!("must be one of {}", keys.join(", ")))
    })
}

/// Stores a changed rule.
///
/// # Errors
/// `Refused` when an event could be fanned out to more rules than there may be.
pub async fn update<P: Platform>(platform: &P, rule: &rules::Rule) -> Result<()> {
    check_width(platform, rule).await?;
    rules::update(platform.control(), rule).await
}

/// The statement that stores a rule counts the patterns that match all that the rule does. Those
/// that match a part of it have to be looked through, which only a rule with a `*` has. Two such
/// rules made at once can both pass: an event then has some more deliveries than
/// [`FAN_OUT_MAX`], which costs it a second message to the queue and nothing else.
async fn check_width<P: Platform>(platform: &P, rule: &rules::Rule) -> Result<()> {
    if !rule.event.ends_with('*') {
        return Ok(());
    }
    let counts = rules::patterns(&rule.workspace, &rule.id).run(platform.control()).await?;
    if widest(&counts, &rule.event) < FAN_OUT_MAX { Ok(()) } else { Err(rules::too_many()) }
}
