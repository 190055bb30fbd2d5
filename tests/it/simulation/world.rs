//! One world: two tenants on two shards with four connections each, what goes wrong, and the loop
//! that lets time pass.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use posthorn::app::upkeep::budget::Budget;
use posthorn::app::upkeep::{rollups, tasks};
use posthorn::domain::delivery::upkeep::UpkeepJob;
use posthorn::ports::{Clock, Platform};
use serde_json::{Value, json};

use super::changes::Changes;
use super::climate::{Climate, Skies};
use super::consumers::Consumer;
use super::promises::Ledger;
use super::receivers::{Behaviour, Endpoint};
use crate::edge::chaos::Rates;
use crate::edge::{Edge, START_MS, Sqlite};
use crate::tenant::Tenant;

/// How long it may take until all is done after things went wrong. The sweeper comes back to a
/// delivery after at most 64 minutes.
const CALM_MS: i64 = 3 * 3_600_000;

/// Where events go.
#[derive(Debug, Clone)]
pub struct Route {
    pub tenant: usize,
    pub connection: String,
    pub is_strict: bool,
    /// Whether only its lane serves it.
    pub is_pulled: bool,
    pub endpoint: Endpoint,
    pub secrets: Rc<RefCell<Changes<String>>>,
    pub urls: Rc<RefCell<Changes<String>>>,
    pub life: Rc<RefCell<Changes<Life>>>,
}

/// What becomes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    Active,
    Paused,
    Deleted,
}

