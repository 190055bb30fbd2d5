//! A workspace: one customer of the organization. Tenants are walls, and this is the wall.

/// Where a workspace's events live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Id of the workspace.
    pub workspace: String,
    /// Its number, which stands in every event id.
    pub number: u32,
    /// Which LOG database holds its events.
    pub shard: u16,
}

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
