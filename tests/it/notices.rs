//! Operational events: each cause is told once, into the workspace that the organization names.

use posthorn::domain::base::storage::DATABASE_BYTES_MAX;
use posthorn::domain::base::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use posthorn::ports::{Clock, Quotas};
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge, Fault, Reply};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const OPS_URL: &str = "https://ops.example.com/slack";

/// A customer's workspace and the operational one, whose rule tells of everything.
struct World {
    edge: Edge,
    tenant: Tenant,
    ops: Tenant,
    connection: String,
}

impl World {
    fn new(edge: Edge) -> Self {
        let tenant = Tenant::new(&edge, "Acme");
        let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
        let made = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": "Operations"}));
        let key = text(&made, "/workspace/publishable_key/public_key");
        let workspace = text(&made, "/workspace/id");
        let ops = Tenant { workspace, publishable_key: key, ..tenant.clone() };
        ops.route(&edge, "posthorn.*", json!({"url": OPS_URL}));
        let named = json!({"external_id": "cust-1"});
        let path = format!("/api/v1/workspaces/{}", tenant.workspace);
        assert_eq!(tenant.call(&edge, "PATCH", &path, &named).status, 200);
        let world = Self { edge, tenant, ops, connection };
        world.tell(json!({"operational_workspace": world.ops.workspace}));
        world
    }

    fn tell(&self, change: Value) {
        let bearer = format!("Bearer {ADMIN_TOKEN}");
        let path = format!("/api/v1/organizations/{}", self.tenant.organization);
        let (body, headers) = (change.to_string(), [("authorization", bearer.as_str())]);
        let answer = call(&self.edge, "PATCH", &path, &headers, body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    fn answers(&self, status: u16) {
        self.edge.receivers.script(URL, move |_| Reply::status(status));
    }

    fn act(&self, action: &str) {
        let path = format!("/api/v1/connections/{}/{action}", self.connection);
        assert_eq!(self.tenant.call(&self.edge, "POST", &path, &json!({})).status, 200);
    }

    /// What the operational webhook was told: event names and payloads.
    fn told(&self) -> Vec<(String, Value)> {
        let mut told = Vec::new();
        for seen in self.edge.receivers.seen(OPS_URL) {
            let payload = serde_json::from_slice(&seen.request.body).expect("a payload");
            told.push((seen.header("posthorn-event").to_owned(), payload));
        }
        told
    }

    /// The same of one kind, and that nothing else of it is stored.
    fn told_of(&self, kind: &str) -> Vec<Value> {
        let name = format!("posthorn.{kind}");
        let told: Vec<Value> =
            self.told().into_iter().filter(|(of, _)| *of == name).map(|(_, told)| told).collect();
        let sql = format!("select count(*) from events where name = '{name}'");
        assert_eq!(self.edge.logs[0].ask(&sql), [json!(told.len())], "{kind}");
        told
    }
}

#[test]
fn a_connection_that_is_gone_and_comes_back_is_told_of_with_names_and_advice() {
    let world = World::new(Edge::new());
    world.answers(410);
    world.tenant.emit(&world.edge, "x");
    world.edge.run_for(3 * MINUTE_MS);
    let told = world.told_of("connection.disabled");
    let [told] = &told[..] else { panic!("once: {told:?}") };
    assert_eq!(told["workspace"], json!(world.tenant.workspace));
    assert_eq!(told["external_id"], "cust-1");
    assert_eq!(told["connection"]["id"], json!(world.connection));
    assert!(text(told, "/connection/name").starts_with("Orders "), "{told}");
    assert_eq!(told["cause"], "endpoint_gone");
    assert!(text(told, "/since").starts_with("2027-01-15T08:0"), "{told}");
    // The page shows it as it is.
    let page = include_str!("../../docs/operate.md");
    let sample = page.split("```json\n").nth(1).and_then(|rest| rest.split("```").next());
    let sample: Value = serde_json::from_str(sample.expect("a sample")).expect("JSON");
    let keys = |of: &Value| of.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&sample), keys(told));
    assert_eq!(sample["advice"], told["advice"]);
    world.answers(200);
    world.act("activate");
    world.edge.run_for(3 * MINUTE_MS);
    assert_eq!(world.told_of("connection.recovered")[0]["cause"], "activated");
    // What a person pauses and resumes is nothing to tell of.
    world.act("deactivate");
    world.act("activate");
    world.edge.run_for(3 * MINUTE_MS);
    let kinds: Vec<String> = world.told().into_iter().map(|(kind, _)| kind).collect();
    let expected = ["connection.disabled", "delivery.failed", "connection.recovered"];
    let mut expected = expected.map(|kind| format!("posthorn.{kind}"));
    let mut kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
    kinds.sort_unstable();
    expected.sort_unstable();
    assert_eq!(kinds, expected);
}

