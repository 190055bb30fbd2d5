//! What people read in the embed, all in one place, in English: here the words of all pages, below
//! it those of forms, of states, and of replays.

use crate::domain::base::error::Kind;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::signing::{Algorithm, Scheme, Signing};
use crate::domain::tenants::session::{Denied, Role};

/// Declares texts.
macro_rules! texts {
    ($($name:ident = $text:literal;)*) => { $(pub const $name: &str = $text;)* };
}

pub mod catalogue;
pub mod charts;
pub mod connection;
pub mod filter;
pub mod foreign;
pub mod form;
pub mod history;
pub mod moments;
pub mod replay;
pub mod search;
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
    COPIED = "Copied";
    BACK = "Back";
    SAVE = "Save";
    EDIT = "Edit";
    SHOW = "Show";
    CLEAR = "Clear";
    ANY = "Any";
    OLDER = "Older";
    TEST = "Test";
    SET = "set, hidden";
    UNCHANGED = "unchanged";
    NOT_SAVED = "Nothing was saved. Please correct these fields:";
    CHANGED_MEANWHILE = "Somebody else changed this while you were editing. Nothing was saved.";
    CHANGED_MEANWHILE_ADVICE =
        "The form below holds what you entered. Save it to replace what is stored now.";
    FIELD = "Field";
    STORED_NOW = "Stored now";
    YOURS = "Yours";
    CHOOSE_ONE = "choose one";

    CLOSED_TITLE = "This session has ended";
    CLOSED_BODY = "Go back to the product and open this page again. If you opened it a moment \
                   ago, please wait: it may be renewed automatically.";
    SUSPENDED = "Changes are switched off at the moment. What you see can still be read.";
    FOREIGN_FORM = "This form was not sent from a page of this session. Open the page again and \
                    repeat what you did.";

    START_TITLE = "Get your first webhook in three steps";
    NEW_CONNECTION = "New connection";
    GRID_HINT = "Choose where to send events.";
    RULES_LATER = "When the connection is there, add rules: they say which events are sent, and \
                   what is made of them.";
    RULE_STEP = "Say which events are sent, and what is made of them.";
    NOT_CHECKED = "The provider did not say whether the credentials hold. Send a test event to \
                   see.";
    MADE_OF = "The body that was made of the event. Only its beginning is kept.";
    EDIT_CONNECTION = "Edit connection";
    CREATE_CONNECTION = "Create connection";
    DELETE_CONNECTION = "Delete this connection";
    KEEP = "No, go back";
    CANCEL_DELIVERY = "Cancel this delivery?";
    CANCEL_DELIVERY_MEANS = "It is not sent any more. You can send it again later from this page.";
    CANCEL_YES = "Cancel the delivery";
    END_OVERLAP_ASK = "Stop using the old secrets now?";
    END_OVERLAP_MEANS = "Requests are signed with the newest secret only. A server that still \
                         checks an old secret refuses them.";
    END_OVERLAP_YES = "Stop using the old secrets";
    DELETE_ASK = "Delete this connection?";
    CREATED_TITLE = "Connection created";
    SAVED_TITLE = "Connection saved";
    NEXT_STEPS = "What to do next";
    VERIFICATION = "Verification code";
    VERIFICATION_STEP = "Copy code for your language that checks the signature.";
    TEST_STEP = "See the request and your server's answer within a second or two.";
    SEND_TEST = "Send test event";
    TO_CONNECTION = "To the connection";
    DESTINATION = "Destination";
    NAME_EXAMPLE = "Orders";
    EVENTS_TO_SEND = "Events";
    EVENTS_TO_SEND_HINT = "Each event you choose becomes a rule. You can change them later.";
    NO_CATALOGUE = "Add rules after you have created the connection.";
    SIGNATURE = "Signature";
    BODY_SCHEME_WARNING = "With this scheme the signature covers the body only. The timestamp \
                           header helps to refuse old requests, but it is not signed: an \
                           attacker who repeats a request can change it.";
    SECRET = "Signing secret";
    AUTHENTICATION = "Authentication and headers";
    AUTHENTICATION_HINT = "For servers that need more than a signature. The values are stored \
                           encrypted, are never shown again, and appear as *** everywhere.";
    HEADER_NAME = "Header";
    HEADER_VALUE = "Value";
    DELIVERY_OPTIONS = "Method, body and retries";

    SETTINGS = "Settings";
    DELIVERIES = "Deliveries";
    NO_DELIVERIES = "Nothing has been sent to this connection yet. Send a test event to try it.";
    PAUSE = "Pause";
    RESUME = "Resume";
    RESUME_WITHOUT = "Resume and cancel held deliveries";
    HELD_MEANWHILE = "Its events are held until you resume it. Nothing is lost.";
    NOT_BEFORE = "Next attempt";
    HOLDS_THE_LINE = "This connection has strict order, and one event blocks all later ones. \
                      Fix the cause of its failure, or cancel its delivery:";
    FAILING_SINCE = "Failing since";
    LAST_ERROR = "Last error:";
    GONE_CONNECTION = "A deleted connection";

    YOUR_SECRET = "Your signing secret";
    SECRET_ONCE = "Copy it now and store it where your server can read it. It is not shown again. \
                   If you lose it, rotate the secret.";
    EQUIVALENT_SECRET = "The same secret for Standard Webhooks libraries";
    EQUIVALENT_SECRET_WHY = "These libraries accept secrets in this form only. It is shown once. \
                             Keep it as secret as the one you entered.";
    SHORT_SECRET = "This secret is short. A secret of 24 bytes or more is much harder to guess.";
    UNSEEN_SECRET = "This secret was generated, and nobody has seen it. Rotate it to a secret \
                     that you know, so that your server can check signatures.";
    STOPS_SIGNING = "signs until";
    ROTATE = "Rotate secret";
    ROTATED_TITLE = "Secret rotated";
    NEW_SECRET_TITLE = "The new secret";
    GENERATE = "Generate one for me";
    OWN = "I have one";
    NO_OVERLAP = "This scheme sends one signature only. The new secret is used at once, and the \
                  old one is not used any more. Let your server accept both before you rotate.";
    LIVE_SECRETS = "Secrets in use";
    END_OVERLAP = "Stop using old secrets";

    RULES_HINT = "A rule sends the events that match it to one connection. Two rules for the same \
                  event and connection send it twice.";
    NO_RULES = "There are no rules yet: nothing is sent.";
    NO_RULES_YET = "No rules: nothing is sent to this connection.";
    NEW_RULE = "New rule";
    ADD_RULE = "Add rule";
    EDIT_RULE = "Edit rule";
    DELETE_RULE = "Delete this rule";
    DELETE_RULE_WARNING = "Existing deliveries continue. New events are not sent by this rule.";
    PATTERN_HINT = "An event name, order.* for all names that begin with order., or * for all \
                    events.";
    RULE_LIMITS = "Limit to one resource";
    RULE_FILTER = "Filter by payload";
    FILTERED = "filtered";
    RULE_INACTIVE = "Pause this rule";
    SENT_TO = "to";

    FILTER_EVENT = "Event";
    FILTER_RESOURCE_ID = "Resource id";
    FILTER_STATUS = "Status";
    FILTER_ID = "Find by id";
    FILTER_ID_EXAMPLE = "event or message id";
    NO_EVENTS = "No events yet. They appear here as soon as something happens in the product.";
    NOTHING_FOUND = "No event on this page matches. Change the filter, or look at older events.";
    NO_SUCH_ID = "This is not an event id or a message id (msg_...).";
    UNROUTED = "No rule";
    NOT_ROUTED = "No rule matched this event, so it was not sent.";
    LAST_EVENTS = "Last events";
    ALL_EVENTS = "All events";
    ATTENTION = "Connections";
    ALL_WELL = "All connections are working.";
    SHOW_FAILED = "Show them";

    EVENT = "Event";
    EVENT_ID = "Event id";
    RESOURCE = "Resource";
    ACCEPTED = "Accepted";
    KEPT_UNTIL = "Kept until";
    ERASED = "The payload was erased.";
    PAYLOAD = "Payload";
    BY_TEST = "Test event";
    BY_RULE = "Rule:";
    BY_GONE_RULE = "Rule: deleted";
    BY_HAND = "manual";
    UNMATCHED = "Rules that did not match this event";
    RETRY_NOW = "Retry now";
    CANCEL = "Cancel";
    SEND_AGAIN = "Send again";
    NEXT_ATTEMPT = "Next attempt";
    THEN = "if it fails, then";
    NO_ATTEMPT_YET = "No attempt yet. It will be sent in a moment.";
    REQUEST_SENT = "Request";
    SAVE_BODY = "Save the body as a file first: the command reads it from there.";
    UNSENT = "Your session had ended and nothing was saved. What you typed is here again, except \
              secrets. Check it and send it once more.";
    AS_CURL = "Copy as curl";
    ANSWER = "Response";
    TRUNCATED = "Only the first 16 KiB of the response are kept.";
    EMPTY_ANSWER = "The response had no body.";
    BODY_WRAPPED = "The body was this payload inside an envelope.";
    TAKE_EXAMPLE = "Use its example";
    TEST_HELD = "This connection is paused: the test event is held until you resume it.";

    CODE_HINT = "This code fits the scheme, algorithm and headers of this connection. Verify the \
                 raw bytes of the body, before anything parses them.";
}

