//! Which events a rule sends: patterns of their names, and filters of their payloads.

use std::cell::Cell;

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant, call, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";

struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    /// So many rules were made; each is another one by its metadata.
    made: Cell<u32>,
}

fn world() -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    World { edge, tenant, connection, made: Cell::new(0) }
}

impl World {
    fn try_rule(&self, event: &str, more: Value) -> Answered {
        let mut body = json!({"workspace": self.tenant.workspace, "connection": self.connection,
            "event": event, "metadata": {"action": "send_webhook"}});
        if more.get("metadata").is_none() {
            self.made.set(self.made.get() + 1);
            body["metadata"]["key"] = json!(self.made.get().to_string());
        }
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        self.tenant.call(&self.edge, "POST", "/api/v1/rules", &body)
    }

    fn rule(&self, event: &str, more: Value) -> String {
        let answer = self.try_rule(event, more);
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.json(), "/rule/id")
    }

    /// The event as the history shows it.
    fn emit(&self, event: &str, payload: &str) -> Value {
        let body = format!(r#"{{"event":"{event}","payload":{payload}}}"#);
        let answer = self.tenant.emit_text(&self.edge, &body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        let id = text(&answer.json(), "/event/id");
        self.tenant.get(&self.edge, &format!("/api/v1/events/{id}"))
    }
}

/// The rules by which an event is owed, in order.
fn owed(event: &Value) -> Vec<&str> {
    let rules = event["rule_events"].as_array().expect("a list").iter();
    rules.map(|owed| owed["rule"].as_str().expect("an id")).collect()
}

fn params(answer: &Answered) -> Vec<String> {
    let body = answer.json();
    let data = body["error"]["data"].as_array().cloned().unwrap_or_default();
    data.iter().map(|field| field["param"].as_str().unwrap_or("?").to_owned()).collect()
}

#[test]
fn patterns_choose_by_the_beginning_of_a_name() {
    let world = world();
    let all = world.rule("*", json!({}));
    let orders = world.rule("order.*", json!({}));
    let exact = world.rule("order.eu.paid", json!({}));
    let deeper = world.rule("order.eu.*", json!({}));
    world.rule("invoice.*", json!({}));
    for (name, expected) in [
        ("order.eu.paid", vec![&all, &orders, &exact, &deeper]),
        ("order.eu.canceled", vec![&all, &orders, &deeper]),
        ("order.paid", vec![&all, &orders]),
        ("order", vec![&all]),
        ("orders.paid", vec![&all]),
    ] {
        let trips = world.edge.control.round_trips.get();
        let body = json!({"event": name, "payload": {}}).to_string();
        assert_eq!(world.tenant.emit_text(&world.edge, &body).status, 201);
        assert_eq!(world.edge.control.round_trips.get() - trips, 1, "one read");
        assert_eq!(owed(&world.emit(name, "{}")), expected, "{name}");
    }
    // A bulk asks for the patterns of all its events at once.
    let bulk = json!([{"event": "invoice.paid", "payload": {}}, {"event": "x", "payload": {}}]);
    let key = ("x-meshes-publishable-key", world.tenant.publishable_key.as_str());
    let bulk = bulk.to_string();
    let answer = call(&world.edge, "POST", "/api/v1/events/bulk", &[key], bulk.as_bytes()).json();
    let counts = [0, 1].map(|index| {
        let id = text(&answer["records"][index], "/id");
        owed(&world.tenant.get(&world.edge, &format!("/api/v1/events/{id}"))).len()
    });
    assert_eq!(counts, [2, 1]);
    // Lists are filtered by the pattern's own text.
    let listed = world.tenant.get(&world.edge, "/api/v1/rules?event=order.*");
    assert_eq!(listed["records"][0]["id"], json!(orders));
    assert_eq!(listed["count"], json!(1));
}

#[test]
fn patterns_that_are_none_are_refused() {
    let world = world();
    for event in ["order*", "*.paid", "order.*.paid", "**", ".*", " *"] {
        let answer = world.try_rule(event, json!({}));
        assert_eq!((answer.status, params(&answer)), (400, vec!["event".to_owned()]), "{event}");
    }
    let rule = world.rule("order.paid", json!({}));
    let path = format!("/api/v1/rules/{rule}");
    let patch = |body: Value| world.tenant.call(&world.edge, "PATCH", &path, &body);
    assert_eq!(patch(json!({"event": "order*"})).status, 400);
    assert_eq!(patch(json!({"event": "order.*"})).json()["event"], json!("order.*"));
    // An event cannot be named like a pattern.
    let body = r#"{"event":"order.*","payload":{}}"#;
    assert_eq!(world.tenant.emit_text(&world.edge, body).status, 400);
}

#[test]
fn an_event_is_fanned_out_to_100_rules_by_all_patterns_together() {
    let world = world();
    for _ in 0..40 {
        world.rule("order.paid", json!({}));
    }
    for _ in 0..30 {
        world.rule("order.*", json!({}));
    }
    // Rules for other names do not count.
    for _ in 0..40 {
        world.rule("order.canceled", json!({}));
    }
    for _ in 0..30 {
        world.rule("*", json!({}));
    }
    for event in ["*", "order.*", "order.paid"] {
        let answer = world.try_rule(event, json!({}));
        assert_eq!((answer.status, params(&answer)), (422, vec!["event".to_owned()]), "{event}");
    }
    let elsewhere = world.rule("order", json!({}));
    let path = format!("/api/v1/rules/{elsewhere}");
    for event in ["order.*", "order.paid"] {
        let patched = world.tenant.call(&world.edge, "PATCH", &path, &json!({"event": event}));
        assert_eq!(patched.status, 422, "{}", patched.text);
    }
    assert_eq!(owed(&world.emit("order.paid", "{}")).len(), 100);
}

#[test]
fn filters_choose_by_the_payload_and_say_why_not() {
    let world = world();
    let large = json!({"path": "order.total", "gt": 100});
    let euro = json!({"and": [{"path": "order.total", "exists": true},
        {"path": "order.currency", "eq": "EUR"}]});
    let by_large = world.rule("order.*", json!({"filter": large}));
    let by_euro = world.rule("order.paid", json!({"filter": euro}));
    let off = world.rule("order.paid", json!({"filter": euro, "active": false}));
    let event = world.emit("order.paid", r#"{"order":{"total":1e2,"currency":"EUR"}}"#);
    assert_eq!(owed(&event), [&by_euro]);
    let expected = json!([
        {"rule": by_large, "reason": "filter", "detail": "order.total gt 100"},
        {"rule": off, "reason": "inactive"},
    ]);
    assert_eq!(event["unmatched_rules"], expected);
    let event = world.emit("order.paid", r#"{"order":{"total":100.01,"currency":"USD"}}"#);
    assert_eq!(owed(&event), [&by_large]);
    let why = &event["unmatched_rules"][0]["detail"];
    assert_eq!(why, &json!("and[1]: order.currency eq \"EUR\""));
    // Nothing of it costs a row: one for each event, two for each delivery.
    let count = |sql: &str| world.edge.logs[0].ask(sql)[0].as_i64().expect("a number");
    assert_eq!(count("select count(*) from events"), 2);
    assert_eq!(count("select count(*) from deliveries"), 2);
    // Payloads that most parsers change or refuse are read, and arrive as they came.
    let odd = r#"{"order":{"total":1e400,"currency":"EUR" , "x":"\ud800","x":1.0}}"#;
    let body = format!(r#"{{"event":"order.paid","payload":{odd}}}"#);
    assert_eq!(world.tenant.emit_text(&world.edge, &body).status, 201);
    world.edge.run_for(60_000);
    let seen = world.edge.receivers.seen(URL);
    assert_eq!(seen.iter().filter(|seen| seen.request.body == odd.as_bytes()).count(), 2);
    // The page of the event says it too.
    let visitor = Visitor::new(&world.edge, &world.tenant, json!({}));
    let page = visitor.get(&world.edge, &format!("events/{}", text(&event, "/id"))).text;
    assert!(page.contains("the payload did not match the filter of the rule"), "{page}");
    assert!(page.contains("and[1]: order.currency eq &quot;EUR&quot;"), "{page}");
}

#[test]
fn a_filter_is_kept_shown_changed_and_taken_away() {
    let world = world();
    let filter = json!({"or": [{"path": "a.0", "in": [1, "x", null]}, {"not": {"path": "b",
        "gt": 18_446_744_073_709_551_615u64}}]});
    let rule = world.rule("x", json!({"filter": filter}));
    let path = format!("/api/v1/rules/{rule}");
    let shown = || world.tenant.get(&world.edge, &path);
    assert_eq!(shown()["filter"], filter);
    let patch = |body: Value| world.tenant.call(&world.edge, "PATCH", &path, &body);
    assert_eq!(patch(json!({"active": true})).json()["filter"], filter, "it is kept");
    let bad = patch(json!({"filter": {"and": [{"path": "a", "eq": 1}, {"path": "b", "gt": []}]}}));
    assert_eq!((bad.status, params(&bad)), (400, vec!["filter.and[1].gt".to_owned()]));
    let other = json!({"path": "a", "starts_with": "x"});
    assert_eq!(patch(json!({"filter": other})).json()["filter"], other);
    assert_eq!(owed(&world.emit("x", r#"{"a":"xy"}"#)).len(), 1);
    assert!(owed(&world.emit("x", r#"{"a":"y"}"#)).is_empty());
    assert!(patch(json!({"filter": null})).json().get("filter").is_none());
    assert!(shown().get("filter").is_none());
    assert_eq!(owed(&world.emit("x", r#"{"a":"y"}"#)).len(), 1);
    let answer = world.try_rule("x", json!({"filter": 7}));
    assert_eq!((answer.status, params(&answer)), (400, vec!["filter".to_owned()]));
}

#[test]
fn a_filter_is_tried_out_on_a_sample() {
    let world = world();
    let try_out = |body: &str| {
        let bearer = format!("Bearer {}", world.tenant.token(&world.edge));
        let headers = [("authorization", bearer.as_str())];
        call(&world.edge, "POST", "/api/v1/rules/test-filter", &headers, body.as_bytes())
    };
    let of = |payload: &str| {
        let filter = r#"{"path":"order.total","gt":100}"#;
        let answer = try_out(&format!(r#"{{"filter":{filter},"payload":{payload}}}"#));
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    assert_eq!(of(r#"{"order":{"total":100.000000000000000000001}}"#), json!({"matches": true}));
    let expected = json!({"matches": false, "reason": "order.total gt 100"});
    assert_eq!(of(r#"{"order":{"total":1e2}}"#), expected);
    for (body, expected) in [
        (r#"{"payload":{}}"#, vec!["filter"]),
        (r#"{"filter":{"path":"a","eq":1}}"#, vec!["payload"]),
        (r#"{"filter":null,"payload":[]}"#, vec!["filter", "payload"]),
        (r#"{"filter":{"not":{"path":""}},"payload":{}}"#, vec!["filter.not.path"]),
    ] {
        let answer = try_out(body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(params(&answer), expected);
    }
}

#[test]
fn the_page_takes_patterns_and_filters_and_says_what_is_wrong() {
    let world = world();
    let edge = &world.edge;
    let visitor = Visitor::new(edge, &world.tenant, json!({"role": "admin"}));
    let send = |at: &str, event: &str, filter: &str| {
        let connection = world.connection.as_str();
        let fields = [("connection", connection), ("event", event), ("filter", filter)];
        visitor.post(edge, at, &fields)
    };
    let bad = send("rules", "order.*", r#"{"path":"a","gt":[]}"#);
    assert_eq!(bad.status, 400);
    assert!(bad.text.contains("gt: must be a string, a number"), "{}", bad.text);
    assert!(bad.text.contains("{&quot;path&quot;:&quot;a&quot;,&quot;gt&quot;:[]}"), "it is kept");
    let bad = send("rules", "order*", "");
    assert!(bad.status == 400 && bad.text.contains("as in order.*"), "{}", bad.text);
    assert_eq!(send("rules", "order.*", r#" {"path":"a","gt":1} "#).status, 303);
    let stored = edge.control.ask("select filter from rules where event = 'order.*'");
    assert_eq!(stored, [json!(r#"{"gt":1,"path":"a"}"#)]);
    let rule = edge.control.ask("select id from rules")[0].as_str().expect("an id").to_owned();
    let at = format!("rules/{rule}");
    let form = visitor.get(edge, &at).text;
    // It fits into a condition, so it is no JSON there (page finding 10).
    assert!(form.contains("name=\"filter_path_0\" value=\"a\""), "{form}");
    assert!(form.contains("name=\"filter_value_0\" value=\"1\""), "{form}");
    assert!(visitor.get(edge, "rules").text.contains("filtered"));
    assert_eq!(send(&at, "*", "").status, 303);
    let stored = edge.control.ask("select event || coalesce(filter, '-') from rules");
    assert_eq!(stored, [json!("*-")]);
}

#[test]
fn rules_are_found_by_what_they_match() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    for (event, resource) in [("a", None), ("a", Some("order")), ("b", Some("order"))] {
        let body = json!({"workspace": tenant.workspace, "connection": connection, "event": event,
            "resource": resource, "metadata": {"action": "send_webhook"}});
        tenant.post(&edge, "/api/v1/rules", &body);
    }
    for (query, count) in
        [("event=a", 2), ("resource=order", 2), ("event=b&resource=order", 1), ("event=c", 0)]
    {
        assert_eq!(tenant.get(&edge, &format!("/api/v1/rules?{query}"))["count"], count, "{query}");
    }
}

#[test]
fn a_rule_needs_a_connection_of_its_own_workspace() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let second = tenant.post(&edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let body = json!({"workspace": text(&second, "/workspace/id"), "connection": connection,
        "event": "x", "metadata": {"action": "send_webhook"}});
    assert_eq!(tenant.call(&edge, "POST", "/api/v1/rules", &body).status, 404);
    let body = json!({"workspace": tenant.workspace, "connection": connection, "event": " x",
        "metadata": {"action": "send_mail"}});
    let answer = tenant.call(&edge, "POST", "/api/v1/rules", &body);
    assert_eq!(params(&answer), ["event", "metadata.action"]);
}

#[test]
fn texts_of_the_metadata_are_kept_and_answered() {
    let world = world();
    let metadata = json!({"action": "send_webhook", "id": "C123", "template": "Hi {{name}}"});
    let rule = world.rule("order.paid", json!({"metadata": metadata}));
    let shown = world.tenant.get(&world.edge, &format!("/api/v1/rules/{rule}"));
    assert_eq!(shown["metadata"], metadata);
    for (metadata, param) in [
        (json!({"action": "send_webhook", "id": 7}), "metadata.id"),
        (json!({"action": "send_email"}), "metadata.action"),
        (json!({"id": "C123"}), "metadata.action"),
        (json!({"action": "send_webhook", "template": "x".repeat(20_000)}), "metadata"),
    ] {
        let answer = world.try_rule("order.paid", json!({"metadata": metadata}));
        assert_eq!((answer.status, params(&answer)), (400, vec![param.to_owned()]), "{metadata}");
    }
}
