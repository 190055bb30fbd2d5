//! The one error type. The text for the caller (`message`, `fields`) and the text for the log
//! (`detail`) are different fields, so inner text cannot reach a caller by accident. Only
//! `http/problem.rs` maps kinds of errors to HTTP statuses.

use std::fmt;

use crate::domain::base::reason::{Reason, Told};

/// What went wrong, from the caller's point of view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request is malformed; `fields` says where.
    Invalid,
    /// No credentials, or credentials that do not hold.
    Unauthenticated,
    /// The caller may see this and not do it.
    Forbidden,
    /// Not there, or not the caller's to see.
    NotFound,
    /// It contradicts what is stored.
    Conflict,
    /// It was here and was erased.
    Gone,
    /// The record is no longer the one that `If-Match` names.
    PreconditionFailed,
    /// Larger than a limit.
    TooLarge,
    /// A body of a type we do not read.
    UnsupportedMediaType,
    /// What is asked for is under way already; later it can be asked again.
    TooEarly,
    /// The caller has made too many requests.
    RateLimited,
    /// Well-formed, and refused by a rule.
    Refused,
    /// A dependency did not answer; trying again later helps.
    Unavailable,
    /// Our own fault.
    Internal,
}

/// The exact cause, for programs that handle one conflict or refusal differently from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The same is there already.
    Duplicate,
    /// The name is another record's.
    NameTaken,
    /// What is asked for was erased.
    Erased,
    /// The event would go round in a circle.
    Loop,
    /// Something else still needs it.
    InUse,
    /// The connection takes no deliveries.
    ConnectionInactive,
    /// There is as much as may be.
    Quota,
    /// A filter costs too much to judge.
    FilterTooCostly,
    /// A template cannot be filled.
    Template,
    /// The receiver does not take the credentials.
    CredentialsRefused,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Duplicate,
        Self::NameTaken,
        Self::Erased,
        Self::Loop,
        Self::InUse,
        Self::ConnectionInactive,
        Self::Quota,
        Self::FilterTooCostly,
        Self::Template,
        Self::CredentialsRefused,
    ];

    /// The word in answers (the wire contract).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::NameTaken => "name_taken",
            Self::Erased => "erased",
            Self::Loop => "loop",
            Self::InUse => "in_use",
            Self::ConnectionInactive => "connection_inactive",
            Self::Quota => "quota",
            Self::FilterTooCostly => "filter_too_costly",
            Self::Template => "template",
            Self::CredentialsRefused => "credentials_refused",
        }
    }
}

/// One field that was wrong. `param` is a path such as `metadata.url` or `[3].event`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Path of the field in the request.
    pub param: String,
    /// What was wrong with it, and the limit it broke.
    pub msg: String,
    /// Why it was not taken, where pages have words of their own for it.
    pub why: Option<Reason>,
}

impl FieldError {
    /// What is wrong with a field.
    pub fn new(param: impl Into<String>, told: impl Into<Told>) -> Self {
        Self::of(param.into(), told.into())
    }

    #[inline(never)]
    fn of(param: String, Told { text, why }: Told) -> Self {
        Self { param, msg: text, why }
    }
}

/// An error with one text for the caller and one for the log.
///
/// It is one pointer wide: errors pass through most functions, and each of them carries room for
/// one (with its parts in line the module was a twentieth larger).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Parts>);

/// What an [`Error`] says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What went wrong.
    pub kind: Kind,
    /// What exactly, where a program may need to know.
    pub code: Option<Code>,
    /// Told to the caller.
    pub message: String,
    /// The fields that were wrong, for the caller.
    pub fields: Vec<FieldError>,
    /// Seconds after which to try again, where that is known better than by its kind.
    pub retry_after_s: Option<u32>,
    /// Told to the log only.
    pub detail: String,
    /// Whether a database refused the data that it was given, so that trying again does not help.
    is_refused_data: bool,
}

/// The message for the caller of a read when a dependency does not answer.
const UNAVAILABLE: &str = "Something that is needed does not answer. Try again";
/// The message for the caller of a change then.
const UNKNOWN_CHANGE: &str = "It is unknown whether this was done: something needed does not \
    answer. Look at it, then try again";

