//! What strangers can send, at random: no parser panics, and what it takes it gives back as it was.
//! The time is bounded by the number of cases; `PROPTEST_CASES` sets another.

use http::Method;
use http::header::HeaderMap;
use posthorn::domain::base::secret::{MasterKeys, SealContext, Sealed, Secret};
use posthorn::domain::base::tree::Tree;
use posthorn::domain::base::url_guard::{self, Policy};
use posthorn::domain::delivery::job::Job;
use posthorn::domain::delivery::retry::parse_retry_after;
use posthorn::domain::lane::machine::Lane;
use posthorn::domain::lane::messages::Command;
use posthorn::domain::routing::event::NewEvent;
use posthorn::domain::routing::filter::{Budget, Filter};
use posthorn::domain::tenants::api_key::MachineToken;
use posthorn::domain::tenants::session_token::{Token, TokenKind};
use posthorn::http::access::Caller;
use posthorn::http::form::Form;
use posthorn::http::{Call, Request, cursor};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{ORIGIN, Tenant, call};

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

proptest! {
    #[test]
    fn events(text in nearly_json(), payload in any_json()) {
        let _ = NewEvent::parse(&text);
        let body = json!({"event": "x", "payload": {"v": payload}}).to_string();
        let event = NewEvent::parse(&body).expect("an event");
        prop_assert!(body.contains(&event.payload), "the payload is the text that came");
    }

    #[test]
    fn filters(text in nearly_json(), filter in any_json(), payload in any_json()) {
        let _ = Filter::parse(&text);
        if let Ok(filter) = Filter::parse(&filter.to_string()) {
            let again = Filter::parse(&filter.to_json().to_string());
            prop_assert_eq!(again.as_ref(), Ok(&filter));
            let payload = payload.to_string();
            if let Some(tree) = Tree::read(&payload) {
                let _ = filter.check(&tree, &Budget::new(1_000));
            }
        }
    }

    #[test]
    fn tokens(text in "\\PC{0,60}", parts in "([A-Za-z0-9_-]{0,30}\\.){2,4}[A-Za-z0-9_-]{0,30}") {
        for text in [&text, &parts] {
            let _ = MachineToken::parse(text);
            let _ = Token::parse(TokenKind::Cookie, text);
        }
    }

    #[test]
    fn forms(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let form = Form::parse(Some("application/x-www-form-urlencoded"), &body);
        let form = form.expect("any bytes are a form");
        let _ = (form.get("a"), form.filled("b"), form.all("c").count());
    }

    #[test]
    fn cursors(text in "\\PC{0,60}", name in "[a-z]{1,8}", number in any::<u32>()) {
        let query: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let _ = cursor::read::<(String, u32)>(&call_with(format!("cursor={query}")), "events");
        let written = cursor::write("events", &(name.clone(), number));
        let call = call_with(format!("cursor={written}"));
        let read = cursor::read::<(String, u32)>(&call, "events").expect("our own");
        prop_assert_eq!(read, Some((name, number)));
        prop_assert!(cursor::read::<(String, u32)>(&call, "rules").is_err(), "of another list");
    }

    #[test]
    fn times_to_wait(text in "\\PC{0,40}", seconds in any::<u64>(), now_ms in any::<i32>()) {
        let _ = parse_retry_after(&text, i64::from(now_ms));
        let _ = parse_retry_after(&seconds.to_string(), i64::from(now_ms));
    }

    #[test]
    fn urls(text in "\\PC{0,60}", host in "[a-z0-9.:@%\\[\\]-]{1,30}", allow_private: bool) {
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
    }

    #[test]
    fn sealed_texts(text in "\\PC{0,80}", flipped in 0usize..200, secret in "\\PC{1,40}") {
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
    }

    #[test]
    fn jobs_and_lanes(text in nearly_json(), value in any_json()) {
        for text in [text, value.to_string()] {
            let _ = Job::parse(&text);
            let _ = serde_json::from_str::<Command>(&text);
            let lane: Lane = serde_json::from_str(&text).unwrap_or_default();
            let _ = lane.alarm_at_ms(0);
        }
    }
}

/// Through the front door: whatever is sent in bulk, the answer is one that the reference knows.
#[test]
fn bulks() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let mut runner = proptest::test_runner::TestRunner::default();
    let key = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let send = |body: String| {
        let answer = call(&edge, "POST", "/api/v1/events/bulk", &key, body.as_bytes());
        prop_assert!(answer.status < 500, "{body}: {}", answer.text);
        Ok(())
    };
    runner.run(&nearly_json(), |text| send(format!("[{text}]"))).expect("no server error");
    runner.run(&any_json(), |value| send(value.to_string())).expect("no server error");
}
