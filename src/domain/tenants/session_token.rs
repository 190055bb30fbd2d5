//! The tokens of a session.
//!
//! A session has three tokens, each stored as a hash only. The *launch token* stands in the URL
//! that the product puts into an iframe; it is used once, within seconds. It is exchanged for a
//! *cookie* that the browser sends to the session's own path. The *access token* is for the
//! product's page, which can hand it to the embed to renew the cookie.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::base::ids;

/// Which of a session's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Stands in the launch URL.
    Launch,
    /// Held by the product's page.
    Access,
    /// Held by the browser.
    Cookie,
}

impl TokenKind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Launch => "pst_launch",
            Self::Access => "pst_access",
            Self::Cookie => "pst_cookie",
        }
    }
}

/// A token as somebody presents it, not trusted yet: `<kind>.<shard>.<session>.<43 characters of
/// base64url>`. Shard and session say where to look; all of it is hashed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// LOG shard that holds the session.
    pub shard: u16,
    /// The session.
    pub session: String,
    text: String,
}

/// Bytes of entropy in a token.
pub const TOKEN_BYTES: usize = 32;

impl Token {
    /// A new token of a session.
    pub fn new(kind: TokenKind, shard: u16, session: &str, random: [u8; TOKEN_BYTES]) -> Self {
        let secret = URL_SAFE_NO_PAD.encode(random);
        let text = format!("{}.{shard}.{session}.{secret}", kind.prefix());
        Self { shard, session: session.to_owned(), text }
    }

    /// Reads a token of this kind; `None` when the text is none.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut next = || parts.next();
        let (prefix, shard, session, secret) = (next()?, next()?, next()?, next()?);
        let fits = prefix == kind.prefix() && parts.next().is_none();
        let session = ids::parse_uuid(session).filter(|id| id == session)?;
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?;
        let fits = fits && secret.len() == TOKEN_BYTES;
        fits.then(|| Some(Self { shard: shard.parse().ok()?, session, text: text.to_owned() }))?
    }

    /// The text, to hand out or to compare.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored of it.
    pub fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.text.as_bytes()))
    }

    /// Whether `hash` is this token's, in constant time.
    pub fn has_hash(&self, hash: Option<&str>) -> bool {
        hash.is_some_and(|hash| self.hash().as_bytes().ct_eq(hash.as_bytes()).into())
    }

    /// A word that only who holds this token can know and that does not give it away. Forms carry
    /// it, so that no other page can send them.
    pub fn csrf_token(&self) -> String {
        let digest = Sha256::digest([b"form:", self.text.as_bytes()].concat());
        URL_SAFE_NO_PAD.encode(&digest[..18])
    }
}

/// A word that only the pages of a session can know, for a link to this record. What a page does
/// not show cannot be asked for by it.
pub fn link_word(csrf_token: &str, record: &str) -> String {
    let digest = Sha256::digest(format!("link:{record}:{csrf_token}"));
    URL_SAFE_NO_PAD.encode(&digest[..18])
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({}, ***)", self.session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_kind_and_one_session() {
        let id = "0193f6a0-0000-7000-8000-000000000001";
        let token = Token::new(TokenKind::Access, 3, id, [7; TOKEN_BYTES]);
        let text = token.expose().to_owned();
        let read = Token::parse(TokenKind::Access, &text).expect("a token");
        assert_eq!((read.shard, read.session.as_str()), (3, id));
        assert!(read.has_hash(Some(&token.hash())));
        assert!(!read.has_hash(None) && !read.has_hash(Some("")));
        let other = Token::new(TokenKind::Access, 3, id, [8; TOKEN_BYTES]);
        assert!(!other.has_hash(Some(&token.hash())));
        assert_eq!(Token::parse(TokenKind::Cookie, &text), None);
        for wrong in ["", "a.b.c.d", &text[1..], &text[..text.len() - 1], &format!("{text}.x")] {
            assert_eq!(Token::parse(TokenKind::Access, wrong), None, "{wrong}");
        }
        assert!(!format!("{token:?}").contains(&text[text.len() - 10..]));
        assert!(!text.contains(&token.csrf_token()) && token.csrf_token() != other.csrf_token());
    }
}
