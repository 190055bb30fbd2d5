//! The embed in English.

use crate::domain::base::error::Kind;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::signing::{Algorithm, Scheme, Signing};
use crate::domain::tenants::session::{Denied, Role};
use crate::embed::text::Texts;
use crate::embed::text::catalogue::Catalogue;
use crate::embed::text::changes::Changes;
use crate::embed::text::charts::Charts;
use crate::embed::text::connection::Connection;
use crate::embed::text::filter::Filter;
use crate::embed::text::foreign::Foreign;
use crate::embed::text::form::Form;
use crate::embed::text::history::History;
use crate::embed::text::mapping::Mapping;
use crate::embed::text::moments::Moments;
use crate::embed::text::replay::Replay;
use crate::embed::text::said::{Sentence, translated};
use crate::embed::text::search::Search;
use crate::embed::text::why::Why;

/// All texts.
pub static TEXTS: Texts = Texts {
    tag: "en",
    navigation: "Webhooks",
    skip: "Skip to content",
    dashboard: "Overview",
    connections: "Connections",
    rules: "Rules",
    events: "Events",
    theme: "Colours",
    theme_auto: "Auto",
    theme_light: "Light",
    theme_dark: "Dark",
    read_only: "read only",
    copy: "Copy",
    copied: "Copied",
    back: "Back",
    save: "Save",
    edit: "Edit",
    show: "Show",
    clear: "Clear",
    any: "Any",
    older: "Older",
    test: "Test",
    set: "set, hidden",
    unchanged: "unchanged",
    not_saved: "Nothing was saved or sent. Please correct these fields:",
    changed_meanwhile: "Somebody else changed this while you were editing. Nothing was saved.",
    changed_meanwhile_advice: "The form below holds what you entered. Save it to replace what is \
         stored now.",
    field: "Field",
    stored_now: "Stored now",
    yours: "Yours",
    choose_one: "choose one",
    closed_title: "This session has ended",
    closed_body: "Go back to the product and open this page again. If you opened it a moment ago, \
         please wait: it may be renewed automatically.",
    suspended: "Changes are switched off at the moment. What you see can still be read.",
    foreign_form: "This form was not sent from a page of this session. Open the page again and \
         repeat what you did.",
    start_title: "Get your first webhook in three steps",
    new_connection: "New connection",
    grid_hint: "Choose where to send events.",
    rules_later: "After you have created the connection, add rules. They say which events are \
         sent, and with which content.",
    rule_step: "Choose which events are sent, and with which content.",
    not_checked: "The credentials could not be checked. Send a test event to see whether they \
         work.",
    made_of: "The body that was created from the event. Only its first part is kept.",
    edit_connection: "Edit connection",
    create_connection: "Create connection",
    delete_connection: "Delete this connection",
    keep: "No, go back",
    cancel_delivery: "Cancel this delivery?",
    cancel_delivery_means: "It will not be sent. You can send it again later from this page.",
    cancel_yes: "Cancel the delivery",
    end_overlap_ask: "Stop using the old secrets now?",
    end_overlap_means: "Requests are signed with the newest secret only. A server that still \
         checks an old secret refuses them.",
    end_overlap_yes: "Stop using the old secrets",
    delete_ask: "Delete this connection?",
    created_title: "Connection created",
    saved_title: "Connection saved",
    next_steps: "What to do next",
    verification: "Verification code",
    verification_step: "Copy code for your language that checks the signature.",
    test_step: "See the request and your server's answer within a second or two.",
    send_test: "Send test event",
    to_connection: "To the connection",
    destination: "Destination",
    name_example: "Orders",
    events_to_send: "Events",
    events_to_send_hint: "Each event you choose becomes a rule. You can change them later.",
    no_catalogue: "Add rules after you have created the connection.",
    signature: "Signature",
    body_scheme_warning: "With this scheme the signature covers the body only. The timestamp \
         header helps to refuse old requests, but it is not signed: an attacker who repeats a \
         request can change it.",
    secret: "Signing secret",
    authentication: "Authentication and headers",
    authentication_hint: "For servers that need more than a signature. The values are stored \
         encrypted, are never shown again, and appear as *** everywhere.",
    header_name: "Header",
    header_value: "Value",
    delivery_options: "Method, body and retries",
    settings: "Settings",
    deliveries: "Deliveries",
    no_deliveries: "Nothing has been sent to this connection yet. Send a test event to try it.",
    pause: "Pause",
    resume: "Resume",
    resume_without: "Resume and cancel held deliveries",
    held_meanwhile: "Its events are held until you resume it. Nothing is lost.",
    not_before: "Next attempt",
    holds_the_line: "This connection sends in strict order, and one event blocks all later \
         ones. Fix the cause of the failure, or cancel the delivery:",
    failing_since: "Failing since",
    last_error: "Last error:",
    gone_connection: "A deleted connection",
    your_secret: "Your signing secret",
    secret_once: "Copy it now and store it where your server can read it. It is not shown again. \
         If you lose it, rotate the secret.",
    equivalent_secret: "The same secret for Standard Webhooks libraries",
    equivalent_secret_why: "These libraries accept secrets in this form only. It is shown once. \
         Keep it as secret as the one you entered.",
    short_secret: "This secret is short. A secret of 24 bytes or more is much harder to guess.",
    unseen_secret: "This secret was generated, and nobody has seen it. Rotate it to a secret that \
         you know, so that your server can check signatures.",
    stops_signing: "signs until",
    rotate: "Rotate secret",
    rotated_title: "Secret rotated",
    new_secret_title: "The new secret",
    no_overlap: "This scheme sends one signature only. The new secret replaces the old one \
         immediately. Let your server accept both before you rotate.",
    live_secrets: "Secrets in use",
    end_overlap: "Stop using old secrets",
    rules_hint: "A rule sends the events that match it to one connection. Two rules for the same \
         event and connection send it twice.",
    no_rules: "There are no rules yet: nothing is sent.",
    no_rules_yet: "No rules: nothing is sent to this connection.",
    new_rule: "New rule",
    add_rule: "Add rule",
    edit_rule: "Edit rule",
    delete_rule: "Delete this rule",
    delete_rule_warning: "Existing deliveries continue. New events are not sent by this rule.",
    pattern_hint: "An event name, order.* for all names that begin with order., or * for all \
         events.",
    rule_limits: "Limit to one resource",
    rule_filter: "Filter by payload",
    filtered: "filtered",
    rule_inactive: "Pause this rule",
    sent_to: "to",
    filter_event: "Event",
    filter_resource_id: "Resource id",
    filter_status: "Status",
    filter_id: "Find by id",
    filter_id_example: "id or msg_...",
    no_events: "No events yet. They appear here as soon as something happens in the product.",
    nothing_found: "No event on this page matches. Change the filter, or look at older events.",
    no_such_id: "This is not an event id or a message id (msg_...).",
    unrouted: "No rule",
    not_routed: "No rule matched this event, so it was not sent.",
    last_events: "Last events",
    all_events: "All events",
    all_well: "All connections are working.",
    show_failed: "Show them",
    event: "Event",
    event_id: "Event id",
    resource: "Resource",
    accepted: "Accepted",
    kept_until: "Kept until",
    erased: "The payload was erased.",
    payload: "Payload",
    by_test: "Test event",
    by_rule: "Rule:",
    by_gone_rule: "Rule: deleted",
    by_hand: "manual",
    unmatched: "Rules that did not match this event",
    retry_now: "Retry now",
    cancel: "Cancel",
    send_again: "Send again",
    next_attempt: "Next attempt",
    then: "if it fails, then",
    no_attempt_yet: "No attempt yet. It will be sent in a moment.",
    request_sent: "Request",
    save_body: "Save the body as a file first: the command reads it from there.",
    unsent: "Your session had ended and nothing was saved. What you typed is here again, except \
         secrets. Check it and send it once more.",
    as_curl: "Copy as curl",
    answer: "Response",
    truncated: "Only the first 16 KiB of the response are kept.",
    empty_answer: "The response had no body.",
    body_wrapped: "The body was this payload inside an envelope.",
    take_example: "Use its example",
    test_held: "This connection is paused: the test event is held until you resume it.",
    code_hint: "This code matches the scheme, algorithm and headers of this connection. Verify \
         the raw bytes of the body before your program parses them.",
    start_steps: [
        ("Enter your URL", "The https address of your server that receives the requests."),
        ("Get a signing secret", "Your server uses it to check that a request comes from us."),
        ("Send a test event", "See the request and the response of your server."),
    ],
    done,
    denied,
    failed_title,
    role,
    number,
    signature_summary,
    secret_name,
    secret_set_by,
    rules_count,
    copy_label,
    cancel_held_title,
    cancel_held_means,
    delete_means,
    attempts_count,
    delivered_count,
    failed_count,
    test_target,
    attempt_title,
    payload_facts,
    failed_message,
    said,
    catalogue: Catalogue {
        event_types: "Event types",
        none: "The product has not described its events.",
        example: "Example of the payload",
        its_events: "Show its events",
        heads: [(None, "Event"), (None, "What it means"), (Some("wide"), "Group")],
    },
    changes: Changes {
        title: "Changes",
        hint: "Who changed what in the last 400 days, newest first: connections, rules, secrets \
             and settings. The values themselves are not kept here.",
        none: "Nothing was changed yet.",
        heads: [(None, "What"), (Some("wide"), "Fields"), (None, "Who"), (None, "When")],
        who: changes::who,
        record: changes::record,
        action: changes::action,
    },
    charts: Charts {
        week_title: "Last 7 days",
        day_title: "Last 24 hours",
        newest_title: charts::newest_title,
        newest_of_each: charts::newest_of_each,
        delivered: "Delivered",
        failed: "Failed",
        success: "Success",
        times_title: "Receiver answers in (p50 / p95)",
        as_table: "Show as a table",
        counted: "Days are in UTC, and are those on which the events were accepted.",
        counted_until: "Counted",
        not_counted: "No deliveries were counted on these days. New ones appear here within 15 \
             minutes.",
        nothing: "Nothing was sent in the last 7 days",
        heads: ["Day", "Delivered", "Failed", "Success"],
        week: charts::week,
        day: charts::day,
        percent: charts::percent,
        times: charts::times,
        date: charts::date,
    },
    connection: Connection {
        language: "Language of the code",
        working: "Working.",
        last_delivered: "The last event that was delivered is from",
        none_delivered: "None of the deliveries below has arrived.",
        last_answer: "See the last attempt",
        try_now: "Try now",
        waiting_title: "Waiting",
        filter: "Filter by status and date",
        recover: "Send many again",
        none_found: "No delivery on this page matches. Change the filter, or look at older ones.",
        fingerprint: "fingerprint",
        fingerprint_hint: "A fingerprint is the beginning of the SHA-256 hash of a secret. \
             Compare it with the fingerprint of the secret that your server uses: printf %s \
             \"$SECRET\" | sha256sum",
        since: "Accepted since (UTC)",
        until: "Accepted until (UTC)",
        heads: [
            (None, "Event"),
            (None, "Result"),
            (Some("wide"), "Attempts"),
            (Some("wide"), "Next"),
            (None, "Accepted"),
            (None, ""),
        ],
        waiting: connection::waiting,
        held: connection::held,
    },
    filter: Filter {
        hint: "Only events whose payload matches the filter are sent. Leave empty for all.",
        join: "An event is sent when",
        path: "Path in the payload",
        path_example: "order.total",
        comparison: "Comparison",
        value: "Value",
        value_hint: "7, true, false and null are not read as text. To compare with the text 7, \
             enter \"7\".",
        as_json: "Write it as JSON",
        as_json_hint: "This JSON replaces the conditions above.",
        try_it: "Try it on the last events",
        nothing_to_try: "There is no event with this name to try it on, and no example.",
        passes: "is sent",
        fails: "is not sent",
        example: "The example of this event",
        unknown: "No event with this name has been sent yet. Check the spelling.",
        saved_unknown: "Saved. No event with this name has been sent yet, and it is not in the \
             list of event types: check the spelling.",
        too_costly: "The filter is too costly for this payload.",
        unmet_or: "none of the conditions in \"or\"",
        unmet_not: "the condition in \"not\" is met",
        unread: "It cannot be read.",
        joins: [("and", "all conditions hold"), ("or", "at least one condition holds")],
        comparisons: [
            ("eq", "is"),
            ("ne", "is not"),
            ("gt", "is more than"),
            ("lt", "is less than"),
            ("starts_with", "begins with"),
            ("in", "is one of (a, b, c)"),
            ("exists", "is there"),
            ("absent", "is not there"),
        ],
        condition: filter::condition,
        unmet: filter::unmet,
        passed: filter::passed,
        edit_rule: filter::edit_rule,
    },
    foreign: Foreign {
        title: "This page may not be shown here",
        this_origin: "the origin of the page around this frame",
        how_to_allow: "Add it to allowed_origins in POST /api/v1/sessions, or once for all \
             sessions in PATCH /api/v1/organization. The launch URL can still be used.",
        body: foreign::body,
    },
    form: Form {
        none: "None",
        orderings: [
            ("none", "As fast as possible: a failing event does not block later ones"),
            (
                "strict",
                "Strict: an event is sent only after all earlier ones are delivered, failed or \
                 canceled",
            ),
        ],
        new_secret: [("generate", "Generate one for me"), ("own", "I have one")],
        changed_secret: [
            ("keep", "Keep the current secret"),
            ("generate", "Replace it now with a generated secret"),
            ("own", "Replace it now with my own secret"),
        ],
        overlaps: [
            ("0", "Not at all: only the new secret is used"),
            ("3600", "1 hour"),
            ("86400", "1 day"),
            ("259200", "3 days"),
            ("604800", "7 days"),
        ],
        action: "Action",
        show_fields: "Show its fields",
        choose: "Choose one",
        load_list: "Load the list",
        reload_list: "Load the list again",
        list_not_read: "Load the list to choose from it, or enter an id.",
        paths: "Fields that you can use, from the example of this event:",
        preview: "Preview",
        would_send: "For the example of this event:",
        error: form::error,
        no_step: form::no_step,
        registry: form::registry,
        field: form::field,
    },
    history: History {
        updated: "The page was updated.",
        attempt: "Attempt",
        no_attempt: "The request and the response of each attempt are shown here.",
        answer_headers: "Response headers",
        request_headers: "Request headers",
        body_is_payload: "The body is the payload below, byte for byte.",
        verify: "Verify this signature",
        verify_hint: "On a page of its own, with the secret your server uses. The secret never \
             leaves that page.",
        exact: "Exact bytes",
        status: "Response",
        took: "Duration",
        answer_body: "Response body",
        another_body: "(different)",
        copy_body: "Request body",
        copy_headers: "Request headers",
        copy_curl: "curl command",
        copy_answer: "Response body",
        copy_message: "Message id",
        of_attempts: history::of_attempts,
        compared_with: history::compared_with,
    },
    mapping: Mapping {
        title: "Field mapping",
        hint: "Where the values of a person come from when an event is sent. This applies to \
             all rules of this connection. A field whose value is empty is not sent.",
        generated: "Nothing is saved yet: these are the names that payloads commonly use.",
        own_field: "Another field",
        own_name: "Name of the field",
        own_hint: "The name that the integration uses, such as the key of a custom field. To \
             remove the field, clear its name and its value.",
        required: "Required: nothing can be sent without it.",
        source: "Comes from",
        value: "Path or value",
        changes: "Change the value",
        step: "Change",
        argument: "With",
        argument_hint: "It depends on the change: the other value, the time zone (UTC or \
             +02:00), or the first character and the number of characters (0,5).",
        on_error: "If there is no usable value",
        more: "Show more lines",
        sources: [("path", "a path in the payload"), ("literal", "a fixed value")],
        steps: [
            ("", "nothing"),
            ("to_string", "convert to text"),
            ("to_number", "convert to a number"),
            ("to_boolean", "convert to true or false"),
            ("to_date", "convert to a date"),
            ("to_datetime", "convert to a date with time"),
            ("default", "use another value if there is none"),
            ("trim", "remove spaces around it"),
            ("lower", "convert to lower case"),
            ("upper", "convert to upper case"),
            ("substring", "use a part of it"),
        ],
        on_errors: [
            ("skip_field", "leave the field out"),
            ("warn_action", "leave the field out, and say so in the attempt"),
            ("fail_action", "send nothing: the delivery fails"),
        ],
    },
    moments: Moments {
        now: "now",
        days: "days",
        past: "* ago",
        exact: moments::exact,
        to_the_second: moments::to_the_second,
        bound: moments::bound,
        duration: moments::duration,
        seconds: moments::seconds,
    },
    replay: Replay {
        failed: "Failed",
        failed_hint: "Deliveries without further attempts, newest first. Fix the cause, then send \
             them again: with the same message ids and new signatures.",
        none_failed: "No failed deliveries.",
        none_failed_hint: "A delivery is retried for days before it counts as failed. Failed \
             deliveries appear here and can be sent again.",
        no_more_failed: "There are no older ones.",
        none_of_resource: "None of these events failed. Look at older ones.",
        all_connections: "All connections",
        send_many: "Send many again",
        send_many_hint: "Choose which deliveries of the events accepted in a time range are sent \
             again. You see their number before anything is sent.",
        event_or_all: "Leave empty for all.",
        count: "Count",
        nothing_chosen: "There are no such deliveries in this time range.",
        no_time: "must be a date and a time such as 2026-01-31 08:00",
        preview: "Send these again?",
        count_changed: "The number has changed, so nothing was sent yet. Please check again:",
        same_ids: "Each keeps its message id, so that your server can recognise what it already \
             has, and gets a new signature.",
        held_meanwhile: "Deliveries to a paused connection are held until it is resumed.",
        can_be_stopped: "You can watch the progress and stop at any time.",
        replay: "Replay",
        replays: "Replays",
        replays_hint: "Every time somebody sent many deliveries again.",
        no_replays: "Nobody has sent many deliveries again yet.",
        stop: "Stop",
        ended: "Ended",
        range_title: "Accepted",
        replayed: "Deliveries",
        asked_by_title: "Started by",
        what_came_of_it: "Result",
        to_deliveries: "The deliveries of the connection",
        to_events: "The events",
        still_failed: "Failed deliveries",
        which_words: [
            ("failed", "that failed"),
            ("canceled", "that were canceled"),
            ("completed", "that were delivered, once more"),
            ("missing", "that are missing: today's rules match, but nothing was sent"),
        ],
        heads: [
            (None, "Event"),
            (Some("wide"), "Connection"),
            (None, "Why"),
            (Some("wide"), "Attempts"),
            (Some("wide"), "Accepted"),
            (None, ""),
        ],
        deliveries: replay::deliveries,
        confirm: replay::confirm,
        pace: replay::pace,
        range: replay::range,
        progress: replay::progress,
        status_told: replay::status_told,
        status: replay::status,
        by_person: "a person on this page",
        by_api: "the API",
    },
    search: Search {
        event_example: "order.paid or order.*",
        more: "More filters and export",
        since: "Accepted since (UTC)",
        until: "Accepted until (UTC)",
        export_hint: "A file has a line for each delivery of the newest 10,000 events that match. \
             If there are more, its last line begins with next_cursor: choose an earlier end of \
             the time range to get the older ones.",
        lagging: "Some of the newest events may not be shown yet. \
            They were accepted, and appear here soon.",
        newest: "Newest",
        formats: [("csv", "Export as CSV"), ("jsonl", "Export as JSON lines")],
        heads: [
            (None, "Event"),
            (Some("wide"), "Connections"),
            (None, "Status"),
            (None, "Accepted"),
        ],
        and_more: search::and_more,
    },
    why: Why {
        state: why::state,
        status: why::status,
        outcome: why::outcome,
        reason: why::reason,
        inactive: why::inactive,
        held_back: why::held_back,
        warned: why::warned,
        mismatch: why::mismatch,
        newest_attempts: why::newest_attempts,
        diagnosis: why::diagnosis,
        diagnosis_elsewhere: why::diagnosis_elsewhere,
        repair: why::repair,
    },
};

