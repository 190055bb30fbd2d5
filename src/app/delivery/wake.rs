//! Sends jobs: wake-ups for deliveries that are stored already.

use crate::domain::base::limits::SEND_BATCH_MAX;
use crate::domain::delivery::job::{Job, Message};
use crate::ports::{Jobs, Platform, PortError};

/// Sends jobs, to arrive after `delay_s` seconds at the earliest.
///
/// # Errors
/// When it is not known that all were taken; each batch of them is tried by itself. What they would
/// wake is stored, and the sweeper sees to it; whether that is good enough is for the caller to
/// say.
pub async fn wake<P: Platform>(platform: &P, jobs: &[Job], delay_s: u32) -> Result<(), PortError> {
    let mut all = Ok(());
    for chunk in Message::deliver_texts(jobs).chunks(SEND_BATCH_MAX) {
        let sent = platform.jobs().send(chunk.to_vec(), delay_s).await;
        all = all.and(sent);
    }
    all
}
