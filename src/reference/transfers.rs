//! The history of a workspace, to take it elsewhere.

use serde_json::json;

use crate::reference::destinations::kinds;
use crate::reference::leaves::{any_object, count, id, text, words};
use crate::reference::operation::{Operation, get, post};
use crate::reference::shape::{Field, Shape, closed, list_of, may, need, open};

const RULES: &str = "Its deliveries: rule number, rule, connection, type.";

/// An event as it is stored; `whole` makes an object of the fields.
fn event(whole: fn(Vec<Field>) -> Shape) -> Shape {
    let rule = whole(vec![
        need("n", count(1)),
        need("r", id("rule")),
        need("c", id("connection")),
        need("t", kinds()),
    ]);
    let unmatched = whole(vec![
        need("n", count(2)),
        need("r", id("rule")),
        need("w", words("filter")),
        may("d", text("total: 3 is not greater than 100")),
    ]);
    let delivery = whole(vec![
        need("connection", id("connection")),
        need("rule", count(1)),
        need("state", words("delivered")),
        need("attempts", count(1)),
        may("reason", words("attempts_used_up")),
        may("last_error", text("The server answered 500")),
        need("created_at_ms", count(1_800_000_000_000)),
        may("started_at_ms", count(1_800_000_000_000)),
        may("completed_at_ms", count(1_800_000_000_000)),
        may("first_attempt", text("{}"))
            .says("The record of the first attempt, where it is short."),
        need("records", list_of(whole(vec![need("number", count(2)), need("record", text("{}"))])))
            .says("The records of the others."),
    ]);
    whole(vec![
        need("id", id("event")),
        need("event", words("order.completed")),
        may("resource", words("order")),
        may("resource_id", words("1001")),
        need("created_by", words("publishable_key")),
        need("created_at_ms", count(1_800_000_000_000)),
        need("hops", count(0)),
        may("trace", words("4bf92f3577b34da6a3ce929d0e0e4736-01")),
        may("erased_at_ms", count(1_800_000_000_000)),
        need("payload", text("{\"order_id\":\"1001\"}")).says("Its exact text."),
        need("fan_out", list_of(rule)).says(RULES),
        may("unmatched", list_of(unmatched)).says("Rules that did not match."),
        need("deliveries", list_of(delivery)),
    ])
}

/// What the reference says of the rows of a history.
pub fn operations() -> Vec<Operation> {
    let ids = || any_object(json!({"id there": "id here"}));
    let imported = closed([
        need("events", count(20)),
        need("left_out", count(0)).says("Deliveries whose rule or connection is not here."),
    ]);
    vec![
        get("/api/v1/workspaces/:id/history", "export_history", "Read a whole history")
            .says(
                "The oldest first: events with their payloads' exact texts, deliveries and records \
                 of attempts, as they are stored. What was masked when it was recorded stays \
                 masked. `npm run admin -- export` makes a file of it.",
            )
            .lists("A page of events, at most 20.", event(closed)),
        post("/api/v1/workspaces/:id/history", "import_history", "Take a history in")
            .says(
                "For the operator. `connections` and `rules` say which id there is which id here; \
                 deliveries of others are left out. Events get an id of this workspace with their \
                 time. What is still owed there is canceled here. The same again changes nothing.",
            )
            .takes(open([
                may("connections", ids()),
                may("rules", ids()),
                need("events", list_of(event(open))),
            ]))
            .answers(200, "What was taken in.", imported),
    ]
}
