//! What a lane heard of attempts that ended, while a page may still come that was read before: such
//! a page shows them as they were, and the head of a strict line would be waited for that is done.

use std::collections::BTreeMap;

use crate::domain::base::limits::FORWARDED_MAX;
use crate::domain::base::time::MINUTE_MS;
use crate::domain::lane::messages::How;
use crate::domain::lane::queue::{QueuePosition, WaitingDelivery};

/// How long is remembered how attempts ended: no page of a line is under way for longer.
const ENDED_FOR_MS: i64 = MINUTE_MS;

/// The last attempt that ended of each delivery.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ended(BTreeMap<QueuePosition, End>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    attempt: u32,
    /// The attempt that is owed next, and when it is due.
    next: Option<(u32, i64)>,
    at_ms: i64,
}

impl End {
    /// Whether a row shows the delivery as it was before.
    fn is_after(&self, row: &WaitingDelivery) -> bool {
        let is_before = |(attempt, due_at_ms)| row.attempt < attempt || row.due_at_ms < due_at_ms;
        row.attempt <= self.attempt && self.next.is_none_or(is_before)
    }
}

impl Ended {
    /// Notes how an attempt ended. False when that cannot be told from what LOG showed before.
    #[must_use]
    pub fn note(&mut self, place: &QueuePosition, attempt: u32, how: &How, now_ms: i64) -> bool {
        let next = match *how {
            How::Delivered => None,
            How::Failed(due_at_ms) => due_at_ms.map(|at_ms| (attempt + 1, at_ms)),
            // It used no attempt. Of what was given back a page shows a job that has time until it
            // is taken for lost, but that job is gone.
            How::InternalFault(Some(at_ms)) | How::GivenBack(at_ms) => Some((attempt, at_ms)),
            // Nobody can say whether the same attempt is owed when it is retried by hand.
            How::InternalFault(None) => return false,
            How::Changed => return true,
        };
        let is_full = self.0.len() >= FORWARDED_MAX;
        if is_full {
            self.0.clear();
        }
        self.0.insert(place.clone(), End { attempt, next, at_ms: now_ms });
        !is_full
    }

    /// The rows of a page as they are by now.
    pub fn correct(&mut self, rows: Vec<WaitingDelivery>, now_ms: i64) -> Vec<WaitingDelivery> {
        self.0.retain(|_, end| now_ms - end.at_ms < ENDED_FOR_MS);
        let corrected = |row: WaitingDelivery| match self.0.get(&row.place) {
            Some(end) if end.is_after(&row) => {
                let (attempt, at_ms) = end.next?;
                Some(WaitingDelivery { attempt, start_at_ms: at_ms, due_at_ms: at_ms, ..row })
            }
            _ => Some(row),
        };
        rows.into_iter().filter_map(corrected).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUE_MS: i64 = 9_000;

    fn place() -> QueuePosition {
        QueuePosition { event: "e".into(), rule: 1 }
    }

    /// What becomes of a row that owes `attempt` since `due_at_ms`, 1 s after attempt 2 ended so.
    fn shown(how: &How, attempt: u32, due_at_ms: i64) -> Option<(u32, i64)> {
        let mut ended = Ended::default();
        assert!(ended.note(&place(), 2, how, 0));
        let row = WaitingDelivery { attempt, due_at_ms, ..WaitingDelivery::first(place()) };
        let row = ended.correct(vec![row], 1_000).pop()?;
        Some((row.attempt, row.due_at_ms))
    }

    #[test]
    fn what_a_page_shows_is_corrected_only_where_it_is_older() {
        let failed = How::Failed(Some(DUE_MS));
        assert_eq!(shown(&How::Delivered, 2, 5), None);
        assert_eq!(shown(&How::Delivered, 3, 5), Some((3, 5)), "it was sent again by hand");
        assert_eq!(shown(&How::Failed(None), 2, 5), None);
        assert_eq!(shown(&failed, 2, 5), Some((3, DUE_MS)));
        assert_eq!(shown(&failed, 3, 5), Some((3, 5)), "somebody wants it sooner");
        let faulted = How::InternalFault(Some(DUE_MS));
        assert_eq!(shown(&faulted, 2, 5), Some((2, DUE_MS)));
        assert_eq!(shown(&faulted, 2, DUE_MS + 1), Some((2, DUE_MS + 1)));
        assert_eq!(shown(&How::GivenBack(DUE_MS), 2, 5), Some((2, DUE_MS)));
    }

    #[test]
    fn what_cannot_be_remembered_is_said() {
        let mut ended = Ended::default();
        assert!(!ended.note(&place(), 1, &How::InternalFault(None), 0));
        for rule in 0..FORWARDED_MAX {
            let place = QueuePosition { rule: u32::try_from(rule).expect("small"), ..place() };
            assert!(ended.note(&place, 1, &How::Delivered, 0), "{rule}");
        }
        assert!(!ended.note(&place(), 1, &How::Delivered, 0), "the others are forgotten");
        let row = || vec![WaitingDelivery::first(place())];
        assert_eq!(ended.correct(row(), ENDED_FOR_MS - 1).len(), 0);
        assert_eq!(ended.correct(row(), ENDED_FOR_MS).len(), 1, "no page is that old");
    }
}
