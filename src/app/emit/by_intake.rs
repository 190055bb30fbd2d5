//! Stores what an emit accepted by the intakes of its workspaces: one call for each intake, with a
//! part for each workspace.

use crate::app::common::group_by_key;
use crate::app::emit::{Accepted, UNKNOWN};
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::intake::messages::{Part, PartReply};
use crate::domain::intake::waiting::chunks;
use crate::domain::routing::event::{Event, NewEvent};
use crate::domain::routing::idempotency::{Claims, Key, Sender, StoredClaim};
use crate::ports::Platform;

const TOO_MUCH_WAITS: &str = "More waits to be stored than there is room for. \
    Nothing was stored; try again";
const RULES_CHANGED: &str = "The workspace's rules changed while the event was matched. \
    Nothing was stored; try again";
const FULL_OF_KEYS: &str = "So many idempotency keys are kept that no new one is taken. \
    Nothing was stored; try again, or emit without a key";

/// What became of the events.
#[derive(Default)]
pub struct Outcome {
    /// Whether any was stored.
    pub stored: bool,
    /// Those, by their places in the request, that were matched with a routing that may be old.
    pub stale: Vec<usize>,
}

/// The events of one workspace.
struct Group<'a> {
    accepted: Vec<&'a Accepted>,
    claims: Option<Claims>,
}

/// Stores what was accepted, and corrects the answers to what was not stored. `may_be_there` is
/// whether an earlier try may have stored it, and becomes so.
pub async fn store_all<P: Platform>(
    platform: &P,
    key: Option<(&Key, Sender)>,
    all: &[Accepted],
    inputs: &[Result<NewEvent>],
    answers: &mut [Result<Event>],
    may_be_there: &mut bool,
) -> Outcome {
    let owner = all.first().map(|first| first.event.id.as_str()).unwrap_or_default();
    let mut outcome = Outcome::default();
    let number = |one: &&Accepted| ask::number_of(platform, &one.event.workspace);
    for (number, accepted) in group_by_key(all, number) {
        let by_workspace = group_by_key(accepted, |one| one.event.workspace.as_str());
        let groups: Vec<Group<'_>> = by_workspace
            .into_iter()
            .map(|(_, accepted)| Group::new(accepted, key, owner))
            .collect();
        let parts: Result<Vec<Part>> = groups.iter().map(|group| group.part(inputs)).collect();
        let replies = match parts {
            Ok(parts) => {
                let replies = ask::emit(platform, number, parts, may_be_there).await;
                replies.map_err(|error| error.unavailable_means(UNKNOWN))
            }
            Err(error) => Err(error),
        };
        match replies {
            Ok(replies) => {
                for (group, reply) in groups.iter().zip(replies) {
                    group.answer(platform, reply, answers, &mut outcome);
                }
            }
            Err(error) => groups.iter().for_each(|group| group.refuse(&error, answers)),
        }
    }
    outcome
}

impl<'a> Group<'a> {
    fn new(accepted: Vec<&'a Accepted>, key: Option<(&Key, Sender)>, owner: &str) -> Self {
        let events = accepted.iter().map(|one| (one.index, &one.event));
        let claims = key.and_then(|(key, sender)| Claims::of(key, sender, owner, events));
        Self { accepted, claims }
    }

    fn part(&self, inputs: &[Result<NewEvent>]) -> Result<Part> {
        let first = self.accepted[0];
        let mut events = Vec::with_capacity(self.accepted.len());
        for one in &self.accepted {
            let new = inputs[one.index].as_ref().map_err(Error::clone)?;
            events.push((&one.event, new.payload.as_str()));
        }
        Ok(Part {
            workspace: first.event.workspace.clone(),
            shard: first.shard,
            generation: first.generation,
            claim: self.own_claim(),
            chunks: chunks(&events).map_err(Error::internal)?,
        })
    }

    fn own_claim(&self) -> Option<StoredClaim> {
        self.claims.as_ref().and_then(|claims| claims.kept().next())
    }

    fn refuse(&self, error: &Error, answers: &mut [Result<Event>]) {
        self.accepted.iter().for_each(|one| answers[one.index] = Err(error.clone()));
    }

    fn answer<P: Platform>(
        &self,
        platform: &P,
        reply: PartReply,
        answers: &mut [Result<Event>],
        outcome: &mut Outcome,
    ) {
        let workspace = &self.accepted[0].event.workspace;
        match reply {
            PartReply::Stored(generation) => {
                platform.routings().borrow_mut().confirm(workspace, generation);
                outcome.stored = true;
            }
            PartReply::First(first) => {
                let Some(claims) = &self.claims else { return };
                for one in &self.accepted {
                    let kept = std::slice::from_ref(&first);
                    if let Some(answer) = claims.first_answer(kept, one.index, &one.event) {
                        answers[one.index] = answer;
                    }
                }
            }
            PartReply::Stale(generation) => {
                platform.routings().borrow_mut().learn(workspace, generation);
                // If it stays so.
                self.refuse(&Error::new(Kind::Unavailable, RULES_CHANGED), answers);
                outcome.stale.extend(self.accepted.iter().map(|one| one.index));
            }
            PartReply::Full => {
                let error = Error::new(Kind::Unavailable, TOO_MUCH_WAITS);
                self.refuse(&error.with_retry_after(ask::FULL_S), answers);
            }
            PartReply::FullOfKeys => {
                let error = Error::new(Kind::Unavailable, FULL_OF_KEYS);
                self.refuse(&error.with_retry_after(ask::FULL_OF_KEYS_S), answers);
            }
        }
    }
}
