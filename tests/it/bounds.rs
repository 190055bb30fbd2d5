//! Reads that stay small whatever is stored: many attempts, wide events, long examples.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";
/// The most that a list answers, and a page shows.
const ANSWER_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// A delivery with so many attempts, each with a long answer.
fn attempted(edge: &Edge, tenant: &Tenant, attempts: u32) -> (String, String) {
    let (_, rule) = tenant.route(edge, "x", json!({"url": URL}));
    edge.receivers.script(URL, |_| Reply::status(500).body(&"answer ".repeat(2_000)));
    let event = tenant.emit(edge, "x");
    edge.run_for(1_000);
    let log = &edge.logs[0];
    log.execute(&format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {attempts}) \
         insert or replace into attempts (workspace, connection, event, rule, number, record) \
         select a.workspace, a.connection, a.event, a.rule, n.i, \
           json_set(a.record, '$.number', n.i) \
         from n, (select workspace, connection, event, rule, \
           coalesce(first_attempt, (select record from attempts)) as record from deliveries) a"
    ));
    log.execute(&format!(
        "update deliveries set attempts = {attempts}, first_attempt = null, state = 'failed', \
         open = 0, due_at_ms = null, sweep_at_ms = null"
    ));
    (event, rule)
}

fn numbers(page: &Value) -> Vec<i64> {
    let records = page["records"].as_array().expect("a list");
    records.iter().map(|record| record["number"].as_i64().expect("a number")).collect()
}

#[test]
fn attempts_are_read_page_by_page() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (event, rule) = attempted(&edge, &tenant, 99);
    let path = format!("/api/v1/events/{event}/rules/{rule}/attempts");
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = tenant.get(&edge, &format!("{path}?limit=40{cursor}"));
        found.extend(numbers(&page));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(found, (1..=99).collect::<Vec<_>>());
    // One by its number, and the same by its id.
    let one = tenant.get(&edge, &format!("{path}/77"));
    assert_eq!(one["number"], 77);
    assert_eq!(tenant.get(&edge, &format!("{path}/{}", text(&one, "/id"))), one);
    for none in ["0", "100", "x", "019a1b2c-3d4e-4f50-8a6b-7c8d00000001"] {
        let answer = tenant.call(&edge, "GET", &format!("{path}/{none}"), &Value::Null);
        assert_eq!(answer.status, 404, "{none}: {}", answer.text);
    }
    // The page of the event shows the newest, and the answer of the last one.
    let visitor =
        Visitor::new(&edge, &tenant, json!({"role": "owner", "scopes": ["events.payload:read"]}));
    let page = visitor.get(&edge, &format!("events/{event}")).text;
    assert_eq!(page.matches("<li data-state=\"failed\"><a ").count(), 25, "{page}");
    assert!(page.contains("The newest 25 of 99 attempts."), "{page}");
    assert!(page.contains("Attempt 99") && page.matches("answer answer").count() < 2_500);
    assert!(page.len() < 100_000, "{} bytes", page.len());
    let one = visitor.get(&edge, &format!("events/{event}/rules/{rule}/attempts/3"));
    assert!(one.status == 200 && one.text.contains("answer answer"), "{}", one.text);
    let none = visitor.get(&edge, &format!("events/{event}/rules/{rule}/attempts/100"));
    assert_eq!(none.status, 404);
}

#[test]
fn a_delivery_is_attempted_a_hundred_times_at_the_most_by_hand() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (event, rule) = attempted(&edge, &tenant, 99);
    let retry = || {
        let path = format!("/api/v1/events/{event}/rules/{rule}/retry");
        let answer: Answered = tenant.call(&edge, "POST", &path, &Value::Null);
        edge.run_for(1_000);
        edge.logs[0].execute("update deliveries set state = 'failed', open = 0, due_at_ms = null");
        (answer.status, answer.json()["error"]["code"].clone())
    };
    assert_eq!(retry().0, 200);
    assert_eq!(retry(), (422, json!("quota")));
}

