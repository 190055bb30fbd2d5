//! Signs requests with nothing of the product's, and some with the product itself to compare.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use posthorn::domain::base::secret::Secret;
use posthorn::domain::connection::signing::{self, Algorithm, Encoding, Scheme, Signing};
use sha2::{Sha256, Sha512};

use super::vectors::{Vector, Verdict};

pub const ID: &str = "msg_0199d7d3f1a07c5b8e6f0000000000c70000002a";
pub const BODY: &[u8] =
    br#"{"order_id":"1001","total":49.90,"completed_at":"2026-01-01T00:00:00Z"}"#;
pub const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const PLAIN: &str = "ein schl\u{fc}ssel, im Klartext \u{1f511}";
pub const OTHER: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// A signer that shares no line with the product's.
pub struct Signer<'a> {
    pub signing: &'a Signing,
    pub now_s: i64,
}

impl Signer<'_> {
    pub fn key(&self, secret: &str) -> Vec<u8> {
        match (self.signing.scheme, secret.split_once("whsec_")) {
            (Scheme::Standard, Some(("", encoded))) => STANDARD.decode(encoded).unwrap_or_default(),
            _ => secret.as_bytes().to_vec(),
        }
    }

    fn mac(&self, key: &[u8], content: &[u8]) -> Vec<u8> {
        match self.signing.algorithm {
            Algorithm::HmacSha512 => {
                let mac = Hmac::<Sha512>::new_from_slice(key).expect("a key").chain_update(content);
                mac.finalize().into_bytes().to_vec()
            }
            _ => {
                let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key").chain_update(content);
                mac.finalize().into_bytes().to_vec()
            }
        }
    }

    /// The one signature as it stands in the header, under this key.
    pub fn token(&self, key: &[u8], at: &str, body: &[u8]) -> String {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|it| format!("{it:02x}")).collect::<String>();
        let version = match self.signing.algorithm {
            Algorithm::HmacSha512 => "v1-sha512",
            _ => "v1",
        };
        match self.signing.scheme {
            Scheme::Standard => {
                let mac = self.mac(key, &[format!("{ID}.{at}.").as_bytes(), body].concat());
                format!("{version},{}", STANDARD.encode(mac))
            }
            Scheme::Body => {
                let mac = self.mac(key, body);
                let written = match self.signing.signature_encoding {
                    Encoding::Hex => hex(mac),
                    Encoding::Base64 => STANDARD.encode(mac),
                };
                self.signing.signature_prefix.clone() + &written
            }
            Scheme::Timestamped => {
                let mac = self.mac(key, &[format!("{at}.").as_bytes(), body].concat());
                format!("{version}={}", hex(mac))
            }
        }
    }

    /// The headers around these signatures.
    pub fn headers(&self, at: &str, tokens: &[String]) -> Vec<(String, Vec<u8>)> {
        let signing = self.signing;
        let headers = match signing.scheme {
            Scheme::Standard => vec![
                ("webhook-id", ID.to_owned()),
                ("webhook-timestamp", at.to_owned()),
                ("webhook-signature", tokens.join(" ")),
            ],
            Scheme::Body => vec![
                (&*signing.signature_header, tokens.concat()),
                (&*signing.timestamp_header, at.to_owned()),
            ],
            Scheme::Timestamped => {
                vec![(&*signing.signature_header, format!("t={at},{}", tokens.join(",")))]
            }
        };
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect()
    }

    /// A request signed with `secret` at `at`, checked with the same secret.
    pub fn at(&self, name: &str, verdict: Verdict, secret: &str, at: &str, body: &[u8]) -> Vector {
        let headers = self.headers(at, &[self.token(&self.key(secret), at, body)]);
        let secrets = vec![secret.to_owned()];
        Vector { name: name.to_owned(), headers, secrets, body: body.to_vec(), verdict }
    }

    pub fn now(&self, name: &str, verdict: Verdict) -> Vector {
        self.at(name, verdict, WHSEC, &self.now_s.to_string(), BODY)
    }

    /// A request with these signatures.
    pub fn tokens(&self, name: &str, verdict: Verdict, tokens: &[&str]) -> Vector {
        let tokens: Vec<String> = tokens.iter().map(|&it| it.to_owned()).collect();
        let headers = self.headers(&self.now_s.to_string(), &tokens);
        Vector { headers, ..self.now(name, verdict) }
    }

    /// A request that the product signed with `signers`, newest first.
    pub fn product(
        &self,
        name: &str,
        verdict: Verdict,
        signers: &[&str],
        known: &[&str],
    ) -> Vector {
        let secrets: Vec<Secret> = signers.iter().map(|&it| Secret::new(it)).collect();
        let secrets: Vec<&Secret> = secrets.iter().collect();
        let headers = signing::headers(self.signing, &secrets, ID, self.now_s, BODY);
        let headers = headers.expect("signed").into_iter();
        Vector {
            headers: headers.map(|(name, value)| (name, value.into_bytes())).collect(),
            secrets: known.iter().map(|&it| it.to_owned()).collect(),
            ..self.now(name, verdict)
        }
    }
}
