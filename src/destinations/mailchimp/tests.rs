//! Tests of Mailchimp's requests and answers. Answers are those of its documented errors.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer};

const PAYLOAD: &str = r#"{"email":"Urist.McVankab@example.com","first_name":"Urist",
    "ip_address":"192.0.2.1"}"#;
/// `posthorn:key-us21` in Base64.
const AUTH: &str = "authorization: Basic cG9zdGhvcm46a2V5LXVzMjE= (secret)";
const MEMBER: &str =
    "https://us21.api.mailchimp.com/3.0/lists/l1/members/urist.mcvankab%40example.com";

fn given() -> Given {
    Given::new("mailchimp", &[("api_key", "key-us21")])
}

#[test]
fn a_person_is_subscribed_and_unsubscribed() {
    let given = given().mapping("PLAN", "plan");
    let (sent, _) = given.walk("add_to_list", &[("id", "l1")], PAYLOAD, &[]);
    let body = concat!(
        r#"{"email_address":"Urist.McVankab@example.com","status_if_new":"subscribed","#,
        r#""status":"subscribed","merge_fields":{"FNAME":"Urist"},"ip_signup":"192.0.2.1"}"#
    );
    let json = "content-type: application/json";
    let put = format!("PUT {MEMBER}?skip_merge_validation=true\n{AUTH}\n{json}\n{body}");
    assert_eq!(sent, [put]);
    let walk =
        |answers: &[Answer]| given.walk("remove_from_list", &[("id", "l1")], PAYLOAD, answers);
    let patch = format!("PATCH {MEMBER}\n{AUTH}\n{json}\n{{\"status\":\"unsubscribed\"}}");
    assert_eq!(walk(&[]), (vec![patch.clone()], None));
    let absent = answer(404, r#"{"title":"Resource Not Found","status":404}"#);
    assert_eq!(walk(&[absent]), (vec![patch], Some(Verdict::Delivered)));
    let own = Given::new("mailchimp", &[("api_key", "key"), ("data_center", "us6")]);
    assert!(own.test().starts_with("GET https://us6.api.mailchimp.com/3.0/ping\n"));
}

#[test]
fn a_data_center_is_no_host_of_somebody_else() {
    for (text, is_one) in [
        ("us21", true),
        ("us1", true),
        ("us", false),
        ("21", false),
        ("us21.evil.example/", false),
        ("us1234", false),
        ("US1", false),
        ("", false),
    ] {
        assert_eq!(is_data_center(text), is_one, "{text}");
    }
    assert_eq!(ending("0123-us21"), Some("us21"));
    assert_eq!(ending("0123-evil.example/"), None);
    assert_eq!(ending("0123"), None);
}

#[test]
fn answers_are_read() {
    let says = |title: &str, detail: &str| {
        json!({"type": "https://mailchimp.com/developer/", "title": title, "status": 0,
            "detail": detail, "instance": "1"})
        .to_string()
    };
    let refused = |told: &str| Verdict::refused(format!("It says: {told}"));
    for (status, title, detail, expected) in [
        (200, "", "", Verdict::Delivered),
        (400, "Member In Compliance State", "a@b.c is", refused("a@b.c is")),
        (400, "Invalid Resource", "", refused("Invalid Resource")),
        (401, "API Key Invalid", "Bad", Verdict::Unauthorized("It says: Bad".to_owned())),
        (403, "Forbidden", "Not allowed", refused("Not allowed")),
        (404, "Resource Not Found", "No list", refused("No list")),
        (429, "Too Many Requests", "10", Verdict::Throttled(None)),
        (500, "Internal", "x", Verdict::Retry(None)),
    ] {
        let said = says(title, detail);
        let said = if detail.is_empty() { said.replace(r#""detail":"","#, "") } else { said };
        assert_eq!(verdict(&answer(status, &said), 0), expected, "{status} {title}");
    }
    let bare = answer(403, "<html>Forbidden</html>");
    assert_eq!(verdict(&bare, 0), Verdict::Throttled(None));
}

#[test]
fn lists_come_in_pages() {
    let page = |id: &str| {
        answer(200, &json!({"lists": [{"id": id, "name": "A"}], "total_items": 2}).to_string())
    };
    let (asked, list) = given().list("lists", &[page("1"), page("2")]);
    let base = "GET https://us21.api.mailchimp.com/3.0/lists\
        ?fields=lists.id,lists.name,total_items&count=500&offset=";
    assert_eq!(asked, [format!("{base}0\n{AUTH}"), format!("{base}1\n{AUTH}")]);
    let items = vec![Item::new("1", "A"), Item::new("2", "A")];
    assert_eq!(list, Some(Listing::Done(items, None)));
}
