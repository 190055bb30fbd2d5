//! Colours: what the accent that a product chose means in light and dark, so that text stays
//! readable whatever it is.

use crate::domain::tenants::look::{Look, Tokens};

/// Red, green and blue.
type Rgb = [u8; 3];

/// The accent of a product that names none.
const DEFAULT_ACCENT: Rgb = [0x3b, 0x5b, 0xdb];
/// Backgrounds of the pages, see `embed.css`; of the coloured ones in each theme the one on which
/// text is hardest to read.
const LIGHT: Rgb = [0xff, 0xff, 0xff];
const DARK: Rgb = [0x16, 0x18, 0x1d];
const LIGHT_NOTICE: Rgb = [0xfd, 0xe8, 0xe8];
const DARK_NOTICE: Rgb = [0x15, 0x30, 0x1f];
/// Contrast of text with its background (WCAG 2.2, success criterion 1.4.3).
const CONTRAST: f64 = 4.5;

/// Text of the pages in each theme, of two shades, see `embed.css`.
const LIGHT_TEXTS: [Rgb; 2] = [[0x1b, 0x1f, 0x27], [0x56, 0x60, 0x72]];
const DARK_TEXTS: [Rgb; 2] = [[0xe7, 0xe9, 0xee], [0xa3, 0xac, 0xbb]];

/// The custom properties of the stylesheet that follow from what a product chose.
pub fn properties(look: &Look) -> String {
    let Tokens { accent_dark, background, background_dark, font, radius, .. } = &look.tokens;
    let accent = look.accent.as_deref().and_then(parse).unwrap_or(DEFAULT_ACCENT);
    let dark = accent_dark.as_deref().and_then(parse).unwrap_or(accent);
    let light_bg = background.as_deref().and_then(parse).filter(|bg| holds(*bg, LIGHT_TEXTS));
    let dark_bg = background_dark.as_deref().and_then(parse).filter(|bg| holds(*bg, DARK_TEXTS));
    let (fill_light, on_light) = filled(accent);
    let (fill_dark, on_dark) = filled(dark);
    let mut properties = format!(
        "--fill:light-dark({},{});--on-fill:light-dark({},{});--link-light:{};--link-dark:{}",
        hex(fill_light),
        hex(fill_dark),
        hex(on_light),
        hex(on_dark),
        hex(on_all(accent, &[LIGHT_NOTICE, light_bg.unwrap_or(LIGHT)])),
        hex(on_all(dark, &[DARK_NOTICE, dark_bg.unwrap_or(DARK)])),
    );
    for (name, colour) in [("--bg-light", light_bg), ("--bg-dark", dark_bg)] {
        properties.extend(colour.map(|colour| format!(";{name}:{}", hex(colour))));
    }
    properties.extend(radius.map(|radius| format!(";--radius:{radius}px")));
    properties.extend(font.as_deref().map(|font| format!(";--font:{}", family(font))));
    format!(":root{{{properties}}}")
}

/// Whether all texts of a theme can be read on a background.
fn holds(background: Rgb, texts: [Rgb; 2]) -> bool {
    texts.iter().all(|text| contrast(*text, background) >= CONTRAST)
}

/// The colour of filled buttons, and of the text on them.
fn filled(accent: Rgb) -> (Rgb, Rgb) {
    let on = if contrast(accent, LIGHT) >= contrast(accent, DARK) { LIGHT } else { DARK };
    (readable(accent, on), on)
}

/// The colour, as far from these backgrounds that text in it can be read on all of them.
fn on_all(colour: Rgb, backgrounds: &[Rgb]) -> Rgb {
    backgrounds.iter().fold(colour, |colour, background| readable(colour, *background))
}

/// Names of fonts as a stylesheet writes them; those that browsers know by themselves stand bare.
fn family(font: &str) -> String {
    const GENERIC: [&str; 5] = ["system-ui", "sans-serif", "serif", "monospace", "ui-sans-serif"];
    let name = |name: &str| match name.trim() {
        name if GENERIC.contains(&name) => name.to_owned(),
        name => format!("\"{name}\""),
    };
    font.split(',').map(name).collect::<Vec<_>>().join(",")
}

fn parse(text: &str) -> Option<Rgb> {
    let part = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (text.len() == 6).then(|| Some([part(0)?, part(2)?, part(4)?]))?
}

fn hex([red, green, blue]: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The colour, moved away from the background until text in it can be read.
fn readable(colour: Rgb, background: Rgb) -> Rgb {
    let away = if luminance(background) > 0.5 { [0; 3] } else { [255; 3] };
    let mixed = |step: u16| -> Rgb {
        let part = |at: usize| {
            let (from, to) = (u16::from(colour[at]), u16::from(away[at]));
            u8::try_from((from * (20 - step) + to * step) / 20).unwrap_or(u8::MAX)
        };
        [part(0), part(1), part(2)]
    };
    let steps = (0..=20).map(mixed);
    steps.into_iter().find(|mixed| contrast(*mixed, background) >= CONTRAST).unwrap_or(away)
}

/// Contrast ratio of two colours (WCAG 2.2).
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Relative luminance (WCAG 2.2), from 0 to 1.
fn luminance(colour: Rgb) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let [red, green, blue] = colour;
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ratios_are_those_of_the_standard() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
        assert!((contrast([0x77; 3], [255; 3]) - 4.48).abs() < 0.01);
        assert_eq!(parse("ff8000"), Some([255, 128, 0]));
        assert_eq!(parse("é0000"), None);
    }

    fn look(fields: &[(&str, &str)]) -> Look {
        let found = |name: &str| {
            let found = fields.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Look::read(found)
    }

    #[test]
    fn what_a_product_chooses_stands_in_the_stylesheet_if_text_can_be_read_on_it() {
        let text = properties(&look(&[
            ("font", "Inter Tight, sans-serif"),
            ("radius", "3"),
            ("background", "fffdf5"),
            ("background_dark", "777777"),
        ]));
        let expected = ["--font:\"Inter Tight\",sans-serif", "--radius:3px", "--bg-light:#fffdf5"];
        assert!(expected.iter().all(|one| text.contains(one)), "{text}");
        assert!(!text.contains("--bg-dark"), "light text cannot be read on it: {text}");
    }

    proptest! {
        #[test]
        fn any_accent_can_be_read(colour: Rgb, other: Rgb, background: Rgb) {
            let (accent, dark, bg) = (hex(colour), hex(other), hex(background));
            let text = properties(&look(&[
                ("accent", &accent[1..]),
                ("accent_dark", &dark[1..]),
                ("background", &bg[1..]),
                ("background_dark", &bg[1..]),
            ]));
            let at = |name: &str, place: usize| {
                let rest = text.split_once(&format!("{name}:")).expect("a property").1;
                let digits = rest.split('#').nth(1 + place).expect("a colour");
                parse(&digits[..6]).expect("a colour")
            };
            let value = |name: &str| at(name, 0);
            for place in [0, 1] {
                let (fill, on) = (at("--fill", place), at("--on-fill", place));
                prop_assert!(contrast(fill, on) >= CONTRAST);
            }
            for (bg, link) in [("--bg-light", "--link-light"), ("--bg-dark", "--link-dark")] {
                let is_taken = text.contains(bg);
                prop_assert!(!is_taken || contrast(value(bg), value(link)) >= CONTRAST);
            }
            for background in [LIGHT, LIGHT_NOTICE] {
                prop_assert!(contrast(value("--link-light"), background) >= CONTRAST);
            }
            for background in [DARK, DARK_NOTICE] {
                prop_assert!(contrast(value("--link-dark"), background) >= CONTRAST);
            }
        }
    }
}
