//! Delivering: the states a delivery goes through, repeats, losses, and slow endpoints.

use posthorn::app::delivery::deliver::{Verdict, deliver};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Reply, START_MS};
use crate::tenant::{Tenant, call};

pub const URL: &str = "https://hooks.example.com/a";
const OTHER: &str = "https://hooks.example.com/other";
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
pub const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

pub fn tenant(edge: &Edge) -> (Tenant, String) {
    let tenant = Tenant::new(edge, "Acme");
    let metadata = json!({"url": URL, "signing_secret": SECRET});
    let (_, rule) = tenant.route(edge, "x", metadata);
    (tenant, rule)
}

/// Outcomes of a delivery's attempts in order.
pub fn outcomes(attempts: &[Value]) -> Vec<&str> {
    attempts.iter().map(|attempt| attempt["outcome"].as_str().expect("an outcome")).collect()
}

#[test]
fn a_delivery_is_failed_when_its_attempts_are_used_up() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(500));
    let event = tenant.emit(&edge, "x");
    edge.run_for(74 * HOUR_MS);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "retrying");
    edge.run_for(20 * HOUR_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 11);
    assert_eq!(tenant.attempts(&edge, &event, &rule).len(), 11);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!(
        (&delivery["status"], &delivery["next_attempt_at"]),
        (&json!("failed"), &json!(null))
    );
    assert_eq!(edge.queue.len(), 0);
}

#[test]
fn what_the_receiver_says_decides() {
    for (status, expected, delivery) in [
        (200, "delivered", "completed"),
        (301, "redirect_refused", "retrying"),
        (400, "rejected_client_error", "retrying"),
        (401, "auth_failed", "retrying"),
        (410, "gone", "failed"),
        (429, "rate_limited", "retrying"),
        (502, "rejected_server_error", "retrying"),
    ] {
        let edge = Edge::new();
        let (tenant, rule) = tenant(&edge);
        let reply = move |_| Reply::status(status).header("location", OTHER);
        edge.receivers.script(URL, reply);
        let event = tenant.emit(&edge, "x");
        edge.run_for(1_000);
        assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), [expected]);
        assert_eq!(tenant.delivery(&edge, &event)["status"], delivery, "{status}");
        assert_eq!(edge.receivers.seen(OTHER).len(), 0, "redirects are not followed");
    }
}

#[test]
fn retry_after_is_never_shortened() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let reply = |n| {
        if n == 0 { Reply::status(503).header("Retry-After", "600") } else { Reply::status(200) }
    };
    edge.receivers.script(URL, reply);
    tenant.emit(&edge, "x");
    edge.run_for(20 * MINUTE_MS);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen.len(), 2);
    assert!(seen[1].at_ms - seen[0].at_ms >= 600_000);
}

#[test]
fn a_repeated_job_does_nothing() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    edge.queue.repeats.set(true);
    edge.receivers.script(URL, |n| Reply::status(if n == 0 { 500 } else { 200 }));
    let event = tenant.emit(&edge, "x");
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
    assert_eq!(tenant.attempts(&edge, &event, &rule).len(), 2);
    // A job that comes long after, for an attempt that was made.
    let stale = edge.logs[0].ask("select workspace || '|' || connection from deliveries");
    let stale = stale[0].as_str().expect("text").split_once('|').expect("two ids");
    let job =
        json!({"v": 1, "s": 0, "w": stale.0, "c": stale.1, "e": event, "r": 1, "n": 1, "b": 7});
    assert_eq!(edge.serve_batch(&[job.to_string()]), [Verdict::Ack]);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
}

#[test]
fn a_stale_job_does_not_hurry_the_next_attempt() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(500));
    tenant.emit(&edge, "x");
    let jobs = edge.queue.take_due(edge.now_ms());
    edge.serve_batch(&jobs);
    assert_eq!(edge.serve_batch(&jobs), [Verdict::Ack]);
    assert_eq!(edge.receivers.seen(URL).len(), 1, "attempt 2 is due in 5 s, not now");
}

#[test]
fn an_attempt_that_two_consumers_make_is_recorded_once() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    // The first consumer's request is answered after the second's, and after the record of it.
    edge.receivers.script(URL, |n| Reply::status(500).after(if n == 0 { 2_000 } else { 1 }));
    let event = tenant.emit(&edge, "x");
    let jobs = edge.queue.take_due(edge.now_ms());
    edge.serve_batch(&jobs);
    edge.change_isolate();
    edge.serve_batch(&jobs);
    edge.run_for(100);
    let before = tenant.delivery(&edge, &event);
    assert_eq!(before["attempt_count"], 1);
    edge.run_for(3_000);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
    assert_eq!(tenant.delivery(&edge, &event), before, "the late failure changes nothing");
    assert_eq!(tenant.attempts(&edge, &event, &rule).len(), 1);
}

