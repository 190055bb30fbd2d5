//! Connections as an isolate read them a moment ago, so that not every batch reads them again.
//!
//! Only active ones are kept: what is held or canceled because of an old state would stay so. A
//! change that this isolate makes itself empties the cache, also for reads that began before it;
//! one that another isolate makes is seen when the time is up.

use std::rc::Rc;

use crate::domain::base::limits::{TARGET_CACHED_MS, TARGETS_CACHED_MAX};
use crate::domain::connection::model::Target;

/// The connections.
#[derive(Debug, Default)]
pub struct TargetCache {
    kept: Vec<Kept>,
    changes: u64,
}

/// A connection that was read.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The connection.
    pub target: Rc<Target>,
    /// When it was read at the latest.
    pub read_at_ms: i64,
    /// The rules of which it is known what they say; `None` where its kind does not ask.
    pub rules: Option<Vec<u32>>,
}

impl TargetCache {
    /// The connection, if what is known of it is new and tells of all these rules.
    pub fn get(
        &self,
        workspace: &str,
        connection: &str,
        rules: &[u32],
        now_ms: i64,
    ) -> Option<Kept> {
        let is_it = |kept: &&Kept| {
            kept.target.connection == connection && kept.target.workspace == workspace
        };
        let kept = self.kept.iter().find(is_it).filter(|kept| kept.is_new(now_ms))?;
        let knows = |rule| kept.rules.as_ref().is_none_or(|known| known.contains(rule));
        rules.iter().all(knows).then(|| kept.clone())
    }

    /// How often something was changed: to be asked before a read that is to be kept.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps what was read, unless something was changed since `changes` was asked.
    pub fn keep(&mut self, changes: u64, read: Vec<Kept>, now_ms: i64) {
        if self.changes != changes {
            return;
        }
        let is_old = |kept: &Kept| {
            !kept.is_new(now_ms) || read.iter().any(|new| new.target.is_same(&kept.target))
        };
        self.kept.retain(|kept| !is_old(kept));
        let room = TARGETS_CACHED_MAX.saturating_sub(self.kept.len());
        self.kept.extend(read.into_iter().filter(|new| new.target.active).take(room));
    }

    /// Something of a connection may have been changed.
    pub fn changed(&mut self) {
        self.changes += 1;
        self.kept.clear();
    }
}

impl Kept {
    fn is_new(&self, now_ms: i64) -> bool {
        (0..=TARGET_CACHED_MS).contains(&(now_ms - self.read_at_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(connection: &str, active: bool, rules: Option<Vec<u32>>) -> Kept {
        let target = Target {
            workspace: "w".to_owned(),
            connection: connection.to_owned(),
            active,
            ..Target::default()
        };
        Kept { target: Rc::new(target), read_at_ms: 1_000, rules }
    }

    #[test]
    fn what_is_new_and_active_is_known_until_something_changes() {
        let mut cache = TargetCache::default();
        let read =
            vec![kept("a", true, None), kept("b", false, None), kept("c", true, Some(vec![1]))];
        cache.keep(cache.changes(), read, 1_000);
        let knows = |cache: &TargetCache, connection, rules: &[u32], now_ms| {
            cache.get("w", connection, rules, now_ms).is_some()
        };
        assert!(knows(&cache, "a", &[7], 1_000 + TARGET_CACHED_MS));
        assert!(!knows(&cache, "a", &[7], 1_001 + TARGET_CACHED_MS), "old");
        assert!(!knows(&cache, "a", &[7], 999), "a clock that went back");
        assert!(!knows(&cache, "b", &[], 1_000), "inactive");
        assert!(knows(&cache, "c", &[1], 1_000) && !knows(&cache, "c", &[1, 2], 1_000));
        assert!(cache.get("other", "a", &[], 1_000).is_none());
        let before = cache.changes();
        cache.changed();
        assert!(!knows(&cache, "a", &[], 1_000));
        cache.keep(before, vec![kept("a", true, None)], 1_000);
        assert!(!knows(&cache, "a", &[], 1_000), "read before the change");
        cache.keep(cache.changes(), vec![kept("a", true, None)], 1_000);
        cache.keep(cache.changes(), vec![kept("a", false, None)], 1_000);
        assert!(!knows(&cache, "a", &[], 1_000), "the later read counts");
    }
}
