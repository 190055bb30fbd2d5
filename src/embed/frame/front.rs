//! The way into the embed: who is let in, and how answers go out.
//!
//! A request is let in by the cookie of the session that its path names. A form must come from the
//! embed itself: its `Origin` is compared, `Sec-Fetch-Site` where the browser sends it, and a word
//! that only the session's own pages carry. Every answer forbids inline script and says who may
//! frame it. Errors become pages here.

use crate::embed::frame::security::{framed_by_anyone, home, secured};
use http::Method;
use maud::html;

use crate::app::rate_limits::count;
use crate::app::sessions::{self, Closed};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::tenants::session::{Denied, Need, Session};
use crate::domain::tenants::session_token::{Token, TokenKind};
use crate::embed::frame::layout::{self, Shell};
use crate::embed::text::{self, Texts};
use crate::http::access::{Access, Caller, EmbedSession};
use crate::http::{Call, Reply, Request, problem, strangers};
use crate::ports::{Limited, Platform};
use crate::store::organizations;

/// Name of the cookie.
const COOKIE: &str = "posthorn";

/// An answer, and the error behind it if there is one, for the log.
pub struct Answered {
    /// The answer.
    pub reply: Reply,
    /// What went wrong.
    pub error: Option<Error>,
}

/// Checks a request for a row of the embed; the caller it is from.
///
/// # Errors
/// The answer to who is not let in.
pub async fn admit<P: Platform>(
    platform: &P,
    access: Access,
    request: &Request,
    session_id: &str,
) -> std::result::Result<Caller, Box<Answered>> {
    if request.method != Method::GET {
        check_origin(request).map_err(|error| refused(request, None, error))?;
    }
    let need = match access {
        Access::SessionToken => {
            if let Some(cookie) = cookie(request, session_id) {
                let counting = count(platform, Limited::Session, &cookie.session);
                counting.check(platform).await.map_err(|error| refused(request, None, error))?;
            }
            return Ok(Caller::Anyone);
        }
        Access::Poll => {
            let absent = || Answered { reply: closed(request, None), error: None };
            let cookie = cookie(request, session_id);
            return cookie.map(Caller::Visitor).ok_or_else(|| Box::new(absent()));
        }
        Access::Overview => Need::Overview,
        Access::View => Need::View,
        Access::ViewAll => Need::ViewAll,
        Access::Act => Need::Act,
        Access::Test => Need::Test,
        Access::Replay => Need::Replay,
        Access::ManageRules => Need::ManageRules,
        _ => Need::Manage,
    };
    let opened = match cookie(request, session_id) {
        Some(cookie) => {
            let counting = count(platform, Limited::Session, &cookie.session);
            match sessions::open(platform, &cookie).await {
                Ok(session) => {
                    let checked = counting.check(platform).await;
                    checked.map(|()| (session, cookie)).map_err(Closed::Failed)
                }
                Err(why) => Err(why),
            }
        }
        None => Err(Closed::Unknown),
    };
    let (session, cookie) = match opened {
        Ok(opened) => opened,
        Err(Closed::Unknown) => {
            return Err(Box::new(unknown(platform, request, session_id).await));
        }
        Err(why) => return Err(Box::new(not_open(request, why))),
    };
    let visit = EmbedSession {
        session,
        csrf_token: cookie.csrf_token(),
        notice: platform.settings().notice.clone(),
    };
    if request.method != Method::GET && !matches!(need, Need::Overview | Need::View) {
        let organization = &visit.session.organization;
        match organizations::is_suspended(platform.control(), organization).await {
            Ok(false) => {}
            Ok(true) => {
                let error = Error::new(Kind::Forbidden, text::of(&visit).suspended);
                return Err(refused(request, Some(&visit), error));
            }
            Err(error) => return Err(refused(request, Some(&visit), error)),
        }
    }
    match visit.session.may(need) {
        Ok(()) => Ok(Caller::EmbedSession(Box::new(visit))),
        Err(denied) => Err(refused(request, Some(&visit), forbidden(text::of(&visit), denied))),
    }
}

fn refused(request: &Request, visit: Option<&EmbedSession>, error: Error) -> Box<Answered> {
    Box::new(failed(request, visit, error))
}

/// The error of who may not do something.
fn forbidden(t: &Texts, denied: Denied) -> Error {
    match denied {
        Denied::OutOfReach => Error::not_found("page"),
        _ => Error::new(Kind::Forbidden, (t.denied)(denied)),
    }
}

/// Forms come from the embed's own pages.
fn check_origin(request: &Request) -> Result<()> {
    let own = request.header("origin") == Some(request.origin.as_str());
    let site = request.header("sec-fetch-site");
    if own && site.is_none_or(|site| site == "same-origin") {
        return Ok(());
    }
    Err(Error::new(Kind::Forbidden, text::of_request(request).foreign_form))
}

