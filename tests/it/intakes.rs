//! The intake: an emit is accepted once an intake has stored it, and LOG has it soon after,
//! whatever fails on the way.

use std::collections::BTreeSet;

use posthorn::domain::routing::idempotency::swept_ids;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::chaos::Rates;
use crate::edge::{ADMIN_TOKEN, Edge, Fault, Weather};
use crate::tenant::{Tenant, ask, call, text};
use crate::vitals::health;

pub const URL: &str = "https://hooks.example.com/a";
pub const MINUTE_MS: i64 = 60_000;

pub fn world() -> (Edge, Tenant) {
    let edge = Edge::with_settings(|settings| settings.intakes = 2);
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "order.completed", json!({"url": URL}));
    (edge, tenant)
}

/// What was stored while nothing else was is flushed, or was tried to be, right after its answer.
pub const FLUSHED_WITHIN_MS: i64 = 2;

fn count(edge: &Edge, table: &str) -> i64 {
    edge.logs[0].ask(&format!("select count(*) from {table}"))[0].as_i64().expect("a count")
}

fn emit(edge: &Edge, tenant: &Tenant, headers: &[(&str, &str)]) -> crate::tenant::Answered {
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let headers = [&[key], headers].concat();
    let body = json!({"event": "order.completed", "payload": {"a": 1}}).to_string();
    call(edge, "POST", "/api/v1/events", &headers, body.as_bytes())
}

#[test]
fn an_emit_is_one_call_when_its_routing_is_known() {
    let (edge, tenant) = world();
    tenant.emit(&edge, "order.completed");
    edge.run_for(500);
    let before = (edge.control.round_trips.get(), edge.intakes.requests.get());
    let (written, sent) = (edge.intakes.rows_written(), edge.queue.sent.get());
    tenant.emit(&edge, "order.completed");
    let after = (edge.control.round_trips.get(), edge.intakes.requests.get());
    assert_eq!((after.0 - before.0, after.1 - before.1), (0, 1));
    assert_eq!(edge.queue.sent.get(), sent, "it is answered first");
    edge.run_for(FLUSHED_WITHIN_MS);
    // It takes the place of the first; the alarm is set already.
    assert_eq!((edge.intakes.rows_written() - written, edge.intakes.waiting()), (1, 1));
    assert_eq!(edge.queue.sent.get() - sent, 1);
    assert_eq!((count(&edge, "events"), count(&edge, "deliveries")), (2, 2));
    edge.run_for(1_000);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
    edge.run_for(1_000);
    assert_eq!((edge.intakes.rows_written() - written, edge.intakes.waiting()), (2, 0));
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(edge.intakes.next_due_ms(), None, "an idle intake sleeps");
}

#[test]
fn what_is_accepted_while_log_is_down_is_delivered_when_it_is_back() {
    let (edge, tenant) = world();
    for weather in [Weather::Down, Weather::ReadOnly] {
        let seen = edge.receivers.seen(URL).len();
        edge.logs[0].set_weather(weather);
        for _ in 0..50 {
            let answer = emit(&edge, &tenant, &[]);
            edge.run_for(10_000);
            assert_eq!(answer.status, 201, "{weather:?}: {}", answer.text);
        }
        assert_eq!(edge.receivers.seen(URL).len(), seen);
        edge.logs[0].set_weather(Weather::Up);
        edge.run_for(MINUTE_MS);
        let arrived = edge.receivers.seen(URL);
        let ids: BTreeSet<&str> = arrived.iter().map(|one| one.header("webhook-id")).collect();
        assert_eq!((arrived.len(), ids.len()), (seen + 50, seen + 50), "{weather:?}");
    }
}

