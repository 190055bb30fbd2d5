//! What an attacker found, closed: credentials that follow a changed URL, filters that burn time,
//! bodies of who has no key, events that go round in a circle.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::{join, join_all};
use futures_util::{StreamExt, stream};
use http::{HeaderName, HeaderValue, Method};
use posthorn::domain::base::limits::{BODIES_BYTES_MAX, SMALL_BODY_BYTES};
use posthorn::http::body::{self, Bodies};
use posthorn::ports::Clock;
use posthorn::routes::{self, Head};
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, ORIGIN, Tenant, call, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";

fn params(answer: &Answered) -> Vec<String> {
    let answer = answer.json();
    let data = answer["error"]["data"].as_array().cloned().unwrap_or_default();
    data.iter().map(|field| text(field, "/param")).collect()
}

fn with_credentials() -> Value {
    json!({"url": URL, "auth_scheme": "bearer", "auth_token": "the-bearer-token",
        "custom_headers": [{"name": "X-Team", "value": "the-team-secret"}]})
}

#[test]
fn credentials_do_not_follow_the_url_to_another_origin() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, with_credentials());
    let at = format!("/api/v1/connections/{connection}");
    for url in [
        "https://evil.example.net/a",
        "https://hooks.example.com:8443/a",
        "https://sub.hooks.example.com/a",
    ] {
        let body = json!({"metadata": {"url": url}});
        for (method, body) in [
            ("PATCH", body.clone()),
            ("PUT", json!({"name": "Orders", "metadata": {"url": url}})),
            // What is named without a value is kept, so it does not go either.
            (
                "PATCH",
                json!({"metadata": {"url": url, "auth_scheme": "bearer",
                "custom_headers": [{"name": "X-Team"}]}}),
            ),
        ] {
            let refused = tenant.call(&edge, method, &at, &body);
            assert_eq!(refused.status, 422, "{url} {}", refused.text);
            let expected = ["metadata.auth_token", "metadata.custom_headers[0].value"];
            assert_eq!(params(&refused), expected);
        }
    }
    // Another path of the same origin keeps them.
    let body = json!({"metadata": {"url": "https://hooks.example.com/b?c=1"}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 200);
    tenant.call(&edge, "POST", &format!("{at}/test"), &Value::Null);
    edge.run_for(1_000);
    let seen = edge.receivers.seen("https://hooks.example.com/b?c=1");
    assert_eq!(seen[0].header("authorization"), "Bearer the-bearer-token");
    // Entered again, or no longer wanted, it is the caller's own decision.
    let body = json!({"metadata": {"url": "https://new.example.net/a", "auth_token": "another-one",
        "custom_headers": []}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 200);
    tenant.call(&edge, "POST", &format!("{at}/test"), &Value::Null);
    edge.run_for(1_000);
    let seen = edge.receivers.seen("https://new.example.net/a");
    assert_eq!(seen[0].header("authorization"), "Bearer another-one");
    assert_eq!(seen[0].header("x-team"), "");
    // What was dropped on the way does not come back with the old URL.
    let body = json!({"metadata": {"url": URL, "auth_scheme": "none"}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 200);
    let body = json!({"metadata": {"auth_scheme": "bearer"}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 400);
}

#[test]
fn the_form_asks_for_the_credentials_again() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, with_credentials());
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    let fields = |token: &'static str, team: &'static str| {
        [
            ("name", "Orders"),
            ("url", "https://evil.example.net/a"),
            ("http_method", "POST"),
            ("payload_mode", "raw"),
            ("auth_scheme", "bearer"),
            ("auth_token", token),
            ("header_name_0", "X-Team"),
            ("header_value_0", team),
            ("signing_algorithm", "hmac-sha256"),
            ("signing_scheme", "standard"),
            ("secret", "keep"),
        ]
    };
    let below = format!("connections/{connection}/edit");
    let asked = visitor.post(&edge, &below, &fields("", ""));
    assert_eq!(asked.status, 422, "{}", asked.text);
    assert!(asked.text.contains("must be entered again"), "{}", asked.text);
    assert!(asked.text.contains("https://evil.example.net/a"), "what was typed is kept");
    let saved = visitor.post(&edge, &below, &fields("a-new-token", "a-new-team"));
    assert_eq!(saved.status, 303, "{}", saved.text);
}

/// A filter of 18 lists of 100 numbers, none of which is the payload's.
fn greedy() -> Value {
    let numbers: Vec<u32> = (0..100).map(|n| n % 10).collect();
    let lists = vec![json!({"path": "n", "in": numbers}); 18];
    json!({"or": lists})
}

#[test]
fn a_long_number_costs_no_more_than_the_filters() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    for n in 0..5 {
        let metadata = json!({"action": "send_webhook", "key": n.to_string()});
        let rule = json!({"workspace": tenant.workspace, "connection": connection, "event": "x",
            "metadata": metadata, "filter": greedy()});
        tenant.post(&edge, "/api/v1/rules", &rule);
    }
    let payload = format!("{{\"n\":{}}}", "7".repeat(520_000));
    let body = format!("{{\"event\":\"x\",\"payload\":{payload}}}");
    let answer = tenant.emit_text(&edge, &body);
    assert_eq!(answer.status, 201, "{}", answer.text);
    // The test's reader of JSON does not take such a number, so the row is asked.
    let kept = edge.logs[0].ask("select unmatched from events").remove(0);
    let kept: Value = serde_json::from_str(kept.as_str().expect("a text")).expect("JSON");
    let reasons = kept.as_array().expect("a list");
    assert_eq!(reasons.len(), 5, "{kept}");
    assert!(reasons.iter().all(|rule| rule["w"] == "filter"), "{kept}");
    let body = format!("{{\"filter\":{},\"payload\":{payload}}}", greedy());
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    let tried = call(&edge, "POST", "/api/v1/rules/test-filter", &headers, body.as_bytes());
    assert_eq!((tried.status, &tried.json()["matches"]), (200, &json!(false)), "{}", tried.text);
}

