//! Large payloads: what an isolate holds of them, and who waits for whom.

use serde_json::{Value, json};

use crate::deliver::{MINUTE_MS, URL, tenant};
use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

fn emit_large(edge: &Edge, tenant: &Tenant, event: &str) {
    let body = json!({"event": event, "payload": {"a": "x".repeat(500_000)}}).to_string();
    assert_eq!(tenant.emit_text(edge, &body).status, 201);
}

/// An endpoint to each of which a large payload goes, and which never answers: a number of them.
fn hang_with_large_payloads(edge: &Edge, tenant: &Tenant, endpoints: usize, settings: &Value) {
    for n in 0..endpoints {
        let url = hanging(n);
        edge.receivers.script(&url, |_| Reply::hang());
        let mut metadata = settings.clone();
        metadata["url"] = json!(url);
        tenant.route(edge, "large", metadata);
    }
    emit_large(edge, tenant, "large");
}

fn hanging(n: usize) -> String {
    format!("https://hooks.example.com/hangs/{n}")
}

#[test]
fn large_payloads_are_read_in_slices_and_all_arrive() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    for _ in 0..30 {
        emit_large(&edge, &tenant, "x");
    }
    let reads = edge.logs[0].round_trips.get();
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(URL).len(), 30);
    let reads = edge.logs[0].round_trips.get() - reads;
    assert!(reads >= 4, "15 MB in slices of 4 MiB, and not in one read: {reads}");
}

#[test]
fn large_payloads_under_way_have_a_bound_and_small_ones_pass_by() {
    let both = [(json!({}), 12 << 20), (json!({"ordering": "strict"}), 6 << 20)];
    for (settings, bytes_max) in both {
        let edge = Edge::new();
        let (tenant, _) = tenant(&edge);
        hang_with_large_payloads(&edge, &tenant, 60, &settings);
        edge.run_for(1_000);
        tenant.emit(&edge, "x");
        edge.run_for(1_000);
        assert_eq!(edge.receivers.count(URL), 1, "a small one does not wait for the large ones");
        edge.run_for(5 * MINUTE_MS);
        let most = edge.receivers.waiting_bytes_most();
        assert!(most > bytes_max - 600_000 && most <= bytes_max, "{most} bytes: {settings}");
        for n in 0..60 {
            assert!(edge.receivers.count(&hanging(n)) > 0, "{n}: {settings}");
        }
    }
}

#[test]
fn large_payloads_of_others_go_beside_those_that_hang() {
    let edge = Edge::new();
    let (neighbour, _) = tenant(&edge);
    let hanging = Tenant::new(&edge, "Hanging");
    hang_with_large_payloads(&edge, &hanging, 60, &json!({}));
    edge.run_for(1_000);
    for _ in 0..45 {
        emit_large(&edge, &neighbour, "x");
    }
    edge.run_for(2_000);
    assert_eq!(edge.receivers.count(URL), 45);
}

#[test]
fn large_payloads_without_room_come_again_soon() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    hang_with_large_payloads(&edge, &tenant, 60, &json!({}));
    // What hangs fills the room of its workspace, retries that hang as well.
    edge.run_for(22_000);
    for _ in 0..45 {
        emit_large(&edge, &tenant, "x");
    }
    edge.run_for(15_000);
    assert_eq!(edge.receivers.count(URL), 45);
}

#[test]
fn large_payloads_of_a_slow_receiver_go_beside_retries_that_hang() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(204).after(400));
    let settings = json!({"timeout_seconds": 25, "retry_schedule_seconds": [1, 1, 1, 1]});
    hang_with_large_payloads(&edge, &tenant, 60, &settings);
    // Each is tried again and again.
    edge.run_for(2 * MINUTE_MS);
    for _ in 0..45 {
        emit_large(&edge, &tenant, "x");
    }
    // By its lane, since it is slow.
    edge.run_for(MINUTE_MS / 2);
    assert_eq!(edge.receivers.count(URL), 45);
}

#[test]
fn a_lane_forgets_nothing_that_found_no_room() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(204).after(300));
    for _ in 0..50 {
        (0..3).for_each(|_| emit_large(&edge, &tenant, "x"));
        edge.run_for(100);
    }
    edge.run_for(MINUTE_MS / 2);
    assert_eq!(edge.receivers.count(URL), 150);
}
