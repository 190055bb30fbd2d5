//! What a request proves and what it must not give away: signatures, secrets, credentials.

use posthorn::ports::Clock;
use serde_json::json;

use crate::deliver::{MINUTE_MS, SECRET, URL, outcomes, tenant};
use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

#[test]
fn every_attempt_is_signed_afresh_under_one_message_id() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    edge.receivers.script(URL, |n| Reply::status(if n < 3 { 503 } else { 204 }));
    let event = tenant.emit(&edge, "x");
    edge.run_for(20 * MINUTE_MS);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), 4);
    for (index, seen) in seen.iter().enumerate() {
        assert_eq!(seen.header("posthorn-attempt"), (index + 1).to_string());
        assert_eq!(seen.header("webhook-timestamp"), (seen.at_ms / 1_000).to_string());
        let (id, at_s) = (seen.header("webhook-id"), seen.at_ms / 1_000);
        let expected = standardwebhooks::Webhook::new(SECRET).expect("a key");
        let expected = expected.sign(id, at_s, &seen.request.body).expect("a signature");
        assert_eq!(seen.header("webhook-signature"), expected);
    }
    let ids: std::collections::BTreeSet<_> =
        seen.iter().map(|seen| seen.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.len(), 1);
    // 5 s, 30 s and 5 min after the attempt before, at most 10 % (and a second) later; what is left
    // to the sweeper waits for its minute.
    for (pair, step_ms, late_ms) in
        [(0, 5_000, 1_500), (1, 30_000, 4_000), (2, 300_000, 30_000 + MINUTE_MS)]
    {
        let waited = seen[pair + 1].at_ms - seen[pair].at_ms;
        assert!((step_ms..=step_ms + late_ms).contains(&waited), "{waited} after {pair}");
    }
    let attempts = tenant.attempts(&edge, &event, &rule);
    let failed = "rejected_server_error";
    assert_eq!(outcomes(&attempts), [failed, failed, failed, "delivered"]);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!((&delivery["status"], &delivery["attempt_count"]), (&json!("completed"), &json!(4)));
}

#[test]
fn while_two_secrets_live_both_sign_the_newest_first() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let connections = tenant.get(&edge, "/api/v1/connections");
    let id = connections["records"][0]["id"].as_str().expect("an id").to_owned();
    let new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let change = json!({"name": "Orders", "metadata": {"signing_secret": new}});
    tenant.call(&edge, "PUT", &format!("/api/v1/connections/{id}"), &change);
    let later = edge.now_ms() + MINUTE_MS;
    edge.control.execute(&format!("update connection_secrets set expires_at_ms = {later}"));
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let seen = &edge.receivers.seen(URL)[0];
    let signed = |secret: &str| {
        let (id, at_s) = (seen.header("webhook-id"), seen.at_ms / 1_000);
        let webhook = standardwebhooks::Webhook::new(secret).expect("a key");
        webhook.sign(id, at_s, &seen.request.body).expect("a signature")
    };
    let expected = format!("{} {}", signed(new), signed(SECRET));
    assert_eq!(seen.header("webhook-signature"), expected);
}

#[test]
fn a_secret_changed_during_a_backoff_signs_the_next_attempt() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let connections = tenant.get(&edge, "/api/v1/connections");
    let id = connections["records"][0]["id"].as_str().expect("an id").to_owned();
    let new = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    let change = json!({"name": "Orders", "metadata": {"signing_secret": new}});
    let changed = tenant.call(&edge, "PUT", &format!("/api/v1/connections/{id}"), &change);
    assert_eq!(changed.status, 200, "{}", changed.text);
    edge.run_for(MINUTE_MS);
    let seen = &edge.receivers.seen(URL)[1];
    let webhook = standardwebhooks::Webhook::new(new).expect("a key");
    let (id, at_s) = (seen.header("webhook-id"), seen.at_ms / 1_000);
    let expected = webhook.sign(id, at_s, &seen.request.body).expect("a signature");
    assert_eq!(seen.header("webhook-signature"), expected, "only the new secret signs");
}

#[test]
fn credentials_are_sent_and_never_kept() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let metadata = json!({"url": URL, "signing_secret": SECRET, "auth_scheme": "bearer",
        "auth_token": "t0k-very-secret",
        "custom_headers": [{"name": "X-Team", "value": "team-very-secret"}]});
    let (_, rule) = tenant.route(&edge, "x", metadata);
    let echo = "you sent t0k-very-secret and team-very-secret and ".to_owned() + SECRET;
    edge.receivers.script(URL, move |_| Reply::status(500).header("server", &echo).body(&echo));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let seen = &edge.receivers.seen(URL)[0];
    assert_eq!(seen.header("authorization"), "Bearer t0k-very-secret");
    assert_eq!(seen.header("x-team"), "team-very-secret");
    let details = format!("/api/v1/events/{event}/rules/{rule}/attempts/1/response-details");
    let shown = [
        tenant.get(&edge, &details).to_string(),
        json!(tenant.attempts(&edge, &event, &rule)).to_string(),
        tenant.get(&edge, "/api/v1/connections").to_string(),
        json!(edge.logs[0].ask("select first_attempt from deliveries")).to_string(),
        json!(edge.logs[0].ask("select record from attempts")).to_string(),
        json!(edge.control.ask("select credentials || settings from connections")).to_string(),
        json!(edge.control.ask("select sealed from connection_secrets")).to_string(),
        json!(*edge.lines.borrow()).to_string(),
    ];
    for text in shown {
        for secret in ["t0k-very-secret", "team-very-secret", SECRET] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(tenant.get(&edge, &details).to_string().contains("you sent *** and *** and ***"));
}
