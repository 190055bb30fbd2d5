//! The words of the page of a connection.

texts! {
    LANGUAGE = "Language of the code";
    WORKING = "Working.";
    LAST_DELIVERED = "The last event that was delivered was accepted";
    NONE_DELIVERED = "No delivery shown below has arrived.";
    LAST_ANSWER = "See the last attempt";
    TRY_NOW = "Try now";
    WAITING = "Waiting";
    FILTER = "Filter by status and date";
    RECOVER = "Send many again";
    NONE_FOUND = "No delivery on this page matches. Change the filter, or look at older ones.";
    FINGERPRINT = "fingerprint";
    FINGERPRINT_HINT = "A fingerprint is how the SHA-256 of a secret begins. Compare it with that \
                        of the secret your server uses: printf %s \"$SECRET\" | sha256sum";
    SINCE = "Accepted since (UTC)";
    UNTIL = "Accepted until (UTC)";
}

/// The columns of the deliveries; narrow pages leave some of them out.
pub const HEADS: [(Option<&str>, &str); 6] = [
    (None, "Event"),
    (None, "Result"),
    (Some("wide"), "Attempts"),
    (Some("wide"), "Next"),
    (None, "Accepted"),
    (None, ""),
];

/// A number that was counted up to a bound.
pub fn counted(count: usize, most: usize) -> String {
    if count >= most { format!("{most}+") } else { count.to_string() }
}

/// How many deliveries wait for their next attempt.
pub fn waiting(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("{count}{more} {} waiting. None of them is lost.", are(count))
}

/// How many deliveries are held.
pub fn held(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("{count}{more} {} held. They are sent when you resume.", are(count))
}

fn are(count: usize) -> &'static str {
    if count == 1 { "delivery is" } else { "deliveries are" }
}
