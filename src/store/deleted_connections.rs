//! The end of a connection in CONTROL.

use crate::domain::base::error::Result;
use crate::domain::tenants::change::NewChange;
use crate::ports::Database;
use crate::store::{changes, mappings, run, statement};

const DELETE: &str = "\
    delete from connections where id = ?2 and workspace = ?1 \
      and (?3 = 1 or not exists (select 1 from rules where connection = ?2)) \
      and (?4 is null or version = ?4) returning id";
const DELETE_RULES: &str = "\
    delete from rules where connection = ?2 and workspace = ?1 \
      and not exists (select 1 from connections where id = ?2)";
const DELETE_SECRETS: &str = "\
    delete from connection_secrets where connection = ?1 \
      and not exists (select 1 from connections where id = ?1)";

const DELETE_CATALOGUES: &str = "\
    delete from catalogues where workspace = ?1 and connection = ?2 \
      and not exists (select 1 from connections where id = ?2)";

/// Deletes a connection with its secrets, and with its rules when `force` is set; with `version`
/// only if it is of that version. Whether it was deleted.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn delete(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    force: bool,
    version: Option<i64>,
    change: &NewChange,
) -> Result<bool> {
    let params = [workspace.into(), connection.into(), force.into(), version.into()];
    let statements = vec![
        statement(DELETE, params),
        changes::recorded(change),
        statement(DELETE_RULES, [workspace.into(), connection.into()]),
        statement(DELETE_SECRETS, [connection.into()]),
        statement(DELETE_CATALOGUES, [workspace.into(), connection.into()]),
        mappings::forget(workspace, connection),
    ];
    let results = run(control, statements).await?;
    Ok(!results[0].is_empty())
}
