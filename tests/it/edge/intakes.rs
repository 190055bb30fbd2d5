//! Intakes as Durable Objects keep them: each has a database of its own and a memory that it can
//! lose at any moment, with what was not synced. An alarm wakes it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::{Rc, Weak};

use futures_util::future::{Either, LocalBoxFuture, select};
use posthorn::app::intake::Intake;
use posthorn::domain::intake::messages::{Command, Envelope, Reply, VERSION};
use posthorn::domain::intake::waiting::VERSION as ROW_VERSION;
use posthorn::ports::{Clock, Database, IntakeStorage, Intakes, PortError, Rows, Statement};

use super::chaos::Chaos;
use super::{Edge, Fault, Sqlite, World};

/// All intakes.
pub struct FakeIntakes {
    world: Weak<World>,
    objects: RefCell<BTreeMap<u16, Rc<Object>>>,
    faults: RefCell<Vec<Option<Fault>>>,
    /// Requests so far, alarms not counted.
    pub requests: Cell<usize>,
    /// Whether none can be reached.
    pub is_unreachable: Cell<bool>,
    /// Whether none ever answers.
    pub hangs: Cell<bool>,
}

/// An intake, whatever is in memory of it.
pub struct Object {
    storage: Rc<Sqlite>,
    alarm_at_ms: Cell<Option<i64>>,
    /// Rows that were written to its storage, the alarm among them.
    pub rows_written: Cell<usize>,
    running: RefCell<Option<Running>>,
}

#[derive(Clone)]
struct Running {
    edge: Edge,
    intake: Intake<FakeStorage>,
}

impl FakeIntakes {
    pub fn new(world: Weak<World>) -> Self {
        Self {
            world,
            objects: RefCell::default(),
            faults: RefCell::default(),
            requests: Cell::new(0),
            is_unreachable: Cell::new(false),
            hangs: Cell::new(false),
        }
    }

    fn world(&self) -> Rc<World> {
        self.world.upgrade().expect("the world is there")
    }

    /// Makes the next calls fail, one after the other; `None` is a call that succeeds.
    pub fn fail_next(&self, faults: &[Option<Fault>]) {
        *self.faults.borrow_mut() = faults.iter().rev().copied().collect();
    }

    /// What intakes hold in memory only is lost, and all that they were about to do.
    pub fn evict(&self) {
        self.objects.borrow().values().for_each(|object| object.evict());
    }

    /// Another release takes their places: what they stored is of its version from now on.
    pub fn hand_over(&self) {
        self.evict();
        self.execute("update waiting set version = version + 1");
    }

    /// This release takes its places again, and reads what is there.
    pub fn take_back(&self) {
        self.evict();
        self.execute(&format!("update waiting set version = {ROW_VERSION}"));
    }

    /// All alarms are dropped.
    pub fn drop_alarms(&self) {
        self.objects.borrow().values().for_each(|object| object.alarm_at_ms.set(None));
    }

    /// Rows that were written to all storages.
    pub fn rows_written(&self) -> usize {
        self.objects.borrow().values().map(|object| object.rows_written.get()).sum()
    }

    /// Rows that wait in all storages, or are in LOG and not deleted yet.
    pub fn waiting(&self) -> usize {
        let objects = self.objects.borrow();
        let rows = objects.values().map(|object| object.storage.ask("select n from waiting").len());
        rows.sum()
    }

    /// Runs a statement on the database of each; how many rows it changed.
    pub fn execute(&self, sql: &str) -> usize {
        self.objects.borrow().values().map(|object| object.storage.execute(sql)).sum()
    }

    /// From now on their databases are so large.
    pub fn pretend_bytes(&self, bytes: i64) {
        self.objects.borrow().values().for_each(|object| {
            object.storage.pretended_bytes.set(Some(bytes));
        });
    }

    /// When the first alarm goes off.
    pub fn next_due_ms(&self) -> Option<i64> {
        self.objects.borrow().values().filter_map(|object| object.alarm_at_ms.get()).min()
    }

    /// Lets the alarms go off that are due.
    pub async fn ring(&self, now_ms: i64) {
        let is_due = |(_, object): &(&u16, &Rc<Object>)| {
            object.alarm_at_ms.get().is_some_and(|at| at <= now_ms)
        };
        let due: Vec<u16> = self.objects.borrow().iter().filter(is_due).map(|(n, _)| *n).collect();
        for number in due {
            let object = self.object(number);
            object.alarm_at_ms.set(None);
            let tasks = self.world().tasks.clone();
            let ring = async {
                let Ok(running) = self.run(&object).await else { return };
                let alarm = running.intake.alarm(&running.edge);
                let _ = until_lost(&running.edge, alarm).await;
            };
            tasks.apart(ring).await;
        }
    }

    fn object(&self, number: u16) -> Rc<Object> {
        let mut objects = self.objects.borrow_mut();
        let tasks = self.world().tasks.clone();
        let object = objects.entry(number).or_insert_with(|| {
            let quiet = Rc::new(Chaos::new(tasks.clone()));
            Rc::new(Object {
                storage: Rc::new(Sqlite::own(tasks, quiet)),
                alarm_at_ms: Cell::new(None),
                rows_written: Cell::new(0),
                running: RefCell::default(),
            })
        });
        Rc::clone(object)
    }

