//! Colours: what the accent that a product chose means in light and dark, so that text stays
//! readable whatever it is.

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

/// The custom properties of the stylesheet that follow from an accent of six hexadecimal digits.
pub fn properties(accent: Option<&str>) -> String {
    let accent = accent.and_then(parse).unwrap_or(DEFAULT_ACCENT);
    let on_accent = if contrast(accent, LIGHT) >= contrast(accent, DARK) { LIGHT } else { DARK };
    let fill = readable(accent, on_accent);
    format!(
        ":root{{--fill:{};--on-fill:{};--link-light:{};--link-dark:{}}}",
        hex(fill),
        hex(on_accent),
        hex(readable(accent, LIGHT_NOTICE)),
        hex(readable(accent, DARK_NOTICE)),
    )
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
        assert_eq!(properties(Some("red")), properties(None));
    }

    proptest! {
        #[test]
        fn any_accent_can_be_read(colour: Rgb) {
            let text = properties(Some(&hex(colour)[1..]));
            let value = |name: &str| {
                let from = text.find(name).expect("a property") + name.len() + 2;
                parse(&text[from..from + 6]).expect("a colour")
            };
            prop_assert!(contrast(value("--fill"), value("--on-fill")) >= CONTRAST);
            for background in [LIGHT, LIGHT_NOTICE] {
                prop_assert!(contrast(value("--link-light"), background) >= CONTRAST);
            }
            for background in [DARK, DARK_NOTICE] {
                prop_assert!(contrast(value("--link-dark"), background) >= CONTRAST);
            }
        }
    }
}
