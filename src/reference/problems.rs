//! What each problem means, and what to do about it. Every problem has a page at the path that is
//! its `type`.

use crate::domain::base::error::Kind;
use crate::http::problem;

/// A problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Its name, the last part of its `type`.
    pub name: &'static str,
    /// Its status.
    pub status: u16,
    /// Whether its answers say when to try again.
    pub retries: bool,
    /// What it is called.
    pub title: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

const KINDS: [Kind; 14] = [
    Kind::Invalid,
    Kind::Unauthenticated,
    Kind::Forbidden,
    Kind::NotFound,
    Kind::Conflict,
    Kind::Gone,
    Kind::PreconditionFailed,
    Kind::TooLarge,
    Kind::UnsupportedMediaType,
    Kind::Refused,
    Kind::TooEarly,
    Kind::RateLimited,
    Kind::Internal,
    Kind::Unavailable,
];

/// All problems by status.
pub fn problems() -> Vec<Problem> {
    let of_kind = |kind: &Kind| {
        let (title, meaning, advice) = words(*kind);
        let status = problem::status(*kind).as_u16();
        let retries = problem::kind_retry_after_s(*kind).is_some();
        Problem { name: problem::name(*kind), status, retries, title, meaning, advice }
    };
    let mut all: Vec<Problem> = KINDS.iter().map(of_kind).collect();
    all.push(Problem {
        name: problem::METHOD_NOT_ALLOWED,
        status: 405,
        retries: false,
        title: "Method not allowed",
        meaning: "The path exists, and takes other methods than this one.",
        advice: "The header `Allow` names the methods that it takes.",
    });
    all.sort_by_key(|problem| problem.status);
    all
}

/// The problem with this status.
pub fn of_status(status: u16) -> Option<Problem> {
    problems().into_iter().find(|problem| problem.status == status)
}

fn words(kind: Kind) -> (&'static str, &'static str, &'static str) {
    match kind {
        Kind::Invalid => (
            "Invalid request",
            "The request is malformed. Nothing was changed.",
            "`error.data` names every field that was wrong and says what it must be, such as \
             `metadata.url` or `[3].event` in an array. Sending the same again gives the same \
             answer.",
        ),
        Kind::Unauthenticated => (
            "Unauthenticated",
            "There are no credentials in the request, or they do not hold.",
            "Send a publishable key in `X-Meshes-Publishable-Key` to emit events, or a machine \
             token as `Authorization: Bearer`. A machine token lives 60 seconds at most, and the \
             clock that made it may be 30 seconds off. A key that was revoked or replaced is \
             refused in the same words as one that never was.",
        ),
        Kind::Forbidden => (
            "Forbidden",
            "The caller may see this, and not do it.",
            "Use a key that may: a publishable key can be limited to some events and to some \
             origins. What a caller may not even see does not exist for it: that is 404.",
        ),
        Kind::NotFound => (
            "Not found",
            "There is nothing here, or nothing that the caller may see.",
            "Check the id, and that the key belongs to the organization that owns the record. The \
             words are the same in both cases.",
        ),
        Kind::Conflict => (
            "Conflict",
            "The request contradicts what is stored, such as a name that is taken, a connection \
             that rules still use, or a delivery that is settled already.",
            "Read the record again and decide anew.",
        ),
        Kind::Gone => (
            "Gone",
            "What is asked for was here and was erased.",
            "It does not come back. `error.code` is `erased`.",
        ),
        Kind::PreconditionFailed => (
            "Precondition failed",
            "The record was changed since the version that `If-Match` names. Nothing was changed \
             by this request.",
            "Read the record again, look at what changed, and send the request with its new \
             `ETag`.",
        ),
        Kind::TooLarge => (
            "Too large",
            "The body, or a payload in it, is larger than is taken.",
            "A payload may have 512 KiB of text, a bulk request 8 MiB, any other request 64 KiB. \
             Send a reference to the data in place of the data.",
        ),
        Kind::UnsupportedMediaType => (
            "Unsupported media type",
            "The body says that it is something else than JSON.",
            "Send `Content-Type: application/json`.",
        ),
        Kind::Refused => (
            "Refused",
            "The request is well-formed, and a rule refuses it: a URL that leads into a private \
             network, a limit that is reached, a secret that is to be set in the embed only.",
            "The message names the rule, and `error.data` the field.",
        ),
        Kind::TooEarly => (
            "Too early",
            "What is asked for is under way already.",
            "Wait until the attempt has ended, a minute at the most, and ask again if it is still \
             needed.",
        ),
        Kind::RateLimited => (
            "Too many requests",
            "Too many requests came with this key in ten seconds, or too many large bodies. This \
             one did nothing.",
            "Wait the seconds that `Retry-After` says; `retry_after` in the body says the same. A \
             bulk request of 100 events counts as 100, lists that look through deliveries have a \
             lower limit of their own, and bodies of more than 64 KiB are read at 8 MiB a second.",
        ),
        Kind::Internal => (
            "Internal error",
            "Something went wrong on our side.",
            "Give `request_id` to the operator of this installation: it finds the cause in the \
             logs. Repeating a read is safe.",
        ),
        Kind::Unavailable => (
            "Unavailable",
            "Something that is needed did not answer. It is unknown whether a change was made, \
             unless the message says that nothing was stored.",
            "Try again after the seconds that `Retry-After` says; `retry_after` in the body says \
             the same. Repeating a read is safe. Send an event again with the same \
             `Idempotency-Key`: without one it may be stored twice.",
        ),
    }
}
