//! Lists: cursors that belong to them, filters that look at a bounded number of records.

use std::collections::BTreeSet;

use posthorn::domain::base::time::rfc3339;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, params, text};

const URL: &str = "https://hooks.example.com/a";
const FAILED_URL: &str = "https://hooks.example.com/failed";

/// All records of a list, and how many pages it took.
fn walk(edge: &Edge, tenant: &Tenant, target: &str) -> (Vec<Value>, usize) {
    let (mut seen, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let page = tenant.get(edge, &format!("{target}{cursor}"));
        let records = page["records"].as_array().expect("records");
        assert_eq!(page["count"], records.len());
        seen.extend(records.clone());
        pages += 1;
        assert!(pages < 100, "{target} has no end");
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (seen, pages),
        }
    }
}

fn ids(records: &[Value], pointer: &str) -> Vec<String> {
    records.iter().map(|record| text(record, pointer)).collect()
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let second = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let second = text(&second, "/workspace/id");
    for n in 0..3 {
        let connection = tenant.connection(&edge, json!({"url": URL}));
        tenant.rule(&edge, "x", &connection);
        tenant.post(&edge, "/api/v1/workspaces", &json!({"name": format!("More {n}")}));
        tenant.post(&edge, "/api/v1/machine-keys", &json!({}));
        tenant.emit(&edge, "x");
        let body = json!({"workspace_id": tenant.workspace});
        assert_eq!(tenant.call(&edge, "POST", "/api/v1/sessions", &body).status, 200);
    }
    let connection = tenant.get(&edge, "/api/v1/connections?limit=1");
    let connection = text(&connection, "/records/0/id");
    tenant.rule(&edge, "x", &connection);
    tenant.emit(&edge, "x");
    let own = format!("/api/v1/workspaces/{}", tenant.workspace);
    let other = format!("/api/v1/workspaces/{second}");
    let lists = [
        "/api/v1/workspaces?".to_owned(),
        "/api/v1/machine-keys?".to_owned(),
        "/api/v1/connections?".to_owned(),
        "/api/v1/rules?".to_owned(),
        "/api/v1/events?".to_owned(),
        format!("/api/v1/sessions?workspace_id={}&", tenant.workspace),
        format!("/api/v1/connections/{connection}/deliveries?"),
        format!("{own}/connections?"),
        format!("{own}/rules?"),
        format!("{own}/events?"),
    ];
    let cursor = |list: &str| text(&tenant.get(&edge, &format!("{list}limit=1")), "/next_cursor");
    let cursors: Vec<String> = lists.iter().map(|list| cursor(list)).collect();
    for (list, target) in lists.iter().enumerate() {
        for (of, cursor) in cursors.iter().enumerate() {
            let target = format!("{target}cursor={cursor}");
            let answer = tenant.call(&edge, "GET", &target, &Value::Null);
            let expected = if of == list { 200 } else { 400 };
            assert_eq!(answer.status, expected, "{target}: {}", answer.text);
            if expected == 400 {
                assert_eq!(answer.json()["error"]["data"][0]["param"], "cursor");
            }
        }
    }
    for (list, cursor) in [("connections", &cursors[7]), ("rules", &cursors[8])] {
        let target = format!("{other}/{list}?cursor={cursor}");
        assert_eq!(tenant.call(&edge, "GET", &target, &Value::Null).status, 400, "{target}");
    }
}

#[test]
fn what_comes_in_between_does_not_disturb_a_walk() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    tenant.rule(&edge, "x", &connection);
    let first: BTreeSet<String> = (0..40).map(|_| tenant.emit(&edge, "x")).collect();
    edge.run_for(1_000);
    for (target, pointer) in [
        (format!("/api/v1/workspaces/{}/events", tenant.workspace), "/id"),
        ("/api/v1/events".to_owned(), "/id"),
        (format!("/api/v1/connections/{connection}/deliveries"), "/event_id"),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = tenant.get(&edge, &format!("{target}?limit=7{cursor}"));
            seen.extend(ids(page["records"].as_array().expect("records"), pointer));
            for _ in 0..5 {
                tenant.emit(&edge, "x");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let of_first = seen.iter().filter(|id| first.contains(*id));
        assert_eq!(of_first.count(), 40, "{target}");
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{target}");
    }
}

