//! One attempt: what the receiver answered, what that means, and the record that is kept of it.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::domain::base::limits::{RESPONSE_HEADER_BYTES_MAX, RESPONSE_HEADER_NAME_BYTES_MAX};
use crate::domain::delivery::answers::edge_status;
use crate::domain::delivery::headers::{self, Source, StoredHeader};
use crate::domain::delivery::mask::Masker;

/// The outcome of an attempt. The words are the wire contract's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Outcome {
    /// 2xx, whatever became of the body.
    Delivered,
    /// 4xx other than those below.
    RejectedClientError,
    /// 5xx, a redirect to nowhere, and statuses that HTTP does not know.
    RejectedServerError,
    /// 429.
    RateLimited,
    /// 401 or 403.
    AuthFailed,
    /// 410: the receiver wants no more of this.
    Gone,
    /// 3xx with a `Location`: never followed.
    RedirectRefused,
    /// The URL guard refused the URL; nothing was sent.
    UrlRefused,
    /// No status within the connection's timeout.
    Timeout,
    /// No connection, or one that broke before a status came.
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
    /// Why the answer is not complete, if it is not. Once a status came it is the body that was
    /// late or could not be read, and the status decides.
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
    /// No answer at all.
    pub const NONE: &Self = &Self {
        status: None,
        headers: Vec::new(),
        excerpt: Vec::new(),
        truncated: false,
        failure: None,
    };

    /// No answer because of `failure`.
    pub fn failed(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }

    /// What the answer means.
    pub fn outcome(&self) -> Outcome {
        match (self.status, &self.failure) {
            (None, Some(Failure::Refused(_))) => Outcome::UrlRefused,
            (None, Some(Failure::Timeout(_))) => Outcome::Timeout,
            (None, Some(Failure::Network(_)) | None) => Outcome::NetworkError,
            (Some(200..=299), _) => Outcome::Delivered,
            (Some(300..=399), _) if self.header("location").is_some() => Outcome::RedirectRefused,
            (Some(401 | 403), _) => Outcome::AuthFailed,
            (Some(410), _) => Outcome::Gone,
            (Some(429), _) => Outcome::RateLimited,
            (Some(400..=499), _) => Outcome::RejectedClientError,
            (Some(_), _) => Outcome::RejectedServerError,
        }
    }

    /// The first header with this name (any case).
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// What a receiver that did not take the delivery asks for beyond its status.
    pub fn wish(&self) -> Option<ReceiverDirective> {
        if matches!(self.status, None | Some(200..=299)) {
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
        matches!(self.status, Some(429 | 502 | 504))
    }

    /// Why it failed, or why the body of an answer that delivered could not be read, in words for
    /// the customer; `None` when there is nothing to tell.
    pub fn error(&self) -> Option<String> {
        let why = self.failure.as_ref().map(|failure| match failure {
            Failure::Refused(why) | Failure::Timeout(why) | Failure::Network(why) => why.as_str(),
        });
        let Some(status) = self.status else {
            return Some(why.unwrap_or("No answer").to_owned());
        };
        let said = match (self.outcome(), self.header("location"), edge_status(status)) {
            (Outcome::RedirectRefused, Some(to), _) => {
                format!("Answered {status}, a redirect to {to}; redirects are not followed")
            }
            (_, None, _) if (300..=399).contains(&status) => {
                format!("Answered {status}, which accepts nothing and names no other place")
            }
            (_, _, Some(meaning)) => {
                format!("Status {status} of the network in front of the receiver: {meaning}")
            }
            _ => format!("Answered {status}"),
        };
        match (self.outcome(), why) {
            (Outcome::Delivered, None) => None,
            (_, Some(why)) => Some(format!("{said}; its body could not be read: {why}")),
            (_, None) => Some(said),
        }
    }
}

