//! How a session's pages look, as the product asked when it launched it: colours, font and corners
//! of the page around them. What could not be read, or is no such value, is left out.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray, VariantNames};

/// Light or dark.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray, VariantNames,
)]
#[strum(serialize_all = "snake_case")]
pub enum Theme {
    /// As the person's device has it.
    Auto,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// The word that is stored, and that the API reads and writes.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How pages look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Light or dark.
    pub theme: Theme,
    /// Accent colour, six hexadecimal digits.
    pub accent: Option<String>,
    /// What else the product chose.
    pub tokens: Tokens,
}

/// What a product can choose beside theme and accent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Accent colour of the dark theme, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent_dark: Option<String>,
    /// Background of the light theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// Background of the dark theme.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background_dark: Option<String>,
    /// Names of fonts, in the order in which they are tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
    /// Radius of corners in pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub radius: Option<u8>,
    /// The language of the pages, as its tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Whether the buttons that choose a theme are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hides_themes: bool,
}

/// The roundest corners.
const RADIUS_MAX: u8 = 24;
/// Characters of a list of fonts.
const FONT_CHARS_MAX: usize = 120;
/// Characters of a tag of a language (BCP 47 asks for no less than 35).
const LANGUAGE_CHARS_MAX: usize = 35;

impl Look {
    /// The look of a session that nobody launched yet.
    pub fn plain() -> Self {
        Self { theme: Theme::Auto, accent: None, tokens: Tokens::default() }
    }

    /// Reads a look from the fields of a query.
    pub fn read(field: impl Fn(&str) -> Option<String>) -> Self {
        let colour = |name: &str| field(name).filter(|text| is_colour(text));
        let radius = field("radius").and_then(|text| text.parse().ok());
        let tokens = Tokens {
            accent_dark: colour("accent_dark"),
            background: colour("background"),
            background_dark: colour("background_dark"),
            font: field("font").filter(|text| is_font(text)),
            radius: radius.filter(|radius| *radius <= RADIUS_MAX),
            locale: field("locale").filter(|text| is_language(text)),
            hides_themes: field("themes").is_some_and(|word| word == "hidden"),
        };
        let theme = field("theme").and_then(|word| word.parse().ok()).unwrap_or(Theme::Auto);
        Self { theme, accent: colour("accent"), tokens }
    }

    /// The fields of a query from which the stylesheet is made.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let Tokens { accent_dark, background, background_dark, font, radius, .. } = &self.tokens;
        let all = [
            ("accent", self.accent.clone()),
            ("accent_dark", accent_dark.clone()),
            ("background", background.clone()),
            ("background_dark", background_dark.clone()),
            ("font", font.clone()),
            ("radius", radius.map(|radius| radius.to_string())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// A colour: six hexadecimal digits.
fn is_colour(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A tag of a language, such as `de` or `pt-BR`.
fn is_language(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= LANGUAGE_CHARS_MAX && text.split('-').all(is_part)
}

/// Names of fonts with commas between them. No character of them means anything in a stylesheet.
fn is_font(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || " -_".contains(c);
    let is_name = |name: &str| !name.trim().is_empty() && name.chars().all(is_part);
    text.len() <= FONT_CHARS_MAX && text.split(',').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&str, &str)]) -> Look {
        let found = |name: &str| {
            let found = fields.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Look::read(found)
    }

    #[test]
    fn what_is_no_such_value_is_left_out() {
        for (name, value) in [
            ("theme", "blue"),
            ("accent", "red"),
            ("accent", "#ffffff"),
            ("background", "00000g"),
            ("radius", "25"),
            ("radius", "-1"),
            ("font", "a;b"),
            ("font", "x\"}*{y"),
            ("font", "url(http://a.example)"),
            ("font", "a,,b"),
            ("themes", "shown"),
            ("locale", "de\" onload"),
            ("locale", "-"),
        ] {
            assert_eq!(read(&[(name, value)]), Look::plain(), "{name}={value}");
        }
        assert_eq!(read(&[("accent", "0a7Ac0")]).accent.as_deref(), Some("0a7Ac0"));
    }

    #[test]
    fn a_look_is_the_same_after_its_query() {
        let chosen = read(&[
            ("accent", "0f766e"),
            ("accent_dark", "2dd4bf"),
            ("background", "fafafa"),
            ("background_dark", "101010"),
            ("font", "Inter, sans-serif"),
            ("radius", "0"),
        ]);
        let fields = chosen.fields();
        assert_eq!(fields.len(), 6);
        let again =
            Look::read(|name| fields.iter().find(|(n, _)| *n == name).map(|(_, v)| v.clone()));
        assert_eq!(again, chosen);
        let stored = serde_json::to_string(&chosen.tokens).expect("JSON");
        assert_eq!(serde_json::from_str::<Tokens>(&stored).expect("JSON"), chosen.tokens);
    }
}
