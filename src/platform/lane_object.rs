//! A lane as a Durable Object, and the way to it: load, step, save, effects.
//!
//! Between load and save there is no await but the storage's own, so the input gate keeps other
//! events out and a step is never taken on a state that is being changed. The state is saved and
//! the alarm armed before anything is sent: whatever is cut off after that, the alarm finds out.

use std::cell::RefCell;

use serde_json::json;
use worker::wasm_bindgen::JsValue;
use worker::{
    Date, DurableObject, Env, ObjectNamespace, Request, Response, State, console_error,
    durable_object, web_sys,
};

use super::Edge;
use super::meter::Meter;
use crate::app::lanes::carry_out;
use crate::domain::lane::Lane as Machine;
use crate::domain::lane_talk::{Command, Effect, Reply};
use crate::domain::line::Line;
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
}

impl DurableObject for Lane {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, machine: RefCell::new(None) }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let command: Command = serde_json::from_str(&request.text().await?)?;
        let reply = self.step(command).await?;
        Response::ok(serde_json::to_string(&reply)?)
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
                Some(text) => serde_json::from_str(&text).unwrap_or_default(),
                None => Machine::default(),
            },
        };
        let now_ms = i64::try_from(Date::now().as_millis()).unwrap_or(0);
        let (reply, effects) = machine.step(command, now_ms);
        let (text, line) = (serde_json::to_string(&machine)?, machine.line().cloned());
        let alarm_at_ms = machine.alarm_at_ms(now_ms);
        *self.machine.borrow_mut() = Some(machine);
        storage.put(STATE, text).await?;
        match alarm_at_ms {
            // The number is an offset from now.
            Some(at_ms) => storage.set_alarm((at_ms - now_ms).max(ALARM_MS_MIN)).await?,
            None => storage.delete_alarm().await?,
        }
        if let Some(line) = line {
            self.carry_out(&line, effects).await;
        }
        Ok(reply)
    }

    async fn carry_out(&self, line: &Line, effects: Vec<Effect>) {
        if effects.is_empty() && !Meter::new(&self.env).is_on() {
            return;
        }
        match Edge::open(&self.env) {
            Ok(edge) => {
                carry_out(&edge, line, effects).await;
                // What was put and the alarm are a row each.
                edge.meter().object_rows(2);
                edge.meter().print("lane");
            }
            Err(why) => console_error!("{}", json!({"at": "configuration", "error": why})),
        }
    }
}

/// The way to the lanes.
pub struct LaneObjects {
    namespace: ObjectNamespace,
    meter: Meter,
}

impl LaneObjects {
    /// Wraps a binding.
    pub fn new(namespace: ObjectNamespace, meter: Meter) -> Self {
        Self { namespace, meter }
    }

    async fn ask(&self, line: &Line, command: &Command) -> worker::Result<Reply> {
        let name = format!("{}:{}:{}", line.shard, line.workspace, line.connection);
        // Not worker's own `RequestInit`; see `outbound.rs`.
        let init = web_sys::RequestInit::new();
        init.set_method("POST");
        init.set_body(&JsValue::from_str(&serde_json::to_string(command)?));
        let request = web_sys::Request::new_with_str_and_init("https://lane/", &init)?;
        let stub = self.namespace.get_by_name(&name)?;
        let mut answer = stub.fetch_with_request(request.into()).await?;
        Ok(serde_json::from_str(&answer.text().await?)?)
    }
}

impl Lanes for LaneObjects {
    async fn call(&self, line: &Line, command: Command) -> Result<Reply, PortError> {
        self.meter.round_trip();
        self.meter.lane_request();
        self.ask(line, &command).await.map_err(|e| PortError(format!("lane: {e}")))
    }
}