/// Shorthand for results with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` with its message for the caller.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Parts {
            kind,
            code: None,
            message,
            fields: Vec::new(),
            retry_after_s: None,
            detail: String::new(),
            is_refused_data: false,
        }))
    }

    /// A malformed request.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// One field that is malformed.
    pub fn field(param: impl Into<String>, told: impl Into<Told>) -> Self {
        Self::fields(vec![FieldError::new(param, told)])
    }

    /// Several fields that are malformed; the first gives the message.
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let mut error = Self::invalid(first_of(&fields));
        error.fields = fields;
        error
    }

    /// `noun` does not exist for this caller. The same words whether it exists elsewhere or not.
    pub fn not_found(noun: &str) -> Self {
        Self::new(Kind::NotFound, format!("No such {noun}"))
    }

    /// `param` has as many of `what` as it may have.
    pub fn quota(param: &str, what: &str, most: Option<u32>) -> Self {
        let most = most.unwrap_or_default();
        let msg = format!("has {most} {what}, the most that it may have");
        Self::field(param, msg).of_kind(Kind::Refused).with_code(Code::Quota)
    }

    /// Missing or unusable credentials.
    pub fn unauthenticated(message: impl Into<String>) -> Self {
        Self::new(Kind::Unauthenticated, message)
    }

    /// Our own fault: the caller learns that, the log learns `detail`.
    pub fn internal(detail: impl Into<String>) -> Self {
        let told = "Something went wrong on our side. The request id finds it in our logs";
        Self::new(Kind::Internal, told).with_detail(detail.into())
    }

    /// A dependency did not answer: the caller may try again, the log learns `detail`.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, UNAVAILABLE).with_detail(detail.into())
    }

    /// A database refused the data that it was given: our own fault.
    pub fn refused_data(detail: impl Into<String>) -> Self {
        let mut error = Self::internal(detail);
        error.is_refused_data = true;
        error
    }

    /// Whether a database refused the data that it was given.
    pub fn is_refused_data(&self) -> bool {
        self.is_refused_data
    }

    /// The same error; where it is `Unavailable`, with what that means for this caller.
    pub fn unavailable_means(mut self, message: &str) -> Self {
        if self.kind == Kind::Unavailable {
            message.clone_into(&mut self.message);
        }
        self
    }

    /// Where a change is `Unavailable` and nothing finer is known: it may have been made.
    pub fn of_change(self) -> Self {
        let is_plain = self.message == UNAVAILABLE;
        if is_plain { self.unavailable_means(UNKNOWN_CHANGE) } else { self }
    }

    /// The same error with what the log learns.
    pub fn with_detail(mut self, detail: String) -> Self {
        self.detail = detail;
        self
    }

    /// What was wrong with each field.
    pub fn into_fields(self) -> Vec<FieldError> {
        self.0.fields
    }

    /// The same error of another kind, for instance a limit on one field that means "too large".
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// The same error with the seconds after which to try again.
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The same error with a word for what exactly stood in the way.
    pub fn with_code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    /// The same error with every field's path put below `prefix`.
    pub fn below(mut self, prefix: &str) -> Self {
        for field in &mut self.fields {
            field.param = join(prefix, &field.param);
        }
        if !self.fields.is_empty() {
            self.message = first_of(&self.fields);
        }
        self
    }
}

impl std::ops::Deref for Error {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Parts {
        &mut self.0
    }
}

/// The message of malformed fields tells the first.
fn first_of(fields: &[FieldError]) -> String {
    match fields.first() {
        Some(first) if first.param.is_empty() => format!("The body {}", first.msg),
        Some(first) => format!("{}: {}", first.param, first.msg),
        None => "The request is not valid".to_owned(),
    }
}

fn join(prefix: &str, param: &str) -> String {
    match (prefix.is_empty(), param.is_empty()) {
        (true, _) => param.to_owned(),
        (_, true) => prefix.to_owned(),
        _ => format!("{prefix}.{param}"),
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} ({})", self.kind, self.message, self.detail)
    }
}

impl std::error::Error for Error {}