/// What was just done, by the word in the address of the page.
fn done(word: &str) -> Option<&'static str> {
    Some(match word {
        "saved" => "Saved.",
        "saved-unknown" => TEXTS.filter.saved_unknown,
        "deleted" => "Deleted.",
        "paused" => "Paused. New events are held until you resume.",
        "resumed" => "Resumed. Held deliveries are sent now, oldest first.",
        "resumed-canceled" => "Resumed. The held deliveries were canceled.",
        "rotated" => "Secret rotated. New requests are signed with it.",
        "rotated-already" => "The secret had already been rotated. Nothing was changed.",
        "overlap-ended" => "The old secrets are not used any more.",
        "retried" => "It is being sent again.",
        "replay-stopped" => "Replay stopped.",
        "canceled" => "Canceled.",
        "test-sent" => "Test event sent.",
        _ => return None,
    })
}

/// Why a session may not do something.
fn denied(denied: Denied) -> &'static str {
    match denied {
        Denied::OutOfReach => "This session may not show this.",
        Denied::NeedsAdmin => "Needs the role admin or owner.",
        Denied::NeedsScope => "Needs the scope events.payload:read.",
    }
}

/// The title of an error's page.
fn failed_title(kind: Kind) -> &'static str {
    match kind {
        Kind::NotFound => "Page not found",
        Kind::Forbidden => "Not allowed",
        Kind::TooEarly => "Not yet",
        Kind::RateLimited => "Too many requests",
        Kind::Unavailable | Kind::Internal => "Something went wrong",
        _ => "This did not work",
    }
}

