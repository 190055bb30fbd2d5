//! The slices of a batch: read and claimed; what owes no attempt is settled, the rest put in line.

use std::rc::Rc;

use serde_json::json;

use super::{BatchEvent, Run};
use crate::app::common::group_by_key;
use crate::app::delivery::batch::{self, Unsent};
use crate::app::delivery::slice::{self, Slice};
use crate::app::delivery::work::Work;
use crate::app::delivery::write_gate;
use crate::domain::base::limits::{SLICE_BYTES_MAX, SLOTS};
use crate::domain::delivery::in_flight::Begin;
use crate::domain::delivery::lateness;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Platform;

impl<P: Platform> Run<P> {
    /// Begins to read the next slice of each shard of which little is left to start: a shard that
    /// is slow keeps no other waiting. What two slices hold is as bounded as that of one.
    pub(super) fn read_slices(&mut self) {
        let shards = group_by_key(&self.slices, |slice| self.jobs[slice[0]].job.shard);
        let next = |(shard, slices): (u16, Vec<&Vec<usize>>)| self.may_read(shard, slices[0]);
        let shards: Vec<u16> = shards.into_iter().filter_map(next).collect();
        shards.into_iter().for_each(|shard| self.read_slice(shard));
    }

    /// The shard, if its next slice may be read now.
    fn may_read(&self, shard: u16, next: &[usize]) -> Option<u16> {
        let is_of_it = |index: &usize| self.jobs[*index].job.shard == shard;
        let mut held = self.slots.not_started();
        held.retain(is_of_it);
        if held.len() >= SLOTS || self.reading.contains(&shard) {
            return None;
        }
        let is_awaited = |work: &Work| work.is_in_flight && !work.is_slow;
        held.extend((0..self.jobs.len()).filter(|&index| is_awaited(&self.jobs[index])));
        held.retain(is_of_it);
        let bytes = |index: &usize| self.jobs[*index].job.payload_bytes;
        let all: i64 = held.iter().chain(next).map(bytes).sum();
        (held.is_empty() || all <= SLICE_BYTES_MAX).then_some(shard)
    }

    fn read_slice(&mut self, shard: u16) {
        let (mut slice, mut without_room) = (Vec::new(), Vec::new());
        while slice.is_empty() {
            let next = self.slices.iter().position(|slice| self.jobs[slice[0]].job.shard == shard);
            let Some(next) = next.and_then(|at| self.slices.remove(at)) else { break };
            // What is under way is claimed before it is read, so that a row read here is not one
            // that another batch of this isolate is just recording.
            let mut refused = Vec::new();
            for index in next {
                match self.claim(index) {
                    Begin::Begun => slice.push(index),
                    Begin::HasNoRoom => refused.push(index),
                    Begin::IsUnderWay => {}
                }
            }
            if !refused.is_empty() {
                without_room.push(refused);
            }
        }
        if !without_room.is_empty() && slice.is_empty() && !self.may_find_room() {
            without_room.drain(..).flatten().for_each(|index| self.find_room_later(index));
        }
        self.slices.extend(without_room);
        if slice.is_empty() {
            return;
        }
        let (platform, keys) = (self.platform.clone(), self.keys(&slice));
        self.reading.push(shard);
        self.turns.push(Box::pin(async move {
            let read = slice::read(&platform, shard, &keys).await;
            BatchEvent::Read(shard, slice, read)
        }));
    }

    /// Takes over a slice: drops what is settled, settles what has no connection any more or an
    /// inactive one, and puts the rest in line.
    pub(super) fn take_slice(&mut self, shard: u16, slice: Vec<usize>, read: Option<Slice>) {
        self.reading.retain(|reading| *reading != shard);
        let Some(Slice { mut owed, for_lanes, targets }) = read else {
            return slice.into_iter().for_each(|index| self.retry(index));
        };
        self.targets.extend(targets.iter().map(|fresh| Rc::clone(&fresh.target)));
        let (mut orphans, mut paused) = (Vec::new(), Vec::new());
        for index in slice {
            let work = &mut self.jobs[index];
            let row = owed.iter().position(|owed| owed.is_due_by(&work.job));
            let target =
                targets.iter().find(|fresh| fresh.target.connection == work.job.connection);
            match (row, target) {
                (None, _) => self.release(index),
                (Some(_), None) => orphans.push(index),
                (Some(_), Some(fresh)) if !fresh.target.active => paused.push(index),
                (Some(row), Some(fresh)) => {
                    let row = owed.swap_remove(row);
                    let traits = fresh.target.options.lane_policy();
                    let is_late = !for_lanes.is_empty() && for_lanes.contains(&row.key());
                    (work.mode, work.traits) = (row.mode, traits);
                    if is_late || lateness::is_for_lane(row.mode, &traits, row.is_test()) {
                        self.leave_to_lane(index);
                    } else {
                        self.slots.add(index, &work.job.connection);
                        work.ready = Some((row, Rc::clone(fresh)));
                    }
                }
            }
        }
        self.settle_unsent(shard, orphans, Unsent::Orphans);
        self.settle_unsent(shard, paused, Unsent::Paused);
    }

    /// Hands back what was not started on shards that turned out not to be writable.
    pub(super) fn leave_unwritable(&mut self) {
        let shards = write_gate::closed(&self.platform);
        if shards.is_empty() {
            return;
        }
        let jobs = &self.jobs;
        let closed = self.slots.take_waiting(|index| shards.contains(&jobs[index].job.shard));
        closed.into_iter().for_each(|index| self.retry(index));
    }

    fn keys(&self, indices: &[usize]) -> Vec<DeliveryKey> {
        indices.iter().map(|index| self.jobs[*index].job.key()).collect()
    }

    /// Cancels deliveries whose connection is gone, holds those whose connection is inactive.
    fn settle_unsent(&mut self, shard: u16, indices: Vec<usize>, why: Unsent) {
        if indices.is_empty() {
            return;
        }
        let (platform, keys) = (self.platform.clone(), self.keys(&indices));
        self.flushing += 1;
        self.turns.push(Box::pin(async move {
            let settled = batch::settle_unsent(&platform, shard, &keys, why).await;
            if let Err(error) = &settled {
                platform.log_event(&json!({"at": "deliver", "error": error.to_string()}));
            }
            BatchEvent::Settled(indices, settled.is_ok())
        }));
    }

    pub(super) fn leave_to_lane(&mut self, index: usize) {
        let work = &self.jobs[index];
        self.reports.on_job(work).forward(work.job.place());
        self.release(index);
    }
}
