//! Reads the `metadata` of a webhook connection from a caller. A field that is left out keeps what
//! is stored; `null` goes back to the default. Every bad field is named below `metadata`.

use std::collections::BTreeMap;

use crate::destinations::webhook::{
    AuthScheme, METHODS, Ordering, PayloadMode, Settings, header_field,
};
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{
    CREDENTIAL_BYTES_MAX, CUSTOM_HEADERS_MAX, HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX,
    TIMEOUT_S_DEFAULT, TIMEOUT_S_MAX, TIMEOUT_S_MIN,
};
use crate::domain::base::secret::Secret;
use crate::domain::base::url_guard;
use crate::domain::connection::signing::{self, Algorithm, Encoding, Scheme, Signing};
use crate::domain::delivery::retry::Schedule;
use crate::domain::lane::pace::PER_SECOND_MAX;

/// What a caller asked for, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The settings as they will be.
    pub settings: Settings,
    /// New values of credentials, by field. What is not here keeps its stored value.
    pub credentials: BTreeMap<String, Secret>,
    /// What to do about the signing secret.
    pub signing_secret: SecretChange,
}

/// What a caller wants of the signing secret.
#[derive(Debug, Clone, PartialEq)]
pub enum SecretChange {
    /// Leave it; a new connection gets one generated and shown to nobody.
    Keep,
    /// Use this one.
    Use(Secret),
    /// Generate one and show it in this answer.
    Generate,
}

/// Names that a customer's header must not have (the wire contract), as exact names and prefixes.
/// `user-agent` and the hop-by-hop names of RFC 9110 section 7.6.1 are ours.
const RESERVED: [&str; 11] = [
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
];
const RESERVED_PREFIXES: [&str; 6] =
    ["content-", "cf-", "x-forwarded-", "webhook-", "posthorn-", "proxy-"];

const KEYS: [&str; 22] = [
    "url",
    "http_method",
    "payload_mode",
    "auth_scheme",
    "auth_username",
    "auth_password",
    "auth_token",
    "auth_header_name",
    "auth_header_value",
    "custom_headers",
    "signing_algorithm",
    "signing_scheme",
    "signing_secret",
    "generate_secret",
    "signature_header",
    "signature_encoding",
    "signature_prefix",
    "timestamp_header",
    "timeout_seconds",
    "retry_schedule_seconds",
    "ordering",
    "max_per_second",
];

/// Keys that are only ever read; a caller that writes back what it read may send them.
pub const READ_ONLY: [&str; 7] = [
    "has_auth_username",
    "has_auth_password",
    "has_auth_token",
    "has_auth_header_value",
    "has_signing_secret",
    "signing_secret_set_at",
    "secret_set_by",
];

/// Reads `metadata`, the text of a JSON object. `current` is what is stored, `is_set` tells
/// whether a credential's field has a stored value.
///
/// # Errors
/// `Invalid` naming each bad field below `metadata`; `Refused` when the URL guard refuses the URL.
pub fn read(
    metadata: &str,
    current: Option<&Settings>,
    is_set: impl Fn(&str) -> bool,
    policy: &url_guard::Policy<'_>,
) -> Result<Form> {
    read_fields(metadata, current, is_set, policy).map_err(|error| error.below("metadata"))
}

fn read_fields(
    metadata: &str,
    current: Option<&Settings>,
    is_set: impl Fn(&str) -> bool,
    policy: &url_guard::Policy<'_>,
) -> Result<Form> {
    let mut fields = Fields::parse(metadata)?;
    for key in fields.names() {
        if !KEYS.contains(&key.as_str()) && !READ_ONLY.contains(&key.as_str()) {
            fields.fail(&key, "is not a setting of a webhook connection");
        }
    }
    let url = match (fields.has("url"), current) {
        (false, Some(current)) => current.url.clone(),
        _ => fields.required_text("url"),
    };
    let mut settings = current.cloned().unwrap_or_else(|| Settings::new(url.clone()));
    settings.url = url;
    let mut credentials = BTreeMap::new();
    read_request(&mut fields, &mut settings);
    read_auth(&mut fields, &mut settings, &mut credentials, &is_set);
    read_custom_headers(&mut fields, &mut settings, &mut credentials, &is_set);
    read_order(&mut fields, &mut settings);
    read_signing(&mut fields, &mut settings.signing);
    let signing_secret = read_secret(&mut fields, &settings.signing);
    check_header_names(&mut fields, &settings);
    fields.finish()?;
    if let Err(refusal) = url_guard::check(&settings.url, policy) {
        return Err(Error::field("url", refusal.to_string()).of_kind(Kind::Refused));
    }
    Ok(Form { settings, credentials, signing_secret })
}

