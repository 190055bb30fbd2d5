//! The page of an event: a timeline of attempts beside the one that is looked at.

use serde_json::json;

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;
use crate::visit::Visitor;

const HOOK: &str = "https://hooks.example.com/timeline";

/// The part of a page between two texts.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}")).1;
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

#[test]
fn an_event_is_a_timeline_beside_the_attempt_that_is_looked_at() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |n| match n {
        0 => Reply::status(401).body("{\"error\":\"invalid signature\",\"n\":1.0}"),
        _ => Reply::status(503).header("x-request-id", "second"),
    });
    let steps = json!({"url": HOOK, "retry_schedule_seconds": [5, 3_600, 7_200]});
    let (_, rule) = tenant.route(&edge, "order.paid", steps);
    let event = tenant.emit(&edge, "order.paid");
    edge.run_for(20_000);
    let more = json!({"role": "admin", "scopes": ["events.payload:read"]});
    let visitor = Visitor::new(&edge, &tenant, more);
    let page = visitor.get(&edge, &format!("events/{event}")).text;
    let timeline = between(&page, "id=\"deliveries\"", "id=\"pane\"");
    let place = |words: &str| timeline.find(words).unwrap_or_else(|| panic!("no {words}"));
    assert!(place("<b>401</b>") < place("<b>503</b>"), "the attempts are in order of time");
    assert!(place("<b>503</b>") < place("Next attempt"), "{timeline}");
    assert!(timeline.contains("attempt 3 of 4") && timeline.contains("if it fails, then"));
    // The newest attempt is beside it, with what it means.
    let current = between(timeline, "aria-current=\"true\"", "</a>");
    assert!(current.contains("503"), "{current}");
    let pane = between(&page, "id=\"pane\"", "<h2>Payload</h2>");
    assert!(pane.contains("Attempt 2") && pane.contains("Look in its log"), "{pane}");
    assert!(pane.contains("second"), "{pane}");
    // Its own address compares it with the one before.
    let second = visitor.get(&edge, &format!("events/{event}/rules/{rule}/attempts/2")).text;
    let changes = between(&second, "Compared with attempt 1", "</details>");
    assert!(changes.contains("<td>401</td><td>503</td>"), "{changes}");
    assert!(changes.contains("<th scope=\"row\">x-request-id</th><td></td><td>second</td>"));
    // The former one has an address of its own.
    let first = visitor.get(&edge, &format!("events/{event}/rules/{rule}/attempts/1"));
    assert_eq!(first.status, 200);
    let pane = between(&first.text, "id=\"pane\"", "<h2>Payload</h2>");
    assert!(pane.contains("/verification\""), "the action for 401: {pane}");
    assert!(!pane.contains("Compared with"), "{pane}");
    // JSON is laid out for reading, its exact bytes are there too; headers are a table.
    assert!(pane.contains("  &quot;error&quot;: &quot;invalid signature&quot;,\n"), "{pane}");
    assert!(pane.contains("{&quot;error&quot;:&quot;invalid signature&quot;,&quot;n&quot;:1.0}"));
    let header = "<th scope=\"row\">webhook-id<span class=\"unseen\">: </span></th>";
    assert!(pane.contains(header), "{pane}");
    for (rule, number) in [(rule.as_str(), "3"), (rule.as_str(), "x"), (event.as_str(), "1")] {
        let below = format!("events/{event}/rules/{rule}/attempts/{number}");
        assert_eq!(visitor.get(&edge, &below).status, 404, "{below}");
    }
    // Who sees one resource learns the code and what came of it, and no URL or header.
    let only = json!({"session_type": "resource", "resource": "order", "resource_id": "7"});
    let body = json!({"event": "order.paid", "resource": "order", "resource_id": "7",
        "payload": {}});
    let sent = tenant.emit_text(&edge, &body.to_string()).json();
    let event = sent["event"]["id"].as_str().expect("an id").to_owned();
    edge.run_for(2_000);
    let page = Visitor::new(&edge, &tenant, only).get(&edge, &format!("events/{event}")).text;
    assert!(page.contains("<code>503</code>") && page.contains("Look in its log"), "{page}");
    for word in [HOOK, "webhook-signature", "Copy", "/connections/"] {
        let pane = between(&page, "id=\"pane\"", "<h2>Payload</h2>");
        assert!(!pane.contains(word), "{word}: {pane}");
    }
}

#[test]
fn an_event_without_attempts_says_so_and_a_canceled_delivery_can_be_sent_again() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |_| Reply::status(500));
    let (_, rule) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
    let event = tenant.emit(&edge, "order.paid");
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = |below: &str| visitor.get(&edge, below).text;
    let shown = page(&format!("events/{event}"));
    assert!(shown.contains("No attempt yet"), "{shown}");
    edge.run_for(2_000);
    let at = format!("events/{event}/rules/{rule}");
    assert_eq!(visitor.post(&edge, &format!("{at}/cancel"), &[]).status, 303);
    let shown = page(&format!("events/{event}"));
    assert!(shown.contains("Send again"), "{shown}");
    assert_eq!(visitor.post(&edge, &format!("{at}/retry"), &[]).status, 303);
    edge.run_for(2_000);
    assert!(page(&format!("events/{event}")).contains("Attempt 2"));
}

#[test]
fn the_way_to_verify_a_signature_carries_what_that_page_has_to_know() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let body = json!({"url": HOOK, "signing_scheme": "body", "signature_header": "X-Hub",
        "signature_prefix": "sha256=", "signing_secret": "abc-abc-abc"});
    tenant.route(&edge, "order.paid", body);
    let unsigned = json!({"url": HOOK, "signing_algorithm": "none"});
    tenant.route(&edge, "user.made", unsigned);
    let (signed, plain) = (tenant.emit(&edge, "order.paid"), tenant.emit(&edge, "user.made"));
    edge.run_for(2_000);
    let page = |more: serde_json::Value, event: &str| {
        Visitor::new(&edge, &tenant, more).get(&edge, &format!("events/{event}")).text
    };
    let reads = json!({"role": "admin", "scopes": ["events.payload:read"]});
    let link = |page: &str| between(page, "href=\"/tools/verify#", "\"").replace("&amp;", "&");
    let found = link(&page(reads.clone(), &signed));
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(found.as_bytes()).into_owned().collect();
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    assert_eq!(field("scheme"), Some("body"));
    assert_eq!(field("prefix"), Some("sha256="));
    let headers = field("headers").expect("headers");
    assert!(headers.contains("X-Hub: sha256=") && headers.lines().count() == 2, "{headers}");
    assert!(field("body").is_some_and(|body| body.starts_with('{')), "{fields:?}");
    assert!(!found.contains("abc-abc-abc"), "no secret");
    // Who may not read payloads enters the body.
    assert!(!link(&page(json!({"role": "admin"}), &signed)).contains("body="));
    assert!(!page(reads, &plain).contains("/tools/verify"), "there is no signature");
}
