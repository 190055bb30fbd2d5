//! Erasing: after it the payload stands nowhere, and what happened can still be read.

use posthorn::domain::base::limits::{CLEARED_ROWS, ERASURE_STEP};
use posthorn::domain::base::time::{DAY_MS, MINUTE_MS};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge, Fault, Reply, Sqlite};
use crate::tenant::{Answered, Tenant, call, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/erased";
/// What must not be found anywhere, in payloads and in what receivers answer.
const MARK: &str = "Jane Doe of Elm Street";

struct World {
    edge: Edge,
    tenant: Tenant,
    rule: String,
}

/// The tables of a database in which a text stands.
fn found_in(database: &Sqlite, what: &str) -> Vec<String> {
    let tables = database.ask("select name from sqlite_schema where type = 'table'");
    let tables = tables.iter().filter_map(Value::as_str);
    let columns =
        |table: &str| database.ask(&format!("select name from pragma_table_info('{table}')"));
    let holds = |table: &&str| {
        columns(table).iter().filter_map(Value::as_str).any(|column| {
            let sql = format!("select 1 from {table} where instr({column}, '{what}') limit 1");
            !database.ask(&sql).is_empty()
        })
    };
    tables.filter(holds).map(str::to_owned).collect()
}

impl World {
    /// Receivers repeat what they get.
    fn new() -> Self {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let (_, rule) = tenant.route(&edge, "x", json!({"url": URL}));
        let world = Self { edge, tenant, rule };
        world.answers(200);
        world
    }

    fn answers(&self, status: u16) {
        self.edge
            .receivers
            .script(URL, move |_| Reply::status(status).header("x-echo", MARK).body(MARK).after(5));
    }

    fn emit(&self, resource_id: &str, padding: usize) -> String {
        let body = json!({"event": "x", "resource": "person", "resource_id": resource_id,
            "payload": {"name": MARK, "padding": "x".repeat(padding)}});
        let answer = self.tenant.emit_text(&self.edge, &body.to_string());
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.json(), "/event/id")
    }

    fn found(&self) -> Vec<String> {
        [&self.edge.control, &self.edge.logs[0]].iter().flat_map(|db| found_in(db, MARK)).collect()
    }

    fn erase(&self, event: &str) -> Answered {
        let path = format!("/api/v1/events/{event}/payload");
        self.tenant.call(&self.edge, "DELETE", &path, &Value::Null)
    }

    fn status_of(&self, method: &str, path: &str) -> (u16, Value) {
        let answer = self.tenant.call(&self.edge, method, path, &Value::Null);
        (answer.status, answer.json()["error"]["code"].clone())
    }

    fn rows(&self, sql: &str) -> Vec<Value> {
        self.edge.logs[0].ask(sql)
    }
}

#[test]
fn an_erased_payload_stands_nowhere_and_what_happened_is_still_told() {
    for padding in [10, 3_000] {
        let world = World::new();
        world.answers(500);
        let event = world.emit("1", padding);
        // Two attempts, the second of which stands in a row of its own.
        world.edge.run_for(20_000);
        assert!(!world.found().is_empty());
        let before = world.tenant.delivery(&world.edge, &event);
        assert_eq!(before["status"], "retrying");
        let erased = world.erase(&event);
        assert_eq!(erased.status, 200, "{}", erased.text);
        assert_eq!(world.found(), [""; 0], "{padding}");
        world.edge.run_for(MINUTE_MS);
        assert_eq!(world.erase(&event).text, erased.text, "the same again answers the same");
        let path = format!("/api/v1/events/{event}");
        assert_eq!(world.status_of("GET", &format!("{path}/payload")), (410, json!("erased")));
        let retry = format!("{path}/rules/{}/retry", world.rule);
        assert_eq!(world.status_of("POST", &retry), (409, json!("erased")));
        let shown = world.tenant.get(&world.edge, &path);
        assert_eq!(shown["erased_at"], erased.json()["erased_at"]);
        assert!(shown.get("payload").is_none());
        let delivery = &shown["rule_events"][0];
        assert_eq!(delivery["status"], "canceled");
        assert_eq!(delivery["attempt_count"], before["attempt_count"]);
        let attempts = world.tenant.attempts(&world.edge, &event, &world.rule);
        assert_eq!(json!(attempts.len()), before["attempt_count"]);
        assert!(attempts.iter().all(|one| one["outcome"] == "rejected_server_error"));
        assert_eq!(world.rows("select reason from deliveries"), ["erased"]);
        // It is still deleted when its time comes.
        world.edge.advance_to(world.edge.now_ms() + 40 * DAY_MS);
        // The cron asks for the deleting every quarter of an hour.
        world.edge.run_for(16 * MINUTE_MS);
        assert_eq!(world.rows("select count(*) from events"), [0]);
    }
}

