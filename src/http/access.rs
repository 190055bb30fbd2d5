//! Who may call a route. The rule stands on the route's row; this module turns credentials into a
//! caller and refuses the others.

use crate::app::emit::grant::Credential;
use crate::app::keys;
use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::api_key::is_publishable_key;
use crate::domain::tenants::session::Session;
use crate::domain::tenants::session_token::Token;
use crate::http::{Request, strangers};
use crate::ports::Platform;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// The operator of the installation.
    Admin,
    /// A publishable key or a machine token. The emit verifies it with the one read that it needs
    /// anyway.
    Emit,
    /// A machine token.
    Machine,
    /// A token of a session of the embed, which the handler checks.
    SessionToken,
    /// The cookie of a session, which the handler checks together with what it reads.
    Poll,
    /// The cookie of a session. The rules below ask for one too, and for a right.
    Overview,
    /// Who sees rules and events.
    View,
    /// Who sees all resources.
    ViewAll,
    /// Who may retry deliveries.
    Act,
    /// Who may send test events.
    Test,
    /// Who may replay ranges.
    Replay,
    /// Who may change rules.
    ManageRules,
    /// Who may change connections and their secrets.
    Manage,
}

impl Access {
    /// Whether the embed lets callers in and answers with pages.
    pub fn is_embed(self) -> bool {
        !matches!(self, Self::Public | Self::Admin | Self::Emit | Self::Machine)
    }
}

/// Somebody in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbedSession {
    /// The session.
    pub session: Session,
    /// The CSRF token of its forms.
    pub csrf_token: String,
    /// What the operator tells everybody.
    pub notice: Option<String>,
}

/// Who is calling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Nobody in particular.
    Anyone,
    /// The operator.
    Admin,
    /// Somebody who may emit if the credential holds.
    Emitter(Credential),
    /// An organization's machine key.
    Machine(Actor),
    /// Who holds a cookie that was not checked yet.
    Visitor(Token),
    /// Somebody in a session.
    EmbedSession(Box<EmbedSession>),
}

impl Caller {
    /// The organization's machine key behind the call.
    ///
    /// # Errors
    /// `Internal` on a route that takes other callers: the route table and the handler disagree.
    pub fn machine(&self) -> Result<&Actor> {
        match self {
            Self::Machine(machine) => Ok(machine),
            _ => Err(Error::internal("the route does not require a machine token")),
        }
    }

    /// Who is in a session.
    ///
    /// # Errors
    /// `Internal` on a route that takes other callers.
    pub fn visit(&self) -> Result<&EmbedSession> {
        match self {
            Self::EmbedSession(visit) => Ok(visit),
            _ => Err(Error::internal("the route does not require a session")),
        }
    }

    /// The cookie that was not checked yet.
    ///
    /// # Errors
    /// `Internal` on a route that takes other callers.
    pub fn visitor(&self) -> Result<&Token> {
        match self {
            Self::Visitor(cookie) => Ok(cookie),
            _ => Err(Error::internal("the route does not poll")),
        }
    }

    /// The credential of an emit.
    ///
    /// # Errors
    /// `Internal` on a route that takes other callers.
    pub fn emitter(&self) -> Result<&Credential> {
        match self {
            Self::Emitter(credential) => Ok(credential),
            _ => Err(Error::internal("the route does not require an emit credential")),
        }
    }
}

/// Header of publishable keys (the wire contract).
pub const PUBLISHABLE_KEY_HEADER: &str = "x-meshes-publishable-key";

/// The caller of a route with this access rule.
///
/// # Errors
/// `Unauthenticated` when the credentials are missing, of another kind, or not valid.
pub async fn authenticate<P: Platform>(
    platform: &P,
    access: Access,
    request: &Request,
) -> Result<Caller> {
    match access {
        Access::Public => Ok(Caller::Anyone),
        Access::Admin => {
            bearer(request).and_then(|token| keys::check_admin(platform, token))?;
            Ok(Caller::Admin)
        }
        Access::Machine => {
            Ok(Caller::Machine(keys::authenticate(platform, bearer(request)?).await?))
        }
        Access::Emit => emitter(request).map(Caller::Emitter),
        _ => Err(Error::internal("the embed lets its callers in itself")),
    }
}

/// Whether a call to a public route carries the operator's token. Who guesses it is counted.
///
/// # Errors
/// `RateLimited` when too many guesses come from the same address.
pub async fn is_operator<P: Platform>(platform: &P, request: &Request) -> Result<bool> {
    let Ok(token) = bearer(request) else { return Ok(false) };
    if keys::check_admin(platform, token).is_ok() {
        return Ok(true);
    }
    strangers::check(platform, strangers::address(request)).await.map(|()| false)
}

fn emitter(request: &Request) -> Result<Credential> {
    match request.header(PUBLISHABLE_KEY_HEADER) {
        Some(key) if is_publishable_key(key) => {
            let origin = request.header("origin").map(str::to_owned);
            Ok(Credential::Publishable(key.to_owned(), origin))
        }
        Some(_) => Err(Error::unauthenticated(
            "X-Meshes-Publishable-Key is not a publishable key, which begins with mesh_pub_",
        )),
        None => match bearer(request) {
            Ok(token) => keys::parse_token(token).map(Credential::Machine),
            Err(_) => Err(Error::unauthenticated(
                "Send X-Meshes-Publishable-Key, or a machine token as Authorization: Bearer",
            )),
        },
    }
}

fn bearer(request: &Request) -> Result<&str> {
    let header = request.header("authorization").unwrap_or_default();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Error::unauthenticated("Send a token as Authorization: Bearer")),
    }
}
