//! A platform on which tests run: the real migrations on SQLite, a queue, scripted receivers and a
//! clock that jumps to the next thing that happens.

pub mod chaos;
mod intakes;
pub mod isolates;
mod lanes;
mod plans;
mod queue;
mod rate_limits;
mod receivers;
mod sqlite;
pub mod state;
mod tasks;

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::rc::{Rc, Weak};

use posthorn::app::delivery::deliver::{Verdict, deliver};
use posthorn::app::delivery::work::QueueMessage;
use posthorn::app::upkeep::tasks as upkeep;
use posthorn::domain::base::limits::UPKEEP_STATEMENTS;
use posthorn::domain::base::secret::MasterKeys;
use posthorn::domain::connection::target_cache::TargetCache;
use posthorn::domain::delivery::in_flight::InFlight;
use posthorn::domain::delivery::upkeep::UpkeepJob;
use posthorn::domain::delivery::write_gate::WriteGate;
use posthorn::domain::routing::known_names::KnownNames;
use posthorn::domain::tenants::large_bodies::LargeBodies;
use posthorn::domain::tenants::routing_cache::RoutingCache;
use posthorn::ports::{Clock, Entropy, Log, Platform, PortError, Quotas, Settings};
use serde_json::Value;

use chaos::Chaos;
pub use intakes::FakeIntakes;
use isolates::Isolate;
pub use lanes::FakeLanes;
pub use queue::FakeQueue;
pub use rate_limits::FakeRateLimits;
pub use receivers::{Receivers, Reply};
pub use sqlite::{Fault, Sqlite, Weather};
use tasks::Tasks;

/// Where every test's time begins: 2027-01-15T08:00:00Z.
pub const START_MS: i64 = 1_800_000_000_000;
/// The operator's token.
pub const ADMIN_TOKEN: &str = "admin-token-of-the-tests-32-characters";
const MASTER_KEYS: &str = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const WRONG_KEYS: &str = "k1:HxECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The platform of tests, as one isolate sees it.
#[derive(Clone)]
pub struct Edge(Rc<World>, Rc<Isolate>);

/// An [`Edge`] that may be gone.
pub struct WeakEdge(Weak<World>);

impl WeakEdge {
    pub fn upgrade(&self) -> Option<Edge> {
        self.0.upgrade().map(Edge::at_home)
    }
}

/// What stands behind an [`Edge`].
pub struct World {
    settings: Cell<&'static Settings>,
    /// With a master key that opens nothing.
    wrong_settings: Settings,
    /// CONTROL.
    pub control: Sqlite,
    /// The LOG shards.
    pub logs: Vec<Sqlite>,
    /// The job queue.
    pub queue: FakeQueue,
    /// The queue of the upkeep.
    pub upkeep: FakeQueue,
    /// The lanes.
    pub lanes: FakeLanes,
    /// The intakes.
    pub intakes: FakeIntakes,
    /// The customers' endpoints.
    pub receivers: Receivers,
    /// The counts of requests.
    pub rate_limits: FakeRateLimits,
    /// What was logged.
    pub lines: RefCell<Vec<Value>>,
    /// What goes wrong at the ports.
    pub chaos: Rc<Chaos>,
    /// The isolate of whoever does not say which.
    home: Rc<Isolate>,
    /// Isolates and invocations so far.
    isolates: Cell<usize>,
    invocations: Cell<usize>,
    tasks: Tasks,
    random: Cell<u64>,
    /// Times that others were given their turn.
    pub pauses: Cell<usize>,
}

impl std::ops::Deref for Edge {
    type Target = World;
    fn deref(&self) -> &World {
        &self.0
    }
}

impl Edge {
    /// An installation with one LOG shard.
    pub fn new() -> Self {
        Self::with_shards(1)
    }

    /// An installation with this many LOG shards.
    pub fn with_shards(log_shards: u16) -> Self {
        Self::with(log_shards, Quotas::default())
    }

    /// An installation that bounds what people make.
    pub fn with_quotas(quotas: Quotas) -> Self {
        Self::with(1, quotas)
    }

