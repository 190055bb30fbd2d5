//! The promises, checked at every request that arrives and when all is done.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use posthorn::destinations::call::OutboundRequest;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use super::world::{Route, World};
use crate::edge::Edge;

/// A rotation is in force for attempts that begin this much later than its answer: the consumer
/// reads the secrets of a batch once, and a batch takes a while.
const ROTATION_MS: i64 = 5_000;
/// The longest that a first attempt waits for others: a few batches full of endpoints that hang for
/// the first time, 250 ms each, and a second until what they left comes again.
const PROMPT_MS: i64 = 3_000;
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
    /// Attempts that arrived, by message id and number.
    pub arrived: RefCell<BTreeMap<(String, String), usize>>,
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
        let is_faulty = self.is_faulty;
        self.edge.receivers.watch(move |request| {
            let Some(edge) = edge.upgrade() else { return };
            let route = routes.iter().find(|route| route.endpoint.url == request.url);
            let route = route.expect("nobody else is called");
            let seen = Seen { edge: &edge, ledger: &ledger, route, request };
            seen.note();
            seen.is_exact();
            seen.is_signed();
            seen.is_in_order();
            if !is_faulty {
                seen.is_prompt();
                seen.is_next();
            }
        });
    }

    /// When all is done: what was accepted has ended, and what came twice has a reason.
    pub fn judge(&self) {
        let (ledger, log) = (&self.ledger, &self.edge.logs[0]);
        let open = log.ask(
            "select workspace || ' ' || connection || ' ' || event || ' ' || state || ' ' || \
             attempts from deliveries where open = 1 or state = 'held'",
        );
        ledger.require(open.is_empty(), || format!("promise 1: never ended: {open:?}"));
        for (tenant, event) in ledger.accepted.borrow().iter() {
            let (workspace, short) = (&self.tenants[*tenant].workspace, &event[..8]);
            let owed = log.ask(&format!(
                "select count(*) from events e join deliveries d on d.workspace = e.workspace \
                   and d.event = e.event \
                 where e.workspace = '{workspace}' and e.event = '{event}' \
                 group by json_array_length(e.fan_out) \
                 having count(*) = json_array_length(e.fan_out)"
            ));
            let fan_out = log.ask(&format!(
                "select json_array_length(fan_out) from events \
                 where workspace = '{workspace}' and event = '{event}'"
            ));
            let is_there = fan_out == [json!(0)] || owed.len() == 1 || self.is_deleted(event);
            ledger.require(is_there, || format!("promise 1: {short} owes nothing any more"));
        }
        self.judge_delivered();
        self.judge_repeats();
        self.judge_moves();
    }

    /// Whether an event is old enough to be deleted, and was with all that belonged to it.
    fn is_deleted(&self, event: &str) -> bool {
        let left = format!(
            "select 1 from events where event = '{event}' union all select 1 from deliveries \
             where event = '{event}' union all select 1 from attempts where event = '{event}'"
        );
        self.ledger.old.borrow().contains(event) && self.edge.logs[0].ask(&left).is_empty()
    }

    /// What is delivered arrived.
    fn judge_delivered(&self) {
        let delivered = self.edge.logs[0].ask(
            "select replace(event, '-', '') || printf('%08x', rule) from deliveries \
             where state = 'delivered'",
        );
        let arrived = self.ledger.arrived.borrow();
        for id in delivered.iter().filter_map(Value::as_str) {
            let id = format!("msg_{id}");
            let came = arrived.keys().any(|(message, _)| *message == id);
            self.ledger.require(came, || format!("promise 1: {id} is said to be delivered"));
        }
    }

    /// Without faults nothing comes twice; with them, no more than they explain.
    fn judge_repeats(&self) {
        let repeats: usize = self.ledger.arrived.borrow().values().map(|count| count - 1).sum();
        let counts = self.counts();
        let sum =
            |kinds: &[&str]| -> usize { kinds.iter().filter_map(|kind| counts.get(kind)).sum() };
        let once = sum(&["message repeated", "message late", "message lost", "queue after"]);
        // A call that fails or is cut off can take with it what is under way at once: a batch's
        // five, a lane's eight, or as many as are recorded together.
        let many = sum(&[
            "database before",
            "database after",
            "lane before",
            "lane after",
            "lane cut after its step",
            "lanes wiped",
        ]) + self.edge.chaos.cuts.get();
        let most = once + 13 * many;
        self.edge.chaos.say(|| format!("{repeats} repeats, {most} explained"));
        self.ledger.require(repeats <= most, || format!("promise 8: {repeats} repeats, {most}"));
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
    fn event(&self) -> &str {
        header(self.request, "posthorn-event-id")
    }

    fn note(&self) {
        let id = header(self.request, "webhook-id").to_owned();
        let number = header(self.request, "posthorn-attempt").to_owned();
        self.edge
            .chaos
            .say(|| format!("{} gets {} attempt {number}", self.request.url, self.event()));
        let last = (self.route.connection.clone(), self.event().to_owned());
        *self.ledger.last.borrow_mut() = Some(last);
        *self.ledger.arrived.borrow_mut().entry((id, number)).or_default() += 1;
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
        let stored = self.edge.logs[0].ask(&format!(
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
        self.ledger.require((now_ms.div_euclid(1_000) - sent_s).abs() <= 1, || {
            format!("promise 3: {} carries {sent_s}", self.event())
        });
        let secrets = self.route.secrets.borrow();
        let known = &secrets.known;
        let is_recent = |index: usize| {
            known.get(index + 1).is_none_or(|(_, since_ms)| now_ms < since_ms + ROTATION_MS)
        };
        let current = known.iter().enumerate().filter(|(index, _)| is_recent(*index));
        let mut current = current.map(|(_, (secret, _))| secret).chain(&secrets.maybe);
        let signature = header(self.request, "webhook-signature");
        let id = header(self.request, "webhook-id");
        let signs = |secret: &String| {
            let key = standardwebhooks::Webhook::from_bytes(secret.as_bytes().to_vec());
            let webhook = key.expect("a key");
            let signed = webhook.sign(id, sent_s, &self.request.body).expect("a signature");
            signature.split(' ').next() == Some(&signed)
        };
        self.ledger.require(current.any(signs), || {
            format!("promise 3: {} is signed with an old secret", self.event())
        });
    }

    /// Promise 5: while only receivers misbehave, the first attempt at one that never did is made
    /// at once, whatever the others do.
    fn is_prompt(&self) {
        let (connection, event) = (&self.route.connection, self.event());
        let log = &self.edge.logs[0];
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
        // One that was paused meanwhile, or is served by its lane only, waits for other reasons.
        let waits = changed >= created || self.route.is_pulled || !has_lane.is_empty();
        let waited_ms = self.edge.now_ms() - created.unwrap_or_default();
        self.ledger.require(waits || waited_ms <= PROMPT_MS, || {
            format!(
                "promise 5: {event} waited {waited_ms} ms for others at {}",
                self.route.endpoint.url
            )
        });
    }

    /// Promise 5 for what its lane starts: once it is due, and first in a strict line, it waits for
    /// nothing but what its own endpoint gives reason for.
    fn is_next(&self) {
        let (connection, event) = (&self.route.connection, self.event());
        let ready = self.edge.logs[0].ask(&format!(
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
    /// passes an older retry that is due for long.
    fn is_in_order(&self) {
        let (connection, event) = (&self.route.connection, self.event());
        let log = &self.edge.logs[0];
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
        let due_ms = self.edge.now_ms() - PASSED_MS;
        let passed = log.ask(&format!(
            "select 'msg_' || replace(b.event, '-', '') || printf('%08x', b.rule) || ' ' \
               || (b.attempts + 1) \
             from deliveries d join deliveries b on b.workspace = d.workspace \
               and b.connection = d.connection and b.event < d.event \
             where d.connection = '{connection}' and d.event = '{event}' \
               and d.state = 'retrying' and b.state = 'retrying' and b.due_at_ms < {due_ms}"
        ));
        let arrived = self.ledger.arrived.borrow();
        let is_under_way = |one: &&str| {
            one.split_once(' ').is_some_and(|(id, n)| arrived.contains_key(&(id.into(), n.into())))
        };
        let passed: Vec<&str> = passed.iter().filter_map(Value::as_str).collect();
        let passed: Vec<&&str> = passed.iter().filter(|one| !is_under_way(one)).collect();
        self.ledger.require(passed.is_empty(), || {
            format!("promise 4: the retry of {event} passes {passed:?}")
        });
    }
}
