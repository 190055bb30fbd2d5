//! Old events are deleted with all that belongs to them, nothing that is owed ever is, and the
//! statistics stay.

use posthorn::app::upkeep::budget::Budget;
use posthorn::app::upkeep::{retention, rollups};
use posthorn::domain::base::limits::{RETENTION_STATEMENTS, RETENTION_STEP};
use posthorn::domain::base::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::chaos::Rates;
use crate::edge::{Edge, Fault, Reply};
use crate::tenant::{Tenant, ask, text};

const URL: &str = "https://hooks.example.com/kept";
/// What belongs to events, in the order of their going.
const TABLES: [&str; 4] = ["attempts", "deliveries", "payloads", "events"];

struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    rule: String,
}

impl World {
    fn new() -> Self {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let schedule = json!({"url": URL, "retry_schedule_seconds": [1]});
        let (connection, rule) = tenant.route(&edge, "x", schedule);
        Self { edge, tenant, connection, rule }
    }

    fn answers(&self, status: u16) {
        self.edge.receivers.script(URL, move |_| Reply::status(status).after(5));
    }

    /// Emits events whose payloads stand in a table of their own, and lets them be settled.
    fn emit_large(&self, count: usize) {
        let one = json!({"event": "x", "payload": {"a": "b".repeat(1_500)}});
        for _ in 0..count {
            assert_eq!(self.tenant.emit_text(&self.edge, &one.to_string()).status, 201);
        }
        self.edge.run_for(2 * MINUTE_MS);
    }

    /// Emits small events in bulks of a hundred, and lets them be settled.
    fn emit_many(&self, bulks: usize) {
        let one = json!({"event": "x", "payload": {"a": 1}});
        let body = Value::from(vec![one; 100]).to_string();
        let key = ("x-meshes-publishable-key", self.tenant.publishable_key.as_str());
        for _ in 0..bulks {
            let path = "/api/v1/events/bulk";
            let answer = crate::tenant::call(&self.edge, "POST", path, &[key], body.as_bytes());
            assert_eq!(answer.status, 201, "{}", answer.text);
        }
        self.edge.run_for(2 * MINUTE_MS);
    }