#[test]
fn deliveries_of_a_connection_are_listed_by_status() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(FAILED_URL, |n| Reply::status(if n % 3 == 0 { 410 } else { 200 }));
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": FAILED_URL}));
    let other = tenant.connection(&edge, json!({"url": URL}));
    tenant.rule(&edge, "x", &other);
    let path = format!("/api/v1/connections/{connection}/deliveries");
    let body = json!({"event": "x", "resource": "order", "resource_id": "7", "payload": {}});
    assert_eq!(tenant.emit_text(&edge, &body.to_string()).status, 201);
    edge.run_for(1_000);
    // A 410 switches the connection off: what comes now is held.
    let held = tenant.emit(&edge, "x");
    let listed = tenant.get(&edge, &path);
    assert_eq!(listed["count"], 2);
    let [newest, failed] = [&listed["records"][0], &listed["records"][1]];
    assert_eq!((&newest["event_id"], &newest["held"]), (&json!(held), &json!(true)));
    assert_eq!((&failed["status"], &failed["rule"]), (&json!("failed"), &json!(rule)));
    assert_eq!((&failed["resource"], &failed["resource_id"]), (&json!("order"), &json!("7")));
    // It is the same record as the event shows.
    let event = tenant.get(&edge, &format!("/api/v1/events/{}", text(failed, "/event_id")));
    let of_event = event["rule_events"].as_array().expect("a list");
    assert!(of_event.contains(failed), "{failed} is none of {event}");
    for (status, count) in [
        ("pending", 1),
        ("held", 1),
        ("failed", 1),
        ("completed", 0),
        ("retrying", 0),
        ("canceled", 0),
    ] {
        let (found, _) = walk(&edge, &tenant, &format!("{path}?status={status}"));
        assert_eq!(found.len(), count, "{status}");
    }
    for bad in ["status=lost", "cursor=x", "limit=0"] {
        let answer = tenant.call(&edge, "GET", &format!("{path}?{bad}"), &Value::Null);
        assert_eq!(answer.status, 400, "{bad}");
    }
}

#[test]
fn deliveries_of_a_connection_are_filtered_by_time_event_and_status() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let metadata = json!({"url": FAILED_URL, "retry_schedule_seconds": [86_400]});
    let (connection, _) = tenant.route(&edge, "*", metadata);
    edge.receivers.script(FAILED_URL, |n| Reply::status(if n % 2 == 0 { 400 } else { 200 }));
    let mut times = Vec::new();
    for name in ["order.paid", "order.sent", "user.made", "order.paid"] {
        times.push(rfc3339(edge.now_ms()));
        tenant.emit(&edge, name);
        edge.run_for(60_000);
    }
    let path = format!("/api/v1/connections/{connection}/deliveries");
    let [first, third, last] = [0, 2, 3].map(|at| times[at].as_str());
    for (query, expected) in [
        (String::new(), 4),
        ("event=order.paid".to_owned(), 2),
        ("event=order.*".to_owned(), 3),
        ("event=*".to_owned(), 4),
        ("event=order".to_owned(), 0),
        (format!("since={third}"), 2),
        (format!("until={third}"), 2),
        (format!("since={first}&until={last}"), 3),
        (format!("since={third}&event=order.paid"), 1),
        (format!("until={third}&event=user.*"), 0),
        ("status=retrying".to_owned(), 2),
        (format!("status=retrying&since={first}&event=*"), 2),
        (format!("status=retrying&since={third}"), 1),
        (format!("status=failed&since={first}"), 0),
    ] {
        for limit in [1, 50] {
            let (found, _) = walk(&edge, &tenant, &format!("{path}?limit={limit}&{query}"));
            assert_eq!(found.len(), expected, "{query} by {limit}");
        }
    }
    for bad in ["since=yesterday", "until=1"] {
        let answer = tenant.call(&edge, "GET", &format!("{path}?{bad}"), &Value::Null);
        assert_eq!((answer.status, params(&answer.json()).len()), (400, 1), "{bad}");
    }
}

#[test]
fn a_filter_looks_at_a_bounded_number_of_deliveries() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    // Six thousand newer ones that nobody asks for.
    for (table, columns) in [
        ("events", "name, created_by, created_at_ms, fan_out, payload_bytes, payload"),
        ("deliveries", "connection, rule, state, open, payload_bytes, created_at_ms"),
    ] {
        let changed = columns.replace("state", "'canceled'");
        edge.logs[0].execute(&format!(
            "insert into {table} (workspace, event, {columns}) \
             with recursive n (n) as (select 1 union all select n + 1 from n where n < 6000) \
             select workspace, printf('f%07d%s', n, substr(event, 9)), {changed} \
             from {table} cross join n"
        ));
    }
    let path = format!("/api/v1/connections/{connection}/deliveries");
    let (found, pages) = walk(&edge, &tenant, &format!("{path}?status=completed"));
    assert_eq!((ids(&found, "/event_id"), pages), (vec![event], 7));
    let (found, pages) = walk(&edge, &tenant, &format!("{path}?status=canceled&limit=200"));
    assert_eq!((found.len(), pages), (6_000, 30));
    let (found, pages) = walk(&edge, &tenant, &format!("{path}?status=failed"));
    assert_eq!((found.len(), pages), (0, 1), "they have an index");
}

