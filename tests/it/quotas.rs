//! Quotas: how many workspaces and connections there may be, where an installation says so.

use std::cell::Cell;

use posthorn::domain::base::time::{month, rfc3339};
use posthorn::ports::{Clock, Quotas};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant, call, text};

fn refused(answer: &Answered, param: &str) {
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert_eq!(answer.json()["error"]["data"][0]["param"], json!(param), "{}", answer.text);
}

#[test]
fn an_organization_has_so_many_workspaces() {
    let quotas = Quotas { workspaces_per_organization: Some(2), ..Quotas::default() };
    let edge = Edge::with_quotas(quotas);
    let (acme, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let create = |tenant: &Tenant, name: &str| {
        tenant.call(&edge, "POST", "/api/v1/workspaces", &json!({"name": name}))
    };
    assert_eq!(create(&acme, "Second").status, 201);
    refused(&create(&acme, "Third"), "organization");
    assert_eq!(create(&acme, "Second").status, 409, "a name that is taken is told first");
    assert_eq!(create(&other, "Second").status, 201, "others have their own");
    assert_eq!(edge.control.ask("select count(*) from publishable_keys"), [json!(4)]);
}

#[test]
fn a_workspace_has_so_many_connections() {
    let quotas = Quotas { connections_per_workspace: Some(2), ..Quotas::default() };
    let edge = Edge::with_quotas(quotas);
    let acme = Tenant::new(&edge, "Acme");
    let made = Cell::new(0);
    let create = || {
        made.set(made.get() + 1);
        let name = format!("Orders {}", made.get());
        let body = json!({"workspace": acme.workspace, "type": "webhook", "name": name,
            "metadata": {"url": "https://hooks.example.com/a"}});
        acme.call(&edge, "POST", "/api/v1/connections", &body)
    };
    let first = create();
    assert_eq!((first.status, create().status), (201, 201));
    refused(&create(), "workspace");
    assert_eq!(edge.control.ask("select count(*) from connection_secrets"), [json!(2)]);
    let path = format!("/api/v1/connections/{}", text(&first.json(), "/connection/id"));
    assert_eq!(acme.call(&edge, "DELETE", &path, &Value::Null).status, 200);
    assert_eq!(create().status, 201, "one that is gone does not count");
}

#[test]
fn a_workspace_emits_so_many_events_in_a_month() {
    let quotas = Quotas { events_per_month: Some(3), ..Quotas::default() };
    let edge = Edge::with_quotas(quotas);
    let (acme, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let emit = |tenant: &Tenant| tenant.emit_text(&edge, r#"{"event":"x","payload":{}}"#);
    let count = || edge.logs[0].ask("select events from event_counts order by workspace");
    acme.emit(&edge, "x");
    acme.emit(&edge, "x");
    edge.run_for(150_000);
    assert_eq!(count(), [json!(2)]);
    edge.run_for(150_000);
    assert_eq!(count(), [json!(2)], "none is counted twice");
    assert_eq!(emit(&acme).status, 201, "the third");
    edge.run_for(150_000);
    let answer = emit(&acme);
    used_up(&edge, &answer);
    let bulk = r#"[{"event":"x","payload":{}}]"#;
    let key = [("x-meshes-publishable-key", acme.publishable_key.as_str())];
    let answer = call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.as_bytes());
    assert_eq!((answer.status, &answer.json()["count"]), (207, &json!(0)), "{}", answer.text);
    assert_eq!(emit(&other).status, 201, "others have their own");
    let (_, next_month_ms) = month(edge.now_ms());
    edge.advance_to(next_month_ms);
    assert_eq!(emit(&acme).status, 201, "the next month");
    edge.run_for(150_000);
    let by_month = format!(
        "select events from event_counts where workspace = '{}' order by month_ms",
        acme.workspace
    );
    assert_eq!(edge.logs[0].ask(&by_month), [json!(3), json!(1)], "each month by itself");
}

/// 429, and when the month is over.
fn used_up(edge: &Edge, answer: &Answered) {
    assert_eq!(answer.status, 429, "{}", answer.text);
    let (_, next_month_ms) = month(edge.now_ms());
    let left_s = (next_month_ms - edge.now_ms() + 999) / 1_000;
    let told = answer.json();
    assert_eq!((&told["error"]["code"], &told["retry_after"]), (&json!("quota"), &json!(left_s)));
    assert_eq!(answer.headers["retry-after"], left_s.to_string().as_str());
    assert_eq!(told["error"]["data"][0]["param"], "workspace", "{}", answer.text);
}

/// What an installation allows, or nothing, and what a workspace has instead.
#[test]
fn the_limits_of_a_workspace_win_over_those_of_the_installation() {
    let quotas = Quotas {
        events_per_month: Some(1),
        connections_per_workspace: Some(1),
        ..Quotas::default()
    };
    for quotas in [quotas, Quotas::default()] {
        let edge = Edge::with_quotas(quotas);
        let acme = Tenant::new(&edge, "Acme");
        let path = format!("/api/v1/workspaces/{}", acme.workspace);
        let patch = |limits: Value| {
            let answer = acme.call(&edge, "PATCH", &path, &json!({"limits": limits}));
            assert_eq!(answer.status, 200, "{}", answer.text);
            answer.json()["limits"].clone()
        };
        let both = json!({"events_per_month": 2, "connections": 2});
        assert_eq!(patch(both.clone()), both);
        assert_eq!(acme.get(&edge, &path)["limits"], both);
        assert_eq!(patch(json!({})), both, "what is left out is kept");
        let metadata = json!({"url": "https://hooks.example.com/a"});
        let create = |n: usize| {
            let body = json!({"workspace": acme.workspace, "type": "webhook",
                "name": format!("To {n}"), "metadata": metadata});
            acme.call(&edge, "POST", "/api/v1/connections", &body)
        };
        assert_eq!((create(1).status, create(2).status), (201, 201));
        let third = create(3);
        refused(&third, "workspace");
        assert!(third.text.contains("has 2 connections, the most that it may have"), "{third:?}");
        acme.emit(&edge, "x");
        edge.run_for(150_000);
        acme.emit(&edge, "x");
        edge.run_for(150_000);
        used_up(&edge, &acme.emit_text(&edge, r#"{"event":"x","payload":{}}"#));
        // With more room it goes on, without waiting for the next month.
        assert_eq!(
            patch(json!({"events_per_month": 9})),
            json!({"events_per_month": 9, "connections": 2})
        );
        edge.run_for(150_000);
        acme.emit(&edge, "x");
        assert_eq!(patch(json!(null)), Value::Null);
        for bad in [json!({"connections": -1}), json!({"events_per_month": 1.5}), json!([])] {
            let answer = acme.call(&edge, "PATCH", &path, &json!({"limits": bad}));
            assert_eq!(answer.status, 400, "{bad}: {}", answer.text);
            assert!(answer.text.contains("\"param\":\"limits"), "{}", answer.text);
        }
    }
}

#[test]
fn what_each_workspace_used_in_a_month_is_listed() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    acme.route(&edge, "x", json!({"url": "https://hooks.example.com/a"}));
    acme.route(&edge, "x", json!({"url": "https://hooks.example.com/b"}));
    let made =
        acme.post(&edge, "/api/v1/workspaces", &json!({"name": "Quiet", "external_id": "q"}));
    let quiet = text(&made, "/workspace/id");
    (0..3).for_each(|_| drop(acme.emit(&edge, "x")));
    acme.emit(&edge, "nobody.wants");
    edge.run_for(40 * 60_000);
    let first = rfc3339(edge.now_ms())[..7].to_owned();
    let usage = |query: &str| {
        let list = acme.get(&edge, &format!("/api/v1/usage{query}"));
        let records = list["records"].as_array().expect("a list").clone();
        let used = |one: &Value| (one["events"].as_i64(), one["deliveries"].as_i64());
        records.iter().map(|one| (text(one, "/workspace"), used(one))).collect::<Vec<_>>()
    };
    let none = (quiet, (Some(0), Some(0)));
    let of = |events, deliveries| {
        vec![(acme.workspace.clone(), (Some(events), Some(deliveries))), none.clone()]
    };
    assert_eq!(usage(""), of(4, 6));
    assert_eq!(usage(&format!("?month={first}")), of(4, 6));
    assert_eq!(usage("?month=2020-02"), of(0, 0));
    let page = acme.get(&edge, "/api/v1/usage?limit=1");
    let next = text(&page, "/next_cursor");
    let page = acme.get(&edge, &format!("/api/v1/usage?limit=1&cursor={next}"));
    assert_eq!(
        (&page["records"][0]["external_id"], &page["next_cursor"]),
        (&json!("q"), &json!(null))
    );
    // What comes just before the month is over is counted after it.
    let (_, next_month_ms) = month(edge.now_ms());
    edge.advance_to(next_month_ms - 30_000);
    acme.emit(&edge, "x");
    edge.run_for(40 * 60_000);
    acme.emit(&edge, "x");
    edge.run_for(40 * 60_000);
    assert_eq!(usage(""), of(1, 2));
    assert_eq!(usage(&format!("?month={first}")), of(5, 8));
    for bad in ["2026-13", "2026-1", "2026", "x", "2026-01-01"] {
        let answer = acme.call(&edge, "GET", &format!("/api/v1/usage?month={bad}"), &Value::Null);
        assert_eq!(answer.status, 400, "{bad}: {}", answer.text);
    }
}
