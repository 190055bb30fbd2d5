//! Keeps what is secret out of records: a receiver may echo what it was sent, in whatever encoding
//! it answers. Every encoding of every secret is looked for, the longest first, so that a short one
//! inside a longer one leaves nothing of it behind.

use std::cell::OnceCell;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in place of a secret.
pub const MASK: &str = "***";
/// Shorter values are left: they would mask ordinary words, and protect nothing.
const CHARS_MIN: usize = 6;

/// Masks the same secrets in several texts.
pub struct Masker<'a> {
    secrets: Vec<&'a str>,
    /// Every encoding of every secret, once a text may hold one: most are too short.
    forms: OnceCell<Vec<String>>,
}

impl<'a> Masker<'a> {
    /// Masks these secrets.
    pub fn new(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let long = secrets.into_iter().filter(|secret| secret.chars().count() >= CHARS_MIN);
        Self { secrets: long.collect(), forms: OnceCell::new() }
    }

    fn forms(&self) -> &[String] {
        self.forms.get_or_init(|| {
            let mut forms: Vec<String> = self.secrets.iter().copied().flat_map(forms).collect();
            forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
            forms.dedup();
            forms
        })
    }

    /// The text without them.
    pub fn mask(&self, text: &str) -> String {
        // No form is shorter than its secret.
        if self.secrets.iter().all(|secret| text.len() < secret.len()) {
            return text.to_owned();
        }
        let found = self.forms().iter().filter(|form| text.contains(form.as_str()));
        let found: Vec<&String> = found.collect();
        found.into_iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), MASK))
    }

    /// The same for a text that was cut off: what it ends with may be the beginning of a secret.
    pub fn mask_cut(&self, text: &str) -> String {
        let mut masked = self.mask(text);
        let begins = |form: &String| {
            let ends = (CHARS_MIN..form.len()).rev().filter(|end| form.is_char_boundary(*end));
            ends.map(|end| &form[..end]).find(|part| masked.ends_with(part)).map(str::len)
        };
        if let Some(length) = self.forms().iter().filter_map(begins).max() {
            masked.truncate(masked.len() - length);
            masked.push_str(MASK);
        }
        masked
    }
}

/// The encodings in which a secret may come back. None is shorter than the secret.
fn forms(secret: &str) -> Vec<String> {
    let mut all = vec![secret.to_owned()];
    // In JSON, also with the slashes and what is not ASCII escaped.
    let quoted = serde_json::to_string(secret).unwrap_or_default();
    let json = quoted.trim_matches('"').to_owned();
    all.push(json.replace('/', "\\/"));
    all.push(json);
    // In URLs, with everything escaped or only what has to be, in both cases of the digits.
    let url = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let path = form.replace('+', "%20");
    for encoded in [url, form, path] {
        all.push(lower_escapes(&encoded));
        all.push(encoded);
    }
    all.extend(html(secret));
    let digits = secret.bytes().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    all.push(hex.to_uppercase());
    all.push(hex);
    all.extend(base64(secret.as_bytes()));
    all
}

fn lower_escapes(encoded: &str) -> String {
    let (mut lower, mut left) = (String::new(), 0);
    for c in encoded.chars() {
        lower.push(if left > 0 { c.to_ascii_lowercase() } else { c });
        left = if c == '%' { 2 } else { usize::saturating_sub(left, 1) };
    }
    lower
}

/// The escapes of HTML and XML that are in use for the quotes.
fn html(secret: &str) -> [String; 3] {
    let plain = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let named = plain.replace('"', "&quot;");
    let numbered = plain.replace('"', "&#34;").replace('\'', "&#39;");
    [named.replace('\'', "&#x27;"), named.replace('\'', "&#39;"), numbered]
}

/// Base64 of a text that holds the secret at any place: three bytes become four characters, so
/// there are three ways to begin. Characters that depend on what stands beside it are left out.
fn base64(secret: &[u8]) -> Vec<String> {
    let mut all = Vec::new();
    for before in 0..3 {
        let padded = [&[0u8; 2][..before], secret].concat();
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let encoded = engine.encode(&padded);
            let skipped = [0, 2, 3][before];
            let kept = (padded.len() * 8) / 6;
            let part = encoded.get(skipped..kept).unwrap_or_default();
            if part.len() >= CHARS_MIN {
                all.push(part.to_owned());
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    const SECRET: &str = "s3cr\"t/<a> &'+=?";

    #[test]
    fn every_encoding_is_masked() {
        let masker = Masker::new([SECRET]);
        let json = serde_json::to_string(SECRET).expect("JSON");
        let form: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02X}")).collect();
        let html = SECRET.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let html = html.replace('"', "&quot;").replace('\'', "&#39;");
        for echoed in [
            SECRET.to_owned(),
            json.clone(),
            json.replace('/', "\\/"),
            form.clone(),
            form.to_lowercase(),
            form.replace('+', "%20"),
            hex.clone(),
            hex.to_lowercase(),
            html,
        ] {
            let masked = masker.mask(&format!("a {echoed} b"));
            assert!(masked.contains("***") && masked.len() < 14, "{echoed}: {masked}");
        }
        for before in ["", "u", "us", "usr:"] {
            let echoed = STANDARD.encode(format!("{before}{SECRET} and more"));
            let masked = masker.mask(&echoed);
            assert!(masked.contains("***"), "{before}: {masked}");
            let left = STANDARD.encode(SECRET);
            assert!(!masked.contains(&left[4..12]), "{before}: {masked}");
        }
    }

    #[test]
    fn a_short_secret_inside_a_longer_one_leaves_nothing() {
        let masker = Masker::new(["secret", "my-secret-token"]);
        assert_eq!(masker.mask("x my-secret-token y secret z"), "x *** y *** z");
    }

    #[test]
    fn a_secret_at_the_edge_is_masked() {
        let masker = Masker::new(["my-secret-token"]);
        assert_eq!(masker.mask_cut("x my-secret-tok"), "x ***");
        assert_eq!(masker.mask_cut("x my-secret-token"), "x ***");
        assert_eq!(masker.mask_cut("x my-se"), "x my-se");
        assert_eq!(masker.mask_cut("nothing"), "nothing");
    }

    proptest::proptest! {
        #[test]
        fn no_form_is_shorter_than_its_secret(secret in r#"[a-z"\\/ &+é]{6,40}"#) {
            for form in forms(&secret) {
                proptest::prop_assert!(form.len() >= secret.len(), "{form:?} of {secret:?}");
            }
        }
    }

    #[test]
    fn short_words_are_left() {
        assert_eq!(Masker::new(["json"]).mask("application/json"), "application/json");
    }
}
