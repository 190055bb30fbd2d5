//! The words of the list of events, of its filters and of what is exported from it.

/// The words of the list of events, of its filters and of what is exported from it.
pub struct Search {
    pub event_example: &'static str,
    pub more: &'static str,
    pub since: &'static str,
    pub until: &'static str,
    pub export_hint: &'static str,
    pub lagging: &'static str,
    pub newest: &'static str,
    pub formats: [(&'static str, &'static str); 2],
    pub heads: [(Option<&'static str>, &'static str); 4],
    pub and_more: fn(usize) -> String,
}
