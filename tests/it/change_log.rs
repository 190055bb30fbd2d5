//! Who changed what: every kind of change leaves one entry with who made it and which fields, and
//! never what stands in them.

use posthorn::domain::base::time::{DAY_MS, MINUTE_MS};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge, Reply};
use crate::tenant::{Tenant, call, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/changes";

fn changes(edge: &Edge, tenant: &Tenant) -> Vec<Value> {
    let path = format!("/api/v1/workspaces/{}/changes?limit=100", tenant.workspace);
    tenant.get(edge, &path)["records"].as_array().expect("a list").clone()
}

/// The newest change: type of the record, what was done, kind of who did it, fields.
fn newest(edge: &Edge, tenant: &Tenant) -> (String, String, String, Value) {
    let change = &changes(edge, tenant)[0];
    let word = |at: &str| text(change, at);
    (word("/record/type"), word("/action"), word("/actor/kind"), change["fields"].clone())
}

/// Makes a call; what it must have left.
fn leaves(
    (edge, tenant): (&Edge, &Tenant),
    (method, path, body): (&str, &str, Value),
    (record, action, fields): (&str, &str, Value),
) {
    edge.advance_to(edge.now_ms() + 5);
    let before = changes(edge, tenant).len();
    let answer = tenant.call(edge, method, path, &body);
    assert!(answer.status < 300, "{method} {path}: {}", answer.text);
    assert_eq!(changes(edge, tenant).len(), before + 1, "{method} {path}");
    let expected = (record.to_owned(), action.to_owned(), "machine_key".to_owned(), fields);
    assert_eq!(newest(edge, tenant), expected, "{method} {path}");
}

#[test]
fn each_kind_of_change_leaves_one_entry_with_its_fields_and_no_value() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let of = (&edge, &tenant);
    let nothing = || json!([]);
    assert_eq!(newest(&edge, &tenant).1, "created", "the workspace itself");
    let metadata = json!({"url": URL, "auth_scheme": "bearer", "auth_token": "value-1"});
    let new = json!({"workspace": tenant.workspace, "type": "webhook", "name": "Orders",
        "metadata": metadata});
    leaves(of, ("POST", "/api/v1/connections", new), ("connection", "created", nothing()));
    let id = text(&changes(&edge, &tenant)[0], "/record/id");
    let at = format!("/api/v1/connections/{id}");
    let change = json!({"name": "value-2", "metadata": {"url": "https://value-3.example.com/",
        "auth_token": "value-4", "timeout_seconds": 7}});
    let fields = json!(["name", "timeout_seconds", "url", "auth_token"]);
    leaves(of, ("PATCH", &at, change), ("connection", "updated", fields));
    let secret = json!({"metadata": {"signing_secret": "value-5-is-long-enough-for-it"}});
    leaves(of, ("PATCH", &at, secret), ("connection", "updated", json!(["signing_secret"])));
    let rotate = format!("{at}/secret/rotate");
    let rotated = ("connection", "secret_rotated", json!(["signing_secret"]));
    leaves(of, ("POST", &rotate, json!({"overlap_seconds": 60})), rotated);
    let pause = format!("{at}/deactivate");
    leaves(of, ("POST", &pause, json!({})), ("connection", "deactivated", nothing()));
    let resume = format!("{at}/activate");
    leaves(of, ("POST", &resume, json!({})), ("connection", "activated", nothing()));
    let rule = json!({"workspace": tenant.workspace, "connection": id, "event": "order.paid",
        "metadata": {"action": "send_webhook"}});
    leaves(of, ("POST", "/api/v1/rules", rule), ("rule", "created", nothing()));
    let rule_at = format!("/api/v1/rules/{}", text(&changes(&edge, &tenant)[0], "/record/id"));
    let change = json!({"event": "order.*", "active": false, "resource": "value-6"});
    let fields = json!(["event", "resource", "active"]);
    leaves(of, ("PATCH", &rule_at, change), ("rule", "updated", fields));
    leaves(of, ("DELETE", &rule_at, Value::Null), ("rule", "deleted", nothing()));
    let key = "/api/v1/event-types/order.paid";
    let put = json!({"label": "value-7", "example": "{\"value-8\": 1}"});
    leaves(of, ("PUT", key, put.clone()), ("event_type", "created", nothing()));
    let label = json!({"label": "value-9"});
    leaves(of, ("PATCH", key, label), ("event_type", "updated", json!(["label"])));
    leaves(of, ("DELETE", key, Value::Null), ("event_type", "deleted", nothing()));
    let workspace = format!("/api/v1/workspaces/{}", tenant.workspace);
    let change = json!({"description": "value-10", "retention_days": 7});
    let fields = json!(["description", "retention_days"]);
    leaves(of, ("PATCH", &workspace, change), ("workspace", "updated", fields));
    let key = format!("{workspace}/publishable-key");
    let change = json!({"name": "value-11", "events": ["value-12.*"]});
    let fields = json!(["name", "events"]);
    leaves(of, ("PATCH", &key, change), ("publishable_key", "updated", fields));
    let rotate = format!("{key}/rotate");
    leaves(of, ("POST", &rotate, Value::Null), ("publishable_key", "rotated", nothing()));
    leaves(of, ("DELETE", &at, json!({})), ("connection", "deleted", nothing()));
    let all = changes(&edge, &tenant);
    assert_eq!(all[0]["record"]["name"], "value-2", "what it was called");
    let mut all: Vec<Value> = all;
    all.iter_mut().for_each(|change| change["record"]["name"] = Value::Null);
    assert!(!json!(all).to_string().contains("value-"), "{all:?}");
}

