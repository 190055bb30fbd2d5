//! Emit: accept events. Three round trips: one CONTROL read (key, workspace, rules that could
//! match; the rate limit is asked meanwhile), one LOG batch for each shard (events with the
//! deliveries they owe: the truth), one queue send for each hundred deliveries (only wake-ups).
//!
//! An unknown result of the batch is repeated once with the same ids, which changes nothing that
//! is stored already. Once the batch is stored the event is accepted, also when the send fails: the
//! sweeper then sends the jobs.

use serde_json::json;

use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::wake::wake;
use crate::app::delivery::write_gate;
use crate::app::keys;
use crate::app::loops::{self, Came};
use crate::app::rate_limits::count_events;
use crate::app::too_costly;
use crate::app::upkeep::storage;
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{FILTER_BUDGET, FILTER_SHARE_MIN, UNMATCHED_MAX};
use crate::domain::base::names::{self, covers};
use crate::domain::base::storage::StorageLevel;
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::routing::event::{Event, FanOut, NewEvent, Service, Unmatched};
use crate::domain::routing::filter::{Budget, Filter, NotPassed, Payload};
use crate::domain::routing::idempotency::{Claims, Key, Sender, StoredClaim};
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::api_key::MachineToken;
use crate::domain::tenants::key_limits::KeyLimits;
use crate::ports::{Limited, Platform};
use crate::store::emit as store;
use crate::store::routing::{self, Routing};

/// The message when nothing was tried.
const NOTHING_STORED: &str =
    "Something that is needed does not answer. Nothing was stored; try again";
/// The message when the history did not answer.
const UNKNOWN: &str = "It is unknown whether this was stored; send it again with the same \
    Idempotency-Key (without one it may be stored twice)";

/// Who emits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A publishable key, which stands for its workspace, and the origin of the page that uses it.
    Publishable(String, Option<String>),
    /// A machine token that was not verified yet; each event names its workspace.
    Machine(MachineToken),
}

/// What a verified credential may do.
struct Grant {
    created_by: String,
    /// The workspace that events go to if they name none.
    default: Option<String>,
    routings: Vec<Routing>,
    limits: KeyLimits,
    sender: Sender,
}

/// The filters of a routing's rules, in their order: read once for all events of a request.
type Filters<'a> = Vec<Option<std::result::Result<Filter<'a>, ()>>>;

/// What was answered to the events of a request, in input order.
pub struct Answers {
    /// An answer for each.
    pub events: Vec<Result<Event>>,
    /// Whether it is what an earlier request with the same idempotency key was answered, and this
    /// one stored nothing.
    pub replayed: bool,
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
    inputs: Vec<Result<NewEvent>>,
) -> Result<Answers> {
    let grant = grant(platform, credential, &inputs).await;
    let grant = grant.map_err(|error| error.unavailable_means(NOTHING_STORED))?;
    let about = grant.routings.first().map(|routing| routing.home.workspace.as_str());
    loops::check(platform, came, about).await?;
    let filters: Vec<Filters<'_>> = grant.routings.iter().map(read_filters).collect();
    let share = (FILTER_BUDGET / inputs.len().max(1)).max(FILTER_SHARE_MIN);
    let (now_ms, random) = (platform.now_ms(), platform.bytes());
    let (mut all, mut answers) = (Vec::new(), Vec::with_capacity(inputs.len()));
    for (index, input) in inputs.into_iter().enumerate() {
        let answer = input.and_then(|new| {
            grant.limits.check_event(&new.name)?;
            let place = grant.place(&new)?;
            let routing = &grant.routings[place];
            if routing.is_suspended {
                let msg = "The organization is suspended; nothing was accepted";
                return Err(Error::new(Kind::Forbidden, msg));
            }
            if routing.storage == StorageLevel::Full {
                return Err(storage::refusal());
            }
            if let Some(until_ms) = routing.full_until_ms.filter(|until_ms| *until_ms > now_ms) {
                return Err(used_up(until_ms, now_ms));
            }
            let id = ids::event_id(now_ms, random, index, routing.home.number);
            let judged = judge(&new, routing, &filters[place], &Budget::new(share));
            let event = Event {
                id,
                workspace: routing.home.workspace.clone(),
                name: new.name.clone(),
                resource: new.resource.clone(),
                resource_id: new.resource_id.clone(),
                created_by: grant.created_by.clone(),
                created_at_ms: now_ms,
                hops: came.hops,
                trace: came.trace.clone().filter(|_| routing.passes_trace),
                fan_out: judged.0,
                unmatched: judged.1,
            };
            let (shard, row) = (routing.home.shard, (event.clone(), new.payload));
            all.push(Accepted { index, shard, row });
            Ok(event)
        });
        answers.push(answer);
    }
    let stored = store_all(platform, key.map(|key| (key, grant.sender)), all, &mut answers).await;
    too_costly::tell(platform, answers.iter().flatten()).await;
    let replayed = !stored && answers.iter().any(Result::is_ok);
    let told = |error: &&Error| matches!(error.kind, Kind::Unavailable | Kind::Conflict);
    let lost = answers.iter().filter_map(|answer| answer.as_ref().err()).find(told);
    match lost.filter(|_| !stored && !replayed) {
        Some(error) => Err(error.clone()),
        None => Ok(Answers { events: answers, replayed }),
    }
}

