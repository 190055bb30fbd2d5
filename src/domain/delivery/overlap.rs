//! Batches that go on after they were answered, beside the next ones: an invocation has few
//! connections, and a backlog would wait for them. So many of one isolate do, each with little left
//! to start. An isolate that is lost loses what it had left; the sweeper finds that in LOG.

/// Batches of one isolate that overlap at most.
const BATCHES_MAX: usize = 8;
/// Attempts that may be left to start: at 250 ms each, above which they are slow, they take 10 s of
/// the 30 s that the runtime gives.
const LEFT_MAX: usize = 200;
/// Bytes of their payloads.
const LEFT_BYTES_MAX: i64 = 512 * 1024;
/// Longest time that a batch, or an attempt, is believed to be under way: the longest timeout
/// (25 s) and some seconds for signing and recording. The runtime may end an invocation without a
/// word, so nothing of it must stay for good.
pub const BELIEVED_MS: i64 = 35_000;
/// Milliseconds that such a batch waits for one of its slow attempts to end when every slot holds
/// one: a crowd of receivers that take 300 ms goes on without a message more.
pub const JAM_MS: i64 = 250;

/// The batches of an isolate that overlap, by when they were answered.
#[derive(Debug, Default)]
pub struct Overlap(Vec<i64>);

impl Overlap {
    /// Notes that a batch goes on that has payloads of these sizes left to send; the moment by
    /// which it is known. `None` when it has too much, or too many do.
    pub fn begin(&mut self, left: &[i64], now_ms: i64) -> Option<i64> {
        self.0.retain(|since_ms| *since_ms + BELIEVED_MS > now_ms);
        let is_little = left.len() <= LEFT_MAX && left.iter().sum::<i64>() <= LEFT_BYTES_MAX;
        (is_little && self.0.len() < BATCHES_MAX).then(|| {
            self.0.push(now_ms);
            now_ms
        })
    }

    /// Notes that a batch is over.
    pub fn end(&mut self, since_ms: i64) {
        let index = self.0.iter().position(|other| *other == since_ms);
        index.map(|index| self.0.swap_remove(index));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_batches_overlap_and_no_more() {
        let mut overlap = Overlap::default();
        let begun: Vec<_> = (0..=BATCHES_MAX).map(|_| overlap.begin(&[1], 5)).collect();
        assert_eq!(begun.iter().filter(|since_ms| **since_ms == Some(5)).count(), BATCHES_MAX);
        assert_eq!(begun.last(), Some(&None));
        overlap.end(5);
        assert_eq!((overlap.begin(&[], 6), overlap.begin(&[], 7)), (Some(6), None));
        assert_eq!(overlap.begin(&[], 5 + BELIEVED_MS), Some(5 + BELIEVED_MS), "one was cut off");
    }

    #[test]
    fn only_those_with_little_left() {
        let mut overlap = Overlap::default();
        assert_eq!(overlap.begin(&[1; LEFT_MAX + 1], 0), None);
        assert_eq!(overlap.begin(&[LEFT_BYTES_MAX, 1], 0), None);
        assert_eq!(overlap.begin(&[LEFT_BYTES_MAX], 0), Some(0));
    }
}
