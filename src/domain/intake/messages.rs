//! What isolates ask of an intake, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::intake::generations::Generation;
use crate::domain::routing::idempotency::StoredClaim;

/// The version of these forms. An intake answers another one with an error, so that the caller
/// tries again: both are of one release except while it is rolled out.
pub const VERSION: u8 = 1;

/// A command with its version.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope {
    /// See [`VERSION`].
    #[serde(rename = "v")]
    pub version: u8,
    /// Whether the [usual reply](Command::usual_reply) may come as no text at all. An intake of
    /// another release may not know of it.
    #[serde(rename = "b", default)]
    pub takes_no_text: bool,
    /// The command.
    #[serde(rename = "c")]
    pub command: Command,
}

/// What is asked of an intake.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Store events.
    Emit {
        /// Those of each workspace.
        parts: Vec<Part>,
        /// Whether they were sent before, and the answer was lost.
        is_repeated: bool,
    },
    /// Keys, rules or connections of a workspace were changed: take nothing that was matched
    /// before, and flush what the workspace has here.
    Changed(String),
    /// Flush what a workspace has here.
    Flush(String),
    /// Look whether something was left lying, and say how things are.
    Poke,
}

impl Command {
    /// What nearly every emit is answered: all is stored, and nothing was changed since its events
    /// were matched. Both sides know it, so that it needs no text.
    pub fn usual_reply(&self) -> Option<Reply> {
        let Self::Emit { parts, .. } = self else { return None };
        let stored = |part: &Part| part.generation.map(PartReply::Stored);
        parts.iter().map(stored).collect::<Option<_>>().map(Reply::Parts)
    }
}

/// What an emit stores in one workspace. A repetition stores nothing again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Part {
    /// The workspace.
    #[serde(rename = "w")]
    pub workspace: String,
    /// Which LOG database holds its events.
    #[serde(rename = "s")]
    pub shard: u16,
    /// The generation of the routing that its events were matched with.
    #[serde(rename = "g")]
    pub generation: Option<Generation>,
    /// The idempotency key, if there is one.
    #[serde(rename = "k")]
    pub claim: Option<StoredClaim>,
    /// The events.
    #[serde(rename = "e")]
    pub chunks: Vec<Chunk>,
}

/// Some events as the intake stores them: see [`waiting`](crate::domain::intake::waiting).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Chunk {
    /// How many there are.
    #[serde(rename = "n")]
    pub count: usize,
    /// Their text, an array.
    #[serde(rename = "t")]
    pub text: Box<RawValue>,
}

impl Part {
    /// How many events it has.
    pub fn count(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.count).sum()
    }

    /// How many bytes its texts have.
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.text.get().len()).sum()
    }
}

/// What an intake answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// What became of each part of an emit.
    Parts(Vec<PartReply>),
    /// All that the workspace had here is in LOG. Its present generation.
    Flushed(Generation),
    /// The command took effect, but LOG does not take what the workspace has here.
    Behind(Generation),
    /// How things are.
    Status(Status),
}

/// What became of a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartReply {
    /// It is stored.
    Stored(Generation),
    /// Nothing was stored: an earlier request has the idempotency key.
    First(StoredClaim),
    /// Nothing was stored: it was matched with a routing that may be old.
    Stale(Generation),
    /// Nothing was stored: too much waits here.
    Full,
    /// Nothing was stored: its idempotency key is new, and too many are kept here.
    FullOfKeys,
}

/// How things are at an intake.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Events that are not in LOG yet.
    pub waiting: usize,
    /// When the oldest of them was stored here.
    pub oldest_at_ms: Option<i64>,
    /// How much of what idempotency keys may take is taken, in percent.
    #[serde(default)]
    pub keys_percent: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::intake::generations::Generations;

    fn part(generation: Option<Generation>) -> Part {
        let workspace = "w".to_owned();
        Part { workspace, shard: 0, generation, claim: None, chunks: Vec::new() }
    }

    fn emit(parts: Vec<Part>) -> Command {
        Command::Emit { parts, is_repeated: false }
    }

    #[test]
    fn the_usual_reply_is_that_all_is_stored_and_nothing_was_changed() {
        let all = Generations::new(7, 0);
        let known = all.of("w");
        let usual = emit(vec![part(Some(known)), part(Some(known))]).usual_reply();
        let stored = PartReply::Stored(known);
        assert_eq!(usual, Some(Reply::Parts(vec![stored.clone(), stored])));
        assert_eq!(emit(vec![part(Some(known)), part(None)]).usual_reply(), None);
        assert_eq!(Command::Flush("w".to_owned()).usual_reply(), None);
    }

    #[test]
    fn an_envelope_of_the_release_before_takes_no_answer_without_a_text() {
        let read: Envelope = serde_json::from_str(r#"{"v":1,"c":"poke"}"#).expect("an envelope");
        assert!(!read.takes_no_text);
        let asked = Envelope { version: VERSION, takes_no_text: true, command: Command::Poke };
        let text = serde_json::to_string(&asked).expect("JSON");
        assert_eq!(text, r#"{"v":1,"b":true,"c":"poke"}"#);
    }
}
