//! Payload filters: which events of a rule's pattern it sends, by what their payloads say.
//!
//! A filter is JSON: `{"path": "order.total", "gt": 100}` is a condition, and `{"and": [...]}`,
//! `{"or": [...]}` and `{"not": {...}}` combine conditions. A condition with several operators
//! needs all of them.
//!
//! | operator | holds when what is at the path |
//! |---|---|
//! | `eq`, `ne` | is, is not this text, number, `true`, `false` or `null` |
//! | `in` | is one of these |
//! | `gt`, `lt` | is a number above, below this one; or a text that sorts after, before this one |
//! | `exists` | is there, even as `null` (`true`); or is not (`false`) |
//! | `starts_with` | is a text that begins so |
//!
//! A path goes down by keys and, in lists, by places from 0: `items.0.sku`. `\.` is a dot in a key.
//! Where there is nothing, `ne` and `exists: false` hold and nothing else does. Values of different
//! types are never equal, and upper and lower case differ.
//!
//! Numbers compare exactly, however large or precise they are in the payload. A filter's own
//! numbers must be such that every reader of JSON keeps them: whole numbers of 64 bits, or decimals
//! that a double keeps.
//!
//! What judging costs is counted and bounded, see [`Budget`].

mod check;

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Value, json};

use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{
    FILTER_BYTES_MAX, FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX, FILTER_DIGITS_MAX, FILTER_LIST_MAX,
    FILTER_PATH_CHARS_MAX, PAYLOAD_DEPTH_MAX,
};
use crate::domain::base::reason::Reason;
use crate::domain::base::tree::Tree;
use crate::domain::routing::event::depth;

pub use check::{Budget, NotPassed, Part, Payload, Unmet};

/// A filter. Its values are those of the text it was read from: filters are read with every event
/// that their rules match, and one may hold thousands of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter<'a>(Condition<'a>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition<'a> {
    And(Vec<Condition<'a>>),
    Or(Vec<Condition<'a>>),
    Not(Box<Condition<'a>>),
    At(Path, Vec<Test<'a>>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Path {
    written: String,
    names: Vec<String>,
}

/// One operator with what it compares with: one value, or for `in` a list. None of them is a list
/// or an object.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test<'a> {
    operator: Operator,
    values: Vec<Tree<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Eq,
    Ne,
    In,
    Gt,
    Lt,
    Exists,
    StartsWith,
}

const OPERATORS: [(&str, Operator); 7] = [
    ("eq", Operator::Eq),
    ("ne", Operator::Ne),
    ("in", Operator::In),
    ("gt", Operator::Gt),
    ("lt", Operator::Lt),
    ("exists", Operator::Exists),
    ("starts_with", Operator::StartsWith),
];

impl<'a> Filter<'a> {
    /// Reads a filter from the text of a JSON value.
    ///
    /// # Errors
    /// `Invalid` naming the path to what is wrong, such as `and[1].gt`.
    pub fn parse(text: &'a str) -> Result<Self> {
        if text.len() > FILTER_BYTES_MAX {
            let msg = format!("is {} bytes; at most {FILTER_BYTES_MAX} are taken", text.len());
            return Err(Error::field("", Reason::Large(msg)));
        }
        let checked: serde_json::Result<&serde_json::value::RawValue> = serde_json::from_str(text);
        checked.map_err(|e| Error::field("", Reason::NoJson(e.to_string())))?;
        if depth(text) > PAYLOAD_DEPTH_MAX {
            return Err(Error::field("", Reason::Large("is nested too deep".to_owned())));
        }
        Self::read(text)
    }

    /// Reads a filter that was parsed before: that its text is JSON and not too large is known.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn read(text: &'a str) -> Result<Self> {
        let tree = Tree::read(text).ok_or_else(|| Error::field("", "is not valid JSON"))?;
        let mut parser = Parser { conditions: 0 };
        parser.condition(tree, "", 1).map(Self)
    }

    /// The filter as JSON; parsing its text gives the same filter.
    pub fn to_json(&self) -> Value {
        print(&self.0)
    }
}

/// Reads conditions and counts them.
struct Parser {
    conditions: usize,
}

impl Parser {
    fn condition<'a>(&mut self, tree: Tree<'a>, at: &str, level: usize) -> Result<Condition<'a>> {
        self.conditions += 1;
        if self.conditions > FILTER_CONDITIONS_MAX {
            let msg =
                format!("is one too many; a filter has at most {FILTER_CONDITIONS_MAX} conditions");
            return Err(Error::field(at, Reason::Large(msg)));
        }
        if level > FILTER_DEPTH_MAX {
            let msg = format!("is nested more than {FILTER_DEPTH_MAX} levels deep");
            return Err(Error::field(at, Reason::Large(msg)));
        }
        let Tree::Object(mut entries) = tree else {
            return Err(shape(at, "must be an object with a path, and, or, or not"));
        };
        for (index, (key, _)) in entries.iter().enumerate() {
            if entries[..index].iter().any(|(other, _)| other == key) {
                return Err(shape(below(at, key), "stands twice in the object"));
            }
        }
        if let [(key, value)] = entries.as_mut_slice()
            && matches!(key.as_ref(), "and" | "or" | "not")
        {
            let (here, value) = (below(at, key), std::mem::replace(value, Tree::Null));
            return match key.as_ref() {
                "and" => self.list(value, &here, level).map(Condition::And),
                "or" => self.list(value, &here, level).map(Condition::Or),
                _ => {
                    let inner = self.condition(value, &here, level + 1)?;
                    Ok(Condition::Not(Box::new(inner)))
                }
            };
        }
        at_path(entries, at)
    }

    fn list<'a>(&mut self, tree: Tree<'a>, at: &str, level: usize) -> Result<Vec<Condition<'a>>> {
        match tree {
            Tree::List(items) if !items.is_empty() => {
                let item =
                    |(index, item)| self.condition(item, &format!("{at}[{index}]"), level + 1);
                items.into_iter().enumerate().map(item).collect()
            }
            _ => Err(shape(at, "must be a list of conditions")),
        }
    }
}

