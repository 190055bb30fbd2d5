//! Secret texts, and how they are sealed at rest.
//!
//! A [`Secret`] is the text in the open: it prints as `***`, cannot be serialized, and is read only
//! through [`Secret::expose`], so every use can be found by that name. A [`Sealed`] is what a
//! column may hold. It opens only at the [`SealContext`] it was sealed for: a row copied to another
//! record, field or owner is refused by the cipher itself.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq;

/// Bytes of a master key (XChaCha20-Poly1305).
const KEY_BYTES: usize = 32;
/// Bytes of a nonce: XChaCha20's are long enough to be drawn at random for ever
/// (draft-irtf-cfrg-xchacha-03 section 1).
pub const NONCE_BYTES: usize = 24;
/// Characters of a master key's id.
const KEY_ID_CHARS_MAX: usize = 32;
/// The sealed form: XChaCha20-Poly1305 with a [`SealContext`] as associated data.
const FORM: &str = "s1";

/// The text of a secret: a signing secret, a password, a token, a header's value.
///
/// Equality takes the same time whatever the texts are (their lengths aside).
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a text into keeping.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text in the open, to sign, seal or send with.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// A sealed secret: `s1.<key id>.<base64url without padding of nonce and ciphertext>`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl Sealed {
    /// A sealed text as it was stored. Whether it is one shows on opening.
    pub fn from_text(text: String) -> Sealed {
        Sealed(text)
    }

    /// The text to store.
    pub fn as_text(&self) -> &str {
        &self.0
    }
}

/// Where a sealed value stands: part of the seal, though not of its text.
#[derive(Clone, Copy, Debug)]
pub struct SealContext<'a> {
    /// Whose it is: the id of the workspace, or of the organization for its machine keys.
    pub owner: &'a str,
    /// The id of the record that holds it.
    pub record: &'a str,
    /// The field of that record.
    pub field: &'a str,
}

impl SealContext<'_> {
    /// The associated data. Each part stands behind its length (8 bytes, big endian), so no two
    /// places are encoded alike.
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.owner, self.record, self.field] {
            bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        bytes
    }
}

/// Why a sealed value did not open. Tells the log nothing that is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Sealed with a master key that is not configured (any more).
    #[error("sealed with master key `{0}`, which MASTER_KEYS does not hold")]
    UnknownKey(String),
    /// The text has not the form of a sealed value.
    #[error("not a sealed value")]
    Malformed,
    /// The seal is broken: altered, moved from another place, or the key behind the id is another.
    #[error("the seal does not fit: altered, or sealed for another place or by another key")]
    NotHere,
}

/// The keys that seal secrets at rest. The first seals, all open.
pub struct MasterKeys {
    newest: MasterKey,
    older: Vec<MasterKey>,
}

struct MasterKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

