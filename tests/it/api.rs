//! The management API: shapes of answers, bad input by field, lists.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Tenant, call, params, text};

const URL: &str = "https://hooks.example.com/a";

#[test]
fn lists_walk_to_their_end_and_refuse_foreign_cursors() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for n in 0..6 {
        tenant.post(&edge, "/api/v1/workspaces", &json!({"name": format!("Workspace {n}")}));
        let connection = tenant.connection(&edge, json!({"url": URL}));
        tenant.rule(&edge, "x", &connection);
        tenant.emit(&edge, "x");
    }
    let own = format!("/api/v1/workspaces/{}", tenant.workspace);
    for (path, count) in [
        ("/api/v1/workspaces".to_owned(), 7),
        ("/api/v1/connections".to_owned(), 6),
        (format!("{own}/connections"), 6),
        ("/api/v1/rules".to_owned(), 6),
        (format!("{own}/rules"), 6),
        ("/api/v1/events".to_owned(), 6),
        (format!("{own}/events"), 6),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = tenant.get(&edge, &format!("{path}?limit=2{cursor}"));
            assert_eq!(page["limit"], 2);
            let records = page["records"].as_array().expect("records");
            assert_eq!(page["count"], records.len());
            seen.extend(records.iter().map(|record| text(record, "/id")));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            let word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            assert!(cursor["&cursor=".len()..].chars().all(word), "{cursor}");
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (count, count), "{path}");
        for bad in [
            "cursor=x",
            "cursor=W10",
            "cursor=WyJvdGhlciIsIngiXQ",
            "limit=0",
            "limit=201",
            "limit=x",
        ] {
            let answer = tenant.call(&edge, "GET", &format!("{path}?{bad}"), &Value::Null);
            assert_eq!(answer.status, 400, "{path}?{bad}");
        }
    }
}

#[test]
fn patches_change_what_they_name() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let patch = |path: &str, body: Value| tenant.call(&edge, "PATCH", path, &body);
    assert_eq!(patch(&path, json!({"description": "One"})).json()["name"], "Acme");
    assert_eq!(patch(&path, json!({"name": "Renamed"})).json()["description"], "One");
    assert_eq!(params(&patch(&path, json!({"name": "x"})).json()), ["name"]);

    let connection = tenant.connection(&edge, json!({"url": URL}));
    let body = json!({"workspace": tenant.workspace, "connection": connection, "event": "a",
        "resource": "order", "metadata": {"action": "send_webhook"}});
    let rule = text(&tenant.post(&edge, "/api/v1/rules", &body), "/rule/id");
    let path = format!("/api/v1/rules/{rule}");
    let patched = patch(&path, json!({"active": false})).json();
    assert_eq!((&patched["active"], &patched["resource"]), (&json!(false), &json!("order")));
    let emitted = tenant.emit(&edge, "a");
    let found = tenant.get(&edge, &format!("/api/v1/events/{emitted}"));
    assert_eq!(found["rule_events"], json!([]));
    let patched = patch(&path, json!({"event": "b", "resource": null, "active": true})).json();
    assert_eq!((&patched["event"], &patched["resource"]), (&json!("b"), &Value::Null));
    assert_eq!(tenant.delivery(&edge, &tenant.emit(&edge, "b"))["rule"], json!(rule));
    for _ in 0..100 {
        tenant.rule(&edge, "full", &connection);
    }
    assert_eq!(patch(&path, json!({"event": "full"})).status, 422);
    assert_eq!(params(&patch(&path, json!({"event": ""})).json()), ["event"]);
}

#[test]
fn the_front_door() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let event = br#"{"event":"x","payload":{"a":1}}"#;
    let status = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        call(&edge, method, path, headers, body).status
    };
    assert_eq!(status("POST", "/api/v1//events", &key, event), 201);
    assert_eq!(status("POST", "/api/v1/events/?dry_run=true", &key, event), 201);
    assert_eq!(status("POST", "/events", &key, event), 404);
    assert_eq!(status("GET", "/", &[], b""), 404);
    let wrong = call(&edge, "DELETE", "/api/v1/events", &key, b"");
    assert_eq!(
        (wrong.status, &wrong.headers["allow"]),
        (405, &"POST, GET, HEAD".parse().expect("text"))
    );
    let with = |content_type: &'static str| {
        let headers = [key[0], ("content-type", content_type)];
        status("POST", "/api/v1/events", &headers, event)
    };
    assert_eq!(with("application/json; charset=utf-8"), 201);
    assert_eq!(with("application/x-www-form-urlencoded"), 415);
    assert_eq!(status("POST", "/api/v1/events", &key, b"\xff\xfe"), 400);
    assert_eq!(status("POST", "/api/v1/events", &key, &[b' '; 700_000]), 413);
    let id = call(&edge, "POST", "/api/v1/events", &[key[0], ("x-request-id", "r-1")], event);
    assert_eq!(id.headers["x-request-id"], "r-1");
    let id = call(&edge, "POST", "/api/v1/events", &[key[0], ("x-request-id", "a b")], event);
    assert_ne!(id.headers["x-request-id"], "a b");
    assert_eq!(status("GET", "/health", &[], b""), 200);
}
