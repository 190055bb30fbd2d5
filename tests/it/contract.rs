//! What clients of the wire contract rely on: the shapes that their types expect, and the defaults
//! that they use.

use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";

fn world() -> (Edge, Tenant) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    (edge, tenant)
}

/// A resource that is `global` or not there is the same, whichever side says it.
#[test]
fn global_is_the_same_as_no_resource() {
    let (edge, tenant) = world();
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let resources = [json!(null), json!("global"), json!("order")];
    let mut rules = Vec::new();
    for (index, resource) in resources.iter().enumerate() {
        let body = json!({"workspace": tenant.workspace, "connection": connection,
            "event": format!("made.{index}"), "resource": resource,
            "metadata": {"action": "send_webhook"}});
        rules.push(tenant.post(&edge, "/api/v1/rules", &body)["rule"].clone());
    }
    assert_eq!(rules[0].get("resource"), None);
    assert_eq!(rules[1]["resource"], "global", "answers carry what was given");
    for (rule, expected) in [(0, [1, 1, 1]), (1, [1, 1, 1]), (2, [0, 0, 1])] {
        for (resource, expected) in resources.iter().zip(expected) {
            let body = json!({"event": format!("made.{rule}"), "resource": resource,
                "payload": {"a": 1}});
            let answer = tenant.emit_text(&edge, &body.to_string());
            assert_eq!(answer.status, 201, "{}", answer.text);
            let event = answer.json()["event"].clone();
            assert_eq!(event.get("resource"), Some(resource).filter(|given| !given.is_null()));
            let id = text(&event, "/id");
            let shown = tenant.get(&edge, &format!("/api/v1/events/{id}"));
            assert_eq!(shown["total_rules"], expected, "rule {rule}, event with {resource}");
        }
    }
    let count = |path: &str| tenant.get(&edge, path)["count"].clone();
    assert_eq!(count("/api/v1/rules?resource=global"), 2);
    assert_eq!(count("/api/v1/rules?resource=order"), 1);
    let events = format!("/api/v1/workspaces/{}/events", tenant.workspace);
    assert_eq!(count(&format!("{events}?resource=global")), 6);
    assert_eq!(count(&format!("{events}?resource=order")), 3);
}

#[test]
fn the_payload_is_answered_inside_its_event() {
    let (edge, tenant) = world();
    let payload = "{ \"b\":1.0 ,\"a\" : 1e400, \"a\":\"\\ud800\" }";
    let body = format!("{{\"event\":\"order.paid\",\"payload\":{payload}}}");
    let id = text(&tenant.emit_text(&edge, &body).json(), "/event/id");
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/api/v1/events/{id}/payload");
    let shown = call(&edge, "GET", &path, &headers, b"").text;
    let (event, rest) = shown.split_once(",\"payload\":").expect("a payload");
    assert_eq!(rest, format!("{payload}}}"), "to the byte");
    let event: Value = serde_json::from_str(&format!("{event}}}")).expect("an event");
    assert_eq!((event["id"].as_str(), event["event"].as_str()), (Some(&*id), Some("order.paid")));
    assert!(event["rule_events"].is_array(), "{event}");
}

#[test]
fn an_event_says_how_far_its_deliveries_are() {
    let (edge, tenant) = world();
    let read = |id: &str| tenant.get(&edge, &format!("/api/v1/events/{id}"));
    let nobody = read(&tenant.emit(&edge, "order.seen"));
    assert_eq!((&nobody["total_rules"], &nobody["completed_count"]), (&json!(0), &json!(0)));
    assert_eq!(nobody.get("started_at"), None);
    assert_eq!(nobody.get("completed_at"), None);

    let once = json!({"url": "https://down.example.com/", "retry_schedule_seconds": [5]});
    tenant.route(&edge, "order.paid", json!({"url": URL}));
    let (_, failing) = tenant.route(&edge, "order.paid", once);
    edge.receivers.script("https://down.example.com/", |_| Reply::status(500));
    let id = tenant.emit(&edge, "order.paid");
    assert_eq!(read(&id)["completed_count"], 0);
    edge.run_for(60_000);
    let half = read(&id);
    let counts = |shown: &Value| {
        ["total_rules", "completed_count", "failed_count"].map(|key| shown[key].clone())
    };
    assert_eq!(counts(&half), [2, 1, 1].map(|count| json!(count)), "{half}");
    assert!(half["started_at"].as_str() <= half["completed_at"].as_str(), "{half}");
    assert_eq!(tenant.attempts(&edge, &id, &failing).len(), 2);
}

