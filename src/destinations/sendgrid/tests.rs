//! Tests of SendGrid's requests and answers. Answers are those of its published document.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer, refusal};

const PAYLOAD: &str = r#"{"email":"a@b.c","first_name":"<Ann>","total":1.50,"subject":"old"}"#;
const HEAD: &str = "POST https://api.sendgrid.com/v3/mail/send\n\
    authorization: Bearer SG.1 (secret)\ncontent-type: application/json\n";

fn given() -> Given {
    Given::new("sendgrid", &[("api_key", "SG.1")])
}

#[test]
fn a_mail_is_written_or_made_of_a_template() {
    let says = [
        ("from", "Team <team@acme.example>"),
        ("to", "{{first_name}} <{{email}}>"),
        ("subject", "Hello {{first_name}}"),
        ("body", "<p>{{first_name}}</p>"),
    ];
    let (sent, _) = given().walk("send_email", &says, PAYLOAD, &[]);
    let body = concat!(
        r#"{"from":{"email":"team@acme.example","name":"Team"},"subject":"Hello <Ann>","#,
        r#""content":[{"type":"text/html","value":"<p>&lt;Ann&gt;</p>"}],"#,
        r#""personalizations":[{"to":[{"email":"a@b.c","name":"Ann"}]}],"#,
        r#""custom_args":{"posthorn_message_id":"msg_1"}}"#
    );
    assert_eq!(sent, [format!("{HEAD}{body}")]);
    let says = [("from", "team@acme.example"), ("id", "d-1"), ("subject", "New")];
    let mapped = given().mapping("template_variables.total", "first_name");
    let (sent, _) = mapped.walk("send_email_template", &says, PAYLOAD, &[]);
    let body = concat!(
        r#"{"from":{"email":"team@acme.example"},"subject":"New","template_id":"d-1","#,
        r#""personalizations":[{"to":[{"email":"a@b.c"}],"dynamic_template_data":"#,
        r#"{"email":"a@b.c","first_name":"<Ann>","total":"<Ann>","subject":"New"}}],"#,
        r#""custom_args":{"posthorn_message_id":"msg_1"}}"#
    );
    assert_eq!(sent, [format!("{HEAD}{body}")]);
    let eu = Given::new("sendgrid", &[("api_key", "SG.1"), ("region", "eu")]);
    let (sent, _) = eu.walk("send_email_template", &says, PAYLOAD, &[]);
    assert!(sent[0].starts_with("POST https://api.eu.sendgrid.com/v3/mail/send\n"));
    let (_, verdict) = given().walk("send_email", &[("from", "x")], PAYLOAD, &[]);
    assert_eq!(refusal(verdict), "The sender is no e-mail address");
    let (_, verdict) = given().walk("send_email", &[("from", "a@b.c")], PAYLOAD, &[]);
    assert!(refusal(verdict).starts_with("There is no subject"));
}

#[test]
fn answers_are_read() {
    let says = |field: &str, message: &str| {
        json!({"errors": [{"message": message, "field": field, "help": null}]}).to_string()
    };
    let refused = |told: &str| Verdict::refused(format!("It says: {told}"));
    let sender = "The from address does not match a verified Sender Identity.";
    let grant = "The provided authorization grant is invalid, expired, or revoked";
    for (status, field, message, expected) in [
        (202, "", "", Verdict::Delivered),
        (400, "from.email", "Bad from", refused("Bad from")),
        (401, "", grant, Verdict::Unauthorized(format!("It says: {grant}"))),
        (403, "from", sender, refused(sender)),
        (403, "", "access forbidden", refused("access forbidden")),
        (413, "", "Too large", refused("Too large")),
        (429, "", "too many requests", Verdict::Throttled(None)),
        (500, "", "unexpected", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &says(field, message)), 0), expected, "{status}");
    }
    assert_eq!(given().tested(&answer(403, &says("from", sender))), Verdict::Delivered);
    let forbidden = given().tested(&answer(403, &says("", "access forbidden")));
    assert_eq!(forbidden, refused("access forbidden"));
    assert!(given().test().contains(r#""mail_settings":{"sandbox_mode":{"enable":true}}"#));
}

#[test]
fn templates_come_in_pages() {
    let page = |id: &str, next: Option<&str>| {
        let result = json!([{"id": id, "name": "T", "generation": "dynamic"}]);
        let page = json!({"result": result, "_metadata": {"self": "x", "next": next, "count": 2}});
        answer(200, &page.to_string())
    };
    let next = "https://evil.example/v3/templates?page_size=200&page_token=a%2Bb";
    let (asked, list) = given().list("templates", &[page("d-1", Some(next)), page("d-2", None)]);
    let base = "GET https://api.sendgrid.com/v3/templates?generations=dynamic&page_size=200";
    let auth = "authorization: Bearer SG.1 (secret)";
    assert_eq!(asked, [format!("{base}\n{auth}"), format!("{base}&page_token=a%2Bb\n{auth}")]);
    let items = vec![Item::new("d-1", "T"), Item::new("d-2", "T")];
    assert_eq!(list, Some(Listing::Done(items, None)));
}
