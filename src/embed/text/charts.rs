//! The words of charts and their numbers.

use crate::embed::text::number;

texts! {
    WEEK = "Last 7 days";
    DELIVERED = "Delivered";
    FAILED = "Failed";
    SUCCESS = "Success";
    TIMES = "Receiver answers in (p50 / p95)";
    AS_TABLE = "Show as a table";
    COUNTED = "By the day (UTC) on which the event was accepted.";
    COUNTED_UNTIL = "Counted";
    NOT_COUNTED =
        "No deliveries were counted in these days. New ones appear here within 15 minutes.";
    NOTHING = "Nothing was sent in the last 7 days";
}

/// The columns of the table.
pub const HEADS: [&str; 4] = ["Day", "Delivered", "Failed", "Success"];

/// A chart of the week in words.
pub fn week(delivered: u64, failed: u64) -> String {
    format!("Last 7 days: {} delivered, {} failed", number(delivered), number(failed))
}

/// A part in percent, given in hundredths of one.
pub fn percent(per_10000: Option<u64>) -> String {
    match per_10000 {
        Some(10_000) => "100 %".to_owned(),
        Some(part) => format!("{}.{:02} %", part / 100, part % 100),
        None => "–".to_owned(),
    }
}

/// The median and the 95th percentile of times in milliseconds.
pub fn times((median, most): (Option<i64>, Option<i64>)) -> String {
    match (median, most) {
        (Some(median), Some(most)) => format!("{median} / {most} ms"),
        _ => "–".to_owned(),
    }
}