    /// An installation with other settings.
    pub fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::build(1, Quotas::default(), change)
    }

    /// Deploys the same installation with other settings.
    pub fn configure(&self, change: impl FnOnce(&mut Settings)) {
        let former = self.settings.get();
        let mut settings = Settings {
            admin_token: former.admin_token.clone(),
            master_keys: MasterKeys::parse(MASTER_KEYS).expect("a key"),
            own_hosts: former.own_hosts.clone(),
            notice: former.notice.clone(),
            blocked_hosts: former.blocked_hosts.clone(),
            provider_bases: former.provider_bases.clone(),
            ..*former
        };
        change(&mut settings);
        self.settings.set(Box::leak(Box::new(settings)));
        self.change_isolate();
    }

    fn with(log_shards: u16, quotas: Quotas) -> Self {
        Self::build(log_shards, quotas, |_| ())
    }

    fn build(log_shards: u16, quotas: Quotas, change: impl FnOnce(&mut Settings)) -> Self {
        let with_keys = |keys| Settings {
            admin_token: ADMIN_TOKEN.to_owned(),
            master_keys: MasterKeys::parse(keys).expect("a key"),
            allow_private_destinations: false,
            provider_bases: std::collections::BTreeMap::new(),
            log_shards,
            intakes: std::env::var("INTAKES").ok().and_then(|n| n.parse().ok()).unwrap_or(0),
            own_hosts: vec!["posthorn.example".to_owned()],
            blocked_hosts: vec!["stopped.example".to_owned()],
            quotas,
            notice: None,
        };
        let (mut settings, wrong_settings) = (with_keys(MASTER_KEYS), with_keys(WRONG_KEYS));
        change(&mut settings);
        let log_shards = settings.log_shards;
        let tasks = Tasks::new(START_MS);
        let chaos = Rc::new(Chaos::new(tasks.clone()));
        let (time, trouble) = (tasks.clone(), Rc::clone(&chaos));
        let database = |folder| Sqlite::migrated(folder, time.clone(), Rc::clone(&trouble));
        let world = Rc::new_cyclic(|world| World {
            settings: Cell::new(Box::leak(Box::new(settings))),
            wrong_settings,
            control: database("migrations/control"),
            logs: (0..log_shards).map(|_| database("migrations/log")).collect(),
            queue: FakeQueue::new(tasks.clone(), Rc::clone(&chaos)),
            upkeep: FakeQueue::new(tasks.clone(), Rc::clone(&chaos)),
            lanes: FakeLanes::new(world.clone()),
            intakes: FakeIntakes::new(world.clone()),
            receivers: Receivers::new(tasks.clone()),
            rate_limits: FakeRateLimits::new(tasks.clone()),
            lines: RefCell::default(),
            chaos: Rc::clone(&chaos),
            home: Rc::default(),
            isolates: Cell::new(0),
            invocations: Cell::new(0),
            tasks,
            random: Cell::new(7),
            pauses: Cell::new(0),
        });
        Self::at_home(world)
    }

    fn at_home(world: Rc<World>) -> Self {
        let home = Rc::clone(&world.home);
        Self(world, home)
    }

    /// Runs `future` to its end; time jumps when nothing else can go on.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.tasks.block_on(future)
    }

    /// Serves one batch of messages as the Worker does; slow attempts go on in the background.
    pub fn serve_batch(&self, messages: &[String]) -> Vec<Verdict> {
        let sent_at_ms = self.now_ms();
        let message = |text: &String| QueueMessage { text: text.clone(), sent_at_ms };
        self.serve_messages(&messages.iter().map(message).collect::<Vec<_>>())
    }

    fn serve_messages(&self, messages: &[QueueMessage]) -> Vec<Verdict> {
        let served = self.block_on(deliver(self, messages));
        self.tasks.spawn_rest(served.rest);
        served.verdicts
    }

    /// Lets the cron run and its messages be served, each in an invocation of its own.
    pub fn cron(&self, after_restart: bool) {
        self.block_on(upkeep::announce(self, after_restart));
        self.serve_upkeep();
    }

    fn serve_upkeep(&self) {
        loop {
            let due = self.upkeep.take_due(self.now_ms());
            if due.is_empty() {
                break;
            }
            for text in due {
                let job = UpkeepJob::parse(&text).expect("a message of the upkeep queue");
                self.block_on(upkeep::work(self, job));
                let made = self.tasks.statements();
                assert!(made <= UPKEEP_STATEMENTS, "{made} statements in one run: {text}");
            }
        }
    }

    /// Lets the installation run for `ms`: batches are served as they become due, and every minute
    /// the sweeper runs.
    pub fn run_for(&self, ms: i64) {
        let end_ms = self.now_ms() + ms;
        let mut next_sweep_ms = self.now_ms() + 60_000;
        loop {
            let due = self.queue.take_batch(self.now_ms());
            if !due.is_empty() {
                let verdicts = self.serve_messages(&due);
                for (message, verdict) in due.into_iter().zip(verdicts) {
                    if let Verdict::Retry(delay_s) = verdict {
                        self.queue.put_back(message, delay_s);
                    }
                }
                continue;
            }
            let next = [
                self.queue.next_due_ms(),
                self.upkeep.next_due_ms(),
                self.lanes.next_due_ms(),
                self.intakes.next_due_ms(),
                self.tasks.next_due_ms(),
                Some(next_sweep_ms),
            ];
            let next_ms = next.into_iter().flatten().min().unwrap_or(end_ms);
            if next_ms > end_ms {
                self.tasks.advance_to(end_ms);
                return;
            }
            self.tasks.advance_to(next_ms);
            self.block_on(self.lanes.ring(self.now_ms()));
            self.block_on(self.intakes.ring(self.now_ms()));
            self.serve_upkeep();
            if next_ms >= next_sweep_ms {
                self.cron(false);
                next_sweep_ms += 60_000;
            }
        }
    }

    /// The most statements that one invocation made since this was asked last.
    pub fn take_statements_max(&self) -> usize {
        self.tasks.take_statements_max()
    }

    /// When something that waits in the background goes on.
    pub fn next_task_ms(&self) -> Option<i64> {
        self.tasks.next_due_ms()
    }

    /// Moves the clock.
    pub fn advance_to(&self, at_ms: i64) {
        self.tasks.advance_to(at_ms);
    }

    /// The same edge, without keeping it.
    pub fn downgrade(&self) -> WeakEdge {
        WeakEdge(Rc::downgrade(&self.0))
    }

    /// Draws other random numbers from now on.
    pub fn reseed(&self, seed: u64) {
        self.random.set(seed);
    }

    /// Goes on as another isolate would, which does not know what this one is attempting.
    pub fn change_isolate(&self) {
        self.1.in_flight.take();
        self.1.write_gate.take();
        self.1.targets.take();
        self.1.known_names.take();
        self.1.routings.take();
        self.1.large_bodies.take();
    }

    /// Forgets what lives in memory, as a crash of a local installation does.
    pub fn crash(&self) {
        self.queue.clear();
        self.intakes.evict();
        self.tasks.clear();
        self.change_isolate();
    }
}

