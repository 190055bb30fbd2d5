//! What a use case tells of a change: who made it, what it is about, which fields it changed. Never
//! what stands in a field.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids::change_id;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::{Action, Author, NewChange, RecordKind, Subject};
use crate::domain::tenants::session::{READ_PAYLOADS, Session};
use crate::ports::Platform;
use crate::store::changes::{self, Change};
use crate::store::connections::Connection;
use crate::store::event_types::EventType;
use crate::store::publishable_keys::PublishableKey;
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

/// A field of a record: its name, and whether it is another in the second one.
type Field<T> = (&'static str, fn(&T, &T) -> bool);

/// The table of a record's fields: the name of each, and where it stands in the record.
macro_rules! fields {
    ($($name:literal at $first:ident $(. $rest:ident)*,)*) => {
        &[$(($name, |a, b| a.$first$(.$rest)* != b.$first$(.$rest)*)),*]
    };
}

/// A record of which is kept who changed what.
pub trait Recorded: Sized + 'static {
    /// The fields that are told of when they change.
    const FIELDS: &'static [Field<Self>];

    /// What a change of it is about; it belongs to this workspace or organization.
    fn subject(&self, belongs_to: &str) -> Subject;
}

impl Recorded for Workspace {
    const FIELDS: &'static [Field<Self>] = fields! {
        "name" at name,
        "description" at description,
        "environment" at environment,
        "external_id" at external_id,
        "retention_days" at retention.days,
        "retention_unsettled_days" at retention.unsettled_days,
        "limits" at limits,
    };

    fn subject(&self, belongs_to: &str) -> Subject {
        named(belongs_to, RecordKind::Workspace, &self.id, &self.name)
    }
}

impl Recorded for Connection {
    const FIELDS: &'static [Field<Self>] = fields! {
        "name" at name,
        "hidden" at hidden,
        "timeout_seconds" at options.timeout_seconds,
        "retry_schedule_seconds" at options.retry_schedule_seconds,
        "ordering" at options.ordering,
        "max_per_second" at options.max_per_second,
        "max_in_flight" at options.max_in_flight,
    };

    fn subject(&self, belongs_to: &str) -> Subject {
        Subject {
            connection: Some(self.id.clone()),
            hidden: self.hidden,
            ..named(belongs_to, RecordKind::Connection, &self.id, &self.name)
        }
    }
}

impl Recorded for Rule {
    const FIELDS: &'static [Field<Self>] = fields! {
        "event" at event,
        "resource" at resource,
        "resource_id" at resource_id,
        "filter" at filter,
        "connection" at connection,
        "action" at action,
        "metadata" at metadata,
        "active" at active,
        "hidden" at hidden,
    };

    fn subject(&self, belongs_to: &str) -> Subject {
        Subject {
            connection: Some(self.connection.clone()),
            hidden: self.hidden,
            ..named(belongs_to, RecordKind::Rule, &self.id, &self.event)
        }
    }
}

/// It concerns all workspaces of its organization.
impl Recorded for EventType {
    const FIELDS: &'static [Field<Self>] = fields! {
        "label" at label,
        "description" at description,
        "group" at group,
        "example" at example,
        "visible" at visible,
    };

    fn subject(&self, belongs_to: &str) -> Subject {
        Subject {
            hidden: !self.visible,
            ..named(belongs_to, RecordKind::EventType, &self.key, &self.key)
        }
    }
}

impl Recorded for PublishableKey {
    const FIELDS: &'static [Field<Self>] = fields! {
        "name" at name,
        "events" at limits.events,
        "origins" at limits.origins,
    };

    fn subject(&self, belongs_to: &str) -> Subject {
        named(belongs_to, RecordKind::PublishableKey, &self.public_key, &self.name)
    }
}

/// What a change of a record with this id and name is about.
fn named(belongs_to: &str, kind: RecordKind, id: &str, name: &str) -> Subject {
    Subject { name: Some(name.to_owned()), ..subject(belongs_to, kind, id) }
}

/// The same of one whose name the store knows.
fn subject(belongs_to: &str, kind: RecordKind, id: &str) -> Subject {
    Subject {
        belongs_to: belongs_to.to_owned(),
        kind,
        id: id.to_owned(),
        name: None,
        connection: None,
        hidden: false,
    }
}

/// A change by this author, made now.
fn by<P: Platform>(
    platform: &P,
    author: Author,
    subject: Subject,
    action: Action,
    fields: Vec<String>,
) -> NewChange {
    let at_ms = platform.now_ms();
    let id = change_id(at_ms, platform.bytes());
    NewChange { id, at_ms, author, subject, action, fields }
}

