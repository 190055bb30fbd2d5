//! Which routing an emit may have been matched with.
//!
//! Whoever changes keys, rules or connections of a workspace tells its intake before he answers.
//! The intake counts that. An isolate that reads a workspace's routing notes the count that it
//! knew before the read began, and sends it with each emit. So an emit that was matched with a
//! routing of before the change is found out, whatever clocks say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::intake::bounds::{CHANGES_TOLD_MAX, UNTOLD_MS};

/// A state of a workspace's routing, as one intake counts them while it is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Stands for the intake's time in memory: when it starts anew it has another.
    epoch: u64,
    /// Changes that it was told of.
    count: u64,
}

/// The generations of an intake's workspaces.
#[derive(Debug)]
pub struct Generations {
    epoch: u64,
    since_ms: i64,
    told: BTreeMap<String, Told>,
}

#[derive(Debug)]
struct Told {
    count: u64,
    at_ms: i64,
}

impl Generations {
    /// Those of an intake that starts; `epoch` is a random number.
    pub fn new(epoch: u64, now_ms: i64) -> Self {
        Self { epoch, since_ms: now_ms, told: BTreeMap::new() }
    }

    /// The present generation of a workspace.
    pub fn of(&self, workspace: &str) -> Generation {
        let count = self.told.get(workspace).map_or(0, |told| told.count);
        Generation { epoch: self.epoch, count }
    }

    /// Notes that the routing of a workspace was changed.
    pub fn changed(&mut self, workspace: &str, now_ms: i64) {
        if self.told.len() >= CHANGES_TOLD_MAX && !self.told.contains_key(workspace) {
            // All of them count as changed.
            *self = Self::new(self.epoch.wrapping_add(1), now_ms);
        }
        let told = self.told.entry(workspace.to_owned()).or_insert(Told { count: 0, at_ms: 0 });
        *told = Told { count: told.count + 1, at_ms: now_ms };
    }

    /// Whether an emit may count on routing that was read when this generation was known. One that
    /// knew of none may if nothing was changed for so long that the read must have come after.
    pub fn holds(&self, workspace: &str, known: Option<Generation>, now_ms: i64) -> bool {
        match known {
            Some(known) => known == self.of(workspace),
            None => {
                let told_at_ms = self.told.get(workspace).map_or(self.since_ms, |told| told.at_ms);
                now_ms - told_at_ms.max(self.since_ms) >= UNTOLD_MS
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_ends_what_was_known_before() {
        let mut all = Generations::new(7, 0);
        let before = all.of("w");
        assert!(all.holds("w", Some(before), 0));
        all.changed("w", 10);
        assert!(!all.holds("w", Some(before), 10), "read before the change");
        assert!(all.holds("w", Some(all.of("w")), 10));
        assert!(all.holds("v", Some(all.of("v")), 10), "another workspace");
        let anew = Generations::new(8, 20);
        assert!(!anew.holds("w", Some(all.of("w")), 20), "another time in memory");
    }

    #[test]
    fn who_knows_of_none_has_to_be_late() {
        let mut all = Generations::new(7, 0);
        assert!(!all.holds("w", None, UNTOLD_MS - 1), "it may have been told before it started");
        assert!(all.holds("w", None, UNTOLD_MS));
        all.changed("w", UNTOLD_MS);
        assert!(!all.holds("w", None, 2 * UNTOLD_MS - 1));
        assert!(all.holds("w", None, 2 * UNTOLD_MS));
    }

    #[test]
    fn what_is_told_is_bounded() {
        let mut all = Generations::new(7, 0);
        all.changed("w", 0);
        let known = (all.of("w"), all.of("v"));
        (0..CHANGES_TOLD_MAX).for_each(|n| all.changed(&n.to_string(), 0));
        assert!(all.told.len() <= CHANGES_TOLD_MAX);
        for (workspace, known) in [("w", known.0), ("v", known.1)] {
            assert!(!all.holds(workspace, Some(known), 0), "{workspace}");
        }
    }
}