#[test]
fn a_connection_that_fails_for_days_is_warned_of_twice_and_recovers() {
    let world = World::new(Edge::new());
    world.answers(500);
    for _ in 0..110 {
        world.tenant.emit(&world.edge, "x");
        world.edge.run_for(HOUR_MS);
    }
    let told = world.told_of("connection.warning");
    let percents: Vec<&Value> = told.iter().map(|told| &told["percent"]).collect();
    assert_eq!(percents, [&json!(50), &json!(90)]);
    assert_eq!(told[0]["cause"], "delivery_failing");
    world.answers(200);
    world.edge.run_for(DAY_MS);
    let told = world.told_of("connection.recovered");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["cause"], "delivered");
}

#[test]
fn given_up_deliveries_are_told_of_once_an_hour_with_their_number() {
    let world = World::new(Edge::new());
    let body = json!({"metadata": {"retry_schedule_seconds": [1]}});
    let path = format!("/api/v1/connections/{}", world.connection);
    let changed = world.tenant.call(&world.edge, "PATCH", &path, &body);
    assert_eq!(changed.status, 200, "{}", changed.text);
    world.answers(400);
    for _ in 0..12 {
        world.tenant.emit(&world.edge, "x");
        world.edge.run_for(5 * MINUTE_MS);
    }
    world.edge.run_for(3 * HOUR_MS);
    let counts: Vec<i64> = world
        .told_of("delivery.failed")
        .iter()
        .map(|told| told["count"].as_i64().expect("a number"))
        .collect();
    assert!((2..=4).contains(&counts.len()), "{counts:?}");
    assert_eq!(counts.iter().sum::<i64>(), 12, "{counts:?}");
    world.edge.run_for(2 * HOUR_MS);
    assert_eq!(world.edge.logs[0].ask("select count(*) from failure_counts"), [json!(0)]);
}

#[test]
fn loops_are_told_of_once_an_hour() {
    let world = World::new(Edge::new());
    let headers = [
        ("x-meshes-publishable-key", world.tenant.publishable_key.as_str()),
        ("posthorn-hops", "6"),
    ];
    let body = br#"{"event":"x","payload":{}}"#;
    for _ in 0..3 {
        assert_eq!(call(&world.edge, "POST", "/api/v1/events", &headers, body).status, 422);
    }
    world.edge.run_for(3 * MINUTE_MS);
    let told = world.told_of("event.loop");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["cause"], told[0].get("connection")), (&json!("hops"), None));
}

