//! Tests of Customer.io's requests and answers, after docs.customer.io/integrations/api/cdp.

use super::*;
use crate::destinations::tests::{Given, answer, refusal};

const PAYLOAD: &str = r#"{"email":"cool.person@example.com","name":"Cool","n":1.50}"#;

fn given() -> Given {
    Given::new("customer_io", &[("api_key", "k")])
}

#[test]
fn the_person_and_the_event_go_in_one_call() {
    let (sent, _) = given().walk("track_event", &[], PAYLOAD, &[]);
    let head = "POST https://cdp.customer.io/v1/batch\nauthorization: Basic azo= (secret)\n\
        x-strict-mode: 1\ncontent-type: application/json";
    let body = concat!(
        r#"{"batch":[{"type":"identify","userId":"cool.person@example.com","#,
        r#""messageId":"msg_1.identify","timestamp":"1970-01-01T00:00:00.000Z","#,
        r#""traits":{"email":"cool.person@example.com","name":"Cool"}},"#,
        r#"{"type":"track","userId":"cool.person@example.com","messageId":"msg_1","#,
        r#""timestamp":"1970-01-01T00:00:00.000Z","event":"user.signup","properties":"#,
        r#"{"email":"cool.person@example.com","name":"Cool","n":1.50}}]}"#
    );
    assert_eq!(sent, [format!("{head}\n{body}")]);
    let payload = r#"{"email":"a@b.c","id":97980}"#;
    let says = [("event_name_override", "Signed up {{id}}")];
    let eu = Given::new("customer_io", &[("api_key", "k"), ("region", "eu")]);
    let (sent, _) = eu.walk("track_event", &says, payload, &[]);
    assert!(sent[0].starts_with("POST https://cdp-eu.customer.io/v1/batch\n"));
    assert!(sent[0].contains(r#""userId":"97980""#), "{}", sent[0]);
    assert!(sent[0].contains(r#""event":"Signed up 97980""#), "{}", sent[0]);
}

#[test]
fn what_is_too_large_is_not_sent() {
    let large = json!({"email": "a@b.c", "x": "y".repeat(32 * 1024)}).to_string();
    let (sent, verdict) = given().walk("track_event", &[], &large, &[]);
    assert!(sent.is_empty());
    assert!(refusal(verdict).contains("32 KB"));
}

#[test]
fn answers_are_read() {
    let refused = |told: &str| Verdict::refused(told.to_owned());
    for (status, text, expected) in [
        (200, r#"{"success":true}"#, Verdict::Delivered),
        (200, "{}", Verdict::Delivered),
        (200, r#"{"success":false,"message":"no"}"#, refused("It says: no")),
        (400, r#"{"message":"malformed"}"#, refused("It says: malformed")),
        (401, "", Verdict::Unauthorized("Answered 401".to_owned())),
        (429, "", Verdict::Throttled(None)),
        (503, "", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, text), 0), expected, "{status} {text}");
    }
    assert!(given().test().ends_with("{\"batch\":[]}"));
    assert_eq!(given().tested(&answer(400, "")), Verdict::Delivered);
}
