//! Sessions of the embed in a LOG shard, the one of their workspace.
//!
//! Who presents a token has no tenant yet: the statements that serve the embed find a session by
//! its id, and its tenant is what its row says once the token's hash was compared.

use serde_json::json;

use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{CLEARED_SESSIONS, FORGOTTEN_AT_ONCE};
use crate::domain::tenants::actor::Resource;
use crate::domain::tenants::look::{Look, Theme};
use crate::domain::tenants::session::Session;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, run, select, statement};

/// A session with the hashes of its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The session.
    pub session: Session,
    /// Hash of its access token.
    pub access_hash: String,
    /// Hash of its cookie, once it was launched.
    pub cookie_hash: Option<String>,
}

/// A word that must be one of an enum's.
impl FromRow for Session {
    fn from_row(row: &mut Row) -> Self {
        let resource = (row.maybe_text("resource"), row.maybe_text("resource_id"));
        Self {
            id: row.text("id"),
            shard: row.int("shard"),
            organization: row.text("organization"),
            workspace: row.text("workspace"),
            workspace_name: row.text("workspace_name"),
            environment: row.maybe_text("environment"),
            role: row.word("role"),
            session_type: row.word("session_type"),
            resource: match resource {
                (Some(kind), Some(id)) => Some(Resource { kind, id }),
                _ => None,
            },
            external_user_id: row.maybe_text("external_user_id"),
            reads_payloads: row.flag("reads_payloads"),
            allowed_origins: row.json("allowed_origins"),
            launch_page: row.word("launch_page"),
            path: row.maybe_text("path"),
            look: Look {
                theme: row.word("theme"),
                accent: row.maybe_text("accent"),
                tokens: row.json("tokens"),
            },
            ttl_ms: row.int("ttl_ms"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            launched_at_ms: row.maybe_int("launched_at_ms"),
            expires_at_ms: row.int("expires_at_ms"),
            revoked_at_ms: row.maybe_int("revoked_at_ms"),
        }
    }
}

impl FromRow for Stored {
    fn from_row(row: &mut Row) -> Self {
        Self {
            session: Session::from_row(row),
            access_hash: row.text("access_hash"),
            cookie_hash: row.maybe_text("cookie_hash"),
        }
    }
}

/// What a [`Session`] is read from.
macro_rules! columns {
    () => {
        "id, shard, organization, workspace, workspace_name, role, session_type, resource, \
         resource_id, external_user_id, reads_payloads, allowed_origins, launch_page, theme, \
         accent, ttl_ms, created_by, created_at_ms, launched_at_ms, expires_at_ms, revoked_at_ms, \
         environment, path, tokens"
    };
}

const INSERT: &str = concat!(
    "insert into sessions (",
    columns!(),
    ", launch_hash, launch_expires_at_ms, access_hash) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
       ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, null, ?19, null, ?23, ?24, ?25, ?20, ?21, \
       ?22)"
);

/// Creates a session. `launch` is the hash of its launch token and the time it is good until.
///
/// # Errors
/// When the shard does not answer.
pub async fn insert(
    log: &impl Database,
    session: &Session,
    launch: (&str, i64),
    access_hash: &str,
) -> Result<()> {
    let resource = session.resource.as_ref();
    let params = [
        (&session.id).into(),
        i64::from(session.shard).into(),
        (&session.organization).into(),
        (&session.workspace).into(),
        (&session.workspace_name).into(),
        session.role.as_str().into(),
        session.session_type.as_str().into(),
        resource.map(|only| only.kind.clone()).into(),
        resource.map(|only| only.id.clone()).into(),
        session.external_user_id.clone().into(),
        session.reads_payloads.into(),
        serde_json::to_string(&session.allowed_origins).expect("texts are JSON").into(),
        session.launch_page.as_str().into(),
        session.look.theme.as_str().into(),
        session.look.accent.clone().into(),
        session.ttl_ms.into(),
        (&session.created_by).into(),
        session.created_at_ms.into(),
        session.expires_at_ms.into(),
        launch.0.into(),
        launch.1.into(),
        access_hash.into(),
        session.environment.clone().into(),
        session.path.clone().into(),
        tokens(&session.look).into(),
    ];
    run(log, vec![statement(INSERT, params)]).await.map(drop)
}

