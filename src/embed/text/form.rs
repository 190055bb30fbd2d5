//! Labels, hints and choices of forms.

use crate::destinations::webhook::{AuthScheme, PayloadMode};
use crate::embed::text::{GENERATE, OWN};

/// Values with their labels.
pub type Options<const N: usize> = [(&'static str, &'static str); N];

/// Signature schemes.
pub const SCHEMES: Options<3> = [
    ("standard", "Standard Webhooks: id, timestamp and body (recommended)"),
    ("timestamped", "Timestamped: timestamp and body, t=...,v1=..."),
    ("body", "Body: a plain HMAC of the body"),
];
/// Algorithms.
pub const ALGORITHMS: Options<3> = [
    ("hmac-sha256", "HMAC-SHA-256"),
    ("hmac-sha512", "HMAC-SHA-512"),
    ("none", "None: not signed"),
];
/// How a signature is written.
pub const ENCODINGS: Options<2> = [("hex", "Hexadecimal"), ("base64", "Base64")];
/// How a request authenticates.
pub const AUTH_SCHEMES: Options<4> = [
    ("none", "None"),
    ("basic", "User name and password (Basic)"),
    ("bearer", "Token (Bearer)"),
    ("header", "A header of your choice"),
];
/// Methods.
pub const METHODS: Options<3> = [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")];
/// What the body is.
pub const PAYLOAD_MODES: Options<2> =
    [("raw", "The payload, byte for byte"), ("wrapped", "The payload in an envelope")];
/// Whether events wait for one another.
pub const ORDERINGS: Options<2> = [
    ("none", "As fast as possible: a failing event does not block later ones"),
    (
        "strict",
        "Strict: an event is sent only after all earlier ones are delivered, failed or canceled",
    ),
];
/// Secrets of a new connection.
pub const NEW_SECRET: Options<2> = [("generate", GENERATE), ("own", OWN)];
/// The secret of a connection that is changed.
pub const CHANGED_SECRET: Options<3> = [
    ("keep", "Keep the current secret"),
    ("generate", "Replace it now with a generated secret"),
    ("own", "Replace it now with my own secret"),
];
/// How long the former secret goes on signing, in seconds.
pub const OVERLAPS: Options<5> = [
    ("0", "Not at all: only the new secret is used"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "7 days"),
];

/// Label and hint of a field.
pub fn field(name: &str) -> (&'static str, &'static str) {
    match name {
        "name" => ("Name", ""),
        "url" => ("URL", ""),
        "http_method" => ("Method", ""),
        "payload_mode" => ("Body", ""),
        "auth_scheme" => ("Authentication", ""),
        "auth_username" => ("User name", ""),
        "auth_password" => ("Password", ""),
        "auth_token" => ("Token", ""),
        "auth_header_name" => ("Header", "Such as X-Api-Key."),
        "auth_header_value" => ("Value", ""),
        "signing_algorithm" => ("Algorithm", ""),
        "signing_scheme" => ("Scheme", ""),
        "signing_secret" => ("Your secret", "whsec_ and base64, or any text of 8 to 256 bytes."),
        "signature_header" => ("Signature header", ""),
        "signature_encoding" => ("Encoding", ""),
        "signature_prefix" => {
            ("Prefix", "Text before the signature, such as sha256=. May be empty.")
        }
        "timestamp_header" => ("Timestamp header", ""),
        "timeout_seconds" => ("Timeout", "Seconds until the whole response has arrived, 1 to 25."),
        "retry_schedule" => (
            "Retries",
            "The time after each failed attempt, such as 5s, 30s, 5m, 2h. 1 to 20 steps.",
        ),
        "ordering" => ("Order", ""),
        "max_per_second" => ("Requests per second", "The maximum. Leave empty for no limit."),
        "overlap" => ("Keep using the old secret for", ""),
        "event" => ("Event", ""),
        "payload" => ("Payload", "A JSON object. It is sent exactly as written here."),
        "connection" => ("Connection", ""),
        "since" => ("Accepted since", "UTC."),
        "until" => ("Accepted until", "UTC. At most 14 days later."),
        "resource" => ("Resource", "Such as order. Leave empty for all."),
        "resource_id" => ("Resource id", "Leave empty for all."),
        "filter" => {
            ("Filter", "Such as {\"path\": \"order.total\", \"gt\": 100}. Leave empty for all.")
        }
        _ => ("", ""),
    }
}

/// The name of a field in a list of errors.
pub fn label(name: &str) -> &str {
    match field(name).0 {
        "" => name,
        label => label,
    }
}

/// What the body is.
pub fn payload_mode(mode: PayloadMode) -> &'static str {
    match mode {
        PayloadMode::Raw => "the payload as it is",
        PayloadMode::Wrapped => "the payload in an envelope",
    }
}

/// How a request authenticates.
pub fn auth_scheme(scheme: AuthScheme) -> &'static str {
    AUTH_SCHEMES.iter().find(|(word, _)| *word == scheme.as_str()).map_or("", |(_, label)| label)
}