/// A flush that was stored, its answer lost, long before LOG took anything again: the sweeper has
/// seen to its deliveries meanwhile.
#[test]
fn what_was_stored_long_ago_is_not_woken_by_its_flush() {
    let (edge, tenant) = world();
    edge.logs[0].fail_next(&[Some(Fault::After), Some(Fault::Before)]);
    tenant.emit(&edge, "order.completed");
    edge.run_for(FLUSHED_WITHIN_MS);
    edge.logs[0].set_weather(Weather::ReadOnly);
    edge.run_for(10 * MINUTE_MS);
    assert_eq!((count(&edge, "deliveries"), edge.intakes.waiting()), (1, 1));
    let sent = edge.queue.sent.get();
    edge.logs[0].set_weather(Weather::Up);
    // The first try of the next flush fails, too.
    edge.logs[0].fail_next(&[Some(Fault::Before)]);
    tenant.emit(&edge, "order.completed");
    edge.run_for(20_000);
    assert_eq!((count(&edge, "deliveries"), edge.intakes.waiting()), (2, 0));
    assert_eq!(edge.queue.sent.get() - sent, 1, "the new one alone");
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
}

#[test]
fn an_unknown_answer_is_asked_for_again_and_nothing_is_stored_twice() {
    for faults in [[Some(Fault::Before), None], [Some(Fault::After), None]] {
        let (edge, tenant) = world();
        edge.intakes.fail_next(&faults);
        assert_eq!(emit(&edge, &tenant, &[("idempotency-key", "k")]).status, 201);
        edge.run_for(FLUSHED_WITHIN_MS);
        assert_eq!(count(&edge, "events"), 1);
        edge.run_for(1_000);
        assert_eq!(edge.receivers.seen(URL).len(), 1);
    }
    let (edge, tenant) = world();
    edge.intakes.is_unreachable.set(true);
    let answer = emit(&edge, &tenant, &[]);
    assert_eq!((answer.status, &answer.headers["retry-after"]), (503, &"5".parse().expect("it")));
    assert!(answer.text.contains("unknown whether"), "{}", answer.text);
}

#[test]
fn a_key_is_answered_as_the_first_time() {
    let (edge, tenant) = world();
    let first = emit(&edge, &tenant, &[("idempotency-key", "k")]);
    for evicts in [false, true] {
        if evicts {
            edge.intakes.evict();
        }
        let again = emit(&edge, &tenant, &[("idempotency-key", "k")]);
        assert_eq!((again.status, again.json()), (201, first.json()));
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let body = json!({"event": "order.completed", "payload": {"a": 2}}).to_string();
    let headers = [key, ("idempotency-key", "k")];
    assert_eq!(call(&edge, "POST", "/api/v1/events", &headers, body.as_bytes()).status, 409);
    edge.run_for(FLUSHED_WITHIN_MS);
    assert_eq!(count(&edge, "events"), 1);
    // A day later the key is new.
    edge.run_for(24 * 60 * MINUTE_MS + MINUTE_MS);
    let later = emit(&edge, &tenant, &[("idempotency-key", "k")]);
    assert_ne!(later.json(), first.json());
    edge.run_for(FLUSHED_WITHIN_MS);
    assert_eq!(count(&edge, "events"), 2);
}

/// As many as 300 emits a second leave for the minute that has its turn, and a few more.
#[test]
fn all_old_keys_of_a_minute_are_deleted_in_it() {
    let (edge, tenant) = world();
    emit(&edge, &tenant, &[("idempotency-key", "k")]);
    let (from, _) = swept_ids(edge.now_ms() + MINUTE_MS);
    let many = format!(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < 20000) \
         insert into idempotency_keys select '{from}' || n, 'o', 'b', '[]', 'key', 0 from n"
    );
    edge.intakes.execute(&many);
    edge.run_for(2 * MINUTE_MS);
    let left = "delete from idempotency_keys where created_at_ms = 0";
    assert_eq!(edge.intakes.execute(left), 0);
    let again = emit(&edge, &tenant, &[("idempotency-key", "k")]);
    assert_eq!(again.headers["idempotent-replayed"], "true", "what is not old stays");
}

