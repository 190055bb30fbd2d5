//! Every attempt that arrived, who made it, and what hit it. An attempt arrives once, and once more
//! for each time that whoever made it was cut off before its record, that its record failed, that
//! the queue handed out its job once more, or that a person asked for it or switched its connection
//! on while it was under way.

use std::collections::BTreeMap;
use std::rc::Rc;

use posthorn::domain::base::ids::message_id;
use posthorn::domain::delivery::job::Message;
use posthorn::ports::{Clock, Statement};
use serde_json::Value;

use super::promises::Ledger;
use super::world::World;
use crate::edge::Edge;
use crate::edge::isolates::Doer;

/// A lane that lost its leases hands out again what was handed out so recently.
const LEASE_MS: i64 = 40_000;

/// A message and the number of its attempt.
pub type Key = (String, u32);

/// One attempt.
#[derive(Debug, Default)]
pub struct Attempt {
    /// Where its delivery is: the shard, and a condition.
    pub place: (usize, String),
    arrivals: Vec<Arrival>,
    is_recorded: bool,
    /// How often whoever made it was cut off before it was recorded.
    deaths: usize,
    failed_records: usize,
}

#[derive(Debug)]
struct Arrival {
    doer: Doer,
    at_ms: i64,
    /// The bad weather over its shard.
    spell: Option<usize>,
}

impl Attempt {
    fn is_recorded(&mut self, edge: &Edge, number: u32) -> bool {
        if !self.is_recorded {
            let (shard, condition) = &self.place;
            let owed =
                format!("select 1 from deliveries where {condition} and attempts < {number}");
            self.is_recorded = edge.logs[*shard].ask(&owed).is_empty();
        }
        self.is_recorded
    }

    fn is_by(&self, doer: Doer) -> bool {
        let is_it = |one: &Arrival| match doer.invocation {
            0 => one.doer.isolate == doer.isolate,
            invocation => one.doer.invocation == invocation,
        };
        self.arrivals.iter().any(is_it)
    }

    /// Whether what happened then could have made it arrive once more.
    fn is_about(&self, happened_at_ms: i64) -> bool {
        let at_ms = |one: Option<&Arrival>| one.map_or(0, |arrival| arrival.at_ms);
        let from_ms = at_ms(self.arrivals.first()) - LEASE_MS;
        (from_ms..=at_ms(self.arrivals.last())).contains(&happened_at_ms)
    }

    /// Whether it arrived both before and after that.
    fn arrived_around(&self, at_ms: i64) -> bool {
        let is_before = |arrival: &Arrival| arrival.at_ms <= at_ms;
        self.arrivals.first().is_some_and(is_before) && !self.arrivals.iter().all(is_before)
    }

    /// How often it arrived.
    pub fn count(&self) -> usize {
        self.arrivals.len()
    }
}

/// The key of a delivery's attempt, as what names them in JSON says.
fn key(of: &Value, number: &str) -> Option<Key> {
    let (event, rule) = (of["e"].as_str()?, of["r"].as_u64()?);
    let number = u32::try_from(of[number].as_u64()?).ok()?;
    Some((format!("msg_{}{rule:08x}", event.replace('-', "")), number))
}

impl Ledger {
    /// Notes an attempt that arrives.
    pub fn arrives(&self, edge: &Edge, key: Key, place: (usize, String)) {
        let spell = self.spells.borrow().get(place.0).copied().flatten();
        let (doer, at_ms) = (edge.chaos.doer.get(), edge.now_ms());
        let mut attempts = self.attempts.borrow_mut();
        let attempt = attempts.entry(key).or_default();
        attempt.place = place;
        // What is cut off at one of its awaits may yet come to another.
        attempt.deaths +=
            usize::from(doer.invocation > 0 && self.dead.borrow().contains(&doer.invocation));
        attempt.arrivals.push(Arrival { doer, at_ms, spell });
    }

    /// An invocation, or all of an isolate, was cut off.
    fn died(&self, edge: &Edge, doer: Doer) {
        self.dead.borrow_mut().insert(doer.invocation);
        for ((_, number), attempt) in self.attempts.borrow_mut().iter_mut() {
            if attempt.is_by(doer) && !attempt.is_recorded(edge, *number) {
                attempt.deaths += 1;
            }
        }
    }

