//! Accepting events: once answered 201 nothing is lost, whatever fails meanwhile.

use posthorn::domain::base::limits::NAMES_KNOWN_MS;
use posthorn::ports::Clock;
use serde_json::json;

use crate::edge::{Edge, Fault};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const MINUTE_MS: i64 = 60_000;

fn tenant(edge: &Edge) -> Tenant {
    let tenant = Tenant::new(edge, "Acme");
    tenant.route(edge, "order.completed", json!({"url": URL}));
    tenant
}

#[test]
fn an_emit_is_one_read_one_batch_and_one_send() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    tenant.route(&edge, "order.completed", json!({"url": "https://hooks.example.com/b"}));
    let before = (edge.control.round_trips.get(), edge.logs[0].round_trips.get());
    let sent = edge.queue.sent.get();
    tenant.emit(&edge, "order.completed");
    let after = (edge.control.round_trips.get(), edge.logs[0].round_trips.get());
    assert_eq!((after.0 - before.0, after.1 - before.1), (1, 1));
    assert_eq!(edge.queue.sent.get() - sent, 1, "one message for both deliveries");
}

#[test]
fn a_name_is_stored_again_only_when_it_is_not_known_to_be() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let count = || edge.logs[0].ask("select count(*) from names_seen")[0].clone();
    let forget = || edge.logs[0].execute("delete from names_seen");
    let body = json!({"event": "order.completed", "resource": "order", "payload": {}}).to_string();
    let emit = |headers: &[(&str, &str)]| {
        let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
        let headers = [&[key], headers].concat();
        call(&edge, "POST", "/api/v1/events", &headers, body.as_bytes()).status
    };
    // Of what was not stored, or perhaps not, nothing is known.
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    assert_eq!((emit(&[]), count()), (503, json!(0)));
    assert_eq!((emit(&[("idempotency-key", "a")]), count()), (201, json!(2)));
    forget();
    assert_eq!((emit(&[]), count()), (201, json!(2)));
    forget();
    assert_eq!((emit(&[]), count()), (201, json!(0)), "it is taken for granted");
    edge.block_on(edge.sleep_ms(NAMES_KNOWN_MS));
    assert_eq!((emit(&[]), count()), (201, json!(2)), "for an hour");
}

#[test]
fn an_unknown_result_is_repeated_with_the_same_ids() {
    for fault in [Fault::Before, Fault::After] {
        let edge = Edge::new();
        let tenant = tenant(&edge);
        edge.logs[0].fail_next(&[Some(fault)]);
        let large = json!({"event": "order.completed", "payload": {"text": "x".repeat(5_000)}});
        assert_eq!(tenant.emit_text(&edge, &large.to_string()).status, 201, "{fault:?}");
        for table in ["events", "deliveries", "payloads"] {
            let count = edge.logs[0].ask(&format!("select count(*) from {table}"));
            assert_eq!(count, [json!(1)], "{table} after {fault:?}");
        }
        edge.run_for(MINUTE_MS);
        assert_eq!(edge.receivers.seen(URL).len(), 1);
    }
}

#[test]
fn a_database_that_stays_away_is_told_and_nothing_is_half_done() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let answer = tenant.emit_text(&edge, r#"{"event":"order.completed","payload":{"a":1}}"#);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "5");
    assert!(!answer.text.contains("failed before"), "inner text is for the log: {}", answer.text);
    assert!(edge.lines.borrow().iter().any(|l| l["detail"].to_string().contains("failed before")));
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 0);
}

#[test]
fn a_lost_wake_up_is_the_sweepers() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    edge.queue.refuses.set(true);
    let event = tenant.emit(&edge, "order.completed");
    edge.queue.refuses.set(false);
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
}

