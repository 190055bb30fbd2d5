//! `POST /organizations` for the operator, and `/organization`, the caller's own.

use serde_json::{Value, json};

use crate::app::organizations;
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::organization::check_name;
use crate::domain::tenants::origins::check_origins;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::organizations::{self as stored, Organization};

/// `POST /organizations`: creates one with a first machine key, whose secret is shown this once.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
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

fn show(organization: &Organization) -> Value {
    json!({
        "id": organization.id,
        "name": organization.name,
        "allowed_origins": organization.allowed_origins,
        "secrets_in_embed_only": organization.secrets_in_embed_only,
        "created_at": rfc3339(organization.created_at_ms),
    })
}

/// `GET /organization`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = &call.caller.machine()?.scope.organization;
    Ok(Reply::ok(&show(&stored::find(platform.control(), id).await?)))
}

/// `PATCH /organization`: what is left out is kept.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = &call.caller.machine()?.scope.organization;
    let mut fields = Fields::parse(call.body()?)?;
    let name = fields.checked_text("name", check_name);
    let allowed_origins = read_origins(&mut fields);
    let secrets_in_embed_only = fields.flag("secrets_in_embed_only");
    fields.finish()?;
    let mut organization = stored::find(platform.control(), id).await?;
    organization.name = name.unwrap_or(organization.name);
    organization.allowed_origins = allowed_origins.unwrap_or(organization.allowed_origins);
    organization.secrets_in_embed_only =
        secrets_in_embed_only.unwrap_or(organization.secrets_in_embed_only);
    stored::update(platform.control(), &organization).await?;
    Ok(Reply::ok(&show(&organization)))
}

/// The field `allowed_origins`, if it is there.
pub fn read_origins(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let origins: Vec<String> = fields.get("allowed_origins", "an array of strings")?;
    if let Err(msg) = check_origins(&origins) {
        fields.fail("allowed_origins", msg);
    }
    Some(origins)
}
