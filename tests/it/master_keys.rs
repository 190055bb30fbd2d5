//! A master key is retired: a new one seals, what the old one has sealed is sealed anew, and then
//! the old one is taken away.

use posthorn::domain::base::secret::MasterKeys;
use posthorn::domain::base::time::MINUTE_MS;
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge};
use crate::tenant::{Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const OLD: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const NEW: &str = "k2:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

fn with_keys(edge: &Edge, keys: &str) {
    let keys = MasterKeys::parse(keys).expect("keys");
    edge.configure(|settings| settings.master_keys = keys);
}

fn admin(edge: &Edge, method: &str, target: &str) -> Value {
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let answer = call(edge, method, target, &[("authorization", &bearer)], b"");
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The keys as (id, status, values), and how many values are left.
fn keys(shown: &Value) -> (Vec<(String, String, i64)>, i64) {
    let key = |key: &Value| {
        (text(key, "/id"), text(key, "/status"), key["values"].as_i64().expect("a number"))
    };
    let keys = shown["keys"].as_array().expect("a list").iter().map(key).collect();
    (keys, shown["left"].as_i64().expect("a number"))
}

fn asked(edge: &Edge) -> (Vec<(String, String, i64)>, i64) {
    keys(&admin(edge, "GET", "/api/v1/health/keys"))
}

fn key(id: &str, status: &str, values: i64) -> (String, String, i64) {
    (id.to_owned(), status.to_owned(), values)
}

fn metadata(team: &str) -> Value {
    json!({"url": URL, "auth_scheme": "bearer", "auth_token": "the-bearer-token",
        "custom_headers": [{"name": "X-Team", "value": team}]})
}

/// Everything opens: the API answers, and a delivery is signed and carries its credentials.
fn all_opens(edge: &Edge, tenant: &Tenant, event: &str) {
    let before = edge.receivers.seen(URL).len();
    let body = json!({"workspace": tenant.workspace, "event": event, "payload": {}});
    assert_eq!(tenant.call(edge, "POST", "/api/v1/events", &body).status, 201);
    edge.run_for(5_000);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), before + 1, "{:?}", edge.lines.borrow().last());
    assert_eq!(seen[before].header("authorization"), "Bearer the-bearer-token");
    assert!(!seen[before].header("x-team").is_empty());
    assert!(!seen[before].header("webhook-signature").is_empty());
}

#[test]
fn a_master_key_is_retired() {
    let edge = Edge::new();
    let tenants = [Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other")];
    for (tenant, n) in tenants.iter().flat_map(|tenant| (0..70).map(move |n| (tenant, n))) {
        let connection = tenant.connection(&edge, metadata(&format!("team-{n}")));
        if n == 0 {
            tenant.rule(&edge, "x", &connection);
            // Two secrets sign while a rotation overlaps.
            let path = format!("/api/v1/connections/{connection}/secret/rotate");
            let body = json!({"overlap_seconds": 86_400, "generate_secret": true});
            assert_eq!(tenant.call(&edge, "POST", &path, &body).status, 200);
        }
    }
    // 2 machine keys, 140 connections with a secret and two credentials each, 2 more secrets.
    let all = 2 + 140 * 3 + 2;
    assert_eq!(asked(&edge), (vec![key("k1", "newest", all)], 0));
    assert_eq!(admin(&edge, "POST", "/api/v1/health/keys/reseal")["resealed"], 0);

    with_keys(&edge, &format!("{NEW},{OLD}"));
    assert_eq!(asked(&edge), (vec![key("k2", "newest", 0), key("k1", "older", all)], all));
    let of_health = keys(&admin(&edge, "GET", "/health")["master_keys"]);
    assert_eq!(of_health, asked(&edge));
    // In bounded steps: what the operator asks for, and what the cron does by itself.
    let step = admin(&edge, "POST", "/api/v1/health/keys/reseal");
    assert_eq!((&step["resealed"], &step["failed"]), (&json!(100), &json!(0)));
    let (_, left) = keys(&step);
    assert!(left > 0 && left < all, "{left} of {all} are left");
    edge.run_for(11 * MINUTE_MS);
    assert_eq!(asked(&edge), (vec![key("k2", "newest", all), key("k1", "older", 0)], 0));

    with_keys(&edge, NEW);
    for tenant in &tenants {
        all_opens(&edge, tenant, "x");
    }
    let (found, left) = asked(&edge);
    assert_eq!((found, left), (vec![key("k2", "newest", all)], 0));
}

#[test]
fn what_is_used_is_sealed_anew_at_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", metadata("a"));
    let idle = tenant.connection(&edge, metadata("b"));
    with_keys(&edge, &format!("{NEW},{OLD}"));
    let version = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    // That was a call with the machine key: its secret is one. The delivery adds three.
    assert_eq!(asked(&edge).0, [key("k2", "newest", 1), key("k1", "older", 6)]);
    all_opens(&edge, &tenant, "x");
    assert_eq!(asked(&edge).0, [key("k2", "newest", 4), key("k1", "older", 3)]);
    let after = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    assert_eq!(after, version, "nobody changed it");
    // Saving a connection seals what is kept of it.
    let at = format!("/api/v1/connections/{idle}");
    let body = json!({"metadata": {"url": "https://hooks.example.com/b"}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 200);
    assert_eq!(asked(&edge).0, [key("k2", "newest", 6), key("k1", "older", 1)]);
}

#[test]
fn a_key_that_is_gone_too_early_is_told() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", metadata("a"));
    with_keys(&edge, NEW);
    assert_eq!(asked(&edge), (vec![key("k2", "newest", 0), key("k1", "unknown", 4)], 4));
    assert_eq!(admin(&edge, "POST", "/api/v1/health/keys/reseal")["resealed"], 0);
    // What does not open is told by name, and keeps nothing else from being sealed anew.
    with_keys(&edge, &format!("{NEW},{OLD}"));
    edge.control.ask("update machine_keys set secret_sealed = 's1.k1.AAAA' returning access_key");
    let step = admin(&edge, "POST", "/api/v1/health/keys/reseal");
    assert_eq!((&step["resealed"], &step["failed"]), (&json!(2), &json!(1)));
    let lines = edge.lines.borrow();
    let told = lines.iter().find(|line| line["at"] == "reseal").expect("a line");
    assert_eq!((&told["holder"], &told["id"]), (&json!("machine_key"), &json!(tenant.access_key)));
}
