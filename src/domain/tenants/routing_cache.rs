//! Routings as an isolate read them a moment ago, so that not every emit reads CONTROL.
//!
//! Each is kept with the generation that the intake of its workspace was known to count when the
//! read began: the intake refuses what was matched with an older one. Without that a routing ends
//! by its age.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::intake::bounds::{ROUTING_BYTES_MAX, ROUTING_CACHED_MS, ROUTINGS_BYTES_MAX};
use crate::domain::intake::generations::Generation;
use crate::domain::tenants::routing::KeyRouting;

/// The routings, by publishable key and the patterns that they hold rules for.
#[derive(Debug, Default)]
pub struct RoutingCache {
    kept: BTreeMap<(String, String), Kept>,
    bytes: usize,
    /// The generations that intakes told, each with the number of the news.
    known: BTreeMap<String, (Generation, u64)>,
    news: u64,
}

/// A routing that was read.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The routing.
    pub routing: Rc<KeyRouting>,
    /// The generation of its workspace that was known when the read began.
    pub generation: Option<Generation>,
    read_at_ms: i64,
}

/// Stands for the moment at which a read begins.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    news: u64,
    at_ms: i64,
}

impl RoutingCache {
    /// To be asked before a read.
    pub fn mark(&self, now_ms: i64) -> Mark {
        Mark { news: self.news, at_ms: now_ms }
    }

    /// The generation of a workspace that was known at the mark.
    pub fn generation(&self, workspace: &str, mark: Mark) -> Option<Generation> {
        let known = self.known.get(workspace).filter(|(_, news)| *news <= mark.news);
        known.map(|(generation, _)| *generation)
    }

    /// What is known for a key and these patterns, if it is new.
    pub fn get(&self, key: &str, patterns: &str, now_ms: i64) -> Option<Kept> {
        let kept = self.kept.get(&(key.to_owned(), patterns.to_owned()))?;
        let is_new = (0..ROUTING_CACHED_MS).contains(&(now_ms - kept.read_at_ms));
        let is_valid = kept.routing.expires_at_ms.is_none_or(|at_ms| at_ms > now_ms);
        (is_new && is_valid).then(|| kept.clone())
    }

    /// Keeps what a read that began at the mark found.
    pub fn keep(&mut self, key: &str, patterns: &str, mark: Mark, routing: Rc<KeyRouting>) -> Kept {
        let workspace = &routing.routing.home.workspace;
        let generation = self.generation(workspace, mark);
        let is_outdated = generation.is_none() && self.known.contains_key(workspace);
        let kept = Kept { generation, read_at_ms: mark.at_ms, routing };
        let bytes = kept.routing.bytes();
        if is_outdated || bytes > ROUTING_BYTES_MAX {
            return kept;
        }
        if self.bytes + bytes > ROUTINGS_BYTES_MAX {
            self.kept.clear();
            self.bytes = 0;
        }
        let place = (key.to_owned(), patterns.to_owned());
        self.bytes += bytes;
        if let Some(former) = self.kept.insert(place, kept.clone()) {
            self.bytes -= former.routing.bytes();
        }
        kept
    }

    /// Notes which generation an intake counts, and forgets what was read before.
    pub fn learn(&mut self, workspace: &str, generation: Generation) {
        let former = self.known.get(workspace).map(|(known, _)| *known);
        if former == Some(generation) {
            return;
        }
        if self.known.len() >= WORKSPACES_KNOWN_MAX {
            self.known.clear();
        }
        self.news += 1;
        self.known.insert(workspace.to_owned(), (generation, self.news));
        self.kept.retain(|_, kept| kept.routing.routing.home.workspace != workspace);
        self.bytes = self.kept.values().map(|kept| kept.routing.bytes()).sum();
    }

    /// Notes which generation an intake counts that took an emit matched without one: what was read
    /// is of that generation.
    pub fn confirm(&mut self, workspace: &str, generation: Generation) {
        if self.known.contains_key(workspace) {
            self.learn(workspace, generation);
            return;
        }
        self.known.insert(workspace.to_owned(), (generation, self.news));
        let of = |kept: &&mut Kept| kept.routing.routing.home.workspace == workspace;
        for kept in self.kept.values_mut().filter(of) {
            kept.generation = Some(generation);
        }
    }
}

