//! What people read in the embed, all in one place, in English.

use crate::destination::webhook::{AuthScheme, PayloadMode};
use crate::domain::attempt::Outcome;
use crate::domain::error::Kind;
use crate::domain::rule::Mismatch;
use crate::domain::session::{Denied, Role};
use crate::domain::signing::{Algorithm, Scheme, Signing};

/// Declares texts.
macro_rules! texts {
    ($($name:ident = $text:literal;)*) => { $(pub const $name: &str = $text;)* };
}

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
    SHOW_DEAD = "Show what was not delivered";

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

/// Values with their labels.
pub type Options<const N: usize> = [(&'static str, &'static str); N];

/// Signature schemes.
pub const SCHEMES: Options<3> = [
    ("standard", "Standard Webhooks: id, timestamp and body (recommended)"),
    ("timestamped", "Timestamped: timestamp and body, t=...,v1=..."),
    ("body", "Body: a plain HMAC of the body"),
];
/// Algorithms.
pub const ALGORITHMS: Options<3> = [
    ("hmac-sha256", "HMAC-SHA-256"),
    ("hmac-sha512", "HMAC-SHA-512"),
    ("none", "None: not signed"),
];
/// How a signature is written.
pub const ENCODINGS: Options<2> = [("hex", "Hexadecimal"), ("base64", "Base64")];
/// How a request authenticates.
pub const AUTH_SCHEMES: Options<4> = [
    ("none", "None"),
    ("basic", "User name and password (Basic)"),
    ("bearer", "Token (Bearer)"),
    ("header", "A header of your choice"),
];
/// Methods.
pub const METHODS: Options<3> = [("POST", "POST"), ("PUT", "PUT"), ("PATCH", "PATCH")];
/// What the body is.
pub const PAYLOAD_MODES: Options<2> =
    [("raw", "The payload, byte for byte"), ("wrapped", "The payload in an envelope")];
/// Whether events wait for one another.
pub const ORDERINGS: Options<2> = [
    ("none", "As fast as possible: an event that fails lets others pass"),
    ("strict", "Strict: no event is sent before every earlier one is done with"),
];
/// Secrets of a new connection.
pub const NEW_SECRET: Options<2> = [("generate", GENERATE), ("own", OWN)];
/// The secret of a connection that is changed.
pub const CHANGED_SECRET: Options<3> = [
    ("keep", "Keep the secret"),
    ("generate", "Replace it at once by a generated one"),
    ("own", "Replace it at once by one of mine"),
];
/// How long the former secret goes on signing, in seconds.
pub const OVERLAPS: Options<5> = [
    ("0", "Not at all: the new one signs at once, and alone"),
    ("3600", "1 hour"),
    ("86400", "1 day"),
    ("259200", "3 days"),
    ("604800", "7 days"),
];

/// Label and hint of a field.
pub fn field(name: &str) -> (&'static str, &'static str) {
    match name {
        "name" => ("Name", ""),
        "url" => ("URL", ""),
        "http_method" => ("Method", ""),
        "payload_mode" => ("Body", ""),
        "auth_scheme" => ("Authentication", ""),
        "auth_username" => ("User name", ""),
        "auth_password" => ("Password", ""),
        "auth_token" => ("Token", ""),
        "auth_header_name" => ("Header", "Such as X-Api-Key."),
        "auth_header_value" => ("Value", ""),
        "signing_algorithm" => ("Algorithm", ""),
        "signing_scheme" => ("Scheme", ""),
        "signing_secret" => ("Your secret", "whsec_ and base64, or any text of 8 to 256 bytes."),
        "signature_header" => ("Signature header", ""),
        "signature_encoding" => ("Written as", ""),
        "signature_prefix" => {
            ("Prefix", "Stands before the signature, such as sha256=. May be empty.")
        }
        "timestamp_header" => ("Timestamp header", ""),
        "timeout_seconds" => ("Timeout", "Seconds for the whole answer, 1 to 25."),
        "retry_schedule" => (
            "Retries",
            "The time after each failed attempt, such as 5s, 30s, 5m, 2h. 1 to 20 steps.",
        ),
        "ordering" => ("Order", ""),
        "max_per_second" => ("Requests per second", "At the most. Leave empty for no limit."),
        "overlap" => ("The former secret goes on signing for", ""),
        "event" => ("Event", ""),
        "payload" => ("Payload", "A JSON object. It is sent exactly as it stands here."),
        "connection" => ("Connection", ""),
        "resource" => ("Resource", "Such as order. Leave empty for all."),
        "resource_id" => ("Resource id", "Leave empty for all."),
        "filter" => {
            ("Filter", "Such as {\"path\": \"order.total\", \"gt\": 100}. Leave empty for all.")
        }
        _ => ("", ""),
    }
}

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

