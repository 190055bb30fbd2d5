//! What an operator is told of how the installation does.

use posthorn::api::health::{CONTROL_SCHEMA, LOG_SCHEMA};
use posthorn::domain::base::time::MINUTE_MS;
use serde_json::{Value, json};

use crate::edge::state::migrations;
use crate::edge::{ADMIN_TOKEN, Edge, Reply};
use crate::tenant::{Tenant, call};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";

fn ask(edge: &Edge, path: &str) -> String {
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let answer = call(edge, "GET", path, &[("authorization", &bearer)], b"");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.text
}

pub fn health(edge: &Edge) -> Value {
    serde_json::from_str(&ask(edge, "/health")).expect("JSON")
}

#[test]
fn what_is_owed_and_how_late_it_is() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    edge.run_for(MINUTE_MS);
    let nothing = json!([{"shard": 0, "open": 0, "oldest_overdue_seconds": 0,
        "queue_lag_seconds": 0}]);
    assert_eq!(health(&edge)["deliveries"], nothing);
    // The queue stands still.
    edge.queue.refuses.set(true);
    tenant.emit(&edge, "x");
    edge.advance_to(posthorn::ports::Clock::now_ms(&edge) + 90_000);
    let late = json!([{"shard": 0, "open": 1, "oldest_overdue_seconds": 90,
        "queue_lag_seconds": 90}]);
    assert_eq!(health(&edge)["deliveries"], late);
    let metrics = ask(&edge, "/metrics");
    for line in [
        "# TYPE posthorn_queue_lag_seconds gauge",
        "posthorn_queue_lag_seconds{shard=\"0\"} 90",
        "posthorn_oldest_overdue_seconds{shard=\"0\"} 90",
        "posthorn_open_deliveries{shard=\"0\"} 1",
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}: {metrics}");
    }
    assert!(metrics.contains("posthorn_storage_bytes{shard=\"0\"} "), "{metrics}");
    assert!(metrics.contains("posthorn_build_info{version=\""), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

#[test]
fn a_strict_line_behind_a_failing_head_is_overdue_and_no_lag_of_the_queue() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL, "ordering": "strict"}));
    edge.receivers.script(URL, |_| Reply::status(500));
    (0..3).for_each(|_| drop(tenant.emit(&edge, "x")));
    edge.run_for(10 * MINUTE_MS);
    let shown = health(&edge)["deliveries"][0].clone();
    assert_eq!((&shown["open"], &shown["queue_lag_seconds"]), (&json!(3), &json!(0)), "{shown}");
    assert!(shown["oldest_overdue_seconds"].as_i64() > Some(0), "{shown}");
}

#[test]
fn the_public_is_told_version_schema_and_notice_alone() {
    let edge = Edge::with_settings(|settings| settings.notice = Some("Slow <today>".to_owned()));
    let shown = call(&edge, "GET", "/health", &[], b"").json();
    let expected = json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"),
        "notice": "Slow <today>", "schema": {"control": CONTROL_SCHEMA, "log": LOG_SCHEMA}});
    assert_eq!(shown, expected);
    assert_eq!(call(&edge, "GET", "/metrics", &[], b"").status, 401);
    let tenant = Tenant::new(&edge, "Acme");
    let page = Visitor::new(&edge, &tenant, json!({})).get(&edge, "connections");
    assert!(page.text.contains("Slow &lt;today&gt;"), "{}", page.text);
}

#[test]
fn the_schema_is_that_of_the_newest_migrations() {
    for (kind, schema) in [("control", CONTROL_SCHEMA), ("log", LOG_SCHEMA)] {
        let newest = migrations(kind).pop().expect("a migration");
        assert_eq!(newest, format!("{schema}.sql"), "{kind}");
    }
}
