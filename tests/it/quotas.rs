//! Quotas: how many workspaces and connections there may be, where an installation says so.

use std::cell::Cell;

use posthorn::domain::base::time::month;
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
    refused(&emit(&acme), "workspace");
    let bulk = r#"[{"event":"x","payload":{}}]"#;
    let key = [("x-meshes-publishable-key", acme.publishable_key.as_str())];
    let answer = call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.as_bytes());
    assert_eq!((answer.status, &answer.json()["count"]), (207, &json!(0)), "{}", answer.text);
    assert_eq!(emit(&other).status, 201, "others have their own");
    let (_, next_month_ms) = month(edge.now_ms());
    edge.advance_to(next_month_ms);
    assert_eq!(emit(&acme).status, 201, "the next month");
    edge.run_for(150_000);
    assert_eq!(count(), [json!(1)], "counted from the start of the month");
}
