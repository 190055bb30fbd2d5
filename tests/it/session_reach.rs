//! How far a session reaches by its type, the page on which it begins, and frames that may not show
//! it.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant, call, params, text};
use crate::visit::{Visitor, cookie_of, create, launch_target};

const URL: &str = "https://hooks.example.com/a";
const SHOP: &str = "https://shop.example.com";

/// A workspace with a rule and a failed delivery about the order 7.
fn world() -> (Edge, Tenant) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let once = json!({"url": URL, "retry_schedule_seconds": [5]});
    let connection = tenant.connection(&edge, once);
    let rule = json!({"workspace": tenant.workspace, "connection": connection, "event": "x",
        "resource": "order", "resource_id": "7", "metadata": {"action": "send_webhook"}});
    tenant.post(&edge, "/api/v1/rules", &rule);
    edge.receivers.script(URL, |_| Reply::status(500));
    let event = r#"{"event":"x","resource":"order","resource_id":"7","payload":{"a":1}}"#;
    assert_eq!(tenant.emit_text(&edge, event).status, 201);
    edge.run_for(60_000);
    (edge, tenant)
}

fn of_order(role: &str) -> Value {
    json!({"session_type": "resource", "resource": "order", "resource_id": "7", "role": role,
        "scopes": ["events.payload:read"]})
}

