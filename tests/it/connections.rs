//! Connections over the API: their settings, what is refused, and what is shown of secrets.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Tenant, params, text};

const URL: &str = "https://hooks.example.com/a";

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
    let body = json!({"workspace": "acme", "type": "fax", "name": "", "metadata": 7});
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
        let name = metadata.as_object().expect("an object").keys().cloned().collect::<String>();
        let body = json!({"workspace": tenant.workspace, "type": "webhook", "name": name,
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
fn a_patch_changes_what_it_names() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let path = format!("/api/v1/connections/{connection}");
    let name = tenant.get(&edge, &path)["name"].clone();
    let patched = tenant.call(&edge, "PATCH", &path, &json!({"hidden": true})).json();
    assert_eq!((&patched["name"], &patched["hidden"]), (&name, &json!(true)));
    let change = json!({"metadata": {"timeout_seconds": 3}});
    let patched = tenant.call(&edge, "PATCH", &path, &change).json();
    assert_eq!(patched["metadata"]["timeout_seconds"], 3);
    assert_eq!(patched["metadata"]["url"], URL);
    let answer = tenant.call(&edge, "PATCH", &path, &json!({"name": ""}));
    assert_eq!((answer.status, &answer.json()["error"]["data"][0]["param"]), (400, &json!("name")));
}
