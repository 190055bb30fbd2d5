//! Counts what an invocation costs, when the variable `METER` is `true`: tests and benchmarks read
//! the printed lines. Rows are D1's own count.

use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;

use serde::Serialize;
use worker::{D1ResultMeta, Env, console_log};

/// Counters of one invocation; clones count together.
#[derive(Clone)]
pub struct Meter(Option<Rc<RefCell<Counts>>>);

#[derive(Default, Serialize)]
struct Counts {
    round_trips: u32,
    rows_read: usize,
    rows_written: usize,
    queue_messages: usize,
    lane_requests: usize,
    intake_requests: usize,
    object_rows_written: usize,
}

/// Whether this installation wants to know what its invocations cost.
pub fn is_wanted(env: &Env) -> bool {
    env.var("METER").is_ok_and(|value| value.to_string() == "true")
}

impl Meter {
    /// A meter that counts if it is on.
    pub fn new(is_on: bool) -> Self {
        Self(is_on.then(Rc::default))
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        if let Some(counts) = &self.0 {
            add(&mut counts.borrow_mut());
        }
    }

    /// A call to a binding.
    pub fn round_trip(&self) {
        self.count(|counts| counts.round_trips += 1);
    }

    /// What a statement cost.
    pub fn rows(&self, meta: Option<D1ResultMeta>) {
        let Some(meta) = meta else { return };
        self.count(|counts| {
            counts.rows_read += meta.rows_read.unwrap_or(0);
            counts.rows_written += meta.rows_written.unwrap_or(0);
        });
    }

    /// Messages that were sent.
    pub fn messages(&self, sent: usize) {
        self.count(|counts| counts.queue_messages += sent);
    }

    /// A request to a lane.
    pub fn lane_request(&self) {
        self.count(|counts| counts.lane_requests += 1);
    }

    /// A request to an intake, or an alarm of one.
    pub fn intake_request(&self) {
        self.count(|counts| counts.intake_requests += 1);
    }

    /// Rows that a Durable Object wrote.
    pub fn object_rows(&self, written: usize) {
        self.count(|counts| counts.object_rows_written += written);
    }

    /// Whether anything is counted.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Prints the counts of the invocation that `at` names, and begins anew.
    pub fn print(&self, at: &str) {
        if let Some(counts) = &self.0 {
            let counts = serde_json::to_value(counts.take()).unwrap_or_default();
            console_log!("{}", json!({"meter": at, "counts": counts}));
        }
    }
}
