//! What was last read of a connection's provider, in CONTROL: its live lists.

use crate::domain::base::error::Result;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, run, statement};

/// Something that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// What was read, JSON text.
    pub body: String,
    /// The version of the connection with which it was read.
    pub version: i64,
    /// When it was read.
    pub refreshed_at_ms: i64,
}

impl FromRow for Catalogue {
    fn from_row(row: &mut Row) -> Self {
        Self {
            body: row.text("body"),
            version: row.int("version"),
            refreshed_at_ms: row.int("refreshed_at_ms"),
        }
    }
}

const FIND: &str = "\
    select body, version, refreshed_at_ms from catalogues \
    where workspace = ?1 and connection = ?2 and kind = ?3";

/// What was last read of this kind, if anything was.
pub fn find(workspace: &str, connection: &str, kind: &str) -> Query<Option<Catalogue>> {
    let params = [workspace.into(), connection.into(), kind.into()];
    Query::new(FIND, params, |rows| row::first(row::rows(rows)?))
}

const FIND_BY_RULE: &str = "\
    select k.body, k.version, k.refreshed_at_ms from rules r cross join catalogues k \
    where r.id = ?2 and r.workspace = ?1 and k.workspace = ?1 and k.connection = r.connection \
      and k.kind = ?3";

/// The same of the connection that a rule sends to.
pub fn find_by_rule(workspace: &str, rule: &str, kind: &str) -> Query<Option<Catalogue>> {
    let params = [workspace.into(), rule.into(), kind.into()];
    Query::new(FIND_BY_RULE, params, |rows| row::first(row::rows(rows)?))
}

const PUT: &str = "\
    insert or replace into catalogues (workspace, connection, kind, body, version, \
      refreshed_at_ms) select c.workspace, c.id, ?3, ?4, ?5, ?6 from connections c \
    where c.id = ?2 and c.workspace = ?1";

/// Keeps what was read, while its connection is there.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn put(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    kind: &str,
    read: &Catalogue,
) -> Result<()> {
    let params = [
        workspace.into(),
        connection.into(),
        kind.into(),
        (&read.body).into(),
        read.version.into(),
        read.refreshed_at_ms.into(),
    ];
    run(control, vec![statement(PUT, params)]).await.map(drop)
}
