//! Tests of requests to any URL.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::destinations::testing::{answer, header, sent, step, steps};

const URL: (&str, &str) = ("url", "https://api.example.com/x");

fn text(request: &OutboundRequest) -> &str {
    std::str::from_utf8(&request.body).expect("UTF-8")
}

#[test]
fn the_body_is_made_by_the_template_or_is_the_payload() {
    let payload = r#"{ "name":"A \"b\"","n":1.0, "tags":["x"] }"#;
    for (kind, body, expected) in [
        (JSON, "", payload),
        (
            JSON,
            r#"{"text":"Hi {{name}}","n":{{n}},"t":{{tags}},"e":"{{$event.name}}"}"#,
            r#"{"text":"Hi A \"b\"","n":1.0,"t":["x"],"e":"user.signup"}"#,
        ),
        (FORM, "a={{name}}&n={{n}}", "a=A+%22b%22&n=1.0"),
        (FORM, "", "name=A+%22b%22&n=1.0&tags=%5B%22x%22%5D"),
        ("text/plain", "{{name}}!", "A \"b\"!"),
    ] {
        let given = [URL, ("content_type", kind)];
        let request = sent(step(&Http, &given, &[("body", body)], payload));
        assert_eq!((text(&request), header(&request, "content-type")), (expected, kind));
        assert_eq!((request.method.as_str(), request.url.as_str()), ("POST", URL.1));
        assert_eq!(header(&request, "posthorn-hops"), "1");
        assert_eq!(header(&request, "posthorn-message-id"), "msg_1");
    }
    for method in ["GET", "DELETE"] {
        let request = sent(step(&Http, &[URL, ("http_method", method)], &[], payload));
        assert!(request.body.is_empty() && request.method == method);
        assert_eq!(header(&request, "content-type"), "");
    }
}

#[test]
fn credentials_become_headers() {
    let given = [URL, ("auth_scheme", "bearer"), ("auth_token", "t0k")];
    let request = sent(step(&Http, &given, &[], "{}"));
    assert_eq!(header(&request, "authorization"), "Bearer t0k");
    assert!(request.headers.iter().any(|header| header.is_secret));
}

#[test]
fn a_body_that_is_no_json_is_refused_where_json_is_meant() {
    let check = |kind: &str, body: &str| {
        let mut values = Values::new(ABOUT.fields);
        values.set("content_type", Some(kind));
        let metadata = Metadata::from([("body".to_owned(), body.to_owned())]);
        Http.check_rule(&values, &ABOUT.actions[0], &metadata)
    };
    assert_eq!(check(JSON, r#"{"a":{{b}}}"#), Ok(()));
    assert_eq!(check(JSON, ""), Ok(()));
    assert_eq!(check(FORM, "a={{b}}"), Ok(()));
    let (key, why) = check(JSON, r#"{"a":{{b}}"#).expect_err("no JSON");
    assert!(key == "body" && why.to_string().contains("not JSON"), "{why}");
    let broken = step(&Http, &[URL], &[("body", "{")], "{}");
    assert!(matches!(broken, Step::Done(Verdict::Permanent { .. })), "{broken:?}");
}

#[test]
fn answers_are_read_as_a_webhooks() {
    for (status, expected) in [
        (204, Verdict::Delivered),
        (401, Verdict::Retry(None)),
        (403, Verdict::Retry(None)),
        (404, Verdict::Retry(None)),
        (410, Verdict::Gone),
        (500, Verdict::Retry(None)),
    ] {
        let answers = [answer(status, &[], "")];
        let step = steps(&Http, &[URL], &[], "{}", &BTreeMap::new(), &answers);
        assert_eq!(step, Step::Done(expected), "{status}");
    }
}

proptest! {
    #[test]
    fn no_payload_leaves_its_place_or_adds_a_header(value in any::<String>()) {
        let payload = json!({ "a": value }).to_string();
        let says = [("body", r#"{"a":"{{a}}","b":1}"#)];
        let request = sent(step(&Http, &[URL], &says, &payload));
        let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
        prop_assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
        prop_assert_eq!(&body["b"], &json!(1));
        prop_assert_eq!(request.headers.len(), 6);
        let form = [URL, ("content_type", FORM)];
        let request = sent(step(&Http, &form, &[("body", "a={{a}}&b=1")], &payload));
        let pairs: Vec<_> = form_urlencoded::parse(&request.body).into_owned().collect();
        prop_assert_eq!(pairs.len(), 2);
        prop_assert_eq!(pairs[1].1.as_str(), "1");
    }
}
