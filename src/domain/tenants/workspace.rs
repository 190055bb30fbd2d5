//! A workspace: one customer of the organization. No data crosses from one workspace to another.

use crate::domain::base::names::is_blank;

/// Where a workspace's events live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkspaceLocation {
    /// Id of the workspace.
    pub workspace: String,
    /// Its number, which stands in every event id.
    pub number: u32,
    /// Which LOG database holds its events.
    pub shard: u16,
}

/// How much a workspace may have, as far as it says so itself; otherwise the installation's quotas
/// hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Events that it emits in a calendar month (UTC).
    pub events_per_month: Option<u32>,
    /// Connections.
    pub connections: Option<u32>,
}

/// The largest limit that a workspace can have.
pub const LIMIT_MAX: u32 = 1_000_000_000;

/// Checks a workspace's name: 3 to 50 characters, `^[a-zA-Z0-9 _-]+$` (the wire contract).
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " _-".contains(c);
    if !(3..=50).contains(&name.len()) || !name.chars().all(allowed) {
        return Err("must be 3 to 50 characters of A-Z a-z 0-9 space _ -".to_owned());
    }
    if name.trim() != name {
        return Err("must not begin or end with a space".to_owned());
    }
    Ok(())
}

/// Checks an environment's label: 1 to 32 characters, no control characters, not blank.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_environment(text: &str) -> Result<(), String> {
    check_text(text, 32)
}

/// Checks what a product itself calls a workspace or a person: 1 to 255 characters, no control
/// characters, not blank.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_external_id(text: &str) -> Result<(), String> {
    check_text(text, 255)
}

fn check_text(text: &str, chars_max: usize) -> Result<(), String> {
    let fits = !is_blank(text) && text.chars().count() <= chars_max;
    if fits && !text.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("must be 1 to {chars_max} characters and no control characters"))
}

/// Checks a description: at most 1,024 characters (the wire contract).
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_description(text: &str) -> Result<(), String> {
    if text.chars().count() > 1_024 {
        return Err("must be at most 1024 characters".to_owned());
    }
    Ok(())
}
