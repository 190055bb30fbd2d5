//! Sends jobs: wake-ups for deliveries that are stored already.

use crate::domain::base::limits::SEND_BATCH_MAX;
use crate::domain::delivery::job::Job;
use crate::ports::{Jobs, Platform, PortError};

/// Sends jobs, to arrive after `delay_s` seconds at the earliest.
///
/// # Errors
/// When it is not known that all were taken; each batch of them is tried by itself. What they would
/// wake is stored, and the sweeper sees to it; whether that is good enough is for the caller to
/// say.
pub async fn wake<P: Platform>(platform: &P, jobs: &[Job], delay_s: u32) -> Result<(), PortError> {
    let mut all = Ok(());
    for chunk in jobs.chunks(SEND_BATCH_MAX) {
        let texts = chunk.iter().map(Job::to_text).collect();
        let sent = platform.jobs().send(texts, delay_s).await;
        all = all.and(sent);
    }
    all
}
