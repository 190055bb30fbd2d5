//! How a request is signed, so that its receiver can check who sent it and that it is unchanged.
//!
//! Three schemes, each over the exact body bytes:
//!
//! | scheme | signature | signed content |
//! |---|---|---|
//! | `standard` | `webhook-signature: v1,<base64>`, one per live secret | `id.timestamp.body` |
//! | `body` | one header, hex or base64, optional prefix | body |
//! | `timestamped` | one header: `t=<s>,v1=<hex>`, one `v1` per live secret | `timestamp.body` |
//!
//! `standard` is Standard Webhooks 1.0, `timestamped` is what Stripe's verifiers read, `body` is
//! what GitHub's and most hand-written ones read. Under `body` the timestamp header is not covered
//! by the signature.
//!
//! A new scheme is an arm of [`Scheme`], its arms in [`headers`] and `key_bytes`, and its vectors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Sha256, Sha512};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use strum::{EnumString, IntoStaticStr};

use crate::domain::base::secret::Secret;

/// Begins a secret that is base64 (Standard Webhooks 1.0).
const WHSEC: &str = "whsec_";
/// Key bytes behind `whsec_` (Standard Webhooks 1.0: 192 to 512 bits).
const WHSEC_KEY_BYTES: RangeInclusive<usize> = 24..=64;
/// UTF-8 bytes of a secret that is used as typed: what other senders let people set.
const TEXT_BYTES: RangeInclusive<usize> = 8..=256;
/// A key with fewer bytes than this earns a warning: the least that Standard Webhooks allows.
const SHORT_BELOW_BYTES: usize = 24;

/// The hash behind a signature.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
pub enum Algorithm {
    /// HMAC with SHA-256, which every verifier knows.
    #[default]
    #[serde(rename = "hmac-sha256")]
    #[strum(serialize = "hmac-sha256")]
    HmacSha256,
    /// HMAC with SHA-512.
    #[serde(rename = "hmac-sha512")]
    #[strum(serialize = "hmac-sha512")]
    HmacSha512,
    /// No signature.
    #[serde(rename = "none")]
    #[strum(serialize = "none")]
    None,
}

/// What is signed and where the signature stands: see the table at the top.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Scheme {
    /// Standard Webhooks 1.0.
    #[default]
    Standard,
    /// The HMAC of the body in a header of the customer's choice.
    Body,
    /// The HMAC of timestamp and body in a header of the customer's choice, as Stripe does it.
    Timestamped,
}

/// How a signature is written under [`Scheme::Body`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, EnumString, IntoStaticStr,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Encoding {
    /// Lower-case hexadecimal.
    #[default]
    Hex,
    /// Standard base64 with padding.
    Base64,
}

impl Algorithm {
    /// The algorithm of this name, as the API spells it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl Scheme {
    /// The scheme of this name, as the API spells it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether a request has room for one signature only, the newest secret's: then the secrets of
    /// a rotation cannot overlap.
    pub fn has_one_signature(self) -> bool {
        match self {
            Self::Body => true,
            Self::Standard | Self::Timestamped => false,
        }
    }
}

impl Encoding {
    /// The encoding of this name, as the API spells it.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    /// The name as the API spells it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }
}

/// How the requests of one connection are signed.
///
/// Header names are the customer's, sent as typed; who stores them checks them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Signing {
    /// The hash.
    pub algorithm: Algorithm,
    /// What is signed and where the signature stands.
    pub scheme: Scheme,
    /// Header of the signature, for `body` and `timestamped`.
    pub signature_header: String,
    /// How the signature is written, for `body`.
    pub signature_encoding: Encoding,
    /// Stands before the signature, for `body`: `sha256=`, for instance.
    pub signature_prefix: String,
    /// Header of the timestamp in seconds, for `body`.
    pub timestamp_header: String,
}

