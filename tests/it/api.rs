//! The management API: shapes of answers, bad input by field, lists.

use posthorn::store::event_types;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";

/// The fields that an answer complains about.
fn params(answer: &Value) -> Vec<&str> {
    let data = answer["error"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    data.iter().map(|field| field["param"].as_str().expect("a param")).collect()
}

#[test]
fn bad_metadata_names_the_field() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let headers = |count: usize| {
        let one = |n: usize| json!({"name": format!("x-{n}"), "value": "v"});
        json!((0..count).map(one).collect::<Vec<_>>())
    };
    let long = format!("https://example.com/{}", "a".repeat(2_048));
    for (metadata, status, param) in [
        (json!({}), 400, "metadata.url"),
        (json!({"url": 7}), 400, "metadata.url"),
        (json!({"url": null}), 400, "metadata.url"),
        (json!({"url": "http://example.com/"}), 422, "metadata.url"),
        (json!({"url": "https://127.0.0.1/"}), 422, "metadata.url"),
        (json!({"url": "https://0x7f.1/"}), 422, "metadata.url"),
        (json!({"url": "https://[::1]/"}), 422, "metadata.url"),
        (json!({"url": "https://localhost/"}), 422, "metadata.url"),
        (json!({"url": "https://posthorn.example/"}), 422, "metadata.url"),
        (json!({"url": "https://user:pw@example.com/"}), 422, "metadata.url"),
        (json!({"url": long}), 422, "metadata.url"),
        (json!({"url": URL, "http_method": "GET"}), 400, "metadata.http_method"),
        (json!({"url": URL, "payload_mode": "xml"}), 400, "metadata.payload_mode"),
        (json!({"url": URL, "timeout_seconds": 0}), 400, "metadata.timeout_seconds"),
        (json!({"url": URL, "timeout_seconds": 26}), 400, "metadata.timeout_seconds"),
        (json!({"url": URL, "timeout_seconds": 1.5}), 400, "metadata.timeout_seconds"),
        (json!({"url": URL, "retry_schedule_seconds": []}), 400, "metadata.retry_schedule_seconds"),
        (
            json!({"url": URL, "retry_schedule_seconds": [0]}),
            400,
            "metadata.retry_schedule_seconds",
        ),
        (json!({"url": URL, "auth_scheme": "oauth"}), 400, "metadata.auth_scheme"),
        (json!({"url": URL, "auth_scheme": "bearer"}), 400, "metadata.auth_token"),
        (
            json!({"url": URL, "auth_scheme": "bearer", "auth_token": "a\r\nb"}),
            400,
            "metadata.auth_token",
        ),
        (
            json!({"url": URL, "auth_scheme": "header", "auth_header_value": "v"}),
            400,
            "metadata.auth_header_name",
        ),
        (
            json!({"url": URL, "auth_scheme": "basic", "auth_username": "a:b",
                "auth_password": "p"}),
            400,
            "metadata.auth_username",
        ),
        (json!({"url": URL, "custom_headers": headers(6)}), 400, "metadata.custom_headers"),
        (
            json!({"url": URL, "custom_headers": [{"name": "Webhook-Id", "value": "v"}]}),
            400,
            "metadata.custom_headers[0].name",
        ),
        (
            json!({"url": URL, "custom_headers": [{"name": "a b", "value": "v"}]}),
            400,
            "metadata.custom_headers[0].name",
        ),
        (
            json!({"url": URL, "custom_headers": [{"name": "x-a"}]}),
            400,
            "metadata.custom_headers[0].value",
        ),
        (
            json!({"url": URL, "custom_headers": [{"name": "x-a", "value": "1"},
                {"name": "X-A", "value": "2"}]}),
            400,
            "metadata.custom_headers[1].name",
        ),
        (json!({"url": URL, "signing_scheme": "jws"}), 400, "metadata.signing_scheme"),
        (json!({"url": URL, "signing_algorithm": "md5"}), 400, "metadata.signing_algorithm"),
        (json!({"url": URL, "signing_secret": "whsec_short"}), 400, "metadata.signing_secret"),
        (json!({"url": URL, "signing_secret": "short"}), 400, "metadata.signing_secret"),
        (json!({"url": URL, "signing_secret": null}), 400, "metadata.signing_secret"),
        (
            json!({"url": URL, "signing_secret": "a-long-enough-secret",
                "generate_secret": true}),
            400,
            "metadata.generate_secret",
        ),
        (
            json!({"url": URL, "signing_scheme": "body", "signature_header": "host"}),
            400,
            "metadata.signature_header",
        ),
        (
            json!({"url": URL, "signing_scheme": "body", "signature_header": "x-s",
                "timestamp_header": "X-S"}),
            400,
            "metadata.timestamp_header",
        ),
        (json!({"url": URL, "colour": "red"}), 400, "metadata.colour"),
        (json!([1]), 400, "metadata"),
    ] {
        let body = json!({"workspace": tenant.workspace, "type": "webhook", "name": "Orders",
            "metadata": metadata});
        let answer = tenant.call(&edge, "POST", "/api/v1/connections", &body);
        assert_eq!(answer.status, status, "{metadata}: {}", answer.text);
        assert_eq!(params(&answer.json()), [param], "{metadata}");
    }
    assert_eq!(tenant.get(&edge, "/api/v1/connections")["count"], 0, "nothing was written");
}

