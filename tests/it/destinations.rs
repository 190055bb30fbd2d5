//! Destinations beyond the webhook, from the API and the embed to the request that arrives.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, params, text};
use crate::visit::{Visitor, links_within};

const SEND: &str = "https://slack.com/api/chat.postMessage";
const TEST: &str = "https://slack.com/api/auth.test";
const LIST: &str = "https://slack.com/api/conversations.list?types=public_channel%2Cprivate_channel\
    &exclude_archived=true&limit=200";
const HOOK: &str = "https://hooks.slack.com/services/T0/B0/x1y2z3w4";
const TOKEN: &str = "xoxb-1-2-abcdef";

fn fine() -> Reply {
    Reply::status(200).body(r#"{"ok":true}"#)
}

fn refused(word: &str) -> Reply {
    Reply::status(200).body(&json!({"ok": false, "error": word}).to_string())
}

fn connect(edge: &Edge, tenant: &Tenant, metadata: Value) -> crate::tenant::Answered {
    let body = json!({"workspace": tenant.workspace, "type": "slack", "name": "Alerts",
        "metadata": metadata});
    tenant.call(edge, "POST", "/api/v1/connections", &body)
}

fn bot(edge: &Edge, tenant: &Tenant) -> String {
    edge.receivers.script(TEST, |_| fine());
    edge.receivers.script(SEND, |_| fine());
    let made = connect(edge, tenant, json!({"bot_token": TOKEN}));
    assert_eq!(made.status, 201, "{}", made.text);
    text(&made.json(), "/connection/id")
}

fn rule(
    edge: &Edge,
    tenant: &Tenant,
    connection: &str,
    metadata: Value,
) -> crate::tenant::Answered {
    let body = json!({"workspace": tenant.workspace, "connection": connection,
        "event": "alert.triggered", "metadata": metadata});
    tenant.call(edge, "POST", "/api/v1/rules", &body)
}

fn says(template: &str) -> Value {
    json!({"action": "send_message", "id": "C1", "template": template})
}

fn body(edge: &Edge, url: &str, n: usize) -> Value {
    serde_json::from_slice(&edge.receivers.seen(url)[n].request.body).expect("JSON")
}

#[test]
fn a_message_is_made_by_the_rule_and_its_attempt_says_so() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    let made = rule(&edge, &tenant, &connection, says("{{a}} <{{user.name}}>"));
    assert_eq!(made.status, 201, "{}", made.text);
    let id = text(&made.json(), "/rule/id");
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(5_000);
    assert_eq!(body(&edge, SEND, 0)["text"], "1 <>");
    assert_eq!(body(&edge, SEND, 0)["channel"], "C1");
    assert_eq!(edge.receivers.seen(SEND)[0].header("authorization"), format!("Bearer {TOKEN}"));
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
    let attempt = &tenant.attempts(&edge, &event, &id)[0];
    assert!(text(attempt, "/request/body").contains(r#""text":"1 <>""#), "{attempt}");
    assert_eq!(attempt["notes"], json!(["The payload has nothing at user.name"]));
    assert!(!attempt.to_string().contains(TOKEN));
    let logged = edge.logs[0].ask("select first_attempt from deliveries")[0].to_string();
    assert!(logged.contains("chat.postMessage") && !logged.contains(TOKEN), "{logged}");
}

#[test]
fn a_rule_that_was_deleted_is_still_what_its_deliveries_do() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    edge.receivers.script(SEND, |n| if n == 0 { Reply::status(503) } else { fine() });
    let made = rule(&edge, &tenant, &connection, says("first"));
    let id = text(&made.json(), "/rule/id");
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(2_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "retrying");
    let at = format!("/api/v1/rules/{id}");
    assert_eq!(tenant.call(&edge, "DELETE", &at, &Value::Null).status, 200);
    edge.run_for(60_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
    assert_eq!(body(&edge, SEND, 1)["text"], "first");
    assert_eq!(edge.control.ask("select action from deleted_rules"), [json!("send_message")]);
}

#[test]
fn a_token_that_holds_no_more_holds_what_comes_until_there_is_another() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    rule(&edge, &tenant, &connection, says("x"));
    let at = format!("/api/v1/connections/{connection}");
    // The test call says that the token holds: the message is tried again.
    edge.receivers.script(SEND, |n| if n == 0 { refused("invalid_auth") } else { fine() });
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(60_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
    let record = edge.logs[0].ask("select first_attempt from deliveries")[0].to_string();
    assert!(record.contains("invalid_auth: the token is not valid"), "{record}");
    assert_eq!(tenant.get(&edge, &at)["active"], true);
    // It says so too: the connection is switched off and its events wait.
    edge.receivers.script(SEND, |_| refused("token_revoked"));
    edge.receivers.script(TEST, |_| refused("token_revoked"));
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(60_000);
    let shown = tenant.get(&edge, &at);
    assert_eq!(shown["inactive_reason"], "authentication_invalid", "{shown}");
    assert_eq!(tenant.delivery(&edge, &event)["status"], "pending");
    let sent = edge.receivers.seen(SEND).len();
    tenant.emit(&edge, "alert.triggered");
    edge.run_for(60_000);
    assert_eq!(edge.receivers.seen(SEND).len(), sent);
    // A token that is refused is not saved; a good one and a press of resume, and all arrives.
    let bad = tenant.call(&edge, "PATCH", &at, &json!({"metadata": {"bot_token": "xoxb-9-9-z"}}));
    assert_eq!((bad.status, params(&bad.json())), (422, vec!["metadata.bot_token"]));
    assert_eq!(bad.json()["error"]["code"], "credentials_refused");
    assert!(bad.text.contains("token_revoked"), "{}", bad.text);
    edge.receivers.script(SEND, |_| fine());
    edge.receivers.script(TEST, |_| fine());
    let good = tenant.call(&edge, "PATCH", &at, &json!({"metadata": {"bot_token": "xoxb-9-9-z"}}));
    assert_eq!(good.json()["credentials_checked"], true, "{}", good.text);
    tenant.call(&edge, "POST", &format!("{at}/activate"), &Value::Null);
    edge.run_for(60_000);
    assert_eq!(edge.receivers.seen(SEND).len(), sent + 2);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
}

#[test]
fn the_last_attempt_waits_for_new_credentials_too() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    let at = format!("/api/v1/connections/{connection}");
    tenant.call(&edge, "PATCH", &at, &json!({"metadata": {"retry_schedule_seconds": [5]}}));
    rule(&edge, &tenant, &connection, says("x"));
    edge.receivers.script(SEND, |n| match n {
        0 => Reply::status(503),
        1 => refused("token_revoked"),
        _ => fine(),
    });
    edge.receivers.script(TEST, |_| refused("token_revoked"));
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(600_000);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!((&delivery["status"], &delivery["held"]), (&json!("pending"), &json!(true)));
    tenant.call(&edge, "POST", &format!("{at}/activate"), &Value::Null);
    edge.run_for(600_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
}

#[test]
fn what_a_destination_refuses_for_good_is_failed_and_its_connection_is_well() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    let made = rule(&edge, &tenant, &connection, says("x"));
    let id = text(&made.json(), "/rule/id");
    edge.receivers.script(SEND, |_| refused("channel_not_found"));
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(60_000);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!(delivery["status"], "failed", "{delivery}");
    let attempts = tenant.attempts(&edge, &event, &id);
    assert_eq!(attempts.len(), 1);
    assert!(text(&attempts[0], "/error").contains("the channel is gone"), "{attempts:?}");
    let shown = tenant.get(&edge, &format!("/api/v1/connections/{connection}"));
    assert_eq!(shown["active"], true);
}

#[test]
fn credentials_are_checked_one_of_two_and_never_shown() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (metadata, param) in [
        (json!({}), "metadata.webhook_url"),
        (json!({"webhook_url": HOOK, "bot_token": TOKEN}), "metadata.webhook_url"),
        (json!({"webhook_url": "https://example.com/x"}), "metadata.webhook_url"),
        (json!({"bot_token": "sk-1"}), "metadata.bot_token"),
    ] {
        let answer = connect(&edge, &tenant, metadata.clone());
        assert_eq!((answer.status, params(&answer.json())), (400, vec![param]), "{metadata}");
    }
    edge.receivers.script(TEST, |_| refused("invalid_auth"));
    let answer = connect(&edge, &tenant, json!({"bot_token": TOKEN}));
    assert_eq!((answer.status, params(&answer.json())), (422, vec!["metadata.bot_token"]));
    let body = json!({"workspace": tenant.workspace, "type": "slack", "name": "Untested",
        "metadata": {"bot_token": TOKEN}, "skip_test": true});
    let skipped = tenant.call(&edge, "POST", "/api/v1/connections", &body);
    assert_eq!(
        (skipped.status, &skipped.json()["connection"]["credentials_checked"]),
        (201, &json!(false))
    );
    edge.receivers.script(TEST, |_| Reply::status(503));
    let down = connect(&edge, &tenant, json!({"bot_token": TOKEN}));
    assert_eq!(down.json()["connection"]["credentials_checked"], false);
    let id = text(&down.json(), "/connection/id");
    assert!(!down.text.contains(TOKEN));
    assert_eq!(down.json()["connection"]["metadata"]["max_per_second"], 1);
    // One that is given takes the stored one's place.
    let at = format!("/api/v1/connections/{id}");
    let hook = tenant.call(&edge, "PATCH", &at, &json!({"metadata": {"webhook_url": HOOK}}));
    assert_eq!(hook.status, 200, "{}", hook.text);
    assert_eq!(hook.json()["metadata"]["has_webhook_url"], true);
    assert_eq!(hook.json()["metadata"]["has_bot_token"], false);
    assert!(!hook.text.contains("x1y2z3w4"));
    // No channel is needed there, and the URL is a secret wherever it may come back.
    edge.receivers.script(HOOK, |_| Reply::status(400).body("no: T0/B0/x1y2z3w4"));
    let made = rule(&edge, &tenant, &id, json!({"action": "send_message", "template": "x"}));
    assert_eq!(made.status, 201, "{}", made.text);
    let event = tenant.emit(&edge, "alert.triggered");
    edge.run_for(5_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "failed");
    let record = edge.logs[0].ask("select first_attempt from deliveries")[0].to_string();
    assert!(record.contains("https://hooks.slack.com/services/***"), "{record}");
    assert!(!record.contains("x1y2z3w4/") && !record.contains("/services/T0"), "{record}");
}

