//! The catalogue of event types, and what a workspace has emitted.

use posthorn::store::event_types;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Tenant, params, text};

#[test]
fn a_workspace_lists_what_it_has_emitted() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (event, resource) in [("b", "order"), ("a", "order"), ("b", "cart")] {
        let body = json!({"event": event, "resource": resource, "payload": {}});
        assert_eq!(tenant.emit_text(&edge, &body.to_string()).status, 201);
    }
    for (list, expected) in [("event-types", ["a", "b"]), ("resources", ["cart", "order"])] {
        let found = tenant.get(&edge, &format!("/api/v1/workspaces/{}/{list}", tenant.workspace));
        let keys: Vec<_> = found.as_array().expect("bare").iter().map(|n| &n["key"]).collect();
        assert_eq!(keys, expected, "{list}");
    }
}

#[test]
fn customers_see_the_event_types_of_a_group_together() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (key, group) in [("a", Some("Z")), ("b", None), ("c", Some("M")), ("d", Some("Z"))] {
        let path = format!("/api/v1/event-types/{key}");
        assert_eq!(tenant.call(&edge, "PUT", &path, &json!({"group": group})).status, 200);
    }
    let listed = event_types::listed(&tenant.organization).run(&edge.control);
    let listed = edge.block_on(listed).expect("event types");
    let keys: Vec<&str> = listed.iter().map(|listed| listed.key.as_str()).collect();
    assert_eq!(keys, ["b", "c", "a", "d"]);
}

#[test]
fn the_catalogue_and_what_was_emitted_are_a_workspaces_event_types() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let path = |key: &str| format!("/api/v1/event-types/{key}");
    let put = |key: &str, body: Value| tenant.call(&edge, "PUT", &path(key), &body);
    let full = json!({"label": "Paid", "description": "An invoice was paid", "group": "Billing",
        "example": "{\"id\":1}", "visible": false});
    let stored = put("invoice:paid%2Flate", full.clone());
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert_eq!(stored.json()["key"], "invoice:paid/late");
    for (field, value) in full.as_object().expect("an object") {
        assert_eq!(&stored.json()[field], value, "{field}");
    }
    assert_eq!(put("order.completed", json!({})).json()["label"], "order.completed");
    let again = put("order.completed", json!({"label": "Order"})).json();
    assert_eq!((&again["label"], &again["visible"]), (&json!("Order"), &json!(true)));
    for (key, body, param) in [
        ("%20x", json!({}), "key"),
        ("x", json!({"label": ""}), "label"),
        ("x", json!({"example": "[1]"}), "example"),
        ("x", json!({"example": "{"}), "example"),
        ("x", json!({"example": {"a": 1}}), "example"),
        ("x", json!({"visible": "yes"}), "visible"),
    ] {
        let answer = put(key, body.clone());
        assert_eq!((answer.status, params(&answer.json())), (400, vec![param]), "{key} {body}");
    }
    tenant.emit(&edge, "order.completed");
    tenant.emit(&edge, "unlisted");
    let own = format!("/api/v1/workspaces/{}/event-types", tenant.workspace);
    let keys: Vec<_> = tenant
        .get(&edge, &own)
        .as_array()
        .expect("bare")
        .iter()
        .map(|event_type| text(event_type, "/key"))
        .collect();
    assert_eq!(keys, ["invoice:paid/late", "order.completed", "unlisted"]);
    let listed = tenant.get(&edge, "/api/v1/event-types?limit=1");
    assert_eq!((&listed["count"], listed["next_cursor"].is_string()), (&json!(1), true));
    assert_eq!(other.get(&edge, "/api/v1/event-types")["count"], 0);
    let delete = |key: &str| tenant.call(&edge, "DELETE", &path(key), &Value::Null).status;
    assert_eq!((delete("order.completed"), delete("order.completed")), (200, 404));
}
