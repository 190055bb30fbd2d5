//! Changes of one record at the same time: each keeps the other's fields, and who names the version
//! that it has seen is told when it is no longer the stored one.

use futures_util::future::join;
use serde_json::{Value, json};

use crate::edge::chaos::Rates;
use crate::edge::{ADMIN_TOKEN, Edge};
use crate::tenant::{Answered, Tenant, ask, text};
use crate::visit::Visitor;

const PAIRS: usize = 100;

/// A kind of record: its path, and two fields that are changed apart from each other.
struct Kind {
    path: String,
    /// Makes the body that gives a field this number.
    bodies: [fn(usize) -> Value; 2],
    /// Where the fields stand in an answer.
    pointers: [&'static str; 2],
}

fn kinds(edge: &Edge, tenant: &Tenant) -> Vec<Kind> {
    let url = json!({"url": "https://hooks.example.com/a", "auth_scheme": "bearer",
        "auth_token": "the-first-token"});
    let (connection, rule) = tenant.route(edge, "x", url);
    tenant.call(edge, "PUT", "/api/v1/event-types/x", &json!({"label": "X"}));
    vec![
        Kind {
            path: format!("/api/v1/workspaces/{}", tenant.workspace),
            bodies: [
                |n| json!({"name": format!("Name {n}")}),
                |n| json!({"external_id": n.to_string()}),
            ],
            pointers: ["/name", "/external_id"],
        },
        Kind {
            path: format!("/api/v1/connections/{connection}"),
            bodies: [
                |n| json!({"metadata": {"url": format!("https://hooks.example.com/{n}")}}),
                |n| json!({"metadata": {"timeout_seconds": n % 20 + 1, "auth_token": "another"}}),
            ],
            pointers: ["/metadata/url", "/metadata/timeout_seconds"],
        },
        Kind {
            path: format!("/api/v1/rules/{rule}"),
            bodies: [
                |n| json!({"event": format!("x.{n}")}),
                |n| json!({"resource": format!("r{n}")}),
            ],
            pointers: ["/event", "/resource"],
        },
        Kind {
            path: "/api/v1/event-types/x".to_owned(),
            bodies: [|n| json!({"label": format!("L{n}")}), |n| json!({"group": format!("G{n}")})],
            pointers: ["/label", "/group"],
        },
        Kind {
            path: "/api/v1/organization".to_owned(),
            bodies: [
                |n| json!({"name": format!("Org {n}")}),
                |n| json!({"allowed_origins": [format!("https://a{n}.example.com")]}),
            ],
            pointers: ["/name", "/allowed_origins/0"],
        },
    ]
}

/// A call with a token and the version that it expects.
async fn call_at(
    edge: &Edge,
    (method, token): (&str, &str),
    path: &str,
    tag: &str,
    body: &Value,
) -> Answered {
    let headers = vec![
        ("authorization".into(), format!("Bearer {token}")),
        ("if-match".into(), tag.to_owned()),
    ];
    ask(edge, method, path, headers, body.to_string().into_bytes()).await
}

/// A PATCH with the tenant's token.
async fn patch(edge: &Edge, tenant: &Tenant, path: &str, tag: &str, body: &Value) -> Answered {
    let mut headers = vec![("authorization".into(), format!("Bearer {}", tenant.token(edge)))];
    if !tag.is_empty() {
        headers.push(("if-match".into(), tag.to_owned()));
    }
    ask(edge, "PATCH", path, headers, body.to_string().into_bytes()).await
}

fn value(body: &Value, answer: &Value, pointer: &str) -> (Value, Value) {
    let last = pointer.trim_end_matches("/0");
    let wanted = body.pointer(last).cloned().unwrap_or_default();
    let wanted = wanted.as_array().map_or(wanted.clone(), |list| list[0].clone());
    (answer.pointer(pointer).cloned().unwrap_or_default(), wanted)
}

#[test]
fn changes_of_different_fields_at_once_are_both_kept() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for kind in kinds(&edge, &tenant) {
        for pair in 0..PAIRS {
            let [a, b] = kind.bodies.map(|body| body(pair));
            edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
            let both = join(
                patch(&edge, &tenant, &kind.path, "", &a),
                patch(&edge, &tenant, &kind.path, "", &b),
            );
            let (first, second) = edge.block_on(both);
            edge.chaos.rates.set(Rates::default());
            assert_eq!((first.status, second.status), (200, 200), "{}", kind.path);
            let now = tenant.get(&edge, &kind.path);
            for (body, pointer) in [(&a, kind.pointers[0]), (&b, kind.pointers[1])] {
                let (found, wanted) = value(body, &now, pointer);
                assert_eq!(found, wanted, "{} {pointer} {pair}", kind.path);
            }
        }
    }
}