#[test]
fn a_rule_that_is_too_costly_does_not_match_and_says_so() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let filter = |conditions: usize| {
        let condition = |n| json!({"path": format!("p{n}"), "eq": 1});
        json!({"or": (0..conditions).map(condition).collect::<Vec<Value>>()})
    };
    for n in 0..12 {
        let metadata = json!({"action": "send_webhook", "key": n.to_string()});
        let rule = json!({"workspace": tenant.workspace, "connection": connection, "event": "x",
            "metadata": metadata, "filter": filter(6)});
        tenant.post(&edge, "/api/v1/rules", &rule);
    }
    tenant.rule(&edge, "x", &connection);
    let entries: Vec<String> = (0..40_000).map(|n| format!("\"k{n}\":1")).collect();
    let payload = format!("{{{}}}", entries.join(","));
    tenant.emit(&edge, "x");
    assert_eq!(edge.pauses.get(), 0, "what costs little makes nobody wait");
    let answer = tenant.emit_text(&edge, &format!("{{\"event\":\"x\",\"payload\":{payload}}}"));
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(edge.pauses.get() >= 8, "others have their turn: {}", edge.pauses.get());
    let event = tenant.get(&edge, &format!("/api/v1/events/{}", text(&answer.json(), "/event/id")));
    assert_eq!(event["rule_events"].as_array().map(Vec::len), Some(1), "the rule without a filter");
    let reasons = event["unmatched_rules"].as_array().expect("a list");
    assert_eq!(reasons[0]["reason"], "filter_too_costly", "kept before all else: {event}");
    // Who tries such a filter out is told.
    let body = format!("{{\"filter\":{},\"payload\":{payload}}}", filter(60));
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    let tried = call(&edge, "POST", "/api/v1/rules/test-filter", &headers, body.as_bytes());
    assert_eq!((tried.status, params(&tried)), (422, vec!["filter".to_owned()]), "{}", tried.text);
    assert_eq!(tried.json()["error"]["code"], "filter_too_costly");
}

