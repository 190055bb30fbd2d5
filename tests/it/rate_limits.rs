//! Keys and sessions that make too many requests: they are told when to go on, and nobody else is
//! held up.

use posthorn::domain::base::limits::RATE_PERIOD_S;
use posthorn::ports::Limited;
use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, Tenant, call};
use crate::visit::Visitor;

const EVENT: &str = r#"{"event":"x","payload":{}}"#;

fn limit(edge: &Edge, limited: Limited, most: Option<u32>) {
    edge.rate_limits.limits.borrow_mut().insert(limited, most);
}

fn is_refused(answer: &Answered) {
    assert_eq!(answer.status, 429, "{}", answer.text);
    assert_eq!(answer.headers["retry-after"], RATE_PERIOD_S.to_string());
    let body = answer.json();
    assert_eq!(body["retry_after"], json!(RATE_PERIOD_S));
    assert_eq!(body["error"]["name"], "rate-limited");
}

#[test]
fn a_publishable_key_has_a_share_of_its_own() {
    let edge = Edge::new();
    let (acme, other) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Other"));
    limit(&edge, Limited::PublishableKey, Some(3));
    for _ in 0..3 {
        assert_eq!(acme.emit_text(&edge, EVENT).status, 201);
    }
    is_refused(&acme.emit_text(&edge, EVENT));
    let key = [("x-meshes-publishable-key", acme.publishable_key.as_str())];
    let bulk = format!("[{EVENT}]");
    is_refused(&call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.as_bytes()));
    assert_eq!(edge.logs[0].ask("select count(*) from events"), [json!(3)]);
    assert_eq!(other.emit_text(&edge, EVENT).status, 201, "others go on");
    let machine = json!({"workspace": acme.workspace, "event": "x", "payload": {}});
    assert_eq!(acme.call(&edge, "POST", "/api/v1/events", &machine).status, 201);
    edge.run_for(10_000);
    assert_eq!(acme.emit_text(&edge, EVENT).status, 201);
    // The count is asked while the key is looked up: it is no call more.
    let trips = edge.control.round_trips.get();
    acme.emit(&edge, "x");
    assert_eq!(edge.control.round_trips.get() - trips, 1);
}

#[test]
fn a_machine_key_counts_for_all_that_it_does() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    edge.run_for(10_000);
    limit(&edge, Limited::MachineKey, Some(2));
    let event = json!({"workspace": acme.workspace, "event": "x", "payload": {}});
    assert_eq!(acme.call(&edge, "POST", "/api/v1/events", &event).status, 201);
    assert_eq!(acme.call(&edge, "GET", "/api/v1/workspaces", &Value::Null).status, 200);
    is_refused(&acme.call(&edge, "GET", "/api/v1/workspaces", &Value::Null));
    is_refused(&acme.call(&edge, "POST", "/api/v1/events", &event));
    // A token that does not hold is told that, not what the key may still do.
    let mut forged = acme.clone();
    forged.secret_key = "x".repeat(43);
    assert_eq!(forged.call(&edge, "GET", "/api/v1/workspaces", &Value::Null).status, 401);
    assert_eq!(forged.call(&edge, "POST", "/api/v1/events", &event).status, 401);
}

#[test]
fn a_session_gets_a_page_that_says_when_to_go_on() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &acme, json!({}));
    let other = Visitor::new(&edge, &acme, json!({}));
    edge.run_for(10_000);
    let poll = format!("live/events?workspace={}&before=~&limit=1", acme.workspace);
    limit(&edge, Limited::Session, Some(2));
    assert_eq!(visitor.get(&edge, "events").status, 200);
    assert_eq!(visitor.get(&edge, &poll).status, 200);
    for below in ["events", poll.as_str()] {
        let refused = visitor.get(&edge, below);
        assert_eq!(refused.status, 429);
        assert_eq!(refused.headers["retry-after"], "10");
        assert!(refused.text.contains("Too many requests"), "{}", refused.text);
    }
    assert_eq!(other.get(&edge, "events").status, 200);
}

