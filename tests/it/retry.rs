//! Retrying a delivery by hand.

use std::cell::Cell;
use std::rc::Rc;

use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant};

const HOOK: &str = "https://hooks.example.com/a";

struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    rule: String,
}

fn world(metadata: Value) -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let mut all = json!({"url": HOOK});
    for (name, value) in metadata.as_object().expect("an object") {
        all[name] = value.clone();
    }
    let (connection, rule) = tenant.route(&edge, "x", all);
    World { edge, tenant, connection, rule }
}

impl World {
    fn retry(&self, event: &str) -> Answered {
        let path = format!("/api/v1/events/{event}/rules/{}/retry", self.rule);
        self.tenant.call(&self.edge, "POST", &path, &Value::Null)
    }

    fn status(&self, event: &str) -> String {
        self.tenant.delivery(&self.edge, event)["status"].as_str().expect("a word").to_owned()
    }
}

#[test]
fn a_failed_delivery_gets_its_whole_schedule_again() {
    let world = world(json!({"retry_schedule_seconds": [10, 20]}));
    let edge = &world.edge;
    edge.receivers.script(HOOK, |n| Reply::status(if n < 5 { 500 } else { 200 }));
    let event = world.tenant.emit(edge, "x");
    edge.run_for(120_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("failed", 3));

    let answer = world.retry(&event);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let shown = answer.json();
    assert_eq!([&shown["status"], &shown["attempt_count"]], [&json!("pending"), &json!(3)]);
    let asked_at_ms = edge.now_ms();
    edge.run_for(200_000);
    let seen = edge.receivers.seen(HOOK);
    let after: Vec<i64> = seen[3..].iter().map(|seen| seen.at_ms - asked_at_ms).collect();
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(after[0] < 1_000, "the first is made at once: {after:?}");
    assert!((10_000..12_500).contains(&(after[1] - after[0])), "{after:?}");
    assert!((20_000..23_500).contains(&(after[2] - after[1])), "{after:?}");
    assert_eq!(world.status(&event), "completed");
    // The message is the same one, each time signed afresh.
    assert_eq!(seen[5].header("webhook-id"), seen[0].header("webhook-id"));
    assert_eq!(seen[5].header("posthorn-attempt"), "6");
    assert_ne!(seen[5].header("webhook-signature"), seen[0].header("webhook-signature"));
    let attempts = world.tenant.attempts(edge, &event, &world.rule);
    let asked: Vec<bool> = attempts.iter().map(|a| a.get("asked_by").is_some()).collect();
    assert_eq!(asked, [false, false, false, true, false, false]);
    let key = json!(format!("machine_key:{}", world.tenant.access_key));
    assert_eq!(attempts[3]["asked_by"], key);
}

#[test]
fn a_delivered_one_is_sent_once_more_and_an_open_one_at_once() {
    let world = world(json!({}));
    let edge = &world.edge;
    edge.receivers.script(HOOK, |n| Reply::status(if n == 0 { 500 } else { 204 }));
    let event = world.tenant.emit(edge, "x");
    edge.run_for(1_000);
    assert_eq!(world.status(&event), "retrying");
    assert_eq!(world.retry(&event).status, 200);
    edge.run_for(1_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("completed", 2));
    edge.run_for(60_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 2, "the attempt it came before is not made too");

    assert_eq!(world.retry(&event).status, 200);
    edge.run_for(1_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("completed", 3));
}

#[test]
fn what_is_replayed_on_a_strict_connection_goes_to_the_tail() {
    let world = world(json!({"ordering": "strict", "retry_schedule_seconds": [60]}));
    let edge = &world.edge;
    edge.receivers.script(HOOK, |n| Reply::status(if n == 1 { 500 } else { 200 }));
    let first = world.tenant.emit(edge, "x");
    edge.run_for(6_000);
    let failing = world.tenant.emit(edge, "x");
    edge.run_for(1_000);
    let last = world.tenant.emit(edge, "x");
    // The second fails and keeps the third waiting; what is replayed now waits behind both.
    assert_eq!(world.retry(&first).status, 200);
    edge.run_for(30_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 2);
    edge.run_for(120_000);
    let seen = edge.receivers.seen(HOOK);
    let order: Vec<&str> = seen.iter().map(|seen| seen.header("posthorn-event-id")).collect();
    assert_eq!(order, [&first, &failing, &failing, &last, &first]);
}

