//! Emits with an `Idempotency-Key`: whatever fails meanwhile and however many come at once, the
//! events are stored once and every answer is the first one.

use futures_util::future::join_all;
use http::{HeaderName, HeaderValue};
use posthorn::routes::{self, Head};
use serde_json::{Value, json};

use crate::edge::chaos::Rates;
use crate::edge::{Edge, Fault};
use crate::tenant::{Answered, ORIGIN, Tenant, call, text};

const URL: &str = "https://hooks.example.com/a";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const EVENTS: &str = "/api/v1/events";
const BULK: &str = "/api/v1/events/bulk";
const ORDER: &str = r#"{"event":"order.completed","resource":"order","payload":{"n":1.0}}"#;

fn tenant(edge: &Edge) -> Tenant {
    let tenant = Tenant::new(edge, "Acme");
    tenant.route(edge, "order.completed", json!({"url": URL}));
    tenant
}

fn emit(edge: &Edge, tenant: &Tenant, path: &str, key: &str, body: &str) -> Answered {
    let publishable = tenant.publishable_key.as_str();
    let headers = [("x-meshes-publishable-key", publishable), ("idempotency-key", key)];
    call(edge, "POST", path, &headers, body.as_bytes())
}

fn is_replayed(answer: &Answered) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

/// How many rows tables of the shard have.
fn counts<const N: usize>(edge: &Edge, shard: usize, tables: [&str; N]) -> [i64; N] {
    let count = |table| edge.logs[shard].ask(&format!("select count(*) from {table}"));
    tables.map(|table| count(table)[0].as_i64().unwrap_or(-1))
}

#[test]
fn the_same_again_gets_the_first_answer() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let first = emit(&edge, &tenant, EVENTS, "k-1", ORDER);
    assert_eq!((first.status, is_replayed(&first)), (201, false), "{}", first.text);
    let before = (edge.logs[0].round_trips.get(), edge.queue.sent.get());
    edge.run_for(MINUTE_MS);
    let trips = edge.logs[0].round_trips.get();
    let again = emit(&edge, &tenant, EVENTS, "k-1", ORDER);
    assert_eq!((again.status, is_replayed(&again)), (201, true));
    assert_eq!(again.text, first.text);
    assert_eq!(edge.logs[0].round_trips.get() - trips, 1, "it is not read first");
    assert_eq!(edge.queue.sent.get(), before.1, "nothing is woken again");
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    assert_eq!(counts(&edge, 0, ["events", "deliveries", "idempotency_keys"]), [1, 1, 1]);
}

#[test]
fn a_key_is_the_senders_own() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let first = emit(&edge, &tenant, EVENTS, "k", ORDER);
    // Who may only emit cannot claim what the product's servers send.
    let body = json!({"workspace": tenant.workspace, "event": "order.completed", "payload": {}});
    let by_machine = |machine: &Tenant| {
        let bearer = format!("Bearer {}", machine.token(&edge));
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
        call(&edge, "POST", EVENTS, &headers, body.to_string().as_bytes())
    };
    let machine = by_machine(&tenant);
    assert_eq!((machine.status, is_replayed(&machine)), (201, false), "{}", machine.text);
    // All machine keys are one sender, and so are a publishable key and what takes its place.
    let key = tenant.post(&edge, "/api/v1/machine-keys", &json!({}));
    let mut second = tenant.clone();
    second.access_key = text(&key, "/machine_key/access_key");
    second.secret_key = text(&key, "/machine_key/secret_key");
    assert_eq!(by_machine(&second).text, machine.text);
    let rotate = format!("/api/v1/workspaces/{}/publishable-key/rotate", tenant.workspace);
    let rotated = tenant.call(&edge, "POST", &rotate, &Value::Null).json();
    second.publishable_key = text(&rotated, "/publishable_key/public_key");
    let again = emit(&edge, &second, EVENTS, "k", ORDER);
    assert_eq!((again.text, is_replayed(&machine)), (first.text, false));
}

#[test]
fn another_body_is_a_conflict_and_leaves_nothing() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let strict = json!({"url": "https://hooks.example.com/strict", "ordering": "strict"});
    tenant.route(&edge, "order.completed", strict);
    emit(&edge, &tenant, EVENTS, "k", ORDER);
    let tables = ["events", "deliveries", "names_seen", "payloads", "idempotency_keys"];
    let before = counts(&edge, 0, tables);
    let large = json!({"event": "order.completed", "resource": "cart",
        "payload": {"text": "x".repeat(5_000)}});
    let bulk = format!("[{ORDER}]");
    for (path, body) in [(EVENTS, large.to_string()), (BULK, bulk)] {
        let answer = emit(&edge, &tenant, path, "k", &body);
        assert_eq!((answer.status, is_replayed(&answer)), (409, false), "{}", answer.text);
        assert_eq!(answer.json()["error"]["data"][0]["param"], "Idempotency-Key");
    }
    assert_eq!(counts(&edge, 0, tables), before);
    assert_eq!(edge.logs[0].ask("select n from strict_counters"), [json!(1)], "no gap");
}

