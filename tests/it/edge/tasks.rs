//! A single-threaded executor with a virtual clock.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::future::LocalBoxFuture;

/// The executor; clones are the same one.
#[derive(Clone)]
pub struct Tasks(Rc<Inner>);

struct Inner {
    now_ms: Cell<i64>,
    timers: RefCell<Vec<(i64, Waker)>>,
    background: RefCell<Vec<Background>>,
    /// The invocation that is being polled, shared by all its tasks.
    invocation: RefCell<Rc<Invocation>>,
    /// The most statements of one invocation so far.
    statements_max: Cell<usize>,
    /// How many background tasks are being polled, one inside the other.
    depth: Cell<usize>,
    is_doomed: Cell<bool>,
}

/// Outgoing connections of an invocation that may wait for headers at once (the limit of a Worker).
const CONNECTIONS_MAX: usize = 6;

/// What one invocation has used of its limits.
#[derive(Default)]
struct Invocation {
    statements: Cell<usize>,
    connections: Cell<usize>,
}

/// An outgoing connection; it ends when this is dropped.
pub struct Connection(Rc<Invocation>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.connections.set(self.0.connections.get() - 1);
    }
}

/// A task with its invocation.
type Background = (Rc<Invocation>, LocalBoxFuture<'static, ()>);

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tasks {
    pub fn new(now_ms: i64) -> Self {
        let (timers, background) = (RefCell::default(), RefCell::default());
        Self(Rc::new(Inner {
            now_ms: Cell::new(now_ms),
            timers,
            background,
            invocation: RefCell::default(),
            statements_max: Cell::new(0),
            depth: Cell::new(0),
            is_doomed: Cell::new(false),
        }))
    }

    pub fn now_ms(&self) -> i64 {
        self.0.now_ms.get()
    }

    /// Adds a task that goes on whenever the executor runs.
    pub fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        self.spawn_of(Rc::default(), task);
    }

    /// Adds a task of the invocation that [`Self::block_on`] ran last.
    pub fn spawn_rest(&self, task: LocalBoxFuture<'static, ()>) {
        let invocation = Rc::clone(&self.0.invocation.borrow());
        self.spawn_of(invocation, task);
    }

    fn spawn_of(&self, invocation: Rc<Invocation>, task: LocalBoxFuture<'static, ()>) {
        self.0.background.borrow_mut().push((invocation, task));
        self.poll_background();
    }

    /// Runs a future as an invocation of its own.
    pub async fn apart<T>(&self, future: impl Future<Output = T>) -> T {
        let (own, mut future): (Rc<Invocation>, _) = (Rc::default(), Box::pin(future));
        std::future::poll_fn(|cx| {
            let outer = self.0.invocation.replace(Rc::clone(&own));
            let polled = future.as_mut().poll(cx);
            self.0.invocation.replace(outer);
            polled
        })
        .await
    }

    /// Counts a statement of the invocation that is being polled; how many it has made.
    pub fn count_statement(&self) -> usize {
        let invocation = self.0.invocation.borrow();
        let made = invocation.statements.get() + 1;
        invocation.statements.set(made);
        self.0.statements_max.set(self.0.statements_max.get().max(made));
        made
    }

    /// Opens an outgoing connection of the invocation that is being polled. One above the limit
    /// would wait silently in production; here it fails the test.
    pub fn connect(&self) -> Connection {
        let invocation = Rc::clone(&self.0.invocation.borrow());
        let open = invocation.connections.get() + 1;
        assert!(open <= CONNECTIONS_MAX, "{open} connections of one invocation");
        invocation.connections.set(open);
        Connection(invocation)
    }

    /// The statements of the invocation that [`Self::block_on`] ran last.
    pub fn statements(&self) -> usize {
        self.0.invocation.borrow().statements.get()
    }

    /// The most statements that one invocation made since this was asked last.
    pub fn take_statements_max(&self) -> usize {
        self.0.statements_max.take()
    }

    /// Forgets all background tasks and timers.
    pub fn clear(&self) {
        self.0.background.borrow_mut().clear();
        self.0.timers.borrow_mut().clear();
    }

    /// Whether the caller is part of a background task.
    pub fn is_in_background(&self) -> bool {
        self.0.depth.get() > 0
    }

    /// Ends the background task that calls this: it is not polled again.
    pub fn doom(&self) {
        self.0.is_doomed.set(true);
    }

    pub fn next_due_ms(&self) -> Option<i64> {
        self.0.timers.borrow().iter().map(|(due_ms, _)| *due_ms).min()
    }

    /// Moves the clock to `at_ms`, never back, and lets go on what is due by then.
    pub fn advance_to(&self, at_ms: i64) {
        self.0.now_ms.set(at_ms.max(self.now_ms()));
        let due = {
            let mut timers = self.0.timers.borrow_mut();
            let (due, later) = timers.drain(..).partition(|(due_ms, _)| *due_ms <= at_ms);
            *timers = later;
            due
        };
        let wake = |(_, waker): (i64, Waker)| waker.wake();
        Vec::<(i64, Waker)>::into_iter(due).for_each(wake);
        self.poll_background();
    }

    /// Waits; also where that takes no time others have their turn.
    pub async fn sleep_ms(&self, ms: i64) {
        let due_ms = self.now_ms() + ms;
        let mut has_waited = false;
        std::future::poll_fn(|cx| {
            if std::mem::replace(&mut has_waited, true) && self.now_ms() >= due_ms {
                return Poll::Ready(());
            }
            self.0.timers.borrow_mut().push((due_ms, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    /// Runs an invocation to the end of its handler.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        let own: Rc<Invocation> = Rc::default();
        loop {
            self.0.invocation.replace(Rc::clone(&own));
            if let Poll::Ready(value) = poll_until_quiet(&mut future.as_mut()) {
                return value;
            }
            let next_ms = self.next_due_ms().expect("a future waits for nothing that can happen");
            self.advance_to(next_ms);
        }
    }

    fn poll_background(&self) {
        let tasks = std::mem::take(&mut *self.0.background.borrow_mut());
        let mut waiting: Vec<_> = tasks
            .into_iter()
            .filter_map(|(invocation, mut task)| {
                let outer = self.0.invocation.replace(Rc::clone(&invocation));
                let polled = self.poll_one(&mut task);
                self.0.invocation.replace(outer);
                polled.is_pending().then_some((invocation, task))
            })
            .collect();
        self.0.background.borrow_mut().append(&mut waiting);
    }
}

impl Tasks {
    fn poll_one(&self, task: &mut LocalBoxFuture<'static, ()>) -> Poll<()> {
        let outer = self.0.is_doomed.replace(false);
        self.0.depth.set(self.0.depth.get() + 1);
        let polled = poll_until_quiet(&mut task.as_mut());
        self.0.depth.set(self.0.depth.get() - 1);
        let is_doomed = self.0.is_doomed.replace(outer);
        if is_doomed { Poll::Ready(()) } else { polled }
    }
}

/// Polls a future again as long as it woke itself.
fn poll_until_quiet<F: Future + ?Sized>(future: &mut Pin<&mut F>) -> Poll<F::Output> {
    let flag = Arc::new(Flag(AtomicBool::new(true)));
    let waker = Waker::from(Arc::clone(&flag));
    while flag.0.swap(false, Ordering::SeqCst) {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(value);
        }
    }
    Poll::Pending
}