/// The record of an attempt, kept as JSON. `H` is what a header is: name and value, or the form to
/// store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "H: Serialize", deserialize = "H: Deserialize<'de>"))]
pub struct Record<H = (String, String)> {
    /// Counts from 1.
    pub number: u32,
    /// Who asked for it, if a person did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<String>,
    /// Whether the body was the payload in its envelope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wrapped: bool,
    /// Beginning of a body that was made of rule and payload; credentials are masked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// What people should know of how it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
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
    pub request_headers: Vec<H>,
    /// All requests of the attempt in order, where it took more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepRecord>,
    /// Headers of the answer, limited in number and length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response_headers: Vec<H>,
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

impl<H> Record<H> {
    fn with_headers<T>(self, change: impl Fn(Vec<H>) -> Vec<T>) -> Record<T> {
        Record {
            number: self.number,
            asked_by: self.asked_by,
            wrapped: self.wrapped,
            body: self.body,
            notes: self.notes,
            started_at_ms: self.started_at_ms,
            duration_ms: self.duration_ms,
            outcome: self.outcome,
            status: self.status,
            error: self.error,
            method: self.method,
            url: self.url,
            request_headers: change(self.request_headers),
            steps: self.steps,
            response_headers: change(self.response_headers),
            excerpt: self.excerpt,
            truncated: self.truncated,
        }
    }

    fn source<'a>(&self, event: &'a str, rule: u32) -> Source<'a> {
        Source { event, rule, attempt: self.number, started_at_ms: self.started_at_ms }
    }
}

impl Record {
    /// The form to store for this delivery.
    pub fn pack(self, event: &str, rule: u32) -> Record<StoredHeader> {
        let source = self.source(event, rule);
        self.with_headers(|headers| source.pack(headers))
    }
}

impl Record<StoredHeader> {
    /// What was stored for this delivery.
    pub fn unpack(self, event: &str, rule: u32) -> Record {
        let source = self.source(event, rule);
        self.with_headers(|headers| source.unpack(headers))
    }
}

/// The first part of a text, at most so many bytes of it.
pub fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// The headers of an answer as they are kept: those of use, limited in length, secrets masked.
pub fn kept_headers(headers: &[(String, String)], masker: &Masker<'_>) -> Vec<(String, String)> {
    let keep = |(name, value): &(String, String)| {
        let value = readable(&masker.mask(value));
        (cut(name, RESPONSE_HEADER_NAME_BYTES_MAX), cut(&value, RESPONSE_HEADER_BYTES_MAX))
    };
    headers::of_use(headers).into_iter().map(keep).collect()
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
            (300, Outcome::RejectedServerError),
            (304, Outcome::RejectedServerError),
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
    fn the_status_decides_whatever_became_of_the_body() {
        let failures =
            [Failure::Timeout("it was late".into()), Failure::Network("it broke".into())];
        for failure in failures {
            for (status, expected) in [
                (200, Outcome::Delivered),
                (204, Outcome::Delivered),
                (404, Outcome::RejectedClientError),
                (410, Outcome::Gone),
                (503, Outcome::RejectedServerError),
            ] {
                let failure = Some(failure.clone());
                let answer = Answer { status: Some(status), failure, ..Answer::default() };
                assert_eq!(answer.outcome(), expected, "{answer:?}");
                let told = answer.error().expect("the body is told of");
                assert!(told.starts_with(&format!("Answered {status}; its body")), "{told}");
            }
        }
        let late = Answer::failed(Failure::Timeout("late".into()));
        assert_eq!(late.outcome(), Outcome::Timeout);
        assert_eq!(Answer::default().outcome(), Outcome::NetworkError);
    }

    #[test]
    fn a_redirect_has_a_place_to_go_and_an_edge_is_not_the_receiver() {
        let answer = |status, to: &[&str]| Answer {
            status: Some(status),
            headers: to.iter().map(|to| ("Location".to_owned(), (*to).to_owned())).collect(),
            ..Answer::default()
        };
        for status in [300, 301, 308] {
            let redirect = answer(status, &["/b"]);
            assert_eq!(redirect.outcome(), Outcome::RedirectRefused);
            assert!(redirect.error().expect("told").contains("a redirect to /b"));
        }
        assert_eq!(answer(304, &[]).outcome(), Outcome::RejectedServerError);
        assert!(!answer(304, &[]).error().expect("told").contains("redirect"));
        let told = answer(530, &[]).error().expect("told");
        assert!(told.contains("in front of the receiver: the host name does not resolve"));
    }

    #[test]
    fn what_is_kept_of_headers_is_bounded() {
        let masker = Masker::new(["s3cret!"]);
        let headers = vec![("server".to_owned(), "Bearer s3cret!".to_owned())];
        assert_eq!(kept_headers(&headers, &masker)[0].1, "Bearer ***");
        let long = vec![("date".to_owned(), "é".repeat(400)); 40];
        let kept = kept_headers(&long, &masker);
        assert_eq!((kept.len(), kept[0].1.len()), (1, 512));
    }
}
