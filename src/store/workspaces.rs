//! Workspaces in CONTROL.

use std::collections::HashMap;

use serde_json::json;

use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::RETENTION_WORKSPACES;
use crate::domain::base::version;
use crate::domain::delivery::retention::{Retention, RetentionChoice};
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::change::NewChange;
use crate::domain::tenants::workspace::{Limits, WorkspaceLocation};
use crate::ports::Database;
use crate::store::publishable_keys::{self, PublishableKey};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, changes, run, select, statement, together};

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
    /// Label such as `staging`.
    pub environment: Option<String>,
    /// What the product itself calls it, unique in the organization.
    pub external_id: Option<String>,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// For how long its events are kept, as far as it says so itself.
    pub retention: RetentionChoice,
    /// What its organization says of that.
    pub default_retention: RetentionChoice,
    /// How much it may have, as far as it says so itself.
    pub limits: Limits,
    /// Its version.
    pub version: i64,
}

impl Workspace {
    /// The tag of its version.
    pub fn tag(&self) -> String {
        version::tag(self.created_at_ms, self.version)
    }

    /// Where its events live.
    pub fn home(&self) -> WorkspaceLocation {
        WorkspaceLocation { workspace: self.id.clone(), number: self.number, shard: self.shard }
    }

    /// For how long its events are kept.
    pub fn kept(&self) -> Retention {
        self.retention.or(self.default_retention).resolve()
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
            environment: row.maybe_text("environment"),
            external_id: row.maybe_text("external_id"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
            retention: choice(row, "retention_days", "retention_unsettled_days"),
            default_retention: choice(row, "default_days", "default_unsettled_days"),
            limits: Limits {
                events_per_month: row.maybe_int("limit_events_per_month"),
                connections: row.maybe_int("limit_connections"),
            },
            version: row.int("version"),
        }
    }
}

/// What two columns say of retention.
pub(super) fn choice(row: &mut Row, days: &str, unsettled_days: &str) -> RetentionChoice {
    RetentionChoice { days: row.maybe_int(days), unsettled_days: row.maybe_int(unsettled_days) }
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

const INSERT: &str = "\
    insert into workspaces (id, number, organization, shard, name, description, environment, \
      external_id, created_at_ms, updated_at_ms, retention_days, retention_unsettled_days, \
      limit_events_per_month, limit_connections) \
    select ?2, ?3, ?1, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?11, ?12, ?13, ?14 \
    where ?10 is null or (select count(*) from workspaces where organization = ?1) < ?10 \
    on conflict do nothing returning id";
const IS_FULL: &str = "\
    select 1 as is_full where (select count(*) from workspaces where organization = ?1) >= ?2 \
      and not exists (select 1 from workspaces \
        where organization = ?1 and (name = ?3 or external_id = ?4))";

/// Creates a workspace with its publishable key, if its organization has fewer than `quota`;
/// `false` when the organization has one with its name or external id.
///
/// # Errors
/// `Refused` when the quota is used up; when CONTROL's answer is not known.
pub async fn insert(
    control: &impl Database,
    organization: &str,
    new: &Workspace,
    public_key: &str,
    quota: Option<u32>,
    change: &NewChange,
) -> Result<bool> {
    let params = [
        organization.into(),
        (&new.id).into(),
        new.number.into(),
        i64::from(new.shard).into(),
        (&new.name).into(),
        new.description.clone().into(),
        new.environment.clone().into(),
        new.external_id.clone().into(),
        new.created_at_ms.into(),
        quota.into(),
        new.retention.days.into(),
        new.retention.unsettled_days.into(),
        new.limits.events_per_month.into(),
        new.limits.connections.into(),
    ];
    let key = publishable_keys::insert(&new.id, public_key, new.created_at_ms);
    let name = (&new.name).into();
    let full = [organization.into(), quota.into(), name, new.external_id.clone().into()];
    let full = statement(IS_FULL, full);
    let statements = vec![full, statement(INSERT, params), changes::recorded(change), key];
    let results = run(control, statements).await?;
    match (results[0].is_empty(), results[1].is_empty()) {
        (_, false) => Ok(true),
        (true, true) => Ok(false),
        (false, true) => Err(Error::quota("organization", "workspaces", quota)),
    }
}

/// What a [`Workspace`] is read from.
macro_rules! columns {
    () => {
        "select id, number, shard, name, description, environment, external_id, created_at_ms, \
           updated_at_ms, version, retention_days, retention_unsettled_days, \
           limit_events_per_month, limit_connections, \
           (select o.retention_days from organizations o \
             where o.id = workspaces.organization) as default_days, \
           (select o.retention_unsettled_days from organizations o \
             where o.id = workspaces.organization) as default_unsettled_days from workspaces "
    };
}

const LIST: &str = concat!(
    columns!(),
    "where organization = ?1 and name > ?2 order by organization, name limit ?3"
);
const LIST_OF_ENVIRONMENT: &str = concat!(
    columns!(),
    "where organization = ?1 and name > ?2 and environment = ?4 \
     order by organization, environment, name limit ?3"
);

/// Workspaces of an organization by name, those after `after_name`; only those of an environment,
/// if one is named.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(
    control: &impl Database,
    organization: &str,
    environment: Option<&str>,
    after_name: &str,
    limit: usize,
) -> Result<Vec<Workspace>> {
    let [of, after, limit] = [organization.into(), after_name.into(), limit.into()];
    let statement = match environment {
        None => statement(LIST, [of, after, limit]),
        Some(environment) => statement(LIST_OF_ENVIRONMENT, [of, after, limit, environment.into()]),
    };
    row::all(select(control, statement).await?)
}

