//! The path of a page below a session, as the product names the page to begin on.

/// Characters of a path below a session.
pub const PATH_CHARS_MAX: usize = 1_024;

/// Checks a path below a session, as the embed names it to the product's page: `/events?status=x`.
/// What shows no page, such as the launch itself, is refused; whether the session sees the page is
/// for the page to say.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_path(path: &str) -> Result<(), String> {
    if path.chars().count() > PATH_CHARS_MAX {
        return Err(format!("must be at most {PATH_CHARS_MAX} characters"));
    }
    let is_plain = path.bytes().all(|b| (0x21..=0x7e).contains(&b) && b != b'\\' && b != b'#');
    let below = path.split('?').next().unwrap_or_default();
    let mut parts = below.split('/');
    let is_absolute = parts.next() == Some("")
        && (below == "/" || parts.clone().next().is_some_and(|part| !part.is_empty()));
    let climbs = |part: &str| matches!(&*part.to_ascii_lowercase().replace("%2e", "."), "." | "..");
    if !is_plain || !is_absolute || parts.clone().any(climbs) {
        return Err(
            "must be a path below the session such as /events?status=failed: one / at its \
            start, without .. and #, everything else percent-encoded"
                .to_owned(),
        );
    }
    if matches!(parts.next(), Some("launch" | "auth" | "live" | "theme")) {
        return Err("must be the path of a page".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_below_the_session() {
        let long = format!("/{}", "a".repeat(PATH_CHARS_MAX));
        for (path, expected) in [
            ("/", true),
            ("/events", true),
            ("/events?status=failed&q=a%20b", true),
            ("/?done=1", true),
            (&long[1..], false),
            (&long[..PATH_CHARS_MAX], true),
            (&long, false),
            ("", false),
            ("events", false),
            ("//evil.example", false),
            ("/\\evil.example", false),
            ("/../../launch", false),
            ("/a/%2E./b", false),
            ("/a b", false),
            ("/a#b", false),
            ("/größe", false),
            ("https://evil.example/", false),
            ("/launch?token=x", false),
            ("/auth", false),
            ("/live/events", false),
        ] {
            assert_eq!(check_path(path).is_ok(), expected, "{path}");
        }
    }
}
