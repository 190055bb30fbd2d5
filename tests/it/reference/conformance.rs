//! Holds what a request was answered against the reference. Every call of every test goes through
//! here, so a handler that answers something else than the reference says fails the test that
//! called it.

use posthorn::reference::problems::of_status;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{DOCUMENT, messages, schema};
use crate::tenant::Answered;

/// Fails unless the answer is one that the reference says of this operation.
pub fn check(method: &str, path: &str, body: &[u8], answered: &Answered) {
    let path = format!("/{}", words(path).join("/"));
    // `/metrics` is no JSON, and not for programs of the product.
    let is_no_api = path.starts_with("/embed") || path == "/metrics";
    if is_no_api || ["OPTIONS", "HEAD"].contains(&method) {
        return;
    }
    let at = format!("{method} {path}: {} {}", answered.status, answered.text);
    if answered.status == 207 || answered.status >= 400 {
        messages::check(answered.status, &answered.json());
    }
    let Some((template, operations)) = find(&path) else {
        assert_eq!(answered.status, 404, "{at}: the reference does not know this path");
        return check_problem(&at, answered);
    };
    let Some(operation) = operations.get(method.to_ascii_lowercase()) else {
        assert_eq!(answered.status, 405, "{at}: the reference does not know this method");
        return check_problem(&at, answered);
    };
    let response = &operation["responses"][answered.status.to_string()];
    assert!(!response.is_null(), "{at}: {template} has no such status in the reference");
    assert!(answered.headers.contains_key("x-request-id"), "{at}");
    if answered.status >= 400 {
        return check_problem(&at, answered);
    }
    assert_eq!(answered.headers["content-type"], "application/json", "{at}");
    let schema = &response["content"]["application/json"]["schema"];
    let value = readable(&answered.text).unwrap_or_else(|| panic!("{at}"));
    let found = schema::errors(&DOCUMENT, schema, &value);
    assert!(found.is_empty(), "{at}: not as the reference says: {found:#?}");
    check_request(&at, operation, body);
}

/// An answer as a value. A payload may hold what a parser cannot, such as a number that is too
/// large; another stands for it then.
fn readable(text: &str) -> Option<Value> {
    let parsed = serde_json::from_str(text);
    let without_payload = || match text.split_once(",\"payload\":") {
        Some((event, _)) => serde_json::from_str(&format!("{event},\"payload\":{{}}}}")),
        None => serde_json::from_str::<&RawValue>(text).map(|_| json!({})),
    };
    parsed.or_else(|_| without_payload()).ok()
}

/// The request of a success must be one that the reference says is taken.
fn check_request(at: &str, operation: &Value, body: &[u8]) {
    let Some(taken) = operation.get("requestBody") else { return };
    if body.is_empty() {
        assert_eq!(taken["required"], false, "{at}: was taken without a body");
        return;
    }
    let Ok(value) = serde_json::from_slice(body) else { return };
    // Some of a bulk may be refused.
    if at.contains(": 207 ") {
        return;
    }
    let schema = &taken["content"]["application/json"]["schema"];
    let found = schema::errors(&DOCUMENT, schema, &value);
    assert!(found.is_empty(), "{at}: took what the reference does not say: {value} {found:#?}");
}

fn check_problem(at: &str, answered: &Answered) {
    assert_eq!(answered.headers["content-type"], "application/problem+json", "{at}");
    let schema = &DOCUMENT["components"]["schemas"]["Problem"];
    let value = answered.json();
    let found = schema::errors(&DOCUMENT, schema, &value);
    assert!(found.is_empty(), "{at}: not as the reference says: {found:#?}");
    // Each status has one type, and that has a page.
    let problem = of_status(answered.status).unwrap_or_else(|| panic!("{at}: no such problem"));
    assert_eq!(value["type"], format!("/problems/{}", problem.name), "{at}");
    assert_eq!(value["error"]["name"], problem.name, "{at}");
    assert_eq!(value["retry_after"].is_null(), !answered.headers.contains_key("retry-after"));
}

fn words(path: &str) -> Vec<&str> {
    path.split('/').filter(|word| !word.is_empty()).collect()
}

/// The path of the document that fits, those with a word before those with a parameter.
fn find(path: &str) -> Option<(&'static String, &'static Value)> {
    let words = words(path);
    let fits = |template: &str| {
        let parts: Vec<&str> = template.split('/').skip(1).collect();
        let same = |(part, word): (&&str, &&str)| part.starts_with('{') || part == word;
        parts.len() == words.len() && parts.iter().zip(&words).all(same)
    };
    let paths = DOCUMENT["paths"].as_object()?;
    let fitting = paths.iter().filter(|(template, _)| fits(template));
    fitting.min_by_key(|(template, _)| template.matches('{').count())
}