#[test]
fn several_bad_fields_are_all_named() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let body = json!({"workspace": "acme", "type": "slack", "name": "", "metadata": 7});
    let answer = tenant.call(&edge, "POST", "/api/v1/connections", &body);
    assert_eq!(answer.status, 400);
    assert_eq!(params(&answer.json()), ["type", "workspace", "name", "metadata"]);
    let shape = answer.json();
    assert_eq!(shape["type"], "/problems/invalid");
    assert_eq!(shape["message"], shape["error"]["message"]);
    assert_eq!(shape["request_id"], answer.headers["x-request-id"].to_str().expect("text"));
    assert_eq!(answer.headers["content-type"], "application/problem+json");
}

#[test]
fn what_is_left_out_is_kept_and_null_goes_back() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(
        &edge,
        json!({"url": URL, "http_method": "PUT",
        "auth_scheme": "basic", "auth_username": "ann", "auth_password": "pw-1",
        "custom_headers": [{"name": "X-Team", "value": "blue"}], "timeout_seconds": 3}),
    );
    let path = format!("/api/v1/connections/{connection}");
    let put = |metadata: Value| {
        let body = json!({"name": "Renamed", "metadata": metadata});
        let answer = tenant.call(&edge, "PUT", &path, &body);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["metadata"].clone()
    };
    let moved = put(json!({"url": "https://hooks.example.com/moved"}));
    assert_eq!(moved["url"], "https://hooks.example.com/moved");
    assert_eq!((&moved["http_method"], &moved["timeout_seconds"]), (&json!("PUT"), &json!(3)));
    assert_eq!(moved["has_auth_password"], true);
    assert_eq!(moved["custom_headers"], json!([{"name": "X-Team", "has_value": true}]));
    // What was read can be written back as it is.
    let mut read = moved.clone();
    read["custom_headers"] = json!([{"name": "X-Team"}]);
    assert_eq!(put(read), moved);
    let reset = put(json!({"http_method": null, "timeout_seconds": null, "auth_scheme": null,
        "custom_headers": null}));
    assert_eq!((&reset["http_method"], &reset["timeout_seconds"]), (&json!("POST"), &json!(15)));
    assert_eq!((&reset["auth_scheme"], &reset["custom_headers"]), (&json!("none"), &json!([])));
    let stored = edge.control.ask("select credentials from connections");
    assert_eq!(stored, [json!("{}")], "credentials that nothing uses are gone");
}

#[test]
fn a_generated_secret_is_shown_once_and_a_silent_one_never() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let create = |metadata: Value| {
        let body = json!({"workspace": tenant.workspace, "type": "webhook", "name": "Orders",
            "metadata": metadata});
        let answer = tenant.call(&edge, "POST", "/api/v1/connections", &body);
        assert_eq!(answer.headers["cache-control"], "no-store");
        answer.json()["connection"].clone()
    };
    let shown = create(json!({"url": URL, "generate_secret": true}));
    let secret = text(&shown, "/metadata/signing_secret");
    assert!(secret.starts_with("whsec_"));
    let silent = create(json!({"url": URL}));
    assert_eq!(silent["metadata"]["signing_secret"], Value::Null);
    assert_eq!(silent["metadata"]["has_signing_secret"], true);
    assert_eq!(silent["metadata"]["secret_set_by"], "generated");
    let given = create(json!({"url": URL, "signing_secret": secret}));
    assert_eq!(given["metadata"]["secret_set_by"], "given");
    assert!(!tenant.get(&edge, "/api/v1/connections").to_string().contains(&secret));
}

#[test]
fn another_scheme_must_be_able_to_use_the_secret() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(
        &edge,
        json!({"url": URL, "signing_scheme": "body",
        "signing_secret": "whsec_only good as text"}),
    );
    let path = format!("/api/v1/connections/{connection}");
    let change = json!({"name": "Orders", "metadata": {"signing_scheme": "standard"}});
    let answer = tenant.call(&edge, "PUT", &path, &change);
    assert_eq!((answer.status, params(&answer.json())), (400, vec!["metadata.signing_scheme"]));
    let change = json!({"name": "Orders", "metadata": {"signing_scheme": "timestamped"}});
    assert_eq!(tenant.call(&edge, "PUT", &path, &change).status, 200);
}

