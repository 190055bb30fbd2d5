//! Lanes at work: retries in order, the breaker, strict order, throttling, what receivers ask for,
//! and what is lost on the way.

use std::ops::Range;

use posthorn::domain::base::time::rfc3339;
use posthorn::domain::lane::messages::{Command, ConsumerReport, Pull};
use posthorn::domain::lane::queue::{ConnectionQueue, LanePolicy, PageStart};
use posthorn::ports::{Clock, Lanes};
use posthorn::store::lines;
use serde_json::{Value, json};

use crate::deliver::{MINUTE_MS, SECRET, URL, outcomes};
use crate::edge::{Edge, Fault, Reply, START_MS};
use crate::tenant::Tenant;

const HOUR_MS: i64 = 60 * MINUTE_MS;

fn tenant(edge: &Edge, more: Value) -> (Tenant, String, String) {
    let tenant = Tenant::new(edge, "Acme");
    let mut metadata = json!({"url": URL, "signing_secret": SECRET});
    for (key, value) in more.as_object().expect("settings") {
        metadata[key] = value.clone();
    }
    let (connection, rule) = tenant.route(edge, "x", metadata);
    (tenant, connection, rule)
}

/// Emits events in different milliseconds, so that their age has an order.
fn emit(edge: &Edge, tenant: &Tenant, count: usize) -> Vec<String> {
    let one = |_| {
        edge.run_for(1);
        tenant.emit(edge, "x")
    };
    (0..count).map(one).collect()
}

/// Emits events in one call, numbered in their payloads.
fn emit_bulk(edge: &Edge, tenant: &Tenant, numbers: Range<usize>) {
    let one = |n: usize| json!({"event": "x", "payload": {"n": n}});
    let body = Value::from(numbers.map(one).collect::<Vec<_>>()).to_string();
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let answer = crate::tenant::call(edge, "POST", "/api/v1/events/bulk", &[key], body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text);
}

/// The events of the requests that arrived, in order.
fn arrived(edge: &Edge) -> Vec<String> {
    let seen = edge.receivers.seen(URL);
    seen.iter().map(|one| one.header("posthorn-event-id").to_owned()).collect()
}

fn lane_row(edge: &Edge, column: &str) -> Value {
    let found = edge.logs[0].ask(&format!("select {column} from lanes"));
    found.first().cloned().unwrap_or_default()
}

fn shown(edge: &Edge, tenant: &Tenant, connection: &str) -> Value {
    tenant.get(edge, &format!("/api/v1/connections/{connection}"))
}

#[test]
fn a_healthy_connection_never_calls_its_lane() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    let events = emit(&edge, &tenant, 120);
    edge.run_for(MINUTE_MS);
    assert_eq!(arrived(&edge).len(), events.len());
    assert_eq!(edge.lanes.requests.get(), 0);
    assert_eq!(edge.logs[0].ask("select count(*) from lanes"), [json!(0)]);
}

#[test]
fn after_an_outage_everything_arrives_and_retries_start_oldest_first() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({"retry_schedule_seconds": [5, 5, 5, 5, 5, 5, 5, 5]}));
    edge.receivers.script(URL, |n| Reply::status(if n < 12 { 500 } else { 200 }));
    let events = emit(&edge, &tenant, 8);
    edge.run_for(10 * MINUTE_MS);
    let seen = arrived(&edge);
    assert_eq!(seen[..5], events[..5], "five in a row open the breaker");
    // From then on the oldest that is due is the probe, so the others get their first attempt.
    let drained: Vec<&String> = seen[12..].iter().collect();
    let mut sorted = drained.clone();
    sorted.sort();
    assert_eq!(drained, sorted, "oldest first");
    for event in &events {
        assert_eq!(tenant.delivery(&edge, event)["status"], "completed");
    }
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(lane_row(&edge, "mode"), json!(0), "it is clear again");
    assert_eq!(lane_row(&edge, "failing_since_ms"), Value::Null);
}

