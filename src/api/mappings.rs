//! `/connections/{id}/fields` and `/connections/{id}/mappings/default`.

use serde_json::{Value, json};

use crate::app::connections::parts;
use crate::app::mapping::{self, Change};
use crate::destinations::model::PersonField;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::ids::name_id;
use crate::domain::base::time::rfc3339;
use crate::domain::routing::mapping::Schema;
use crate::domain::routing::mapping::schema::NAME_CHARS_MAX;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connections::{Connection, find};
use crate::store::mappings::Mapping;

/// Version of the lists of fields; it changes when what an integration can be sent does.
pub const CATALOG_VERSION: &str = "1";

async fn connection<P: Platform>(platform: &P, call: &Call) -> Result<Connection> {
    let id = call.id("id", "connection")?;
    find(platform.control(), &call.caller.machine()?.scope, &id).await
}

/// `GET /connections/{id}/fields`: the fields of persons that every account has.
pub async fn fields<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    let (destination, _) = parts(&its)?;
    let created_at = rfc3339(its.created_at_ms);
    let fields: Vec<Value> = destination.person().iter().map(show_field).collect();
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
        "fields": fields,
    })))
}

fn show_field(field: &PersonField) -> Value {
    let mut shown = json!({"key": field.key, "label": field.label, "type": "string"});
    if !field.format.is_empty() {
        shown["constraints"]["format"] = json!(field.format);
    }
    if field.is_required {
        shown["constraints"]["required"] = json!(true);
    }
    shown
}

/// `GET /connections/{id}/mappings/default`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    let stored = mapping::find(platform, &its).await?;
    show(&its, stored.as_ref())
}

/// `PUT /connections/{id}/mappings/default`.
pub async fn put<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    mapping::check(&its)?;
    let change = read(&its, call.body()?)?;
    let stored = mapping::put(platform, call.caller.machine()?, &its, &change).await?;
    show(&its, Some(&stored))
}

fn mapping_id(its: &Connection) -> String {
    name_id(&its.id, "mapping", "default")
}

/// Reads what a caller wants to store.
fn read(its: &Connection, body: &str) -> Result<Change> {
    let mut fields = Fields::parse(body)?;
    let name = fields.checked_text("name", |name| {
        let fits = (1..=NAME_CHARS_MAX).contains(&name.chars().count());
        fits.then_some(()).ok_or_else(|| format!("must be 1 to {NAME_CHARS_MAX} characters"))
    });
    if fields.uuid("workspace_id").is_some_and(|id| id != its.workspace) {
        fields.fail("workspace_id", "is not the connection's workspace");
    }
    if fields.uuid("mapping_id").is_some_and(|id| id != mapping_id(its)) {
        fields.fail("mapping_id", "is not the connection's mapping");
    }
    let expected = fields.integer("expected_version");
    if expected.is_some_and(|version| version < 0) {
        fields.fail("expected_version", "must be at least 0");
    }
    let schema = Schema::read(fields.raw("schema").unwrap_or("null"));
    fields.finish()?;
    let schema = schema.map_err(|error| error.below("schema").of_kind(Kind::Refused))?;
    Ok(Change { schema, name, expected })
}

fn show(its: &Connection, stored: Option<&Mapping>) -> Result<Reply> {
    let (destination, _) = parts(its)?;
    let id = mapping_id(its);
    let schema: Value = match stored {
        Some(stored) => serde_json::from_str(&stored.schema)
            .map_err(|e| Error::internal(format!("a stored mapping: {e}")))?,
        None => mapping::generated(destination).show(),
    };
    let created_at_ms = stored.map_or(its.created_at_ms, |stored| stored.created_at_ms);
    let updated_at_ms = stored.map_or(its.created_at_ms, |stored| stored.updated_at_ms);
    Ok(Reply::ok(&json!({
        "status": if stored.is_some() { "stored" } else { "generated" },
        "mapping": {
            "id": id,
            "mapping_id": id,
            "version": stored.map_or(0, |stored| stored.version),
            "workspace_id": its.workspace,
            "connection_id": its.id,
            "integration_type": its.kind,
            "name": stored.map_or("default", |stored| &stored.name),
            "schema": schema,
            "catalog_version": CATALOG_VERSION,
            "created_by": stored.map_or(&its.created_by, |stored| &stored.created_by),
            "created_at": rfc3339(created_at_ms),
            "updated_at": rfc3339(updated_at_ms),
        },
    })))
}
