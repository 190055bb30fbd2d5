//! One attempt: what the receiver answered, what that means, and the record that is kept of it.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::domain::base::limits::{RESPONSE_HEADER_BYTES_MAX, RESPONSE_HEADERS_MAX};

/// The outcome of an attempt. The words are the wire contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// 2xx, headers and body in time.
    Delivered,
    /// 4xx other than those below.
    RejectedClientError,
    /// 5xx, and statuses that HTTP does not know.
    RejectedServerError,
    /// 429.
    RateLimited,
    /// 401 or 403.
    AuthFailed,
    /// 410: the receiver wants no more of this.
    Gone,
    /// 3xx: never followed.
    RedirectRefused,
    /// The URL guard refused the URL; nothing was sent.
    UrlRefused,
    /// No complete answer within the connection's timeout.
    Timeout,
    /// No connection, or one that broke.
    NetworkError,
}

impl Outcome {
    /// The word in records and answers.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What came back from the receiver, as far as it came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// Status, if headers arrived.
    pub status: Option<u16>,
    /// Response headers in order.
    pub headers: Vec<(String, String)>,
    /// The kept first part of the body.
    pub excerpt: Vec<u8>,
    /// Whether the body was longer than what is kept.
    pub truncated: bool,
    /// Why the answer is not complete, if it is not.
    pub failure: Option<Failure>,
}

/// What a receiver can ask for by the response header `webhook-delivery`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiverDirective {
    /// `abort-message`: do not try this delivery again.
    AbortMessage,
    /// `disable`: send nothing more on this connection.
    Disable,
}

/// Why there is no complete answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The URL guard refused the URL.
    Refused(String),
    /// The time was up, while waiting for headers or for the body.
    Timeout(String),
    /// The connection could not be made or broke.
    Network(String),
}

impl Answer {
    /// No answer because of `failure`.
    pub fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }

    /// What the answer means.
    pub fn outcome(&self) -> Outcome {
        match (&self.failure, self.status) {
            (Some(Failure::Refused(_)), _) => Outcome::UrlRefused,
            (Some(Failure::Timeout(_)), _) => Outcome::Timeout,
            (Some(Failure::Network(_)), _) | (None, None) => Outcome::NetworkError,
            (None, Some(200..=299)) => Outcome::Delivered,
            (None, Some(300..=399)) => Outcome::RedirectRefused,
            (None, Some(401 | 403)) => Outcome::AuthFailed,
            (None, Some(410)) => Outcome::Gone,
            (None, Some(429)) => Outcome::RateLimited,
            (None, Some(400..=499)) => Outcome::RejectedClientError,
            (None, Some(_)) => Outcome::RejectedServerError,
        }
    }

    /// The first header with this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What a receiver that did not take the delivery asks for beyond its status.
    pub fn wish(&self) -> Option<ReceiverDirective> {
        if self.failure.is_some() || matches!(self.status, None | Some(200..=299)) {
            return None;
        }
        match self.header("webhook-delivery")?.trim() {
            word if word.eq_ignore_ascii_case("abort-message") => {
                Some(ReceiverDirective::AbortMessage)
            }
            word if word.eq_ignore_ascii_case("disable") => Some(ReceiverDirective::Disable),
            _ => None,
        }
    }

    /// Whether the status asks to be called less often.
    pub fn asks_for_less(&self) -> bool {
        self.failure.is_none() && matches!(self.status, Some(429 | 502 | 504))
    }

    /// Why it failed, in words for the customer; `None` when it was delivered.
    pub fn error(&self) -> Option<String> {
        match (&self.failure, self.outcome(), self.status) {
            (Some(Failure::Refused(why) | Failure::Timeout(why) | Failure::Network(why)), _, _) => {
                Some(why.clone())
            }
            (None, Outcome::Delivered, _) => None,
            (None, Outcome::RedirectRefused, Some(status)) => {
                let to = self.header("location").unwrap_or("nowhere");
                Some(format!("Answered {status}, a redirect to {to}; redirects are not followed"))
            }
            (None, _, Some(status)) => Some(format!("Answered {status}")),
            (None, _, None) => Some("No answer".to_owned()),
        }
    }
}

