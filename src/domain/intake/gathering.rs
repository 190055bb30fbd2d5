//! Requests that wait to be stored, while a group of them is being stored.

use crate::domain::intake::backlog::Amount;
use crate::domain::intake::bounds::{
    COMPANY_BYTES, COMPANY_MAX, COMPANY_WITHIN_MS, GATHERED_BYTES_MAX, SHED_AFTER_MS,
};
use crate::domain::intake::company::Company;

/// Requests, oldest first, each with what it brings.
#[derive(Debug)]
pub struct Gathering<R> {
    requests: Vec<(R, Amount)>,
    bytes: usize,
    /// Since when the first of them waits.
    since_ms: i64,
    company: Company,
    /// For how many requests the next group waits.
    wanted: usize,
}

impl<R> Default for Gathering<R> {
    fn default() -> Self {
        let company = Company::default();
        Self { requests: Vec::new(), bytes: 0, since_ms: 0, company, wanted: 1 }
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
    pub fn add(&mut self, request: R, own: Amount, now_ms: i64) {
        if self.is_empty() {
            self.since_ms = now_ms;
        }
        if own.events > 0 {
            self.company.came(now_ms);
        }
        self.bytes += own.bytes;
        self.requests.push((request, own));
    }

    /// How long the next group waits for company from now on. See [`Company`].
    pub fn rest_ms(&mut self, now_ms: i64) -> i64 {
        self.wanted = self.company.wanted(now_ms);
        let rest_ms = self.since_ms + COMPANY_WITHIN_MS - now_ms;
        if self.is_enough() { 0 } else { rest_ms.clamp(0, COMPANY_WITHIN_MS) }
    }

    /// Whether the next group need not wait any more.
    pub fn is_enough(&self) -> bool {
        self.requests.len() >= self.wanted || !may_wait(&self.requests)
    }

    /// Takes what is to be stored together: whole requests, at least one, up to so many bytes.
    pub fn take_group(&mut self, bytes_max: usize, now_ms: i64) -> Vec<R> {
        let mut bytes = 0;
        let fits = |(_, own): &&(R, Amount)| {
            bytes += own.bytes;
            bytes <= bytes_max
        };
        let fitting = self.requests.iter().take_while(fits).count().max(1);
        let rest = self.requests.split_off(fitting.min(self.requests.len()));
        let group = std::mem::replace(&mut self.requests, rest);
        self.bytes = self.requests.iter().map(|(_, own)| own.bytes).sum();
        self.since_ms = now_ms;
        // A group that did not wait to its end says nothing of waiting.
        let wanted = if may_wait(&group) { self.wanted } else { 1 };
        let came = group.iter().filter(|(_, own)| own.events > 0).count();
        self.company.learn(came, wanted, now_ms);
        group.into_iter().map(|(request, _)| request).collect()
    }

    /// Drops all: they are not stored.
    pub fn clear(&mut self) {
        self.requests.clear();
        self.bytes = 0;
    }
}

/// Whether these may wait for company: nobody among them only waits until the others are stored,
/// and they are so few and small that sharing a row saves something.
fn may_wait<R>(requests: &[(R, Amount)]) -> bool {
    let bytes: usize = requests.iter().map(|(_, own)| own.bytes).sum();
    let events: usize = requests.iter().map(|(_, own)| own.events).sum();
    let has_waiter = requests.iter().any(|(_, own)| own.events == 0);
    !has_waiter && bytes < COMPANY_BYTES && events < COMPANY_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bytes: usize) -> Amount {
        Amount { events: 1, bytes }
    }

    #[test]
    fn groups_are_cut_between_requests() {
        let mut gathering = Gathering::default();
        for (request, bytes) in [("a", 40), ("b", 60), ("c", 1), ("d", 500), ("e", 0)] {
            gathering.add(request, one(bytes), 0);
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
        gathering.add('a', one(1), 10_000);
        gathering.add('b', one(1), 10_400);
        assert!(gathering.has_room(1, 10_000 + SHED_AFTER_MS - 1));
        assert!(!gathering.has_room(1, 10_000 + SHED_AFTER_MS));
        assert!(!gathering.has_room(GATHERED_BYTES_MAX - 1, 10_000));
        assert_eq!(gathering.take_group(1, 10_600), ['a']);
        assert!(gathering.has_room(GATHERED_BYTES_MAX - 1, 10_700), "it waits since the group");
        gathering.clear();
        assert!(gathering.is_empty() && gathering.has_room(GATHERED_BYTES_MAX, 99_999));
    }

    #[test]
    fn a_group_waits_for_company_since_its_first_request() {
        let mut gathering = Gathering::default();
        for now_ms in (0..100).map(|n| 10 * n) {
            gathering.add('a', one(1), now_ms);
            gathering.add('b', one(1), now_ms);
            gathering.rest_ms(now_ms);
            gathering.take_group(100, now_ms);
        }
        gathering.add('c', one(1), 1_000);
        assert_eq!(gathering.rest_ms(1_000), COMPANY_WITHIN_MS);
        assert!(!gathering.is_enough());
        assert_eq!(gathering.rest_ms(1_005), COMPANY_WITHIN_MS - 5);
        assert_eq!(gathering.rest_ms(1_500), 0, "it waited while another was stored");
        gathering.add('d', one(1), 1_006);
        assert!(gathering.is_enough());
        gathering.take_group(100, 1_006);
        // Who brings nothing waits for what came before.
        gathering.add('e', one(1), 1_010);
        gathering.add('f', Amount::default(), 1_010);
        assert_eq!((gathering.is_enough(), gathering.rest_ms(1_010)), (true, 0));
        gathering.take_group(100, 1_010);
        gathering.add('l', one(COMPANY_BYTES), 1_010);
        assert_eq!((gathering.is_enough(), gathering.rest_ms(1_010)), (true, 0));
        gathering.take_group(COMPANY_BYTES, 1_010);
        gathering.add('m', Amount { events: COMPANY_MAX, bytes: 1 }, 1_010);
        assert_eq!((gathering.is_enough(), gathering.rest_ms(1_010)), (true, 0));
        for now_ms in 1_011..1_100 {
            gathering.take_group(100, now_ms);
            gathering.add('g', one(1), now_ms);
            gathering.add('h', Amount::default(), now_ms);
        }
        gathering.take_group(100, 1_100);
        gathering.add('i', one(1), 1_100);
        assert_eq!(gathering.rest_ms(1_100), COMPANY_WITHIN_MS, "none of them waited in vain");
    }
}
