//! Databases that do not answer, or can be read and not written, or refuse what they are given: no
//! delivery is lost, and none is sent again without a reason of its own.

use posthorn::app::delivery::deliver::deliver;
use posthorn::ports::Clock;
use serde_json::json;

use crate::deliver::{MINUTE_MS, URL, tenant};
use crate::edge::{Edge, Reply, Weather};
use crate::tenant::{Tenant, text};

/// How often each message arrived, the most often first.
fn arrivals(edge: &Edge) -> Vec<usize> {
    arrivals_at(edge, URL)
}

fn arrivals_at(edge: &Edge, url: &str) -> Vec<usize> {
    let mut counts = std::collections::BTreeMap::new();
    for seen in edge.receivers.seen(url) {
        *counts.entry(seen.header("webhook-id").to_owned()).or_insert(0) += 1;
    }
    let mut counts: Vec<usize> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts
}

fn unsettled(edge: &Edge) -> i64 {
    let left = "select count(*) from deliveries where state <> 'delivered'";
    edge.logs[0].ask(left)[0].as_i64().expect("a number")
}

/// Lets some isolates serve what is due, turn by turn; `each_second` happens meanwhile.
fn run_with(edge: &Edge, isolates: &[Edge], seconds: usize, mut each_second: impl FnMut(usize)) {
    for second in 0..seconds {
        each_second(second);
        for turn in 0..10 {
            let due = edge.queue.take_some(edge.now_ms(), 20);
            if !due.is_empty() {
                isolates[(second + turn) % isolates.len()].serve_beside(due);
            }
            let lanes = edge.clone();
            edge.spawn(async move { lanes.lanes.ring(lanes.now_ms()).await });
            edge.block_on(edge.sleep_ms(100));
        }
        if second % 60 == 59 {
            edge.cron(false);
        }
    }
}

#[test]
fn ten_minutes_without_writes_under_load_lose_nothing_and_repeat_once() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let isolates: Vec<Edge> = (0..3).map(|_| edge.other_isolate(0)).collect();
    let mut accepted = 0;
    let mut emit = |second: usize| {
        let body = format!(r#"{{"event":"x","payload":{{"n":{second}}}}}"#);
        accepted += usize::from(tenant.emit_text(&edge, &body).status == 201);
    };
    run_with(&edge, &isolates, 20, &mut emit);
    (0..30).for_each(&mut emit);
    edge.logs[0].set_weather(Weather::ReadOnly);
    run_with(&edge, &isolates, 600, &mut emit);
    let sent = edge.receivers.seen(URL).len();
    edge.logs[0].set_weather(Weather::Up);
    run_with(&edge, &isolates, 20, &mut emit);
    run_with(&edge, &isolates, 900, |_| ());
    let counts = arrivals(&edge);
    assert_eq!((unsettled(&edge), counts.len()), (0, accepted), "{sent} sent meanwhile");
    assert!(counts[0] <= 1 + isolates.len(), "{counts:?}");
    assert!(sent <= 20 + 30 + 30 * isolates.len(), "{sent} sent while nothing could be recorded");
}

#[test]
fn ten_minutes_of_one_slow_shard_lose_nothing_and_leave_the_other_alone() {
    let edge = Edge::with_shards(2);
    let tenants: Vec<Tenant> = (0..2).map(|n| Tenant::new(&edge, &format!("A {n}"))).collect();
    let urls = ["https://hooks.example.com/0", "https://hooks.example.com/1"];
    for (shard, tenant) in tenants.iter().enumerate() {
        let own =
            format!("update workspaces set shard = {shard} where id = '{}'", tenant.workspace);
        edge.control.execute(&own);
        tenant.route(&edge, "x", json!({"url": urls[shard]}));
    }
    let isolates: Vec<Edge> = (0..4).map(|_| edge.other_isolate(0)).collect();
    (0..30).for_each(|_| drop(tenants[0].emit(&edge, "x")));
    edge.logs[0].set_weather(Weather::Slow(20_000));
    let mut emitted_at_ms = Vec::new();
    run_with(&edge, &isolates, 600, |_| {
        emitted_at_ms.push(edge.now_ms());
        tenants[1].emit(&edge, "x");
    });
    let seen = edge.receivers.seen(urls[1]);
    let waited_ms = seen.iter().zip(&emitted_at_ms).map(|(seen, at_ms)| seen.at_ms - at_ms);
    // The queue is looked at ten times in a second.
    assert_eq!((seen.len(), waited_ms.max()), (600, Some(100)));
    edge.logs[0].set_weather(Weather::Up);
    run_with(&edge, &isolates, 900, |_| ());
    assert_eq!(edge.logs[0].ask("select count(*) from deliveries where open = 1"), [json!(0)]);
    let counts = arrivals_at(&edge, urls[0]);
    assert_eq!(counts.len(), 30);
    assert!(counts[0] <= 1 + isolates.len(), "{counts:?}");
}

