//! Who changed what: one entry of a workspace's changes. It names the fields that were changed and
//! never says what stood or stands in them.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::base::time::DAY_MS;

/// How long a change is kept.
pub const CHANGES_KEPT_MS: i64 = 400 * DAY_MS;

/// How the ids of persons begin for whom staff opened a session (`npm run admin -- open`).
const STAFF: &str = "staff:";

/// What kind of somebody made a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum AuthorKind {
    /// A machine key of the product.
    MachineKey,
    /// Somebody in a session of the embed.
    Session,
    /// The product's staff, in a session of the embed.
    Staff,
    /// Posthorn itself.
    System,
}

/// Who made a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// What kind of somebody.
    pub kind: AuthorKind,
    /// The access key, the session's id, or why Posthorn did it.
    pub id: String,
    /// Who the person is in the product's own words.
    pub external_user_id: Option<String>,
}

impl Author {
    /// A machine key.
    pub fn machine_key(access_key: &str) -> Self {
        let id = access_key.to_owned();
        Self { kind: AuthorKind::MachineKey, id, external_user_id: None }
    }

    /// Posthorn itself, and why.
    pub fn system(why: &str) -> Self {
        Self { kind: AuthorKind::System, id: why.to_owned(), external_user_id: None }
    }

    /// Somebody in a session.
    pub fn session(id: &str, external_user_id: Option<&str>) -> Self {
        let is_staff = external_user_id.is_some_and(|person| person.starts_with(STAFF));
        let kind = if is_staff { AuthorKind::Staff } else { AuthorKind::Session };
        let external_user_id = external_user_id.map(str::to_owned);
        Self { kind, id: id.to_owned(), external_user_id }
    }
}

/// What kind of record was changed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum RecordKind {
    /// The workspace itself.
    Workspace,
    /// A connection.
    Connection,
    /// A rule.
    Rule,
    /// A type of the organization's catalogue of events.
    EventType,
    /// A session that staff opened.
    Session,
    /// The publishable key of a workspace.
    PublishableKey,
    /// A machine key of the organization.
    MachineKey,
}

/// What was done.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Action {
    /// It was made.
    Created,
    /// Some of its fields have other values.
    Updated,
    /// It is gone.
    Deleted,
    /// A connection takes deliveries.
    Activated,
    /// A connection takes none.
    Deactivated,
    /// A connection has another signing secret.
    SecretRotated,
    /// Only the newest signing secret of a connection signs.
    OverlapEnded,
    /// A session was opened.
    Opened,
    /// A publishable key has another one's place.
    Rotated,
    /// A machine key is refused from now on.
    Revoked,
}

/// The words of these enums, as the API and the store write them.
macro_rules! words {
    ($($kind:ident)*) => {
        $(impl $kind {
            /// The word that is stored, and that the API reads and writes.
            pub fn as_str(self) -> &'static str {
                self.into()
            }
        })*
    };
}
words!(AuthorKind RecordKind Action);

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The workspace; an organization where all its workspaces are concerned.
    pub belongs_to: String,
    /// What kind of record.
    pub kind: RecordKind,
    /// Its id.
    pub id: String,
    /// Its name; without one it has its connection's, or as a machine key its own.
    pub name: Option<String>,
    /// The connection that it is or belongs to, if it has to do with one.
    pub connection: Option<String>,
    /// Whether pages leave it out.
    pub hidden: bool,
}

/// A change that is to be recorded, together with what it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChange {
    /// Its id, which sorts by time.
    pub id: String,
    /// When it was made.
    pub at_ms: i64,
    /// Who made it.
    pub author: Author,
    /// What it is about.
    pub subject: Subject,
    /// What was done.
    pub action: Action,
    /// The names of the fields that were changed.
    pub fields: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staff_is_told_apart_from_customers() {
        let kind = |person| Author::session("s", person).kind;
        assert_eq!(kind(Some("staff:ada")), AuthorKind::Staff);
        assert_eq!(kind(Some("ada")), AuthorKind::Session);
        assert_eq!(kind(Some("my-staff:ada")), AuthorKind::Session);
        assert_eq!(kind(None), AuthorKind::Session);
    }
}
