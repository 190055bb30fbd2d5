//! Errors as HTTP: the one place that gives statuses to kinds of errors and writes the error
//! document of the wire contract.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::limits::RATE_PERIOD_S;
use crate::http::Reply;

/// Seconds after which a caller may try again when a dependency did not answer.
const RETRY_AFTER_S: u32 = 5;

/// The status of a kind of error.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Gone => StatusCode::GONE,
        Kind::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::TooEarly => StatusCode::TOO_EARLY,
        Kind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Kind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Name of the problem that is a path called with another method.
pub const METHOD_NOT_ALLOWED: &str = "method-not-allowed";

/// The name of a kind of error, the last part of its document's `type`.
pub fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Invalid => "invalid",
        Kind::Unauthenticated => "unauthenticated",
        Kind::Forbidden => "forbidden",
        Kind::NotFound => "not-found",
        Kind::Conflict => "conflict",
        Kind::Gone => "gone",
        Kind::PreconditionFailed => "precondition-failed",
        Kind::TooLarge => "too-large",
        Kind::UnsupportedMediaType => "unsupported-media-type",
        Kind::TooEarly => "too-early",
        Kind::RateLimited => "rate-limited",
        Kind::Refused => "refused",
        Kind::Unavailable => "unavailable",
        Kind::Internal => "internal",
    }
}

/// Seconds after which a caller may try again, where that helps. Answers say so in a header and in
/// their documents.
pub fn retry_after_s(error: &Error) -> Option<u32> {
    error.retry_after_s.or_else(|| kind_retry_after_s(error.kind))
}

/// The same as far as the kind alone tells.
pub fn kind_retry_after_s(kind: Kind) -> Option<u32> {
    match kind {
        Kind::Unavailable => Some(RETRY_AFTER_S),
        Kind::RateLimited => Some(RATE_PERIOD_S),
        _ => None,
    }
}

/// The `error` object of an error: name, message, the finer word if there is one, and the fields
/// that were wrong.
pub fn error_object(error: &Error) -> Value {
    let mut object = json!({"name": name(error.kind), "message": error.message});
    if let Some(code) = error.code {
        object["code"] = json!(code.as_str());
    }
    if !error.fields.is_empty() {
        let param = |param: &str| if param.is_empty() { "body" } else { param }.to_owned();
        let fields = error.fields.iter().map(|f| json!({"param": param(&f.param), "msg": f.msg}));
        object["data"] = fields.collect();
    }
    object
}

/// The answer to a request that failed. What `error.detail` says is for the log and not in it.
pub fn reply(error: &Error, request_id: &str) -> Reply {
    document(status(error.kind), error, name(error.kind), request_id)
}

fn document(status: StatusCode, error: &Error, name: &str, request_id: &str) -> Reply {
    let mut body = json!({
        "message": error.message,
        "error": error_object(error),
        "type": format!("/problems/{name}"),
        "request_id": request_id,
    });
    body["error"]["name"] = json!(name);
    let retry_after_s = retry_after_s(error);
    if let Some(seconds) = retry_after_s {
        body["retry_after"] = json!(seconds);
    }
    let mut reply =
        Reply::json(status, &body).with_header("content-type", "application/problem+json");
    if let Some(seconds) = retry_after_s {
        reply = reply.with_header("retry-after", &seconds.to_string());
    }
    if error.kind == Kind::Unauthenticated {
        reply = reply.with_header("www-authenticate", "Bearer");
    }
    if error.fields.iter().any(|field| field.param == CONTENT_ENCODING) {
        reply = reply.with_header("accept-encoding", "identity");
    }
    reply
}

/// The answer to a path that exists with another method.
pub fn method_not_allowed(allowed: &[Method], request_id: &str) -> Reply {
    let allowed: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    let error = Error::invalid(format!("This path takes {}", allowed.join(", ")));
    let status = StatusCode::METHOD_NOT_ALLOWED;
    document(status, &error, METHOD_NOT_ALLOWED, request_id)
        .with_header("allow", &allowed.join(", "))
}

/// The error of a path that does not exist.
pub fn no_such_path() -> Error {
    Error::new(Kind::NotFound, "There is nothing at this path; the API is below /api/v1")
}

/// The error of a body that is larger than its endpoint takes.
pub fn body_too_large(bytes_max: usize) -> Error {
    Error::new(Kind::TooLarge, format!("The body is larger than {bytes_max} bytes"))
}

const CONTENT_ENCODING: &str = "content-encoding";

/// Checks that a body is not compressed: it is read as it comes.
///
/// # Errors
/// `UnsupportedMediaType` naming the encoding.
pub fn check_content_encoding(value: Option<&str>) -> Result<()> {
    let encoding = value.unwrap_or_default().trim();
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
        return Ok(());
    }
    let msg = format!("must be identity, not {encoding}: bodies are not decompressed");
    Err(Error::field(CONTENT_ENCODING, msg).of_kind(Kind::UnsupportedMediaType))
}

/// Checks that a body is JSON as far as its content type tells. Nothing, and `text/plain` as
/// browsers send it without a preflight, are taken for JSON.
///
/// # Errors
/// `UnsupportedMediaType` for other types.
pub fn check_content_type(value: Option<&str>) -> Result<()> {
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    let json = ["", "application/json", "text/json", "text/plain"].contains(&essence.as_str())
        || (essence.starts_with("application/") && essence.ends_with("+json"));
    if json {
        return Ok(());
    }
    let message = format!("The body must be application/json, not {essence}");
    Err(Error::new(Kind::UnsupportedMediaType, message))
}
