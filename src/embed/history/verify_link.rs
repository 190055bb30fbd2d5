//! The way from an attempt to the page that checks its signature in the browser: what that page has
//! to know stands behind the `#` of its address, which no browser sends anywhere.

use url::form_urlencoded::Serializer;

use crate::app::connections::signing;
use crate::domain::connection::signing::{Algorithm, Encoding, Scheme, Signing};
use crate::domain::delivery::attempt::Record;
use crate::store::connections::Connection;

/// Longer bodies are for the person to enter.
const BODY_BYTES_MAX: usize = 8 * 1024;

/// The address for an attempt to this connection; `None` when it was not signed. `payload` is the
/// body, where it may be read and is what was sent.
pub fn link(connection: &Connection, record: &Record, payload: Option<&str>) -> Option<String> {
    let signing = signing(connection).ok().flatten()?;
    let algorithm = match signing.algorithm {
        Algorithm::None => return None,
        Algorithm::HmacSha256 => "SHA-256",
        Algorithm::HmacSha512 => "SHA-512",
    };
    let headers = headers(&signing, record)?;
    let mut query = Serializer::new(String::new());
    query.append_pair("scheme", signing.scheme.as_str()).append_pair("algorithm", algorithm);
    if signing.scheme != Scheme::Standard {
        query.append_pair("signature_header", &signing.signature_header);
    }
    if signing.scheme == Scheme::Body {
        let is_hex = signing.signature_encoding == Encoding::Hex;
        query
            .append_pair("timestamp_header", &signing.timestamp_header)
            .append_pair("prefix", &signing.signature_prefix)
            .append_pair("encoding", if is_hex { "hex" } else { "base64" });
    }
    query.append_pair("headers", &headers);
    if let Some(body) = payload.filter(|body| body.len() <= BODY_BYTES_MAX) {
        query.append_pair("body", body);
    }
    Some(format!("/tools/verify#{}", query.finish()))
}

/// The headers that a signature is in or covers, as they were sent; `None` when there are none.
fn headers(signing: &Signing, record: &Record) -> Option<String> {
    let of_scheme: &[&str] = match signing.scheme {
        Scheme::Standard => &["webhook-id", "webhook-timestamp", "webhook-signature"],
        Scheme::Body => &[&signing.signature_header, &signing.timestamp_header],
        Scheme::Timestamped => &[&signing.signature_header],
    };
    let is_meant = |name: &String| of_scheme.iter().any(|one| one.eq_ignore_ascii_case(name));
    let sent = record.request_headers.iter().filter(|(name, _)| is_meant(name));
    let lines: Vec<String> = sent.map(|(name, value)| format!("{name}: {value}")).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
