//! How long events are kept: so many days after they were accepted, and longer while a delivery is
//! failed or held. What still owes an attempt is kept however old it is.

use crate::domain::base::time::DAY_MS;
use crate::domain::delivery::state::State;

/// The bounds of every number of days.
pub const DAYS: std::ops::RangeInclusive<u32> = 1..=400;
/// Days where neither the workspace nor its organization names a number.
pub const DAYS_DEFAULT: u32 = 30;
/// The same for events with failed or held deliveries.
pub const UNSETTLED_DAYS_DEFAULT: u32 = 90;
/// After so many days the counts of deliveries are deleted, too.
pub const STATISTICS_DAYS: u32 = 400;
/// What was settled only just now is kept for so long, however old its event is: people shall see
/// what became of it.
pub const SETTLED_KEPT_MS: i64 = DAY_MS;
/// So long before they expire, held deliveries are warned about.
pub const EXPIRY_WARNED_MS: i64 = 7 * DAY_MS;

/// What somebody chose; `None` leaves it to who comes next: the organization, then the defaults.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionChoice {
    /// Days that events are kept.
    pub days: Option<u32>,
    /// Days that events with failed or held deliveries are kept.
    pub unsettled_days: Option<u32>,
}

impl RetentionChoice {
    /// What holds where this choice stands before `next`.
    pub fn or(self, next: Self) -> Self {
        Self {
            days: self.days.or(next.days),
            unsettled_days: self.unsettled_days.or(next.unsettled_days),
        }
    }

    /// The numbers that hold when nobody else is asked.
    pub fn resolve(self) -> Retention {
        Retention {
            days: self.days.unwrap_or(DAYS_DEFAULT),
            unsettled_days: self.unsettled_days.unwrap_or(UNSETTLED_DAYS_DEFAULT),
        }
    }
}

/// For how many days the events of a workspace are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Retention {
    /// Events of which every delivery is delivered or canceled.
    pub days: u32,
    /// Events with a failed or held delivery; the larger of both numbers counts.
    pub unsettled_days: u32,
}

impl Retention {
    /// Events that were accepted before this moment may be deleted.
    pub fn cutoff_ms(self, now_ms: i64) -> i64 {
        now_ms - i64::from(self.days) * DAY_MS
    }

    /// The same for those with failed or held deliveries.
    pub fn unsettled_cutoff_ms(self, now_ms: i64) -> i64 {
        now_ms - i64::from(self.days.max(self.unsettled_days)) * DAY_MS
    }

    /// Until when an event is kept that was accepted at `created_at_ms`, given the state of each of
    /// its deliveries and when it was settled; `None` while an attempt is owed.
    pub fn kept_until_ms(
        self,
        created_at_ms: i64,
        deliveries: impl Iterator<Item = (State, Option<i64>)>,
    ) -> Option<i64> {
        let mut until_ms = created_at_ms - self.cutoff_ms(0);
        for (state, completed_at_ms) in deliveries {
            if state.is_open() {
                return None;
            }
            if matches!(state, State::Failed | State::Held) {
                until_ms = until_ms.max(created_at_ms - self.unsettled_cutoff_ms(0));
            }
            let settled_ms = completed_at_ms.map(|at_ms| at_ms + SETTLED_KEPT_MS);
            until_ms = until_ms.max(settled_ms.unwrap_or(until_ms));
        }
        Some(until_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspace_decides_before_the_organization_and_that_before_the_defaults() {
        let choice = |days, unsettled_days| RetentionChoice { days, unsettled_days };
        let of = |workspace: RetentionChoice, organization| {
            let kept = workspace.or(organization).resolve();
            (kept.days, kept.unsettled_days)
        };
        assert_eq!(of(choice(None, None), choice(None, None)), (30, 90));
        assert_eq!(of(choice(None, None), choice(Some(7), Some(8))), (7, 8));
        assert_eq!(of(choice(Some(1), None), choice(Some(7), Some(8))), (1, 8));
    }

    #[test]
    fn an_event_is_kept_as_long_as_its_deliveries_need_it() {
        let kept = Retention { days: 10, unsettled_days: 20 };
        let until = |deliveries: &[(State, Option<i64>)]| {
            kept.kept_until_ms(5, deliveries.iter().copied()).map(|at_ms| at_ms - 5)
        };
        assert_eq!(until(&[]), Some(10 * DAY_MS));
        assert_eq!(until(&[(State::Delivered, Some(6))]), Some(10 * DAY_MS));
        assert_eq!(
            until(&[(State::Delivered, Some(6)), (State::Failed, Some(7))]),
            Some(20 * DAY_MS)
        );
        assert_eq!(until(&[(State::Held, None)]), Some(20 * DAY_MS));
        assert_eq!(until(&[(State::Canceled, Some(10 * DAY_MS + 5))]), Some(11 * DAY_MS));
        assert_eq!(until(&[(State::Delivered, Some(6)), (State::Pending, None)]), None);
        let short = Retention { days: 40, unsettled_days: 20 };
        assert_eq!(short.unsettled_cutoff_ms(0), short.cutoff_ms(0));
    }
}
