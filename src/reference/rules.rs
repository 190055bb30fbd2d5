//! Rules.

use serde_json::json;

use crate::reference::deliveries::METHODS;
use crate::reference::destinations::{actions, kinds};
use crate::reference::filter;
use crate::reference::leaves::{
    any_object, flag, given_id, id, leaf, name, one_of, pattern, resource_id, text, time, words,
};
use crate::reference::operation::{Operation, delete, get, patch, post};
use crate::reference::shape::{Names, Shape, closed, given, list_of, may, need, open};

/// The shapes of rules.
pub fn shapes() -> Names {
    let rule = closed([
        need("id", id("rule")),
        need("workspace", id("workspace")),
        need("connection", id("connection")),
        need("type", kinds()),
        need("event", words("order.completed")),
        may("resource", words("order")),
        may("resource_id", words("ord_1001")),
        may("filter", Shape::Named("Filter")),
        need("metadata", metadata()),
        need("active", flag(true)),
        need("hidden", flag(false)).says("Whether the embed leaves it out."),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
    ]);
    vec![("Rule", rule)]
}

/// What a rule asks of its destination: the action, and what that needs to know.
fn metadata() -> Shape {
    let schema = json!({
        "type": "object",
        "required": ["action"],
        "properties": {"action": {"type": "string", "enum": actions()}},
        "additionalProperties": {"type": "string"},
    });
    leaf(schema, json!({"action": actions()[0]}))
}

fn preview() -> Shape {
    let request = closed([
        need("method", one_of(&METHODS)),
        need("url", words("https://hooks.acme.example/orders")),
        need("body", text("{\"text\":\"Ann has signed up\"}")),
    ]);
    let texts = json!({"type": "object", "additionalProperties": {"type": "string"}});
    closed([
        need("texts", leaf(texts, json!({}))).says("The texts of its templates, by key."),
        may("request", request).says("The first request, with credentials masked."),
        need("notes", list_of(words("The payload has nothing at user.name")))
            .says("What there is to know of how the request was made."),
        may("refused", words("The message is empty: the template gives no text"))
            .says("Why nothing would be sent."),
    ])
}

/// A list of rules takes these, too.
fn filtered(list: Operation) -> Operation {
    list.query("event", pattern("order.completed"), "Only rules with exactly this.")
        .query("resource", name("order"), "Only rules limited to this resource.")
        .query("resource_id", resource_id(), "Only rules limited to this resource id.")
}

/// What the reference says of the rows of rules.
pub fn operations() -> Vec<Operation> {
    let rule = || Shape::Named("Rule");
    let gone = closed([
        need("id", id("rule")),
        need("connection", id("connection")),
        need("type", kinds()),
        need("event", words("order.completed")),
        may("resource", words("order")),
        may("resource_id", words("ord_1001")),
    ]);
    let resource = || may("resource", name("order")).says("Only events about this kind of thing.");
    let resource_id = || may("resource_id", resource_id()).says("Only events about this thing.");
    let list = get("/api/v1/rules", "list_rules", "List rules");
    let list = list.lists_widely("Of all workspaces of the organization.", rule());
    let of_workspace =
        get("/api/v1/workspaces/:id/rules", "list_workspace_rules", "List a workspace's rules");
    vec![
        filtered(list),
        filtered(of_workspace.lists_widely("Oldest first.", rule())),
        post("/api/v1/rules", "create_rule", "Create a rule")
            .says(
                "Sends the events of its workspace that match to its connection. An event is \
                 fanned out to at most 100 rules; one more is 422. A rule that is the same as \
                 another in connection, event, resource, resource id, metadata and filter would \
                 deliver everything twice: 409 with the code `duplicate`.",
            )
            .takes(open([
                need("workspace", given_id("workspace")),
                need("connection", given_id("connection")),
                need("event", pattern("order.completed"))
                    .says("A name, `order.*` for all that begin with `order.`, or `*` for all."),
                need("metadata", metadata()),
                resource(),
                resource_id(),
                filter::field(),
                may("active", flag(true)).or(true),
                may("hidden", flag(false)).or(false),
            ]))
            .answers(201, "The new rule.", closed([need("rule", rule())]))
            .problems(&[404, 409, 422]),
        get("/api/v1/rules/:id", "get_rule", "Get a rule").answers(200, "The rule.", rule()),
        patch("/api/v1/rules/:id", "update_rule", "Change a rule")
            .if_match()
            .says("What is left out is kept; `null` takes a limit away.")
            .takes(open([
                may("event", pattern("order.completed")),
                may("metadata", metadata()).says("All of it: a key that is left out is gone."),
                resource(),
                resource_id(),
                filter::field(),
                given("metadata", metadata()).says("Takes the place of all that it said."),
                may("active", flag(false)).shown(),
                may("hidden", flag(false)),
            ]))
            .answers(200, "The rule as it is now.", rule())
            .problems(&[409, 422]),
        post("/api/v1/rules/:id/preview", "preview_rule", "Preview a rule")
            .says("What the rule would send for a payload. Nothing is sent.")
            .may_take(open([
                given("payload", any_object(json!({"order_id": "1001"})))
                    .says("By default the example of the event's type.")
                    .shown(),
                given("metadata", metadata()).says("Used in place of the rule's own."),
            ]))
            .answers(200, "What would be sent.", preview())
            .problems(&[422]),
        delete("/api/v1/rules/:id", "delete_rule", "Delete a rule")
            .if_match()
            .says("What is under way by it stays under way.")
            .answers(200, "It is gone.", gone),
    ]
}
