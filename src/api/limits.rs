//! The field `limits` of workspaces: how much each of them may have.

use serde_json::{Value, json};

use crate::domain::base::fields::Fields;
use crate::domain::tenants::workspace::{LIMIT_MAX, Limits};
use crate::http::without_nulls;

/// What a request says of limits. `Some(None)` takes a limit away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitsChange {
    events_per_month: Option<Option<u32>>,
    connections: Option<Option<u32>>,
}

impl LimitsChange {
    /// Reads the field; `null` takes all limits away, or one of them.
    pub fn read(fields: &mut Fields<'_>) -> Self {
        if fields.is_null("limits") {
            return Self { events_per_month: Some(None), connections: Some(None) };
        }
        let Some(text) = fields.raw("limits") else { return Self::default() };
        let read = Fields::parse(text).and_then(|mut limits| {
            let change = Self {
                events_per_month: limit(&mut limits, "events_per_month"),
                connections: limit(&mut limits, "connections"),
            };
            limits.finish().map(|()| change)
        });
        read.unwrap_or_else(|error| {
            fields.fail_with("limits", error);
            Self::default()
        })
    }

    /// The limits, as this changes them.
    pub fn apply(self, limits: Limits) -> Limits {
        Limits {
            events_per_month: self.events_per_month.unwrap_or(limits.events_per_month),
            connections: self.connections.unwrap_or(limits.connections),
        }
    }
}

fn limit(limits: &mut Fields<'_>, name: &str) -> Option<Option<u32>> {
    let is_there = limits.has(name);
    let given = limits.integer(name);
    let fitting = given.and_then(|limit| u32::try_from(limit).ok());
    let fitting = fitting.filter(|limit| *limit <= LIMIT_MAX);
    if given.is_some() && fitting.is_none() {
        limits.fail(name, format!("must be a whole number from 0 to {LIMIT_MAX}"));
    }
    is_there.then_some(fitting)
}

/// Adds to a workspace the limits that it has itself.
pub fn show(shown: &mut Value, limits: Limits) {
    if limits != Limits::default() {
        shown["limits"] = without_nulls(json!({
            "events_per_month": limits.events_per_month,
            "connections": limits.connections,
        }));
    }
}
