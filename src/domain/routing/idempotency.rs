//! Idempotency of emits: a caller that got no answer sends the request again with the same
//! `Idempotency-Key` and gets the first answer.
//!
//! A key is scoped to a workspace and a sender. A bulk request for several workspaces claims its
//! key in each of them. Each is handled by itself: what was stored is answered as it was, and what
//! could not be stored the first time is stored now.
//!
//! The claim is part of the batch that stores the events, and no read comes before it. So of any
//! number of requests at the same time one wins, and all of them learn which.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::limits::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::domain::routing::event::Event;

/// Name of the header that carries a key.
pub const HEADER: &str = "Idempotency-Key";

/// A key with the body that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    text: String,
    body_hash: String,
}

impl Key {
    /// Checks the value of the header.
    ///
    /// # Errors
    /// `Invalid` naming the header.
    pub fn parse(text: &str, body: &[u8]) -> Result<Self> {
        let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if text.is_empty() || text.len() > IDEMPOTENCY_KEY_CHARS_MAX || !is_printable {
            let msg =
                format!("must be 1 to {IDEMPOTENCY_KEY_CHARS_MAX} printable ASCII characters");
            return Err(Error::field(HEADER, msg));
        }
        Ok(Self { text: text.to_owned(), body_hash: hash(&[body]) })
    }

    /// What stands for this key in a workspace. It is as good as random, so that any range of ids
    /// holds its share of all keys, which is how the sweeper divides its work.
    pub fn id(&self, workspace: &str, sender: Sender) -> String {
        let sender = sender.as_str().as_bytes();
        hash(&[workspace.as_bytes(), b" ", sender, b" ", self.text.as_bytes()])
    }
}

/// Who sends: a key that may only emit cannot claim what the product's own servers send. All
/// machine keys of an organization are one sender, and so are the publishable keys that took each
/// other's place in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// A publishable key of the workspace.
    Publishable,
    /// A machine key of the organization.
    Machine,
}

impl Sender {
    fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Machine => "machine",
        }
    }
}

/// 128 bits are enough to tell apart what one caller sends, and half as long as all of them.
fn hash(parts: &[&[u8]]) -> String {
    let digest = Sha256::digest(parts.concat());
    digest[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What one request claims on one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Stands for this request and no other: the id of the first event that it accepts.
    pub owner: String,
    /// Hash of the request's body.
    pub body_hash: String,
    /// The key that emits.
    pub created_by: String,
    /// When the request came.
    pub created_at_ms: i64,
    /// The claims, one for each workspace.
    pub of: Vec<Claim>,
}

/// A key claimed in a workspace, for these events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// See [`Key::id`].
    pub id: String,
    /// The workspace.
    pub workspace: String,
    /// The events by their places in the request.
    pub events: Vec<Placed>,
}

/// An event in its place in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The place, from 0.
    pub index: usize,
    /// Id of the event.
    pub event: String,
}

/// What is kept for a key: who has it, and what the first answer is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredClaim {
    /// See [`Key::id`].
    pub id: String,
    /// Who has it.
    pub owner: String,
    /// Hash of the first body.
    pub body_hash: String,
    /// The events of the first answer.
    pub events: Vec<Placed>,
    /// The key that emitted them.
    pub created_by: String,
    /// When that was.
    pub created_at_ms: i64,
}

impl Claims {
    /// The claims of a request with `key` for its events in their places.
    pub fn of<'a>(
        key: &Key,
        sender: Sender,
        owner: &str,
        events: impl Iterator<Item = (usize, &'a Event)>,
    ) -> Option<Self> {
        let mut claims: Option<Self> = None;
        for (index, event) in events {
            let claims = claims.get_or_insert_with(|| Self {
                owner: owner.to_owned(),
                body_hash: key.body_hash.clone(),
                created_by: event.created_by.clone(),
                created_at_ms: event.created_at_ms,
                of: Vec::new(),
            });
            let placed = Placed { index, event: event.id.clone() };
            match claims.of.iter_mut().find(|claim| claim.workspace == event.workspace) {
                Some(claim) => claim.events.push(placed),
                None => claims.of.push(Claim {
                    id: key.id(&event.workspace, sender),
                    workspace: event.workspace.clone(),
                    events: vec![placed],
                }),
            }
        }
        claims
    }

    /// What is kept of them.
    pub fn kept(&self) -> impl Iterator<Item = StoredClaim> {
        self.of.iter().map(|claim| StoredClaim {
            id: claim.id.clone(),
            owner: self.owner.clone(),
            body_hash: self.body_hash.clone(),
            events: claim.events.clone(),
            created_by: self.created_by.clone(),
            created_at_ms: self.created_at_ms,
        })
    }

    /// The id of the claim in a workspace.
    pub fn id_in(&self, workspace: &str) -> Option<&str> {
        let claim = self.of.iter().find(|claim| claim.workspace == workspace);
        claim.map(|claim| claim.id.as_str())
    }

