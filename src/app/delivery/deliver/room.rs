//! What a batch has under way beside the other batches and lanes of its isolate.

use super::{BatchEvent, Run};
use crate::domain::delivery::in_flight::{Begin, By, ROOM_AGAIN_S, ROOM_LOOK_MS, ROOM_WAIT_MS};
use crate::ports::Platform;

impl<P: Platform> Run<P> {
    pub(super) fn claim(&mut self, index: usize) -> Begin {
        let (work, now_ms) = (&mut self.jobs[index], self.platform.now_ms());
        let (key, bytes) = (work.job.key(), work.job.payload_bytes);
        let begin = self.platform.in_flight().borrow_mut().begin(&key, By::Batch, bytes, now_ms);
        work.is_claimed = begin == Begin::Begun;
        begin
    }

    pub(super) fn release(&mut self, index: usize) {
        let work = &mut self.jobs[index];
        if std::mem::take(&mut work.is_claimed) {
            self.platform.in_flight().borrow_mut().end(&work.job.key());
        }
    }

    /// Whether what found no room is worth another look in this batch: something of its own ends
    /// soon, or something of another one may.
    pub(super) fn may_find_room(&mut self) -> bool {
        let is_left = !self.reading.is_empty() || self.slots.has_more() || self.slots.is_waiting();
        if is_left || !self.finished.is_empty() || self.flushing > 0 {
            return true;
        }
        let now_ms = self.platform.now_ms();
        let until_ms = *self.room_until_ms.get_or_insert(now_ms + ROOM_WAIT_MS);
        if now_ms < until_ms {
            self.waits_until_ms = until_ms;
            self.wait(ROOM_LOOK_MS, BatchEvent::Waited);
        }
        now_ms < until_ms
    }

    pub(super) fn find_room_later(&mut self, index: usize) {
        let after_s = self.hand_back_s(self.jobs[index].message).min(ROOM_AGAIN_S);
        self.come_again(index, after_s);
    }

    /// Whether the batch may be answered now and what is left of it goes on beside the next ones;
    /// it is noted as one that does. Nothing of it must be known to be for a lane.
    pub(super) fn may_overlap(&mut self) -> bool {
        let is_read = self.reading.is_empty() && !self.targets.is_empty();
        if !is_read || self.has_lines() || !self.allows_overlap() {
            return false;
        }
        let waiting = self.slices.iter().flatten().copied().chain(self.slots.not_started());
        let left: Vec<i64> = waiting.map(|index| self.jobs[index].job.payload_bytes).collect();
        let mut in_flight = self.platform.in_flight().borrow_mut();
        self.overlaps_since_ms = in_flight.overlap.begin(&left, self.platform.now_ms());
        self.overlaps_since_ms.is_some()
    }

    pub(super) fn allows_overlap(&self) -> bool {
        self.platform.in_flight().borrow().allows_overlap()
    }
}
