//! `/workspaces/{id}/publishable-key`: rotating and limiting it.

use serde_json::{Value, json};

use crate::app::publishable_keys;
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::key_limits::check_patterns;
use crate::domain::tenants::organization::label;
use crate::domain::tenants::origins::check_origins;
use crate::http::{Call, Reply, without_nulls};
use crate::ports::Platform;
use crate::store::publishable_keys::{Change, PublishableKey};

/// Longest grace, in seconds: 7 days.
pub const GRACE_S_MAX: i64 = 7 * 86_400;
/// Grace where a caller names none: a day.
pub const GRACE_S: i64 = 86_400;

/// A publishable key as answers show it.
pub fn show(key: &PublishableKey) -> Value {
    without_nulls(json!({
        "public_key": key.public_key,
        "name": key.name,
        "events": key.limits.events,
        "origins": key.limits.origins,
    }))
}

/// `POST /workspaces/{id}/publishable-key/rotate`: the former key is valid until its grace ends.
pub async fn rotate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.optional_body()?)?;
    let grace_s = fields.integer("grace_seconds").unwrap_or(GRACE_S);
    if !(0..=GRACE_S_MAX).contains(&grace_s) {
        fields.fail("grace_seconds", format!("must be 0 to {GRACE_S_MAX} seconds (7 days)"));
    }
    fields.finish()?;
    let actor = call.caller.machine()?;
    let (key, until_ms) = publishable_keys::rotate(platform, actor, &id, grace_s * 1_000).await?;
    let former = rfc3339(until_ms);
    Ok(Reply::ok(&json!({"publishable_key": show(&key), "former_valid_until": former})))
}

/// `PATCH /workspaces/{id}/publishable-key`: what is left out is kept, `null` takes a limit away.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.body()?)?;
    let is_some = |origins: &[String]| match origins.is_empty() {
        true => Err("must be 1 to 10 origins, or null for no limit".to_owned()),
        false => check_origins(origins),
    };
    let change = Change {
        name: fields.checked_text("name", label),
        events: limit(&mut fields, "events", check_patterns),
        origins: limit(&mut fields, "origins", is_some),
    };
    fields.finish()?;
    let key = publishable_keys::change(platform, call.caller.machine()?, &id, &change).await?;
    Ok(Reply::ok(&show(&key)))
}

/// The new value of a limit, if the field is there.
fn limit(
    fields: &mut Fields<'_>,
    name: &str,
    check: impl Fn(&[String]) -> std::result::Result<(), String>,
) -> Option<Option<Vec<String>>> {
    if !fields.has(name) {
        return None;
    }
    let texts: Option<Vec<String>> = fields.get(name, "an array of strings, or null");
    if let Some(Err(msg)) = texts.as_deref().map(check) {
        fields.fail(name, msg);
    }
    Some(texts)
}
