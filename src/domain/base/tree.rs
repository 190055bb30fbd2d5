//! A JSON text as a tree. Numbers stay as they are written, so that they can be compared exactly,
//! however large or precise they are. Filters and templates read payloads in this way. What is
//! stored, and what a webhook is sent, is always the text.

use std::borrow::Cow;
use std::cmp::Ordering;

/// A value of a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number<'a>),
    /// A text. One that no text can hold (half of a surrogate pair) is as it is written, with its
    /// quotes.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Tree<'a>>),
    /// An object, with all its keys in order.
    Object(Vec<(Cow<'a, str>, Tree<'a>)>),
}

/// A number as it is written. A long one is taken apart when it is read and never again, however
/// often it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number<'a> {
    text: &'a str,
    read: Option<Box<Decimal<'a>>>,
}

impl<'a> Number<'a> {
    /// Texts up to this length are taken apart when they are compared: that is cheaper than memory.
    const SHORT: usize = 40;

    /// The number with this text.
    pub fn new(text: &'a str) -> Self {
        let read = (text.len() > Self::SHORT).then(|| Box::new(Decimal::read(text)));
        Self { text, read }
    }

    /// Its text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// How many digits it has, leading and trailing zeros left out.
    pub fn digits(&self) -> usize {
        self.read().count
    }

    /// It, taken apart.
    pub fn read(&self) -> Decimal<'a> {
        self.read.as_deref().copied().unwrap_or_else(|| Decimal::read(self.text))
    }

    /// Compares it with another one by value.
    pub fn compare(&self, other: &str) -> Ordering {
        self.read().compare(&Decimal::read(other))
    }
}

impl<'a> Tree<'a> {
    /// Reads a text that is known to be JSON and not nested deeper than payloads may be; of others
    /// `None` or anything comes.
    pub fn read(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0 };
        reader.value()
    }

    /// Its text for people: a text without quotes, nothing for `null`, lists and objects as JSON.
    pub fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => text.clone().into_owned(),
            other => other.to_json(),
        }
    }

    /// Its JSON text. Numbers are as they were written.
    pub fn to_json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Number(number) => number.text().to_owned(),
            Self::Text(text) => quoted(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(","))
            }
            Self::Object(entries) => {
                let entry = |(key, value): &(Cow<'_, str>, Self)| {
                    format!("{}:{}", quoted(key), value.to_json())
                };
                let entries: Vec<String> = entries.iter().map(entry).collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    /// What stands at a key of an object or a place of a list. Of a key that stands twice the last
    /// counts, as most readers have it.
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => {
                entries.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            Self::List(items) => items.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at)?, b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    /// Passes this byte if it is next.
    fn pass(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Passes what follows an item: the end, or a comma.
    fn ends(&mut self, end: u8) -> Option<bool> {
        let next = self.peek()?;
        self.at += 1;
        (next == end || next == b',').then_some(next == end)
    }

    fn value(&mut self) -> Option<Tree<'a>> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.list(),
            b'"' => self.string().map(Tree::Text),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'n' => self.word("null", Tree::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, value: Tree<'a>) -> Option<Tree<'a>> {
        self.at += word.len();
        (self.text.get(self.at - word.len()..self.at) == Some(word)).then_some(value)
    }

    fn number(&mut self) -> Option<Tree<'a>> {
        let (bytes, start) = (self.text.as_bytes(), self.at);
        while let Some(b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E') = bytes.get(self.at) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).filter(|text| !text.is_empty())?;
        Some(Tree::Number(Number::new(text)))
    }

    fn string(&mut self) -> Option<Cow<'a, str>> {
        let rest = self.text.get(self.at..)?;
        let (mut escaped, mut has_escapes) = (false, false);
        for (index, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => (escaped, has_escapes) = (true, true),
                b'"' => {
                    self.at += index + 1;
                    let written = &rest[..=index];
                    if !has_escapes {
                        return Some(Cow::Borrowed(&written[1..index]));
                    }
                    let read = serde_json::from_str(written);
                    return Some(Cow::Owned(read.unwrap_or_else(|_| written.to_owned())));
                }
                _ => {}
            }
        }
        None
    }

    fn list(&mut self) -> Option<Tree<'a>> {
        let mut items = Vec::new();
        self.pass(b'[');
        if self.pass(b']') {
            return Some(Tree::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.ends(b']')? {
                return Some(Tree::List(items));
            }
        }
    }

    fn object(&mut self) -> Option<Tree<'a>> {
        let mut entries = Vec::new();
        self.pass(b'{');
        if self.pass(b'}') {
            return Some(Tree::Object(entries));
        }
        loop {
            (self.peek()? == b'"').then_some(())?;
            let key = self.string()?;
            self.pass(b':').then_some(())?;
            entries.push((key, self.value()?));
            if self.ends(b'}')? {
                return Some(Tree::Object(entries));
            }
        }
    }
}

/// A decimal number: 0.d1d2d3... times ten to the power of `point`. Its digits are those of
/// `whole` and then of `fraction`, `count` of them; zero has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal<'a> {
    is_negative: bool,
    whole: &'a str,
    fraction: &'a str,
    count: usize,
    point: i64,
}