#[test]
fn a_key_is_the_workspaces_own() {
    let edge = Edge::new();
    let (acme, other) = (tenant(&edge), Tenant::new(&edge, "Other"));
    let answers = [&acme, &other].map(|tenant| emit(&edge, tenant, EVENTS, "k", ORDER));
    assert!(answers.iter().all(|answer| answer.status == 201 && !is_replayed(answer)));
    assert_ne!(answers[0].json()["event"]["id"], answers[1].json()["event"]["id"]);
}

#[test]
fn keys_that_are_none_name_the_header_once_the_credential_holds() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    for key in ["", &"x".repeat(256)] {
        for (path, body) in [(EVENTS, ORDER.to_owned()), (BULK, format!("[{ORDER}]"))] {
            let answer = emit(&edge, &tenant, path, key, &body);
            assert_eq!(answer.status, 400, "{}", answer.text);
            assert_eq!(answer.json()["error"]["data"][0]["param"], "Idempotency-Key");
            let headers = [("idempotency-key", key)];
            assert_eq!(call(&edge, "POST", path, &headers, body.as_bytes()).status, 401);
        }
    }
    assert_eq!(counts(&edge, 0, ["events", "idempotency_keys"]), [0, 0]);
}

#[test]
fn an_unknown_result_and_a_lost_answer_change_nothing() {
    // What fails: first batch and its repetition by the product, then the caller asks again.
    for faults in [
        vec![Some(Fault::Before)],
        vec![Some(Fault::After)],
        vec![Some(Fault::Before), Some(Fault::Before)],
        vec![Some(Fault::Before), Some(Fault::After)],
        vec![Some(Fault::After), Some(Fault::Before)],
        vec![Some(Fault::After), Some(Fault::After)],
    ] {
        let edge = Edge::new();
        let tenant = tenant(&edge);
        edge.logs[0].fail_next(&faults);
        let large = json!({"event": "order.completed", "payload": {"text": "x".repeat(5_000)}});
        let first = emit(&edge, &tenant, EVENTS, "k", &large.to_string());
        assert_eq!(first.status, if faults.len() == 2 { 503 } else { 201 }, "{faults:?}");
        let again = emit(&edge, &tenant, EVENTS, "k", &large.to_string());
        assert_eq!(again.status, 201, "{faults:?}: {}", again.text);
        if first.status == 201 {
            assert_eq!((is_replayed(&again), &again.text), (true, &first.text));
        }
        let stored_at_first = faults.contains(&Some(Fault::After)) || faults.len() == 1;
        assert_eq!(is_replayed(&again), stored_at_first, "{faults:?}");
        let tables = ["events", "deliveries", "payloads", "idempotency_keys"];
        assert_eq!(counts(&edge, 0, tables), [1; 4], "{faults:?}");
        edge.run_for(10 * MINUTE_MS);
        assert_eq!(edge.receivers.seen(URL).len(), 1, "{faults:?}");
    }
}

/// Emits at the same time, each at its own pace.
fn at_once(edge: &Edge, tenant: &Tenant, bodies: &[String]) -> Vec<(u16, bool, String)> {
    let requests = bodies.iter().map(|body| {
        let key = HeaderValue::from_str(&tenant.publishable_key).expect("a header value");
        let headers = [
            (HeaderName::from_static("x-meshes-publishable-key"), key),
            (HeaderName::from_static("idempotency-key"), HeaderValue::from_static("k")),
        ];
        let head = Head {
            method: http::Method::POST,
            origin: ORIGIN.to_owned(),
            path: EVENTS.to_owned(),
            query: String::new(),
            headers: headers.into_iter().collect(),
        };
        let body = body.clone().into_bytes();
        routes::serve(edge, head, async move |_: usize| Ok(body))
    });
    let replies = edge.block_on(join_all(requests));
    let seen = replies.into_iter().map(|reply| {
        let replayed = reply.headers.get("idempotent-replayed").is_some();
        (reply.status.as_u16(), replayed, String::from_utf8(reply.body).expect("UTF-8"))
    });
    seen.collect()
}

#[test]
fn fifty_at_once_make_one_event() {
    for seed in 0..20 {
        let edge = Edge::new();
        let tenant = tenant(&edge);
        edge.chaos.seed(seed);
        edge.chaos.rates.set(Rates { latency_ms: 40, ..Rates::default() });
        let bodies: Vec<String> = (0..50)
            .map(|n| if n % 10 == 3 { ORDER.replace("1.0", "2.0") } else { ORDER.to_owned() })
            .collect();
        let answers = at_once(&edge, &tenant, &bodies);
        let first: Vec<_> =
            answers.iter().filter(|(status, replayed, _)| *status == 201 && !replayed).collect();
        assert_eq!(first.len(), 1, "one is the first: {answers:?}");
        let won = bodies[answers.iter().position(|a| a == first[0]).expect("a place")].as_str();
        for (body, (status, _, text)) in bodies.iter().zip(&answers) {
            if body == won {
                assert_eq!((*status, text), (201, &first[0].2));
            } else {
                assert_eq!(*status, 409, "{text}");
            }
        }
        edge.chaos.rates.set(Rates::default());
        assert_eq!(counts(&edge, 0, ["events", "deliveries", "idempotency_keys"]), [1; 3]);
        edge.run_for(MINUTE_MS);
        assert_eq!(edge.receivers.seen(URL).len(), 1);
    }
}

