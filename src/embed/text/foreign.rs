//! The words of a frame that is not allowed to show the embed; developers of the product read it.

/// The words of a frame that is not allowed to show the embed; developers of the product read it.
pub struct Foreign {
    pub title: &'static str,
    pub this_origin: &'static str,
    pub how_to_allow: &'static str,
    pub body: fn(&str) -> String,
}
