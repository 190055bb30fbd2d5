//! What a use case tells of a change: who made it, what it is about, which fields it changed. Never
//! what stands in a field.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::base::error::Result;
use crate::domain::base::ids::change_id;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::{Action, Author, NewChange, RecordKind, differing};
use crate::domain::tenants::session::{READ_PAYLOADS, Session};
use crate::ports::Platform;
use crate::store::changes::{self, Change};
use crate::store::connections::Connection;
use crate::store::event_types::EventType;
use crate::store::rules::Rule;
use crate::store::workspaces::{self, Workspace};

/// The changes of a workspace before the id `before`, newest first.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Change>> {
    let control = platform.control();
    let found = workspaces::find(control, &actor.scope, workspace).await?;
    let of = (actor.scope.organization.as_str(), found.id.as_str());
    changes::list(control, of, actor.scope.shown_only, before, limit).await
}

/// A change by this author, made now, of a record of this version.
fn by<P: Platform>(
    platform: &P,
    author: Author,
    belongs_to: &str,
    (record_kind, record, version): (RecordKind, &str, i64),
    action: Action,
) -> NewChange {
    let at_ms = platform.now_ms();
    NewChange {
        id: change_id(at_ms, &format!("{record}:{version}:{}", action.as_str())),
        at_ms,
        author,
        belongs_to: belongs_to.to_owned(),
        record_kind,
        record: record.to_owned(),
        name: None,
        connection: None,
        action,
        fields: Vec::new(),
        hidden: false,
    }
}

/// The change, if it changes anything.
fn with_fields(change: NewChange, fields: Vec<String>) -> Option<NewChange> {
    (!fields.is_empty()).then_some(NewChange { fields, ..change })
}

/// A change of a connection.
pub fn of_connection<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &Connection,
    action: Action,
) -> NewChange {
    let record = (RecordKind::Connection, connection.id.as_str(), connection.version);
    let author = actor.author.clone();
    NewChange {
        name: Some(connection.name.clone()),
        connection: Some(connection.id.clone()),
        fields: differing(&[("signing_secret", action == Action::SecretRotated)]),
        hidden: connection.hidden,
        ..by(platform, author, &connection.workspace, record, action)
    }
}

/// A connection that Posthorn itself makes inactive.
pub fn switched_off<P: Platform>(
    platform: &P,
    workspace: &str,
    connection: &str,
    reason: InactiveReason,
) -> NewChange {
    let record = (RecordKind::Connection, connection, 0);
    let author = Author::system(reason.as_str());
    NewChange {
        connection: Some(connection.to_owned()),
        ..by(platform, author, workspace, record, Action::Deactivated)
    }
}

/// A change of the fields of a connection, if any differs from what it was. `has_new_secret` says
/// whether its signing secret is another one.
pub fn updated_connection<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &Connection,
    after: &Connection,
    has_new_secret: bool,
) -> Option<NewChange> {
    let (old, new) = (&before.options, &after.options);
    let mut fields = differing(&[
        ("name", before.name != after.name),
        ("hidden", before.hidden != after.hidden),
        ("timeout_seconds", old.timeout_seconds != new.timeout_seconds),
        ("retry_schedule_seconds", old.retry_schedule_seconds != new.retry_schedule_seconds),
        ("ordering", old.ordering != new.ordering),
        ("max_per_second", old.max_per_second != new.max_per_second),
        ("max_in_flight", old.max_in_flight != new.max_in_flight),
    ]);
    let settings = |connection: &Connection| -> BTreeMap<String, Value> {
        serde_json::from_str(&connection.settings).unwrap_or_default()
    };
    fields.extend(differing_keys(&settings(before), &settings(after)));
    fields.extend(differing_keys(&before.credentials, &after.credentials));
    fields.extend(has_new_secret.then(|| "signing_secret".to_owned()));
    with_fields(of_connection(platform, actor, after, Action::Updated), fields)
}

/// A change of what a connection's mapping says.
pub fn of_mapping<P: Platform>(platform: &P, actor: &Actor, connection: &Connection) -> NewChange {
    let fields = vec!["mapping".to_owned()];
    NewChange { fields, ..of_connection(platform, actor, connection, Action::Updated) }
}