#[test]
fn the_same_version_is_changed_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for kind in kinds(&edge, &tenant) {
        let read = tenant.call(&edge, "GET", &kind.path, &Value::Null);
        let tag = read.headers["etag"].to_str().expect("text").to_owned();
        assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
        let bodies = kind.bodies.map(|body| body(7));
        let (first, second) = edge.block_on(join(
            patch(&edge, &tenant, &kind.path, &tag, &bodies[0]),
            patch(&edge, &tenant, &kind.path, &tag, &bodies[1]),
        ));
        edge.chaos.rates.set(Rates::default());
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412], "{}", kind.path);
        // The answer to a change has the tag of what it made.
        let done = if first.status == 200 { first } else { second };
        let next = done.headers["etag"].to_str().expect("text").to_owned();
        assert_ne!(next, tag);
        let read = tenant.call(&edge, "GET", &kind.path, &Value::Null);
        assert_eq!(read.headers["etag"], next.as_str(), "{}", kind.path);
        let body = kind.bodies[0](8);
        let again = edge.block_on(patch(&edge, &tenant, &kind.path, &next, &body));
        assert_eq!(again.status, 200);
    }
}

#[test]
fn what_was_changed_is_not_deleted() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let mut kinds = kinds(&edge, &tenant);
    kinds.pop();
    // The connection's rule before it, the workspace last.
    kinds.reverse();
    for kind in kinds {
        let read = tenant.call(&edge, "GET", &kind.path, &Value::Null);
        let tag = read.headers["etag"].to_str().expect("text").to_owned();
        assert_eq!(
            edge.block_on(patch(&edge, &tenant, &kind.path, "", &kind.bodies[0](9))).status,
            200
        );
        let bearer = format!("Bearer {}", tenant.token(&edge));
        let delete = |tag: &str| {
            let headers = [("authorization", bearer.as_str()), ("if-match", tag)];
            crate::tenant::call(&edge, "DELETE", &kind.path, &headers, b"{\"force_delete\":true}")
                .status
        };
        assert_eq!(delete(&tag), 412, "{}", kind.path);
        let read = tenant.call(&edge, "GET", &kind.path, &Value::Null);
        assert_eq!(delete(read.headers["etag"].to_str().expect("text")), 200, "{}", kind.path);
    }
}

/// The version is compared by the statement that deletes: a change at the same time wins or is
/// refused.
#[test]
fn what_is_being_changed_is_not_deleted() {
    let mut deleted_first = 0;
    for round in 0..24 {
        let edge = Edge::new();
        edge.reseed(round);
        let tenant = Tenant::new(&edge, "Acme");
        let mut kinds = kinds(&edge, &tenant);
        kinds.pop();
        kinds.reverse();
        let path = format!("/api/v1/organizations/{}", tenant.organization);
        let bodies: [fn(usize) -> Value; 2] =
            [|n| json!({"name": format!("Org {n}")}), |_| json!({"suspended": false})];
        kinds.push(Kind { path, bodies, pointers: ["/name", "/suspended"] });
        for kind in kinds {
            let is_admin = kind.path.contains("/organizations/");
            let token = || if is_admin { ADMIN_TOKEN.to_owned() } else { tenant.token(&edge) };
            let (own, other) = (token(), token());
            let none = json!({});
            let read = edge.block_on(call_at(&edge, ("GET", &own), &kind.path, "*", &none));
            assert_eq!(read.status, 200, "{} {}", kind.path, read.text);
            let tag = read.headers["etag"].to_str().expect("text").to_owned();
            let (body, force) = (kind.bodies[0](7), json!({"force_delete": true}));
            edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
            let (changed, deleted) = edge.block_on(join(
                call_at(&edge, ("PATCH", &own), &kind.path, &tag, &body),
                call_at(&edge, ("DELETE", &other), &kind.path, &tag, &force),
            ));
            edge.chaos.rates.set(Rates::default());
            match (changed.status, deleted.status) {
                (200, 412) => {}
                (404 | 412, 200) => deleted_first += 1,
                both => panic!("{} {both:?}: {} {}", kind.path, changed.text, deleted.text),
            }
            edge.block_on(call_at(&edge, ("DELETE", &own), &kind.path, "*", &force));
        }
    }
    assert!((10..110).contains(&deleted_first), "{deleted_first} of 120");
}

