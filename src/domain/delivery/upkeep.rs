//! A message of the upkeep queue: one task of one shard. The cron sends one for each again and
//! again, so a message that is lost is no loss. They have a queue of their own because in the job
//! queue they would wait behind the very backlog that they are to clear.

use serde::{Deserialize, Serialize};

use crate::domain::base::time::MINUTE_MS;

/// What is to be done on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Bring back what was lost: deliveries, lanes, held deliveries, replays. And what has its turn
    /// by the minute: the quota of events, old idempotency keys, the size of the shard.
    Sweep,
    /// Go on with what is to be erased.
    Erase,
    /// Go on with what is left of deleted organizations and workspaces, and delete what has had its
    /// time.
    Clean,
    /// Go on deleting old events.
    Retain,
    /// Go on counting, for the statistics.
    Count,
}

/// Seconds between two runs, so that a database is left to others in between.
pub const FOLLOWED_AFTER_S: u32 = 10;

impl Task {
    /// All tasks, the most urgent first.
    pub const ALL: [Self; 5] = [Self::Sweep, Self::Erase, Self::Clean, Self::Retain, Self::Count];

    /// How often the cron sends it, in minutes. A queue message is three operations that are paid
    /// for, so what does not need to be prompt comes less often.
    fn every_minutes(self) -> i64 {
        match self {
            Self::Sweep => 1,
            Self::Clean | Self::Count => 5,
            Self::Erase | Self::Retain => 15,
        }
    }

    /// Whether the cron sends it in this minute, given as minutes since 1970.
    pub fn is_due_in(self, minute: i64) -> bool {
        let every = self.every_minutes();
        minute.rem_euclid(every) == 1 % every
    }

    /// How long after the cron's message the runs that follow it may begin. They end before the
    /// cron sends the next one, or each would begin one more line of runs.
    fn followed_ms(self) -> i64 {
        (self.every_minutes() - 1) * MINUTE_MS
    }

    /// The word, for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Erase => "erase",
            Self::Clean => "clean",
            Self::Retain => "retain",
            Self::Count => "count",
        }
    }
}

/// A task of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpkeepJob {
    /// Version of this form.
    #[serde(rename = "v")]
    version: u8,
    /// Which LOG database.
    #[serde(rename = "s")]
    pub shard: u16,
    /// What is to be done there.
    #[serde(rename = "upkeep")]
    pub task: Task,
    /// Whether a local installation was just started: its queues live in memory, so no job is on
    /// its way.
    #[serde(rename = "restart", default)]
    pub after_restart: bool,
    /// When it was sent, or the first of those that it follows.
    #[serde(rename = "since", default)]
    since_ms: i64,
}

/// The only version there is.
const VERSION: u8 = 1;

impl UpkeepJob {
    /// A task of a shard.
    pub fn new(shard: u16, task: Task, after_restart: bool, now_ms: i64) -> Self {
        Self { version: VERSION, shard, task, after_restart, since_ms: now_ms }
    }

    /// The run that goes on with what this one left, [`FOLLOWED_AFTER_S`] later; `None` when the
    /// cron's next message does.
    pub fn next(self, now_ms: i64) -> Option<Self> {
        let is_soon = (0..self.task.followed_ms()).contains(&(now_ms - self.since_ms));
        is_soon.then_some(Self { after_restart: false, ..self })
    }

    /// The message text.
    pub fn to_text(self) -> String {
        serde_json::to_string(&self).unwrap_or_default()
    }

    /// Reads a message text; `None` for what is no message of this queue that we know.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|job: &Self| job.version == VERSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sweep_is_due_every_minute_and_the_rest_less_often() {
        let due = |task: Task| (0..30).filter(|minute| task.is_due_in(*minute)).count();
        assert_eq!(Task::ALL.map(due), [30, 2, 6, 2, 6]);
    }

    #[test]
    fn runs_follow_each_other_until_the_crons_next_message() {
        let job = UpkeepJob::new(3, Task::Count, true, 1_000);
        let next = job.next(1_000).expect("the next run");
        assert_eq!(next, UpkeepJob::new(3, Task::Count, false, 1_000));
        assert_eq!(next.next(1_000 + 4 * MINUTE_MS - 1), Some(next));
        assert_eq!(next.next(1_000 + 4 * MINUTE_MS), None);
        assert_eq!(next.next(0), None, "clocks differ");
    }

    #[test]
    fn tasks_survive_the_queue() {
        for task in Task::ALL {
            let job = UpkeepJob::new(3, task, true, 5);
            assert_eq!(UpkeepJob::parse(&job.to_text()), Some(job));
            assert!(job.to_text().contains(task.as_str()));
        }
        // A job for a delivery is none, and neither is what another release sends.
        for text in ["{\"v\":1,\"s\":0}", "{\"v\":2,\"s\":0,\"upkeep\":\"sweep\"}", "", "{}"] {
            assert_eq!(UpkeepJob::parse(text), None, "{text}");
        }
        let short = "{\"v\":1,\"s\":0,\"upkeep\":\"sweep\"}";
        assert_eq!(UpkeepJob::parse(short), Some(UpkeepJob::new(0, Task::Sweep, false, 0)));
    }
}