/// What an error's page says.
fn failed_message(kind: Kind, message: &str) -> String {
    match kind {
        Kind::NotFound => "It does not exist here, or not any more.".to_owned(),
        _ => said(message),
    }
}

/// What is said in English.
fn said(text: &str) -> String {
    translated(SENTENCES, text).unwrap_or_else(|| text.to_owned())
}

/// What the API says in words of its own, each in those of the pages.
const SENTENCES: &[Sentence] = &[
    ("This is not valid JSON: ~ at line * column *", "is not valid JSON (line *, column *)"),
    ("is not valid JSON: ~ at line * column *", "is not valid JSON (line *, column *)"),
    (
        "is sent to this connection by another rule with the same resource, resource_id, metadata \
         and filter; it would be delivered twice",
        "is already sent to this connection by another rule with the same resource, action and \
         filter; it would be delivered twice",
    ),
    (
        "is taken by another connection of this workspace, case and white space ignored",
        "is the name of another connection; capital letters and spaces make no difference",
    ),
    (
        "needs a new signing_secret, because the stored one does not fit: *",
        "needs a new secret, because the stored one does not fit: *",
    ),
    (
        "* signing secrets of this connection are valid, the most there can be; rotate with \
         overlap_seconds 0, or wait until an overlap has ended",
        "* secrets of this connection are in use, the most there can be; do not keep the old one, \
         or wait until an old one is not used any more",
    ),
    ("The connection is inactive; activate it first", "The connection is paused; resume it first"),
    (
        "The connection of this delivery is inactive; activate it first",
        "The connection of this delivery is paused; resume it first",
    ),
    (
        "The delivery is held because its connection is inactive; activate that first",
        "The delivery is held because its connection is paused; resume that first",
    ),
    (
        "The delivery was attempted * times, the most there can be; emit the event again",
        "The delivery was attempted * times, the most there can be; the product has to send the \
         event again",
    ),
];

