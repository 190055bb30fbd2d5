//! `/machine-keys`: the keys of the caller's organization.

use serde_json::{Value, json};

use crate::app::machine_keys;
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::organization::label;
use crate::http::{Call, Reply, cursor, without_nulls};
use crate::ports::Platform;
use crate::store::machine_keys::{MachineKey, list as stored};

fn show(key: &MachineKey) -> Value {
    without_nulls(json!({
        "access_key": key.access_key,
        "name": key.name,
        "created_by": key.created_by,
        "created_at": rfc3339(key.created_at_ms),
    }))
}

/// `GET /machine-keys`: those that are not revoked, oldest first, without their secrets.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    let scope = &call.caller.machine()?.scope;
    let list = cursor::list_of("machine-keys", scope);
    let after: Option<(i64, String)> = cursor::read(call, &list)?;
    let (at_ms, access_key) = after.unwrap_or_default();
    let after = (at_ms, access_key.as_str());
    let found = stored(platform.control(), &scope.organization, after, limit + 1).await?;
    let position = |key: &MachineKey| (key.created_at_ms, key.access_key.clone());
    Ok(cursor::page(&list, found, limit, position, show))
}

/// `POST /machine-keys`: the secret is shown in this answer only.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.optional_body()?)?;
    let name = fields.checked_text("name", label);
    fields.finish()?;
    let (key, secret) = machine_keys::create(platform, call.caller.machine()?, name).await?;
    let mut shown = show(&key);
    shown["secret_key"] = json!(secret.expose());
    Ok(Reply::created(&json!({"machine_key": shown})))
}

/// `DELETE /machine-keys/{access_key}`: its tokens are refused from now on.
pub async fn revoke<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let access_key = call.param("access_key");
    machine_keys::revoke(platform, call.caller.machine()?, access_key).await?;
    Ok(Reply::ok(&json!({"access_key": access_key})))
}
