//! Replaying what is missing: what by today's rules would be owed, and is not.

use posthorn::domain::base::time::{MINUTE_MS, rfc3339};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge, Fault, Reply, START_MS};
use crate::tenant::{Answered, Tenant, call, params, text};

const URL: &str = "https://hooks.example.com/a";

fn ask(edge: &Edge, tenant: &Tenant, more: Value) -> Answered {
    let until = rfc3339(edge.now_ms() + 1);
    let mut body = json!({"status": "missing", "since": rfc3339(START_MS), "until": until});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    tenant.call(edge, "POST", &path, &body)
}

fn count(edge: &Edge, tenant: &Tenant, more: Value) -> Value {
    let mut more = more;
    more["dry_run"] = json!(true);
    let answer = ask(edge, tenant, more);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["count"].clone()
}

/// Replays what is missing and waits until all of it was sent; the replay then.
fn replay(edge: &Edge, tenant: &Tenant, more: Value) -> Value {
    let answer = ask(edge, tenant, more);
    assert_eq!(answer.status, 201, "{}", answer.text);
    edge.run_for(2 * MINUTE_MS);
    let id = text(&answer.json(), "/replay/id");
    tenant.get(edge, &format!("/api/v1/replays/{id}"))
}

fn sent(edge: &Edge) -> Vec<String> {
    let seen = edge.receivers.seen(URL);
    seen.iter().map(|seen| seen.header("posthorn-event-id").to_owned()).collect()
}

#[test]
fn a_rule_that_is_newer_than_an_event_gets_it() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let one = |name: &str| {
        edge.advance_to(edge.now_ms() + 1);
        tenant.emit(&edge, name)
    };
    let old: Vec<String> = (0..3).map(|_| one("order.paid")).collect();
    let other = one("user.made");
    let test = format!("/api/v1/connections/{connection}/test");
    assert_eq!(tenant.call(&edge, "POST", &test, &json!({})).status, 201);
    edge.run_for(1_000);
    assert_eq!(sent(&edge).len(), 1, "the test event");
    let rule = tenant.rule(&edge, "order.*", &connection);
    let new = one("order.paid");
    edge.run_for(1_000);
    assert_eq!(count(&edge, &tenant, json!({})), 3);
    assert_eq!(count(&edge, &tenant, json!({"event": "order.paid"})), 3);
    assert_eq!(count(&edge, &tenant, json!({"event": "order.sent"})), 0);
    assert_eq!(count(&edge, &tenant, json!({"connection": connection})), 3);
    let done = replay(&edge, &tenant, json!({}));
    assert_eq!(
        (&done["status"], &done["replayed"], &done["replays"]),
        (&json!("done"), &json!(3), &json!("missing"))
    );
    assert_eq!(sent(&edge)[2..], old, "the oldest first");
    // The history shows it as it shows all deliveries.
    for event in &old {
        let delivery = tenant.delivery(&edge, event);
        assert_eq!((&delivery["rule"], &delivery["status"]), (&json!(rule), &json!("completed")));
        assert_eq!(tenant.attempts(&edge, event, &rule).len(), 1);
        let found = tenant.get(&edge, &format!("/api/v1/events/{event}"));
        assert_eq!((&found["total_rules"], found.get("unmatched_rules")), (&json!(1), None));
    }
    let found = tenant.get(&edge, &format!("/api/v1/events/{other}"));
    assert_eq!(found["total_rules"], 0);
    assert_eq!(tenant.delivery(&edge, &new)["attempt_count"], 1);
    // Now it is not missing any more, and can be sent again like any other.
    assert_eq!(count(&edge, &tenant, json!({})), 0);
    assert_eq!(count(&edge, &tenant, json!({"status": "completed"})), 5, "with the test event");
    let path = format!("/api/v1/events/{}/rules/{rule}/retry", old[0]);
    assert_eq!(tenant.call(&edge, "POST", &path, &json!({})).status, 200);
    edge.run_for(40 * MINUTE_MS);
    let stats = tenant.get(&edge, &format!("/api/v1/workspaces/{}/stats", tenant.workspace));
    assert_eq!(stats["total"]["completed"], 5, "with the test event: {stats}");
}

#[test]
fn what_is_meant_is_what_todays_rules_say() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, paused) = tenant.route(&edge, "x", json!({"url": URL}));
    let set = |rule: &str, change: Value| {
        let path = format!("/api/v1/rules/{rule}");
        let answer = tenant.call(&edge, "PATCH", &path, &change);
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    set(&paused, json!({"active": false}));
    let emit = |resource: &str, total: u32| {
        edge.advance_to(edge.now_ms() + 1);
        let body = json!({"event": "x", "resource": resource, "payload": {"total": total}});
        text(&tenant.emit_text(&edge, &body.to_string()).json(), "/event/id")
    };
    let all = [emit("order", 1), emit("order", 200), emit("user", 300)];
    assert_eq!(count(&edge, &tenant, json!({})), 0, "a rule that is paused asks for nothing");
    set(&paused, json!({"active": true, "resource": "order"}));
    assert_eq!(count(&edge, &tenant, json!({})), 2);
    set(&paused, json!({"filter": {"path": "total", "gt": 100}}));
    assert_eq!(count(&edge, &tenant, json!({})), 1);
    let erase = format!("/api/v1/events/{}/payload", all[1]);
    assert_eq!(tenant.call(&edge, "DELETE", &erase, &Value::Null).status, 200);
    assert_eq!(count(&edge, &tenant, json!({})), 0, "what was erased is not missing");
    set(&paused, json!({"resource": null}));
    let done = replay(&edge, &tenant, json!({}));
    assert_eq!((&done["count"], sent(&edge)), (&json!(1), vec![all[2].clone()]));
    // Another customer's workspace and connection are not there.
    let other = Tenant::new(&edge, "Other");
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    let body = json!({"status": "missing", "since": rfc3339(START_MS),
        "until": rfc3339(START_MS + MINUTE_MS)});
    assert_eq!(other.call(&edge, "POST", &path, &body).status, 404);
    assert_eq!(ask(&edge, &other, json!({"connection": connection})).status, 404);
}

