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

    /// The id of the master key that sealed it, and what follows; `None` when it is no sealed text.
    fn parts(&self) -> Option<(&str, &str)> {
        let rest = self.0.strip_prefix(FORM)?.strip_prefix('.')?;
        rest.split_once('.').filter(|(id, _)| is_key_id(id))
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
        let (id, encoded) = sealed.parts().ok_or(OpenError::Malformed)?;
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

    /// The same secret sealed with the newest key; `None` when that is the key that sealed it.
    ///
    /// # Errors
    /// When it does not open, see [`OpenError`].
    pub fn reseal(
        &self,
        nonce: [u8; NONCE_BYTES],
        place: &SealContext,
        sealed: &Sealed,
    ) -> Result<Option<Sealed>, OpenError> {
        if sealed.parts().is_some_and(|(id, _)| id == self.newest.id) {
            return Ok(None);
        }
        let secret = self.open(place, sealed)?;
        Ok(Some(self.seal(nonce, place, &secret)))
    }

    /// The id of the key that seals.
    pub fn newest_id(&self) -> &str {
        &self.newest.id
    }

    /// The ids of the keys that only open.
    pub fn older_ids(&self) -> Vec<&str> {
        self.older.iter().map(|key| key.id.as_str()).collect()
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
mod tests;
