//! Creating and changing rules.

use crate::app::changes;
use crate::app::common::{changing, new_id};
use crate::app::intake::ask;
use crate::destinations::model::{Action, InputKind, Values};
use crate::destinations::{self, Destination};
use crate::domain::base::error::{Code, Error, FieldError, Kind, Result};
use crate::domain::base::limits::FAN_OUT_MAX;
use crate::domain::base::names::widest;
use crate::domain::base::reason::Reason;
use crate::domain::base::version::Expected;
use crate::domain::routing::rule::Metadata;
use crate::domain::routing::template::Template;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::Action as Done;
use crate::ports::Platform;
use crate::store::connections::Connection;
use crate::store::{connections, deleted_rules, rule_patterns, rules, workspaces};

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
/// `NotFound` when the organization has no such workspace, or the workspace no such connection;
/// `Conflict` when another rule is the same in all that routes.
pub async fn create<P: Platform>(platform: &P, actor: &Actor, new: NewRule) -> Result<rules::Rule> {
    let control = platform.control();
    let workspace = workspaces::find(control, &actor.scope, &new.workspace).await?;
    let connection = connections::find(control, &actor.scope, &new.connection).await?;
    if connection.workspace != new.workspace {
        return Err(Error::not_found("connection"));
    }
    let now_ms = platform.now_ms();
    let destination = destinations::stored(&connection.kind).map_err(Error::internal)?;
    let action = action_of(destination, new.action.as_deref())?;
    check(destination, &connection, action, &new.metadata)?;
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
        version: 1,
    };
    check_width(platform, &rule).await?;
    let change = changes::of(platform, actor, &rule.workspace, &rule, Done::Created);
    rules::insert(control, &rule, &change).await?;
    ask::changed(platform, &rule.workspace).await;
    Ok(rule)
}

/// The action of a destination that has this key; without a key its first.
///
/// # Errors
/// `Invalid` when it has none of this key.
pub fn action_of(destination: &dyn Destination, key: Option<&str>) -> Result<&'static Action> {
    let about = destination.about();
    let found = key.map_or(about.actions.first(), |key| about.action(key));
    found.ok_or_else(|| {
        let keys: Vec<&str> = about.actions.iter().map(|action| action.key).collect();
        Error::field("metadata.action", format!("must be one of {}", keys.join(", ")))
    })
}

