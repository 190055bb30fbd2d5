//! A queue job: a wake-up that carries ids only. The queue may lose, repeat or reorder jobs. The
//! delivery's row decides whether a job still applies.

use crate::domain::base::limits::MESSAGE_JOBS_MAX;
use crate::domain::lane::queue::DeliveryKey;
use serde::{Deserialize, Serialize};

use crate::domain::lane::queue::{ConnectionQueue, QueuePosition};

/// What a message of the job queue asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Attempt deliveries.
    Deliver(Vec<Job>),
    /// Serve the line of a connection, as its lane says.
    Lane(ConnectionQueue),
    /// Do the next step of a replay.
    Replay(Step),
}

/// A step of a replay. A message for another step than the next one does nothing, so however often
/// messages are repeated, a replay has one that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Which LOG database holds the replay.
    #[serde(rename = "s")]
    pub shard: u16,
    /// Its workspace.
    #[serde(rename = "w")]
    pub workspace: String,
    /// The replay.
    #[serde(rename = "r")]
    pub replay: String,
    /// Number of the step, from 0.
    #[serde(rename = "n")]
    pub number: u32,
}

/// The message that asks for a step of a replay.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplayJob {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "replay")]
    step: Step,
}

/// The message that asks to serve a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneJob {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "lane")]
    line: ConnectionQueue,
}

/// The message that asks to attempt several deliveries of a workspace.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobSet {
    #[serde(rename = "v")]
    version: u8,
    #[serde(rename = "s")]
    shard: u16,
    #[serde(rename = "w")]
    workspace: String,
    /// Of each: its connection, event, number of the rule, attempt, bytes of the payload.
    #[serde(rename = "d")]
    deliveries: Vec<(String, String, u32, u32, i64)>,
}

impl JobSet {
    fn read(self) -> Result<Vec<Job>, String> {
        let Self { version, shard, workspace, deliveries } = self;
        if version != SET_VERSION {
            return Err(format!("version {version} is not known"));
        }
        let job = |(connection, event, rule, attempt, bytes)| {
            let workspace = workspace.clone();
            Job::new(shard, DeliveryKey { workspace, connection, event, rule }, attempt, bytes)
        };
        deliveries.into_iter().map(|one| job(one).checked()).collect()
    }
}

impl Message {
    /// Reads a message text.
    ///
    /// # Errors
    /// What is malformed, for the log.
    pub fn parse(text: &str) -> Result<Self, String> {
        // By far the most are jobs for one delivery.
        let why = match Job::parse(text) {
            Ok(job) => return Ok(Self::Deliver(vec![job])),
            Err(why) => why,
        };
        if let Ok(set) = serde_json::from_str::<JobSet>(text) {
            return set.read().map(Self::Deliver);
        }
        if let Ok(LaneJob { version, line }) = serde_json::from_str(text) {
            check(version, &[&line.workspace, &line.connection])?;
            return Ok(Self::Lane(line));
        }
        if let Ok(ReplayJob { version, step }) = serde_json::from_str(text) {
            check(version, &[&step.workspace, &step.replay])?;
            return Ok(Self::Replay(step));
        }
        Err(why)
    }

    /// Whether a message that cannot be read was sent by a newer release, which is being rolled out
    /// or was taken back.
    pub fn is_of_newer_release(text: &str) -> bool {
        #[derive(Deserialize)]
        struct Versioned {
            v: u64,
        }
        serde_json::from_str::<Versioned>(text)
            .is_ok_and(|message| message.v > u64::from(SET_VERSION))
    }

    /// The texts of the messages that ask for jobs: those of a workspace share one, up to
    /// [`MESSAGE_JOBS_MAX`], in the order in which they come.
    pub fn deliver_texts(jobs: &[Job]) -> Vec<String> {
        let mut sets: Vec<Vec<&Job>> = Vec::new();
        for job in jobs {
            let has_room = |set: &&mut Vec<&Job>| {
                set.len() < MESSAGE_JOBS_MAX
                    && set[0].workspace == job.workspace
                    && set[0].shard == job.shard
            };
            match sets.iter_mut().rev().find(has_room) {
                Some(set) => set.push(job),
                None => sets.push(vec![job]),
            }
        }
        sets.iter().map(|set| Self::set_text(set)).collect()
    }

