//! Shards that fill: told in time, skipped by new workspaces, closed for emits before the database
//! refuses to write.

use posthorn::domain::base::storage::DATABASE_BYTES_MAX;
use posthorn::domain::base::time::MINUTE_MS;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge};
use crate::tenant::{Answered, Tenant, call, text};

const URL: &str = "https://hooks.example.com/full";

/// A shard is found to be so full.
fn fill(edge: &Edge, shard: usize, percent: i64) {
    edge.logs[shard].pretended_bytes.set(Some(percent * DATABASE_BYTES_MAX / 100));
    edge.run_for(2 * MINUTE_MS);
}

fn health(edge: &Edge, token: &str) -> Value {
    let bearer = format!("Bearer {token}");
    call(edge, "GET", "/health", &[("authorization", &bearer)], b"").json()
}

fn shard_of(edge: &Edge, tenant: &Tenant) -> usize {
    let sql = format!("select shard from workspaces where id = '{}'", tenant.workspace);
    usize::try_from(edge.control.ask(&sql)[0].as_i64().expect("a number")).expect("small")
}

fn create(edge: &Edge, tenant: &Tenant, name: &str) -> Answered {
    tenant.call(edge, "POST", "/api/v1/workspaces", &json!({"name": name}))
}

#[test]
fn how_full_the_shards_are_is_told_to_the_operator() {
    let edge = Edge::with_shards(2);
    edge.run_for(2 * MINUTE_MS);
    let levels = |edge: &Edge| -> Vec<String> {
        let shown = health(edge, ADMIN_TOKEN);
        let shards = shown["storage"].as_array().expect("a list").clone();
        shards.iter().map(|shard| text(shard, "/level")).collect()
    };
    assert_eq!(levels(&edge), ["normal", "normal"]);
    for (percent, level) in [(71, "filling"), (92, "nearly_full"), (98, "full"), (60, "normal")] {
        fill(&edge, 1, percent);
        assert_eq!(levels(&edge), ["normal", level]);
        let lines = edge.lines.borrow();
        let told = lines.iter().rfind(|line| line["at"] == "storage");
        let told = told.expect("a line");
        assert_eq!((&told["shard"], &told["level"]), (&json!(1), &json!(level)));
        assert_eq!(told["percent"], percent);
    }
    // One line for each change, however often the cron looks.
    edge.run_for(10 * MINUTE_MS);
    let lines = edge.lines.borrow();
    assert_eq!(lines.iter().filter(|line| line["at"] == "storage").count(), 4);
    for token in ["", "wrong"] {
        assert!(health(&edge, token).get("storage").is_none());
    }
}

#[test]
fn a_full_shard_takes_no_events_and_the_others_go_on() {
    let edge = Edge::with_shards(2);
    let tenants = [Tenant::new(&edge, "First"), Tenant::new(&edge, "Second")];
    let shards = tenants.each_ref().map(|tenant| shard_of(&edge, tenant));
    assert_ne!(shards[0], shards[1]);
    for tenant in &tenants {
        tenant.route(&edge, "x", json!({"url": URL}));
    }
    let before = tenants[0].emit(&edge, "x");
    edge.run_for(MINUTE_MS);
    fill(&edge, shards[0], 97);
    let counts = || -> Vec<Value> {
        let all = "select (select count(*) from events) || ' ' \
                     || (select count(*) from deliveries) \
                     || ' ' || (select count(*) from payloads) || ' ' \
                     || (select count(*) from idempotency_keys)";
        edge.logs[shards[0]].ask(all)
    };
    let stored = counts();
    let large = json!({"event": "x", "payload": {"a": "b".repeat(3_000)}}).to_string();
    let refused = tenants[0].emit_text(&edge, &large);
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("storage"), "{}", refused.text);
    let event =
        |tenant: &Tenant| json!({"workspace": tenant.workspace, "event": "x", "payload": {}});
    let machine = tenants[0].call(&edge, "POST", "/api/v1/events", &event(&tenants[0]));
    assert_eq!(machine.status, 503, "{}", machine.text);
    let key = ("x-meshes-publishable-key", tenants[0].publishable_key.as_str());
    let bulk = format!("[{large},{large}]");
    let headers = [key, ("idempotency-key", "full")];
    let answer = call(&edge, "POST", "/api/v1/events/bulk", &headers, bulk.as_bytes());
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert_eq!(counts(), stored, "nothing half written");
    tenants[1].emit(&edge, "x");
    // What is there can be read, and goes on.
    assert_eq!(tenants[0].delivery(&edge, &before)["status"], "completed");
    fill(&edge, shards[0], 80);
    tenants[0].emit(&edge, "x");
}

#[test]
fn new_workspaces_go_where_there_is_room() {
    let edge = Edge::with_shards(3);
    let tenant = Tenant::new(&edge, "Acme");
    fill(&edge, 0, 91);
    fill(&edge, 2, 99);
    for n in 0..6 {
        let answer = create(&edge, &tenant, &format!("Room {n}"));
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let shards = "select group_concat(distinct shard) from workspaces where name like 'Room %'";
    assert_eq!(edge.control.ask(shards), ["1"]);
    fill(&edge, 1, 90);
    let refused = create(&edge, &tenant, "None");
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("full"), "{}", refused.text);
    fill(&edge, 0, 89);
    assert_eq!(create(&edge, &tenant, "Again").status, 201);
}
