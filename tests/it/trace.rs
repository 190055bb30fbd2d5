//! W3C Trace Context: what an emit says of its trace goes on to every receiver, and nothing else.

use serde_json::json;

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, call};

const URL: &str = "https://hooks.example.com/a";
const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

fn emit(edge: &Edge, tenant: &Tenant, path: &str, body: &str, traceparent: &str) {
    let headers = [
        ("x-meshes-publishable-key", tenant.publishable_key.as_str()),
        ("traceparent", traceparent),
        ("tracestate", "vendor=secret"),
        ("baggage", "user=7"),
    ];
    let answer = call(edge, "POST", path, &headers, body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// The values of a header in what was sent, attempt by attempt.
fn sent(edge: &Edge, name: &str) -> Vec<String> {
    edge.receivers.seen(URL).iter().map(|seen| seen.header(name).to_owned()).collect()
}

#[test]
fn receivers_are_told_the_trace_with_a_new_parent_at_each_attempt() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL, "retry_schedule_seconds": [5]}));
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let given = format!("00-{ID}-00f067aa0ba902b7-01");
    emit(&edge, &tenant, "/api/v1/events", r#"{"event":"x","payload":{}}"#, &given);
    edge.run_for(60_000);
    let bulk = r#"[{"event":"x","payload":{}},{"event":"x","payload":{}}]"#;
    emit(&edge, &tenant, "/api/v1/events/bulk", bulk, &given);
    edge.run_for(60_000);
    let mut told = sent(&edge, "traceparent");
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told.iter().all(|one| one.starts_with(&format!("00-{ID}-")) && one.len() == 55));
    told.push(given);
    told.sort_unstable();
    told.dedup();
    assert_eq!(told.len(), 5, "each has a parent of its own");
    for name in ["tracestate", "baggage"] {
        assert!(sent(&edge, name).iter().all(String::is_empty), "{name} is not passed on");
    }
    let lines = edge.lines.borrow();
    let attempts: Vec<_> = lines.iter().filter(|line| line["at"] == "attempt").collect();
    assert!(attempts.iter().all(|line| line["trace_id"] == ID), "{attempts:?}");
}

#[test]
fn what_is_malformed_is_ignored_and_an_organization_can_keep_its_traces() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let body = r#"{"event":"x","payload":{}}"#;
    let zeros = format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32));
    for malformed in ["", "x", &zeros, &format!("00-{ID}-00f067aa0ba902b7-01-more")] {
        emit(&edge, &tenant, "/api/v1/events", body, malformed);
    }
    let off = json!({"trace_context": false});
    let changed = tenant.call(&edge, "PATCH", "/api/v1/organization", &off);
    assert_eq!((changed.status, &changed.json()["trace_context"]), (200, &json!(false)));
    emit(&edge, &tenant, "/api/v1/events", body, &format!("00-{ID}-00f067aa0ba902b7-01"));
    edge.run_for(60_000);
    assert_eq!(sent(&edge, "traceparent"), vec![String::new(); 5]);
    assert_eq!(edge.logs[0].ask("select count(*) from events where trace is not null"), [json!(0)]);
}

#[test]
fn a_customers_own_header_wins() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let own = json!([{"name": "traceparent", "value": "their-own"}]);
    tenant.route(&edge, "x", json!({"url": URL, "custom_headers": own}));
    let given = format!("00-{ID}-00f067aa0ba902b7-01");
    emit(&edge, &tenant, "/api/v1/events", r#"{"event":"x","payload":{}}"#, &given);
    edge.run_for(60_000);
    assert_eq!(sent(&edge, "traceparent"), ["their-own"]);
}