fn at_path<'a>(entries: Vec<(Cow<'a, str>, Tree<'a>)>, at: &str) -> Result<Condition<'a>> {
    let path = match entries.iter().find(|(key, _)| key == "path") {
        Some((_, Tree::Text(written))) => {
            parse_path(written).map_err(|why| Error::field(below(at, "path"), why))?
        }
        Some(_) => return Err(Error::field(below(at, "path"), Reason::Text)),
        None => return Err(shape(at, "must have a path, or be one of and, or, not alone")),
    };
    let mut tests = Vec::new();
    for (key, value) in entries.into_iter().filter(|(key, _)| key != "path") {
        let here = below(at, &key);
        let Some((_, operator)) = OPERATORS.iter().find(|(word, _)| *word == key) else {
            let words = OPERATORS.map(|(word, _)| word).join(", ");
            return Err(Error::field(here, Reason::Operator(words)));
        };
        tests.push(test(*operator, value, &here)?);
    }
    if tests.is_empty() {
        return Err(shape(at, "must have an operator beside its path"));
    }
    Ok(Condition::At(path, tests))
}

fn test<'a>(operator: Operator, value: Tree<'a>, at: &str) -> Result<Test<'a>> {
    if operator == Operator::In {
        let Tree::List(values) = value else {
            return Err(shape(at, "must be a list of values"));
        };
        if values.is_empty() || values.len() > FILTER_LIST_MAX {
            let told = format!("must hold 1 to {FILTER_LIST_MAX} values");
            return Err(Error::field(at, Reason::Large(told)));
        }
        for (index, value) in values.iter().enumerate() {
            check_value(value).map_err(|why| Error::field(format!("{at}[{index}]"), why))?;
        }
        return Ok(Test { operator, values });
    }
    check_value(&value).map_err(|why| Error::field(at, why))?;
    let why = match (operator, &value) {
        (Operator::Gt | Operator::Lt, Tree::Null | Tree::Bool(_)) => Reason::NumberOrText,
        (Operator::Exists, other) if !matches!(other, Tree::Bool(_)) => Reason::TrueOrFalse,
        (Operator::StartsWith, other) if !matches!(other, Tree::Text(_)) => Reason::Text,
        _ => return Ok(Test { operator, values: vec![value] }),
    };
    Err(Error::field(at, why))
}