#[test]
fn an_open_breaker_says_until_when_nothing_goes_out() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    edge.receivers.script(URL, |_| Reply::status(500));
    emit(&edge, &tenant, 20);
    edge.run_for(1);
    assert_eq!(lane_row(&edge, "reason"), "breaker_open");
    assert!(lane_row(&edge, "not_before_ms").as_i64() > Some(edge.now_ms()));
    edge.run_for(MINUTE_MS);
    // Without a breaker it would be twenty first attempts and twenty second ones at once.
    let count = arrived(&edge).len();
    assert!((8..=14).contains(&count), "{count} requests in a minute");
}

#[test]
fn strict_order_waits_for_what_fails() {
    let edge = Edge::new();
    let settings = json!({"ordering": "strict", "retry_schedule_seconds": [5, 30, 60]});
    let (tenant, ..) = tenant(&edge, settings);
    // The third event fails twice, and each event after it waits.
    edge.receivers.script(URL, |n| Reply::status(if n == 2 || n == 3 { 500 } else { 200 }));
    let events = emit(&edge, &tenant, 6);
    edge.run_for(20_000);
    assert_eq!(arrived(&edge), [&events[..3], &events[2..3]].concat(), "it waits for its schedule");
    edge.run_for(MINUTE_MS);
    assert_eq!(arrived(&edge), [&events[..3], &events[2..3], &events[2..]].concat());
    let numbers = edge.logs[0].ask("select seq from deliveries order by seq");
    assert_eq!(numbers, (1..=6).map(|n| json!(n)).collect::<Vec<_>>());
}

#[test]
fn a_bulk_is_strict_in_input_order_and_a_repeated_batch_leaves_no_gap() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({"ordering": "strict"}));
    emit_bulk(&edge, &tenant, 0..50);
    edge.logs[0].fail_next(&[Some(Fault::After)]);
    emit_bulk(&edge, &tenant, 50..100);
    emit_bulk(&edge, &tenant, 100..150);
    edge.run_for(5 * MINUTE_MS);
    let seen = edge.receivers.seen(URL);
    let numbers: Vec<Value> = seen
        .iter()
        .map(|one| serde_json::from_slice::<Value>(&one.request.body).expect("JSON")["n"].clone())
        .collect();
    assert_eq!(numbers, (0..150).map(|n| json!(n)).collect::<Vec<_>>());
    let sum = edge.logs[0].ask("select count(distinct seq) || ' ' || max(seq) from deliveries");
    assert_eq!(sum, [json!("150 150")]);
}

#[test]
fn strict_order_holds_while_paused_and_after() {
    let edge = Edge::new();
    let (tenant, connection, _) = tenant(&edge, json!({"ordering": "strict"}));
    edge.receivers.script(URL, |n| Reply::status(if n == 1 { 503 } else { 200 }));
    let mut events = emit(&edge, &tenant, 4);
    edge.run_for(10);
    let act = |what: &str| {
        let path = format!("/api/v1/connections/{connection}/{what}");
        assert_eq!(tenant.call(&edge, "POST", &path, &json!({})).status, 200);
    };
    act("deactivate");
    events.extend(emit(&edge, &tenant, 4));
    edge.run_for(5 * MINUTE_MS);
    let before = arrived(&edge).len();
    assert!(before < 4, "nothing goes out while it is paused: {before}");
    act("activate");
    events.extend(emit(&edge, &tenant, 4));
    edge.run_for(5 * MINUTE_MS);
    let mut order = arrived(&edge);
    order.dedup();
    assert_eq!(order, events);
}

#[test]
fn what_was_accepted_before_the_order_was_strict_comes_first() {
    let edge = Edge::new();
    let (tenant, connection, _) = tenant(&edge, json!({"retry_schedule_seconds": [30, 30]}));
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let old = emit(&edge, &tenant, 1);
    edge.run_for(100);
    let path = format!("/api/v1/connections/{connection}");
    let change = json!({"metadata": {"ordering": "strict"}});
    assert_eq!(tenant.call(&edge, "PATCH", &path, &change).status, 200);
    let new = emit(&edge, &tenant, 3);
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(arrived(&edge), [old.clone(), old, new].concat());
}

