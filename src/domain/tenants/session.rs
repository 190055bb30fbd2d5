//! A session of the embed: who it is for, what it may see and do, and how long.

use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

use crate::domain::tenants::actor::{Actor, Resource, Scope};
use crate::domain::tenants::change::Author;
use crate::domain::tenants::look::Look;

/// Bounds and default of a session's life, in seconds (the wire contract).
pub const TTL_S: (i64, i64, i64) = (300, 3_600, 1_800);
/// Bounds and default of a launch token's life, in seconds (the wire contract).
pub const LAUNCH_TTL_S: (i64, i64, i64) = (15, 60, 30);
/// The scope that opens payloads to admins and owners (the wire contract).
pub const READ_PAYLOADS: &str = "events.payload:read";

/// What a person may do, from the least on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Reads, sends test events and retries deliveries.
    Member,
    /// Also changes connections and rules and rotates secrets.
    Admin,
    /// As admin.
    Owner,
}

impl Role {
    /// The word that is stored, and that the API reads and writes.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What a session shows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum SessionType {
    /// A whole workspace.
    Workspace,
    /// What is about one resource of the workspace.
    Resource,
    /// A whole workspace, to read only.
    Dashboard,
}

impl SessionType {
    /// The word that is stored, and that the API reads and writes.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The page on which a session begins.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    EnumString,
    IntoStaticStr,
    VariantArray,
    VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum LaunchPage {
    /// What needs attention, and the last events.
    Dashboard,
    /// Connections.
    Connections,
    /// Rules.
    Rules,
    /// Events.
    Events,
}

impl LaunchPage {
    /// The word that is stored, and that the API reads and writes.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl SessionType {
    /// The pages on which a session of this type may begin.
    pub fn launch_pages(self) -> &'static [LaunchPage] {
        use LaunchPage::{Connections, Dashboard, Events, Rules};
        match self {
            Self::Workspace => &[Dashboard, Connections, Rules, Events],
            Self::Resource => &[Dashboard, Rules, Events],
            Self::Dashboard => &[Dashboard],
        }
    }
}

/// What a page or a form asks of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// To see the overview.
    Overview,
    /// To see rules and events.
    View,
    /// To see what is about all resources: connections and replays.
    ViewAll,
    /// To retry and cancel deliveries.
    Act,
    /// To send test events to a connection.
    Test,
    /// To replay what a range of time holds, of all resources.
    Replay,
    /// To change rules.
    ManageRules,
    /// To change connections and their secrets.
    Manage,
}

/// Why a session may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// It is outside what a session of this type shows.
    OutOfReach,
    /// It needs the role `admin`.
    NeedsAdmin,
    /// It needs the scope `events.payload:read`.
    NeedsScope,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Id, a UUIDv7 whose low 32 bits are its workspace's number.
    pub id: String,
    /// LOG shard of its workspace, where it is stored too.
    pub shard: u16,
    /// Organization.
    pub organization: String,
    /// Workspace.
    pub workspace: String,
    /// The workspace's name when the session was created.
    pub workspace_name: String,
    /// The environment that its workspace had when the session was created.
    pub environment: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// What it shows.
    pub session_type: SessionType,
    /// The resource it is limited to.
    pub resource: Option<Resource>,
    /// Who the person is in the product's own words.
    pub external_user_id: Option<String>,
    /// Whether it has the scope [`READ_PAYLOADS`].
    pub reads_payloads: bool,
    /// Origins that may show it.
    pub allowed_origins: Vec<String>,
    /// Where it begins.
    pub launch_page: LaunchPage,
    /// The page below it on which its launch begins instead.
    pub path: Option<String>,
    /// How its pages look.
    pub look: Look,
    /// How long it lives from its creation, and from each refresh.
    pub ttl_ms: i64,
    /// Who created it.
    pub created_by: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was launched.
    pub launched_at_ms: Option<i64>,
    /// When it is over.
    pub expires_at_ms: i64,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
}

impl Session {
    /// Whether it may do what is needed.
    ///
    /// # Errors
    /// Why not.
    pub fn may(&self, need: Need) -> Result<(), Denied> {
        use Need::{Act, ManageRules, Overview, View};
        let is_in_reach = match self.session_type {
            SessionType::Workspace => true,
            SessionType::Resource => matches!(need, Overview | View | Act | ManageRules),
            SessionType::Dashboard => need == Overview,
        };
        if !is_in_reach {
            return Err(Denied::OutOfReach);
        }
        if matches!(need, Need::ManageRules | Need::Manage) && self.role < Role::Admin {
            return Err(Denied::NeedsAdmin);
        }
        Ok(())
    }