impl Default for Signing {
    fn default() -> Self {
        Signing {
            algorithm: Algorithm::default(),
            scheme: Scheme::default(),
            signature_header: "X-Signature".to_owned(),
            signature_encoding: Encoding::default(),
            signature_prefix: String::new(),
            timestamp_header: "X-Signature-Timestamp".to_owned(),
        }
    }
}

/// Why a request could not be signed. It is our own fault: secrets are checked when they are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// The algorithm needs a secret and none is live.
    #[error("no live signing secret")]
    NoSecret,
    /// A live secret gives no key: empty, or `whsec_` with something that is not base64.
    #[error("a live signing secret gives no key bytes under this scheme")]
    UnusableKey,
}

/// What a page says about a secret that it accepts.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretAdvice {
    /// Under `standard`, for a secret that is plain text: the same key as stock verifiers want it,
    /// `whsec_<base64>`. It is as secret as the secret: shown once and not stored.
    pub equivalent_whsec: Option<String>,
    /// The key has fewer than 24 bytes, easier to guess than it should be.
    pub short: bool,
}

impl std::fmt::Debug for SecretAdvice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretAdvice")
            .field("equivalent_whsec", &self.equivalent_whsec.as_ref().map(|_| "***"))
            .field("short", &self.short)
            .finish()
    }
}

/// The headers that identify and sign one request, in the order in which they are sent.
///
/// `secrets` are the live ones, newest first; under `body` the newest alone signs. `webhook-id` is
/// sent whatever the scheme and algorithm, because receivers recognise a repeat by it.
///
/// # Errors
/// See [`SigningError`]. Every secret that has to sign must be usable: leaving an older one out
/// would quietly end the overlap of a rotation.
pub fn headers(
    signing: &Signing,
    secrets: &[&Secret],
    message_id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<Vec<(String, String)>, SigningError> {
    let keys = keys(signing, secrets)?;
    let at = timestamp_s.to_string();
    // One token for every hash and, within it, every key: the keys come newest first.
    let tokens = |content: &[&[u8]], separator: char, encoding: Encoding| {
        let mut tokens = Vec::new();
        for (version, hash) in hashes(signing) {
            for key in &keys {
                let signature = encoding.encode(&mac(*hash, key, content));
                tokens.push(format!("{version}{separator}{signature}"));
            }
        }
        tokens
    };
    let mut headers = vec![("webhook-id".to_owned(), message_id.to_owned())];
    let mut push = |name: &str, value: String| headers.push((name.to_owned(), value));
    match signing.scheme {
        Scheme::Standard => {
            let content = [message_id.as_bytes(), b".", at.as_bytes(), b".", body];
            let tokens = tokens(&content, ',', Encoding::Base64);
            push("webhook-timestamp", at);
            if !tokens.is_empty() {
                push("webhook-signature", tokens.join(" "));
            }
        }
        Scheme::Body => {
            if let (Some((_, hash)), Some(key)) = (hashes(signing).first(), keys.first()) {
                let signature = signing.signature_encoding.encode(&mac(*hash, key, &[body]));
                let value = format!("{}{signature}", signing.signature_prefix);
                push(&signing.signature_header, value);
            }
            push(&signing.timestamp_header, at);
        }
        Scheme::Timestamped => {
            let content = [at.as_bytes(), b".", body];
            let tokens = tokens(&content, '=', Encoding::Hex);
            if !tokens.is_empty() {
                push(&signing.signature_header, format!("t={at},{}", tokens.join(",")));
            }
        }
    }
    Ok(headers)
}

/// Checks a secret that somebody wants to set for this scheme.
///
/// # Errors
/// A sentence for the person who typed it; it repeats no part of the secret.
pub fn check_secret(scheme: Scheme, text: &str) -> Result<SecretAdvice, String> {
    if text.trim() != text {
        return Err("the secret begins or ends with white space; remove it".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err(
            "the secret contains a control character, such as a line break; remove it".to_owned()
        );
    }
    if text.find(WHSEC).is_some_and(|at| at > 0) {
        return Err("the secret has something before whsec_; leave out what is not part of it, \
            such as quotes, v1, or the name of a variable"
            .to_owned());
    }
    let key = key_bytes(scheme, text).map_err(|()| {
        "a secret that begins with whsec_ must go on in standard base64 with padding; \
         for any other text leave whsec_ out"
            .to_owned()
    })?;
    let decoded = matches!(key, Cow::Owned(_));
    let (limits, what) = match decoded {
        true => (WHSEC_KEY_BYTES, "the base64 behind whsec_ must be of"),
        false => (TEXT_BYTES, "the secret must have"),
    };
    if !limits.contains(&key.len()) {
        let (least, most) = limits.into_inner();
        return Err(format!("{what} {least} to {most} bytes; these are {}", key.len()));
    }
    let plain = scheme == Scheme::Standard && !decoded;
    Ok(SecretAdvice {
        equivalent_whsec: plain.then(|| format!("{WHSEC}{}", STANDARD.encode(&key))),
        short: key.len() < SHORT_BELOW_BYTES,
    })
}

/// A new signing secret from 32 random bytes: `whsec_<base64>`, good for every scheme.
pub fn generate_secret(random: [u8; 32]) -> Secret {
    Secret::new(format!("{WHSEC}{}", STANDARD.encode(random)))
}

/// The keys that sign, newest first; none for [`Algorithm::None`].
fn keys<'a>(signing: &Signing, secrets: &[&'a Secret]) -> Result<Vec<Cow<'a, [u8]>>, SigningError> {
    if signing.algorithm == Algorithm::None {
        return Ok(Vec::new());
    }
    let signers = match signing.scheme.has_one_signature() {
        true => &secrets[..secrets.len().min(1)],
        false => secrets,
    };
    if signers.is_empty() {
        return Err(SigningError::NoSecret);
    }
    // The limits of `check_secret` are not asked again: should they ever change, what was set
    // before goes on signing.
    let key = |secret: &&'a Secret| match key_bytes(signing.scheme, secret.expose()) {
        Ok(key) if !key.is_empty() => Ok(key),
        _ => Err(SigningError::UnusableKey),
    };
    signers.iter().map(key).collect()
}