#[test]
fn a_delivery_under_way_in_this_isolate_is_not_attempted_again() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(200).after(2_000));
    let event = tenant.emit(&edge, "x");
    let jobs = edge.queue.take_due(edge.now_ms());
    edge.serve_batch(&jobs);
    assert_eq!(edge.serve_batch(&jobs), [Verdict::Ack]);
    edge.run_for(3_000);
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
}

#[test]
fn malformed_messages_are_logged_and_acknowledged() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let event = tenant.emit(&edge, "x");
    let mut batch = edge.queue.take_due(edge.now_ms());
    batch.insert(0, "{}".to_owned());
    batch.push("\u{0}".to_owned());
    let verdicts = edge.serve_batch(&batch);
    assert_eq!(verdicts, [Verdict::Ack; 3]);
    let malformed = edge.lines.borrow().iter().filter(|l| !l["malformed_job"].is_null()).count();
    assert_eq!(malformed, 2);
    edge.run_for(100);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed", "the good one in between");
}

#[test]
fn a_crash_after_the_answer_repeats_and_never_loses() {
    for fault in [Fault::Before, Fault::After] {
        let edge = Edge::new();
        let (tenant, rule) = tenant(&edge);
        let event = tenant.emit(&edge, "x");
        let jobs = edge.queue.take_due(edge.now_ms());
        // The read succeeds, the record and its repetition do not.
        edge.logs[0].fail_next(&[None, Some(fault), Some(fault)]);
        assert_eq!(edge.serve_batch(&jobs), [Verdict::Ack], "its attempt has started");
        edge.run_for(100);
        assert_eq!(edge.queue.len(), 1, "its job comes again by itself, {fault:?}");
        edge.run_for(10 * MINUTE_MS);
        let repeats = edge.receivers.seen(URL).len();
        // An attempt whose record was stored though its answer was lost is not made again.
        assert_eq!(repeats, if fault == Fault::Before { 2 } else { 1 });
        assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
        assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), ["delivered"]);
    }
}

#[test]
fn after_a_restart_the_first_sweep_brings_everything_back() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let events: Vec<_> = (0..120).map(|_| tenant.emit(&edge, "x")).collect();
    edge.crash();
    edge.cron(true);
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(URL).len(), 120);
    for event in &events {
        assert_eq!(tenant.delivery(&edge, event)["status"], "completed");
    }
}

#[test]
fn the_sweeper_puts_off_what_it_woke() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.receivers.script(URL, |_| Reply::status(500));
    tenant.emit(&edge, "x");
    // Due after the grace of three minutes, then after 1, 2, 4 ... more minutes.
    let mut at_minutes = Vec::new();
    for minute in 1..=20 {
        // The queue loses every message.
        edge.queue.clear();
        let sent = edge.queue.sent.get();
        edge.block_on(async { edge.sleep_ms(MINUTE_MS).await });
        edge.cron(false);
        if edge.queue.sent.get() > sent {
            at_minutes.push(minute);
        }
    }
    assert_eq!(at_minutes, [3, 4, 6, 10, 18]);
}

#[test]
fn a_slow_endpoint_leaves_the_batch_and_records_itself() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    tenant.route(&edge, "y", json!({"url": OTHER}));
    edge.receivers.script(URL, |_| Reply::status(200).after(3_000));
    let slow: Vec<_> = (0..40).map(|_| tenant.emit(&edge, "x")).collect();
    (0..40).for_each(|_| drop(tenant.emit(&edge, "y")));
    let jobs = edge.queue.take_due(edge.now_ms());
    let verdicts = edge.serve_batch(&jobs);
    assert_eq!(verdicts, [Verdict::Ack; 80], "the slow connection's other jobs are its lane's");
    assert!(edge.now_ms() - START_MS < 200, "a slow answer does not hold the batch");
    edge.block_on(edge.sleep_ms(600));
    assert_eq!(edge.receivers.seen(OTHER).len(), 40, "the healthy one is done");
    assert!(edge.now_ms() - START_MS < 1_000, "long before the slow answer");
    assert_eq!(tenant.delivery(&edge, &slow[0])["status"], "pending");
    edge.run_for(4_000);
    assert_eq!(outcomes(&tenant.attempts(&edge, &slow[0], &rule)), ["delivered"]);
    edge.run_for(2 * MINUTE_MS);
    let seen = edge.receivers.seen(URL);
    let order: Vec<_> = seen.iter().map(|one| one.header("posthorn-event-id")).collect();
    // Events of one millisecond are as old as one another.
    let mut expected: Vec<_> = slow.iter().map(String::as_str).collect();
    expected[1..].sort_unstable();
    assert_eq!(order, expected, "each exactly once, oldest first");
}

