//! Destinations of persons through the whole house: from an emit to the provider's answer.

use serde_json::{Value, json};

use crate::deliver::{MINUTE_MS, outcomes};
use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, next, text};

const MAILS: &str = "https://api.resend.com/emails";
const HUBSPOT: &str = "https://api.hubapi.com/crm";

/// A connection with a rule for the event `x`; the ids of both.
pub fn route(
    edge: &Edge,
    tenant: &Tenant,
    kind: &str,
    metadata: Value,
    says: Value,
) -> (String, String) {
    let (workspace, name) = (&tenant.workspace, format!("People, {kind} {}", next()));
    let body = json!({"workspace": workspace, "type": kind, "name": name, "metadata": metadata});
    let connection = text(&tenant.post(edge, "/api/v1/connections", &body), "/connection/id");
    let body = json!({"workspace": workspace, "connection": connection, "event": "x",
        "metadata": says});
    let rule = text(&tenant.post(edge, "/api/v1/rules", &body), "/rule/id");
    (connection, rule)
}

pub fn emit(edge: &Edge, tenant: &Tenant, payload: Value) -> String {
    let answer = tenant.emit_text(edge, &json!({"event": "x", "payload": payload}).to_string());
    assert_eq!(answer.status, 201, "{}", answer.text);
    text(&answer.json(), "/event/id")
}

#[test]
fn a_mail_is_sent_and_a_payload_without_an_address_fails_for_good() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let says = json!({"action": "send_email_template", "id": "t1"});
    let (connection, rule) = route(&edge, &tenant, "resend", json!({"api_key": "re_1"}), says);
    edge.receivers.script(MAILS, |n| match n {
        0 => Reply::status(429).header("retry-after", "60"),
        _ => Reply::status(200).body(r#"{"id":"m1"}"#),
    });
    let sent = emit(&edge, &tenant, json!({"email": "a@b.c"}));
    let nobody = emit(&edge, &tenant, json!({"name": "Ann"}));
    edge.run_for(10 * MINUTE_MS);
    let attempts = tenant.attempts(&edge, &sent, &rule);
    assert_eq!(outcomes(&attempts), ["rate_limited", "delivered"]);
    let seen = edge.receivers.seen(MAILS);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].header("idempotency-key"), seen[1].header("idempotency-key"));
    assert_eq!(seen[0].request.body, seen[1].request.body);
    let delivery = tenant.delivery(&edge, &nobody);
    assert_eq!(delivery["status"], "failed");
    let attempts = tenant.attempts(&edge, &nobody, &rule);
    assert_eq!(outcomes(&attempts), ["rejected_client_error"]);
    let told = attempts[0]["error"].as_str().expect("an error");
    assert!(told.contains("no e-mail address"), "{told}");
    let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    assert_eq!(shown["active"], true);
}

#[test]
fn an_attempt_of_two_requests_that_breaks_in_between_starts_over() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let says = json!({"action": "add_to_list", "id": "9"});
    let token = json!({"access_token": "pat-1"});
    let (_, rule) = route(&edge, &tenant, "hubspot", token, says);
    let upsert = format!("{HUBSPOT}/objects/2026-03/contacts/batch/upsert");
    let add = format!("{HUBSPOT}/lists/2026-03/9/memberships/add");
    let done = r#"{"status":"COMPLETE","results":[{"id":"512"}]}"#;
    edge.receivers.script(&upsert, move |_| Reply::status(200).body(done));
    edge.receivers.script(&add, |n| match n {
        0 => Reply::hang(),
        _ => Reply::status(200).body(r#"{"recordsIdsAdded":["512"],"recordIdsMissing":[]}"#),
    });
    let event = emit(&edge, &tenant, json!({"email": "a@b.c", "first_name": "Ann"}));
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), ["timeout", "delivered"]);
    let (upserts, adds) = (edge.receivers.seen(&upsert), edge.receivers.seen(&add));
    assert_eq!((upserts.len(), adds.len()), (2, 2));
    assert_eq!(upserts[0].request.body, upserts[1].request.body);
}
