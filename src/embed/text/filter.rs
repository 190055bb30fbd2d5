//! The words of the form of a filter, and of trying it out.

texts! {
    HINT = "Only events whose payload fits are sent. Leave empty for all.";
    JOIN = "An event is sent when";
    PATH = "Path in the payload";
    PATH_EXAMPLE = "order.total";
    COMPARISON = "Comparison";
    VALUE = "Value";
    VALUE_HINT = "Numbers, true, false and null are read as such. Put a text that looks like one \
                  between quotes: \"7\".";
    AS_JSON = "Write it as JSON";
    AS_JSON_HINT = "What stands here is used instead of the conditions above.";
    TRY = "Try it on the last events";
    NOTHING_TO_TRY = "There is no event of this name to try it on, and no example.";
    PASSES = "is sent";
    FAILS = "is not sent";
    EXAMPLE = "The example of this event";
    UNKNOWN = "No event of this name was emitted yet. Check its spelling.";
    SAVED_UNKNOWN = "Saved. No event of this name was emitted yet, and the catalogue has none: \
                     check its spelling.";
    TOO_COSTLY = "The filter is too costly for this payload.";
}

/// How conditions are joined.
pub const JOINS: [(&str, &str); 2] =
    [("and", "all conditions hold"), ("or", "at least one condition holds")];

/// The comparisons, by the word of the form.
pub const COMPARISONS: [(&str, &str); 8] = [
    ("eq", "is"),
    ("ne", "is not"),
    ("gt", "is more than"),
    ("lt", "is less than"),
    ("starts_with", "begins with"),
    ("in", "is one of (a, b, c)"),
    ("exists", "is there"),
    ("absent", "is not there"),
];

/// One of the conditions.
pub fn condition(number: usize) -> String {
    format!("Condition {number}")
}

/// How many of those that were tried would be sent.
pub fn passed(passed: usize, tried: usize) -> String {
    format!("{passed} of {tried} would be sent:")
}

/// The name of the link to the form of a rule.
pub fn edit_rule(event: &str) -> String {
    format!("Edit rule for {event}")
}
