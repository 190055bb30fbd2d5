//! The `metadata` of webhook connections, as it is written and as it is read.

use serde_json::{Value, json};

use crate::destinations::webhook::form::READ_ONLY;
use crate::destinations::webhook::{AuthScheme, METHODS, Ordering, PayloadMode};
use crate::domain::base::limits::{
    CREDENTIAL_BYTES_MAX, CUSTOM_HEADERS_MAX, HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX,
    TIMEOUT_S_DEFAULT, TIMEOUT_S_MAX, TIMEOUT_S_MIN, URL_CHARS_MAX,
};
use crate::domain::connection::model::SetBy;
use crate::domain::connection::signing::{Algorithm, Encoding, Scheme, Signing};
use crate::domain::delivery::retry::{STEP_SECONDS_MAX, STEPS_MAX, Schedule};
use crate::domain::lane::pace::PER_SECOND_MAX;
use crate::reference::leaves::{flag, leaf, matching, one_of, text, time, whole, words};
use crate::reference::shape::{
    Field, Shape, closed, given, list_of, may, need, open, some_of, strict,
};

const AUTH_SCHEMES: [AuthScheme; 4] =
    [AuthScheme::None, AuthScheme::Basic, AuthScheme::Bearer, AuthScheme::Header];
const ALGORITHMS: [Algorithm; 3] = [Algorithm::HmacSha256, Algorithm::HmacSha512, Algorithm::None];
const SCHEMES: [Scheme; 3] = [Scheme::Standard, Scheme::Body, Scheme::Timestamped];
const ENCODINGS: [Encoding; 2] = [Encoding::Hex, Encoding::Base64];
const MODES: [PayloadMode; 2] = [PayloadMode::Raw, PayloadMode::Wrapped];
const ORDERINGS: [Ordering; 2] = [Ordering::None, Ordering::Strict];

fn url() -> Shape {
    let schema = json!({"type": "string", "format": "uri", "maxLength": URL_CHARS_MAX});
    leaf(schema, "https://hooks.acme.example/orders")
}

/// A header's name, see `destinations::webhook::form`.
pub fn header_name(example: &str) -> Shape {
    matching(&format!("^[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{HEADER_NAME_CHARS_MAX}}}$"), example)
}

/// A header's value or a credential of at most so many bytes: printable ASCII without space
/// around it.
pub fn header_value(bytes_max: usize, example: &str) -> Shape {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": bytes_max,
        "pattern": "^[!-~]([ -~]*[!-~])?$"});
    leaf(schema, example)
}

/// What stands before a signature.
pub fn prefix() -> Shape {
    matching("^[!-~]{0,32}$", "")
}

fn timeout() -> Shape {
    let (least, most) = (i64::from(TIMEOUT_S_MIN), i64::from(TIMEOUT_S_MAX));
    whole(least, most, i64::from(TIMEOUT_S_DEFAULT))
}

fn schedule() -> Shape {
    let step = whole(1, i64::from(STEP_SECONDS_MAX), 5);
    some_of(step, 1, STEPS_MAX)
}

fn per_second() -> Shape {
    whole(1, i64::from(PER_SECOND_MAX), 50)
}

/// The words of an enum.
fn words_of<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> Shape {
    one_of(&all.iter().map(|one| word(*one)).collect::<Vec<_>>())
}

/// Settings that are read as they are written.
fn both(name: &str) -> Shape {
    match name {
        "http_method" => one_of(&METHODS),
        "payload_mode" => words_of(&MODES, PayloadMode::as_str),
        "auth_scheme" => words_of(&AUTH_SCHEMES, AuthScheme::as_str),
        "signing_algorithm" => words_of(&ALGORITHMS, Algorithm::as_str),
        "signing_scheme" => words_of(&SCHEMES, Scheme::as_str),
        "signature_encoding" => words_of(&ENCODINGS, Encoding::as_str),
        _ => words_of(&ORDERINGS, Ordering::as_str),
    }
}

fn signature_fields() -> Vec<Field> {
    let default = Signing::default();
    vec![
        may("signature_header", header_name(&default.signature_header))
            .or(default.signature_header.clone())
            .says("Where the signature stands, for the schemes `body` and `timestamped`."),
        may("signature_encoding", both("signature_encoding"))
            .or(default.signature_encoding.as_str())
            .says("How it is written, for `body`."),
        may("signature_prefix", prefix())
            .or(default.signature_prefix.clone())
            .says("What stands before it, for `body`, such as `sha256=`."),
        may("timestamp_header", header_name(&default.timestamp_header))
            .or(default.timestamp_header.clone())
            .says("Where the time stands in seconds, for `body`."),
    ]
}

