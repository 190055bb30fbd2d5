//! What people read in the embed, all in one place, in English: here the words of all pages, below
//! it those of forms, of states, and of replays.

use crate::domain::base::error::Kind;
use crate::domain::connection::signing::{Algorithm, Scheme, Signing};
use crate::domain::tenants::session::{Denied, Role};

/// Declares texts.
macro_rules! texts {
    ($($name:ident = $text:literal;)*) => { $(pub const $name: &str = $text;)* };
}

pub mod form;
pub mod moments;
pub mod replay;
pub mod why;

texts! {
    NAVIGATION = "Webhooks";
    SKIP = "Skip to content";
    DASHBOARD = "Overview";
    CONNECTIONS = "Connections";
    RULES = "Rules";
    EVENTS = "Events";
    THEME = "Colours";
    THEME_AUTO = "Auto";
    THEME_LIGHT = "Light";
    THEME_DARK = "Dark";
    READ_ONLY = "read only";
    COPY = "Copy";
    BACK = "Back";
    SAVE = "Save";
    EDIT = "Edit";
    SHOW = "Show";
    CLEAR = "Clear";
    ANY = "Any";
    OLDER = "Older";
    TEST = "Test";
    SET = "set, never shown";
    UNCHANGED = "unchanged";
    NOT_SAVED = "Something is missing or not right.";
    CHOOSE_ONE = "choose one";

    CLOSED_TITLE = "This session is over";
    CLOSED_BODY = "Go back to the product and open this page again. If you have just opened it, \
                   wait a moment: it may be renewed by itself.";
    FOREIGN_FORM = "This form did not come from a page of this session. Open the page again and \
                    send it once more.";

    START_TITLE = "Get your first webhook in three steps";
    NEW_CONNECTION = "New connection";
    EDIT_CONNECTION = "Edit connection";
    CREATE_CONNECTION = "Create connection";
    DELETE_CONNECTION = "Delete this connection";
    DELETE_WARNING = "Its rules are deleted too, and what it has not been sent yet is canceled. \
                      This cannot be undone. To stop for a while, pause it instead.";
    CREATED_TITLE = "Connection created";
    SAVED_TITLE = "Connection saved";
    NEXT_STEPS = "What to do next";
    VERIFICATION = "Verification code";
    VERIFICATION_STEP = "Copy code that checks the signature, for your language.";
    TEST_STEP = "See the request and your server's answer within a second or two.";
    SEND_TEST = "Send test event";
    TO_CONNECTION = "To the connection";
    DESTINATION = "Where to";
    URL_EXAMPLE = "https://example.com/webhooks";
    NAME_EXAMPLE = "Orders";
    EVENTS_TO_SEND = "What to send";
    EVENTS_TO_SEND_HINT = "Each event you choose becomes a rule. You can change them later.";
    NO_CATALOGUE = "Add rules after you have created the connection.";
    SIGNATURE = "Signature";
    BODY_SCHEME_WARNING = "With this scheme the signature covers the body only. The timestamp is a \
                           help against old requests, but somebody who replays one can change it.";
    SECRET = "Signing secret";
    AUTHENTICATION = "Authentication and headers";
    AUTHENTICATION_HINT = "For servers that ask for more than a signature. What you enter here is \
                           kept sealed, is never shown again, and appears as *** everywhere.";
    CUSTOM_HEADERS = "Custom headers";
    HEADER_NAME = "Header";
    HEADER_VALUE = "Value";
    DELIVERY_OPTIONS = "Method, body and retries";

    SETTINGS = "Settings";
    DELIVERIES = "Deliveries";
    NO_DELIVERIES = "Nothing was sent to this connection yet. Send a test event to try it.";
    NEXT = "next";
    PAUSE = "Pause";
    RESUME = "Resume";
    RESUME_WITHOUT = "Resume and cancel what is held";
    HELD_MEANWHILE = "Its events are held until it is active again; nothing is lost.";
    NOT_BEFORE = "The next one is made";
    HOLDS_THE_LINE = "The order of this connection is strict, and one event keeps the others \
                      waiting. Mend what it fails at, or cancel its delivery there to go on:";
    FAILING_SINCE = "Failing since";
    GONE_CONNECTION = "A deleted connection";

    YOUR_SECRET = "Your signing secret";
    SECRET_ONCE = "Copy it now and keep it where your server finds it: it is not shown again. If \
                   you lose it, rotate to another one.";
    EQUIVALENT_SECRET = "The same secret for Standard Webhooks libraries";
    EQUIVALENT_SECRET_WHY = "They take secrets in this form only. It is shown this once and is as \
                             secret as what you entered.";
    SHORT_SECRET = "This secret is short. One of 24 bytes or more is much harder to guess.";
    UNSEEN_SECRET = "This secret was generated and nobody has seen it. Rotate to one that you \
                     know, so that your server can check signatures.";
    STOPS_SIGNING = "stops signing";
    ROTATE = "Rotate secret";
    ROTATED_TITLE = "Secret rotated";
    NEW_SECRET_TITLE = "The new secret";
    GENERATE = "Generate one for me";
    OWN = "I have one";
    NO_OVERLAP = "This scheme has room for one signature: the new secret signs at once, and alone. \
                  Let your server know both before you rotate.";
    LIVE_SECRETS = "Secrets that sign now";
    END_OVERLAP = "End the overlap now";

    RULES_HINT = "A rule sends the events of one name to one connection. Two rules for the same \
                  event and connection send it twice.";
    NO_RULES = "No rule sends anything yet.";
    NO_RULES_YET = "No rule sends events here yet.";
    NEW_RULE = "New rule";
    ADD_RULE = "Add rule";
    EDIT_RULE = "Edit rule";
    DELETE_RULE = "Delete this rule";
    DELETE_RULE_WARNING = "What it has sent on its way goes on; new events are not sent by it.";
    PATTERN_HINT = "A name, order.* for all that begin with order., or * for all.";
    RULE_LIMITS = "Only for one resource";
    RULE_FILTER = "Only for some payloads";
    FILTERED = "filtered";
    RULE_INACTIVE = "Switch this rule off for now";
    SENT_TO = "to";

    FILTER_EVENT = "Event";
    FILTER_RESOURCE_ID = "Resource id";
    FILTER_STATUS = "Status";
    FILTER_ID = "Find by id";
    FILTER_ID_EXAMPLE = "event or message id";
    NO_EVENTS = "No events yet. They appear here as soon as something happens in the product.";
    NOTHING_FOUND = "No event on this page fits. Try other words, or look at older ones.";
    NO_SUCH_ID = "That is neither an event id nor a message id (msg_...).";
    UNROUTED = "Not routed";
    NOT_ROUTED = "No rule sent this event anywhere.";
    LAST_EVENTS = "Last events";
    ALL_EVENTS = "All events";
    ATTENTION = "What needs attention";
    ALL_WELL = "All is well.";
    SHOW_FAILED = "See why";

    EVENT = "Event";
    EVENT_ID = "Event id";
    RESOURCE = "Resource";
    ACCEPTED = "Accepted";
    PAYLOAD = "Payload";
    BY_TEST = "Test event";
    BY_RULE = "By the rule for";
    BY_GONE_RULE = "By a rule that was deleted";
    BY_HAND = "by hand";
    UNMATCHED = "Rules for this event that did not match";
    RETRY_NOW = "Retry now";
    CANCEL = "Cancel";
    SEND_AGAIN = "Send again";
    NEXT_ATTEMPT = "Next attempt";
    THEN = "then, if it fails,";
    NO_ATTEMPT_YET = "No attempt yet; it is on its way.";
    REQUEST_SENT = "Request as it was sent";
    AS_CURL = "As curl";
    ANSWER = "Answer";
    TRUNCATED = "Only the first 16 KiB of the answer are kept.";
    EMPTY_ANSWER = "The answer had no body.";
    BODY_SENT = "Body";
    BODY_WRAPPED = "The body was this payload in its envelope.";
    TAKE_EXAMPLE = "Take its example";
    TEST_HELD = "This connection is not active: the test event is held until it is.";

    CODE_HINT = "Made for the scheme, algorithm and headers of this connection. Check the raw \
                 bytes of the body, before anything parses them.";
    LANGUAGE = "Language";
}

