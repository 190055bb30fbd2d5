//! Tests of Slack's requests and answers.

use proptest::prelude::*;

use super::*;
use crate::destinations::call::Mapped;
use crate::destinations::testing::{answer, header, json_of as body, sent};
use crate::domain::base::secret::Secret;
use crate::domain::connection::model::Credentials;
use crate::domain::routing::rule::Metadata;

const HOOK: (&str, &str) = ("webhook_url", "https://hooks.slack.com/services/T0/B0/x1y2");
const BOT: (&str, &str) = ("bot_token", "xoxb-1-2-abc");

fn step(credential: (&str, &str), says: &[(&str, &str)], payload: &str, is_test: bool) -> Step {
    let credentials = Credentials::from([(credential.0.to_owned(), Secret::new(credential.1))]);
    let metadata: Metadata =
        says.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let call = Call {
        account: Account { values: &Values::default(), credentials: &credentials },
        action: "send_message",
        metadata: &metadata,
        mapped: &Mapped::new(),
        secrets: &[],
        timeout_ms: 15_000,
        event: "e1",
        name: "alert.triggered",
        resource: None,
        resource_id: None,
        external_id: None,
        payload,
        created_at_ms: 0,
        hops: 0,
        message_id: "msg_1",
        is_test,
        attempt: 1,
        now_ms: 0,
    };
    Slack.step(&call, &[]).expect("a step")
}

#[test]
fn a_message_goes_to_the_webhook_or_to_the_channel() {
    let says = [("template", "{{resource}} is at {{value}} (limit {{limit}})"), ("id", "C1")];
    let payload = r#"{"resource":"<!channel> & co","value":1.50}"#;
    let text = "&lt;!channel&gt; &amp; co is at 1.50 (limit )";
    let hook = sent(step(HOOK, &says, payload, false));
    assert_eq!((hook.method.as_str(), hook.url.as_str()), ("POST", HOOK.1));
    assert_eq!(hook.shown_url(), "https://hooks.slack.com/services/***");
    assert_eq!(header(&hook, "content-type"), "application/json");
    assert_eq!(header(&hook, "authorization"), "");
    assert_eq!(body(&hook), json!({ "text": text }));
    assert_eq!(hook.notes, ["The payload has nothing at limit"]);
    let bot = sent(step(BOT, &says, payload, false));
    assert_eq!(bot.url, "https://slack.com/api/chat.postMessage");
    assert_eq!(header(&bot, "authorization"), "Bearer xoxb-1-2-abc");
    assert!(bot.headers.iter().any(|header| header.is_secret));
    let metadata = json!({"event_type": "posthorn", "event_payload": {"message_id": "msg_1"}});
    assert_eq!(body(&bot), json!({"channel": "C1", "text": text, "metadata": metadata}));
}

#[test]
fn what_cannot_be_sent_is_refused_without_a_request() {
    let refused =
        |credential, says: &[(&str, &str)], payload| match step(credential, says, payload, false) {
            Step::Done(Verdict::Permanent { told, .. }) => told,
            other => panic!("{other:?}"),
        };
    assert!(refused(HOOK, &[("template", "{{a}}")], "{}").contains("empty"));
    assert!(refused(BOT, &[("template", "x")], "{}").contains("no channel"));
    let test = sent(step(HOOK, &[], "{}", true));
    assert_eq!(body(&test), json!({"text": "Test event alert.triggered"}));
    let long = json!({"a": "x".repeat(1_999)}).to_string();
    let many = "{{a}} ".repeat(30);
    let cut = sent(step(HOOK, &[("template", &many)], &long, false));
    assert_eq!(body(&cut)["text"].as_str().map(|text| text.chars().count()), Some(TEXT_CHARS_MAX));
    assert_eq!(cut.notes, ["The message is cut at 40000 characters"]);
}