#[test]
fn a_throttled_connection_gets_no_more_than_it_asked_for() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({"max_per_second": 4}));
    let events = emit(&edge, &tenant, 40);
    edge.run_for(MINUTE_MS);
    let at_ms: Vec<i64> = edge.receivers.seen(URL).iter().map(|one| one.at_ms).collect();
    assert_eq!(at_ms.len(), events.len());
    for (index, first_ms) in at_ms.iter().enumerate() {
        let within = at_ms[index..].iter().filter(|ms| **ms < first_ms + 1_000).count();
        assert!(within <= 4, "{within} in a second: {at_ms:?}");
    }
    assert!(at_ms[39] - at_ms[0] < 20_000, "and not much less: {at_ms:?}");
}

#[test]
fn orders_and_limits_are_settings_that_are_checked() {
    let edge = Edge::new();
    let (tenant, connection, _) = tenant(&edge, json!({"ordering": "strict", "max_per_second": 9}));
    let metadata = shown(&edge, &tenant, &connection)["metadata"].clone();
    assert_eq!((&metadata["ordering"], &metadata["max_per_second"]), (&json!("strict"), &json!(9)));
    let path = format!("/api/v1/connections/{connection}");
    for (change, param) in [
        (json!({"ordering": "fifo"}), "metadata.ordering"),
        (json!({"max_per_second": 0}), "metadata.max_per_second"),
        (json!({"max_per_second": 1_001}), "metadata.max_per_second"),
        (json!({"max_in_flight": 0}), "metadata.max_in_flight"),
        (json!({"max_in_flight": 65}), "metadata.max_in_flight"),
    ] {
        let answer = tenant.call(&edge, "PATCH", &path, &json!({"metadata": change}));
        let named = answer.json()["error"]["data"][0]["param"].clone();
        assert_eq!((answer.status, named), (400, json!(param)));
    }
    let back = json!({"metadata": {"ordering": null, "max_per_second": null}});
    let patched = tenant.call(&edge, "PATCH", &path, &back).json();
    assert_eq!(patched["metadata"]["ordering"], "none");
    assert_eq!(patched["metadata"]["max_per_second"], Value::Null);
}

#[test]
fn a_receiver_can_abort_a_message_or_disable_its_connection() {
    for (status, word, delivery, reason) in [
        (400, "abort-message", "failed", Value::Null),
        (503, "Abort-Message", "failed", Value::Null),
        (500, "disable", "pending", json!("disabled_by_receiver")),
        (200, "disable", "completed", Value::Null),
        (500, "unknown", "retrying", Value::Null),
    ] {
        let edge = Edge::new();
        let (tenant, connection, rule) = tenant(&edge, json!({}));
        let reply = move |_| Reply::status(status).header("webhook-delivery", word);
        edge.receivers.script(URL, reply);
        let event = tenant.emit(&edge, "x");
        edge.run_for(1_000);
        let found = tenant.delivery(&edge, &event);
        assert_eq!(found["status"], delivery, "{status} {word}");
        assert_eq!(shown(&edge, &tenant, &connection)["inactive_detail"], reason);
        assert_eq!(tenant.attempts(&edge, &event, &rule).len(), 1);
        let expected = if delivery == "failed" { json!("aborted") } else { Value::Null };
        assert_eq!(edge.logs[0].ask("select reason from deliveries"), [expected]);
    }
}

