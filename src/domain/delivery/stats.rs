//! Statistics of deliveries: how many are in which state, and how long things took, in histograms
//! with fixed buckets. Histograms can be added up, so percentiles of days, connections and
//! workspaces need no second look at single deliveries.

use crate::domain::base::time::{DAY_MS, HOUR_MS};
use crate::domain::delivery::state::State;

/// How long after its end a day is over: an emit that was accepted just before it is stored.
const OVER_AFTER_MS: i64 = HOUR_MS;

/// Whether the day that begins at `day_ms` is over, so that it may be counted for the last time.
pub fn is_over(day_ms: i64, now_ms: i64) -> bool {
    day_ms + DAY_MS + OVER_AFTER_MS <= now_ms
}

/// The beginning of the day of a moment, if that day is over.
pub fn day_that_is_over(at_ms: i64, now_ms: i64) -> Option<i64> {
    let day_ms = at_ms - at_ms % DAY_MS;
    is_over(day_ms, now_ms).then_some(day_ms)
}

/// Upper bounds of the buckets of one power of ten, times ten. A percentile is told as the upper
/// bound of the bucket that it falls in, which is at most two thirds too high.
const STEPS: [i64; 6] = [10, 15, 20, 30, 50, 70];
/// Buckets: from 1 ms to 7·10⁹ ms, which is 81 days.
const BUCKETS: usize = STEPS.len() * 10;

/// How long a number of things took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The buckets that are not empty, in order, each with its count.
    counts: Vec<(usize, u64)>,
}

impl Histogram {
    /// A histogram from (bucket, count), in any order; unknown buckets are left out.
    pub fn from_counts(counts: Vec<(usize, u64)>) -> Self {
        let mut all = Self::default();
        for (bucket, count) in counts.into_iter().filter(|(bucket, _)| *bucket < BUCKETS) {
            all.add_to(bucket, count);
        }
        all
    }

    /// The buckets that are not empty, in order, each with its count.
    pub fn counts(&self) -> &[(usize, u64)] {
        &self.counts
    }

    /// Counts something that took `ms` milliseconds.
    pub fn add(&mut self, ms: i64) {
        let bucket = (0..BUCKETS).find(|bucket| ms <= bound_ms(*bucket));
        self.add_to(bucket.unwrap_or(BUCKETS - 1), 1);
    }

    fn add_to(&mut self, bucket: usize, count: u64) {
        match self.counts.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.counts[at].1 += count,
            Err(at) => self.counts.insert(at, (bucket, count)),
        }
    }

    /// Adds another one up with this.
    pub fn merge(&mut self, other: &Self) {
        other.counts.iter().for_each(|(bucket, count)| self.add_to(*bucket, *count));
    }

    /// The least bound in milliseconds that so many percent stayed within; `None` when nothing was
    /// counted.
    pub fn percentile_ms(&self, percent: u64) -> Option<i64> {
        let all: u64 = self.counts.iter().map(|(_, count)| count).sum();
        let wanted = (all * percent).div_ceil(100).max(1);
        let mut within = 0;
        let found = self.counts.iter().find(|(_, count)| {
            within += count;
            within >= wanted
        });
        found.map(|(bucket, _)| bound_ms(*bucket))
    }
}

/// The longest time in milliseconds that falls in a bucket.
fn bound_ms(bucket: usize) -> i64 {
    let power = (0..bucket / STEPS.len()).fold(1, |power: i64, _| power * 10);
    STEPS[bucket % STEPS.len()] * power / 10
}

/// A number of deliveries by state, with their times.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Owed, also those that are held.
    pub pending: u64,
    /// Delivered.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
    /// Canceled.
    pub canceled: u64,
    /// How long receivers took to answer the attempt that delivered.
    pub latency: Histogram,
    /// How long it took from the acceptance of an event, or its last replay, to its delivery.
    pub delivery_time: Histogram,
}