/// A row whose event is in LOG stays at the intake for a moment, and would come back with it.
#[test]
fn what_was_erased_lies_at_no_intake() {
    let edge = Edge::with_settings(|settings| settings.intakes = 1);
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let emit = || {
        let body = json!({"event": "x", "resource": "person", "resource_id": "1",
            "payload": {"name": MARK}});
        let id = text(&tenant.emit_text(&edge, &body.to_string()).json(), "/event/id");
        edge.run_for(100);
        assert_eq!(edge.intakes.waiting(), 1, "it is in LOG, and its row is kept");
        id
    };
    let path = format!("/api/v1/events/{}/payload", emit());
    assert_eq!(tenant.call(&edge, "DELETE", &path, &Value::Null).status, 200);
    assert_eq!(edge.intakes.waiting(), 0, "one event");
    emit();
    let path = format!("/api/v1/workspaces/{}/erasures", tenant.workspace);
    let all = json!({"resource": "person", "resource_id": "1"});
    let erased = tenant.call(&edge, "POST", &path, &all);
    assert!(erased.status < 300, "{}", erased.text);
    assert_eq!(edge.intakes.waiting(), 0, "all about a resource");
    emit();
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let force = json!({"force_delete": true});
    assert_eq!(tenant.call(&edge, "DELETE", &path, &force).status, 200);
    assert_eq!(edge.intakes.waiting(), 0, "a workspace");
}

#[test]
fn the_customers_page_says_until_when_an_event_is_kept_and_that_it_was_erased() {
    let world = World::new();
    let (edge, event) = (&world.edge, world.emit("1", 10));
    let visitor = Visitor::new(edge, &world.tenant, json!({"role": "owner"}));
    let page = format!("events/{event}");
    // While something of it is owed nobody can say.
    assert!(!visitor.get(edge, &page).text.contains("Kept until"));
    edge.run_for(MINUTE_MS);
    let shown = visitor.get(edge, &page).text;
    assert!(shown.contains("Kept until <time") && shown.contains(">2027-02-14 "), "{shown}");
    let told = world.tenant.get(edge, &format!("/api/v1/events/{event}"));
    let accepted = text(&told, "/created_at");
    let until = text(&told, "/kept_until");
    assert_eq!((&accepted[..10], &until[..10]), ("2027-01-15", "2027-02-14"));
    world.erase(&event);
    let shown = visitor.get(edge, &page);
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("The payload was erased") && !shown.text.contains(MARK));
    let attempt = format!("{page}/rules/{}/attempts/1", world.rule);
    let shown = visitor.get(edge, &attempt);
    assert_eq!(shown.status, 200);
    assert!(shown.text.contains("The payload was erased") && !shown.text.contains(MARK));
}

#[test]
fn what_a_receiver_answers_after_the_erasure_is_not_kept() {
    // A first attempt that is short, one that has a row of its own, and a late success.
    for (status, body) in [(500, MARK.to_owned()), (500, MARK.repeat(100)), (200, MARK.to_owned())]
    {
        let world = World::new();
        let answer = body.clone();
        world.edge.receivers.script(URL, move |_| Reply::status(status).body(&answer).after(9_000));
        let event = world.emit("1", 10);
        world.edge.run_for(2_000);
        assert_eq!(world.erase(&event).status, 200);
        world.edge.run_for(10 * MINUTE_MS);
        assert_eq!(world.found(), [""; 0], "{status}");
        assert_eq!(world.edge.receivers.seen(URL).len(), 1);
        let expected = if status == 200 { "completed" } else { "canceled" };
        assert_eq!(world.tenant.delivery(&world.edge, &event)["status"], expected);
        assert_eq!(world.tenant.attempts(&world.edge, &event, &world.rule).len(), 1);
    }
}

