//! Signing secrets of connections in CONTROL: those that sign, and rotation. The first one is
//! stored with its connection.

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::secret::Sealed;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::rotation::LIVE_SECRETS_MAX;
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::change::NewChange;
use crate::ports::Database;
use crate::store::connections::{Connection, NewSecret};
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows, changes, run, statement};

/// A signing secret that signs, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSecret {
    /// Number in its connection.
    pub number: u32,
    /// Who set it.
    pub set_by: SetBy,
    /// When it was set.
    pub created_at_ms: i64,
    /// Until when it signs, if an end is set.
    pub expires_at_ms: Option<i64>,
    /// The secret.
    pub sealed: Sealed,
}

impl FromRow for LiveSecret {
    fn from_row(row: &mut Row) -> Self {
        Self {
            number: row.int("number"),
            set_by: row.word("set_by"),
            created_at_ms: row.int("created_at_ms"),
            expires_at_ms: row.maybe_int("expires_at_ms"),
            sealed: Sealed::from_text(row.text("sealed")),
        }
    }
}

const LIVE: &str = "\
    select s.number, s.set_by, s.created_at_ms, s.expires_at_ms, s.sealed \
    from connections c join workspaces w on w.id = c.workspace \
      join connection_secrets s on s.connection = c.id \
    where c.id = ?3 and w.organization = ?1 and w.id = ?2 \
      and (s.expires_at_ms is null or s.expires_at_ms > ?4) \
    order by s.connection, s.number desc";

/// The secrets of a connection that sign at `now_ms`, newest first.
pub fn live(scope: &Scope, connection: &str, now_ms: i64) -> Query<Vec<LiveSecret>> {
    let (organization, workspace) = (&scope.organization, scope.workspace.clone());
    let params = [organization.into(), workspace.into(), connection.into(), now_ms.into()];
    Query::new(LIVE, params, all_rows)
}

const ROTATE_IN: &str = "\
    insert into connection_secrets (connection, number, sealed, set_by, created_at_ms) \
    select c.id, ?3, ?4, ?5, ?6 from connections c where c.id = ?2 and c.workspace = ?1 \
      and (select count(*) from connection_secrets s where s.connection = c.id \
        and (s.expires_at_ms is null or s.expires_at_ms > ?6)) < ?7 returning number";
const ROTATE_OUT: &str = "\
    update connection_secrets set expires_at_ms = ?4 \
    where connection = ?1 and number < ?2 and expires_at_ms is null \
      and exists (select 1 from connection_secrets s where s.connection = ?1 and s.number = ?2 \
        and s.sealed = ?3)";

/// A connection shows since when it has its secret.
const TOUCH: &str = "\
    update connections set version = version + 1 where id = ?2 and workspace = ?1";

/// Makes `secret` the current one; the former goes on signing until `former_until_ms`.
///
/// # Errors
/// `Refused` when as many secrets as may be are live; `Conflict` when somebody else was faster.
pub async fn rotate(
    control: &impl Database,
    connection: &Connection,
    secret: &NewSecret,
    former_until_ms: i64,
    change: &NewChange,
) -> Result<()> {
    let now_ms = change.at_ms;
    let sealed = || secret.sealed.as_text();
    let rotate_in = statement(
        ROTATE_IN,
        [
            (&connection.workspace).into(),
            (&connection.id).into(),
            secret.number.into(),
            sealed().into(),
            secret.set_by.as_str().into(),
            now_ms.into(),
            // The former one stays only if it overlaps.
            (LIVE_SECRETS_MAX + u32::from(former_until_ms <= now_ms)).into(),
        ],
    );
    let rotate_out = statement(
        ROTATE_OUT,
        [(&connection.id).into(), secret.number.into(), sealed().into(), former_until_ms.into()],
    );
    let touch = statement(TOUCH, [(&connection.workspace).into(), (&connection.id).into()]);
    let statements = vec![rotate_in, changes::recorded(change), rotate_out, touch];
    let results = run(control, statements).await?;
    if results[0].is_empty() {
        let msg = format!(
            "{LIVE_SECRETS_MAX} signing secrets of this connection are valid, the most there can \
             be; rotate with overlap_seconds 0, or wait until an overlap has ended"
        );
        return Err(Error::field("overlap_seconds", msg).of_kind(Kind::Refused));
    }
    Ok(())
}

const END_OVERLAP: &str = "\
    update connection_secrets set expires_at_ms = ?3 \
    where connection = (select id from connections where id = ?2 and workspace = ?1) \
      and expires_at_ms > ?3";

/// Ends the overlap of a rotation: the secrets that would sign for some time yet sign no more.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn end_overlap(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    change: &NewChange,
) -> Result<()> {
    let params = [workspace.into(), connection.into(), change.at_ms.into()];
    run(control, vec![statement(END_OVERLAP, params), changes::recorded(change)]).await.map(drop)
}
