//! Why a field was not taken, as far as people meet it in forms: each language of the embed has its
//! own words for it. The English ones are those of the API.

use std::fmt;

/// Why a field was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// It is missing.
    Required,
    /// It is missing, and this field asks for it.
    RequiredWith(&'static str),
    /// It is none of these words.
    OneOf(String),
    /// It is no whole number.
    WholeNumber,
    /// It is smaller than this.
    AtLeast(i64),
    /// It does not have 1 to so many characters.
    Chars(usize),
    /// It has more characters than these.
    CharsMost(usize),
    /// It is no text.
    Text,
    /// It is neither `true` nor `false`.
    TrueOrFalse,
    /// It is neither a number nor a text.
    NumberOrText,
    /// It is a list or an object.
    Scalar,
    /// It is no time zone.
    Zone,
    /// It is no path of a mapping, which has at most so many characters.
    Path(usize),
    /// This stands there already.
    Twice(String),
    /// It cannot be the name of a header, which has at most so many characters.
    HeaderName(usize),
    /// It cannot be the value of a header, which has at most so many bytes.
    HeaderValue(usize),
    /// The value of a new header is missing.
    NewHeader,
    /// This header is not for customers, and why.
    HeaderTaken(String, &'static str),
    /// This header stands there already.
    HeaderTwice(String),
    /// The URL may not be called, and why.
    Url(String),
    /// It is not written as a value of this kind is.
    Pattern(&'static str),
    /// It is longer than so many bytes, or has control characters.
    Half(usize),
    /// It cannot stand before a signature: it has more than so many characters, or others.
    Prefix(usize),
    /// A user name has a colon.
    Colon,
    /// It was given for another receiver.
    EnterAgain,
    /// The receiver does not take it, and what it said.
    Refused(String),
    /// Braces of a template, which open at this character, are never closed.
    Unclosed(usize),
    /// What stands in a template at this character is no path.
    NoPath(String, usize),
    /// What stands in a template at this character is none of the facts.
    NoFact(String, usize, String),
    /// A backslash stands before this part of a template.
    Backslash(String),
    /// A template gives no JSON.
    NoJsonOnceFilled(String),
    /// It is no JSON, and where that is seen.
    NoJson(String),
    /// Names of a filter's path are empty.
    Names,
    /// A filter's path has a backslash that means nothing.
    Escape,
    /// A filter has no such operator; these are there.
    Operator(String),
    /// A number of a filter would not be kept by every reader of JSON.
    Inexact,
    /// It is not built as a filter is, and how it is not.
    Shape(&'static str),
    /// A filter is larger than may be.
    Large(String),
    /// A range of time ends before it begins.
    EndsBefore,
    /// A range of time is longer than so many days.
    RangeMost(i64),
    /// Of these credentials there is exactly one; there is none, or more than one.
    ExactlyOne(bool, String),
    /// An action needs what this input asks for.
    RequiredInput(&'static str, &'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Required => f.write_str("is required"),
            Self::RequiredWith(key) => write!(f, "is required with this {key}"),
            Self::OneOf(words) => write!(f, "must be one of {words}"),
            Self::WholeNumber => f.write_str("must be a whole number"),
            Self::AtLeast(least) => write!(f, "must be at least {least}"),
            Self::Chars(most) => write!(f, "must be 1 to {most} characters"),
            Self::CharsMost(most) => write!(f, "must be at most {most} characters"),
            Self::Text => f.write_str("must be a string"),
            Self::TrueOrFalse => f.write_str("must be true or false"),
            Self::NumberOrText => f.write_str("must be a number or a string"),
            Self::Scalar => f.write_str("must be a string, a number, true, false or null"),
            Self::Zone => f.write_str("must be UTC or an offset such as +02:00"),
            Self::Path(most) => {
                write!(f, "must be a path such as user.name, of 1 to {most} characters")
            }
            Self::Twice(what) => write!(f, "{what} stands twice"),
            Self::HeaderName(most) => write!(f, "must be a header name of 1 to {most} characters"),
            Self::HeaderValue(most) => write!(
                f,
                "must be 1 to {most} printable ASCII characters without space around them"
            ),
            Self::NewHeader => f.write_str("is required for a new header"),
            Self::HeaderTaken(name, why) => write!(f, "must be another header: {name} {why}"),
            Self::HeaderTwice(name) => write!(f, "must be another header: {name} is used twice"),
            Self::Url(why) => f.write_str(why),
            Self::Pattern(told) | Self::Shape(told) => f.write_str(told),
            Self::Half(most) => {
                write!(f, "must be at most {most} bytes without control characters")
            }
            Self::Prefix(most) => write!(f, "must be at most {most} printable characters"),
            Self::Colon => f.write_str("must not contain a colon (RFC 7617)"),
            Self::EnterAgain => f.write_str(
                "must be entered again, because the URL leads to another scheme, host or port",
            ),
            Self::Refused(told) => write!(f, "is refused. {told}"),
            Self::Unclosed(at) => {
                write!(f, "the braces that open at character {at} are never closed")
            }
            Self::NoPath(inside, at) => write!(
                f,
                "{{{{{inside}}}}} at character {at} is not a path such as {{{{user.name}}}}"
            ),
            Self::NoFact(inside, at, known) => {
                write!(f, "{{{{{inside}}}}} at character {at} is none of {known}")
            }
            Self::Backslash(path) => write!(f, "a backslash stands before {{{{{path}}}}}"),
            Self::NoJsonOnceFilled(error) => {
                write!(f, "is not JSON once it is filled in: {error}")
            }
            Self::NoJson(error) => write!(f, "is not valid JSON: {error}"),
            Self::Names => {
                f.write_str("must be names with single dots between them, such as order.total")
            }
            Self::Escape => f.write_str("has a \\ before something else than . or \\"),
            Self::Operator(words) => write!(f, "is not an operator; there are {words}"),
            Self::Inexact => {
                f.write_str("must be a whole number of 64 bits or a decimal of 15 digits")
            }
            Self::Large(told) => f.write_str(told),
            Self::EndsBefore => f.write_str("must be later than since"),
            Self::RangeMost(days) => write!(f, "must be at most {days} days later than since"),
            Self::ExactlyOne(true, of) => {
                write!(f, "is required: there is exactly one of {of}")
            }
            Self::ExactlyOne(false, of) => {
                write!(f, "cannot stand beside the others: there is exactly one of {of}")
            }
            Self::RequiredInput(action, label) => {
                write!(f, "is required: {action} needs its {label}")
            }
        }
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.to_string()
    }
}

/// What is wrong with a field: in English, and why where there are words of other languages for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// In English.
    pub text: String,
    /// Why.
    pub why: Option<Reason>,
}

impl From<Reason> for Told {
    // Once in the module, and not at each check.
    #[inline(never)]
    fn from(why: Reason) -> Self {
        Self { text: why.to_string(), why: Some(why) }
    }
}

impl From<String> for Told {
    fn from(text: String) -> Self {
        Self { text, why: None }
    }
}

impl From<&str> for Told {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}
