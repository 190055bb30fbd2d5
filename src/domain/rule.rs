//! A rule routes events of its workspace to one connection.

/// What routing needs of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Id of the rule.
    pub id: String,
    /// Number in its workspace, from 1; 0 is reserved for test events.
    pub number: u32,
    /// The connection it sends to.
    pub connection: String,
    /// 1 when that connection takes deliveries; if not, they are held.
    pub connection_active: u8,
    /// 1 when that connection's order is strict.
    pub is_strict: u8,
    /// 1 when that connection is throttled.
    pub is_throttled: u8,
    /// Event name it matches.
    pub event: String,
    /// Resource it is limited to, if any.
    pub resource: Option<String>,
    /// Resource id it is limited to, if any.
    pub resource_id: Option<String>,
}

impl Rule {
    /// Whether an event with this name and resource is routed by this rule.
    pub fn matches(&self, name: &str, resource: Option<&str>, resource_id: Option<&str>) -> bool {
        let fits = |limit: &Option<String>, value: Option<&str>| {
            limit.as_deref().is_none_or(|limit| value == Some(limit))
        };
        self.event == name && fits(&self.resource, resource) && fits(&self.resource_id, resource_id)
    }
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
            connection_active: 1,
            is_strict: 0,
            is_throttled: 0,
            event: "order.completed".into(),
            resource: resource.map(Into::into),
            resource_id: resource_id.map(Into::into),
        };
        let order = Some("order");
        for (rule, name, resource, id, expected) in [
            (rule(None, None), "order.completed", None, None, true),
            (rule(None, None), "order.completed", order, Some("1"), true),
            (rule(None, None), "order.complete", None, None, false),
            (rule(None, None), "Order.completed", None, None, false),
            (rule(order, None), "order.completed", order, None, true),
            (rule(order, None), "order.completed", None, None, false),
            (rule(order, Some("1")), "order.completed", order, Some("1"), true),
            (rule(order, Some("1")), "order.completed", order, Some("2"), false),
        ] {
            assert_eq!(rule.matches(name, resource, id), expected, "{rule:?} {name}");
        }
    }
}
