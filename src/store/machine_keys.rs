//! Machine keys in CONTROL. Their secrets are sealed: HS256 needs the text.

use crate::domain::base::error::Result;
use crate::domain::base::secret::Sealed;
use crate::domain::tenants::change::NewChange;
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{changes, run, select, statement};

/// A machine key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineKey {
    /// Access key.
    pub access_key: String,
    /// What people call it.
    pub name: Option<String>,
    /// The key that made it; none for those that the operator made.
    pub created_by: Option<String>,
    /// When it was created.
    pub created_at_ms: i64,
}

impl FromRow for MachineKey {
    fn from_row(row: &mut Row) -> Self {
        Self {
            access_key: row.text("access_key"),
            name: row.maybe_text("name"),
            created_by: row.maybe_text("created_by"),
            created_at_ms: row.int("created_at_ms"),
        }
    }
}

const INSERT: &str = "\
    insert into machine_keys (access_key, organization, secret_sealed, created_at_ms, name, \
      created_by) values (?1, ?2, ?3, ?4, ?5, ?6)";

/// The statement that creates a machine key.
pub fn insert(organization: &str, key: &MachineKey, secret: &Sealed) -> Statement {
    let params = [
        (&key.access_key).into(),
        organization.into(),
        secret.as_text().into(),
        key.created_at_ms.into(),
        key.name.clone().into(),
        key.created_by.clone().into(),
    ];
    statement(INSERT, params)
}

/// Creates a machine key.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn create(
    control: &impl Database,
    organization: &str,
    key: &MachineKey,
    secret: &Sealed,
    change: &NewChange,
) -> Result<()> {
    let statements = vec![insert(organization, key, secret), changes::recorded(change)];
    run(control, statements).await.map(drop)
}

const LIST: &str = "\
    select access_key, name, created_by, created_at_ms from machine_keys \
    where organization = ?1 and revoked_at_ms is null and (created_at_ms, access_key) > (?2, ?3) \
    order by organization, created_at_ms, access_key limit ?4";

/// The machine keys of an organization that are not revoked, oldest first, those after the
/// position (time of creation, access key).
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(
    control: &impl Database,
    organization: &str,
    after: (i64, &str),
    limit: usize,
) -> Result<Vec<MachineKey>> {
    let params = [organization.into(), after.0.into(), after.1.into(), limit.into()];
    row::all(select(control, statement(LIST, params)).await?)
}

/// What became of a wish to revoke a machine key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It is revoked.
    Now,
    /// The organization has no such key, or it was revoked before.
    Unknown,
    /// It is the last one, and stays.
    Last,
}

/// Of two keys that are revoked at once, one stays: D1 runs one statement after the other.
const REVOKE: &str = "\
    update machine_keys set revoked_at_ms = ?3 \
    where access_key = ?2 and organization = ?1 and revoked_at_ms is null \
      and exists (select 1 from machine_keys m where m.organization = ?1 \
        and m.revoked_at_ms is null and m.access_key <> ?2) \
    returning access_key";

/// Revokes a machine key, unless it is the organization's last.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn revoke(
    control: &impl Database,
    organization: &str,
    access_key: &str,
    change: &NewChange,
) -> Result<Revoked> {
    let params = [organization.into(), access_key.into(), change.at_ms.into()];
    let live = statement(SELECT_LIVE, [organization.into(), access_key.into()]);
    let statements = vec![statement(REVOKE, params), changes::recorded(change), live];
    let results = run(control, statements).await?;
    Ok(match (results[0].is_empty(), results[2].is_empty()) {
        (false, _) => Revoked::Now,
        (true, true) => Revoked::Unknown,
        (true, false) => Revoked::Last,
    })
}

/// Revoked machine keys whose sessions the upkeep looks for.
const REVOKED_LISTED: usize = 1_000;

const REVOKED_SINCE: &str = "\
    select access_key from machine_keys indexed by machine_keys_revoked \
    where revoked_at_ms > ?1 limit ?2";

/// The machine keys that were revoked since then.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn revoked_since(control: &impl Database, since_ms: i64) -> Result<Vec<String>> {
    struct Key(String);
    impl FromRow for Key {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("access_key"))
        }
    }
    let params = [since_ms.into(), REVOKED_LISTED.into()];
    let found: Vec<Key> = row::all(select(control, statement(REVOKED_SINCE, params)).await?)?;
    Ok(found.into_iter().map(|key| key.0).collect())
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
    where m.access_key = ?2 and m.organization = ?1 and m.revoked_at_ms is null \
      and o.deleted_at_ms is null";

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
