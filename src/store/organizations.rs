//! Organizations in CONTROL.

use super::{run, statement};
use crate::domain::error::Result;
use crate::domain::secret::Sealed;
use crate::ports::Database;

const INSERT: &str = "insert into organizations (id, name, created_at_ms) values (?1, ?2, ?3)";

/// Creates an organization with its first machine key, both or none.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn insert_with_key(
    control: &impl Database,
    organization: &str,
    name: &str,
    access_key: &str,
    secret: &Sealed,
    now_ms: i64,
) -> Result<()> {
    let organization_row = statement(INSERT, [organization.into(), name.into(), now_ms.into()]);
    let key_row = super::machine_keys::insert(organization, access_key, secret, now_ms);
    run(control, vec![organization_row, key_row]).await.map(drop)
}