#[test]
fn a_bulk_that_was_taken_in_part_is_answered_the_same() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let bulk = format!(r#"[{ORDER},{{"event":" x ","payload":{{}}}},7,{ORDER}]"#);
    let first = emit(&edge, &tenant, BULK, "k", &bulk);
    assert_eq!((first.status, first.json()["count"].as_i64()), (207, Some(2)));
    edge.run_for(MINUTE_MS);
    let again = emit(&edge, &tenant, BULK, "k", &bulk);
    assert_eq!((again.status, is_replayed(&again)), (207, true));
    assert_eq!(again.text, first.text);
    // Of nothing that was accepted nothing is kept.
    let none = emit(&edge, &tenant, BULK, "l", "[7]");
    assert_eq!((none.status, is_replayed(&none)), (207, false));
    assert_eq!(counts(&edge, 0, ["events", "idempotency_keys"]), [2, 1]);
}

#[test]
fn each_workspace_of_a_bulk_stands_for_itself() {
    let edge = Edge::with_shards(2);
    let acme = tenant(&edge);
    let second = acme.post(&edge, "/api/v1/workspaces", &json!({"name": "Second"}));
    let second = text(&second, "/workspace/id");
    let event = |workspace: &str, n: i64| {
        let payload = json!({"n": n});
        json!({"workspace": workspace, "event": "order.completed", "payload": payload})
    };
    let send = |body: &Value| {
        let bearer = format!("Bearer {}", acme.token(&edge));
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k")];
        call(&edge, "POST", BULK, &headers, body.to_string().as_bytes())
    };
    let bulk = json!([event(&acme.workspace, 1), event(&second, 2), event(&acme.workspace, 3)]);
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let partly = send(&bulk);
    let failed = partly.json()["error_count"].as_u64();
    assert_eq!(partly.status, 207, "{}", partly.text);
    // The shard that failed is asked again, the other one's answer stands.
    let whole = send(&bulk);
    assert_eq!((whole.status, is_replayed(&whole)), (201, false), "{}", whole.text);
    let (before, after) = (partly.json(), whole.json());
    let places = || (0..3).filter(|&n| before["records"][n]["id"].is_string());
    assert_eq!(places().count() as u64 + failed.unwrap_or(0), 3);
    for place in places() {
        assert_eq!(before["records"][place], after["records"][place]);
    }
    let again = send(&bulk);
    assert_eq!((again.status, is_replayed(&again), &again.text), (201, true, &whole.text));
    // One more workspace in another body: what conflicts is told in its place.
    let third = acme.post(&edge, "/api/v1/workspaces", &json!({"name": "Third"}));
    let third = text(&third, "/workspace/id");
    let other = send(&json!([event(&acme.workspace, 1), event(&third, 4)]));
    let body = other.json();
    assert_eq!((other.status, &body["count"]), (207, &json!(1)), "{}", other.text);
    assert_eq!(body["records"][0]["error"]["name"], "conflict");
    let all = counts(&edge, 0, ["events"])[0] + counts(&edge, 1, ["events"])[0];
    assert_eq!(all, 4);
}

#[test]
fn a_key_is_kept_for_a_day_and_deleted_in_the_next() {
    let edge = Edge::new();
    let tenant = tenant(&edge);
    let first = emit(&edge, &tenant, EVENTS, "k", ORDER);
    edge.advance_to(edge_now(&edge) + DAY_MS - 1);
    assert_eq!(emit(&edge, &tenant, EVENTS, "k", ORDER).text, first.text);
    edge.advance_to(edge_now(&edge) + 1);
    let anew = emit(&edge, &tenant, EVENTS, "k", ORDER);
    assert_eq!((anew.status, is_replayed(&anew)), (201, false));
    assert_ne!(anew.text, first.text);
    for n in 0..20 {
        emit(&edge, &tenant, EVENTS, &format!("k-{n}"), ORDER);
    }
    edge.run_for(DAY_MS - MINUTE_MS);
    assert_eq!(counts(&edge, 0, ["idempotency_keys"]), [21], "none goes too early");
    edge.run_for(DAY_MS + 2 * MINUTE_MS);
    assert_eq!(counts(&edge, 0, ["idempotency_keys"]), [0]);
}

fn edge_now(edge: &Edge) -> i64 {
    posthorn::ports::Clock::now_ms(edge)
}
