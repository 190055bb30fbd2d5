//! The words of the pages about the product's event types.

texts! {
    EVENT_TYPES = "Event types";
    NONE = "The product has not described its events.";
    EXAMPLE = "Example of the payload";
    ITS_EVENTS = "Show its events";
}

/// The columns of the list; narrow pages leave some of them out.
pub const HEADS: [(Option<&str>, &str); 3] =
    [(None, "Event"), (None, "What it means"), (Some("wide"), "Group")];
