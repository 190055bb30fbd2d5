//! A workspace that moves: what is exported from one installation and imported into another is the
//! same configuration and history.

use posthorn::domain::base::time::MINUTE_MS;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge, Reply};
use crate::tenant::{Answered, Tenant, call, params, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";

/// The whole history of a workspace, page by page.
fn history(edge: &Edge, tenant: &Tenant, limit: usize) -> Vec<Value> {
    let path = format!("/api/v1/workspaces/{}/history?limit={limit}", tenant.workspace);
    let (mut records, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = tenant.get(edge, &format!("{path}{cursor}"));
        records.extend(page["records"].as_array().expect("a list").iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return records,
        }
    }
}

fn import(edge: &Edge, tenant: &Tenant, body: &Value) -> Answered {
    let path = format!("/api/v1/workspaces/{}/history", tenant.workspace);
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let headers = [("authorization", bearer.as_str())];
    call(edge, "POST", &path, &headers, body.to_string().as_bytes())
}

/// The same with the names that it has in the other installation. What was sent stays as it was.
fn renamed(value: &Value, names: &[(&str, &str)]) -> Value {
    match value {
        Value::String(text) => {
            json!(names.iter().find(|(from, _)| from == text).map_or(text.as_str(), |(_, to)| to))
        }
        Value::Array(items) => items.iter().map(|one| renamed(one, names)).collect(),
        Value::Object(fields) => {
            let field = |(key, one): (&String, &Value)| (key.clone(), renamed(one, names));
            Value::Object(fields.iter().map(field).collect())
        }
        other => other.clone(),
    }
}

#[test]
fn a_history_that_was_moved_is_the_same_there() {
    let (here, there) = (Edge::new(), Edge::new());
    let tenant = Tenant::new(&here, "Acme");
    let schedule = json!({"url": URL, "retry_schedule_seconds": [1]});
    let (connection, rule) = tenant.route(&here, "order.*", schedule.clone());
    here.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }).body("fine"));
    for payload in [r#"{"n": 1.0}"#.to_owned(), format!(r#"{{"long":"{}"}}"#, "x".repeat(3_000))] {
        let event = format!(
            r#"{{"event":"order.made","resource":"order","resource_id":"7","payload":{payload}}}"#
        );
        assert_eq!(tenant.emit_text(&here, &event).status, 201);
        here.run_for(2 * MINUTE_MS);
    }
    let path = format!("/api/v1/connections/{connection}/test");
    assert_eq!(tenant.call(&here, "POST", &path, &json!({})).status, 201);
    here.run_for(MINUTE_MS);
    // Somebody else has a workspace there already: numbers differ.
    Tenant::new(&there, "Other");
    let moved = Tenant::new(&there, "Moved");
    let (new_connection, new_rule) = moved.route(&there, "order.*", schedule);
    let records = history(&here, &tenant, 2);
    assert_eq!((records.len(), history(&here, &tenant, 20)), (3, records.clone()));
    let connections = json!({connection.clone(): new_connection.clone()});
    let rules = json!({rule.clone(): new_rule.clone()});
    let body = json!({"events": records, "connections": connections, "rules": rules});
    for _ in 0..2 {
        let answer = import(&there, &moved, &body);
        assert_eq!(answer.json(), json!({"events": 3, "left_out": 0}), "{}", answer.text);
    }
    let again = history(&there, &moved, 20);
    let mut names = vec![(connection.as_str(), new_connection.as_str()), (&rule, &new_rule)];
    let ids: Vec<(String, String)> =
        records.iter().zip(&again).map(|(a, b)| (text(a, "/id"), text(b, "/id"))).collect();
    names.extend(ids.iter().map(|(a, b)| (a.as_str(), b.as_str())));
    let test_rules = |all: &[Value]| text(&all[2], "/fan_out/0/r");
    let (test_rule, new_test_rule) = (test_rules(&records), test_rules(&again));
    names.push((&test_rule, &new_test_rule));
    assert_eq!(again, records.iter().map(|one| renamed(one, &names)).collect::<Vec<_>>());
    assert_eq!(text(&again[0], "/payload"), r#"{"n": 1.0}"#);
    // The API and the page show it as they show what happened there.
    let (was, is) = (&ids[0].0, &ids[0].1);
    let outcomes = |edge: &Edge, tenant: &Tenant, event: &str, rule: &str| {
        let attempts = tenant.attempts(edge, event, rule);
        attempts.iter().map(|one| (one["outcome"].clone(), one["number"].clone())).collect()
    };
    let before: Vec<_> = outcomes(&here, &tenant, was, &rule);
    assert_eq!(before.len(), 2, "it failed once");
    let after: Vec<_> = outcomes(&there, &moved, is, &new_rule);
    assert_eq!(after, before);
    let page = Visitor::new(&there, &moved, json!({})).get(&there, &format!("events/{is}"));
    assert_eq!(page.status, 200);
    there.run_for(10 * MINUTE_MS);
    assert!(there.receivers.seen(URL).is_empty(), "nothing is sent again");
}

