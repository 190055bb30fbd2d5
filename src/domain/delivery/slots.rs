//! Which job of a consumer batch is started next, so that no connection holds the batch.
//!
//! There are [`SLOTS`] slots. A connection gets one until it has answered in this batch, then at
//! most [`SLOTS_PER_CONNECTION`], or all where no other has more to do. A connection with a slow
//! attempt gets no more, nor does one that was stopped: its other jobs are left to its lane.
//! Connections take turns, but as long as one that answers has more to do, [`SLOTS_KEPT`] slots are
//! kept from those that have not answered yet: a crowd of endpoints that hang does not fill the
//! batch. When every slot holds a slow attempt, nothing more is started.

use std::collections::VecDeque;

use crate::domain::base::limits::{SLOTS, SLOTS_KEPT, SLOTS_PER_CONNECTION};

/// The slots of one batch. Jobs are known by their index in the batch.
#[derive(Debug, Default)]
pub struct Slots {
    lines: Vec<BatchShare>,
    turn: usize,
    in_flight: usize,
    slow: usize,
}

#[derive(Debug, Default)]
struct BatchShare {
    connection: String,
    /// All its jobs, started or not.
    jobs: Vec<usize>,
    waiting: VecDeque<usize>,
    in_flight: usize,
    has_answered: bool,
    is_slow: bool,
    is_stopped: bool,
}

impl BatchShare {
    /// Whether nothing of it was started in this batch.
    fn is_untried(&self) -> bool {
        !self.has_answered && self.in_flight == 0
    }

    fn has_more(&self) -> bool {
        !self.is_slow && !self.is_stopped && !self.waiting.is_empty()
    }

    fn may_start(&self, is_only: bool) -> bool {
        let most = match (self.has_answered, is_only) {
            (false, _) => 1,
            (true, false) => SLOTS_PER_CONNECTION,
            (true, true) => SLOTS,
        };
        self.has_more() && self.in_flight < most
    }
}

impl Slots {
    /// Adds a job of `connection`.
    pub fn add(&mut self, job: usize, connection: &str) {
        let known = self.lines.iter().position(|line| line.connection == connection);
        let line = known.unwrap_or_else(|| {
            self.lines
                .push(BatchShare { connection: connection.to_owned(), ..BatchShare::default() });
            self.lines.len() - 1
        });
        self.lines[line].jobs.push(job);
        self.lines[line].waiting.push_back(job);
    }

    fn line_of(&mut self, job: usize) -> Option<&mut BatchShare> {
        self.lines.iter_mut().find(|line| line.jobs.contains(&job))
    }

    /// The next job to start; it takes a slot. `None` when nothing can be started now.
    pub fn start(&mut self) -> Option<usize> {
        if self.in_flight >= SLOTS {
            return None;
        }
        let count = self.lines.len();
        let silent_may = self.silent_may_start();
        let is_only = self.lines.iter().filter(|line| line.has_more()).count() == 1;
        let may_start =
            |line: &BatchShare| line.may_start(is_only) && (line.has_answered || silent_may);
        let line = (0..count)
            .map(|step| (self.turn + step) % count)
            .find(|&line| may_start(&self.lines[line]))?;
        let line = if self.lines[line].is_untried() { self.largest_untried(line) } else { line };
        self.turn = (line + 1) % count;
        self.in_flight += 1;
        self.lines[line].in_flight += 1;
        self.lines[line].waiting.pop_front()
    }

    /// Whether a slot is left for a connection that has not answered yet.
    fn silent_may_start(&self) -> bool {
        let silent = self.lines.iter().filter(|line| !line.has_answered);
        let held: usize = silent.map(|line| line.in_flight).sum();
        let is_kept = self.lines.iter().any(|line| line.has_answered && line.has_more());
        held < if is_kept { SLOTS - SLOTS_KEPT } else { SLOTS }
    }

    /// Of the connections of which nothing was started, `line` among them, the one with the most
    /// jobs: if it answers most gets done, and if it hangs most is left to a lane at the price of
    /// one slot. So a crowd of endpoints that hang does not stand before a busy healthy one.
    fn largest_untried(&self, line: usize) -> usize {
        let untried = |other: &usize| {
            let other = &self.lines[*other];
            other.is_untried() && other.may_start(false)
        };
        let larger = |best: usize, other: usize| {
            let is_larger = self.lines[other].waiting.len() > self.lines[best].waiting.len();
            if is_larger { other } else { best }
        };
        (0..self.lines.len()).filter(untried).fold(line, larger)
    }

    /// A job that was in flight and not slow has ended; its slot is free and its connection
    /// answers.
    pub fn answered(&mut self, job: usize) {
        let Some(line) = self.line_of(job) else { return };
        line.in_flight -= 1;
        line.has_answered = true;
        self.in_flight -= 1;
    }

    /// A job that was slow has ended; its slot is free, its connection still gets no other in this
    /// batch.
    pub fn slow_ended(&mut self, job: usize) {
        let Some(line) = self.line_of(job) else { return };
        line.in_flight -= 1;
        self.in_flight -= 1;
        self.slow -= 1;
    }

    /// A job in flight is slow. It keeps its slot.
    pub fn became_slow(&mut self, job: usize) {
        let Some(line) = self.line_of(job) else { return };
        line.is_slow = true;
        self.slow += 1;
    }

