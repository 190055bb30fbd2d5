//! What an emit is matched with: where its workspace lives, and which rules could match.

use crate::domain::base::storage::StorageLevel;
use crate::domain::routing::rule::Rule;
use crate::domain::tenants::key_limits::KeyLimits;
use crate::domain::tenants::workspace::WorkspaceLocation;

/// Where a workspace's events live and the rules for the patterns that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// The workspace.
    pub home: WorkspaceLocation,
    /// Rules, by number.
    pub rules: Vec<Rule>,
    /// Until when it has used up its events.
    pub full_until_ms: Option<i64>,
    /// Whether its organization is suspended.
    pub is_suspended: bool,
    /// Whether receivers are told the trace that an event belongs to.
    pub passes_trace: bool,
    /// How full its shard is.
    pub storage: StorageLevel,
}

impl Routing {
    /// Adds rules for further patterns. A rule is for one pattern, so none is there already.
    pub fn add_rules(&mut self, rules: Vec<Rule>) {
        self.rules.extend(rules);
        self.rules.sort_unstable_by_key(|rule| rule.number);
    }
}

/// The routing of a publishable key's workspace, with what the key is limited to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRouting {
    /// The routing.
    pub routing: Routing,
    /// The key's limits.
    pub limits: KeyLimits,
    /// When the key stops being valid.
    pub expires_at_ms: Option<i64>,
}

impl KeyRouting {
    /// Bytes that it takes in memory, about.
    pub fn bytes(&self) -> usize {
        const EACH: usize = 400;
        let filters = self.routing.rules.iter().filter_map(|rule| rule.filter.as_ref());
        let filters: usize = filters.map(String::len).sum();
        let limits = [&self.limits.events, &self.limits.origins].into_iter().flatten();
        let limits: usize = limits.flatten().map(String::len).sum();
        EACH * (1 + self.routing.rules.len()) + filters + limits
    }
}
