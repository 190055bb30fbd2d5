//! Tests of HubSpot's requests and answers. Shapes are those of its published documents.

use serde_json::Value;

use super::*;
use crate::destinations::tests::{Given, answer, refusal};

const PAYLOAD: &str = r#"{"email":"a@b.c","first_name":"Ann","score":1.50}"#;
const API: &str = "https://api.hubapi.com/crm";
const AUTH: &str = "authorization: Bearer pat-1 (secret)";
const JSON: &str = "content-type: application/json";

fn given() -> Given {
    Given::new("hubspot", &[("access_token", "pat-1")])
}

fn upsert(properties: &str) -> String {
    let input = format!(r#"{{"id":"a@b.c","idProperty":"email","properties":{properties}}}"#);
    let url = format!("{API}/objects/2026-03/contacts/batch/upsert");
    format!("POST {url}\n{AUTH}\n{JSON}\n{{\"inputs\":[{input}]}}")
}

fn upserted() -> Answer {
    answer(200, r#"{"status":"COMPLETE","results":[{"id":"512","new":true,"properties":{}}]}"#)
}

#[test]
fn a_contact_is_upserted_and_listed() {
    let walk = |answers: &[Answer]| {
        given().mapping("score", "score").walk("add_to_list", &[("id", "9")], PAYLOAD, answers)
    };
    let first = upsert(r#"{"email":"a@b.c","firstname":"Ann","score":1.50}"#);
    let second = format!("PUT {API}/lists/2026-03/9/memberships/add\n{AUTH}\n{JSON}\n[\"512\"]");
    let both = vec![first.clone(), second];
    let added =
        answer(200, r#"{"recordsIdsAdded":["512"],"recordIdsRemoved":[],"recordIdsMissing":[]}"#);
    assert_eq!(walk(&[upserted(), added]), (both.clone(), Some(Verdict::Delivered)));
    let missing = answer(200, r#"{"recordsIdsAdded":[],"recordIdsMissing":["512"]}"#);
    let (asked, verdict) = walk(&[upserted(), missing]);
    assert_eq!(asked, both);
    assert!(refusal(verdict).contains("does not know the contact"));
    let part =
        r#"{"status":"COMPLETE","results":[],"errors":[{"message":"Property plan is not"}]}"#;
    let (asked, verdict) = walk(&[answer(207, part)]);
    assert_eq!((asked, refusal(verdict).as_str()), (vec![first], "It says: Property plan is not"));
}

#[test]
fn a_contact_leaves_a_list() {
    let walk =
        |answers: &[Answer]| given().walk("remove_from_list", &[("id", "9")], PAYLOAD, answers);
    let find = format!("GET {API}/objects/2026-03/contacts/a%40b.c?idProperty=email\n{AUTH}");
    let remove = format!("PUT {API}/lists/2026-03/9/memberships/remove\n{AUTH}\n{JSON}\n[\"512\"]");
    let found = answer(200, r#"{"id":"512","properties":{"email":"a@b.c"}}"#);
    let removed = answer(200, r#"{"recordIdsRemoved":[],"recordIdsMissing":["512"]}"#);
    let done = (vec![find.clone(), remove], Some(Verdict::Delivered));
    assert_eq!(walk(&[found, removed]), done);
    let absent = answer(404, r#"{"status":"error","message":"resource not found"}"#);
    assert_eq!(walk(&[absent]), (vec![find], Some(Verdict::Delivered)));
}

#[test]
fn a_property_is_set() {
    let says = [("id", "plan"), ("value", "{{first_name}} \"x\"")];
    let (asked, verdict) = given().walk("update_property", &says, PAYLOAD, &[upserted()]);
    let properties = r#"{"email":"a@b.c","firstname":"Ann","plan":"Ann \"x\""}"#;
    assert_eq!((asked, verdict), (vec![upsert(properties)], Some(Verdict::Delivered)));
}

#[test]
fn answers_are_read() {
    let says = |category: &str| {
        let error = json!({"status": "error", "message": "m", "correlationId": "1"});
        let mut error = error.as_object().expect("an object").clone();
        error.insert("category".to_owned(), json!(category));
        Value::Object(error)
    };
    let (refused, unauthorized) =
        (Verdict::refused("It says: m"), Verdict::Unauthorized("It says: m".to_owned()));
    for (status, category, expected) in [
        (200, "", Verdict::Delivered),
        (207, "", refused.clone()),
        (400, "VALIDATION_ERROR", refused.clone()),
        (401, "INVALID_AUTHENTICATION", unauthorized.clone()),
        (401, "EXPIRED_AUTHENTICATION", unauthorized.clone()),
        (403, "MISSING_SCOPES", unauthorized),
        (403, "BANNED", refused.clone()),
        (404, "OBJECT_NOT_FOUND", refused),
        (409, "CONFLICT", Verdict::Retry(None)),
        (423, "", Verdict::Throttled(None)),
        (429, "RATE_LIMITS", Verdict::Throttled(None)),
        (502, "", Verdict::Retry(None)),
    ] {
        let read = verdict(&answer(status, &says(category).to_string()), 0);
        assert_eq!(read, expected, "{status} {category}");
    }
    let daily = r#"{"category":"RATE_LIMITS","policyName":"DAILY","message":"m"}"#;
    assert_eq!(verdict(&answer(429, daily), 0), Verdict::Retry(Some(HOUR_MS)));
}

#[test]
fn lists_and_properties_are_read() {
    let page = |id: &str, more: bool, offset: u32| {
        let lists = json!([{"listId": id, "name": "L", "processingType": "MANUAL"}]);
        answer(200, &json!({"lists": lists, "hasMore": more, "offset": offset}).to_string())
    };
    let (asked, list) = given().list("lists", &[page("1", true, 250), page("2", false, 251)]);
    assert!(asked[0].starts_with(&format!("POST {API}/lists/2026-03/search\n")));
    assert!(asked[0].contains(r#""offset":0"#) && asked[1].contains(r#""offset":250"#));
    let items = vec![Item::new("1", "L"), Item::new("2", "L")];
    assert_eq!(list, Some(Listing::Done(items, None)));
    let fixed = json!({"readOnlyValue": true});
    let results = json!({"results": [
        {"name": "plan", "label": "Plan", "type": "enumeration", "fieldType": "select",
         "options": [{"label": "Pro", "value": "pro"}]},
        {"name": "createdate", "label": "Created", "modificationMetadata": fixed},
    ]});
    let (asked, list) = given().list("properties", &[answer(200, &results.to_string())]);
    assert_eq!(asked, [format!("GET {API}/properties/2026-03/contacts\n{AUTH}")]);
    let options = vec![("pro".to_owned(), "Pro".to_owned())];
    let plan = Item { options, ..Item::new("plan", "Plan") };
    assert_eq!(list, Some(Listing::Done(vec![plan], None)));
}
