//! `/organizations` for the operator, and `/organization`, the caller's own.

use serde_json::{Value, json};

use crate::api::retention::{self, RetentionChange};
use crate::app::common::set;
use crate::app::organizations;
use crate::app::upkeep::deleted_organizations;
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
    let mut shown = json!({
        "id": organization.id,
        "name": organization.name,
        "allowed_origins": organization.allowed_origins,
        "secrets_in_embed_only": organization.secrets_in_embed_only,
        "suspended": organization.suspended_at_ms.is_some(),
        "created_at": rfc3339(organization.created_at_ms),
    });
    retention::show(&mut shown, organization.retention.resolve());
    if let Some(workspace) = &organization.operational_workspace {
        shown["operational_workspace"] = json!(workspace);
    }
    shown
}

/// `GET /organization`.
pub async fn get_own<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = &call.caller.machine()?.scope.organization;
    let found = stored::find(platform.control(), id).await?;
    Ok(Reply::versioned(&show(&found), &found.tag()))
}

/// `PATCH /organization`: what is left out is kept.
pub async fn patch_own<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = &call.caller.machine()?.scope.organization;
    change(platform, call, id, false).await
}

/// `GET /organizations/{id}`, for the operator.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "organization")?;
    let found = stored::find(platform.control(), &id).await?;
    Ok(Reply::versioned(&show(&found), &found.tag()))
}

/// `PATCH /organizations/{id}`, for the operator: what is left out is kept.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "organization")?;
    change(platform, call, &id, true).await
}

/// `DELETE /organizations/{id}`, for the operator.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "organization")?;
    deleted_organizations::delete(platform, &id, &call.expected()).await?;
    Ok(Reply::ok(&json!({"id": id})))
}

async fn change<P: Platform>(
    platform: &P,
    call: &Call,
    id: &str,
    by_operator: bool,
) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let name = fields.checked_text("name", check_name);
    let allowed_origins = read_origins(&mut fields);
    let secrets_in_embed_only = fields.flag("secrets_in_embed_only");
    let retention = RetentionChange::read(&mut fields);
    let suspended = if by_operator { fields.flag("suspended") } else { None };
    let names_workspace = by_operator && fields.has("operational_workspace");
    let workspace = if names_workspace { fields.uuid("operational_workspace") } else { None };
    fields.finish()?;
    if names_workspace {
        organizations::check_operational(platform, id, workspace.as_deref()).await?;
    }
    let now_ms = platform.now_ms();
    let edit = |organization: &mut Organization| {
        set(&mut organization.name, &name);
        set(&mut organization.allowed_origins, &allowed_origins);
        set(&mut organization.secrets_in_embed_only, &secrets_in_embed_only);
        organization.retention = retention.apply(organization.retention);
        match suspended {
            Some(true) => {
                let since_ms = organization.suspended_at_ms.unwrap_or(now_ms);
                organization.suspended_at_ms = Some(since_ms);
            }
            Some(false) => organization.suspended_at_ms = None,
            None => {}
        }
        if names_workspace {
            organization.operational_workspace.clone_from(&workspace);
        }
    };
    let changed = organizations::change(platform, id, &call.expected(), edit).await?;
    Ok(Reply::versioned(&show(&changed), &changed.tag()))
}

/// The field `allowed_origins`, if it is there.
pub fn read_origins(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let origins: Vec<String> = fields.get("allowed_origins", "an array of strings")?;
    if let Err(msg) = check_origins(&origins) {
        fields.fail("allowed_origins", msg);
    }
    Some(origins)
}
