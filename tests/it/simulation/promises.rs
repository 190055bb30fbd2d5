//! The promises, checked at every request that arrives and when all is done.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use posthorn::destinations::call::OutboundRequest;
use posthorn::domain::delivery::write_gate::PAUSE_MAX_MS;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use super::attempts::{Attempt, Key};
use super::climate::Climate;
use super::world::{Life, Route, World};
use crate::edge::{Edge, Sqlite};

/// The longest that a first attempt waits for others: a few batches full of endpoints that hang for
/// the first time, 250 ms each, and a second until what they left comes again.
const PROMPT_MS: i64 = 3_000;
/// The longest that a first attempt waits whose job was lost, and then the one that the sweeper
/// sent for it: twice the sweeper's grace, and its rounds. Lost once it is 300 s, see `upkeep.rs`.
const FOUND_MS: i64 = 540_000;
/// The longest that a retry, or the next one of a strict line, waits when it may start: a wake-up,
/// and batches of others before it.
const NEXT_MS: i64 = 5_000;
/// An older delivery that is due for longer than this must not be passed by: it is beyond leases,
/// and a sweep.
const PASSED_MS: i64 = 250_000;

/// What was asked, answered and seen.
#[derive(Default)]
pub struct Ledger {
    /// Every payload that anybody tried to emit, with its tenant.
    pub emitted: RefCell<Vec<(usize, String)>>,
    /// Events whose emit was answered 201, with their tenant.
    pub accepted: RefCell<Vec<(usize, String)>>,
    /// Those of them that are old enough to be deleted.
    pub old: RefCell<BTreeSet<String>>,
    /// Attempts that arrived.
    pub attempts: RefCell<BTreeMap<Key, Attempt>>,
    /// Invocations that were cut off.
    pub dead: RefCell<BTreeSet<usize>>,
    /// Over each shard, the spell of weather in which nothing can be recorded.
    pub spells: RefCell<Vec<Option<usize>>>,
    /// When the weather changed last.
    pub weather_ms: Cell<i64>,
    /// When lanes lost what they stored.
    pub wiped_ms: RefCell<Vec<i64>>,
    /// When people asked for an attempt, and of which event.
    pub asked: RefCell<Vec<(String, i64)>>,
    /// The connections that people switched on, and when.
    pub activated: RefCell<Vec<(String, i64)>>,
    /// The last attempt that arrived: its connection and event.
    pub last: RefCell<Option<(String, String)>>,
    /// Replays whose creation was answered, with their tenant.
    pub replays: RefCell<Vec<(usize, String)>>,
    /// Replays whose end was answered, and how much they had sent by then.
    pub stopped: RefCell<Vec<(String, i64)>>,
    /// Promises that were broken.
    pub broken: RefCell<Vec<String>>,
}

impl Ledger {
    /// Notes a promise that is broken unless this `holds`.
    pub fn require(&self, holds: bool, why: impl FnOnce() -> String) {
        if !holds {
            self.broken.borrow_mut().push(why());
        }
    }
}

fn header<'a>(request: &'a OutboundRequest, name: &str) -> &'a str {
    let found = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
    found.map_or("", |header| header.value.as_str())
}

impl World {
    /// Looks at every request that arrives.
    pub fn watch(&self) {
        // The world is dropped with its edge, which holds this: no cycle may keep it.
        let (edge, ledger, routes) =
            (self.edge.downgrade(), Rc::clone(&self.ledger), self.routes.clone());
        let climate = self.climate;
        self.edge.receivers.watch(move |request| {
            let Some(edge) = edge.upgrade() else { return };
            let route = routes.iter().find(|route| route.endpoint.is_at(&request.url));
            let route = route.expect("nobody else is called");
            let seen = Seen { edge: &edge, ledger: &ledger, route, request };
            seen.note();
            seen.is_exact();
            seen.is_signed();
            seen.is_current();
            seen.is_in_order();
            match climate {
                Climate::Fair => {
                    seen.is_prompt(PROMPT_MS);
                    seen.is_next();
                }
                Climate::Lossy => seen.is_prompt(FOUND_MS),
                Climate::Faulty | Climate::Stormy => {}
            }
        });
    }

    /// When all is done: what was accepted has ended, and what came twice has a reason.
    pub fn judge(&self) {
        let ledger = &self.ledger;
        let open = self.ask(
            "select workspace || ' ' || connection || ' ' || event || ' ' || state || ' ' || \
             attempts from deliveries where open = 1 or state = 'held'",
        );
        ledger.require(open.is_empty(), || format!("promise 1: never ended: {open:?}"));
        for (tenant, event) in ledger.accepted.borrow().iter() {
            let (workspace, short) = (&self.tenants[*tenant].workspace, &event[..8]);
            let owed = self.ask(&format!(
                "select count(*) from events e join deliveries d on d.workspace = e.workspace \
                   and d.event = e.event \
                 where e.workspace = '{workspace}' and e.event = '{event}' \
                 group by json_array_length(e.fan_out) \
                 having count(*) = json_array_length(e.fan_out)"
            ));
            let fan_out = self.ask(&format!(
                "select json_array_length(fan_out) from events \
                 where workspace = '{workspace}' and event = '{event}'"
            ));
            let is_there = fan_out == [json!(0)] || owed.len() == 1 || self.is_deleted(event);
            ledger.require(is_there, || format!("promise 1: {short} owes nothing any more"));
        }
        self.judge_delivered();
        self.judge_attempts();
        self.judge_moves();
    }