#[test]
fn a_rule_says_what_its_action_needs() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    for (metadata, status, param, told) in [
        (json!({"action": "send_message", "template": "x"}), 422, "metadata.id", "is required"),
        (json!({"action": "send_message", "id": "C1"}), 422, "metadata.template", "is required"),
        (says("Hi {{user.name"), 422, "metadata.template", "character 4 are never closed"),
        (says("{{a b}}"), 422, "metadata.template", "is not a path"),
        (json!({"action": "add_to_space"}), 400, "metadata.action", "must be one of"),
        (json!({"action": "send_webhook"}), 400, "metadata.action", "must be one of send_message"),
    ] {
        let answer = rule(&edge, &tenant, &connection, metadata.clone());
        assert_eq!((answer.status, params(&answer.json())), (status, vec![param]), "{metadata}");
        assert!(answer.text.contains(told), "{}", answer.text);
    }
    let broken = rule(&edge, &tenant, &connection, says("{{"));
    assert_eq!(broken.json()["error"]["code"], "template");
    let made = rule(&edge, &tenant, &connection, says("{{a}} {{b}}"));
    let at = format!("/api/v1/rules/{}", text(&made.json(), "/rule/id"));
    let bad = tenant.call(&edge, "PATCH", &at, &json!({"metadata": says("{{")}));
    assert_eq!(bad.status, 422);
    let shown =
        tenant.call(&edge, "POST", &format!("{at}/preview"), &json!({"payload": {"a": "<1>"}}));
    assert_eq!(shown.status, 200, "{}", shown.text);
    assert_eq!(shown.json()["texts"]["template"], "<1> ");
    assert!(text(&shown.json(), "/request/body").contains("&lt;1&gt; "), "{}", shown.text);
    assert_eq!(shown.json()["notes"], json!(["The payload has nothing at b"]));
    let none = tenant.call(&edge, "POST", &format!("{at}/preview"), &Value::Null);
    assert!(text(&none.json(), "/refused").contains("empty"), "{}", none.text);
    assert!(edge.receivers.seen(SEND).is_empty());
}

