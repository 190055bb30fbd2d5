//! Statistics: what became of deliveries, counted by the cron and counted again when it changes.

use posthorn::domain::base::ids::first_event_id;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply, START_MS, Weather};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const SLOW_URL: &str = "https://hooks.example.com/slow";
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

fn of_workspace(edge: &Edge, tenant: &Tenant) -> Value {
    tenant.get(edge, &format!("/api/v1/workspaces/{}/stats?days=31", tenant.workspace))
}

/// (pending, completed, failed, canceled)
fn counts(tally: &Value) -> [u64; 4] {
    ["pending", "completed", "failed", "canceled"].map(|state| tally[state].as_u64().expect(state))
}

fn phases(edge: &Edge) -> Vec<Value> {
    edge.logs[0].ask("select phase from rollups order by day_ms, connection")
}

/// Lets a whole pass of the counting begin and end.
fn count(edge: &Edge) {
    edge.run_for(16 * 60_000);
}

#[test]
fn deliveries_are_counted_by_connection_and_day() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(SLOW_URL, |n| Reply::status(if n == 0 { 500 } else { 200 }).after(90));
    let (quick, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let slow = json!({"url": SLOW_URL, "retry_schedule_seconds": [60]});
    let (slow, _) = tenant.route(&edge, "x", slow);
    let empty = of_workspace(&edge, &tenant);
    assert_eq!((&empty["as_of"], counts(&empty["total"])), (&Value::Null, [0; 4]));
    tenant.emit(&edge, "x");
    tenant.emit(&edge, "x");
    // The cron runs a minute later, when one of the four is not delivered yet.
    edge.run_for(60_000);
    let found = of_workspace(&edge, &tenant);
    assert_eq!(found["as_of"], "2027-01-15T08:01:00.000Z");
    assert_eq!(counts(&found["total"]), [1, 3, 0, 0]);
    count(&edge);
    let found = of_workspace(&edge, &tenant);
    assert_eq!(counts(&found["total"]), [0, 4, 0, 0]);
    assert_eq!(found["total"]["success_rate"], 1.0);
    assert_eq!(found["days"].as_array().expect("days").len(), 1);
    let of = |connection: &str| {
        let mut all = found["connections"].as_array().expect("connections").iter();
        all.find(|one| one["connection"] == connection).expect("the connection").clone()
    };
    let (quick, slow) = (of(&quick), of(&slow));
    assert_eq!((counts(&quick), counts(&slow)), ([0, 2, 0, 0], [0, 2, 0, 0]));
    assert_eq!(quick["receiver_latency_ms"], json!({"p50": 1, "p95": 1, "p99": 1}));
    // The answer that delivered is what counts, also where it was that of a retry.
    assert_eq!(slow["receiver_latency_ms"], json!({"p50": 100, "p95": 100, "p99": 100}));
    assert!(slow["delivery_time_ms"]["p50"].as_i64() < Some(1_000), "{slow}");
    assert!(slow["delivery_time_ms"]["p99"].as_i64() >= Some(60_000), "{slow}");
    assert_eq!(slow["days"][0]["day"], "2027-01-15");
    assert_eq!(counts(&slow["days"][0]), [0, 2, 0, 0]);
}

