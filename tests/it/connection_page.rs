//! The page of a connection: how it is, why, what to do, and its deliveries with their filters.

use posthorn::domain::base::time::{HOUR_MS, rfc3339};
use posthorn::ports::Clock;
use posthorn::store::connection_deliveries::DAY_LOOKED_AT_OF_EACH;
use serde_json::json;

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;
use crate::visit::Visitor;

const HOOK: &str = "https://hooks.example.com/health";

fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from} in {page}")).1;
    rest.split_once(to).map_or(rest, |(part, _)| part)
}

#[test]
fn a_page_says_why_a_connection_fails_and_offers_one_action() {
    for (status, words, action) in [
        (401, "uses the current secret", "/verification"),
        (403, "uses the current secret", "/verification"),
        (404, "does not know this address", "/edit"),
        (413, "too large for your server", "/test"),
        (415, "does not accept this content type", "/test"),
        (429, "asked for fewer requests", "/edit"),
        (500, "Your server had an error", "/test"),
        (525, "No TLS connection could be made", "/edit"),
        (530, "does not resolve", "/edit"),
    ] {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        edge.receivers.script(HOOK, move |_| Reply::status(status));
        let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
        let event = tenant.emit(&edge, "order.paid");
        edge.run_for(3_000);
        let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
        let page = visitor.get(&edge, &format!("connections/{connection}")).text;
        let health = between(&page, "id=\"health\"", "</section>");
        assert!(health.contains("Failing since") && health.contains(words), "{status}: {health}");
        assert!(health.contains("1 delivery is waiting"), "{status}: {health}");
        let actions = between(health, "class=\"actions\"", "</div>");
        assert!(actions.contains(&format!("{connection}{action}\"")), "{status}: {actions}");
        assert!(actions.contains(&format!("events/{event}\"")), "{status}: {actions}");
        // Nobody is led to a page that is not for him.
        let member = Visitor::new(&edge, &tenant, json!({"role": "member"}));
        for below in [format!("connections/{connection}"), format!("events/{event}")] {
            let page = member.get(&edge, &below).text;
            assert!(!page.contains(&format!("{connection}/edit\"")), "{status} {below}: {page}");
        }
    }
}

#[test]
fn a_connection_is_told_as_it_is() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let bare = tenant.connection(&edge, json!({"url": "https://hooks.example.com/none"}));
    let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let health = |id: &str| {
        let page = visitor.get(&edge, &format!("connections/{id}")).text;
        between(&page, "id=\"health\"", "</section>").to_owned()
    };
    assert!(health(&bare).contains("No rules: nothing is sent"), "{}", health(&bare));
    tenant.emit(&edge, "order.paid");
    edge.run_for(3_000);
    assert!(health(&connection).contains("Working."), "{}", health(&connection));
    let below = format!("connections/{connection}");
    assert_eq!(visitor.post(&edge, &format!("{below}/deactivate"), &[]).status, 303);
    assert!(!health(&connection).contains("Resume and cancel"), "nothing is held");
    tenant.emit(&edge, "order.paid");
    edge.run_for(3_000);
    let told = health(&connection);
    for words in ["1 delivery is held", ">Resume<", "Resume and cancel held"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

#[test]
fn deliveries_are_found_by_state_and_date_and_sent_again_from_the_list() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |n| match n {
        0 => Reply::status(500).header("webhook-delivery", "abort-message"),
        _ => Reply::status(200),
    });
    let (connection, rule) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
    let failed = tenant.emit(&edge, "order.paid");
    edge.run_for(60_000);
    let between_ms = edge.now_ms();
    edge.run_for(60_000);
    let delivered = tenant.emit(&edge, "order.paid");
    edge.run_for(3_000);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let below = format!("connections/{connection}");
    let at = rfc3339(between_ms)[..16].to_owned();
    for (query, expected) in [
        (String::new(), [true, true]),
        ("?status=failed".to_owned(), [true, false]),
        ("?status=completed".to_owned(), [false, true]),
        ("?status=held".to_owned(), [false, false]),
        ("?status=nonsense".to_owned(), [true, true]),
        (format!("?since={at}"), [false, true]),
        (format!("?until={at}"), [true, false]),
        (format!("?since={at}&status=failed"), [false, false]),
    ] {
        let page = visitor.get(&edge, &format!("{below}{query}")).text;
        let table = between(&page, "id=\"deliveries\"", "</section>");
        let has = [&failed, &delivered].map(|id| table.contains(&format!("events/{id}\"")));
        assert_eq!(has, expected, "{query}: {table}");
        let is_all = expected == [true, true];
        assert_eq!(page.contains("data-poll"), is_all, "{query}");
    }
    let page = visitor.get(&edge, &below).text;
    let retry = format!("events/{failed}/rules/{rule}/retry");
    assert_eq!(page.matches(&format!("{retry}\"")).count(), 1, "{page}");
    let fields = [("after", "connection"), ("connection", connection.as_str())];
    let sent = visitor.post(&edge, &retry, &fields);
    let to = sent.headers["location"].to_str().expect("text").to_owned();
    assert_eq!((sent.status, to), (303, visitor.path(&format!("{below}?done=retried"))));
    edge.run_for(3_000);
    let page = visitor.get(&edge, &format!("{below}?status=failed")).text;
    assert!(page.contains("No delivery on this page matches"), "{page}");
}

