//! Tests of Discord's requests and answers.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::destinations::testing::{answer, json_of, sent, step};

const HOOK: (&str, &str) = ("webhook_url", "https://discord.com/api/webhooks/123/aB-_9");

#[test]
fn a_message_is_an_embed_that_mentions_nobody() {
    let says = [("title", "{{kind}}\n!"), ("template", "{{name}} is at {{n}}{{gone}}")];
    let payload = r#"{"kind":"a\nb","name":"@everyone","n":1.50}"#;
    let request = sent(step(&Discord, &[HOOK], &says, payload));
    assert_eq!(request.url, "https://discord.com/api/webhooks/123/aB-_9?wait=true");
    assert_eq!(request.shown_url(), "https://discord.com/api/webhooks/***");
    assert_eq!(request.method, "POST");
    let embed = json!({"title": "ab\n!", "description": "@everyone is at 1.50"});
    let expected = json!({"embeds": [embed], "allowed_mentions": {"parse": []}});
    assert_eq!(json_of(&request), expected);
    assert_eq!(request.notes, ["The payload has nothing at gone"]);
    let plain = sent(step(&Discord, &[HOOK], &[("template", "x")], "{}"));
    assert_eq!(json_of(&plain)["embeds"][0], json!({"description": "x"}));
    let empty = step(&Discord, &[HOOK], &[("template", "{{x}}")], "{}");
    assert!(matches!(empty, Step::Done(Verdict::Permanent { .. })), "{empty:?}");
}

#[test]
fn answers_say_what_became_of_it() {
    let refused = |told: &str| Verdict::refused(told.to_owned());
    let gone = "Discord does not know this webhook any more: it was deleted, or its URL is another";
    let gone = Verdict::Unauthorized(gone.to_owned());
    for (status, body, expected) in [
        (200, r#"{"id":"1","content":""}"#, Verdict::Delivered),
        (204, "", Verdict::Delivered),
        (400, r#"{"message":"Cannot send an empty message","code":50006}"#, {
            refused("It says: Cannot send an empty message")
        }),
        (401, r#"{"message":"Invalid Webhook Token","code":50027}"#, gone.clone()),
        (403, r#"{"message":"Missing Permissions","code":50013}"#, {
            refused("It says: Missing Permissions")
        }),
        (404, r#"{"message":"Unknown Webhook","code":10015}"#, gone),
        (404, r#"{"message":"Unknown Channel","code":10003}"#, refused("It says: Unknown Channel")),
        (429, r#"{"message":"You are being rate limited.","retry_after":0.657}"#, {
            Verdict::Throttled(Some(657))
        }),
        (500, "", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &[], body), 0), expected, "{status} {body}");
    }
    let told = answer(429, &[("Retry-After", "2")], r#"{"retry_after":1.5}"#);
    assert_eq!(verdict(&told, 0), Verdict::Throttled(Some(2_000)));
}

#[test]
fn urls_look_like_discords() {
    for (url, fits) in [
        (HOOK.1, true),
        ("https://discordapp.com/api/webhooks/1/a", true),
        ("https://canary.discord.com/api/v10/webhooks/1/a", true),
        ("https://discord.com.evil.example/api/webhooks/1/a", false),
        ("https://discord.com/api/webhooks/1", false),
        ("https://discord.com/api/webhooks/x/a", false),
        ("https://discord.com/api/webhooks/1/a?thread_id=1", false),
        ("http://discord.com/api/webhooks/1/a", false),
        ("https://x@discord.com/api/webhooks/1/a", false),
    ] {
        assert_eq!(is_webhook_url(url), fits, "{url}");
    }
}

proptest! {
    #[test]
    fn no_payload_adds_a_mention_or_a_field(value in any::<String>()) {
        let payload = json!({ "a": value }).to_string();
        let says = [("template", "v {{a}}"), ("title", "{{a}}")];
        let body = json_of(&sent(step(&Discord, &[HOOK], &says, &payload)));
        prop_assert_eq!(&body["allowed_mentions"], &json!({"parse": []}));
        prop_assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
        let title = body["embeds"][0]["title"].as_str().unwrap_or_default();
        prop_assert!(!title.contains(['\n', '\r']) && title.chars().count() <= TITLE_CHARS_MAX);
        prop_assert!(matches!(&body["embeds"][0]["description"], Value::String(_)));
    }
}
