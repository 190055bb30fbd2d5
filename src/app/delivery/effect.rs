//! What an attempt means for its connection: for its breaker, its pace, and whether it stays
//! active. A test event means nothing for it.

use crate::destinations::call::Verdict;
use crate::domain::connection::health::{self, Health};
use crate::domain::connection::model::{InactiveReason, Target};
use crate::store::deliveries::Owed;

/// What an attempt means for its connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionEffect {
    /// It succeeded.
    pub succeeded: bool,
    /// It failed by the receiver's fault.
    pub failed: bool,
    /// It took long. Of those in a batch only the batch knows.
    pub is_slow: bool,
    /// When the next attempt is due.
    pub due_at_ms: Option<i64>,
    /// The receiver asks for less, until this time or 0.
    pub less_until_ms: Option<i64>,
    /// The connection becomes inactive, if it was not changed since this time.
    pub inactive: Option<(InactiveReason, i64)>,
    /// People have to be warned that nothing succeeds, since when, and how much of the time until
    /// it is given up has passed in percent.
    pub warning: Option<(i64, u32)>,
    /// It ended a time in which nothing succeeded.
    pub ends_failing: bool,
    /// It makes a warning void.
    pub ends_warning: bool,
}

impl ConnectionEffect {
    /// What a verdict means for the connection. A receiver that refuses one message for good is up
    /// and well.
    pub fn of(target: &Target, owed: &Owed, verdict: &Verdict, now_ms: i64) -> Self {
        if *verdict == Verdict::Delivered {
            return Self {
                succeeded: true,
                ends_failing: owed.failing_since_ms.is_some(),
                ends_warning: target.warned_percent > 0,
                ..Self::default()
            };
        }
        let failing_since_ms = health::failing_since(
            owed.failing_since_ms,
            owed.last_failed_at_ms.unwrap_or_default(),
            now_ms,
        );
        let health = health::after_failure(failing_since_ms, target.warned_percent, now_ms);
        let inactive = match (verdict, health) {
            (Verdict::Gone, _) => Some(InactiveReason::EndpointGone),
            (Verdict::Disabled, _) => Some(InactiveReason::DisabledByReceiver),
            (Verdict::Unauthorized(_), _) => Some(InactiveReason::AuthenticationInvalid),
            (_, Health::GivenUp) => Some(InactiveReason::DeliveryFailing),
            _ => None,
        };
        let warning = match health {
            Health::Warning(percent) => failing_since_ms.map(|since_ms| (since_ms, percent)),
            _ => None,
        };
        let inactive = inactive.map(|reason| (reason, target.updated_at_ms));
        let failed = !matches!(verdict, Verdict::Permanent { .. });
        Self { failed, inactive, warning, ..Self::default() }
    }
}
