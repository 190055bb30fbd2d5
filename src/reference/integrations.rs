//! Integrations, of which there is one, and what a connection says of its own.

use crate::app::rules::SEND_WEBHOOK;
use crate::destinations::WEBHOOK;
use crate::reference::leaves::{any_object, flag, id, one_of, only, words};
use crate::reference::operation::{Operation, get, put};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need, open};

/// The shapes of integrations.
pub fn shapes() -> Names {
    let field = closed([
        need("key", words("url")),
        need("type", one_of(&["text", "password"])),
        need("required", flag(true)),
        need("helpText", words("Where events are sent: an https URL")),
    ]);
    let action = closed([
        need("key", only(SEND_WEBHOOK)),
        need("name", words("Send webhook")),
        need("description", words("Sends the event's payload to the connection's URL, signed")),
        need("fields", list_of(Shape::Named("IntegrationField"))).says("None."),
    ]);
    let authentication =
        closed([need("type", only(WEBHOOK)), need("fields", list_of(named("IntegrationField")))]);
    let integration = closed([
        need("name", words("Webhook")),
        need("type", only(WEBHOOK)),
        need("authentication", authentication),
        need("actions", list_of(named("IntegrationAction"))),
    ]);
    vec![("Integration", integration), ("IntegrationAction", action), ("IntegrationField", field)]
}

fn named(name: &'static str) -> Shape {
    Shape::Named(name)
}

/// What the reference says of the rows of integrations.
pub fn operations() -> Vec<Operation> {
    let about = |what: &'static str, of: &'static str| {
        let its = need("id", id("connection"));
        closed([its, need("type", only(WEBHOOK)), need(what, list_of(named(of)))])
    };
    let mapping = "/api/v1/connections/:id/mappings/default";
    let schema = any_object(serde_json::json!({"schema_version": 1, "fields": []}));
    vec![
        get("/api/v1/integrations", "list_integrations", "List integrations")
            .lists("There is one, the webhook.", named("Integration")),
        get(
            "/api/v1/connections/:id/actions",
            "list_connection_actions",
            "List a connection's actions",
        )
        .answers(200, "The one action.", about("actions", "IntegrationAction")),
        get(
            "/api/v1/connections/:id/fields",
            "list_connection_fields",
            "List a connection's fields",
        )
        .says("A webhook has none that a payload could be mapped to.")
        .answers(200, "None.", about("fields", "IntegrationField")),
        get(mapping, "get_default_mapping", "Get a connection's default mapping")
            .says("A webhook sends the payload as it is and has none: this is always 404."),
        put(mapping, "put_default_mapping", "Put a connection's default mapping")
            .says("A webhook sends the payload as it is and takes none: this is always 422.")
            .takes(open([may("schema", schema).shown()]))
            .problems(&[422]),
    ]
}
