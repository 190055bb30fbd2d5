//! One world: two tenants with four connections each, what goes wrong, and the loop that lets time
//! pass.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use posthorn::app::delivery::deliver::{Verdict, deliver};
use posthorn::app::delivery::work::QueueMessage;
use posthorn::app::upkeep::budget::Budget;
use posthorn::app::upkeep::{rollups, tasks};
use posthorn::domain::delivery::upkeep::UpkeepJob;
use posthorn::ports::Clock;
use serde_json::json;

use super::promises::Ledger;
use super::receivers::{Behaviour, Endpoint};
use crate::edge::chaos::Rates;
use crate::edge::{Edge, START_MS};
use crate::tenant::Tenant;

/// How long things go wrong, and how long it may take until all is done after that. The sweeper
/// comes back to a delivery after at most 64 minutes.
const CHAOS_MS: i64 = 90_000;
const CALM_MS: i64 = 3 * 3_600_000;
/// A message whose batch was cut off comes again after this long.
const REDELIVERY_S: u32 = 5;

/// Where events go.
#[derive(Debug, Clone)]
pub struct Route {
    pub tenant: usize,
    pub connection: String,
    pub is_strict: bool,
    /// Whether only its lane serves it.
    pub is_pulled: bool,
    pub endpoint: Endpoint,
    pub secrets: Rc<RefCell<Secrets>>,
}

/// Secrets that a connection may sign with.
#[derive(Debug)]
pub struct Secrets {
    /// The last one that was answered, and when; those before it, and when they were followed.
    pub known: Vec<(String, i64)>,
    /// Those of rotations that were begun and not answered.
    pub maybe: Vec<String>,
}

impl Secrets {
    pub fn answered(&mut self, edge: &Edge, secret: String) {
        self.known.push((secret, edge.now_ms()));
    }
}

pub struct World {
    pub edge: Edge,
    pub tenants: Vec<Tenant>,
    pub routes: Vec<Route>,
    pub ledger: Rc<Ledger>,
    /// Whether anything but receivers goes wrong.
    pub is_faulty: bool,
    is_over: Cell<bool>,
    /// Whether a batch is being served: the next one waits until its handler returns.
    is_serving: Rc<Cell<bool>>,
}

/// What is under way when a world is over holds its edge, which holds what is under way.
impl Drop for World {
    fn drop(&mut self) {
        self.edge.crash();
    }
}

const SECRET: &str = "the first secret of a customer";
/// Of the four connections of a tenant.
const TIMEOUTS_S: [u32; 4] = [1, 8, 15, 20];

impl World {
    pub fn new(seed: u64) -> Self {
        let edge = Edge::new();
        edge.chaos.seed(seed);
        edge.reseed(seed);
        edge.control.trust_plans();
        edge.logs[0].trust_plans();
        let ledger = Rc::new(Ledger::default());
        let (mut tenants, mut routes) = (Vec::new(), Vec::new());
        for index in 0..2 {
            let tenant = Tenant::new(&edge, &format!("Acme {index}"));
            for kind in 0..4 {
                routes.push(route(&edge, &tenant, index, kind));
            }
            tenants.push(tenant);
        }
        let is_faulty = edge.chaos.draw(4) > 0;
        let world = Self {
            edge,
            tenants,
            routes,
            ledger,
            is_faulty,
            is_over: Cell::new(false),
            is_serving: Rc::default(),
        };
        world.remember();
        world.watch_moves();
        world.watch();
        world
    }