/// A machine key is the organization's: the changes of each of its workspaces tell of it, and their
/// pages do not.
#[test]
fn machine_keys_are_told_of_in_all_workspaces_and_on_no_page() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let of = (&edge, &tenant);
    let nothing = || json!([]);
    let named = json!({"name": "Till"});
    leaves(of, ("POST", "/api/v1/machine-keys", named), ("machine_key", "created", nothing()));
    let made = changes(&edge, &tenant)[0].clone();
    let (access_key, actor) = (text(&made, "/record/id"), made["actor"]["id"].clone());
    assert_eq!(made["record"]["name"], "Till");
    let path = format!("/api/v1/machine-keys/{access_key}");
    leaves(of, ("DELETE", &path, Value::Null), ("machine_key", "revoked", nothing()));
    let revoked = changes(&edge, &tenant)[0].clone();
    assert_eq!(revoked["record"], made["record"]);
    assert_eq!(revoked["actor"]["id"], actor);
    leaves(of, ("POST", "/api/v1/machine-keys", json!({})), ("machine_key", "created", nothing()));
    let unnamed = changes(&edge, &tenant)[0]["record"].clone();
    assert_eq!(unnamed["name"], unnamed["id"]);
    // What was not done is not told: another organization's key, one that is unknown, the last one.
    let other = Tenant::new(&edge, "Other");
    assert_eq!(other.call(&edge, "DELETE", &path, &Value::Null).status, 404);
    assert!(changes(&edge, &other).iter().all(|change| change["record"]["type"] != "machine_key"));
    let before = changes(&edge, &tenant).len();
    assert_eq!(tenant.call(&edge, "DELETE", &path, &Value::Null).status, 404);
    assert_eq!(changes(&edge, &tenant).len(), before);
    let new = json!({"name": "Second"});
    let second = tenant.call(&edge, "POST", "/api/v1/workspaces", &new).json();
    let path = format!("/api/v1/workspaces/{}/changes", text(&second, "/workspace/id"));
    assert!(tenant.get(&edge, &path).to_string().contains("machine_key"));
    let page = Visitor::new(&edge, &tenant, json!({"role": "owner"})).get(&edge, "changes").text;
    assert!(!page.contains("Machine key") && !page.contains("Till"), "{page}");
}

/// Two that replace an event type in one millisecond are two changes.
#[test]
fn changes_at_once_are_each_told_of() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let key = "/api/v1/event-types/order.paid";
    tenant.call(&edge, "PUT", key, &json!({"label": "Paid"}));
    edge.advance_to(edge.now_ms() + 5);
    for label in ["One", "Two"] {
        assert_eq!(tenant.call(&edge, "PUT", key, &json!({"label": label})).status, 200);
    }
    let told = changes(&edge, &tenant);
    let of_type = told.iter().filter(|change| change["record"]["type"] == "event_type");
    let of_type: Vec<&Value> = of_type.collect();
    assert_eq!(of_type.len(), 3, "{told:?}");
    assert_eq!(of_type[0]["at"], of_type[1]["at"], "in one millisecond");
    assert_ne!(of_type[0]["id"], of_type[1]["id"]);
}