#[test]
fn a_day_is_counted_until_nothing_of_it_can_change() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    // The retry comes two days later, with its jitter of up to a tenth.
    let late = json!({"url": URL, "retry_schedule_seconds": [2 * 86_400 - 5 * 3_600, 60]});
    let (_, rule) = tenant.route(&edge, "x", late);
    let event = tenant.emit(&edge, "x");
    edge.run_for(DAY_MS + 3 * HOUR_MS);
    assert_eq!(counts(&of_workspace(&edge, &tenant)["days"][0]), [1, 0, 0, 0]);
    assert_eq!(phases(&edge), [0]);
    let second = tenant.emit(&edge, "x");
    edge.run_for(DAY_MS);
    let found = of_workspace(&edge, &tenant);
    let days = found["days"].as_array().expect("days");
    assert_eq!((counts(&days[0]), counts(&days[1])), ([0, 1, 0, 0], [0, 1, 0, 0]), "{found}");
    assert_eq!(found["total"]["completed"], 2, "{second}");
    edge.run_for(DAY_MS);
    assert_eq!(phases(&edge), [2, 2], "both days are over");
    // Nothing is written any more.
    edge.logs[0].execute(
        "create trigger no_more before update on rollups begin select raise(abort, 'no'); end",
    );
    count(&edge);
    assert!(!edge.lines.borrow().iter().any(|line| line["at"] == "upkeep"));
    edge.logs[0].execute("drop trigger no_more");
    // Sent once more it is open again, and a day that was over is counted again.
    edge.receivers.script(URL, |_| Reply::status(410));
    let path = format!("/api/v1/events/{event}/rules/{rule}/retry");
    assert_eq!(tenant.call(&edge, "POST", &path, &json!({})).status, 200);
    assert_eq!(phases(&edge), [0, 2]);
    count(&edge);
    count(&edge);
    let found = of_workspace(&edge, &tenant);
    assert_eq!(counts(&found["days"][0]), [0, 0, 1, 0]);
    assert_eq!(found["total"]["success_rate"], 0.5);
    assert_eq!(phases(&edge), [2, 2]);
}

#[test]
fn a_day_that_is_over_is_counted_again_when_an_intake_brings_it_something() {
    let edge = Edge::with_settings(|settings| settings.intakes = 2);
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let (other, _) = tenant.route(&edge, "y", json!({"url": SLOW_URL}));
    tenant.emit(&edge, "x");
    edge.run_for(15 * HOUR_MS);
    edge.logs[0].set_weather(Weather::ReadOnly);
    tenant.emit(&edge, "x");
    tenant.emit(&edge, "y");
    edge.run_for(3 * HOUR_MS);
    edge.logs[0].set_weather(Weather::Up);
    // Who counts may be there before the flush, and have counted later days, too.
    edge.logs[0].execute("update rollups set phase = 2");
    edge.logs[0].execute(&format!(
        "insert into rollups (workspace, day_ms, connection, pending, completed, failed, canceled, \
           latency, delivery_time, phase) \
         values ('{}', {}, '{other}', 0, 0, 0, 0, '[]', '[]', 2)",
        tenant.workspace,
        START_MS - START_MS % DAY_MS + DAY_MS,
    ));
    edge.run_for(30_000);
    assert_eq!(edge.intakes.waiting(), 0);
    count(&edge);
    count(&edge);
    let found = of_workspace(&edge, &tenant);
    assert_eq!(counts(&found["days"][0]), [0, 3, 0, 0], "{found}");
    assert!(phases(&edge).iter().all(|phase| phase == 2), "{:?}", phases(&edge));
}

#[test]
fn what_is_changed_while_a_day_is_counted_for_the_last_time_is_counted_again() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    tenant.emit(&edge, "x");
    edge.run_for(15 * HOUR_MS);
    assert_eq!(phases(&edge), [0]);
    // It is being counted for the last time when somebody changes a delivery.
    edge.logs[0].execute("update rollups set phase = 1");
    edge.logs[0].execute("update deliveries set state = 'failed' where state = 'delivered'");
    assert_eq!(phases(&edge), [0], "the note is taken back");
    edge.run_for(DAY_MS);
    assert_eq!(counts(&of_workspace(&edge, &tenant)["total"]), [0, 0, 1, 0]);
    assert_eq!(phases(&edge), [2]);
}