#[test]
fn the_filters_of_a_workspace_are_bounded_together() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let filter = json!({"path": "a", "eq": "x".repeat(4_000)});
    let rule = |n: usize, filter: &Value| {
        json!({"workspace": tenant.workspace, "connection": connection,
            "event": format!("e{n}"), "metadata": {"action": "send_webhook"}, "filter": filter})
    };
    let made = (0..80)
        .position(|n| tenant.call(&edge, "POST", "/api/v1/rules", &rule(n, &filter)).status != 201);
    assert_eq!(made, Some(65), "65 filters of 4,022 bytes are 256 KB");
    let refused = tenant.call(&edge, "POST", "/api/v1/rules", &rule(99, &filter));
    assert_eq!((refused.status, params(&refused)), (422, vec!["filter".to_owned()]));
    assert_eq!(refused.json()["error"]["code"], "quota");
    // Without a filter, or by a change, it is the same.
    let plain = tenant.post(&edge, "/api/v1/rules", &rule(99, &Value::Null));
    let at = format!("/api/v1/rules/{}", text(&plain, "/rule/id"));
    let refused = tenant.call(&edge, "PATCH", &at, &json!({"filter": filter}));
    assert_eq!((refused.status, params(&refused)), (422, vec!["filter".to_owned()]));
    let short = json!({"filter": {"path": "a", "eq": 1}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &short).status, 200);
}

fn head(headers: &[(&str, &str)]) -> Head {
    let named = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().expect("a header name");
        (name, HeaderValue::from_str(value).expect("a header value"))
    };
    Head {
        method: Method::POST,
        origin: ORIGIN.to_owned(),
        path: "/api/v1/events/bulk".to_owned(),
        query: String::new(),
        headers: headers.iter().map(named).collect(),
    }
}

#[test]
fn a_body_that_may_be_large_is_read_for_a_valid_key_only() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let unknown = tenant.publishable_key.replace("mesh_pub_", "mesh_pub_x");
    let mut forged = tenant.clone();
    forged.secret_key = "x".repeat(43);
    let bearer = format!("Bearer {}", forged.token(&edge));
    let large = (SMALL_BODY_BYTES + 1).to_string();
    for credential in
        [("x-meshes-publishable-key", unknown.as_str()), ("authorization", bearer.as_str())]
    {
        for length in [None, Some(large.as_str())] {
            let mut headers = vec![credential];
            headers.extend(length.map(|length| ("content-length", length)));
            let read = Rc::new(Cell::new(false));
            let reading = Rc::clone(&read);
            let read_body = async move |_| {
                reading.set(true);
                Ok(Vec::new())
            };
            let reply = edge.block_on(routes::serve(&edge, head(&headers), read_body));
            assert_eq!((reply.status.as_u16(), read.get()), (401, false));
        }
    }
}

