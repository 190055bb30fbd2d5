//! `/integrations`, and what a connection says of its own: actions, fields and mappings. There is
//! one integration, the webhook: it has one action, and sends the payload as it is.

use serde_json::{Value, json};

use crate::app::rules::SEND_WEBHOOK;
use crate::destinations::WEBHOOK;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::ids::name_id;
use crate::domain::base::time::rfc3339;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{Connection, find};

/// Version of the lists of fields; it changes when what an integration can be sent does.
pub const CATALOG_VERSION: &str = "1";

fn send_webhook() -> Value {
    json!({
        "key": SEND_WEBHOOK,
        "name": "Send webhook",
        "description": "Sends the event's payload to the connection's URL, signed",
        "fields": [],
    })
}

fn webhook() -> Value {
    let url = json!({"key": "url", "type": "text", "required": true,
        "helpText": "Where events are sent: an https URL"});
    let secret = json!({"key": "signing_secret", "type": "password", "required": false,
        "helpText": "What requests are signed with. Left out, one is generated"});
    json!({
        "name": "Webhook",
        "type": WEBHOOK,
        "authentication": {"type": WEBHOOK, "fields": [url, secret]},
        "actions": [send_webhook()],
    })
}

/// `GET /integrations`.
pub async fn list<P: Platform>(_: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    // All of them are one page, so no cursor is one of this list.
    cursor::read::<()>(call, "integrations")?;
    Ok(cursor::page_to("integrations", vec![webhook()], limit, None::<&()>))
}

async fn connection<P: Platform>(platform: &P, call: &Call) -> Result<Connection> {
    let id = call.id("id", "connection")?;
    find(platform.control(), &call.caller.machine()?.scope, &id).await
}

/// `GET /connections/{id}/actions`.
pub async fn actions<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    let actions = [send_webhook()];
    Ok(Reply::ok(&json!({"id": its.id, "type": its.kind, "actions": actions})))
}

/// `GET /connections/{id}/fields`: a webhook has none that a payload could be mapped to.
pub async fn fields<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    let created_at = rfc3339(its.created_at_ms);
    Ok(Reply::ok(&json!({
        "id": name_id(&its.id, "fields", &its.kind),
        "workspace_id": its.workspace,
        "connection_id": its.id,
        "integration_type": its.kind,
        "catalog_version": CATALOG_VERSION,
        "refreshed_at": created_at,
        "created_by": its.created_by,
        "created_at": created_at,
        "updated_at": rfc3339(its.updated_at_ms),
        "fields": [],
    })))
}

/// `GET /connections/{id}/mappings/default`: a webhook has none.
pub async fn mapping<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    connection(platform, call).await?;
    Err(Error::not_found("default mapping: a webhook sends the payload as it is"))
}

/// `PUT /connections/{id}/mappings/default`: a webhook takes none.
pub async fn put_mapping<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    connection(platform, call).await?;
    Fields::parse(call.body()?)?;
    let msg = "is for integrations with fields; a webhook sends the payload as it is";
    Err(Error::field("schema", msg).of_kind(Kind::Refused))
}
