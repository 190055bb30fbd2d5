//! How a connection and an event become an outbound request. Pure: the clock, the secrets and the
//! limits come in as arguments. A destination is one file here; so far there is one.

pub mod webhook;

use crate::domain::base::secret::Secret;
use crate::domain::connection::model::Credentials;

/// The type of connection there is. The wire contract's word for it.
pub const WEBHOOK: &str = "webhook";

/// A request to a customer's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundRequest {
    /// `POST`, `PUT` or `PATCH`.
    pub method: String,
    /// A URL that passed the guard.
    pub url: String,
    /// Headers in order.
    pub headers: Vec<OutboundHeader>,
    /// The exact bytes.
    pub body: Vec<u8>,
    /// Time for headers and body of the answer together, from the start of the request.
    pub timeout_ms: i64,
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

/// What a request is made of, beside the connection's settings.
pub struct Material<'a> {
    /// The event's id.
    pub event: &'a str,
    /// The event's name.
    pub name: &'a str,
    /// The event's resource.
    pub resource: Option<&'a str>,
    /// The event's resource id.
    pub resource_id: Option<&'a str>,
    /// The payload's exact text.
    pub payload: &'a str,
    /// When the event was accepted.
    pub created_at_ms: i64,
    /// Id that stays the same over all attempts.
    pub message_id: &'a str,
    /// Whether the event was sent to try the connection out.
    pub is_test: bool,
    /// Number of this attempt, from 1.
    pub attempt: u32,
    /// Live signing secrets, newest first.
    pub secrets: &'a [Secret],
    /// Receiver credentials.
    pub credentials: &'a Credentials,
    /// The moment of this attempt.
    pub now_ms: i64,
}
