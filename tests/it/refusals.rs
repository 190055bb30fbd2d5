//! Requests that are wrong in one thing each: every check of the API says which, and all that it
//! says is in `messages.txt`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Tenant, call};

/// What is sent is refused, and the answer names what is wrong in words that begin as a sentence
/// about it.
fn is_refused(edge: &Edge, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
    let answer = call(edge, method, &format!("/api/v1/{path}"), headers, body.as_bytes());
    let at = format!("{method} {path} {:.200}: {:.400}", body, answer.text);
    assert!((400..500).contains(&answer.status), "{at}");
    let error = answer.json()["error"].clone();
    let message = error["message"].as_str().expect("a message");
    assert!(message.len() > 10 && !message.contains("expected"), "{at}");
}

#[test]
fn emits_and_filters() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(524_288));
    for event in [
        "",
        "{",
        "[]",
        "7",
        "null",
        r#"{"event":"x"}"#,
        r#"{"event":"x","payload":"{}"}"#,
        r#"{"event":"x","payload":{},"type":"rule"}"#,
        r#"{"event":7,"payload":{}}"#,
        r#"{"event":"\ud800","payload":{}}"#,
        r#"{"event":"x","event":"x","payload":{}}"#,
        r#"{"event":"x","resource":"a*","payload":{}}"#,
        r#"{"event":"x","resource_id":"a b","payload":{}}"#,
        r#"{"event":"x","workspace":"acme","payload":{}}"#,
        &format!("{{\"event\":\"x\",\"payload\":{deep}}}"),
        &format!("{{\"event\":\"x\",\"payload\":{large}}}"),
    ] {
        is_refused(&edge, "POST", "events", &key, event);
    }
    let many = vec![json!({"event": "x", "payload": {}}); 101];
    for bulk in ["{}", "[]", "[", &json!(many).to_string()] {
        is_refused(&edge, "POST", "events/bulk", &key, bulk);
    }
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let machine = [("authorization", bearer.as_str())];
    let long = "p".repeat(257);
    let list: Vec<u32> = (0..101).collect();
    for filter in [
        json!(7),
        json!([]),
        json!({}),
        json!({"path": "a"}),
        json!({"path": "a", "is": 1}),
        json!({"path": "a", "in": 7}),
        json!({"path": "a", "in": []}),
        json!({"path": "a", "in": list}),
        json!({"path": "a", "gt": true}),
        json!({"path": "a", "exists": 1}),
        json!({"path": "a", "starts_with": 7}),
        json!({"path": "a", "eq": {"b": 1}}),
        json!({"path": 7, "eq": 1}),
        json!({"path": "", "eq": 1}),
        json!({"path": "a..b", "eq": 1}),
        json!({"path": "a\\x", "eq": 1}),
        json!({"path": long, "eq": 1}),
        json!({"and": 7}),
        json!({"and": []}),
        json!({"not": []}),
        json!({"and": [], "or": []}),
        json!({"path": "a", "eq": 1, "and": []}),
        json!({"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not": {"not":
            {"path": "a", "eq": 1}}}}}}}}}}),
        json!({"or": vec![json!({"path": "a", "eq": 1}); 65]}),
    ] {
        let body = json!({"filter": filter, "payload": {}}).to_string();
        is_refused(&edge, "POST", "rules/test-filter", &machine, &body);
    }
    let digits =
        format!("{{\"filter\":{{\"path\":\"a\",\"eq\":{}}},\"payload\":{{}}}}", "7".repeat(1_001));
    is_refused(&edge, "POST", "rules/test-filter", &machine, &digits);
}

/// A token of these claims, and how it is signed.
fn token(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("Bearer {}.{}.{signature}", part(header), part(claims))
}

#[test]
fn tokens() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let now_s = edge.now_ms() / 1_000;
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": tenant.access_key});
    let claims = json!({"iss": format!("urn:meshes:m2m:{}", tenant.access_key),
        "aud": "meshes-api", "org": tenant.organization, "iat": now_s, "exp": now_s + 30});
    let with = |of: &Value, name: &str, value: Value| {
        let mut changed = of.clone();
        changed[name] = value;
        changed
    };
    let mut all = vec![
        "Bearer x".to_owned(),
        "Basic x".to_owned(),
        format!("Bearer {}", "a".repeat(10_000)),
        token(&with(&header, "alg", json!("none")), &claims, "c2ln"),
        token(&json!([]), &claims, "c2ln"),
        token(&header, &json!({}), "c2ln"),
        token(&header, &claims, "é"),
        token(&header, &claims, "c2ln"),
    ];
    for (name, value) in [
        ("iss", json!("somebody")),
        ("aud", json!("other")),
        ("org", json!("acme")),
        ("exp", json!(now_s + 120)),
        ("exp", json!(now_s)),
        ("iat", json!(now_s + 600)),
    ] {
        all.push(token(&header, &with(&claims, name, value), "c2ln"));
    }
    let past = with(&with(&claims, "iat", json!(now_s - 600)), "exp", json!(now_s - 570));
    all.push(token(&header, &past, "c2ln"));
    for bearer in all {
        is_refused(&edge, "GET", "workspaces", &[("authorization", &bearer)], "");
    }
}

