//! A payload on a page.

use http::StatusCode;
use maud::{Markup, PreEscaped, html};

use crate::app::events;
use crate::domain::base::error::{Error, Kind, Result};
use crate::embed::common::home;
use crate::embed::frame::parts;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// The name of the file that a payload is saved as.
pub fn file_name(event: &str) -> String {
    format!("payload-{event}.json")
}

/// `GET /embed/s/{session}/events/{id}/payload`: the payload's exact text as a file.
pub async fn download<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let id = call.id("id", "event")?;
    let scope = visit.session.actor().scope;
    let whole = events::whole_at(platform, &home(visit), &scope, &id, None).await?;
    if let Err(denied) = visit.session.may_read_payloads() {
        return Err(Error::new(Kind::Forbidden, (t.denied)(denied)));
    }
    if whole.found.erased_at_ms.is_some() {
        return Err(Error::new(Kind::Gone, t.erased));
    }
    let disposition = format!("attachment; filename=\"{}\"", file_name(&id));
    Ok(Reply::html(StatusCode::OK, whole.payload)
        .with_header("content-type", "application/json")
        .with_header("content-disposition", &disposition)
        .with_header("cache-control", "no-store"))
}

/// A payload, or what may be told of it to who may not read it.
pub fn payload(visit: &EmbedSession, payload: &str) -> Markup {
    let t = text::of(visit);
    match visit.session.may_read_payloads() {
        Ok(()) => parts::body(t, "payload", payload),
        Err(denied) => html! {
            p { ((t.payload_facts)(payload.len())) " " code { (sha256(payload)) } }
            p.hint { ((t.denied)(denied)) }
        },
    }
}

fn sha256(text: &str) -> PreEscaped<String> {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(text);
    PreEscaped(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
