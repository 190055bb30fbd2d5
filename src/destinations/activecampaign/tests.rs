//! Tests of ActiveCampaign's requests and answers, after developers.activecampaign.com/reference.

use super::*;
use crate::destinations::call::Item;
use crate::destinations::tests::{Given, answer};

const PAYLOAD: &str = r#"{"email":"jane+1@example.com","first_name":"Jane","plan":"pro"}"#;
const API: &str = "https://acme.api-us1.com/api/3";
const AUTH: &str = "api-token: k (secret)";
const JSON: &str = "content-type: application/json";

fn given() -> Given {
    let url = "https://acme.api-us1.com/";
    Given::new("activecampaign", &[("api_url", url), ("api_key", "k")])
}

fn sync(fields: &str) -> String {
    let contact = format!(r#"{{"email":"jane+1@example.com","firstName":"Jane"{fields}}}"#);
    format!("POST {API}/contact/sync\n{AUTH}\n{JSON}\n{{\"contact\":{contact}}}")
}

#[test]
fn a_contact_is_synced_and_gets_its_list_or_tag() {
    let synced = answer(200, r#"{"fieldValues":[],"contact":{"email":"j@e.c","id":"113"}}"#);
    let given = given().mapping("7", "plan").mapping("odd", "plan");
    let (asked, verdict) = given.walk("sync_contact", &[], PAYLOAD, std::slice::from_ref(&synced));
    let fields = r#","fieldValues":[{"field":"7","value":"pro"}]"#;
    assert_eq!((asked, verdict), (vec![sync(fields)], Some(Verdict::Delivered)));
    for (action, path, body) in [
        ("add_to_list", "contactLists", r#"{"contactList":{"contact":113,"list":2,"status":1}}"#),
        ("add_tag", "contactTags", r#"{"contactTag":{"contact":"113","tag":"2"}}"#),
    ] {
        let then = format!("POST {API}/{path}\n{AUTH}\n{JSON}\n{body}");
        let answers = [synced.clone(), answer(201, "{}")];
        let (asked, verdict) = given.walk(action, &[("id", "2")], PAYLOAD, &answers);
        assert_eq!((asked, verdict), (vec![sync(fields), then], Some(Verdict::Delivered)));
    }
    let (_, verdict) = given.walk("add_tag", &[("id", "2")], PAYLOAD, &[answer(200, "{}")]);
    assert_eq!(verdict, Some(Verdict::Retry(None)));
}

#[test]
fn a_contact_that_is_there_loses_its_list_or_tag() {
    let find = format!("GET {API}/contacts?email=jane%2B1%40example.com\n{AUTH}");
    let found = answer(200, r#"{"scoreValues":[],"contacts":[{"id":"113"}],"meta":{"total":"1"}}"#);
    let none = answer(200, r#"{"scoreValues":[],"contacts":[],"meta":{"total":"0"}}"#);
    let delivered = Some(Verdict::Delivered);
    let walk =
        |action: &str, answers: &[Answer]| given().walk(action, &[("id", "2")], PAYLOAD, answers);
    for action in ["remove_from_list", "remove_tag"] {
        let done = (vec![find.clone()], delivered.clone());
        assert_eq!(walk(action, std::slice::from_ref(&none)), done);
    }
    let body = r#"{"contactList":{"contact":113,"list":2,"status":2}}"#;
    let off = format!("POST {API}/contactLists\n{AUTH}\n{JSON}\n{body}");
    let done = (vec![find.clone(), off], delivered.clone());
    assert_eq!(walk("remove_from_list", &[found.clone(), answer(200, "{}")]), done);
    let tags = answer(200, r#"{"contactTags":[{"tag":"9","id":"1"},{"tag":"2","id":"55"}]}"#);
    let read = format!("GET {API}/contacts/113/contactTags\n{AUTH}");
    let delete = format!("DELETE {API}/contactTags/55\n{AUTH}");
    for last in [answer(200, "{}"), answer(404, "{}")] {
        let done = (vec![find.clone(), read.clone(), delete.clone()], delivered.clone());
        assert_eq!(walk("remove_tag", &[found.clone(), tags.clone(), last]), done);
    }
    let other = answer(200, r#"{"contactTags":[{"tag":"9","id":"1"}]}"#);
    assert_eq!(walk("remove_tag", &[found, other]), (vec![find, read], delivered));
}

#[test]
fn answers_are_read() {
    let says = |code: &str, title: &str| {
        json!({"errors": [{"title": title, "detail": "", "code": code}]}).to_string()
    };
    let missing = "Related contact does not exist";
    for (status, text, expected) in [
        (200, "{}".to_owned(), Verdict::Delivered),
        (201, "{}".to_owned(), Verdict::Delivered),
        (403, r#"{"message":"No"}"#.to_owned(), Verdict::Unauthorized("It says: No".to_owned())),
        (404, r#"{"message":"No Result"}"#.to_owned(), Verdict::refused("It says: No Result")),
        (422, says("duplicate", "There already"), Verdict::Delivered),
        (422, says("related_missing", missing), Verdict::refused(format!("It says: {missing}"))),
        (429, String::new(), Verdict::Throttled(None)),
        (503, String::new(), Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &text), 0), expected, "{status} {text}");
    }
    assert_eq!(given().test(), format!("GET {API}/users/me\n{AUTH}"));
}

#[test]
fn an_api_url_is_one() {
    for (url, is_one) in [
        ("https://acme.api-us1.com", true),
        ("https://acme.api-us1.com/", true),
        ("https://acme.api-us1.com/api/3/", true),
        ("https://acme.example:8443", true),
        ("http://acme.api-us1.com", false),
        ("https://acme.api-us1.com/other", false),
        ("https://acme.api-us1.com?x", false),
        ("https://u:p@acme.example", false),
        ("https://", false),
    ] {
        assert_eq!(is_api_url(url), is_one, "{url}");
    }
}

#[test]
fn lists_come_in_pages() {
    let page = |id: &str| {
        answer(200, &json!({"tags": [{"id": id, "tag": "T"}], "meta": {"total": "2"}}).to_string())
    };
    let (asked, list) = given().list("tags", &[page("1"), page("2")]);
    let base = format!("GET {API}/tags?limit=100&offset=");
    assert_eq!(asked, [format!("{base}0\n{AUTH}"), format!("{base}1\n{AUTH}")]);
    let items = vec![Item::new("1", "T"), Item::new("2", "T")];
    assert_eq!(list, Some(Listing::Done(items, None)));
}