#[test]
fn an_intake_full_of_keys_takes_no_new_ones_and_everything_else() {
    let (edge, tenant) = world();
    let first = emit(&edge, &tenant, &[("idempotency-key", "k")]);
    edge.intakes.pretend_bytes(4 * 1024 * 1024 * 1024 - 1);
    assert_eq!(emit(&edge, &tenant, &[("idempotency-key", "last")]).status, 201);
    edge.intakes.pretend_bytes(4 * 1024 * 1024 * 1024);
    let beside = emit(&edge, &tenant, &[("idempotency-key", "beside what waits")]);
    assert_eq!(beside.status, 201, "what waits to be flushed does not count");
    edge.run_for(1_000);
    assert_eq!(health(&edge)["intakes"][0]["keys_percent"], json!(100));
    let refused = emit(&edge, &tenant, &[("idempotency-key", "new")]);
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert_eq!(refused.headers["retry-after"], "60");
    assert!(refused.text.contains("no new one is taken. Nothing was stored"), "{}", refused.text);
    let again = emit(&edge, &tenant, &[("idempotency-key", "k")]);
    assert_eq!((again.status, again.json()), (201, first.json()), "a repetition takes no room");
    assert_eq!(emit(&edge, &tenant, &[]).status, 201);
    edge.run_for(1_000);
    assert_eq!(count(&edge, "events"), 4, "what was refused is nowhere");
    edge.intakes.pretend_bytes(0);
    assert_eq!(emit(&edge, &tenant, &[("idempotency-key", "new")]).status, 201);
}

#[test]
fn an_event_is_read_right_after_it_was_accepted() {
    let (edge, tenant) = world();
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let event = tenant.emit(&edge, "order.completed");
    edge.run_for(FLUSHED_WITHIN_MS);
    assert_eq!(count(&edge, "events"), 0);
    edge.run_for(300);
    assert_eq!(count(&edge, "events"), 1, "it is tried again");
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let event_2 = tenant.emit(&edge, "order.completed");
    edge.run_for(FLUSHED_WITHIN_MS);
    for id in [event, event_2] {
        let found = tenant.get(&edge, &format!("/api/v1/events/{id}"));
        assert_eq!(found["id"], json!(id), "{found}");
    }
}

#[test]
fn an_event_that_is_still_at_the_intake_is_ours_and_goes_in_no_circle() {
    let (edge, tenant) = world();
    edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
    let event = tenant.emit(&edge, "order.completed");
    edge.run_for(FLUSHED_WITHIN_MS);
    assert_eq!(count(&edge, "events"), 0);
    let again = emit(&edge, &tenant, &[("posthorn-event-id", &event)]);
    assert_eq!((again.status, &again.json()["error"]["code"]), (422, &json!("loop")));
    // What cannot be looked up is not stored, and the answer says so.
    let event = tenant.emit(&edge, "order.completed");
    edge.logs[0].fail_next(&[Some(Fault::Before); 40]);
    let unknown = emit(&edge, &tenant, &[("posthorn-event-id", &event)]);
    assert_eq!(unknown.status, 503, "{}", unknown.text);
    assert!(unknown.text.contains("Nothing was stored"), "{}", unknown.text);
    edge.logs[0].fail_next(&[]);
    edge.run_for(MINUTE_MS);
    assert_eq!(count(&edge, "events"), 2);
}

#[test]
fn changes_hold_from_their_answer_on() {
    let (edge, tenant) = world();
    tenant.emit(&edge, "order.completed");
    // Another isolate read the routing a moment ago.
    let other = edge.other_isolate(0);
    tenant.emit(&other, "order.completed");
    let connections =
        tenant.get(&edge, &format!("/api/v1/workspaces/{}/connections", tenant.workspace));
    let connection = text(&connections, "/records/0/id");
    tenant.post_ok(&edge, &format!("/api/v1/connections/{connection}/deactivate"));
    let event = tenant.emit(&other, "order.completed");
    assert_eq!(tenant.delivery(&edge, &event)["held"], json!(true));
    // What was emitted before it was on its way, and is held like what came after.
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 0);
    let held = edge.logs[0].ask("select count(*) from deliveries where state = 'held'");
    assert_eq!(held, [json!(3)]);
}