#[test]
fn a_bulk_takes_each_event_by_itself() {
    let edge = Edge::with_shards(2);
    let acme = tenant(&edge);
    let second = acme.post(&edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let second = text(&second, "/workspace/id");
    let other = Tenant::new(&edge, "Other");
    let event = |workspace: &str| {
        let payload = json!({"a": 1});
        json!({"workspace": workspace, "event": "order.completed", "payload": payload})
    };
    let bulk = json!([
        event(&acme.workspace),
        {"workspace": acme.workspace, "event": " x ", "payload": {}},
        event(&other.workspace),
        event(&second),
        {"event": "order.completed", "payload": {}},
        7,
    ]);
    let answer = acme.call(&edge, "POST", "/api/v1/events/bulk", &bulk);
    let body = answer.json();
    assert_eq!((answer.status, &body["count"], &body["error_count"]), (207, &json!(2), &json!(4)));
    let records = body["records"].as_array().expect("records");
    assert_eq!(records[0]["workspace"], json!(acme.workspace));
    assert_eq!(records[1]["error"]["data"][0]["param"], "event");
    assert_eq!(records[2]["error"]["name"], "not-found");
    assert_eq!(records[3]["workspace"], json!(second));
    assert_eq!(records[4]["error"]["data"][0]["param"], "workspace");
    assert_eq!(records[5]["error"]["name"], "invalid");
    // Two workspaces on two shards, and nothing of the other tenant on either.
    let count = |shard: usize| edge.logs[shard].ask("select count(*) from events");
    assert_eq!((count(0), count(1)), (vec![json!(1)], vec![json!(1)]));
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
}

#[test]
fn one_shard_that_fails_does_not_undo_the_other() {
    let edge = Edge::with_shards(2);
    let acme = tenant(&edge);
    let second = acme.post(&edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let second = text(&second, "/workspace/id");
    let event = |workspace: &str| json!({"workspace": workspace, "event": "x", "payload": {}});
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let bulk = json!([event(&acme.workspace), event(&second)]);
    let answer = acme.call(&edge, "POST", "/api/v1/events/bulk", &bulk);
    let body = answer.json();
    assert_eq!((answer.status, &body["count"]), (207, &json!(1)));
    let failed = body["records"].as_array().expect("records");
    assert_eq!(failed.iter().filter(|r| r["error"]["name"] == "unavailable").count(), 1);
}

#[test]
fn rules_choose_by_event_and_resource() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let rule = |event: &str, resource: Option<&str>, active: bool| {
        let body = json!({"workspace": tenant.workspace, "connection": connection, "event": event,
            "resource": resource, "active": active,
            "metadata": {"action": "send_webhook", "key": active.to_string()}});
        text(&tenant.post(&edge, "/api/v1/rules", &body), "/rule/id")
    };
    let any = rule("order.completed", None, true);
    let orders = rule("order.completed", Some("order"), true);
    rule("order.completed", Some("cart"), true);
    rule("order.completed", None, false);
    rule("order.canceled", None, true);
    let body = r#"{"event":"order.completed","resource":"order","payload":{}}"#;
    let event = text(&tenant.emit_text(&edge, body).json(), "/event/id");
    let found = tenant.get(&edge, &format!("/api/v1/events/{event}"));
    let owed: Vec<_> =
        found["rule_events"].as_array().expect("a list").iter().map(|r| &r["rule"]).collect();
    assert_eq!(owed, [&json!(any), &json!(orders)]);
    // Two rules on one connection make two deliveries with two message ids.
    edge.run_for(MINUTE_MS);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), 2);
    assert_ne!(seen[0].header("webhook-id"), seen[1].header("webhook-id"));
}

#[test]
fn an_event_is_fanned_out_to_100_rules_at_the_most() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    for _ in 0..100 {
        tenant.rule(&edge, "x", &connection);
    }
    let body = json!({"workspace": tenant.workspace, "connection": connection, "event": "x",
        "metadata": {"action": "send_webhook"}});
    let answer = tenant.call(&edge, "POST", "/api/v1/rules", &body);
    assert_eq!(
        (answer.status, answer.json()["error"]["data"][0]["param"].as_str()),
        (422, Some("event"))
    );
    tenant.emit(&edge, "x");
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 100);
}

#[test]
fn browsers_may_emit_from_anywhere() {
    let edge = Edge::new();
    let asked = [("access-control-request-headers", "x-custom"), ("origin", "https://a.example")];
    let answer = call(&edge, "OPTIONS", "/api/v1/events", &asked, b"");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    let allowed = answer.headers["access-control-allow-headers"].to_str().expect("text");
    for name in ["x-meshes-publishable-key", "idempotency-key", "x-request-id", "x-custom"] {
        assert!(allowed.contains(name), "{allowed}");
    }
    // Also a refusal can be read by the page.
    let refused = call(&edge, "POST", "/api/v1/events", &[], b"{}");
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
    let other = call(&edge, "OPTIONS", "/api/v1/workspaces", &asked, b"");
    assert_eq!(other.status, 405);
    assert!(!other.headers.contains_key("access-control-allow-origin"));
}