    /// One alone goes in the form that every release reads.
    fn set_text(set: &[&Job]) -> String {
        let [first, _, ..] = set else { return set.iter().map(|job| job.to_text()).collect() };
        let one = |job: &&Job| {
            let (connection, event) = (job.connection.clone(), job.event.clone());
            (connection, event, job.rule, job.attempt, job.payload_bytes)
        };
        let set = JobSet {
            version: SET_VERSION,
            shard: first.shard,
            workspace: first.workspace.clone(),
            deliveries: set.iter().map(one).collect(),
        };
        serde_json::to_string(&set).expect("jobs are JSON")
    }

    /// The text of the message that asks to serve `line`.
    pub fn lane_text(line: &ConnectionQueue) -> String {
        let job = LaneJob { version: VERSION, line: line.clone() };
        serde_json::to_string(&job).expect("a job is JSON")
    }

    /// The text of the message that asks for a step of a replay.
    pub fn replay_text(step: &Step) -> String {
        let job = ReplayJob { version: VERSION, step: step.clone() };
        serde_json::to_string(&job).expect("a job is JSON")
    }
}

fn check(version: u8, ids: &[&String]) -> Result<(), String> {
    if version != VERSION {
        return Err(format!("version {version} is not known"));
    }
    if ids.iter().any(|id| crate::domain::base::ids::parse_uuid(id).as_ref() != Some(*id)) {
        return Err("an id is no UUID".to_owned());
    }
    Ok(())
}

/// Wakes one attempt of one delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Version of this form.
    #[serde(rename = "v")]
    version: u8,
    /// Which LOG database holds the delivery.
    #[serde(rename = "s")]
    pub shard: u16,
    /// Its workspace.
    #[serde(rename = "w")]
    pub workspace: String,
    /// Its connection.
    #[serde(rename = "c")]
    pub connection: String,
    /// Its event.
    #[serde(rename = "e")]
    pub event: String,
    /// Number of its rule.
    #[serde(rename = "r")]
    pub rule: u32,
    /// The attempt that is due, from 1. A job for an attempt that is already recorded is dropped.
    #[serde(rename = "n")]
    pub attempt: u32,
    /// Bytes of the payload, so that a batch can be read in slices.
    #[serde(rename = "b")]
    pub payload_bytes: i64,
}

/// The version of all messages but those for several deliveries.
const VERSION: u8 = 1;
/// Their version, the newest there is.
const SET_VERSION: u8 = 2;

impl Job {
    /// A job for `attempt` of the delivery `key` in `shard`.
    pub fn new(shard: u16, key: DeliveryKey, attempt: u32, payload_bytes: i64) -> Self {
        let DeliveryKey { workspace, connection, event, rule } = key;
        Self { version: VERSION, shard, workspace, connection, event, rule, attempt, payload_bytes }
    }

    /// The delivery it is about.
    pub fn key(&self) -> DeliveryKey {
        DeliveryKey {
            workspace: self.workspace.clone(),
            connection: self.connection.clone(),
            event: self.event.clone(),
            rule: self.rule,
        }
    }

    /// Its place in its line.
    pub fn place(&self) -> QueuePosition {
        QueuePosition { event: self.event.clone(), rule: self.rule }
    }

    /// The line that the delivery stands in.
    pub fn line(&self) -> ConnectionQueue {
        ConnectionQueue {
            shard: self.shard,
            workspace: self.workspace.clone(),
            connection: self.connection.clone(),
        }
    }

    /// Whether both are about the same delivery.
    pub fn is_same_delivery(&self, other: &Self) -> bool {
        self.event == other.event
            && self.rule == other.rule
            && self.connection == other.connection
            && self.workspace == other.workspace
    }

    /// Whether both are for the same attempt.
    pub fn is_same_attempt(&self, other: &Self) -> bool {
        self.attempt == other.attempt && self.is_same_delivery(other)
    }

