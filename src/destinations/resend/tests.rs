//! Tests of Resend's requests and answers. Answers are those of resend.com/docs/api-reference.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer, refusal};

const PAYLOAD: &str = r#"{"email":"steve.wozniak@example.com","first_name":"Steve","n":1.50}"#;
const AUTH: &str = "authorization: Bearer re_1 (secret)";
const CONTACT: &str = "https://api.resend.com/contacts/steve.wozniak%40example.com";

fn given() -> Given {
    Given::new("resend", &[("api_key", "re_1")])
}

#[test]
fn a_template_is_sent_once() {
    let says =
        [("id", "34a080c9"), ("from", "Acme {{x|Inc}} <on@acme.example>"), ("subject", "Hi")];
    let (sent, verdict) = given().walk("send_email_template", &says, PAYLOAD, &[]);
    assert_eq!(verdict, None);
    let body = concat!(
        r#"{"from":"Acme Inc <on@acme.example>","to":["steve.wozniak@example.com"],"#,
        r#""subject":"Hi","template":{"id":"34a080c9","variables":"#,
        r#"{"email":"steve.wozniak@example.com","first_name":"Steve","n":1.50}}}"#
    );
    let head = "POST https://api.resend.com/emails";
    let json = "content-type: application/json";
    assert_eq!(sent, [format!("{head}\n{AUTH}\nidempotency-key: msg_1\n{json}\n{body}")]);
    let mapped = given().mapping("template_variables.NAME", "first_name");
    let to = [("id", "t"), ("to", "{{other|Ops <ops@acme.example>}}")];
    let (sent, _) = mapped.walk("send_email_template", &to, PAYLOAD, &[]);
    let body =
        r#"{"to":["Ops <ops@acme.example>"],"template":{"id":"t","variables":{"NAME":"Steve"}}}"#;
    assert!(sent[0].ends_with(body), "{}", sent[0]);
    let two = [("id", "t"), ("to", "a@b.c, d@e.f")];
    let (_, verdict) = given().walk("send_email_template", &two, PAYLOAD, &[]);
    assert!(refusal(verdict).contains("does not give one e-mail address"));
    let (_, done) = given().walk("send_email_template", &to, PAYLOAD, &[answer(200, "{}")]);
    assert_eq!(done, Some(Verdict::Delivered));
}

#[test]
fn variables_are_what_resend_takes() {
    let payload = r#"{"email":"a@b.c","EMAIL":"x","a b":1,"list":[1],"flag":true,"none":null}"#;
    let (sent, _) = given().walk("send_email_template", &[("id", "t")], payload, &[]);
    let variables = r#""variables":{"email":"a@b.c","flag":"true"}}}"#;
    assert!(sent[0].ends_with(variables), "{}", sent[0]);
}

#[test]
fn a_contact_is_updated_or_created_and_added() {
    let walk = |answers: &[Answer]| {
        let given = given().mapping("plan", "n");
        given.walk("add_to_segment", &[("id", "s 1")], PAYLOAD, answers)
    };
    let json = "content-type: application/json";
    let fields = r#""first_name":"Steve","properties":{"plan":1.50}"#;
    let update = format!("PATCH {CONTACT}\n{AUTH}\n{json}\n{{{fields}}}");
    let create = format!(
        "POST https://api.resend.com/contacts\n{AUTH}\n{json}\n\
         {{\"email\":\"steve.wozniak@example.com\",\"unsubscribed\":false,{fields}}}"
    );
    let add = format!("POST {CONTACT}/segments/s%201\n{AUTH}");
    let ok = answer(200, r#"{"object":"contact","id":"479e3145-dd38-476b-932c-529ceb705947"}"#);
    let none =
        answer(404, r#"{"statusCode":404,"name":"not_found","message":"Contact not found"}"#);
    let delivered = Some(Verdict::Delivered);
    let done = (vec![update.clone(), add.clone()], delivered.clone());
    assert_eq!(walk(&[ok.clone(), ok.clone()]), done);
    let done = (vec![update.clone(), create.clone(), add.clone()], delivered);
    assert_eq!(walk(&[none.clone(), ok.clone(), ok.clone()]), done);
    let (asked, verdict) = walk(&[ok, none]);
    assert_eq!((asked.len(), refusal(verdict).as_str()), (2, "It says: Contact not found"));
    let (asked, _) = given().walk("add_to_segment", &[("id", "s")], r#"{"email":"a@b.c"}"#, &[]);
    assert_eq!(asked, [format!("GET https://api.resend.com/contacts/a%40b.c\n{AUTH}")]);
}

#[test]
fn a_contact_leaves_a_segment() {
    let walk =
        |answer: Answer| given().walk("remove_from_segment", &[("id", "s")], PAYLOAD, &[answer]);
    let asked = vec![format!("DELETE {CONTACT}/segments/s\n{AUTH}")];
    assert_eq!(walk(answer(200, "{}")), (asked.clone(), Some(Verdict::Delivered)));
    assert_eq!(walk(answer(404, "{}")), (asked, Some(Verdict::Delivered)));
}

#[test]
fn answers_are_read() {
    let says = |name: &str, message: &str| {
        json!({"statusCode": 0, "name": name, "message": message}).to_string()
    };
    let unauthorized = |told: &str| Verdict::Unauthorized(format!("It says: {told}"));
    let refused = |told: &str| Verdict::refused(format!("It says: {told}"));
    for (status, name, message, expected) in [
        (200, "", "", Verdict::Delivered),
        (400, "validation_error", "API key is invalid", unauthorized("API key is invalid")),
        (400, "validation_error", "Invalid `to` field", refused("Invalid `to` field")),
        (401, "missing_api_key", "Missing API key", unauthorized("Missing API key")),
        (401, "restricted_api_key", "Only send", refused("Only send")),
        (403, "invalid_api_key", "API key is invalid", unauthorized("API key is invalid")),
        (403, "validation_error", "Verify a domain", refused("Verify a domain")),
        (404, "not_found", "Template not found", refused("Template not found")),
        (409, "invalid_idempotent_request", "Used before", refused("Used before")),
        (409, "concurrent_idempotent_requests", "In progress", Verdict::Retry(None)),
        (422, "missing_required_field", "Missing `from`", refused("Missing `from`")),
        (429, "rate_limit_exceeded", "Too many", Verdict::Throttled(None)),
        (429, "daily_quota_exceeded", "Quota", Verdict::Retry(Some(HOUR_MS))),
        (500, "application_error", "Odd", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &says(name, message)), 0), expected, "{status} {name}");
    }
    assert_eq!(given().test(), format!("GET https://api.resend.com/domains\n{AUTH}"));
    let restricted = answer(401, &says("restricted_api_key", "Only send"));
    assert_eq!(given().tested(&restricted), Verdict::Delivered);
}

#[test]
fn lists_come_in_pages() {
    let page = |more: bool, id: &str| {
        let data = json!([{"id": id, "name": format!("Name {id}")}]);
        answer(200, &json!({"object": "list", "has_more": more, "data": data}).to_string())
    };
    let (asked, list) = given().list("segments", &[page(true, "a"), page(false, "b")]);
    let base = "GET https://api.resend.com/segments?limit=100";
    assert_eq!(asked, [format!("{base}\n{AUTH}"), format!("{base}&after=a\n{AUTH}")]);
    let items = vec![Item::new("a", "Name a"), Item::new("b", "Name b")];
    assert_eq!(list, Some(Listing::Done(items, None)));
}
