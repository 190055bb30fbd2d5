//! What goes in and comes out of an attempt, of a test of credentials and of the reading of a live
//! list: the call, the request, the verdict.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::destinations::model::Values;
use crate::domain::base::limits::EXCERPT_BYTES_MAX;
use crate::domain::base::secret::Secret;
use crate::domain::base::tree::Tree;
use crate::domain::connection::model::Credentials;
use crate::domain::delivery::state::EndReason;
use crate::domain::routing::rule::Metadata;
use crate::domain::routing::template::Facts;

/// What a connection can sign in with.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Its settings.
    pub values: &'a Values,
    /// Its credentials.
    pub credentials: &'a Credentials,
}

impl Account<'_> {
    /// A credential; the empty text when it has none of this name.
    pub fn credential(&self, key: &str) -> &str {
        self.credentials.get(key).map_or("", |secret| secret.expose())
    }
}

/// Fields of a provider by name, each the JSON text of its value.
pub type Mapped = BTreeMap<String, String>;

/// What the requests of one attempt are made of.
pub struct Call<'a> {
    /// What the connection can sign in with.
    pub account: Account<'a>,
    /// What the rule asks for.
    pub action: &'a str,
    /// What the action needs to know.
    pub metadata: &'a Metadata,
    /// What the connection's mapping made of the payload.
    pub mapped: &'a Mapped,
    /// Live signing secrets, newest first.
    pub secrets: &'a [Secret],
    /// Time for the whole attempt.
    pub timeout_ms: i64,
    /// The event's id.
    pub event: &'a str,
    /// The event's name.
    pub name: &'a str,
    /// The event's resource.
    pub resource: Option<&'a str>,
    /// The event's resource id.
    pub resource_id: Option<&'a str>,
    /// What the product itself calls the customer.
    pub external_id: Option<&'a str>,
    /// The payload's exact text.
    pub payload: &'a str,
    /// When the event was accepted.
    pub created_at_ms: i64,
    /// How many webhooks what the event tells has gone through before this one.
    pub hops: u32,
    /// Id that stays the same over all attempts.
    pub message_id: &'a str,
    /// Whether the event was sent to try the connection out.
    pub is_test: bool,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// The moment of this attempt.
    pub now_ms: i64,
}

impl<'a> Call<'a> {
    /// The payload, to look things up in. Its numbers stay as they are written.
    pub fn tree(&self) -> Tree<'a> {
        Tree::read(self.payload).unwrap_or(Tree::Null)
    }

    /// What the rule says at a key of its metadata; the empty text when it says nothing.
    pub fn says(&self, key: &str) -> &'a str {
        self.metadata.get(key).map_or("", String::as_str)
    }

    /// What templates can name beside the payload.
    pub fn facts(&self) -> Facts<'a> {
        Facts {
            event: self.event,
            name: self.name,
            resource: self.resource,
            resource_id: self.resource_id,
            external_id: self.external_id,
        }
    }
}

/// What an attempt does next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It sends this and waits for the answer.
    Send(OutboundRequest),
    /// It is over.
    Done(Verdict),
}

/// The requests of one attempt are no more than this.
pub const STEPS_MAX: usize = 4;

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has it.
    Delivered,
    /// The schedule goes on, but not before so many milliseconds have passed if that is known.
    Retry(Option<i64>),
    /// The same, and the receiver wants fewer requests.
    Throttled(Option<i64>),
    /// It is never tried again. The connection is well.
    Permanent {
        /// Why.
        reason: EndReason,
        /// What people are told.
        told: String,
    },
    /// The credentials do not hold any more.
    Unauthorized(String),
    /// The receiver is gone for good: it is never tried again and the connection becomes inactive.
    Gone,
    /// The receiver wants nothing more for now: the connection becomes inactive.
    Disabled,
}

impl Verdict {
    /// It is refused for good, and this is what people are told.
    pub fn refused(told: impl Into<String>) -> Self {
        Self::Permanent { reason: EndReason::Rejected, told: told.into() }
    }
}

