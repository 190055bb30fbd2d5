//! The cron's work: it reaches everybody however many connections are failing, and no run makes
//! more statements than its budget says.

use posthorn::app::upkeep::budget::Budget;
use posthorn::app::upkeep::sweep::sweep;
use posthorn::domain::base::limits::UPKEEP_STATEMENTS;
use posthorn::domain::base::time::MINUTE_MS;
use posthorn::ports::{Clock, Database, Param, Statement};
use serde_json::{Value, json};

use crate::edge::chaos::Rates;
use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, text};

const SELECT: &str = "select ?1 as text";
const URL: &str = "https://hooks.example.com/a";

/// Connections to `count` endpoints, each with a rule for an event of its own; the URLs.
fn routes(edge: &Edge, tenant: &Tenant, name: &str, count: usize) -> Vec<String> {
    let one = |n| {
        let url = format!("https://hooks.example.com/{name}/{n}");
        tenant.route(edge, &format!("{name}.{n}"), json!({"url": url}));
        url
    };
    (0..count).map(one).collect()
}

#[test]
fn a_lost_job_is_attempted_within_five_minutes_beside_650_connections_that_are_down() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for url in routes(&edge, &tenant, "down", 650) {
        edge.receivers.script(&url, |_| Reply::status(503));
    }
    let healthy = routes(&edge, &tenant, "healthy", 35);
    // These failed once, so they have a lane.
    let mended = routes(&edge, &tenant, "mended", 15);
    for url in &mended {
        edge.receivers.script(url, |n| Reply::status(if n == 0 { 503 } else { 200 }));
    }
    (0..650).for_each(|n| drop(tenant.emit(&edge, &format!("down.{n}"))));
    (0..15).for_each(|n| drop(tenant.emit(&edge, &format!("mended.{n}"))));
    edge.run_for(2 * MINUTE_MS);
    (0..650).for_each(|n| drop(tenant.emit(&edge, &format!("down.{n}"))));
    edge.run_for(18 * MINUTE_MS);
    let seen = |urls: &[String]| -> Vec<usize> {
        urls.iter().map(|url| edge.receivers.seen(url).len()).collect()
    };
    let before = seen(&mended);
    edge.take_statements_max();
    (0..35).for_each(|n| drop(tenant.emit(&edge, &format!("healthy.{n}"))));
    (0..15).for_each(|n| drop(tenant.emit(&edge, &format!("mended.{n}"))));
    edge.queue.clear();
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(seen(&healthy), [1; 35]);
    let after = seen(&mended);
    for (index, (before, after)) in before.iter().zip(&after).enumerate() {
        assert_eq!(*after, before + 1, "{}", mended[index]);
    }
    let statements = edge.take_statements_max();
    assert!(statements <= UPKEEP_STATEMENTS, "{statements} statements in one invocation");
}

/// More lanes than one run nudges have something overdue, and have it again whenever they may be
/// nudged again: a run goes on where the one before it ended, so those at the end have their turn.
#[test]
fn of_1_200_lanes_that_are_overdue_all_the_time_each_is_nudged_within_five_minutes() {
    let edge = Edge::new();
    let log = &edge.logs[0];
    let numbers = "with recursive n (n) as (select 1 union all select n + 1 from n where n < 1200)";
    let overdue_ms = edge.now_ms() - 60 * MINUTE_MS;
    log.execute(&format!(
        "insert into lanes (workspace, connection, mode, raised_at_ms) {numbers} \
         select 'w', printf('c%04d', n), 1, {overdue_ms} from n"
    ));
    log.execute(&format!(
        "insert into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
           sweep_at_ms, payload_bytes, created_at_ms) {numbers} \
         select 'w', printf('c%04d', n), printf('e%04d', n), 1, 'retrying', 1, {overdue_ms}, \
           {overdue_ms}, 2, {overdue_ms} from n"
    ));
    for _ in 0..5 {
        let mut budget = Budget::new(UPKEEP_STATEMENTS);
        edge.block_on(sweep(&edge, 0, false, &mut budget)).expect("a sweep");
        edge.advance_to(edge.now_ms() + MINUTE_MS);
    }
    assert_eq!(log.ask("select count(*) from lanes where nudges = 0"), [json!(0)]);
}

