//! `/integrations`, and what a connection says of its own: actions, fields and mappings. There is
//! one integration, the webhook: it has one action, and sends the payload as it is.

use serde_json::Value;

use crate::app::rules::SEND_WEBHOOK;
use crate::destinations::WEBHOOK;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::json::json;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{Connection, find};

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

fn about(connection: &Connection, what: &str, all: Vec<Value>) -> Reply {
    Reply::ok(&json!({"id": connection.id, "type": connection.kind, what: all}))
}

/// `GET /connections/{id}/actions`.
pub async fn actions<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    Ok(about(&connection(platform, call).await?, "actions", vec![send_webhook()]))
}

/// `GET /connections/{id}/fields`: a webhook has none that a payload could be mapped to.
pub async fn fields<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    Ok(about(&connection(platform, call).await?, "fields", Vec::new()))
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
