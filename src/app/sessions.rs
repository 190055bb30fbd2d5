//! Sessions of the embed: the product creates, lists, refreshes and revokes them; the embed
//! launches and opens them.

use serde_json::json;

use crate::app::changes::of_staff;
use crate::app::common::{history_db, new_event_id};
use crate::app::events::home_of;
use crate::app::keys::created_by;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{CLEARED_SESSIONS, ENDED_STEPS};
use crate::domain::base::time::{DAY_MS, HOUR_MS};
use crate::domain::tenants::actor::{Actor, Resource};
use crate::domain::tenants::change::AuthorKind;
use crate::domain::tenants::look::{Look, Theme};
use crate::domain::tenants::session::{LaunchPage, Role, Session, SessionType};
use crate::domain::tenants::session_token::{Token, TokenKind};
use crate::ports::{Platform, PortError};
use crate::store::sessions::{self, Filter, Stored};
use crate::store::{changes, machine_keys, organizations, workspaces};

/// A session to be created.
pub struct NewSession {
    /// Workspace.
    pub workspace: String,
    /// What the person may do.
    pub role: Role,
    /// What it shows.
    pub session_type: SessionType,
    /// The resource it is limited to.
    pub resource: Option<Resource>,
    /// Who the person is in the product's own words.
    pub external_user_id: Option<String>,
    /// Whether payloads may be read.
    pub reads_payloads: bool,
    /// Origins that may show it; the organization's own when left out.
    pub allowed_origins: Option<Vec<String>>,
    /// Where it begins.
    pub launch_page: LaunchPage,
    /// The page below it on which its launch begins instead, checked.
    pub path: Option<String>,
    /// How long it lives.
    pub ttl_ms: i64,
    /// How long it can be launched.
    pub launch_ttl_ms: i64,
}

/// A session that was just created.
#[derive(Debug)]
pub struct Created {
    /// The session.
    pub session: Session,
    /// For the product's page.
    pub access_token: Token,
    /// For the launch URL.
    pub launch_token: Token,
    /// Until when it can be launched.
    pub launch_expires_at_ms: i64,
}

/// Creates a session.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn create<P: Platform>(platform: &P, actor: &Actor, new: NewSession) -> Result<Created> {
    let control = platform.control();
    let workspace = workspaces::find(control, &actor.scope, &new.workspace).await?;
    let allowed_origins = match new.allowed_origins {
        Some(origins) => origins,
        None => organizations::find(control, &actor.scope.organization).await?.allowed_origins,
    };
    let now_ms = platform.now_ms();
    let id = new_event_id(platform, workspace.number);
    let token = |kind| Token::new(kind, workspace.shard, &id, platform.bytes());
    let (access_token, launch_token) = (token(TokenKind::Access), token(TokenKind::Launch));
    let session = Session {
        shard: workspace.shard,
        organization: actor.scope.organization.clone(),
        workspace: workspace.id,
        workspace_name: workspace.name,
        environment: workspace.environment,
        role: new.role,
        session_type: new.session_type,
        resource: new.resource,
        external_user_id: new.external_user_id,
        reads_payloads: new.reads_payloads,
        allowed_origins,
        launch_page: new.launch_page,
        path: new.path,
        look: Look::plain(),
        ttl_ms: new.ttl_ms,
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        launched_at_ms: None,
        expires_at_ms: now_ms + new.ttl_ms,
        revoked_at_ms: None,
        id,
    };
    let launch_expires_at_ms = now_ms + new.launch_ttl_ms;
    let launch = (launch_token.hash(), launch_expires_at_ms);
    let log = history_db(platform, workspace.shard)?;
    let author = session.actor().author;
    if author.kind == AuthorKind::Staff {
        changes::record(control, &of_staff(platform, author, &session)).await?;
    }
    sessions::insert(log, &session, (&launch.0, launch.1), &access_token.hash()).await?;
    Ok(Created { session, access_token, launch_token, launch_expires_at_ms })
}

