//! What a consumer batch is made of: messages, and jobs with how far they have come.

use std::rc::Rc;

use crate::app::delivery::slice::FreshTarget;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::{LanePolicy, Mode};
use crate::store::deliveries::Owed;

/// A message of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueMessage {
    /// Its text.
    pub text: String,
    /// When it was sent.
    pub sent_at_ms: i64,
}

/// A job and how far it has come.
pub struct Work {
    /// Index of its message.
    pub message: usize,
    /// The job.
    pub job: Job,
    /// The delivery and its connection, from when they were read until it is attempted.
    pub ready: Option<(Owed, Rc<FreshTarget>)>,
    /// Whether this batch holds it among what its isolate attempts.
    pub is_claimed: bool,
    /// Whether it is being attempted.
    pub is_in_flight: bool,
    /// Whether its attempt is slow.
    pub is_slow: bool,
    /// The mode of its connection's lane as it was read.
    pub mode: Mode,
    /// What its connection's settings ask of the lane.
    pub traits: LanePolicy,
    /// In how many seconds it comes again, if it could not be served.
    pub again_s: Option<u32>,
}

impl Work {
    /// A job that was just taken from message number `message` of the batch.
    pub fn new(message: usize, job: Job) -> Self {
        Self {
            message,
            job,
            ready: None,
            is_claimed: false,
            is_in_flight: false,
            is_slow: false,
            mode: Mode::Clear,
            traits: LanePolicy::default(),
            again_s: None,
        }
    }
}
