//! Whether a receiver takes long. Who waits for it counts steps, since the time that passed is no
//! measure: while the isolate itself stands still nobody sees an answer, and however long that
//! takes, it is one step.

use std::pin::pin;

use futures_util::future::{Either, select};

use crate::app::delivery::attempt::{AttemptResult, attempt};
use crate::domain::base::limits::SLOW_AFTER_MS;
use crate::domain::connection::model::Target;
use crate::ports::Platform;
use crate::store::deliveries::Owed;

const STEPS: i64 = 5;

/// Waits until a receiver that was asked now and did not answer takes long.
pub async fn takes_long<P: Platform>(platform: &P) {
    for _ in 0..STEPS {
        platform.sleep_ms(SLOW_AFTER_MS / STEPS).await;
    }
}

/// Makes an attempt for a lane, which is told whether it took long.
pub async fn attempt_for_lane<P: Platform>(
    platform: &P,
    target: &Target,
    owed: &Owed,
) -> AttemptResult {
    let attempt = pin!(attempt(platform, target, owed));
    match select(attempt, pin!(takes_long(platform))).await {
        Either::Left((done, _)) => done,
        Either::Right(((), attempt)) => {
            let mut done = attempt.await;
            if let AttemptResult::DeliveryUpdate { meaning, .. } = &mut done {
                meaning.is_slow = true;
            }
            done
        }
    }
}