/// The workspaces of an organization may be many: no intake is told, and what isolates know is
/// waited out.
#[test]
fn a_suspension_holds_from_its_answer_on() {
    let (edge, tenant) = world();
    let other = edge.other_isolate(0);
    tenant.emit(&other, "order.completed");
    let path = format!("/api/v1/organizations/{}", tenant.organization);
    let bearer = format!("Bearer {ADMIN_TOKEN}");
    let suspend = |suspended: bool| {
        let body = json!({"suspended": suspended}).to_string();
        call(&edge, "PATCH", &path, &[("authorization", &bearer)], body.as_bytes()).status
    };
    assert_eq!(suspend(true), 200);
    let refused = emit(&other, &tenant, &[]);
    assert_eq!(refused.status, 403, "{}", refused.text);
    assert_eq!(suspend(false), 200);
    assert_eq!(emit(&other, &tenant, &[]).status, 201);
}

#[test]
fn what_waits_of_a_workspace_goes_with_it_and_nothing_more_is_accepted() {
    let (edge, tenant) = world();
    let other = edge.other_isolate(0);
    edge.logs[0].set_weather(Weather::ReadOnly);
    tenant.emit(&other, "order.completed");
    assert_eq!(edge.intakes.waiting(), 1);
    let path = format!("/api/v1/workspaces/{}", tenant.workspace);
    let force = json!({"force_delete": true});
    let deleted = tenant.call(&edge, "DELETE", &path, &force);
    assert_eq!(deleted.status, 200, "{}", deleted.text);
    assert_eq!(emit(&other, &tenant, &[]).status, 401);
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(40 * MINUTE_MS);
    assert_eq!(edge.intakes.waiting(), 0);
    assert_eq!((count(&edge, "events"), count(&edge, "deliveries")), (0, 0));
    assert_eq!(edge.receivers.seen(URL).len(), 0);
}

/// Whatever becomes of the flush and of the memory: what was answered is found by the alarm.
#[test]
fn the_alarm_is_set_before_the_answer() {
    let (edge, tenant) = world();
    edge.logs[0].set_weather(Weather::ReadOnly);
    assert_eq!(edge.intakes.next_due_ms(), None);
    tenant.emit(&edge, "order.completed");
    let due_ms = edge.intakes.next_due_ms().expect("an alarm");
    assert!(due_ms <= edge.now_ms() + 2_000, "{}", due_ms - edge.now_ms());
    edge.logs[0].set_weather(Weather::Up);
    edge.intakes.evict();
    edge.run_for(3_000);
    assert_eq!((count(&edge, "events"), edge.receivers.seen(URL).len()), (1, 1));
    edge.run_for(2_000);
    assert_eq!(edge.intakes.waiting(), 0);
}

/// Rows that are in LOG are kept for a moment, and are found again by who opens the intake anew.
#[test]
fn what_is_flushed_again_after_a_restart_is_sent_once() {
    let (edge, tenant) = world();
    for _ in 0..5 {
        tenant.emit(&edge, "order.completed");
    }
    edge.run_for(500);
    assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (5, 5));
    let sent = edge.queue.sent.get();
    edge.intakes.evict();
    tenant.emit(&edge, "order.completed");
    edge.run_for(10_000);
    assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (0, 6));
    assert_eq!((edge.queue.sent.get() - sent, edge.receivers.seen(URL).len()), (1, 6));
}

