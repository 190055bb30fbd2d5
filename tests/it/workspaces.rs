//! Workspaces: the product's own ids, environments, and deletion.

use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Reply};
use crate::tenant::{Answered, Tenant, text};

const WORKSPACES: &str = "/api/v1/workspaces";
const URL: &str = "https://hooks.example.com/a";

fn params(answer: &Answered) -> Vec<String> {
    let answer = answer.json();
    let data = answer["error"]["data"].as_array().cloned().unwrap_or_default();
    data.iter().map(|field| text(field, "/param")).collect()
}

fn names(page: &Value) -> Vec<String> {
    page["records"].as_array().expect("a list").iter().map(|one| text(one, "/name")).collect()
}

#[test]
fn an_external_id_makes_one_workspace() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let body = json!({"name": "Customer 7", "external_id": "cus_7", "environment": "staging"});
    let first = tenant.call(&edge, "POST", WORKSPACES, &body);
    assert_eq!((first.status, &first.json()["workspace"]["external_id"]), (201, &json!("cus_7")));
    let again = json!({"name": "Another name", "external_id": "cus_7"});
    let second = tenant.call(&edge, "POST", WORKSPACES, &again);
    assert_eq!((second.status, second.json()), (200, first.json()), "as it is");
    // Ids are the organization's own.
    assert_eq!(other.call(&edge, "POST", WORKSPACES, &body).status, 201);

    let found = tenant.get(&edge, &format!("{WORKSPACES}?external_id=cus_7"));
    assert_eq!(names(&found), ["Customer 7"]);
    assert_eq!(tenant.get(&edge, &format!("{WORKSPACES}?external_id=cus_8"))["count"], 0);
    let both = format!("{WORKSPACES}?external_id=cus_7&environment=production");
    assert_eq!(tenant.get(&edge, &both)["count"], 0);

    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    let patch = |body: Value| tenant.call(&edge, "PATCH", &own, &body);
    let taken = patch(json!({"external_id": "cus_7"}));
    assert_eq!((taken.status, params(&taken)), (409, vec!["external_id".to_owned()]));
    assert_eq!(taken.json()["error"]["code"], "duplicate");
    let taken = patch(json!({"name": "Customer 7"}));
    assert_eq!((taken.status, params(&taken)), (409, vec!["name".to_owned()]));
    assert_eq!(taken.json()["error"]["code"], "name_taken");
    assert_eq!(patch(json!({"external_id": "cus_1"})).json()["external_id"], "cus_1");
    assert_eq!(patch(json!({"external_id": null})).json()["external_id"], Value::Null);
    for (field, value) in [
        ("external_id", json!("")),
        ("external_id", json!("x".repeat(256))),
        ("external_id", json!("a\nb")),
        ("external_id", json!(7)),
        ("environment", json!(" ")),
        ("environment", json!("x".repeat(33))),
    ] {
        let refused = patch(json!({field: value}));
        assert_eq!((refused.status, params(&refused)), (400, vec![field.to_owned()]), "{value}");
    }
}

#[test]
fn who_creates_at_once_gets_the_same_workspace() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    // Another request creates it between the look and the insert of this one.
    edge.control.execute(
        "create trigger meanwhile before insert on workspaces \
         when new.name = 'Mine' begin \
           insert into workspaces (id, number, organization, shard, name, external_id, \
             created_at_ms, updated_at_ms) \
           values ('11111111-1111-4111-8111-111111111111', 900, new.organization, 0, 'Theirs', \
             new.external_id, 1, 1); end",
    );
    let body = json!({"name": "Mine", "external_id": "cus_7"});
    let answer = tenant.call(&edge, "POST", WORKSPACES, &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["workspace"]["name"], "Theirs");
    assert_eq!(edge.control.ask("select count(*) from workspaces where name = 'Mine'"), [json!(0)]);
}

#[test]
fn workspaces_are_listed_by_environment() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for n in 0..5 {
        let environment = if n % 2 == 0 { "production" } else { "staging" };
        let body = json!({"name": format!("Customer {n}"), "environment": environment});
        tenant.post(&edge, WORKSPACES, &body);
    }
    let first = tenant.get(&edge, &format!("{WORKSPACES}?environment=production&limit=2"));
    assert_eq!(names(&first), ["Customer 0", "Customer 2"]);
    let next = text(&first, "/next_cursor");
    let next = format!("{WORKSPACES}?environment=production&limit=2&cursor={next}");
    let second = tenant.get(&edge, &next);
    assert_eq!((names(&second), &second["next_cursor"]), (vec!["Customer 4".into()], &Value::Null));
    assert_eq!(tenant.get(&edge, WORKSPACES)["count"], 6);
}

