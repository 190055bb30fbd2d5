//! Tests of Intercom's requests and answers. Shapes are those of its document 2.16.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer};

const PAYLOAD: &str = r#"{"email":"joe@bloggs.com","plan":"pro"}"#;
const API: &str = "https://api.intercom.io";
const HEAD: &str =
    "accept: application/json\nintercom-version: 2.16\nauthorization: Bearer t (secret)";
const JSON: &str = "content-type: application/json";

fn given() -> Given {
    Given::new("intercom", &[("access_token", "t")])
}

fn search() -> String {
    let query = r#"{"query":{"field":"email","operator":"=","value":"joe@bloggs.com"}}"#;
    format!("POST {API}/contacts/search\n{HEAD}\n{JSON}\n{query}")
}

fn tag() -> String {
    format!("POST {API}/contacts/63a0/tags\n{HEAD}\n{JSON}\n{{\"id\":\"7522907\"}}")
}

fn found() -> Answer {
    answer(200, r#"{"type":"list","total_count":1,"data":[{"type":"contact","id":"63a0"}]}"#)
}

fn none() -> Answer {
    answer(200, r#"{"type":"list","total_count":0,"data":[]}"#)
}

fn add(given: &Given, answers: &[Answer]) -> (Vec<String>, Option<Verdict>) {
    given.walk("add_tag", &[("id", "7522907")], PAYLOAD, answers)
}

#[test]
fn a_contact_is_found_or_created_and_tagged() {
    let delivered = Some(Verdict::Delivered);
    let ok = answer(200, r#"{"type":"tag","id":"7522907"}"#);
    let done = (vec![search(), tag()], delivered.clone());
    assert_eq!(add(&given(), &[found(), ok.clone()]), done);
    let mapped = given().mapping("plan", "plan");
    let body = r#"{"custom_attributes":{"plan":"pro"}}"#;
    let update = format!("PUT {API}/contacts/63a0\n{HEAD}\n{JSON}\n{body}");
    let done = (vec![search(), update, tag()], delivered.clone());
    assert_eq!(add(&mapped, &[found(), answer(200, "{}"), ok.clone()]), done);
    let body = r#"{"role":"user","email":"joe@bloggs.com","custom_attributes":{"plan":"pro"}}"#;
    let create = format!("POST {API}/contacts\n{HEAD}\n{JSON}\n{body}");
    let made = answer(200, r#"{"type":"contact","id":"63a0"}"#);
    let done = (vec![search(), create.clone(), tag()], delivered.clone());
    assert_eq!(add(&mapped, &[none(), made, ok.clone()]), done);
    let exists = answer(409, r#"{"type":"error.list","errors":[{"code":"conflict"}]}"#);
    let done = (vec![search(), create.clone(), search(), tag()], delivered);
    assert_eq!(add(&mapped, &[none(), exists.clone(), found(), ok]), done);
    let (asked, verdict) = add(&mapped, &[none(), exists, none()]);
    assert_eq!((asked.len(), verdict), (3, Some(Verdict::Retry(None))));
}

#[test]
fn the_products_own_id_comes_first() {
    let payload = r#"{"email":"a@b.c","id":"u2"}"#;
    let two = json!({"data": [{"id": "1", "external_id": "u1"}, {"id": "2", "external_id": "u2"}]});
    let answers = [answer(200, &two.to_string())];
    let (asked, _) = given().walk("add_tag", &[("id", "7")], payload, &answers);
    let by = |field: &str, value: &str| json!({"field": field, "operator": "=", "value": value});
    let query = json!({"operator": "OR", "value": [by("external_id", "u2"), by("email", "a@b.c")]});
    assert!(asked[0].ends_with(&json!({ "query": query }).to_string()), "{}", asked[0]);
    assert!(asked[1].starts_with(&format!("POST {API}/contacts/2/tags\n")), "{}", asked[1]);
}

#[test]
fn a_tag_is_taken_away() {
    let walk =
        |answers: &[Answer]| given().walk("remove_tag", &[("id", "7522907")], PAYLOAD, answers);
    let delete = format!("DELETE {API}/contacts/63a0/tags/7522907\n{HEAD}");
    for last in [answer(200, "{}"), answer(404, "{}")] {
        let done = (vec![search(), delete.clone()], Some(Verdict::Delivered));
        assert_eq!(walk(&[found(), last]), done);
    }
    assert_eq!(walk(&[none()]), (vec![search()], Some(Verdict::Delivered)));
}

#[test]
fn answers_are_read() {
    let says = |code: &str, message: &str| {
        let errors = json!([{"code": code, "message": message}]);
        json!({"type": "error.list", "request_id": "1", "errors": errors}).to_string()
    };
    let invalid = Verdict::Unauthorized("It says: Access Token Invalid".to_owned());
    for (status, code, message, expected) in [
        (200, "", "", Verdict::Delivered),
        (401, "unauthorized", "Access Token Invalid", invalid),
        (404, "not_found", "Tag Not Found", Verdict::refused("It says: Tag Not Found")),
        (422, "parameter_invalid", "bad", Verdict::refused("It says: bad")),
        (429, "rate_limit_exceeded", "slow", Verdict::Throttled(None)),
        (500, "server_error", "odd", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &says(code, message)), 0), expected, "{status}");
    }
    let mut limited = answer(429, "");
    limited.headers = vec![("X-RateLimit-Reset".to_owned(), "1800000060".to_owned())];
    assert_eq!(verdict(&limited, 1_800_000_000_000), Verdict::Throttled(Some(60_000)));
    let au = Given::new("intercom", &[("access_token", "t"), ("region", "au")]);
    assert!(au.test().starts_with("GET https://api.au.intercom.io/me\n"));
}

#[test]
fn tags_are_read() {
    let page = answer(200, r#"{"type":"list","data":[{"type":"tag","id":"1","name":"T"}]}"#);
    let (asked, list) = given().list("tags", &[page]);
    assert_eq!(asked, [format!("GET {API}/tags\n{HEAD}")]);
    assert_eq!(list, Some(Listing::Done(vec![Item::new("1", "T")], None)));
}
