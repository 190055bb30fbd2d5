//! The words of the page of an event and of its attempts.

texts! {
    UPDATED = "The page was updated.";
    ATTEMPT = "Attempt";
    NO_ATTEMPT = "The request and the response of each attempt are shown here.";
    ANSWER_HEADERS = "Response headers";
    REQUEST_HEADERS = "Request headers";
    BODY_IS_PAYLOAD = "The body is the payload below, byte for byte.";
    VERIFY = "Verify this signature";
    VERIFY_HINT = "On a page of its own, with the secret your server uses. The secret never leaves \
                   that page.";
    EXACT = "Exact bytes";
    STATUS = "Response";
    TOOK = "Duration";
    ANSWER_BODY = "Response body";
    ANOTHER_BODY = "(different)";
    COPY_BODY = "Request body";
    COPY_HEADERS = "Request headers";
    COPY_CURL = "curl command";
    COPY_ANSWER = "Response body";
    COPY_MESSAGE = "Message id";
}

/// Which attempt of how many it is.
pub fn of_attempts(number: u32, of: u32) -> String {
    format!("attempt {number} of {of}")
}

/// Above what is different from an earlier attempt.
pub fn compared_with(number: u32) -> String {
    format!("Compared with attempt {number}")
}