impl MasterKeys {
    /// Reads the Worker secret `MASTER_KEYS`: `id:base64` pairs separated by commas, newest first.
    ///
    /// Ids are 1 to 32 of `A-Z a-z 0-9 _ -`, keys are 32 bytes in standard base64 with padding
    /// (`openssl rand -base64 32`). White space around each part is skipped.
    ///
    /// # Errors
    /// A sentence for the operator. It names an entry by its position and repeats no part of the
    /// text, because a misplaced colon would make a key of what looks like an id.
    pub fn parse(text: &str) -> Result<MasterKeys, String> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for (index, entry) in text.split(',').enumerate() {
            let key = parse_entry(entry)
                .map_err(|what| format!("entry {} of MASTER_KEYS {what}", index + 1))?;
            if let Some(earlier) = keys.iter().position(|other| other.id == key.id) {
                return Err(format!(
                    "entry {} of MASTER_KEYS has the same id as entry {}",
                    index + 1,
                    earlier + 1,
                ));
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let newest = keys.next().ok_or("MASTER_KEYS is empty")?;
        Ok(MasterKeys { newest, older: keys.collect() })
    }

    /// Seals a secret for one place with the newest key.
    ///
    /// `nonce` must be random bytes of a cryptographic source, new for every call.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], place: &SealContext, secret: &Secret) -> Sealed {
        let MasterKey { id, cipher } = &self.newest;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: &place.encode() };
        let ciphertext = cipher
            .encrypt(&nonce.into(), payload)
            .expect("XChaCha20-Poly1305 takes up to 256 GiB, more than memory holds");
        let bytes = [&nonce[..], &ciphertext].concat();
        Sealed(format!("{FORM}.{id}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Opens what was sealed for this very place, with whichever key sealed it.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(&self, place: &SealContext, sealed: &Sealed) -> Result<Secret, OpenError> {
        let (id, encoded) = sealed
            .0
            .strip_prefix(FORM)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.split_once('.'))
            .filter(|(id, _)| is_key_id(id))
            .ok_or(OpenError::Malformed)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| OpenError::Malformed)?;
        let (nonce, ciphertext) =
            bytes.split_first_chunk::<NONCE_BYTES>().ok_or(OpenError::Malformed)?;
        let key = std::iter::once(&self.newest)
            .chain(&self.older)
            .find(|key| key.id == id)
            .ok_or_else(|| OpenError::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: ciphertext, aad: &place.encode() };
        let text = key.cipher.decrypt(&(*nonce).into(), payload).map_err(|_| OpenError::NotHere)?;
        String::from_utf8(text).map(Secret).map_err(|_| OpenError::Malformed)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = std::iter::once(&self.newest).chain(&self.older).map(|key| &key.id);
        f.debug_list().entries(ids).finish()
    }
}

fn parse_entry(entry: &str) -> Result<MasterKey, &'static str> {
    let (id, key) = entry.split_once(':').ok_or("is not of the form id:base64")?;
    let (id, key) = (id.trim(), key.trim());
    if !is_key_id(id) {
        return Err("has an id that is not 1 to 32 of A-Z a-z 0-9 _ -");
    }
    let key = STANDARD.decode(key).map_err(|_| "has a key that is not standard base64")?;
    let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| "has a key that is not 32 bytes")?;
    Ok(MasterKey { id: id.to_owned(), cipher: XChaCha20Poly1305::new(&key.into()) })
}