/// The three steps of somebody who begins: what, and how.
pub const START_STEPS: [(&str, &str); 3] = [
    ("Enter your URL", "The https address of your server that receives the requests."),
    ("Get a signing secret", "Your server uses it to check that a request comes from us."),
    ("Send a test event", "See the request and the response of your server."),
];

/// What was just done, by the word in the address of the page.
pub fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved.",
        "saved-unknown" => filter::SAVED_UNKNOWN,
        "deleted" => "Deleted.",
        "paused" => "Paused. New events are held until you resume.",
        "resumed" => "Resumed. Held deliveries are sent now, oldest first.",
        "resumed-canceled" => "Resumed. The held deliveries were canceled.",
        "rotated" => "Secret rotated. New requests are signed with it.",
        "rotated-already" => "The secret had already been rotated. Nothing was changed.",
        "overlap-ended" => "The old secrets are not used any more.",
        "retried" => "It is sent again now.",
        "replay-stopped" => "Replay stopped.",
        "canceled" => "Canceled.",
        "test-sent" => "Test event sent.",
        _ => return None,
    })
}

/// Why a session may not do something.
pub fn denied(denied: Denied) -> &'static str {
    match denied {
        Denied::OutOfReach => "This session does not show it.",
        Denied::NeedsAdmin => "Needs the role admin or owner.",
        Denied::NeedsScope => "Needs the scope events.payload:read.",
    }
}

