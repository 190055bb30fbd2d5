//! The webhook destination: its settings, how they are read from a caller's `metadata`, shown back,
//! and turned into a signed request.
//!
//! Credentials (`auth_*` values and custom headers' values) and the signing secret go in and never
//! come out: [`Settings`] does not hold them, [`show`] says only that they are set.

pub mod form;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use strum::{EnumString, IntoStaticStr};

use crate::destinations::{Material, OutboundHeader, OutboundRequest};
use crate::domain::base::limits::TIMEOUT_S_DEFAULT;
use crate::domain::base::time::SECOND_MS;
use crate::domain::connection::model::Credentials;
use crate::domain::connection::signing::{self, Signing, SigningError};
use crate::domain::delivery::retry::Schedule;
use crate::domain::lane::queue::LanePolicy;

/// How the request proves to the receiver who sends it, beside the signature.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum AuthScheme {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic with `auth_username` and `auth_password`.
    Basic,
    /// `Authorization: Bearer` with `auth_token`.
    Bearer,
    /// A header of the customer's choice, `auth_header_name` with `auth_header_value`.
    Header,
}

impl AuthScheme {
    /// The scheme with this word.
    pub fn parse(word: &str) -> Option<Self> {
        word.parse().ok()
    }

    /// The word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The credentials it needs, by field name.
    pub fn credential_fields(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::Basic => &["auth_username", "auth_password"],
            Self::Bearer => &["auth_token"],
            Self::Header => &["auth_header_value"],
        }
    }
}

/// What the body of the request is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum PayloadMode {
    /// The payload's text.
    #[default]
    Raw,
    /// An envelope around the payload's text.
    Wrapped,
}

impl PayloadMode {
    /// The mode with this word.
    pub fn parse(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

impl PayloadMode {
    /// The word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Whether the events of a connection wait for one another.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Ordering {
    /// They do not: one that fails lets the others pass.
    #[default]
    None,
    /// No event is sent before every earlier one is delivered, failed or canceled.
    Strict,
}

impl Ordering {
    /// The word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The ordering with this word.
    pub fn parse(word: &str) -> Option<Self> {
        word.parse().ok()
    }
}

/// Methods that a webhook can use; the first is the default.
pub const METHODS: [&str; 3] = ["POST", "PUT", "PATCH"];

/// Settings of a webhook connection, as they are stored (JSON).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Where to.
    pub url: String,
    /// One of [`METHODS`].
    pub http_method: String,
    /// What the body is.
    pub payload_mode: PayloadMode,
    /// How the request authenticates.
    pub auth_scheme: AuthScheme,
    /// Header of auth scheme `header`.
    pub auth_header_name: Option<String>,
    /// Names of the custom headers; their values are credentials.
    pub custom_headers: Vec<String>,
    /// How the request is signed.
    pub signing: Signing,
    /// Time for one attempt.
    pub timeout_seconds: u32,
    /// When a failed attempt is repeated.
    pub retry_schedule_seconds: Schedule,
    /// Whether events wait for one another.
    #[serde(default)]
    pub ordering: Ordering,
    /// The most requests that start in any second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_per_second: Option<u32>,
}

impl Settings {
    /// The settings of a new connection to `url`.
    pub fn new(url: String) -> Self {
        Self {
            url,
            http_method: METHODS[0].to_owned(),
            payload_mode: PayloadMode::default(),
            auth_scheme: AuthScheme::default(),
            auth_header_name: None,
            custom_headers: Vec::new(),
            signing: Signing::default(),
            timeout_seconds: TIMEOUT_S_DEFAULT,
            retry_schedule_seconds: Schedule::default(),
            ordering: Ordering::default(),
            max_per_second: None,
        }
    }

    /// What the settings ask of the connection's lane.
    pub fn traits(&self) -> LanePolicy {
        LanePolicy {
            strict: self.ordering == Ordering::Strict,
            per_second: self.max_per_second,
            timeout_ms: i64::from(self.timeout_seconds) * SECOND_MS,
        }
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn from_stored(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|e| format!("webhook settings: {e}"))
    }

    /// The form to store.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).expect("settings are JSON")
    }
}

/// Begins the names of custom headers' values among the credentials.
pub const CUSTOM_HEADER: &str = "custom_header:";

/// Name of a custom header's value among the credentials.
pub fn header_field(name: &str) -> String {
    format!("{CUSTOM_HEADER}{}", name.to_ascii_lowercase())
}

