//! Emit: accept events. A credential is verified and what it emits is matched with the rules of its
//! workspaces ([`grant`], [`matching`]); then the intake of each workspace stores it
//! ([`by_intake`]), or LOG itself where an installation has no intakes ([`direct`]).

mod by_intake;
pub mod direct;
pub mod grant;
pub mod matching;

use crate::app::emit::grant::{Credential, Grant, grant};
use crate::app::emit::matching::{Filters, judge};
use crate::app::intake::ask;
use crate::app::loops::{self, Came};
use crate::app::too_costly;
use crate::app::upkeep::storage;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{FILTER_BUDGET, FILTER_SHARE_MIN};
use crate::domain::base::storage::StorageLevel;
use crate::domain::base::time::rfc3339;
use crate::domain::intake::bounds::{GROUP_BYTES, REMATCHES_MAX};
use crate::domain::intake::generations::Generation;
use crate::domain::routing::event::{Event, NewEvent};
use crate::domain::routing::filter::Budget;
use crate::domain::routing::idempotency::Key;
use crate::ports::Platform;

/// The message when nothing was tried.
const NOTHING_STORED: &str =
    "Something that is needed does not answer. Nothing was stored; try again";
/// The message when the history did not answer.
const UNKNOWN: &str = "It is unknown whether this was stored; send it again with the same \
    Idempotency-Key (without one it may be stored twice)";

/// What was answered to the events of a request, in input order.
pub struct Answers {
    /// An answer for each.
    pub events: Vec<Result<Event>>,
    /// Whether it is what an earlier request with the same idempotency key was answered, and this
    /// one stored nothing.
    pub replayed: bool,
}

/// An event to be stored, and its place in the request.
pub struct Accepted {
    index: usize,
    shard: u16,
    /// The generation of the routing that it was matched with.
    generation: Option<Generation>,
    event: Event,
}

/// Accepts events, each by itself: one that is refused does not keep the others out. With a `key`
/// they are stored once, see [`idempotency`](crate::domain::routing::idempotency).
///
/// # Errors
/// `Unauthenticated` when the credential does not hold; `RateLimited` when it is used too often;
/// `Unavailable` when it is not known that the events were stored; `Conflict` when the idempotency
/// key was used for others; `Refused` when the events would go round in a circle.
pub async fn emit<P: Platform>(
    platform: &P,
    credential: &Credential,
    came: &Came,
    key: Option<&Key>,
    mut inputs: Vec<Result<NewEvent>>,
) -> Result<Answers> {
    // A repetition has the same ids.
    let (now_ms, random) = (platform.now_ms(), platform.bytes());
    let mut open: Vec<usize> = (0..inputs.len()).collect();
    let mut answers: Vec<Result<Event>> =
        open.iter().map(|_| Err(Error::internal("no answer to an event"))).collect();
    let (mut stored, mut tries, mut may_be_there) = (false, 0, false);
    let bytes: usize = inputs.iter().flatten().map(|new| new.payload.len()).sum();
    // So many bytes in one request would be in memory too often on the way over an intake.
    let is_direct = platform.settings().intakes == 0 || bytes > GROUP_BYTES;
    loop {
        let grant = grant(platform, credential, &inputs, tries == 0, is_direct).await;
        let grant = grant.map_err(|error| error.unavailable_means(NOTHING_STORED))?;
        if tries == 0 {
            let about = grant.routings.iter().next();
            let about = about.map(|(routing, _)| routing.home.workspace.as_str());
            let checked = loops::check(platform, came, about).await;
            checked.map_err(|error| error.unavailable_means(NOTHING_STORED))?;
        }
        let matching = Matching { platform, grant: &grant, came, now_ms, random };
        let all = matching.accept(&inputs, &open, &mut answers).await;
        let key = key.map(|key| (key, grant.sender));
        if is_direct {
            // What came before has its place before it.
            for (routing, _) in grant.routings.iter() {
                let flushed = ask::flushed(platform, &routing.home.workspace).await;
                flushed.map_err(|error| error.unavailable_means(NOTHING_STORED))?;
            }
            let taken = |accepted: Accepted| {
                let payload = match &mut inputs[accepted.index] {
                    Ok(input) => std::mem::take(&mut input.payload),
                    Err(_) => String::new(),
                };
                (accepted, payload)
            };
            let all = all.into_iter().map(taken).collect();
            stored = direct::store_all(platform, key, all, &mut answers).await;
            break;
        }
        let (inputs, answers) = (&inputs, &mut answers);
        let done =
            by_intake::store_all(platform, key, &all, inputs, answers, &mut may_be_there).await;
        stored |= done.stored;
        open = done.stale;
        tries += 1;
        if open.is_empty() || tries > REMATCHES_MAX {
            break;
        }
    }
    too_costly::tell(platform, answers.iter().flatten()).await;
    let replayed = !stored && answers.iter().any(Result::is_ok);
    let told = |error: &&Error| matches!(error.kind, Kind::Unavailable | Kind::Conflict);
    let lost = answers.iter().filter_map(|answer| answer.as_ref().err()).find(told);
    match lost.filter(|_| !stored && !replayed) {
        Some(error) => Err(error.clone()),
        None => Ok(Answers { events: answers, replayed }),
    }
}