#[test]
fn a_replay_leaves_out_what_was_erased() {
    let world = World::new();
    let events = [world.emit("1", 10), world.emit("2", 10)];
    world.edge.run_for(MINUTE_MS);
    assert_eq!(world.erase(&events[0]).status, 200);
    let path = format!("/api/v1/workspaces/{}/replays", world.tenant.workspace);
    let range = json!({"status": "completed", "since": "2027-01-15T08:00:00Z",
        "until": "2027-01-15T09:00:00Z"});
    world.tenant.post(&world.edge, &path, &range);
    world.edge.run_for(2 * MINUTE_MS);
    assert_eq!(world.edge.receivers.seen(URL).len(), 3);
    let open = "select count(*) from deliveries where open = 1";
    assert_eq!(world.rows(open), [0]);
}

#[test]
fn all_about_one_resource_is_erased_in_steps() {
    let world = World::new();
    let count = 5 * ERASURE_STEP / 4 + 700;
    let events: Vec<String> = (0..count).map(|n| world.emit(&(n % 2).to_string(), 1)).collect();
    world.edge.run_for(5 * MINUTE_MS);
    let path = format!("/api/v1/workspaces/{}/erasures", world.tenant.workspace);
    let about = json!({"resource": "person", "resource_id": "1"});
    let erasure = world.tenant.post(&world.edge, &path, &about);
    assert_eq!(erasure["erasure"]["status"], "running");
    world.edge.advance_to(world.edge.now_ms() + 1_000);
    let after = world.emit("1", 1);
    world.edge.run_for(MINUTE_MS);
    let path = format!("{path}/{}", text(&erasure, "/erasure/id"));
    let done = world.tenant.get(&world.edge, &path);
    assert_eq!(done["erasure"]["status"], "done", "{done}");
    assert_eq!(done["erasure"]["events"], count / 2);
    for (n, event) in events.iter().chain([&after]).enumerate().step_by(97) {
        let shown = world.tenant.get(&world.edge, &format!("/api/v1/events/{event}"));
        let is_meant = n % 2 == 1 && n < count;
        assert_eq!(shown.get("erased_at").is_some(), is_meant, "{n}");
    }
    let about = "select resource || resource_id || person from erasures";
    assert_eq!(world.rows(about), [""]);
}

#[test]
fn a_persons_id_is_cleared_wherever_it_stands() {
    let world = World::new();
    let (edge, tenant) = (&world.edge, &world.tenant);
    world.answers(500);
    let event = world.emit("1", 10);
    edge.run_for(2_000);
    world.erase(&event);
    assert_eq!(world.found(), [""; 0]);
    let session = json!({"workspace_id": tenant.workspace, "external_user_id": MARK});
    assert!(tenant.call(edge, "POST", "/api/v1/sessions", &session).status < 300);
    // What such a session makes and asks for.
    let person = format!("session:{MARK}");
    edge.logs[0].execute(&format!("update events set created_by = '{person}'"));
    edge.logs[0].execute(&format!(
        "update deliveries set asked_by = '{person}', \
           first_attempt = json_set(first_attempt, '$.asked_by', '{person}')"
    ));
    edge.logs[0].execute(&format!(
        "insert into attempts select workspace, connection, event, rule, 2, first_attempt \
         from deliveries where json_extract(first_attempt, '$.asked_by') = '{person}'"
    ));
    for table in ["connections", "rules"] {
        edge.control.execute(&format!("update {table} set created_by = '{person}'"));
    }
    let all = ["connections", "rules", "events", "deliveries", "attempts", "sessions"];
    let mut found = world.found();
    found.sort_unstable();
    let mut all = all.to_vec();
    all.sort_unstable();
    assert_eq!(found, all);
    let path = format!("/api/v1/workspaces/{}/erasures", tenant.workspace);
    let ask = |body: Value| tenant.call(edge, "POST", &path, &body);
    let answer = ask(json!({"external_user_id": MARK}));
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json()["erasure"]["status"], "done");
    assert_eq!(answer.json()["erasure"]["events"], 1);
    assert_eq!(world.found(), [""; 0]);
    assert_eq!(edge.control.ask("select created_by from rules"), ["session:erased"]);
    for bad in [json!({}), json!({"resource": "a"}), json!({"resource_id": "a"})] {
        assert_eq!(ask(bad).status, 400);
    }
}