/// A release that goes back to the one before leaves rows that this one cannot read. They are kept,
/// and meanwhile nothing is said of what may be in them.
#[test]
fn what_another_release_stored_is_kept_for_it_and_is_not_missing() {
    let (edge, tenant) = world();
    edge.logs[0].set_weather(Weather::ReadOnly);
    let event = tenant.emit(&edge, "order.completed");
    edge.intakes.hand_over();
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(5_000);
    let later = tenant.emit(&edge, "order.completed");
    edge.run_for(5_000);
    assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (1, 1));
    tenant.get(&edge, &format!("/api/v1/events/{later}"));
    let path = format!("/api/v1/events/{event}");
    assert_eq!(tenant.call(&edge, "GET", &path, &Value::Null).status, 503);
    let erase = tenant.call(&edge, "DELETE", &format!("{path}/payload"), &Value::Null);
    assert_eq!(erase.status, 503, "{}", erase.text);
    edge.intakes.take_back();
    edge.cron(false);
    edge.run_for(5_000);
    assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (0, 2));
    assert_eq!(tenant.get(&edge, &path)["id"], json!(event));
    assert_eq!(edge.receivers.seen(URL).len(), 2);
}

#[test]
fn an_intake_that_cannot_be_reached_is_waited_out() {
    let (edge, tenant) = world();
    let other = edge.other_isolate(0);
    tenant.emit(&other, "order.completed");
    edge.intakes.is_unreachable.set(true);
    let since_ms = edge.now_ms();
    let rotate = format!("/api/v1/workspaces/{}/publishable-key/rotate", tenant.workspace);
    let rotated = tenant.call(&edge, "POST", &rotate, &json!({"grace_seconds": 0}));
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    assert!((2_900..=3_100).contains(&(edge.now_ms() - since_ms)), "{}", edge.now_ms() - since_ms);
    edge.intakes.is_unreachable.set(false);
    assert_eq!(emit(&other, &tenant, &[]).status, 401);
}

#[test]
fn an_intake_that_never_answers_keeps_nobody_for_ever() {
    let (edge, tenant) = world();
    let event = tenant.emit(&edge, "order.completed");
    edge.run_for(1_000);
    edge.intakes.hangs.set(true);
    let since_ms = edge.now_ms();
    let answer = emit(&edge, &tenant, &[]);
    assert_eq!(answer.status, 503, "{}", answer.text);
    assert!(answer.text.contains("unknown whether"), "{}", answer.text);
    // It could be there still.
    edge.logs[0].execute("delete from events");
    let path = format!("/api/v1/events/{event}");
    assert_eq!(tenant.call(&edge, "GET", &path, &Value::Null).status, 503);
    edge.cron(false);
    assert!(edge.now_ms() - since_ms < 30_000, "{}", edge.now_ms() - since_ms);
}

#[test]
fn an_event_that_log_refuses_is_set_aside_and_holds_nobody_up() {
    let (edge, tenant) = world();
    edge.logs[0].set_weather(Weather::Down);
    let events: Vec<String> =
        (0..3).map(|_| text(&emit(&edge, &tenant, &[]).json(), "/event/id")).collect();
    edge.logs[0].set_weather(Weather::Up);
    edge.logs[0].execute(&format!(
        "create trigger refuses before insert on events \
         when new.event = '{}' and new.payload <> '' \
         begin select raise(abort, 'constraint failed'); end",
        events[1]
    ));
    edge.run_for(MINUTE_MS);
    assert_eq!(edge.receivers.seen(URL).len(), 2);
    let delivery = tenant.delivery(&edge, &events[1]);
    assert_eq!(delivery["status"], "failed");
    assert_eq!(
        edge.logs[0].ask("select reason from deliveries where state = 'failed'"),
        ["internal"]
    );
    assert!(edge.lines.borrow().iter().any(|line| line["set_aside"] == json!(events[1])));
    assert_eq!(edge.intakes.waiting(), 0);
}