/// Workspaces whose generation an isolate remembers.
const WORKSPACES_KNOWN_MAX: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::storage::StorageLevel;
    use crate::domain::intake::generations::Generations;
    use crate::domain::tenants::key_limits::KeyLimits;
    use crate::domain::tenants::routing::Routing;
    use crate::domain::tenants::workspace::WorkspaceLocation;

    fn routing(workspace: &str, expires_at_ms: Option<i64>) -> Rc<KeyRouting> {
        let home = WorkspaceLocation { workspace: workspace.into(), number: 1, shard: 0 };
        let routing = Routing {
            home,
            rules: Vec::new(),
            full_until_ms: None,
            is_suspended: false,
            passes_trace: false,
            storage: StorageLevel::Normal,
        };
        Rc::new(KeyRouting { routing, limits: KeyLimits::default(), expires_at_ms })
    }

    #[test]
    fn a_routing_is_known_until_it_is_old_or_changed() {
        let (mut cache, mut at) = (RoutingCache::default(), Generations::new(1, 0));
        let knows = |cache: &RoutingCache, now_ms| cache.get("k", "[]", now_ms).is_some();
        cache.learn("w", at.of("w"));
        cache.keep("k", "[]", cache.mark(1_000), routing("w", None));
        let kept = cache.get("k", "[]", 1_000).expect("it is kept");
        assert_eq!(kept.generation, Some(at.of("w")));
        assert!(knows(&cache, 999 + ROUTING_CACHED_MS));
        assert!(!knows(&cache, 1_000 + ROUTING_CACHED_MS), "old");
        assert!(!knows(&cache, 999), "a clock that went back");
        assert!(cache.get("k", "[\"a\"]", 1_000).is_none(), "other rules");
        cache.learn("w", at.of("w"));
        assert!(knows(&cache, 1_000), "no news");
        at.changed("w", 0);
        cache.learn("w", at.of("w"));
        assert!(!knows(&cache, 1_000), "changed");
    }

    #[test]
    fn a_read_that_began_before_the_news_is_not_kept() {
        let (mut cache, at) = (RoutingCache::default(), Generations::new(1, 0));
        let mark = cache.mark(0);
        cache.learn("w", at.of("w"));
        let kept = cache.keep("k", "[]", mark, routing("w", None));
        assert_eq!(kept.generation, None);
        assert!(cache.get("k", "[]", 0).is_none());
        assert_eq!(cache.generation("w", mark), None);
        assert_eq!(cache.generation("w", cache.mark(0)), Some(at.of("w")));
    }

    #[test]
    fn what_was_taken_without_a_generation_has_the_one_that_is_told() {
        let (mut cache, at) = (RoutingCache::default(), Generations::new(1, 0));
        cache.keep("k", "[]", cache.mark(0), routing("w", None));
        assert_eq!(cache.get("k", "[]", 0).expect("kept").generation, None);
        cache.confirm("w", at.of("w"));
        assert_eq!(cache.get("k", "[]", 0).expect("kept").generation, Some(at.of("w")));
    }

    #[test]
    fn a_key_ends_by_the_clock() {
        let mut cache = RoutingCache::default();
        cache.keep("k", "[]", cache.mark(0), routing("w", Some(500)));
        assert!(cache.get("k", "[]", 499).is_some());
        assert!(cache.get("k", "[]", 500).is_none());
    }

    #[test]
    fn memory_is_bounded() {
        let mut cache = RoutingCache::default();
        for n in 0..ROUTINGS_BYTES_MAX / 100 {
            cache.keep(&n.to_string(), "[]", cache.mark(0), routing("w", None));
        }
        assert!(cache.bytes <= ROUTINGS_BYTES_MAX);
        let held: usize = cache.kept.values().map(|kept| kept.routing.bytes()).sum();
        assert_eq!(cache.bytes, held);
    }
}
