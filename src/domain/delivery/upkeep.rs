//! A message of the upkeep queue: one task of one shard. The cron sends one for each again and
//! again, so a message that is lost is no loss. They have a queue of their own because in the job
//! queue they would wait behind the very backlog that they are to clear.

use serde::{Deserialize, Serialize};

/// What is to be done on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Bring back what was lost: deliveries, lanes, held deliveries, replays. And what has its turn
    /// by the minute: the quota of events, old idempotency keys.
    Sweep,
    /// Go on with what is left of deleted workspaces, and delete what has had its time.
    Clean,
    /// Go on counting, for the statistics.
    Count,
}

impl Task {
    /// All tasks, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Sweep, Self::Clean, Self::Count];

    /// Whether the cron sends it in this minute, given as minutes since 1970. What does not need to
    /// be prompt comes every five minutes: a queue message is three operations that are paid for.
    pub fn is_due_in(self, minute: i64) -> bool {
        self == Self::Sweep || minute.rem_euclid(5) == 1
    }

    /// The word, for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sweep => "sweep",
            Self::Clean => "clean",
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
}

/// The only version there is.
const VERSION: u8 = 1;

impl UpkeepJob {
    /// A task of a shard.
    pub fn new(shard: u16, task: Task, after_restart: bool) -> Self {
        Self { version: VERSION, shard, task, after_restart }
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
    fn the_sweep_is_due_every_minute_and_the_rest_every_five() {
        let due = |task: Task| (0..10).filter(|minute| task.is_due_in(*minute)).count();
        assert_eq!(Task::ALL.map(due), [10, 2, 2]);
    }

    #[test]
    fn tasks_survive_the_queue() {
        for task in Task::ALL {
            let job = UpkeepJob::new(3, task, true);
            assert_eq!(UpkeepJob::parse(&job.to_text()), Some(job));
            assert!(job.to_text().contains(task.as_str()));
        }
        // A job for a delivery is none, and neither is what another release sends.
        for text in ["{\"v\":1,\"s\":0}", "{\"v\":2,\"s\":0,\"upkeep\":\"sweep\"}", "", "{}"] {
            assert_eq!(UpkeepJob::parse(text), None, "{text}");
        }
        let short = "{\"v\":1,\"s\":0,\"upkeep\":\"sweep\"}";
        assert_eq!(UpkeepJob::parse(short), Some(UpkeepJob::new(0, Task::Sweep, false)));
    }
}
