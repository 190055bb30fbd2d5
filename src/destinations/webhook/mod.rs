//! The webhook: the payload's exact text to a URL of the customer's, signed.
//!
//! Credentials (`auth_*` values and custom headers' values) and the signing secret go in and never
//! come out: the settings do not hold them.

pub mod fields;

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{
    Account, Call, Content, OutboundHeader, OutboundRequest, Step, Verdict,
};
use crate::destinations::model::{About, Values, header_field};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::EXCERPT_BYTES_MAX;
use crate::domain::base::secret::Secret;
use crate::domain::base::time::rfc3339;
use crate::domain::connection::model::Credentials;
use crate::domain::connection::signing::{self, Algorithm, Encoding, Scheme, Signing};
use crate::domain::delivery::attempt::{Answer, Outcome, ReceiverDirective};
use crate::domain::delivery::state::EndReason;

/// The webhook.
pub struct Webhook;

impl Destination for Webhook {
    fn about(&self) -> &'static About {
        &fields::ABOUT
    }

    fn check(&self, fields: &mut Fields<'_>, values: &Values, given: &BTreeMap<String, Secret>) {
        fields::check_username(fields, given);
        fields::check_header_names(fields, values);
    }

    fn tidy(&self, given: &mut BTreeMap<String, Secret>) -> Vec<String> {
        let token = given.get("auth_token").and_then(|it| fields::without_bearer(it.expose()));
        let Some(token) = token.map(Secret::new) else { return Vec::new() };
        given.insert("auth_token".to_owned(), token);
        let told = "metadata.auth_token: the word Bearer before it was left out, because every \
                    request adds it";
        vec![told.to_owned()]
    }

    fn signing(&self, values: &Values) -> Result<Option<Signing>, String> {
        signing_of(values).map(Some)
    }

    fn address(&self, values: &Values) -> String {
        format!("{} {}", values.text("http_method"), values.text("url"))
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        match answers.first() {
            None => request(call).map(Step::Send),
            Some(answer) => Ok(Step::Done(verdict(answer))),
        }
    }
}

/// How the requests of a connection are signed.
fn signing_of(values: &Values) -> Result<Signing, String> {
    let unknown = |key: &str| format!("{key} is {:?}", values.text(key));
    let (algorithm, scheme) = ("signing_algorithm", "signing_scheme");
    let encoding = "signature_encoding";
    Ok(Signing {
        algorithm: Algorithm::parse(values.text(algorithm)).ok_or_else(|| unknown(algorithm))?,
        scheme: Scheme::parse(values.text(scheme)).ok_or_else(|| unknown(scheme))?,
        signature_header: values.text("signature_header").to_owned(),
        signature_encoding: Encoding::parse(values.text(encoding))
            .ok_or_else(|| unknown(encoding))?,
        signature_prefix: values.text("signature_prefix").to_owned(),
        timestamp_header: values.text("timestamp_header").to_owned(),
    })
}

/// A status decides, and a receiver can ask for more by the header `webhook-delivery`.
pub fn verdict(answer: &Answer) -> Verdict {
    match (answer.outcome(), answer.wish()) {
        (Outcome::Delivered, _) => Verdict::Delivered,
        (Outcome::Gone, _) => Verdict::Gone,
        (_, Some(ReceiverDirective::AbortMessage)) => {
            let told = answer.error().unwrap_or_default();
            Verdict::Permanent { reason: EndReason::Aborted, told }
        }
        (_, Some(ReceiverDirective::Disable)) => Verdict::Disabled,
        _ => Verdict::Retry(None),
    }
}