const LOCATIONS: &str = "\
    select id as workspace, number, shard from workspaces where organization = ?1";

/// Where the events of all workspaces of an organization live.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn locations(
    control: &impl Database,
    organization: &str,
) -> Result<Vec<WorkspaceLocation>> {
    row::all(select(control, statement(LOCATIONS, [organization.into()])).await?)
}

impl FromRow for WorkspaceLocation {
    fn from_row(row: &mut Row) -> Self {
        Self {
            workspace: row.text("workspace"),
            number: row.int("number"),
            shard: row.int("shard"),
        }
    }
}

const FIND: &str =
    concat!(columns!(), "where id = ?2 and organization = ?1 and (?3 is null or id = ?3)");
const FIND_BY_NUMBER: &str =
    concat!(columns!(), "where number = ?2 and organization = ?1 and (?3 is null or id = ?3)");
const FIND_BY_EXTERNAL_ID: &str =
    concat!(columns!(), "where organization = ?1 and external_id = ?2");

fn by_id(scope: &Scope, workspace: &str) -> Query<Workspace> {
    let params = [(&scope.organization).into(), workspace.into(), scope.workspace.clone().into()];
    Query::new(FIND, params, |rows| row::one(row::rows(rows)?, "workspace"))
}

/// A workspace in this scope.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find(control: &impl Database, scope: &Scope, workspace: &str) -> Result<Workspace> {
    by_id(scope, workspace).run(control).await
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

/// The workspace of an organization with this external id, if it has one.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_by_external_id(
    control: &impl Database,
    organization: &str,
    external_id: &str,
) -> Result<Option<Workspace>> {
    let params = [organization.into(), external_id.into()];
    row::first(select(control, statement(FIND_BY_EXTERNAL_ID, params)).await?)
}

const HOME: &str = "select id as workspace, number, shard from workspaces where number = ?1";

/// Where the events of the workspace with this number live, whosever it is.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn home(control: &impl Database, number: u32) -> Result<Option<WorkspaceLocation>> {
    struct Home(WorkspaceLocation);
    impl FromRow for Home {
        fn from_row(row: &mut Row) -> Self {
            let workspace = row.text("workspace");
            let (number, shard) = (row.int("number"), row.int("shard"));
            Self(WorkspaceLocation { workspace, number, shard })
        }
    }
    let found: Option<Home> = row::first(select(control, statement(HOME, [number.into()])).await?)?;
    Ok(found.map(|found| found.0))
}

/// A workspace with its publishable key.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find_with_key(
    control: &impl Database,
    scope: &Scope,
    workspace: &str,
) -> Result<(Workspace, Option<PublishableKey>)> {
    together(control, (by_id(scope, workspace), publishable_keys::newest(scope, workspace))).await
}

const UPDATE: &str = "\
    update or ignore workspaces set name = ?3, description = ?4, environment = ?5, \
      external_id = ?6, updated_at_ms = ?7, retention_days = ?8, retention_unsettled_days = ?9, \
      limit_events_per_month = ?11, limit_connections = ?12, version = version + 1 \
    where id = ?2 and organization = ?1 and version = ?10 returning id";

/// Stores a changed workspace if it is still of its version; `false` when it is not, or when
/// another one of the organization has its name or external id.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn update(
    control: &impl Database,
    organization: &str,
    workspace: &Workspace,
    change: Option<&NewChange>,
) -> Result<bool> {
    let params = [
        organization.into(),
        (&workspace.id).into(),
        (&workspace.name).into(),
        workspace.description.clone().into(),
        workspace.environment.clone().into(),
        workspace.external_id.clone().into(),
        workspace.updated_at_ms.into(),
        workspace.retention.days.into(),
        workspace.retention.unsettled_days.into(),
        workspace.version.into(),
        workspace.limits.events_per_month.into(),
        workspace.limits.connections.into(),
    ];
    let recorded = change.map(changes::recorded);
    let statements = [statement(UPDATE, params)].into_iter().chain(recorded).collect();
    let changed = run(control, statements).await?;
    Ok(!changed[0].is_empty())
}

const OF_SHARD: &str =
    concat!(columns!(), "where shard = ?1 and id >= ?2 order by shard, id limit ?3");

/// Workspaces of a shard from the id `first` on, at most [`RETENTION_WORKSPACES`].
///
/// # Errors
/// When CONTROL does not answer.
pub async fn of_shard(control: &impl Database, shard: u16, first: &str) -> Result<Vec<Workspace>> {
    let params = [i64::from(shard).into(), first.into(), RETENTION_WORKSPACES.into()];
    row::all(select(control, statement(OF_SHARD, params)).await?)
}

const RETENTION: &str = concat!(columns!(), "where id = ?1");

/// For how long a workspace keeps its events.
pub fn retention(workspace: &str) -> Query<Retention> {
    Query::new(RETENTION, [workspace.into()], |rows| {
        row::one(row::rows(rows)?, "workspace").map(|workspace: Workspace| workspace.kept())
    })
}

const THESE: &str = concat!(columns!(), "where id in (select value from json_each(?1))");

/// For how long each of these workspaces keeps its events.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn kept(
    control: &impl Database,
    workspaces: &[&str],
) -> Result<HashMap<String, Retention>> {
    let params = [json!(workspaces).to_string().into()];
    let found: Vec<Workspace> = row::all(select(control, statement(THESE, params)).await?)?;
    Ok(found.into_iter().map(|one| (one.id.clone(), one.kept())).collect())
}