pub struct World {
    pub edge: Edge,
    pub tenants: Vec<Tenant>,
    pub routes: Vec<Route>,
    pub ledger: Rc<Ledger>,
    /// What goes wrong, beside receivers.
    pub climate: Climate,
    pub skies: Skies,
    pub consumers: RefCell<Vec<Consumer>>,
    /// Isolates that answer calls.
    pub fronts: Vec<Edge>,
    is_over: Cell<bool>,
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
        // Some installations have no intakes.
        let intakes = if seed.is_multiple_of(3) { 0 } else { 2 };
        let edge = Edge::with_settings(|settings| {
            settings.log_shards = 2;
            settings.intakes = intakes;
        });
        edge.chaos.seed(seed);
        edge.reseed(seed);
        edge.control.trust_plans();
        edge.logs.iter().for_each(Sqlite::trust_plans);
        let ledger = Rc::new(Ledger::default());
        *ledger.spells.borrow_mut() = vec![None; edge.logs.len()];
        let (mut tenants, mut routes) = (Vec::new(), Vec::new());
        for index in 0..2 {
            let tenant = Tenant::new(&edge, &format!("Acme {index}"));
            // Each is on a shard of its own.
            let shard =
                format!("update workspaces set shard = {index} where id = '{}'", tenant.workspace);
            edge.control.execute(&shard);
            for kind in 0..4 {
                routes.push(route(&edge, &tenant, index, kind));
            }
            tenants.push(tenant);
        }
        let climate = [
            Climate::Fair,
            Climate::Fair,
            Climate::Lossy,
            Climate::Faulty,
            Climate::Faulty,
            Climate::Faulty,
            Climate::Stormy,
            Climate::Stormy,
        ][usize::try_from(edge.chaos.draw(8)).expect("small")];
        let mut world = Self {
            edge,
            tenants,
            routes,
            ledger,
            climate,
            skies: Skies::default(),
            consumers: RefCell::default(),
            fronts: Vec::new(),
            is_over: Cell::new(false),
        };
        world.fronts = (0..2).map(|_| world.edge.other_isolate(world.ahead_ms())).collect();
        world.edge.lanes.ahead_ms.set(world.ahead_ms());
        world.start_consumers();
        world.remember();
        world.watch_moves();
        world.watch_attempts();
        world.watch();
        world
    }

    /// What the shards answer, one after the other: the first column of each row.
    pub fn ask(&self, sql: &str) -> Vec<Value> {
        self.edge.logs.iter().flat_map(|log| log.ask(sql)).collect()
    }

    /// An isolate that answers a call.
    pub fn front(&self) -> &Edge {
        let index = self.edge.chaos.draw(self.fronts.len() as u64);
        &self.fronts[usize::try_from(index).expect("small")]
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
        chaos.rates.set(self.climate.rates(often));
        self.pass(self.climate.chaos_ms().0, true);
        self.clear_up();
        chaos.rates.set(Rates { latency_ms: 2, ..Rates::default() });
        chaos.say(|| "calm".to_owned());
        self.routes.iter().for_each(|route| route.endpoint.set_all(chaos, Behaviour::Well));
        // What was under way ends first, or it could undo what follows.
        self.pass(40_000, false);
        self.activate_all();
        self.is_over.set(true);
        self.pass(CALM_MS, false);
        for shard in 0..2 {
            let counted = self.edge.block_on(rollups::advance(
                &self.edge,
                shard,
                true,
                &mut Budget::new(900),
            ));
            counted.expect("nothing goes wrong any more");
        }
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
            self.hand_out_batches();
            for text in self.edge.upkeep.take_due(self.edge.now_ms()) {
                let edge = self.edge.clone();
                let job = UpkeepJob::parse(&text).expect("a message of the upkeep queue");
                self.edge.spawn(async move { tasks::work(&edge, job).await });
            }
            let deed_ms = if is_wild { next_deed_ms } else { i64::MAX };
            let queue_ms = self.edge.queue.next_due_ms().filter(|_| self.is_any_free());
            let upkeep_ms = self.edge.upkeep.next_due_ms();
            let (lanes_ms, intakes_ms) =
                (self.edge.lanes.next_due_ms(), self.edge.intakes.next_due_ms());
            let others = [lanes_ms, intakes_ms, self.edge.next_task_ms(), queue_ms, upkeep_ms];
            let next_ms =
                others.into_iter().flatten().chain([deed_ms, next_sweep_ms, end_ms]).min();
            self.edge.advance_to(next_ms.expect("an end"));
            let now_ms = self.edge.now_ms();
            if self.edge.lanes.next_due_ms().is_some_and(|at_ms| at_ms <= now_ms) {
                let edge = self.edge.clone();
                self.edge.spawn(async move { edge.lanes.ring(now_ms).await });
            }
            if self.edge.intakes.next_due_ms().is_some_and(|at_ms| at_ms <= now_ms) {
                let edge = self.edge.clone();
                self.edge.spawn(async move { edge.intakes.ring(now_ms).await });
            }
            if now_ms >= next_sweep_ms {
                next_sweep_ms += 60_000;
                let edge = self.edge.clone();
                self.edge.spawn(async move { tasks::announce(&edge, false).await });
            }
            if is_wild && now_ms >= next_deed_ms {
                let most_ms = self.climate.chaos_ms().1;
                next_deed_ms =
                    now_ms + i64::try_from(self.edge.chaos.draw(most_ms)).expect("small");
                self.let_weather_change();
                self.deed();
                self.disaster();
            }
        }
    }

    fn disaster(&self) {
        let chaos = &self.edge.chaos;
        if chaos.draw(3) == 0 {
            self.any_route().endpoint.change(chaos);
        }
        if self.climate != Climate::Fair && chaos.draw(10) == 0 {
            self.edge.queue.repeat_an_old_one();
        }
        if !self.climate.is_faulty() {
            return;
        }
        if chaos.happens(20, "isolate lost") {
            self.lose_consumer();
        }
        if chaos.draw(50) == 0 && !self.has_wrong_key() {
            self.lose_keys();
        }
        if self.edge.settings().intakes > 0 {
            if chaos.happens(40, "intakes evicted") {
                self.edge.intakes.evict();
            }
            if chaos.happens(20, "intake alarms dropped") {
                self.edge.intakes.drop_alarms();
            }
            if chaos.happens(20, "intakes of another release") {
                self.edge.intakes.hand_over();
            } else if chaos.draw(20) == 0 {
                self.edge.intakes.take_back();
            }
        }
        if chaos.happens(40, "lanes evicted") {
            self.edge.lanes.evict();
        }
        if chaos.happens(20, "lanes wiped") {
            self.ledger.wiped_ms.borrow_mut().push(self.edge.now_ms());
            self.edge.lanes.wipe();
        }
    }

    /// Whether nothing is owed any more, and nothing is under way.
    fn is_done(&self) -> bool {
        let left = "select (select count(*) from deliveries where open = 1 or state = 'held') \
                      + (select count(*) from replays where status = 'running')";
        self.edge.intakes.waiting() == 0 && self.ask(left).iter().all(|count| *count == json!(0))
    }
}

fn route(edge: &Edge, tenant: &Tenant, index: usize, kind: usize) -> Route {
    let endpoint = Endpoint::new(format!("https://hooks.example.com/{index}/{kind}"));
    let url = endpoint.move_on(edge);
    let mut metadata = json!({
        "url": &url, "signing_secret": SECRET, "timeout_seconds": TIMEOUTS_S[kind],
        "retry_schedule_seconds": [1, 5, 20, 30, 60, 60, 60, 60, 60, 60],
    });
    match kind {
        1 => metadata["ordering"] = json!("strict"),
        2 => metadata["max_per_second"] = json!(3),
        _ => {}
    }
    let (connection, _) = tenant.route(edge, "x", metadata);
    Route {
        tenant: index,
        connection,
        is_strict: kind == 1,
        is_pulled: kind == 1 || kind == 2,
        endpoint,
        secrets: Rc::new(RefCell::new(Changes::since(SECRET.to_owned(), START_MS))),
        urls: Rc::new(RefCell::new(Changes::since(url, START_MS))),
        life: Rc::new(RefCell::new(Changes::since(Life::Active, START_MS))),
    }
}
