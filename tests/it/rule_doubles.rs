//! What there may be only once: a rule with all that routes, a connection's name in its workspace.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant, params, text};

const URL: &str = "https://hooks.example.com/a";

fn world() -> (Edge, Tenant) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    (edge, tenant)
}

#[test]
fn a_rule_that_is_there_already_is_refused() {
    let (edge, tenant) = world();
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let base = json!({"workspace": tenant.workspace, "connection": connection, "event": "a.b",
        "metadata": {"action": "send_webhook", "list": "1"}});
    let with = |more: Value| {
        let mut body = base.clone();
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        tenant.call(&edge, "POST", "/api/v1/rules", &body)
    };
    assert_eq!(with(json!({})).status, 201);
    let code = |answer: &Answered| {
        (answer.status, answer.json()["error"]["code"].as_str().map(str::to_owned))
    };
    let double = (409, Some("duplicate".to_owned()));
    for same in [
        json!({}),
        json!({"resource": "global"}),
        json!({"active": false, "hidden": true}),
        json!({"metadata": {"list": "1", "action": "send_webhook"}}),
    ] {
        assert_eq!(code(&with(same.clone())), double, "{same}");
    }
    let filter = json!({"path": "a", "eq": 1});
    let mut others = Vec::new();
    for other in [
        json!({"event": "a.*"}),
        json!({"resource": "order"}),
        json!({"resource_id": "1"}),
        json!({"metadata": {"action": "send_webhook"}}),
        json!({"filter": filter}),
        json!({"connection": tenant.connection(&edge, json!({"url": URL}))}),
    ] {
        let made = with(other.clone());
        assert_eq!(made.status, 201, "{other}: {}", made.text);
        assert_eq!(code(&with(other)), double);
        others.push(text(&made.json(), "/rule/id"));
    }
    // A change can make a double, too; what is changed to itself is none.
    let patch =
        |id: &str, body: Value| tenant.call(&edge, "PATCH", &format!("/api/v1/rules/{id}"), &body);
    assert_eq!(code(&patch(&others[0], json!({"event": "a.b"}))), double);
    assert_eq!(code(&patch(&others[4], json!({"filter": null}))), double);
    let metadata = json!({"action": "send_webhook", "list": "1"});
    assert_eq!(code(&patch(&others[3], json!({"metadata": metadata}))), double);
    assert_eq!(patch(&others[3], json!({"active": false, "event": "a.b"})).status, 200);
}

#[test]
fn the_metadata_of_a_rule_can_be_changed() {
    let (edge, tenant) = world();
    let (_, rule) = tenant.route(&edge, "a.b", json!({"url": URL}));
    let path = format!("/api/v1/rules/{rule}");
    let patch = |body: Value| tenant.call(&edge, "PATCH", &path, &body);
    let metadata = json!({"action": "send_webhook", "name": "two"});
    let changed = patch(json!({"metadata": metadata}));
    assert_eq!((changed.status, &changed.json()["metadata"]), (200, &metadata), "{}", changed.text);
    assert_eq!(patch(json!({"active": false})).json()["metadata"], metadata, "it is kept");
    for (bad, param) in [
        (json!({"metadata": {}}), "metadata.action"),
        (json!({"metadata": {"action": "fly"}}), "metadata.action"),
        (json!({"metadata": {"action": "send_webhook", "name": 1}}), "metadata.name"),
        (json!({"connection": rule}), "connection"),
        (json!({"workspace": rule}), "workspace"),
    ] {
        let refused = patch(bad);
        assert_eq!((refused.status, params(&refused.json())), (400, vec![param]));
    }
    assert_eq!(tenant.get(&edge, &path)["metadata"], metadata);
}

#[test]
fn the_name_of_a_connection_is_its_own_in_its_workspace() {
    let (edge, tenant) = world();
    let make = |workspace: &str, name: &str| {
        let body = json!({"workspace": workspace, "type": "webhook", "name": name,
            "metadata": {"url": URL}});
        tenant.call(&edge, "POST", "/api/v1/connections", &body)
    };
    let taken = |answer: &Answered| {
        let body = answer.json();
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert_eq!(body["error"]["code"], "name_taken");
        assert_eq!(params(&body), ["name"]);
    };
    assert_eq!(make(&tenant.workspace, "Größe eins").status, 201);
    for same in ["Größe eins", "größeeins", "GRÖßE EINS", "größe\u{a0} eins"] {
        taken(&make(&tenant.workspace, same));
    }
    let second = text(&make(&tenant.workspace, "Two").json(), "/connection/id");
    let path = format!("/api/v1/connections/{second}");
    let put = |method: &str, body: Value| tenant.call(&edge, method, &path, &body);
    taken(&put("PUT", json!({"name": "größe EINS", "metadata": {}})));
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let before = tenant.get(&edge, &path)["metadata"].clone();
    taken(&put("PATCH", json!({"name": "größe EINS", "metadata": {"signing_secret": secret}})));
    assert_eq!(tenant.get(&edge, &path)["metadata"], before, "nothing was changed");
    assert_eq!(put("PATCH", json!({"name": "TWO"})).status, 200, "its own name in other letters");
    let other = json!({"name": "Elsewhere"});
    let workspace = text(&tenant.post(&edge, "/api/v1/workspaces", &other), "/workspace/id");
    assert_eq!(make(&workspace, "Two").status, 201);
}