/// The three steps of somebody who begins: what, and how.
pub const START_STEPS: [(&str, &str); 3] = [
    ("Enter your URL", "The address of your server that takes the requests. It must be https."),
    ("Get a signing secret", "With it your server can tell that a request is genuine."),
    ("Send a test event", "See the request and your server's answer side by side."),
];

/// What was just done, by the word in the address of the page.
pub fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved.",
        "deleted" => "Deleted.",
        "paused" => "Paused. New events are held until you resume.",
        "resumed" => "Active. What was held is on its way.",
        "rotated" => "Rotated. The new secret signs from now on.",
        "rotated-already" => "The secret was rotated already; nothing was changed.",
        "overlap-ended" => "The former secrets sign no more.",
        "retried" => "On its way.",
        "replay-stopped" => "Stopped.",
        "canceled" => "Canceled.",
        "test-sent" => "The test event is on its way.",
        _ => return None,
    })
}

/// Why a session may not do something.
pub fn denied(denied: Denied) -> &'static str {
    match denied {
        Denied::ReadOnly => "This page is read only.",
        Denied::NeedsAdmin => "Needs the role admin.",
        Denied::NeedsWorkspace => "Needs a session for the whole workspace.",
        Denied::NeedsScope => "Needs the scope events.payload:read.",
    }
}