fn is_key_id(text: &str) -> bool {
    (1..=KEY_ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 32 times 0x41, 0x42 and 0x43.
    const A: &str = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
    const B: &str = "QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI=";
    const C: &str = "Q0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0NDQ0M=";
    const PLACE: SealContext = SealContext { owner: "w1", record: "c1", field: "signing_secret" };

    fn keys(text: &str) -> MasterKeys {
        MasterKeys::parse(text).unwrap()
    }

    #[test]
    fn master_keys_are_read() {
        #[track_caller]
        fn check(text: &str, expected: Result<&str, &str>) {
            let read = MasterKeys::parse(text).map(|keys| format!("{keys:?}"));
            assert_eq!(read.as_deref().map_err(|error| error.as_str()), expected);
        }
        check(&format!("a:{A}"), Ok(r#"["a"]"#));
        check(&format!(" b-2 : {B} ,\n\ta_1:{A}\n"), Ok(r#"["b-2", "a_1"]"#));
        check(&format!("{}:{A}", "x".repeat(32)), Ok(&format!("[{:?}]", "x".repeat(32))));

        check("", Err("entry 1 of MASTER_KEYS is not of the form id:base64"));
        check(A, Err("entry 1 of MASTER_KEYS is not of the form id:base64"));
        check(&format!("a:{A},"), Err("entry 2 of MASTER_KEYS is not of the form id:base64"));
        check(
            &format!("a:{A},b:{B}, a:{C}"),
            Err("entry 3 of MASTER_KEYS has the same id as entry 1"),
        );
        let bad_id = Err("entry 1 of MASTER_KEYS has an id that is not 1 to 32 of A-Z a-z 0-9 _ -");
        check(&format!(":{A}"), bad_id);
        check(&format!("a.b:{A}"), bad_id);
        check(&format!("{A}:a"), bad_id);
        check(&format!("{}:{A}", "x".repeat(33)), bad_id);
        let not_base64 = Err("entry 1 of MASTER_KEYS has a key that is not standard base64");
        check("a:", Err("entry 1 of MASTER_KEYS has a key that is not 32 bytes"));
        check("a:QUFB", Err("entry 1 of MASTER_KEYS has a key that is not 32 bytes"));
        check("a:___=", not_base64);
        check(&format!("a:{A}{A}"), not_base64);
    }

    /// draft-irtf-cfrg-xchacha-03 appendix A.3.1. Its associated data is no place of ours, so the
    /// vector goes through the cipher of a parsed key.
    #[test]
    fn published_vector() {
        let key: [u8; 32] = std::array::from_fn(|n| 0x80 + n as u8);
        let nonce: [u8; 24] = std::array::from_fn(|n| 0x40 + n as u8);
        let aad = [0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7];
        let msg = b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip \
            for the future, sunscreen would be it.";
        let expected = "\
            bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa644\
            0bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e\
            3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52e\
            c0875924c1c7987947deafd8780acf49";
        let keys = keys(&format!("k:{}", STANDARD.encode(key)));
        let cipher = &keys.newest.cipher;
        let sealed = cipher.encrypt(&nonce.into(), Payload { msg, aad: &aad }).unwrap();
        let hex: String = sealed.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
    }

    /// Rows that were sealed must open for ever: this text may only change with [`FORM`]. Computed
    /// apart from this code: HChaCha20 in Python, then ChaCha20Poly1305 of its `cryptography`.
    #[test]
    fn the_form_is_fixed() {
        let secret = Secret::new("whsec_abc");
        let sealed = keys(&format!("k1:{A}")).seal([7; 24], &PLACE, &secret);
        assert_eq!(
            sealed.as_text(),
            "s1.k1.BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHQcIy8KkZfrs3GUGgI2MLUyFjTSuoozGQVQ"
        );
        let json = serde_json::to_string(&sealed).unwrap();
        assert_eq!(json, format!("{:?}", sealed.as_text()));
        assert_eq!(serde_json::from_str::<Sealed>(&json).unwrap(), sealed);
    }

    #[test]
    fn opens_only_where_it_was_sealed() {
        #[track_caller]
        fn check(owner: &str, record: &str, field: &str, expected: Result<&str, OpenError>) {
            let keys = keys(&format!("k1:{A}"));
            let sealed = keys.seal([7; 24], &PLACE, &Secret::new("text"));
            let opened = keys.open(&SealContext { owner, record, field }, &sealed);
            assert_eq!(opened.as_ref().map(Secret::expose), expected.as_ref().copied());
        }
        check("w1", "c1", "signing_secret", Ok("text"));
        check("w2", "c1", "signing_secret", Err(OpenError::NotHere));
        check("w1", "c2", "signing_secret", Err(OpenError::NotHere));
        check("w1", "c1", "auth_token", Err(OpenError::NotHere));
        check("w1c1", "", "signing_secret", Err(OpenError::NotHere));
        check("w1", "c1signing_secret", "", Err(OpenError::NotHere));
        check("c1", "w1", "signing_secret", Err(OpenError::NotHere));
    }

    #[test]
    fn newest_seals_and_all_open() {
        #[track_caller]
        fn check(sealing: &str, opening: &str, expected: Result<(), OpenError>) {
            let sealed = keys(sealing).seal([9; 24], &PLACE, &Secret::new("text"));
            let opened = keys(opening).open(&PLACE, &sealed);
            assert_eq!(opened.map(|secret| assert_eq!(secret.expose(), "text")), expected);
        }
        check(&format!("a:{A}"), &format!("a:{A}"), Ok(()));
        check(&format!("a:{A}"), &format!("b:{B},a:{A}"), Ok(()));
        check(&format!("b:{B},a:{A}"), &format!("b:{B}"), Ok(()));
        check(&format!("b:{B},a:{A}"), &format!("a:{A}"), Err(OpenError::UnknownKey("b".into())));
        check(&format!("a:{A}"), &format!("a:{C}"), Err(OpenError::NotHere));
    }

    #[test]
    fn what_is_no_sealed_value() {
        #[track_caller]
        fn check(text: &str, expected: OpenError) {
            let opened = keys(&format!("a:{A}")).open(&PLACE, &Sealed::from_text(text.into()));
            assert_eq!(opened, Err(expected), "{text}");
        }
        let short = URL_SAFE_NO_PAD.encode([0; 23]);
        let untagged = URL_SAFE_NO_PAD.encode([0; 39]);
        for text in ["", "s1", "s1.", "s1.a", "s1.a.", "s1..AAAA", "s1.a.++++", "whsec_plain"] {
            check(text, OpenError::Malformed);
        }
        check(&format!("s1.a.{short}"), OpenError::Malformed);
        check(&format!("s2.a.{untagged}"), OpenError::Malformed);
        check(&format!("s1a.{untagged}"), OpenError::Malformed);
        // An id that is none must not reach the log by way of `UnknownKey`.
        check(&format!("s1.a b.{untagged}"), OpenError::Malformed);
        check(&format!("s1.a.{untagged}"), OpenError::NotHere);
        check(&format!("s1.z.{untagged}"), OpenError::UnknownKey("z".into()));
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::new("very secret");
        assert_eq!(format!("{secret:?} {secret:#?}"), "*** ***");
        assert_eq!(format!("{:?}", keys(&format!("b:{B},a:{A}"))), r#"["b", "a"]"#);
        assert_eq!(secret, Secret::new("very secret"));
        assert_ne!(secret, Secret::new("very secreT"));
        assert_ne!(secret, Secret::new("very secret "));
    }

    proptest! {
        #[test]
        fn any_text_comes_back(
            text in any::<String>(), nonce in any::<[u8; 24]>(),
            owner in any::<String>(), record in any::<String>(), field in any::<String>(),
        ) {
            let keys = keys(&format!("a:{A}"));
            let place = SealContext { owner: &owner, record: &record, field: &field };
            let sealed = keys.seal(nonce, &place, &Secret::new(text.clone()));
            prop_assert_eq!(keys.open(&place, &sealed), Ok(Secret::new(text)));
        }

        #[test]
        fn any_flipped_bit_is_noticed(bit in 0..(24 + 4 + 16) * 8_usize) {
            let keys = keys(&format!("a:{A}"));
            let sealed = keys.seal([5; 24], &PLACE, &Secret::new("text"));
            let mut bytes = URL_SAFE_NO_PAD.decode(&sealed.as_text()["s1.a.".len()..]).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let flipped = Sealed::from_text(format!("s1.a.{}", URL_SAFE_NO_PAD.encode(bytes)));
            prop_assert_eq!(keys.open(&PLACE, &flipped), Err(OpenError::NotHere));
        }

        #[test]
        fn any_sealed_text_is_taken(text in "(s1\\.a\\.)?.*", keys_text in any::<String>()) {
            let opened = keys(&format!("a:{A}")).open(&PLACE, &Sealed::from_text(text));
            prop_assert!(opened.is_err());
            prop_assert!(MasterKeys::parse(&keys_text).is_err());
        }

        #[test]
        fn places_are_encoded_apart(
            left in prop::array::uniform3("[ab]{0,2}"),
            right in prop::array::uniform3("[ab]{0,2}"),
        ) {
            let encode = |[owner, record, field]: &[String; 3]| {
                SealContext { owner, record, field }.encode()
            };
            prop_assert_eq!(left == right, encode(&left) == encode(&right));
        }
    }
}
