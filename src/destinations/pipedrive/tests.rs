//! Tests of Pipedrive's requests and answers. Shapes are those of its API, version 2.

use super::*;
use crate::destinations::tests::{Given, answer, refusal};

const PAYLOAD: &str = r#"{"email":"ann@example.com","name":"Ann","plan":12}"#;
const API: &str = "https://api.pipedrive.com/api/v2";
const HEAD: &str = "accept: application/json\nx-api-token: t (secret)";
const JSON: &str = "content-type: application/json";
const HASH: &str = "0123456789abcdef0123456789abcdef01234567";

fn given() -> Given {
    Given::new("pipedrive", &[("access_token", "t")])
}

fn search() -> String {
    let query = "term=ann%40example.com&fields=email&exact_match=true&limit=1";
    format!("GET {API}/persons/search?{query}\n{HEAD}")
}

fn found() -> Answer {
    let item = json!({"result_score": 0.5, "item": {"id": 31, "type": "person", "name": "Ann"}});
    answer(200, &json!({"success": true, "data": {"items": [item]}}).to_string())
}

fn none() -> Answer {
    answer(200, r#"{"success":true,"data":{"items":[]},"additional_data":{"next_cursor":null}}"#)
}

fn ok() -> Answer {
    answer(200, r#"{"success":true,"data":{"id":31}}"#)
}

fn created(more: &str) -> String {
    let emails = r#""emails":[{"label":"work","primary":true,"value":"ann@example.com"}]"#;
    format!("POST {API}/persons\n{HEAD}\n{JSON}\n{{\"name\":\"Ann\",{emails}{more}}}")
}

fn changed(body: &str) -> String {
    format!("PATCH {API}/persons/31\n{HEAD}\n{JSON}\n{body}")
}

#[test]
fn a_person_is_updated_or_created() {
    let given = given().mapping(HASH, "plan");
    let walk = |answers: &[Answer]| given.walk("sync_person", &[], PAYLOAD, answers);
    let custom = format!(r#""custom_fields":{{"{HASH}":12}}"#);
    let patch = changed(&format!("{{\"name\":\"Ann\",{custom}}}"));
    let delivered = Some(Verdict::Delivered);
    assert_eq!(walk(&[found(), ok()]), (vec![search(), patch], delivered.clone()));
    let post = created(&format!(",{custom}"));
    assert_eq!(walk(&[none(), ok()]), (vec![search(), post], delivered.clone()));
    let bare = self::given().walk("sync_person", &[], r#"{"email":"ann@example.com"}"#, &[found()]);
    assert_eq!(bare, (vec![search()], delivered));
    let (_, verdict) = walk(&[answer(200, "{}")]);
    assert_eq!(verdict, Some(Verdict::Retry(None)));
}

#[test]
fn a_field_is_set_as_its_type_takes_it() {
    let walk = |value: &str, answers: &[Answer]| {
        given().walk("update_person_field", &[("id", HASH), ("value", value)], PAYLOAD, answers)
    };
    let describe = format!("GET {API}/personFields/{HASH}\n{HEAD}");
    let kind = |kind: &str| {
        answer(200, &json!({"success": true, "data": {"field_type": kind}}).to_string())
    };
    for (of, value, json) in [
        ("varchar", "{{plan}} \"x\"", r#""12 \"x\"""#),
        ("enum", "{{plan}}", "12"),
        ("set", "1, 2", "[1,2]"),
        ("double", "1.50", "1.5"),
    ] {
        let set = changed(&format!("{{\"custom_fields\":{{\"{HASH}\":{json}}}}}"));
        let done = (vec![search(), describe.clone(), set], Some(Verdict::Delivered));
        assert_eq!(walk(value, &[found(), kind(of), ok()]), done, "{of}");
    }
    let post = created(&format!(",\"custom_fields\":{{\"{HASH}\":\"12\"}}"));
    let done = (vec![search(), describe, post], Some(Verdict::Delivered));
    assert_eq!(walk("{{plan}}", &[none(), kind("varchar"), ok()]), done);
    let (_, verdict) = walk("pro", &[found(), kind("enum")]);
    assert!(refusal(verdict).contains("takes a number"));
}

#[test]
fn labels_are_added_and_taken_away() {
    let walk =
        |action: &str, answers: &[Answer]| given().walk(action, &[("id", "5")], PAYLOAD, answers);
    let (add, remove) = ("add_label_to_person", "remove_label_from_person");
    let person = |labels: Value| {
        answer(200, &json!({"success": true, "data": {"id": 31, "label_ids": labels}}).to_string())
    };
    let read = format!("GET {API}/persons/31\n{HEAD}");
    let delivered = Some(Verdict::Delivered);
    let two = vec![search(), read.clone()];
    let three = |body: &str| vec![search(), read.clone(), changed(body)];
    let (with, without) = (person(json!([5, 6])), person(json!([6])));
    let done = (three(r#"{"label_ids":[6,5]}"#), delivered.clone());
    assert_eq!(walk(add, &[found(), without.clone(), ok()]), done);
    assert_eq!(walk(add, &[found(), with.clone()]), (two.clone(), delivered.clone()));
    let done = (three(r#"{"label_ids":[6]}"#), delivered.clone());
    assert_eq!(walk(remove, &[found(), with, ok()]), done);
    assert_eq!(walk(remove, &[found(), without]), (two, delivered.clone()));
    let done = (vec![search(), created(",\"label_ids\":[5]")], delivered.clone());
    assert_eq!(walk(add, &[none(), ok()]), done);
    assert_eq!(walk(remove, &[none()]), (vec![search()], delivered));
}

#[test]
fn answers_are_read() {
    let says = |success: bool, error: &str| {
        json!({"success": success, "error": error, "error_info": "i", "code": "C"}).to_string()
    };
    let refused = |told: &str| Verdict::refused(format!("It says: {told}"));
    let unauthorized = |told: &str| Verdict::Unauthorized(format!("It says: {told}"));
    for (status, success, error, expected) in [
        (200, true, "", Verdict::Delivered),
        (201, true, "", Verdict::Delivered),
        (200, false, "odd", refused("odd")),
        (400, false, "Validation failed", refused("Validation failed")),
        (401, false, "unauthorized access", unauthorized("unauthorized access")),
        (402, false, "Company account is not open", unauthorized("Company account is not open")),
        (403, false, "Scope and URL mismatch", refused("Scope and URL mismatch")),
        (410, false, "Company is gone", unauthorized("Company is gone")),
        (429, false, "Rate limit", Verdict::Throttled(None)),
        (500, false, "odd", Verdict::Retry(None)),
    ] {
        assert_eq!(verdict(&answer(status, &says(success, error)), 0), expected, "{status}");
    }
    let url = "https://api.pipedrive.com/api/v1/users/me";
    assert_eq!(given().test(), format!("GET {url}\n{HEAD}"));
}

#[test]
fn labels_and_fields_are_read() {
    let options = json!([{"id": 5, "label": "Hot"}]);
    let labels = json!({"field_code": "label_ids", "field_name": "Labels", "field_type": "set",
        "options": options});
    let other = json!({"field_code": HASH, "field_name": "Plan", "field_type": "varchar"});
    let page = |fields: Value, next: Option<&str>| {
        let more = json!({ "next_cursor": next });
        let page = json!({"success": true, "data": fields, "additional_data": more});
        answer(200, &page.to_string())
    };
    let pages = [page(json!([other]), Some("c=")), page(json!([labels]), None)];
    let (asked, list) = given().list("labels", &pages);
    let base = format!("GET {API}/personFields?limit=500");
    assert_eq!(asked, [format!("{base}\n{HEAD}"), format!("{base}&cursor=c%3D\n{HEAD}")]);
    assert_eq!(list, Some(Listing::Done(vec![Item::new("5", "Hot")], None)));
    let (_, list) = given().list("properties", &pages);
    let hot = vec![("5".to_owned(), "Hot".to_owned())];
    let labels = Item { options: hot, ..Item::new("label_ids", "Labels") };
    assert_eq!(list, Some(Listing::Done(vec![Item::new(HASH, "Plan"), labels], None)));
}
