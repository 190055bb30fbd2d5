//! Names of events and resources, and the patterns that rules and keys match names with: a name,
//! `order.*` for all names that begin with `order.`, or `*` for all names.
//!
//! A pattern is found by an index, not by trying all: a name matches itself, `*`, and what its own
//! beginnings make. No name has a `*` in it, so patterns and names cannot be taken for each other.

use crate::domain::base::limits::PATTERN_DOTS_MAX;

/// Bytes of an event name, of a resource, or of a pattern.
pub const NAME_BYTES_MAX: usize = 255;

/// Whether nobody sees this character: it stands for nothing, or only changes its neighbours. Names
/// that differ in such characters alone look the same.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'
        | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
}

/// Whether this character joins or varies its neighbours, so that it cannot stand at the beginning.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether there is nothing to be seen of a text.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_invisible(c) || is_joiner(c))
}

/// Checks an event name (or a resource name, which obeys the same rule): printable text of at most
/// [`NAME_BYTES_MAX`] bytes without `*` and without white space at its ends.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_name(name: &str) -> std::result::Result<(), String> {
    let is_refused = |c: char| c.is_control() || c == '*' || is_invisible(c);
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(format!("must be 1 to {NAME_BYTES_MAX} bytes"));
    }
    if name.chars().any(is_refused) {
        return Err(
            "must be printable text without control characters, invisible characters and *"
                .to_owned(),
        );
    }
    if name.trim() != name || name.starts_with(is_joiner) {
        return Err("must not begin or end with white space".to_owned());
    }
    Ok(())
}

/// The resource of what is about nothing in particular: the same as no resource at all.
pub const GLOBAL: &str = "global";

/// Whether two resources are the same.
pub fn same_resource(one: Option<&str>, other: Option<&str>) -> bool {
    one.unwrap_or(GLOBAL) == other.unwrap_or(GLOBAL)
}

/// Checks a resource id: `^[A-Za-z0-9._:-]{1,64}$`.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_resource_id(id: &str) -> std::result::Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    if id.is_empty() || id.len() > 64 || !id.chars().all(allowed) {
        return Err("must be 1 to 64 characters of A-Z a-z 0-9 . _ : -".to_owned());
    }
    Ok(())
}

/// Checks a pattern: a name, a name followed by `.*`, or `*`.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let name = match pattern.strip_suffix(".*") {
        Some(_) if pattern.len() > NAME_BYTES_MAX => {
            return Err(format!("must be at most {NAME_BYTES_MAX} bytes"));
        }
        Some(beginning) => beginning,
        None if pattern == "*" => return Ok(()),
        None => return check_name(pattern).map_err(|msg| explain(pattern, msg)),
    };
    if name.bytes().filter(|byte| *byte == b'.').count() >= PATTERN_DOTS_MAX {
        return Err(format!("must have at most {PATTERN_DOTS_MAX} dots before its *"));
    }
    check_name(name).map_err(|msg| explain(pattern, msg))
}

fn explain(pattern: &str, msg: String) -> String {
    if pattern.contains('*') {
        "may have a * in place of all after a dot, as in order.*, or alone".to_owned()
    } else {
        msg
    }
}

/// The patterns that match a name, or the patterns that match all that this pattern does.
pub fn patterns_of(name: &str) -> Vec<String> {
    let dots = name.match_indices('.').take(PATTERN_DOTS_MAX);
    let mut found: Vec<String> = dots.map(|(at, _)| format!("{}.*", &name[..at])).collect();
    if found.last().is_none_or(|last| last != name) {
        found.push(name.to_owned());
    }
    if name != "*" {
        found.push("*".to_owned());
    }
    found
}

/// The patterns that match any of these names, each once.
pub fn patterns_of_all(names: &[&str]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for pattern in names.iter().flat_map(|name| patterns_of(name)) {
        if !found.contains(&pattern) {
            found.push(pattern);
        }
    }
    found
}

