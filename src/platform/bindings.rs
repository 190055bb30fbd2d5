//! What `env` binds, opened once: it is the same as long as the isolate lives, and to look for all
//! of it costs 6 % of the CPU of an event.

use std::cell::RefCell;
use std::rc::Rc;

use worker::{D1Database, Env, Queue};

use crate::platform::meter;
use crate::platform::objects::Objects;
use crate::platform::points::Points;
use crate::platform::rate_limits::Bound;
use crate::platform::settings;
use crate::ports::Settings;

/// The bindings and the configuration.
pub struct Bindings {
    /// The variables and secrets.
    pub settings: Settings,
    /// The database of workspaces and what they have.
    pub control: Rc<D1Database>,
    /// The databases of events and deliveries, by shard.
    pub logs: Vec<Rc<D1Database>>,
    /// The queue of deliveries.
    pub jobs: Rc<Queue>,
    /// The queue of the cron's own work.
    pub upkeep: Rc<Queue>,
    /// The lanes. What lanes elsewhere knew is rebuilt from LOG.
    pub lanes: Rc<Objects>,
    /// The intakes.
    pub intakes: Rc<Objects>,
    /// The rate limits.
    pub rate_limits: Bound,
    /// The data set of attempts.
    pub points: Points,
    /// Whether each invocation counts what it costs.
    pub is_metered: bool,
}

thread_local! {
    static KNOWN: RefCell<Option<Rc<Bindings>>> = RefCell::default();
}

impl Bindings {
    /// Those of the isolate.
    ///
    /// # Errors
    /// What is wrong with the configuration, for the log.
    pub fn of(env: &Env) -> Result<Rc<Self>, String> {
        KNOWN.with_borrow_mut(|known| match known {
            Some(bindings) => Ok(Rc::clone(bindings)),
            None => Ok(Rc::clone(known.insert(Rc::new(Self::open(env)?)))),
        })
    }

    fn open(env: &Env) -> Result<Self, String> {
        let settings = settings::read(env)?;
        let failed = |name: &str, e: worker::Error| format!("binding {name}: {e}");
        let database = |name: &str| env.d1(name).map(Rc::new).map_err(|e| failed(name, e));
        let queue = |name: &str| env.queue(name).map(Rc::new).map_err(|e| failed(name, e));
        let logs = (0..settings.log_shards).map(|shard| database(&format!("LOG_{shard}")));
        Ok(Self {
            control: database("CONTROL")?,
            logs: logs.collect::<Result<_, _>>()?,
            jobs: queue("JOBS")?,
            upkeep: queue("UPKEEP")?,
            lanes: Rc::new(Objects::bound(env, "LANES")?),
            intakes: Rc::new(Objects::bound(env, "INTAKE")?),
            rate_limits: Bound::open(env),
            points: Points::open(env),
            is_metered: meter::is_wanted(env),
            settings,
        })
    }
}
