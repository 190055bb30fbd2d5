//! What a single value of a field must be.

/// Whether this is one of the words.
///
/// # Errors
/// What it must be.
pub fn check_word(word: &str, words: &[(&str, &str)]) -> std::result::Result<(), String> {
    if words.iter().any(|(known, _)| *known == word) {
        return Ok(());
    }
    let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
    Err(format!("must be one of {}", known.join(", ")))
}

/// Whether this can be the value of a header.
///
/// # Errors
/// What it must be.
pub fn check_header_value(value: &str, bytes_max: usize) -> std::result::Result<(), String> {
    let printable = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if value.is_empty() || value.len() > bytes_max || !printable || value.trim() != value {
        return Err(format!(
            "must be 1 to {bytes_max} printable ASCII characters without space around them"
        ));
    }
    Ok(())
}

/// Whether this can be half of what HTTP Basic sends.
///
/// # Errors
/// What it must be.
pub fn check_half(text: &str, bytes_max: usize) -> std::result::Result<(), String> {
    let fits = text.len() <= bytes_max && !text.chars().any(char::is_control);
    let msg = || format!("must be at most {bytes_max} bytes without control characters");
    fits.then_some(()).ok_or_else(msg)
}

/// Whether this can stand before a signature.
///
/// # Errors
/// What it must be.
pub fn check_prefix(prefix: &str, most: usize) -> std::result::Result<(), String> {
    let fits = prefix.len() <= most && prefix.bytes().all(|b| (0x21..=0x7e).contains(&b));
    fits.then_some(()).ok_or_else(|| format!("must be at most {most} printable characters"))
}
