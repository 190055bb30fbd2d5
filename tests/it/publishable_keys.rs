//! Publishable keys: rotated with a grace, limited to events and origins.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant, call, text};

const DAY_MS: i64 = 86_400_000;

fn emit_from(edge: &Edge, key: &str, origin: Option<&str>, event: &str) -> Answered {
    let mut headers = vec![("x-meshes-publishable-key", key)];
    headers.extend(origin.map(|origin| ("origin", origin)));
    let body = json!({"event": event, "payload": {}}).to_string();
    call(edge, "POST", "/api/v1/events", &headers, body.as_bytes())
}

fn status(edge: &Edge, key: &str) -> u16 {
    emit_from(edge, key, None, "x").status
}

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/workspaces/{}/publishable-key", tenant.workspace)
}

fn rotate(edge: &Edge, tenant: &Tenant, body: &Value) -> Answered {
    tenant.call(edge, "POST", &format!("{}/rotate", path(tenant)), body)
}

fn refusal(answer: &Answered) -> (u16, Value) {
    (answer.status, answer.json()["error"]["data"][0]["param"].clone())
}

#[test]
fn the_former_key_is_valid_until_its_grace_ends() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let former = tenant.publishable_key.as_str();
    let rotated = rotate(&edge, &tenant, &Value::Null);
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let new = text(&rotated.json(), "/publishable_key/public_key");
    assert_eq!(rotated.json()["former_valid_until"], "2027-01-16T08:00:00.000Z");
    let shown = tenant.get(&edge, &format!("/api/v1/workspaces/{}", tenant.workspace));
    assert_eq!(text(&shown, "/publishable_key/public_key"), new);
    edge.run_for(DAY_MS - 1);
    assert_eq!((status(&edge, former), status(&edge, &new)), (201, 201));
    edge.run_for(1);
    assert_eq!((status(&edge, former), status(&edge, &new)), (401, 201));

    let rotated = rotate(&edge, &tenant, &json!({"grace_seconds": 0}));
    let newest = text(&rotated.json(), "/publishable_key/public_key");
    assert_eq!((status(&edge, &new), status(&edge, &newest)), (401, 201));
    for grace in [json!(-1), json!(604_801), json!("1")] {
        let answer = rotate(&edge, &tenant, &json!({"grace_seconds": grace}));
        assert_eq!(refusal(&answer), (400, json!("grace_seconds")), "{}", answer.text);
    }
    assert_eq!(status(&edge, &newest), 201);
}

#[test]
fn five_keys_are_valid_at_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let long = json!({"grace_seconds": 604_800});
    for n in 0..4 {
        assert_eq!(rotate(&edge, &tenant, &long).status, 200, "{n}");
    }
    assert_eq!(refusal(&rotate(&edge, &tenant, &long)), (409, json!("grace_seconds")));
    assert_eq!(rotate(&edge, &tenant, &json!({"grace_seconds": 0})).status, 200);
    assert_eq!(status(&edge, &tenant.publishable_key), 201);
    // What has expired makes room and is gone.
    edge.run_for(8 * DAY_MS);
    assert_eq!(rotate(&edge, &tenant, &long).status, 200);
    assert_eq!(edge.control.ask("select count(*) from publishable_keys"), [json!(2)]);
}

#[test]
fn a_key_can_be_limited_to_events() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let limits = json!({"name": "Shop", "events": ["cart.viewed", "order.*"]});
    let limited = tenant.call(&edge, "PATCH", &path(&tenant), &limits);
    assert_eq!(limited.status, 200, "{}", limited.text);
    assert_eq!(
        limited.json(),
        json!({"public_key": tenant.publishable_key, "name": "Shop",
        "events": ["cart.viewed", "order.*"]})
    );
    let emit = |event: &str| emit_from(&edge, &tenant.publishable_key, None, event);
    assert_eq!((emit("order.completed").status, emit("cart.viewed").status), (201, 201));
    assert_eq!(refusal(&emit("invoice.paid")), (403, json!("event")));
    let bulk = json!([{"event": "order.completed", "payload": {}},
        {"event": "invoice.paid", "payload": {}}]);
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let bulk = call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.to_string().as_bytes());
    assert_eq!((bulk.status, &bulk.json()["count"]), (207, &json!(1)));
    assert_eq!(bulk.json()["records"][1]["error"]["name"], "forbidden");
    // A machine key is not limited, and the next key is.
    let body = json!({"workspace": tenant.workspace, "event": "invoice.paid", "payload": {}});
    assert_eq!(tenant.call(&edge, "POST", "/api/v1/events", &body).status, 201);
    let rotated = rotate(&edge, &tenant, &Value::Null).json();
    assert_eq!(rotated["publishable_key"]["events"], json!(["cart.viewed", "order.*"]));
    let next = text(&rotated, "/publishable_key/public_key");
    assert_eq!(emit_from(&edge, &next, None, "invoice.paid").status, 403);
    // A change goes for the former key as well.
    tenant.call(&edge, "PATCH", &path(&tenant), &json!({"events": null}));
    assert_eq!((emit("invoice.paid").status, status(&edge, &next)), (201, 201));
}

#[test]
fn a_key_can_be_limited_to_origins() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let shop = "https://shop.example.com";
    let limits = json!({"origins": [shop]});
    assert_eq!(tenant.call(&edge, "PATCH", &path(&tenant), &limits).status, 200);
    let from = |origin| emit_from(&edge, &tenant.publishable_key, origin, "x");
    assert_eq!(from(Some(shop)).status, 201);
    assert_eq!(refusal(&from(Some("https://evil.example"))), (403, json!("origin")));
    assert_eq!(refusal(&from(None)), (403, json!("origin")), "a server sends none");
    assert_eq!(edge.logs[0].ask("select count(*) from events"), [json!(1)]);
    for (field, value) in [
        ("origins", json!([])),
        ("origins", json!(["https://shop.example.com/path"])),
        ("origins", json!("https://shop.example.com")),
        ("events", json!([])),
        ("events", json!(["order*"])),
        ("events", json!([1])),
        ("name", json!("")),
    ] {
        let answer = tenant.call(&edge, "PATCH", &path(&tenant), &json!({field: value}));
        assert_eq!(refusal(&answer), (400, json!(field)), "{value}");
    }
}

#[test]
fn an_emit_still_reads_control_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let limits = json!({"origins": ["https://shop.example.com"], "events": ["x"]});
    tenant.call(&edge, "PATCH", &path(&tenant), &limits);
    let before = edge.control.round_trips.get();
    let origin = Some("https://shop.example.com");
    assert_eq!(emit_from(&edge, &tenant.publishable_key, origin, "x").status, 201);
    assert_eq!(edge.control.round_trips.get() - before, 1);
}