#[test]
fn lists_walk_to_their_end_and_refuse_foreign_cursors() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for n in 0..6 {
        tenant.post(&edge, "/api/v1/workspaces", &json!({"name": format!("Workspace {n}")}));
        let connection = tenant.connection(&edge, json!({"url": URL}));
        tenant.rule(&edge, "x", &connection);
        tenant.emit(&edge, "x");
    }
    let own = format!("/api/v1/workspaces/{}", tenant.workspace);
    for (path, count) in [
        ("/api/v1/workspaces".to_owned(), 7),
        ("/api/v1/connections".to_owned(), 6),
        (format!("{own}/connections"), 6),
        ("/api/v1/rules".to_owned(), 6),
        (format!("{own}/rules"), 6),
        ("/api/v1/events".to_owned(), 6),
        (format!("{own}/events"), 6),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = tenant.get(&edge, &format!("{path}?limit=2{cursor}"));
            assert_eq!(page["limit"], 2);
            let records = page["records"].as_array().expect("records");
            assert_eq!(page["count"], records.len());
            seen.extend(records.iter().map(|record| text(record, "/id")));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
            let word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
            assert!(cursor["&cursor=".len()..].chars().all(word), "{cursor}");
        }
        let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (count, count), "{path}");
        for bad in [
            "cursor=x",
            "cursor=W10",
            "cursor=WyJvdGhlciIsIngiXQ",
            "limit=0",
            "limit=201",
            "limit=x",
        ] {
            let answer = tenant.call(&edge, "GET", &format!("{path}?{bad}"), &Value::Null);
            assert_eq!(answer.status, 400, "{path}?{bad}");
        }
    }
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
fn workspaces_have_names_of_their_own() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let create =
        |name: &str| tenant.call(&edge, "POST", "/api/v1/workspaces", &json!({"name": name}));
    assert_eq!(create("Acme").status, 409);
    assert_eq!(create("Second").status, 201);
    for name in ["ab", "a/b", &"x".repeat(51), " ab "] {
        assert_eq!(params(&create(name).json()), ["name"], "{name}");
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

#[test]
fn patches_change_what_they_name() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let patch = |path: &str, body: Value| tenant.call(&edge, "PATCH", path, &body);
    assert_eq!(patch(&path, json!({"description": "One"})).json()["name"], "Acme");
    assert_eq!(patch(&path, json!({"name": "Renamed"})).json()["description"], "One");
    assert_eq!(params(&patch(&path, json!({"name": "x"})).json()), ["name"]);

    let connection = tenant.connection(&edge, json!({"url": URL}));
    let body = json!({"workspace": tenant.workspace, "connection": connection, "event": "a",
        "resource": "order", "metadata": {"action": "send_webhook"}});
    let rule = text(&tenant.post(&edge, "/api/v1/rules", &body), "/rule/id");
    let path = format!("/api/v1/rules/{rule}");
    let patched = patch(&path, json!({"active": false})).json();
    assert_eq!((&patched["active"], &patched["resource"]), (&json!(false), &json!("order")));
    let emitted = tenant.emit(&edge, "a");
    let found = tenant.get(&edge, &format!("/api/v1/events/{emitted}"));
    assert_eq!(found["rule_events"], json!([]));
    let patched = patch(&path, json!({"event": "b", "resource": null, "active": true})).json();
    assert_eq!((&patched["event"], &patched["resource"]), (&json!("b"), &Value::Null));
    assert_eq!(tenant.delivery(&edge, &tenant.emit(&edge, "b"))["rule"], json!(rule));
    for _ in 0..100 {
        tenant.rule(&edge, "full", &connection);
    }
    assert_eq!(patch(&path, json!({"event": "full"})).status, 422);
    assert_eq!(params(&patch(&path, json!({"event": ""})).json()), ["event"]);
}

#[test]
fn a_workspace_lists_what_it_has_emitted() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (event, resource) in [("b", "order"), ("a", "order"), ("b", "cart")] {
        let body = json!({"event": event, "resource": resource, "payload": {}});
        assert_eq!(tenant.emit_text(&edge, &body.to_string()).status, 201);
    }
    for (list, expected) in [("event-types", ["a", "b"]), ("resources", ["cart", "order"])] {
        let found = tenant.get(&edge, &format!("/api/v1/workspaces/{}/{list}", tenant.workspace));
        let keys: Vec<_> = found.as_array().expect("bare").iter().map(|n| &n["key"]).collect();
        assert_eq!(keys, expected, "{list}");
    }
}

