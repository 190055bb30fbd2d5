//! The words of the list of events, of its filters and of what is exported from it.

texts! {
    EVENT_EXAMPLE = "order.paid or order.*";
    MORE = "More filters and export";
    SINCE = "Accepted since (UTC)";
    UNTIL = "Accepted until (UTC)";
    EXPORT_HINT = "A file has a line for each delivery of the newest 500 events that match. \
                   Choose a time range to get older ones.";
    NEWEST = "Newest";
}

/// The formats of a file.
pub const FORMATS: [(&str, &str); 2] =
    [("csv", "Export as CSV"), ("jsonl", "Export as JSON lines")];

/// The columns of the list; narrow pages leave some of them out.
pub const HEADS: [(Option<&str>, &str); 4] =
    [(None, "Event"), (Some("wide"), "Connections"), (None, "Status"), (None, "Accepted")];

/// How many connections more there are than those that are named.
pub fn and_more(count: usize) -> String {
    format!("and {count} more")
}