#[test]
fn attempts_have_ids_and_pages() {
    let (edge, tenant) = world();
    let twice = json!({"url": URL, "retry_schedule_seconds": [5, 5]});
    let (_, rule) = tenant.route(&edge, "order.paid", twice);
    edge.receivers.script(URL, |_| Reply::status(500));
    let event = tenant.emit(&edge, "order.paid");
    edge.run_for(60_000);
    let path = format!("/api/v1/events/{event}/rules/{rule}/attempts");
    let all = tenant.attempts(&edge, &event, &rule);
    assert_eq!(all.len(), 3);
    for attempt in &all {
        let (id, number) = (text(attempt, "/id"), &attempt["number"]);
        assert_eq!(tenant.get(&edge, &format!("{path}/{id}")), *attempt);
        assert_eq!(tenant.get(&edge, &format!("{path}/{number}")), *attempt);
        let details = tenant.get(&edge, &format!("{path}/{id}/response-details"));
        assert_eq!((&details["id"], &details["number"]), (&attempt["id"], number));
    }
    let page = tenant.get(&edge, &format!("{path}?limit=2"));
    assert_eq!((&page["count"], &page["limit"]), (&json!(2), &json!(2)));
    let next = text(&page, "/next_cursor");
    let last = tenant.get(&edge, &format!("{path}?limit=2&cursor={next}"));
    assert_eq!(last["records"], json!([all[2]]));
    assert_eq!(last["next_cursor"], Value::Null);
    let other = all[0]["id"].as_str().map(|id| id.replace(&id[..4], "0000")).expect("an id");
    assert_eq!(tenant.call(&edge, "GET", &format!("{path}/{other}"), &Value::Null).status, 404);
}

#[test]
fn lists_that_clients_ask_for_without_a_limit_are_whole() {
    let (edge, tenant) = world();
    let workspace = format!("/api/v1/workspaces/{}", tenant.workspace);
    for list in ["/api/v1/workspaces", "/api/v1/connections", "/api/v1/rules"] {
        assert_eq!(tenant.get(&edge, list)["limit"], 200, "{list}");
        assert_eq!(tenant.get(&edge, &format!("{list}?limit=7"))["limit"], 7, "{list}");
    }
    for list in ["connections", "rules"] {
        assert_eq!(tenant.get(&edge, &format!("{workspace}/{list}"))["limit"], 200, "{list}");
    }
    for list in ["/api/v1/events", "/api/v1/event-types", "/api/v1/machine-keys"] {
        assert_eq!(tenant.get(&edge, list)["limit"], 50, "{list}");
    }
    for index in 0..60 {
        let name = format!("Customer {index:02}");
        tenant.post(&edge, "/api/v1/workspaces", &json!({"name": name}));
    }
    let all = tenant.get(&edge, "/api/v1/workspaces");
    assert_eq!((&all["count"], &all["next_cursor"]), (&json!(61), &Value::Null));
}

#[test]
fn a_session_record_says_whether_it_expired() {
    let (edge, tenant) = world();
    let body = json!({"workspace_id": tenant.workspace, "ttl_seconds": 300});
    let made = tenant.call(&edge, "POST", "/api/v1/sessions", &body);
    assert_eq!(made.status, 200, "{}", made.text);
    let list = format!("/api/v1/sessions?workspace_id={}", tenant.workspace);
    let record = || tenant.get(&edge, &list)["records"][0].clone();
    let state = |record: Value| (record["status"].clone(), record["is_expired"].clone());
    assert_eq!(record().get("external_user_id"), None);
    assert_eq!(state(record()), (json!("active"), json!(false)));
    edge.advance_to(edge.now_ms() + 300_000);
    assert_eq!(state(record()), (json!("active"), json!(true)));
    let id = text(&record(), "/session_id");
    tenant.call(&edge, "DELETE", &format!("/api/v1/sessions/{id}"), &Value::Null);
    assert_eq!(state(record()), (json!("revoked"), json!(true)));
}

#[test]
fn fields_of_a_connection_say_whose_they_are() {
    let (edge, tenant) = world();
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}/fields"));
    assert_eq!(shown["connection_id"], connection.as_str());
    assert_eq!(shown["workspace_id"], tenant.workspace.as_str());
    assert_eq!(shown["integration_type"], "webhook");
    assert_ne!(shown["id"], connection.as_str());
    let again = tenant.get(&edge, &format!("/api/v1/connections/{connection}/fields"));
    assert_eq!(shown, again, "its id stays the same");
}

#[test]
fn reasons_are_words_of_the_contract_or_left_out() {
    let (edge, tenant) = world();
    let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": URL}));
    let path = format!("/api/v1/connections/{connection}");
    let reasons = || {
        let shown = tenant.get(&edge, &path);
        let of = |key: &str| shown.get(key).and_then(Value::as_str).map(str::to_owned);
        (of("inactive_reason"), of("inactive_detail"))
    };
    let said = |word: &str| Some(word.to_owned());
    assert_eq!(reasons(), (None, None));
    tenant.call(&edge, "POST", &format!("{path}/deactivate"), &Value::Null);
    assert_eq!(reasons(), (said("manually_inactivated"), said("paused")));
    tenant.call(&edge, "POST", &format!("{path}/activate"), &Value::Null);
    assert_eq!(reasons(), (None, None));
    edge.receivers.script(URL, |_| Reply::status(410));
    tenant.emit(&edge, "order.paid");
    edge.run_for(60_000);
    assert_eq!(reasons(), (None, said("endpoint_gone")));
}

