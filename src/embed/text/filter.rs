//! The words of the form of a filter, and of trying it out.

/// The words of the form of a filter, and of trying it out.
pub struct Filter {
    pub hint: &'static str,
    pub join: &'static str,
    pub path: &'static str,
    pub path_example: &'static str,
    pub comparison: &'static str,
    pub value: &'static str,
    pub value_hint: &'static str,
    pub as_json: &'static str,
    pub as_json_hint: &'static str,
    pub try_it: &'static str,
    pub nothing_to_try: &'static str,
    pub passes: &'static str,
    pub fails: &'static str,
    pub example: &'static str,
    pub unknown: &'static str,
    pub saved_unknown: &'static str,
    pub too_costly: &'static str,
    pub joins: [(&'static str, &'static str); 2],
    pub comparisons: [(&'static str, &'static str); 8],
    pub condition: fn(usize) -> String,
    pub passed: fn(usize, usize) -> String,
    pub edit_rule: fn(&str) -> String,
}
