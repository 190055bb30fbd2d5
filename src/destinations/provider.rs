//! What destinations of providers share: keys, whom an event is about, JSON that keeps numbers as
//! they were written, and lists in pages.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use url::form_urlencoded;

use crate::destinations::call::{Call, Item, Listing, OutboundRequest, Verdict};
use crate::destinations::model::Pattern;
use crate::destinations::reading::Body;
use crate::domain::base::tree::Tree;
use crate::domain::delivery::attempt::Answer;

/// Bytes of an answer that are read where something is looked up in it.
pub const LOOKUP_BYTES_MAX: usize = 256 * 1024;
/// An address is no longer than this (RFC 5321).
const EMAIL_CHARS_MAX: usize = 254;
const TOKEN_CHARS_MAX: usize = 1_024;

/// A key or token of a provider. Their makes change; what can stand in a header is taken.
pub const TOKEN: Pattern = Pattern {
    regex: "[!-~]{1,1024}",
    fits: is_token,
    told: "must be 1 to 1024 printable ASCII characters without spaces",
};

fn is_token(text: &str) -> bool {
    (1..=TOKEN_CHARS_MAX).contains(&text.len()) && text.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

/// Whether a text is one e-mail address and nothing else.
pub fn is_email(text: &str) -> bool {
    let is_plain = |c: char| {
        !c.is_whitespace() && !c.is_control() && !",;:<>()[]\"\\".contains(c) && c != '\u{feff}'
    };
    let (local, host) = text.split_once('@').unwrap_or_default();
    let has_both = !local.is_empty() && !host.is_empty() && !host.contains('@');
    has_both && text.chars().count() <= EMAIL_CHARS_MAX && text.chars().all(is_plain)
}

/// The e-mail address of the person that an event is about.
///
/// # Errors
/// That the event names nobody: it is refused for good, and the connection is well.
pub fn email(call: &Call<'_>) -> Result<String, Verdict> {
    let mapped = mapped_text(call, "email");
    let in_payload = || call.tree().get("email").map(Tree::to_text);
    let email = mapped.or_else(in_payload).unwrap_or_default().trim().to_owned();
    if email.is_empty() {
        return Err(Verdict::refused("There is no e-mail address: the payload has no email"));
    }
    if !is_email(&email) {
        return Err(Verdict::refused("There is no e-mail address: the payload's email is none"));
    }
    Ok(email)
}

/// The text of a mapped field.
pub fn mapped_text(call: &Call<'_>, key: &str) -> Option<String> {
    let text = Tree::read(call.mapped.get(key)?)?.to_text();
    (!text.is_empty()).then_some(text)
}

/// The mapped fields but those with these names, each with the JSON text of its value.
pub fn others<'a>(call: &Call<'a>, but: &[&str]) -> Vec<(&'a str, &'a str)> {
    let all = call.mapped.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    all.filter(|(key, _)| !but.contains(key)).collect()
}

/// What a rule chose from a live list.
///
/// # Errors
/// That no rule says it.
pub fn chosen<'a>(call: &Call<'a>, noun: &str) -> Result<&'a str, Verdict> {
    match call.says("id") {
        "" | "." | ".." => {
            Err(Verdict::refused(format!("There is no {noun} to use: no rule names one yet")))
        }
        id => Ok(id),
    }
}

/// A text as one part of a path.
pub fn part(text: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    utf8_percent_encode(text, KEPT).to_string()
}

/// A query of these fields.
pub fn query(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// An object made of JSON texts. Numbers stay as they were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object(Vec<String>);

impl Object {
    /// An object with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with a field, given as a JSON text.
    pub fn json(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.0.push(format!("{}:{value}", json!(key)));
        self
    }

    /// The same with a text.
    pub fn text(self, key: &str, text: &str) -> Self {
        self.json(key, json!(text))
    }

    /// The same with these fields, given as JSON texts.
    pub fn all(self, fields: &[(&str, &str)]) -> Self {
        fields.iter().fold(self, |object, (key, value)| object.json(key, value))
    }

    /// The same with the fields of another one.
    pub fn extend(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }

    /// The same with a field, unless it is an object without fields.
    pub fn object(self, key: &str, object: &Self) -> Self {
        if object.is_empty() { self } else { self.json(key, object) }
    }

    /// The same with a mapped field under the provider's name for it, if there is one.
    pub fn mapped(self, call: &Call<'_>, from: &str, key: &str) -> Self {
        match call.mapped.get(from) {
            Some(value) => self.json(key, value),
            None => self,
        }
    }

    /// Whether it has no fields.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}", self.0.join(","))
    }
}

/// What people are told of an answer that is no success.
pub fn told(verdict: &Verdict, answer: &Answer) -> String {
    match verdict {
        Verdict::Permanent { told, .. } | Verdict::Unauthorized(told) => told.clone(),
        _ => answer.error().unwrap_or_else(|| "The answer says nothing".to_owned()),
    }
}

/// A live list in pages.
pub struct Pages<'a> {
    /// The pages so far.
    pub answers: &'a [Answer],
    /// What an answer says.
    pub verdict: fn(&Answer, i64) -> Verdict,
    /// What stands in a page.
    pub items: &'a dyn Fn(&Body) -> Vec<Item>,
    /// The page after this one, the last so far, where so many items were read from all of them;
    /// without a page the first one.
    pub ask: &'a dyn Fn(Option<&Body>, usize) -> Option<OutboundRequest>,
}

impl Pages<'_> {
    /// What follows from the pages so far.
    pub fn listing(&self) -> Listing {
        let (mut items, mut last) = (Vec::new(), None);
        for answer in self.answers {
            let verdict = (self.verdict)(answer, 0);
            if verdict != Verdict::Delivered {
                return Listing::Done(items, Some(told(&verdict, answer)));
            }
            let body = Body::of(answer);
            items.extend((self.items)(&body));
            last = Some(body);
        }
        match (self.ask)(last.as_ref(), items.len()) {
            Some(request) => Listing::Send(request),
            None => Listing::Done(items, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_nothing_else() {
        for (text, is_one) in [
            ("a@b.c", true),
            ("first.last+tag@sub.example.com", true),
            ("ü@bücher.example", true),
            ("a@b.c,d@e.f", false),
            ("a@b.c d@e.f", false),
            ("a@b@c", false),
            ("A <a@b.c>", false),
            ("a@b.c\r\nBcc: d@e.f", false),
            ("@b.c", false),
            ("a@", false),
            ("", false),
        ] {
            assert_eq!(is_email(text), is_one, "{text:?}");
        }
        assert!(!is_email(&format!("{}@b.c", "a".repeat(251))));
    }

    #[test]
    fn numbers_keep_their_text_and_keys_are_quoted() {
        let object = Object::new().text("a\"", "x\"").json("n", "1.50").object("o", &Object::new());
        assert_eq!(object.to_string(), r#"{"a\"":"x\"","n":1.50}"#);
        assert_eq!(part("a+b@c.d/.."), "a%2Bb%40c.d%2F..");
    }
}
