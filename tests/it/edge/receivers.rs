//! Customers' endpoints that answer as a test tells them.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use posthorn::destinations::call::OutboundRequest;
use posthorn::domain::delivery::attempt::{Answer, Failure};
use posthorn::ports::Outbound;

use super::tasks::Tasks;

/// A request that arrived, and when.
#[derive(Debug, Clone)]
pub struct Seen {
    pub at_ms: i64,
    pub request: OutboundRequest,
}

impl Seen {
    /// A header's value (any case), or the empty text.
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.request.headers.iter();
        let found = headers.find(|header| header.name.eq_ignore_ascii_case(name));
        found.map_or("", |header| header.value.as_str())
    }
}

/// What an endpoint does with a request.
#[derive(Debug, Clone)]
pub struct Reply {
    pub after_ms: i64,
    pub answer: Answer,
}

impl Reply {
    /// Answers at once with a status.
    pub fn status(status: u16) -> Self {
        Self { after_ms: 1, answer: Answer { status: Some(status), ..Answer::default() } }
    }

    /// Never answers.
    pub fn hang() -> Self {
        Self { after_ms: i64::MAX / 4, answer: Answer::default() }
    }

    /// The same answer later.
    pub fn after(self, after_ms: i64) -> Self {
        Self { after_ms, ..self }
    }

    /// The same answer with a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.answer.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same answer with a body.
    pub fn body(mut self, body: &str) -> Self {
        self.answer.excerpt = body.as_bytes().to_vec();
        self
    }
}

type Script = Box<dyn Fn(usize) -> Reply>;
type Witness = Box<dyn Fn(&OutboundRequest)>;

/// All endpoints, by URL.
pub struct Receivers {
    tasks: Tasks,
    scripts: RefCell<HashMap<String, Script>>,
    seen: RefCell<Vec<Seen>>,
    counts: RefCell<HashMap<String, usize>>,
    witness: RefCell<Option<Witness>>,
    /// Bytes of bodies that wait for their answer.
    waiting_bytes: Cell<usize>,
    waiting_bytes_most: Cell<usize>,
}

/// A body that waits for its answer.
struct Waiting<'a>(&'a Receivers, usize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting_bytes.set(self.0.waiting_bytes.get() - self.1);
    }
}

impl Receivers {
    pub fn new(tasks: Tasks) -> Self {
        Self {
            tasks,
            scripts: RefCell::default(),
            seen: RefCell::default(),
            counts: RefCell::default(),
            witness: RefCell::default(),
            waiting_bytes: Cell::default(),
            waiting_bytes_most: Cell::default(),
        }
    }

    /// Sets what the endpoint at `url` does with its `n`-th request, from 0.
    pub fn script(&self, url: &str, script: impl Fn(usize) -> Reply + 'static) {
        self.scripts.borrow_mut().insert(url.to_owned(), Box::new(script));
    }

    /// Has every request looked at when it arrives.
    pub fn watch(&self, witness: impl Fn(&OutboundRequest) + 'static) {
        *self.witness.borrow_mut() = Some(Box::new(witness));
    }

    /// The requests that arrived at `url`, in order.
    pub fn seen(&self, url: &str) -> Vec<Seen> {
        let seen = self.seen.borrow();
        seen.iter().filter(|seen| seen.request.url == url).cloned().collect()
    }

    /// How many requests arrived at `url`.
    pub fn count(&self, url: &str) -> usize {
        self.counts.borrow().get(url).copied().unwrap_or_default()
    }

    /// The most bytes of bodies that ever waited for their answers at once.
    pub fn waiting_bytes_most(&self) -> usize {
        self.waiting_bytes_most.get()
    }

    fn waits(&self, bytes: usize) -> Waiting<'_> {
        self.waiting_bytes.set(self.waiting_bytes.get() + bytes);
        let most = self.waiting_bytes_most.get().max(self.waiting_bytes.get());
        self.waiting_bytes_most.set(most);
        Waiting(self, bytes)
    }

    fn reply(&self, request: &OutboundRequest) -> Reply {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry(request.url.clone()).or_default();
        let before = *count;
        *count += 1;
        drop(counts);
        self.seen.borrow_mut().push(Seen { at_ms: self.tasks.now_ms(), request: request.clone() });
        let scripts = self.scripts.borrow();
        scripts.get(&request.url).map_or_else(|| Reply::status(200), |script| script(before))
    }
}

impl Outbound for Receivers {
    async fn send(&self, request: OutboundRequest) -> Answer {
        if let Some(witness) = &*self.witness.borrow() {
            witness(&request);
        }
        let reply = self.reply(&request);
        let (_connection, _waiting) = (self.tasks.connect(), self.waits(request.body.len()));
        self.tasks.sleep_ms(reply.after_ms.min(request.timeout_ms)).await;
        if reply.after_ms > request.timeout_ms {
            let within = request.timeout_ms;
            let why = format!("Timed out before the answer: nothing came within {within} ms");
            return Answer::failed(Failure::Timeout(why));
        }
        reply.answer
    }
}
