//! Lanes as Durable Objects keep them: each steps by itself, its state is stored as text, an alarm
//! wakes it. They can be evicted, lose what they stored, and fail before or after a step took
//! effect.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use posthorn::app::delivery::lanes::carry_out;
use posthorn::domain::lane::machine::Lane;
use posthorn::domain::lane::messages::{Command, Reply};
use posthorn::domain::lane::queue::ConnectionQueue;
use posthorn::ports::{Clock, Lanes, PortError};

use super::chaos::Chaos;
use super::{Edge, Fault, World};

/// All lanes.
pub struct FakeLanes {
    world: Weak<World>,
    pub(super) objects: RefCell<BTreeMap<ConnectionQueue, Object>>,
    faults: RefCell<Vec<Option<Fault>>>,
    /// Requests so far, alarms not counted.
    pub requests: Cell<usize>,
    /// How late the next answer comes.
    pub late_ms: Cell<i64>,
    /// How far the clocks of lanes are ahead.
    pub ahead_ms: Cell<i64>,
}

#[derive(Default)]
pub(super) struct Object {
    pub(super) stored: Option<String>,
    pub(super) in_memory: Option<Lane>,
    pub(super) alarm_at_ms: Option<i64>,
}

impl FakeLanes {
    pub fn new(world: Weak<World>) -> Self {
        Self {
            world,
            objects: RefCell::default(),
            faults: RefCell::default(),
            requests: Cell::new(0),
            late_ms: Cell::new(0),
            ahead_ms: Cell::new(0),
        }
    }

    /// Makes the next calls fail, one after the other; `None` is a call that succeeds.
    pub fn fail_next(&self, faults: &[Option<Fault>]) {
        *self.faults.borrow_mut() = faults.iter().rev().copied().collect();
    }

    /// What lanes hold in memory only is lost.
    pub fn evict(&self) {
        self.objects.borrow_mut().values_mut().for_each(|object| object.in_memory = None);
    }

    /// All that lanes stored is lost, their alarms with it.
    pub fn wipe(&self) {
        self.objects.borrow_mut().clear();
    }

    /// When the first alarm goes off.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.objects.borrow().values().filter_map(|object| object.alarm_at_ms).min()
    }

    /// Lets the alarms go off that are due.
    pub async fn ring(&self, now_ms: i64) {
        let due: Vec<ConnectionQueue> = {
            let mut objects = self.objects.borrow_mut();
            let due =
                objects.iter_mut().filter(|(_, o)| o.alarm_at_ms.is_some_and(|at| at <= now_ms));
            due.map(|(line, object)| {
                object.alarm_at_ms = None;
                line.clone()
            })
            .collect()
        };
        for line in due {
            self.step_apart(&line, Command::Alarm).await;
        }
    }

    fn chaos(&self) -> Rc<Chaos> {
        Rc::clone(&self.world.upgrade().expect("the world is there").chaos)
    }

    fn evict_one(&self, line: &ConnectionQueue) {
        if let Some(object) = self.objects.borrow_mut().get_mut(line) {
            object.in_memory = None;
        }
    }

    /// A step in the lane's own invocation.
    async fn step_apart(&self, line: &ConnectionQueue, command: Command) -> Reply {
        let tasks = self.world.upgrade().expect("the world is there").tasks.clone();
        tasks.apart(self.step(line, command)).await
    }

    async fn step(&self, line: &ConnectionQueue, command: Command) -> Reply {
        let edge = Edge::at_home(self.world.upgrade().expect("the world is there"));
        let now_ms = edge.now_ms() + self.ahead_ms.get();
        let (reply, effects, whose) = {
            let mut objects = self.objects.borrow_mut();
            let object = objects.entry(line.clone()).or_default();
            let stored = object.stored.as_deref();
            let load = || stored.map(|text| serde_json::from_str(text).expect("a lane"));
            let mut lane = object.in_memory.take().or_else(load).unwrap_or_default();
            // What is asked goes over the wire as text.
            let text = serde_json::to_string(&command).expect("JSON");
            let command = serde_json::from_str(&text).expect("a command");
            let (reply, effects) = lane.step(command, now_ms);
            object.stored = Some(serde_json::to_string(&lane).expect("JSON"));
            let ahead_ms = self.ahead_ms.get();
            let alarm_at_ms = lane.alarm_at_ms(now_ms).map(|at_ms| at_ms.max(now_ms + 1));
            object.alarm_at_ms = alarm_at_ms.map(|at_ms| at_ms - ahead_ms);
            let whose = lane.line().cloned();
            object.in_memory = Some(lane);
            (reply, effects, whose)
        };
        let rates = edge.chaos.rates.get();
        if let Some(whose) = whose {
            assert_eq!(&whose, line, "a lane is named by its line");
            if edge.chaos.happens(rates.cut, "lane cut after its step") {
                self.evict_one(line);
                return reply;
            }
            carry_out(&edge, &whose, effects).await;
        }
        reply
    }
}

impl Lanes for FakeLanes {
    async fn call(&self, line: &ConnectionQueue, command: Command) -> Result<Reply, PortError> {
        self.requests.set(self.requests.get() + 1);
        let chaos = self.chaos();
        let fate = chaos.begin(["lane before", "lane after", "cut at lane"]).await;
        let fault = self.faults.borrow_mut().pop().flatten().or(fate.fault);
        if fault == Some(Fault::Before) {
            return Err(PortError("failed before".into()));
        }
        let reply = self.step_apart(line, command).await;
        Edge::at_home(self.world.upgrade().expect("the world is there"))
            .sleep_ms(self.late_ms.take())
            .await;
        if chaos.happens(chaos.rates.get().stall, "lane answers late") {
            chaos.wait_ms(5_000, 30_000).await;
        }
        chaos.end(fate).await;
        if fault == Some(Fault::After) {
            return Err(PortError("failed after".into()));
        }
        Ok(reply)
    }
}