/// A request to a customer's endpoint or a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundRequest {
    /// Its method.
    pub method: String,
    /// Where to. The URL guard is asked before it is sent.
    pub url: String,
    /// What people see in its place, where the URL itself is a credential.
    pub public_url: Option<String>,
    /// Headers in order.
    pub headers: Vec<OutboundHeader>,
    /// The exact bytes; none for a request without a body.
    pub body: Vec<u8>,
    /// What the body is made of.
    pub content: Content,
    /// What people should know of how it was made.
    pub notes: Vec<String>,
    /// Time for headers and body of the answer together, from the start of the request.
    pub timeout_ms: i64,
    /// Bytes of the answer's body that are read.
    pub answer_bytes_max: usize,
}

impl OutboundRequest {
    /// A request without a body and with none but our own `user-agent`. Who sends it sets its time.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        let agent = concat!("Posthorn/", env!("CARGO_PKG_VERSION"));
        Self {
            method: method.to_owned(),
            url: url.into(),
            public_url: None,
            headers: vec![OutboundHeader::plain("user-agent", agent)],
            body: Vec::new(),
            content: Content::Rendered,
            notes: Vec::new(),
            timeout_ms: 0,
            answer_bytes_max: EXCERPT_BYTES_MAX,
        }
    }

    /// The same with a header that may be shown; it takes the place of one of this name.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|header| !header.name.eq_ignore_ascii_case(name));
        self.headers.push(OutboundHeader::plain(name, value));
        self
    }

    /// The same with a header whose value is a credential.
    pub fn secret_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(OutboundHeader::secret(name, value));
        self
    }

    /// The same signed in with a token.
    pub fn bearer(self, token: &str) -> Self {
        self.secret_header("authorization", &format!("Bearer {token}"))
    }

    /// The same signed in with a name and a password.
    pub fn basic(self, name: &str, password: &str) -> Self {
        let pair = STANDARD.encode(format!("{name}:{password}"));
        self.secret_header("authorization", &format!("Basic {pair}"))
    }

    /// The same with a JSON text as its body.
    pub fn json(self, body: impl Into<String>) -> Self {
        self.body("application/json", body)
    }

    /// The same with a form as its body.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", body)
    }

    /// The same with a body of some type.
    pub fn body(mut self, content_type: &str, body: impl Into<String>) -> Self {
        self = self.header("content-type", content_type);
        self.body = body.into().into_bytes();
        self
    }

    /// The same with what people see in place of its URL.
    pub fn shown_as(mut self, url: &str) -> Self {
        self.public_url = Some(url.to_owned());
        self
    }

    /// The same with what people should know of how it was made.
    pub fn noting(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The request as it is recorded: its body only where that could not be made again.
    pub fn recorded(&mut self) -> Self {
        let body = std::mem::take(&mut self.body);
        let mut recorded = self.clone();
        self.body = body;
        if self.content == Content::Rendered {
            recorded.body.clone_from(&self.body);
        }
        recorded
    }

    /// The URL as it may be kept and shown.
    pub fn shown_url(&self) -> &str {
        self.public_url.as_deref().unwrap_or(&self.url)
    }
}

/// What a request's body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The payload's text.
    Payload,
    /// The payload's text in an envelope.
    Wrapped,
    /// What a destination made of rule and payload. It cannot be made again once the rule has
    /// changed, so its beginning is kept.
    Rendered,
}

/// A header of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Whether the value is a receiver credential, to be masked wherever it is kept.
    pub is_secret: bool,
}

impl OutboundHeader {
    /// A header that may be shown.
    pub fn plain(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), is_secret: false }
    }

    /// A header whose value is a credential.
    pub fn secret(name: &str, value: &str) -> Self {
        Self { is_secret: true, ..Self::plain(name, value) }
    }
}

/// One item of a live list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What a rule's metadata holds.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What there is to choose below it, as (value, label).
    pub options: Vec<(String, String)>,
}

impl Item {
    /// An item with nothing below it.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), options: Vec::new() }
    }
}

/// What follows in the reading of a live list from the pages so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// Ask for this page.
    Send(OutboundRequest),
    /// All of it; or what there is of it, with why there is no more.
    Done(Vec<Item>, Option<String>),
}