    pub fn counts(&self) -> BTreeMap<&'static str, usize> {
        self.edge.chaos.counts.borrow().clone()
    }

    pub fn broken(&self) -> Option<String> {
        self.ledger.broken.borrow().first().cloned()
    }

    pub fn trace(&self) -> String {
        self.edge.chaos.trace.borrow().join("\n")
    }

    pub fn any_route(&self) -> &Route {
        let index = self.edge.chaos.draw(self.routes.len() as u64);
        &self.routes[usize::try_from(index).expect("small")]
    }

    /// Lets it all happen, then calm down, then be judged.
    pub fn run(&self) {
        let chaos = &self.edge.chaos;
        let often = 1 + chaos.draw(12);
        chaos.rates.set(match self.is_faulty {
            true => Rates {
                fault: often * 2,
                cut: often / 2,
                lose: often * 3,
                repeat: often * 3,
                late: often * 5,
                latency_ms: 8,
            },
            false => Rates { latency_ms: 8, ..Rates::default() },
        });
        self.pass(CHAOS_MS, true);
        chaos.rates.set(Rates { latency_ms: 2, ..Rates::default() });
        chaos.say(|| "calm".to_owned());
        self.routes.iter().for_each(|route| route.endpoint.set(chaos, Behaviour::Well));
        // What was under way ends first, or it could undo what follows.
        self.pass(40_000, false);
        self.activate_all();
        self.is_over.set(true);
        self.pass(CALM_MS, false);
        let counted =
            self.edge.block_on(rollups::advance(&self.edge, 0, true, &mut Budget::new(900)));
        counted.expect("nothing goes wrong any more");
        self.judge();
    }

    fn pass(&self, ms: i64, is_wild: bool) {
        let end_ms = self.edge.now_ms() + ms;
        let mut next_deed_ms = self.edge.now_ms();
        let mut next_sweep_ms = self.edge.now_ms() + 60_000;
        while self.edge.now_ms() < end_ms && self.ledger.broken.borrow().is_empty() {
            if !is_wild && self.is_over.get() && self.is_done() {
                return;
            }
            self.take_batch();
            for text in self.edge.upkeep.take_due(self.edge.now_ms()) {
                let edge = self.edge.clone();
                let job = UpkeepJob::parse(&text).expect("a message of the upkeep queue");
                self.edge.spawn(async move { tasks::work(&edge, job).await });
            }
            let deed_ms = if is_wild { next_deed_ms } else { i64::MAX };
            let queue_ms = self.edge.queue.next_due_ms().filter(|_| !self.is_serving.get());
            let upkeep_ms = self.edge.upkeep.next_due_ms();
            let others =
                [self.edge.lanes.next_due_ms(), self.edge.next_task_ms(), queue_ms, upkeep_ms];
            let next_ms =
                others.into_iter().flatten().chain([deed_ms, next_sweep_ms, end_ms]).min();
            self.edge.advance_to(next_ms.expect("an end"));
            let now_ms = self.edge.now_ms();
            if self.edge.lanes.next_due_ms().is_some_and(|at_ms| at_ms <= now_ms) {
                let edge = self.edge.clone();
                self.edge.spawn(async move { edge.lanes.ring(now_ms).await });
            }
            if now_ms >= next_sweep_ms {
                next_sweep_ms += 60_000;
                let edge = self.edge.clone();
                self.edge.spawn(async move { tasks::announce(&edge, false).await });
            }
            if is_wild && now_ms >= next_deed_ms {
                next_deed_ms = now_ms + i64::try_from(self.edge.chaos.draw(7_000)).expect("small");
                self.deed();
                self.disaster();
            }
        }
    }

    /// Hands a batch of what is due to a consumer, as the queue does; it comes again if it is cut
    /// off.
    fn take_batch(&self) {
        if self.is_serving.get() {
            return;
        }
        let due = self.edge.queue.take_batch(self.edge.now_ms());
        if due.is_empty() {
            return;
        }
        self.is_serving.set(true);
        if self.edge.chaos.draw(4) == 0 {
            // Another isolate serves this batch; it does not know what the first one attempts.
            self.edge.change_isolate();
        }
        let unanswered = Unanswered {
            edge: self.edge.clone(),
            messages: due,
            is_serving: Rc::clone(&self.is_serving),
        };
        let edge = self.edge.clone();
        self.edge.spawn(async move {
            let mut unanswered = unanswered;
            let served = deliver(&edge, &unanswered.messages).await;
            let messages = std::mem::take(&mut unanswered.messages);
            for (message, verdict) in messages.into_iter().zip(served.verdicts) {
                if let Verdict::Retry(delay_s) = verdict {
                    edge.queue.put_back(message, delay_s);
                }
            }
            drop(unanswered);
            served.rest.await;
        });
    }

    fn disaster(&self) {
        let chaos = &self.edge.chaos;
        if chaos.draw(3) == 0 {
            self.any_route().endpoint.change(chaos);
        }
        if !self.is_faulty {
            return;
        }
        if chaos.happens(20, "isolate lost") {
            chaos.cuts.set(chaos.cuts.get() + 1);
            self.edge.lose_isolate();
        }
        if chaos.happens(40, "lanes evicted") {
            self.edge.lanes.evict();
        }
        if chaos.happens(20, "lanes wiped") {
            self.edge.lanes.wipe();
        }
    }

    /// Whether nothing is owed any more, and nothing is under way.
    fn is_done(&self) -> bool {
        let left = "select (select count(*) from deliveries where open = 1 or state = 'held') \
                      + (select count(*) from replays where status = 'running')";
        self.edge.logs[0].ask(left) == [json!(0)]
    }
}

/// Messages of a batch that was not answered yet.
struct Unanswered {
    edge: Edge,
    messages: Vec<QueueMessage>,
    is_serving: Rc<Cell<bool>>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        for message in std::mem::take(&mut self.messages) {
            self.edge.queue.put_back(message, REDELIVERY_S);
        }
        self.is_serving.set(false);
    }
}

fn route(edge: &Edge, tenant: &Tenant, index: usize, kind: usize) -> Route {
    let url = format!("https://hooks.example.com/{index}/{kind}");
    let mut metadata = json!({
        "url": url, "signing_secret": SECRET, "timeout_seconds": TIMEOUTS_S[kind],
        "retry_schedule_seconds": [1, 5, 20, 30, 60, 60, 60, 60, 60, 60],
    });
    match kind {
        1 => metadata["ordering"] = json!("strict"),
        2 => metadata["max_per_second"] = json!(3),
        _ => {}
    }
    let (connection, _) = tenant.route(edge, "x", metadata);
    let known = vec![(SECRET.to_owned(), START_MS)];
    let secrets = Rc::new(RefCell::new(Secrets { known, maybe: Vec::new() }));
    let endpoint = Endpoint::new(edge, url);
    Route {
        tenant: index,
        connection,
        is_strict: kind == 1,
        is_pulled: kind == 1 || kind == 2,
        endpoint,
        secrets,
    }
}
