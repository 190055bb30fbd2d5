//! The page with code that a customer copies to verify what a connection is sent.

use maud::{Markup, html};

use crate::domain::connection::signing::Signing;
use crate::embed::connections::verification::{Language, code};
use crate::embed::frame::layout::path;
use crate::embed::frame::parts;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::store::connections::Connection;

/// The page's body, in the language that was asked for.
pub fn body(
    visit: &EmbedSession,
    connection: &Connection,
    signing: &Signing,
    asked: Option<&str>,
) -> Markup {
    let t = text::of(visit);
    let language = asked.and_then(Language::parse).unwrap_or(Language::Node);
    let at = format!("connections/{}", connection.id);
    html! {
        p { a href=(path(visit, &at)) { "← " (connection.name) } }
        h1 { (t.verification) }
        p.hint { (t.code_hint) }
        nav.tabs aria-label=(t.connection.language) {
            @for one in Language::ALL {
                a href=(path(visit, &format!("{at}/verification?language={}", one.id())))
                    aria-current=[(one == language).then_some("page")] { (one.label()) }
            }
        }
        (parts::copyable(t, "code", &code(language, signing)))
    }
}
