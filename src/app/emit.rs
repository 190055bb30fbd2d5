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
use crate::app::rate_limits::count;
use crate::app::upkeep::storage;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::UNMATCHED_MAX;
use crate::domain::base::names;
use crate::domain::base::names::covers;
use crate::domain::base::storage::StorageLevel;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::DeliveryKey;
use crate::domain::routing::event::{Event, FanOut, NewEvent, Service, Unmatched};
use crate::domain::routing::filter::Payload;
use crate::domain::routing::idempotency::{Claims, Key, StoredClaim};
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
}

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
/// key was used for others.
pub async fn emit<P: Platform>(
    platform: &P,
    credential: &Credential,
    key: Option<&Key>,
    inputs: Vec<Result<NewEvent>>,
) -> Result<Answers> {
    let grant = grant(platform, credential, &inputs).await;
    let grant = grant.map_err(|error| error.unavailable_means(NOTHING_STORED))?;
    let (now_ms, random) = (platform.now_ms(), platform.bytes());
    let (mut all, mut answers) = (Vec::new(), Vec::with_capacity(inputs.len()));
    for (index, input) in inputs.into_iter().enumerate() {
        let answer = input.and_then(|new| {
            grant.limits.check_event(&new.name)?;
            let routing = grant.routing(&new)?;
            if routing.is_suspended {
                let msg = "The organization is suspended; nothing was accepted";
                return Err(Error::new(Kind::Forbidden, msg));
            }
            if routing.storage == StorageLevel::Full {
                return Err(storage::refusal());
            }
            if routing.full_until_ms.is_some_and(|until_ms| until_ms > now_ms) {
                return Err(full(platform));
            }
            let id = ids::event_id(now_ms, random, index, routing.home.number);
            let event = accept(&new, id, routing, &grant.created_by, now_ms);
            let (shard, row) = (routing.home.shard, (event.clone(), new.payload));
            all.push(Accepted { index, shard, row });
            Ok(event)
        });
        answers.push(answer);
    }
    let stored = store_all(platform, key, all, &mut answers).await;
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
    key: Option<&Key>,
    all: Vec<Accepted>,
    answers: &mut [Result<Event>],
) -> bool {
    let owner = all.first().map(|accepted| accepted.row.0.id.clone()).unwrap_or_default();
    let (mut jobs, mut stored) = (Vec::new(), false);
    for (shard, accepted) in group_by_key(all, |accepted| accepted.shard) {
        let (indices, rows): (Vec<_>, Vec<_>) =
            accepted.into_iter().map(|accepted| (accepted.index, accepted.row)).unzip();
        let events = || indices.iter().copied().zip(rows.iter().map(|(event, _)| event));
        let claims = key.and_then(|key| Claims::of(key, &owner, events()));
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

/// Stores one event with the deliveries it owes, and wakes them.
///
/// # Errors
/// `Unavailable` when it is not known that the event was stored.
pub async fn store_and_wake<P: Platform>(
    platform: &P,
    shard: u16,
    event: Event,
    payload: String,
) -> Result<Event> {
    let rows = [(event, payload)];
    store(platform, shard, &rows, None).await?;
    let [(event, payload)] = rows;
    send(platform, &wake_ups(shard, &event, &payload)).await;
    Ok(event)
}

fn full<P: Platform>(platform: &P) -> Error {
    Error::quota("workspace", "events this month", platform.settings().quotas.events_per_month)
}

/// An event to be stored, and its place in the request.
struct Accepted {
    index: usize,
    shard: u16,
    row: (Event, String),
}

impl Grant {
    fn routing(&self, event: &NewEvent) -> Result<&Routing> {
        let named = event.workspace.as_ref().or(self.default.as_ref());
        let named =
            named.ok_or_else(|| Error::field("workspace", "is required with a machine token"))?;
        let other = || {
            let mut error = Error::not_found("workspace");
            error.fields =
                Error::field("workspace", "is not a workspace of this key").into_fields();
            error
        };
        let found = self.routings.iter().find(|routing| routing.home.workspace == *named);
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
    let (created_by, default, routings, limits) = match credential {
        Credential::Publishable(key, origin) => {
            let counting = count(platform, Limited::PublishableKey, key);
            let found =
                routing::find_by_publishable_key(control, key, &patterns, platform.now_ms())
                    .await?;
            let unknown = "The publishable key does not exist or is no longer valid";
            let (found, limits) = found.ok_or_else(|| Error::unauthenticated(unknown))?;
            counting.check(platform).await?;
            limits.check_origin(origin.as_deref())?;
            let created_by = "publishable_key".to_owned();
            (created_by, Some(found.home.workspace.clone()), vec![found], limits)
        }
        Credential::Machine(token) => {
            let workspaces = distinct(valid().filter_map(|event| event.workspace.as_deref()));
            let (organization, access_key) = (&token.organization, &token.access_key);
            let counting = count(platform, Limited::MachineKey, access_key);
            let found = routing::find_by_machine_key(
                control,
                organization,
                access_key,
                &workspaces,
                &patterns,
            );
            let found = found.await?;
            keys::verify_token(platform, token, found.as_ref().map(|(sealed, _)| sealed))?;
            counting.check(platform).await?;
            let routings = found.map(|(_, routings)| routings).unwrap_or_default();
            (keys::created_by(access_key), None, routings, KeyLimits::default())
        }
    };
    Ok(Grant { created_by, default, routings, limits })
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

fn accept(
    new: &NewEvent,
    id: String,
    routing: &Routing,
    created_by: &str,
    created_at_ms: i64,
) -> Event {
    let (resource, resource_id) = (new.resource.as_deref(), new.resource_id.as_deref());
    let (mut fan_out, mut unmatched) = (Vec::new(), Vec::new());
    let payload = Payload::new(&new.payload);
    for rule in routing.rules.iter().filter(|rule| covers(&rule.event, &new.name)) {
        let (rule_number, id) = (rule.number, rule.id.clone());
        let filtered = || {
            let passed = payload.passes(rule.filter.as_deref());
            passed.map_err(|why| (Mismatch::Filter, Some(why)))
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
    unmatched.truncate(UNMATCHED_MAX);
    Event {
        id,
        workspace: routing.home.workspace.clone(),
        name: new.name.clone(),
        resource: new.resource.clone(),
        resource_id: new.resource_id.clone(),
        created_by: created_by.to_owned(),
        created_at_ms,
        fan_out,
        unmatched,
    }
}

async fn store<P: Platform>(
    platform: &P,
    shard: u16,
    accepted: &[(Event, String)],
    claims: Option<&Claims>,
) -> Result<Vec<StoredClaim>> {
    let log = history_db(platform, shard)?;
    let stored = match store::insert(log, accepted, claims).await {
        Err(error) if !error.is_refused_data() => store::insert(log, accepted, claims).await,
        stored => stored,
    };
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