fn tokens(look: &Look) -> String {
    serde_json::to_string(&look.tokens).expect("tokens are JSON")
}

const FIND: &str =
    concat!("select ", columns!(), ", access_hash, cookie_hash from sessions where id = ?1");

/// The session with this id, if there is one.
pub fn find(session: &str) -> Query<Option<Stored>> {
    Query::new(FIND, [session.into()], |rows| row::first(row::rows(rows)?))
}

const LAUNCH: &str = concat!(
    "update sessions set launched_at_ms = ?3, cookie_hash = ?4, theme = ?5, accent = ?6, \
       tokens = ?8 \
     where id = ?1 and launch_hash = ?2 and launched_at_ms is null \
       and launch_expires_at_ms > ?3 and expires_at_ms > ?3 and revoked_at_ms is null \
       and (?7 is null or (?7 = '' and allowed_origins <> '[]') \
         or exists (select 1 from json_each(allowed_origins) where value = ?7)) returning ",
    columns!()
);

/// Exchanges a launch token, by its hash, for the cookie with this hash. `None` when the token is
/// not good, or not good any more: of two that are presented at once one gets the session. Nor is
/// it used up in a frame that is not allowed; an unknown origin is an empty one.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn launch(
    log: &impl Database,
    session: &str,
    launch_hash: &str,
    cookie_hash: &str,
    look: &Look,
    frame: Option<&str>,
    now_ms: i64,
) -> Result<Option<Session>> {
    let params = [
        session.into(),
        launch_hash.into(),
        now_ms.into(),
        cookie_hash.into(),
        look.theme.as_str().into(),
        look.accent.clone().into(),
        frame.map(str::to_owned).into(),
        tokens(look).into(),
    ];
    row::first(select(log, statement(LAUNCH, params)).await?)
}

const SET_COOKIE: &str = "\
    update sessions set cookie_hash = ?3, launched_at_ms = coalesce(launched_at_ms, ?4) \
    where id = ?2 and workspace = ?1";

/// Sets the hash of a session's cookie.
///
/// # Errors
/// When the shard does not answer.
pub async fn set_cookie(
    log: &impl Database,
    workspace: &str,
    session: &str,
    cookie_hash: &str,
    now_ms: i64,
) -> Result<()> {
    let params = [workspace.into(), session.into(), cookie_hash.into(), now_ms.into()];
    run(log, vec![statement(SET_COOKIE, params)]).await.map(drop)
}

const SET_THEME: &str = "update sessions set theme = ?3 where id = ?2 and workspace = ?1";

/// Sets the colours that a person chose.
///
/// # Errors
/// When the shard does not answer.
pub async fn set_theme(
    log: &impl Database,
    workspace: &str,
    session: &str,
    theme: Theme,
) -> Result<()> {
    let params = [workspace.into(), session.into(), theme.as_str().into()];
    run(log, vec![statement(SET_THEME, params)]).await.map(drop)
}

const REFRESH: &str = concat!(
    "update sessions set access_hash = ?3, expires_at_ms = ?4 + ttl_ms where id = ?2 \
       and workspace = ?1 and expires_at_ms > ?4 and revoked_at_ms is null returning ",
    columns!()
);

/// Gives a session that goes on a new access token and its whole life again. `None` when it is
/// over.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn refresh(
    log: &impl Database,
    workspace: &str,
    session: &str,
    access_hash: &str,
    now_ms: i64,
) -> Result<Option<Session>> {
    let params = [workspace.into(), session.into(), access_hash.into(), now_ms.into()];
    row::first(select(log, statement(REFRESH, params)).await?)
}