impl Clock for Edge {
    fn now_ms(&self) -> i64 {
        self.tasks.now_ms() + self.1.ahead_ms
    }

    async fn sleep_ms(&self, ms: i64) {
        self.pauses.set(self.pauses.get() + usize::from(ms == 0));
        self.tasks.sleep_ms(ms).await;
    }
}

impl Entropy for Edge {
    /// SplitMix64: repeatable, and different at each call.
    fn bytes<const N: usize>(&self) -> [u8; N] {
        std::array::from_fn(|_| {
            let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
            self.random.set(state);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            (mixed ^ (mixed >> 27)).to_be_bytes()[0]
        })
    }
}

impl Log for Edge {
    fn log_event(&self, json: &Value) {
        self.lines.borrow_mut().push(json.clone());
    }
}

impl Platform for Edge {
    type Database = Sqlite;
    type Jobs = FakeQueue;
    type Lanes = FakeLanes;
    type Intakes = FakeIntakes;
    type Outbound = Receivers;
    type RateLimits = FakeRateLimits;

    fn settings(&self) -> &Settings {
        if self.1.has_wrong_key.get() { &self.0.wrong_settings } else { self.0.settings.get() }
    }

    fn control(&self) -> &Sqlite {
        &self.0.control
    }

    fn history_db(&self, shard: u16) -> Result<&Sqlite, PortError> {
        self.0.logs.get(usize::from(shard)).ok_or_else(|| PortError("no such shard".into()))
    }

    fn jobs(&self) -> &FakeQueue {
        &self.0.queue
    }

    fn upkeep(&self) -> &FakeQueue {
        &self.0.upkeep
    }

    fn lanes(&self) -> &FakeLanes {
        &self.0.lanes
    }

    fn intakes(&self) -> &FakeIntakes {
        &self.0.intakes
    }

    fn outbound(&self) -> &Receivers {
        &self.0.receivers
    }

    fn rate_limits(&self) -> &FakeRateLimits {
        &self.0.rate_limits
    }

    fn in_flight(&self) -> &RefCell<InFlight> {
        &self.1.in_flight
    }

    fn write_gate(&self) -> &RefCell<WriteGate> {
        &self.1.write_gate
    }

    fn targets(&self) -> &RefCell<TargetCache> {
        let writes = self.control.writes_of(self.1.number);
        if self.1.writes_seen.replace(writes) != writes {
            self.1.targets.borrow_mut().changed();
        }
        &self.1.targets
    }

    fn known_names(&self) -> &RefCell<KnownNames> {
        &self.1.known_names
    }

    fn routings(&self) -> &RefCell<RoutingCache> {
        &self.1.routings
    }

    fn large_bodies(&self) -> &RefCell<LargeBodies> {
        &self.1.large_bodies
    }
}
