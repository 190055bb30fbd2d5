//! The fields of custom headers: a name and a value for each place.

use maud::{Markup, html};

use crate::embed::frame::parts::Errors;
use crate::embed::text::Texts;

/// The fields of all places; `name_of` gives the name that stands in one.
pub fn fields<'a>(
    t: &Texts,
    label: &str,
    most: usize,
    name_of: impl Fn(usize) -> &'a str,
    errors: &Errors,
) -> Markup {
    html! {
        p.label { (label) }
        @for index in 0..most { (one(t, index, name_of(index), errors)) }
    }
}

fn one(t: &Texts, index: usize, named: &str, errors: &Errors) -> Markup {
    let name = format!("header_name_{index}");
    let asked = errors.of(&format!("metadata.custom_headers[{index}].value")).is_some();
    let kept = !named.is_empty() && !asked;
    html! {
        div.pair {
            input name=(name) value=(named) aria-label=(t.header_name)
                placeholder=(t.header_name) autocomplete="off" spellcheck="false";
            input name=(format!("header_value_{index}")) type="password" value=""
                aria-label=(t.header_value) autocomplete="new-password"
                placeholder=(if kept { t.unchanged } else { t.header_value });
        }
    }
}