/// Whether all that `other` matches, a name or a pattern, is matched by `pattern`.
pub fn covers(pattern: &str, other: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => other.starts_with(beginning),
        None => pattern == other,
    }
}

/// The most rules that match one event which `pattern` matches, too. `counts` are the workspace's
/// patterns with how many rules have each.
pub fn widest(counts: &[(String, usize)], pattern: &str) -> usize {
    let covering = |name: &str| {
        let rules = counts.iter().filter(|(of, _)| covers(of, name)).map(|(_, count)| count);
        rules.sum::<usize>()
    };
    let below = counts.iter().filter(|(of, _)| covers(pattern, of)).map(|(of, _)| covering(of));
    below.max().unwrap_or(0).max(covering(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_printable_text() {
        for good in [
            "a",
            ".a",
            "_a",
            "$a",
            "Bestellung bezahlt",
            "größe",
            "日本",
            "a/b:c-d",
            "%41",
            "\u{2764}\u{fe0f}",
            "\"quoted\"",
            &"x".repeat(255),
            &"é".repeat(127),
        ] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            " a",
            "a ",
            "\u{a0}a",
            "a\n",
            "a\tb",
            "a\u{7f}",
            "a\u{85}b",
            "a*",
            "*",
            "a\u{200b}",
            "\u{200b}",
            "\u{feff}a",
            "\u{200d}",
            "\u{ad}",
            "a\u{202e}b",
            &"x".repeat(256),
            &"é".repeat(128),
        ] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn patterns_have_their_star_at_the_end() {
        let dots = |count: usize| format!("{}.*", vec!["a"; count].join("."));
        for good in ["order.completed", "order.*", "*", "a.b.c.*", "Order:v1/x-y_z.*", &dots(8)] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        let long = format!("{}.*", "x".repeat(254));
        for bad in
            ["", ".*", "**", "order*", "order.*.x", "*.order", "order.**", " *", &long, &dots(9)]
        {
            assert!(check_pattern(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_matched_by_its_beginnings() {
        for (name, expected) in [
            ("order", vec!["order", "*"]),
            ("order.eu.paid", vec!["order.*", "order.eu.*", "order.eu.paid", "*"]),
            ("order.eu.*", vec!["order.*", "order.eu.*", "*"]),
            ("a..b", vec!["a.*", "a..*", "a..b", "*"]),
            ("*", vec!["*"]),
        ] {
            assert_eq!(patterns_of(name), expected, "{name}");
        }
        for (pattern, name, expected) in [
            ("order.*", "order.paid", true),
            ("order.*", "order.eu.paid", true),
            ("order.*", "order", false),
            ("order.*", "orders.paid", false),
            ("*", "order", true),
            ("order.paid", "order.paid", true),
            ("order.paid", "order.paid.x", false),
        ] {
            assert_eq!(covers(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn the_widest_fan_out_counts_all_patterns_on_the_way() {
        let counts = [("*", 1), ("a.*", 2), ("a.b.*", 3), ("a.b.c", 4), ("a.d", 9), ("x", 5)];
        let counts = counts.map(|(pattern, count)| (pattern.to_owned(), count));
        for (pattern, expected) in
            [("*", 12), ("a.*", 12), ("a.b.*", 10), ("a.b.c", 10), ("x.*", 1), ("x", 6), ("y", 1)]
        {
            assert_eq!(widest(&counts, pattern), expected, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_the_index_finds_is_what_covers(
            name in "[ab]([.][ab]{0,2}){0,9}", pattern in "[ab]([.][ab]{0,2}){0,9}([.][*])?",
        ) {
            prop_assume!(check_name(&name).is_ok() && check_pattern(&pattern).is_ok());
            prop_assert_eq!(patterns_of(&name).contains(&pattern), covers(&pattern, &name));
            prop_assert!(patterns_of(&name).contains(&"*".to_owned()));
        }
    }
}
