//! What people ask support for: finding a message by its id, finding events, undoing a bad emit.

use posthorn::domain::base::time::{DAY_MS, rfc3339};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply, START_MS};
use crate::tenant::{Tenant, params, text};

const URL: &str = "https://hooks.example.com/a";

fn world() -> (Edge, Tenant) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    (edge, tenant)
}

#[test]
fn a_message_is_found_by_the_id_that_its_receiver_saw() {
    let (edge, tenant) = world();
    let (_, first) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let (_, second) =
        tenant.route(&edge, "order.paid", json!({"url": "https://hooks.example.com/b"}));
    let event = tenant.emit(&edge, "order.paid");
    edge.run_for(1_000);
    for (url, rule) in [(URL, &first), ("https://hooks.example.com/b", &second)] {
        let id = edge.receivers.seen(url)[0].header("webhook-id").to_owned();
        let found = tenant.get(&edge, &format!("/api/v1/messages/{id}"));
        assert_eq!(
            (&found["event"]["id"], &found["rule_event"]["rule"]),
            (&json!(event), &json!(rule))
        );
        assert_eq!(found["rule_event"]["message_id"], id.as_str());
        assert_eq!(
            found["event"],
            tenant.get(&edge, &format!("/api/v1/workspaces/{}/events", tenant.workspace))["records"]
                [0]
        );
        // It is nobody else's, and no other id finds it.
        let other = Tenant::new(&edge, "Other");
        let absent = |who: &Tenant, id: &str| {
            who.call(&edge, "GET", &format!("/api/v1/messages/{id}"), &Value::Null).status
        };
        assert_eq!(absent(&other, &id), 404);
        for wrong in [&id[4..], &id.to_uppercase(), &format!("{}ff", &id[..42]), "msg_", "x"] {
            assert_eq!(absent(&tenant, wrong), 404, "{wrong}");
        }
    }
}

#[test]
fn events_are_found_by_time_connection_and_pattern() {
    let (edge, tenant) = world();
    let (connection, _) = tenant.route(&edge, "order.*", json!({"url": URL}));
    let names = ["order.paid", "order.sent", "invoice.paid", "orders"];
    let mut made = Vec::new();
    for name in names {
        made.push((name, edge.now_ms(), tenant.emit(&edge, name)));
        edge.run_for(60_000);
    }
    let path = format!("/api/v1/workspaces/{}/events", tenant.workspace);
    let found = |query: &str| {
        let records = tenant.get(&edge, &format!("{path}?{query}"))["records"].clone();
        let mut names: Vec<String> =
            records.as_array().expect("a list").iter().map(|one| text(one, "/event")).collect();
        names.reverse();
        names
    };
    let at = |index: usize| rfc3339(made[index].1);
    assert_eq!(found("event=order.*"), ["order.paid", "order.sent"]);
    assert_eq!(found("event=*"), names);
    assert_eq!(found("event=order.paid"), ["order.paid"]);
    assert_eq!(found(&format!("connection={connection}")), ["order.paid", "order.sent"]);
    assert_eq!(found(&format!("since={}", at(1))), names[1..]);
    assert_eq!(found(&format!("until={}", at(1))), names[..1]);
    assert_eq!(found(&format!("since={}&until={}", at(1), at(3))), names[1..3]);
    assert_eq!(found(&format!("since={}&event=order.*&status=completed", at(1))), ["order.sent"]);
    // Pages with filters lead to the end, and no further.
    let first = tenant.get(&edge, &format!("{path}?since={}&limit=2", at(1)));
    let next = text(&first, "/next_cursor");
    let last = tenant.get(&edge, &format!("{path}?since={}&limit=2&cursor={next}", at(1)));
    assert_eq!((&last["count"], &last["next_cursor"]), (&json!(1), &Value::Null));
    for (query, param) in [
        ("since=yesterday", "since"),
        ("until=1", "until"),
        ("connection=acme", "connection"),
        ("status=lost", "status"),
    ] {
        let refused = tenant.call(&edge, "GET", &format!("{path}?{query}"), &Value::Null);
        assert_eq!((refused.status, params(&refused.json())), (400, vec![param]), "{query}");
    }
}

#[test]
fn what_a_bad_emit_still_owes_is_canceled_at_once() {
    let (edge, tenant) = world();
    let (kept, _) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let (_, _) = tenant.route(&edge, "order.sent", json!({"url": URL}));
    edge.receivers.script(URL, |_| Reply::status(500));
    let before = tenant.emit(&edge, "order.paid");
    edge.run_for(60_000);
    let since_ms = edge.now_ms();
    let bad: Vec<String> = (0..3).map(|_| tenant.emit(&edge, "order.paid")).collect();
    let other = tenant.emit(&edge, "order.sent");
    edge.run_for(10_000);
    let path = format!("/api/v1/workspaces/{}/cancellations", tenant.workspace);
    let cancel = |more: Value| {
        let mut body = json!({"since": rfc3339(since_ms), "until": rfc3339(edge.now_ms())});
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        tenant.call(&edge, "POST", &path, &body)
    };
    let count = |more: Value| {
        let answer = cancel(more);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["count"].clone()
    };
    assert_eq!(count(json!({"dry_run": true})), 4);
    assert_eq!(count(json!({"dry_run": true, "connection": kept})), 3);
    assert_eq!(count(json!({"event": "order.paid"})), 3);
    let status = |id: &str| tenant.delivery(&edge, id)["status"].clone();
    assert!(bad.iter().all(|id| status(id) == "canceled"));
    assert_eq!((status(&before), status(&other)), (json!("retrying"), json!("retrying")));
    assert_eq!(count(json!({"event": "order.paid"})), 0, "the same again finds nothing");
    assert_eq!(count(json!({})), 1, "and the rest");
    edge.run_for(DAY_MS);
    assert_eq!(status(&other), "canceled");
    assert_eq!(cancel(json!({"since": rfc3339(START_MS - 20 * DAY_MS)})).status, 422);
    assert_eq!(cancel(json!({"connection": other})).status, 404);
    assert_eq!(params(&cancel(json!({"since": 1})).json()), ["since"]);
}

#[test]
fn what_is_held_is_canceled_too() {
    let (edge, tenant) = world();
    let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let path = format!("/api/v1/connections/{connection}/deactivate");
    assert_eq!(tenant.call(&edge, "POST", &path, &Value::Null).status, 200);
    let event = tenant.emit(&edge, "order.paid");
    let path = format!("/api/v1/workspaces/{}/cancellations", tenant.workspace);
    let range = json!({"since": rfc3339(START_MS), "until": rfc3339(edge.now_ms() + 1_000)});
    assert_eq!(tenant.call(&edge, "POST", &path, &range).json()["count"], 1);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "canceled");
}