#[test]
fn head_answers_as_get_does_without_a_body_and_uses_up_nothing() {
    let (edge, tenant) = world();
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    for path in ["/health", "/embed.js", "/api/v1/workspaces", "/api/v1/nothing"] {
        let get = call(&edge, "GET", path, &headers, b"");
        let head = call(&edge, "HEAD", path, &headers, b"");
        assert_eq!((head.status, head.text.as_str()), (get.status, ""), "{path}");
        assert_eq!(head.headers.get("content-type"), get.headers.get("content-type"), "{path}");
    }
    let path = "/api/v1/events/bulk";
    let refused = call(&edge, "HEAD", path, &headers, b"");
    assert_eq!((refused.status, refused.text.as_str()), (405, ""));
    let body = json!({"workspace_id": tenant.workspace});
    let made = tenant.call(&edge, "POST", "/api/v1/sessions", &body).json();
    let url = text(&made, "/launch_url");
    let launch = url.strip_prefix(crate::tenant::ORIGIN).expect("below the origin");
    assert_eq!(call(&edge, "HEAD", launch, &[], b"").status, 200);
    let purpose = [("sec-purpose", "prefetch;prerender")];
    assert_eq!(call(&edge, "GET", launch, &purpose, b"").status, 503);
    assert_eq!(call(&edge, "GET", launch, &[], b"").status, 303, "the token is still good");
}

#[test]
fn a_body_is_read_as_it_comes() {
    let (edge, tenant) = world();
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let emit = |more: &[(&str, &str)], body: &str| {
        let headers: Vec<_> = [&[key], more].concat();
        call(&edge, "POST", "/api/v1/events", &headers, body.as_bytes())
    };
    let body = r#"{"event":"x","payload":{"a":1}}"#;
    assert_eq!(emit(&[("content-encoding", "identity")], body).status, 201);
    assert_eq!(emit(&[], &format!("\u{feff}{body}")).status, 201, "a byte order mark is ignored");
    let refused = emit(&[("content-encoding", "gzip")], body);
    assert_eq!(refused.status, 415, "{}", refused.text);
    assert_eq!(refused.headers["accept-encoding"], "identity");
    assert!(refused.text.contains("gzip"), "{}", refused.text);
    // Whatever an emit takes, the tester of filters takes.
    for payload in [r#"{"\ud800":1}"#, r#"{"a":"\udc00"}"#, r#"{"a":1e400,"a":2}"#] {
        let taken = emit(&[], &format!(r#"{{"event":"x","payload":{payload}}}"#));
        assert_eq!(taken.status, 201, "{}", taken.text);
        let test = format!(r#"{{"filter":{{"path":"a","exists":true}},"payload":{payload}}}"#);
        let bearer = format!("Bearer {}", tenant.token(&edge));
        let headers = [("authorization", bearer.as_str())];
        let path = "/api/v1/rules/test-filter";
        let tried = call(&edge, "POST", path, &headers, test.as_bytes());
        assert_eq!(tried.status, 200, "{}", tried.text);
    }
    let array = emit(&[], "7");
    assert_eq!(array.json()["message"], "The body must be a JSON object, not a number");
    assert_eq!(array.json()["error"]["data"][0]["param"], "body");
}

#[test]
fn names_are_any_printable_text_and_reach_the_receiver_encoded() {
    let (edge, tenant) = world();
    for name in ["Bestellung bezahlt", "größe 100%", "_a", "$x", &"n".repeat(255)] {
        tenant.route(&edge, name, json!({"url": URL}));
        let body = json!({"event": name, "resource": "日本", "resource_id": "7", "payload": {}});
        let answer = tenant.emit_text(&edge, &body.to_string());
        assert_eq!(answer.status, 201, "{name}: {}", answer.text);
        edge.run_for(1_000);
        let seen = edge.receivers.seen(URL);
        let last = seen.last().expect("a request");
        let event = last.header("posthorn-event");
        let decoded = percent_encoding::percent_decode_str(event).decode_utf8().expect("UTF-8");
        assert_eq!(decoded, name);
        assert!(event.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{event}");
        assert_eq!(last.header("posthorn-resource"), "%E6%97%A5%E6%9C%AC");
        assert_eq!(last.header("posthorn-resource-id"), "7");
        assert_eq!(last.header("posthorn-event-time"), answer.json()["event"]["created_at"]);
    }
    for name in ["", " a", "a ", "a*", "a\u{200b}", "a\nb", &"n".repeat(256)] {
        let body = json!({"event": name, "payload": {}});
        let refused = tenant.emit_text(&edge, &body.to_string());
        assert_eq!(refused.status, 400, "{name:?}: {}", refused.text);
        assert_eq!(refused.json()["error"]["data"][0]["param"], "event");
    }
}
