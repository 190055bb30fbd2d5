//! Deliveries and their attempts.

use serde_json::json;

use crate::domain::delivery::attempt::Outcome;
use crate::domain::delivery::state::STATUSES;
use crate::reference::leaves::{
    count, flag, given_id, given_time, id, leaf, matching, name, one_of, only, text, time, truth,
    whole, words,
};
use crate::reference::operation::{Operation, get, post};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need, open};

const OUTCOMES: [Outcome; 10] = [
    Outcome::Delivered,
    Outcome::RejectedClientError,
    Outcome::RejectedServerError,
    Outcome::RateLimited,
    Outcome::AuthFailed,
    Outcome::Gone,
    Outcome::RedirectRefused,
    Outcome::UrlRefused,
    Outcome::Timeout,
    Outcome::NetworkError,
];

/// The statuses of events and deliveries.
pub fn statuses() -> Shape {
    status("completed")
}

/// One of the statuses, with this example.
pub fn status(example: &str) -> Shape {
    leaf(json!({"type": "string", "enum": STATUSES}), example)
}

fn headers() -> Shape {
    list_of(closed([need("name", words("content-type")), need("value", text("application/json"))]))
}

/// Methods that requests have.
pub const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// The shapes of deliveries.
pub fn shapes() -> Names {
    let rule_event = closed([
        need("id", id("delivery")),
        need("type", only("rule")),
        need("workspace", id("workspace")),
        need("event", words("order.completed")),
        need("event_id", id("event")),
        need("message_id", message_id()).says("`webhook-id` of every attempt."),
        may("resource", words("order")).shown(),
        may("resource_id", words("ord_1001")).shown(),
        need("connection", id("connection")),
        need("rule", id("rule")),
        need("integration_type", crate::reference::destinations::kinds()),
        need("status", status("completed")),
        need("attempt_count", count(1)),
        may("held", truth()).says("There while its connection is inactive."),
        may("next_attempt_at", time()),
        may("started_at", time()).shown(),
        may("completed_at", time()).shown(),
        may("last_error", words("Answered 503")),
        need("created_by", words("mesh_pub_ws.1_6c1f4a20")),
        need("created_at", time()),
    ]);
    let request = closed([
        need("method", one_of(&METHODS)),
        need("url", words("https://hooks.acme.example/orders")),
        need("headers", headers()).says("Credentials are masked."),
        may("body", words("{\"text\":\"Ann has signed up\"}"))
            .says("The first 2 KiB of a body that was made by a template or mapping."),
    ]);
    let step = closed([
        need("method", one_of(&METHODS)),
        need("url", words("https://hooks.acme.example/orders")),
        may("status_code", whole(100, 999, 200)).shown(),
        need("duration_ms", count(87)),
    ]);
    let attempt = closed([
        need("id", id("attempt")),
        need("number", count(1)).says("From 1."),
        need("outcome", one_of(&OUTCOMES.map(Outcome::as_str))),
        need("started_at", time()),
        need("duration_ms", count(87)),
        may("status_code", count(200)).shown().says("What the receiver answered."),
        may("error", words("Answered 503")).says("Why it failed."),
        may("asked_by", words("session:ann")).says("Who asked for it, if a person did."),
        may("steps", list_of(step)).says("All requests in order, where it took more than one."),
        may("notes", list_of(words("The payload has nothing at user.name")))
            .says("What there is to know of how the request was made."),
        may("request", request)
            .shown()
            .says("Missing where there was nothing that could be sent: `error` says why."),
    ]);
    let details = closed([
        need("id", id("attempt")),
        need("number", count(1)),
        may("status_code", count(200)).shown(),
        need("headers", headers()),
        need("body", text("thank you")).says("The first 16 KiB, as text."),
        need("truncated", flag(false)).says("Whether the body was longer."),
        need("duration_ms", count(87)),
        may("error", words("Answered 503")),
    ]);
    vec![("RuleEvent", rule_event), ("Attempt", attempt), ("ResponseDetails", details)]
}

/// The id of a message, the same over all attempts.
pub fn message_id() -> Shape {
    matching("^msg_[0-9a-f]{40}$", "msg_019a1b2c3d4e7f508a6b7c8d0000000100000001")
}

/// What the reference says of the rows of deliveries.
pub fn operations() -> Vec<Operation> {
    let rule_event = || Shape::Named("RuleEvent");
    let attempt = || Shape::Named("Attempt");
    vec![
        post("/api/v1/events/:id/rules/:rule_id/retry", "retry_event_rule", "Retry a delivery")
            .says(
                "An open delivery is attempted at once, also while the breaker is open; one that \
                 was delivered, failed or canceled goes out once more, with its whole schedule, \
                 on a strict connection after all that waits. 425 while an attempt is on its way, \
                 409 when its connection is inactive or gone, or when it is strict and an earlier \
                 event is not settled.",
            )
            .answers(200, "The delivery as it is now.", rule_event())
            .problems(&[409, 422, 425]),
        post("/api/v1/events/:id/rules/:rule_id/cancel", "cancel_event_rule", "Cancel a delivery")
            .says("It is not sent any more. 409 when it is settled.")
            .answers(200, "The delivery as it is now.", rule_event())
            .problems(&[409]),
        post("/api/v1/events/:id/cancel", "cancel_event", "Cancel what an event owes")
            .says("Nothing of it is sent any more. 409 when all of it is settled.")
            .answers(200, "The event as it is now.", Shape::Named("EventWithDeliveries"))
            .problems(&[409]),
        post(
            "/api/v1/workspaces/:id/cancellations",
            "create_cancellation",
            "Cancel what a range of events owes",
        )
        .says(
            "Undoes a bad emit as far as it can be undone: cancels all pending, retrying and held \
             deliveries of the events that were accepted in the range. At most 14 days and 10,000 \
             deliveries at once. The same call again cancels what came since.",
        )
        .takes(open([
            need("since", given_time(0)),
            need("until", given_time(3_600_000)),
            may("connection", given_id("connection")).says("Only what it is owed."),
            may("event", name("order.completed")).says("Only events with exactly this name."),
            may("dry_run", flag(true)).shown().says("Only counts."),
        ]))
        .answers(200, "How many deliveries.", closed([need("count", count(12))]))
        .problems(&[404, 422]),
        get("/api/v1/messages/:message_id", "get_message", "Find a message")
            .says(
                "The delivery and the event of a `webhook-id`, with which customers ask: every \
                 attempt of a delivery carries the same.",
            )
            .answers(
                200,
                "The event, and of its deliveries the one.",
                closed([
                    need("event", Shape::Named("EventWithDeliveries")),
                    need("rule_event", rule_event()),
                ]),
            ),
        get("/api/v1/events/:id/rules/:rule_id/attempts", "list_attempts", "List attempts")
            .lists("Oldest first.", attempt()),
        get("/api/v1/events/:id/rules/:rule_id/attempts/:n", "get_attempt", "Get an attempt")
            .says("By its number or its id.")
            .answers(200, "The attempt.", attempt()),
        get(
            "/api/v1/events/:id/rules/:rule_id/attempts/:n/response-details",
            "get_response_details",
            "Get what the receiver answered",
        )
        .answers(200, "The answer.", Shape::Named("ResponseDetails")),
    ]
}