/// The newest sessions of a workspace before the id `before`.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    workspace: &str,
    filter: &Filter,
    before: &str,
    limit: usize,
) -> Result<Vec<Session>> {
    let found = workspaces::find(platform.control(), &actor.scope, workspace).await?;
    let log = history_db(platform, found.shard)?;
    sessions::list(log, workspace, filter, before, platform.now_ms(), limit).await
}

/// Gives a session a new access token, and its whole life again from now on.
///
/// # Errors
/// `NotFound` when the actor has no such session; `Conflict` when it is over.
pub async fn refresh<P: Platform>(
    platform: &P,
    actor: &Actor,
    session: &str,
) -> Result<(Session, Token)> {
    let home = home_of(platform, actor, session, "session").await?;
    let log = history_db(platform, home.shard)?;
    let token = Token::new(TokenKind::Access, home.shard, session, platform.bytes());
    let now_ms = platform.now_ms();
    let refreshed = sessions::refresh(log, &home.workspace, session, &token.hash(), now_ms).await?;
    if let Some(session) = refreshed {
        return Ok((session, token));
    }
    let known = sessions::find(session).run(log).await?;
    match known.filter(|known| known.session.workspace == home.workspace) {
        None => Err(Error::not_found("session")),
        Some(known) => {
            let status = known.session.status(now_ms);
            let msg = format!("The session is {status} and cannot be refreshed; create another");
            Err(Error::new(Kind::Conflict, msg))
        }
    }
}

/// Ends a session at once.
///
/// # Errors
/// `NotFound` when the actor has no such session.
pub async fn revoke<P: Platform>(platform: &P, actor: &Actor, session: &str) -> Result<()> {
    let home = home_of(platform, actor, session, "session").await?;
    let log = history_db(platform, home.shard)?;
    sessions::revoke(log, &home.workspace, session, platform.now_ms()).await
}

/// Why a token opens no session.
#[derive(Debug)]
pub enum Closed {
    /// There is no such session, or the token is another's.
    Unknown,
    /// It is over, or its launch token was used or came too late.
    Over(Box<Session>),
    /// It may not be shown in a frame of this page's origin, which is empty where it is unknown.
    Foreign(String),
    /// It could not be looked up.
    Failed(Error),
}

impl From<Error> for Closed {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The shard that a token names. It may name any, so one that is not there is no fault of ours.
fn shard<'a, P: Platform>(
    platform: &'a P,
    token: &Token,
) -> std::result::Result<&'a P::Database, Closed> {
    platform.history_db(token.shard).map_err(|PortError(_)| Closed::Unknown)
}

/// Exchanges a launch token for a cookie. `frame` is the origin of the page whose frame shows it.
///
/// # Errors
/// See [`Closed`].
pub async fn launch<P: Platform>(
    platform: &P,
    token: &Token,
    look: &Look,
    frame: Option<&str>,
) -> std::result::Result<(Session, Token), Closed> {
    let log = shard(platform, token)?;
    let id = &token.session;
    let cookie = Token::new(TokenKind::Cookie, token.shard, id, platform.bytes());
    let now_ms = platform.now_ms();
    let (launch, own) = (token.hash(), cookie.hash());
    let launched = sessions::launch(log, id, &launch, &own, look, frame, now_ms).await?;
    match launched {
        Some(session) => Ok((session, cookie)),
        None => Err(match sessions::find(id).run(log).await? {
            Some(Stored { session, .. }) => match frame {
                Some(origin) if !session.may_be_framed_by(origin) => {
                    Closed::Foreign(origin.to_owned())
                }
                _ => Closed::Over(Box::new(session)),
            },
            None => Closed::Unknown,
        }),
    }
}

/// The session that a cookie opens.
///
/// # Errors
/// See [`Closed`].
pub async fn open<P: Platform>(
    platform: &P,
    cookie: &Token,
) -> std::result::Result<Session, Closed> {
    let found = sessions::find(&cookie.session).run(shard(platform, cookie)?).await?;
    opened(found, cookie, platform.now_ms())
}

/// For so long after a machine key was revoked it is made sure that its sessions have ended.
const ENDED_AFTER_MS: i64 = HOUR_MS;

