//! Isolates: each has a memory, a clock and settings of its own. What runs in one ends with it.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::Poll;

use posthorn::app::delivery::deliver::{Verdict, deliver};
use posthorn::app::delivery::work::QueueMessage;
use posthorn::domain::connection::target_cache::TargetCache;
use posthorn::domain::delivery::in_flight::InFlight;
use posthorn::domain::delivery::write_gate::WriteGate;
use posthorn::domain::routing::known_names::KnownNames;
use posthorn::domain::tenants::large_bodies::LargeBodies;
use posthorn::domain::tenants::routing_cache::RoutingCache;

use super::Edge;

/// An isolate.
#[derive(Default)]
pub struct Isolate {
    /// Its number.
    pub number: usize,
    /// How far its clock is ahead.
    pub ahead_ms: i64,
    /// Whether it has a master key that opens nothing.
    pub has_wrong_key: Cell<bool>,
    /// Whether it is gone.
    is_lost: Cell<bool>,
    pub in_flight: RefCell<InFlight>,
    pub write_gate: RefCell<WriteGate>,
    pub targets: RefCell<TargetCache>,
    pub known_names: RefCell<KnownNames>,
    pub routings: RefCell<RoutingCache>,
    pub large_bodies: RefCell<LargeBodies>,
    /// Writes of its own to CONTROL when that was last looked at.
    pub writes_seen: Cell<usize>,
}

impl Isolate {
    /// Whether it is gone.
    pub fn is_lost(&self) -> bool {
        self.is_lost.get()
    }

    /// It is gone from now on.
    pub fn end(&self) {
        self.is_lost.set(true);
    }
}

/// Who does something: the number of an invocation, 0 for none, and that of its isolate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doer {
    pub invocation: usize,
    pub isolate: usize,
}

impl Edge {
    /// The same installation as another isolate sees it, which knows nothing yet and whose clock is
    /// this much ahead.
    pub fn other_isolate(&self, ahead_ms: i64) -> Self {
        let number = self.isolates.get() + 1;
        self.isolates.set(number);
        Self(Rc::clone(&self.0), Rc::new(Isolate { number, ahead_ms, ..Isolate::default() }))
    }

    /// The isolate that this edge is.
    pub fn isolate(&self) -> &Isolate {
        &self.1
    }

    /// Serves a batch in the background, as one of several isolates.
    pub fn serve_beside(&self, messages: Vec<QueueMessage>) {
        let own = self.clone();
        self.spawn(async move {
            let served = deliver(&own, &messages).await;
            for (message, verdict) in messages.into_iter().zip(served.verdicts) {
                if let Verdict::Retry(delay_s) = verdict {
                    own.queue.put_back(message, delay_s);
                }
            }
            served.rest.await;
        });
    }

    /// Lets `task` go on in the background as an invocation of this isolate.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let (isolate, chaos) = (Rc::clone(&self.1), Rc::clone(&self.chaos));
        let invocation = self.invocations.get() + 1;
        self.invocations.set(invocation);
        let doer = Doer { invocation, isolate: isolate.number };
        let mut task = Box::pin(task);
        self.tasks.spawn(Box::pin(poll_fn(move |cx| {
            if isolate.is_lost.get() {
                return Poll::Ready(());
            }
            let outer = chaos.doer.replace(doer);
            let polled = task.as_mut().poll(cx);
            chaos.doer.set(outer);
            polled
        })));
    }

    /// Ends all that is under way in this isolate at once. The queue outlives it.
    pub fn lose(&self) {
        self.chaos.died(Doer { invocation: 0, isolate: self.1.number });
        self.1.is_lost.set(true);
        self.tasks.advance_to(self.tasks.now_ms());
    }
}