#[test]
fn many_deliveries_are_counted_in_steps_and_runs() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let (second, _) = tenant.route(&edge, "x", json!({"url": URL}));
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    // Eighty thousand more on the second, over four days.
    for day in 0..4 {
        let at_ms = START_MS - day * DAY_MS;
        edge.logs[0].execute(&format!(
            "insert into deliveries (workspace, connection, event, rule, state, open, \
               payload_bytes, created_at_ms, completed_at_ms, attempts, first_attempt) \
             with recursive n (n) as (select 1 union all select n + 1 from n where n < 20000) \
             select workspace, connection, printf('{}-7%03x-8%03x-%012x', n % 4096, n / 4096, n), \
               rule, state, open, payload_bytes, {at_ms}, {at_ms} + 40, 1, \
               '{{\"duration_ms\":30}}' from deliveries cross join n \
             where connection = '{second}' and substr(event, 25) not like '0000%'",
            &first_event_id(at_ms)[..13],
        ));
    }
    // Three days are more than a run reads: it sends the message for the next one.
    let sent = edge.upkeep.sent.get();
    edge.run_for(60_000);
    assert_eq!(edge.upkeep.sent.get() - sent, 6, "five of the cron, and the next run");
    edge.run_for(10_000);
    let found = of_workspace(&edge, &tenant);
    assert_eq!(found["as_of"], "2027-01-15T08:01:01.000Z", "when the pass began");
    assert_eq!(counts(&found["total"]), [0, 80_002, 0, 0]);
    let mut connections = found["connections"].as_array().expect("connections").iter();
    let second = connections.find(|one| one["connection"] == second).expect("the connection");
    let of_days: Vec<_> =
        second["days"].as_array().expect("days").iter().map(|day| &day["completed"]).collect();
    assert_eq!(of_days, [20_000, 20_000, 20_000, 20_001]);
    assert_eq!(second["receiver_latency_ms"], json!({"p50": 30, "p95": 30, "p99": 30}));
    assert_eq!(second["delivery_time_ms"], json!({"p50": 50, "p95": 50, "p99": 50}));
    // The days that are over are counted once more and then stay.
    count(&edge);
    count(&edge);
    assert_eq!(phases(&edge), [2, 2, 2, 0, 0]);
}

#[test]
fn an_organization_adds_up_its_workspaces() {
    let edge = Edge::with_shards(2);
    let (mut tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    other.route(&edge, "x", json!({"url": URL}));
    other.emit(&edge, "x");
    let mut expected = Vec::new();
    for (name, events) in [("Acme", 1), ("Beta", 2), ("Gamma", 3)] {
        if name != "Acme" {
            let made = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": name}));
            tenant.workspace = text(&made, "/workspace/id");
            tenant.publishable_key = text(&made, "/workspace/publishable_key/public_key");
        }
        tenant.route(&edge, "x", json!({"url": URL}));
        (0..events).for_each(|_| drop(tenant.emit(&edge, "x")));
        expected.push((tenant.workspace.clone(), events));
    }
    edge.run_for(60_000);
    let found = tenant.get(&edge, "/api/v1/stats");
    assert_eq!(counts(&found["total"]), [0, 6, 0, 0]);
    expected.sort();
    let workspaces = found["workspaces"].as_array().expect("workspaces").iter();
    let workspaces: Vec<(String, u64)> = workspaces
        .map(|one| (text(one, "/workspace"), one["completed"].as_u64().expect("a count")))
        .collect();
    assert_eq!(workspaces, expected);
    assert_eq!(counts(&other.get(&edge, "/api/v1/stats")["total"]), [0, 1, 0, 0]);
    for days in ["0", "32", "x", "1.5", ""] {
        let target = format!("/api/v1/stats?days={days}");
        let answer = tenant.call(&edge, "GET", &target, &Value::Null);
        assert_eq!(
            (answer.status, &answer.json()["error"]["data"][0]["param"]),
            (400, &json!("days"))
        );
    }
    // Days that are not asked for are left out.
    edge.run_for(2 * DAY_MS);
    assert_eq!(counts(&tenant.get(&edge, "/api/v1/stats?days=2")["total"]), [0; 4]);
    assert_eq!(counts(&tenant.get(&edge, "/api/v1/stats?days=3")["total"]), [0, 6, 0, 0]);
}

#[test]
fn counting_costs_the_emit_and_the_delivery_nothing() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    edge.run_for(60_000);
    let before = edge.logs[0].round_trips.get();
    tenant.emit(&edge, "x");
    assert_eq!(edge.logs[0].round_trips.get() - before, 1);
    edge.run_for(1_000);
    assert_eq!(edge.logs[0].ask("select count(*) from rollups"), [json!(0)]);
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    assert_eq!(call(&edge, "GET", "/api/v1/stats", &key, b"").status, 401);
}
