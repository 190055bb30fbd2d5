//! An organization: the SaaS product whose customers have the workspaces.

use crate::domain::base::names::is_blank;

/// Checks an organization's name: 1 to 128 characters without control characters.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_name(name: &str) -> Result<(), String> {
    label(name)
}

/// Checks a name that people see: 1 to 128 characters, no control characters, and not such that
/// nothing is to be seen of it.
///
/// # Errors
/// What is wrong, for the caller.
pub fn label(name: &str) -> Result<(), String> {
    if is_blank(name) || name.chars().count() > 128 || name.chars().any(char::is_control) {
        return Err("must be 1 to 128 characters and no control characters".to_owned());
    }
    Ok(())
}