    /// A batch of statements failed: records of attempts in it have an unknown outcome.
    fn failed(&self, statements: &[Statement]) {
        let records = statements.iter().filter(|one| one.sql.contains("first_attempt = coalesce("));
        for statement in records {
            let posthorn::ports::Param::Text(text) = &statement.params[0] else { continue };
            let outcomes: Vec<Value> = serde_json::from_str(text).expect("outcomes");
            for key in outcomes.iter().filter_map(|outcome| key(outcome, "number")) {
                if let Some(attempt) = self.attempts.borrow_mut().get_mut(&key) {
                    attempt.failed_records += 1;
                }
            }
        }
    }
}

impl World {
    /// Notes what hits attempts from now on.
    pub fn watch_attempts(&self) {
        let (edge, ledger) = (self.edge.downgrade(), Rc::clone(&self.ledger));
        self.edge.chaos.on_death(move |doer| {
            if let Some(edge) = edge.upgrade() {
                ledger.died(&edge, doer);
            }
        });
        for log in &self.edge.logs {
            let ledger = Rc::clone(&self.ledger);
            log.on_failure(move |statements| ledger.failed(statements));
        }
    }

    /// No attempt arrived more often than what hit it explains.
    pub fn judge_attempts(&self) {
        let mut copies: BTreeMap<Key, usize> = BTreeMap::new();
        for text in self.edge.queue.copied.borrow().iter() {
            // A message may name several deliveries.
            let Ok(Message::Deliver(jobs)) = Message::parse(text) else { continue };
            for job in jobs {
                let key = (message_id(&job.event, job.rule), job.attempt);
                *copies.entry(key).or_default() += 1;
            }
        }
        let mut repeats = 0;
        for (key, attempt) in self.ledger.attempts.borrow().iter() {
            let (count, copied) = (attempt.count(), copies.get(key).copied().unwrap_or_default());
            repeats += count - 1;
            // A record that fails is tried once more at once; until that has worked a lease may
            // have run out.
            let most = 1
                + attempt.deaths
                + attempt.failed_records.div_ceil(2)
                + copied
                + self.wiped(attempt)
                + self.asked(&key.0, attempt);
            self.ledger.require(count <= most, || {
                format!("promise 8: {key:?} arrives {count} times, {most} explained: {attempt:?}")
            });
            self.judge_spells(key, attempt);
        }
        (0..repeats).for_each(|_| self.edge.chaos.note("attempt repeated"));
    }

    /// In one spell of bad weather an isolate makes an attempt once.
    fn judge_spells(&self, key: &Key, attempt: &Attempt) {
        let mut times: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for Arrival { doer, spell, .. } in &attempt.arrivals {
            if let Some(spell) = spell {
                *times.entry((doer.isolate, *spell)).or_default() += 1;
            }
        }
        let most = times.into_values().max().unwrap_or_default();
        self.ledger.require(most <= 1 + attempt.deaths, || {
            format!("promise 8: {key:?} arrives {most} times and cannot be recorded: {attempt:?}")
        });
    }

    /// How often lanes lost the lease of an attempt.
    fn wiped(&self, attempt: &Attempt) -> usize {
        let wiped = self.ledger.wiped_ms.borrow();
        wiped.iter().filter(|at_ms| attempt.is_about(**at_ms)).count()
    }

    /// How often people asked for an attempt that was under way already, or switched its connection
    /// on meanwhile: what is held then is sent, and nobody knows what of it had begun.
    fn asked(&self, message: &str, attempt: &Attempt) -> usize {
        let is_its = |(connection, at_ms): &&(String, i64)| {
            attempt.place.1.contains(connection.as_str()) && attempt.arrived_around(*at_ms)
        };
        let activated = self.ledger.activated.borrow().iter().filter(is_its).count();
        let is_it = |(event, at_ms): &&(String, i64)| {
            message.contains(&event.replace('-', "")) && attempt.is_about(*at_ms)
        };
        activated + self.ledger.asked.borrow().iter().filter(is_it).count()
    }
}