/// What all events of a request are matched with.
struct Matching<'a, P> {
    platform: &'a P,
    grant: &'a Grant,
    came: &'a Came,
    now_ms: i64,
    random: [u8; 8],
}

impl<P: Platform> Matching<'_, P> {
    /// Matches the events in these places, and answers each. Those to be stored.
    async fn accept(
        &self,
        inputs: &[Result<NewEvent>],
        open: &[usize],
        answers: &mut [Result<Event>],
    ) -> Vec<Accepted> {
        let filters: Vec<Filters<'_>> =
            self.grant.routings.iter().map(|(routing, _)| Filters::of(routing)).collect();
        let share = (FILTER_BUDGET / inputs.len().max(1)).max(FILTER_SHARE_MIN);
        let mut all = Vec::new();
        for &index in open {
            let answer = match &inputs[index] {
                Ok(new) => self.accept_one(index, new, &filters, &Budget::new(share)).await,
                Err(error) => Err(error.clone()),
            };
            answers[index] = answer.map(|accepted| {
                let event = accepted.event.clone();
                all.push(accepted);
                event
            });
        }
        all
    }

    async fn accept_one<'r>(
        &'r self,
        index: usize,
        new: &NewEvent,
        filters: &[Filters<'r>],
        budget: &Budget,
    ) -> Result<Accepted> {
        self.grant.limits.check_event(&new.name)?;
        let place = self.grant.place(new)?;
        let found = self.grant.routings.iter().nth(place);
        let (routing, generation) = found.ok_or_else(|| Error::not_found("workspace"))?;
        if routing.is_suspended {
            let msg = "The organization is suspended; nothing was accepted";
            return Err(Error::new(Kind::Forbidden, msg));
        }
        if routing.storage == StorageLevel::Full {
            return Err(storage::refusal());
        }
        let full_until_ms = routing.full_until_ms.filter(|until_ms| *until_ms > self.now_ms);
        if let Some(until_ms) = full_until_ms {
            return Err(used_up(until_ms, self.now_ms));
        }
        let (fan_out, unmatched) =
            judge(self.platform, new, routing, &filters[place], budget).await;
        let event = Event {
            id: ids::event_id(self.now_ms, self.random, index, routing.home.number),
            workspace: routing.home.workspace.clone(),
            name: new.name.clone(),
            resource: new.resource.clone(),
            resource_id: new.resource_id.clone(),
            created_by: self.grant.created_by.clone(),
            created_at_ms: self.now_ms,
            hops: self.came.hops,
            trace: self.came.trace.clone().filter(|_| routing.passes_trace),
            fan_out,
            unmatched,
        };
        Ok(Accepted { index, shard: routing.home.shard, generation, event })
    }
}

/// The error of a workspace that has used up its events of this month.
fn used_up(until_ms: i64, now_ms: i64) -> Error {
    let until = rfc3339(until_ms);
    let msg = format!("has used up its events of this month; it can emit again from {until} on");
    let seconds = u32::try_from((until_ms - now_ms + 999) / 1_000).unwrap_or(u32::MAX);
    let error = Error::field("workspace", msg).of_kind(Kind::RateLimited).with_code(Code::Quota);
    error.with_retry_after(seconds)
}
