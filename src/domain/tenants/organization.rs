//! An organization: the SaaS product whose customers have the workspaces.

/// Checks an organization's name: 1 to 128 characters without control characters.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_name(name: &str) -> Result<(), String> {
    label(name)
}

/// Checks a name that people see: 1 to 128 characters, no control characters, no blank name.
///
/// # Errors
/// What is wrong, for the caller.
pub fn label(name: &str) -> Result<(), String> {
    if name.trim().is_empty() || name.chars().count() > 128 || name.chars().any(char::is_control) {
        return Err("must be 1 to 128 characters and no control characters".to_owned());
    }
    Ok(())
}
