//! A rule routes events of its workspace to one connection. Its `event` is a pattern: a name,
//! `order.*` for all names that begin with `order.`, or `*` for all names.
//!
//! A pattern is found by an index, not by trying all: a name matches itself, `*`, and what its own
//! beginnings make. No name has a `*` in it, so patterns and names cannot be taken for each other.

use serde::{Deserialize, Serialize};

use super::event::check_name;
use super::limits::PATTERN_DOTS_MAX;

/// What routing needs of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id of the rule.
    pub id: String,
    /// Number in its workspace, from 1; 0 is reserved for test events.
    pub number: u32,
    /// The connection it sends to.
    pub connection: String,
    /// Whether it routes at all.
    pub active: bool,
    /// 1 when that connection takes deliveries; if not, they are held.
    pub connection_active: u8,
    /// 1 when that connection's order is strict.
    pub is_strict: u8,
    /// 1 when that connection is throttled.
    pub is_throttled: u8,
    /// Pattern of the event names that it matches.
    pub event: String,
    /// Resource it is limited to, if any.
    pub resource: Option<String>,
    /// Resource id it is limited to, if any.
    pub resource_id: Option<String>,
    /// Text of the filter that payloads must pass, if any.
    pub filter: Option<String>,
}

impl Rule {
    /// Whether an event of a name that this rule is for, with this resource, is routed by it as far
    /// as can be told without its payload.
    ///
    /// # Errors
    /// Why it is not.
    pub fn matches(
        &self,
        resource: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<(), Mismatch> {
        let differs = |limit: &Option<String>, value: Option<&str>| {
            limit.as_deref().is_some_and(|limit| value != Some(limit))
        };
        if !self.active {
            Err(Mismatch::Inactive)
        } else if differs(&self.resource, resource) {
            Err(Mismatch::Resource)
        } else if differs(&self.resource_id, resource_id) {
            Err(Mismatch::ResourceId)
        } else {
            Ok(())
        }
    }
}

/// Checks a pattern: a name, a name followed by `.*`, or `*`.
///
/// # Errors
/// What is wrong, for the caller.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let name = match pattern.strip_suffix(".*") {
        Some(_) if pattern.len() > 128 => return Err("must be at most 128 characters".to_owned()),
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

/// Why a rule for an event's name does not route the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// The rule is not active.
    Inactive,
    /// It is limited to another resource.
    Resource,
    /// It is limited to another resource id.
    ResourceId,
    /// Its filter did not let the payload pass.
    Filter,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_limit_of_a_rule_must_fit() {
        let rule = |resource: Option<&str>, resource_id: Option<&str>| Rule {
            id: "r".into(),
            number: 1,
            connection: "c".into(),
            active: true,
            connection_active: 1,
            is_strict: 0,
            is_throttled: 0,
            event: "order.completed".into(),
            resource: resource.map(Into::into),
            resource_id: resource_id.map(Into::into),
            filter: None,
        };
        let order = Some("order");
        for (rule, resource, id, expected) in [
            (rule(None, None), None, None, Ok(())),
            (rule(None, None), order, Some("1"), Ok(())),
            (rule(order, None), order, None, Ok(())),
            (rule(order, None), None, None, Err(Mismatch::Resource)),
            (rule(order, Some("1")), order, Some("1"), Ok(())),
            (rule(order, Some("1")), order, Some("2"), Err(Mismatch::ResourceId)),
            (rule(order, Some("1")), Some("x"), Some("2"), Err(Mismatch::Resource)),
        ] {
            assert_eq!(rule.matches(resource, id), expected, "{rule:?}");
            let inactive = Rule { active: false, ..rule };
            assert_eq!(inactive.matches(resource, id), Err(Mismatch::Inactive));
        }
    }

    #[test]
    fn patterns_have_their_star_at_the_end() {
        let dots = |count: usize| format!("{}.*", vec!["a"; count].join("."));
        for good in ["order.completed", "order.*", "*", "a.b.c.*", "Order:v1/x-y_z.*", &dots(8)] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        let long = format!("{}.*", "x".repeat(127));
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
