//! A signing secret that was just set.

use crate::app::connections::Saved;
use crate::embed::frame::parts;
use crate::embed::text::Texts;
use maud::{Markup, html};

/// What the answer that set a secret shows of it, and never another one. `after` is the page that
/// takes this one's place on reload.
pub fn fresh_secret(t: &Texts, saved: &Saved, after: &str) -> Markup {
    html! {
        @if let Some(secret) = &saved.shown_secret {
            section.secret data-replace=(after) {
                h2 { (t.your_secret) }
                (parts::copyable(t, "secret", secret.expose()))
                p { (t.secret_once) }
            }
        }
        @for warning in &saved.warnings { div.notice { p { ((t.said)(warning)) } } }
        @if let Some(advice) = &saved.advice {
            @if let Some(equivalent) = &advice.equivalent_whsec {
                section.secret data-replace=(after) {
                    h2 { (t.equivalent_secret) }
                    (parts::copyable(t, "secret", equivalent))
                    p { (t.equivalent_secret_why) }
                }
            }
            @if advice.short { div.notice { p { (t.short_secret) } } }
        }
    }
}