#[test]
fn an_unknown_count_lets_everybody_through_and_is_logged() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    limit(&edge, Limited::PublishableKey, None);
    acme.emit(&edge, "x");
    let count = edge.rate_limits.counted(Limited::PublishableKey, &acme.publishable_key);
    assert_eq!(count, 1);
    assert!(edge.lines.borrow().iter().any(|line| line["at"] == "rate limit"));
}

#[test]
fn the_bindings_have_the_period_that_answers_name() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/wrangler.toml");
    let config = std::fs::read_to_string(path).expect("the configuration");
    let periods: Vec<_> = config.lines().filter(|line| line.contains("period =")).collect();
    assert_eq!(periods.len(), 6);
    for line in periods {
        assert!(line.ends_with(&format!("period = {RATE_PERIOD_S} }}")), "{line}");
    }
}

#[test]
fn a_bulk_counts_as_its_events() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let key = [("x-meshes-publishable-key", acme.publishable_key.as_str())];
    let bulk = format!("[{}]", vec![EVENT; 40].join(","));
    assert_eq!(call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.as_bytes()).status, 201);
    assert_eq!(edge.rate_limits.counted(Limited::PublishableKey, &acme.publishable_key), 40);
    limit(&edge, Limited::PublishableKey, Some(79));
    is_refused(&call(&edge, "POST", "/api/v1/events/bulk", &key, bulk.as_bytes()));
}

#[test]
fn what_costs_much_has_a_limit_of_its_own() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &acme, json!({}));
    edge.run_for(10_000);
    limit(&edge, Limited::MachineKeyCostly, Some(1));
    limit(&edge, Limited::SessionCostly, Some(1));
    let by_status = "/api/v1/events?status=failed";
    assert_eq!(acme.call(&edge, "GET", by_status, &Value::Null).status, 200);
    is_refused(&acme.call(&edge, "GET", by_status, &Value::Null));
    let filter = json!({"filter": {"path": "a", "eq": 1}, "payload": {}});
    is_refused(&acme.call(&edge, "POST", "/api/v1/rules/test-filter", &filter));
    assert_eq!(acme.call(&edge, "GET", "/api/v1/events", &Value::Null).status, 200);
    assert_eq!(visitor.get(&edge, "events?status=failed").status, 200);
    assert_eq!(visitor.get(&edge, "events?status=failed").status, 429);
    assert_eq!(visitor.get(&edge, "events").status, 200);
}

#[test]
fn strangers_are_counted_by_address() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &acme, json!({}));
    edge.run_for(10_000);
    limit(&edge, Limited::Stranger, Some(2));
    let page = visitor.path("events");
    let from = |address: &str, path: &str| {
        call(&edge, "GET", path, &[("cf-connecting-ip", address)], b"").status
    };
    assert_eq!([from("1.1.1.1", &page), from("1.1.1.1", &page)], [401, 401]);
    assert_eq!(from("1.1.1.1", &page), 429);
    assert_eq!(from("2.2.2.2", &page), 401, "others go on");
    let launch = visitor.path("launch?token=x");
    assert_eq!(from("1.1.1.1", &launch), 429);
    assert_eq!(visitor.get(&edge, "events").status, 200, "who has a session goes on");
    // Guesses of the operator's token, which the operator does not feel.
    let guess = |token: &str| {
        let bearer = format!("Bearer {token}");
        let headers = [("authorization", bearer.as_str()), ("cf-connecting-ip", "3.3.3.3")];
        call(&edge, "POST", "/api/v1/organizations", &headers, b"{\"name\":\"X\"}").status
    };
    assert_eq!([guess("a"), guess("b"), guess("c")], [401, 401, 429]);
    assert_eq!(guess(crate::edge::ADMIN_TOKEN), 201);
}

