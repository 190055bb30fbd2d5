//! The history of events: its filters, its pages, and why a rule did not match.

use posthorn::domain::base::limits::LIST_READS_MAX;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

const URL: &str = "https://hooks.example.com/a";

#[test]
fn events_are_filtered_and_every_page_goes_on() {
    let edge = &Edge::new();
    let tenant = &Tenant::new(edge, "Acme");
    tenant.route(edge, "x", json!({"url": URL, "retry_schedule_seconds": [1]}));
    // Few events are about the order 7; those fail and die. There are more of the others than a
    // page may read.
    edge.receivers.script(URL, |_| Reply::status(500));
    let mut failed = Vec::new();
    for index in 0..LIST_READS_MAX + 600 {
        let is_seven = index % 900 == 0 || index < 4;
        let (name, id) = if is_seven { ("x", "7") } else { ("y", "8") };
        let body = json!({"event": name, "resource": "order", "resource_id": id, "payload": {}});
        let answer = tenant.emit_text(edge, &body.to_string()).json();
        if name == "x" {
            failed.push(answer["event"]["id"].clone());
        }
        edge.run_for(1);
    }
    // The breaker lets one probe through at a time.
    edge.run_for(3_600_000);
    failed.reverse();
    for query in ["status=failed", "event=x", "resource_id=7", "event=x&status=failed"] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        for _ in 0..50 {
            let path =
                format!("/api/v1/workspaces/{}/events?limit=3&{query}{cursor}", tenant.workspace);
            let page = tenant.get(edge, &path);
            let records = page["records"].as_array().expect("a list");
            assert!(records.len() <= 3);
            found.extend(records.iter().map(|record| record["id"].clone()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, failed, "{query}");
    }
    let path = format!("/api/v1/workspaces/{}/events?status=given_up", tenant.workspace);
    assert_eq!(tenant.call(edge, "GET", &path, &Value::Null).status, 400);
}

#[test]
fn a_rule_that_did_not_match_says_why() {
    let edge = &Edge::new();
    let tenant = &Tenant::new(edge, "Acme");
    let (connection, _) = tenant.route(edge, "x", json!({"url": URL}));
    let rule = |more: Value| {
        let mut body = json!({"workspace": tenant.workspace, "connection": connection,
            "event": "x", "metadata": {"action": "send_webhook"}});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        tenant.post(edge, "/api/v1/rules", &body)["rule"]["id"].clone()
    };
    let expected = json!([
        {"rule": rule(json!({"active": false})), "reason": "inactive"},
        {"rule": rule(json!({"resource": "invoice"})), "reason": "resource"},
        {"rule": rule(json!({"resource": "order", "resource_id": "8"})), "reason": "resource_id"},
    ]);
    let body = json!({"event": "x", "resource": "order", "resource_id": "7", "payload": {}});
    let event = tenant.emit_text(edge, &body.to_string()).json();
    let id = event["event"]["id"].as_str().expect("an id").to_owned();
    let found = tenant.get(edge, &format!("/api/v1/events/{id}"));
    assert_eq!(found["rule_events"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["unmatched_rules"], expected);
}