/// The keys that only one of them has, or that have another value in the other.
fn differing_keys<T: PartialEq>(a: &BTreeMap<String, T>, b: &BTreeMap<String, T>) -> Vec<String> {
    let differs = |key: &&String| a.get(*key) != b.get(*key);
    let only_in_b = b.keys().filter(|key| !a.contains_key(*key));
    a.keys().chain(only_in_b).filter(differs).cloned().collect()
}

/// A change of a rule.
pub fn of_rule<P: Platform>(platform: &P, actor: &Actor, rule: &Rule, action: Action) -> NewChange {
    let record = (RecordKind::Rule, rule.id.as_str(), rule.version);
    NewChange {
        name: Some(rule.event.clone()),
        connection: Some(rule.connection.clone()),
        hidden: rule.hidden,
        ..by(platform, actor.author.clone(), &rule.workspace, record, action)
    }
}

/// A change of the fields of a rule, if any differs from what it was.
pub fn updated_rule<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &Rule,
    after: &Rule,
) -> Option<NewChange> {
    let fields = differing(&[
        ("event", before.event != after.event),
        ("resource", before.resource != after.resource),
        ("resource_id", before.resource_id != after.resource_id),
        ("filter", before.filter != after.filter),
        ("connection", before.connection != after.connection),
        ("action", before.action != after.action),
        ("metadata", before.metadata != after.metadata),
        ("active", before.active != after.active),
        ("hidden", before.hidden != after.hidden),
    ]);
    with_fields(of_rule(platform, actor, after, Action::Updated), fields)
}

/// A change of an event type, which concerns all workspaces of its organization.
pub fn of_event_type<P: Platform>(
    platform: &P,
    actor: &Actor,
    event_type: &EventType,
    action: Action,
) -> NewChange {
    let record = (RecordKind::EventType, event_type.key.as_str(), event_type.version);
    NewChange {
        name: Some(event_type.key.clone()),
        hidden: !event_type.visible,
        ..by(platform, actor.author.clone(), &actor.scope.organization, record, action)
    }
}

/// A change of the fields of an event type, if any differs from what it was.
pub fn updated_event_type<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &EventType,
    after: &EventType,
) -> Option<NewChange> {
    let fields = differing(&[
        ("label", before.label != after.label),
        ("description", before.description != after.description),
        ("group", before.group != after.group),
        ("example", before.example != after.example),
        ("visible", before.visible != after.visible),
    ]);
    with_fields(of_event_type(platform, actor, after, Action::Updated), fields)
}

/// A change of a workspace.
pub fn of_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &Workspace,
    action: Action,
) -> NewChange {
    let record = (RecordKind::Workspace, workspace.id.as_str(), workspace.version);
    NewChange {
        name: Some(workspace.name.clone()),
        ..by(platform, actor.author.clone(), &workspace.id, record, action)
    }
}

/// A change of the fields of a workspace, if any differs from what it was.
pub fn updated_workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &Workspace,
    after: &Workspace,
) -> Option<NewChange> {
    let (old, new) = (&before.retention, &after.retention);
    let fields = differing(&[
        ("name", before.name != after.name),
        ("description", before.description != after.description),
        ("environment", before.environment != after.environment),
        ("external_id", before.external_id != after.external_id),
        ("retention_days", old.days != new.days),
        ("retention_unsettled_days", old.unsettled_days != new.unsettled_days),
        ("limits", before.limits != after.limits),
    ]);
    with_fields(of_workspace(platform, actor, after, Action::Updated), fields)
}

/// A session that staff opens: the customer finds it among who changed what.
pub fn of_staff<P: Platform>(platform: &P, author: Author, session: &Session) -> NewChange {
    let record = (RecordKind::Session, session.id.as_str(), 0);
    NewChange {
        name: Some(session.role.as_str().to_owned()),
        fields: differing(&[(READ_PAYLOADS, session.reads_payloads)]),
        ..by(platform, author, &session.workspace, record, Action::Opened)
    }
}
