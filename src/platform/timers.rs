//! The timers of an invocation. All that waits in it shares one timer of the runtime: each of those
//! costs some ten microseconds, and most waits are deadlines that never come.

use std::cell::{Cell, OnceCell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use worker::js_sys::{Function, global};
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::WorkerGlobalScope;

use crate::platform::now_ms;

/// The timer of the runtime is set for at most so long. Most waits for a later time end before, and
/// cost none of their own; the others are looked at again.
const LOOK_MS: i64 = 4_000;

/// The timers of one invocation; clones are the same.
#[derive(Clone, Default)]
pub struct Timers(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Those who wait, never many.
    waiting: RefCell<Vec<Waiting>>,
    last: Cell<u64>,
    armed: Cell<Option<Armed>>,
    ring: OnceCell<Closure<dyn FnMut()>>,
}

struct Waiting {
    number: u64,
    until_ms: i64,
    waker: Waker,
}

/// The timer of the runtime that is set.
#[derive(Clone, Copy)]
struct Armed {
    at_ms: i64,
    id: i32,
}

impl Timers {
    /// Waits so long from its first poll on.
    pub fn sleep(&self, ms: i64) -> Sleep {
        Sleep { timers: Rc::clone(&self.0), ms: ms.max(0), number: None }
    }
}

impl Inner {
    fn runtime() -> WorkerGlobalScope {
        global().unchecked_into()
    }

    /// Has the timer of the runtime ring at this time at the latest.
    fn arm(self: &Rc<Self>, at_ms: i64) {
        let now_ms = now_ms();
        let ms = (at_ms - now_ms).clamp(0, LOOK_MS);
        let at_ms = now_ms + ms;
        if self.armed.get().is_some_and(|armed| armed.at_ms <= at_ms) {
            return;
        }
        self.disarm();
        let ring = self.ring.get_or_init(|| {
            let timers = Rc::downgrade(self);
            Closure::new(move || {
                if let Some(timers) = timers.upgrade() {
                    timers.ring();
                }
            })
        });
        let ring: &Function = ring.as_ref().unchecked_ref();
        let ms = i32::try_from(ms).unwrap_or_default();
        let set = Self::runtime().set_timeout_with_callback_and_timeout_and_arguments_0(ring, ms);
        // A runtime without timers has none to miss.
        self.armed.set(set.ok().map(|id| Armed { at_ms, id }));
    }

    fn disarm(&self) {
        if let Some(armed) = self.armed.take() {
            Self::runtime().clear_timeout_with_handle(armed.id);
        }
    }

    /// Wakes those whose time has come.
    fn ring(self: &Rc<Self>) {
        let Some(armed) = self.armed.take() else { return };
        // The clock may be a moment behind the timer.
        let now_ms = now_ms().max(armed.at_ms);
        let is_due = |one: &mut Waiting| one.until_ms <= now_ms;
        let due: Vec<Waiting> = self.waiting.borrow_mut().extract_if(.., is_due).collect();
        due.into_iter().for_each(|one| one.waker.wake());
        let next = self.waiting.borrow().iter().map(|one| one.until_ms).min();
        if let Some(at_ms) = next {
            self.arm(at_ms);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.disarm();
    }
}

/// A wait: see [`Timers::sleep`].
pub struct Sleep {
    timers: Rc<Inner>,
    ms: i64,
    /// Its number among those who wait, since it was polled.
    number: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timers = Rc::clone(&self.timers);
        let waker = context.waker().clone();
        let Some(number) = self.number else {
            let number = timers.last.get() + 1;
            timers.last.set(number);
            self.number = Some(number);
            let until_ms = now_ms().saturating_add(self.ms);
            timers.waiting.borrow_mut().push(Waiting { number, until_ms, waker });
            timers.arm(until_ms);
            return Poll::Pending;
        };
        let mut waiting = timers.waiting.borrow_mut();
        let Some(one) = waiting.iter_mut().find(|one| one.number == number) else {
            return Poll::Ready(());
        };
        // The former one ends after the borrow: more may end with it.
        let former = std::mem::replace(&mut one.waker, waker);
        drop(waiting);
        drop(former);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(number) = self.number else { return };
        let mut waiting = self.timers.waiting.borrow_mut();
        let place = waiting.iter().position(|one| one.number == number);
        let ended = place.map(|place| waiting.swap_remove(place));
        drop(waiting);
        drop(ended);
    }
}
