//! Inactive connections: what they owe is held and never dropped, and goes on in order.

use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Reply};
use crate::tenant::{Answered, Tenant, text};

const URL: &str = "https://hooks.example.com/a";
const MINUTE_MS: i64 = 60_000;

fn tenant(edge: &Edge) -> (Tenant, String) {
    let tenant = Tenant::new(edge, "Acme");
    let (connection, _) = tenant.route(edge, "x", json!({"url": URL}));
    (tenant, connection)
}

fn act(edge: &Edge, tenant: &Tenant, connection: &str, action: &str, body: Value) -> Answered {
    tenant.call(edge, "POST", &format!("/api/v1/connections/{connection}/{action}"), &body)
}

/// Status and `held` of an event's delivery.
fn state(edge: &Edge, tenant: &Tenant, event: &str) -> (String, bool) {
    let delivery = tenant.delivery(edge, event);
    (text(&delivery, "/status"), delivery["held"] == json!(true))
}

#[test]
fn pausing_holds_and_activating_delivers_in_order() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    // One that failed, one that is owed, and then those that come while it is inactive.
    let retrying = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let owed = tenant.emit(&edge, "x");
    let paused = act(&edge, &tenant, &connection, "deactivate", json!({})).json();
    assert_eq!((&paused["active"], &paused["inactive_detail"]), (&json!(false), &json!("paused")));
    let sent = edge.queue.sent.get();
    let mut events = vec![retrying, owed];
    // In different milliseconds: an event id has no finer time.
    events.extend((0..5).map(|_| {
        edge.run_for(1);
        tenant.emit(&edge, "x")
    }));
    assert_eq!(edge.queue.sent.get(), sent, "a held delivery has no wake-up");
    edge.run_for(100 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 1, "nothing goes out");
    for event in &events {
        assert_eq!(state(&edge, &tenant, event), ("pending".to_owned(), true));
    }
    let active = act(&edge, &tenant, &connection, "activate", json!({})).json();
    assert_eq!((&active["active"], &active["inactive_detail"]), (&json!(true), &Value::Null));
    edge.run_for(1_000);
    let seen = edge.receivers.seen(URL);
    let order: Vec<_> = seen[1..].iter().map(|s| s.header("posthorn-event-id")).collect();
    assert_eq!(order, events, "oldest first, each once");
    for event in &events {
        assert_eq!(state(&edge, &tenant, event), ("completed".to_owned(), false));
    }
}

#[test]
fn what_was_held_can_be_canceled() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    act(&edge, &tenant, &connection, "deactivate", json!({}));
    let event = tenant.emit(&edge, "x");
    act(&edge, &tenant, &connection, "activate", json!({"held": "cancel"}));
    let later = tenant.emit(&edge, "x");
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(state(&edge, &tenant, &event).0, "canceled");
    assert_eq!(state(&edge, &tenant, &later).0, "completed");
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    let answer = act(&edge, &tenant, &connection, "activate", json!({"held": "drop"}));
    assert_eq!((answer.status, &answer.json()["error"]["data"][0]["param"]), (400, &json!("held")));
}

#[test]
fn an_endpoint_that_is_gone_becomes_inactive() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 410 } else { 200 }));
    let gone = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    assert_eq!(shown["inactive_detail"], "endpoint_gone");
    let held = tenant.emit(&edge, "x");
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(state(&edge, &tenant, &gone), ("failed".to_owned(), false));
    assert_eq!(state(&edge, &tenant, &held), ("pending".to_owned(), true));
    act(&edge, &tenant, &connection, "activate", json!({}));
    edge.run_for(1_000);
    assert_eq!(state(&edge, &tenant, &held), ("completed".to_owned(), false));
    assert_eq!(state(&edge, &tenant, &gone).0, "failed", "the failed stay failed");
}

#[test]
fn a_hold_that_was_stored_too_late_is_released_by_the_sweeper() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    act(&edge, &tenant, &connection, "deactivate", json!({}));
    let event = tenant.emit(&edge, "x");
    // It is activated, and the release is lost between the two databases.
    edge.logs[0].fail_next(&[Some(Fault::Before)]);
    assert_eq!(act(&edge, &tenant, &connection, "activate", json!({})).status, 503);
    let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    assert_eq!(shown["active"], true);
    edge.run_for(2 * MINUTE_MS);
    assert_eq!(state(&edge, &tenant, &event).0, "completed");
}

#[test]
fn a_pause_that_only_control_knows_holds_as_well() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    let event = tenant.emit(&edge, "x");
    edge.logs[0].fail_next(&[Some(Fault::Before)]);
    assert_eq!(act(&edge, &tenant, &connection, "deactivate", json!({})).status, 503);
    edge.run_for(1_000);
    assert_eq!(state(&edge, &tenant, &event), ("pending".to_owned(), true));
    assert_eq!(edge.receivers.seen(URL).len(), 0);
}

#[test]
fn an_attempt_that_ends_after_its_connection_was_paused_counts() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }).after(5_000));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    act(&edge, &tenant, &connection, "deactivate", json!({}));
    edge.run_for(10_000);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!((&delivery["attempt_count"], &delivery["held"]), (&json!(1), &json!(true)));
    act(&edge, &tenant, &connection, "activate", json!({}));
    edge.run_for(MINUTE_MS);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!((&delivery["attempt_count"], &delivery["status"]), (&json!(2), &json!("completed")));
    assert_eq!(edge.receivers.seen(URL).len(), 2);
}

#[test]
fn deleting_an_inactive_connection_cancels_what_it_held() {
    let edge = Edge::new();
    let (tenant, connection) = tenant(&edge);
    act(&edge, &tenant, &connection, "deactivate", json!({}));
    let event = tenant.emit(&edge, "x");
    let force = json!({"force_delete": true});
    tenant.call(&edge, "DELETE", &format!("/api/v1/connections/{connection}"), &force);
    edge.run_for(2 * MINUTE_MS);
    assert_eq!(state(&edge, &tenant, &event).0, "canceled");
}
