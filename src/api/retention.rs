//! The fields `retention_days` and `retention_unsettled_days` of workspaces and organizations.

use serde_json::{Value, json};

use crate::domain::base::fields::Fields;
use crate::domain::delivery::retention::{DAYS, Retention, RetentionChoice};

/// What a request says of retention. `Some(None)` clears a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionChange {
    days: Option<Option<u32>>,
    unsettled_days: Option<Option<u32>>,
}

impl RetentionChange {
    /// Reads the fields; `null` clears, leaving one out keeps it.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        let mut days = |name: &str| {
            let is_there = fields.has(name);
            let days: Option<i64> = fields.integer(name);
            let fitting = days.and_then(|days| u32::try_from(days).ok());
            let fitting = fitting.filter(|days| DAYS.contains(days));
            if days.is_some() && fitting.is_none() {
                let msg = format!("must be a whole number from {} to {}", DAYS.start(), DAYS.end());
                fields.fail(name, msg);
            }
            is_there.then_some(fitting)
        };
        Self { days: days("retention_days"), unsettled_days: days("retention_unsettled_days") }
    }

    /// What was chosen, as this changes it.
    pub fn apply(self, chosen: RetentionChoice) -> RetentionChoice {
        RetentionChoice {
            days: self.days.unwrap_or(chosen.days),
            unsettled_days: self.unsettled_days.unwrap_or(chosen.unsettled_days),
        }
    }
}

/// Adds to a record how long events are kept.
pub fn show(shown: &mut Value, kept: Retention) {
    shown["retention_days"] = json!(kept.days);
    shown["retention_unsettled_days"] = json!(kept.unsettled_days);
}