    /// Whether an attempt is in flight that may still answer in time.
    pub fn is_waiting(&self) -> bool {
        self.in_flight > self.slow
    }

    /// Whether anything waits to be started.
    pub fn has_more(&self) -> bool {
        self.lines.iter().any(BatchShare::has_more)
    }

    /// Whether every slot holds a slow attempt.
    pub fn is_jammed(&self) -> bool {
        self.slow >= SLOTS
    }

    /// The connection of a job gets no more.
    pub fn stop(&mut self, job: usize) {
        if let Some(line) = self.line_of(job) {
            line.is_stopped = true;
        }
    }

    /// How many slots hold no slow attempt.
    pub fn free(&self) -> usize {
        SLOTS.saturating_sub(self.slow)
    }

    /// Takes out the jobs that were not started and of which `is_meant` holds.
    pub fn take_waiting(&mut self, is_meant: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut taken = Vec::new();
        for line in &mut self.lines {
            taken.extend(line.waiting.iter().copied().filter(|job| is_meant(*job)));
            line.waiting.retain(|job| !is_meant(*job));
        }
        taken
    }

    fn waiting(&self, left_to_lane: bool) -> Vec<usize> {
        let of = |line: &&BatchShare| (line.is_slow || line.is_stopped) == left_to_lane;
        self.lines.iter().filter(of).flat_map(|line| line.waiting.iter().copied()).collect()
    }

    /// The jobs that were not started because their connection gets no more.
    pub fn left_to_lane(&self) -> Vec<usize> {
        self.waiting(true)
    }

    /// The jobs that were not started because no slot was free.
    pub fn not_started(&self) -> Vec<usize> {
        self.waiting(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(connections: &[&str]) -> Slots {
        let mut slots = Slots::default();
        for (job, connection) in connections.iter().enumerate() {
            slots.add(job, connection);
        }
        slots
    }

    fn started(slots: &mut Slots) -> Vec<usize> {
        std::iter::from_fn(|| slots.start()).collect()
    }

    #[test]
    fn one_until_it_answers_then_all_that_no_other_wants() {
        let mut slots = slots(&["a"; 8]);
        assert_eq!(started(&mut slots), [0]);
        slots.answered(0);
        assert_eq!(started(&mut slots), [1, 2, 3, 4, 5]);
        slots.answered(2);
        assert_eq!(started(&mut slots), [6]);
        slots.add(8, "b");
        slots.answered(1);
        assert_eq!(started(&mut slots), [8], "one slot is left to the others");
        slots.answered(3);
        assert_eq!(started(&mut slots), [7]);
        assert!(!slots.has_more());
    }

    #[test]
    fn connections_take_turns() {
        let mut slots = slots(&["a", "a", "a", "a", "a", "a", "b", "c"]);
        assert_eq!(started(&mut slots), [0, 6, 7]);
        slots.answered(0);
        assert_eq!(started(&mut slots), [1, 2, 3], "five in flight, b and c among them");
    }

    #[test]
    fn the_connection_with_the_most_jobs_is_tried_first() {
        let mut slots = slots(&["a", "b", "c", "d", "e", "f", "g", "g", "g"]);
        assert_eq!(started(&mut slots)[0], 6);
        assert_eq!(slots.not_started().len(), 4);
    }

    #[test]
    fn slots_are_kept_for_a_connection_that_answers() {
        let mut slots = slots(&["a", "a", "a", "a", "b", "c", "d", "e", "f"]);
        assert_eq!(started(&mut slots), [0, 4, 5, 6, 7]);
        slots.answered(0);
        assert_eq!(started(&mut slots), [1], "one of those that are silent would take the last");
        slots.answered(1);
        slots.answered(4);
        assert_eq!(started(&mut slots), [2, 3]);
        slots.answered(2);
        assert_eq!(started(&mut slots), [8], "nothing waits that the slot is kept for");
    }

    #[test]
    fn a_slow_connection_gets_no_more() {
        let mut slots = slots(&["a", "a", "b", "b"]);
        assert_eq!(started(&mut slots), [0, 2]);
        slots.became_slow(0);
        slots.answered(2);
        assert_eq!(started(&mut slots), [3]);
        assert!(slots.is_waiting());
        slots.answered(3);
        assert!(!slots.is_waiting() && !slots.is_jammed());
        slots.slow_ended(0);
        assert_eq!(started(&mut slots), [] as [usize; 0]);
        assert_eq!((slots.left_to_lane(), slots.not_started()), (vec![1], vec![]));
    }

    #[test]
    fn a_stopped_connection_gets_no_more() {
        let mut slots = slots(&["a", "a", "b"]);
        assert_eq!(started(&mut slots), [0, 2]);
        slots.stop(0);
        slots.answered(0);
        slots.answered(2);
        assert_eq!((slots.start(), slots.left_to_lane()), (None, vec![1]));
        assert_eq!(slots.free(), SLOTS);
    }

    #[test]
    fn five_slow_attempts_jam_the_batch() {
        let mut slots = slots(&["a", "b", "c", "d", "e", "f"]);
        for job in started(&mut slots) {
            slots.became_slow(job);
        }
        assert!(slots.is_jammed() && !slots.is_waiting());
        assert_eq!((slots.start(), slots.not_started()), (None, vec![5]));
        slots.slow_ended(2);
        assert_eq!((slots.is_jammed(), slots.start()), (false, Some(5)));
    }
}
