//! `/sessions`: sessions of the embed.

use serde_json::{Map, Value, json};
use std::str::FromStr;
use strum::VariantNames;

use crate::app::sessions::{self, NewSession};
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::names::check_name;
use crate::domain::base::names::check_resource_id;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::actor::Resource;
use crate::domain::tenants::session::{
    LAUNCH_TTL_S, LaunchPage, READ_PAYLOADS, Role, Session, SessionType, TTL_S,
};
use crate::domain::tenants::session_path::check_path;
use crate::domain::tenants::session_token::Token;
use crate::domain::tenants::workspace::check_external_id;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::events::NEWEST;
use crate::store::sessions::Filter;

/// What every answer about a session says of it.
fn show(session: &Session) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("session_id", json!(session.id));
    put("workspace_id", json!(session.workspace));
    put("role", json!(session.role.as_str()));
    put("session_type", json!(session.session_type.as_str()));
    put("expires_at", json!(rfc3339(session.expires_at_ms)));
    if let Some(resource) = &session.resource {
        put("resource", json!(resource.kind));
        put("resource_id", json!(resource.id));
    }
    shown
}

/// The same with the access token, which is shown this once.
fn show_with_token(session: &Session, token: &Token, now_ms: i64) -> Map<String, Value> {
    let mut shown = show(session);
    shown.insert("access_token".to_owned(), json!(token.expose()));
    shown.insert("expires_in".to_owned(), json!((session.expires_at_ms - now_ms) / 1_000));
    shown
}

fn show_record(session: &Session, now_ms: i64) -> Value {
    let scopes: &[&str] = if session.reads_payloads { &[READ_PAYLOADS] } else { &[] };
    let mut shown = show(session);
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("id", json!(session.id));
    put("status", json!(if session.revoked_at_ms.is_some() { "revoked" } else { "active" }));
    put("is_expired", json!(session.expires_at_ms <= now_ms));
    put("external_user_id", json!(session.external_user_id));
    put("scopes", json!(scopes));
    put("allowed_origins", json!(session.allowed_origins));
    put("launch_page", json!(session.launch_page.as_str()));
    put("path", json!(session.path));
    put("created_by", json!(session.created_by));
    put("created_at", json!(rfc3339(session.created_at_ms)));
    put("launched_at", json!(session.launched_at_ms.map(rfc3339)));
    put("revoked_at", json!(session.revoked_at_ms.map(rfc3339)));
    without_nulls(shown.into())
}

/// `POST /sessions`.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let new = read(&mut fields);
    fields.finish()?;
    let created = sessions::create(platform, call.caller.machine()?, new).await?;
    let mut shown =
        show_with_token(&created.session, &created.access_token, created.session.created_at_ms);
    let (id, token) = (&created.session.id, created.launch_token.expose());
    let url = format!("{}/embed/s/{id}/launch?token={token}", call.request.origin);
    shown.insert("launch_token".to_owned(), json!(token));
    shown.insert("launch_expires_at".to_owned(), json!(rfc3339(created.launch_expires_at_ms)));
    shown.insert("launch_url".to_owned(), json!(url));
    Ok(Reply::ok(&shown.into()))
}

fn read(fields: &mut Fields<'_>) -> NewSession {
    let session_type = word(fields, "session_type", SessionType::Workspace);
    let launch_page = word(fields, "launch_page", LaunchPage::Dashboard);
    let pages = session_type.launch_pages();
    if !pages.contains(&launch_page) {
        let pages: Vec<&str> = pages.iter().map(|page| page.as_str()).collect();
        let (kind, pages) = (session_type.as_str(), pages.join(", "));
        fields.fail("launch_page", format!("must be one of {pages} with session_type {kind}"));
    }
    NewSession {
        workspace: fields.required_uuid("workspace_id"),
        role: word(fields, "role", Role::Member),
        session_type,
        resource: resource(fields, session_type),
        external_user_id: fields.checked_text("external_user_id", check_external_id),
        reads_payloads: scopes(fields),
        allowed_origins: origins(fields),
        launch_page,
        path: fields.checked_text("path", check_path),
        ttl_ms: seconds(fields, "ttl_seconds", TTL_S),
        launch_ttl_ms: seconds(fields, "launch_ttl_seconds", LAUNCH_TTL_S),
    }
}

fn word<T: FromStr + VariantNames>(fields: &mut Fields<'_>, name: &str, default: T) -> T {
    let Some(text) = fields.text(name) else { return default };
    text.parse().unwrap_or_else(|_| {
        fields.fail(name, format!("must be one of {}", T::VARIANTS.join(", ")));
        default
    })
}

fn seconds(fields: &mut Fields<'_>, name: &str, (least, most, default): (i64, i64, i64)) -> i64 {
    let seconds = fields.integer(name).unwrap_or(default);
    if !(least..=most).contains(&seconds) {
        fields.fail(name, format!("must be {least} to {most} seconds"));
    }
    seconds.saturating_mul(1_000)
}

/// Both fields with type `resource`, neither with another.
fn resource(fields: &mut Fields<'_>, session_type: SessionType) -> Option<Resource> {
    let kind = fields.checked_text("resource", check_name);
    let id = fields.checked_text("resource_id", check_resource_id);
    for name in ["resource", "resource_id"] {
        let given = fields.has(name) && !fields.is_null(name);
        match (session_type, given) {
            (SessionType::Resource, false) => {
                fields.fail(name, "is required with session_type resource");
            }
            (SessionType::Workspace | SessionType::Dashboard, true) => {
                fields.fail(name, "goes with session_type resource only");
            }
            _ => {}
        }
    }
    Some(Resource { kind: kind?, id: id? })
}

fn scopes(fields: &mut Fields<'_>) -> bool {
    let scopes: Vec<String> = fields.get("scopes", "an array of strings").unwrap_or_default();
    if let Some(unknown) = scopes.iter().find(|scope| *scope != READ_PAYLOADS) {
        fields.fail("scopes", format!("names {unknown:?}; the only scope is {READ_PAYLOADS}"));
    }
    !scopes.is_empty()
}

fn origins(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    super::organizations::read_origins(fields).filter(|origins| !origins.is_empty())
}

/// `GET /sessions`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    let actor = call.caller.machine()?;
    let workspace = call.query_id("workspace_id")?;
    let list = cursor::list_of("sessions", &actor.scope.within(&workspace));
    let before: Option<String> = cursor::read(call, &list)?;
    let filter = Filter {
        status: call.query_word("status", &["active", "expired", "revoked"])?,
        resource: call.request.query("resource"),
        resource_id: call.request.query("resource_id"),
    };
    let before = before.unwrap_or_else(|| NEWEST.to_owned());
    let found = sessions::list(platform, actor, &workspace, &filter, &before, limit + 1).await?;
    let now_ms = platform.now_ms();
    let show = |session: &Session| show_record(session, now_ms);
    Ok(cursor::page(&list, found, limit, |session| session.id.clone(), show))
}

/// `POST /sessions/{id}/refresh`: the session goes on with a new access token.
pub async fn refresh<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "session")?;
    let (session, token) = sessions::refresh(platform, call.caller.machine()?, &id).await?;
    Ok(Reply::ok(&show_with_token(&session, &token, platform.now_ms()).into()))
}

/// `DELETE /sessions/{id}`: the session is over at once.
pub async fn revoke<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "session")?;
    sessions::revoke(platform, call.caller.machine()?, &id).await?;
    Ok(Reply::ok(&json!({"revoked": true})))
}
