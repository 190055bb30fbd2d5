//! The fields of webhook connections, and what must hold between them.

use std::collections::BTreeMap;

use crate::destinations::form::check_header_name;
use crate::destinations::model::{About, Action, Field, Kind, Part, Values};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{CREDENTIAL_BYTES_MAX, CUSTOM_HEADERS_MAX};
use crate::domain::base::secret::Secret;

/// A credential: it ends in a header, so it is what a header's value can be.
const CREDENTIAL: Kind = Kind::HeaderValue(CREDENTIAL_BYTES_MAX);

/// How a request authenticates.
pub const SCHEME: Field = Field::new(
    "auth_scheme",
    Kind::Words(&[
        ("none", "None"),
        ("basic", "User name and password (Basic)"),
        ("bearer", "Token (Bearer)"),
        ("header", "A header of your choice"),
    ]),
    "Authentication",
)
.of(Part::Authentication)
.or("none");
/// User name of HTTP Basic.
pub const USERNAME: Field = Field::new("auth_username", CREDENTIAL, "User name")
    .of(Part::Authentication)
    .required()
    .secret()
    .when("auth_scheme", &["basic"])
    .says("For `basic`. Write-only; no colon.", "acme");
/// Password of HTTP Basic.
pub const PASSWORD: Field = Field::new("auth_password", CREDENTIAL, "Password")
    .of(Part::Authentication)
    .required()
    .secret()
    .when("auth_scheme", &["basic"])
    .says("For `basic`. Write-only.", "correct horse");
/// The token.
pub const TOKEN: Field = Field::new("auth_token", CREDENTIAL, "Token")
    .of(Part::Authentication)
    .required()
    .secret()
    .when("auth_scheme", &["bearer"])
    .says("For `bearer`. Write-only.", "t0ken");
/// Name of the header of the customer's choice.
pub const HEADER_NAME: Field = Field::new("auth_header_name", Kind::HeaderName, "Header")
    .of(Part::Authentication)
    .required()
    .when("auth_scheme", &["header"])
    .hint("Such as X-Api-Key.")
    .says("For `header`.", "X-Api-Key");
/// Its value.
pub const HEADER_VALUE: Field = Field::new("auth_header_value", CREDENTIAL, "Value")
    .of(Part::Authentication)
    .required()
    .secret()
    .when("auth_scheme", &["header"])
    .says("For `header`. Write-only.", "k3y");
/// Headers beside them.
pub const CUSTOM: Field =
    Field::new("custom_headers", Kind::Headers(CUSTOM_HEADERS_MAX), "Custom headers")
        .of(Part::Authentication);

/// What a webhook is and what it takes.
pub static ABOUT: About = About {
    key: "webhook",
    name: "Webhook",
    authentication: "none",
    fields: &[
        Field::new("url", Kind::Url, "URL")
            .required()
            .says("An https URL outside of private networks.", "https://hooks.acme.example/orders"),
        Field::new(
            "http_method",
            Kind::Words(&[("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")]),
            "Method",
        )
        .of(Part::Delivery)
        .or("POST"),
        Field::new(
            "payload_mode",
            Kind::Words(&[
                ("raw", "The payload, byte for byte"),
                ("wrapped", "The payload in an envelope"),
            ]),
            "Body",
        )
        .of(Part::Delivery)
        .or("raw")
        .says("`raw` sends the payload's text; `wrapped` puts an envelope around it.", ""),
        SCHEME,
        USERNAME,
        PASSWORD,
        TOKEN,
        HEADER_NAME,
        HEADER_VALUE,
        CUSTOM,
        Field::new(
            "signing_algorithm",
            Kind::Words(&[
                ("hmac-sha256", "HMAC-SHA-256"),
                ("hmac-sha512", "HMAC-SHA-512"),
                ("none", "None: not signed"),
            ]),
            "Algorithm",
        )
        .of(Part::Signature)
        .or("hmac-sha256"),
        Field::new(
            "signing_scheme",
            Kind::Words(&[
                ("standard", "Standard Webhooks: id, timestamp and body (recommended)"),
                ("timestamped", "Timestamped: timestamp and body, t=...,v1=..."),
                ("body", "Body: a plain HMAC of the body"),
            ]),
            "Scheme",
        )
        .of(Part::Signature)
        .or("standard"),
        Field::new("signature_header", Kind::HeaderName, "Signature header")
            .of(Part::Signature)
            .or("X-Signature")
            .when("signing_scheme", &["body", "timestamped"])
            .says("Where the signature stands, for the schemes `body` and `timestamped`.", ""),
        Field::new(
            "signature_encoding",
            Kind::Words(&[("hex", "Hexadecimal"), ("base64", "Base64")]),
            "Encoding",
        )
        .of(Part::Signature)
        .or("hex")
        .when("signing_scheme", &["body"])
        .says("How it is written, for `body`.", ""),
        Field::new("signature_prefix", Kind::Prefix(32), "Prefix")
            .of(Part::Signature)
            .or("")
            .when("signing_scheme", &["body"])
            .hint("Text before the signature, such as sha256=. May be empty.")
            .says("What stands before it, for `body`, such as `sha256=`.", ""),
        Field::new("timestamp_header", Kind::HeaderName, "Timestamp header")
            .of(Part::Signature)
            .or("X-Signature-Timestamp")
            .when("signing_scheme", &["body"])
            .says("Where the time stands in seconds, for `body`.", ""),
    ],
    actions: &[Action {
        key: "send_webhook",
        label: "Send webhook",
        noun: "webhook",
        description: "Sends the event's payload to the connection's URL, signed",
        inputs: &[],
    }],
    is_signed: true,
    max_per_second: None,
    has_provider: false,
    one_of: &[],
};

