//! What a single value of a field must be.

use crate::domain::base::reason::Reason;

/// Whether this is one of the words.
///
/// # Errors
/// What it must be.
pub fn check_word(word: &str, words: &[(&str, &str)]) -> std::result::Result<(), Reason> {
    if words.iter().any(|(known, _)| *known == word) {
        return Ok(());
    }
    let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
    Err(Reason::OneOf(known.join(", ")))
}

/// Whether this can be the value of a header.
///
/// # Errors
/// What it must be.
pub fn check_header_value(value: &str, bytes_max: usize) -> std::result::Result<(), Reason> {
    let printable = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if value.is_empty() || value.len() > bytes_max || !printable || value.trim() != value {
        return Err(Reason::HeaderValue(bytes_max));
    }
    Ok(())
}

/// Whether this can be half of what HTTP Basic sends.
///
/// # Errors
/// What it must be.
pub fn check_half(text: &str, bytes_max: usize) -> std::result::Result<(), Reason> {
    let fits = text.len() <= bytes_max && !text.chars().any(char::is_control);
    fits.then_some(()).ok_or(Reason::Half(bytes_max))
}

/// Whether this can stand before a signature.
///
/// # Errors
/// What it must be.
pub fn check_prefix(prefix: &str, most: usize) -> std::result::Result<(), Reason> {
    let fits = prefix.len() <= most && prefix.bytes().all(|b| (0x21..=0x7e).contains(&b));
    fits.then_some(()).ok_or(Reason::Prefix(most))
}