/// A change of a record as a whole.
pub fn of<P: Platform>(
    platform: &P,
    actor: &Actor,
    belongs_to: &str,
    record: &impl Recorded,
    action: Action,
) -> NewChange {
    by(platform, actor.author.clone(), record.subject(belongs_to), action, Vec::new())
}

/// A change of the fields of a record, if any differs from what it was.
pub fn updated<P: Platform, T: Recorded>(
    platform: &P,
    actor: &Actor,
    belongs_to: &str,
    before: &T,
    after: &T,
) -> Option<NewChange> {
    with_fields(platform, actor, belongs_to, after, differing(before, after))
}

fn with_fields<P: Platform>(
    platform: &P,
    actor: &Actor,
    belongs_to: &str,
    after: &impl Recorded,
    fields: Vec<String>,
) -> Option<NewChange> {
    let change = || of(platform, actor, belongs_to, after, Action::Updated);
    (!fields.is_empty()).then(|| NewChange { fields, ..change() })
}

/// The names of the fields that differ.
fn differing<T: Recorded>(before: &T, after: &T) -> Vec<String> {
    let differing = T::FIELDS.iter().filter(|(_, differs)| differs(before, after));
    differing.map(|(name, _)| (*name).to_owned()).collect()
}

/// A change of the fields of a connection, of its settings and of its credentials, if any differs
/// from what it was. `has_new_secret` says whether its signing secret is another one.
///
/// # Errors
/// `Internal` when its stored settings cannot be read.
pub fn updated_whole<P: Platform>(
    platform: &P,
    actor: &Actor,
    before: &Connection,
    after: &Connection,
    has_new_secret: bool,
) -> Result<Option<NewChange>> {
    let settings = |connection: &Connection| -> Result<BTreeMap<String, Value>> {
        let read = serde_json::from_str(&connection.settings);
        read.map_err(|e| Error::internal(format!("settings of {}: {e}", connection.id)))
    };
    let mut fields = differing(before, after);
    fields.extend(differing_keys(&settings(before)?, &settings(after)?));
    fields.extend(differing_keys(&before.credentials, &after.credentials));
    fields.extend(has_new_secret.then(|| SIGNING_SECRET.to_owned()));
    Ok(with_fields(platform, actor, &after.workspace, after, fields))
}

/// What the signing secret of a connection is called.
const SIGNING_SECRET: &str = "signing_secret";

/// A connection gets another signing secret.
pub fn rotated_secret<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &Connection,
) -> NewChange {
    let change = of(platform, actor, &connection.workspace, connection, Action::SecretRotated);
    NewChange { fields: vec![SIGNING_SECRET.to_owned()], ..change }
}

/// A change of what a connection's mapping says.
pub fn of_mapping<P: Platform>(platform: &P, actor: &Actor, connection: &Connection) -> NewChange {
    let change = of(platform, actor, &connection.workspace, connection, Action::Updated);
    NewChange { fields: vec!["mapping".to_owned()], ..change }
}

/// The keys that only one of them has, or that have another value in the other.
fn differing_keys<T: PartialEq>(a: &BTreeMap<String, T>, b: &BTreeMap<String, T>) -> Vec<String> {
    let differs = |key: &&String| a.get(*key) != b.get(*key);
    let only_in_b = b.keys().filter(|key| !a.contains_key(*key));
    a.keys().chain(only_in_b).filter(differs).cloned().collect()
}

/// A connection that Posthorn itself makes inactive.
pub fn switched_off<P: Platform>(
    platform: &P,
    workspace: &str,
    connection: &str,
    reason: InactiveReason,
) -> NewChange {
    let subject = Subject {
        connection: Some(connection.to_owned()),
        ..subject(workspace, RecordKind::Connection, connection)
    };
    let author = Author::system(reason.as_str());
    by(platform, author, subject, Action::Deactivated, Vec::new())
}

/// A machine key of the organization: all its workspaces are concerned, and none of their pages,
/// since it is the product's own.
pub fn of_machine_key<P: Platform>(
    platform: &P,
    actor: &Actor,
    access_key: &str,
    action: Action,
) -> NewChange {
    let organization = &actor.scope.organization;
    let subject =
        Subject { hidden: true, ..subject(organization, RecordKind::MachineKey, access_key) };
    by(platform, actor.author.clone(), subject, action, Vec::new())
}

/// A session that staff opens: the customer finds it among who changed what.
pub fn of_staff<P: Platform>(platform: &P, author: Author, session: &Session) -> NewChange {
    let role = session.role.as_str();
    let subject = named(&session.workspace, RecordKind::Session, &session.id, role);
    let fields = session.reads_payloads.then(|| READ_PAYLOADS.to_owned());
    by(platform, author, subject, Action::Opened, fields.into_iter().collect())
}
