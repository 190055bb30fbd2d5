//! What strangers can send, at random: no parser panics, and what it takes it gives back as it was.
//! One round is 256 cases of each (`PROPTEST_CASES` sets another number); with `FUZZ_SECONDS=60`
//! each goes on for so long: `FUZZ_SECONDS=60 cargo test --test it fuzz`.

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{HeaderMap, HeaderValue};
use http::{HeaderName, Method};
use posthorn::app::loops::Came;
use posthorn::domain::base::secret::{MasterKeys, SealContext, Sealed, Secret};
use posthorn::domain::base::tree::Tree;
use posthorn::domain::base::url_guard::{self, Policy};
use posthorn::domain::base::version::Expected;
use posthorn::domain::delivery::job::{Job, Message};
use posthorn::domain::delivery::retry::parse_retry_after;
use posthorn::domain::delivery::upkeep::UpkeepJob;
use posthorn::domain::lane::machine::Lane;
use posthorn::domain::lane::messages::Command;
use posthorn::domain::routing::event::NewEvent;
use posthorn::domain::routing::filter::{Budget, Filter};
use posthorn::domain::routing::idempotency::Key;
use posthorn::domain::routing::mapping::Schema;
use posthorn::domain::routing::template::Template;
use posthorn::domain::tenants::api_key::MachineToken;
use posthorn::domain::tenants::session_token::{Token, TokenKind};
use posthorn::embed::frame::front;
use posthorn::http::access::Caller;
use posthorn::http::form::Form;
use posthorn::http::{Call, Request, cursor};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseResult, TestRunner};
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{ORIGIN, Tenant, call};

/// One round of cases, and more of them until `FUZZ_SECONDS` are over.
#[expect(clippy::disallowed_methods, reason = "a test on a machine that has a clock")]
fn fuzz<S: Strategy>(strategy: S, test: impl Fn(S::Value) -> TestCaseResult) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(0));
    loop {
        let ran = TestRunner::default().run(&strategy, &test);
        ran.unwrap_or_else(|broken| panic!("{broken}"));
        if Instant::now() >= end {
            return;
        }
    }
}

/// Texts that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        "\"(event|payload|path|eq|in|and|or|not|workspace|type|a)\"",
        "\"[^\"]{0,8}\"",
        "-?[0-9]{1,30}(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,4})?",
        Just("null".to_owned()),
        Just("true".to_owned()),
        "\\PC{0,3}",
    ];
    proptest::collection::vec(token, 0..24).prop_map(|tokens| tokens.concat())
}

/// Values of JSON.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof!["(path|eq|in|gt|and|or|not|exists|starts_with)", "[a-z.]{1,4}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(key, inner, 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn call_with(query: String) -> Call {
    let request = Request {
        method: Method::GET,
        origin: ORIGIN.to_owned(),
        path: String::new(),
        query,
        headers: HeaderMap::new(),
        body: Vec::new(),
    };
    Call { request, caller: Caller::Anyone, params: Vec::new() }
}

#[test]
fn events() {
    fuzz((nearly_json(), any_json()), |(text, payload)| {
        let _ = NewEvent::parse(&text);
        let _ = NewEvent::parse_test(&text, Some("{}"));
        let body = json!({"event": "x", "payload": {"v": payload}}).to_string();
        let event = NewEvent::parse(&body).expect("an event");
        prop_assert!(body.contains(&event.payload), "the payload is the text that came");
        Ok(())
    });
}

#[test]
fn filters() {
    fuzz((nearly_json(), any_json(), any_json()), |(text, filter, payload)| {
        let _ = (Filter::parse(&text), Filter::read(&text));
        let filter = filter.to_string();
        if let Ok(filter) = Filter::parse(&filter) {
            let printed = filter.to_json().to_string();
            let again = Filter::parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&filter));
            let payload = payload.to_string();
            if let Some(tree) = Tree::read(&payload) {
                let _ = filter.check(&tree, &Budget::new(1_000));
            }
        }
        Ok(())
    });
}

#[test]
fn templates_and_mappings() {
    let braces = "[a-z.|{} \"\\[\\]$é]{0,40}";
    fuzz((braces, "\\PC{0,40}", nearly_json(), any_json()), |(braces, text, nearly, value)| {
        for text in [&braces, &text] {
            let _ = Template::parse(text);
        }
        for text in [nearly, value.to_string()] {
            let _ = Schema::read(&text);
        }
        Ok(())
    });
}

#[test]
fn tokens() {
    let parts = "([A-Za-z0-9_-]{0,30}\\.){2,4}[A-Za-z0-9_-]{0,30}";
    fuzz(("\\PC{0,60}", parts, any_json(), any_json()), |(text, parts, header, claims)| {
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}.c2ln", part(header), part(claims));
        for text in [&text, &parts, &signed] {
            let _ = MachineToken::parse(text);
            let _ = Token::parse(TokenKind::Cookie, text);
        }
        Ok(())
    });
}

/// A request with one header, as far as HTTP takes its value.
fn with_header(name: &'static str, value: &str) -> Request {
    let mut request = call_with(String::new()).request;
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        request.headers.insert(HeaderName::from_static(name), value);
    }
    request
}

#[test]
fn headers() {
    let cookies =
        "(posthorn_session=[a-z0-9-]{0,40}(\\.[A-Za-z0-9_-]{0,30})?;? ?|\\PC{0,12}[;=]){0,6}";
    fuzz((cookies, "[0-9a-f-]{0,60}", "\\PC{0,40}"), |(cookies, hex, text)| {
        let _ = front::cookie(&with_header("cookie", &cookies), "s");
        for text in [&hex, &text] {
            let _ = Came::read(Some(text), Some(text), Some(text));
            let _ = Expected::read(Some(text)).check("\"1-1\"");
            let _ = Key::parse(text, b"{}");
        }
        Ok(())
    });
}

