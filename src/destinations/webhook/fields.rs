//! The fields of webhook connections, and what must hold between them.

use std::collections::BTreeMap;

use crate::destinations::form::check_header_name;
use crate::destinations::model::{About, Action, Field, Kind, Part, Values};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{CREDENTIAL_BYTES_MAX, CUSTOM_HEADERS_MAX};
use crate::domain::base::reason::Reason;
use crate::domain::base::secret::Secret;

/// A credential: it ends in a header, so it is what a header's value can be.
const CREDENTIAL: Kind = Kind::HeaderValue(CREDENTIAL_BYTES_MAX);

/// Half of what HTTP Basic sends: UTF-8 (RFC 7617), and one of the two may be empty.
const fn half(other: &'static str) -> Kind {
    Kind::Half(CREDENTIAL_BYTES_MAX, other)
}

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
pub const USERNAME: Field = Field::new("auth_username", half("auth_password"), "User name")
    .of(Part::Authentication)
    .required()
    .secret()
    .when("auth_scheme", &["basic"])
    .says("For `basic`. Write-only; no colon. It or the password may be empty.", "acme");
/// Password of HTTP Basic.
pub const PASSWORD: Field = Field::new("auth_password", half("auth_username"), "Password")
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

/// Signatures that receivers of other senders check already.
const PRESET: Field = Field {
    sets: &[(
        "meshes",
        &[
            ("signing_algorithm", "hmac-sha256"),
            ("signing_scheme", "body"),
            ("signature_header", "X-Meshes-Signature"),
            ("signature_encoding", "hex"),
            ("signature_prefix", ""),
        ],
    )],
    ..Field::new(
        "signing_preset",
        Kind::Words(&[("meshes", "Receivers that check X-Meshes-Signature")]),
        "Preset",
    )
    .of(Part::Signature)
    .hint("Sets algorithm, scheme and header below as those receivers expect them.")
    .says(
        "Sets the five fields below: an HMAC-SHA-256 of the body in hexadecimal digits, in \
         `X-Meshes-Signature`. Answered for as long as they stand as it sets them.",
        "",
    )
};

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
        PRESET,
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
const RESERVED: [(&str, &str); 16] = [
    ("host", OF_HTTP),
    ("authorization", "is set by auth_scheme"),
    ("cookie", "is for browsers"),
    ("connection", OF_HTTP),
    ("transfer-encoding", OF_HTTP),
    ("user-agent", OURS),
    ("keep-alive", OF_HTTP),
    ("te", OF_HTTP),
    ("trailer", OF_HTTP),
    ("upgrade", OF_HTTP),
    ("expect", OF_HTTP),
    ("forwarded", OF_PROXIES),
    ("x-real-ip", OF_PROXIES),
    ("true-client-ip", OF_PROXIES),
    ("via", OF_PROXIES),
    ("cdn-loop", OF_PROXIES),
];
const OURS: &str = "is set by Posthorn";
const OF_HTTP: &str = "is set by HTTP itself";
const OF_PROXIES: &str = "is set by proxies on the way, and receivers trust it";
/// Receivers behind Cloudflare Access ask for these.
const ALLOWED: [&str; 2] = ["cf-access-client-id", "cf-access-client-secret"];
const RESERVED_PREFIXES: [(&str, &str); 6] = [
    ("content-", "describes the body and is set by Posthorn"),
    ("cf-", OF_PROXIES),
    ("x-forwarded-", OF_PROXIES),
    ("webhook-", OURS),
    ("posthorn-", OURS),
    ("proxy-", OF_PROXIES),
];

/// Why a customer cannot choose this header; `None` when they can.
fn reserved(name: &str) -> Option<&'static str> {
    // Many servers read `posthorn_event` as `posthorn-event`.
    let name = name.to_ascii_lowercase().replace('_', "-");
    if ALLOWED.contains(&name.as_str()) {
        return None;
    }
    let whole = RESERVED.iter().find(|(reserved, _)| *reserved == name);
    let found = whole.or_else(|| RESERVED_PREFIXES.iter().find(|(it, _)| name.starts_with(it)));
    found.map(|(_, why)| *why)
}

/// Notes a user name that HTTP Basic cannot carry.
pub fn check_username(fields: &mut Fields<'_>, given: &BTreeMap<String, Secret>) {
    let half = |key| given.get(key).map(Secret::expose);
    let name = half("auth_username");
    if name.is_some_and(|name| name.contains(':')) {
        fields.fail("auth_username", Reason::Colon);
    }
    if name == Some("") && half("auth_password") == Some("") {
        fields.fail("auth_username", "must not be empty together with auth_password");
    }
}

/// A token as it stands in the header: a pasted `Bearer ` before it is added by us.
pub fn without_bearer(token: &str) -> Option<&str> {
    let (scheme, rest) = token.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim_start()).filter(|it| !it.is_empty())
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
        if let Err(why) = check_header_name(name) {
            fields.fail(param, why);
        } else if let Some(why) = reserved(name).filter(|_| !own_auth) {
            fields.fail(param, Reason::HeaderTaken((*name).to_owned(), why));
        } else if named[..index].iter().any(|(_, other)| other.eq_ignore_ascii_case(name)) {
            fields.fail(param, Reason::HeaderTwice((*name).to_owned()));
        }
    }
}