/// What is stored and cannot be read is a fault that is told, and nothing is made of it.
#[test]
fn unreadable_rows_are_faults_and_not_empty() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let before = changes(&edge, &tenant).len();
    let status = |path: &str| tenant.call(&edge, "GET", path, &Value::Null).status;
    for (path, table, column) in [
        (format!("/api/v1/rules/{rule}"), "rules", "filter"),
        (format!("/api/v1/connections/{connection}"), "connections", "settings"),
        (format!("/api/v1/connections/{connection}"), "connections", "max_in_flight"),
        (format!("/api/v1/workspaces/{}", tenant.workspace), "workspaces", "limit_connections"),
    ] {
        assert_eq!(status(&path), 200, "{path}");
        let value = if column.contains('_') { "-1" } else { "'{\"cut'" };
        let stored = edge.control.ask(&format!("select json_quote({column}) from {table}"));
        edge.control.execute(&format!("update {table} set {column} = {value}"));
        assert_eq!(status(&path), 500, "{table}.{column}");
        let named = json!({"name": "Another", "active": false});
        assert!(tenant.call(&edge, "PATCH", &path, &named).status >= 400, "{table}.{column}");
        let stored = stored[0].as_str().expect("a value");
        edge.control
            .execute(&format!("update {table} set {column} = json_extract('{stored}', '$')"));
    }
    assert_eq!(changes(&edge, &tenant).len(), before);
}

#[test]
fn what_changes_nothing_leaves_nothing() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let key = "/api/v1/event-types/order.paid";
    let put = json!({"label": "Paid"});
    tenant.call(&edge, "PUT", key, &put);
    let before = changes(&edge, &tenant).len();
    let at = format!("/api/v1/connections/{connection}");
    let found = tenant.get(&edge, &format!("/api/v1/rules/{rule}"));
    let double = json!({"workspace": tenant.workspace, "connection": connection,
        "event": "order.paid", "metadata": found["metadata"]});
    let stale = json!({"name": "Other"});
    for (method, path, body, status) in [
        ("PATCH", at.clone(), json!({"metadata": {"url": URL}}), 200),
        ("POST", format!("{at}/activate"), json!({}), 200),
        ("PATCH", format!("/api/v1/rules/{rule}"), json!({"event": "order.paid"}), 200),
        ("PUT", key.to_owned(), put, 200),
        ("PATCH", at.clone(), json!({"metadata": {"timeout_seconds": 99}}), 400),
        ("POST", "/api/v1/rules".to_owned(), double, 409),
        ("DELETE", at.clone(), json!({}), 409),
    ] {
        let answer = tenant.call(&edge, method, &path, &body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    }
    let token = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", token.as_str()), ("if-match", "\"1-1\"")];
    let answer = call(&edge, "PATCH", &at, &headers, stale.to_string().as_bytes());
    assert_eq!(answer.status, 412, "{}", answer.text);
    assert_eq!(changes(&edge, &tenant).len(), before);
}

#[test]
fn people_staff_and_posthorn_itself_are_told_apart() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let person = json!({"role": "admin", "external_user_id": "user_7"});
    let visitor = Visitor::new(&edge, &tenant, person);
    let pause = format!("connections/{connection}/deactivate");
    edge.advance_to(edge.now_ms() + 5);
    assert_eq!(visitor.post(&edge, &pause, &[]).status, 303);
    let change = changes(&edge, &tenant)[0].clone();
    let actor = json!({"kind": "session", "id": visitor.session, "external_user_id": "user_7"});
    assert_eq!((&change["actor"], &change["action"]), (&actor, &json!("deactivated")));

    edge.advance_to(edge.now_ms() + 5);
    let person = json!({"role": "admin", "external_user_id": "staff:ada"});
    let staff = Visitor::new(&edge, &tenant, person);
    let change = changes(&edge, &tenant)[0].clone();
    let actor = json!({"kind": "staff", "id": staff.session, "external_user_id": "staff:ada"});
    assert_eq!((&change["actor"], &change["action"]), (&actor, &json!("opened")));
    edge.advance_to(edge.now_ms() + 5);
    staff.post(&edge, &format!("connections/{connection}/activate"), &[]);
    let change = changes(&edge, &tenant)[0].clone();
    assert_eq!((&change["actor"], &change["action"]), (&actor, &json!("activated")));

    edge.receivers.script(URL, |_| Reply::status(410));
    tenant.emit(&edge, "order.paid");
    edge.run_for(MINUTE_MS);
    let change = changes(&edge, &tenant)[0].clone();
    assert_eq!(change["actor"], json!({"kind": "system", "id": "endpoint_gone"}));
    assert_eq!(change["action"], "deactivated");
    assert_eq!(change["record"]["name"], tenant_name(&edge, &tenant, &connection));

    let page = visitor.get(&edge, "changes").text;
    for words in ["user_7", "Support (ada)", "Automatic", "The product"] {
        assert!(page.contains(words), "{words}");
    }
    let member = Visitor::new(&edge, &tenant, json!({"role": "member"}));
    assert_eq!(member.get(&edge, "changes").status, 403);

    // A person's id is erased here as everywhere.
    let path = format!("/api/v1/workspaces/{}/erasures", tenant.workspace);
    tenant.call(&edge, "POST", &path, &json!({"external_user_id": "user_7"}));
    edge.run_for(MINUTE_MS);
    let all = json!(changes(&edge, &tenant)).to_string();
    assert!(!all.contains("user_7") && all.contains("staff:ada"));
}