#[test]
fn a_receiver_that_asks_for_less_gets_less() {
    for status in [429, 502, 504] {
        let edge = Edge::new();
        let (tenant, ..) = tenant(&edge, json!({}));
        let reply = move |n| {
            let answer = Reply::status(if n == 0 { status } else { 200 }).after(100);
            if n == 0 { answer.header("retry-after", "60") } else { answer }
        };
        edge.receivers.script(URL, reply);
        tenant.emit(&edge, "x");
        edge.run_for(1_000);
        assert_eq!(lane_row(&edge, "reason"), "slowed_down", "{status}");
        emit(&edge, &tenant, 12);
        edge.run_for(50_000);
        assert_eq!(lane_row(&edge, "mode"), json!(2), "as long as it asked for");
        edge.run_for(20_000);
        assert!(lane_row(&edge, "mode").as_i64() < Some(2));
        assert_eq!(arrived(&edge).len(), 14);
    }
}

#[test]
fn a_connection_of_which_nothing_succeeds_is_warned_about_and_given_up() {
    let edge = Edge::new();
    let (tenant, connection, _) = tenant(&edge, json!({}));
    edge.receivers.script(URL, |_| Reply::status(500));
    let mut warned = Vec::new();
    let mut events = Vec::new();
    for hour in 0..130 {
        events.push(tenant.emit(&edge, "x"));
        edge.run_for(HOUR_MS);
        let percent = edge.control.ask("select warned_percent from connections")[0].clone();
        if warned.last().is_none_or(|(_, last)| *last != percent) {
            warned.push((hour, percent));
        }
        if shown(&edge, &tenant, &connection)["active"] == json!(false) {
            break;
        }
    }
    let percents: Vec<&Value> = warned.iter().map(|(_, percent)| percent).collect();
    assert_eq!(percents, [&json!(0), &json!(50), &json!(90)], "{warned:?}");
    assert!((60..64).contains(&warned[1].0) && (108..112).contains(&warned[2].0), "{warned:?}");
    assert_eq!(shown(&edge, &tenant, &connection)["inactive_detail"], "delivery_failing");
    assert!((120..125).contains(&events.len()), "{} hours", events.len());
    // Activated, it has all the time again; one success makes the past void.
    edge.receivers.script(URL, |_| Reply::status(200));
    let path = format!("/api/v1/connections/{connection}/activate");
    assert_eq!(tenant.call(&edge, "POST", &path, &json!({})).status, 200);
    assert_eq!(edge.control.ask("select warned_percent from connections"), [json!(0)]);
    edge.run_for(HOUR_MS);
    assert_eq!(edge.logs[0].ask("select count(*) from deliveries where open = 1"), [json!(0)]);
    assert_eq!(lane_row(&edge, "failing_since_ms"), Value::Null);
}

#[test]
fn one_success_ends_a_warning() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    edge.receivers.script(URL, |_| Reply::status(500));
    for _ in 0..70 {
        tenant.emit(&edge, "x");
        edge.run_for(HOUR_MS);
    }
    assert_eq!(edge.control.ask("select warned_percent from connections"), [json!(50)]);
    edge.receivers.script(URL, |_| Reply::status(200));
    edge.run_for(26 * HOUR_MS);
    assert_eq!(edge.control.ask("select warned_percent from connections"), [json!(0)]);
    assert_eq!(edge.control.ask("select failing_since_ms from connections"), [Value::Null]);
}

/// An outage with 30 events, and something that happens to the lane in the middle of it.
fn through_an_outage(happens: impl Fn(&Edge)) {
    let edge = Edge::new();
    let (tenant, _, rule) = tenant(&edge, json!({"retry_schedule_seconds": [5, 30, 60, 60, 60]}));
    edge.receivers.script(URL, |n| Reply::status(if n < 10 { 500 } else { 200 }));
    let events = emit(&edge, &tenant, 30);
    edge.run_for(4_000);
    happens(&edge);
    edge.run_for(20 * MINUTE_MS);
    for event in &events {
        assert_eq!(tenant.delivery(&edge, event)["status"], "completed");
        let attempts = tenant.attempts(&edge, event, &rule);
        assert_eq!(outcomes(&attempts).last(), Some(&"delivered"));
    }
}