    /// Whether payloads and response bodies may be read.
    ///
    /// # Errors
    /// Why not.
    pub fn may_read_payloads(&self) -> Result<(), Denied> {
        if self.role < Role::Admin {
            return Err(Denied::NeedsAdmin);
        }
        if self.reads_payloads { Ok(()) } else { Err(Denied::NeedsScope) }
    }

    /// Whether a page of this origin may show it; an empty one is not known.
    pub fn may_be_framed_by(&self, origin: &str) -> bool {
        let allowed = &self.allowed_origins;
        if origin.is_empty() {
            !allowed.is_empty()
        } else {
            allowed.iter().any(|one| one == origin)
        }
    }

    /// Whether it goes on at `now_ms`.
    pub fn is_live(&self, now_ms: i64) -> bool {
        self.revoked_at_ms.is_none() && now_ms < self.expires_at_ms
    }

    /// In which state it is at `now_ms`: `active`, `expired` or `revoked`.
    pub fn status(&self, now_ms: i64) -> &'static str {
        match (self.revoked_at_ms, self.is_live(now_ms)) {
            (Some(_), _) => "revoked",
            (None, true) => "active",
            (None, false) => "expired",
        }
    }

    /// Who acts in it.
    pub fn actor(&self) -> Actor {
        let scope = Scope {
            organization: self.organization.clone(),
            workspace: Some(self.workspace.clone()),
            resource: self.resource.clone(),
            shown_only: true,
        };
        let who = self.external_user_id.as_deref().unwrap_or(&self.id);
        let author = Author::session(&self.id, self.external_user_id.as_deref());
        Actor { scope, created_by: creator(who), author, handles_secrets: true }
    }
}

/// How what is made in a session names its creator.
const CREATOR: &str = "session:";

/// How records name this person as their creator.
pub fn creator(external_user_id: &str) -> String {
    format!("{CREATOR}{external_user_id}")
}

/// The person whom records name so as their creator.
pub fn external_user_id(creator: &str) -> &str {
    creator.strip_prefix(CREATOR).unwrap_or(creator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(role: Role, session_type: SessionType, reads_payloads: bool) -> Session {
        Session {
            id: "s".into(),
            shard: 0,
            organization: "o".into(),
            workspace: "w".into(),
            workspace_name: "W".into(),
            environment: None,
            role,
            session_type,
            resource: None,
            external_user_id: None,
            reads_payloads,
            allowed_origins: Vec::new(),
            launch_page: LaunchPage::Dashboard,
            path: None,
            look: Look::plain(),
            ttl_ms: 1_000,
            created_by: "k".into(),
            created_at_ms: 0,
            launched_at_ms: None,
            expires_at_ms: 1_000,
            revoked_at_ms: None,
        }
    }

    #[test]
    fn roles_and_types_by_need() {
        use Denied::{NeedsAdmin, OutOfReach};
        use Need::{Act, Manage, ManageRules, Overview, Replay, Test, View, ViewAll};
        use SessionType::{Dashboard, Resource, Workspace};
        let (ok, admin, out) = (Ok(()), Err(NeedsAdmin), Err(OutOfReach));
        for (role, kind, expected) in [
            (Role::Member, Workspace, [ok, ok, ok, ok, ok, ok, admin, admin]),
            (Role::Admin, Workspace, [ok; 8]),
            (Role::Owner, Workspace, [ok; 8]),
            (Role::Member, Resource, [ok, ok, out, ok, out, out, admin, out]),
            (Role::Admin, Resource, [ok, ok, out, ok, out, out, ok, out]),
            (Role::Owner, Dashboard, [ok, out, out, out, out, out, out, out]),
        ] {
            let session = session(role, kind, true);
            let needs = [Overview, View, ViewAll, Act, Test, Replay, ManageRules, Manage];
            let found = needs.map(|need| session.may(need));
            assert_eq!(found, expected, "{role:?} {kind:?}");
        }
        for (role, scope, expected) in [
            (Role::Member, true, Err(NeedsAdmin)),
            (Role::Admin, false, Err(Denied::NeedsScope)),
            (Role::Admin, true, Ok(())),
            (Role::Owner, true, Ok(())),
        ] {
            assert_eq!(session(role, Workspace, scope).may_read_payloads(), expected);
        }
    }

    #[test]
    fn a_session_ends_at_its_time_or_when_it_is_revoked() {
        let mut session = session(Role::Member, SessionType::Workspace, false);
        assert_eq!([999, 1_000].map(|at| session.status(at)), ["active", "expired"]);
        session.revoked_at_ms = Some(5);
        assert_eq!((session.status(10), session.is_live(10)), ("revoked", false));
    }

    #[test]
    fn an_accent_is_six_hexadecimal_digits() {}
}