#[test]
fn pages_show_the_environment() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    let page = |edge: &Edge| {
        crate::visit::Visitor::new(edge, &tenant, json!({})).get(edge, "dashboard").text
    };
    assert!(!page(&edge).contains("class=\"badge\""));
    tenant.call(&edge, "PATCH", &own, &json!({"environment": "<staging>"}));
    assert!(page(&edge).contains("<span class=\"badge\">&lt;staging&gt;</span>"));
}

fn count(edge: &Edge, table: &str) -> Value {
    edge.control.ask(&format!("select count(*) from {table}"))[0].clone()
}

#[test]
fn a_deleted_workspace_is_gone_for_everybody() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(URL, |_| Reply::status(500));
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": URL}));
    let (paused, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let path = format!("/api/v1/connections/{paused}/deactivate");
    assert_eq!(tenant.call(&edge, "POST", &path, &Value::Null).status, 200);
    let event = tenant.emit(&edge, "x");
    edge.run_for(2_000);
    let visitor = crate::visit::Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    assert_eq!(visitor.get(&edge, "dashboard").status, 200);
    let number = edge.control.ask("select max(number) from workspaces");

    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    let delete = |body: &Value| tenant.call(&edge, "DELETE", &own, body).status;
    assert_eq!(delete(&Value::Null), 409);
    assert_eq!(delete(&json!({"force_delete": false})), 409);
    assert_eq!(delete(&json!({"force_delete": "yes"})), 400);
    assert_eq!(tenant.call(&edge, "GET", &own, &Value::Null).status, 200);
    assert_eq!(delete(&json!({"force_delete": true})), 200);
    assert_eq!(delete(&json!({"force_delete": true})), 404);

    assert_eq!(tenant.emit_text(&edge, r#"{"event":"x","payload":{}}"#).status, 401);
    let emit = json!({"workspace": tenant.workspace, "event": "x", "payload": {}});
    assert_eq!(tenant.call(&edge, "POST", "/api/v1/events", &emit).status, 404);
    for path in [
        own.clone(),
        format!("{own}/events"),
        format!("/api/v1/connections/{connection}"),
        format!("/api/v1/rules/{rule}"),
        format!("/api/v1/events/{event}"),
    ] {
        assert_eq!(tenant.call(&edge, "GET", &path, &Value::Null).status, 404, "{path}");
    }
    assert_eq!(visitor.get(&edge, "dashboard").status, 401);
    for table in ["workspaces", "connections", "connection_secrets", "rules", "publishable_keys"] {
        assert_eq!(count(&edge, table), 0, "{table}");
    }
    // Its history is erased at once, as it is not long; nothing is sent any more.
    let left = "select (select count(*) from deliveries) + (select count(*) from events)";
    assert_eq!(edge.logs[0].ask(left), [json!(0)]);
    let sent = edge.receivers.seen(URL).len();
    edge.run_for(10 * 60_000);
    assert_eq!(edge.receivers.seen(URL).len(), sent);
    assert_eq!(count(&edge, "deleted_workspaces"), 0, "nothing is left to do");

    // The name is free again; the number, which stands in event ids, is not.
    let again = tenant.post(&edge, WORKSPACES, &json!({"name": "Acme"}));
    assert_ne!(text(&again, "/workspace/id"), tenant.workspace);
    let larger = format!("select number > {} from workspaces", number[0]);
    assert_eq!(edge.control.ask(&larger), [json!(1)]);
}

#[test]
fn what_a_deletion_leaves_the_sweeper_clears_away() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for n in 0..130 {
        let connection = tenant.connection(&edge, json!({"url": URL}));
        if n < 3 {
            tenant.rule(&edge, "x", &connection);
        }
    }
    let other = Tenant::new(&edge, "Other");
    other.route(&edge, "x", json!({"url": URL}));
    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    let answer = tenant.call(&edge, "DELETE", &own, &json!({"force_delete": true}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(count(&edge, "connections"), 31, "a request does a hundred of them");
    // Somebody who saw the workspace before stores another session and connection.
    edge.control.execute(&format!(
        "insert into connections (id, workspace, name_key, type, name, settings, credentials, \
           created_by, created_at_ms, updated_at_ms, timeout_seconds, retry_schedule, ordering) \
         select 'late', '{}', 'late', type, name, settings, credentials, created_by, \
           created_at_ms, updated_at_ms, timeout_seconds, retry_schedule, ordering \
         from connections limit 1",
        tenant.workspace
    ));
    edge.run_for(60_000);
    assert_eq!(count(&edge, "connections"), 1);
    assert_eq!(count(&edge, "deleted_workspaces"), 1, "it is remembered for some minutes");
    edge.run_for(6 * 60_000);
    assert_eq!(count(&edge, "deleted_workspaces"), 0);
    assert_eq!((count(&edge, "rules"), count(&edge, "connection_secrets")), (json!(1), json!(1)));
    assert_eq!(other.get(&edge, "/api/v1/connections")["count"], 1, "of nobody else anything");
}

#[test]
fn a_deletion_that_is_cut_short_goes_on() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let visitor = crate::visit::Visitor::new(&edge, &tenant, json!({}));
    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    // LOG does not answer when sessions are to end.
    edge.logs[0].fail_next(&[Some(Fault::Before)]);
    let answer = tenant.call(&edge, "DELETE", &own, &json!({"force_delete": true}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!((count(&edge, "workspaces"), count(&edge, "connections")), (json!(0), json!(1)));
    assert_eq!(tenant.emit_text(&edge, r#"{"event":"x","payload":{}}"#).status, 401);
    edge.run_for(60_000);
    assert_eq!((count(&edge, "connections"), count(&edge, "rules")), (json!(0), json!(0)));
    assert_eq!(visitor.get(&edge, "dashboard").status, 401);
}

#[test]
fn an_empty_workspace_needs_no_force() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let own = format!("{WORKSPACES}/{}", tenant.workspace);
    assert_eq!(other.call(&edge, "DELETE", &own, &json!({"force_delete": true})).status, 404);
    let answer = tenant.call(&edge, "DELETE", &own, &Value::Null);
    assert_eq!((answer.status, answer.json()), (200, json!({"id": tenant.workspace})));
    assert_eq!(tenant.get(&edge, WORKSPACES)["count"], 0);
}

#[test]
fn a_webhook_says_what_it_can_do() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let listed = tenant.get(&edge, "/api/v1/integrations");
    assert_eq!(listed["records"][0]["type"], json!("webhook"));
    let path = |below: &str| format!("/api/v1/connections/{connection}/{below}");
    let actions = tenant.get(&edge, &path("actions"))["actions"].clone();
    assert_eq!(actions, listed["records"][0]["actions"]);
    assert_eq!(actions["send_webhook"]["key"], "send_webhook");
    assert_eq!(tenant.get(&edge, &path("fields"))["fields"], json!([]));
    let mapping = path("mappings/default");
    assert_eq!(tenant.call(&edge, "GET", &mapping, &Value::Null).status, 404);
    let put = tenant.call(&edge, "PUT", &mapping, &json!({"schema": {"fields": []}}));
    assert_eq!((put.status, params(&put)), (422, vec!["schema".to_owned()]));
}

#[test]
fn workspaces_have_names_of_their_own() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let create =
        |name: &str| tenant.call(&edge, "POST", "/api/v1/workspaces", &json!({"name": name}));
    assert_eq!(create("Acme").status, 409);
    assert_eq!(create("Second").status, 201);
    for name in ["ab", "a/b", &"x".repeat(51), " ab "] {
        assert_eq!(params(&create(name)), ["name"], "{name}");
    }
    let put = |body: Value| tenant.call(&edge, "PUT", &path, &body);
    assert_eq!(put(json!({"name": "Second"})).status, 409);
    assert_eq!(put(json!({"name": "Acme", "description": "One"})).json()["description"], "One");
    assert_eq!(put(json!({"name": "Acme"})).json()["description"], "One");
    assert_eq!(
        put(json!({"name": "Acme", "description": null})).json()["description"],
        Value::Null
    );
    // The same name in another organization is another workspace.
    other.post(&edge, "/api/v1/workspaces", &json!({"name": "Acme"}));
}
