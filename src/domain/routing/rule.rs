//! A rule routes events of its workspace to one connection. Its `event` is a pattern, see
//! [`names`](crate::domain::base::names).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{EnumString, VariantArray};

use crate::domain::base::names::{GLOBAL, same_resource};

/// What a rule asks of its destination beside the action: texts by key.
pub type Metadata = BTreeMap<String, String>;

/// What routing needs of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id of the rule.
    pub id: String,
    /// Number in its workspace, from 1; 0 is reserved for test events.
    pub number: u32,
    /// The connection it sends to.
    pub connection: String,
    /// That connection's type.
    pub kind: String,
    /// Whether it routes at all.
    pub active: bool,
    /// Whether that connection takes deliveries; if not, they are held.
    pub connection_active: bool,
    /// Whether that connection's order is strict.
    pub is_strict: bool,
    /// Whether that connection is throttled.
    pub is_throttled: bool,
    /// Pattern of the event names that it matches.
    pub event: String,
    /// Resource it is limited to, if any.
    pub resource: Option<String>,
    /// Resource id it is limited to, if any.
    pub resource_id: Option<String>,
    /// Text of the filter that payloads must pass, if any.
    pub filter: Option<String>,
}

impl Rule {
    /// Whether an event of a name that this rule is for, with this resource, is routed by it as far
    /// as can be said without its payload.
    ///
    /// # Errors
    /// Why it is not.
    pub fn matches(
        &self,
        resource: Option<&str>,
        resource_id: Option<&str>,
    ) -> Result<(), Mismatch> {
        // A rule for `global` is a rule without a resource: it takes all of them.
        let limit = self.resource.as_deref().filter(|limit| *limit != GLOBAL);
        let limit_id = self.resource_id.as_deref();
        if !self.active {
            Err(Mismatch::Inactive)
        } else if limit.is_some_and(|limit| !same_resource(Some(limit), resource)) {
            Err(Mismatch::Resource)
        } else if limit_id.is_some_and(|limit| resource_id != Some(limit)) {
            Err(Mismatch::ResourceId)
        } else {
            Ok(())
        }
    }
}

/// Why a rule for an event's name does not route the event.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, EnumString, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Mismatch {
    /// The rule is not active.
    Inactive,
    /// It is limited to another resource.
    Resource,
    /// It is limited to another resource id.
    ResourceId,
    /// Its filter did not let the payload pass.
    Filter,
    /// Whether its filter lets the payload pass was too costly to find out.
    FilterTooCostly,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_of_a_rule_must_fit() {
        let rule = |resource: Option<&str>, resource_id: Option<&str>| Rule {
            id: "r".into(),
            number: 1,
            connection: "c".into(),
            kind: "webhook".into(),
            active: true,
            connection_active: true,
            is_strict: false,
            is_throttled: false,
            event: "order.completed".into(),
            resource: resource.map(Into::into),
            resource_id: resource_id.map(Into::into),
            filter: None,
        };
        let (order, global) = (Some("order"), Some("global"));
        for (rule, resource, id, expected) in [
            (rule(None, None), None, None, Ok(())),
            (rule(None, None), order, Some("1"), Ok(())),
            (rule(order, None), order, None, Ok(())),
            (rule(order, None), None, None, Err(Mismatch::Resource)),
            (rule(order, Some("1")), order, Some("1"), Ok(())),
            (rule(order, Some("1")), order, Some("2"), Err(Mismatch::ResourceId)),
            (rule(order, Some("1")), Some("x"), Some("2"), Err(Mismatch::Resource)),
            (rule(global, None), None, None, Ok(())),
            (rule(global, None), global, None, Ok(())),
            (rule(global, None), order, None, Ok(())),
            (rule(None, None), global, None, Ok(())),
            (rule(order, None), global, None, Err(Mismatch::Resource)),
            (rule(global, Some("1")), None, Some("1"), Ok(())),
            (rule(global, Some("1")), None, Some("2"), Err(Mismatch::ResourceId)),
        ] {
            assert_eq!(rule.matches(resource, id), expected, "{rule:?}");
            let inactive = Rule { active: false, ..rule };
            assert_eq!(inactive.matches(resource, id), Err(Mismatch::Inactive));
        }
    }
}
