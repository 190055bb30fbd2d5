//! An intake as a Durable Object with a SQLite database of its own, and the way to the intakes.

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::LocalBoxFuture;
use serde_json::json;
use worker::wasm_bindgen::{JsCast, JsValue, closure::Closure};
use worker::{
    DurableObject, Env, Request, Response, ResponseBody, State, console_error, durable_object,
    js_sys,
};

use crate::app::intake::Intake as Machine;
use crate::domain::intake::messages::{Command, Envelope, Reply, VERSION};
use crate::platform::meter::{self, Meter};
use crate::platform::objects::{self, Objects};
use crate::platform::sql::{Raw, js_value, rows};
use crate::platform::{Edge, now_ms};
use crate::ports::{Database, IntakeStorage, Intakes, PortError, Rows, Statement};

/// The soonest that an alarm is set for.
const ALARM_MS_MIN: i64 = 1;
/// After an alarm that failed it is set again for this much later.
const ALARM_AGAIN_MS: i64 = 10_000;

/// The Durable Object. Its class name and migration tag are final.
#[durable_object]
pub struct Intake {
    storage: Storage,
    env: Env,
    machine: RefCell<Option<Machine<Storage>>>,
}

impl DurableObject for Intake {
    fn new(state: State, env: Env) -> Self {
        let storage = Storage { state: Rc::new(state), meter: Meter::new(meter::is_wanted(&env)) };
        Self { storage, env, machine: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let text = objects::text(request.bytes().await?)?;
        let asked: Envelope = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        if asked.version != VERSION {
            return Err("a command of another release".into());
        }
        let usual = asked.command.usual_reply().filter(|_| asked.takes_no_text);
        let edge = self.edge()?;
        let machine = self.machine(&edge).await?;
        let reply = machine.call(&edge, asked.command).await.map_err(|e| e.to_string())?;
        if usual.is_some_and(|usual| usual == reply) {
            return Ok(Response::empty()?.with_status(objects::NO_TEXT));
        }
        Response::from_body(ResponseBody::Body(serde_json::to_vec(&reply)?))
    }

    /// Never fails: an alarm that throws is repeated a few times and then dropped for good.
    async fn alarm(&self) -> worker::Result<Response> {
        self.storage.meter.intake_request();
        if let Err(error) = self.ring().await {
            console_error!("{}", json!({"at": "intake", "error": error.to_string()}));
            let again = self.storage.set_alarm(now_ms() + ALARM_AGAIN_MS).await;
            if let Err(error) = again {
                console_error!("{}", json!({"at": "intake", "error": error.to_string()}));
            }
        }
        self.storage.meter.print("intake");
        Response::empty()
    }
}

impl Intake {
    fn edge(&self) -> worker::Result<Edge> {
        let edge = Edge::metered(&self.env, self.storage.meter.clone());
        edge.map_err(|why| {
            console_error!("{}", json!({"at": "configuration", "error": why}));
            why.into()
        })
    }

    /// The intake in memory. Opening it awaits nothing but its own storage, which is there at once,
    /// so no two events open it.
    async fn machine(&self, edge: &Edge) -> worker::Result<Machine<Storage>> {
        let known = self.machine.borrow().clone().filter(|machine| !machine.is_broken());
        if let Some(machine) = known {
            return Ok(machine);
        }
        let opened = Machine::open(edge, self.storage.clone()).await;
        let opened = opened.map_err(|e| e.to_string())?;
        *self.machine.borrow_mut() = Some(opened.clone());
        Ok(opened)
    }

    async fn ring(&self) -> worker::Result<()> {
        let edge = self.edge()?;
        self.machine(&edge).await?.alarm(&edge).await;
        Ok(())
    }
}

/// The storage of one object.
#[derive(Clone)]
struct Storage {
    state: Rc<State>,
    meter: Meter,
}

impl Storage {
    /// Runs the statements in one transaction.
    fn run(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        let told = |e: worker::Error| PortError(format!("intake storage: {e}"));
        if let [one] = &statements[..] {
            return self.exec(one.clone()).map(|rows| vec![rows]).map_err(told);
        }
        let results: Rc<RefCell<Vec<Rows>>> = Rc::default();
        let (storage, into) = (self.clone(), Rc::clone(&results));
        // What is thrown in it undoes all.
        let all = Closure::once(move || -> Result<(), JsValue> {
            for one in statements {
                into.borrow_mut().push(storage.exec(one)?);
            }
            Ok(())
        });
        let raw: JsValue = self.state.storage().as_raw().into();
        // The crate has no name for it yet.
        let run = || {
            let method = js_sys::Reflect::get(&raw, &"transactionSync".into())?;
            method.dyn_into::<js_sys::Function>()?.call1(&raw, all.as_ref())
        };
        run().map_err(|e: JsValue| told(worker::Error::from(e)))?;
        Ok(results.take())
    }

    fn exec(&self, statement: Statement) -> worker::Result<Rows> {
        let params: Vec<JsValue> = statement.params.into_iter().map(js_value).collect();
        let cursor = self.state.storage().sql().exec_raw(statement.sql, params)?;
        let found: Vec<Raw> = cursor.to_array()?;
        self.meter.object_rows(cursor.rows_written());
        rows(found)
    }
}

impl Database for Storage {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        self.run(statements)
    }

    fn size_bytes(&self) -> Option<i64> {
        i64::try_from(self.state.storage().sql().database_size()).ok()
    }
}

impl IntakeStorage for Storage {
    async fn sync(&self) -> Result<(), PortError> {
        self.state.storage().sync().await.map_err(|e| PortError(format!("intake sync: {e}")))
    }

    async fn set_alarm(&self, at_ms: i64) -> Result<(), PortError> {
        self.meter.object_rows(1);
        // The number is an offset from now.
        let storage = self.state.storage();
        let set = storage.set_alarm((at_ms - now_ms()).max(ALARM_MS_MIN)).await;
        set.map_err(|e| PortError(format!("intake alarm: {e}")))
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        let meter = self.meter.clone();
        self.state.wait_until(async move {
            task.await;
            meter.print("intake");
        });
    }
}

/// The way to the intakes.
pub struct IntakeObjects {
    objects: Rc<Objects>,
    meter: Meter,
}

impl IntakeObjects {
    /// Those behind the binding.
    pub fn new(objects: Rc<Objects>, meter: Meter) -> Self {
        Self { objects, meter }
    }

    async fn ask(&self, number: u16, command: Command) -> worker::Result<Reply> {
        let usual = command.usual_reply();
        let asked =
            serde_json::to_vec(&Envelope { version: VERSION, takes_no_text: true, command })?;
        match self.objects.ask(&number.to_string(), asked).await? {
            Some(answer) => Ok(serde_json::from_str(&answer).map_err(|e| e.to_string())?),
            None => Ok(usual.ok_or("an answer without a text")?),
        }
    }
}

impl Intakes for IntakeObjects {
    async fn call(&self, number: u16, command: Command) -> Result<Reply, PortError> {
        self.meter.round_trip();
        self.meter.intake_request();
        self.ask(number, command).await.map_err(|e| PortError(format!("intake: {e}")))
    }
}