fn tenant_name(edge: &Edge, tenant: &Tenant, connection: &str) -> Value {
    tenant.get(edge, &format!("/api/v1/connections/{connection}"))["name"].clone()
}

#[test]
fn pages_do_not_tell_of_hidden_connections_and_go_on() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "order.hidden", json!({"url": URL}));
    let at = format!("/api/v1/connections/{connection}");
    tenant.call(&edge, "PATCH", &at, &json!({"hidden": true, "name": "Backstage"}));
    let active = json!({"active": false});
    tenant.call(&edge, "PATCH", &format!("/api/v1/rules/{rule}"), &active);
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    for number in 0..60 {
        edge.advance_to(edge.now_ms() + 5);
        tenant.call(&edge, "PATCH", &path, &json!({"description": format!("d {number}")}));
    }
    assert_eq!(changes(&edge, &tenant).len(), 65);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let first = visitor.get(&edge, "changes").text;
    assert_eq!(first.matches("<tr>").count(), 1 + 50);
    let older = first.split_once("changes?cursor=").expect("more").1;
    let older = older.split('"').next().expect("its end");
    let rest = visitor.get(&edge, &format!("changes?cursor={older}")).text;
    // The workspace, and the connection and the rule as they were before they were hidden.
    assert_eq!(rest.matches("<tr>").count(), 1 + 13);
    assert!(!first.contains("Backstage") && !rest.contains("Backstage"));
    // A cursor of the API goes on to the end, too.
    let list = format!("{path}/changes?limit=40");
    let next = text(&tenant.get(&edge, &list), "/next_cursor");
    let last = tenant.get(&edge, &format!("{list}&cursor={next}"));
    assert_eq!((&last["count"], &last["next_cursor"]), (&json!(25), &Value::Null));
    let other = Tenant::new(&edge, "Other");
    assert_eq!(other.call(&edge, "GET", &list, &Value::Null).status, 404);
}

#[test]
fn changes_are_kept_for_400_days_and_go_with_their_workspace() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let kept = || edge.control.ask("select count(*) as n from changes")[0].clone();
    let made =
        tenant.call(&edge, "PUT", "/api/v1/event-types/order.paid", &json!({"label": "Paid"}));
    assert_eq!(kept(), 2, "{}", made.text);
    edge.advance_to(edge.now_ms() + 399 * DAY_MS);
    edge.cron(false);
    edge.run_for(60 * MINUTE_MS);
    assert_eq!(kept(), 2, "after 399 days");
    tenant.connection(&edge, json!({"url": URL}));
    edge.advance_to(edge.now_ms() + DAY_MS);
    edge.cron(false);
    edge.run_for(60 * MINUTE_MS);
    assert_eq!(kept(), 1);
    tenant.call(&edge, "PUT", "/api/v1/event-types/order.sent", &json!({"label": "Sent"}));
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let answer = tenant.call(&edge, "DELETE", &path, &json!({"force_delete": true}));
    assert_eq!(answer.status, 200, "{}", answer.text);
    edge.run_for(60 * MINUTE_MS);
    assert_eq!(kept(), 1, "that of the event type");
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    let token = format!("Bearer {ADMIN_TOKEN}");
    let answer = call(&edge, "DELETE", &path, &[("authorization", &token)], b"");
    assert_eq!(answer.status, 200, "{}", answer.text);
    edge.run_for(120 * MINUTE_MS);
    assert_eq!(kept(), 0);
}
