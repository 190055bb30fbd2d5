//! Keys of the product: publishable keys, which may only emit, and machine keys, whose holder
//! signs a short-lived token (a JWT with HS256) for every call.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use sha2::Sha256;

use crate::domain::base::secret::{SealContext, Secret};
use crate::domain::base::time::SECOND_MS;

/// Longest life of a machine token: clients use 30 s (the wire contract).
pub const TOKEN_LIFE_S_MAX: i64 = 60;
/// How far a client's clock may be off.
pub const CLOCK_SKEW_S: i64 = 30;

const AUDIENCE: &str = "meshes-api";
const ISSUER_PREFIX: &str = "urn:meshes:m2m:";

/// Whether `text` has the form of a publishable key:
/// `^mesh_pub_([A-Za-z0-9\-.]+)_([A-Za-z0-9\-.]+)_([^_]+)$`.
pub fn is_publishable_key(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("mesh_pub_").filter(|rest| rest.len() <= 200) else {
        return false;
    };
    let segments: Vec<&str> = rest.split('_').collect();
    let plain = |s: &&str| {
        !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))
    };
    segments.len() == 3 && segments.iter().all(plain)
}

/// A publishable key of the workspace with this number. `random` is 20 bytes of entropy.
pub fn publishable_key(workspace_number: u32, random: [u8; 20]) -> String {
    let hex: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    // The middle segment names the key among those of its workspace.
    format!("mesh_pub_ws.{workspace_number}_{}_{}", &hex[..8], &hex[8..])
}

/// The access key and secret of a machine key, from entropy.
pub fn machine_key(access: [u8; 18], secret: [u8; 32]) -> (String, Secret) {
    let access_key = format!("mk_{}", URL_SAFE_NO_PAD.encode(access));
    (access_key, Secret::new(URL_SAFE_NO_PAD.encode(secret)))
}

/// Where a machine key's secret is sealed for.
pub fn machine_key_place<'a>(organization: &'a str, access_key: &'a str) -> SealContext<'a> {
    SealContext { owner: organization, record: access_key, field: "secret_key" }
}

/// A machine token whose form and claims were read, and whose signature was not checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineToken {
    /// Access key that it names.
    pub access_key: String,
    /// Organization that it claims to act for.
    pub organization: String,
    issued_at_ms: i64,
    expires_at_ms: i64,
    signed: String,
    signature: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    typ: Option<String>,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    org: String,
    /// Seconds since 1970, which may have fractions (RFC 7519, section 2).
    iat: f64,
    exp: f64,
}

/// One name or several (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Any(Vec<String>),
}

impl Audience {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Any(all) => all.iter().any(|one| one == name),
        }
    }
}

impl MachineToken {
    /// Reads a token without trusting it.
    ///
    /// # Errors
    /// What is wrong with its form, for the caller.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > 4_096 {
            return Err("The token is too long");
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            return Err("The bearer token is not a JWT");
        };
        let text = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        let head: Header = text(header)
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or("The token's header is not readable")?;
        if head.alg != "HS256" || head.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT")) {
            return Err("The token must be a JWT with algorithm HS256");
        }
        let body: Claims = text(claims)
            .and_then(|text| serde_json::from_str(&text).ok())
            .ok_or("The token must have the claims iss, aud, org, iat and exp")?;
        if body.iss.strip_prefix(ISSUER_PREFIX) != Some(&head.kid) {
            return Err("The token's iss must be urn:meshes:m2m:<access key>, the same as its kid");
        }
        if !body.aud.holds(AUDIENCE) {
            return Err("The token's aud must be meshes-api");
        }
        Ok(Self {
            access_key: head.kid,
            organization: crate::domain::base::ids::parse_uuid(&body.org)
                .ok_or("The token's org must be a UUID")?,
            issued_at_ms: milliseconds(body.iat),
            expires_at_ms: milliseconds(body.exp),
            signed: format!("{header}.{claims}"),
            signature: URL_SAFE_NO_PAD
                .decode(signature)
                .map_err(|_| "The token's signature is not base64url")?,
        })
    }

    /// Checks the signature (in constant time) and the times.
    ///
    /// # Errors
    /// What does not hold, for the caller.
    pub fn verify(&self, secret: &Secret, now_ms: i64) -> Result<(), &'static str> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
            .map_err(|_| "The token's signature does not match")?;
        mac.update(self.signed.as_bytes());
        mac.verify_slice(&self.signature).map_err(|_| "The token's signature does not match")?;
        let skew_ms = CLOCK_SKEW_S * SECOND_MS;
        let life_ms = self.expires_at_ms.saturating_sub(self.issued_at_ms);
        if life_ms > TOKEN_LIFE_S_MAX * SECOND_MS {
            return Err("The token may be valid for at most 60 s");
        }
        if life_ms <= 0 {
            return Err("The token's exp must be after its iat");
        }
        if self.issued_at_ms > now_ms.saturating_add(skew_ms) {
            return Err("The token's iat is in the future; check your clock");
        }
        if self.expires_at_ms.saturating_add(skew_ms) <= now_ms {
            return Err("The token has expired");
        }
        Ok(())
    }
}

