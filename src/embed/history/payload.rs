//! A payload on a page.

use crate::embed::frame::parts;
use crate::embed::text;
use crate::http::access::EmbedSession;
use maud::{Markup, PreEscaped, html};

/// A payload, or what may be told of it to who may not read it.
pub fn payload(visit: &EmbedSession, payload: &str) -> Markup {
    match visit.session.may_read_payloads() {
        Ok(()) => parts::copyable("payload", payload),
        Err(denied) => html! {
            p { (text::payload_facts(payload.len())) " " code { (sha256(payload)) } }
            p.hint { (text::denied(denied)) }
        },
    }
}

fn sha256(text: &str) -> PreEscaped<String> {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text);
    PreEscaped(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