/// The first part below the session of every page that links lead to; all of them open.
fn sections(edge: &Edge, visitor: &Visitor) -> Vec<String> {
    let home = visitor.path("");
    let mut found: Vec<String> = Vec::new();
    for (path, answer) in visitor.crawl(edge) {
        assert!([200, 303].contains(&answer.status), "{path}: {}", answer.text);
        let below = path.strip_prefix(&home).expect("below the session");
        found.push(below.split(['/', '?']).next().unwrap_or_default().to_owned());
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn a_dashboard_session_sees_the_overview_and_no_way_elsewhere() {
    let (edge, tenant) = world();
    let dashboard = json!({"session_type": "dashboard", "role": "owner"});
    let visitor = Visitor::new(&edge, &tenant, dashboard);
    assert_eq!(sections(&edge, &visitor), ["dashboard"]);
    let page = visitor.get(&edge, "dashboard").text;
    assert!(page.contains("Orders"), "what needs attention is there: {page}");
    for below in ["connections", "rules", "events", "failed", "replays"] {
        let answer = visitor.get(&edge, below);
        assert_eq!(answer.status, 404, "{below}");
        assert!(answer.text.contains(&visitor.path("dashboard")), "a way home: {}", answer.text);
    }
}

#[test]
fn a_resource_session_sees_no_connections_and_no_receiver() {
    let (edge, tenant) = world();
    let visitor = Visitor::new(&edge, &tenant, of_order("admin"));
    let reached = ["dashboard", "event-types", "events", "failed", "rules"];
    assert_eq!(sections(&edge, &visitor), reached);
    for (path, answer) in visitor.crawl(&edge) {
        assert!(!answer.text.contains("hooks.example.com"), "{path}: {}", answer.text);
        assert!(!answer.text.contains("webhook-signature"), "{path}: {}", answer.text);
    }
    let event = tenant.get(&edge, "/api/v1/events")["records"][0].clone();
    let page = visitor.get(&edge, &format!("events/{}", text(&event, "/id"))).text;
    assert!(page.contains("Server error") && page.contains("500"), "code and outcome: {page}");
    let rules = visitor.get(&edge, "rules").text;
    assert!(rules.contains("<option") && rules.contains("Orders"), "names to choose: {rules}");
}

#[test]
fn a_session_begins_on_a_page_of_its_type() {
    let (edge, tenant) = world();
    let try_it = |more: Value, page: &str| {
        let mut body = more;
        body["workspace_id"] = json!(tenant.workspace);
        body["launch_page"] = json!(page);
        let answer = tenant.call(&edge, "POST", "/api/v1/sessions", &body);
        assert!(answer.status == 200 || params(&answer.json()) == ["launch_page"]);
        answer.status
    };
    let pages = ["dashboard", "connections", "rules", "events"];
    let dashboard = json!({"session_type": "dashboard"});
    for (session, expected) in [
        (json!({}), [200, 200, 200, 200]),
        (of_order("member"), [200, 400, 200, 200]),
        (dashboard, [200, 400, 400, 400]),
    ] {
        assert_eq!(pages.map(|page| try_it(session.clone(), page)), expected, "{session}");
    }
}

fn location(answer: &Answered) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    answer.headers["location"].to_str().expect("text").to_owned()
}

#[test]
fn a_launch_opens_the_page_that_its_path_names() {
    let (edge, tenant) = world();
    let launched = |more: Value, query: &str| {
        let created = create(&edge, &tenant, more);
        let home = format!("/embed/s/{}", text(&created, "/session_id"));
        let target = format!("{}{query}", launch_target(&created));
        let answer = call(&edge, "GET", &target, &[], b"");
        let below = location(&answer).strip_prefix(&home).expect("below the session").to_owned();
        let headers = [("cookie", cookie_of(&answer))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = call(&edge, "GET", &location(&answer), &headers, b"");
        assert!(page.text.contains(&format!("{home}/dashboard")), "a way home: {}", page.text);
        (below, page.status)
    };
    let events = "/events?status=failed";
    let said = |path: &str, status: u16| (path.to_owned(), status);
    assert_eq!(launched(json!({"path": events}), ""), said(events, 200));
    assert_eq!(launched(json!({}), "&path=%2Fevents%3Fstatus%3Dfailed"), said(events, 200));
    let both = json!({"path": "/rules", "launch_page": "events"});
    assert_eq!(launched(both.clone(), ""), said("/rules", 200), "it wins over launch_page");
    assert_eq!(launched(both.clone(), "&path=/connections"), said("/connections", 200));
    // What the session does not see, and what there is not, is a page with a way home.
    let unseen = json!({"session_type": "dashboard", "path": "/events"});
    assert_eq!(launched(unseen, ""), said("/events", 404));
    assert_eq!(launched(json!({"path": "/nowhere/at/all"}), ""), said("/nowhere/at/all", 404));
    let post_only = "/rules/0190c0de-0000-7000-8000-000000000001/delete";
    assert_eq!(launched(json!({"path": post_only}), ""), said(post_only, 404));
    // A path in the URL that is none is as good as not there.
    assert_eq!(launched(json!({}), "&path=//evil.example"), said("/dashboard", 200));
    for bad in ["events", "//evil.example", "/../x", "/launch", "/a b", ""] {
        let body = json!({"workspace_id": tenant.workspace, "path": bad});
        let refused = tenant.call(&edge, "POST", "/api/v1/sessions", &body);
        assert_eq!((refused.status, params(&refused.json())), (400, vec!["path"]), "{bad:?}");
    }
}

#[test]
fn a_frame_that_is_not_allowed_says_what_to_allow() {
    let (edge, tenant) = world();
    let frame = |created: &Value, site: &str, referer: &str| {
        let mut headers = vec![("sec-fetch-dest", "iframe"), ("sec-fetch-site", site)];
        headers.extend((!referer.is_empty()).then_some(("referer", referer)));
        call(&edge, "GET", &launch_target(created), &headers, b"")
    };
    let policy = |answer: &Answered| {
        let header = answer.headers["content-security-policy"].to_str().expect("text");
        header.rsplit_once("frame-ancestors ").expect("ancestors").1.to_owned()
    };
    let nobody = create(&edge, &tenant, json!({}));
    let page = format!("{SHOP}/settings/webhooks?x=1");
    for (site, referer, named) in [
        ("cross-site", page.as_str(), SHOP),
        ("same-site", "https://app.posthorn.example/", "https://app.posthorn.example"),
        ("cross-site", "", "the origin of the page around this frame"),
    ] {
        let answer = frame(&nobody, site, referer);
        assert_eq!((answer.status, policy(&answer).as_str()), (403, "*"), "{}", answer.text);
        assert!(answer.headers.get("set-cookie").is_none());
        for said in
            [named, "allowed_origins in POST /api/v1/sessions", "PATCH /api/v1/organization"]
        {
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
        let session = text(&nobody, "/session_id");
        for inside in ["Acme", session.as_str(), "csrf_token"] {
            assert!(!answer.text.contains(inside), "{inside}: {}", answer.text);
        }
    }
    // Nothing was used up: it opens at top level.
    assert_eq!(call(&edge, "GET", &launch_target(&nobody), &[], b"").status, 303);

    let origins = json!({"allowed_origins": [format!("{SHOP}/"), "https://b.example.com"]});
    let allowed = create(&edge, &tenant, origins.clone());
    let other = frame(&allowed, "cross-site", "https://c.example.com/");
    assert_eq!(other.status, 403, "{}", other.text);
    let opened = frame(&allowed, "cross-site", &page);
    assert_eq!((opened.status, policy(&opened)), (303, format!("{SHOP} https://b.example.com")));
    let silent = create(&edge, &tenant, origins);
    assert_eq!(frame(&silent, "cross-site", "").status, 303, "the policy decides");
    let own = create(&edge, &tenant, json!({}));
    assert_eq!(frame(&own, "same-origin", "").status, 303);
}
