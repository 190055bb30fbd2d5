//! Organizations in CONTROL.

use crate::domain::base::error::Result;
use crate::domain::base::limits::{CLEARED_ROWS, CLEARED_WORKSPACES};
use crate::domain::base::secret::Sealed;
use crate::domain::base::version;
use crate::domain::delivery::retention::RetentionChoice;
use crate::ports::Database;
use crate::store::machine_keys::{self, MachineKey};
use crate::store::row::{self, FromRow, Row};
use crate::store::workspaces::choice;
use crate::store::{changes, run, select, statement};

const INSERT: &str = "insert into organizations (id, name, created_at_ms) values (?1, ?2, ?3)";

/// Creates an organization with its first machine key, both or none.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn insert_with_key(
    control: &impl Database,
    organization: &str,
    name: &str,
    key: &MachineKey,
    secret: &Sealed,
) -> Result<()> {
    let params = [organization.into(), name.into(), key.created_at_ms.into()];
    let organization_row = statement(INSERT, params);
    let key_row = machine_keys::insert(organization, key, secret);
    run(control, vec![organization_row, key_row]).await.map(drop)
}

/// An organization as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Origins that may show the embed where a session names none of its own.
    pub allowed_origins: Vec<String>,
    /// Whether secrets and credentials are set in the embed only.
    pub secrets_in_embed_only: bool,
    /// When it was created.
    pub created_at_ms: i64,
    /// Since when it emits nothing and its deliveries are held.
    pub suspended_at_ms: Option<i64>,
    /// The workspace into which the installation emits what an operator should know.
    pub operational_workspace: Option<String>,
    /// For how long its workspaces' events are kept, where they say nothing of it themselves.
    pub retention: RetentionChoice,
    /// Whether receivers are told the trace that an event belongs to.
    pub trace_context: bool,
    /// Its version.
    pub version: i64,
}

impl Organization {
    /// The tag of its version.
    pub fn tag(&self) -> String {
        version::tag(self.created_at_ms, self.version)
    }
}

impl FromRow for Organization {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            name: row.text("name"),
            allowed_origins: row.json("allowed_origins"),
            secrets_in_embed_only: row.flag("secrets_in_embed_only"),
            created_at_ms: row.int("created_at_ms"),
            suspended_at_ms: row.maybe_int("suspended_at_ms"),
            operational_workspace: row.maybe_text("operational_workspace"),
            retention: choice(row, "retention_days", "retention_unsettled_days"),
            trace_context: row.flag("trace_context"),
            version: row.int("version"),
        }
    }
}

const FIND: &str = "\
    select id, name, allowed_origins, secrets_in_embed_only, created_at_ms, retention_days, \
      retention_unsettled_days, suspended_at_ms, operational_workspace, trace_context, version \
    from organizations where id = ?1 and deleted_at_ms is null";

/// An organization.
///
/// # Errors
/// `NotFound` when there is none with this id.
pub async fn find(control: &impl Database, organization: &str) -> Result<Organization> {
    row::one(select(control, statement(FIND, [organization.into()])).await?, "organization")
}

const UPDATE: &str = "\
    update organizations set name = ?2, allowed_origins = ?3, secrets_in_embed_only = ?4, \
      retention_days = ?5, retention_unsettled_days = ?6, suspended_at_ms = ?7, \
      operational_workspace = ?8, trace_context = ?10, version = version + 1 \
    where id = ?1 and version = ?9 returning id";

/// Stores a changed organization if it is still of its version; whether it was.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn update(control: &impl Database, organization: &Organization) -> Result<bool> {
    let params = [
        (&organization.id).into(),
        (&organization.name).into(),
        serde_json::to_string(&organization.allowed_origins).expect("texts are JSON").into(),
        organization.secrets_in_embed_only.into(),
        organization.retention.days.into(),
        organization.retention.unsettled_days.into(),
        organization.suspended_at_ms.into(),
        organization.operational_workspace.clone().into(),
        organization.version.into(),
        organization.trace_context.into(),
    ];
    Ok(!run(control, vec![statement(UPDATE, params)]).await?[0].is_empty())
}

const IS_SUSPENDED: &str =
    "select suspended_at_ms is not null as is_suspended from organizations where id = ?1";

/// Whether an organization is suspended. One that is gone counts as suspended.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn is_suspended(control: &impl Database, organization: &str) -> Result<bool> {
    struct Suspended(bool);
    impl FromRow for Suspended {
        fn from_row(row: &mut Row) -> Self {
            Self(row.flag("is_suspended"))
        }
    }
    let found: Option<Suspended> =
        row::first(select(control, statement(IS_SUSPENDED, [organization.into()])).await?)?;
    Ok(found.is_none_or(|found| found.0))
}

const BURY: &str = "\
    update organizations set deleted_at_ms = ?2, suspended_at_ms = coalesce(suspended_at_ms, ?2) \
    where id = ?1 and deleted_at_ms is null and (?3 is null or version = ?3) returning id";
const DELETE_KEYS: &str = "\
    delete from machine_keys where organization = ?1 and exists (select 1 from organizations \
      where id = ?1 and deleted_at_ms is not null)";

/// Deletes an organization: from now on its keys are refused and nothing of it is sent. What it had
/// is still to be cleared away. `false` when there is none with this id, or with `version` when it
/// is of another version.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn bury(
    control: &impl Database,
    organization: &str,
    version: Option<i64>,
    now_ms: i64,
) -> Result<bool> {
    let statements = vec![
        statement(BURY, [organization.into(), now_ms.into(), version.into()]),
        statement(DELETE_KEYS, [organization.into()]),
    ];
    Ok(!run(control, statements).await?[0].is_empty())
}

/// An organization that was deleted and of which something may be left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub organization: String,
    /// When it was deleted.
    pub deleted_at_ms: i64,
}

impl FromRow for Deleted {
    fn from_row(row: &mut Row) -> Self {
        Self { organization: row.text("id"), deleted_at_ms: row.int("deleted_at_ms") }
    }
}

const DELETED: &str = "\
    select id, deleted_at_ms from organizations indexed by organizations_deleted \
    where deleted_at_ms is not null and id > '' order by id limit ?1";

/// Some deleted organizations of which something may be left.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn deleted(control: &impl Database) -> Result<Vec<Deleted>> {
    row::all(select(control, statement(DELETED, [CLEARED_WORKSPACES.into()])).await?)
}

const CLEAR_EVENT_TYPES: &str = "\
    delete from event_types where (organization, key) in (select organization, key \
      from event_types where organization = ?1 limit ?2)";
/// The row stays until all else is gone.
const FORGET: &str = "\
    delete from organizations where id = ?1 and deleted_at_ms <= ?2 \
      and not exists (select 1 from workspaces where organization = ?1) \
      and not exists (select 1 from machine_keys where organization = ?1) \
      and not exists (select 1 from event_types where organization = ?1) \
      and not exists (select 1 from changes where belongs_to = ?1)";

/// Clears away some of what a deleted organization had beside its workspaces, and forgets it when
/// nothing is left and it was deleted at `until_ms` or before.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn clear(control: &impl Database, organization: &str, until_ms: i64) -> Result<()> {
    let statements = vec![
        statement(DELETE_KEYS, [organization.into()]),
        statement(CLEAR_EVENT_TYPES, [organization.into(), CLEARED_ROWS.into()]),
        changes::cleared(organization),
        statement(FORGET, [organization.into(), until_ms.into()]),
    ];
    run(control, statements).await.map(drop)
}
