//! Emitting events, and reading them.

use serde_json::json;

use crate::app::loops::HOPS_HEADER;
use crate::domain::base::limits::{BULK_EVENTS_MAX, IDEMPOTENCY_KEY_CHARS_MAX};
use crate::domain::routing::idempotency::HEADER;
use crate::reference::deliveries::{status, statuses};
use crate::reference::leaves::{
    any_object, count, given_id, id, name, only, resource_id, text, truth, words,
};
use crate::reference::leaves::{given_time, leaf, one_of, time};
use crate::reference::operation::{Operation, delete, get, post};
use crate::reference::shape::{Field, Names, Shape, closed, list_of, may, need, open, some_of};

/// Why a rule for an event's name did not match the event.
const REASONS: [&str; 5] = ["inactive", "resource", "resource_id", "filter", "filter_too_costly"];

fn fields() -> Vec<Field> {
    vec![
        need("id", id("event")),
        need("type", only("event")),
        need("event", words("order.completed")).says("Its name."),
        need("workspace", id("workspace")),
        may("resource", words("order")).shown().says("What kind of thing it is about."),
        may("resource_id", words("ord_1001")).shown().says("Which one."),
        may("test", truth()).says("There for test events."),
        need("created_by", words("mesh_pub_ws.1_6c1f4a20")).says("The key that emitted it."),
        need("created_at", time()),
    ]
}

fn history() -> Vec<Field> {
    let unmatched = closed([
        need("rule", id("rule")),
        need("reason", one_of(&REASONS)),
        may("detail", words("and[1]: order.total gt 100")).says("What in its filter did not hold."),
    ]);
    vec![
        need("status", status("completed")).says("Over all its deliveries."),
        need("rule_events", list_of(Shape::Named("RuleEvent"))).says("Its deliveries."),
        need("total_rules", count(1)).says("How many there are."),
        need("completed_count", count(1)),
        need("failed_count", count(0)),
        may("started_at", time()).shown().says("When the first attempt was made."),
        may("completed_at", time()).shown().says("When the last delivery was settled."),
        may("unmatched_rules", list_of(unmatched))
            .says("Rules for its name that did not match it, and why."),
        may("kept_until", time())
            .says("When it is deleted at the earliest; missing while something of it is owed."),
        may("erased_at", time()).says("When its payload was erased."),
    ]
}

fn payload() -> Shape {
    any_object(json!({"order_id": "1001", "total": 49.9}))
}

/// The shapes of events.
pub fn shapes() -> Names {
    let new = open([
        need("event", name("order.completed")),
        need("payload", payload()).says(
            "Kept as the text that you sent: at most 512 KiB and 64 levels, never written again.",
        ),
        may("resource", name("order")).shown().says("What kind of thing it is about."),
        may("resource_id", resource_id()).shown().says("Which one."),
        may("workspace", given_id("workspace"))
            .says("Needed with a machine token; with a publishable key that key's own."),
        may("type", only("event")),
    ]);
    let refusal = closed([
        need("message", words("event: is required")),
        need("error", Shape::Named("ProblemError")),
    ]);
    let with_history = || fields().into_iter().chain(history());
    let whole = may("payload", payload())
        .shown()
        .says("Exactly as it came. It is missing once it was erased.");
    vec![
        ("NewEvent", new),
        ("Event", closed(fields())),
        ("RefusedEvent", refusal),
        ("EventWithDeliveries", closed(with_history())),
        ("EventWithPayload", closed(with_history().chain([whole]))),
    ]
}

const IDEMPOTENCY: &str = "For 24 hours the same key with the same body gets the first answer \
     again, and nothing is stored twice; with another body it is 409.";

const HOPS: &str = "Pass on the header of the webhook that this event follows from, so that a \
     circle ends: above 5 it is 422 with the code `loop`. So is an emit with the \
     `posthorn-event-id` of an event of this installation.";

/// A key of the caller's own, see `domain::idempotency`.
pub fn idempotency_key() -> Shape {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
        "pattern": "^[ -~]+$"});
    leaf(schema, "order-1001-completed")
}

