//! Messages that ask for several deliveries, and what a consumer remembers of connections.

use posthorn::app::delivery::deliver::Verdict;
use posthorn::app::delivery::work::QueueMessage;
use posthorn::domain::base::limits::{MESSAGE_JOBS_MAX, TARGET_CACHED_MS};
use posthorn::domain::delivery::job::{Job, Message};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::deliver::URL;
use crate::edge::{Edge, Reply, Weather};
use crate::tenant::{Tenant, call};

/// Receivers of a crowd.
const CROWD: usize = 100;

const OTHER: &str = "https://hooks.example.com/other";

fn url(n: usize) -> String {
    format!("https://hooks.example.com/{n}")
}

/// A tenant with one event that goes to so many connections.
fn fan_out(edge: &Edge, count: usize) -> Tenant {
    let tenant = Tenant::new(edge, "Acme");
    (0..count).for_each(|n| drop(tenant.route(edge, "x", json!({"url": url(n)}))));
    tenant
}

fn jobs(text: &str) -> Vec<Job> {
    match Message::parse(text) {
        Ok(Message::Deliver(jobs)) => jobs,
        other => panic!("{other:?}"),
    }
}

#[test]
fn deliveries_of_a_workspace_share_messages() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "x", json!({"url": URL}));
    let body = format!("[{}]", vec![r#"{"event":"x","payload":{}}"#; 100].join(","));
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let answer = call(&edge, "POST", "/api/v1/events/bulk", &[key], body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(edge.queue.len(), 100 / MESSAGE_JOBS_MAX);
    edge.run_for(10_000);
    assert_eq!((edge.receivers.seen(URL).len(), edge.queue.len()), (100, 0));
}

#[test]
fn what_is_left_of_a_message_goes_on_by_itself() {
    let edge = Edge::new();
    let tenant = fan_out(&edge, 8);
    (0..8).for_each(|n| edge.receivers.script(&url(n), |_| Reply::status(200).after(2_000)));
    let event = tenant.emit(&edge, "x");
    let first = edge.queue.take_due(edge.now_ms());
    assert_eq!(first.iter().map(|text| jobs(text).len()).collect::<Vec<_>>(), [8]);
    // Five are under way and slow: the batch ends without the others.
    assert_eq!(edge.serve_batch(&first), [Verdict::Ack]);
    edge.block_on(edge.sleep_ms(600));
    let left = edge.queue.take_due(edge.now_ms());
    assert_eq!(left.iter().map(|text| jobs(text).len()).collect::<Vec<_>>(), [3]);
    assert_eq!(edge.serve_batch(&left), [Verdict::Ack]);
    edge.run_for(10_000);
    assert!((0..8).all(|n| edge.receivers.seen(&url(n)).len() == 1));
    let counts = &tenant.get(&edge, &format!("/api/v1/events/{event}"))["rule_events"];
    let all = counts.as_array().expect("a list");
    assert!(all.iter().all(|one| one["status"] == "completed"), "{all:?}");
}

#[test]
fn a_message_of_which_nothing_was_done_comes_again_as_it_is() {
    let edge = Edge::new();
    let tenant = fan_out(&edge, 3);
    tenant.emit(&edge, "x");
    let messages = edge.queue.take_due(edge.now_ms());
    edge.logs[0].set_weather(Weather::Down);
    let verdicts = edge.serve_batch(&messages);
    assert!(matches!(verdicts[..], [Verdict::Retry(_)]), "{verdicts:?}");
    assert_eq!(edge.queue.len(), 0);
}

#[test]
fn what_cannot_be_sent_on_is_found_by_the_sweeper() {
    let edge = Edge::new();
    let tenant = fan_out(&edge, 8);
    (0..8).for_each(|n| edge.receivers.script(&url(n), |_| Reply::status(200).after(2_000)));
    tenant.emit(&edge, "x");
    let first = edge.queue.take_due(edge.now_ms());
    edge.queue.refuse_next(1);
    assert_eq!(edge.serve_batch(&first), [Verdict::Ack]);
    assert_eq!(edge.queue.len(), 0);
    edge.run_for(6 * 60_000);
    assert!((0..8).all(|n| edge.receivers.seen(&url(n)).len() == 1));
}

/// Has an isolate serve what is due.
fn serve(edge: &Edge, isolate: &Edge) {
    let now_ms = edge.now_ms();
    let texts = edge.queue.take_due(now_ms).into_iter();
    let due: Vec<QueueMessage> =
        texts.map(|text| QueueMessage { text, sent_at_ms: now_ms }).collect();
    isolate.serve_beside(due);
    edge.block_on(edge.sleep_ms(10));
}

/// A tenant whose connection another isolate has just used, and how many CONTROL reads that took.
fn known_elsewhere() -> (Edge, Edge, Tenant, String) {
    let edge = Edge::new();
    let consumer = edge.other_isolate(0);
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    tenant.emit(&edge, "x");
    serve(&edge, &consumer);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    (edge, consumer, tenant, format!("/api/v1/connections/{connection}"))
}

#[test]
fn a_connection_is_read_once_a_second() {
    let (edge, consumer, tenant, _) = known_elsewhere();
    for (wait_ms, reads) in [(100, 0), (100, 0), (TARGET_CACHED_MS, 1), (100, 0)] {
        edge.block_on(edge.sleep_ms(wait_ms));
        tenant.emit(&edge, "x");
        let before = edge.control.round_trips.get();
        serve(&edge, &consumer);
        assert_eq!(edge.control.round_trips.get() - before, reads);
    }
    assert_eq!(edge.receivers.seen(URL).len(), 5);
}

#[test]
fn what_another_isolate_changed_is_seen_a_second_later() {
    let (edge, consumer, tenant, path) = known_elsewhere();
    let seen = || [URL, OTHER].map(|url| edge.receivers.seen(url).len());
    tenant.call(&edge, "PATCH", &path, &json!({"metadata": {"url": OTHER}}));
    tenant.emit(&edge, "x");
    serve(&edge, &consumer);
    assert_eq!(seen(), [2, 0], "as it was a moment ago");
    tenant.emit(&edge, "x");
    serve(&edge, &edge);
    assert_eq!(seen(), [2, 1], "who changes it knows it at once");
    edge.block_on(edge.sleep_ms(TARGET_CACHED_MS));
    tenant.emit(&edge, "x");
    serve(&edge, &consumer);
    assert_eq!(seen(), [2, 2]);
}

#[test]
fn nothing_is_held_for_what_a_connection_was_a_moment_ago() {
    let (edge, consumer, tenant, path) = known_elsewhere();
    let turn = |word: &str| {
        let answer = tenant.call(&edge, "POST", &format!("{path}/{word}"), &Value::Null);
        assert_eq!(answer.status, 200, "{}", answer.text);
    };
    let event = tenant.emit(&edge, "x");
    let state = || {
        let sql = format!("select state from deliveries where event = '{event}'");
        edge.logs[0].ask(&sql)[0].clone()
    };
    turn("deactivate");
    edge.block_on(edge.sleep_ms(TARGET_CACHED_MS));
    serve(&edge, &consumer);
    assert_eq!(state(), "held");
    turn("activate");
    serve(&edge, &consumer);
    assert_eq!(state(), "delivered");
}

/// Receivers that each answer after 300 ms hold no batch: it was answered, and what stands behind
/// them waits for a slot.
#[test]
fn a_crowd_of_receivers_that_take_300_ms_hands_nothing_back() {
    let edge = Edge::new();
    let tenant = fan_out(&edge, CROWD);
    (0..CROWD).for_each(|n| edge.receivers.script(&url(n), |_| Reply::status(200).after(300)));
    tenant.emit(&edge, "x");
    edge.run_for(10_000);
    assert!((0..CROWD).all(|n| edge.receivers.count(&url(n)) == 1), "each once");
    let (sent, back) = (edge.queue.sent.get(), edge.queue.handed_back.get());
    assert_eq!((sent, back), (CROWD / MESSAGE_JOBS_MAX, 0));
}