#[test]
fn a_strict_line_takes_what_was_missing_at_its_tail() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let emit = || {
        edge.advance_to(edge.now_ms() + 1);
        tenant.emit(&edge, "x")
    };
    let old: Vec<String> = (0..3).map(|_| emit()).collect();
    let (_, rule) = tenant.route(&edge, "x", json!({"url": URL, "ordering": "strict"}));
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let new: Vec<String> = (0..2).map(|_| emit()).collect();
    assert_eq!(ask(&edge, &tenant, json!({})).status, 201);
    edge.run_for(10 * MINUTE_MS);
    let expected: Vec<String> = [&new[..1], &new, &old].concat();
    assert_eq!(sent(&edge), expected, "the first one twice");
    let numbers = edge.logs[0].ask("select seq from deliveries order by seq");
    assert_eq!(numbers, [1, 2, 3, 4, 5].map(|n| json!(n)), "{rule}");
}

#[test]
fn faults_and_repetitions_make_one_delivery() {
    for calls in 0..8 {
        for fault in [Fault::Before, Fault::After] {
            let edge = Edge::new();
            let tenant = Tenant::new(&edge, "Acme");
            let event = tenant.emit(&edge, "x");
            tenant.route(&edge, "x", json!({"url": URL}));
            assert_eq!(ask(&edge, &tenant, json!({})).status, 201);
            let mut faults = vec![None; calls];
            faults.push(Some(fault));
            edge.logs[0].fail_next(&faults);
            edge.run_for(20 * MINUTE_MS);
            let delivery = tenant.delivery(&edge, &event);
            assert_eq!(delivery["status"], "completed", "{fault:?} {calls}");
            let found = tenant.get(&edge, &format!("/api/v1/events/{event}"));
            assert_eq!(found["total_rules"], 1, "{fault:?} {calls}");
            let replayed = edge.logs[0].ask("select replayed from replays");
            assert_eq!(replayed, [json!(1)], "{fault:?} {calls}");
        }
    }
}

#[test]
fn too_many_events_are_refused() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.emit(&edge, "x");
    tenant.route(&edge, "x", json!({"url": URL}));
    edge.logs[0].execute(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10001) \
         insert into events (workspace, event, name, created_by, created_at_ms, fan_out, \
           payload_bytes, payload) \
         select workspace, \
           substr(event, 1, 19) || '9abc-' || printf('%04x', n.i) || substr(event, 29), \
           name, created_by, created_at_ms, fan_out, payload_bytes, payload from n, events",
    );
    let answer = ask(&edge, &tenant, json!({"dry_run": true}));
    assert_eq!((answer.status, params(&answer.json())), (422, vec!["until"]), "{}", answer.text);
}

/// A filter that found no room among others is judged with more room by itself, and the operator is
/// told of it.
#[test]
fn what_a_costly_filter_left_out_is_told_of_and_found() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let made = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": "Operations"}));
    let ops = Tenant { workspace: text(&made, "/workspace/id"), ..tenant.clone() };
    ops.route(&edge, "posthorn.*", json!({"url": "https://ops.example.com/a"}));
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    let named = json!({"operational_workspace": ops.workspace}).to_string();
    let headers = [("authorization", bearer.as_str())];
    assert_eq!(call(&edge, "PATCH", &path, &headers, named.as_bytes()).status, 200);
    let (_, rule) = tenant.route(&edge, "x", json!({"url": URL}));
    let mut conditions: Vec<Value> =
        (0..59).map(|n| json!({"path": format!("p{n}"), "eq": 1})).collect();
    conditions.push(json!({"path": "k39999", "eq": 1}));
    let change = json!({"filter": {"or": conditions}});
    let at = format!("/api/v1/rules/{rule}");
    assert_eq!(tenant.call(&edge, "PATCH", &at, &change).status, 200);
    let entries: Vec<String> = (0..40_000).map(|n| format!("\"k{n}\":1")).collect();
    let body = format!("{{\"event\":\"x\",\"payload\":{{{}}}}}", entries.join(","));
    let emit = |_| {
        edge.advance_to(edge.now_ms() + 1);
        tenant.emit_text(&edge, &body)
    };
    let answers: Vec<Answered> = (0..2).map(emit).collect();
    edge.run_for(3 * MINUTE_MS);
    assert_eq!(sent(&edge), [""; 0]);
    let told = edge.receivers.seen("https://ops.example.com/a");
    let named: Vec<&str> = told.iter().map(|seen| seen.header("posthorn-event")).collect();
    assert_eq!(named, ["posthorn.filter.too_costly"], "once");
    let pauses = edge.pauses.get();
    assert_eq!(count(&edge, &tenant, json!({})), 2);
    assert_eq!(edge.pauses.get() - pauses, 2, "others have their turn after each of them");
    replay(&edge, &tenant, json!({}));
    let ids: Vec<String> = answers.iter().map(|one| text(&one.json(), "/event/id")).collect();
    assert_eq!(sent(&edge), ids);
    let found = tenant.get(&edge, &format!("/api/v1/events/{}", ids[0]));
    assert_eq!(found.get("unmatched_rules"), None, "{found}");
}