#[test]
fn wide_events_make_shorter_pages() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for _ in 0..100 {
        tenant.route(&edge, "x", json!({"url": URL}));
    }
    let answer =
        Reply::status(302).header("location", &format!("https://a.example/{}", "x".repeat(900)));
    edge.receivers.script(URL, move |_| answer.clone());
    let emitted: Vec<String> = (0..60).map(|_| tenant.emit(&edge, "x")).collect();
    edge.logs[0].execute(&format!("update deliveries set last_error = '{}'", "e".repeat(512)));
    let lists =
        ["/api/v1/events".to_owned(), format!("/api/v1/workspaces/{}/events", tenant.workspace)];
    for list in lists {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let answer =
                tenant.call(&edge, "GET", &format!("{list}?limit=200{cursor}"), &Value::Null);
            assert!(answer.text.len() <= ANSWER_BYTES_MAX, "{} bytes", answer.text.len());
            let page = answer.json();
            let records = page["records"].as_array().expect("a list");
            found.extend(records.iter().map(|record| text(record, "/id")));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let mut newest_first = emitted.clone();
        newest_first.sort_unstable_by(|a, b| b.cmp(a));
        assert_eq!(found, newest_first, "{list}");
    }
    // The page of such an event repeats its payload for none of its deliveries.
    let body = json!({"event": "x", "payload": {"a": "payload ".repeat(50_000)}}).to_string();
    let event = text(&tenant.emit_text(&edge, &body).json(), "/event/id");
    edge.run_for(60_000);
    let visitor =
        Visitor::new(&edge, &tenant, json!({"role": "owner", "scopes": ["events.payload:read"]}));
    let page = visitor.get(&edge, &format!("events/{event}"));
    assert_eq!(page.status, 200);
    assert!(page.text.len() < ANSWER_BYTES_MAX, "{} bytes", page.text.len());
}

#[test]
fn a_catalogue_is_listed_without_its_examples() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let example = json!({"a": "x".repeat(100_000)}).to_string();
    for n in 0..60 {
        let body = json!({"label": "Listed", "example": example});
        let path = format!("/api/v1/event-types/e{n}");
        assert_eq!(tenant.call(&edge, "PUT", &path, &body).status, 200);
    }
    let list = tenant.call(&edge, "GET", "/api/v1/event-types?limit=200", &Value::Null);
    assert_eq!((list.status, list.json()["count"].clone()), (200, json!(60)));
    assert!(list.text.len() < 100_000, "{} bytes", list.text.len());
    assert_eq!(tenant.get(&edge, "/api/v1/event-types/e7")["example"], json!(example));
}

/// Six thousand rules would be more than one value of the database may be.
#[test]
fn a_bulk_reads_its_rules_in_pieces() {
    let edge = Edge::new();
    let (tenant, mut sister) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Acme"));
    sister.clone_from(&tenant);
    let made = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": "Sister"}));
    sister.workspace = text(&made, "/workspace/id");
    let (connection, rule) = tenant.route(&edge, "e7", json!({"url": URL}));
    sister.route(&edge, "e7", json!({"url": URL}));
    edge.control.execute(&format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 6000) \
         insert into rules (id, workspace, number, connection, event, resource, resource_id, \
           action, active, created_by, created_at_ms, updated_at_ms) \
         select printf('019a1b2c-3d4e-4f50-8a6b-%012x', n.i), r.workspace, \
           100 + n.i, '{connection}', 'e' || (n.i % 60), \
           'resource', printf('%0400d', n.i), r.action, 1, 'test', 0, 0 \
         from n, rules r where r.id = '{rule}'"
    ));
    let events: Vec<Value> = (0..60)
        .flat_map(|n| [&tenant, &sister].map(|of| (n, of.workspace.clone())))
        .filter(|(n, workspace)| *n == 7 || *workspace == tenant.workspace)
        .map(|(n, workspace)| {
            json!({"workspace": workspace, "event": format!("e{n}"), "payload": {}})
        })
        .collect();
    let trips = edge.control.round_trips.get();
    let answer = tenant.call(&edge, "POST", "/api/v1/events/bulk", &json!(events));
    assert_eq!(answer.status, 201, "{:?}", edge.lines.borrow().last());
    assert_eq!(edge.control.round_trips.get() - trips, 1, "all in one batch");
    assert_eq!(edge.logs[0].ask("select count(*) from deliveries"), [json!(2)]);
    let one = tenant.emit(&edge, "e7");
    assert_eq!(tenant.delivery(&edge, &one)["rule"], json!(rule));
}

/// The page of an event had its payload once for each delivery: 68 MB at a fan-out of 100.
#[test]
fn the_page_of_an_event_has_its_payload_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    for _ in 0..100 {
        tenant.rule(&edge, "wide", &connection);
    }
    let body = json!({"event": "wide", "payload": {"mark": "x".repeat(60_000)}});
    let event = text(&tenant.emit_text(&edge, &body.to_string()).json(), "/event/id");
    edge.run_for(60_000);
    let session = json!({"role": "admin", "scopes": ["events.payload:read"]});
    let page = Visitor::new(&edge, &tenant, session).get(&edge, &format!("events/{event}"));
    assert_eq!(page.status, 200, "{}", page.text);
    let times = page.text.matches(&"x".repeat(60_000)).count();
    assert!((1..=3).contains(&times), "{times} times");
    assert!(page.text.len() < 500_000, "{} bytes", page.text.len());
}
