//! Which refusal has which status, and which finer word: the table that callers program against.

use http::header::ALLOW;
use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Reply};
use crate::tenant::{Answered, Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const FAILING: &str = "https://hooks.example.com/failing";
const NOBODYS: &str = "00000000-0000-4000-8000-000000000000";

/// One organization with a webhook, a rule, an event that was delivered and one that failed.
struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    rule: String,
    event: String,
}

impl World {
    fn new() -> Self {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let (connection, rule) = tenant.route(&edge, "x", json!({"url": URL}));
        let event = tenant.emit(&edge, "x");
        edge.run_for(5_000);
        Self { edge, tenant, connection, rule, event }
    }

    fn call(&self, method: &str, path: &str, body: Value) -> Answered {
        self.tenant.call(&self.edge, method, &format!("/api/v1{path}"), &body)
    }

    fn with(&self, method: &str, path: &str, header: (&str, &str), body: &str) -> Answered {
        let bearer = format!("Bearer {}", self.tenant.token(&self.edge));
        let headers = [("authorization", bearer.as_str()), header];
        call(&self.edge, method, &format!("/api/v1{path}"), &headers, body.as_bytes())
    }

    fn new_rule(&self, body: &Value) -> Answered {
        let mut rule = json!({"workspace": self.tenant.workspace, "connection": self.connection,
            "event": "y", "metadata": {"action": "send_webhook"}});
        for (key, value) in body.as_object().expect("an object") {
            rule[key] = value.clone();
        }
        self.call("POST", "/rules", rule)
    }
}

/// The status, the problem's name, the finer word, and when it helps to try again.
fn is(answer: &Answered, status: u16, name: &str, code: &str) {
    let told = format!("{status} {name} {code}: {} {}", answer.status, answer.text);
    let body = answer.json();
    assert_eq!(answer.status, status, "{told}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{told}");
    assert_eq!(body["error"]["name"], name, "{told}");
    assert_eq!(body["type"], format!("/problems/{name}"), "{told}");
    assert_eq!(body["error"]["code"].as_str().unwrap_or_default(), code, "{told}");
    let (header, seconds) = (answer.headers.get("retry-after"), &body["retry_after"]);
    let header = header.and_then(|text| text.to_str().ok()?.parse::<u32>().ok());
    assert_eq!(json!(header), *seconds, "{told}");
    assert_eq!(seconds.is_null(), ![429, 503].contains(&status), "{told}");
}