/// Stores what was accepted, shard by shard, wakes its deliveries, and corrects the answers to what
/// was not stored. Whether anything was.
async fn store_all<P: Platform>(
    platform: &P,
    key: Option<(&Key, Sender)>,
    all: Vec<Accepted>,
    answers: &mut [Result<Event>],
) -> bool {
    let owner = all.first().map(|accepted| accepted.row.0.id.clone()).unwrap_or_default();
    let (mut jobs, mut stored) = (Vec::new(), false);
    for (shard, accepted) in group_by_key(all, |accepted| accepted.shard) {
        let (indices, rows): (Vec<_>, Vec<_>) =
            accepted.into_iter().map(|accepted| (accepted.index, accepted.row)).unzip();
        let events = || indices.iter().copied().zip(rows.iter().map(|(event, _)| event));
        let claims = key.and_then(|(key, sender)| Claims::of(key, sender, &owner, events()));
        let kept = match store(platform, shard, &rows, claims.as_ref()).await {
            Ok(kept) => kept,
            Err(error) => {
                indices.iter().for_each(|&index| answers[index] = Err(error.clone()));
                continue;
            }
        };
        for (&index, (event, payload)) in indices.iter().zip(&rows) {
            match claims.as_ref().and_then(|claims| claims.first_answer(&kept, index, event)) {
                Some(first) => answers[index] = first,
                None => {
                    stored = true;
                    jobs.extend(wake_ups(shard, event, payload));
                }
            }
        }
    }
    send(platform, &jobs).await;
    stored
}

/// Stores events of our own with the deliveries they owe, and wakes them.
///
/// # Errors
/// `Unavailable` when it is not known that they were stored.
pub async fn store_and_wake<P: Platform>(
    platform: &P,
    shard: u16,
    rows: Vec<(Event, String)>,
) -> Result<()> {
    store(platform, shard, &rows, None).await?;
    let jobs = rows.iter().flat_map(|(event, payload)| wake_ups(shard, event, payload));
    send(platform, &jobs.collect::<Vec<_>>()).await;
    Ok(())
}

/// The deliveries that an event of our own owes, and the rules for its name that did not match it.
pub fn owed_by(new: &NewEvent, routing: &Routing) -> (Vec<FanOut>, Vec<Unmatched>) {
    judge(new, routing, &read_filters(routing), &Budget::new(FILTER_BUDGET))
}

fn read_filters(routing: &Routing) -> Filters<'_> {
    let texts = routing.rules.iter().map(|rule| rule.filter.as_deref());
    texts.map(|text| text.map(|text| Filter::parse(text).map_err(drop))).collect()
}

/// The error of a workspace that has used up its events of this month.
fn used_up(until_ms: i64, now_ms: i64) -> Error {
    let until = rfc3339(until_ms);
    let msg = format!("has used up its events of this month; it can emit again from {until} on");
    let seconds = u32::try_from((until_ms - now_ms + 999) / 1_000).unwrap_or(u32::MAX);
    let error = Error::field("workspace", msg).of_kind(Kind::RateLimited).with_code(Code::Quota);
    error.with_retry_after(seconds)
}

/// An event to be stored, and its place in the request.
struct Accepted {
    index: usize,
    shard: u16,
    row: (Event, String),
}

impl Grant {
    /// Which of the routings is that of an event.
    fn place(&self, event: &NewEvent) -> Result<usize> {
        let named = event.workspace.as_ref().or(self.default.as_ref());
        let named =
            named.ok_or_else(|| Error::field("workspace", "is required with a machine token"))?;
        let other = || {
            let mut error = Error::not_found("workspace");
            error.fields =
                Error::field("workspace", "is not a workspace of this key").into_fields();
            error
        };
        let found = self.routings.iter().position(|routing| routing.home.workspace == *named);
        found.ok_or_else(other)
    }
}

async fn grant<P: Platform>(
    platform: &P,
    credential: &Credential,
    inputs: &[Result<NewEvent>],
) -> Result<Grant> {
    let control = platform.control();
    let valid = || inputs.iter().flatten();
    let names = distinct(valid().map(|event| event.name.as_str()));
    let patterns = names::patterns_of_all(&names);
    let cost = inputs.len();
    let (created_by, default, routings, limits) = match credential {
        Credential::Publishable(key, origin) => {
            let counting = count_events(platform, Limited::PublishableKey, key, cost);
            let found =
                routing::find_by_publishable_key(control, key, &patterns, platform.now_ms())
                    .await?;
            let (found, limits) = found.ok_or_else(unknown_key)?;
            counting.check(platform).await?;
            limits.check_origin(origin.as_deref())?;
            let created_by = "publishable_key".to_owned();
            (created_by, Some(found.home.workspace.clone()), vec![found], limits)
        }
        Credential::Machine(token) => {
            let workspaces = distinct(valid().filter_map(|event| event.workspace.as_deref()));
            let (organization, access_key) = (&token.organization, &token.access_key);
            let counting = count_events(platform, Limited::MachineKey, access_key, cost);
            let found = routing::find_by_machine_key(
                control,
                organization,
                access_key,
                &workspaces,
                &patterns,
            );
            let found = found.await?;
            keys::verify_token(platform, token, found.as_ref().map(|(sealed, _)| sealed)).await?;
            counting.check(platform).await?;
            let routings = found.map(|(_, routings)| routings).unwrap_or_default();
            (keys::created_by(access_key), None, routings, KeyLimits::default())
        }
    };
    let sender = match credential {
        Credential::Publishable(..) => Sender::Publishable,
        Credential::Machine(_) => Sender::Machine,
    };
    Ok(Grant { created_by, default, routings, limits, sender })
}

