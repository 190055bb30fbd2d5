//! Integrations, of which there is one, and what a connection says of its own.

use crate::app::rules::SEND_WEBHOOK;
use crate::destinations::WEBHOOK;
use crate::reference::leaves::{any_object, flag, id, one_of, only, time, words};
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
    let actions = closed([
        need("id", id("connection")),
        need("type", only(WEBHOOK)),
        need("actions", list_of(named("IntegrationAction"))),
    ]);
    let fields = closed([
        need("id", id("fields")),
        need("workspace_id", id("workspace")),
        need("connection_id", id("connection")),
        need("integration_type", only(WEBHOOK)),
        need("catalog_version", words("1")),
        need("refreshed_at", time()).says("When the fields were last read from the provider."),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
        need("fields", list_of(named("IntegrationField"))),
    ]);
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
        .answers(200, "The one action.", actions),
        get(
            "/api/v1/connections/:id/fields",
            "list_connection_fields",
            "List a connection's fields",
        )
        .says("A webhook has none that a payload could be mapped to.")
        .answers(200, "None.", fields),
        get(mapping, "get_default_mapping", "Get a connection's default mapping")
            .says("A webhook sends the payload as it is and has none: this is always 404."),
        put(mapping, "put_default_mapping", "Put a connection's default mapping")
            .says("A webhook sends the payload as it is and takes none: this is always 422.")
            .takes(open([may("schema", schema).shown()]))
            .problems(&[422]),
    ]
}
