//! Whether a group waits for company before it is stored: what shares a group shares its row and
//! its commit.
//!
//! Where each event comes only after the answer to the one before, waiting brings none and delays
//! the emitter. Where events do not wait for one another's answers it brings the next one.
//! Which of the two it is shows when a group waits, so one tries it now and then.

use crate::domain::intake::bounds::{
    COMPANY_EVENTS, COMPANY_TRY_MS, COMPANY_TRY_MS_MAX, COMPANY_WITHIN_MS,
};

/// How far groups are trusted to find company at the most, and what each that waited in vain takes
/// of that.
const TRUST_MAX: u8 = 6;
/// See [`TRUST_MAX`].
const IN_VAIN: u8 = 2;
/// A gap between requests that is longer counts as this. Who comes after it may be somebody else.
const GAP_MS_MAX: i64 = 5 * COMPANY_WITHIN_MS;

/// What the groups so far have taught.
#[derive(Debug)]
pub struct Company {
    /// Events of the last group that had company.
    shared: usize,
    /// Zero where groups do not wait.
    trust: u8,
    came_at_ms: i64,
    /// How long it usually takes from one request to the next, as the last few came.
    gap_ms: i64,
    /// When a group waits next to see whether it pays, and how long after that the next one.
    try_at_ms: i64,
    try_every_ms: i64,
}

impl Default for Company {
    fn default() -> Self {
        Self {
            shared: 1,
            trust: 0,
            came_at_ms: 0,
            gap_ms: GAP_MS_MAX,
            try_at_ms: 0,
            try_every_ms: COMPANY_TRY_MS,
        }
    }
}

impl Company {
    /// Notes that a request came.
    pub fn came(&mut self, now_ms: i64) {
        let gap_ms = (now_ms - self.came_at_ms).clamp(0, GAP_MS_MAX);
        if gap_ms == GAP_MS_MAX {
            self.trust = self.trust.min(1);
        }
        self.gap_ms = (3 * self.gap_ms + gap_ms) / 4;
        self.came_at_ms = now_ms;
    }

    /// For how many events the next group waits; with one of them it does not wait.
    pub fn wanted(&self, now_ms: i64) -> usize {
        match self.trust {
            _ if self.gap_ms > COMPANY_WITHIN_MS => 1,
            0 if now_ms < self.try_at_ms => 1,
            0 => 2,
            _ => self.shared.clamp(2, COMPANY_EVENTS),
        }
    }

    /// Learns from a group of so many events that waited for so many.
    pub fn learn(&mut self, events: usize, wanted: usize, now_ms: i64) {
        if events > 1 {
            self.shared = events;
            self.trust = (self.trust + 1).min(TRUST_MAX);
            self.try_every_ms = COMPANY_TRY_MS;
        } else if wanted > 1 {
            self.trust = self.trust.saturating_sub(IN_VAIN);
            if self.trust == 0 {
                self.try_at_ms = now_ms + self.try_every_ms;
                self.try_every_ms = (2 * self.try_every_ms).min(COMPANY_TRY_MS_MAX);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many groups that begin so long after one another, and how many of them waited. Each is
    /// joined by so many events, if it waits for them.
    fn groups(company: &mut Company, count: i64, every_ms: i64, joined: usize) -> usize {
        let began = |company: &mut Company| {
            let now_ms = company.came_at_ms.max(1_000_000) + every_ms;
            company.came(now_ms);
            let wanted = company.wanted(now_ms);
            company.learn(1 + joined.min(wanted - 1), wanted, now_ms);
            wanted > 1
        };
        (0..count).filter(|_| began(company)).count()
    }

    #[test]
    fn who_asks_again_only_when_answered_waits_once_in_a_while() {
        // A millisecond after the last answer, for two minutes: at once, and after 5, 10, 20, 40 s.
        assert_eq!(groups(&mut Company::default(), 120_000, 1, 0), 5);
    }

    #[test]
    fn where_waiting_brings_the_next_one_all_wait() {
        let mut company = Company::default();
        assert!((90..100).contains(&groups(&mut company, 100, 10, 1)));
        assert_eq!(groups(&mut company, 100, 10, 1), 100);
        // Now and then nobody comes all the same.
        for _ in 0..20 {
            assert_eq!(groups(&mut company, 1, 10, 0) + groups(&mut company, 4, 10, 1), 5);
        }
    }

    #[test]
    fn who_comes_seldom_never_waits() {
        let mut company = Company::default();
        assert_eq!(groups(&mut company, 1_000, COMPANY_WITHIN_MS + 5, 9), 0);
        // Nor when some came together once.
        company.learn(4, 1, 0);
        assert_eq!(groups(&mut company, 1_000, COMPANY_WITHIN_MS + 5, 9), 0);
    }

    #[test]
    fn a_group_waits_for_as_many_as_the_last_had_and_stops_when_nobody_comes() {
        let mut company = Company { came_at_ms: 1_000_000, gap_ms: 1, ..Company::default() };
        for (events, wanted) in [(3, 3), (2, 2), (100, COMPANY_EVENTS)] {
            company.learn(events, 1, 0);
            assert_eq!(company.wanted(0), wanted);
        }
        for _ in 0..20 {
            company.learn(2, 2, 0);
        }
        assert_eq!(groups(&mut company, 10, 1, 0), usize::from(TRUST_MAX / IN_VAIN));
        // After a long gap one shows it.
        for _ in 0..20 {
            company.learn(2, 2, company.came_at_ms);
        }
        assert_eq!(groups(&mut company, 1, GAP_MS_MAX, 0) + groups(&mut company, 100, 1, 0), 1);
        // Groups that did not wait teach nothing.
        company.learn(1, 1, 0);
        assert_eq!(company.wanted(company.came_at_ms + COMPANY_TRY_MS / 2), 1);
    }
}
