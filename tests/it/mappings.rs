//! Mappings of connections: generated, stored, changed at the same time, and what they do to what
//! is sent.

use serde_json::{Value, json};

use crate::deliver::{MINUTE_MS, URL, outcomes};
use crate::edge::{Edge, Reply};
use crate::providers::{emit, route};
use crate::tenant::{Tenant, params};

const UPSERT: &str = "https://api.hubapi.com/crm/objects/2026-03/contacts/batch/upsert";

/// A HubSpot connection with a rule that sets a property; the ids of both.
fn hubspot(edge: &Edge, tenant: &Tenant) -> (String, String) {
    let says = json!({"action": "update_property", "id": "plan", "value": "pro"});
    route(edge, tenant, "hubspot", json!({"access_token": "pat-1"}), says)
}

fn path(connection: &str) -> String {
    format!("/api/v1/connections/{connection}/mappings/default")
}

fn schema(fields: Value) -> Value {
    json!({"schema_version": 1, "fields": fields})
}

fn from(dest: &str, path: &str) -> Value {
    json!({"dest": dest, "source": {"type": "path", "value": path}})
}

#[test]
fn a_mapping_is_generated_until_one_is_stored() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = hubspot(&edge, &tenant);
    let path = path(&connection);
    let read = tenant.get(&edge, &path);
    assert_eq!((&read["status"], &read["mapping"]["version"]), (&json!("generated"), &json!(0)));
    let generated = read["mapping"]["schema"]["fields"].as_array().expect("fields");
    assert!(generated.contains(&from("firstname", "first_name")), "{generated:?}");
    let put = |body: Value| tenant.call(&edge, "PUT", &path, &body);
    let new = schema(json!([from("email", "user.email"), from("plan", "plan")]));
    let stored = put(json!({"schema": new, "name": "People", "expected_version": 0})).json();
    let mapping = &stored["mapping"];
    assert_eq!((&stored["status"], &mapping["version"]), (&json!("stored"), &json!(1)));
    assert_eq!((&mapping["schema"], &mapping["name"]), (&new, &json!("People")));
    assert_eq!(mapping["id"], read["mapping"]["id"]);
    assert_eq!(tenant.get(&edge, &path), stored);
    let again = put(json!({"schema": schema(json!([])), "expected_version": 1})).json();
    let mapping = &again["mapping"];
    assert_eq!((&mapping["version"], &mapping["name"]), (&json!(2), &json!("People")));
    for stale in [0, 1, 3] {
        let refused = put(json!({"schema": new, "expected_version": stale}));
        assert_eq!(refused.status, 409, "{stale}");
    }
    assert_eq!(tenant.get(&edge, &path), again);
    assert_eq!(put(json!({"schema": new})).json()["mapping"]["version"], 3);
    let (other, _) = hubspot(&edge, &tenant);
    let none = json!({"schema": new, "expected_version": 1});
    assert_eq!(tenant.call(&edge, "PUT", &self::path(&other), &none).status, 409);
}

#[test]
fn what_is_wrong_with_a_mapping_is_named() {
    let edge = Edge::new();
    let (tenant, rival) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Rival"));
    let (connection, _) = hubspot(&edge, &tenant);
    let path = path(&connection);
    let put = |body: Value| {
        let answer = tenant.call(&edge, "PUT", &path, &body);
        let named: Vec<String> = params(&answer.json()).into_iter().map(str::to_owned).collect();
        (answer.status, named.join(" "))
    };
    let fields = |fields: Value| json!({ "schema": schema(fields) });
    let told = |status: u16, param: &str| (status, param.to_owned());
    assert_eq!(put(json!({})), told(422, "schema"));
    assert_eq!(put(fields(json!([from("a", "1a")]))), told(422, "schema.fields[0].source.value"));
    let loud = json!([{"dest": "a", "source": {"type": "path", "value": "a"},
        "transforms": [{"type": "shout"}]}]);
    assert_eq!(put(fields(loud)), told(422, "schema.fields[0].transforms[0].type"));
    let valid = schema(json!([]));
    let workspace = json!({"schema": valid, "workspace_id": rival.workspace});
    assert_eq!(put(workspace), told(400, "workspace_id"));
    assert_eq!(put(json!({"schema": valid, "name": ""})), told(400, "name"));
    let version = json!({"schema": valid, "expected_version": -1});
    assert_eq!(put(version), told(400, "expected_version"));
    for method in ["GET", "PUT"] {
        let body = if method == "GET" { Value::Null } else { json!({ "schema": valid }) };
        assert_eq!(rival.call(&edge, method, &path, &body).status, 404, "{method}");
    }
    let webhook = self::path(&tenant.connection(&edge, json!({"url": URL})));
    assert_eq!(tenant.call(&edge, "GET", &webhook, &Value::Null).status, 404);
    assert_eq!(tenant.call(&edge, "PUT", &webhook, &json!({ "schema": valid })).status, 422);
}

