//! What a frame says that is not allowed to show the embed. Developers of the product read it.

/// The title.
pub const TITLE: &str = "This page may not be shown here";
/// How the origin of a page is called that did not tell it.
pub const THIS_ORIGIN: &str = "the origin of the page around this frame";
/// What to do about it.
pub const HOW_TO_ALLOW: &str = "Add it to allowed_origins in POST /api/v1/sessions, or once for \
    all sessions in PATCH /api/v1/organization. The launch URL was not used up.";

/// What is wrong.
pub fn body(origin: &str) -> String {
    format!("This session does not allow {origin} to show it in a frame.")
}
