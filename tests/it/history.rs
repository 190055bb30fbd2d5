//! What everything costs does not grow with history: the same calls with 1,000 and with 100,000
//! settled deliveries in front, counted in steps of SQLite's machine, of which each row that is
//! read takes some.

use http::Method;
use posthorn::domain::base::ids::first_event_id;
use posthorn::domain::base::time::{DAY_MS, HOUR_MS, MINUTE_MS, rfc3339};
use posthorn::http::access::Access;
use posthorn::ports::Clock;
use posthorn::routes::{Route, routes};
use serde_json::{Value, json};

use crate::edge::{Edge, Reply, START_MS};
use crate::tenant::{Tenant, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";
const DOWN_URL: &str = "https://hooks.example.com/down";
const STRICT_URL: &str = "https://hooks.example.com/strict";
const PAUSED_URL: &str = "https://hooks.example.com/paused";
const GONE_URL: &str = "https://hooks.example.com/gone";

/// A tenant with every kind of connection, its past, and the same present whatever the past is.
struct World {
    edge: Edge,
    tenant: Tenant,
    healthy: String,
    all: Vec<String>,
    last: String,
    rule: String,
    replay: String,
    erasure: String,
}

/// What a call costs.
struct Cost {
    steps: i64,
    costliest: &'static str,
}

/// Settled deliveries of every connection, one for each event, in the ten days before the tests.
fn past(edge: &Edge, tenant: &Tenant, connections: &[(String, String)], count: usize) {
    let log = &edge.logs[0];
    let numbers = format!(
        "with recursive n (n) as (select 0 union all select n + 1 from n where n + 1 < {count})"
    );
    let from_ms = START_MS - 10 * DAY_MS;
    let at = format!("({from_ms} + n * {} / {count})", 9 * DAY_MS);
    // The time stands in the first 48 bits of an id.
    let id = format!(
        "substr(printf('%012x', {at}), 1, 8) || '-' || substr(printf('%012x', {at}), 9) \
         || printf('-7%03x-8000-%012x', n % 4096, n)"
    );
    let fan_out: Vec<Value> = connections
        .iter()
        .enumerate()
        .map(|(index, (connection, rule))| {
            json!({"n": index + 1, "r": rule, "c": connection, "t": "webhook"})
        })
        .collect();
    let (workspace, fan_out) = (&tenant.workspace, json!(fan_out).to_string());
    log.execute(&format!(
        "insert into events (workspace, event, name, created_by, created_at_ms, fan_out, \
           payload_bytes, payload) {numbers} \
         select '{workspace}', {id}, 'x', 'key', {at}, '{fan_out}', 2, '{{}}' from n"
    ));
    for (index, (connection, _)) in connections.iter().enumerate() {
        log.execute(&format!(
            "insert into deliveries (workspace, connection, event, rule, state, open, attempts, \
               payload_bytes, created_at_ms, started_at_ms, completed_at_ms) {numbers} \
             select '{workspace}', '{connection}', {id}, {}, 'delivered', 0, 1, 2, {at}, {at}, \
               {at} + 40 from n",
            index + 1
        ));
    }
}

fn world(count: usize) -> World {
    let edge = Edge::new();
    edge.logs[0].trust_plans();
    let tenant = Tenant::new(&edge, "Acme");
    let refusal = |_| Reply::status(500).header("webhook-delivery", "abort-message");
    edge.receivers.script(DOWN_URL, |_| Reply::status(503));
    edge.receivers.script(STRICT_URL, |_| Reply::status(503));
    edge.receivers.script(GONE_URL, refusal);
    let (healthy, rule) = tenant.route(&edge, "x", json!({"url": URL}));
    let (down, _) = tenant.route(&edge, "x", json!({"url": DOWN_URL}));
    let strict = json!({"url": STRICT_URL, "ordering": "strict"});
    let (strict, _) = tenant.route(&edge, "x", strict);
    let (paused, _) = tenant.route(&edge, "x", json!({"url": PAUSED_URL}));
    let (gone, _) = tenant.route(&edge, "x", json!({"url": GONE_URL}));
    past(&edge, &tenant, &[(healthy.clone(), rule.clone())], count);
    tenant.post_ok(&edge, &format!("/api/v1/connections/{paused}/deactivate"));
    for _ in 0..30 {
        tenant.emit(&edge, "x");
        edge.run_for(1_000);
    }
    // The statistics of the past are counted.
    edge.run_for(2 * HOUR_MS);
    let last = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let workspace = format!("/api/v1/workspaces/{}", tenant.workspace);
    let now_ms = edge.now_ms();
    let range = json!({"since": rfc3339(now_ms - 1), "until": rfc3339(now_ms)});
    let replay = text(&tenant.post(&edge, &format!("{workspace}/replays"), &range), "/replay/id");
    let person = json!({"external_user_id": "nobody"});
    let erasure = tenant.call(&edge, "POST", &format!("{workspace}/erasures"), &person).json();
    let erasure = text(&erasure, "/erasure/id");
    edge.run_for(30 * MINUTE_MS);
    let all = vec![down, strict, paused, gone];
    World { edge, tenant, healthy, all, last, rule, replay, erasure }
}

impl World {
    /// What a call costs in both databases.
    fn cost(&self, call: impl FnOnce()) -> Cost {
        let databases = [&self.edge.control, &self.edge.logs[0]];
        let steps = || databases.iter().map(|db| db.steps.get()).sum::<i64>();
        let before = steps();
        databases.iter().for_each(|db| drop(db.steps_by_statement.take()));
        call();
        let by_statement = databases.iter().flat_map(|db| db.steps_by_statement.take());
        let costliest = by_statement.max_by_key(|(_, steps)| *steps);
        Cost { steps: steps() - before, costliest: costliest.map_or("", |(sql, _)| sql) }
    }

    fn costs(&self) -> Vec<(String, Cost)> {
        let (edge, tenant) = (&self.edge, &self.tenant);
        let mut costs = Vec::new();
        let mut add = |name: &str, cost: Cost| costs.push((name.to_owned(), cost));
        add("emit", self.cost(|| drop(tenant.emit(edge, "x"))));
        add("deliveries", self.cost(|| edge.run_for(1_000)));
        edge.lanes.evict();
        add("five minutes of lanes", self.cost(|| edge.run_for(5 * 60_000 + 1)));
        add("sweep", self.cost(|| edge.cron(false)));
        for path in self.api_paths() {
            let read = || {
                let answer = tenant.call(edge, "GET", &path, &Value::Null);
                assert!(answer.status < 500, "{path}: {}", answer.text);
            };
            let cost = self.cost(read);
            add(&path, cost);
        }
        let visitor =
            Visitor::new(edge, tenant, json!({"role": "admin", "scopes": ["events.payload:read"]}));
        for page in self.pages() {
            // A record is polled with the words that its page says.
            let of = page.strip_prefix("live/").and_then(|path| path.split('?').next());
            let polled = of.filter(|of| of.contains('/')).and_then(|of| visitor.poll(edge, of));
            let asked = polled.as_ref().unwrap_or(&page);
            let read = || assert!(visitor.get(edge, asked).status < 400, "{asked}");
            add(&format!("page {page}"), self.cost(read));
        }
        let now_ms = edge.now_ms();
        let range = json!({"since": rfc3339(now_ms - DAY_MS / 2), "until": rfc3339(now_ms)});
        let replays = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
        add("replay", self.cost(|| drop(tenant.post(edge, &replays, &range))));
        for connection in &self.all {
            let path = format!("/api/v1/connections/{connection}");
            let off = self.cost(|| tenant.post_ok(edge, &format!("{path}/deactivate")));
            add(&format!("deactivate {connection}"), off);
            let on = self.cost(|| tenant.post_ok(edge, &format!("{path}/activate")));
            add(&format!("activate {connection}"), on);
        }
        costs
    }

    /// The targets of all rows that are read below `prefix`, and each with what it is asked about:
    /// every connection, and one of the rest.
    fn targets(&self, prefix: &str) -> Vec<String> {
        let is_read = |route: &&Route<Edge>| {
            let is_for_us = !matches!(route.access, Access::Admin | Access::SessionToken);
            route.method == Method::GET && route.path.starts_with(prefix) && is_for_us
        };
        let mut targets = Vec::new();
        for route in routes::<Edge>().iter().filter(is_read) {
            let below = route.path.strip_prefix(prefix).expect("a row below it");
            let kind = below.trim_start_matches("/live").trim_start_matches('/');
            let ids: Vec<&String> = match kind.split('/').next() {
                Some("connections") => self.all.iter().chain([&self.healthy]).collect(),
                Some("rules") => vec![&self.rule],
                Some("replays") => vec![&self.replay],
                Some("workspaces") => vec![&self.tenant.workspace],
                _ => vec![&self.last],
            };
            let path = below.replace(":rule_id", &self.rule).replace(":key", "x");
            let path = path.replace(":erasure", &self.erasure).replace(":n", "1");
            targets.extend(ids.into_iter().map(|id| path.replace(":id", id)));
        }
        targets.sort_unstable();
        targets.dedup();
        targets
    }

    fn api_paths(&self) -> Vec<String> {
        let mut paths = self.targets("/api/v1");
        let statuses = ["pending", "completed", "failed", "retrying", "held", "canceled"];
        paths.extend(statuses.map(|status| format!("/events?status={status}")));
        paths.extend(["/events?event=none", "/events?resource=order"].map(str::to_owned));
        for connection in self.all.iter().chain([&self.healthy]) {
            let path = format!("/connections/{connection}/deliveries");
            paths.extend(statuses.map(|status| format!("{path}?status={status}")));
        }
        paths.into_iter().map(|path| format!("/api/v1{path}")).collect()
    }

    fn pages(&self) -> Vec<String> {
        let below = |path: String| path.trim_start_matches('/').to_owned();
        let mut pages: Vec<String> =
            self.targets("/embed/s/:session").into_iter().map(below).collect();
        // The first page leads on to another one, and an export costs what it gives.
        pages.retain(|page| !page.is_empty() && page != "events/export");
        let polled = |page: &mut String| {
            if page.starts_with("live/") {
                page.push_str(&format!("?workspace={}&before=~", self.tenant.workspace));
            }
        };
        pages.iter_mut().for_each(polled);
        pages.push("events?status=failed".to_owned());
        pages
    }
}

#[test]
fn nothing_costs_more_with_a_long_history() {
    let (short, long) = (world(1_000).costs(), world(100_000).costs());
    assert_eq!(short.len(), long.len());
    let mut grown = Vec::new();
    for ((name, short), (_, long)) in short.iter().zip(&long) {
        // A fifth, and what a deeper tree costs.
        if long.steps > short.steps + short.steps / 5 + 200 {
            let Cost { steps, costliest } = long;
            grown.push(format!("{name}: {} steps, then {steps}: {costliest}", short.steps));
        }
    }
    assert!(grown.is_empty(), "{grown:#?}");
}

#[test]
fn the_past_is_where_the_tests_think_it_is() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let route = tenant.route(&edge, "x", json!({"url": URL}));
    past(&edge, &tenant, &[route], 1_000);
    let (first, end) = (first_event_id(START_MS - 10 * DAY_MS), first_event_id(START_MS - DAY_MS));
    for table in ["events", "deliveries"] {
        let within =
            format!("select count(*) from {table} where event >= '{first}' and event < '{end}'");
        assert_eq!(edge.logs[0].ask(&within), [json!(1_000)], "{table}");
    }
}
