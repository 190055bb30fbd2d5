//! Organizations in CONTROL.

use crate::domain::base::error::Result;
use crate::domain::base::secret::Sealed;
use crate::ports::Database;
use crate::store::machine_keys::{self, MachineKey};
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, select, statement};

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
}

impl FromRow for Organization {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            name: row.text("name"),
            allowed_origins: row.json("allowed_origins"),
            secrets_in_embed_only: row.flag("secrets_in_embed_only"),
            created_at_ms: row.int("created_at_ms"),
        }
    }
}

const FIND: &str = "\
    select id, name, allowed_origins, secrets_in_embed_only, created_at_ms from organizations \
    where id = ?1";

/// An organization.
///
/// # Errors
/// `NotFound` when there is none with this id.
pub async fn find(control: &impl Database, organization: &str) -> Result<Organization> {
    row::one(select(control, statement(FIND, [organization.into()])).await?, "organization")
}

const UPDATE: &str = "\
    update organizations set name = ?2, allowed_origins = ?3, secrets_in_embed_only = ?4 \
    where id = ?1";

/// Stores a changed organization.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn update(control: &impl Database, organization: &Organization) -> Result<()> {
    let params = [
        (&organization.id).into(),
        (&organization.name).into(),
        serde_json::to_string(&organization.allowed_origins).expect("texts are JSON").into(),
        organization.secrets_in_embed_only.into(),
    ];
    run(control, vec![statement(UPDATE, params)]).await.map(drop)
}