/// Whether a rule says what its action needs.
///
/// # Errors
/// `Refused` naming each key below `metadata` that is wrong.
pub fn check(
    destination: &dyn Destination,
    connection: &Connection,
    action: &Action,
    metadata: &Metadata,
) -> Result<()> {
    let mut wrong: Vec<(&str, Reason)> = Vec::new();
    let mut is_template = false;
    for input in action.inputs {
        let said = metadata.get(input.key).map_or("", |text| text.trim());
        let is_needed = input.is_required
            && !input.unless.is_some_and(|key| connection.credentials.contains_key(key));
        if said.is_empty() {
            let why = Reason::RequiredInput(action.key, input.label);
            wrong.extend(is_needed.then_some((input.key, why)));
        } else if let (true, Err(why)) = (input.kind.is_template(), Template::parse(said)) {
            is_template = true;
            wrong.push((input.key, why));
        } else if let InputKind::Words(words) = input.kind
            && !words.iter().any(|(word, _)| *word == said)
        {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            wrong.push((input.key, Reason::OneOf(known.join(", "))));
        }
    }
    let values = Values::stored(&connection.settings).map_err(Error::internal)?;
    let whole = destination.check_rule(&values, action, metadata);
    if let (true, Err(why)) = (wrong.is_empty(), whole) {
        is_template = true;
        wrong.push(why);
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let field = |(key, why)| FieldError::new(format!("metadata.{key}"), why);
    let error = Error::fields(wrong.into_iter().map(field).collect()).of_kind(Kind::Refused);
    Err(if is_template { error.with_code(Code::Template) } else { error })
}

/// What is to be changed about a rule; `None` leaves it as it is.
#[derive(Default)]
pub struct Change {
    /// New pattern, checked.
    pub event: Option<String>,
    /// New limit to a resource; `Some(None)` takes it away. So do the next two.
    pub resource: Option<Option<String>>,
    /// New limit to a resource id.
    pub resource_id: Option<Option<String>>,
    /// New filter, checked.
    pub filter: Option<Option<String>>,
    /// The connection that it sends to, one of its workspace.
    pub connection: Option<String>,
    /// What it asks of its destination.
    pub action: Option<String>,
    /// What the action needs to know, all of it.
    pub metadata: Option<Metadata>,
    /// Whether it routes.
    pub active: Option<bool>,
    /// Whether pages leave it out.
    pub hidden: Option<bool>,
}

/// Changes a rule of the version that is expected.
///
/// # Errors
/// `Conflict` when another rule is the same in all that routes; `Invalid` when the destination has
/// no such action; `Refused` when an event could be fanned out to more rules than there may be;
/// `PreconditionFailed` when the rule is of another version.
pub async fn change<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    change: &Change,
    expected: &Expected,
) -> Result<rules::Rule> {
    let control = platform.control();
    changing(async || {
        let mut rule = rules::find(control, &actor.scope, id).await?;
        expected.check(&rule.tag())?;
        let before = rule.clone();
        let Change { event, resource, resource_id, filter, connection, .. } = change;
        let Change { action, metadata, active, hidden, .. } = change;
        rule.event = event.clone().unwrap_or(rule.event);
        rule.resource = resource.clone().unwrap_or(rule.resource);
        rule.resource_id = resource_id.clone().unwrap_or(rule.resource_id);
        rule.filter = filter.clone().unwrap_or(rule.filter);
        rule.connection = connection.clone().unwrap_or(rule.connection);
        rule.action = action.clone().unwrap_or(rule.action);
        rule.metadata = metadata.clone().unwrap_or(rule.metadata);
        if connection.is_some() || action.is_some() || metadata.is_some() {
            check_change(platform, actor, &mut rule).await?;
        }
        rule.active = active.unwrap_or(rule.active);
        rule.hidden = hidden.unwrap_or(rule.hidden);
        rule.updated_at_ms = platform.now_ms();
        check_width(platform, &rule).await?;
        let told = changes::updated(platform, actor, &rule.workspace, &before, &rule);
        let is_stored = rules::update(control, &actor.scope, &rule, told.as_ref()).await?;
        ask::changed(platform, &rule.workspace).await;
        rule.version += 1;
        Ok(is_stored.then_some(rule))
    })
    .await
}

/// Whether a rule says what its action needs, for the connection that it sends to now. Without an
/// action of its destination it has the destination's first.
async fn check_change<P: Platform>(
    platform: &P,
    actor: &Actor,
    rule: &mut rules::Rule,
) -> Result<()> {
    let connection = connections::find(platform.control(), &actor.scope, &rule.connection).await?;
    let destination = destinations::stored(&connection.kind).map_err(Error::internal)?;
    let is_of_another = connection.kind != rule.kind;
    let key = Some(rule.action.as_str()).filter(|_| !is_of_another);
    let action = action_of(destination, key)?;
    action.key.clone_into(&mut rule.action);
    rule.kind.clone_from(&connection.kind);
    check(destination, &connection, action, &rule.metadata)
}

/// Deletes a rule of the version that is expected; the rule that it was.
///
/// # Errors
/// `NotFound` when the actor has no such rule; `PreconditionFailed` when it is of another version.
pub async fn delete<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    expected: &Expected,
) -> Result<rules::Rule> {
    let control = platform.control();
    changing(async || {
        let rule = rules::find(control, &actor.scope, id).await?;
        expected.check(&rule.tag())?;
        let version = (!expected.is_any()).then_some(rule.version);
        let change = changes::of(platform, actor, &rule.workspace, &rule, Done::Deleted);
        let deleted = deleted_rules::delete(control, &rule.workspace, id, version, &change).await?;
        ask::changed(platform, &rule.workspace).await;
        Ok(deleted.then_some(rule))
    })
    .await
}

/// The statement that stores a rule counts the patterns that match all that the rule does. Those
/// that match a part of it have to be looked through, which only a rule with a `*` has. Two such
/// rules made at once can both pass: an event then has some more deliveries than
/// [`FAN_OUT_MAX`], which costs it a second message to the queue and nothing else.
async fn check_width<P: Platform>(platform: &P, rule: &rules::Rule) -> Result<()> {
    if !rule.event.ends_with('*') {
        return Ok(());
    }
    let counts = rule_patterns::patterns(&rule.workspace, &rule.id).run(platform.control()).await?;
    if widest(&counts, &rule.event) < FAN_OUT_MAX { Ok(()) } else { Err(rule_patterns::too_many()) }
}
