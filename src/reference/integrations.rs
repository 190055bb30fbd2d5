//! Integrations, and what a connection says of its own.

use serde_json::json;

use crate::destinations;
use crate::reference::destinations::{actions, kinds};
use crate::reference::leaves::{flag, id, leaf, one_of, text, time, words};
use crate::reference::operation::{Operation, get};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need};

/// The shapes of integrations.
pub fn shapes() -> Names {
    let option = closed([need("label", words("Token (Bearer)")), need("value", words("bearer"))]);
    let depends = closed([
        need("field", words("auth_scheme")),
        need("value", list_of(words("bearer"))).says("One of these."),
    ]);
    let field = closed([
        need("key", words("url")),
        need("label", words("URL")),
        need("type", one_of(&["text", "password", "select"])),
        may("required", flag(true)).shown(),
        may("helpText", words("Such as X-Api-Key.")),
        may("validate", one_of(&["url"])).shown(),
        may("defaultValue", text("none")),
        may("options", list_of(option)).says("Of a `select`."),
        may("dependsOn", depends).says("It counts only while another field has one of the values."),
    ]);
    let authentication = closed([
        need("type", one_of(&["api_key", "basic", "none", "oauth"])),
        need("fields", list_of(named("IntegrationField"))),
    ]);
    let integration = closed([
        need("name", words("Webhook")),
        need("type", kinds()),
        need("authentication", authentication),
        need("actions", actions_by_key()),
    ]);
    vec![
        ("Integration", integration),
        ("IntegrationAction", action()),
        ("IntegrationInput", input()),
        ("IntegrationField", field),
    ]
}

/// What a rule can say of an action.
fn input() -> Shape {
    closed([
        need("key", words("template")),
        need("field", words("template")).says("The key in a rule's `metadata`."),
        need("kind", one_of(&["field", "simple"]))
            .says("`simple` chooses one item of a live list, `field` is typed."),
        need("label", words("Message")),
        may("type", one_of(&["text", "textarea", "select"])).shown(),
        may(
            "options",
            list_of(closed([need("label", words("Contact")), need("value", words("contact"))])),
        )
        .says("Of a `select`."),
        may("from", words("channels")).says("The live list."),
        may("description", words("Such as {{user.name}} has signed up.")),
        may("required", flag(true)).shown(),
    ])
}

fn action() -> Shape {
    let first = &destinations::ALL[0].about().actions[0];
    let display =
        closed([need("label", words(first.label)), need("description", words(first.description))]);
    closed([
        need("key", one_of(&actions())),
        need("label", words(first.label)),
        need("noun", words(first.noun)),
        need("data", list_of(named("IntegrationInput"))).says("What it asks for."),
        need("fields", list_of(words("template"))).says("The keys of a rule's `metadata`."),
        need("display", display),
    ])
}

/// Actions by their keys.
fn actions_by_key() -> Shape {
    let first = &destinations::ALL[0].about().actions[0];
    let example = json!({first.key: {"key": first.key, "label": first.label, "noun": first.noun,
        "data": [], "fields": [],
        "display": {"label": first.label, "description": first.description}}});
    let of = named("IntegrationAction").schema();
    leaf(json!({"type": "object", "additionalProperties": of}), example)
}

fn named(name: &'static str) -> Shape {
    Shape::Named(name)
}

/// What the reference says of the rows of integrations.
pub fn operations() -> Vec<Operation> {
    let lists =
        leaf(json!({"type": "object", "additionalProperties": {"type": "array"}}), json!({}));
    let error = closed([
        need("list", words("channels")),
        need("message", words("Slack says missing_scope: the bot needs the scope channels:read")),
    ]);
    let actions = closed([
        need("id", id("connection")),
        need("type", kinds()),
        need("actions", actions_by_key()),
        need("data", lists).says("The live lists that rules choose from, by name."),
        need("refreshed_at", time()).says("When they were read from the provider."),
        may("errors", list_of(error)).says("Lists that could not be read whole, and why."),
    ]);
    vec![
        get("/api/v1/integrations", "list_integrations", "List integrations")
            .lists("All destinations that connections can have.", named("Integration")),
        get(
            "/api/v1/connections/:id/actions",
            "list_connection_actions",
            "List a connection's actions",
        )
        .says("Lists are kept for an hour.")
        .query("refresh", one_of(&["true", "false"]), "`true` reads the lists anew.")
        .answers(200, "Its actions by their keys, and the lists.", actions),
    ]
}