#[test]
fn the_web_api_says_what_became_of_a_message() {
    let refused = |told: &str| Verdict::refused(told.to_owned());
    let unauthorized = |told: &str| Verdict::Unauthorized(told.to_owned());
    for (status, text, expected) in [
        (200, r#"{"ok":true,"channel":"C1","ts":"1.2","message":{"text":"#, Verdict::Delivered),
        (
            200,
            r#"{"ok":false,"error":"channel_not_found"}"#,
            refused("Slack says channel_not_found: the channel is gone, or the bot may not see it"),
        ),
        (
            200,
            r#"{"ok":false,"error":"not_in_channel","message":{"te"#,
            refused("Slack says not_in_channel: invite the bot to the channel"),
        ),
        (200, r#"{"ok":false,"error":"invalid_blocks"}"#, refused("Slack says invalid_blocks")),
        (
            200,
            r#"{"ok":false,"error":"invalid_auth"}"#,
            unauthorized("Slack says invalid_auth: the token is not valid"),
        ),
        (
            200,
            r#"{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"a"}"#,
            unauthorized("Slack says missing_scope: the bot needs the scope chat:write"),
        ),
        (200, r#"{"ok":false,"error":"internal_error"}"#, Verdict::Retry(None)),
        (200, r#"{"ok":false,"error":"ratelimited"}"#, Verdict::Throttled(Some(3_000))),
        (200, "<html>", Verdict::Retry(None)),
        (429, "", Verdict::Throttled(Some(3_000))),
        (429, r#"{"ok":false,"error":"ratelimited"}"#, Verdict::Throttled(Some(3_000))),
        (503, r#"{"ok":false,"error":"odd"}"#, Verdict::Retry(Some(3_000))),
        (500, "", Verdict::Retry(Some(3_000))),
    ] {
        let answer = answer(status, &[("Retry-After", "3")], text);
        assert_eq!(api_verdict(&answer, 0), expected, "{status} {text}");
    }
}

#[test]
fn a_webhook_answers_with_a_word() {
    for (status, text, expected) in [
        (200, "ok", Verdict::Delivered),
        (400, "invalid_payload", Verdict::refused("Slack says invalid_payload")),
        (410, "channel_is_archived", {
            Verdict::refused("Slack says channel_is_archived: the channel is archived")
        }),
        (403, "action_prohibited", Verdict::refused("Slack says action_prohibited")),
        (500, "rollup_error", Verdict::Retry(None)),
        (429, "rate_limited", Verdict::Throttled(None)),
    ] {
        assert_eq!(webhook_verdict(&answer(status, &[], text), 0), expected, "{status} {text}");
    }
    for (status, word) in [(404, "no_service"), (404, "no_team"), (403, "invalid_token")] {
        let verdict = webhook_verdict(&answer(status, &[], word), 0);
        assert!(matches!(verdict, Verdict::Unauthorized(_)), "{word}: {verdict:?}");
    }
}

#[test]
fn channels_come_in_pages() {
    let credentials = Credentials::from([(BOT.0.to_owned(), Secret::new(BOT.1))]);
    let account = Account { values: &Values::default(), credentials: &credentials };
    let list = |answers: &[Answer]| Slack.list(&account, "channels", answers).expect("a list");
    let Listing::Send(first) = list(&[]) else { panic!("no request") };
    let base = "https://slack.com/api/conversations.list?types=public_channel%2Cprivate_channel";
    assert_eq!(first.url, format!("{base}&exclude_archived=true&limit=200"));
    let page = |id: &str, name: &str, next: &str| {
        let next = json!({ "next_cursor": next });
        let channels = json!([{"id": id, "name": name}]);
        let page = json!({"ok": true, "channels": channels, "response_metadata": next});
        answer(200, &[], &page.to_string())
    };
    let one = page("C1", "general", "dGVhbTpD=");
    let Listing::Send(second) = list(std::slice::from_ref(&one)) else { panic!("no request") };
    assert!(second.url.ends_with("&cursor=dGVhbTpD%3D"), "{}", second.url);
    let all = vec![Item::new("C1", "#general"), Item::new("C2", "#ops")];
    assert_eq!(list(&[one.clone(), page("C2", "ops", "")]), Listing::Done(all, None));
    let refused =
        answer(200, &[], r#"{"ok":false,"error":"missing_scope","needed":"channels:read"}"#);
    let told = "Slack says missing_scope: the bot needs the scope channels:read".to_owned();
    assert_eq!(list(&[one, refused]), Listing::Done(vec![Item::new("C1", "#general")], Some(told)));
    assert!(Slack.list(&account, "users", &[]).is_err());
}

#[test]
fn credentials_look_like_slacks() {
    for (text, fits) in [
        (HOOK.1, true),
        ("https://hooks.slack-gov.com/services/T/B/x", true),
        ("https://hooks.slack.com/services/", false),
        ("https://hooks.slack.com.evil.example/services/T/B/x", false),
        ("https://hooks.slack.com/services/T/B/x?y", false),
        ("http://hooks.slack.com/services/T/B/x", false),
    ] {
        assert_eq!(is_webhook_url(text), fits, "{text}");
    }
    for (text, fits) in [
        ("xoxb-1-2-abc", true),
        ("xoxe.xoxb-1-MS", true),
        ("xoxb-", false),
        ("xoxa-1", false),
        ("xoxb-1\nx", false),
    ] {
        assert_eq!(is_token(text), fits, "{text}");
    }
}

proptest! {
    #[test]
    fn no_payload_mentions_a_channel_or_adds_a_field(value in any::<String>()) {
        let payload = json!({ "a": value }).to_string();
        let request = sent(step(BOT, &[("template", "v: {{a}}"), ("id", "C1")], &payload, false));
        let body = body(&request);
        prop_assert_eq!(body.as_object().map(|fields| fields.len()), Some(3));
        prop_assert!(!body["text"].as_str().unwrap_or("<").contains(['<', '>']));
    }
}
