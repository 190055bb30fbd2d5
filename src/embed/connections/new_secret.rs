//! A signing secret that was just set.

use crate::app::connections::Saved;
use crate::embed::frame::parts;
use crate::embed::text;
use maud::{Markup, html};

/// What the answer that set a secret shows of it, and never another one. `after` is the page that
/// takes this one's place on reload.
pub fn fresh_secret(saved: &Saved, after: &str) -> Markup {
    html! {
        @if let Some(secret) = &saved.shown_secret {
            section.secret data-replace=(after) {
                h2 { (text::YOUR_SECRET) }
                (parts::copyable("secret", secret.expose()))
                p { (text::SECRET_ONCE) }
            }
        }
        @for warning in &saved.warnings { div.notice { p { (warning) } } }
        @if let Some(advice) = &saved.advice {
            @if let Some(equivalent) = &advice.equivalent_whsec {
                section.secret data-replace=(after) {
                    h2 { (text::EQUIVALENT_SECRET) }
                    (parts::copyable("secret", equivalent))
                    p { (text::EQUIVALENT_SECRET_WHY) }
                }
            }
            @if advice.short { div.notice { p { (text::SHORT_SECRET) } } }
        }
    }
}