#[test]
fn what_one_isolate_knows_of_a_shard_no_other_knows() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let [first, second] = [edge.other_isolate(0), edge.other_isolate(0)];
    let emit_and_serve = |isolate: &Edge| {
        tenant.emit(&edge, "x");
        isolate.serve_beside(edge.queue.take_some(i64::MAX, 1));
        edge.block_on(edge.sleep_ms(300));
        edge.receivers.seen(URL).len()
    };
    assert_eq!(emit_and_serve(&first), 1);
    edge.logs[0].set_weather(Weather::ReadOnly);
    edge.logs[0].set_weather(Weather::Up);
    tenant.emit(&edge, "x");
    edge.logs[0].set_weather(Weather::ReadOnly);
    first.serve_beside(edge.queue.take_some(i64::MAX, 1));
    edge.block_on(edge.sleep_ms(300));
    edge.logs[0].set_weather(Weather::Up);
    assert_eq!(edge.receivers.seen(URL).len(), 2, "it believed that it could write");
    assert_eq!(emit_and_serve(&first), 2, "now it knows, for a second");
    assert_eq!(emit_and_serve(&second), 3, "the other tries, and it can");
    edge.block_on(edge.sleep_ms(1_000));
    assert_eq!(emit_and_serve(&first), 4, "it tries as well");
}

#[test]
fn no_attempt_begins_that_could_outlast_its_lease() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let settings = json!({"url": URL, "ordering": "strict", "timeout_seconds": 1});
    tenant.route(&edge, "x", settings);
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    tenant.emit(&edge, "x");
    // The lease lasts for 11 s, and its answer is 9 s late.
    edge.lanes.late_ms.set(9_000);
    edge.run_for(9_500);
    assert_eq!(edge.receivers.seen(URL).len(), 1, "another attempt could begin in 2 s");
    edge.run_for(MINUTE_MS);
    assert_eq!((unsettled(&edge), arrivals(&edge)), (0, vec![1, 1]));
}

#[test]
fn a_line_sends_nothing_old_however_slow_the_databases_are() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL, "ordering": "strict"}));
    tenant.emit(&edge, "x");
    // The job, a page of the line and the delivery take 4 s each.
    edge.logs[0].set_weather(Weather::Slow(4_000));
    edge.serve_beside(edge.queue.take_batch(i64::MAX));
    edge.block_on(edge.sleep_ms(9_000));
    let other = "https://hooks.example.com/other";
    let path = format!("/api/v1/connections/{connection}");
    let change = json!({"metadata": {"url": other}});
    assert_eq!(tenant.call(&edge, "PATCH", &path, &change).status, 200);
    edge.run_for(5 * MINUTE_MS);
    assert_eq!((edge.receivers.seen(URL).len(), edge.receivers.seen(other).len()), (0, 1));
}

#[test]
fn what_cannot_be_recorded_is_sent_again_once() {
    for ordering in ["none", "strict"] {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        tenant.route(&edge, "x", json!({"url": URL, "ordering": ordering}));
        let most = if ordering == "strict" { 1 } else { 10 };
        (0..10).for_each(|_| drop(tenant.emit(&edge, "x")));
        edge.logs[0].set_weather(Weather::ReadOnly);
        edge.run_for(10 * MINUTE_MS);
        let sent = edge.receivers.seen(URL).len();
        assert!(sent <= most, "{sent} requests while nothing could be recorded, {ordering}");
        edge.logs[0].set_weather(Weather::Up);
        edge.run_for(15 * MINUTE_MS);
        let counts = arrivals(&edge);
        assert_eq!((unsettled(&edge), counts.len()), (0, 10), "{ordering}");
        assert!(counts[0] <= 2, "{counts:?}");
        assert!(counts.iter().sum::<usize>() <= 10 + most, "{counts:?}");
    }
}

#[test]
fn an_isolate_that_has_not_written_lately_tries_that_first() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    (0..10).for_each(|_| drop(tenant.emit(&edge, "x")));
    // A consumer that knows nothing, and one that wrote when all was well.
    edge.change_isolate();
    edge.logs[0].set_weather(Weather::ReadOnly);
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 0);
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(10 * MINUTE_MS);
    assert_eq!((unsettled(&edge), arrivals(&edge)), (0, vec![1; 10]));
    edge.logs[0].set_weather(Weather::ReadOnly);
    edge.logs[0].set_weather(Weather::Up);
    tenant.emit(&edge, "x");
    edge.logs[0].set_weather(Weather::ReadOnly);
    let jobs = edge.queue.take_due(i64::MAX);
    edge.run_for(11_000);
    edge.serve_batch(&jobs);
    assert_eq!(edge.receivers.seen(URL).len(), 10, "the last write is too long ago");
}

#[test]
fn one_shard_that_cannot_be_written_stops_no_other() {
    let edge = Edge::with_shards(2);
    let tenants: Vec<Tenant> = (0..8).map(|n| Tenant::new(&edge, &format!("A {n}"))).collect();
    for (n, tenant) in tenants.iter().enumerate() {
        tenant.route(&edge, "x", json!({"url": format!("https://hooks.example.com/{n}")}));
        (0..5).for_each(|_| drop(tenant.emit(&edge, "x")));
    }
    let settled = |shard: usize| {
        let open = edge.logs[shard].ask("select count(*) from deliveries where open = 1");
        open == [json!(0)]
    };
    assert!(!settled(0) && !settled(1), "both shards are used");
    edge.logs[0].set_weather(Weather::ReadOnly);
    edge.run_for(5_000);
    assert!(settled(1) && !settled(0));
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(10 * MINUTE_MS);
    assert!(settled(0));
}

