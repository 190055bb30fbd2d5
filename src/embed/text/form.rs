//! Labels, hints and choices of forms.

use crate::domain::base::error::FieldError;

/// Values with their labels.
pub type Options<const N: usize> = [(&'static str, &'static str); N];

/// The words of labels, hints and choices of forms.
pub struct Form {
    pub none: &'static str,
    pub orderings: Options<2>,
    pub new_secret: Options<2>,
    pub changed_secret: Options<3>,
    pub overlaps: Options<5>,
    pub action: &'static str,
    pub show_fields: &'static str,
    pub choose: &'static str,
    pub load_list: &'static str,
    pub reload_list: &'static str,
    pub list_not_read: &'static str,
    pub paths: &'static str,
    pub preview: &'static str,
    pub would_send: &'static str,
    /// What is wrong with a field, where this language has its own words for it.
    pub error: fn(&FieldError) -> Option<String>,
    /// A text of the destinations' fields and actions, which are written in English.
    pub registry: fn(&str) -> &str,
    /// A step of a retry schedule that cannot be read.
    pub no_step: fn(&str) -> String,
    pub field: fn(&str) -> (&'static str, &'static str),
}
impl Form {
    /// The words of a field of a destination, each with its label.
    pub fn words(&self, words: &'static [(&'static str, &'static str)]) -> Vec<(&str, &str)> {
        words.iter().map(|(word, label)| (*word, (self.registry)(label))).collect()
    }

    /// The name of a field in a list of errors.
    pub fn label<'a>(&self, name: &'a str) -> &'a str {
        match (self.field)(name).0 {
            "" => name,
            label => label,
        }
    }
}
