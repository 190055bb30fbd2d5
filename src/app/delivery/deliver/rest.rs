//! The end of a batch: what was not started goes back, the lanes are told, the rest goes on.

use std::mem::take;

use futures_util::future::{FutureExt, join, join4};
use futures_util::stream::StreamExt;
use serde_json::json;

use super::{BatchEvent, Run, Verdict};
use crate::app::common::group_by_key;
use crate::app::delivery::batch;
use crate::app::delivery::queue_delay;
use crate::app::delivery::reports::Report;
use crate::app::delivery::wake::wake;
use crate::app::replays;
use crate::domain::base::limits::{HAND_BACK_S, STRAGGLERS_MS};
use crate::domain::delivery::job::Job;
use crate::domain::lane::messages::ConsumerReport;
use crate::ports::Platform;

impl<P: Platform> Run<P> {
    /// Whether lines are to be served, as far as is known.
    pub(super) fn has_lines(&self) -> bool {
        self.lines.iter().next().is_some() || self.reports.have_forwarded()
    }

    /// What becomes of each message. One of which nothing was done comes again as it is; what comes
    /// again of the others, or later, goes on by itself.
    pub(super) fn answer(&mut self) -> Vec<Verdict> {
        for (message, jobs) in group_by_key(0..self.jobs.len(), |index| self.jobs[*index].message) {
            let again_s = |index: &usize| self.jobs[*index].again_s;
            let delays: Option<Vec<u32>> = jobs.iter().map(again_s).collect();
            if let Some(delay_s) = delays.and_then(|delays| delays.into_iter().max()) {
                self.verdicts[message] = Verdict::Retry(delay_s);
                jobs.iter().for_each(|index| self.jobs[*index].again_s = None);
            }
        }
        take(&mut self.verdicts)
    }

    /// What was not started for want of a slot comes again at once, since the next batch has its
    /// slots free; or it is left to its lane.
    pub(super) fn hand_back(&mut self) {
        for index in self.slots.left_to_lane() {
            self.leave_to_lane(index);
        }
        let slices = std::mem::take(&mut self.slices);
        let waiting: Vec<usize> =
            slices.into_iter().flatten().chain(self.slots.not_started()).collect();
        waiting.into_iter().for_each(|index| self.come_again(index, 0));
    }

    /// Tells lanes what they have to know. The line of one to which jobs were left is served at
    /// once if there is a slot for it.
    pub(super) async fn tell_lanes(&mut self) {
        let reports = self.reports.take();
        let slow = batch::slow(&reports);
        let (left, told): (Vec<ConsumerReport>, Vec<ConsumerReport>) =
            reports.into_iter().map(Report::into_told).partition(|one| !one.forwarded.is_empty());
        left.into_iter().for_each(|one| self.lines.add(one));
        let lines = self.lines.start(self.slots.free());
        for message in lines.left_messages {
            self.verdicts[message] = Verdict::Retry(HAND_BACK_S);
        }
        let told = batch::tell(&self.platform, told, lines.left);
        let ((), unheard) = join(batch::raise_slow(&self.platform, slow), told).await;
        for index in 0..self.jobs.len() {
            let job = &self.jobs[index].job;
            if unheard.contains(&(job.line(), job.place())) {
                self.retry(index);
            }
        }
        self.started = lines.started;
    }

    /// What is left of messages of which something was done, or is under way, goes on by itself:
    /// the whole would do that again. If it cannot be sent, the sweeper sees to it.
    pub(super) async fn send_back(&mut self) {
        let again = self.jobs.iter_mut().filter_map(|work| Some((work.again_s.take()?, &work.job)));
        let left: Vec<(u32, Job)> = again.map(|(delay_s, job)| (delay_s, job.clone())).collect();
        for (delay_s, left) in group_by_key(left, |(delay_s, _)| *delay_s) {
            let jobs: Vec<Job> = left.into_iter().map(|(_, job)| job).collect();
            if let Err(error) = wake(&self.platform, &jobs, delay_s).await {
                self.platform.log_event(&json!({"at": "deliver", "unsent_jobs": jobs.len(),
                    "error": error.to_string()}));
            }
        }
    }

    /// The slow attempts go on and are recorded as they end, lines are served, and replays go on.
    pub(super) async fn finish(self) {
        let Self { platform, jobs, mut turns, started, targets, slots, .. } = self;
        let replaying = replays::advance_all(platform.clone(), self.steps);
        let serving = batch::serve_lines(platform.clone(), started, targets, slots.free());
        let noting = queue_delay::note(platform.clone(), self.delays);
        let stragglers = async move {
            let mut left = jobs.iter().filter(|work| work.is_in_flight).count();
            while left > 0 {
                let Some(turn) = turns.next().await else { break };
                let BatchEvent::Ended(index, done) = turn else { continue };
                let mut ended = vec![(&jobs[index], *done)];
                // Endpoints that hang are given up at the same moment.
                platform.sleep_ms(STRAGGLERS_MS).await;
                while let Some(Some(turn)) = turns.next().now_or_never() {
                    if let BatchEvent::Ended(index, done) = turn {
                        ended.push((&jobs[index], *done));
                    }
                }
                left -= ended.len();
                batch::finish_stragglers(&platform, ended).await;
            }
        };
        join4(stragglers, serving, replaying, noting).await;
    }
}
