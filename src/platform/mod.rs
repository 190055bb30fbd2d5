//! The roof: the only place that says `worker`. It opens the ports on Workers and hands every event
//! to the house below.

mod bindings;
mod d1;
mod entry;
mod intake_object;
mod lane_object;
mod meter;
mod objects;
mod outbound;
mod points;
mod queue;
mod rate_limits;
mod settings;
mod sql;
mod timers;
mod web;

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;
use worker::{Env, console_log, js_sys};

use crate::domain::connection::target_cache::TargetCache;
use crate::domain::delivery::in_flight::InFlight;
use crate::domain::delivery::write_gate::WriteGate;
use crate::domain::routing::known_names::KnownNames;
use crate::domain::tenants::large_bodies::LargeBodies;
use crate::domain::tenants::routing_cache::RoutingCache;
use crate::http::body::Bodies;
use crate::ports::{Clock, Entropy, Log, Platform, PortError, Settings};
use crate::reference::Reference;
use crate::reference::operation::Row;
use crate::routes::routes;
use bindings::Bindings;
use d1::D1;
use intake_object::IntakeObjects;
use lane_object::LaneObjects;
use meter::Meter;
use outbound::FetchOutbound;
use queue::JobQueue;
use rate_limits::Bound;
use timers::Timers;

/// The platform on Workers. One is made for each event that the Worker handles.
#[derive(Clone)]
struct Edge(Rc<Inner>);

struct Inner {
    bindings: Rc<Bindings>,
    control: D1,
    logs: Vec<D1>,
    jobs: JobQueue,
    upkeep: JobQueue,
    lanes: LaneObjects,
    intakes: IntakeObjects,
    outbound: FetchOutbound,
    timers: Timers,
    meter: Meter,
    in_flight: Rc<RefCell<InFlight>>,
    write_gate: Rc<RefCell<WriteGate>>,
    targets: Rc<RefCell<TargetCache>>,
    known_names: Rc<RefCell<KnownNames>>,
    routings: Rc<RefCell<RoutingCache>>,
    large_bodies: Rc<RefCell<LargeBodies>>,
    bodies: Rc<Bodies>,
}

thread_local! {
    /// Outlives the events that the isolate handles, and holds nothing of any of them but keys.
    static IN_FLIGHT: Rc<RefCell<InFlight>> = Rc::default();
    /// The same for what it knows of the shards.
    static WRITE_GATE: Rc<RefCell<WriteGate>> = Rc::default();
    /// The routings that it read a moment ago.
    static ROUTINGS: Rc<RefCell<RoutingCache>> = Rc::default();
    /// When keys may send it their next large bodies.
    static LARGE_BODIES: Rc<RefCell<LargeBodies>> = Rc::default();
    /// The names of events that it knows to be stored.
    static KNOWN_NAMES: Rc<RefCell<KnownNames>> = Rc::default();
    /// The connections that the isolate read a moment ago, with their secrets sealed.
    static TARGETS: Rc<RefCell<TargetCache>> = Rc::default();
    /// How much of bodies the isolate holds.
    static BODIES: Rc<Bodies> = Rc::default();
}

/// The reference of the API, from the rows that the Worker serves. For `src/bin/render.rs`; the
/// Worker itself never asks.
///
/// # Errors
/// Rows and descriptions do not belong together.
pub fn api_reference() -> Result<Reference, String> {
    let rows = routes::<Edge>().iter().map(Row::from);
    Reference::new(
        &rows
            .filter(|row| !row.path.starts_with("/embed") && row.path != "/metrics")
            .collect::<Vec<_>>(),
    )
}

impl Edge {
    /// Opens the bindings of `env`.
    fn open(env: &Env) -> Result<Self, String> {
        let bindings = Bindings::of(env)?;
        let meter = Meter::new(bindings.is_metered);
        Ok(Self::with(bindings, meter))
    }

    /// The same, counting what it costs with `meter`.
    fn metered(env: &Env, meter: Meter) -> Result<Self, String> {
        Ok(Self::with(Bindings::of(env)?, meter))
    }