#[test]
fn live_lists_are_read_kept_and_read_anew() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = bot(&edge, &tenant);
    let page = json!({"ok": true, "channels": [{"id": "C1", "name": "general"}]}).to_string();
    edge.receivers.script(LIST, move |_| Reply::status(200).body(&page));
    let at = format!("/api/v1/connections/{connection}/actions");
    let shown = tenant.get(&edge, &at);
    assert_eq!(shown["data"]["channels"], json!([{"id": "C1", "name": "#general"}]));
    assert_eq!(tenant.get(&edge, &at)["refreshed_at"], shown["refreshed_at"]);
    assert_eq!(edge.receivers.seen(LIST).len(), 1);
    edge.receivers.script(LIST, |_| refused("missing_scope"));
    let anew = tenant.get(&edge, &format!("{at}?refresh=true"));
    assert_eq!(anew["data"]["channels"], json!([]));
    assert_eq!(anew["errors"][0]["list"], "channels", "{anew}");
    tenant.call(&edge, "DELETE", &format!("/api/v1/connections/{connection}"), &Value::Null);
    assert!(edge.control.ask("select connection from catalogues").is_empty());
}

#[test]
fn customers_choose_an_integration_and_write_a_message() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let example = json!({"user": {"name": "Ann"}, "value": 7});
    let event_type = json!({"label": "Alert", "example": example.to_string()});
    tenant.call(&edge, "PUT", "/api/v1/event-types/alert.triggered", &event_type);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let grid = visitor.get(&edge, "connections/new").text;
    for destination in posthorn::destinations::ALL {
        let about = destination.about();
        assert!(grid.contains(&format!("type={}", about.key)), "{}", about.key);
        let form = visitor.get(&edge, &format!("connections/new?type={}", about.key));
        assert_eq!(form.status, 200);
        for field in about.fields {
            assert!(form.text.contains(field.label), "{} of {}", field.label, about.key);
        }
    }
    edge.receivers.script(TEST, |_| fine());
    let fields = [("type", "slack"), ("name", "Alerts"), ("bot_token", TOKEN)];
    let made = visitor.post(&edge, "connections/new", &fields);
    assert_eq!(made.status, 200, "{}", made.text);
    let stored = edge.control.ask("select id from connections where name = 'Alerts'");
    let id = stored[0].as_str().expect("an id");
    assert!(!made.text.contains(TOKEN) && made.text.contains(&format!("rules?connection={id}")));
    let page = visitor.get(&edge, &format!("connections/{id}"));
    assert_eq!(page.status, 200, "{}", page.text);
    // The rule's form has the fields of the destination; its buttons save nothing.
    let form = visitor.get(&edge, &format!("rules?connection={id}")).text;
    assert!(form.contains("name=\"metadata.template\"") && form.contains("name=\"metadata.id\""));
    let list = json!({"ok": true, "channels": [{"id": "C1", "name": "general"}]}).to_string();
    edge.receivers.script(LIST, move |_| Reply::status(200).body(&list));
    let draft = [
        ("event", "alert.triggered"),
        ("connection", id),
        ("metadata.template", "{{user.name}} <b>"),
    ];
    let with = |more: &[(&'static str, &'static str)]| -> Vec<(&str, &str)> {
        draft.iter().chain(more).copied().collect()
    };
    let loaded = visitor.post(&edge, "rules", &with(&[("do", "refresh")]));
    assert_eq!(loaded.status, 200);
    assert!(loaded.text.contains("<option value=\"C1\">#general</option>"), "{}", loaded.text);
    let preview = visitor.post(&edge, "rules", &with(&[("do", "preview"), ("metadata.id", "C1")]));
    assert!(preview.text.contains("<pre>Ann &lt;b&gt;</pre>"), "{}", preview.text);
    assert!(preview.text.contains("data-insert=\"{{user.name}}\""), "{}", preview.text);
    assert!(edge.control.ask("select id from rules").is_empty());
    let bad = visitor.post(&edge, "rules", &draft);
    assert!(bad.status == 422 || bad.status == 400, "{}", bad.status);
    let link = "<a href=\"#metadata.id\">Channel</a> is required";
    assert!(bad.text.contains(link) && links_within(&bad.text) == 2, "{}", bad.text);
    let saved = visitor.post(&edge, "rules", &with(&[("metadata.id", "C1")]));
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stored = edge.control.ask("select metadata from rules")[0].to_string();
    assert!(stored.contains("C1") && stored.contains("user.name"), "{stored}");
    let rule = edge.control.ask("select id from rules")[0].as_str().expect("an id").to_owned();
    let edit = visitor.get(&edge, &format!("rules/{rule}")).text;
    assert!(edit.contains("{{user.name}} &lt;b&gt;"), "{edit}");
}
