//! How many bytes an event leaves behind: rows stay short enough for their pages.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

const URL: &str = "https://hooks.example.com/webhooks/incoming";
/// Events of a measurement.
const EVENTS: usize = 500;

/// An answer as servers give it: twelve headers and 200 bytes.
fn answer() -> Reply {
    [
        ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
        ("content-type", "application/json; charset=utf-8"),
        ("content-length", "200"),
        ("connection", "keep-alive"),
        ("server", "cloudflare"),
        ("x-request-id", "0f8fad5b-d9cb-469f-a165-70867728950e"),
        ("etag", "W/\"c8-2Zk8c3XyM7j3JY0bYcQ7mXkqH0Q\""),
        ("vary", "Accept-Encoding"),
        ("cache-control", "no-store"),
        ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ("x-content-type-options", "nosniff"),
        ("set-cookie", "session=4d2f; Path=/; HttpOnly"),
    ]
    .into_iter()
    .fold(Reply::status(200), |reply, (name, value)| reply.header(name, value))
    .body(&"b".repeat(200))
}

fn number(edge: &Edge, sql: &str) -> i64 {
    edge.logs[0].ask(sql)[0].as_i64().expect("a number")
}

#[test]
fn an_event_of_200_bytes_with_an_answer_of_200_leaves_at_most_1500_bytes() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(URL, |_| answer());
    let (_, rule) = tenant.route(&edge, "order.completed", json!({"url": URL}));
    let payload = json!({"text": "p".repeat(200 - r#"{"text":""}"#.len())});
    let event = json!({"event": "order.completed", "resource": "order", "resource_id": "4711",
        "payload": payload});
    let mut last = String::new();
    for _ in 0..EVENTS {
        let emitted = tenant.emit_text(&edge, &event.to_string());
        assert_eq!(emitted.status, 201, "{}", emitted.text);
        last = crate::tenant::text(&emitted.json(), "/event/id");
        edge.run_for(1_000);
    }
    let events = i64::try_from(EVENTS).expect("few");
    for table in ["events", "deliveries"] {
        assert_eq!(number(&edge, &format!("select count(*) from {table}")), events);
    }
    for table in ["payloads", "attempts"] {
        assert_eq!(number(&edge, &format!("select count(*) from {table}")), 0, "{table}");
    }
    let texts = "select sum(length(payload) + length(fan_out) + length(name) \
                   + length(created_by) + 100) from events";
    let records = "select sum(length(first_attempt) + 200) from deliveries";
    let bytes = (number(&edge, texts) + number(&edge, records)) / events;
    assert!(bytes <= 1_500, "{bytes} bytes for one event");
    // What is shown is what was sent and answered.
    let attempt = &tenant.attempts(&edge, &last, &rule)[0];
    let headers = attempt["request"]["headers"].as_array().expect("headers");
    let value = |name: &str| {
        let found = headers.iter().find(|header| header["name"] == name);
        found.map_or(Value::Null, |header| header["value"].clone())
    };
    let seen = edge.receivers.seen(URL);
    let seen = seen.last().expect("a request");
    for (name, sent) in
        &seen.request.headers.iter().map(|h| (&h.name, &h.value)).collect::<Vec<_>>()
    {
        assert_eq!(value(name), json!(sent), "{name}");
    }
    let path = format!("/api/v1/events/{last}/rules/{rule}/attempts/1/response-details");
    let shown = tenant.get(&edge, &path);
    let names: Vec<&str> = shown["headers"]
        .as_array()
        .expect("headers")
        .iter()
        .map(|header| header["name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["date", "content-type", "content-length", "server", "x-request-id"]);
    assert_eq!(shown["body"], json!("b".repeat(200)));
}
