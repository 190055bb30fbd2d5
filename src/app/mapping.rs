//! What a connection's mapping makes of a payload.

use crate::destinations::Destination;
use crate::domain::base::tree::Tree;
use crate::domain::routing::mapping::{Applied, Schema};

/// The mapping of connections that have stored none: what payloads commonly call the fields of the
/// destination's persons.
pub fn generated(destination: &dyn Destination) -> Schema {
    let fields = destination.person().iter();
    Schema::generated(fields.filter_map(|field| Some((field.key, field.from?))))
}

/// What the mapping makes of a payload. Destinations without persons have none.
pub fn applied(destination: &dyn Destination, payload: &str) -> Applied {
    if destination.person().is_empty() {
        return Applied::default();
    }
    let tree = Tree::read(payload).unwrap_or(Tree::Null);
    generated(destination).apply(&tree)
}