#[test]
fn who_sets_secrets_sees_their_fingerprints_and_nobody_sees_a_secret() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let own = json!({"url": HOOK, "signing_secret": "abc-abc-abc"});
    let (connection, _) = tenant.route(&edge, "order.paid", own);
    for (role, may) in [("admin", true), ("member", false)] {
        let visitor = Visitor::new(&edge, &tenant, json!({"role": role}));
        let page = visitor.get(&edge, &format!("connections/{connection}")).text;
        assert_eq!(page.contains(&fingerprint("abc-abc-abc")), may, "{role}: {page}");
        assert!(!page.contains("abc-abc-abc"));
    }
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = visitor.get(&edge, &format!("connections/{connection}/secret")).text;
    assert!(page.contains(&fingerprint("abc-abc-abc")), "{page}");
}

fn fingerprint(secret: &str) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(secret);
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_connection_that_fails_can_be_tried_at_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let steps = json!({"url": HOOK, "retry_schedule_seconds": [3_600]});
    let (connection, _) = tenant.route(&edge, "order.paid", steps);
    let event = tenant.emit(&edge, "order.paid");
    edge.run_for(3_000);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "member"}));
    let below = format!("connections/{connection}");
    let page = visitor.get(&edge, &below).text;
    assert!(page.contains(&format!("{below}/probe\"")) && page.contains(">Try now<"), "{page}");
    let tried = visitor.post(&edge, &format!("{below}/probe"), &[]);
    let to = tried.headers["location"].to_str().expect("text").to_owned();
    assert_eq!((tried.status, to), (303, visitor.path(&format!("events/{event}?done=retried"))));
    edge.run_for(3_000);
    let page = visitor.get(&edge, &below).text;
    assert!(page.contains("Working.") && !page.contains("Try now"), "{page}");
    let none = visitor.post(&edge, &format!("{below}/probe"), &[]);
    assert!(none.status >= 400, "nothing waits: {}", none.text);
}

#[test]
fn the_overview_shows_the_last_24_hours_of_each_connection() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |_| Reply::status(410));
    let (broken, _) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
    let fine = json!({"url": "https://hooks.example.com/fine"});
    let (fine, _) = tenant.route(&edge, "order.paid", fine);
    tenant.emit(&edge, "order.paid");
    edge.run_for(25 * HOUR_MS);
    for _ in 0..2 {
        tenant.emit(&edge, "order.paid");
    }
    tenant.call(&edge, "POST", &format!("/api/v1/connections/{fine}/test"), &json!({}));
    edge.run_for(3_000);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let of = |connection: &str| {
        let page = visitor.get(&edge, "dashboard").text;
        let days = between(&page, "id=\"last-day\"", "</table>").to_owned();
        between(&days, &format!("connections/{connection}\""), "</tr>").to_owned()
    };
    // What is older than a day and what was a test is not counted.
    assert!(of(&fine).contains("Last 24 hours: 2 delivered, 0 failed\""), "{}", of(&fine));
    assert!(of(&fine).contains("> 100 %<") && of(&fine).contains(">Active<"), "{}", of(&fine));
    assert!(of(&broken).contains("2 not finished"), "{}", of(&broken));
    // Where there are more than are looked at, the page says so.
    let cut = "the newest 100 are counted";
    assert!(!visitor.get(&edge, "dashboard").text.contains(cut));
    for _ in 0..DAY_LOOKED_AT_OF_EACH {
        tenant.emit(&edge, "order.paid");
    }
    edge.run_for(3_000);
    assert!(visitor.get(&edge, "dashboard").text.contains(cut));
    assert!(of(&fine).contains("The newest 100 deliveries, since "), "{}", of(&fine));
    // It is about all resources, and not for a session of one.
    let only = json!({"session_type": "resource", "resource": "order", "resource_id": "7"});
    let page = Visitor::new(&edge, &tenant, only).get(&edge, "dashboard").text;
    assert!(!page.contains("id=\"last-day\""), "{page}");
}

#[test]
fn an_attempt_that_is_late_is_due_now_and_not_some_time_ago() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |_| Reply::status(500));
    let (connection, _) = tenant.route(&edge, "order.paid", json!({"url": HOOK}));
    let event = tenant.emit(&edge, "order.paid");
    edge.run_for(1_000);
    let due_at_ms = edge.logs[0].ask("select due_at_ms from deliveries")[0].as_i64();
    edge.advance_to(due_at_ms.expect("it is due") + 60_000);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    for below in [format!("connections/{connection}"), format!("events/{event}")] {
        let page = visitor.get(&edge, &below).text;
        let due: Vec<&str> = page.split("data-due>").skip(1).collect();
        assert!(!due.is_empty() && due.iter().all(|due| due.starts_with("now<")), "{page}");
    }
}
