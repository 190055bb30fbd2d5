//! The mapping of a connection, stored or generated, and what it makes of a payload.

use crate::app::changes::of_mapping;
use crate::app::connections::parts;
use crate::destinations::Destination;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::tree::Tree;
use crate::domain::routing::mapping::{Applied, Schema};
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::connections::Connection;
use crate::store::mappings::{self, Mapping, NewMapping};

/// The mapping of connections that have stored none: what payloads commonly call the fields of the
/// destination's persons.
pub fn generated(destination: &dyn Destination) -> Schema {
    let fields = destination.person().iter();
    Schema::generated(fields.filter_map(|field| Some((field.key, field.from?))))
}

/// What a mapping, the stored one's text or else the generated one, makes of a payload.
/// Destinations without persons have none.
///
/// # Errors
/// What is wrong with the stored one, for the log.
pub fn applied(
    destination: &dyn Destination,
    stored: Option<&str>,
    payload: &str,
) -> std::result::Result<Applied, String> {
    if destination.person().is_empty() {
        return Ok(Applied::default());
    }
    let schema = match stored {
        None => generated(destination),
        Some(text) => Schema::read(text).map_err(|e| format!("a stored mapping: {e}"))?,
    };
    Ok(schema.apply(&Tree::read(payload).unwrap_or(Tree::Null)))
}

/// The stored mapping of a connection, if there is one.
///
/// # Errors
/// `NotFound` when its destination has no persons.
pub async fn find<P: Platform>(platform: &P, connection: &Connection) -> Result<Option<Mapping>> {
    let (destination, _) = parts(connection)?;
    if destination.person().is_empty() {
        let told = "default mapping: this integration has no fields to map to";
        return Err(Error::not_found(told));
    }
    mappings::find(&connection.workspace, &connection.id).run(platform.control()).await
}

/// What a caller wants to store.
pub struct Change {
    /// The mapping, checked.
    pub schema: Schema,
    /// Its name.
    pub name: Option<String>,
    /// The version that it takes the place of.
    pub expected: Option<i64>,
}

/// Whether a connection can have a mapping.
///
/// # Errors
/// `Refused` when its destination has no persons.
pub fn check(connection: &Connection) -> Result<()> {
    let (destination, _) = parts(connection)?;
    if destination.person().is_empty() {
        let msg = "is for integrations with fields; this one has none";
        return Err(Error::field("schema", msg).of_kind(Kind::Refused));
    }
    Ok(())
}

/// Stores the mapping of a connection.
///
/// # Errors
/// As [`check`]; `Conflict` when it is of another version.
pub async fn put<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &Connection,
    change: &Change,
) -> Result<Mapping> {
    check(connection)?;
    let new = NewMapping {
        name: change.name.as_deref(),
        schema: &change.schema.show().to_string(),
        created_by: &actor.created_by,
        now_ms: platform.now_ms(),
        expected: change.expected,
    };
    let told = of_mapping(platform, actor, connection);
    mappings::put(platform.control(), &connection.workspace, &connection.id, &new, &told).await
}
