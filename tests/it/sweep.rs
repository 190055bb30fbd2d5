//! What the sweeper finds, and what it leaves alone.

use posthorn::domain::base::time::MINUTE_MS;
use posthorn::domain::lane::queue::DeliveryKey;
use posthorn::ports::Clock;
use posthorn::store::sweeps::{self, Claim, Overdue};
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

fn url(name: &str) -> String {
    format!("https://hooks.example.com/{name}")
}

/// A tenant with connections of these names, each with a rule for the event of its name.
fn routes(names: &[&str]) -> (Edge, Tenant, Vec<String>) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let route = |name: &&str| tenant.route(&edge, name, json!({"url": url(name)})).0;
    let connections = names.iter().map(route).collect();
    (edge, tenant, connections)
}

fn seen(edge: &Edge, name: &str) -> usize {
    edge.receivers.seen(&url(name)).len()
}

fn errors(edge: &Edge, at: &str) -> Vec<Value> {
    let lines = edge.lines.borrow();
    let of = lines.iter().filter(|line| line["at"] == at && line.get("error").is_some());
    of.cloned().collect()
}

#[test]
fn while_the_queue_is_behind_what_waits_in_it_is_not_taken_for_lost() {
    let (edge, tenant, _) = routes(&["first", "second"]);
    tenant.emit(&edge, "first");
    (0..20).for_each(|_| drop(tenant.emit(&edge, "second")));
    let mut jobs = edge.queue.take_batch(edge.now_ms());
    let waiting = jobs.remove(0);
    // The queue is two and a half minutes behind, and then four and a half.
    edge.run_for(150_000);
    jobs.into_iter().for_each(|job| edge.queue.put_back(job, 0));
    edge.run_for(2 * MINUTE_MS);
    assert_eq!((seen(&edge, "first"), seen(&edge, "second")), (0, 20));
    assert_eq!(edge.queue.sent.get(), 21, "it sends no job for what is still to come");
    edge.queue.put_back(waiting, 0);
    edge.run_for(10 * MINUTE_MS);
    assert_eq!((seen(&edge, "first"), seen(&edge, "second")), (1, 20));
    assert_eq!(edge.queue.sent.get(), 21);
    // A lost one is found all the same.
    tenant.emit(&edge, "first");
    edge.queue.clear();
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(seen(&edge, "first"), 2);
}

#[test]
fn after_a_restart_a_lane_waits_for_no_job_that_was_on_its_way() {
    let (edge, tenant, _) = routes(&["a"]);
    edge.receivers.script(&url("a"), |n| Reply::status(if n == 0 { 503 } else { 200 }));
    tenant.emit(&edge, "a");
    edge.run_for(2 * MINUTE_MS);
    // Twice within the minute for which a lane that was nudged is left alone.
    for round in 1..=2 {
        (0..20).for_each(|_| drop(tenant.emit(&edge, "a")));
        edge.queue.clear();
        edge.lanes.evict();
        edge.cron(true);
        edge.run_for(10_000);
        assert_eq!(seen(&edge, "a"), 2 + 20 * round);
    }
}

#[test]
fn what_a_late_job_attempts_is_not_taken_for_lost_meanwhile() {
    for has_lane in [false, true] {
        let (edge, tenant, _) = routes(&["a"]);
        let late = if has_lane { 2 } else { 0 };
        edge.receivers.script(&url("a"), move |n| match n {
            n if n == late => Reply::status(200).after(14_000),
            0 => Reply::status(503),
            _ => Reply::status(200),
        });
        if has_lane {
            tenant.emit(&edge, "a");
            edge.serve_batch(&edge.queue.take_due(edge.now_ms()));
        }
        tenant.emit(&edge, "a");
        let jobs = edge.queue.take_batch(edge.now_ms());
        assert_eq!(jobs.len(), 1);
        // A lane sees it when it retries the first. It is taken for lost after three minutes.
        edge.run_for(172_000);
        assert_eq!(seen(&edge, "a"), late);
        edge.other_isolate(0).serve_beside(jobs);
        edge.run_for(10_000);
        edge.cron(false);
        edge.run_for(10 * MINUTE_MS);
        assert_eq!(seen(&edge, "a"), late + 1, "with a lane: {has_lane}");
    }
}

#[test]
fn a_lane_takes_nothing_for_lost_that_was_taken_meanwhile() {
    let (edge, tenant, _) = routes(&["a"]);
    edge.receivers.script(&url("a"), |n| Reply::status(if n == 0 { 503 } else { 200 }));
    tenant.emit(&edge, "a");
    edge.block_on(edge.sleep_ms(1));
    let first = edge.queue.take_due(edge.now_ms());
    edge.serve_batch(&first);
    let event = tenant.emit(&edge, "a");
    // Its job is lost. The lane sees it when it retries the first.
    edge.queue.take_due(edge.now_ms());
    edge.run_for(170_000);
    assert_eq!(seen(&edge, "a"), 2);
    let (log, now_ms) = (&edge.logs[0], edge.now_ms());
    let place = log.ask(&format!(
        "select workspace || ' ' || connection || ' ' || rule from deliveries \
         where event = '{event}'"
    ));
    let words: Vec<&str> = place[0].as_str().expect("text").split(' ').collect();
    let key = DeliveryKey {
        workspace: words[0].into(),
        connection: words[1].into(),
        event,
        rule: words[2].parse().expect("a number"),
    };
    let taken = edge.block_on(sweeps::claim(log, &[Claim::new(key, 0, 0, now_ms)]));
    assert_eq!(taken.expect("LOG answers").len(), 1);
    edge.run_for(50_000);
    assert_eq!(seen(&edge, "a"), 2, "whoever took it may be at it");
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(seen(&edge, "a"), 3, "nobody was");
}