/// A call of the operator's.
fn operate(edge: &Edge, method: &str, path: &str, body: &Value) -> Answered {
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    call(edge, method, path, &[("authorization", &bearer)], body.as_bytes())
}

#[test]
fn nothing_of_a_deleted_organization_is_left_in_any_table() {
    let world = World::new();
    let (edge, tenant) = (&world.edge, &world.tenant);
    let other = Tenant::new(edge, "Other");
    other.route(edge, "x", json!({"url": "https://hooks.example.com/other"}));
    let second = tenant.post(edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let second = text(&second, "/workspace/id");
    let event_type = json!({"label": "X", "example": json!({"name": MARK}).to_string()});
    assert!(tenant.call(edge, "PUT", "/api/v1/event-types/x", &event_type).status < 300);
    (0..5).for_each(|n| drop(world.emit(&n.to_string(), n * 500)));
    let body = json!({"workspace": second, "event": "x", "payload": {"a": MARK}});
    tenant.post(edge, "/api/v1/events", &body);
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    assert_eq!(operate(edge, "GET", &path, &Value::Null).status, 200);
    assert_eq!(operate(edge, "DELETE", &path, &Value::Null).status, 200);
    // It takes effect at once.
    let seen = edge.receivers.seen(URL).len();
    assert_eq!(operate(edge, "DELETE", &path, &Value::Null).status, 404);
    assert_eq!(operate(edge, "GET", &path, &Value::Null).status, 404);
    assert_eq!(tenant.call(edge, "GET", "/api/v1/organization", &Value::Null).status, 401);
    let emitted = tenant.emit_text(edge, "{\"event\":\"x\",\"payload\":{}}").status;
    assert!([401, 403].contains(&emitted), "{emitted}");
    edge.run_for(20 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), seen);
    assert_eq!(world.found(), [""; 0]);
    for database in [&edge.control, &edge.logs[0]] {
        for id in [&tenant.organization, &tenant.workspace, &second] {
            assert_eq!(found_in(database, id), [""; 0], "{id}");
        }
    }
    let kept = other.emit(edge, "x");
    edge.run_for(MINUTE_MS);
    assert_eq!(other.delivery(edge, &kept)["status"], "completed");
}