#[test]
fn a_quota_is_told_of_at_80_and_100_percent_and_no_such_event_counts() {
    let quotas = Quotas { events_per_month: Some(5), ..Quotas::default() };
    let world = World::new(Edge::with_quotas(quotas));
    for _ in 0..2 {
        (0..4).for_each(|_| {
            drop(world.tenant.emit_text(&world.edge, r#"{"event":"y","payload":{}}"#))
        });
        world.edge.run_for(10 * MINUTE_MS);
    }
    let told = world.told_of("quota.warning");
    let told: Vec<_> = told.iter().map(|told| (&told["percent"], &told["cause"])).collect();
    let cause = json!("events_per_month");
    assert_eq!(told, [(&json!(80), &cause), (&json!(100), &cause)]);
    assert_eq!(world.edge.logs[0].ask("select count(*) from event_counts"), [json!(1)]);
}

#[test]
fn the_connections_of_a_workspace_are_told_of_at_80_and_100_percent() {
    let world = World::new(Edge::new());
    let path = format!("/api/v1/workspaces/{}", world.tenant.workspace);
    let limits = json!({"limits": {"connections": 5}});
    assert_eq!(world.tenant.call(&world.edge, "PATCH", &path, &limits).status, 200);
    for expected in [&[] as &[i64], &[], &[], &[80], &[80, 100]] {
        world.edge.run_for(3 * MINUTE_MS);
        let told = world.told_of("quota.warning");
        let percents: Vec<&Value> = told.iter().map(|told| &told["percent"]).collect();
        assert_eq!(json!(percents), json!(expected));
        assert!(told.iter().all(|told| told["cause"] == "connections"), "{told:?}");
        if expected.len() < 2 {
            world.tenant.connection(&world.edge, json!({"url": URL}));
        }
    }
}

#[test]
fn a_shard_that_fills_is_told_of_at_each_level() {
    let world = World::new(Edge::new());
    for percent in [71, 72, 91] {
        let bytes = percent * DATABASE_BYTES_MAX / 100;
        world.edge.logs[0].pretended_bytes.set(Some(bytes));
        world.edge.run_for(3 * MINUTE_MS);
    }
    let told = world.told_of("storage.warning");
    let levels: Vec<&Value> = told.iter().map(|told| &told["cause"]).collect();
    assert_eq!(levels, ["filling", "nearly_full"]);
    assert_eq!((&told[1]["shard"], &told[1]["percent"]), (&json!(0), &json!(91)));
    assert_eq!(told[1].get("workspace"), None, "a shard is everybody's");
}

#[test]
fn held_deliveries_that_expire_are_told_of() {
    let world = World::new(Edge::new());
    world.tell(json!({"retention_days": 10, "retention_unsettled_days": 20}));
    world.act("deactivate");
    world.tenant.emit(&world.edge, "x");
    for _ in 0..16 {
        world.edge.advance_to(world.edge.now_ms() + DAY_MS);
        world.edge.run_for(3 * MINUTE_MS);
    }
    let told = world.told_of("delivery.held_expiring");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["count"], &told[0]["connection"]["id"]),
        (&json!(1), &json!(world.connection))
    );
}

#[test]
fn what_crashes_is_told_all_the_same_and_once() {
    for fault in [Fault::Before, Fault::After] {
        for calls in 1..9 {
            let world = World::new(Edge::new());
            world.answers(410);
            world.tenant.emit(&world.edge, "x");
            world.edge.run_for(1_000);
            // The next calls of the cron: the n-th of CONTROL fails, and one of LOG.
            let mut faults = vec![None; calls - 1];
            faults.push(Some(fault));
            world.edge.control.fail_next(&faults);
            world.edge.logs[0].fail_next(&faults);
            world.edge.run_for(5 * MINUTE_MS);
            assert_eq!(world.told_of("connection.disabled").len(), 1, "{fault:?} {calls}");
            assert_eq!(world.told_of("delivery.failed").len(), 1, "{fault:?} {calls}");
        }
    }
}

#[test]
fn the_operational_workspace_is_never_told_of_itself() {
    let world = World::new(Edge::new());
    world.edge.receivers.script(OPS_URL, |_| Reply::status(410));
    world.answers(410);
    world.tenant.emit(&world.edge, "x");
    world.edge.run_for(20 * MINUTE_MS);
    let about = world.edge.control.ask("select workspace from notices");
    assert_eq!(about.len(), 2, "the connection and its delivery: {about:?}");
    assert!(about.iter().all(|one| *one == json!(world.tenant.workspace)), "{about:?}");
    let inactive = "select count(*) from connections where active = 0";
    assert_eq!(world.edge.control.ask(inactive), [json!(2)], "its own connection is off as well");
}

#[test]
fn without_an_operational_workspace_nothing_is_kept() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    edge.receivers.script(URL, |_| Reply::status(410));
    tenant.emit(&edge, "x");
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(edge.control.ask("select count(*) from notices"), [json!(0)]);
    assert_eq!(edge.logs[0].ask("select count(*) from events"), [json!(1)]);
}
