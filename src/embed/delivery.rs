//! What a person can do about one delivery.

use super::layout::path;
use crate::app::{cancel, retry};
use crate::domain::error::Result;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/retry`.
pub async fn retry<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    retry::retry(platform, &visit.session.actor(), &event, &rule).await?;
    Ok(Reply::see_other(&path(visit, &format!("events/{event}?done=retried"))))
}

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/cancel`.
pub async fn cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    cancel::delivery(platform, &visit.session.actor(), &event, &rule).await?;
    Ok(Reply::see_other(&path(visit, &format!("events/{event}?done=canceled"))))
}