#[test]
fn a_suspended_organization_emits_nothing_and_its_deliveries_are_held() {
    let world = World::new();
    let (edge, tenant) = (&world.edge, &world.tenant);
    let event = world.emit("1", 10);
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    let suspend = |suspended: bool| {
        let answer = operate(edge, "PATCH", &path, &json!({"suspended": suspended}));
        assert_eq!((answer.status, answer.json()["suspended"] == suspended), (200, true));
    };
    suspend(true);
    edge.run_for(2 * MINUTE_MS);
    assert!(edge.receivers.seen(URL).is_empty());
    assert_eq!(tenant.delivery(edge, &event)["held"], true);
    let body = json!({"workspace": tenant.workspace, "event": "x", "payload": {}});
    assert_eq!(tenant.emit_text(edge, &body.to_string()).status, 403);
    assert_eq!(tenant.call(edge, "POST", "/api/v1/events", &body).status, 403);
    // Pages can be read, and forms are refused.
    let visitor = Visitor::new(edge, tenant, json!({"role": "owner"}));
    let page = visitor.get(edge, &format!("events/{event}"));
    assert_eq!(page.status, 200);
    let retry = format!("events/{event}/rules/{}/cancel", world.rule);
    let refused = visitor.post(edge, &retry, &[]);
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("Changes are switched off"), "{}", refused.text);
    assert_eq!(tenant.delivery(edge, &event)["held"], true);
    suspend(false);
    edge.run_for(2 * MINUTE_MS);
    assert_eq!(tenant.delivery(edge, &event)["status"], "completed");
    world.emit("2", 10);
    let not_own = json!({"operational_workspace": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(operate(edge, "PATCH", &path, &not_own).status, 400);
    let own = json!({"operational_workspace": tenant.workspace});
    let named = operate(edge, "PATCH", &path, &own).json();
    assert_eq!(named["operational_workspace"], json!(tenant.workspace));
}

/// A workspace keeps its changes for 400 days and has a session for each visit: a person can stand
/// in very many, which no single statement goes through.
#[test]
fn a_person_in_very_many_rows_is_forgotten_in_bounded_steps() {
    let world = World::new();
    let (edge, workspace) = (&world.edge, &world.tenant.workspace);
    let session = json!({"workspace_id": workspace, "external_user_id": MARK});
    world.tenant.call(edge, "POST", "/api/v1/sessions", &session);
    let rows = CLEARED_ROWS * 5 + 1;
    let numbers =
        format!("with recursive n(n) as (select 1 union all select n + 1 from n where n < {rows})");
    let columns = |database: &Sqlite, table: &str| {
        let of = format!("select name from pragma_table_info('{table}') where name <> 'id'");
        let names = database.ask(&of);
        names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
    };
    let of_session = columns(&edge.logs[0], "sessions");
    edge.logs[0].execute(&format!(
        "insert into sessions (id, {of_session}) {numbers} select 's' || n, {of_session} from n \
         cross join (select * from sessions where external_user_id = '{MARK}')"
    ));
    edge.control.execute(&format!(
        "insert into changes (belongs_to, id, at_ms, author_kind, author, external_user_id, \
           record_kind, record, name, action, fields, hidden) {numbers} \
         select '{workspace}', 'c' || n, {}, 'session', 's', '{MARK}', 'rule', 'r', 'r', \
           'updated', '[]', 0 from n",
        edge.now_ms()
    ));
    let left = || -> [i64; 2] {
        let count = |database: &Sqlite, table: &str| {
            let sql = format!("select count(*) from {table} where external_user_id = '{MARK}'");
            database.ask(&sql)[0].as_i64().expect("a number")
        };
        [count(&edge.control, "changes"), count(&edge.logs[0], "sessions")]
    };
    assert_eq!(left(), [rows as i64, rows as i64 + 1]);
    let path = format!("/api/v1/workspaces/{workspace}/erasures");
    let person = json!({"external_user_id": MARK});
    let asked = world.tenant.call(edge, "POST", &path, &person);
    assert_eq!(asked.status, 201, "{}", asked.text);
    assert_eq!(asked.json()["erasure"]["status"], "running", "{}", asked.text);
    let at_once = 4 * CLEARED_ROWS as i64;
    assert_eq!(left(), [rows as i64 - at_once, rows as i64 + 1 - at_once], "in four steps");
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(left(), [0, 0]);
    let id = text(&asked.json(), "/erasure/id");
    let done = world.tenant.get(edge, &format!("{path}/{id}"));
    assert_eq!(done["erasure"]["status"], "done", "{done}");
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn nothing_of_a_deleted_workspace_is_left_in_any_table() {
    for fault in [None, Some(Fault::Before), Some(Fault::After)] {
        let world = World::new();
        let other = Tenant::new(&world.edge, "Other");
        other.route(&world.edge, "x", json!({"url": "https://hooks.example.com/other"}));
        let kept = other.emit(&world.edge, "x");
        world.answers(500);
        (0..30).for_each(|n| drop(world.emit(&n.to_string(), n * 200)));
        world.edge.run_for(20_000);
        let workspace = &world.tenant.workspace;
        let session = json!({"workspace_id": workspace, "external_user_id": MARK});
        world.tenant.call(&world.edge, "POST", "/api/v1/sessions", &session);
        let range = json!({"status": "failed", "since": "2027-01-15T08:00:00Z",
            "until": "2027-01-15T09:00:00Z"});
        world.tenant.post(&world.edge, &format!("/api/v1/workspaces/{workspace}/replays"), &range);
        assert!(world.found().len() > 2, "{:?}", world.found());
        if let Some(fault) = fault {
            world.edge.logs[0].fail_next(&[None, Some(fault), None, Some(fault)]);
        }
        let path = format!("/api/v1/workspaces/{workspace}");
        let force = json!({"force_delete": true});
        assert_eq!(world.tenant.call(&world.edge, "DELETE", &path, &force).status, 200);
        world.edge.run_for(10 * MINUTE_MS);
        world.edge.cron(false);
        assert_eq!(world.found(), [""; 0], "{fault:?}");
        for database in [&world.edge.control, &world.edge.logs[0]] {
            assert_eq!(found_in(database, workspace), [""; 0], "{fault:?}");
        }
        assert_eq!(other.delivery(&world.edge, &kept)["status"], "completed");
    }
}
