//! Deleting a connection while events pour in, attempts are under way, its lane is at work and more
//! is owed than one statement cancels: nothing is left open, and nothing more is sent.

use std::cell::RefCell;
use std::rc::Rc;

use posthorn::domain::base::limits::CANCEL_STEP;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::deliver::{MINUTE_MS, URL};
use crate::edge::chaos::Rates;
use crate::edge::{Edge, Reply};
use crate::tenant::{Tenant, ask, text};

/// Events that are being accepted while the connection is deleted.
const BESIDE: usize = 40;
/// Batches that are being served then, and how long before they were begun.
const CONSUMERS: usize = 3;
const HEAD_START_MS: i64 = 300;

/// How often the heavy load is tried; `SEEDS=50 cargo test deletion` tries more.
fn seeds() -> u64 {
    std::env::var("SEEDS").map_or(1, |text| text.parse().expect("a number"))
}

/// An edge on which events are owed to one connection, and what of them was accepted.
struct Load {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    accepted: Rc<RefCell<Vec<String>>>,
}

impl Load {
    fn new(settings: &Value, seed: u64) -> Self {
        let edge = Edge::new();
        edge.chaos.seed(seed);
        edge.reseed(seed);
        let tenant = Tenant::new(&edge, "Acme");
        let mut metadata = settings.clone();
        metadata["url"] = json!(URL);
        let (connection, _) = tenant.route(&edge, "x", metadata);
        Self { edge, tenant, connection, accepted: Rc::default() }
    }

    fn emit_many(&self, bulks: usize) {
        let one = json!({"event": "x", "payload": {"a": 1}});
        let body = Value::from(vec![one; 100]).to_string();
        for _ in 0..bulks {
            let key = ("x-meshes-publishable-key", self.tenant.publishable_key.as_str());
            let path = "/api/v1/events/bulk";
            let answer = crate::tenant::call(&self.edge, "POST", path, &[key], body.as_bytes());
            assert_eq!(answer.status, 201, "{}", answer.text);
            let records = answer.json()["records"].as_array().expect("a list").clone();
            self.accepted.borrow_mut().extend(records.iter().map(|event| text(event, "/id")));
        }
    }

    /// Emits events that are accepted somewhere before, during and after what is called next.
    fn emit_beside(&self) {
        for n in 0..BESIDE {
            let key = self.tenant.publishable_key.clone();
            let headers = vec![("x-meshes-publishable-key".to_owned(), key)];
            let (edge, accepted) = (self.edge.clone(), Rc::clone(&self.accepted));
            self.edge.spawn(async move {
                edge.sleep_ms(i64::try_from(n).expect("small") * 2).await;
                let body = json!({"event": "x", "payload": {"n": n}}).to_string().into_bytes();
                let answer = ask(&edge, "POST", "/api/v1/events", headers, body).await;
                assert_eq!(answer.status, 201, "{}", answer.text);
                accepted.borrow_mut().push(text(&answer.json(), "/event/id"));
            });
        }
    }

    /// Consumers that go on while something else is called next.
    fn consume_beside(&self) {
        for _ in 0..CONSUMERS {
            self.edge.serve_beside(self.edge.queue.take_batch(self.edge.now_ms()));
        }
        self.edge.block_on(self.edge.sleep_ms(HEAD_START_MS));
    }