#[test]
fn records() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let url = "https://hooks.example.com/a";
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": url}));
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let machine = [("authorization", bearer.as_str())];
    let of = |path: &str| format!("workspaces/{}{path}", tenant.workspace);
    let workspace = &tenant.workspace;
    let new = |kind: &str, metadata: Value| {
        let mut body = json!({"workspace": workspace, "name": "Bad", "type": kind});
        body["metadata"] = metadata;
        body
    };
    let cases: Vec<(&str, String, Value)> = vec![
        ("PATCH", of(""), json!({"description": "x".repeat(1_025)})),
        ("PATCH", of(""), json!({"limits": {"connections": 2_000_000_000_u32}})),
        ("PATCH", of("/publishable-key"), json!({"events": vec!["x"; 51]})),
        ("POST", of("/erasures"), json!({"resource": "order"})),
        ("POST", of("/replays"), json!({"since": "2026-01-01T00:00:00Z", "until": 7})),
        ("POST", of("/cancellations"), json!({"since": "today", "until": "2026-01-01T00:00:00Z"})),
        ("PUT", "event-types/a".into(), json!({"label": ""})),
        ("PUT", "event-types/a".into(), json!({"label": "A", "example": "{}", "group": ""})),
        ("POST", "connections".into(), new("webhook", json!({"url": "https://a.local/x"}))),
        ("POST", "connections".into(), new("webhook", json!({"url": "https://10.0.0.1.nip.io/"}))),
        ("POST", "connections".into(), new("webhook", json!({"url": "https://x.consul/"}))),
        ("POST", "connections".into(), new("webhook", json!({"url": "not a url"}))),
        ("POST", "connections".into(), new("webhook", json!({"url": url, "custom_headers": 7}))),
        ("POST", "connections".into(), new("webhook", json!({"url": url, "hidden": 7}))),
        ("POST", "connections".into(), new("fax", json!({"url": url}))),
        ("POST", "connections".into(), new("discord", json!({"webhook_url": url}))),
        ("POST", "connections".into(), new("mailchimp", json!({"api_key": "key"}))),
        ("POST", format!("connections/{connection}/secret/rotate"), json!({"secret": "x"})),
        ("POST", format!("connections/{connection}/activate"), json!({"held": "x"})),
        ("POST", format!("connections/{connection}/test"), json!({"payload": []})),
        ("PUT", format!("connections/{connection}/mappings/default"), json!({"schema": {}})),
        ("PATCH", format!("rules/{rule}"), json!({"event": "a.*.b"})),
        ("PATCH", format!("rules/{rule}"), json!({"event": "a.b.c.d.e.f.g.h.i.j.*"})),
        ("PATCH", format!("rules/{rule}"), json!({"active": "yes"})),
        ("PATCH", format!("rules/{rule}"), json!({"metadata": {"action": "send_message"}})),
        ("PATCH", format!("rules/{rule}"), json!({"filter": {"path": "a"}})),
        ("POST", "sessions".into(), json!({"workspace_id": tenant.workspace, "path": "x"})),
        ("POST", "sessions".into(), json!({"workspace_id": tenant.workspace, "path": "/auth"})),
        ("POST", "machine-keys".into(), json!({"name": 7})),
        ("PATCH", "organization".into(), json!({"allowed_origins": "x"})),
        ("PATCH", "organization".into(), json!({"name": ""})),
    ];
    let taken: Vec<&str> = cases
        .iter()
        .filter(|(method, path, body)| {
            let path = format!("/api/v1/{path}");
            call(&edge, method, &path, &machine, body.to_string().as_bytes()).status < 400
        })
        .map(|(_, path, _)| path.as_str())
        .collect();
    // A machine key has no name, and what a session is not asked for is not read.
    assert!(taken.iter().all(|path| ["machine-keys", "connections"].contains(path)), "{taken:?}");
    for query in [
        "events?cursor=x",
        "events?limit=0",
        "stats?days=0",
        "usage?month=x",
        "connections?health=x",
    ] {
        is_refused(&edge, "GET", query, &machine, "");
    }
}
