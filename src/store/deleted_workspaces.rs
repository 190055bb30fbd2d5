//! Deleting workspaces in CONTROL.
//!
//! One batch deletes the workspace and its keys: from then on nobody finds it, and its keys emit
//! nothing. The rest of its data goes in steps. `deleted_workspaces` remembers it until all is
//! gone.

use crate::domain::base::error::Result;
use crate::domain::base::limits::{CLEARED_CONNECTIONS, CLEARED_RULES, CLEARED_WORKSPACES};
use crate::domain::tenants::actor::Scope;
use crate::ports::{Database, Rows};
use crate::store::row::{self, FromRow, Row};
use crate::store::{changes, notices, run, select, statement};

/// A workspace that was deleted and of which something may be left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub workspace: String,
    /// The shard of its events.
    pub shard: u16,
    /// When it was deleted.
    pub deleted_at_ms: i64,
}

impl FromRow for Deleted {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("id"),
            shard: row.int("shard"),
            deleted_at_ms: row.int("deleted_at_ms"),
        }
    }
}

const BURY: &str = "\
    insert or ignore into deleted_workspaces (shard, id, deleted_at_ms) \
    select shard, id, ?4 from workspaces where id = ?2 and organization = ?1 \
      and (?3 = 1 or not exists (select 1 from connections where workspace = ?2) \
        and not exists (select 1 from rules where workspace = ?2)) \
      and (?5 is null or version = ?5) \
    returning id, shard, deleted_at_ms";
const DELETE_KEYS: &str = "\
    delete from publishable_keys where workspace = ?2 and exists (select 1 from workspaces w \
      join deleted_workspaces d on d.shard = w.shard and d.id = w.id \
      where w.id = ?2 and w.organization = ?1)";
const DELETE: &str = "\
    delete from workspaces where id = ?2 and organization = ?1 \
      and exists (select 1 from deleted_workspaces d \
        where d.shard = workspaces.shard and d.id = ?2)";

/// Deletes a workspace with its publishable keys, with `version` only if it is of that version;
/// `None` when it is not, has connections or rules and `force` is not set, or is gone already.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn bury(
    control: &impl Database,
    scope: &Scope,
    workspace: &str,
    force: bool,
    version: Option<i64>,
    now_ms: i64,
) -> Result<Option<Deleted>> {
    let key = || [(&scope.organization).into(), workspace.into()];
    let [organization, id] = key();
    let statements = vec![
        statement(BURY, [organization, id, force.into(), now_ms.into(), version.into()]),
        statement(DELETE_KEYS, key()),
        statement(DELETE, key()),
    ];
    let results = run(control, statements).await?;
    row::first(row::rows(&results[0])?)
}

/// A step of rules is taken by their numbers.
const DELETE_RULES: &str = "\
    delete from rules where workspace = ?1 and number in (select number from rules \
      where workspace = ?1 order by workspace, number limit ?2) returning number";

const DELETE_SAID: &str = "\
    delete from deleted_rules where workspace = ?1 and number in (select number \
      from deleted_rules where workspace = ?1 order by workspace, number limit ?2) \
    returning number";

/// Deletes one step of the rules of a deleted workspace, of what former ones said, and of who
/// changed what; whether there may be more.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn delete_rules(control: &impl Database, workspace: &str) -> Result<bool> {
    let params = || [workspace.into(), CLEARED_RULES.into()];
    let statements = vec![
        statement(DELETE_RULES, params()),
        statement(DELETE_SAID, params()),
        changes::cleared(workspace),
    ];
    let results = run(control, statements).await?;
    let is_full = |rows: &Rows| Ok(row::rows(rows)?.len() >= CLEARED_RULES);
    Ok(is_full(&results[0])? || is_full(&results[1])? || is_full(&results[2])?)
}

/// The connections of one step.
macro_rules! step {
    () => {
        "(select id from connections where workspace = ?1 \
           order by workspace, created_at_ms, id limit ?2)"
    };
}

const DELETE_SECRETS: &str =
    concat!("delete from connection_secrets where connection in ", step!());
const DELETE_CATALOGUES: &str =
    concat!("delete from catalogues where workspace = ?1 and connection in ", step!());
const DELETE_MAPPINGS: &str =
    concat!("delete from mappings where workspace = ?1 and connection in ", step!());
const DELETE_CONNECTIONS: &str =
    concat!("delete from connections where workspace = ?1 and id in ", step!(), " returning id");

/// Deletes one step of the connections of a deleted workspace with their secrets; their ids.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn delete_connections(control: &impl Database, workspace: &str) -> Result<Vec<String>> {
    struct Id(String);
    impl FromRow for Id {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("id"))
        }
    }
    let params = || [workspace.into(), CLEARED_CONNECTIONS.into()];
    let statements = vec![
        statement(DELETE_SECRETS, params()),
        statement(DELETE_CATALOGUES, params()),
        statement(DELETE_MAPPINGS, params()),
        statement(DELETE_CONNECTIONS, params()),
    ];
    let results = run(control, statements).await?;
    let deleted: Vec<Id> = row::all(row::rows(&results[3])?)?;
    Ok(deleted.into_iter().map(|deleted| deleted.0).collect())
}

const LIST: &str = "\
    select id, shard, deleted_at_ms from deleted_workspaces where shard = ?1 \
    order by shard, id limit ?2";

/// Some of the deleted workspaces of a shard of which something may be left.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(control: &impl Database, shard: u16) -> Result<Vec<Deleted>> {
    let params = [i64::from(shard).into(), CLEARED_WORKSPACES.into()];
    row::all(select(control, statement(LIST, params)).await?)
}

const FORGET: &str = "delete from deleted_workspaces where shard = ?2 and id = ?1";

/// Forgets a deleted workspace of which nothing is left.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn forget(control: &impl Database, deleted: &Deleted) -> Result<()> {
    let params = [(&deleted.workspace).into(), i64::from(deleted.shard).into()];
    let statements = vec![notices::forgotten(&deleted.workspace), statement(FORGET, params)];
    run(control, statements).await.map(drop)
}
