//! Customers' endpoints whose behaviour changes from time to time.

use std::cell::Cell;
use std::rc::Rc;

use crate::edge::chaos::Chaos;
use crate::edge::{Edge, Reply};

/// How an endpoint behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    Well,
    Slow,
    Fails,
    Flaps,
    Hangs,
    /// Answers 429, 502 or 504, mostly with a time.
    AsksForLess,
    /// Wants some messages never again.
    Aborts,
    /// Answers 410 or asks to be left alone.
    Gone,
}

/// What can be drawn, the likely more than once.
const BEHAVIOURS: [Behaviour; 12] = [
    Behaviour::Well,
    Behaviour::Well,
    Behaviour::Well,
    Behaviour::Slow,
    Behaviour::Fails,
    Behaviour::Fails,
    Behaviour::Flaps,
    Behaviour::Flaps,
    Behaviour::Hangs,
    Behaviour::AsksForLess,
    Behaviour::Aborts,
    Behaviour::Gone,
];

/// An endpoint.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub url: String,
    behaviour: Rc<Cell<Behaviour>>,
}

impl Endpoint {
    pub fn new(edge: &Edge, url: String) -> Self {
        let behaviour = Rc::new(Cell::new(Behaviour::Well));
        let (how, chaos) = (Rc::clone(&behaviour), Rc::clone(&edge.chaos));
        edge.receivers.script(&url, move |_| reply(how.get(), &chaos));
        Self { url, behaviour }
    }

    /// Behaves in another way from now on.
    pub fn change(&self, chaos: &Chaos) {
        let index = usize::try_from(chaos.draw(BEHAVIOURS.len() as u64)).expect("small");
        self.set(chaos, BEHAVIOURS[index]);
    }

    /// Behaves like this from now on.
    pub fn set(&self, chaos: &Chaos, behaviour: Behaviour) {
        chaos.say(|| format!("{} is {behaviour:?}", self.url));
        self.behaviour.set(behaviour);
    }
}

fn reply(behaviour: Behaviour, chaos: &Chaos) -> Reply {
    let quick_ms = i64::try_from(1 + chaos.draw(60)).expect("small");
    let quick = |status| Reply::status(status).after(quick_ms);
    let failing = [500, 404, 301, 401, 503];
    let fails = || quick(failing[usize::try_from(chaos.draw(5)).expect("small")]);
    match behaviour {
        Behaviour::Well => quick(200),
        Behaviour::Slow => {
            chaos.note("receiver is slow");
            Reply::status(200).after(260 + quick_ms * 20)
        }
        Behaviour::Fails => {
            chaos.note("receiver fails");
            fails()
        }
        Behaviour::Flaps if chaos.draw(2) == 0 => {
            chaos.note("receiver flaps");
            fails()
        }
        Behaviour::Flaps => quick(200),
        Behaviour::Hangs => {
            chaos.note("receiver hangs");
            Reply::hang()
        }
        Behaviour::AsksForLess if chaos.draw(3) > 0 => {
            chaos.note("receiver asks for less");
            let status = [429, 502, 504][usize::try_from(chaos.draw(3)).expect("small")];
            match chaos.draw(3) {
                0 => quick(status),
                _ => quick(status).header("retry-after", &(1 + chaos.draw(60)).to_string()),
            }
        }
        Behaviour::Aborts if chaos.draw(4) == 0 => {
            chaos.note("receiver aborts");
            quick(400).header("webhook-delivery", "abort-message")
        }
        Behaviour::Gone if chaos.draw(3) == 0 => {
            chaos.note("receiver is gone");
            match chaos.draw(2) {
                0 => quick(410),
                _ => quick(500).header("webhook-delivery", "disable"),
            }
        }
        Behaviour::AsksForLess | Behaviour::Aborts | Behaviour::Gone => quick(200),
    }
}