/// The key that a secret's text stands for: owned when it was decoded from `whsec_`, borrowed when
/// it is the text itself. The error is a `whsec_` without standard base64 behind it.
///
/// `body` and `timestamped` take the text as typed, `whsec_` included, as Stripe's verifier does.
fn key_bytes(scheme: Scheme, text: &str) -> Result<Cow<'_, [u8]>, ()> {
    match (scheme, text.strip_prefix(WHSEC)) {
        // Padding is required and the alphabet strict, because most verifiers are.
        (Scheme::Standard, Some(encoded)) => {
            STANDARD.decode(encoded).map(Cow::Owned).map_err(|_| ())
        }
        _ => Ok(Cow::Borrowed(text.as_bytes())),
    }
}

#[derive(Clone, Copy)]
enum Hash {
    Sha256,
    Sha512,
}

/// The hashes that sign, each with the version that stands before its signatures, in order.
fn hashes(signing: &Signing) -> &'static [(&'static str, Hash)] {
    match (signing.algorithm, signing.scheme) {
        (Algorithm::None, _) => &[],
        (Algorithm::HmacSha256, _) => &[("v1", Hash::Sha256)],
        // Stock verifiers of Standard Webhooks skip the version that they do not know and take
        // the plain one. It stands last because some read only what follows the last comma.
        (Algorithm::HmacSha512, Scheme::Standard) => {
            &[("v1-sha512", Hash::Sha512), ("v1", Hash::Sha256)]
        }
        (Algorithm::HmacSha512, _) => &[("v1-sha512", Hash::Sha512)],
    }
}

/// The HMAC (RFC 2104) of the parts, one after the other.
fn mac(hash: Hash, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
    match hash {
        Hash::Sha256 => run::<Hmac<Sha256>>(key, parts),
        Hash::Sha512 => run::<Hmac<Sha512>>(key, parts),
    }
}

#[cfg(test)]
mod tests;