#[test]
fn one_slow_shard_keeps_no_other_waiting() {
    let edge = Edge::with_shards(2);
    let tenants: Vec<Tenant> = (0..8).map(|n| Tenant::new(&edge, &format!("A {n}"))).collect();
    for (n, tenant) in tenants.iter().enumerate() {
        tenant.route(&edge, "x", json!({"url": format!("https://hooks.example.com/{n}")}));
        (0..5).for_each(|_| drop(tenant.emit(&edge, "x")));
    }
    edge.logs[0].set_weather(Weather::Slow(20_000));
    edge.block_on(edge.sleep_ms(1));
    let jobs = edge.queue.take_batch(i64::MAX);
    let other = edge.clone();
    edge.spawn(async move { deliver(&other, &jobs).await.rest.await });
    edge.block_on(edge.sleep_ms(1_000));
    let open = "select count(*) from deliveries where open = 1";
    assert_eq!(edge.logs[1].ask(open), [json!(0)], "nobody waits for the slow one");
    assert_ne!(edge.logs[0].ask(open), [json!(0)]);
    edge.block_on(edge.sleep_ms(10_000));
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(edge.logs[0].ask(open), [json!(0)]);
}

#[test]
fn a_slow_database_loses_and_repeats_nothing() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.logs[0].set_weather(Weather::Slow(3_000));
    (0..10).for_each(|_| drop(tenant.emit(&edge, "x")));
    edge.run_for(MINUTE_MS);
    assert_eq!((unsettled(&edge), arrivals(&edge)), (0, vec![1; 10]));
}

#[test]
fn long_answers_are_recorded_however_many_come_together() {
    // Escaped twice, a quotation mark takes four bytes and a control character takes seven.
    for (body, shown) in [("\"", "\""), ("\u{1}", "\u{fffd}")] {
        let edge = Edge::new();
        let (tenant, rule) = tenant(&edge);
        let long = body.repeat(16 * 1024);
        edge.receivers.script(URL, move |_| Reply::status(200).body(&long));
        let events: Vec<String> = (0..60).map(|_| tenant.emit(&edge, "x")).collect();
        edge.run_for(10 * MINUTE_MS);
        assert_eq!((unsettled(&edge), arrivals(&edge)), (0, vec![1; 60]));
        let details = format!("/api/v1/events/{}/rules/{rule}/attempts/1", events[0]);
        let details = tenant.get(&edge, &format!("{details}/response-details"));
        assert_eq!(text(&details, "/body"), shown.repeat(16 * 1024));
    }
}

#[test]
fn an_answer_that_the_database_refuses_costs_no_other_its_record() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    edge.logs[0].execute(
        "create trigger refuse before update on deliveries \
         when new.first_attempt like '%poison%' \
         begin select raise(abort, 'constraint failed: poison'); end",
    );
    edge.receivers.script(URL, |n| Reply::status(200).body(if n == 3 { "poison" } else { "fine" }));
    let events: Vec<String> = (0..20).map(|_| tenant.emit(&edge, "x")).collect();
    edge.run_for(10 * MINUTE_MS);
    assert_eq!((unsettled(&edge), arrivals(&edge)), (0, vec![1; 20]));
    let bodies = events.iter().map(|event| {
        let path = format!("/api/v1/events/{event}/rules/{rule}/attempts/1/response-details");
        text(&tenant.get(&edge, &path), "/body")
    });
    let bodies: Vec<String> = bodies.collect();
    assert_eq!(bodies.iter().filter(|body| *body == "fine").count(), 19);
    assert_eq!(bodies.iter().filter(|body| body.is_empty()).count(), 1);
}

#[test]
fn a_503_says_what_is_known() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let event = tenant.emit(&edge, "x");
    let body = r#"{"event":"x","payload":{}}"#;
    let message = |answer: crate::tenant::Answered| {
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert_eq!(answer.headers["retry-after"], "5");
        text(&answer.json(), "/message")
    };
    edge.logs[0].set_weather(Weather::Down);
    let told = message(tenant.emit_text(&edge, body));
    assert!(told.contains("unknown") && told.contains("the same Idempotency-Key"), "{told}");
    let path = format!("/api/v1/events/{event}");
    let told = message(tenant.call(&edge, "GET", &path, &json!(null)));
    assert!(!told.contains("stored") && !told.contains("accepted"), "{told}");
    edge.logs[0].set_weather(Weather::Up);
    edge.control.set_weather(Weather::Down);
    let told = message(tenant.emit_text(&edge, body));
    assert!(told.contains("Nothing was stored"), "{told}");
    edge.control.set_weather(Weather::ReadOnly);
    let told = message(tenant.call(&edge, "POST", "/api/v1/workspaces", &json!({"name": "Beta"})));
    assert!(told.contains("unknown whether this was done"), "{told}");
}