#[test]
fn what_is_wrong_by_itself_is_400_and_who_asks_is_401_403_404_or_405() {
    let world = World::new();
    let (edge, tenant) = (&world.edge, &world.tenant);
    is(&world.call("POST", "/workspaces", json!({"name": 7})), 400, "invalid", "");
    is(&world.call("POST", "/workspaces", json!({"name": "ab"})), 400, "invalid", "");
    is(&world.call("GET", "/rules/none", Value::Null), 404, "not-found", "");
    is(&world.new_rule(&json!({"event": "a*b"})), 400, "invalid", "");
    is(&world.new_rule(&json!({"filter": {"path": "a", "gt": null}})), 400, "invalid", "");
    is(&call(edge, "GET", "/api/v1/rules", &[], b""), 401, "unauthenticated", "");
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let listed = call(edge, "GET", "/api/v1/rules", &[key], b"");
    is(&listed, 401, "unauthenticated", "");
    let path = format!("/workspaces/{}/publishable-key", tenant.workspace);
    assert_eq!(world.call("PATCH", &path, json!({"events": ["order.*"]})).status, 200);
    let refused = tenant.emit_text(edge, r#"{"event":"x","payload":{}}"#);
    is(&refused, 403, "forbidden", "");
    let rival = Tenant::new(edge, "Rival");
    let path = format!("/api/v1/events/{}", world.event);
    is(&rival.call(edge, "GET", &path, &Value::Null), 404, "not-found", "");
    is(&world.call("GET", &format!("/events/{NOBODYS}"), Value::Null), 404, "not-found", "");
    let other = world.call("DELETE", "/events", Value::Null);
    is(&other, 405, "method-not-allowed", "");
    assert_eq!(other.headers[ALLOW], "POST, GET, HEAD");
}

#[test]
fn what_contradicts_what_is_stored_is_409_410_or_412() {
    let world = World::new();
    let (edge, tenant, connection) = (&world.edge, &world.tenant, &world.connection);
    let at = format!("/connections/{connection}");
    let taken = text(&world.call("GET", &at, Value::Null).json(), "/name");
    let same = json!({"workspace": tenant.workspace, "type": "webhook", "name": taken,
        "metadata": {"url": URL}});
    is(&world.call("POST", "/connections", same), 409, "conflict", "name_taken");
    assert_eq!(world.new_rule(&json!({})).status, 201);
    is(&world.new_rule(&json!({})), 409, "conflict", "duplicate");
    is(&world.call("DELETE", &at, Value::Null), 409, "conflict", "in_use");
    let stale = world.with("PATCH", &at, ("if-match", "\"1-1\""), r#"{"hidden":true}"#);
    is(&stale, 412, "precondition-failed", "");
    let key = ("idempotency-key", "once");
    let emit = |n: u32| {
        let body = json!({"workspace": tenant.workspace, "event": "z", "payload": {"n": n}});
        world.with("POST", "/events", key, &body.to_string())
    };
    assert_eq!(emit(1).status, 201);
    is(&emit(2), 409, "conflict", "");
    let retry = format!("/events/{}/rules/{}/retry", world.event, world.rule);
    assert_eq!(world.call("POST", &format!("{at}/deactivate"), json!({})).status, 200);
    is(&world.call("POST", &retry, Value::Null), 409, "conflict", "connection_inactive");
    assert_eq!(world.call("POST", &format!("{at}/activate"), json!({})).status, 200);
    let payload = format!("/events/{}/payload", world.event);
    assert_eq!(world.call("DELETE", &payload, Value::Null).status, 200);
    is(&world.call("GET", &payload, Value::Null), 410, "gone", "erased");
    is(&world.call("POST", &retry, Value::Null), 409, "conflict", "erased");
    edge.receivers.script(FAILING, |_| Reply::hang());
    let (_, rule) = tenant.route(edge, "slow", json!({"url": FAILING}));
    let event = tenant.emit(edge, "slow");
    edge.run_for(2_000);
    let retry = format!("/events/{event}/rules/{rule}/retry");
    is(&world.call("POST", &retry, Value::Null), 425, "too-early", "");
}

#[test]
fn what_is_too_large_or_of_another_type_is_413_or_415() {
    let world = World::new();
    let long = format!("{{\"name\":\"{}\"}}", " ".repeat(2_000_000));
    let none = ("x-none", "1");
    is(&world.with("POST", "/workspaces", none, &long), 413, "too-large", "");
    let typed = ("content-type", "application/xml");
    let refused = world.with("POST", "/workspaces", typed, r#"{"name":"Acme two"}"#);
    is(&refused, 415, "unsupported-media-type", "");
    let zipped = ("content-encoding", "gzip");
    let refused = world.with("POST", "/workspaces", zipped, r#"{"name":"Acme two"}"#);
    is(&refused, 415, "unsupported-media-type", "");
}

#[test]
fn what_a_rule_or_a_limit_refuses_is_422_and_what_may_be_tried_again_429_or_503() {
    let world = World::new();
    let (edge, tenant, connection) = (&world.edge, &world.tenant, &world.connection);
    let at = format!("/connections/{connection}");
    let inside = json!({"metadata": {"url": "https://127.0.0.1/a"}});
    is(&world.call("PATCH", &at, inside), 422, "refused", "");
    let event = format!(r#"{{"workspace":"{}","event":"x","payload":{{}}}}"#, tenant.workspace);
    let came = ("posthorn-event-id", world.event.as_str());
    is(&world.with("POST", "/events", came, &event), 422, "refused", "loop");
    let says = json!({"action": "send_message", "template": "{{a b}}"});
    let slack = json!({"workspace": tenant.workspace, "type": "slack", "name": "Chat",
        "metadata": {"webhook_url": "https://hooks.slack.com/services/T0/B0/x"}});
    let slack = text(&tenant.post(edge, "/api/v1/connections", &slack), "/connection/id");
    let refused = world.new_rule(&json!({"connection": slack, "metadata": says}));
    is(&refused, 422, "refused", "template");
    let limited = json!({"limits": {"events_per_month": 1}});
    let path = format!("/workspaces/{}", tenant.workspace);
    let limit = world.call("PATCH", &path, limited);
    assert_eq!(limit.status, 200, "{}", limit.text);
    edge.run_for(300_000);
    let full = tenant.emit_text(edge, r#"{"event":"x","payload":{}}"#);
    is(&full, 429, "rate-limited", "quota");
    edge.control.fail_next(&[Some(Fault::Before), Some(Fault::Before), Some(Fault::Before)]);
    let away = tenant.emit_text(edge, r#"{"event":"x","payload":{}}"#);
    is(&away, 503, "unavailable", "");
}
