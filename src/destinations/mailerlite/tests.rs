//! Tests of MailerLite's requests and answers. Answers are those of developers.mailerlite.com.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer};

const PAYLOAD: &str = r#"{"email":"dummy@example.com","first_name":"Dummy","plan":2.0,
    "ip_address":"192.0.2.1"}"#;
const HEAD: &str = "accept: application/json\nauthorization: Bearer k (secret)";

fn given() -> Given {
    Given::new("mailerlite", &[("api_key", "k")]).mapping("plan", "plan")
}

#[test]
fn a_subscriber_joins_and_leaves_a_group() {
    let (sent, _) = given().walk("add_to_group", &[("id", "42")], PAYLOAD, &[]);
    let body = concat!(
        r#"{"email":"dummy@example.com","fields":{"name":"Dummy","plan":2.0},"groups":["42"],"#,
        r#""ip_address":"192.0.2.1"}"#
    );
    let post = "POST https://connect.mailerlite.com/api/subscribers";
    assert_eq!(sent, [format!("{post}\n{HEAD}\ncontent-type: application/json\n{body}")]);
    let walk =
        |answers: &[Answer]| given().walk("remove_from_group", &[("id", "42")], PAYLOAD, answers);
    let base = "https://connect.mailerlite.com/api/subscribers";
    let find = format!("GET {base}/dummy%40example.com\n{HEAD}");
    let delete = format!("DELETE {base}/31897397363737859/groups/42\n{HEAD}");
    let found = answer(200, r#"{"data":{"id":"31897397363737859","email":"dummy@example.com"}}"#);
    let both = vec![find.clone(), delete];
    assert_eq!(walk(std::slice::from_ref(&found)), (both.clone(), None));
    let delivered = Some(Verdict::Delivered);
    assert_eq!(walk(&[found.clone(), answer(204, "")]), (both.clone(), delivered.clone()));
    assert_eq!(walk(&[found, answer(404, "")]), (both, delivered.clone()));
    assert_eq!(walk(&[answer(404, "")]), (vec![find], delivered));
}

#[test]
fn answers_are_read() {
    let invalid = r#"{"message":"The given data was invalid.","errors":{"email":["bad"]}}"#;
    let told = "It says: The given data was invalid.".to_owned();
    let unknown = r#"{"message":"Unauthenticated."}"#;
    for (status, text, expected) in [
        (200, "{}", Verdict::Delivered),
        (201, "{}", Verdict::Delivered),
        (401, unknown, Verdict::Unauthorized("It says: Unauthenticated.".to_owned())),
        (422, invalid, Verdict::refused(told)),
        (429, r#"{"message":"Too Many Attempts."}"#, Verdict::Throttled(None)),
        (503, "", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, text), 0), expected, "{status}");
    }
}

#[test]
fn groups_come_in_pages() {
    let page = |id: &str, at: u32| {
        let meta = json!({"current_page": at, "last_page": 2});
        answer(200, &json!({"data": [{"id": id, "name": "G"}], "meta": meta}).to_string())
    };
    let (asked, list) = given().list("groups", &[page("1", 1), page("2", 2)]);
    let base = "GET https://connect.mailerlite.com/api/groups?limit=100&page=";
    assert_eq!(asked, [format!("{base}1\n{HEAD}"), format!("{base}2\n{HEAD}")]);
    let items = vec![Item::new("1", "G"), Item::new("2", "G")];
    assert_eq!(list, Some(Listing::Done(items, None)));
}