    async fn run(&self, object: &Rc<Object>) -> Result<Running, PortError> {
        let known = object.running.borrow().clone();
        if let Some(running) = known {
            if !running.edge.isolate().is_lost() && !running.intake.is_broken() {
                return Ok(running);
            }
            object.evict();
        }
        let edge = Edge::at_home(self.world()).other_isolate(0);
        let storage = FakeStorage { object: Rc::clone(object), edge: edge.clone() };
        let intake = Intake::open(&edge, storage).await.map_err(|e| PortError(e.to_string()))?;
        let running = Running { edge, intake };
        *object.running.borrow_mut() = Some(running.clone());
        Ok(running)
    }

    async fn serve(&self, number: u16, command: Command) -> Result<Reply, PortError> {
        let object = self.object(number);
        // What is asked goes over the wire as text.
        let text =
            serde_json::to_string(&Envelope { version: VERSION, takes_no_text: false, command })
                .expect("JSON");
        let read: Envelope = serde_json::from_str(&text).expect("a command");
        let running = self.run(&object).await?;
        let called = running.intake.call(&running.edge, read.command);
        let reply =
            until_lost(&running.edge, called).await?.map_err(|e| PortError(e.to_string()))?;
        let text = serde_json::to_string(&reply).expect("JSON");
        Ok(serde_json::from_str(&text).expect("a reply"))
    }
}

impl Object {
    fn evict(&self) {
        if let Some(running) = self.running.borrow_mut().take() {
            running.edge.isolate().end();
        }
        self.storage.roll_back();
    }
}

/// Who waits for an object that is reset gets an error.
async fn until_lost<T>(edge: &Edge, future: impl Future<Output = T>) -> Result<T, PortError> {
    const LOOK_EVERY_MS: i64 = 20;
    let lost = async {
        while !edge.isolate().is_lost() {
            edge.sleep_ms(LOOK_EVERY_MS).await;
        }
    };
    match select(pin!(future), pin!(lost)).await {
        Either::Left((done, _)) => Ok(done),
        Either::Right(_) => Err(PortError("the object was reset".into())),
    }
}

/// What an intake stores in. What is added or changed is not safe before it is synced.
#[derive(Clone)]
pub struct FakeStorage {
    object: Rc<Object>,
    edge: Edge,
}

impl Database for FakeStorage {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        let stores =
            |one: &Statement| one.sql.starts_with("insert") || one.sql.starts_with("update");
        if statements.iter().any(stores) {
            self.object.storage.hold();
        }
        // The runtime counts so, also where an update changes the key.
        let rows = statements.iter().map(|one| match one.sql.split(' ').next() {
            Some("insert" | "update") => 1,
            Some("delete") => one.params.iter().map(rows_of).sum(),
            _ => 0,
        });
        let rows: usize = rows.sum();
        self.object.rows_written.set(self.object.rows_written.get() + rows);
        self.object.storage.batch(statements).await
    }

    fn size_bytes(&self) -> Option<i64> {
        self.object.storage.size_bytes()
    }
}

/// The rows that a statement names which deletes a set.
fn rows_of(param: &posthorn::ports::Param) -> usize {
    match param {
        posthorn::ports::Param::Text(text) => {
            serde_json::from_str::<Vec<i64>>(text).map_or(0, |numbers| numbers.len())
        }
        _ => 0,
    }
}

impl IntakeStorage for FakeStorage {
    async fn sync(&self) -> Result<(), PortError> {
        let chaos = Rc::clone(&self.edge.chaos);
        let fate =
            chaos.begin(["intake sync before", "intake sync after", "intake cut at sync"]).await;
        if fate.fault == Some(Fault::Before) {
            return Err(PortError("failed before".into()));
        }
        self.object.storage.commit();
        chaos.end(fate).await;
        match fate.fault {
            Some(_) => Err(PortError("failed after".into())),
            None => Ok(()),
        }
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), PortError> {
        self.object.rows_written.set(self.object.rows_written.get() + 1);
        self.object.alarm_at_ms.set(Some(at_ms));
        Ok(())
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        let guard = Guard { edge: self.edge.clone(), is_done: false };
        self.edge.spawn(async move {
            task.await;
            guard.done();
        });
    }
}

/// A task that is cut off takes its object with it.
struct Guard {
    edge: Edge,
    is_done: bool,
}

impl Guard {
    fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.is_done {
            self.edge.isolate().end();
        }
    }
}

impl Intakes for FakeIntakes {
    async fn call(&self, number: u16, command: Command) -> Result<Reply, PortError> {
        self.requests.set(self.requests.get() + 1);
        let chaos = Rc::clone(&self.world().chaos);
        if self.hangs.get() {
            std::future::pending::<()>().await;
        }
        if self.is_unreachable.get() {
            return Err(PortError("unreachable".into()));
        }
        let fate = chaos.begin(["intake before", "intake after", "cut at intake"]).await;
        let fault = self.faults.borrow_mut().pop().flatten().or(fate.fault);
        if fault == Some(Fault::Before) {
            return Err(PortError("failed before".into()));
        }
        let tasks = self.world().tasks.clone();
        let reply = tasks.apart(self.serve(number, command)).await?;
        chaos.end(fate).await;
        if fault == Some(Fault::After) {
            return Err(PortError("failed after".into()));
        }
        Ok(reply)
    }
}
