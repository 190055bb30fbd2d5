//! Machine keys in CONTROL. Their secrets are sealed: HS256 needs the text.

use super::row::{self, FromRow, Row};
use super::{select, statement};
use crate::domain::error::Result;
use crate::domain::secret::Sealed;
use crate::ports::{Database, Statement};

const INSERT: &str = "insert into machine_keys (access_key, organization, secret_sealed, \
                      created_at_ms) values (?1, ?2, ?3, ?4)";

/// The statement that creates a machine key.
pub fn insert(organization: &str, access_key: &str, secret: &Sealed, now_ms: i64) -> Statement {
    let params = [access_key.into(), organization.into(), secret.as_text().into(), now_ms.into()];
    statement(INSERT, params)
}

/// A machine key that is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKey {
    /// Its secret.
    pub secret: Sealed,
    /// Whether its organization lets secrets be handled in the embed only.
    pub secrets_in_embed_only: bool,
}

impl FromRow for LiveKey {
    fn from_row(row: &mut Row) -> Self {
        Self {
            secret: Sealed::from_row(row),
            secrets_in_embed_only: row.flag("secrets_in_embed_only"),
        }
    }
}

const SELECT_LIVE: &str = "\
    select m.secret_sealed, o.secrets_in_embed_only \
    from machine_keys m join organizations o on o.id = m.organization \
    where m.access_key = ?2 and m.organization = ?1 and m.revoked_at_ms is null";

impl FromRow for Sealed {
    fn from_row(row: &mut Row) -> Self {
        Self::from_text(row.text("secret_sealed"))
    }
}

/// A machine key of this organization that is not revoked.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_live(
    control: &impl Database,
    organization: &str,
    access_key: &str,
) -> Result<Option<LiveKey>> {
    let params = [organization.into(), access_key.into()];
    row::first(select(control, statement(SELECT_LIVE, params)).await?)
}