/// A role.
fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "Member",
        Role::Admin => "Admin",
        Role::Owner => "Owner",
    }
}

/// A number with its thousands apart: `12,904`.
fn number(number: u64) -> String {
    super::grouped(number, ',')
}

/// How a connection signs.
fn signature_summary(signing: &Signing) -> String {
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
fn secret_name(number: u32, is_newest: bool) -> String {
    if is_newest { format!("Secret {number}, current") } else { format!("Secret {number}") }
}

/// Who set a secret.
fn secret_set_by(set_by: SetBy) -> &'static str {
    match set_by {
        SetBy::Given => "entered",
        SetBy::Generated | SetBy::Shown => "generated",
    }
}

/// How many rules.
fn rules_count(count: usize) -> String {
    plural(count, "rule", "rules")
}

/// The name of a button that copies the text with this id, such as `sent-2` of attempt 2.
fn copy_label(id: &str) -> String {
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
fn cancel_held_title(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("Resume and cancel {count}{more} held {}?", deliveries_word(count))
}

/// What becomes of the held deliveries.
fn cancel_held_means(count: usize) -> String {
    format!(
        "The held {} not sent. New events are sent as usual. You can send canceled deliveries \
         again later, one by one.",
        if count == 1 { "delivery is" } else { "deliveries are" }
    )
}

/// What is lost when a connection is deleted.
fn delete_means(rules: usize, waiting: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!(
        "This also deletes {}, and cancels {waiting}{more} waiting {}. The history of what was \
             sent stays. You cannot undo this. To stop for a while, pause the connection \
             instead.",
        rules_count(rules),
        deliveries_word(waiting)
    )
}

fn deliveries_word(count: usize) -> &'static str {
    if count == 1 { "delivery" } else { "deliveries" }
}

