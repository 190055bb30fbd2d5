//! Origins of web pages: which may show the embed, and which may use a publishable key.

/// Origins that may show the embed, at the most (the wire contract).
pub const ORIGINS_MAX: usize = 10;

/// Checks an origin that may show the embed: `https://host[:port]`, or http on this machine.
fn check_origin(text: &str) -> Result<(), String> {
    let wrong = || Err("must be an origin such as https://app.example.com".to_owned());
    let Ok(url) = url::Url::parse(text) else { return wrong() };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    // Serialized again it must be the same: no path, no user, no default port, lower case.
    let same = url.origin().ascii_serialization() == text;
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/[]".contains(&b));
    if scheme && same && plain && text.len() <= 255 { Ok(()) } else { wrong() }
}

/// Checks the origins that a session or an organization names.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_origins(origins: &[String]) -> Result<(), String> {
    if origins.len() > ORIGINS_MAX {
        return Err(format!("must be at most {ORIGINS_MAX} origins"));
    }
    let wrong = origins.iter().find_map(|origin| Some((origin, check_origin(origin).err()?)));
    wrong.map_or(Ok(()), |(origin, msg)| Err(format!("{origin:?} {msg}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (text, expected) in [
            ("https://app.example.com", true),
            ("https://app.example.com:8443", true),
            ("http://localhost:3000", true),
            ("http://127.0.0.1", true),
            ("http://app.example.com", false),
            ("https://app.example.com/", false),
            ("https://App.example.com", false),
            ("https://app.example.com:443", false),
            ("https://*.example.com", false),
            ("https://a.example https://b.example", false),
            ("https://a.example;script-src *", false),
            ("*", false),
            ("null", false),
            ("data:text/html,x", false),
            ("", false),
        ] {
            assert_eq!(check_origin(text).is_ok(), expected, "{text}");
        }
    }
}