/// Checks a value of a filter.
fn check_value(value: &Tree<'_>) -> std::result::Result<(), Reason> {
    match value {
        Tree::Null | Tree::Bool(_) | Tree::Text(_) => Ok(()),
        Tree::Number(number) if number.text().len() > FILTER_DIGITS_MAX => {
            let told = format!("must be written with at most {FILTER_DIGITS_MAX} characters");
            Err(Reason::Large(told))
        }
        Tree::Number(number) if is_plain(number.text()) => Ok(()),
        Tree::Number(number) => {
            let kept: Option<Value> = serde_json::from_str(number.text()).ok();
            let is_kept = |kept: Value| number.compare(&kept.to_string()) == Ordering::Equal;
            if kept.is_some_and(is_kept) { Ok(()) } else { Err(Reason::Inexact) }
        }
        Tree::List(_) | Tree::Object(_) => Err(Reason::Scalar),
    }
}

/// The error of what is not built as a filter is.
fn shape(at: impl Into<String>, told: &'static str) -> Error {
    Error::field(at, Reason::Shape(told))
}

/// Whether a number is whole and so short that every reader keeps it and writes it in this way.
fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    let is_whole = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_whole && (!digits.starts_with('0') || number == "0")
}

fn below(at: &str, key: &str) -> String {
    if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") }
}

/// The names of a path.
fn parse_path(written: &str) -> std::result::Result<Path, Reason> {
    if written.chars().count() > FILTER_PATH_CHARS_MAX {
        return Err(Reason::CharsMost(FILTER_PATH_CHARS_MAX));
    }
    let (mut names, mut escaped) = (vec![String::new()], false);
    for c in written.chars() {
        match (escaped, c) {
            (false, '\\') => {
                escaped = true;
                continue;
            }
            (false, '.') => names.push(String::new()),
            (true, c) if c != '.' && c != '\\' => {
                return Err(Reason::Escape);
            }
            (_, c) => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
        escaped = false;
    }
    if escaped || names.iter().any(String::is_empty) {
        return Err(Reason::Names);
    }
    Ok(Path { written: written.to_owned(), names })
}

fn print(condition: &Condition<'_>) -> Value {
    let list = |conditions: &[Condition<'_>]| conditions.iter().map(print).collect::<Value>();
    match condition {
        Condition::And(conditions) => json!({"and": list(conditions)}),
        Condition::Or(conditions) => json!({"or": list(conditions)}),
        Condition::Not(inner) => json!({"not": print(inner)}),
        Condition::At(path, tests) => {
            let mut printed = json!({"path": path.written});
            for test in tests {
                printed[word(test.operator)] = operand(test);
            }
            printed
        }
    }
}

fn operand(test: &Test<'_>) -> Value {
    // A number is printed as every reader keeps it.
    let mut values = test.values.iter().map(|value| match value {
        Tree::Null | Tree::List(_) | Tree::Object(_) => Value::Null,
        Tree::Bool(value) => json!(value),
        Tree::Number(number) => serde_json::from_str(number.text()).unwrap_or_default(),
        Tree::Text(text) => json!(text),
    });
    match test.operator {
        Operator::In => values.collect(),
        _ => values.next().unwrap_or_default(),
    }
}

fn word(operator: Operator) -> &'static str {
    OPERATORS.iter().find(|(_, of)| *of == operator).map_or("", |(word, _)| *word)
}

#[cfg(test)]
mod tests;