/// Whatever is shown that does not hold is counted by address: cookies and tokens of sessions,
/// keys, guesses of the operator's token.
#[test]
fn all_that_does_not_hold_is_counted() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &acme, json!({}));
    let mut forged = acme.clone();
    forged.secret_key = "x".repeat(43);
    let bearer = format!("Bearer {}", forged.token(&edge));
    let unknown_key = acme.publishable_key.replace("mesh_pub_", "mesh_pub_x");
    // A cookie of the right form, of a session that there is not.
    let other = "019a1b2c-3d4e-7f50-8a6b-7c8d00000001";
    let cookie = visitor.cookie.replace(&visitor.session, other);
    assert_ne!(cookie, visitor.cookie);
    let poll = format!("/embed/s/{other}/live/events?workspace={}&before=~", acme.workspace);
    let replay = format!("/embed/s/{other}/live/replays/{other}?workspace={}", acme.workspace);
    let origin = ("origin", crate::tenant::ORIGIN);
    let form = ("content-type", "application/x-www-form-urlencoded");
    let cookie = ("cookie", cookie.as_str());
    let cases = [
        ("GET", format!("/embed/s/{other}/events"), vec![cookie]),
        ("GET", format!("/embed/s/{other}/launch?token=x"), vec![cookie]),
        ("POST", format!("/embed/s/{other}/auth"), vec![cookie, origin, form]),
        ("POST", format!("/embed/s/{other}/auth"), vec![origin, form]),
        ("GET", poll, vec![cookie]),
        ("GET", replay, vec![cookie]),
        ("GET", "/api/v1/workspaces".to_owned(), vec![("authorization", bearer.as_str())]),
        ("GET", "/api/v1/workspaces".to_owned(), vec![]),
        ("POST", "/api/v1/events".to_owned(), vec![("authorization", bearer.as_str())]),
        ("POST", "/api/v1/events".to_owned(), vec![("x-meshes-publishable-key", &unknown_key)]),
        ("POST", "/api/v1/events".to_owned(), vec![("x-meshes-publishable-key", "x")]),
        ("GET", "/api/v1/health/keys".to_owned(), vec![("authorization", "Bearer guess")]),
        ("GET", "/health".to_owned(), vec![("authorization", "Bearer guess")]),
    ];
    for (at, (method, path, headers)) in cases.into_iter().enumerate() {
        edge.run_for(10_000);
        limit(&edge, Limited::Stranger, Some(2));
        let from = format!("10.0.0.{at}");
        let mut all = vec![("cf-connecting-ip", from.as_str())];
        all.extend(headers);
        let body = if path.contains("/api/v1/events") { EVENT } else { "token=x" };
        let body = if method == "GET" { "" } else { body };
        let ask = || call(&edge, method, &path, &all, body.as_bytes()).status;
        let statuses = [ask(), ask(), ask()];
        let expected = if path == "/health" { 200 } else { 401 };
        assert_eq!(statuses, [expected, expected, 429], "{method} {path} {all:?}");
        assert_eq!(edge.rate_limits.counted(Limited::Stranger, &from), 3, "{method} {path}");
    }
}

#[test]
fn a_session_counts_its_renewals_and_polls() {
    let edge = Edge::new();
    let acme = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &acme, json!({"role": "owner"}));
    edge.run_for(10_000);
    let counted = || edge.rate_limits.counted(Limited::Session, &visitor.session);
    let other = "019a1b2c-3d4e-7f50-8a6b-7c8d00000001";
    let replay = format!("live/replays/{other}?workspace={}", acme.workspace);
    let before = counted();
    assert_eq!(visitor.get(&edge, &replay).status, 401, "no page led there");
    let token = visitor.access_token.clone();
    assert_eq!(visitor.post(&edge, "auth", &[("token", &token)]).status, 200);
    assert_eq!(counted(), before + 2);
    limit(&edge, Limited::Session, Some(0));
    assert_eq!(visitor.get(&edge, &replay).status, 429);
    assert_eq!(visitor.post(&edge, "auth", &[("token", &token)]).status, 429);
}
