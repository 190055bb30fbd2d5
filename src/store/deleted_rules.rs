//! Deleting rules in CONTROL, and what is kept of them for what is under way.

use serde_json::json;

use crate::destinations;
use crate::domain::base::error::Result;
use crate::domain::base::limits::DELETED_RULES_KEPT_MS;
use crate::domain::tenants::change::NewChange;
use crate::ports::Database;
use crate::store::{changes, run, statement};

const FORGET: &str = "delete from deleted_rules where workspace = ?1 and deleted_at_ms < ?2";
const KEEP: &str = "\
    insert or replace into deleted_rules (workspace, number, action, metadata, deleted_at_ms) \
    select r.workspace, r.number, r.action, r.metadata, ?4 from rules r \
      join connections c on c.id = r.connection \
    where r.id = ?2 and r.workspace = ?1 and (?3 is null or r.version = ?3) \
      and c.type in (select value from json_each(?5))";
const DELETE: &str = "\
    delete from rules where id = ?2 and workspace = ?1 and (?3 is null or version = ?3) \
    returning id";

/// Deletes a rule, with `version` only if it is of that version; whether it was. What is under way
/// by it stays under way: what it says is kept where its destination needs to know.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn delete(
    control: &impl Database,
    workspace: &str,
    rule: &str,
    version: Option<i64>,
    change: &NewChange,
) -> Result<bool> {
    let now_ms = change.at_ms;
    let key = || [workspace.into(), rule.into(), version.into()];
    let [id, rule, of] = key();
    let kinds = json!(destinations::reading_rules()).to_string();
    let statements = vec![
        statement(FORGET, [workspace.into(), (now_ms - DELETED_RULES_KEPT_MS).into()]),
        statement(KEEP, [id, rule, of, now_ms.into(), kinds.into()]),
        statement(DELETE, key()),
        changes::recorded(change),
    ];
    Ok(!run(control, statements).await?[2].is_empty())
}
