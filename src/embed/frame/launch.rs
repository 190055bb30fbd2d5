//! How a session begins and goes on: the launch token becomes a cookie, the access token renews it.

use serde_json::json;
use strum::VariantNames;
use url::{Origin, Url};

use crate::app::sessions::{self, Closed};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::tenants::look::{Look, Theme};
use crate::domain::tenants::session_path::check_path;
use crate::domain::tenants::session_token::{Token, TokenKind};
use crate::embed::frame::front::{self, not_open, set_cookie, unknown};
use crate::embed::frame::security::home;
use crate::embed::frame::security::secured;
use crate::embed::text;
use crate::http::{Call, Reply, Request, problem};
use crate::ports::Platform;

/// `GET /embed/s/{session}/launch`: works once. How the pages look, and which one is first, stands
/// in the query.
pub async fn launch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut look = Look::read(|name| call.request.query(name));
    look.tokens.locale = Some(text::of_request(&call.request).tag.to_owned());
    let frame = foreign_frame(&call.request);
    let launched = match token(call, TokenKind::Launch, call.request.query("token")) {
        Some(token) => sessions::launch(platform, &token, &look, frame.as_deref()).await,
        None => Err(Closed::Unknown),
    };
    match launched {
        Ok((session, cookie)) => {
            let asked = call.request.query("path").filter(|path| check_path(path).is_ok());
            let asked = asked.or_else(|| session.path.clone());
            let first = match asked {
                Some(path) => format!("{}{}", home(&session.id), path.trim_end_matches('/')),
                None => format!("{}/{}", home(&session.id), session.launch_page.as_str()),
            };
            let cookie = set_cookie(&session, &cookie, platform.now_ms());
            let reply = Reply::see_other(&first).with_header("set-cookie", &cookie);
            Ok(secured(reply, Some(&session)))
        }
        Err(why) => not_open_reply(platform, call, why).await,
    }
}

/// The origin of the page in whose frame a launch is shown, if that is not one of our own pages:
/// browsers say so themselves. It is empty where the page's origin is not told.
fn foreign_frame(request: &Request) -> Option<String> {
    let is_frame = request.header("sec-fetch-dest") == Some("iframe");
    let site = request.header("sec-fetch-site").filter(|site| *site != "same-origin");
    site.filter(|_| is_frame)?;
    let referer = request.header("referer").and_then(|referer| Url::parse(referer).ok());
    let origin = referer.map(|referer| referer.origin());
    Some(origin.filter(Origin::is_tuple).map_or_else(String::new, |o| o.ascii_serialization()))
}

/// `POST /embed/s/{session}/auth`: renews the cookie with an access token, for the script.
pub async fn auth<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let given = call.form()?.get("token").to_owned();
    let id = call.id("session", "session")?;
    let in_use = front::cookie(&call.request, &id);
    let renewed = match token(call, TokenKind::Access, Some(given)) {
        Some(token) => sessions::renew(platform, &token, in_use).await,
        None => Err(Closed::Unknown),
    };
    match renewed {
        Ok((session, cookie)) => {
            let header = set_cookie(&session, &cookie, platform.now_ms());
            let body = json!({"expires_at_ms": session.expires_at_ms});
            Ok(Reply::ok(&body).with_header("set-cookie", &header))
        }
        Err(Closed::Failed(error)) => Err(error),
        Err(why) => {
            if matches!(why, Closed::Unknown) {
                // Whoever was too often wrong gets that answer.
                let answered = unknown(platform, &call.request, &id).await;
                answered.error.map_or(Ok(()), Err)?;
            }
            let body = json!({"expires_at_ms": null});
            Ok(Reply::json(problem::status(Kind::Unauthenticated), &body))
        }
    }
}

/// The token, if it is one of the session in the path.
fn token(call: &Call, kind: TokenKind, text: Option<String>) -> Option<Token> {
    let token = Token::parse(kind, &text?)?;
    (token.session == call.param("session")).then_some(token)
}

async fn not_open_reply<P: Platform>(platform: &P, call: &Call, why: Closed) -> Result<Reply> {
    let answered = match why {
        Closed::Unknown => unknown(platform, &call.request, call.param("session")).await,
        why => not_open(&call.request, why),
    };
    answered.error.map_or(Ok(answered.reply), Err)
}

/// `GET /embed/s/{session}`: the first page.
pub async fn first<P: Platform>(_: &P, call: &Call) -> Result<Reply> {
    let session = &call.caller.visit()?.session;
    let first = format!("{}/{}", home(&session.id), session.launch_page.as_str());
    Ok(Reply::see_other(&first))
}

/// `POST /embed/s/{session}/theme`: the colours that the person chose.
pub async fn theme<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let session = &call.caller.visit()?.session;
    let word = call.form()?.get("theme").to_owned();
    let theme: Theme = word
        .parse()
        .map_err(|_| Error::field("theme", format!("must be one of {:?}", Theme::VARIANTS)))?;
    sessions::set_theme(platform, session, theme).await?;
    // Back to the page that was looked at; `Referer` is there because pages ask for it.
    let from = call.request.header("referer").and_then(|from| {
        let path = from.strip_prefix(call.request.origin.as_str())?;
        path.starts_with(&home(&session.id)).then_some(path)
    });
    let first = home(&session.id);
    Ok(Reply::see_other(from.unwrap_or(&first)))
}
