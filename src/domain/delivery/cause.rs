//! What an attempt failed at, as far as a person can do something about it: one cause for each
//! sentence and action of the pages.

use strum::VariantArray;

use crate::domain::delivery::attempt::Outcome;

/// What an attempt failed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray)]
pub enum Cause {
    /// 401 or 403: signature or credentials were refused.
    Refused,
    /// 404.
    NotFound,
    /// 405.
    Method,
    /// 410.
    Gone,
    /// 413.
    TooLarge,
    /// 415.
    MediaType,
    /// Another 4xx.
    Rejected,
    /// 429.
    RateLimited,
    /// A redirect, which is not followed.
    Redirect,
    /// 5xx.
    ServerError,
    /// No status within the timeout.
    LateAnswer,
    /// A status, and a body that was not complete within the timeout.
    LateBody,
    /// The host name does not resolve.
    HostName,
    /// The TLS certificate is not valid.
    Certificate,
    /// No TLS connection could be made.
    Tls,
    /// Nothing listens there.
    NothingListens,
    /// The connection broke, or could not be made for another reason.
    Unreachable,
    /// The URL is one that nothing is sent to.
    UrlRefused,
}

impl Cause {
    /// The cause of an attempt with this outcome, status and error; `None` when there is none to
    /// tell.
    pub fn of(outcome: Outcome, status: Option<u16>, error: Option<&str>) -> Option<Self> {
        let error = error.unwrap_or_default();
        let is_late_body = error.contains("timed out in its body");
        Some(match (outcome, status) {
            (Outcome::Delivered, _) => return is_late_body.then_some(Self::LateBody),
            (Outcome::Gone, _) => Self::Gone,
            (Outcome::RedirectRefused, _) => Self::Redirect,
            (Outcome::UrlRefused, _) => Self::UrlRefused,
            (Outcome::Timeout, _) => Self::LateAnswer,
            (Outcome::RateLimited, _) => Self::RateLimited,
            (Outcome::AuthFailed, _) => Self::Refused,
            (Outcome::NetworkError, _) => Self::of_network(error),
            (_, Some(404)) => Self::NotFound,
            (_, Some(405)) => Self::Method,
            (_, Some(413)) => Self::TooLarge,
            (_, Some(415)) => Self::MediaType,
            (_, Some(520..=530)) => Self::of_network(error),
            (Outcome::RejectedServerError, _) if is_late_body => Self::LateBody,
            (Outcome::RejectedServerError, _) => Self::ServerError,
            (Outcome::RejectedClientError, _) => Self::Rejected,
        })
    }

    /// The same of what is kept of the last attempt of a delivery, which is its error alone.
    pub fn of_error(error: &str) -> Option<Self> {
        if error.starts_with("Timed out before the answer") {
            return Some(Self::LateAnswer);
        }
        if error.starts_with("No answer") {
            return Some(Self::of_network(error));
        }
        let told = error.strip_prefix("Answered ").or_else(|| error.strip_prefix("Status "))?;
        let status: u16 = told.get(..3)?.parse().ok()?;
        let outcome = match status {
            200..=299 => Outcome::Delivered,
            300..=399 if error.contains("redirect") => Outcome::RedirectRefused,
            401 | 403 => Outcome::AuthFailed,
            410 => Outcome::Gone,
            429 => Outcome::RateLimited,
            400..=499 => Outcome::RejectedClientError,
            _ => Outcome::RejectedServerError,
        };
        Self::of(outcome, Some(status), Some(error))
    }

    /// By the words of [`super::answers`], for what the runtime or the network edge tells apart.
    fn of_network(error: &str) -> Self {
        let has = |words: &str| error.contains(words);
        if has("does not resolve") {
            Self::HostName
        } else if has("TLS certificate") {
            Self::Certificate
        } else if has("TLS") {
            Self::Tls
        } else if has("refused the connection") {
            Self::NothingListens
        } else if has("did not answer in time") || has("timed out") {
            Self::LateAnswer
        } else {
            Self::Unreachable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::answers::network_failure;
    use crate::domain::delivery::attempt::{Answer, Failure};

    fn status(status: u16) -> Answer {
        Answer { status: Some(status), ..Answer::default() }
    }

    fn network(runtime: &str) -> Answer {
        let why = format!("No answer: {}", network_failure(runtime));
        Answer::failed(Failure::Network(why))
    }

    fn late(why: &str) -> Failure {
        Failure::Timeout(why.to_owned())
    }

    /// Every cause, from the answer on, by the record of the attempt and by the error alone.
    #[test]
    fn each_answer_has_its_cause() {
        let redirect = Answer {
            headers: vec![("location".to_owned(), "https://b.example/".to_owned())],
            ..status(301)
        };
        let in_body = late("timed out in its body, which was not complete within 5000 ms");
        let cases = [
            (status(401), Cause::Refused),
            (status(403), Cause::Refused),
            (status(404), Cause::NotFound),
            (status(405), Cause::Method),
            (status(410), Cause::Gone),
            (status(413), Cause::TooLarge),
            (status(415), Cause::MediaType),
            (status(400), Cause::Rejected),
            (status(422), Cause::Rejected),
            (status(429), Cause::RateLimited),
            (redirect, Cause::Redirect),
            (status(304), Cause::ServerError),
            (status(500), Cause::ServerError),
            (status(503), Cause::ServerError),
            (Answer { failure: Some(in_body.clone()), ..status(200) }, Cause::LateBody),
            (Answer { failure: Some(in_body), ..status(500) }, Cause::LateBody),
            (
                Answer::failed(late("Timed out before the answer: nothing came within 5000 ms")),
                Cause::LateAnswer,
            ),
            (status(524), Cause::LateAnswer),
            (status(522), Cause::LateAnswer),
            (network("DNS lookup failed."), Cause::HostName),
            (status(530), Cause::HostName),
            (network("TLS peer's certificate is not trusted"), Cause::Certificate),
            (status(526), Cause::Certificate),
            (network("SSL routines: wrong version number"), Cause::Tls),
            (status(525), Cause::Tls),
            (network("connect(): Connection refused"), Cause::NothingListens),
            (status(521), Cause::NothingListens),
            (network("internal error; reference = 0a1b"), Cause::Unreachable),
            (network("Network connection lost."), Cause::Unreachable),
            (status(523), Cause::Unreachable),
        ];
        let mut met = vec![Cause::UrlRefused];
        for (answer, expected) in cases {
            let error = answer.error();
            let found = Cause::of(answer.outcome(), answer.status, error.as_deref());
            assert_eq!(found, Some(expected), "{answer:?}");
            let error = error.expect("an error");
            assert_eq!(Cause::of_error(&error), Some(expected), "{error}");
            met.push(expected);
        }
        let refused = Answer::failed(Failure::Refused("is not public".to_owned()));
        assert_eq!(Cause::of(refused.outcome(), None, None), Some(Cause::UrlRefused));
        assert!(Cause::VARIANTS.iter().all(|cause| met.contains(cause)), "one has no case");
    }

    #[test]
    fn what_was_delivered_and_what_others_say_has_none() {
        assert_eq!(Cause::of(Outcome::Delivered, Some(204), None), None);
        for error in ["channel_not_found", "", "Answered", "Answered 4", "Answered é"] {
            assert_eq!(Cause::of_error(error), None, "{error}");
        }
    }
}