#[test]
fn what_is_sent_follows_the_mapping() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = hubspot(&edge, &tenant);
    let done = r#"{"status":"COMPLETE","results":[{"id":"512"}]}"#;
    edge.receivers.script(UPSERT, move |_| Reply::status(200).body(done));
    let mut score = from("score", "score");
    score["on_error"] = json!("fail_action");
    let mut city = from("city", "address.city");
    city["on_error"] = json!("warn_action");
    city["transforms"] = json!([{"type": "upper"}]);
    let body = json!({"schema": schema(json!([from("email", "user.mail"), score, city]))});
    assert_eq!(tenant.call(&edge, "PUT", &path(&connection), &body).status, 200);
    let payload = json!({"user": {"mail": "a@b.c"}, "score": 7, "address": {"city": "Rome"}});
    let whole = emit(&edge, &tenant, payload);
    let part = emit(&edge, &tenant, json!({"user": {"mail": "a@b.c"}, "score": 7}));
    let none = emit(&edge, &tenant, json!({"user": {"mail": "a@b.c"}}));
    edge.run_for(MINUTE_MS);
    let sent = edge.receivers.seen(UPSERT);
    let properties = |at: usize| {
        let body: Value = serde_json::from_slice(&sent[at].request.body).expect("JSON");
        body["inputs"][0]["properties"].clone()
    };
    assert_eq!(sent.len(), 2);
    let expected = json!({"email": "a@b.c", "score": 7, "city": "ROME", "plan": "pro"});
    assert_eq!(properties(0), expected);
    assert_eq!(properties(1), json!({"email": "a@b.c", "score": 7, "plan": "pro"}));
    assert_eq!(tenant.delivery(&edge, &whole)["status"], "completed");
    let notes = &tenant.attempts(&edge, &part, &rule)[0]["notes"];
    let told = "The mapping has no value for city: the payload has nothing at address.city";
    assert_eq!(notes, &json!([told]));
    assert_eq!(tenant.delivery(&edge, &none)["status"], "failed");
    let attempts = tenant.attempts(&edge, &none, &rule);
    assert_eq!(outcomes(&attempts), ["rejected_client_error"]);
    let told = attempts[0]["error"].as_str().expect("an error");
    assert!(told.contains("no value for score"), "{told}");
    let preview = format!("/api/v1/rules/{rule}/preview");
    let body = json!({"payload": {"user": {"mail": "a@b.c"}, "score": 1}});
    let shown = tenant.call(&edge, "POST", &preview, &body).json();
    let body = shown["request"]["body"].as_str().expect("a body");
    assert!(body.contains(r#""score":1"#), "{shown}");
}

#[test]
fn the_fields_of_a_person_are_told_and_a_mapping_goes_with_its_connection() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = hubspot(&edge, &tenant);
    let fields = tenant.get(&edge, &format!("/api/v1/connections/{connection}/fields"));
    let email = json!({"key": "email", "label": "E-mail", "type": "string",
        "constraints": {"format": "email", "required": true}});
    assert_eq!(fields["fields"][0], email);
    assert_eq!(fields["integration_type"], "hubspot");
    let body = json!({ "schema": schema(json!([])) });
    assert_eq!(tenant.call(&edge, "PUT", &path(&connection), &body).status, 200);
    let target = format!("/api/v1/connections/{connection}");
    let deleted = tenant.call(&edge, "DELETE", &target, &json!({"force_delete": true}));
    assert!(deleted.status < 300, "{}", deleted.text);
    assert_eq!(edge.control.ask("select connection from mappings").len(), 0);
}
