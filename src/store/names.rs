//! Names that a workspace has emitted: its event types and resources, in a LOG shard. They are
//! stored together with the events, see `emit.rs`.

use strum::IntoStaticStr;

use crate::domain::base::limits::NAMES_SHOWN_MAX;
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows};

/// What kind of name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// Names of events.
    Event,
    /// Names of resources.
    Resource,
}

impl Kind {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A name that was emitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub name: String,
    /// When it was emitted first.
    pub created_at_ms: i64,
}

impl FromRow for Name {
    fn from_row(row: &mut Row) -> Self {
        Self { name: row.text("name"), created_at_ms: row.int("created_at_ms") }
    }
}

const LIST: &str = "\
    select name, created_at_ms from names_seen where workspace = ?1 and kind = ?2 \
    order by workspace, kind, name limit ?3";

/// The names of a kind that a workspace has emitted, in alphabetical order.
pub fn list(workspace: &str, kind: Kind) -> Query<Vec<Name>> {
    let params = [workspace.into(), kind.as_str().into(), NAMES_SHOWN_MAX.into()];
    Query::new(LIST, params, all_rows)
}