/// What a receiver asks for beside the signature.
fn auth_fields() -> Vec<Field> {
    let credential = |example: &str| header_value(CREDENTIAL_BYTES_MAX, example);
    vec![
        may("auth_scheme", both("auth_scheme")).or("none"),
        may("auth_username", credential("acme")).says("For `basic`. Write-only; no colon."),
        may("auth_password", credential("correct horse")).says("For `basic`. Write-only."),
        may("auth_token", credential("t0ken")).says("For `bearer`. Write-only."),
        may("auth_header_name", header_name("X-Api-Key")).says("For `header`."),
        may("auth_header_value", credential("k3y")).says("For `header`. Write-only."),
        may("custom_headers", {
            let value = given("value", header_value(HEADER_VALUE_BYTES_MAX, "blue"));
            let value = value.says("Write-only. Left out, the stored one is kept.").shown();
            some_of(open([need("name", header_name("X-Team")), value]), 0, CUSTOM_HEADERS_MAX)
        }),
    ]
}

/// Fields that are only read and that a caller who writes back what it read may send.
fn ignored_fields() -> Vec<Field> {
    let any = || leaf(json!({}), Value::Null);
    READ_ONLY.map(|name| may(name, any()).says("Only read; ignored.")).into()
}

/// What a caller writes. On a new connection `url` must be there.
pub fn written(is_new: bool) -> Shape {
    let field = if is_new { need } else { given };
    let url = field("url", url()).says("An https URL outside of private networks.");
    let first = [
        may("http_method", both("http_method")).or(METHODS[0]),
        may("payload_mode", both("payload_mode"))
            .or("raw")
            .says("`raw` sends the payload's text; `wrapped` puts an envelope around it."),
    ];
    let signing = [
        may("signing_algorithm", both("signing_algorithm")).or("hmac-sha256"),
        may("signing_scheme", both("signing_scheme")).or("standard"),
    ];
    // The secret cannot be taken away.
    let secret = given("signing_secret", text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let secret = secret.says("Write-only: `whsec_` and 24 to 64 bytes of base64, or a text.");
    let last = [
        may("generate_secret", flag(true))
            .shown()
            .says("Makes a secret and shows it in this answer only."),
        may("timeout_seconds", timeout()).or(TIMEOUT_S_DEFAULT),
        may("retry_schedule_seconds", schedule())
            .says("Seconds to wait after each failed attempt."),
        may("ordering", both("ordering"))
            .or("none")
            .says("`strict`: no event is sent before every earlier one is settled."),
        may("max_per_second", per_second()).says("Requests in any second; `null` for no limit."),
    ];
    let fields = [url]
        .into_iter()
        .chain(first)
        .chain(auth_fields())
        .chain(signing)
        .chain(signature_fields())
        .chain([secret])
        .chain(last)
        .chain(ignored_fields());
    strict(fields)
}

/// What a caller reads.
pub fn read() -> Shape {
    let default = Signing::default();
    let header = closed([need("name", words("X-Team")), need("has_value", flag(true))]);
    closed([
        need("url", words("https://hooks.acme.example/orders")),
        need("http_method", both("http_method")),
        need("payload_mode", both("payload_mode")),
        need("auth_scheme", both("auth_scheme")),
        may("auth_header_name", words("X-Api-Key")),
        may("has_auth_username", flag(true)),
        may("has_auth_password", flag(true)),
        may("has_auth_token", flag(true)),
        may("has_auth_header_value", flag(true)),
        need("custom_headers", list_of(header)),
        need("signing_algorithm", both("signing_algorithm")),
        need("signing_scheme", both("signing_scheme")),
        need("signature_header", words(&default.signature_header)),
        need("signature_encoding", both("signature_encoding")),
        need("signature_prefix", text("")),
        need("timestamp_header", words(&default.timestamp_header)),
        need("has_signing_secret", flag(true)),
        may("signing_secret_set_at", time()).shown(),
        may("secret_set_by", one_of(&[SetBy::Given.as_str(), SetBy::Generated.as_str()])).shown(),
        may("signing_secret", words("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
            .says("Only in the one answer that made it, when that was asked for."),
        need("timeout_seconds", timeout()),
        need("retry_schedule_seconds", schedule_example()),
        need("ordering", both("ordering")),
        may("max_per_second", per_second()),
    ])
}

fn schedule_example() -> Shape {
    let schema = schedule().schema();
    leaf(schema, json!(Schedule::default().steps()))
}