#[test]
fn a_sweep_that_runs_twice_at_once_wakes_each_delivery_once() {
    let (edge, tenant, _) = routes(&["a"]);
    (0..3).for_each(|_| drop(tenant.emit(&edge, "a")));
    edge.queue.clear();
    edge.advance_to(edge.now_ms() + 5 * MINUTE_MS);
    let (log, now_ms) = (&edge.logs[0], edge.now_ms());
    let from_start = sweeps::Position::default();
    let found = edge.block_on(sweeps::overdue(log, &from_start, now_ms, false));
    let found = found.expect("LOG answers").remove(0).overdue.rows;
    // Both have read before either takes what it found.
    let take = |found: &[Overdue]| {
        let claim = |one: &Overdue| one.claim(now_ms);
        let claims: Vec<Claim> = found.iter().map(claim).collect();
        edge.block_on(sweeps::claim(log, &claims)).expect("LOG answers").len()
    };
    assert_eq!((found.len(), take(&found), take(&found)), (3, 3, 0));
}

#[test]
fn a_row_that_cannot_be_read_keeps_no_other_from_being_swept() {
    let (edge, tenant, connections) = routes(&["a", "b"]);
    let unreadable = tenant.emit(&edge, "a");
    tenant.emit(&edge, "a");
    tenant.emit(&edge, "b");
    edge.queue.clear();
    let change =
        format!("update deliveries set payload_bytes = 'none' where event = '{unreadable}'");
    assert_eq!(edge.logs[0].execute(&change), 1);
    edge.run_for(5 * MINUTE_MS);
    assert_eq!((seen(&edge, "a"), seen(&edge, "b")), (1, 1));
    let told = errors(&edge, "sweep");
    assert!(!told.is_empty() && told.iter().all(|line| line["shard"] == 0), "{told:?}");
    // So with lanes, and with connections that are read for what they hold.
    for name in ["a", "b"] {
        tenant.emit(&edge, name);
    }
    edge.queue.clear();
    edge.logs[0].execute(&format!(
        "insert into lanes (workspace, connection, mode, raised_at_ms, nudges) \
         values ('{}', '{}', 0, 0, 'none'), ('{}', '{}', 0, 0, 0)",
        tenant.workspace, connections[0], tenant.workspace, connections[1]
    ));
    edge.run_for(6 * MINUTE_MS);
    assert_eq!(seen(&edge, "b"), 2);
}

#[test]
fn a_row_that_cannot_be_read_keeps_no_other_of_its_batch() {
    let (edge, tenant, _) = routes(&["a", "b"]);
    let unreadable = tenant.emit(&edge, "a");
    tenant.emit(&edge, "b");
    edge.logs[0]
        .execute(&format!("update deliveries set faults = 'none' where event = '{unreadable}'"));
    edge.run_for(1_000);
    assert_eq!((seen(&edge, "a"), seen(&edge, "b")), (0, 1));
    assert_eq!(errors(&edge, "deliver").len(), 1);
}

#[test]
fn a_connection_that_cannot_be_read_keeps_no_other_from_being_released() {
    let (edge, tenant, connections) = routes(&["a", "b"]);
    for (name, connection) in ["a", "b"].iter().zip(&connections) {
        tenant.post_ok(&edge, &format!("/api/v1/connections/{connection}/deactivate"));
        tenant.emit(&edge, name);
    }
    edge.control.execute("update connections set active = 1, inactive_reason = null");
    edge.control
        .execute(&format!("update connections set settings = 'x' where id = '{}'", connections[0]));
    edge.run_for(2 * MINUTE_MS);
    assert_eq!(seen(&edge, "b"), 1);
}

#[test]
fn what_a_deleted_connection_holds_is_canceled_for_that_reason() {
    let (edge, tenant, connections) = routes(&["a", "b"]);
    for (name, connection) in ["a", "b"].iter().zip(&connections) {
        tenant.post_ok(&edge, &format!("/api/v1/connections/{connection}/deactivate"));
        tenant.emit(&edge, name);
    }
    // As if the deletion had been cut off, or an emit been stored after it.
    edge.control.execute(&format!("delete from connections where id = '{}'", connections[0]));
    edge.run_for(2 * MINUTE_MS);
    // Both were emitted in one millisecond, so their ids are in any order.
    let states = edge.logs[0].ask(&format!(
        "select json_array(state, reason) from deliveries order by connection <> '{}'",
        connections[0]
    ));
    assert_eq!(states, [json!("[\"canceled\",\"connection_deleted\"]"), json!("[\"held\",null]")]);
}