/// What the reference says of the rows that take events.
pub fn emitting() -> Vec<Operation> {
    let accepted = closed([need("event", Shape::Named("Event"))]);
    let all = closed([
        need("count", count(1)).says("How many were accepted."),
        need("records", list_of(Shape::Named("Event"))).says("In the order of the request."),
    ]);
    let record = Shape::OneOf(vec![Shape::Named("Event"), Shape::Named("RefusedEvent")]);
    let some = closed([
        need("count", count(1)).says("How many were accepted."),
        need("error_count", count(1)).says("How many were not."),
        need("records", list_of(record)).says("In the order of the request."),
    ]);
    vec![
        post("/api/v1/events", "emit_event", "Emit an event")
            .says(
                "201 means that the event and all deliveries it owes are stored. Unknown fields \
                 are ignored. Browsers may call this from any origin.",
            )
            .header(HEADER, idempotency_key(), IDEMPOTENCY)
            .header(HOPS_HEADER, text("1"), HOPS)
            .takes(Shape::Named("NewEvent"))
            .answers(201, "The event was accepted.", accepted)
            .problems(&[404, 409, 422]),
        post("/api/v1/events/bulk", "emit_events", "Emit up to 100 events")
            .says("A bare array. Each event is accepted or refused by itself.")
            .header(HEADER, idempotency_key(), IDEMPOTENCY)
            .takes(some_of(Shape::Named("NewEvent"), 1, BULK_EVENTS_MAX))
            .answers(201, "All were accepted.", all)
            .answers(207, "Some were not accepted.", some)
            .problems(&[409, 422]),
    ]
}

/// What the reference says of the rows that show events.
pub fn reading() -> Vec<Operation> {
    let shown = || Shape::Named("EventWithDeliveries");
    vec![
        get("/api/v1/events", "list_events", "List events")
            .says("Of all workspaces of the organization.")
            .lists("Newest first.", shown()),
        get("/api/v1/workspaces/:id/events", "list_workspace_events", "List a workspace's events")
            .says(
                "A page reads a bounded number of events, so with filters it can hold few records \
                 and still go on.",
            )
            .lists("Newest first.", shown())
            .query(
                "event",
                text("order.completed"),
                "Only events of this name, or of names that a pattern such as `order.*` covers.",
            )
            .query("resource", text("order"), "Only events about this kind of thing.")
            .query("resource_id", text("ord_1001"), "Only events about this thing.")
            .query("connection", given_id("connection"), "Only events that go to this connection.")
            .query("since", given_time(0), "Only events that were accepted from then on.")
            .query("until", given_time(3_600_000), "Only events that were accepted before then.")
            .query("status", statuses(), "Only events with this status."),
        get("/api/v1/events/:id", "get_event", "Get an event").answers(
            200,
            "The event with its deliveries and its payload.",
            Shape::Named("EventWithPayload"),
        ),
        get("/api/v1/events/:id/payload", "get_event_payload", "Get an event's payload")
            .answers(
                200,
                "The same, as clients of the contract ask for it.",
                Shape::Named("EventWithPayload"),
            )
            .problems(&[410]),
        delete("/api/v1/events/:id/payload", "erase_event_payload", "Erase an event's payload")
            .says(
                "What the event still owes is canceled. The payload, and what receivers answered, \
                 are gone for good; what happened stays. The same again answers the same.",
            )
            .answers(
                200,
                "It is erased.",
                closed([need("id", id("event")), need("erased_at", time())]),
            ),
    ]
}

/// What the reference says of erasing.
pub fn erasing() -> Vec<Operation> {
    let erasure = || {
        closed([
            need("id", id("event")),
            need("status", one_of(&["running", "done"])),
            need("events", count(12)).says("Events of which it has erased something so far."),
            need("created_at", time()),
            may("completed_at", time()),
        ])
    };
    let about = open([
        may("resource", words("order")).shown().says("With `resource_id`: what kind of thing."),
        may("resource_id", words("ord_1001")).shown().says("With `resource`: which one."),
        may("external_user_id", words("user-17"))
            .says("Alone: a person of the embed, whose id is cleared wherever it stands."),
    ]);
    vec![
        post("/api/v1/workspaces/:id/erasures", "create_erasure", "Erase what is about one thing")
            .says(
                "Erases the payloads of all events about a resource that were accepted so far, as \
                 erasing each of them does. Or clears a person's id. Where there is much to do it \
                 takes some minutes.",
            )
            .takes(about)
            .answers(201, "The erasure.", closed([need("erasure", erasure())])),
        get("/api/v1/workspaces/:id/erasures/:erasure", "get_erasure", "Get an erasure").answers(
            200,
            "How far it is.",
            closed([need("erasure", erasure())]),
        ),
    ]
}
