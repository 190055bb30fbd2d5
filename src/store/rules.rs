//! Rules in CONTROL.

use serde_json::json;

use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::{
    CONNECTIONS_SHOWN_MAX, FAN_OUT_MAX, FILTERS_BYTES_MAX, LOOKED_AT,
};
use crate::domain::base::names::patterns_of;
use crate::domain::base::version;
use crate::domain::routing::rule::Metadata;
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::change::NewChange;
use crate::ports::{Database, Param};
use crate::store::row::{self, FromRow, Row};
use crate::store::rule_patterns::too_many;
use crate::store::{Query, all_rows, changes, run, select, statement};

/// A rule as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id.
    pub id: String,
    /// Workspace.
    pub workspace: String,
    /// Name of the workspace, by which lists are ordered.
    pub workspace_name: String,
    /// Number in its workspace; 0 until it is stored.
    pub number: u32,
    /// The connection it sends to.
    pub connection: String,
    /// That connection's type.
    pub kind: String,
    /// Pattern of the event names that it matches.
    pub event: String,
    /// Resource it is limited to.
    pub resource: Option<String>,
    /// Resource id it is limited to.
    pub resource_id: Option<String>,
    /// Text of the filter that payloads must pass.
    pub filter: Option<String>,
    /// What it does.
    pub action: String,
    /// What that needs to know.
    pub metadata: Metadata,
    /// Whether it routes.
    pub active: bool,
    /// Whether pages leave it out.
    pub hidden: bool,
    /// The key that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// Its version.
    pub version: i64,
}

impl Rule {
    /// The tag of its version.
    pub fn tag(&self) -> String {
        version::tag(self.created_at_ms, self.version)
    }
}

impl FromRow for Rule {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            workspace: row.text("workspace"),
            workspace_name: row.text("workspace_name"),
            number: row.int("number"),
            connection: row.text("connection"),
            kind: row.text("kind"),
            event: row.text("event"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            filter: row.maybe_json_text("filter"),
            action: row.text("action"),
            metadata: row.json("metadata"),
            active: row.flag("active"),
            hidden: row.flag("hidden"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
            version: row.int("version"),
        }
    }
}

/// What a [`Rule`] is read from: `r` is the rule, `c` its connection, `w` its workspace.
macro_rules! columns {
    () => {
        "select r.id, r.workspace, r.number, r.connection, c.type as kind, r.event, r.resource, \
           r.resource_id, r.filter, r.action, r.metadata, r.active, r.hidden, r.created_by, \
           r.created_at_ms, r.updated_at_ms, r.version, w.name as workspace_name "
    };
}

const TAKE_NUMBER: &str = "\
    update workspaces set last_rule_number = last_rule_number + 1 where id = ?1";
const INSERT: &str = "\
    insert into rules (id, workspace, number, connection, event, resource, resource_id, action, \
      active, hidden, created_by, created_at_ms, updated_at_ms, filter, metadata) \
    select ?2, w.id, w.last_rule_number, c.id, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, ?14, ?15 \
    from workspaces w join connections c on c.workspace = w.id \
    where w.id = ?1 and c.id = ?3 \
      and (select count(*) from rules r where r.workspace = ?1 \
        and r.event in (select value from json_each(?13))) < ?12 \
      and (?14 is null or ?16 >= length(cast(?14 as blob)) + (select \
        coalesce(sum(length(cast(r.filter as blob))), 0) from rules r where r.workspace = ?1)) \
      and not exists (select 1 from rules r where r.connection = ?3 and r.event = ?4 \
        and coalesce(r.resource, 'global') = coalesce(?5, 'global') and r.resource_id is ?6 \
        and r.action = ?7 and r.metadata = ?15 and r.filter is ?14) \
    returning number";
const DOUBLE: &str = "\
    select r.id from rules r where r.workspace = ?1 and r.connection = ?2 and r.event = ?3 \
      and coalesce(r.resource, 'global') = coalesce(?4, 'global') and r.resource_id is ?5 \
      and r.action = ?6 and r.metadata = ?7 and r.filter is ?8 and r.id <> ?9";
const FILTERS_ARE_LONG: &str = "\
    select 1 as is_long where length(cast(?3 as blob)) + (select \
      coalesce(sum(length(cast(filter as blob))), 0) from rules \
      where workspace = ?1 and id <> ?2) > ?4";

/// Creates a rule and gives it the next number of its workspace. Its connection must be one of the
/// same workspace.
///
/// # Errors
/// `Conflict` when another rule is the same in all that routes; `Refused` when the workspace has as
/// many rules for the event as one event may be fanned out to, or its filters are as long as they
/// may be.
pub async fn insert(control: &impl Database, rule: &Rule, change: &NewChange) -> Result<()> {
    let params = [
        (&rule.workspace).into(),
        (&rule.id).into(),
        (&rule.connection).into(),
        (&rule.event).into(),
        rule.resource.clone().into(),
        rule.resource_id.clone().into(),
        (&rule.action).into(),
        rule.active.into(),
        rule.hidden.into(),
        (&rule.created_by).into(),
        rule.created_at_ms.into(),
        FAN_OUT_MAX.into(),
        json!(patterns_of(&rule.event)).to_string().into(),
        rule.filter.clone().into(),
        json!(rule.metadata).to_string().into(),
        FILTERS_BYTES_MAX.into(),
    ];
    let take = statement(TAKE_NUMBER, [(&rule.workspace).into()]);
    let statements = vec![take, statement(INSERT, params), changes::recorded(change)];
    let results = run(control, statements).await?;
    if results[1].is_empty() { Err(refused(control, rule).await?) } else { Ok(()) }
}