/// Ends the sessions of a machine key that was revoked, on all shards. What is left for whatever
/// reason is ended by the upkeep.
pub async fn end_of_key<P: Platform>(platform: &P, access_key: &str) {
    let keys = [created_by(access_key)];
    for shard in 0..platform.settings().log_shards {
        if let Err(error) = end_of_keys(platform, shard, &keys).await {
            let error = error.to_string();
            platform.log_event(&json!({"at": "revoke_key", "shard": shard, "error": error}));
        }
    }
}

async fn end_of_keys<P: Platform>(platform: &P, shard: u16, keys: &[String]) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let log = history_db(platform, shard)?;
    for _ in 0..ENDED_STEPS {
        let ended = sessions::revoke_of(log, keys, platform.now_ms()).await?;
        if ended < CLEARED_SESSIONS {
            break;
        }
    }
    Ok(())
}

/// How long a session is kept that is over.
const KEPT_MS: i64 = 7 * DAY_MS;

/// Ends those of a shard that were made by a machine key which was revoked, and forgets those that
/// are long over; a bounded number of each.
///
/// # Errors
/// When CONTROL or the shard does not answer.
pub async fn forget_old<P: Platform>(platform: &P, shard: u16) -> Result<()> {
    // A session that was being made while its key was revoked is found here.
    let since_ms = platform.now_ms() - ENDED_AFTER_MS;
    let keys = machine_keys::revoked_since(platform.control(), since_ms).await?;
    let keys: Vec<String> = keys.iter().map(|key| created_by(key)).collect();
    end_of_keys(platform, shard, &keys).await?;
    let over_before_ms = platform.now_ms() - KEPT_MS;
    // Ids begin with the time, so those of old sessions are a range.
    let created_before = ids::event_id(over_before_ms, [0; 8], 0, 0);
    sessions::forget(history_db(platform, shard)?, &created_before, over_before_ms).await
}

/// The session that was found, if the cookie is its own and it goes on.
///
/// # Errors
/// See [`Closed`].
pub fn opened(
    found: Option<Stored>,
    cookie: &Token,
    now_ms: i64,
) -> std::result::Result<Session, Closed> {
    match found {
        Some(Stored { session, cookie_hash, .. }) if cookie.has_hash(cookie_hash.as_deref()) => {
            if session.is_live(now_ms) {
                Ok(session)
            } else {
                Err(Closed::Over(Box::new(session)))
            }
        }
        _ => Err(Closed::Unknown),
    }
}

/// Renews the cookie of the session that an access token opens. The cookie in use, if it is still
/// the session's, stays what it is, so that what is under way with it goes on.
///
/// # Errors
/// See [`Closed`].
pub async fn renew<P: Platform>(
    platform: &P,
    access: &Token,
    in_use: Option<Token>,
) -> std::result::Result<(Session, Token), Closed> {
    let log = shard(platform, access)?;
    let Some(stored) = sessions::find(&access.session).run(log).await? else {
        return Err(Closed::Unknown);
    };
    let Stored { session, access_hash, cookie_hash } = stored;
    if !access.has_hash(Some(&access_hash)) {
        return Err(Closed::Unknown);
    }
    let now_ms = platform.now_ms();
    if !session.is_live(now_ms) {
        return Err(Closed::Over(Box::new(session)));
    }
    if let Some(cookie) = in_use.filter(|cookie| cookie.has_hash(cookie_hash.as_deref())) {
        return Ok((session, cookie));
    }
    let cookie = Token::new(TokenKind::Cookie, session.shard, &session.id, platform.bytes());
    sessions::set_cookie(log, &session.workspace, &session.id, &cookie.hash(), now_ms).await?;
    Ok((session, cookie))
}

/// Sets the colours of a session's pages.
///
/// # Errors
/// When the shard does not answer.
pub async fn set_theme<P: Platform>(platform: &P, session: &Session, theme: Theme) -> Result<()> {
    let log = history_db(platform, session.shard)?;
    sessions::set_theme(log, &session.workspace, &session.id, theme).await
}
