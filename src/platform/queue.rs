//! The job queue as the [`Jobs`] port. Messages are strings: an object would lose what it holds on
//! the way.

use std::rc::Rc;

use worker::{BatchMessageBuilder, MessageBuilder, Queue};

use crate::platform::meter::Meter;
use crate::ports::{Jobs, PortError};

/// The bound queue.
pub struct JobQueue {
    queue: Rc<Queue>,
    meter: Meter,
}

impl JobQueue {
    /// Wraps a binding.
    pub fn new(queue: Rc<Queue>, meter: Meter) -> Self {
        Self { queue, meter }
    }
}

impl Jobs for JobQueue {
    async fn send(&self, messages: Vec<String>, delay_s: u32) -> Result<(), PortError> {
        self.meter.round_trip();
        self.meter.messages(messages.len());
        let message = |text| MessageBuilder::new(text).delay_seconds(delay_s).build();
        let batch = BatchMessageBuilder::new().messages(messages.into_iter().map(message)).build();
        self.queue.send_batch(batch).await.map_err(|e| PortError(format!("queue: {e}")))
    }
}