const REVOKE: &str = "\
    update sessions set revoked_at_ms = coalesce(revoked_at_ms, ?3) \
    where id = ?2 and workspace = ?1 returning id";

/// Ends a session at once.
///
/// # Errors
/// `NotFound` when the workspace has no such session.
pub async fn revoke(
    log: &impl Database,
    workspace: &str,
    session: &str,
    now_ms: i64,
) -> Result<()> {
    let params = [workspace.into(), session.into(), now_ms.into()];
    let results = run(log, vec![statement(REVOKE, params)]).await?;
    if results[0].is_empty() { Err(Error::not_found("session")) } else { Ok(()) }
}

const REVOKE_SOME: &str = "\
    update sessions set revoked_at_ms = ?2 where workspace = ?1 and id in (select id from sessions \
      where workspace = ?1 and revoked_at_ms is null and expires_at_ms > ?2 \
      order by workspace, id limit ?3) returning id";

/// Ends sessions of a deleted workspace that go on, at most [`CLEARED_SESSIONS`]; how many.
///
/// # Errors
/// When the shard does not answer.
pub async fn revoke_some(log: &impl Database, workspace: &str, now_ms: i64) -> Result<usize> {
    let params = [workspace.into(), now_ms.into(), CLEARED_SESSIONS.into()];
    Ok(select(log, statement(REVOKE_SOME, params)).await?.len())
}

const REVOKE_OF: &str = "\
    update sessions set revoked_at_ms = ?2 where id in ( \
      select s.id from json_each(?1) j cross join sessions s indexed by sessions_by_creator \
      where s.created_by = j.value and s.revoked_at_ms is null and s.expires_at_ms > ?2 \
      limit ?3) returning id";

/// Ends sessions that go on and were made by these, at most [`CLEARED_SESSIONS`]; how many.
///
/// # Errors
/// When the shard does not answer.
pub async fn revoke_of(log: &impl Database, creators: &[String], now_ms: i64) -> Result<usize> {
    let creators = json!(creators).to_string();
    let params = [creators.into(), now_ms.into(), CLEARED_SESSIONS.into()];
    Ok(select(log, statement(REVOKE_OF, params)).await?.len())
}

const FORGET: &str = "\
    delete from sessions where id in (select id from sessions where id < ?1 \
      and expires_at_ms < ?2 order by id limit ?3)";

/// Deletes sessions that were created before this id and were over before this time, some at once.
///
/// # Errors
/// When the shard does not answer.
pub async fn forget(log: &impl Database, created_before: &str, over_before_ms: i64) -> Result<()> {
    let params = [created_before.into(), over_before_ms.into(), FORGOTTEN_AT_ONCE.into()];
    run(log, vec![statement(FORGET, params)]).await.map(drop)
}

/// Which sessions a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// `active`, `expired` or `revoked`.
    pub status: Option<String>,
    /// Only those limited to this kind of resource.
    pub resource: Option<String>,
    /// Only those limited to the resource with this id.
    pub resource_id: Option<String>,
}

const LIST: &str = concat!(
    "select ",
    columns!(),
    " from sessions where workspace = ?1 and id < ?2 \
       and (?3 is null or resource = ?3) and (?4 is null or resource_id = ?4) \
       and (?5 is null or ?5 = case when revoked_at_ms is not null then 'revoked' \
         when expires_at_ms > ?6 then 'active' else 'expired' end) \
     order by workspace, id desc limit ?7"
);

/// The newest sessions of a workspace before the id `before`.
///
/// # Errors
/// When the shard does not answer.
pub async fn list(
    log: &impl Database,
    workspace: &str,
    filter: &Filter,
    before: &str,
    now_ms: i64,
    limit: usize,
) -> Result<Vec<Session>> {
    let params = [
        workspace.into(),
        before.into(),
        filter.resource.clone().into(),
        filter.resource_id.clone().into(),
        filter.status.clone().into(),
        now_ms.into(),
        limit.into(),
    ];
    row::all(select(log, statement(LIST, params)).await?)
}
