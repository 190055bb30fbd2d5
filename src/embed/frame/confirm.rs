//! The page that asks before something is done that cannot be undone.

use maud::html;

use crate::embed::frame::layout::{Page, Section, csrf_token, page, path};
use crate::embed::text;
use crate::http::Reply;
use crate::http::access::EmbedSession;

/// What the page asks.
pub struct Question<'a> {
    /// Where it stands in the navigation.
    pub section: Section,
    /// The question, which is the page's title.
    pub title: &'a str,
    /// What will happen.
    pub consequence: &'a str,
    /// The button that does it.
    pub label: &'a str,
    /// Path below the session that the button posts to.
    pub action: &'a str,
    /// Hidden fields of the form.
    pub fields: &'a [(&'a str, &'a str)],
    /// Path below the session of the page to go back to.
    pub back: &'a str,
}

impl Question<'_> {
    /// The answer with the page.
    pub fn ask(&self, visit: &EmbedSession) -> Reply {
        let t = text::of(visit);
        let body = html! {
            h1 { (self.title) }
            p { (self.consequence) }
            form.sheet method="post" action=(path(visit, self.action)) {
                (csrf_token(visit))
                @for (name, value) in self.fields {
                    input type="hidden" name=(name) value=(value);
                }
                div.actions {
                    button.danger { (self.label) }
                    a.button.quiet href=(path(visit, self.back)) { (t.keep) }
                }
            }
        };
        page(visit, &Page::new(self.section, self.title), &body)
    }
}