/// Why a rule was not stored.
async fn refused(control: &impl Database, rule: &Rule) -> Result<Error> {
    let double = [
        (&rule.workspace).into(),
        (&rule.connection).into(),
        (&rule.event).into(),
        rule.resource.clone().into(),
        rule.resource_id.clone().into(),
        (&rule.action).into(),
        json!(rule.metadata).to_string().into(),
        rule.filter.clone().into(),
        (&rule.id).into(),
    ];
    if !run(control, vec![statement(DOUBLE, double)]).await?[0].is_empty() {
        let msg = "is sent to this connection by another rule with the same resource, \
            resource_id, metadata and filter; it would be delivered twice";
        return Ok(Error::field("event", msg).of_kind(Kind::Conflict).with_code(Code::Duplicate));
    }
    let (workspace, id, filter) = (&rule.workspace, &rule.id, rule.filter.clone());
    let params = [workspace.into(), id.into(), filter.into(), FILTERS_BYTES_MAX.into()];
    if run(control, vec![statement(FILTERS_ARE_LONG, params)]).await?[0].is_empty() {
        return Ok(too_many());
    }
    let msg = format!("the workspace's filters would be longer than {FILTERS_BYTES_MAX} bytes");
    Ok(Error::field("filter", msg).of_kind(Kind::Refused).with_code(Code::Quota))
}

const FIND: &str = concat!(
    columns!(),
    "from rules r join workspaces w on w.id = r.workspace \
     join connections c on c.id = r.connection \
     where r.id = ?2 and w.organization = ?1 and (?3 is null or w.id = ?3) \
     and (?4 is null or (coalesce(r.resource, 'global') = ?4 and r.resource_id = ?5))"
);

/// A rule in this scope.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find(control: &impl Database, scope: &Scope, rule: &str) -> Result<Rule> {
    let [resource, resource_id] = resource_params(scope);
    let params = [
        (&scope.organization).into(),
        rule.into(),
        scope.workspace.clone().into(),
        resource,
        resource_id,
    ];
    row::one(select(control, statement(FIND, params)).await?, "rule")
}

/// Which rules a list shows, and where it goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those for this event.
    pub event: Option<String>,
    /// Only those limited to this resource.
    pub resource: Option<String>,
    /// Only those limited to this resource id.
    pub resource_id: Option<String>,
    /// After this workspace's name ...
    pub after_workspace_name: String,
    /// ... and this number in it.
    pub after_number: u32,
}

/// The rules at which a page looks, in its order; a workspace without rules counts as well.
macro_rules! looked_at {
    ($columns:literal) => {
        concat!(
            "select ",
            $columns,
            " from workspaces w left join rules r on r.workspace = w.id \
             where w.organization = ?1 and (?2 is null or w.id = ?2) \
               and w.name >= ?3 and (w.name > ?3 or r.number > ?4) \
             order by w.organization, w.name, r.number limit "
        )
    };
}

const LIST: &str = concat!(
    columns!(),
    "from (",
    looked_at!("w.id as workspace, r.number"),
    "?11) lines cross join rules r on r.workspace = lines.workspace and r.number = lines.number \
     cross join workspaces w on w.id = r.workspace cross join connections c on c.id = r.connection \
     where (?5 is null or r.event = ?5) \
     and (?6 is null or coalesce(r.resource, 'global') = ?6) \
     and (?7 is null or r.resource_id = ?7) \
     and (?9 is null or (coalesce(r.resource, 'global') = ?9 and r.resource_id = ?10)) limit ?8"
);
const LIST_END: &str =
    concat!(looked_at!("w.name, coalesce(r.number, 0) as number"), "1 offset ?5");

/// Where a [`list`] goes on when all of it is shown; `None` at the end.
pub fn list_end(scope: &Scope, filter: &Filter) -> Query<Option<(String, u32)>> {
    struct End((String, u32));
    impl FromRow for End {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("name"), row.int("number")))
        }
    }
    let params = [
        (&scope.organization).into(),
        scope.workspace.clone().into(),
        (&filter.after_workspace_name).into(),
        filter.after_number.into(),
        (LOOKED_AT - 1).into(),
    ];
    Query::new(LIST_END, params, |rows| {
        let end: Option<End> = row::first(row::rows(rows)?)?;
        Ok(end.map(|end| end.0))
    })
}