#[test]
fn forms() {
    fuzz(proptest::collection::vec(any::<u8>(), 0..200), |body| {
        let form = Form::parse(Some("application/x-www-form-urlencoded"), &body);
        let form = form.expect("any bytes are a form");
        let _ = (form.get("a"), form.filled("b"), form.all("c").count());
        Ok(())
    });
}

#[test]
fn cursors() {
    fuzz(("\\PC{0,60}", "[a-z]{1,8}", any::<u32>()), |(text, name, number)| {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let _ = cursor::read::<(String, u32)>(&call_with(format!("cursor={query}")), "events");
        let written = cursor::write("events", &(name.clone(), number));
        let call = call_with(format!("cursor={written}"));
        let read = cursor::read::<(String, u32)>(&call, "events").expect("our own");
        prop_assert_eq!(read, Some((name, number)));
        prop_assert!(cursor::read::<(String, u32)>(&call, "rules").is_err(), "of another list");
        Ok(())
    });
}

#[test]
fn times_to_wait() {
    fuzz(("\\PC{0,40}", any::<u64>(), any::<i32>()), |(text, seconds, now_ms)| {
        let _ = parse_retry_after(&text, i64::from(now_ms));
        let _ = parse_retry_after(&seconds.to_string(), i64::from(now_ms));
        Ok(())
    });
}

#[test]
fn urls() {
    let host = "[a-z0-9.:@%\\[\\]-]{1,30}";
    fuzz(("\\PC{0,60}", host, any::<bool>()), |(text, host, allow_private)| {
        let own_hosts = ["posthorn.example".to_owned()];
        let policy = Policy { allow_private, own_hosts: &own_hosts, blocked_hosts: &[] };
        for text in [text, format!("https://{host}/a")] {
            if let Ok(url) = url_guard::check(&text, &policy) {
                let host = url.host_str().unwrap_or_default();
                prop_assert!(host != "posthorn.example" && !host.ends_with(".posthorn.example"));
                prop_assert!(url.username().is_empty() && url.password().is_none());
                prop_assert!(allow_private || url.scheme() == "https");
            }
        }
        Ok(())
    });
}

#[test]
fn sealed_texts() {
    fuzz(("\\PC{0,80}", 0usize..200, "\\PC{1,40}"), |(text, flipped, secret)| {
        let keys = MasterKeys::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let keys = keys.expect("a key");
        let place = SealContext { owner: "o", record: "r", field: "f" };
        prop_assert!(keys.open(&place, &Sealed::from_text(text)).is_err());
        let sealed = keys.seal([7; 24], &place, &Secret::new(secret.clone()));
        let opened = keys.open(&place, &sealed).expect("ours");
        prop_assert_eq!(opened.expose(), secret.as_str());
        let mut bytes = sealed.as_text().as_bytes().to_vec();
        let at = flipped % bytes.len();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let broken = Sealed::from_text(String::from_utf8(bytes).expect("ASCII"));
        prop_assert!(keys.open(&place, &broken).is_err());
        Ok(())
    });
}

#[test]
fn jobs_and_lanes() {
    fuzz((nearly_json(), any_json()), |(text, value)| {
        for text in [text, value.to_string()] {
            let _ = (Job::parse(&text), Message::parse(&text), UpkeepJob::parse(&text));
            let _ = serde_json::from_str::<Command>(&text);
            let lane: Lane = serde_json::from_str(&text).unwrap_or_default();
            let _ = lane.alarm_at_ms(0);
        }
        Ok(())
    });
}

/// Through the front door: whatever is sent in bulk, the answer is one that the reference knows.
#[test]
fn bulks() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    fuzz((nearly_json(), any_json()), |(text, value)| {
        for body in [format!("[{text}]"), value.to_string()] {
            let answer = call(&edge, "POST", "/api/v1/events/bulk", &key, body.as_bytes());
            prop_assert!(answer.status < 500, "{body}: {}", answer.text);
        }
        Ok(())
    });
}

/// Whatever is asked of a list, and whatever a record is to be made of.
#[test]
fn queries_and_bodies() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let value = "([A-Za-z0-9*.:-]{0,20}|%[0-9a-f]{2}|\\PC{0,6})";
    let name = "(event|status|since|until|limit|cursor|connection|resource|month|days|x)";
    let query = proptest::collection::vec((name, value), 0..4);
    fuzz((query, nearly_json(), any_json()), |(query, text, value)| {
        let pairs = query.iter().map(|(name, value)| {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={value}")
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        let bearer = format!("Bearer {}", tenant.token(&edge));
        let headers = [("authorization", bearer.as_str())];
        let ask = |method: &str, path: &str, body: &str| {
            let target = format!("/api/v1/{path}?{query}");
            call(&edge, method, &target, &headers, body.as_bytes()).status
        };
        for list in ["events", "rules", "connections", "usage", "stats"] {
            prop_assert!(ask("GET", list, "") < 500, "{list}?{query}");
        }
        for body in [text, value.to_string()] {
            for path in ["rules", "rules/test-filter", "sessions", "connections"] {
                prop_assert!(ask("POST", path, &body) < 500, "{path}: {body}");
            }
        }
        Ok(())
    });
}