/// Checks the word in a form of the session; to be called once its body was read.
///
/// # Errors
/// `Forbidden` when it is not the session's.
pub fn check_form(call: &Call) -> Result<()> {
    let Caller::EmbedSession(visit) = &call.caller else { return Ok(()) };
    if call.request.method == Method::GET {
        return Ok(());
    }
    let word = call.form()?.get("csrf_token").to_owned();
    let same = subtle::ConstantTimeEq::ct_eq(word.as_bytes(), visit.csrf_token.as_bytes());
    match bool::from(same) {
        true => Ok(()),
        false => Err(Error::new(Kind::Forbidden, text::of(visit).foreign_form)),
    }
}

/// The cookie of this session, if the request has one.
pub fn cookie(request: &Request, session_id: &str) -> Option<Token> {
    let header = request.header("cookie")?;
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut tokens = pairs
        .filter(|(name, _)| *name == COOKIE)
        .filter_map(|(_, value)| Token::parse(TokenKind::Cookie, value));
    tokens.find(|token| token.session == session_id)
}

/// The header that sets a session's cookie, for as long as the session lives.
pub fn set_cookie(session: &Session, cookie: &Token, now_ms: i64) -> String {
    let (value, path) = (cookie.expose(), home(&session.id));
    let seconds = (session.expires_at_ms - now_ms).max(0) / 1_000;
    format!(
        "{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; Secure; SameSite=None; \
         Partitioned"
    )
}

/// The answer to who has no session, counted by address. Who has not even a cookie was counted
/// before anything else was looked up.
pub async fn unknown<P: Platform>(platform: &P, request: &Request, session_id: &str) -> Answered {
    if cookie(request, session_id).is_some()
        && let Err(error) = strangers::check(platform, strangers::address(request)).await
    {
        return failed(request, None, error);
    }
    Answered { reply: closed(request, None), error: None }
}

/// The page of a session that is not open.
pub fn not_open(request: &Request, why: Closed) -> Answered {
    match why {
        Closed::Unknown => Answered { reply: closed(request, None), error: None },
        Closed::Over(session) => Answered { reply: closed(request, Some(&session)), error: None },
        Closed::Foreign(origin) => {
            Answered { reply: foreign_frame(text::of_request(request), &origin), error: None }
        }
        Closed::Failed(error) => failed(request, None, error),
    }
}

/// The page that says that a session is over, and asks the product's page to renew it.
fn closed(request: &Request, session: Option<&Session>) -> Reply {
    let t = session.map_or_else(|| text::of_request(request), text::of_session);
    let body = html! {
        div.notice role="alert" {
            h1 { (t.closed_title) }
            p { (t.closed_body) }
        }
    };
    let status = problem::status(Kind::Unauthenticated);
    let shell =
        Shell { t, title: t.closed_title, session, is_closed: true, request: Some(request) };
    let reply = layout::bare(status, &shell, &body);
    match session {
        Some(session) => secured(reply, Some(session)),
        // A browser that refuses the cookie still has to be able to show why nothing opens.
        None => framed_by_anyone(reply),
    }
}

/// The page in a frame of a page whose origin may not show the session: it may be shown anywhere,
/// has nothing of the session in it, and says which origin to allow.
fn foreign_frame(t: &Texts, origin: &str) -> Reply {
    let named = if origin.is_empty() { t.foreign.this_origin } else { origin };
    let body = html! {
        div.notice role="alert" data-refused=(origin) {
            h1 { (t.foreign.title) }
            p { ((t.foreign.body)(named)) }
            p { (t.foreign.how_to_allow) }
        }
    };
    let shell = Shell { t, title: t.foreign.title, session: None, is_closed: false, request: None };
    let status = problem::status(Kind::Forbidden);
    framed_by_anyone(layout::bare(status, &shell, &body))
}

/// The page at a path that there is not, with the way home where there is a session.
pub async fn no_such_page<P: Platform>(platform: &P, request: &Request) -> Reply {
    let mut parts = request.path.split('/').filter(|part| !part.is_empty()).skip(1);
    let session = parts.next().filter(|part| *part == "s").and_then(|_| parts.next());
    let admitted = match session {
        Some(id) => admit(platform, Access::Overview, request, id).await,
        None => Ok(Caller::Anyone),
    };
    match admitted {
        Ok(caller) => failed(request, caller.visit().ok(), Error::not_found("page")).reply,
        Err(answered) => answered.reply,
    }
}

/// The page of an error, with the way back where there is a session.
pub fn failed(request: &Request, visit: Option<&EmbedSession>, error: Error) -> Answered {
    let t = visit.map_or_else(|| text::of_request(request), text::of);
    let body = html! {
        div.notice role="alert" {
            h1 { ((t.failed_title)(error.kind)) }
            p { ((t.failed_message)(error.kind, &error.message)) }
        }
    };
    let status = problem::status(error.kind);
    let reply = match visit {
        Some(visit) => layout::inside(status, visit, (t.failed_title)(error.kind), &body),
        None => {
            let title = (t.failed_title)(error.kind);
            let shell = Shell { t, title, session: None, is_closed: false, request: None };
            layout::bare(status, &shell, &body)
        }
    };
    let reply = match problem::retry_after_s(&error) {
        Some(seconds) => reply.with_header("retry-after", &seconds.to_string()),
        None => reply,
    };
    let reply = secured(reply, visit.map(|visit| &visit.session));
    Answered { reply, error: Some(error) }
}