/// Sets `slot` from a word that `parse` knows, or back to `default` on `null`.
fn read_word<T>(
    fields: &mut Fields<'_>,
    name: &str,
    slot: &mut T,
    default: T,
    parse: impl Fn(&str) -> Option<T>,
    words: &str,
) {
    if fields.is_null(name) {
        *slot = default;
    } else if let Some(word) = fields.text(name) {
        match parse(&word) {
            Some(value) => *slot = value,
            None => fields.fail(name, format!("must be one of {words}")),
        }
    }
}

fn read_request(fields: &mut Fields<'_>, settings: &mut Settings) {
    let method = |word: &str| METHODS.contains(&word).then(|| word.to_owned());
    let default = METHODS[0].to_owned();
    let slot = &mut settings.http_method;
    read_word(fields, "http_method", slot, default, method, "POST, PUT, PATCH");
    let (slot, default) = (&mut settings.payload_mode, PayloadMode::default());
    read_word(fields, "payload_mode", slot, default, PayloadMode::parse, "raw, wrapped");
    if fields.is_null("timeout_seconds") {
        settings.timeout_seconds = TIMEOUT_S_DEFAULT;
    } else if let Some(seconds) = fields.integer("timeout_seconds") {
        match u32::try_from(seconds) {
            Ok(s) if (TIMEOUT_S_MIN..=TIMEOUT_S_MAX).contains(&s) => settings.timeout_seconds = s,
            _ => fields
                .fail("timeout_seconds", format!("must be {TIMEOUT_S_MIN} to {TIMEOUT_S_MAX}")),
        }
    }
    if fields.is_null("retry_schedule_seconds") {
        settings.retry_schedule_seconds = Schedule::default();
    } else if let Some(steps) =
        fields.get::<Vec<u32>>("retry_schedule_seconds", "an array of whole numbers of seconds")
    {
        match Schedule::new(steps) {
            Ok(schedule) => settings.retry_schedule_seconds = schedule,
            Err(msg) => fields.fail("retry_schedule_seconds", msg),
        }
    }
}

fn read_order(fields: &mut Fields<'_>, settings: &mut Settings) {
    let (slot, default) = (&mut settings.ordering, Ordering::default());
    read_word(fields, "ordering", slot, default, Ordering::parse, "none, strict");
    if fields.is_null("max_per_second") {
        settings.max_per_second = None;
    } else if let Some(number) = fields.integer("max_per_second") {
        match u32::try_from(number) {
            Ok(n) if (1..=PER_SECOND_MAX).contains(&n) => settings.max_per_second = Some(n),
            _ => fields.fail("max_per_second", format!("must be 1 to {PER_SECOND_MAX}")),
        }
    }
}

fn read_auth(
    fields: &mut Fields<'_>,
    settings: &mut Settings,
    credentials: &mut BTreeMap<String, Secret>,
    is_set: &impl Fn(&str) -> bool,
) {
    let (slot, words) = (&mut settings.auth_scheme, "none, basic, bearer, header");
    read_word(fields, "auth_scheme", slot, AuthScheme::None, AuthScheme::parse, words);
    if fields.is_null("auth_header_name") {
        settings.auth_header_name = None;
    } else if let Some(name) = fields.text("auth_header_name") {
        settings.auth_header_name = Some(name);
    }
    if settings.auth_scheme != AuthScheme::Header {
        settings.auth_header_name = None;
    } else if settings.auth_header_name.is_none() {
        fields.fail("auth_header_name", "is required with auth_scheme header");
    }
    for field in settings.auth_scheme.credential_fields() {
        if let Some(value) = fields.checked_text(field, check_credential) {
            if *field == "auth_username" && value.contains(':') {
                fields.fail(field, "must not contain a colon (RFC 7617)");
            }
            credentials.insert((*field).to_owned(), Secret::new(value));
        } else if fields.is_null(field) || (!fields.has(field) && !is_set(field)) {
            fields.fail(field, "is required with this auth_scheme");
        }
    }
}

/// Credentials end in a header, so they are what a header value can be.
fn check_credential(value: &str) -> std::result::Result<(), String> {
    check_header_value(value, CREDENTIAL_BYTES_MAX)
}

fn check_header_value(value: &str, bytes_max: usize) -> std::result::Result<(), String> {
    let printable = value.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if value.is_empty() || value.len() > bytes_max || !printable || value.trim() != value {
        return Err(format!(
            "must be 1 to {bytes_max} printable ASCII characters without space around them"
        ));
    }
    Ok(())
}

