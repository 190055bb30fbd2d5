//! `POST /organizations`.

use serde_json::json;

use crate::app::organizations;
use crate::domain::error::Result;
use crate::domain::fields::Fields;
use crate::domain::organization::check_name;
use crate::domain::time::rfc3339;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `POST /organizations`: creates one with a first machine key, whose secret is shown this once.
pub async fn create<P: Platform>(platform: &P, call: Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let name = fields.required_checked_text("name", check_name);
    fields.finish()?;
    let created = organizations::create(platform, &name).await?;
    Ok(Reply::created(&json!({
        "organization": {
            "id": created.id,
            "name": name,
            "created_at": rfc3339(created.created_at_ms),
        },
        "machine_key": {
            "access_key": created.access_key,
            "secret_key": created.secret_key.expose(),
        },
    })))
}