#[test]
fn what_else_changes_a_record_makes_another_version_of_it() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": "https://hooks.example.com/a"}));
    let tag = |path: &str| {
        let answer = tenant.call(&edge, "GET", path, &Value::Null);
        answer.headers["etag"].to_str().expect("text").to_owned()
    };
    let at = format!("/api/v1/connections/{connection}");
    for change in ["deactivate", "activate", "secret/rotate"] {
        let before = tag(&at);
        assert_eq!(tenant.call(&edge, "POST", &format!("{at}/{change}"), &Value::Null).status, 200);
        assert_ne!(tag(&at), before, "{change}");
    }
    let at = format!("/api/v1/workspaces/{}", tenant.workspace);
    let before = tag(&at);
    let key = format!("{at}/publishable-key");
    assert_eq!(tenant.call(&edge, "PATCH", &key, &json!({"name": "Shop"})).status, 200);
    let limited = tag(&at);
    assert_ne!(limited, before);
    assert_eq!(tenant.call(&edge, "POST", &format!("{key}/rotate"), &Value::Null).status, 200);
    assert_ne!(tag(&at), limited);
}

#[test]
fn a_key_keeps_its_name_and_its_limit() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let path = format!("/api/v1/workspaces/{}/publishable-key", tenant.workspace);
    for pair in 0..PAIRS {
        edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
        let (name, event) = (format!("Key {pair}"), format!("e{pair}.*"));
        let (name, events) = (json!({"name": name}), json!({"events": [event]}));
        edge.block_on(join(
            patch(&edge, &tenant, &path, "", &name),
            patch(&edge, &tenant, &path, "", &events),
        ));
        edge.chaos.rates.set(Rates::default());
        let at = format!("/api/v1/workspaces/{}", tenant.workspace);
        let key = tenant.get(&edge, &at)["publishable_key"].clone();
        assert_eq!((&key["name"], &key["events"]), (&name["name"], &events["events"]));
    }
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let field = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&field).unwrap_or_else(|| panic!("no {name} in {page}"));
    rest.split('"').next().expect("its end").replace("&quot;", "\"")
}

#[test]
fn a_form_drawn_before_a_change_shows_both_versions() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) =
        tenant.route(&edge, "x", json!({"url": "https://hooks.example.com/a"}));
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    let stale = |below: &str, change: (&str, Value), fields: &[(&str, &str)], words: [&str; 2]| {
        let version = hidden(&visitor.get(&edge, below).text, "version");
        assert_eq!(tenant.call(&edge, "PATCH", change.0, &change.1).status, 200);
        let with = |version: &str| {
            let mut all = vec![("version", version)];
            all.extend_from_slice(fields);
            visitor.post(&edge, below, &all)
        };
        let refused = with(&version);
        assert_eq!(refused.status, 409, "{}", refused.text);
        for word in words {
            assert!(refused.text.contains(word), "{word} in {}", refused.text);
        }
        // The form holds what was typed and knows the new version, so it can be saved after all.
        let saved = with(&hidden(&refused.text, "version"));
        assert_eq!(saved.status, 303, "{}", saved.text);
    };
    let fields = [
        ("name", "From the page"),
        ("url", "https://hooks.example.com/a"),
        ("http_method", "POST"),
        ("payload_mode", "raw"),
        ("auth_scheme", "none"),
        ("signing_algorithm", "hmac-sha256"),
        ("signing_scheme", "standard"),
        ("secret", "keep"),
    ];
    let path = format!("/api/v1/connections/{connection}");
    let below = format!("connections/{connection}/edit");
    let change = (path.as_str(), json!({"name": "From the API"}));
    stale(&below, change, &fields, ["From the page", "From the API"]);
    assert_eq!(text(&tenant.get(&edge, &path), "/name"), "From the page");

    let path = format!("/api/v1/rules/{rule}");
    let change = (path.as_str(), json!({"event": "by.api"}));
    let fields = [("event", "by.page"), ("connection", connection.as_str())];
    stale(&format!("rules/{rule}"), change, &fields, ["by.page", "by.api"]);
    assert_eq!(text(&tenant.get(&edge, &path), "/event"), "by.page");
}
