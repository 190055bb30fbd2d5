//! Publishable keys in CONTROL. A workspace has one that does not expire, and its predecessors
//! while their overlap lasts.

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::change::NewChange;
use crate::domain::tenants::key_limits::KeyLimits;
use crate::ports::{Database, Param, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, changes, run, statement};

/// A publishable key as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishableKey {
    /// The key.
    pub public_key: String,
    /// Its name.
    pub name: String,
    /// What it is limited to.
    pub limits: KeyLimits,
}

impl FromRow for PublishableKey {
    fn from_row(row: &mut Row) -> Self {
        Self {
            public_key: row.text("public_key"),
            name: row.text("name"),
            limits: KeyLimits::from_row(row),
        }
    }
}

impl FromRow for KeyLimits {
    fn from_row(row: &mut Row) -> Self {
        Self { events: row.maybe_json("events"), origins: row.maybe_json("origins") }
    }
}

const INSERT: &str = "\
    insert into publishable_keys (public_key, workspace, name, created_at_ms) \
    select ?2, id, 'default', ?3 from workspaces where id = ?1";

/// The statement that creates the first key of a workspace, if the workspace was created.
pub fn insert(workspace: &str, public_key: &str, now_ms: i64) -> Statement {
    statement(INSERT, [workspace.into(), public_key.into(), now_ms.into()])
}

const NEWEST: &str = "\
    select k.public_key, k.name, k.events, k.origins \
    from workspaces w cross join publishable_keys k on k.workspace = w.id \
    where w.id = ?2 and w.organization = ?1 and k.expires_at_ms is null \
    order by k.workspace, k.created_at_ms desc limit 1";

/// The key of a workspace, the one that does not expire.
pub fn newest(scope: &Scope, workspace: &str) -> Query<Option<PublishableKey>> {
    let params = [(&scope.organization).into(), workspace.into()];
    Query::new(NEWEST, params, |rows| row::first(row::rows(rows)?))
}

/// Keys of a workspace that can be valid at once.
const VALID_MAX: u32 = 5;

const FORGET: &str = "delete from publishable_keys where workspace = ?1 and expires_at_ms <= ?2";
/// The new key takes name and limits over.
const ROTATE_IN: &str = "\
    insert into publishable_keys (public_key, workspace, name, created_at_ms, events, origins) \
    select ?2, k.workspace, k.name, ?3, k.events, k.origins from publishable_keys k \
    where k.workspace = ?1 and k.expires_at_ms is null \
      and (select count(*) from publishable_keys where workspace = ?1) < ?4 \
    order by k.workspace, k.created_at_ms desc limit 1 \
    returning public_key, name, events, origins";
const ROTATE_OUT: &str = "\
    update publishable_keys set expires_at_ms = ?3 \
    where workspace = ?1 and expires_at_ms is null and public_key <> ?2 \
      and exists (select 1 from publishable_keys where public_key = ?2 and workspace = ?1)";

/// Makes `public_key` the key of a workspace; the former one is valid until `former_until_ms`.
///
/// # Errors
/// `Conflict` when as many keys as may be are valid.
pub async fn rotate(
    control: &impl Database,
    workspace: &str,
    public_key: &str,
    former_until_ms: i64,
    told: &NewChange,
) -> Result<PublishableKey> {
    let now_ms = told.at_ms;
    // The former one counts only if it stays.
    let others_max = VALID_MAX + u32::from(former_until_ms <= now_ms);
    let key = || [workspace.into(), public_key.into()];
    let [of, new] = key();
    let [of_out, new_out] = key();
    let statements = vec![
        statement(FORGET, [workspace.into(), now_ms.into()]),
        statement(ROTATE_IN, [of, new, now_ms.into(), others_max.into()]),
        changes::recorded(told),
        statement(ROTATE_OUT, [of_out, new_out, former_until_ms.into()]),
        statement(TOUCH_WORKSPACE, [workspace.into()]),
    ];
    let results = run(control, statements).await?;
    row::first(row::rows(&results[1])?)?.ok_or_else(|| {
        let msg = format!(
            "{VALID_MAX} publishable keys of this workspace are valid, the most there can be; wait \
             until the grace of one of them has ended"
        );
        Error::field("grace_seconds", msg).of_kind(Kind::Conflict)
    })
}

const LIMIT: &str = "\
    update publishable_keys set name = coalesce(?2, name), \
      events = case ?3 when 1 then ?4 else events end, \
      origins = case ?5 when 1 then ?6 else origins end \
    where workspace = ?1";
/// A workspace shows its key.
const TOUCH_WORKSPACE: &str = "update workspaces set version = version + 1 where id = ?1";

/// What is to be changed about a key; `None` leaves it as it is.
#[derive(Debug, Clone)]
pub struct Change {
    /// New name.
    pub name: Option<String>,
    /// New limit on events; `Some(None)` takes it away.
    pub events: Option<Option<Vec<String>>>,
    /// New limit on origins.
    pub origins: Option<Option<Vec<String>>>,
}

/// Changes a workspace's key, and those that it took the place of: a limit that they did not have
/// would be none.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn change(
    control: &impl Database,
    workspace: &str,
    change: &Change,
    told: Option<&NewChange>,
) -> Result<()> {
    let text = |texts: &Option<Option<Vec<String>>>| -> Param {
        let texts = texts.as_ref().and_then(Option::as_ref);
        texts.map(|texts| serde_json::to_string(texts).expect("texts are JSON")).into()
    };
    let params = [
        workspace.into(),
        change.name.clone().into(),
        change.events.is_some().into(),
        text(&change.events),
        change.origins.is_some().into(),
        text(&change.origins),
    ];
    let mut statements = vec![statement(LIMIT, params)];
    statements.extend(told.map(changes::recorded));
    statements.push(statement(TOUCH_WORKSPACE, [workspace.into()]));
    run(control, statements).await.map(drop)
}