#[test]
fn what_is_canceled_lets_a_strict_line_go_on() {
    let world = world(json!({"ordering": "strict", "retry_schedule_seconds": [172_800]}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    edge.receivers.script(HOOK, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let (first, second) = (tenant.emit(edge, "x"), tenant.emit(edge, "x"));
    edge.run_for(10_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 1, "the first keeps the second waiting");
    let path = format!("/api/v1/events/{first}/rules/{}/cancel", world.rule);
    let canceled = tenant.call(edge, "POST", &path, &Value::Null);
    assert_eq!((canceled.status, &canceled.json()["status"]), (200, &json!("canceled")));
    edge.run_for(10_000);
    assert_eq!(
        (world.status(&first), world.status(&second)),
        ("canceled".into(), "completed".into())
    );
    assert_eq!(tenant.call(edge, "POST", &path, &Value::Null).status, 409);
    let whole = format!("/api/v1/events/{second}/cancel");
    assert_eq!(tenant.call(edge, "POST", &whole, &Value::Null).status, 409, "it is delivered");
}

#[test]
fn a_lost_wake_up_of_a_retry_is_the_sweepers() {
    let world = world(json!({}));
    let edge = &world.edge;
    let event = world.tenant.emit(edge, "x");
    edge.run_for(1_000);
    edge.queue.refuses.set(true);
    assert_eq!(world.retry(&event).status, 200);
    edge.queue.refuses.set(false);
    edge.run_for(180_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("completed", 2));
}

#[test]
fn what_is_under_way_is_not_attempted_beside_it() {
    let world = world(json!({"retry_schedule_seconds": [1, 600, 600]}));
    let edge = &world.edge;
    let hangs = |n| if n == 1 { Reply::hang() } else { Reply::status(500) };
    edge.receivers.script(HOOK, hangs);
    let event = world.tenant.emit(edge, "x");
    edge.run_for(5_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("retrying", 2));
    // Another isolate does not know of it, but the lane does.
    edge.change_isolate();
    let early = world.retry(&event);
    assert_eq!(early.status, 425, "{}", early.text);
    edge.run_for(20_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 2, "it was not answered in time, and waits");
    assert_eq!(world.retry(&event).status, 200);
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 3);
}

#[test]
fn what_was_just_sent_again_or_released_is_on_its_way() {
    let world = world(json!({}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    let event = tenant.emit(edge, "x");
    edge.run_for(120_000);
    edge.receivers.script(HOOK, |_| Reply::hang());
    assert_eq!(world.retry(&event).status, 200);
    edge.run_for(1_000);
    edge.change_isolate();
    assert_eq!(world.retry(&event).status, 425);
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(HOOK).len(), 2);

    let at = format!("/api/v1/connections/{}", world.connection);
    tenant.call(edge, "POST", &format!("{at}/deactivate"), &Value::Null);
    let held = tenant.emit(edge, "x");
    edge.run_for(120_000);
    tenant.call(edge, "POST", &format!("{at}/activate"), &Value::Null);
    assert_eq!(world.retry(&held).status, 425);
}

#[test]
fn what_cannot_be_retried_says_why() {
    let world = world(json!({}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    edge.queue.refuses.set(true);
    let event = tenant.emit(edge, "x");
    let early = world.retry(&event);
    assert_eq!(early.status, 425, "{}", early.text);
    let at = format!("/api/v1/connections/{}", world.connection);
    tenant.call(edge, "POST", &format!("{at}/deactivate"), &Value::Null);
    assert_eq!(world.retry(&event).status, 409, "held");
    tenant.call(edge, "POST", &format!("{at}/activate"), &json!({"held": "cancel"}));
    assert_eq!(world.status(&event), "canceled");
    let path = format!("/api/v1/events/{event}/rules/{}/retry", world.connection);
    assert_eq!(tenant.call(edge, "POST", &path, &Value::Null).status, 404, "no such rule");
}

#[test]
fn a_canceled_one_is_sent_again_when_somebody_asks_for_it() {
    let world = world(json!({}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    edge.queue.refuses.set(true);
    let event = tenant.emit(edge, "x");
    let path = format!("/api/v1/events/{event}/cancel");
    assert_eq!(tenant.call(edge, "POST", &path, &Value::Null).status, 200);
    edge.queue.refuses.set(false);
    assert_eq!(world.retry(&event).status, 200);
    edge.run_for(1_000);
    assert_eq!((world.status(&event).as_str(), edge.receivers.seen(HOOK).len()), ("completed", 1));
}

/// What happened stays as it was when nothing can be sent any more.
#[test]
fn nothing_is_sent_again_on_a_connection_that_is_inactive_or_gone() {
    let world = world(json!({}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    let event = tenant.emit(edge, "x");
    edge.run_for(1_000);
    let at = format!("/api/v1/connections/{}", world.connection);
    let conflict = |word: &str| {
        let answer = world.retry(&event);
        assert_eq!(answer.status, 409, "{}", answer.text);
        assert_eq!(answer.json()["error"]["code"], "connection_inactive");
        assert!(answer.json()["message"].as_str().is_some_and(|told| told.contains(word)));
        edge.run_for(1_000);
        assert_eq!(world.status(&event), "completed", "{word}");
    };
    tenant.call(edge, "POST", &format!("{at}/deactivate"), &Value::Null);
    conflict("inactive");
    tenant.call(edge, "POST", &format!("{at}/activate"), &Value::Null);
    let deleted = tenant.call(edge, "DELETE", &at, &json!({"force_delete": true}));
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    conflict("deleted");
    assert_eq!(edge.receivers.seen(HOOK).len(), 1);
}

/// A connection that failed for a minute, with what waits on it, just after it was repaired: its
/// events, and how many requests it got so far.
fn repaired(settings: Value) -> (World, Vec<String>, usize) {
    let world = world(settings);
    let edge = &world.edge;
    let is_up = Rc::new(Cell::new(false));
    let up = Rc::clone(&is_up);
    edge.receivers.script(HOOK, move |_| Reply::status(if up.get() { 200 } else { 500 }));
    let emit = |_| {
        edge.run_for(1);
        world.tenant.emit(edge, "x")
    };
    let events = (0..20).map(emit).collect();
    edge.run_for(60_000);
    is_up.set(true);
    let before = edge.receivers.count(HOOK);
    (world, events, before)
}

#[test]
fn a_retry_by_hand_does_not_wait_for_the_breaker() {
    let (world, events, before) = repaired(json!({}));
    let edge = &world.edge;
    assert_eq!(world.retry(&events[17]).status, 200);
    edge.run_for(500);
    let seen = edge.receivers.seen(HOOK);
    assert_eq!(seen[before].header("posthorn-event-id"), events[17], "it went out at once");
    edge.run_for(10 * 60_000);
    assert!(
        events.iter().all(|event| world.status(event) == "completed"),
        "and closed the breaker"
    );
    assert_eq!(edge.receivers.count(HOOK), before + 20, "each once more");
}

#[test]
fn a_probe_attempts_the_oldest_at_once() {
    for settings in [json!({}), json!({"ordering": "strict"}), json!({"max_per_second": 5})] {
        let (world, events, before) = repaired(settings.clone());
        let (edge, tenant) = (&world.edge, &world.tenant);
        let path = format!("/api/v1/connections/{}/probe", world.connection);
        let probed = tenant.call(edge, "POST", &path, &Value::Null);
        assert_eq!(probed.status, 200, "{settings} {}", probed.text);
        assert_eq!(probed.json()["event_id"], json!(events[0]), "{settings}");
        edge.run_for(500);
        let seen = edge.receivers.seen(HOOK);
        assert_eq!(seen[before].header("posthorn-event-id"), events[0], "{settings}");
        edge.run_for(10 * 60_000);
        assert!(events.iter().all(|event| world.status(event) == "completed"), "{settings}");
        assert_eq!(edge.receivers.count(HOOK), before + 20, "{settings}: each once more");
        let nothing = tenant.call(edge, "POST", &path, &Value::Null);
        assert_eq!(nothing.status, 409, "{settings}: nothing waits");
        let pause = format!("/api/v1/connections/{}/deactivate", world.connection);
        tenant.call(edge, "POST", &pause, &json!({}));
        let inactive = tenant.call(edge, "POST", &path, &Value::Null);
        assert_eq!(inactive.json()["error"]["code"], "connection_inactive", "{settings}");
    }
}

#[test]
fn in_a_strict_line_only_the_first_can_be_retried_by_hand() {
    let (world, events, before) = repaired(json!({"ordering": "strict"}));
    // For a minute after it was emitted its job may be on its way.
    world.edge.run_for(1_000);
    let refused = world.retry(&events[1]);
    assert_eq!(refused.status, 409, "{}", refused.text);
    assert!(refused.text.contains("strict order"), "{}", refused.text);
    assert_eq!(world.retry(&events[0]).status, 200);
    world.edge.run_for(60_000);
    let seen = world.edge.receivers.seen(HOOK);
    let order: Vec<&str> = seen[before..].iter().map(|s| s.header("posthorn-event-id")).collect();
    assert_eq!(order, events, "the line goes on in its order");
}
