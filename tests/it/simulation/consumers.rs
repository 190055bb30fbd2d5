//! Consumers: 2 to 6 isolates that serve batches at once, each with a memory of its own.

use std::cell::Cell;
use std::rc::Rc;

use futures_util::future::{Either, select};
use posthorn::app::delivery::deliver::{Verdict, deliver};
use posthorn::app::delivery::work::QueueMessage;
use posthorn::ports::Clock;

use super::climate::Climate;
use super::world::World;
use crate::edge::Edge;

/// A message whose batch was cut off comes again after this long.
const REDELIVERY_S: u32 = 5;
/// What goes on after a handler has returned is cut off after this long.
const WAIT_UNTIL_MS: i64 = 30_000;
/// How far apart clocks are.
const APART_MS: u64 = 2_001;

/// A consumer.
pub struct Consumer {
    pub edge: Edge,
    /// Whether it serves a batch: the next one waits until its handler returns.
    is_serving: Rc<Cell<bool>>,
}

impl World {
    /// Lets consumers begin.
    pub fn start_consumers(&self) {
        let count = 2 + self.edge.chaos.draw(5);
        (0..count).for_each(|_| self.consumers.borrow_mut().push(self.new_consumer()));
    }

    fn new_consumer(&self) -> Consumer {
        let edge = self.edge.other_isolate(self.ahead_ms());
        edge.isolate().has_wrong_key.set(self.has_wrong_key());
        Consumer { edge, is_serving: Rc::default() }
    }

    /// How far some clock is ahead of others.
    pub fn ahead_ms(&self) -> i64 {
        match self.climate {
            Climate::Fair => 0,
            _ => i64::try_from(self.edge.chaos.draw(APART_MS)).expect("small"),
        }
    }

    /// Whether a consumer waits for a batch.
    pub fn is_any_free(&self) -> bool {
        self.consumers.borrow().iter().any(|one| !one.is_serving.get())
    }

    /// Hands batches of what is due to consumers, as the queue does; they come again if they are
    /// cut off.
    pub fn hand_out_batches(&self) {
        while self.is_any_free() {
            let consumers = self.consumers.borrow();
            let free: Vec<usize> =
                (0..consumers.len()).filter(|index| !consumers[*index].is_serving.get()).collect();
            drop(consumers);
            let chaos = &self.edge.chaos;
            let most = if self.climate == Climate::Fair { 100 } else { 1 + chaos.draw(100) };
            let now_ms = self.edge.now_ms();
            let most = usize::try_from(most).expect("small");
            let due = self.edge.queue.take_some(now_ms, most);
            if due.is_empty() {
                return;
            }
            let index = free[usize::try_from(chaos.draw(free.len() as u64)).expect("small")];
            if chaos.draw(8) == 0 {
                // A new isolate takes its place; what the old one does goes on.
                let consumer = self.new_consumer();
                self.consumers.borrow_mut()[index] = consumer;
            }
            self.serve(&self.consumers.borrow()[index], due);
        }
    }

    fn serve(&self, consumer: &Consumer, messages: Vec<QueueMessage>) {
        consumer.is_serving.set(true);
        let edge = consumer.edge.clone();
        let is_serving = Rc::clone(&consumer.is_serving);
        let mut unanswered = Unanswered { edge: edge.clone(), messages, is_serving };
        consumer.edge.spawn(async move {
            let served = deliver(&edge, &unanswered.messages).await;
            let messages = std::mem::take(&mut unanswered.messages);
            for (message, verdict) in messages.into_iter().zip(served.verdicts) {
                if let Verdict::Retry(delay_s) = verdict {
                    edge.queue.put_back(message, delay_s);
                }
            }
            drop(unanswered);
            let end = Box::pin(edge.sleep_ms(WAIT_UNTIL_MS));
            if let Either::Right(_) = select(served.rest, end).await {
                edge.chaos.note("background work cut");
                edge.chaos.died(edge.chaos.doer.get());
            }
        });
    }

    /// A consumer's isolate vanishes, and another takes its place.
    pub fn lose_consumer(&self) {
        let chaos = &self.edge.chaos;
        let index = chaos.draw(self.consumers.borrow().len() as u64);
        let next = self.new_consumer();
        let index = usize::try_from(index).expect("small");
        let lost = std::mem::replace(&mut self.consumers.borrow_mut()[index], next);
        lost.edge.lose();
    }
}

/// Messages of a batch that was not answered yet.
struct Unanswered {
    edge: Edge,
    messages: Vec<QueueMessage>,
    is_serving: Rc<Cell<bool>>,
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        for message in std::mem::take(&mut self.messages) {
            self.edge.queue.put_back(message, REDELIVERY_S);
        }
        self.is_serving.set(false);
    }
}