/// The state of a delivery, or whether a connection or rule is active.
pub fn state(word: &str) -> &str {
    match word {
        "pending" => "Pending",
        "retrying" => "Retrying",
        "delivered" => "Delivered",
        "dead" => "Dead",
        "held" => "Held",
        "canceled" => "Canceled",
        "active" => "Active",
        "inactive" => "Inactive",
        other => other,
    }
}

/// The status of an event.
pub fn status(status: &str) -> &str {
    match status {
        "pending" => "Pending",
        "processing" => "Processing",
        "retrying" => "Retrying",
        "completed" => "Delivered",
        "failed" => "Dead",
        "canceled" => "Canceled",
        other => other,
    }
}

/// What became of an attempt.
pub fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Delivered => "Delivered",
        Outcome::RejectedClientError => "Rejected",
        Outcome::RejectedServerError => "Server error",
        Outcome::RateLimited => "Too many requests",
        Outcome::AuthFailed => "Not authenticated",
        Outcome::Gone => "Gone",
        Outcome::RedirectRefused => "Redirect refused",
        Outcome::UrlRefused => "URL refused",
        Outcome::Timeout => "Timeout",
        Outcome::NetworkError => "No connection",
    }
}

/// Why a delivery is dead or canceled.
pub fn reason(reason: &str) -> String {
    match reason {
        "gone" => "Your server answered 410: it wants no more of this.".to_owned(),
        "aborted" => "Your server asked us not to try this one again.".to_owned(),
        "attempts_used_up" => "All attempts of the schedule failed.".to_owned(),
        "internal" => "We could not send it for 7 days. That is our fault, not yours.".to_owned(),
        "connection_deleted" => "Its connection was deleted.".to_owned(),
        "canceled" => "It was canceled.".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Why a connection is inactive.
pub fn inactive(reason: &str) -> &'static str {
    match reason {
        "endpoint_gone" => {
            "Your server answered 410 Gone, so nothing more is sent to it. Resume \
                            when it takes requests again."
        }
        "disabled_by_receiver" => {
            "Your server asked for it by the header webhook-delivery: disable. Resume when it \
             takes requests again."
        }
        "delivery_failing" => {
            "Nothing could be delivered for 5 days. Check the URL and your server, send a test \
             event after you have resumed."
        }
        _ => "Paused.",
    }
}

/// Why a lane holds deliveries back.
pub fn held_back(reason: Option<&str>) -> &'static str {
    match reason {
        Some("breaker_open") => {
            "Several attempts in a row failed, so only one at a time is tried until one succeeds."
        }
        Some("slowed_down") => "Your server asked for fewer requests, so they are sent slowly.",
        Some("slow") => "Your server takes long to answer, so requests wait for one another.",
        _ => "Requests are sent one after the other.",
    }
}

/// How much of the time has passed until a connection is switched off.
pub fn warned(percent: u32) -> String {
    format!(
        "Nothing was delivered for a while: {percent} % of the 5 days have passed after which it \
         is switched off. Its events are kept, and held from then on. Check the URL and your \
         server."
    )
}

/// Why a rule did not match an event.
pub fn mismatch(why: Mismatch) -> &'static str {
    match why {
        Mismatch::Inactive => "the rule is switched off",
        Mismatch::Resource => "the rule is for another resource",
        Mismatch::ResourceId => "the rule is for another resource id",
        Mismatch::Filter => "the filter of the rule did not let it pass",
    }
}

/// What the body is.
pub fn payload_mode(mode: PayloadMode) -> &'static str {
    match mode {
        PayloadMode::Raw => "the payload as it is",
        PayloadMode::Wrapped => "the payload in an envelope",
    }
}

/// How a request authenticates.
pub fn auth_scheme(scheme: AuthScheme) -> &'static str {
    AUTH_SCHEMES.iter().find(|(word, _)| *word == scheme.as_str()).map_or("", |(_, label)| label)
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

/// How many deliveries of a connection are dead.
pub fn dead_count(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("{count}{more} {} not delivered.", if count == 1 { "event was" } else { "events were" })
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