/// How many attempts.
fn attempts_count(count: u32) -> String {
    plural(count as usize, "attempt", "attempts")
}

/// How many of an event's deliveries were delivered.
fn delivered_count(delivered: usize, all: usize) -> String {
    format!("{delivered} of {all} delivered")
}

/// How many deliveries of a connection are failed.
fn failed_count(count: usize, or_more: bool) -> String {
    let more = if or_more { " or more" } else { "" };
    format!("{count}{more} failed {}.", deliveries_word(count))
}

/// What a test event goes to.
fn test_target(name: &str) -> String {
    format!("It is sent to {name} only, and is marked with the header posthorn-test: true.")
}

/// An attempt.
fn attempt_title(number: u32) -> String {
    format!("Attempt {number}")
}

/// What may be told of a payload to who may not read it.
fn payload_facts(bytes: usize) -> String {
    format!("{bytes} bytes, SHA-256")
}

fn plural(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

mod changes {
    use crate::domain::tenants::change::{Action, Author, AuthorKind, RecordKind};

    /// Who made a change.
    pub fn who(author: &Author) -> String {
        let person = author.external_user_id.as_deref();
        match author.kind {
            AuthorKind::MachineKey => "The product".to_owned(),
            AuthorKind::Session => person.unwrap_or("A person on this page").to_owned(),
            AuthorKind::Staff => match person.and_then(|person| person.split_once(':')) {
                Some((_, name)) => format!("Support ({name})"),
                None => "Support".to_owned(),
            },
            AuthorKind::System => "Automatic".to_owned(),
        }
    }

    /// What kind of record it is.
    pub fn record(kind: RecordKind) -> &'static str {
        match kind {
            RecordKind::Workspace => "Workspace",
            RecordKind::Connection => "Connection",
            RecordKind::Rule => "Rule",
            RecordKind::EventType => "Event type",
            RecordKind::Session => "Support session",
            RecordKind::PublishableKey => "Publishable key",
            RecordKind::MachineKey => "Machine key",
        }
    }

    /// What was done with it.
    pub fn action(action: Action) -> &'static str {
        match action {
            Action::Created => "created",
            Action::Updated => "changed",
            Action::Deleted => "deleted",
            Action::Activated => "resumed",
            Action::Deactivated => "paused",
            Action::SecretRotated => "signing secret rotated",
            Action::OverlapEnded => "overlap of the old signing secret ended",
            Action::Opened => "opened",
            Action::Rotated => "rotated",
            Action::Revoked => "revoked",
        }
    }
}

mod charts {
    use super::number;