/// The record of an attempt, kept as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Counts from 1.
    pub number: u32,
    /// Who asked for it, if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Whether the body was the payload in its envelope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrapped: bool,
    /// When the request was started.
    pub started_at_ms: i64,
    /// From start to the end of the answer.
    pub duration_ms: i64,
    /// Its outcome.
    pub outcome: Outcome,
    /// Status of the answer, if headers arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Method of the request.
    pub method: String,
    /// URL of the request.
    pub url: String,
    /// Headers of the request; credentials are masked.
    pub request_headers: Vec<(String, String)>,
    /// All requests of the attempt in order, where it took more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    /// Headers of the answer, limited in number and length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<(String, String)>,
    /// First part of the answer's body as text.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub excerpt: String,
    /// Whether the body was longer than the excerpt.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Record {
    /// Leaves out what the receiver answered but its status; false when there is nothing of it.
    pub fn leave_out_answer(&mut self) -> bool {
        let is_there = !self.excerpt.is_empty() || !self.response_headers.is_empty();
        self.excerpt.clear();
        self.response_headers.clear();
        self.truncated |= is_there;
        is_there
    }
}

/// Text of an answer without control characters other than tabs and line ends. Escaped in JSON they
/// would take six bytes each, and nobody can read them.
pub fn readable(text: &str) -> String {
    let is_shown = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
    text.chars().map(|c| if is_shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// One request of an attempt that takes several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Its method.
    pub method: String,
    /// Its URL; credentials are masked.
    pub url: String,
    /// Status of the answer, if headers arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// From start to the end of the answer.
    pub duration_ms: i64,
}

/// What stands in place of a credential.
pub const MASK: &str = "***";

/// Replaces every occurrence of a credential in `text`. Values under 4 bytes are left: they would
/// mask ordinary words, and protect nothing.
pub fn mask(text: &str, credentials: &[&str]) -> String {
    let secret = credentials.iter().filter(|value| value.len() >= 4);
    secret.fold(text.to_owned(), |text, value| text.replace(value, MASK))
}

/// The headers of an answer as they are kept: limited in number and length, credentials masked.
pub fn kept_headers(headers: &[(String, String)], credentials: &[&str]) -> Vec<(String, String)> {
    let keep = |(name, value): &(String, String)| {
        let mut value = readable(&mask(value, credentials));
        let mut end = value.len().min(RESPONSE_HEADER_BYTES_MAX);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        value.truncate(end);
        (name.clone(), value)
    };
    headers.iter().take(RESPONSE_HEADERS_MAX).map(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_outcome() {
        for (status, expected) in [
            (200, Outcome::Delivered),
            (204, Outcome::Delivered),
            (299, Outcome::Delivered),
            (300, Outcome::RedirectRefused),
            (301, Outcome::RedirectRefused),
            (308, Outcome::RedirectRefused),
            (400, Outcome::RejectedClientError),
            (401, Outcome::AuthFailed),
            (403, Outcome::AuthFailed),
            (404, Outcome::RejectedClientError),
            (410, Outcome::Gone),
            (429, Outcome::RateLimited),
            (500, Outcome::RejectedServerError),
            (599, Outcome::RejectedServerError),
            (999, Outcome::RejectedServerError),
        ] {
            let answer = Answer { status: Some(status), ..Answer::default() };
            assert_eq!(answer.outcome(), expected, "{status}");
            assert_eq!(answer.error().is_none(), expected == Outcome::Delivered, "{status}");
        }
    }

    #[test]
    fn an_incomplete_answer_is_no_success() {
        let failure = Some(Failure::Timeout("the body".into()));
        let answer = Answer { status: Some(200), failure, ..Answer::default() };
        assert_eq!(answer.outcome(), Outcome::Timeout);
        assert_eq!(Answer::default().outcome(), Outcome::NetworkError);
    }

    #[test]
    fn an_echoed_credential_is_masked() {
        let headers = vec![("x-echo".to_owned(), "Bearer s3cret!".to_owned())];
        let kept = kept_headers(&headers, &["s3cret!"]);
        assert_eq!(kept[0].1, "Bearer ***");
        let long = vec![("x".to_owned(), "é".repeat(400)); 40];
        let kept = kept_headers(&long, &[]);
        assert_eq!((kept.len(), kept[0].1.len()), (RESPONSE_HEADERS_MAX, 512));
    }
}
