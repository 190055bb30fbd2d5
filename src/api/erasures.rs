//! Erasing: `DELETE /events/{id}/payload` and `/workspaces/{id}/erasures`.

use serde_json::{Value, json};

use crate::app::erasures::{self, What};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::workspace::check_external_id;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::erasures::Erasure;

fn show(erasure: &Erasure) -> Value {
    let mut shown = json!({
        "id": erasure.id,
        "status": if erasure.completed_at_ms.is_some() { "done" } else { "running" },
        "events": erasure.events,
        "created_at": rfc3339(erasure.created_at_ms),
    });
    if let Some(at_ms) = erasure.completed_at_ms {
        shown["completed_at"] = json!(rfc3339(at_ms));
    }
    shown
}

/// `DELETE /events/{id}/payload`: the same again says when it was erased.
pub async fn payload<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "event")?;
    let erased_at_ms = erasures::payload(platform, call.caller.machine()?, &id).await?;
    Ok(Reply::ok(&json!({"id": id, "erased_at": rfc3339(erased_at_ms)})))
}

/// `POST /workspaces/{id}/erasures`: all about one resource, or a person's id.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (id, actor) = (call.id("id", "workspace")?, call.caller.machine()?);
    let mut fields = Fields::parse(call.body()?)?;
    let person = fields.checked_text("external_user_id", check_external_id);
    let (resource, resource_id) = (fields.text("resource"), fields.text("resource_id"));
    fields.finish()?;
    let what = match (person, resource, resource_id) {
        (None, Some(resource), Some(resource_id)) => What::Resource(resource, resource_id),
        (Some(person), None, None) => What::Person(person),
        _ => {
            let msg = "Name resource and resource_id, or external_user_id alone";
            return Err(Error::invalid(msg));
        }
    };
    let erasure = erasures::create(platform, actor, &id, what).await?;
    Ok(Reply::created(&json!({"erasure": show(&erasure)})))
}

/// `GET /workspaces/{id}/erasures/{erasure}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (workspace, id) = (call.id("id", "workspace")?, call.id("erasure", "erasure")?);
    let found = erasures::find(platform, call.caller.machine()?, &workspace, &id).await?;
    Ok(Reply::ok(&json!({"erasure": show(&found)})))
}
