//! Customers' endpoints whose behaviour changes from time to time.

use std::cell::{Cell, RefCell};
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

/// An endpoint. It can move to another URL, where it behaves on its own.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: String,
    places: Rc<RefCell<Vec<Rc<Cell<Behaviour>>>>>,
    /// The URLs that said that they want nothing more, and when they were asked.
    pub gone: Rc<RefCell<Vec<(String, i64)>>>,
}

impl Endpoint {
    pub fn new(base: String) -> Self {
        Self { base, places: Rc::default(), gone: Rc::default() }
    }

    /// Gives it another URL.
    pub fn move_on(&self, edge: &Edge) -> String {
        let url = format!("{}/{}", self.base, self.places.borrow().len());
        let behaviour = Rc::new(Cell::new(Behaviour::Well));
        self.places.borrow_mut().push(Rc::clone(&behaviour));
        let (chaos, gone, place) = (Rc::clone(&edge.chaos), Rc::clone(&self.gone), url.clone());
        edge.receivers.script(&url, move |_| {
            let reply = reply(behaviour.get(), &chaos);
            if behaviour.get() == Behaviour::Gone {
                gone.borrow_mut().push((place.clone(), chaos.now_ms()));
            }
            reply
        });
        url
    }

    /// Whether a URL is one of its own.
    pub fn is_at(&self, url: &str) -> bool {
        url.strip_prefix(&self.base).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Behaves in another way from now on, where it is now.
    pub fn change(&self, chaos: &Chaos) {
        let index = usize::try_from(chaos.draw(BEHAVIOURS.len() as u64)).expect("small");
        let (places, behaviour) = (self.places.borrow(), BEHAVIOURS[index]);
        chaos.say(|| format!("{}/{} is {behaviour:?}", self.base, places.len() - 1));
        places.last().expect("a place").set(behaviour);
    }

    /// Behaves like this everywhere from now on.
    pub fn set_all(&self, chaos: &Chaos, behaviour: Behaviour) {
        chaos.say(|| format!("{} is {behaviour:?}", self.base));
        self.places.borrow().iter().for_each(|place| place.set(behaviour));
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
            let after_ms = [quick_ms, 5_000][usize::try_from(chaos.draw(2)).expect("small")];
            match chaos.draw(2) {
                0 => quick(410).after(after_ms),
                _ => quick(500).header("webhook-delivery", "disable").after(after_ms),
            }
        }
        Behaviour::AsksForLess | Behaviour::Aborts | Behaviour::Gone => quick(200),
    }
}
