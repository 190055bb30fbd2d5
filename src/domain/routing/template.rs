//! Templates: texts with `{{path}}` in them, filled in from an event.
//!
//! A path is keys joined by dots (`user.name`, `items.0.sku`); `["any key"]` names a key that is no
//! word, and `$event.name` and the like what is known beside the payload. `{{path|text}}` gives the
//! text when there is nothing at the path. What is filled in is made fit for its [`Target`]; the
//! template's own text is left as it is.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::domain::base::limits::{RENDERED_BYTES_MAX, TEMPLATE_VALUE_CHARS_MAX};
use crate::domain::base::reason::Reason;
use crate::domain::base::tree::Tree;

/// Paths that are told when there is nothing at them.
const MISSING_MAX: usize = 10;

/// A template, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Value { place: Place, shown: String, fallback: Option<String> },
}

/// What is named in braces.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Keys from the payload's root.
    Keys(Vec<String>),
    /// Something known beside the payload.
    Fact(Fact),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Event,
    Name,
    Resource,
    ResourceId,
    ExternalId,
}

/// The names of what is known beside the payload.
const FACTS: [(&str, Fact); 5] = [
    ("$event.name", Fact::Name),
    ("$event.id", Fact::Event),
    ("$event.resource", Fact::Resource),
    ("$event.resource_id", Fact::ResourceId),
    ("$workspace.external_id", Fact::ExternalId),
];

/// What is known of an event beside its payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct Facts<'a> {
    /// Its id.
    pub event: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its resource.
    pub resource: Option<&'a str>,
    /// Its resource id.
    pub resource_id: Option<&'a str>,
    /// What the product itself calls the customer.
    pub external_id: Option<&'a str>,
}

/// What a template is filled in from.
pub struct Source<'a> {
    /// The payload.
    pub payload: &'a Tree<'a>,
    /// What is known beside it.
    pub facts: Facts<'a>,
    /// Mapped fields, each the JSON text of its value: what the payload does not have is looked for
    /// here.
    pub mapped: &'a BTreeMap<String, String>,
}

/// Where a text is going, which says what a value must not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A text that is taken as it is.
    Plain,
    /// One line: no control characters.
    Line,
    /// Slack's markup: nothing that mentions a channel or makes a link.
    Slack,
    /// HTML: nothing that is markup.
    Html,
    /// A form: values that stay in their field.
    Form,
    /// A JSON text: inside of quotes a value stays there, elsewhere it is a whole value.
    Json,
}

/// A text that was made of a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Paths at which there was nothing.
    pub missing: Vec<String>,
    /// Whether it is cut, because it would be too long to send.
    pub is_cut: bool,
}

impl Rendered {
    /// What people should know of how it was made.
    pub fn notes(&self) -> Vec<String> {
        let told = |path: &String| format!("The payload has nothing at {path}");
        self.missing.iter().take(MISSING_MAX).map(told).collect()
    }

    fn push(&mut self, text: &str) {
        let mut room = RENDERED_BYTES_MAX.saturating_sub(self.text.len()).min(text.len());
        self.is_cut |= room < text.len();
        while !text.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(&text[..room]);
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong, and at which character.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let (mut parts, mut at) = (Vec::new(), 0);
        while let Some(start) = text[at..].find("{{").map(|found| at + found) {
            parts.push(Part::Text(text[at..start].to_owned()));
            let character = text[..start].chars().count() + 1;
            let Some(end) = end_of(&text[start + 2..]).map(|found| start + 2 + found) else {
                return Err(Reason::Unclosed(character));
            };
            let inside = &text[start + 2..end];
            let (path, fallback) = split(inside);
            let path = path.trim();
            let place = place(path).ok_or_else(|| no_path(inside, character))?;
            let fallback = fallback.map(|text| text.trim().to_owned());
            parts.push(Part::Value { place, shown: path.to_owned(), fallback });
            at = end + 2;
        }
        parts.push(Part::Text(text[at..].to_owned()));
        Ok(Self(parts))
    }

    /// Whether what it makes is JSON, whatever is filled in.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check_json(&self) -> Result<(), Reason> {
        let mut quotes = Quotes::default();
        for part in &self.0 {
            match part {
                Part::Text(text) => quotes.pass(text),
                Part::Value { shown, .. } if quotes.is_escaped => {
                    return Err(Reason::Backslash(shown.clone()));
                }
                Part::Value { .. } => {}
            }
        }
        for sample in ["null", "\"x\"", "12"] {
            let text = self.filled(|_| Tree::read(sample), Target::Json).text;
            if let Err(error) = serde_json::from_str::<IgnoredAny>(&text) {
                return Err(Reason::NoJsonOnceFilled(error.to_string()));
            }
        }
        Ok(())
    }

    /// The text for an event.
    pub fn render(&self, source: &Source<'_>, target: Target) -> Rendered {
        self.filled(|place| source.find(place), target)
    }

    fn filled<'a>(&self, find: impl Fn(&Place) -> Option<Tree<'a>>, target: Target) -> Rendered {
        let (mut rendered, mut quotes) = (Rendered::default(), Quotes::default());
        for part in &self.0 {
            let (place, shown, fallback) = match part {
                Part::Text(text) => {
                    quotes.pass(text);
                    rendered.push(text);
                    continue;
                }
                Part::Value { place, shown, fallback } => (place, shown, fallback),
            };
            let found = find(place).filter(|found| *found != Tree::Null);
            let is_whole = target == Target::Json && !quotes.is_inside;
            match (found, fallback) {
                (Some(found), _) if is_whole => rendered.push(&found.to_json()),
                (Some(found), _) => rendered.push(&fit(&cut(&found.to_text()), target)),
                (None, Some(fallback)) if is_whole => rendered.push(&whole(fallback)),
                (None, Some(fallback)) => rendered.push(&fit(fallback, target)),
                (None, None) => {
                    if is_whole {
                        rendered.push("null");
                    }
                    if !rendered.missing.contains(shown) {
                        rendered.missing.push(shown.clone());
                    }
                }
            }
        }
        rendered
    }
}

