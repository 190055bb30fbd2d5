//! Whether a group waits for company before it is stored: requests that share a group share its
//! row and its commit.
//!
//! Where each request comes only after the answer to the one before, waiting brings none and
//! delays the emitter. Where requests do not wait for one another's answers it brings the next
//! ones. Which of the two it is, and for how many it pays to wait, shows when a group waits, so
//! one tries it now and then.

use crate::domain::intake::bounds::{
    COMPANY_MAX, COMPANY_TRY_MS, COMPANY_TRY_MS_MAX, COMPANY_WITHIN_MS,
};

/// A gap between requests that is longer counts as this. Who comes after it may be somebody else.
const GAP_MS_MAX: i64 = 5 * COMPANY_WITHIN_MS;

/// What the groups so far have taught.
#[derive(Debug)]
pub struct Company {
    /// Whether a group finds two, three ... requests.
    sizes: [Size; COMPANY_MAX - 1],
    came_at_ms: i64,
    /// How long it usually takes from one request to the next, as the last few came.
    gap_ms: i64,
}

/// Whether it pays to wait for so many.
#[derive(Debug)]
struct Size {
    /// Zero where it does not.
    trust: u8,
    /// When a group waits for them next to see whether it pays, and how long after that again.
    try_at_ms: i64,
    try_every_ms: i64,
}

impl Size {
    const UNKNOWN: Self = Self { trust: 0, try_at_ms: 0, try_every_ms: COMPANY_TRY_MS };
    /// Some groups that wait in vain do not prove that it never pays.
    const TRUST_MAX: u8 = 6;
    /// What a group that waited in vain takes of the trust.
    const IN_VAIN: u8 = 2;

    fn found(&mut self) {
        self.trust = (self.trust + 1).min(Self::TRUST_MAX);
        self.try_every_ms = COMPANY_TRY_MS;
    }

    fn in_vain(&mut self, now_ms: i64) {
        self.trust = self.trust.saturating_sub(Self::IN_VAIN);
        if self.trust == 0 {
            self.try_at_ms = now_ms + self.try_every_ms;
            self.try_every_ms = (2 * self.try_every_ms).min(COMPANY_TRY_MS_MAX);
        }
    }
}

impl Default for Company {
    fn default() -> Self {
        let sizes = [Size::UNKNOWN; COMPANY_MAX - 1];
        Self { sizes, came_at_ms: 0, gap_ms: GAP_MS_MAX }
    }
}

impl Company {
    /// Notes that a request came.
    pub fn came(&mut self, now_ms: i64) {
        let gap_ms = (now_ms - self.came_at_ms).clamp(0, GAP_MS_MAX);
        if gap_ms == GAP_MS_MAX {
            self.sizes.iter_mut().for_each(|size| size.trust = size.trust.min(1));
        }
        self.gap_ms = (3 * self.gap_ms + gap_ms) / 4;
        self.came_at_ms = now_ms;
    }

    /// For how many requests the next group waits; with one of them it does not wait.
    pub fn wanted(&self, now_ms: i64) -> usize {
        let pays = |size: &&Size| size.trust > 0 || now_ms >= size.try_at_ms;
        let is_seldom = self.gap_ms > COMPANY_WITHIN_MS;
        if is_seldom { 1 } else { 1 + self.sizes.iter().take_while(pays).count() }
    }

    /// Learns from a group of so many requests that waited for so many.
    pub fn learn(&mut self, requests: usize, wanted: usize, now_ms: i64) {
        for (of, size) in (2..).zip(&mut self.sizes) {
            if requests >= of {
                size.found();
            } else if wanted >= of {
                size.in_vain(now_ms);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how many requests each of so many groups waits. They begin so long after one another;
    /// each is joined by so many, if it waits for them.
    fn waits(company: &mut Company, count: usize, every_ms: i64, joined: usize) -> Vec<usize> {
        let began = || {
            let now_ms = company.came_at_ms.max(1_000_000) + every_ms;
            company.came(now_ms);
            let wanted = company.wanted(now_ms);
            company.learn(1 + joined.min(wanted - 1), wanted, now_ms);
            wanted
        };
        std::iter::repeat_with(began).take(count).collect()
    }

    /// How many of such groups wait.
    fn groups(company: &mut Company, count: usize, every_ms: i64, joined: usize) -> usize {
        waits(company, count, every_ms, joined).iter().filter(|wanted| **wanted > 1).count()
    }

    /// For how many the next group waits, after requests every so many milliseconds.
    fn wanted(company: &mut Company, every_ms: i64) -> usize {
        company.gap_ms = every_ms;
        company.wanted(company.came_at_ms)
    }

    #[test]
    fn who_asks_again_only_when_answered_waits_once_in_a_while() {
        // A millisecond after the last answer, for two minutes: at once, and after 5, 10, 20, 40 s.
        assert_eq!(groups(&mut Company::default(), 120_000, 1, 0), 5);
    }

    #[test]
    fn where_waiting_brings_the_next_ones_all_wait() {
        for joined in [1, 2, 3, 9] {
            let mut company = Company::default();
            assert!((90..100).contains(&groups(&mut company, 100, 10, joined)));
            assert_eq!(groups(&mut company, 100, 10, joined), 100);
            assert_eq!(wanted(&mut company, 10), (1 + joined).min(COMPANY_MAX));
            // Now and then nobody comes all the same.
            for _ in 0..20 {
                let waited = groups(&mut company, 1, 10, 0) + groups(&mut company, 4, 10, joined);
                assert_eq!(waited, 5);
            }
        }
    }

    #[test]
    fn for_one_more_than_come_a_group_waits_once_in_a_while() {
        let mut company = Company::default();
        groups(&mut company, 1_000, 10, 9);
        let in_vain = waits(&mut company, 12_000, 10, 1).into_iter().filter(|wanted| *wanted > 2);
        // Until they are not trusted any more, and after 5, 10, 20, 40 s of two minutes.
        assert_eq!(in_vain.count(), usize::from(Size::TRUST_MAX / Size::IN_VAIN) + 4);
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
    fn groups_stop_waiting_when_nobody_comes_and_wait_when_somebody_came() {
        let mut company = Company::default();
        groups(&mut company, 100, 10, 9);
        assert_eq!(groups(&mut company, 10, 1, 0), usize::from(Size::TRUST_MAX / Size::IN_VAIN));
        // Groups that did not wait show it as well.
        company.learn(3, 1, company.came_at_ms);
        assert_eq!(wanted(&mut company, 1), 3);
        groups(&mut company, 100, 10, 9);
        // After a long gap one that waits in vain is enough.
        assert_eq!(groups(&mut company, 1, GAP_MS_MAX, 0) + groups(&mut company, 100, 1, 0), 1);
        // Groups that did not wait and had no company teach nothing.
        company.learn(1, 1, 0);
        assert_eq!(wanted(&mut company, 1), 1);
    }
}