/// The signed request of one attempt. Nothing is sent unsigned.
fn request(call: &Call<'_>) -> Result<OutboundRequest, String> {
    let values = call.account.values;
    let (body, content) = body(call)?;
    let mut headers = vec![
        OutboundHeader::plain("content-type", "application/json"),
        OutboundHeader::plain("user-agent", concat!("Posthorn/", env!("CARGO_PKG_VERSION"))),
        OutboundHeader::plain("posthorn-event", &in_header(call.name)),
        OutboundHeader::plain("posthorn-event-id", call.event),
        OutboundHeader::plain("posthorn-event-time", &rfc3339(call.created_at_ms)),
        OutboundHeader::plain("posthorn-attempt", &call.attempt.to_string()),
        OutboundHeader::plain("posthorn-hops", &call.hops.saturating_add(1).to_string()),
    ];
    for (name, value) in
        [("posthorn-resource", call.resource), ("posthorn-resource-id", call.resource_id)]
    {
        headers.extend(value.map(|value| OutboundHeader::plain(name, &in_header(value))));
    }
    if call.is_test {
        headers.push(OutboundHeader::plain("posthorn-test", "true"));
    }
    headers.extend(chosen_headers(call.account)?);
    let secrets: Vec<_> = call.secrets.iter().collect();
    let signed = signing::headers(
        &signing_of(values)?,
        &secrets,
        call.message_id,
        call.now_ms.div_euclid(1_000),
        body.as_bytes(),
    )
    .map_err(|e| e.to_string())?;
    headers.extend(signed.iter().map(|(name, value)| OutboundHeader::plain(name, value)));
    Ok(OutboundRequest {
        method: values.text("http_method").to_owned(),
        url: values.text("url").to_owned(),
        public_url: None,
        headers,
        body: body.into_bytes(),
        content,
        notes: Vec::new(),
        timeout_ms: call.timeout_ms,
        answer_bytes_max: EXCERPT_BYTES_MAX,
    })
}

/// A name as a header value: what is no printable ASCII, and `%`, as percent-encoded UTF-8.
pub fn in_header(name: &str) -> String {
    const ENCODED: &AsciiSet = &CONTROLS.add(b'%');
    utf8_percent_encode(name, ENCODED).to_string()
}

/// The headers that the customer chose: authentication and custom ones.
///
/// # Errors
/// What is wrong with the stored settings, for the log.
pub fn chosen_headers(account: Account<'_>) -> Result<Vec<OutboundHeader>, String> {
    let Account { values, credentials } = account;
    let mut headers: Vec<OutboundHeader> = auth_header(values, credentials)?.into_iter().collect();
    for name in values.names("custom_headers") {
        let value = credentials.get(&header_field(name));
        headers.extend(value.map(|value| OutboundHeader::secret(name, value.expose())));
    }
    Ok(headers)
}

fn auth_header(
    values: &Values,
    credentials: &Credentials,
) -> Result<Option<OutboundHeader>, String> {
    let value = |field: &str| credentials.get(field).map_or("", |secret| secret.expose());
    Ok(match values.text("auth_scheme") {
        "none" => None,
        "basic" => {
            let pair = format!("{}:{}", value("auth_username"), value("auth_password"));
            let value = format!("Basic {}", STANDARD.encode(pair));
            Some(OutboundHeader::secret("authorization", &value))
        }
        "bearer" => {
            let value = format!("Bearer {}", value("auth_token"));
            Some(OutboundHeader::secret("authorization", &value))
        }
        "header" => {
            let name = values.text("auth_header_name");
            Some(OutboundHeader::secret(name, value("auth_header_value")))
        }
        other => return Err(format!("auth_scheme is {other:?}")),
    })
}

/// The body's text. `wrapped` embeds the payload's text untouched (the wire contract's envelope).
fn body(call: &Call<'_>) -> Result<(String, Content), String> {
    match call.account.values.text("payload_mode") {
        "raw" => Ok((call.payload.to_owned(), Content::Payload)),
        "wrapped" => {
            let text = format!(
                "{{\"uuid\":{},\"event\":{},\"resource\":{},\"resource_id\":{},\"payload\":{},\
                 \"time_created\":{},\"time_sent\":{}}}",
                json!(call.event),
                json!(call.name),
                json!(call.resource),
                json!(call.resource_id),
                call.payload,
                call.created_at_ms,
                call.now_ms,
            );
            Ok((text, Content::Wrapped))
        }
        other => Err(format!("payload_mode is {other:?}")),
    }
}

#[cfg(test)]
mod tests;