    /// A chart of the week in words.
    pub fn week(delivered: u64, failed: u64) -> String {
        format!("Last 7 days: {} delivered, {} failed", number(delivered), number(failed))
    }

    /// What the newest deliveries are called.
    pub fn newest_title(most: usize) -> String {
        format!("Newest {most} deliveries")
    }

    /// At how many deliveries of each connection was looked.
    pub fn newest_of_each(most: usize) -> String {
        format!("Of a connection with more deliveries, the newest {most} are counted.")
    }

    /// The bar of the last 24 hours. `since` is there where only the newest were looked at.
    pub fn day(counts: (u64, u64, u64), newest: Option<(usize, String)>) -> String {
        let (delivered, failed, open) = counts;
        if delivered + failed + open == 0 {
            return "Nothing was sent in the last 24 hours".to_owned();
        }
        let about = match newest {
            Some((most, since)) => format!("The newest {most} deliveries, since {since} UTC"),
            None => "Last 24 hours".to_owned(),
        };
        let (delivered, failed) = (number(delivered), number(failed));
        let counted = format!("{about}: {delivered} delivered, {failed} failed");
        if open == 0 { counted } else { format!("{counted}, {} not finished", number(open)) }
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

    /// The date of a day, without its year.
    pub fn date(rfc3339: &str) -> String {
        rfc3339.get(5..10).unwrap_or_default().to_owned()
    }
}

mod connection {
    /// How many deliveries wait for their next attempt.
    pub fn waiting(count: usize, or_more: bool) -> String {
        let more = if or_more { " or more" } else { "" };
        let lost = if count == 1 { "It is not" } else { "None of them is" };
        format!("{count}{more} {} waiting. {lost} lost.", are(count))
    }

    /// How many deliveries are held.
    pub fn held(count: usize, or_more: bool) -> String {
        let more = if or_more { " or more" } else { "" };
        let sent = if count == 1 { "It is" } else { "They are" };
        format!("{count}{more} {} held. {sent} sent when you resume.", are(count))
    }

    fn are(count: usize) -> &'static str {
        if count == 1 { "delivery is" } else { "deliveries are" }
    }
}

mod filter {
    /// One of the conditions.
    pub fn condition(number: usize) -> String {
        format!("Condition {number}")
    }

    /// What a payload did not meet.
    pub fn unmet(what: &str) -> String {
        format!("not met: {what}")
    }

    /// How many of those that were tried would be sent.
    pub fn passed(passed: usize, tried: usize) -> String {
        format!("{passed} of {tried} would be sent:")
    }

    /// The name of the link to the form of a rule.
    pub fn edit_rule(event: &str) -> String {
        format!("Edit rule for {event}")
    }
}

mod foreign {
    /// What is wrong.
    pub fn body(origin: &str) -> String {
        format!("This session does not allow {origin} to show it in a frame.")
    }
}

mod form {
    use crate::domain::base::error::FieldError;
    use crate::domain::base::reason::Reason;
    use crate::embed::text::said::translated;

    /// What is wrong with a field, where the API says it in words that are not those of a form.
    pub fn error(error: &FieldError) -> Option<String> {
        Some(match &error.why {
            Some(Reason::RequiredWith(_) | Reason::RequiredInput(..)) => {
                Reason::Required.to_string()
            }
            Some(why @ Reason::NoJson(_)) => super::said(&why.to_string()),
            Some(Reason::EndsBefore) => "must be later than the start".to_owned(),
            Some(Reason::RangeMost(days)) => {
                format!("must be at most {days} days after the start")
            }
            Some(_) => return None,
            None => return translated(super::SENTENCES, &error.msg),
        })
    }

    /// A step of a retry schedule that cannot be read.
    pub fn no_step(step: &str) -> String {
        format!("{step:?} is not a time: write it like 30s, 5m or 2h")
    }

    /// A text of the destinations' fields and actions.
    pub fn registry(text: &str) -> &str {
        text
    }

    /// Label and hint of a field.
    pub fn field(name: &str) -> (&'static str, &'static str) {
        match name {
            "name" => ("Name", ""),
            "signing_secret" => {
                ("Your secret", "whsec_ and base64, or any text of 8 to 256 bytes.")
            }
            "timeout_seconds" => {
                ("Timeout", "Seconds until the whole response has arrived, 1 to 25.")
            }
            "retry_schedule" => (
                "Retries",
                "The time after each failed attempt, such as 5s, 30s, 5m, 2h. 1 to 20 steps.",
            ),
            "ordering" => ("Order", ""),
            "max_in_flight" => (
                "Requests at once",
                "The maximum, up to 64. Leave empty for as many as your server can answer.",
            ),
            "max_per_second" => ("Requests per second", "The maximum. Leave empty for no limit."),
            "overlap" => ("Keep using the old secret for", ""),
            "event" => ("Event", ""),
            "payload" => ("Payload", "A JSON object. It is sent exactly as written here."),
            "connection" => ("Connection", ""),
            "status" => ("Deliveries", ""),
            "since" => ("Accepted since", "UTC."),
            "until" => ("Accepted until", "UTC. At most 14 days later."),
            "resource" => ("Resource", "Such as order. Leave empty for all."),
            "resource_id" => ("Resource id", "Leave empty for all."),
            "filter" => {
                ("Filter", "Such as {\"path\": \"order.total\", \"gt\": 100}. Leave empty for all.")
            }
            _ => ("", ""),
        }
    }
}

mod history {
    /// Which attempt of how many it is.
    pub fn of_attempts(number: u32, of: u32) -> String {
        format!("attempt {number} of {of}")
    }