impl<'a> Decimal<'a> {
    /// The number with this text.
    pub fn read(text: &'a str) -> Self {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction, exponent) = match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => (text, "", 0),
            false => parts(text),
        };
        let length = |size: usize| i64::try_from(size).unwrap_or(0);
        // Zeros in front move the point, zeros at the end say nothing.
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let (whole, fraction, shift) = match (whole.is_empty(), fraction.is_empty()) {
            (true, _) => {
                let digits = fraction.trim_start_matches('0');
                ("", digits, length(digits.len()) - length(fraction.len()))
            }
            (false, true) => (whole.trim_end_matches('0'), "", length(whole.len())),
            (false, false) => (whole, fraction, length(whole.len())),
        };
        let count = whole.len() + fraction.len();
        Self { is_negative, whole, fraction, count, point: exponent + shift }
    }

    /// Compares two by value, digit by digit: `1.0` equals `1`, `1e2` equals `100`, and whole
    /// numbers beyond 64 bits are told apart. Signs first, then sizes; digits only where those are
    /// equal, and no more than the shorter has.
    pub fn compare(&self, other: &Decimal<'_>) -> Ordering {
        let points = || self.point.cmp(&other.point);
        let size = || points().then_with(|| self.digits().cmp(other.digits()));
        self.sign().cmp(&other.sign()).then_with(|| match self.sign() {
            0 => Ordering::Equal,
            -1 => size().reverse(),
            _ => size(),
        })
    }

    fn sign(&self) -> i8 {
        match (self.count, self.is_negative) {
            (0, _) => 0,
            (_, true) => -1,
            (_, false) => 1,
        }
    }

    fn digits(&self) -> impl Iterator<Item = u8> {
        self.whole.bytes().chain(self.fraction.bytes())
    }
}

/// A number's digits before and after its point, and its exponent.
fn parts(text: &str) -> (&str, &str, i64) {
    // Exponents beyond this are further apart than any payload has digits.
    const EXPONENT_MAX: i64 = i64::MAX / 4;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let beyond = if exponent.starts_with('-') { -EXPONENT_MAX } else { EXPONENT_MAX };
    let exponent: i64 = exponent.parse().unwrap_or(beyond);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (whole, fraction, exponent.clamp(-EXPONENT_MAX, EXPONENT_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_become_trees() {
        let text = r#" { "a" : [ 1.0 , -2e+3, true,false,null ], "b":{"c":"x\n\u00e9","a":{}} } "#;
        let tree = Tree::read(text).expect("a tree");
        let at = |path: &[&str]| path.iter().try_fold(&tree, |tree, name| tree.get(name)).cloned();
        assert_eq!(at(&["a", "0"]), Some(Tree::Number(Number::new("1.0"))));
        assert_eq!(at(&["a", "1"]), Some(Tree::Number(Number::new("-2e+3"))));
        assert_eq!(at(&["a", "2"]), Some(Tree::Bool(true)));
        assert_eq!(at(&["a", "4"]), Some(Tree::Null));
        assert_eq!(at(&["a", "5"]), None);
        assert_eq!(at(&["b", "c"]), Some(Tree::Text("x\né".into())));
        assert_eq!(at(&["b", "a"]), Some(Tree::Object(Vec::new())));
        assert_eq!(at(&["b", "0"]), None);
        let twice = Tree::read(r#"{"a":1,"a":2,"s":"\ud800"}"#).expect("a tree");
        assert_eq!(twice.get("a"), Some(&Tree::Number(Number::new("2"))));
        assert_eq!(twice.get("s"), Some(&Tree::Text(r#""\ud800""#.into())));
    }

    #[test]
    fn numbers_compare_by_value() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, expected) in [
            ("1", "1.0", Equal),
            ("1e2", "100", Equal),
            ("100", "1E+2", Equal),
            ("0.1", "1e-1", Equal),
            ("-0", "0", Equal),
            ("0e9", "0.00", Equal),
            ("9007199254740993", "9007199254740992", Greater),
            ("12345678901234567890123", "12345678901234567890124", Less),
            ("0.1", "0.10000000000000000001", Less),
            ("1e400", "1e399", Greater),
            ("-1e400", "-1e399", Less),
            ("-1", "1", Less),
            ("-2", "-1", Less),
            ("-1", "0", Less),
            ("0", "0.001", Less),
            ("9", "10", Less),
            ("0.09", "0.1", Less),
            ("1e99999999999999999999", "1e5", Greater),
            ("1e-99999999999999999999", "0", Greater),
        ] {
            assert_eq!(Number::new(a).compare(b), expected, "{a} {b}");
            assert_eq!(Number::new(b).compare(a), expected.reverse(), "{b} {a}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_compare_as_integers(a: i64, b: i64, zeros in 0usize..4) {
            let shown = |n: i64| match zeros {
                0 => n.to_string(),
                zeros => format!("{n}.{}", "0".repeat(zeros)),
            };
            prop_assert_eq!(Number::new(&shown(a)).compare(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn decimals_compare_as_fractions(a in -9999i64..9999, b in -9999i64..9999, at in 0u32..4) {
            // The same digits with the point elsewhere, once as an exponent and once written out.
            let (sign, unit) = (if a < 0 { "-" } else { "" }, 10i64.pow(at));
            let width = at as usize;
            let (whole, part) = (a.abs() / unit, a.abs() % unit);
            let a_text =
                if at == 0 { a.to_string() } else { format!("{sign}{whole}.{part:0width$}") };
            let b_text = format!("{b}e-{at}");
            let compared = Number::new(&a_text).compare(&b_text);
            prop_assert_eq!(compared, a.cmp(&b), "{} {}", a_text, b_text);
        }

        #[test]
        fn anything_is_read_without_panic(text in "[\\[\\]{}\",:\\\\0-9.eE+\\-a-z é]{0,40}") {
            let _ = Tree::read(&text);
        }
    }
}
