//! Test events: to one connection, marked, at once and once.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";

#[test]
fn a_test_event_goes_to_its_connection_only_and_is_marked() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "posthorn.test", json!({"url": URL}));
    tenant.route(&edge, "posthorn.test", json!({"url": "https://hooks.example.com/other"}));
    let path = format!("/api/v1/connections/{connection}/test");
    let sent = tenant.post(&edge, &path, &Value::Null);
    assert_eq!(sent["event"]["test"], true);
    edge.run_for(60_000);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), 1);
    assert!(seen.iter().all(|seen| seen.header("posthorn-test") == "true"));
    assert!(seen[0].header("webhook-id").ends_with("00000000"), "rule number 0");
    assert_eq!(edge.receivers.seen("https://hooks.example.com/other").len(), 0);
    let event = text(&sent, "/event/id");
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!(delivery["status"], "completed");
    let rule = text(&delivery, "/rule");
    assert_eq!(tenant.attempts(&edge, &event, &rule).len(), 1);
    let names = edge.logs[0].ask("select count(*) from names_seen");
    assert_eq!(names, [json!(0)], "it is no event of the workspace's own");
}

#[test]
fn a_test_event_takes_its_example_from_the_catalogue() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let example = "{ \"total\":1.0,\"a\":1e400 }";
    let listed = json!({"label": "Order completed", "example": example});
    let put = tenant.call(&edge, "PUT", "/api/v1/event-types/order.completed", &listed);
    assert_eq!((put.status, &put.json()["example"]), (200, &json!(example)));
    let path = format!("/api/v1/connections/{connection}/test");
    for body in [
        json!({"event": "order.completed"}),
        json!({"event": "order.completed", "payload": {"b": 2}}),
        json!({"event": "unlisted"}),
    ] {
        tenant.post(&edge, &path, &body);
        edge.run_for(1);
    }
    edge.run_for(1_000);
    let seen = edge.receivers.seen(URL);
    let bodies: Vec<_> = seen.iter().map(|s| String::from_utf8_lossy(&s.request.body)).collect();
    let fallback = "{\"message\":\"This is a test event.\"}";
    assert_eq!(bodies, [example, "{\"b\":2}", fallback], "the example's exact bytes");
}

#[test]
fn a_test_event_carries_the_exact_payload_that_was_given() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/api/v1/connections/{connection}/test");
    let send = |body: &str| call(&edge, "POST", &path, &headers, body.as_bytes());
    let payload = "{ \"b\":1.0,\"a\":1e400, \"a\":2 }";
    let body = format!("{{\"event\":\"order.completed\",\"payload\":{payload}}}");
    assert_eq!(send(&body).status, 201);
    edge.run_for(1_000);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen[0].request.body, payload.as_bytes());
    assert_eq!(seen[0].header("posthorn-event"), "order.completed");
    for (body, param) in [("{\"event\":\" x\"}", "event"), ("{\"payload\":[1]}", "payload")] {
        let answer = send(body);
        let named = &answer.json()["error"]["data"][0]["param"];
        assert_eq!((answer.status, named), (400, &json!(param)), "{body}");
    }
}

fn test(edge: &Edge, tenant: &Tenant, connection: &str) -> String {
    let path = format!("/api/v1/connections/{connection}/test");
    text(&tenant.post(edge, &path, &Value::Null), "/event/id")
}

#[test]
fn a_test_event_that_fails_is_not_repeated_and_counts_for_nothing_else() {
    for status in [500, 410, 401, 429] {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
        edge.receivers.script(URL, move |_| Reply::status(status));
        let events: Vec<String> = (0..7).map(|_| test(&edge, &tenant, &connection)).collect();
        edge.run_for(24 * 60 * 60_000);
        assert_eq!(edge.receivers.count(URL), 7, "{status}: each once");
        for event in &events {
            assert_eq!(tenant.delivery(&edge, event)["status"], "failed", "{status}");
        }
        let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
        assert_eq!(shown["active"], true, "{status}");
        assert_eq!(edge.logs[0].ask("select count(*) from lanes"), [json!(0)], "{status}");
        // A person may send it once more: that is one attempt, too.
        let rule = text(&tenant.delivery(&edge, &events[0]), "/rule");
        let path = format!("/api/v1/events/{}/rules/{rule}/retry", events[0]);
        tenant.call(&edge, "POST", &path, &Value::Null);
        edge.run_for(24 * 60 * 60_000);
        assert_eq!(edge.receivers.count(URL), 8, "{status}");
    }
}

#[test]
fn a_test_event_waits_neither_for_the_breaker_nor_in_a_strict_line() {
    for settings in [
        json!({"url": URL}),
        json!({"url": URL, "ordering": "strict"}),
        json!({"url": URL, "max_in_flight": 1}),
        json!({"url": URL, "max_per_second": 1}),
    ] {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let (connection, _) = tenant.route(&edge, "x", settings.clone());
        edge.receivers.script(URL, |n| Reply::status(if n < 30 { 500 } else { 200 }));
        (0..9).for_each(|_| drop(tenant.emit(&edge, "x")));
        edge.run_for(5 * 60_000);
        let (before, tests) = (edge.receivers.count(URL), 3);
        let events: Vec<String> = (0..tests).map(|_| test(&edge, &tenant, &connection)).collect();
        edge.run_for(2_900);
        let seen = edge.receivers.seen(URL);
        let sent: Vec<i64> = seen[before..]
            .iter()
            .filter(|one| events.iter().any(|event| one.header("posthorn-event-id") == event))
            .map(|one| one.at_ms)
            .collect();
        assert_eq!(sent.len(), tests, "{settings}: at once");
        if settings.get("max_per_second").is_some() {
            assert!(sent[1] - sent[0] >= 1_000 && sent[2] - sent[1] >= 1_000, "the pace holds");
        }
    }
}
