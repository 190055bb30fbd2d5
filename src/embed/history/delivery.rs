//! What a person can do about one delivery.

use crate::app::{cancel, retry};
use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::embed::frame::layout::path;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// The field of the button on a list that leads back to it.
pub const AFTER: &str = "after";

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/retry`.
pub async fn retry<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    retry::retry(platform, &visit.session.actor(), &event, &rule).await?;
    let form = call.form()?;
    let after = match (form.get(AFTER), ids::parse_uuid(form.get("connection"))) {
        ("failed", None) => "failed?done=retried".to_owned(),
        ("failed", Some(connection)) => format!("failed?connection={connection}&done=retried"),
        _ => format!("events/{event}?done=retried"),
    };
    Ok(Reply::see_other(&path(visit, &after)))
}

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/cancel`.
pub async fn cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    cancel::delivery(platform, &visit.session.actor(), &event, &rule).await?;
    Ok(Reply::see_other(&path(visit, &format!("events/{event}?done=canceled"))))
}