#[test]
fn a_filter_looks_at_a_bounded_number_of_rules() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "a", json!({"url": URL}));
    edge.control.execute(&format!(
        "insert into rules (id, workspace, number, connection, event, action, created_by, \
           created_at_ms, updated_at_ms) \
         with recursive n (n) as (select 2 union all select n + 1 from n where n < 3000) \
         select printf('00000000-0000-4000-8000-%012d', n), '{}', n, '{connection}', 'b', \
           'send_webhook', 'k', 1, 1 from n",
        tenant.workspace
    ));
    edge.control.execute("update workspaces set last_rule_number = 3000");
    let last = tenant.rule(&edge, "c", &connection);
    // Workspaces without rules are looked at as well.
    edge.control.execute(&format!(
        "insert into workspaces (id, number, organization, shard, name, created_at_ms, \
           updated_at_ms) \
         with recursive n (n) as (select 100 union all select n + 1 from n where n < 2000) \
         select 'w-' || n, n, '{}', 0, 'Workspace ' || printf('%05d', n), 1, 1 from n",
        tenant.organization
    ));
    let (found, pages) = walk(&edge, &tenant, "/api/v1/rules?event=c");
    assert_eq!((ids(&found, "/id"), pages), (vec![last], 7));
    let (found, _) = walk(&edge, &tenant, "/api/v1/rules?limit=200");
    let distinct: BTreeSet<_> = ids(&found, "/id").into_iter().collect();
    assert_eq!((found.len(), distinct.len()), (3_001, 3_001));
    let (found, _) = walk(&edge, &tenant, "/api/v1/connections?limit=200");
    assert_eq!(found.len(), 1);
    let second = json!({"workspace": "w-2000", "type": "webhook", "name": "Last",
        "metadata": {"url": URL}});
    assert_eq!(tenant.call(&edge, "POST", "/api/v1/connections", &second).status, 400);
}

#[test]
fn connections_that_fail_are_found_across_workspaces() {
    let edge = Edge::with_shards(2);
    let (mut tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    edge.receivers.script(FAILED_URL, |_| Reply::status(500));
    let mut failing = Vec::new();
    for name in ["Acme", "Beta", "Gamma"] {
        if name != "Acme" {
            let made = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": name}));
            tenant.workspace = text(&made, "/workspace/id");
            tenant.publishable_key = text(&made, "/workspace/publishable_key/public_key");
        }
        failing.push(tenant.route(&edge, "x", json!({"url": FAILED_URL})).0);
        tenant.route(&edge, "x", json!({"url": URL}));
        tenant.emit(&edge, "x");
    }
    other.route(&edge, "x", json!({"url": FAILED_URL}));
    other.emit(&edge, "x");
    edge.run_for(1_000);
    // One of them is switched off because its endpoint is gone.
    edge.control.execute(&format!(
        "update connections set active = 0, inactive_reason = 'endpoint_gone' where id = '{}'",
        failing[2]
    ));
    edge.logs.iter().for_each(|log| {
        log.execute(&format!("delete from lanes where connection = '{}'", failing[2]));
    });
    let (found, pages) = walk(&edge, &tenant, "/api/v1/connections?health=failing&limit=2");
    assert_eq!((ids(&found, "/id"), pages), (failing.clone(), 2));
    assert_eq!(found[0]["failing_since"], "2027-01-15T08:00:00.002Z");
    assert_eq!(found[2]["failing_since"], Value::Null);
    let own = format!("/api/v1/workspaces/{}/connections?health=failing", tenant.workspace);
    assert_eq!(ids(&walk(&edge, &tenant, &own).0, "/id"), [failing[2].clone()]);
    // It works again.
    edge.receivers.script(FAILED_URL, |_| Reply::status(200));
    edge.run_for(60_000);
    let (found, _) = walk(&edge, &tenant, "/api/v1/connections?health=failing&limit=2");
    assert_eq!(ids(&found, "/id"), [failing[2].clone()]);
    let bad = tenant.call(&edge, "GET", "/api/v1/connections?health=ill", &Value::Null);
    assert_eq!((bad.status, &bad.json()["error"]["data"][0]["param"]), (400, &json!("health")));
}

#[test]
fn the_events_of_any_number_of_workspaces_are_merged() {
    let edge = Edge::with_shards(3);
    let mut tenant = Tenant::new(&edge, "Acme");
    let mut expected = Vec::new();
    for n in 0..110 {
        if n > 0 {
            let body = json!({"name": format!("Customer {n}")});
            let made = tenant.post(&edge, "/api/v1/workspaces", &body);
            tenant.workspace = text(&made, "/workspace/id");
            tenant.publishable_key = text(&made, "/workspace/publishable_key/public_key");
        }
        // One of them has many more than the others, and some have none.
        let count = if n == 7 { 130 } else { n % 3 };
        for _ in 0..count {
            expected.push(tenant.emit(&edge, "x"));
            edge.run_for(1);
        }
    }
    expected.reverse();
    for (limit, pages) in [(200, 5), (50, 5), (5, 48)] {
        let (found, walked) = walk(&edge, &tenant, &format!("/api/v1/events?limit={limit}"));
        assert_eq!((ids(&found, "/id"), walked), (expected.clone(), pages), "by {limit}");
    }
    let first = tenant.get(&edge, "/api/v1/events?limit=5");
    assert_eq!(ids(first["records"].as_array().expect("a list"), "/id"), expected[..5]);
}
