//! What keeps a page safe in a frame: the path that its cookie is limited to, and its headers.

use crate::domain::tenants::session::Session;
use crate::http::Reply;

/// The path below which all of a session's pages are.
pub fn home(session_id: &str) -> String {
    format!("/embed/s/{session_id}")
}

/// The answer with the headers that every page of the embed carries.
pub fn secured(reply: Reply, session: Option<&Session>) -> Reply {
    let origins = session.map(|session| session.allowed_origins.join(" ")).unwrap_or_default();
    framed_by(reply, if origins.is_empty() { "'self'" } else { &origins })
}

/// The same for a page that shows nothing to anybody: which origins may frame a session is not for
/// those who only know its id.
pub fn secured_for_anyone(reply: Reply) -> Reply {
    framed_by(reply, "*")
}

fn framed_by(reply: Reply, ancestors: &str) -> Reply {
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
         img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    );
    reply
        .with_header("content-security-policy", &policy)
        .with_header("referrer-policy", "same-origin")
        .with_header("x-content-type-options", "nosniff")
        .with_header("cache-control", "no-store")
        .with_header("permissions-policy", "camera=(), microphone=(), geolocation=()")
}
