//! Workspaces and their publishable keys in CONTROL.

use super::row::{self, FromRow, Row};
use super::{run, select, statement};
use crate::domain::actor::Scope;
use crate::domain::error::{Error, Kind, Result};
use crate::domain::workspace::Home;
use crate::ports::Database;

/// A workspace as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Id.
    pub id: String,
    /// Number, which stands in its events' ids.
    pub number: u32,
    /// LOG shard of its events.
    pub shard: u16,
    /// Name, unique in the organization.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
}

impl Workspace {
    /// Where its events live.
    pub fn home(&self) -> Home {
        Home { workspace: self.id.clone(), number: self.number, shard: self.shard }
    }
}

impl FromRow for Workspace {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            number: row.int("number"),
            shard: row.int("shard"),
            name: row.text("name"),
            description: row.maybe_text("description"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
        }
    }
}

/// A workspace that is to be created.
pub struct NewWorkspace<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its description.
    pub description: Option<&'a str>,
    /// Makes the publishable key once the number is known.
    pub now_ms: i64,
}

const NEXT_NUMBER: &str = "insert into counters (name, n) values ('workspace', 1) \
                           on conflict (name) do update set n = n + 1 returning n";

/// Takes the next workspace number. Numbers are never used twice; one may be skipped.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn next_number(control: &impl Database) -> Result<u32> {
    struct Taken(u32);
    impl FromRow for Taken {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int("n"))
        }
    }
    let taken: Option<Taken> = row::first(select(control, statement(NEXT_NUMBER, [])).await?)?;
    taken.map(|t| t.0).ok_or_else(|| Error::internal("no workspace number was returned"))
}

const INSERT: &str = "insert into workspaces (id, number, organization, shard, name, description, \
                      created_at_ms, updated_at_ms) select ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?7 \
                      where ?8 is null \
                      or (select count(*) from workspaces where organization = ?1) < ?8 \
                      on conflict do nothing returning id";
const IS_TAKEN: &str = "select id from workspaces where organization = ?1 and name = ?2";
const INSERT_KEY: &str = "insert into publishable_keys (public_key, workspace, name, \
                          created_at_ms) select ?2, id, ?3, ?4 from workspaces where id = ?1";

/// Creates a workspace with its publishable key, if its organization has fewer than `quota`.
///
/// # Errors
/// `Conflict` when the organization has a workspace of this name, `Refused` when the quota is used
/// up.
pub async fn insert(
    control: &impl Database,
    organization: &str,
    new: &NewWorkspace<'_>,
    number: u32,
    shard: u16,
    public_key: &str,
    quota: Option<u32>,
) -> Result<()> {
    let params = [
        organization.into(),
        new.id.into(),
        number.into(),
        i64::from(shard).into(),
        new.name.into(),
        new.description.into(),
        new.now_ms.into(),
        quota.into(),
    ];
    let key = [new.id.into(), public_key.into(), "default".into(), new.now_ms.into()];
    let taken = statement(IS_TAKEN, [organization.into(), new.name.into()]);
    let statements = vec![statement(INSERT, params), statement(INSERT_KEY, key), taken];
    let results = run(control, statements).await?;
    match (results[0].is_empty(), results[2].is_empty()) {
        (false, _) => Ok(()),
        (true, false) => Err(name_taken()),
        (true, true) => Err(Error::quota("organization", "workspaces", quota)),
    }
}

fn name_taken() -> Error {
    let taken = Error::field("name", "is taken by another workspace of this organization");
    taken.of_kind(Kind::Conflict)
}

const LIST: &str = "select id, number, shard, name, description, created_at_ms, updated_at_ms \
                    from workspaces where organization = ?1 and name > ?2 \
                    order by organization, name limit ?3";

/// Workspaces of an organization by name, those after `after_name`.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(
    control: &impl Database,
    organization: &str,
    after_name: &str,
    limit: usize,
) -> Result<Vec<Workspace>> {
    let params = [organization.into(), after_name.into(), limit.into()];
    row::all(select(control, statement(LIST, params)).await?)
}

const FIND: &str = "select id, number, shard, name, description, created_at_ms, updated_at_ms \
                    from workspaces where id = ?2 and organization = ?1 \
                    and (?3 is null or id = ?3)";
const FIND_BY_NUMBER: &str = "select id, number, shard, name, description, created_at_ms, \
                              updated_at_ms from workspaces \
                              where number = ?2 and organization = ?1 \
                              and (?3 is null or id = ?3)";

/// A workspace in this scope.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find(control: &impl Database, scope: &Scope, workspace: &str) -> Result<Workspace> {
    let params = [(&scope.organization).into(), workspace.into(), scope.workspace.clone().into()];
    row::one(select(control, statement(FIND, params)).await?, "workspace")
}

/// The workspace in this scope with this number.
///
/// # Errors
/// `NotFound` when the scope has none with this number.
pub async fn find_by_number(
    control: &impl Database,
    scope: &Scope,
    number: u32,
) -> Result<Workspace> {
    let params = [(&scope.organization).into(), number.into(), scope.workspace.clone().into()];
    row::one(select(control, statement(FIND_BY_NUMBER, params)).await?, "workspace")
}

const SHARD: &str = "select shard from workspaces where number = ?1";

/// The shard of the workspace with this number, whosever it is.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn shard(control: &impl Database, number: u32) -> Result<Option<u16>> {
    struct Shard(u16);
    impl FromRow for Shard {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int("shard"))
        }
    }
    let found: Option<Shard> =
        row::first(select(control, statement(SHARD, [number.into()])).await?)?;
    Ok(found.map(|found| found.0))
}

const FIND_KEY: &str = "select k.public_key, k.name from publishable_keys k \
                        join workspaces w on w.id = k.workspace \
                        where k.workspace = ?2 and w.organization = ?1 \
                        and (k.expires_at_ms is null or k.expires_at_ms > ?3) \
                        order by k.created_at_ms desc limit 1";

/// A publishable key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishableKey {
    /// The key.
    pub public_key: String,
    /// Its name.
    pub name: String,
}

impl FromRow for PublishableKey {
    fn from_row(row: &mut Row) -> Self {
        Self { public_key: row.text("public_key"), name: row.text("name") }
    }
}

/// A workspace with its newest publishable key.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find_with_key(
    control: &impl Database,
    scope: &Scope,
    workspace: &str,
    now_ms: i64,
) -> Result<(Workspace, Option<PublishableKey>)> {
    let organization = &scope.organization;
    let both = [organization.into(), workspace.into(), scope.workspace.clone().into()];
    let key = [organization.into(), workspace.into(), now_ms.into()];
    let results = run(control, vec![statement(FIND, both), statement(FIND_KEY, key)]).await?;
    let workspace = row::one(row::rows(&results[0])?, "workspace")?;
    Ok((workspace, row::first(row::rows(&results[1])?)?))
}

const UPDATE: &str = "update or ignore workspaces set name = ?3, description = ?4, \
                      updated_at_ms = ?5 where id = ?2 and organization = ?1 returning id";

/// Changes a workspace that exists.
///
/// # Errors
/// `Conflict` when another workspace of the organization has this name.
pub async fn update(
    control: &impl Database,
    organization: &str,
    workspace: &str,
    name: &str,
    description: Option<&str>,
    now_ms: i64,
) -> Result<()> {
    let params =
        [organization.into(), workspace.into(), name.into(), description.into(), now_ms.into()];
    let changed = run(control, vec![statement(UPDATE, params)]).await?;
    if changed[0].is_empty() { Err(name_taken()) } else { Ok(()) }
}