/// What is known of a connection's signing secret without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// When the current one was set, as RFC 3339.
    pub set_at: String,
    /// `given` or `generated`.
    pub set_by: &'static str,
}

/// The `metadata` that callers read: the settings, and for every value that is write-only whether
/// it is set. `is_set` tells that of a credential's field.
pub fn show(
    settings: &Settings,
    is_set: impl Fn(&str) -> bool,
    secret: Option<&SecretFacts>,
) -> Map<String, Value> {
    let signing = &settings.signing;
    let custom = settings.custom_headers.iter();
    let custom: Vec<Value> = custom
        .map(|name| json!({"name": name, "has_value": is_set(&header_field(name))}))
        .collect();
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    put("url", json!(settings.url));
    put("http_method", json!(settings.http_method));
    put("payload_mode", json!(settings.payload_mode));
    put("auth_scheme", json!(settings.auth_scheme));
    if let Some(name) = &settings.auth_header_name {
        put("auth_header_name", json!(name));
    }
    for field in settings.auth_scheme.credential_fields() {
        put(&format!("has_{field}"), json!(is_set(field)));
    }
    put("custom_headers", json!(custom));
    put("signing_algorithm", json!(signing.algorithm));
    put("signing_scheme", json!(signing.scheme));
    put("signature_header", json!(signing.signature_header));
    put("signature_encoding", json!(signing.signature_encoding));
    put("signature_prefix", json!(signing.signature_prefix));
    put("timestamp_header", json!(signing.timestamp_header));
    put("has_signing_secret", json!(secret.is_some()));
    if let Some(facts) = secret {
        put("signing_secret_set_at", json!(facts.set_at));
        put("secret_set_by", json!(facts.set_by));
    }
    put("timeout_seconds", json!(settings.timeout_seconds));
    put("retry_schedule_seconds", json!(settings.retry_schedule_seconds));
    put("ordering", json!(settings.ordering));
    if let Some(per_second) = settings.max_per_second {
        put("max_per_second", json!(per_second));
    }
    shown
}

/// The signed request of one attempt.
///
/// # Errors
/// When a signing secret cannot be used; nothing is sent unsigned.
pub fn request(
    settings: &Settings,
    material: &Material<'_>,
) -> Result<OutboundRequest, SigningError> {
    let body = body(settings.payload_mode, material);
    let mut headers = vec![
        OutboundHeader::plain("content-type", "application/json"),
        OutboundHeader::plain("user-agent", concat!("Posthorn/", env!("CARGO_PKG_VERSION"))),
        OutboundHeader::plain("posthorn-event", material.name),
        OutboundHeader::plain("posthorn-event-id", material.event),
        OutboundHeader::plain("posthorn-attempt", &material.attempt.to_string()),
    ];
    if material.is_test {
        headers.push(OutboundHeader::plain("posthorn-test", "true"));
    }
    headers.extend(auth_header(settings, material.credentials));
    for name in &settings.custom_headers {
        let value = material.credentials.get(&header_field(name));
        headers.extend(value.map(|value| OutboundHeader::secret(name, value.expose())));
    }
    let secrets: Vec<_> = material.secrets.iter().collect();
    let signed = signing::headers(
        &settings.signing,
        &secrets,
        material.message_id,
        material.now_ms.div_euclid(1_000),
        body.as_bytes(),
    )?;
    headers.extend(signed.iter().map(|(name, value)| OutboundHeader::plain(name, value)));
    Ok(OutboundRequest {
        method: settings.http_method.clone(),
        url: settings.url.clone(),
        headers,
        body: body.into_bytes(),
        timeout_ms: i64::from(settings.timeout_seconds) * 1_000,
    })
}

fn auth_header(settings: &Settings, credentials: &Credentials) -> Option<OutboundHeader> {
    let value = |field: &str| credentials.get(field).map(|secret| secret.expose());
    match settings.auth_scheme {
        AuthScheme::None => None,
        AuthScheme::Basic => {
            let (user, password) = (value("auth_username")?, value("auth_password")?);
            let encoded = STANDARD.encode(format!("{user}:{password}"));
            Some(OutboundHeader::secret("authorization", &format!("Basic {encoded}")))
        }
        AuthScheme::Bearer => {
            let token = value("auth_token")?;
            Some(OutboundHeader::secret("authorization", &format!("Bearer {token}")))
        }
        AuthScheme::Header => {
            let name = settings.auth_header_name.as_deref()?;
            Some(OutboundHeader::secret(name, value("auth_header_value")?))
        }
    }
}