/// The title of an error's page.
pub fn failed_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "There is nothing here",
        Kind::Forbidden => "That is not allowed here",
        Kind::TooEarly => "Not yet",
        Kind::RateLimited => "Too many requests",
        Kind::Unavailable | Kind::Internal => "Something went wrong",
        _ => "That did not work",
    }
}

/// A role.
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "Member",
        Role::Admin => "Admin",
        Role::Owner => "Owner",
    }
}

/// How a connection signs.
pub fn signature_summary(signing: &Signing) -> String {
    let algorithm = match signing.algorithm {
        Algorithm::None => return "Requests are not signed.".to_owned(),
        Algorithm::HmacSha256 => "HMAC-SHA-256",
        Algorithm::HmacSha512 => "HMAC-SHA-512",
    };
    match signing.scheme {
        Scheme::Standard => format!("Standard Webhooks, {algorithm}"),
        Scheme::Timestamped => {
            format!("Timestamped, {algorithm}, in the header {}", signing.signature_header)
        }
        Scheme::Body => format!("Body, {algorithm}, in the header {}", signing.signature_header),
    }
}

/// Which secret.
pub fn secret_name(number: u32, is_newest: bool) -> String {
    if is_newest { format!("Secret {number}, current") } else { format!("Secret {number}") }
}

/// Who set a secret.
pub fn secret_set_by(word: &str) -> &'static str {
    match word {
        "given" => "entered",
        _ => "generated",
    }
}

/// How many rules.
pub fn rules_count(count: usize) -> String {
    plural(count, "rule", "rules")
}

/// How many attempts.
pub fn attempts_count(count: u32) -> String {
    plural(count as usize, "attempt", "attempts")
}

/// How many of an event's deliveries were delivered.
pub fn delivered_count(delivered: usize, all: usize) -> String {
    format!("{delivered} of {all} delivered")
}

/// How many deliveries of a connection are failed.
pub fn failed_count(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("{count}{more} not delivered.")
}

/// What a test event goes to.
pub fn test_target(name: &str) -> String {
    format!(
        "It goes to {name} only, the ordinary way, and is marked with the header posthorn-test."
    )
}

/// An attempt.
pub fn attempt_title(number: u32) -> String {
    format!("Attempt {number}")
}

/// What may be told of a payload to who may not read it.
pub fn payload_facts(bytes: usize) -> String {
    format!("{bytes} bytes, SHA-256")
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
