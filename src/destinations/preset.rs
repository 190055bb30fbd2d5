//! Presets: a word of one field that sets others, so that receivers need no change.

use crate::destinations::model::{Field, Values};
use crate::domain::base::fields::Fields;

/// What a word of a field sets other fields to.
pub fn settings(field: &Field, word: &str) -> &'static [(&'static str, &'static str)] {
    field.sets.iter().find(|(of, _)| *of == word).map_or(&[], |(_, settings)| settings)
}

/// Sets the fields of a preset that is named; none of them may be named beside it with another
/// value. One that was named before is over as soon as one of its fields has another value.
pub fn apply(fields: &mut Fields<'_>, all: &[Field], values: &mut Values) {
    for field in all {
        let word = values.text(field.key).to_owned();
        let settings = settings(field, &word);
        if !fields.has(field.key) {
            if settings.iter().any(|(key, value)| values.text(key) != *value) {
                values.set(field.key, None);
            }
            continue;
        }
        for (key, value) in settings {
            if fields.has(key) && values.text(key) != *value {
                let preset = format!("{} {word}", field.key);
                fields.fail(key, format!("is {value:?} with {preset}; leave one of them out"));
            }
            values.set(key, Some(value));
        }
    }
}
