//! Pages of the connections of a workspace or an organization (CONTROL).

use crate::domain::base::limits::LOOKED_AT;
use crate::domain::tenants::actor::Scope;
use crate::ports::Param;
use crate::store::connections::{Connection, columns, workspace_params};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows};

/// Where a page of connections goes on: after this workspace's name, time of creation and id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    /// Name of the workspace.
    pub workspace_name: String,
    /// When the connection was created.
    pub created_at_ms: i64,
    /// Its id.
    pub id: String,
}

/// The connections at which a page looks, in its order; a workspace without any counts as well.
macro_rules! looked_at {
    ($columns:literal) => {
        concat!(
            "select ",
            $columns,
            " from workspaces w left join connections c on c.workspace = w.id \
             where w.organization = ?1 and (?2 is null or w.id = ?2) and w.name >= ?3 \
               and (w.name > ?3 or (c.created_at_ms, c.id) > (?4, ?5)) \
             order by w.organization, w.name, c.created_at_ms, c.id limit "
        )
    };
}

const LIST: &str = concat!(
    columns!(),
    "from (",
    looked_at!("c.id as connection"),
    "?7) lines cross join connections c on c.id = lines.connection \
     cross join workspaces w on w.id = c.workspace limit ?6"
);
const LIST_END: &str = concat!(
    looked_at!("w.name, coalesce(c.created_at_ms, 0) as created_at_ms, coalesce(c.id, '') as id"),
    "1 offset ?6"
);

/// Connections in a scope, by workspace name and age, at most `limit`.
pub fn list(scope: &Scope, after: &After, limit: usize) -> Query<Vec<Connection>> {
    let [organization, workspace] = workspace_params(scope);
    let [name, at_ms, id] = after.params();
    let looked_at = LOOKED_AT.into();
    let params = [organization, workspace, name, at_ms, id, limit.into(), looked_at];
    Query::new(LIST, params, all_rows)
}

/// Where a [`list`] goes on when all of it is shown; `None` at the end.
pub fn list_end(scope: &Scope, after: &After) -> Query<Option<After>> {
    let [organization, workspace] = workspace_params(scope);
    let [name, at_ms, id] = after.params();
    let params = [organization, workspace, name, at_ms, id, (LOOKED_AT - 1).into()];
    Query::new(LIST_END, params, |rows| row::first(row::rows(rows)?))
}

impl After {
    fn params(&self) -> [Param; 3] {
        [(&self.workspace_name).into(), self.created_at_ms.into(), (&self.id).into()]
    }
}

impl FromRow for After {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace_name: row.text("name"),
            created_at_ms: row.int("created_at_ms"),
            id: row.text("id"),
        }
    }
}