    /// The message text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a job is JSON")
    }

    /// Reads a message text.
    ///
    /// # Errors
    /// What is malformed, for the log.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_json::from_str::<Self>(text).map_err(|e| e.to_string())?.checked()
    }

    fn checked(self) -> Result<Self, String> {
        check(self.version, &[&self.workspace, &self.connection, &self.event])?;
        if self.attempt == 0 || self.payload_bytes < 0 {
            return Err("attempt counts from 1, payload_bytes from 0".to_owned());
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_of_a_workspace_share_messages() {
        let id = |n: u32| format!("00000000-0000-4000-8000-{n:012}");
        let job = |n: u32, workspace: u32| {
            let (workspace, connection, event) = (id(workspace), id(7), id(n));
            Job::new(3, DeliveryKey { workspace, connection, event, rule: n }, 1 + n, 512)
        };
        let most = u32::try_from(MESSAGE_JOBS_MAX).expect("small");
        let mut jobs: Vec<Job> = (0..=most).map(|n| job(n, 1)).collect();
        jobs.insert(1, job(90, 2));
        let texts = Message::deliver_texts(&jobs);
        let read = |text: &String| match Message::parse(text) {
            Ok(Message::Deliver(jobs)) => jobs,
            other => panic!("{other:?}"),
        };
        let sizes: Vec<usize> = texts.iter().map(|text| read(text).len()).collect();
        assert_eq!(sizes, [MESSAGE_JOBS_MAX, 1, 1]);
        let mut all: Vec<Job> = texts.iter().flat_map(read).collect();
        all.sort_by_key(|job| job.rule);
        jobs.sort_by_key(|job| job.rule);
        assert_eq!(all, jobs);
        assert_eq!(texts[1], job(90, 2).to_text(), "one alone is as it always was");
        assert!(texts[0].len() <= MESSAGE_JOBS_MAX * 110 + 100, "{}", texts[0].len());
        for (from, to) in [
            ("\"v\":2", "\"v\":1"),
            ("\"v\":2", "\"v\":3"),
            ("0-8", "x-8"),
            (",0,1,512", ",0,0,512"),
            (",512", ",-512"),
            ("\"s\":3", "\"s\":3,\"x\":0"),
        ] {
            let wrong = texts[0].replacen(from, to, 1);
            assert!(wrong != texts[0] && Message::parse(&wrong).is_err(), "{from} -> {to}");
            assert_eq!(Message::is_of_newer_release(&wrong), to == "\"v\":3");
        }
    }

    #[test]
    fn jobs_survive_the_queue_and_malformed_ones_are_told() {
        let id = "00000000-0000-4000-8000-000000000000".to_owned();
        let key = DeliveryKey { workspace: id.clone(), connection: id.clone(), event: id, rule: 7 };
        let job = Job::new(3, key.clone(), 2, 512);
        assert_eq!(Job::parse(&job.to_text()), Ok(job.clone()));
        assert_eq!(job.key(), key);
        let text = job.to_text();
        for (from, to) in [
            ("\"v\":1", "\"v\":2"),
            ("\"n\":2", "\"n\":0"),
            ("0-8", "x-8"),
            ("\"r\":7", "\"r\":-1"),
        ] {
            assert!(Job::parse(&text.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let line = job.line();
        assert_eq!(Message::parse(&Message::lane_text(&line)), Ok(Message::Lane(line.clone())));
        assert_eq!(Message::parse(&text), Ok(Message::Deliver(vec![job])));
        let lane = Message::lane_text(&line);
        for (from, to) in [("\"v\":1", "\"v\":2"), ("0-8", "x-8")] {
            assert!(Message::parse(&lane.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let step = Step { shard: 1, workspace: key.workspace, replay: key.event, number: 9 };
        let replay = Message::replay_text(&step);
        assert_eq!(Message::parse(&replay), Ok(Message::Replay(step)));
        for (from, to) in [("\"v\":1", "\"v\":2"), ("0-8", "x-8"), ("\"n\":9", "\"n\":-1")] {
            assert!(Message::parse(&replay.replace(from, to)).is_err(), "{from} -> {to}");
        }
        for text in ["", "{}", "null", "[]", "\"x\"", "{\"v\":1}"] {
            assert!(Job::parse(text).is_err(), "{text}");
        }
    }
}