#[test]
fn whatever_happens_to_a_lane_everything_arrives() {
    through_an_outage(|_| {});
    through_an_outage(|edge| edge.lanes.evict());
    through_an_outage(|edge| edge.lanes.wipe());
    through_an_outage(|edge| edge.crash());
    through_an_outage(|edge| edge.queue.clear());
    let (before, after) = (Some(Fault::Before), Some(Fault::After));
    through_an_outage(|edge| edge.lanes.fail_next(&[before; 4]));
    through_an_outage(|edge| edge.lanes.fail_next(&[after; 4]));
    through_an_outage(|edge| edge.logs[0].fail_next(&[None, before, None, after, before]));
}

#[test]
fn the_sweeper_nudges_a_lane_once_however_long_its_line() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    edge.receivers.script(URL, |_| Reply::status(500));
    emit(&edge, &tenant, 300);
    edge.run_for(1_000);
    edge.lanes.wipe();
    edge.queue.clear();
    edge.block_on(async { edge.sleep_ms(10 * MINUTE_MS).await });
    let (requests, sent) = (edge.lanes.requests.get(), edge.queue.sent.get());
    edge.cron(false);
    assert_eq!(edge.lanes.requests.get() - requests, 1);
    assert_eq!(edge.queue.sent.get() - sent, 1, "the lane wakes a consumer");
}

#[test]
fn a_step_costs_no_more_in_a_line_of_a_hundred_thousand() {
    let cost = |count: u32| {
        let edge = Edge::new();
        let (tenant, connection, _) = tenant(&edge, json!({}));
        edge.receivers.script(URL, |n| Reply::status(if n < 7 { 500 } else { 200 }));
        tenant.emit(&edge, "x");
        edge.run_for(100);
        // As many more are open, held back by an endpoint that fails; none but the first is due.
        let later = edge.now_ms() + HOUR_MS;
        let (workspace, event) = (&tenant.workspace, "01a3185c-5000-7fff-8000-");
        edge.logs[0].execute(&format!(
            "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
             insert into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
               sweep_at_ms, attempts, payload_bytes, created_at_ms) \
             select '{workspace}', '{connection}', '{event}' || printf('%012d', i), 1, 'retrying', \
               1, {later}, {later}, 3, 2, 0 from n"
        ));
        edge.lanes.evict();
        edge.logs[0].steps_max.set(0);
        edge.run_for(10_000);
        assert!(arrived(&edge).len() > 1, "the first was tried again");
        edge.logs[0].steps_max.get()
    };
    let (short, long) = (cost(100), cost(100_000));
    // A page is 256 rows: at most 2.6 times as much as the short line has.
    assert!(long <= 3 * short, "{long} steps of SQLite's machine, {short} in the short line");
}

/// The most requests that were at the receiver at once, if each stayed for so long.
fn in_flight_max(edge: &Edge, answer_ms: i64) -> usize {
    let seen = edge.receivers.seen(URL);
    let at_once = |end_ms: i64| {
        seen.iter().filter(|one| one.at_ms <= end_ms && end_ms < one.at_ms + answer_ms).count()
    };
    seen.iter().map(|one| at_once(one.at_ms)).max().unwrap_or_default()
}

#[test]
fn a_slow_receiver_is_served_by_as_many_consumers_as_it_bears() {
    for (answer_ms, least, within_ms) in [(300, 30, 40_000), (1_000, 40, 90_000)] {
        let edge = Edge::new();
        let (tenant, ..) = tenant(&edge, json!({}));
        edge.receivers.script(URL, move |_| Reply::status(200).after(answer_ms));
        for _ in 0..20 {
            emit_bulk(&edge, &tenant, 0..100);
        }
        edge.run_for(within_ms);
        let (arrived, at_once) = (edge.receivers.count(URL), in_flight_max(&edge, answer_ms));
        assert_eq!(arrived, 2_000, "{answer_ms} ms: all of the backlog, each once");
        assert!((least..=64).contains(&at_once), "{answer_ms} ms: {at_once} at once");
        let back = edge.queue.handed_back.get();
        assert!(back <= 200, "{answer_ms} ms: {back} messages were handed back");
    }
}

