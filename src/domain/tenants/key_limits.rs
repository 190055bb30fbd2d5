//! What a publishable key is limited to. A key in a page's code can be read and used by everybody;
//! limits restrict it to some events and to some pages.

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::names::check_pattern;
use crate::domain::base::names::covers;

/// Names and patterns to which one key can be limited: they are read with every emit.
pub const PATTERNS_MAX: usize = 50;

/// The limits of a key. `None` is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyLimits {
    /// Patterns of the names of events, as rules have them.
    pub events: Option<Vec<String>>,
    /// Origins of pages, such as `https://shop.example.com`.
    pub origins: Option<Vec<String>>,
}

impl KeyLimits {
    /// Checks where a request comes from, by its `Origin` header. A key with origins is for
    /// browsers, which send one; so a request without one is refused.
    ///
    /// # Errors
    /// `Forbidden` naming `origin`.
    pub fn check_origin(&self, origin: Option<&str>) -> Result<()> {
        let Some(allowed) = &self.origins else { return Ok(()) };
        if origin.is_some_and(|origin| allowed.iter().any(|one| one == origin)) {
            return Ok(());
        }
        Err(forbidden("origin", "is not an origin from which this publishable key may emit"))
    }

    /// Checks the name of an event.
    ///
    /// # Errors
    /// `Forbidden` naming `event`.
    pub fn check_event(&self, name: &str) -> Result<()> {
        let Some(allowed) = &self.events else { return Ok(()) };
        if allowed.iter().any(|pattern| covers(pattern, name)) {
            return Ok(());
        }
        Err(forbidden("event", "is not an event that this publishable key may emit"))
    }
}

fn forbidden(param: &str, msg: &str) -> Error {
    Error::field(param, msg).of_kind(Kind::Forbidden)
}

/// Checks the names and patterns of a key: 1 to [`PATTERNS_MAX`] patterns as rules have them.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_patterns(patterns: &[String]) -> std::result::Result<(), String> {
    if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
        return Err(format!("must be 1 to {PATTERNS_MAX} names or patterns, or null for no limit"));
    }
    let check =
        |pattern: &String| check_pattern(pattern).map_err(|msg| format!("{pattern:?} {msg}"));
    patterns.iter().try_for_each(check)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn names_and_patterns() {
        let limits = KeyLimits { events: Some(texts(&["cart.viewed", "order.*"])), origins: None };
        for (name, expected) in [
            ("cart.viewed", true),
            ("cart.viewed.twice", false),
            ("cart", false),
            ("order.completed", true),
            ("order.line.added", true),
            ("order", false),
            ("orders.completed", false),
            ("Order.completed", false),
        ] {
            assert_eq!(limits.check_event(name).is_ok(), expected, "{name}");
            assert!(KeyLimits::default().check_event(name).is_ok());
        }
    }

    #[test]
    fn origins_are_compared_whole() {
        let origins = Some(texts(&["https://shop.example.com", "http://localhost:3000"]));
        let limits = KeyLimits { events: None, origins };
        for (origin, expected) in [
            (Some("https://shop.example.com"), true),
            (Some("http://localhost:3000"), true),
            (Some("http://localhost"), false),
            (Some("http://shop.example.com"), false),
            (Some("https://shop.example.com.evil.example"), false),
            (Some("null"), false),
            (None, false),
        ] {
            assert_eq!(limits.check_origin(origin).is_ok(), expected, "{origin:?}");
            assert!(KeyLimits::default().check_origin(origin).is_ok());
        }
    }

    #[test]
    fn patterns_are_names_with_a_star_behind_a_dot() {
        for (patterns, expected) in [
            (texts(&["order.*"]), true),
            (texts(&["order.completed", "a.b.*"]), true),
            (texts(&[]), false),
            (texts(&["*"]), true),
            (texts(&[".*"]), false),
            (texts(&["order*"]), false),
            (texts(&["*.completed"]), false),
            (texts(&["order.*.x"]), false),
            (texts(&["order", " x "]), false),
            (vec!["x".to_owned(); PATTERNS_MAX], true),
            (vec!["x".to_owned(); PATTERNS_MAX + 1], false),
        ] {
            assert_eq!(check_patterns(&patterns).is_ok(), expected, "{patterns:?}");
        }
    }
}