fn check_header_name(name: &str) -> std::result::Result<(), String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > HEADER_NAME_CHARS_MAX || !name.chars().all(is_token) {
        return Err(format!("must be a header name of 1 to {HEADER_NAME_CHARS_MAX} characters"));
    }
    Ok(())
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    RESERVED.contains(&name.as_str())
        || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn read_custom_headers(
    fields: &mut Fields<'_>,
    settings: &mut Settings,
    credentials: &mut BTreeMap<String, Secret>,
    is_set: &impl Fn(&str) -> bool,
) {
    if fields.is_null("custom_headers") {
        settings.custom_headers.clear();
    }
    let what = "an array of {name, value} objects";
    let Some(list) = fields.items("custom_headers", what) else { return };
    if list.len() > CUSTOM_HEADERS_MAX {
        fields.fail("custom_headers", format!("must be at most {CUSTOM_HEADERS_MAX} headers"));
        return;
    }
    settings.custom_headers.clear();
    for (index, entry) in list.iter().enumerate() {
        let at = format!("custom_headers[{index}]");
        match read_custom_header(entry.get(), is_set) {
            Ok((name, value)) => {
                credentials.extend(value.map(|value| (header_field(&name), value)));
                settings.custom_headers.push(name);
            }
            Err(error) => fields.fail_with(&at, error),
        }
    }
}

fn read_custom_header(
    entry: &str,
    is_set: &impl Fn(&str) -> bool,
) -> Result<(String, Option<Secret>)> {
    let mut header = Fields::parse(entry)?;
    let name = header.required_checked_text("name", check_header_name);
    let check = |value: &str| check_header_value(value, HEADER_VALUE_BYTES_MAX);
    let value = header.checked_text("value", check);
    let kept = !header.has("value") && is_set(&header_field(&name));
    if value.is_none() && !kept && !header.failed() {
        header.fail("value", "is required for a new header");
    }
    header.finish()?;
    Ok((name, value.map(Secret::new)))
}

fn read_signing(fields: &mut Fields<'_>, signing: &mut Signing) {
    let default = Signing::default();
    let (slot, words) = (&mut signing.algorithm, "hmac-sha256, hmac-sha512, none");
    read_word(fields, "signing_algorithm", slot, default.algorithm, Algorithm::parse, words);
    let (slot, words) = (&mut signing.scheme, "standard, body, timestamped");
    read_word(fields, "signing_scheme", slot, default.scheme, Scheme::parse, words);
    let (slot, words) = (&mut signing.signature_encoding, "hex, base64");
    let encoding = default.signature_encoding;
    read_word(fields, "signature_encoding", slot, encoding, Encoding::parse, words);
    for (name, slot, default) in [
        ("signature_header", &mut signing.signature_header, default.signature_header),
        ("timestamp_header", &mut signing.timestamp_header, default.timestamp_header),
    ] {
        if fields.is_null(name) {
            *slot = default;
        } else if let Some(header) = fields.checked_text(name, check_header_name) {
            *slot = header;
        }
    }
    let check_prefix = |prefix: &str| {
        let fits = prefix.len() <= 32 && prefix.bytes().all(|b| (0x21..=0x7e).contains(&b));
        fits.then_some(()).ok_or_else(|| "must be at most 32 printable characters".to_owned())
    };
    if fields.is_null("signature_prefix") {
        signing.signature_prefix = default.signature_prefix;
    } else if let Some(prefix) = fields.checked_text("signature_prefix", check_prefix) {
        signing.signature_prefix = prefix;
    }
}

fn read_secret(fields: &mut Fields<'_>, signing: &Signing) -> SecretChange {
    let generate = fields.flag("generate_secret") == Some(true);
    let given = fields.text("signing_secret");
    if fields.is_null("signing_secret") {
        fields.fail("signing_secret", "cannot be removed; use signing_algorithm none");
    }
    if generate && given.is_some() {
        fields.fail("generate_secret", "cannot stand beside signing_secret");
    }
    if let Some(text) = given {
        if let Err(msg) = signing::check_secret(signing.scheme, &text) {
            fields.fail("signing_secret", msg);
        }
        return SecretChange::Use(Secret::new(text));
    }
    if generate { SecretChange::Generate } else { SecretChange::Keep }
}

/// Headers that the customer names must not be ours, and must differ from one another.
fn check_header_names(fields: &mut Fields<'_>, settings: &Settings) {
    let signing = &settings.signing;
    let mut named: Vec<(String, &str)> = Vec::new();
    if signing.scheme != Scheme::Standard && signing.algorithm != Algorithm::None {
        named.push(("signature_header".to_owned(), &signing.signature_header));
    }
    if signing.scheme == Scheme::Body {
        named.push(("timestamp_header".to_owned(), &signing.timestamp_header));
    }
    for (index, name) in settings.custom_headers.iter().enumerate() {
        named.push((format!("custom_headers[{index}].name"), name));
    }
    if let Some(name) = &settings.auth_header_name {
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
