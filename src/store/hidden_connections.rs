//! Connections that pages leave out: the product manages them itself.

use crate::domain::base::error::Result;
use crate::domain::base::limits::REPLAY_CONNECTIONS_MAX;
use crate::domain::tenants::actor::Scope;
use crate::ports::Database;
use crate::store::connections::workspace_params;
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows, select, statement};

const IS_HIDDEN: &str = "\
    select c.id from connections c join workspaces w on w.id = c.workspace \
    where c.id = ?3 and w.organization = ?1 and w.id = ?2 and c.hidden = 1";

/// Whether pages leave out a connection of the scope's workspace. They tell of one that is gone.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn is_hidden(control: &impl Database, scope: &Scope, connection: &str) -> Result<bool> {
    let [organization, workspace] = workspace_params(scope);
    let params = [organization, workspace, connection.into()];
    Ok(!select(control, statement(IS_HIDDEN, params)).await?.is_empty())
}

const HIDDEN: &str = "\
    select c.id from workspaces w cross join connections c on c.workspace = w.id \
    where w.organization = ?1 and w.id = ?2 and c.hidden = 1 \
    order by c.workspace, c.created_at_ms, c.id limit ?3";

/// The ids of the connections of a workspace that pages leave out.
pub fn hidden(scope: &Scope) -> Query<Vec<String>> {
    struct Id(String);
    impl FromRow for Id {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("id"))
        }
    }
    let [organization, workspace] = workspace_params(scope);
    Query::new(HIDDEN, [organization, workspace, REPLAY_CONNECTIONS_MAX.into()], |rows| {
        Ok(all_rows::<Id>(rows)?.into_iter().map(|id| id.0).collect())
    })
}