/// Seconds of a claim as milliseconds; what is out of all bounds becomes the bound.
fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const NOW_S: i64 = 1_800_000_000;
    const ORG: &str = "5f1c7a0e-8a5b-4b8e-9c3d-2f6f0a1b2c3d";

    fn sign(header: &Value, claims: &Value, secret: &str) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// Result of a token with these changes to a good one.
    fn check(change: impl Fn(&mut Value, &mut Value)) -> Result<(), &'static str> {
        let mut header = json!({"alg": "HS256", "typ": "JWT", "kid": "mk_a"});
        let mut claims = json!({"iss": "urn:meshes:m2m:mk_a", "aud": "meshes-api", "org": ORG,
            "iat": NOW_S, "exp": NOW_S + 30});
        change(&mut header, &mut claims);
        let token = MachineToken::parse(&sign(&header, &claims, "s3cret"))?;
        token.verify(&Secret::new("s3cret"), NOW_S * 1_000)
    }

    #[test]
    fn good_tokens_hold() {
        assert_eq!(check(|_, _| ()), Ok(()));
        assert_eq!(check(|_, c| c["iat"] = json!(NOW_S + 29)), Ok(()));
        assert_eq!(
            check(|_, c| (c["iat"], c["exp"]) = (json!(NOW_S - 59), json!(NOW_S - 29))),
            Ok(())
        );
        assert_eq!(check(|h, _| drop(h.as_object_mut().map(|h| h.remove("typ")))), Ok(()));
        assert_eq!(check(|_, c| c["aud"] = json!(["billing", "meshes-api"])), Ok(()));
        let now_s = NOW_S as f64;
        assert_eq!(
            check(|_, c| (c["iat"], c["exp"]) = (json!(now_s - 0.5), json!(now_s + 29.5))),
            Ok(())
        );
    }

    #[test]
    fn every_other_token_is_refused() {
        type Change = fn(&mut Value, &mut Value);
        let changes: [(&str, Change); 18] = [
            ("none", |h, _| h["alg"] = json!("none")),
            ("HS512", |h, _| h["alg"] = json!("HS512")),
            ("hs256", |h, _| h["alg"] = json!("hs256")),
            ("typ", |h, _| h["typ"] = json!("JWE")),
            ("other kid", |h, _| h["kid"] = json!("mk_b")),
            ("no kid", |h, _| drop(h.as_object_mut().map(|h| h.remove("kid")))),
            ("iss", |_, c| c["iss"] = json!("mk_a")),
            ("aud", |_, c| c["aud"] = json!("other")),
            ("aud of others", |_, c| c["aud"] = json!(["other", "meshes-api-2"])),
            ("aud of nobody", |_, c| c["aud"] = json!([])),
            ("aud that is no name", |_, c| c["aud"] = json!({"meshes-api": true})),
            ("fraction too long", |_, c| c["exp"] = json!(NOW_S as f64 + 60.001)),
            ("org", |_, c| c["org"] = json!("acme")),
            ("too long", |_, c| c["exp"] = json!(NOW_S + 61)),
            ("backwards", |_, c| c["exp"] = json!(NOW_S)),
            ("future", |_, c| (c["iat"], c["exp"]) = (json!(NOW_S + 31), json!(NOW_S + 60))),
            ("expired", |_, c| (c["iat"], c["exp"]) = (json!(NOW_S - 60), json!(NOW_S - 30))),
            ("overflow", |_, c| c["iat"] = json!(i64::MIN)),
        ];
        for (name, change) in changes {
            assert!(check(change).is_err(), "{name}");
        }
        for text in ["", "x", "a.b", "a.b.c", "a.b.c.d", &"x".repeat(5_000)] {
            assert!(MachineToken::parse(text).is_err());
        }
    }

    #[test]
    fn a_changed_token_does_not_verify() {
        let header = json!({"alg": "HS256", "kid": "mk_a"});
        let claims = json!({"iss": "urn:meshes:m2m:mk_a", "aud": "meshes-api", "org": ORG,
            "iat": NOW_S, "exp": NOW_S + 30});
        let token = sign(&header, &claims, "s3cret");
        let parsed = MachineToken::parse(&token).expect("well-formed");
        assert!(parsed.verify(&Secret::new("other"), NOW_S * 1_000).is_err());
        let unsigned = &token[..token.rfind('.').expect("three parts") + 1];
        let parsed = MachineToken::parse(unsigned).expect("an empty signature is well-formed");
        assert!(parsed.verify(&Secret::new("s3cret"), NOW_S * 1_000).is_err());
    }

    #[test]
    fn keys_have_the_forms_that_clients_insist_on() {
        let key = publishable_key(4_000_000_000, [0xab; 20]);
        assert!(is_publishable_key(&key) && is_publishable_key("mesh_pub_ws.1_key-1_secret123"));
        for text in
            ["", "mesh_pub_", "mesh_pub_a_b", "mesh_pub_a_b_c_d", "mesh_pub_a__c", "pub_a_b_c"]
        {
            assert!(!is_publishable_key(text), "{text}");
        }
        let (access, secret) = machine_key([1; 18], [2; 32]);
        assert!(access.len() >= 25 && secret.expose().len() >= 43);
    }
}
