//! A lane as a Durable Object, and the way to it: load, step, save, effects.
//!
//! Between load and save there is no await but the storage's own, so the input gate keeps other
//! events out and a step is never taken on a state that is being changed. The state is saved and
//! the alarm armed before anything is sent: whatever is cut off after that, the alarm finds out.

use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;

use worker::{
    DurableObject, Env, Request, Response, ResponseBody, State, console_error, durable_object,
};

use crate::app::delivery::lanes::carry_out;
use crate::domain::lane::machine::Lane as Machine;
use crate::domain::lane::messages::{Command, Effect, Reply};
use crate::domain::lane::queue::ConnectionQueue;
use crate::platform::meter::Meter;
use crate::platform::objects::{self, Objects};
use crate::platform::{Edge, now_ms};
use crate::ports::{Lanes, PortError};

const STATE: &str = "lane";
/// The soonest that an alarm is set for.
const ALARM_MS_MIN: i64 = 1;
/// After an alarm that failed it is set again for this much later.
const ALARM_AGAIN_MS: i64 = 10_000;

/// The Durable Object. Its class name and migration tag are final.
#[durable_object]
pub struct Lane {
    state: State,
    env: Env,
    /// The lane as it was saved last, with its window.
    machine: RefCell<Option<Machine>>,
    saved: RefCell<Option<Saved>>,
}

/// What the storage is known to hold.
#[derive(PartialEq, Eq)]
struct Saved {
    text: String,
    alarm_at_ms: Option<i64>,
}

impl DurableObject for Lane {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, machine: RefCell::new(None), saved: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command: Command = serde_json::from_str(&objects::text(request.bytes().await?)?)
            .map_err(|e| e.to_string())?;
        let reply = self.step(command).await?;
        Response::from_body(ResponseBody::Body(serde_json::to_vec(&reply)?))
    }

    /// Never fails: an alarm that throws is repeated a few times and then dropped for good.
    async fn alarm(&self) -> worker::Result<Response> {
        if let Err(error) = self.step(Command::Alarm).await {
            console_error!("{}", json!({"at": "lane", "error": error.to_string()}));
            let again = self.state.storage().set_alarm(ALARM_AGAIN_MS).await;
            if let Err(error) = again {
                console_error!("{}", json!({"at": "lane", "error": error.to_string()}));
            }
        }
        Response::empty()
    }
}

impl Lane {
    async fn step(&self, command: Command) -> worker::Result<Reply> {
        let storage = self.state.storage();
        let in_memory = self.machine.borrow_mut().take();
        let mut machine = match in_memory {
            Some(machine) => machine,
            None => match storage.get::<String>(STATE).await? {
                // A lane that starts anew asks LOG; this costs reads and loses nothing.
                Some(text) => serde_json::from_str(&text).unwrap_or_else(|e| {
                    console_error!("{}", json!({"at": "lane", "error": e.to_string()}));
                    Machine::default()
                }),
                None => Machine::default(),
            },
        };
        let now_ms = now_ms();
        let is_question = matches!(command, Command::Ask(_));
        let may_be_known = matches!(command, Command::Tell(_));
        let (reply, effects) = machine.step(command, now_ms);
        if is_question {
            *self.machine.borrow_mut() = Some(machine);
            return Ok(reply);
        }
        let line = machine.line().cloned();
        let next = Saved {
            text: serde_json::to_string(&machine)?,
            alarm_at_ms: machine.alarm_at_ms(now_ms),
        };
        *self.machine.borrow_mut() = Some(machine);
        let rows = if !(may_be_known && self.is_saved(&next, now_ms)) {
            self.save(next, now_ms).await?;
            2
        } else {
            0
        };
        if let Some(line) = line {
            self.carry_out(&line, effects, rows).await;
        }
        Ok(reply)
    }

    /// Whether the storage holds this, and the alarm has yet to go off. A busy product tells the
    /// lane of a slow endpoint the same again and again.
    fn is_saved(&self, next: &Saved, now_ms: i64) -> bool {
        self.saved.borrow().as_ref() == Some(next)
            && next.alarm_at_ms.is_none_or(|at_ms| at_ms > now_ms)
    }

    async fn save(&self, next: Saved, now_ms: i64) -> worker::Result<()> {
        let storage = self.state.storage();
        *self.saved.borrow_mut() = None;
        storage.put(STATE, &next.text).await?;
        match next.alarm_at_ms {
            // The number is an offset from now.
            Some(at_ms) => storage.set_alarm((at_ms - now_ms).max(ALARM_MS_MIN)).await?,
            None => storage.delete_alarm().await?,
        }
        *self.saved.borrow_mut() = Some(next);
        Ok(())
    }

    async fn carry_out(&self, line: &ConnectionQueue, effects: Vec<Effect>, rows: usize) {
        match Edge::open(&self.env) {
            Ok(edge) if effects.is_empty() && !edge.meter().is_on() => {}
            Ok(edge) => {
                carry_out(&edge, line, effects).await;
                // What was put and the alarm are a row each.
                edge.meter().object_rows(rows);
                edge.meter().print("lane");
            }
            Err(why) => console_error!("{}", json!({"at": "configuration", "error": why})),
        }
    }
}

/// The way to the lanes.
pub struct LaneObjects {
    objects: Rc<Objects>,
    meter: Meter,
}

impl LaneObjects {
    /// Those behind the binding.
    pub fn new(objects: Rc<Objects>, meter: Meter) -> Self {
        Self { objects, meter }
    }

    async fn ask(&self, line: &ConnectionQueue, command: &Command) -> worker::Result<Reply> {
        let name = format!("{}:{}:{}", line.shard, line.workspace, line.connection);
        let answer = self.objects.ask(&name, serde_json::to_vec(command)?).await?;
        let answer = answer.ok_or("an answer without a text")?;
        Ok(serde_json::from_str(&answer).map_err(|e| e.to_string())?)
    }
}

impl Lanes for LaneObjects {
    async fn call(&self, line: &ConnectionQueue, command: Command) -> Result<Reply, PortError> {
        self.meter.round_trip();
        self.meter.lane_request();
        self.ask(line, &command).await.map_err(|e| PortError(format!("lane: {e}")))
    }
}