/// What it costs in all, until the intake sleeps again.
#[test]
fn what_comes_at_once_shares_rows_batches_and_messages() {
    const COUNT: usize = 600;
    // 500 and 100 a second, while each commit takes up to 20 ms, and 100 while it takes no time; at
    // most so many rows of the intake, messages and batches of LOG for a hundred.
    for (every_ms, latency_ms, [rows_max, messages_max, batches_max]) in
        [(2, 20, [25, 12, 3]), (10, 20, [40, 15, 15]), (10, 0, [40, 20, 20])]
    {
        let (edge, tenant) = world();
        tenant.emit(&edge, "order.completed");
        edge.run_for(5_000);
        let counts = || {
            let (rows, sent) = (edge.intakes.rows_written(), edge.queue.sent.get());
            (rows, sent, edge.logs[0].round_trips.get())
        };
        let before = counts();
        edge.chaos.rates.set(Rates { latency_ms, ..Rates::default() });
        for _ in 0..COUNT {
            let (own, key) = (edge.clone(), tenant.publishable_key.clone());
            edge.spawn(async move {
                let headers = vec![("x-meshes-publishable-key".to_owned(), key)];
                let body = br#"{"event":"order.completed","payload":{"a":1}}"#.to_vec();
                let answer = ask(&own, "POST", "/api/v1/events", headers, body).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
            });
            edge.advance_to(edge.now_ms() + every_ms);
        }
        for _ in 0..100 {
            edge.advance_to(edge.now_ms() + 2);
        }
        edge.chaos.rates.set(Rates::default());
        let (_, sent, batches) = counts();
        let (sent, batches) = (sent - before.1, batches - before.2);
        edge.run_for(5_000);
        let rows = counts().0 - before.0;
        assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (0, 1 + COUNT as i64));
        let each = |count: usize| 100 * count / COUNT;
        assert!(each(rows) <= rows_max, "every {every_ms} ms: {rows} rows of the intake");
        assert!(each(sent) <= messages_max, "every {every_ms} ms: {sent} messages");
        assert!(each(batches as usize) <= batches_max, "every {every_ms} ms: {batches} batches");
    }
}

#[test]
fn a_full_intake_refuses_and_takes_again_when_it_has_room() {
    let (edge, tenant) = world();
    edge.logs[0].set_weather(Weather::Down);
    // A quarter of what may wait is one workspace's.
    let payload = "x".repeat(500_000);
    let large = json!({"event": "order.completed", "payload": {"text": payload}}).to_string();
    let refused = (0..600).map(|_| tenant.emit_text(&edge, &large)).find(|one| one.status != 201);
    let refused = refused.expect("it is full");
    assert_eq!((refused.status, &refused.headers["retry-after"]), (503, &"2".parse().expect("it")));
    assert!(refused.text.contains("Nothing was stored"), "{}", refused.text);
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(5 * MINUTE_MS);
    assert_eq!((edge.intakes.waiting(), tenant.emit_text(&edge, &large).status), (0, 201));
}

#[test]
fn a_request_of_megabytes_goes_to_log_at_once_after_what_waits() {
    let (edge, tenant) = world();
    let text = "x".repeat(400_000);
    let large = json!({"event": "order.completed", "payload": {"text": text}});
    let body = json!([large, large, large]).to_string();
    let key = ("x-meshes-publishable-key", tenant.publishable_key.as_str());
    let bulk = || call(&edge, "POST", "/api/v1/events/bulk", &[key], body.as_bytes());
    edge.logs[0].set_weather(Weather::Down);
    assert_eq!(emit(&edge, &tenant, &[]).status, 201);
    let refused = bulk();
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.text.contains("Nothing was stored"), "{}", refused.text);
    edge.logs[0].set_weather(Weather::Up);
    assert_eq!(bulk().status, 201);
    assert_eq!((edge.intakes.waiting(), count(&edge, "events")), (0, 4));
}