    /// Above what is different from an earlier attempt.
    pub fn compared_with(number: u32) -> String {
        format!("Compared with attempt {number}")
    }
}

mod moments {
    use crate::domain::base::time::{MINUTE_MS, SECOND_MS, rfc3339};

    /// An exact moment.
    pub fn exact(rfc3339: &str) -> String {
        rfc3339.replace('T', " ").replace('Z', " UTC")
    }

    /// A moment without its milliseconds, such as `2026-11-28 12:26:03 UTC`.
    pub fn to_the_second(rfc3339: &str) -> String {
        format!("{} UTC", rfc3339.get(..19).unwrap_or(rfc3339).replace('T', " "))
    }

    /// The beginning of a range of time, or its end, as exactly as it was given.
    pub fn bound(at_ms: i64) -> String {
        let exact = exact(&rfc3339(at_ms));
        if at_ms % MINUTE_MS == 0 { exact.replace(":00.000", "") } else { exact }
    }

    /// A duration.
    pub fn duration(ms: i64) -> String {
        if ms < SECOND_MS {
            format!("{ms} ms")
        } else {
            format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
        }
    }

    /// Seconds.
    pub fn seconds(seconds: u32) -> String {
        format!("{seconds} s")
    }
}

mod replay {
    use crate::domain::base::limits::{REPLAY_STEP, REPLAY_STEP_S};
    use crate::domain::delivery::replay::Status;

    /// How many deliveries a replay is about.
    pub fn deliveries(count: usize) -> String {
        super::plural(count, "delivery", "deliveries")
    }

    /// The button that confirms a replay.
    pub fn confirm(count: usize) -> String {
        format!("Send {} again", deliveries(count))
    }

    /// How long a replay takes.
    pub fn pace(count: usize) -> String {
        let seconds = (count.saturating_sub(1) / REPLAY_STEP) as u32 * REPLAY_STEP_S;
        match seconds {
            0 => "They are sent now, oldest first.".to_owned(),
            _ => format!(
                "They are sent oldest first, {REPLAY_STEP} every {REPLAY_STEP_S} seconds: it takes \
             about {}.",
                if seconds < 60 {
                    format!("{seconds} s")
                } else {
                    format!("{} min", seconds / 60 + 1)
                }
            ),
        }
    }

    /// A range of time.
    pub fn range(since: &str, until: &str) -> String {
        format!("from {since} to {until}")
    }

    /// How far a replay is.
    pub fn progress(replayed: usize, count: usize) -> String {
        format!("{replayed} of {count} sent again")
    }

    /// What is said of a replay as it is.
    pub fn status_told(status: Status, left_out: usize) -> String {
        match status {
            Status::Running => "Running.".to_owned(),
            Status::Canceled => "Stopped. Deliveries not yet reached were not changed.".to_owned(),
            Status::Completed if left_out == 0 => "All of them were sent again.".to_owned(),
            Status::Completed => format!(
                "Completed. {} skipped, because somebody had already sent or canceled them.",
                if left_out == 1 { "One was".to_owned() } else { format!("{left_out} were") }
            ),
        }
    }

    /// A replay's status in a word.
    pub fn status(status: Status) -> &'static str {
        match status {
            Status::Running => "Running",
            Status::Completed => "Completed",
            Status::Canceled => "Stopped",
        }
    }
}

mod search {
    /// How many connections more there are than those that are named.
    pub fn and_more(count: usize) -> String {
        format!("and {count} more")
    }
}

mod why {
    use crate::domain::connection::model::InactiveReason;
    use crate::domain::delivery::attempt::Outcome;
    use crate::domain::delivery::cause::Cause;
    use crate::domain::delivery::state::EndReason;
    use crate::domain::lane::queue::Reason;
    use crate::domain::routing::rule::Mismatch;
    use crate::embed::text::why::Repair;

