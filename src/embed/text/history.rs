//! The words of the page of an event and of its attempts.

/// The words of the page of an event and of its attempts.
pub struct History {
    pub updated: &'static str,
    pub attempt: &'static str,
    pub no_attempt: &'static str,
    pub answer_headers: &'static str,
    pub request_headers: &'static str,
    pub body_is_payload: &'static str,
    pub verify: &'static str,
    pub verify_hint: &'static str,
    pub exact: &'static str,
    pub status: &'static str,
    pub took: &'static str,
    pub answer_body: &'static str,
    pub another_body: &'static str,
    pub copy_body: &'static str,
    pub copy_headers: &'static str,
    pub copy_curl: &'static str,
    pub copy_answer: &'static str,
    pub copy_message: &'static str,
    pub of_attempts: fn(u32, u32) -> String,
    pub compared_with: fn(u32) -> String,
}