/// The body's text. `wrapped` embeds the payload's text untouched (the wire contract's envelope).
fn body(mode: PayloadMode, material: &Material<'_>) -> String {
    match mode {
        PayloadMode::Raw => material.payload.to_owned(),
        PayloadMode::Wrapped => format!(
            "{{\"uuid\":{},\"event\":{},\"resource\":{},\"resource_id\":{},\"payload\":{},\
             \"time_created\":{},\"time_sent\":{}}}",
            json!(material.event),
            json!(material.name),
            json!(material.resource),
            json!(material.resource_id),
            material.payload,
            material.created_at_ms,
            material.now_ms,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::secret::Secret;

    const PAYLOAD: &str = "{ \"z\":1.0,\"a\":1e400 }";

    fn built(settings: &Settings, credentials: &Credentials) -> OutboundRequest {
        let secrets = [Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
        let material = Material {
            event: "0193f6a0-0000-7000-8000-000000000001",
            name: "order.completed",
            resource: Some("order"),
            resource_id: None,
            payload: PAYLOAD,
            created_at_ms: 1_000,
            message_id: "msg_1",
            is_test: false,
            attempt: 2,
            secrets: &secrets,
            credentials,
            now_ms: 2_500,
        };
        request(settings, &material).expect("a usable secret")
    }

    fn header<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a OutboundHeader> {
        request.headers.iter().find(|header| header.name == name)
    }

    fn credentials(values: &[(&str, &str)]) -> Credentials {
        values.iter().map(|(field, value)| ((*field).to_owned(), Secret::new(*value))).collect()
    }

    #[test]
    fn the_body_holds_the_payload_untouched() {
        let mut settings = Settings::new("https://example.com/h".to_owned());
        assert_eq!(built(&settings, &Credentials::new()).body, PAYLOAD.as_bytes());
        settings.payload_mode = PayloadMode::Wrapped;
        let expected = format!(
            "{{\"uuid\":\"0193f6a0-0000-7000-8000-000000000001\",\"event\":\"order.completed\",\
             \"resource\":\"order\",\"resource_id\":null,\"payload\":{PAYLOAD},\
             \"time_created\":1000,\"time_sent\":2500}}"
        );
        assert_eq!(String::from_utf8(built(&settings, &Credentials::new()).body), Ok(expected));
    }

    #[test]
    fn credentials_become_headers_marked_as_secret() {
        let mut settings = Settings::new("https://example.com/h".to_owned());
        settings.auth_header_name = Some("X-Api-Key".to_owned());
        settings.custom_headers = vec!["X-Team".to_owned()];
        let given = credentials(&[
            ("auth_username", "ann"),
            ("auth_password", "pa:ss"),
            ("auth_token", "t0k"),
            ("auth_header_value", "k3y"),
            ("custom_header:x-team", "blue"),
        ]);
        for (scheme, name, value) in [
            (AuthScheme::Basic, "authorization", "Basic YW5uOnBhOnNz"),
            (AuthScheme::Bearer, "authorization", "Bearer t0k"),
            (AuthScheme::Header, "X-Api-Key", "k3y"),
        ] {
            settings.auth_scheme = scheme;
            let request = built(&settings, &given);
            assert_eq!(header(&request, name), Some(&OutboundHeader::secret(name, value)));
            assert_eq!(header(&request, "X-Team"), Some(&OutboundHeader::secret("X-Team", "blue")));
        }
        settings.auth_scheme = AuthScheme::None;
        assert_eq!(header(&built(&settings, &given), "authorization"), None);
        assert_eq!(header(&built(&settings, &given), "posthorn-attempt").expect("set").value, "2");
    }

    #[test]
    fn settings_survive_storage_and_show_no_credential() {
        let mut settings = Settings::new("https://example.com/h".to_owned());
        settings.auth_scheme = AuthScheme::Basic;
        settings.custom_headers = vec!["X-Team".to_owned()];
        assert_eq!(Settings::from_stored(&settings.to_stored()), Ok(settings.clone()));
        let shown = Value::from(show(&settings, |field| field == "auth_password", None));
        assert_eq!(shown["has_auth_password"], json!(true));
        assert_eq!(shown["has_auth_username"], json!(false));
        assert_eq!(shown["has_signing_secret"], json!(false));
        assert_eq!(shown["custom_headers"], json!([{"name": "X-Team", "has_value": false}]));
        assert_eq!(shown["signing_scheme"], json!("standard"));
    }
}