#[test]
fn a_hanging_endpoint_times_out_by_its_own_timeout() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (_, rule) = tenant.route(&edge, "x", json!({"url": URL, "timeout_seconds": 3}));
    edge.receivers.script(URL, |n| if n == 0 { Reply::hang() } else { Reply::status(200) });
    let event = tenant.emit(&edge, "x");
    edge.run_for(MINUTE_MS);
    let attempts = tenant.attempts(&edge, &event, &rule);
    assert_eq!(outcomes(&attempts), ["timeout", "delivered"]);
    assert_eq!(attempts[0]["duration_ms"], json!(3_000));
}

#[test]
fn a_deleted_connection_leaves_nothing_open() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    edge.receivers.script(URL, |_| Reply::status(500));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let path = format!("/api/v1/connections/{connection}");
    assert_eq!(tenant.call(&edge, "DELETE", &path, &Value::Null).status, 409);
    // This one is emitted and not yet attempted; the cancellation at once fails.
    let late = tenant.emit(&edge, "x");
    edge.logs[0].fail_next(&[Some(Fault::Before)]);
    let force = json!({"force_delete": true});
    assert_eq!(tenant.call(&edge, "DELETE", &path, &force).status, 200);
    edge.run_for(10 * MINUTE_MS);
    for event in [event, late] {
        assert_eq!(tenant.delivery(&edge, &event)["status"], "canceled");
    }
    assert_eq!(edge.receivers.seen(URL).len(), 1);
    let left = edge.logs[0].ask("select count(*) from deliveries where open = 1");
    assert_eq!(left, [json!(0)]);
}

#[test]
fn our_own_faults_use_no_attempt() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    let sealed = edge.control.ask("select sealed from connection_secrets");
    edge.control.execute("update connection_secrets set sealed = 's1.gone.AAAA'");
    let event = tenant.emit(&edge, "x");
    edge.run_for(30 * MINUTE_MS);
    let delivery = tenant.delivery(&edge, &event);
    assert_eq!((&delivery["status"], &delivery["attempt_count"]), (&json!("pending"), &json!(0)));
    assert_eq!(delivery["last_error"], "internal");
    assert_eq!(edge.receivers.seen(URL).len(), 0, "nothing is sent unsigned");
    let sealed = sealed[0].as_str().expect("text");
    edge.control.execute(&format!("update connection_secrets set sealed = '{sealed}'"));
    edge.run_for(2 * HOUR_MS);
    assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), ["delivered"]);
}

#[test]
fn our_own_faults_end_after_seven_days() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    edge.control.execute("update connection_secrets set sealed = 's1.gone.AAAA'");
    let event = tenant.emit(&edge, "x");
    edge.run_for(7 * 24 * HOUR_MS + 3 * HOUR_MS);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "failed");
    assert_eq!(edge.logs[0].ask("select reason from deliveries"), [json!("internal")]);
}

#[test]
fn our_own_faults_are_measured_from_the_first_one() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    // An event that waits for eight days, because its connection is paused.
    let connection = edge.control.ask("select id from connections")[0].clone();
    let path = format!("/api/v1/connections/{}", connection.as_str().expect("text"));
    tenant.call(&edge, "POST", &format!("{path}/deactivate"), &json!({}));
    let event = tenant.emit(&edge, "x");
    edge.run_for(8 * 24 * HOUR_MS);
    let sealed = edge.control.ask("select sealed from connection_secrets");
    edge.control.execute("update connection_secrets set sealed = 's1.gone.AAAA'");
    tenant.call(&edge, "POST", &format!("{path}/activate"), &json!({}));
    edge.run_for(30_000);
    assert_eq!(tenant.delivery(&edge, &event)["last_error"], "internal");
    let sealed = sealed[0].as_str().expect("text");
    edge.control.execute(&format!("update connection_secrets set sealed = '{sealed}'"));
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), ["delivered"]);
    let left = edge.logs[0].ask("select faults from deliveries where faulted_since_ms is null");
    assert_eq!(left, [json!(0)]);
}

