//! Rotation of signing secrets: old and new ones overlap, and each request says which sign.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant};

const URL: &str = "https://hooks.example.com/a";

fn rotate(edge: &Edge, tenant: &Tenant, connection: &str, body: Value) -> Answered {
    let path = format!("/api/v1/connections/{connection}/secret/rotate");
    tenant.call(edge, "POST", &path, &body)
}

#[test]
fn a_rotated_secret_overlaps_and_then_signs_alone() {
    let edge = Edge::new();
    let (old, new) =
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
    let tenant = Tenant::new(&edge, "Acme");
    let metadata = json!({"url": URL, "signing_secret": old});
    let (connection, _) = tenant.route(&edge, "x", metadata);
    let body = json!({"secret": new, "overlap_seconds": 600});
    let rotated = rotate(&edge, &tenant, &connection, body);
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert!(!rotated.text.contains(new) && !rotated.text.contains(old));
    let signature = |after_ms: i64| {
        edge.run_for(after_ms);
        let before = edge.receivers.seen(URL).len();
        tenant.emit(&edge, "x");
        edge.run_for(1_000);
        let seen = edge.receivers.seen(URL)[before].clone();
        let signed = |secret: &str| {
            let webhook = standardwebhooks::Webhook::new(secret).expect("a key");
            let (id, at_s) = (seen.header("webhook-id"), seen.at_ms / 1_000);
            webhook.sign(id, at_s, &seen.request.body).expect("a signature")
        };
        (seen.header("webhook-signature").to_owned(), signed(new), signed(old))
    };
    let (sent, by_new, by_old) = signature(0);
    assert_eq!(sent, format!("{by_new} {by_old}"));
    let (sent, by_new, _) = signature(600_000);
    assert_eq!(sent, by_new);
}

#[test]
fn rotation_keeps_its_bounds() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let rotated = |body: Value| rotate(&edge, &tenant, &connection, body);
    for (body, status, param) in [
        (json!({"overlap_seconds": -1}), 422, "overlap_seconds"),
        (json!({"overlap_seconds": 604_801}), 422, "overlap_seconds"),
        (json!({"overlap_seconds": "x"}), 400, "overlap_seconds"),
        (json!({"secret": "short"}), 400, "secret"),
    ] {
        let answer = rotated(body.clone());
        let named = answer.json()["error"]["data"][0]["param"].clone();
        assert_eq!((answer.status, named), (status, json!(param)), "{body}");
    }
    for live in 2..=5 {
        let answer = rotated(json!({}));
        assert_eq!(answer.status, 200, "{live} live: {}", answer.text);
        assert!(answer.json()["metadata"]["signing_secret"].is_string(), "shown this once");
    }
    assert_eq!(rotated(json!({})).status, 422, "a sixth live secret");
    assert_eq!(rotated(json!({"overlap_seconds": 0})).status, 200, "it takes one away");
    let metadata = json!({"url": URL, "signing_scheme": "body"});
    let body = tenant.connection(&edge, metadata);
    let answer = rotate(&edge, &tenant, &body, json!({"overlap_seconds": 60}));
    assert_eq!(answer.status, 422, "one header has room for one signature");
    assert_eq!(rotate(&edge, &tenant, &body, json!({})).status, 200);
}