    fn keep(&self, days: u32, unsettled_days: u32) {
        let path = format!("/api/v1/workspaces/{}", self.tenant.workspace);
        let body = json!({"retention_days": days, "retention_unsettled_days": unsettled_days});
        let answer = self.tenant.call(&self.edge, "PATCH", &path, &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// The clock jumps, and what the cron does besides delivering is done.
    fn pass_days(&self, days: i64) {
        self.edge.advance_to(self.edge.now_ms() + days * DAY_MS);
        self.count();
        self.advance(RETENTION_STATEMENTS);
    }

    fn count(&self) {
        self.edge
            .block_on(rollups::advance(&self.edge, 0, true, &mut Budget::new(900)))
            .expect("counted");
    }

    fn advance(&self, statements: usize) {
        self.edge.block_on(retention::advance(&self.edge, 0, statements)).expect("deleted");
    }

    fn rows(&self, table: &str) -> i64 {
        let found = self.edge.logs[0].ask(&format!("select count(*) from {table}"));
        found[0].as_i64().expect("a count")
    }

    fn all_rows(&self) -> [i64; 4] {
        TABLES.map(|table| self.rows(table))
    }

    /// The counts of all days, and the phase of each.
    fn counted(&self) -> Vec<Value> {
        self.edge.logs[0].ask(
            "select json_array(pending, completed, failed, canceled, phase) from rollups \
             order by day_ms, connection",
        )
    }

    fn post(&self, path: &str) {
        let answer = self.tenant.call(&self.edge, "POST", path, &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// No delivery is without its event, and no payload.
    fn check_whole(&self, what: &str) {
        let orphans = self.edge.logs[0].ask(
            "select d.event from deliveries d where not exists (select 1 from events e \
               where e.workspace = d.workspace and e.event = d.event) \
             union all select a.event from attempts a where not exists (select 1 \
               from deliveries d where d.workspace = a.workspace and d.event = a.event) \
             union all select 'payload ' || p.id from payloads p where not exists (select 1 \
               from events e where e.payload_id = p.id) \
             union all select e.event from events e where e.payload is null \
               and not exists (select 1 from payloads p where p.id = e.payload_id) \
             union all select e.event from events e where json_array_length(e.fan_out) \
               <> (select count(*) from deliveries d where d.event = e.event)",
        );
        assert!(orphans.is_empty(), "{what}: {orphans:?}");
    }
}

#[test]
fn an_old_event_goes_with_all_that_belongs_to_it_and_a_younger_one_stays() {
    let world = World::new();
    world.answers(500);
    world.emit_large(1);
    world.answers(200);
    world.emit_large(2);
    world.pass_days(20);
    world.emit_large(3);
    assert_eq!(world.all_rows()[1..], [6, 6, 6]);
    // The failed one is kept for longer.
    world.pass_days(11);
    assert_eq!(world.all_rows()[1..], [4, 4, 4]);
    world.check_whole("after a month");
    world.pass_days(20);
    assert_eq!(world.all_rows()[1..], [1, 1, 1]);
    assert!(world.rows("attempts") > 0);
    world.pass_days(39);
    assert_eq!(world.all_rows(), [0; 4]);
    assert_eq!(world.counted(), ["[0,2,1,0,3]", "[0,3,0,0,3]"]);
}

#[test]
fn what_is_owed_is_never_deleted_however_old_it_is() {
    let world = World::new();
    world.answers(200);
    world.keep(1, 1);
    let event = world.tenant.emit(&world.edge, "x");
    world.edge.queue.clear();
    for _ in 0..3 {
        world.pass_days(300);
        assert_eq!(world.all_rows(), [0, 1, 0, 1]);
    }
    world.edge.run_for(5 * MINUTE_MS);
    assert_eq!(world.tenant.delivery(&world.edge, &event)["status"], "completed");
    // What became of it can be read for a day.
    world.advance(RETENTION_STATEMENTS);
    assert_eq!(world.all_rows(), [0, 1, 0, 1]);
    world.pass_days(2);
    assert_eq!(world.all_rows(), [0; 4]);
}

#[test]
fn held_deliveries_are_warned_about_fail_and_go() {
    let world = World::new();
    world.answers(200);
    world.keep(5, 20);
    let connection = &world.connection;
    world.post(&format!("/api/v1/connections/{connection}/deactivate"));
    let event = world.tenant.emit(&world.edge, "x");
    let warnings = || {
        let lines = world.edge.lines.borrow();
        lines.iter().filter(|line| line["at"] == "held_expiring").cloned().collect::<Vec<_>>()
    };
    world.pass_days(12);
    assert!(warnings().is_empty());
    world.pass_days(2);
    world.pass_days(1);
    let told = warnings();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["connection"], json!(connection));
    assert_eq!(told[0]["count"], 1);
    assert_eq!(world.tenant.delivery(&world.edge, &event)["held"], true);
    world.pass_days(6);
    let expired = world.tenant.delivery(&world.edge, &event);
    assert_eq!(expired["status"], "failed", "{expired}");
    let reason = world.edge.logs[0].ask("select reason from deliveries");
    assert_eq!(reason, ["held_expired"]);
    world.pass_days(2);
    assert_eq!(world.all_rows(), [0; 4]);
    // Nothing is sent when it is activated after all.
    world.post(&format!("/api/v1/connections/{connection}/activate"));
    world.edge.run_for(MINUTE_MS);
    assert!(world.edge.receivers.seen(URL).is_empty());
}

#[test]
fn the_counts_of_a_day_outlive_its_deliveries() {
    let world = World::new();
    world.answers(200);
    world.keep(2, 10);
    world.emit_many(1);
    world.answers(500);
    world.emit_large(2);
    let rule = &world.rule;
    world.pass_days(3);
    assert_eq!(world.rows("deliveries"), 2, "the failed ones are kept");
    assert_eq!(world.counted(), ["[0,100,2,0,3]"]);
    // A change of what is left does not have the day counted again.
    let left = text(
        &world.edge.logs[0]
            .ask("select json_object('e', event) from events")
            .first()
            .map(|row| serde_json::from_str(row.as_str().expect("text")).expect("JSON"))
            .expect("an event"),
        "/e",
    );
    world.answers(200);
    world.post(&format!("/api/v1/events/{left}/rules/{rule}/retry"));
    world.edge.run_for(MINUTE_MS);
    world.count();
    assert_eq!(world.counted()[0], "[0,100,2,0,3]");
    let stats = format!("/api/v1/workspaces/{}/stats", world.tenant.workspace);
    assert_eq!(world.tenant.get(&world.edge, &stats)["total"]["completed"], 100);
    world.pass_days(399);
    assert_eq!(world.rows("rollups"), 0);
}

#[test]
fn a_day_that_was_never_counted_has_to_be_counted_first() {
    let world = World::new();
    world.answers(200);
    world.emit_large(3);
    world.edge.logs[0].execute("delete from rollups");
    world.edge.logs[0].execute("delete from rollup_progress");
    world.edge.advance_to(world.edge.now_ms() + 40 * DAY_MS);
    world.advance(RETENTION_STATEMENTS);
    assert_eq!(world.rows("events"), 3);
    world.pass_days(1);
    assert_eq!(world.rows("events"), 0);
    assert_eq!(world.counted(), ["[0,3,0,0,3]"]);
}

#[test]
fn a_run_is_bounded_and_the_next_one_goes_on() {
    let world = World::new();
    world.answers(200);
    let bulks = 6;
    world.emit_many(bulks);
    world.edge.advance_to(world.edge.now_ms() + 40 * DAY_MS);
    world.count();
    let events = i64::try_from(bulks * 100).expect("small");
    let step = i64::try_from(RETENTION_STEP).expect("small");
    // One step, and what it takes to come there.
    for left in [events - step, events - 2 * step, 0] {
        let before = world.edge.logs[0].round_trips.get();
        world.advance(8);
        assert_eq!(world.rows("events"), left);
        assert!(world.edge.logs[0].round_trips.get() - before <= 8);
        world.check_whole("between two runs");
    }
    world.advance(8);
    let done = "select started_at_ms is null and as_of_ms is not null from retention_progress";
    assert_eq!(world.edge.logs[0].ask(done), [1]);
    // The next pass has its time.
    let before = world.edge.logs[0].round_trips.get();
    world.advance(8);
    assert_eq!(world.edge.logs[0].round_trips.get() - before, 1);
}

#[test]
fn a_run_that_breaks_off_anywhere_is_done_again() {
    for fault in [Fault::Before, Fault::After] {
        for calls in 0..9 {
            let world = World::new();
            world.answers(500);
            world.emit_large(1);
            world.answers(200);
            world.emit_large(3);
            world.edge.advance_to(world.edge.now_ms() + 40 * DAY_MS);
            world.count();
            // A day that may still change takes some more calls.
            world.edge.logs[0].execute("update rollups set phase = 0");
            let mut faults = vec![None; calls];
            faults.push(Some(fault));
            world.edge.logs[0].fail_next(&faults);
            let advanced =
                world.edge.block_on(retention::advance(&world.edge, 0, RETENTION_STATEMENTS));
            world.edge.logs[0].fail_next(&[]);
            let what = format!("{fault:?} {calls}");
            assert_eq!(advanced.is_err(), calls < 8, "{what}");
            world.check_whole(&what);
            world.edge.advance_to(world.edge.now_ms() + HOUR_MS);
            world.advance(RETENTION_STATEMENTS);
            assert_eq!(world.all_rows()[1..], [1, 1, 1], "{what}");
            assert_eq!(world.counted(), ["[0,3,1,0,3]"], "{what}");
        }
    }
}

#[test]
fn what_is_sent_again_meanwhile_stays() {
    let mut kept = 0;
    for after_ms in (0..400).step_by(9) {
        let world = World::new();
        world.answers(200);
        let event = world.tenant.emit(&world.edge, "x");
        world.edge.run_for(2 * MINUTE_MS);
        world.edge.advance_to(world.edge.now_ms() + 40 * DAY_MS);
        world.count();
        world.edge.chaos.rates.set(Rates { latency_ms: 60, ..Rates::default() });
        world.edge.chaos.seed(u64::try_from(after_ms).expect("small"));
        let path = format!("/api/v1/events/{event}/rules/{}/retry", world.rule);
        let bearer = format!("Bearer {}", world.tenant.token(&world.edge));
        let edge = world.edge.clone();
        world.edge.spawn(async move {
            edge.sleep_ms(after_ms).await;
            ask(&edge, "POST", &path, vec![("authorization".to_owned(), bearer)], Vec::new()).await;
        });
        // The retry reads the event and its connection before it changes anything.
        world.edge.run_for(150);
        world.advance(RETENTION_STATEMENTS);
        world.edge.run_for(5 * MINUTE_MS);
        world.check_whole(&format!("{after_ms}"));
        let sent = world.edge.receivers.seen(URL).len();
        let left = world.rows("deliveries");
        assert_eq!(sent == 2, left == 1, "{after_ms}: sent {sent}, left {left}");
        kept += left;
    }
    assert!((1..45).contains(&kept), "{kept}: both happen");
}

#[test]
fn storage_stays_flat_in_forty_days_of_steady_load() {
    let world = World::new();
    world.keep(7, 14);
    let used = || {
        let pages = "select (select page_count from pragma_page_count) \
                       - (select freelist_count from pragma_freelist_count)";
        world.edge.logs[0].ask(pages)[0].as_i64().expect("a count")
    };
    let mut sizes = Vec::new();
    for day in 0..40 {
        for hour in 0..24 {
            world.answers(if hour % 12 == 11 { 500 } else { 200 });
            let next_ms = world.edge.now_ms() + HOUR_MS;
            let body = json!({"event": "x", "payload": {"hour": hour, "day": day}}).to_string();
            (0..8).for_each(|_| assert_eq!(world.tenant.emit_text(&world.edge, &body).status, 201));
            world.edge.run_for(2 * MINUTE_MS);
            world.edge.advance_to(next_ms);
        }
        sizes.push(used());
    }
    world.answers(200);
    world.edge.run_for(HOUR_MS);
    world.count();
    world.check_whole("after 40 days");
    // Fourteen days fill it, and a day more until what failed last may go.
    let full = sizes[16];
    assert!(sizes[..16].iter().any(|size| *size < full * 8 / 10), "{sizes:?}");
    for size in &sizes[16..] {
        assert!((full * 9 / 10..=full * 11 / 10).contains(size), "{sizes:?}");
    }
    let oldest = world.edge.logs[0].ask("select min(created_at_ms) from events");
    assert!(oldest[0].as_i64().expect("a time") > world.edge.now_ms() - 16 * DAY_MS);
    let counted = world.edge.logs[0].ask("select sum(completed + failed) from rollups");
    assert_eq!(counted, [40 * 24 * 8]);
}

#[test]
fn a_workspace_decides_before_its_organization() {
    let (edge, path) = (Edge::new(), "/api/v1/organization");
    let tenant = Tenant::new(&edge, "Acme");
    let workspace = format!("/api/v1/workspaces/{}", tenant.workspace);
    let days = |shown: &Value| json!([shown["retention_days"], shown["retention_unsettled_days"]]);
    let kept = |target: &str| days(&tenant.get(&edge, target));
    assert_eq!((kept(path), kept(&workspace)), (json!([30, 90]), json!([30, 90])));
    let answer = tenant.call(&edge, "PATCH", path, &json!({"retention_days": 7}));
    assert_eq!((answer.status, days(&answer.json())), (200, json!([7, 90])));
    assert_eq!(kept(&workspace), json!([7, 90]));
    let own = json!({"retention_days": 400, "retention_unsettled_days": 1});
    assert_eq!(tenant.call(&edge, "PATCH", &workspace, &own).status, 200);
    assert_eq!(kept(&workspace), json!([400, 1]));
    assert_eq!(tenant.call(&edge, "PATCH", &workspace, &json!({"name": "Other"})).status, 200);
    assert_eq!(kept(&workspace), json!([400, 1]));
    let cleared = json!({"retention_days": null});
    assert_eq!(tenant.call(&edge, "PATCH", &workspace, &cleared).status, 200);
    assert_eq!(kept(&workspace), json!([7, 1]));
    for (field, bad) in [
        ("retention_days", json!(0)),
        ("retention_days", json!(401)),
        ("retention_unsettled_days", json!("30")),
        ("retention_unsettled_days", json!(1.5)),
    ] {
        for target in [path, &workspace] {
            let answer = tenant.call(&edge, "PATCH", target, &json!({field: bad}));
            assert_eq!(answer.status, 400, "{}", answer.text);
            assert_eq!(answer.json()["error"]["data"][0]["param"], field);
        }
    }
    let made = json!({"name": "New one", "retention_unsettled_days": 45});
    let made = tenant.post(&edge, "/api/v1/workspaces", &made);
    assert_eq!(days(&made["workspace"]), json!([7, 45]));
}