/// Checks a credential by itself, before a body that is large is read for it.
///
/// # Errors
/// `Unauthenticated` when it does not hold.
pub async fn check_credential<P: Platform>(platform: &P, credential: &Credential) -> Result<()> {
    let control = platform.control();
    match credential {
        Credential::Publishable(key, _) => {
            let now_ms = platform.now_ms();
            let found = routing::find_by_publishable_key(control, key, &[], now_ms).await?;
            found.map(drop).ok_or_else(unknown_key)
        }
        Credential::Machine(token) => {
            let (organization, access_key) = (&token.organization, &token.access_key);
            let found =
                routing::find_by_machine_key(control, organization, access_key, &[], &[]).await?;
            keys::verify_token(platform, token, found.as_ref().map(|(sealed, _)| sealed)).await
        }
    }
}

fn unknown_key() -> Error {
    Error::unauthenticated("The publishable key does not exist or is no longer valid")
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// The deliveries that an event owes, and the rules for its name that did not match it.
fn judge(
    new: &NewEvent,
    routing: &Routing,
    filters: &Filters<'_>,
    budget: &Budget,
) -> (Vec<FanOut>, Vec<Unmatched>) {
    let (resource, resource_id) = (new.resource.as_deref(), new.resource_id.as_deref());
    let (mut fan_out, mut unmatched) = (Vec::new(), Vec::new());
    let payload = Payload::new(&new.payload);
    let rules = routing.rules.iter().zip(filters);
    for (rule, filter) in rules.filter(|(rule, _)| covers(&rule.event, &new.name)) {
        let (rule_number, id) = (rule.number, rule.id.clone());
        let filtered = || {
            payload.passes(filter.as_ref(), budget).map_err(|why| match why {
                NotPassed::Fails(why) => (Mismatch::Filter, Some(why)),
                NotPassed::TooCostly => (Mismatch::FilterTooCostly, None),
            })
        };
        let matched = rule.matches(resource, resource_id).map_err(|why| (why, None));
        match matched.and_then(|()| filtered()) {
            Ok(()) => fan_out.push(FanOut {
                rule_number,
                rule: id,
                connection: rule.connection.clone(),
                kind: rule.kind.clone(),
                held: !rule.connection_active,
                service: Service::of(rule.is_strict, rule.is_throttled),
            }),
            Err((why, detail)) => {
                unmatched.push(Unmatched { rule_number, rule: id, why, detail });
            }
        }
    }
    // Nobody but we keep an event from a rule that is too costly, so that is kept before all else.
    unmatched.sort_by_key(|rule| rule.why != Mismatch::FilterTooCostly);
    unmatched.truncate(UNMATCHED_MAX);
    (fan_out, unmatched)
}

async fn store<P: Platform>(
    platform: &P,
    shard: u16,
    accepted: &[(Event, String)],
    claims: Option<&Claims>,
) -> Result<Vec<StoredClaim>> {
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    let names = platform.known_names().borrow().new_ones(accepted, now_ms);
    let insert = || store::insert(log, accepted, &names, claims);
    let stored = match insert().await {
        Err(error) if !error.is_refused_data() => insert().await,
        stored => stored,
    };
    // With a key it may be that nothing was stored.
    if stored.is_ok() && claims.is_none() {
        platform.known_names().borrow_mut().learn(&names, now_ms);
    }
    write_gate::note(platform, shard, &stored);
    stored.map_err(|error| error.unavailable_means(UNKNOWN))
}

fn wake_ups(shard: u16, event: &Event, payload: &str) -> Vec<Job> {
    let bytes = i64::try_from(payload.len()).unwrap_or(i64::MAX);
    let owed = event.fan_out.iter().filter(|owed| !owed.held).map(|owed| DeliveryKey {
        workspace: event.workspace.clone(),
        connection: owed.connection.clone(),
        event: event.id.clone(),
        rule: owed.rule_number,
    });
    owed.map(|key| Job::new(shard, key, 1, bytes)).collect()
}

/// Sends wake-ups. A failure is only logged: what they would wake is stored.
async fn send<P: Platform>(platform: &P, jobs: &[Job]) {
    if let Err(error) = wake(platform, jobs, 0).await {
        platform.log_event(&json!({"at": "emit", "unsent_jobs": jobs.len(),
            "error": error.to_string()}));
    }
}