    /// What an earlier request with the same key was answered for the event in this place; `None`
    /// when the key is this request's own. Its answer to another body is `Conflict`.
    pub fn first_answer(
        &self,
        kept: &[StoredClaim],
        index: usize,
        event: &Event,
    ) -> Option<Result<Event>> {
        let id = self.id_in(&event.workspace)?;
        let Some(first) = kept.iter().find(|kept| kept.id == id) else {
            return Some(Err(Error::internal("an idempotency key is not there after its batch")));
        };
        if first.owner == self.owner {
            return None;
        }
        let conflict = |msg: &str| Some(Err(Error::field(HEADER, msg).of_kind(Kind::Conflict)));
        if first.body_hash != self.body_hash {
            return conflict("was used with another body in the last 24 hours");
        }
        match first.events.iter().find(|placed| placed.index == index) {
            Some(placed) => Some(Ok(Event {
                id: placed.event.clone(),
                created_by: first.created_by.clone(),
                created_at_ms: first.created_at_ms,
                ..event.clone()
            })),
            None => conflict("was used when this event was refused; send it with another key"),
        }
    }
}

/// The part of all ids whose turn it is in the minute of `now_ms`: from the first up to and without
/// the second. In a day every id has its turn once.
pub fn swept_ids(now_ms: i64) -> (String, String) {
    const MINUTES: u64 = 24 * 60;
    let minute =
        u64::try_from(now_ms / crate::domain::base::time::MINUTE_MS).unwrap_or(0) % MINUTES;
    let bound = |minute: u64| match (minute << 32) / MINUTES {
        0x1_0000_0000 => "~".to_owned(),
        head => format!("{head:08x}"),
    };
    (bound(minute), bound(minute + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::base::time::{DAY_MS, MINUTE_MS};
    use proptest::prelude::*;

    #[test]
    fn keys_are_1_to_255_printable_characters() {
        for good in ["k", "a b~!\"", &"x".repeat(255)] {
            assert!(Key::parse(good, b"").is_ok(), "{good}");
        }
        for bad in ["", "é", "a\tb", "a\u{7f}", &"x".repeat(256)] {
            let error = Key::parse(bad, b"").expect_err(bad);
            assert_eq!((error.kind, error.fields[0].param.as_str()), (Kind::Invalid, HEADER));
        }
    }

    #[test]
    fn a_key_is_another_in_each_workspace() {
        let key = |text: &str| Key::parse(text, b"{}").expect("a key");
        let id = |text: &str, workspace: &str| key(text).id(workspace, Sender::Machine);
        assert_eq!(id("k", "a"), id("k", "a"));
        assert_ne!(id("k", "a"), id("k", "b"));
        assert_ne!(id("k", "a"), id("l", "a"));
        assert_ne!(id("k", "a"), key("k").id("a", Sender::Publishable));
    }

    fn event(id: &str, workspace: &str) -> Event {
        Event {
            id: id.into(),
            workspace: workspace.into(),
            name: "x".into(),
            resource: None,
            resource_id: None,
            created_by: format!("by {id}"),
            created_at_ms: 7,
            hops: 0,
            trace: None,
            fan_out: Vec::new(),
            unmatched: Vec::new(),
        }
    }

    /// What the request that came first keeps in the workspace `w`.
    fn kept(body: &[u8], owner: &str, index: usize) -> StoredClaim {
        let key = Key::parse("k", body).expect("a key");
        let (id, body_hash) = (key.id("w", Sender::Machine), key.body_hash);
        let events = vec![Placed { index, event: owner.into() }];
        let created_by = format!("by {owner}");
        StoredClaim { id, owner: owner.into(), body_hash, events, created_by, created_at_ms: 3 }
    }

    #[test]
    fn the_first_answer_is_given_again() {
        let key = Key::parse("k", b"body").expect("a key");
        let own = event("own", "w");
        let claims =
            Claims::of(&key, Sender::Machine, "own", [(0, &own)].into_iter()).expect("claims");
        let answer = |kept: StoredClaim| claims.first_answer(&[kept], 0, &own);
        assert!(answer(kept(b"body", "own", 0)).is_none(), "it is this request's own");
        let first = answer(kept(b"body", "first", 0)).expect("an answer").expect("the event");
        assert_eq!((first.id.as_str(), first.created_at_ms), ("first", 3));
        assert_eq!((first.created_by.as_str(), first.name.as_str()), ("by first", "x"));
        for refused in [kept(b"other", "first", 0), kept(b"body", "first", 1)] {
            let error = answer(refused).expect("an answer").expect_err("refused");
            assert_eq!(error.kind, Kind::Conflict);
        }
        let missing = claims.first_answer(&[], 0, &own).expect("an answer");
        assert_eq!(missing.expect_err("missing").kind, Kind::Internal);
    }

    #[test]
    fn each_workspace_is_claimed_once() {
        let key = Key::parse("k", b"body").expect("a key");
        let events = [event("1", "v"), event("2", "w"), event("3", "v")];
        let claims =
            Claims::of(&key, Sender::Machine, "1", events.iter().enumerate()).expect("claims");
        let places = |claim: &Claim| claim.events.iter().map(|p| p.index).collect::<Vec<_>>();
        assert_eq!(claims.of.iter().map(places).collect::<Vec<_>>(), [vec![0, 2], vec![1]]);
        assert_eq!(claims.id_in("w"), Some(key.id("w", Sender::Machine).as_str()));
        assert!(Claims::of(&key, Sender::Machine, "", std::iter::empty()).is_none());
    }

    proptest! {
        #[test]
        fn every_id_has_its_turn_once_a_day(text in ".{1,9}", day in 0i64..40_000) {
            let id = hash(&[text.as_bytes()]);
            let turn = |minute: &i64| {
                let (from, until) = swept_ids(day * DAY_MS + minute * MINUTE_MS + 59_999);
                from <= id && id < until
            };
            prop_assert_eq!((0..1_440).filter(turn).count(), 1);
        }
    }
}
