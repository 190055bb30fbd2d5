//! The stored mappings of connections, in CONTROL.

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::tenants::change::NewChange;
use crate::ports::{Database, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, changes, run, statement};

/// The mapping of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its version, from 1.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// The mapping itself, JSON text.
    pub schema: String,
    /// The key that stored it first.
    pub created_by: String,
    /// When it was stored first.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
}

impl FromRow for Mapping {
    fn from_row(row: &mut Row) -> Self {
        Self {
            version: row.int("version"),
            name: row.text("name"),
            schema: row.json_text("schema"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
        }
    }
}

const FIND: &str = "\
    select version, name, schema, created_by, created_at_ms, updated_at_ms from mappings \
    where workspace = ?1 and connection = ?2";

/// The mapping of a connection, if one is stored.
pub fn find(workspace: &str, connection: &str) -> Query<Option<Mapping>> {
    Query::new(FIND, [workspace.into(), connection.into()], |rows| row::first(row::rows(rows)?))
}

const FORGET: &str = "\
    delete from mappings where workspace = ?1 and connection = ?2 \
      and not exists (select 1 from connections where id = ?2)";

/// Takes the mapping of a connection away once that is gone.
pub fn forget(workspace: &str, connection: &str) -> Statement {
    statement(FORGET, [workspace.into(), connection.into()])
}

const PUT: &str = "\
    insert into mappings (workspace, connection, version, name, schema, created_by, \
      created_at_ms, updated_at_ms) \
    select c.workspace, c.id, 1, coalesce(?3, 'default'), ?4, ?5, ?6, ?6 from connections c \
    where c.id = ?2 and c.workspace = ?1 and (coalesce(?7, 0) = 0 or exists (select 1 \
      from mappings m where m.workspace = ?1 and m.connection = ?2)) \
    on conflict (workspace, connection) do update set version = version + 1, \
      name = coalesce(?3, name), schema = excluded.schema, updated_at_ms = excluded.updated_at_ms \
    where ?7 is null or version = ?7 \
    returning version, name, schema, created_by, created_at_ms, updated_at_ms";

/// What is to be stored.
pub struct NewMapping<'a> {
    /// Its name; without one it keeps what it has.
    pub name: Option<&'a str>,
    /// The mapping itself, JSON text.
    pub schema: &'a str,
    /// The key that stores it.
    pub created_by: &'a str,
    /// Now.
    pub now_ms: i64,
    /// The version that it takes the place of; 0 is that of none.
    pub expected: Option<i64>,
}

/// Stores the mapping of a connection; as it is then.
///
/// # Errors
/// `Conflict` when it is of another version than the one that is expected.
pub async fn put(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    new: &NewMapping<'_>,
    change: &NewChange,
) -> Result<Mapping> {
    let params = [
        workspace.into(),
        connection.into(),
        new.name.into(),
        new.schema.into(),
        new.created_by.into(),
        new.now_ms.into(),
        new.expected.into(),
    ];
    let statements = vec![statement(PUT, params), changes::recorded(change)];
    let stored: Vec<Mapping> = all_rows(&run(control, statements).await?[0])?;
    stored.into_iter().next().ok_or_else(|| {
        let told = "The mapping was changed in between: read it again";
        Error::new(Kind::Conflict, told)
    })
}