    /// Whether an event is old enough to be deleted, and was with all that belonged to it.
    fn is_deleted(&self, event: &str) -> bool {
        let left = format!(
            "select 1 from events where event = '{event}' union all select 1 from deliveries \
             where event = '{event}' union all select 1 from attempts where event = '{event}'"
        );
        self.ledger.old.borrow().contains(event) && self.ask(&left).is_empty()
    }

    /// What is delivered arrived.
    fn judge_delivered(&self) {
        let delivered = self.ask(
            "select replace(event, '-', '') || printf('%08x', rule) from deliveries \
             where state = 'delivered'",
        );
        let arrived = self.ledger.attempts.borrow();
        for id in delivered.iter().filter_map(Value::as_str) {
            let id = format!("msg_{id}");
            let came = arrived.keys().any(|(message, _)| *message == id);
            self.ledger.require(came, || format!("promise 1: {id} is said to be delivered"));
        }
    }
}

/// A request that arrives.
struct Seen<'a> {
    edge: &'a Edge,
    ledger: &'a Ledger,
    route: &'a Route,
    request: &'a OutboundRequest,
}

impl Seen<'_> {
    /// The shard of its workspace.
    fn log(&self) -> &Sqlite {
        &self.edge.logs[self.route.tenant]
    }

    fn event(&self) -> &str {
        header(self.request, "posthorn-event-id")
    }

    fn note(&self) {
        let id = header(self.request, "webhook-id").to_owned();
        let number = header(self.request, "posthorn-attempt").parse().expect("a number");
        self.edge
            .chaos
            .say(|| format!("{} gets {} attempt {number}", self.request.url, self.event()));
        let last = (self.route.connection.clone(), self.event().to_owned());
        *self.ledger.last.borrow_mut() = Some(last);
        let rule = u32::from_str_radix(&id[id.len() - 8..], 16).expect("the number of a rule");
        let place = format!(
            "connection = '{}' and event = '{}' and rule = {rule}",
            self.route.connection,
            self.event()
        );
        self.ledger.arrives(self.edge, (id, number), (self.route.tenant, place));
    }

    /// Promises 2 and 6: the body is what this very tenant emitted, byte for byte.
    fn is_exact(&self) {
        let emitted = self.ledger.emitted.borrow();
        let body = std::str::from_utf8(&self.request.body).unwrap_or_default();
        let of = emitted.iter().find(|(_, payload)| payload == body).map(|(tenant, _)| *tenant);
        self.ledger.require(of.is_some(), || format!("promise 2: nobody emitted {body}"));
        self.ledger.require(of.is_none_or(|tenant| tenant == self.route.tenant), || {
            format!("promise 6: {} gets another tenant's {body}", self.request.url)
        });
        let stored = self.log().ask(&format!(
            "select coalesce(e.payload, '') from events e where e.event = '{}'",
            self.event()
        ));
        self.ledger.require(stored == [json!(body)], || {
            format!("promise 2: {} is stored as {stored:?} and sent as {body}", self.event())
        });
    }

    /// Promise 3: signed now, with the secret that is current now.
    fn is_signed(&self) {
        let now_ms = self.edge.now_ms();
        let sent_s: i64 = header(self.request, "webhook-timestamp").parse().unwrap_or_default();
        // Clocks are up to 2 s ahead.
        self.ledger.require((-1..=3).contains(&(sent_s - now_ms.div_euclid(1_000))), || {
            format!("promise 3: {} carries {sent_s}", self.event())
        });
        let signature = header(self.request, "webhook-signature");
        let id = header(self.request, "webhook-id");
        let signs = |secret: &String| {
            let key = standardwebhooks::Webhook::from_bytes(secret.as_bytes().to_vec());
            let webhook = key.expect("a key");
            let signed = webhook.sign(id, sent_s, &self.request.body).expect("a signature");
            signature.split(' ').next() == Some(&signed)
        };
        let secrets = self.route.secrets.borrow();
        let signed = secrets.admitted(now_ms).any(signs);
        self.ledger.require(signed, || {
            format!("promise 3: {} is signed with an old secret", self.event())
        });
    }

    /// Promise 3: it goes where its connection goes now, and only as long as it is active.
    fn is_current(&self) {
        let (now_ms, url) = (self.edge.now_ms(), &self.request.url);
        let goes = self.route.urls.borrow().admits(url, now_ms);
        self.ledger.require(goes, || format!("promise 3: {} goes to an old URL", self.event()));
        let lives = self.route.life.borrow().admits(&Life::Active, now_ms);
        self.ledger.require(lives, || {
            format!("promise 3: {} starts while {url} is paused or gone", self.event())
        });
    }

    /// Promise 5: while only receivers misbehave, the first attempt at one that never did is made
    /// at once, whatever the others do.
    fn is_prompt(&self, most_ms: i64) {
        let (connection, event) = (&self.route.connection, self.event());
        let log = self.log();
        let has_lane = log.ask(&format!("select 1 from lanes where connection = '{connection}'"));
        let created = log.ask(&format!(
            "select coalesce(d.owed_since_ms, d.created_at_ms) from deliveries d \
             where d.connection = '{connection}' and d.event = '{event}'"
        ));
        let changed = self
            .edge
            .control
            .ask(&format!("select updated_at_ms from connections where id = '{connection}'"));
        let (created, changed) = (created[0].as_i64(), changed.first().and_then(Value::as_i64));
        // One that was paused or deleted meanwhile, or is served by its lane only, waits for other
        // reasons.
        let is_changed = changed.is_none() || changed >= created;
        let waits = is_changed || self.route.is_pulled || !has_lane.is_empty();
        let waited_ms = self.edge.now_ms() - created.unwrap_or_default();
        self.ledger.require(waits || waited_ms <= most_ms, || {
            format!("promise 5: {event} waited {waited_ms} ms for others at {}", self.request.url)
        });
    }

    /// Promise 5 for what its lane starts: once it is due, and first in a strict line, it waits for
    /// nothing but what its own endpoint gives reason for.
    fn is_next(&self) {
        let (connection, event) = (&self.route.connection, self.event());
        let ready = self.log().ask(&format!(
            "select max(coalesce(d.due_at_ms, 0), coalesce((select max(b.completed_at_ms) \
               from deliveries b where b.workspace = d.workspace and b.connection = d.connection \
               and b.seq < d.seq), 0)) from deliveries d join lanes l \
               on l.workspace = d.workspace and l.connection = d.connection \
             where d.connection = '{connection}' and d.event = '{event}' and l.mode < 2 \
               and (d.seq is not null or (d.state = 'retrying' and d.asked_by is not null \
                 and l.connection not in (select connection from engaged)))"
        ));
        let changed = self
            .edge
            .control
            .ask(&format!("select updated_at_ms from connections where id = '{connection}'"));
        let ready_ms = ready.iter().chain(&changed).filter_map(Value::as_i64).max();
        let waited_ms = self.edge.now_ms() - ready_ms.unwrap_or_default();
        self.ledger.require(ready.is_empty() || waited_ms <= NEXT_MS, || {
            format!("promise 5: {event} waited {waited_ms} ms for its turn at {connection}")
        });
    }

    /// Promise 4: in a strict line nothing passes what is not done with; in every other, nothing
    /// passes an older retry that is due for long, but what a person asks for.
    fn is_in_order(&self) {
        let (connection, event) = (&self.route.connection, self.event());
        let log = self.log();
        if self.route.is_strict {
            let earlier = log.ask(&format!(
                "select b.event from deliveries d join deliveries b on b.workspace = d.workspace \
                   and b.connection = d.connection and b.seq < d.seq \
                 where d.connection = '{connection}' and d.event = '{event}' \
                   and b.state not in ('delivered', 'failed', 'canceled')"
            ));
            self.ledger.require(earlier.is_empty(), || {
                format!("promise 4: {event} starts before {earlier:?}")
            });
            return;
        }
        let now_ms = self.edge.now_ms();
        if now_ms - self.ledger.weather_ms.get() < PASSED_MS + PAUSE_MAX_MS {
            return;
        }
        let due_ms = now_ms - PASSED_MS;
        let passed = log.ask(&format!(
            "select 'msg_' || replace(b.event, '-', '') || printf('%08x', b.rule) || ' ' \
               || (b.attempts + 1) \
             from deliveries d join deliveries b on b.workspace = d.workspace \
               and b.connection = d.connection and b.event < d.event \
             where d.connection = '{connection}' and d.event = '{event}' \
               and d.state = 'retrying' and d.asked_by is null and b.state = 'retrying' \
               and b.due_at_ms < {due_ms}"
        ));
        let arrived = self.ledger.attempts.borrow();
        let is_under_way = |one: &&str| {
            let (id, n) = one.split_once(' ').expect("two words");
            arrived.contains_key(&(id.into(), n.parse().expect("a number")))
        };
        let passed: Vec<&str> = passed.iter().filter_map(Value::as_str).collect();
        let passed: Vec<&&str> = passed.iter().filter(|one| !is_under_way(one)).collect();
        self.ledger.require(passed.is_empty(), || {
            format!("promise 4: the retry of {event} passes {passed:?}")
        });
    }
}