    fn with(bindings: Rc<Bindings>, meter: Meter) -> Self {
        let (statements, timers) = (Rc::default(), Timers::default());
        let targets = TARGETS.with(Rc::clone);
        let database = |db: &Rc<_>| {
            D1::new(Rc::clone(db), meter.clone(), timers.clone(), Rc::clone(&statements))
        };
        let queue = |queue: &Rc<_>| JobQueue::new(Rc::clone(queue), meter.clone());
        Self(Rc::new(Inner {
            control: database(&bindings.control).emptying(Rc::clone(&targets)),
            logs: bindings.logs.iter().map(database).collect(),
            jobs: queue(&bindings.jobs),
            upkeep: queue(&bindings.upkeep),
            lanes: LaneObjects::new(Rc::clone(&bindings.lanes), meter.clone()),
            intakes: IntakeObjects::new(Rc::clone(&bindings.intakes), meter.clone()),
            outbound: FetchOutbound::new(timers.clone()),
            timers,
            bindings,
            meter,
            in_flight: IN_FLIGHT.with(Rc::clone),
            write_gate: WRITE_GATE.with(Rc::clone),
            targets,
            known_names: KNOWN_NAMES.with(Rc::clone),
            routings: ROUTINGS.with(Rc::clone),
            large_bodies: LARGE_BODIES.with(Rc::clone),
            bodies: BODIES.with(Rc::clone),
        }))
    }

    fn meter(&self) -> &Meter {
        &self.0.meter
    }

    fn bodies(&self) -> &Rc<Bodies> {
        &self.0.bodies
    }
}

/// The time. `worker::Date` would make an object for each look at the clock.
#[allow(clippy::cast_possible_truncation)]
pub fn now_ms() -> i64 {
    js_sys::Date::now() as i64
}

impl Clock for Edge {
    fn now_ms(&self) -> i64 {
        now_ms()
    }

    async fn sleep_ms(&self, ms: i64) {
        self.0.timers.sleep(ms).await;
    }
}

impl Entropy for Edge {
    fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        // Workers always have Web Crypto. Going on with zeros would make guessable keys.
        #[allow(clippy::expect_used)]
        getrandom::fill(&mut bytes).expect("Web Crypto gives random bytes");
        bytes
    }
}

impl Log for Edge {
    fn log_event(&self, json: &Value) {
        console_log!("{}", serde_json::to_string(json).unwrap_or_default());
        self.0.bindings.points.write(json);
    }
}

impl Platform for Edge {
    type Database = D1;
    type Jobs = JobQueue;
    type Lanes = LaneObjects;
    type Intakes = IntakeObjects;
    type Outbound = FetchOutbound;
    type RateLimits = Bound;

    fn settings(&self) -> &Settings {
        &self.0.bindings.settings
    }

    fn control(&self) -> &D1 {
        &self.0.control
    }

    fn history_db(&self, shard: u16) -> Result<&D1, PortError> {
        let found = self.0.logs.get(usize::from(shard));
        found.ok_or_else(|| PortError(format!("there is no LOG shard {shard}")))
    }

    fn jobs(&self) -> &JobQueue {
        &self.0.jobs
    }

    fn upkeep(&self) -> &JobQueue {
        &self.0.upkeep
    }

    fn lanes(&self) -> &LaneObjects {
        &self.0.lanes
    }

    fn intakes(&self) -> &IntakeObjects {
        &self.0.intakes
    }

    fn outbound(&self) -> &FetchOutbound {
        &self.0.outbound
    }

    fn rate_limits(&self) -> &Bound {
        &self.0.bindings.rate_limits
    }

    fn in_flight(&self) -> &RefCell<InFlight> {
        &self.0.in_flight
    }

    fn write_gate(&self) -> &RefCell<WriteGate> {
        &self.0.write_gate
    }

    fn targets(&self) -> &RefCell<TargetCache> {
        &self.0.targets
    }

    fn routings(&self) -> &RefCell<RoutingCache> {
        &self.0.routings
    }

    fn large_bodies(&self) -> &RefCell<LargeBodies> {
        &self.0.large_bodies
    }

    fn known_names(&self) -> &RefCell<KnownNames> {
        &self.0.known_names
    }
}