/// Rules in a scope by workspace name and number, at most `limit`.
pub fn list(scope: &Scope, filter: &Filter, limit: usize) -> Query<Vec<Rule>> {
    let [resource, resource_id] = resource_params(scope);
    let params = [
        (&scope.organization).into(),
        scope.workspace.clone().into(),
        (&filter.after_workspace_name).into(),
        filter.after_number.into(),
        filter.event.clone().into(),
        filter.resource.clone().into(),
        filter.resource_id.clone().into(),
        limit.into(),
        resource,
        resource_id,
        LOOKED_AT.into(),
    ];
    Query::new(LIST, params, all_rows)
}

fn resource_params(scope: &Scope) -> [Param; 2] {
    let resource = scope.resource.as_ref();
    [resource.map(|only| only.kind.clone()).into(), resource.map(|only| only.id.clone()).into()]
}

const SHOWN: &str = concat!(
    columns!(),
    "from workspaces w cross join rules r on r.workspace = w.id \
     join connections c on c.id = r.connection \
     where w.organization = ?1 and w.id = ?2 and r.hidden = 0 and c.hidden = 0 \
     and (?3 is null or (coalesce(r.resource, 'global') = ?3 and r.resource_id = ?4)) \
     order by r.workspace, r.number limit ?5"
);

const ONE_SHOWN: &str = concat!(
    columns!(),
    "from rules r join workspaces w on w.id = r.workspace \
     join connections c on c.id = r.connection \
     where r.id = ?5 and w.organization = ?1 and w.id = ?2 and r.hidden = 0 and c.hidden = 0 \
     and (?3 is null or (coalesce(r.resource, 'global') = ?3 and r.resource_id = ?4))"
);

/// A rule that pages show; `NotFound` when the scope's workspace has none with this id.
pub fn one_shown(scope: &Scope, rule: &str) -> Query<Rule> {
    let [resource, resource_id] = resource_params(scope);
    let workspace = scope.workspace.clone().into();
    let params = [(&scope.organization).into(), workspace, resource, resource_id, rule.into()];
    Query::new(ONE_SHOWN, params, |rows| row::one(row::rows(rows)?, "rule"))
}

/// The rules of a workspace that pages show, in order.
pub fn shown(scope: &Scope) -> Query<Vec<Rule>> {
    let [resource, resource_id] = resource_params(scope);
    let params = [
        (&scope.organization).into(),
        scope.workspace.clone().into(),
        resource,
        resource_id,
        CONNECTIONS_SHOWN_MAX.into(),
    ];
    Query::new(SHOWN, params, all_rows)
}

const UPDATE: &str = "\
    update rules set event = ?3, resource = ?4, resource_id = ?5, active = ?6, hidden = ?7, \
      updated_at_ms = ?8, connection = ?10, filter = ?12, action = ?13, metadata = ?14, \
      version = version + 1 \
    where id = ?2 and workspace = ?1 and version = ?15 \
      and (?12 is null or ?16 >= length(cast(?12 as blob)) + (select \
        coalesce(sum(length(cast(r.filter as blob))), 0) from rules r \
        where r.workspace = ?1 and r.id <> ?2)) \
      and not exists (select 1 from rules r where r.connection = ?10 and r.event = ?3 \
        and coalesce(r.resource, 'global') = coalesce(?4, 'global') and r.resource_id is ?5 \
        and r.action = ?13 and r.metadata = ?14 and r.filter is ?12 and r.id <> ?2) \
      and exists (select 1 from connections c where c.id = ?10 and c.workspace = ?1) \
      and (event = ?3 or (select count(*) from rules r where r.workspace = ?1 and r.id <> ?2 \
        and r.event in (select value from json_each(?11))) < ?9) returning id";

/// Stores a changed rule if it is still of its version; `false` when it is not. There is no change
/// to be recorded where nothing differs.
///
/// # Errors
/// As [`insert`].
pub async fn update(
    control: &impl Database,
    scope: &Scope,
    rule: &Rule,
    change: Option<&NewChange>,
) -> Result<bool> {
    let params = [
        (&rule.workspace).into(),
        (&rule.id).into(),
        (&rule.event).into(),
        rule.resource.clone().into(),
        rule.resource_id.clone().into(),
        rule.active.into(),
        rule.hidden.into(),
        rule.updated_at_ms.into(),
        FAN_OUT_MAX.into(),
        (&rule.connection).into(),
        json!(patterns_of(&rule.event)).to_string().into(),
        rule.filter.clone().into(),
        (&rule.action).into(),
        json!(rule.metadata).to_string().into(),
        rule.version.into(),
        FILTERS_BYTES_MAX.into(),
    ];
    let recorded = change.map(changes::recorded);
    let statements = [statement(UPDATE, params)].into_iter().chain(recorded).collect();
    let results = run(control, statements).await?;
    if !results[0].is_empty() {
        return Ok(true);
    }
    match find(control, scope, &rule.id).await?.version == rule.version {
        true => Err(refused(control, rule).await?),
        false => Ok(false),
    }
}
