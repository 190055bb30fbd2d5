//! The words of the page that says who changed what.

use crate::domain::tenants::change::{Action, Author, RecordKind};

/// The words of the page that says who changed what.
pub struct Changes {
    pub title: &'static str,
    pub hint: &'static str,
    pub none: &'static str,
    pub heads: [(Option<&'static str>, &'static str); 4],
    pub who: fn(&Author) -> String,
    pub record: fn(RecordKind) -> &'static str,
    pub action: fn(Action) -> &'static str,
}