    /// One sentence that says what an attempt failed at, and what to do about it.
    pub fn diagnosis(cause: Cause) -> &'static str {
        match cause {
            Cause::Refused => {
                "Your server refused the request (401 or 403). Check that it uses the current \
                 secret, that it verifies the raw body, and that its clock is right."
            }
            Cause::NotFound => {
                "Your server does not know this address (404). Check the path of the URL."
            }
            Cause::Method => {
                "Your server does not accept this method (405). Choose another method in the \
                     settings, or let your server accept this one."
            }
            Cause::Gone => {
                "Your server answered 410 Gone: stop sending. Change the URL, or resume the \
                     connection when your server accepts requests again."
            }
            Cause::TooLarge => {
                "The request was too large for your server (413). Raise its limit for request \
                 bodies."
            }
            Cause::MediaType => {
                "Your server does not accept this content type (415). It must accept \
                 application/json."
            }
            Cause::Rejected => "Your server did not accept the request. Its response may say why.",
            Cause::RateLimited => {
                "Your server asked for fewer requests (429). Set the requests per second of this \
             connection."
            }
            Cause::Redirect => {
                "Your server answered with a redirect, and redirects are not followed. Enter the \
             final URL."
            }
            Cause::ServerError => {
                "Your server had an error. Look in its log at the time of this attempt."
            }
            _ => unanswered(cause),
        }
    }

    /// The same where no whole answer came.
    fn unanswered(cause: Cause) -> &'static str {
        match cause {
            Cause::LateAnswer => {
                "Your server did not answer in time. Answer first and do the work afterwards, or \
                 allow a longer timeout."
            }
            Cause::LateBody => {
                "Your server sent a status, but the body of its answer was not complete in time. \
                 Send a short body, or none."
            }
            Cause::HostName => {
                "The host name of the URL does not resolve. Check its spelling and its DNS record."
            }
            Cause::Certificate => {
                "The TLS certificate of your server is not valid for this host name. Renew it, and \
             send the whole chain."
            }
            Cause::Tls => {
                "No TLS connection could be made. Check that your server uses https at the \
                     port of the URL."
            }
            Cause::NothingListens => {
                "Your server refused the connection: no program answers at this port. Start \
                     it, or change the port of the URL."
            }
            Cause::UrlRefused => "This URL is not allowed. Enter a public https URL.",
            _ => {
                "Your server could not be reached. Check the host name and port of the URL, and \
                 that a firewall lets our requests in."
            }
        }
    }

    /// The same for a destination that is not the customer's own server, or checks no signature.
    /// What it said stands beside this.
    pub fn diagnosis_elsewhere(outcome: Outcome) -> Option<&'static str> {
        Some(match outcome {
            Outcome::Delivered => return None,
            Outcome::AuthFailed => {
                "The destination refused the credentials. Enter new ones, or give them the \
                     permission that is missing."
            }
            Outcome::RateLimited => {
                "The destination asked for fewer requests. We wait as long as it asks for, and \
                     try again. You can set the requests per second of this connection."
            }
            Outcome::RejectedClientError => {
                "The destination refused this request, and its message says why. Check the \
                     rule, the connection and the event's payload."
            }
            Outcome::RejectedServerError => "The destination had an error. We will try again.",
            Outcome::Timeout | Outcome::NetworkError => {
                "The destination could not be reached in time. We will try again."
            }
            Outcome::Gone | Outcome::RedirectRefused | Outcome::UrlRefused => {
                "There is no destination at this address any more."
            }
        })
    }

    /// The words that lead to where it is repaired.
    pub fn repair(repair: Repair) -> &'static str {
        match repair {
            Repair::Settings => "Edit the connection",
            Repair::Verification => "Show the verification code",
            Repair::Server => "Send a test event when it is fixed",
        }
    }

    /// The state of a delivery, or whether a connection or rule is active.
    pub fn state(word: &str) -> &str {
        match word {
            "pending" => "Pending",
            "retrying" => "Retrying",
            "delivered" => "Delivered",
            "failed" => "Failed",
            "held" => "Held",
            "canceled" => "Canceled",
            "active" => "Active",
            "inactive" => "Paused",
            "failing" => "Failing",
            "no_rules" => "No rules",
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
            "failed" => "Failed",
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

    /// Why a delivery is failed or canceled.
    pub fn reason(reason: EndReason) -> &'static str {
        match reason {
            EndReason::Gone => "Your server answered 410 Gone, so there are no more attempts.",
            EndReason::Aborted => {
                "Your server answered with webhook-delivery: abort-message, so there are no \
                      more attempts."
            }
            EndReason::Rejected => {
                "The destination refused it, and would refuse it again, so there are no more \
                 attempts."
            }
            EndReason::AttemptsUsedUp => "All attempts of the retry schedule failed.",
            EndReason::Internal => {
                "We could not send it for 7 days because of an error on our side."
            }
            EndReason::HeldExpired => {
                "It was held for too long, because its connection was paused."
            }
            EndReason::ConnectionDeleted => "Its connection was deleted.",
            EndReason::Canceled => "It was canceled.",
            EndReason::Erased => "Its payload was erased.",
        }
    }

    /// Why a connection is inactive.
    pub fn inactive(reason: InactiveReason) -> &'static str {
        match reason {
            InactiveReason::EndpointGone => {
                "Your server answered 410 Gone, so nothing is sent to it any more. \
                            Resume when it accepts requests again."
            }
            InactiveReason::DisabledByReceiver => {
                "Your server answered with webhook-delivery: disable. Resume when it accepts \
             requests again."
            }
            InactiveReason::DeliveryFailing => {
                "Nothing could be delivered for 5 days. Check the URL and your server, resume, and \
             send a test event."
            }
            InactiveReason::AuthenticationInvalid => {
                "The destination refused its credentials. Enter new ones, then resume."
            }
            InactiveReason::SecretsMissing => {
                "It was moved here without its secrets. Enter the signing secret and the \
                 credentials again, then resume."
            }
            InactiveReason::Paused => "Paused.",
        }
    }

    /// Why a lane holds deliveries back.
    pub fn held_back(reason: Option<Reason>) -> &'static str {
        match reason {
            Some(Reason::BreakerOpen) => {
                "Several attempts failed in a row. Until one succeeds, only one delivery at a time \
                 is tried."
            }
            Some(Reason::SlowedDown) => {
                "Your server asked for fewer requests, so they are sent more slowly."
            }
            Some(Reason::Slow) => {
                "Your server answers slowly, so fewer requests are sent at the same time."
            }
            None => "Deliveries are sent one after the other.",
        }
    }

    /// How much of the time has passed until a connection is switched off.
    pub fn warned(percent: u32) -> String {
        format!(
            "Nothing has been delivered for some time, and {percent} % of the 5 days until \
                 this connection is switched off have passed. Then its events are held, not \
                 lost. Check the URL and your server."
        )
    }

    /// Why a rule did not match an event.
    pub fn mismatch(why: Mismatch) -> &'static str {
        match why {
            Mismatch::Inactive => "the rule is paused",
            Mismatch::Resource => "the rule is for another resource",
            Mismatch::ResourceId => "the rule is for another resource id",
            Mismatch::Filter => "the payload did not match the filter of the rule",
            Mismatch::FilterTooCostly => "the filter of the rule was too costly for this payload",
        }
    }

    /// That a page shows the newest attempts only.
    pub fn newest_attempts(shown: usize, all: u32) -> String {
        format!("The newest {shown} of {all} attempts.")
    }
}