/// The title of an error's page.
pub fn failed_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "Page not found",
        Kind::Forbidden => "Not allowed",
        Kind::TooEarly => "Not yet",
        Kind::RateLimited => "Too many requests",
        Kind::Unavailable | Kind::Internal => "Something went wrong",
        _ => "This did not work",
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

/// A number with its thousands apart: `12,904`.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
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
pub fn secret_set_by(set_by: SetBy) -> &'static str {
    match set_by {
        SetBy::Given => "entered",
        SetBy::Generated | SetBy::Shown => "generated",
    }
}

/// How many rules.
pub fn rules_count(count: usize) -> String {
    plural(count, "rule", "rules")
}

/// The name of a button that copies the text with this id, such as `sent-2` of attempt 2.
pub fn copy_label(id: &str) -> String {
    let (what, number) = match id.rsplit_once('-') {
        Some((what, number)) if number.bytes().all(|b| b.is_ascii_digit()) => (what, number),
        _ => (id, ""),
    };
    let what = match what {
        "sent" => "request headers of attempt",
        "curl" => "curl command of attempt",
        "answer" => "response headers of attempt",
        "answer-body" => "response body of attempt",
        "message" => "message id of rule",
        "event-id" => "event id",
        "url" => "URL",
        "code" => "verification code",
        other => other,
    };
    format!("Copy {what} {number}").trim_end().to_owned()
}

/// What it means to resume a connection and cancel what it holds.
pub fn cancel_held_title(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("Resume and cancel {count}{more} held {}?", deliveries_word(count))
}

/// What becomes of the held deliveries.
pub fn cancel_held_means(count: usize) -> String {
    format!(
        "The held {} not sent. New events are sent as usual. You can send canceled deliveries \
         again later, one by one.",
        if count == 1 { "delivery is" } else { "deliveries are" }
    )
}

/// What is lost when a connection is deleted.
pub fn delete_means(rules: usize, waiting: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!(
        "{} and {waiting}{more} waiting {} go with it: the deliveries are canceled. The history \
         of what was sent stays. This cannot be undone. To stop for a while, pause it instead.",
        rules_count(rules),
        deliveries_word(waiting)
    )
}

fn deliveries_word(count: usize) -> &'static str {
    if count == 1 { "delivery" } else { "deliveries" }
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
    format!("{count}{more} failed {}.", deliveries_word(count))
}

/// What a test event goes to.
pub fn test_target(name: &str) -> String {
    format!("It is sent to {name} only, and is marked with the header posthorn-test: true.")
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