#[test]
fn a_large_body_waits_for_those_of_its_own_key_only() {
    let edge = Edge::new();
    let (acme, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    let size = 8 * 1_024 * 1_024;
    let began_ms = edge.now_ms();
    // After how long its body was read, and how it was answered.
    let send = async |key: &str, told: Option<usize>, bytes: usize| {
        let told = told.map(|bytes| bytes.to_string());
        let mut headers = vec![("x-meshes-publishable-key", key)];
        headers.extend(told.as_deref().map(|told| ("content-length", told)));
        let (read_ms, reading) = (Cell::new(None), edge.clone());
        let read_body = async |_| {
            read_ms.set(Some(reading.now_ms() - began_ms));
            Ok(vec![b' '; bytes])
        };
        let reply = routes::serve(&edge, head(&headers), read_body).await;
        (read_ms.get(), reply)
    };
    let key = acme.publishable_key.as_str();
    edge.block_on(async {
        let many = join_all((0..6).map(|_| send(key, Some(size), size)));
        let small = send(key, Some(1_024), 1_024);
        let others = join(send(&other.publishable_key, Some(size), size), small);
        let (many, (neighbour, small)) = join(many, others).await;
        assert_eq!((neighbour.0, small.0), (Some(0), Some(0)), "they wait for nobody");
        let (in_time, late) = many.split_at(4);
        for ((read_ms, _), second) in in_time.iter().zip(0..) {
            let expected = second * 1_000..=second * 1_000 + 100;
            assert!(read_ms.is_some_and(|ms| expected.contains(&ms)), "{second}: {read_ms:?}");
        }
        for (read_ms, reply) in late {
            assert_eq!((*read_ms, reply.status.as_u16()), (None, 429), "it would wait for long");
            let after_s = reply.headers["retry-after"].to_str().expect("text");
            assert!((1..=5).contains(&after_s.parse().expect("seconds")), "{after_s}");
        }
    });
    // One that does not tell its size waits for nobody, but others wait for it.
    edge.block_on(edge.sleep_ms(60_000));
    let now_ms = edge.now_ms() - began_ms;
    assert_eq!(edge.block_on(send(key, None, size)).0, Some(now_ms));
    assert_eq!(edge.block_on(send(key, None, 1_024)).0, Some(now_ms));
    assert_eq!(edge.block_on(send(key, Some(size), size)).0, Some(now_ms + 1_000));
}

#[test]
fn bodies_have_a_deadline_and_a_budget() {
    let edge = Edge::new();
    let bodies = Rc::new(Bodies::default());
    let chunk = || Ok::<_, ()>(vec![0u8; 1_024]);
    let read = async |told: Option<usize>, chunks: usize, ends: bool| {
        let all = stream::iter((0..chunks).map(|_| chunk()));
        let all = if ends { all.boxed_local() } else { all.chain(stream::pending()).boxed_local() };
        body::read(&edge, &bodies, told, 8 * 1_024 * 1_024, all).await
    };
    // One that stalls ends after 15 s.
    let began_ms = edge.now_ms();
    let stalled = edge.block_on(read(None, 3, false)).expect_err("it is not all there");
    assert!(stalled.message.contains("15 seconds"), "{stalled}");
    assert_eq!(edge.now_ms() - began_ms, 15_000);
    // One that is told to be too large is refused before it comes.
    assert!(edge.block_on(read(Some(9 * 1_024 * 1_024), 0, false)).is_err());
    // Together they hold what the isolate can bear; small ones have room of their own.
    let held: Vec<_> = (0..BODIES_BYTES_MAX / (4 * 1_024 * 1_024))
        .map(|_| edge.block_on(read(None, 4 * 1_024, true)).expect("there is room"))
        .collect();
    let full = edge.block_on(read(None, 1, true)).expect_err("there is none");
    assert_eq!(full.kind, posthorn::domain::base::error::Kind::Unavailable);
    assert_eq!(edge.block_on(read(Some(2_048), 2, true)).expect("it is small").0.len(), 2_048);
    // Who is refused while he is sending sees the answer: the rest is taken in, and none is kept.
    let taken = Cell::new(0);
    let seen = |_: &i32| taken.set(taken.get() + 1);
    let counted = || stream::iter(0..100).inspect(seen).map(|_| chunk());
    let refused = edge.block_on(body::read(&edge, &bodies, None, 8 * 1_024 * 1_024, counted()));
    assert!(refused.is_err());
    assert_eq!(taken.replace(0), 100);
    drop(held);
    assert!(edge.block_on(read(None, 1, true)).is_ok(), "what was answered is let go");
    // However small they are, so many are under way at once and no more.
    let small = || edge.block_on(read(Some(0), 0, true));
    let (mut held, mut cut_off): (Vec<_>, usize) = (Vec::new(), 0);
    let full = loop {
        match small() {
            // The runtime ends every other one without a word.
            Ok((_, one)) if held.len() > cut_off => {
                std::mem::forget(one);
                cut_off += 1;
            }
            Ok((_, one)) => held.push(one),
            Err(error) => break error,
        }
    };
    assert_eq!(held.len() + cut_off, 256);
    assert!(full.message.contains("Nothing was done"), "{full}");
    assert!(edge.block_on(read(None, 1, true)).is_ok(), "large ones have room of their own");
    held.truncate(1);
    assert!(small().is_ok());
    edge.block_on(edge.sleep_ms(60_000));
    let again: Vec<_> = (0..256).map(|_| small().expect("those are forgotten")).collect();
    assert!(small().is_err());
    drop((held, again));
    // So it is with what was answered without its body, for as long as a body may take.
    edge.block_on(body::discard(&edge, counted()));
    assert_eq!(taken.get(), 100);
    let began_ms = edge.now_ms();
    edge.block_on(body::discard(&edge, counted().chain(stream::pending())));
    assert_eq!(edge.now_ms() - began_ms, 15_000);
}

fn emit_with(edge: &Edge, tenant: &Tenant, headers: &[(&str, &str)]) -> Answered {
    let mut all = vec![("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    all.extend_from_slice(headers);
    call(edge, "POST", "/api/v1/events", &all, br#"{"event":"x","payload":{}}"#)
}

#[test]
fn what_goes_round_in_a_circle_ends() {
    let edge = Edge::new();
    let (tenant, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    tenant.route(&edge, "x", json!({"url": URL}));
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let first = edge.receivers.seen(URL).remove(0);
    assert_eq!(first.header("posthorn-hops"), "1");
    // What a delivery of ours is sent to does not come in again, in any workspace, alone or among
    // others.
    let id = first.header("posthorn-event-id");
    for tenant in [&tenant, &other] {
        let refused = emit_with(&edge, tenant, &[("posthorn-event-id", id)]);
        assert_eq!((refused.status, &refused.json()["error"]["code"]), (422, &json!("loop")));
    }
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let bulk = br#"[{"event":"x","payload":{}}]"#;
    let headers = [key, ("posthorn-event-id", id)];
    assert_eq!(call(&edge, "POST", "/api/v1/events/bulk", &headers, bulk).status, 422);
    // An event of another installation counts.
    let strange = "019a1b2c-3d4e-7f50-8a6b-7c8d00000001";
    for (hops, expected) in [("1", 201), ("5", 201), ("6", 422), ("99999999999", 422), ("x", 201)] {
        let headers = [("posthorn-hops", hops), ("posthorn-event-id", strange)];
        let answer = emit_with(&edge, &tenant, &headers);
        assert_eq!(answer.status, expected, "{hops}: {}", answer.text);
    }
    edge.run_for(1_000);
    let hops: Vec<String> =
        edge.receivers.seen(URL).iter().map(|seen| seen.header("posthorn-hops").into()).collect();
    assert_eq!(hops, ["1", "2", "6", "1"]);
    // A receiver that emits what it receives and passes the count on is stopped.
    let mut came = "0".to_owned();
    let turns = (0..20).take_while(|_| {
        if emit_with(&edge, &tenant, &[("posthorn-hops", &came)]).status != 201 {
            return false;
        }
        edge.run_for(1_000);
        let seen = edge.receivers.seen(URL);
        came = seen.last().expect("a request").header("posthorn-hops").to_owned();
        true
    });
    assert_eq!(turns.count(), 6);
}

#[test]
fn an_installation_that_was_told_no_host_does_not_call_itself() {
    let edge = Edge::with_settings(|settings| settings.own_hosts.clear());
    let tenant = Tenant::new(&edge, "Acme");
    let new = |url: &str| {
        let body = json!({"workspace": tenant.workspace, "type": "webhook", "name": "Loop",
            "metadata": {"url": url, "payload_mode": "wrapped", "custom_headers":
                [{"name": "X-Meshes-Publishable-Key", "value": tenant.publishable_key}]}});
        tenant.call(&edge, "POST", "/api/v1/connections", &body)
    };
    for url in [
        "https://posthorn.example/api/v1/events",
        "https://POSTHORN.example/api/v1/events",
        "https://www.posthorn.example/",
    ] {
        let refused = new(url);
        assert_eq!((refused.status, params(&refused)), (422, vec!["metadata.url".to_owned()]));
    }
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let body = json!({"metadata": {"url": "https://posthorn.example/api/v1/events"}});
    let at = format!("/api/v1/connections/{connection}");
    assert_eq!(tenant.call(&edge, "PATCH", &at, &body).status, 422);
}

#[test]
fn the_operators_token_is_long_and_can_be_rotated() {
    let (former, next) = ("f".repeat(32), "n".repeat(40));
    let create = |edge: &Edge, token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str())];
        call(edge, "POST", "/api/v1/organizations", &headers, b"{\"name\":\"Acme\"}")
    };
    for (tokens, token, expected) in [
        (former.clone(), former.as_str(), 201),
        (former.clone(), next.as_str(), 401),
        (format!("{next},{former}"), former.as_str(), 201),
        (format!("{next}, {former}"), next.as_str(), 201),
        (format!("{next},short"), "short", 401),
        ("short".to_owned(), "short", 503),
        (String::new(), "", 503),
    ] {
        let edge = Edge::with_settings(|settings| settings.admin_token = tokens.clone());
        let answer = create(&edge, token);
        assert_eq!(answer.status, expected, "{tokens}: {}", answer.text);
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        if expected == 503 {
            assert!(answer.text.contains("at least 32 characters"), "{}", answer.text);
        }
    }
}

#[test]
fn a_member_signs_nothing_of_his_own() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": URL}));
    let example = json!({"label": "X", "example": "{\"from\": \"the catalogue\"}"});
    tenant.call(&edge, "PUT", "/api/v1/event-types/x", &example);
    tenant.call(&edge, "PUT", "/api/v1/event-types/plain", &json!({"label": "Plain"}));
    let below = format!("connections/{connection}/test");
    let member = Visitor::new(&edge, &tenant, json!({"role": "member"}));
    let own = "{\"amount\":1000000}";
    for event in ["x", "plain", "posthorn.test"] {
        let sent = member.post(&edge, &below, &[("event", event), ("payload", own)]);
        assert_eq!(sent.status, 303, "{event}: {}", sent.text);
    }
    let unknown = member.post(&edge, &below, &[("event", "invoice.paid"), ("payload", own)]);
    assert_eq!(unknown.status, 404, "{}", unknown.text);
    let page = member.get(&edge, &format!("{below}?event=x"));
    assert!(!page.text.contains("<textarea"), "{}", page.text);
    let admin = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let sent = admin.post(&edge, &below, &[("event", "x"), ("payload", own)]);
    assert_eq!(sent.status, 303, "{}", sent.text);
    edge.run_for(10_000);
    let mut bodies: Vec<String> = edge
        .receivers
        .seen(URL)
        .into_iter()
        .map(|seen| String::from_utf8(seen.request.body).expect("UTF-8"))
        .collect();
    bodies.sort_unstable();
    let mut expected =
        [own, "{\"from\": \"the catalogue\"}", "{\"test\": true}", "{\"test\": true}"];
    expected.sort_unstable();
    assert_eq!(bodies, expected);
}

#[test]
fn an_answer_fills_no_row() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (_, rule) = tenant.route(&edge, "x", with_credentials());
    let reply = Reply::status(302)
        .header("location", &format!("https://a.example/{}", "x".repeat(60_000)))
        .header(&"n".repeat(15_000), "the-team-secret");
    edge.receivers.script(URL, move |_| reply.clone());
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let attempt = tenant.attempts(&edge, &event, &rule).remove(0);
    let length = |pointer: &str| text(&attempt, pointer).len();
    assert!(length("/error") <= 512, "{attempt}");
    let longest = edge.logs[0].ask("select max(length(first_attempt)) from deliveries");
    assert!(longest[0].as_i64() < Some(8_000), "{longest:?}");
    assert!(!attempt.to_string().contains("the-team-secret"));
}