impl<'a> Source<'a> {
    fn find(&self, place: &Place) -> Option<Tree<'a>> {
        let keys = match place {
            Place::Keys(keys) => keys,
            Place::Fact(fact) => return self.fact(*fact).map(|text| Tree::Text(text.into())),
        };
        let found = keys.iter().try_fold(self.payload, |tree, key| tree.get(key));
        found.cloned().or_else(|| Tree::read(self.mapped.get(&keys.join("."))?))
    }

    fn fact(&self, fact: Fact) -> Option<&'a str> {
        match fact {
            Fact::Event => Some(self.facts.event),
            Fact::Name => Some(self.facts.name),
            Fact::Resource => self.facts.resource,
            Fact::ResourceId => self.facts.resource_id,
            Fact::ExternalId => self.facts.external_id,
        }
    }
}

/// A value's text, made fit for where it is going.
pub fn fit(text: &str, target: Target) -> String {
    let escaped = |pairs: &[(char, &str)]| {
        let mut fit = String::with_capacity(text.len());
        for c in text.chars() {
            match pairs.iter().find(|(from, _)| *from == c) {
                Some((_, to)) => fit.push_str(to),
                None => fit.push(c),
            }
        }
        fit
    };
    match target {
        Target::Plain => text.to_owned(),
        Target::Line => text.chars().filter(|c| !is_break(*c)).collect(),
        Target::Slack => escaped(&[('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")]),
        Target::Html => escaped(&[
            ('&', "&amp;"),
            ('<', "&lt;"),
            ('>', "&gt;"),
            ('"', "&quot;"),
            ('\'', "&#39;"),
        ]),
        Target::Form => byte_serialize(text.as_bytes()).collect(),
        Target::Json => {
            let quoted = json!(text).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
    }
}

/// What could end a line, in any reader's eyes.
fn is_break(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// A fallback where a whole JSON value stands: as it is if it is one, else as a text.
fn whole(fallback: &str) -> String {
    match serde_json::from_str::<IgnoredAny>(fallback) {
        Ok(_) => fallback.to_owned(),
        Err(_) => json!(fallback).to_string(),
    }
}

/// Whether a place in a JSON text is between quotes.
#[derive(Default)]
struct Quotes {
    is_inside: bool,
    is_escaped: bool,
}

impl Quotes {
    fn pass(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                _ if self.is_escaped => self.is_escaped = false,
                '\\' if self.is_inside => self.is_escaped = true,
                '"' => self.is_inside = !self.is_inside,
                _ => {}
            }
        }
    }
}

fn no_path(inside: &str, character: usize) -> Reason {
    let inside = cut(inside);
    let facts: Vec<&str> = FACTS.iter().map(|(name, _)| *name).collect();
    if inside.trim().starts_with('$') {
        return Reason::NoFact(inside, character, facts.join(", "));
    }
    Reason::NoPath(inside, character)
}

/// Where the closing braces stand; those in quotes are none.
fn end_of(text: &str) -> Option<usize> {
    let (mut in_quotes, mut is_escaped, mut before) = (false, false, ' ');
    for (index, c) in text.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' if in_quotes || before == '[' => in_quotes = !in_quotes,
            '}' if !in_quotes && text[index..].starts_with("}}") => return Some(index),
            _ => {}
        }
        before = c;
    }
    None
}

/// The path and the fallback; a bar in quotes is part of the path.
fn split(inside: &str) -> (&str, Option<&str>) {
    let (mut in_quotes, mut is_escaped, mut before) = (false, false, ' ');
    for (index, c) in inside.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if in_quotes => is_escaped = true,
            '"' if in_quotes || before == '[' => in_quotes = !in_quotes,
            '|' if !in_quotes => return (&inside[..index], Some(&inside[index + 1..])),
            _ => {}
        }
        before = c;
    }
    (inside, None)
}

fn place(path: &str) -> Option<Place> {
    if let Some((_, fact)) = FACTS.iter().find(|(name, _)| *name == path) {
        return Some(Place::Fact(*fact));
    }
    keys(path).map(Place::Keys)
}

/// The keys of a path: words joined by dots, and `["any key"]`.
fn keys(path: &str) -> Option<Vec<String>> {
    let (mut keys, mut rest) = (Vec::new(), path);
    loop {
        if rest.starts_with('[') {
            let mut texts = serde_json::Deserializer::from_str(&rest[1..]).into_iter::<String>();
            let key = texts.next()?.ok()?;
            rest = rest[1 + texts.byte_offset()..].strip_prefix(']')?;
            keys.push(key);
        } else {
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
            let begins_well = !keys.is_empty() || !rest.starts_with(|c: char| c.is_ascii_digit());
            if end == 0 || !begins_well {
                return None;
            }
            keys.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        match rest.chars().next() {
            None => return Some(keys),
            Some('.') => rest = &rest[1..],
            Some('[') => {}
            Some(_) => return None,
        }
        if rest.is_empty() {
            return None;
        }
    }
}

/// The beginning of a value that is too long for a text.
fn cut(text: &str) -> String {
    shorten(text, TEMPLATE_VALUE_CHARS_MAX)
}

/// A text of at most so many characters; one that is cut ends with an ellipsis.
pub fn shorten(text: &str, chars_max: usize) -> String {
    match text.char_indices().nth(chars_max) {
        Some(_) => {
            let kept: String = text.chars().take(chars_max.saturating_sub(1)).collect();
            format!("{kept}…")
        }
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