#[test]
fn lost_jobs_of_one_connection_are_attempted_at_the_pace_of_100_000_in_fifteen_minutes() {
    // As many as that pace makes in a minute and a half; the first minute is the sweeper's.
    const COUNT: i64 = 10_000;
    let edge = Edge::new();
    edge.logs[0].trust_plans();
    edge.receivers.script(URL, |_| Reply::status(200).after(10));
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": URL}));
    let (workspace, now_ms) = (&tenant.workspace, edge.now_ms());
    let numbers = format!(
        "with recursive n (n) as (select 1 union all select n + 1 from n where n < {COUNT})"
    );
    let id = "printf('01a3185c-5000-7fff-8000-%012x', n)";
    let fan_out = json!([{"n": 1, "r": rule, "c": connection, "t": "webhook"}]);
    edge.logs[0].execute(&format!(
        "insert into events (workspace, event, name, created_by, created_at_ms, fan_out, \
           payload_bytes, payload) {numbers} \
         select '{workspace}', {id}, 'x', 'key', {now_ms}, '{fan_out}', 2, '{{}}' from n"
    ));
    edge.logs[0].execute(&format!(
        "insert into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
           sweep_at_ms, payload_bytes, created_at_ms) {numbers} \
         select '{workspace}', '{connection}', {id}, 1, 'pending', 1, {now_ms}, {now_ms}, 2, \
           {now_ms} from n"
    ));
    // As D1, the queue and Durable Objects do, each call takes some time.
    edge.chaos.rates.set(Rates { latency_ms: 10, ..Rates::default() });
    edge.run_for(MINUTE_MS + 90_000);
    let left = edge.logs[0].ask("select count(*) from deliveries where state <> 'delivered'");
    assert_eq!(left, [json!(0)]);
    assert_eq!(edge.receivers.count(URL), usize::try_from(COUNT).expect("small"), "each once");
}

#[test]
fn deleted_workspaces_are_cleared_away_within_the_budget() {
    let edge = Edge::new();
    let mut tenant = Tenant::new(&edge, "Acme");
    let mut workspaces = Vec::new();
    for n in 0..10 {
        let made =
            tenant.post(&edge, "/api/v1/workspaces", &json!({"name": format!("Workspace {n}")}));
        tenant.workspace = text(&made, "/workspace/id");
        tenant.connection(&edge, json!({"url": "https://hooks.example.com/a"}));
        workspaces.push(tenant.workspace.clone());
    }
    // Each has 200 connections more.
    let columns: Vec<String> = edge
        .control
        .ask("select name from pragma_table_info('connections') order by cid")
        .iter()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    let value = |name: &String| match name.as_str() {
        "id" => "substr(c.id, 1, 32) || printf('%04x', n)".to_owned(),
        "name" | "name_key" => format!("c.{name} || ' ' || n"),
        _ => format!("c.{name}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    edge.control.execute(&format!(
        "insert into connections ({}) \
         with recursive n (n) as (select 1 union all select n + 1 from n where n < 200) \
         select {} from connections c cross join n",
        columns.join(", "),
        values.join(", ")
    ));
    for workspace in &workspaces {
        let path = format!("/api/v1/workspaces/{workspace}");
        let body = json!({"force_delete": true});
        let answer = tenant.call(&edge, "DELETE", &path, &body);
        assert!(answer.status < 300, "{}", answer.text);
    }
    let left = || edge.control.ask("select count(*) from connections");
    assert_ne!(left(), [json!(0)], "the deletion itself cleared away all of it");
    edge.run_for(10 * MINUTE_MS);
    assert_eq!(left(), [json!(0)]);
    let statements = edge.take_statements_max();
    assert!(statements <= UPKEEP_STATEMENTS, "{statements} statements in one invocation");
}

/// Whether a database takes a text.
fn takes(edge: &Edge, bytes: usize) -> bool {
    let text = Param::Text("x".repeat(bytes));
    let statement = Statement { sql: SELECT, params: vec![text] };
    edge.block_on(edge.logs[0].batch(vec![statement])).is_ok()
}

#[test]
fn the_test_bench_refuses_texts_that_d1_refuses() {
    let edge = Edge::new();
    edge.logs[0].trust_plans();
    assert!(takes(&edge, 1_999_000) && !takes(&edge, 2_000_001));
}

#[test]
#[should_panic(expected = "D1 answers 1000 statements")]
fn the_test_bench_counts_the_statements_of_an_invocation() {
    let edge = Edge::new();
    edge.logs[0].trust_plans();
    let statement = || Statement { sql: SELECT, params: vec![Value::Null.to_string().into()] };
    // A thousand are answered, in whatever batches; another invocation has its own thousand.
    for _ in 0..2 {
        let batches = (0..10).map(|_| (0..100).map(|_| statement()).collect::<Vec<_>>());
        edge.block_on(async {
            for batch in batches {
                edge.logs[0].batch(batch).await.expect("an answer");
            }
        });
    }
    let many = (0..1_001).map(|_| statement()).collect();
    let _ = edge.block_on(edge.logs[0].batch(many));
}
