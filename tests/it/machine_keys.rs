//! Machine keys: made, listed and revoked by another, never the last.

use serde_json::{Value, json};

use crate::edge::{Edge, Fault};
use crate::tenant::{Tenant, text};
use crate::visit::{Visitor, create, launch_target};

const KEYS: &str = "/api/v1/machine-keys";

fn listed(edge: &Edge, tenant: &Tenant) -> Vec<String> {
    let page = tenant.get(edge, KEYS);
    let records = page["records"].as_array().expect("a list");
    records.iter().map(|record| text(record, "/access_key")).collect()
}

#[test]
fn a_second_key_works_until_it_is_revoked() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    edge.run_for(1);
    let made = tenant.call(&edge, "POST", KEYS, &json!({"name": "Billing"}));
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.headers["cache-control"], "no-store");
    let key = &made.json()["machine_key"];
    assert_eq!(key["name"], "Billing");
    assert_eq!(key["created_by"], json!(format!("machine_key:{}", tenant.access_key)));
    let second = Tenant {
        access_key: text(key, "/access_key"),
        secret_key: text(key, "/secret_key"),
        ..tenant.clone()
    };
    assert_eq!(listed(&edge, &second), [tenant.access_key.clone(), second.access_key.clone()]);
    let shown = second.get(&edge, KEYS).to_string();
    assert!(!shown.contains(&second.secret_key), "{shown}");

    let path = format!("{KEYS}/{}", second.access_key);
    let revoke = |by: &Tenant, path: &str| by.call(&edge, "DELETE", path, &Value::Null).status;
    assert_eq!(revoke(&other, &path), 404, "another organization's");
    assert_eq!(revoke(&tenant, &path), 200);
    assert_eq!(revoke(&tenant, &path), 404, "it is revoked already");
    assert_eq!(second.call(&edge, "GET", KEYS, &Value::Null).status, 401);
    let emit = json!({"workspace": tenant.workspace, "event": "x", "payload": {}});
    assert_eq!(second.call(&edge, "POST", "/api/v1/events", &emit).status, 401);
    assert_eq!(listed(&edge, &tenant), vec![tenant.access_key.clone()]);
}

#[test]
fn nobody_locks_himself_out() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let path = format!("{KEYS}/{}", tenant.access_key);
    let answer = tenant.call(&edge, "DELETE", &path, &Value::Null);
    assert_eq!(answer.status, 409, "{}", answer.text);
    let made = tenant.post(&edge, KEYS, &json!({}));
    assert_eq!(made["machine_key"]["name"], Value::Null);
    // The key in use may go once there is another.
    assert_eq!(tenant.call(&edge, "DELETE", &path, &Value::Null).status, 200);
    assert_eq!(tenant.call(&edge, "GET", KEYS, &Value::Null).status, 401);
}

#[test]
fn keys_are_listed_page_by_page() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for n in 0..4 {
        tenant.post(&edge, KEYS, &json!({"name": format!("Key {n}")}));
    }
    let mut seen = Vec::new();
    let mut target = format!("{KEYS}?limit=2");
    loop {
        let page = tenant.get(&edge, &target);
        let records = page["records"].as_array().expect("a list");
        seen.extend(records.iter().map(|record| text(record, "/access_key")));
        match page["next_cursor"].as_str() {
            Some(next) => target = format!("{KEYS}?limit=2&cursor={next}"),
            None => break,
        }
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (5, 5));
    for name in [json!(""), json!("x".repeat(129)), json!(7)] {
        let answer = tenant.call(&edge, "POST", KEYS, &json!({"name": name}));
        assert_eq!(
            (answer.status, &answer.json()["error"]["data"][0]["param"]),
            (400, &json!("name"))
        );
    }
}

#[test]
fn the_sessions_of_a_revoked_key_end() {
    let edge = Edge::with_shards(2);
    let tenant = Tenant::new(&edge, "Acme");
    let made = tenant.post(&edge, KEYS, &json!({}));
    let second = Tenant {
        access_key: text(&made, "/machine_key/access_key"),
        secret_key: text(&made, "/machine_key/secret_key"),
        ..tenant.clone()
    };
    // Its workspaces are on both shards.
    let mut sister = second.clone();
    let created = sister.post(&edge, "/api/v1/workspaces", &json!({"name": "Sister"}));
    sister.workspace = text(&created, "/workspace/id");
    let ended = [Visitor::new(&edge, &second, json!({})), Visitor::new(&edge, &sister, json!({}))];
    let kept = Visitor::new(&edge, &tenant, json!({}));
    let unlaunched = create(&edge, &second, json!({}));
    let revoke = format!("{KEYS}/{}", second.access_key);
    // A shard that does not answer keeps the key no longer alive: the cron ends what is left.
    edge.logs[1].fail_next(&[Some(Fault::Before)]);
    assert_eq!(tenant.call(&edge, "DELETE", &revoke, &Value::Null).status, 200);
    let statuses = || ended.each_ref().map(|visitor| visitor.get(&edge, "events").status);
    let alive = statuses().into_iter().filter(|status| *status == 200).count();
    assert_eq!(alive, 1, "one shard did not answer");
    let launch = launch_target(&unlaunched);
    edge.run_for(61_000);
    assert_eq!(statuses(), [401, 401]);
    assert_eq!(kept.get(&edge, "events").status, 200, "another key's goes on");
    assert_eq!(crate::tenant::call(&edge, "GET", &launch, &[], b"").status, 401);
    // One that was being made meanwhile ends, too.
    let late = "update sessions set revoked_at_ms = null";
    edge.logs[0].execute(late);
    edge.run_for(61_000);
    assert_eq!(statuses(), [401, 401]);
}