/// Names that a customer's header must not have (the wire contract), as exact names and prefixes.
/// `user-agent` and the hop-by-hop names of RFC 9110 section 7.6.1 are ours.
const RESERVED: [&str; 16] = [
    "host",
    "authorization",
    "cookie",
    "connection",
    "transfer-encoding",
    "user-agent",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    // What proxies say of the way of a request.
    "forwarded",
    "x-real-ip",
    "true-client-ip",
    "via",
    "cdn-loop",
];
/// Receivers behind Cloudflare Access ask for these.
const ALLOWED: [&str; 2] = ["cf-access-client-id", "cf-access-client-secret"];
const RESERVED_PREFIXES: [&str; 6] =
    ["content-", "cf-", "x-forwarded-", "webhook-", "posthorn-", "proxy-"];

fn is_reserved(name: &str) -> bool {
    // Many servers read `posthorn_event` as `posthorn-event`.
    let name = name.to_ascii_lowercase().replace('_', "-");
    if ALLOWED.contains(&name.as_str()) {
        return false;
    }
    RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// Notes a user name that HTTP Basic cannot carry.
pub fn check_username(fields: &mut Fields<'_>, given: &BTreeMap<String, Secret>) {
    let name = given.get("auth_username");
    if name.is_some_and(|name| name.expose().contains(':')) {
        fields.fail("auth_username", "must not contain a colon (RFC 7617)");
    }
}

/// Notes headers that the customer names and that are ours or stand twice.
pub fn check_header_names(fields: &mut Fields<'_>, values: &Values) {
    let mut named: Vec<(String, &str)> = Vec::new();
    let is_signed = !["", "none"].contains(&values.text("signing_algorithm"));
    let scheme = values.text("signing_scheme");
    if is_signed && scheme != "standard" {
        named.push(("signature_header".to_owned(), values.text("signature_header")));
    }
    if scheme == "body" {
        named.push(("timestamp_header".to_owned(), values.text("timestamp_header")));
    }
    for (index, name) in values.names("custom_headers").into_iter().enumerate() {
        named.push((format!("custom_headers[{index}].name"), name));
    }
    if let Some(name) = values.get("auth_header_name") {
        named.push(("auth_header_name".to_owned(), name));
    }
    for (index, (param, name)) in named.iter().enumerate() {
        let own_auth = param == "auth_header_name" && name.eq_ignore_ascii_case("authorization");
        if let Err(msg) = check_header_name(name) {
            fields.fail(param, msg);
        } else if is_reserved(name) && !own_auth {
            fields
                .fail(param, format!("{name} is set by Posthorn or by HTTP and cannot be chosen"));
        } else if named[..index].iter().any(|(_, other)| other.eq_ignore_ascii_case(name)) {
            fields.fail(param, format!("{name} is used twice"));
        }
    }
}