#[test]
fn customers_see_the_event_types_of_a_group_together() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (key, group) in [("a", Some("Z")), ("b", None), ("c", Some("M")), ("d", Some("Z"))] {
        let path = format!("/api/v1/event-types/{key}");
        assert_eq!(tenant.call(&edge, "PUT", &path, &json!({"group": group})).status, 200);
    }
    let listed = event_types::listed(&tenant.organization).run(&edge.control);
    let listed = edge.block_on(listed).expect("event types");
    let keys: Vec<&str> = listed.iter().map(|listed| listed.key.as_str()).collect();
    assert_eq!(keys, ["b", "c", "a", "d"]);
}

#[test]
fn the_catalogue_and_what_was_emitted_are_a_workspaces_event_types() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let path = |key: &str| format!("/api/v1/event-types/{key}");
    let put = |key: &str, body: Value| tenant.call(&edge, "PUT", &path(key), &body);
    let full = json!({"label": "Paid", "description": "An invoice was paid", "group": "Billing",
        "example": "{\"id\":1}", "visible": false});
    let stored = put("invoice:paid%2Flate", full.clone());
    assert_eq!(stored.status, 200, "{}", stored.text);
    assert_eq!(stored.json()["key"], "invoice:paid/late");
    for (field, value) in full.as_object().expect("an object") {
        assert_eq!(&stored.json()[field], value, "{field}");
    }
    assert_eq!(put("order.completed", json!({})).json()["label"], "order.completed");
    let again = put("order.completed", json!({"label": "Order"})).json();
    assert_eq!((&again["label"], &again["visible"]), (&json!("Order"), &json!(true)));
    for (key, body, param) in [
        ("%20x", json!({}), "key"),
        ("x", json!({"label": ""}), "label"),
        ("x", json!({"example": "[1]"}), "example"),
        ("x", json!({"example": "{"}), "example"),
        ("x", json!({"example": {"a": 1}}), "example"),
        ("x", json!({"visible": "yes"}), "visible"),
    ] {
        let answer = put(key, body.clone());
        assert_eq!((answer.status, params(&answer.json())), (400, vec![param]), "{key} {body}");
    }
    tenant.emit(&edge, "order.completed");
    tenant.emit(&edge, "unlisted");
    let own = format!("/api/v1/workspaces/{}/event-types", tenant.workspace);
    let keys: Vec<_> = tenant
        .get(&edge, &own)
        .as_array()
        .expect("bare")
        .iter()
        .map(|event_type| text(event_type, "/key"))
        .collect();
    assert_eq!(keys, ["invoice:paid/late", "order.completed", "unlisted"]);
    let listed = tenant.get(&edge, "/api/v1/event-types?limit=1");
    assert_eq!((&listed["count"], listed["next_cursor"].is_string()), (&json!(1), true));
    assert_eq!(other.get(&edge, "/api/v1/event-types")["count"], 0);
    let delete = |key: &str| tenant.call(&edge, "DELETE", &path(key), &Value::Null).status;
    assert_eq!((delete("order.completed"), delete("order.completed")), (200, 404));
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
    assert_eq!(params(&answer.json()), ["event", "metadata.action"]);
}

#[test]
fn the_front_door() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let event = br#"{"event":"x","payload":{"a":1}}"#;
    let status = |method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]| {
        call(&edge, method, path, headers, body).status
    };
    assert_eq!(status("POST", "/api/v1//events", &key, event), 201);
    assert_eq!(status("POST", "/api/v1/events/?dry_run=true", &key, event), 201);
    assert_eq!(status("POST", "/events", &key, event), 404);
    assert_eq!(status("GET", "/", &[], b""), 404);
    let wrong = call(&edge, "DELETE", "/api/v1/events", &key, b"");
    assert_eq!((wrong.status, &wrong.headers["allow"]), (405, &"POST, GET".parse().expect("text")));
    let with = |content_type: &'static str| {
        let headers = [key[0], ("content-type", content_type)];
        status("POST", "/api/v1/events", &headers, event)
    };
    assert_eq!(with("application/json; charset=utf-8"), 201);
    assert_eq!(with("application/x-www-form-urlencoded"), 415);
    assert_eq!(status("POST", "/api/v1/events", &key, b"\xff\xfe"), 400);
    assert_eq!(status("POST", "/api/v1/events", &key, &[b' '; 700_000]), 413);
    let id = call(&edge, "POST", "/api/v1/events", &[key[0], ("x-request-id", "r-1")], event);
    assert_eq!(id.headers["x-request-id"], "r-1");
    let id = call(&edge, "POST", "/api/v1/events", &[key[0], ("x-request-id", "a b")], event);
    assert_ne!(id.headers["x-request-id"], "a b");
    assert_eq!(status("GET", "/health", &[], b""), 200);
}
