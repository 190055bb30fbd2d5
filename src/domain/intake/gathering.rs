//! Requests that wait to be stored, while a group of them is being stored.

use crate::domain::intake::bounds::{GATHERED_BYTES_MAX, SHED_AFTER_MS};

/// Requests, oldest first, each with the bytes of its texts.
#[derive(Debug)]
pub struct Gathering<R> {
    requests: Vec<(R, usize)>,
    bytes: usize,
    /// Since when the first of them waits.
    since_ms: i64,
}

impl<R> Default for Gathering<R> {
    fn default() -> Self {
        Self { requests: Vec::new(), bytes: 0, since_ms: 0 }
    }
}

impl<R> Gathering<R> {
    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Whether one more of so many bytes may wait.
    pub fn has_room(&self, bytes: usize, now_ms: i64) -> bool {
        let is_late = !self.is_empty() && now_ms - self.since_ms >= SHED_AFTER_MS;
        !is_late && self.bytes + bytes <= GATHERED_BYTES_MAX
    }

    /// Has a request wait.
    pub fn add(&mut self, request: R, bytes: usize, now_ms: i64) {
        if self.is_empty() {
            self.since_ms = now_ms;
        }
        self.bytes += bytes;
        self.requests.push((request, bytes));
    }

    /// Takes what is to be stored together: whole requests, at least one, up to so many bytes.
    pub fn take_group(&mut self, bytes_max: usize, now_ms: i64) -> Vec<R> {
        let mut bytes = 0;
        let fits = |(_, own): &&(R, usize)| {
            bytes += own;
            bytes <= bytes_max
        };
        let fitting = self.requests.iter().take_while(fits).count().max(1);
        let rest = self.requests.split_off(fitting.min(self.requests.len()));
        let group = std::mem::replace(&mut self.requests, rest);
        self.bytes = self.requests.iter().map(|(_, own)| own).sum();
        self.since_ms = now_ms;
        group.into_iter().map(|(request, _)| request).collect()
    }

    /// Drops all: they are not stored.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_cut_between_requests() {
        let mut gathering = Gathering::default();
        for (request, bytes) in [("a", 40), ("b", 60), ("c", 1), ("d", 500), ("e", 0)] {
            gathering.add(request, bytes, 0);
        }
        assert_eq!(gathering.take_group(100, 0), ["a", "b"]);
        assert_eq!(gathering.take_group(100, 0), ["c"]);
        assert_eq!(gathering.take_group(100, 0), ["d"], "one that is larger is a group");
        assert_eq!(gathering.take_group(100, 0), ["e"]);
        assert!(gathering.is_empty() && gathering.take_group(100, 0).is_empty());
    }

    #[test]
    fn what_would_wait_too_long_or_is_too_much_has_no_room() {
        let mut gathering = Gathering::default();
        assert!(gathering.has_room(GATHERED_BYTES_MAX, 9_999), "nobody waits");
        gathering.add('a', 1, 10_000);
        gathering.add('b', 1, 10_400);
        assert!(gathering.has_room(1, 10_000 + SHED_AFTER_MS - 1));
        assert!(!gathering.has_room(1, 10_000 + SHED_AFTER_MS));
        assert!(!gathering.has_room(GATHERED_BYTES_MAX - 1, 10_000));
        assert_eq!(gathering.take_group(1, 10_600), ['a']);
        assert!(gathering.has_room(GATHERED_BYTES_MAX - 1, 10_700), "it waits since the group");
        gathering.clear();
        assert!(gathering.is_empty() && gathering.has_room(GATHERED_BYTES_MAX, 99_999));
    }
}