#[test]
fn a_lane_keeps_a_receiver_as_long_as_it_takes_long() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    let after = |ms| edge.receivers.script(URL, move |_| Reply::status(200).after(ms));
    // One event in two minutes, for longer than a receiver counts as slow.
    let modes = || {
        let mode_after = |_| {
            emit_bulk(&edge, &tenant, 0..1);
            edge.run_for(2 * MINUTE_MS);
            lane_row(&edge, "mode")
        };
        (0..4).map(mode_after).collect::<Vec<Value>>()
    };
    after(300);
    emit_bulk(&edge, &tenant, 0..30);
    edge.run_for(10_000);
    assert_eq!(modes(), [2, 2, 2, 2]);
    after(10);
    assert_eq!(modes().last(), Some(&json!(0)));
    assert_eq!(edge.receivers.count(URL), 38);
}

/// A consumer reads a strict line, and its way to the lane takes so long that the head is delivered
/// meanwhile: what follows does not wait for what the page shows as pending.
#[test]
fn a_page_that_comes_late_stops_no_strict_line() {
    let edge = Edge::new();
    let (tenant, connection, _) = tenant(&edge, json!({"ordering": "strict"}));
    edge.receivers.script(URL, |_| Reply::status(200).after(100));
    let events = emit(&edge, &tenant, 5);
    edge.run_for(MINUTE_MS);
    // What is sent again is pending for three minutes, unless its lane hears of its job.
    let until = rfc3339(edge.now_ms());
    let all = json!({"status": "completed", "since": rfc3339(START_MS), "until": until});
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    assert_eq!(tenant.call(&edge, "POST", &path, &all).status, 201);
    while edge.receivers.count(URL) < 6 {
        edge.run_for(10);
    }
    let line = ConnectionQueue { shard: 0, workspace: tenant.workspace.clone(), connection };
    let read = lines::page(&edge.logs[0], &line, true, PageStart::Head, edge.now_ms());
    let page = edge.block_on(read).expect("a page");
    assert_eq!(page.rows.len(), 5, "the first is under way");
    while edge.receivers.count(URL) < 7 {
        edge.run_for(10);
    }
    let traits = LanePolicy { strict: true, ..LanePolicy::default() };
    let told = ConsumerReport { line: line.clone(), traits, ..ConsumerReport::default() };
    let (settled, page) = (Vec::new(), Some(page));
    let late = Pull { told, settled, room: 5, page, is_first: true, stays: false };
    let reply = edge.block_on(edge.lanes.call(&line, Command::Pull(Box::new(late))));
    assert_eq!(reply.expect("an answer").given, [], "one at a time");
    edge.run_for(5_000);
    assert_eq!(arrived(&edge), [&events[..], &events[..]].concat());
}

#[test]
fn a_connection_gets_no_more_at_once_than_it_asked_for() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({"max_in_flight": 3}));
    edge.receivers.script(URL, |_| Reply::status(200).after(20));
    emit_bulk(&edge, &tenant, 0..100);
    edge.run_for(MINUTE_MS);
    assert_eq!((edge.receivers.count(URL), in_flight_max(&edge, 20)), (100, 3));
}

#[test]
fn what_fails_is_sent_by_fewer_and_fewer() {
    let edge = Edge::new();
    let (tenant, ..) = tenant(&edge, json!({}));
    edge.receivers.script(URL, |n| {
        let status = if n < 400 { 200 } else { 503 };
        Reply::status(status).after(300)
    });
    (0..6).for_each(|_| emit_bulk(&edge, &tenant, 0..100));
    edge.run_for(2 * MINUTE_MS);
    // Those that were under way when it broke, and a probe now and then.
    let after = edge.receivers.count(URL) - 400;
    assert!((5..=90).contains(&after), "{after} requests to a receiver that fails");
    assert_eq!(lane_row(&edge, "reason"), "breaker_open");
}
