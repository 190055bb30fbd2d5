//! The words of the page of a connection.

/// The words of the page of a connection.
pub struct Connection {
    pub language: &'static str,
    pub working: &'static str,
    pub last_delivered: &'static str,
    pub none_delivered: &'static str,
    pub last_answer: &'static str,
    pub try_now: &'static str,
    pub waiting_title: &'static str,
    pub filter: &'static str,
    pub recover: &'static str,
    pub none_found: &'static str,
    pub fingerprint: &'static str,
    pub fingerprint_hint: &'static str,
    pub since: &'static str,
    pub until: &'static str,
    pub heads: [(Option<&'static str>, &'static str); 6],
    pub waiting: fn(usize, bool) -> String,
    pub held: fn(usize, bool) -> String,
}
/// A number that was counted up to a bound.
pub fn counted(count: usize, most: usize) -> String {
    if count >= most { format!("{most}+") } else { count.to_string() }
}
