//! Byte-exactness: the payload text that came in is what is stored, signed, sent, shown and sent
//! again, whatever JSON it is.

use proptest::prelude::*;

use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, call, text};
use serde_json::json;

const URL: &str = "https://hooks.example.com/a";
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// JSON texts as clients can send them: every kind of number, escape, space and duplicate key.
fn json_value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,24})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?",
        json_string(),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            (prop::collection::vec((space(), inner.clone(), space()), 0..5)).prop_map(|items| {
                let items: Vec<_> = items.iter().map(|(a, v, b)| format!("{a}{v}{b}")).collect();
                format!("[{}]", items.join(","))
            }),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    // Keys come from few, so that duplicates occur.
    let key = prop_oneof!["\"[ab]\"", json_string()];
    prop::collection::vec((space(), key, space(), value, space()), 0..5).prop_map(|fields| {
        let field = |(a, k, b, v, c): &(String, String, String, String, String)| {
            format!("{a}{k}{b}:{c}{v}{a}")
        };
        format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
    })
}

fn json_string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -!#-\\[\\]-~]",
        Just("Zoë — 日本 😀 \u{2028}\u{7f}".to_owned()),
        prop::sample::select(vec![
            "\\n",
            "\\/",
            "\\\\",
            "\\\"",
            "\\u0000",
            "\\ud800",
            "\\uD83D\\uDE00"
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| format!("\"{}\"", pieces.concat()))
}

fn space() -> impl Strategy<Value = String> {
    "[ \t\r\n]{0,2}"
}

/// Emits this payload to a receiver that fails once, and asserts that its bytes are the same
/// wherever they can be seen.
fn check(payload: &str) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL, "signing_secret": SECRET}));
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let body = format!("{{ \"event\":\"x\" ,\"payload\" : {payload}\n}}");
    let answer = tenant.emit_text(&edge, &body);
    assert_eq!(answer.status, 201, "{body}: {}", answer.text);
    let event = text(&answer.json(), "/event/id");
    edge.run_for(60_000);

    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), 2);
    for seen in &seen {
        assert_eq!(seen.request.body, payload.as_bytes());
        let webhook = standardwebhooks::Webhook::new(SECRET).expect("a key");
        let at_s = seen.at_ms / 1_000;
        let expected = webhook.sign(seen.header("webhook-id"), at_s, payload.as_bytes());
        assert_eq!(seen.header("webhook-signature"), expected.expect("a signature"));
    }
    let bearer = format!("Bearer {}", tenant.token(&edge));
    let headers = [("authorization", bearer.as_str())];
    let path = format!("/api/v1/events/{event}");
    for path in [path.clone(), format!("{path}/payload")] {
        let shown = call(&edge, "GET", &path, &headers, b"").text;
        assert!(shown.ends_with(&format!(",\"payload\":{payload}}}")), "{shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_json_object_arrives_as_it_came(payload in object(json_value())) {
        check(&payload);
    }
}

#[test]
fn payloads_of_every_size_arrive_as_they_came() {
    for size in [11, 999, 1_000, 1_001, 4_096, 100_000, 512 * 1_024] {
        let payload = format!("{{\"a\":\"é{}\"}}", "x".repeat(size - 10));
        assert_eq!(payload.len(), size);
        check(&payload);
    }
}

#[test]
fn payloads_that_parsers_change_arrive_as_they_came() {
    for payload in [
        r#"{"z":1,"a":2,"m":{"y":1,"b":2}}"#,
        r#"{"a":1.0,"b":1e400,"c":-0,"d":1E+2,"e":0.1000}"#,
        r#"{"a":12345678901234567890,"b":9007199254740993}"#,
        r#"{"a":1,"a":2,"a":{"a":1,"a":2}}"#,
        r#"{"s":"\u0041\/\ud800","t":"A"}"#,
        "{\r\n\t\"a\" :  1 }",
        r#"{"__proto__":{"x":1},"constructor":1}"#,
        r#"{"html":"</script><b>","sql":"' or 1=1 --","zero":"\u0000"}"#,
    ] {
        check(payload);
    }
}
