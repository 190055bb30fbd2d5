//! The words of the pages about the product's event types.

/// The words of the pages about the product's event types.
pub struct Catalogue {
    pub event_types: &'static str,
    pub none: &'static str,
    pub example: &'static str,
    pub its_events: &'static str,
    pub heads: [(Option<&'static str>, &'static str); 3],
}