    fn delete(&self) {
        let path = format!("/api/v1/connections/{}", self.connection);
        let force = json!({"force_delete": true});
        let answer = self.tenant.call(&self.edge, "DELETE", &path, &force);
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    fn count(&self, sql: &str) -> i64 {
        self.edge.logs[0].ask(&format!("select count(*) from {sql}"))[0].as_i64().expect("a count")
    }

    /// Deletes while all of it goes on, and looks when it is over.
    fn check(&self, what: &str) {
        let edge = &self.edge;
        edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
        self.consume_beside();
        self.emit_beside();
        self.delete();
        edge.run_for(MINUTE_MS);
        let (seen, accepted) = (edge.receivers.seen(URL).len(), self.accepted.borrow().len());
        edge.run_for(20 * MINUTE_MS);
        assert_eq!(edge.receivers.seen(URL).len(), seen, "{what}: something is still sent");
        assert_eq!(self.count("deliveries where open = 1 or state = 'held'"), 0, "{what}");
        assert_eq!(self.count("lanes"), 0, "{what}: its lane is forgotten");
        assert_eq!(self.count("events"), i64::try_from(accepted).expect("small"), "{what}");
        let canceled = self.count("deliveries where state = 'canceled' and reason is not null");
        let ended = self.count("deliveries where state in ('delivered', 'failed')");
        assert_eq!(canceled + ended, self.count("deliveries"), "{what}");
        assert!(canceled > i64::try_from(CANCEL_STEP).expect("small"), "{what}: {canceled}");
        assert!(self.count("events where fan_out = '[]'") > 0, "{what}: some came too late");
    }
}

#[test]
fn deleting_a_connection_under_load_leaves_nothing_open() {
    for (what, settings, after_ms, status) in [
        ("healthy", json!({}), 40, 200),
        ("hanging", json!({"timeout_seconds": 20}), 19_000, 200),
        ("failing", json!({}), 40, 500),
        ("strict", json!({"ordering": "strict"}), 40, 200),
        ("strict and failing", json!({"ordering": "strict"}), 40, 500),
        ("throttled", json!({"max_per_second": 5}), 40, 200),
    ] {
        for seed in 0..seeds() {
            let load = Load::new(&settings, seed);
            load.edge.receivers.script(URL, move |_| Reply::status(status).after(after_ms));
            load.emit_many(2 * CANCEL_STEP / 100 + 8);
            load.check(&format!("{what}, seed {seed}"));
        }
    }
}

#[test]
fn deleting_a_paused_connection_under_load_leaves_nothing_held() {
    let load = Load::new(&json!({}), 1);
    load.emit_many(CANCEL_STEP / 100 + 2);
    let path = format!("/api/v1/connections/{}/deactivate", load.connection);
    assert_eq!(load.tenant.call(&load.edge, "POST", &path, &Value::Null).status, 200);
    load.check("paused");
}

/// Attempts that are under way when their connection is deleted, and end afterwards in every way
/// that tells LOG or a lane something.
#[test]
fn what_is_recorded_after_a_deletion_raises_nothing() {
    // A status, and after how long.
    let answers = [
        ("failed", 500, 700),
        ("asked for less", 429, 700),
        ("slow", 200, 2_900),
        ("slow and failed", 503, 2_900),
        ("hanging", 200, 60_000),
        ("gone", 410, 700),
    ];
    let settings = [
        json!({"timeout_seconds": 5}),
        json!({"timeout_seconds": 5, "retry_schedule_seconds": [1]}),
        json!({"timeout_seconds": 5, "ordering": "strict"}),
        json!({"timeout_seconds": 5, "max_in_flight": 10}),
    ];
    for (what, status, after_ms) in answers {
        for (index, settings) in settings.iter().enumerate() {
            for seed in 0..4 {
                let load = Load::new(settings, seed);
                let (edge, what) = (&load.edge, format!("{what}, {settings}, seed {seed}"));
                edge.receivers.script(URL, move |_| Reply::status(status).after(after_ms));
                edge.chaos.rates.set(Rates { latency_ms: 30, ..Rates::default() });
                let head_ms = i64::try_from(seed * 300).expect("small");
                for _ in 0..=index * 3 + 6 {
                    load.tenant.emit(edge, "x");
                }
                edge.run_for(head_ms);
                load.delete();
                edge.run_for(MINUTE_MS);
                assert_eq!(load.count("deliveries where open = 1"), 0, "{what}");
                assert_eq!(load.count("lanes"), 0, "{what}");
            }
        }
    }
}
