//! A queue in memory that can refuse, repeat, and be emptied.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use posthorn::app::delivery::work::QueueMessage;
use posthorn::domain::delivery::retry::sweep_backoff_ms;
use posthorn::ports::{Jobs, PortError};

use super::Fault;
use super::chaos::Chaos;
use super::tasks::Tasks;

/// The queue.
pub struct FakeQueue {
    tasks: Tasks,
    chaos: Rc<Chaos>,
    messages: RefCell<Vec<(i64, QueueMessage)>>,
    /// Whether sending fails.
    pub refuses: Cell<bool>,
    refused: Cell<usize>,
    /// Whether every message arrives twice.
    pub repeats: Cell<bool>,
    /// Messages that were ever sent.
    pub sent: Cell<usize>,
    /// Those that were handed back.
    pub handed_back: Cell<usize>,
    /// Those that were repeated, came late or were handed back for long, and the last that were
    /// taken.
    pub copied: RefCell<Vec<String>>,
    taken: RefCell<Vec<QueueMessage>>,
}

impl FakeQueue {
    pub fn new(tasks: Tasks, chaos: Rc<Chaos>) -> Self {
        Self {
            tasks,
            chaos,
            messages: RefCell::default(),
            refuses: Cell::new(false),
            refused: Cell::new(0),
            repeats: Cell::new(false),
            sent: Cell::new(0),
            handed_back: Cell::new(0),
            copied: RefCell::default(),
            taken: RefCell::default(),
        }
    }

    fn take(&self, message: String, delay_s: u32) {
        let rates = self.chaos.rates.get();
        if self.repeats.get() || self.chaos.happens(rates.repeat, "message repeated") {
            self.copied.borrow_mut().push(message.clone());
            self.put(message.clone(), delay_s);
        }
        if self.chaos.happens(rates.late, "message late") {
            self.copied.borrow_mut().push(message.clone());
            let is_very = self.chaos.happens(rates.late * 5, "message minutes late");
            let late_s = self.chaos.draw(if is_very { 400 } else { 40 });
            return self.put(message, delay_s + u32::try_from(late_s).unwrap_or(0));
        }
        if !self.chaos.happens(rates.lose, "message lost") {
            self.put(message, delay_s);
        }
    }

    /// Puts a message in, to arrive after `delay_s`.
    pub fn put(&self, message: String, delay_s: u32) {
        let sent_at_ms = self.tasks.now_ms();
        self.insert(QueueMessage { text: message, sent_at_ms }, delay_s);
    }

    /// Puts a message back that was taken, to arrive again after `delay_s`.
    pub fn put_back(&self, message: QueueMessage, delay_s: u32) {
        self.handed_back.set(self.handed_back.get() + 1);
        let due_ms = self.tasks.now_ms() + i64::from(delay_s) * 1_000;
        let mut copied = self.copied.borrow_mut();
        // The sweeper takes it for lost and sends another, or a lane does not wait for it any more.
        if due_ms - message.sent_at_ms > sweep_backoff_ms(1) && !copied.contains(&message.text) {
            copied.push(message.text.clone());
        }
        drop(copied);
        self.insert(message, delay_s);
    }

    fn insert(&self, message: QueueMessage, delay_s: u32) {
        let due_ms = self.tasks.now_ms() + i64::from(delay_s) * 1_000;
        self.messages.borrow_mut().push((due_ms, message));
    }

    /// The texts of a batch, see [`Self::take_batch`].
    pub fn take_due(&self, now_ms: i64) -> Vec<String> {
        self.take_batch(now_ms).into_iter().map(|message| message.text).collect()
    }

    /// Takes a batch of at most 100 messages that are due.
    pub fn take_batch(&self, now_ms: i64) -> Vec<QueueMessage> {
        self.take_some(now_ms, 100)
    }

    /// Hands out once more a message that was taken some time ago.
    pub fn repeat_an_old_one(&self) {
        let taken = self.taken.borrow();
        let index = usize::try_from(self.chaos.draw(taken.len() as u64)).expect("small");
        let Some(message) = taken.get(index).cloned() else { return };
        self.chaos.note("old message repeated");
        self.copied.borrow_mut().push(message.text.clone());
        self.put_back(message, 0);
    }

    /// Takes a batch of at most so many messages that are due.
    pub fn take_some(&self, now_ms: i64, most: usize) -> Vec<QueueMessage> {
        let mut messages = self.messages.borrow_mut();
        let mut due = Vec::new();
        messages.retain(|(due_ms, message)| {
            let take = *due_ms <= now_ms && due.len() < most;
            if take {
                due.push(message.clone());
            }
            !take
        });
        if self.chaos.rates.get().repeat > 0 {
            self.taken.borrow_mut().extend(due.iter().cloned());
        }
        due
    }

    pub fn next_due_ms(&self) -> Option<i64> {
        self.messages.borrow().iter().map(|(due_ms, _)| *due_ms).min()
    }

    /// Refuses the next calls.
    pub fn refuse_next(&self, calls: usize) {
        self.refused.set(calls);
    }

    /// How many messages are in it.
    pub fn len(&self) -> usize {
        self.messages.borrow().len()
    }

    /// Loses every message.
    pub fn clear(&self) {
        self.messages.borrow_mut().clear();
    }
}

impl Jobs for FakeQueue {
    async fn send(&self, messages: Vec<String>, delay_s: u32) -> Result<(), PortError> {
        assert!(messages.len() <= 100, "sendBatch takes 100 messages");
        let refuses_now = self.refused.get() > 0;
        self.refused.set(self.refused.get().saturating_sub(1));
        if self.refuses.get() || refuses_now {
            return Err(PortError("the queue refuses".into()));
        }
        let fate = self.chaos.begin(["queue before", "queue after", "cut at queue"]).await;
        if fate.fault == Some(Fault::Before) {
            return Err(PortError("failed before".into()));
        }
        self.sent.set(self.sent.get() + messages.len());
        for message in messages {
            self.take(message, delay_s);
        }
        self.chaos.end(fate).await;
        if fate.fault == Some(Fault::After) {
            return Err(PortError("failed after".into()));
        }
        Ok(())
    }
}