#[test]
fn a_late_410_from_an_old_url_switches_nothing_off() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    let path = format!("/api/v1/connections/{connection}");
    edge.receivers.script(URL, |_| Reply::status(410).after(5_000));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let change = json!({"metadata": {"url": OTHER}});
    let answer = tenant.call(&edge, "PATCH", &path, &change);
    assert_eq!(answer.status, 200, "{}", answer.text);
    edge.run_for(10_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "failed", "that one is gone for good");
    let next = tenant.emit(&edge, "x");
    edge.run_for(10_000);
    assert_eq!(tenant.delivery(&edge, &next)["status"], "completed");
    assert_eq!(edge.receivers.seen(OTHER).len(), 1);
    // One that was just switched on stays on; one that was not changed is switched off.
    edge.receivers.script(OTHER, |_| Reply::status(410).after(5_000));
    tenant.emit(&edge, "x");
    edge.run_for(1_000);
    tenant.call(&edge, "POST", &format!("{path}/deactivate"), &json!({}));
    tenant.call(&edge, "POST", &format!("{path}/activate"), &json!({}));
    edge.run_for(10_000);
    let is_active = || edge.control.ask("select active from connections") == [json!(1)];
    assert!(is_active());
    tenant.emit(&edge, "x");
    edge.run_for(10_000);
    assert!(!is_active());
}

#[test]
fn two_seconds_after_a_change_nothing_old_is_sent() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, _) = tenant.route(&edge, "x", json!({"url": URL}));
    // 100 attempts of 240 ms, four at once, take 6 s.
    edge.receivers.script(URL, |_| Reply::status(200).after(240));
    (0..100).for_each(|_| drop(tenant.emit(&edge, "x")));
    let jobs = edge.queue.take_batch(edge.now_ms());
    let (other, messages) = (edge.clone(), jobs);
    edge.spawn(async move { deliver(&other, &messages).await.rest.await });
    edge.block_on(edge.sleep_ms(1_000));
    let path = format!("/api/v1/connections/{connection}");
    tenant.call(&edge, "PATCH", &path, &json!({"metadata": {"url": OTHER}}));
    let changed_at_ms = edge.now_ms();
    edge.block_on(edge.sleep_ms(10_000));
    let last_ms = edge.receivers.seen(URL).last().expect("some").at_ms;
    assert!(last_ms <= changed_at_ms + 2_000, "{} ms after it", last_ms - changed_at_ms);
    assert!(edge.receivers.seen(OTHER).len() > 30, "the rest goes to the new one");
}

#[test]
fn a_message_of_a_newer_release_comes_again() {
    let edge = Edge::new();
    let newer = r#"{"v":3,"something":"else"}"#.to_owned();
    let broken = r#"{"v":1,"something":"else"}"#.to_owned();
    assert_eq!(edge.serve_batch(&[newer, broken]), [Verdict::Retry(1), Verdict::Ack]);
}

#[test]
fn one_batch_of_jobs_that_is_refused_keeps_no_other_back() {
    let edge = Edge::new();
    let (tenant, _) = tenant(&edge);
    let event = r#"{"event":"x","payload":{}}"#;
    let connection = edge.control.ask("select id from connections")[0].clone();
    (0..24).for_each(|_| drop(tenant.rule(&edge, "x", connection.as_str().expect("text"))));
    let body = format!("[{}]", vec![event; 100].join(","));
    edge.queue.refuse_next(1);
    let headers = [("x-meshes-publishable-key", tenant.publishable_key.as_str())];
    let answer = call(&edge, "POST", "/api/v1/events/bulk", &headers, body.as_bytes());
    assert_eq!(answer.status, 201, "{}", answer.text);
    let left = "2,500 jobs in 250 messages in three batches, the first of them lost";
    assert_eq!(edge.queue.len(), 150, "{left}");
}

#[test]
fn a_late_success_counts_though_the_delivery_was_canceled() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": URL}));
    edge.receivers.script(URL, |_| Reply::status(200).after(2_000));
    let event = tenant.emit(&edge, "x");
    edge.run_for(500);
    let force = json!({"force_delete": true});
    tenant.call(&edge, "DELETE", &format!("/api/v1/connections/{connection}"), &force);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "canceled");
    edge.run_for(5_000);
    assert_eq!(tenant.delivery(&edge, &event)["status"], "completed");
    assert_eq!(outcomes(&tenant.attempts(&edge, &event, &rule)), ["delivered"]);
}

#[test]
fn a_long_answer_is_kept_in_a_row_of_its_own() {
    let edge = Edge::new();
    let (tenant, rule) = tenant(&edge);
    let answer = "a".repeat(4_000);
    let body = answer.clone();
    edge.receivers.script(URL, move |_| Reply::status(200).body(&body));
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    assert_eq!(edge.logs[0].ask("select first_attempt from deliveries"), [Value::Null]);
    assert_eq!(edge.logs[0].ask("select count(*) from attempts"), [json!(1)]);
    let details = format!("/api/v1/events/{event}/rules/{rule}/attempts/1/response-details");
    assert_eq!(tenant.get(&edge, &details)["body"], json!(answer));
}