impl Tally {
    /// Counts a delivery, and how long it took if it was delivered.
    pub fn add(&mut self, state: State, latency_ms: Option<i64>, delivery_ms: Option<i64>) {
        match state {
            State::Pending | State::Retrying | State::Held => self.pending += 1,
            State::Delivered => self.completed += 1,
            State::Failed => self.failed += 1,
            State::Canceled => self.canceled += 1,
        }
        if state == State::Delivered {
            latency_ms.into_iter().for_each(|ms| self.latency.add(ms));
            delivery_ms.into_iter().for_each(|ms| self.delivery_time.add(ms));
        }
    }

    /// Adds another one up with this.
    pub fn merge(&mut self, other: &Self) {
        self.pending += other.pending;
        self.completed += other.completed;
        self.failed += other.failed;
        self.canceled += other.canceled;
        self.latency.merge(&other.latency);
        self.delivery_time.merge(&other.delivery_time);
    }

    /// The part of what is decided that was delivered, in hundredths of a percent; `None` when
    /// nothing is.
    pub fn success_per_10000(&self) -> Option<u64> {
        (self.completed * 10_000).checked_div(self.completed + self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn buckets_grow_by_two_thirds_at_the_most() {
        let bounds: Vec<i64> = (0..BUCKETS).map(bound_ms).collect();
        assert_eq!(bounds[..8], [1, 1, 2, 3, 5, 7, 10, 15]);
        assert!(bounds.is_sorted() && bounds[BUCKETS - 1] == 7_000_000_000);
        for pair in bounds[6..].windows(2) {
            assert!(pair[1] * 3 <= pair[0] * 5, "{pair:?}");
        }
    }

    #[test]
    fn percentiles_of_known_times() {
        let mut times = Histogram::default();
        assert_eq!(times.percentile_ms(50), None);
        (1..=100).for_each(|n| times.add(n * 10));
        // The 50th takes 500 ms, the 95th 950, the 99th 990.
        assert_eq!(times.percentile_ms(50), Some(500));
        assert_eq!(times.percentile_ms(95), Some(1_000));
        assert_eq!(times.percentile_ms(99), Some(1_000));
        let mut extremes = Histogram::default();
        [-5, 0, i64::MAX].into_iter().for_each(|ms| extremes.add(ms));
        assert_eq!(extremes.percentile_ms(50), Some(1));
        assert_eq!(extremes.percentile_ms(99), Some(7_000_000_000));
    }

    #[test]
    fn a_tally_by_state() {
        let mut tally = Tally::default();
        for state in [State::Pending, State::Retrying, State::Held, State::Failed, State::Canceled]
        {
            tally.add(state, Some(1), Some(1));
        }
        assert_eq!(tally.success_per_10000(), Some(0));
        (0..2).for_each(|_| tally.add(State::Delivered, Some(20), None));
        let expected = (3, 2, 1, 1);
        assert_eq!((tally.pending, tally.completed, tally.failed, tally.canceled), expected);
        assert_eq!(tally.success_per_10000(), Some(6_666));
        assert_eq!(tally.latency.percentile_ms(99), Some(20), "of those that were delivered");
        assert_eq!(tally.delivery_time, Histogram::default());
        assert_eq!(Tally::default().success_per_10000(), None);
    }

    proptest! {
        #[test]
        fn merged_is_as_if_counted_together(a in any::<Vec<i64>>(), b in any::<Vec<i64>>()) {
            let count = |times: &[i64]| {
                let mut counted = Histogram::default();
                times.iter().for_each(|ms| counted.add(*ms));
                counted
            };
            let mut merged = count(&a);
            merged.merge(&count(&b));
            let together: Vec<i64> = a.iter().chain(&b).copied().collect();
            prop_assert_eq!(&merged, &count(&together));
            prop_assert_eq!(Histogram::from_counts(merged.counts().to_vec()), merged);
        }

        #[test]
        fn a_percentile_is_near_above(mut times in prop::collection::vec(2_i64..6_000_000, 1..50)) {
            let mut counted = Histogram::default();
            times.iter().for_each(|ms| counted.add(*ms));
            times.sort_unstable();
            for percent in [50, 95, 99] {
                let exact = times[(times.len() * percent).div_ceil(100) - 1];
                let told = counted.percentile_ms(percent as u64).expect("something was counted");
                prop_assert!(exact <= told && told * 3 <= exact * 5, "{exact} {told}");
            }
        }
    }
}
