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
    let [wrong_name, wrong_value] =
        ["name", "value"].map(|what| errors.of(&format!("metadata.{}", param(index, what))));
    let kept = !named.is_empty() && wrong_value.is_none();
    let (name, value) = (id(index, "name"), id(index, "value"));
    let wrong = format!("header_wrong_{index}");
    let described = |error: Option<&str>| error.map(|_| wrong.clone());
    html! {
        div.pair data-bad[wrong_name.or(wrong_value).is_some()] {
            input id=(name) name=(name) value=(named) aria-label=(t.header_name)
                placeholder=(t.header_name) autocomplete="off" spellcheck="false"
                aria-invalid=[wrong_name.map(|_| "true")]
                aria-describedby=[described(wrong_name)];
            input id=(value) name=(value) type="password" value=""
                aria-label=(t.header_value) autocomplete="new-password"
                placeholder=(if kept { t.unchanged } else { t.header_value })
                aria-invalid=[wrong_value.map(|_| "true")]
                aria-describedby=[described(wrong_value)];
        }
        @if let Some(error) = wrong_name.or(wrong_value) {
            p.hint id=(wrong) { strong.error { (error) } }
        }
    }
}

/// The id and name of a field.
fn id(index: usize, what: &str) -> String {
    format!("header_{what}_{index}")
}

/// What a place's name or value is called in errors, below the metadata.
fn param(index: usize, what: &str) -> String {
    format!("custom_headers[{index}].{what}")
}

/// Both fields of all places: what each is called in errors, its id, and its label.
pub fn places(t: &Texts, most: usize) -> impl Iterator<Item = (String, String, &'static str)> {
    let labels = [("name", t.header_name), ("value", t.header_value)];
    let one = move |index| labels.map(|(what, label)| (param(index, what), id(index, what), label));
    (0..most).flat_map(one)
}