#[test]
fn what_is_owed_here_is_owed_here_alone_and_what_is_gone_is_left_out() {
    let (here, there) = (Edge::new(), Edge::new());
    let tenant = Tenant::new(&here, "Acme");
    let (connection, rule) = tenant.route(&here, "x", json!({"url": URL}));
    let (gone, gone_rule) = tenant.route(&here, "x", json!({"url": URL}));
    here.receivers.script(URL, |_| Reply::status(500));
    tenant.emit(&here, "x");
    here.run_for(1_000);
    let records = history(&here, &tenant, 20);
    let moved = Tenant::new(&there, "Moved");
    let (new_connection, new_rule) = moved.route(&there, "x", json!({"url": URL}));
    let body = json!({"events": records, "connections": {connection: new_connection, gone: "x"},
        "rules": {rule: new_rule, gone_rule: "x"}});
    let answer = import(&there, &moved, &body);
    assert_eq!(answer.json(), json!({"events": 1, "left_out": 1}), "{}", answer.text);
    let event = text(&history(&there, &moved, 20)[0], "/id");
    let delivery = moved.delivery(&there, &event);
    assert_eq!((&delivery["status"], &delivery["attempt_count"]), (&json!("canceled"), &json!(1)));
    let changed = |key: &str, value: Value| {
        let mut wrong = records[0].clone();
        wrong[key] = value;
        json!({"events": [wrong]})
    };
    let bad_record = json!([{"connection": "c", "rule": 1, "state": "delivered", "attempts": 1,
        "created_at_ms": 1, "first_attempt": "x"}]);
    for wrong in [
        json!({}),
        json!({"events": [{"id": "x"}]}),
        changed("id", json!("00000000-0000-4000-8000-000000000000")),
        changed("event", json!(" ")),
        changed("payload", json!("[1]")),
        changed("deliveries", bad_record),
    ] {
        let answer = import(&there, &moved, &wrong);
        assert_eq!((answer.status, params(&answer.json())), (400, vec!["events"]), "{wrong}");
    }
    let nowhere = Tenant { workspace: "00000000-0000-4000-8000-000000000000".into(), ..moved };
    assert_eq!(import(&there, &nowhere, &json!({"events": []})).status, 404);
}

#[test]
fn an_imported_connection_says_on_its_page_what_it_needs() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let path = format!("/api/v1/connections/{connection}/deactivate");
    assert_eq!(tenant.call(&edge, "POST", &path, &json!({"reason": "gone"})).status, 400);
    let missing = json!({"reason": "secrets_missing"});
    let shown = tenant.call(&edge, "POST", &path, &missing).json();
    assert_eq!(shown["inactive_detail"], "secrets_missing", "{shown}");
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    let page = visitor.get(&edge, &format!("connections/{connection}"));
    assert!(page.text.contains("moved here without its secrets"), "{}", page.text);
}
