//! The words of the form of a mapping.

/// The words of the form of a mapping.
pub struct Mapping {
    pub title: &'static str,
    pub hint: &'static str,
    pub generated: &'static str,
    pub own_field: &'static str,
    pub own_name: &'static str,
    pub own_hint: &'static str,
    pub required: &'static str,
    pub source: &'static str,
    pub value: &'static str,
    pub changes: &'static str,
    pub step: &'static str,
    pub argument: &'static str,
    pub argument_hint: &'static str,
    pub on_error: &'static str,
    pub more: &'static str,
    /// Where a value comes from, by the word of the form.
    pub sources: [(&'static str, &'static str); 2],
    /// What can be done to a value, by the word of the API.
    pub steps: [(&'static str, &'static str); 11],
    /// What happens without a usable value, by the word of the API.
    pub on_errors: [(&'static str, &'static str); 3],
}

/// The label of a word of the form.
pub fn label<'a>(words: &[(&'a str, &'a str)], word: &'a str) -> &'a str {
    words.iter().find(|(known, _)| *known == word).map_or(word, |(_, label)| label)
}
