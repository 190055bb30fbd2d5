//! One attempt of one delivery: open its secrets, sign with what is current at this moment, send,
//! and decide what follows. Nothing is stored here; see `recorder.rs`.

use serde_json::json;

use crate::app::common::url_policy;
use crate::destinations::webhook::{self, PayloadMode, Settings};
use crate::destinations::{Material, OutboundRequest};
use crate::domain::base::ids::TEST_RULE;
use crate::domain::base::ids::message_id;
use crate::domain::base::limits::SLOW_AFTER_MS;
use crate::domain::base::secret::{SealContext, Secret};
use crate::domain::base::url_guard;
use crate::domain::connection::health::{self, Health};
use crate::domain::connection::model::{Credentials, InactiveReason, SealedSigningSecret, Target};
use crate::domain::delivery::attempt::{self, Answer, Failure, Outcome, ReceiverDirective, Record};
use crate::domain::delivery::retry::{
    INTERNAL_DEADLINE_MS, internal_backoff_ms, parse_retry_after,
};
use crate::domain::delivery::state;
use crate::domain::delivery::state::{EndReason, Transition};
use crate::ports::{Outbound, Platform};
use crate::store::deliveries::{DeliveryUpdate, InternalFault, Owed};

/// What an attempt led to.
#[derive(Debug)]
pub enum AttemptResult {
    /// The receiver was asked, or would have been if its URL were allowed.
    DeliveryUpdate {
        /// What to record.
        attempted: Box<DeliveryUpdate>,
        /// What it means for the connection.
        meaning: ConnectionEffect,
    },
    /// We ourselves kept it from being attempted.
    InternalFault(InternalFault),
}

/// What an attempt means for its connection.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConnectionEffect {
    /// It succeeded.
    pub succeeded: bool,
    /// It failed by the receiver's fault.
    pub failed: bool,
    /// It took long.
    pub is_slow: bool,
    /// When the next attempt is due.
    pub due_at_ms: Option<i64>,
    /// The receiver asks for less, until this time or 0.
    pub less_until_ms: Option<i64>,
    /// The connection becomes inactive.
    pub inactive: Option<InactiveReason>,
    /// People have to be warned that nothing succeeds, since when, and how much of the time until
    /// it is given up has passed in percent.
    pub warning: Option<(i64, u32)>,
    /// It ended a time in which nothing succeeded.
    pub ends_failing: bool,
    /// It makes a warning void.
    pub ends_warning: bool,
}

/// Makes the attempt that is due.
pub async fn attempt<P: Platform>(platform: &P, target: &Target, owed: &Owed) -> AttemptResult {
    let id = message_id(&owed.event, owed.rule);
    let now_ms = platform.now_ms();
    let prepared = match prepare(platform, target, owed, &id, now_ms) {
        Ok(prepared) => prepared,
        Err(why) => return fault(platform, owed, &id, &why),
    };
    let answer = match url_guard::check(&prepared.request.url, &url_policy(platform)) {
        Ok(_) => platform.outbound().send(prepared.request.clone()).await,
        Err(refusal) => Answer::failed(Failure::Refused(refusal.to_string())),
    };
    conclude(platform, target, owed, prepared, &answer, now_ms)
}

struct Prepared {
    settings: Settings,
    request: OutboundRequest,
    /// Everything that must not be kept: credentials as given and as sent, signing secrets.
    masked: Vec<Secret>,
}

fn prepare<P: Platform>(
    platform: &P,
    target: &Target,
    owed: &Owed,
    id: &str,
    now_ms: i64,
) -> Result<Prepared, String> {
    let settings = Settings::from_stored(&target.settings)?;
    let open = |field: &str, sealed| {
        let place = SealContext { owner: &target.workspace, record: &target.connection, field };
        let keys = &platform.settings().master_keys;
        keys.open(&place, sealed).map_err(|e| format!("{field} of {}: {e}", target.connection))
    };
    let live = target.secrets.iter().filter(|secret| secret.is_live(now_ms));
    let secrets: Vec<Secret> = live
        .map(|secret| open(&SealedSigningSecret::field(secret.number), &secret.sealed))
        .collect::<Result<_, _>>()?;
    let mut credentials = Credentials::new();
    for (field, sealed) in &target.credentials {
        credentials.insert(field.clone(), open(field, sealed)?);
    }
    let material = Material {
        event: &owed.event,
        name: &owed.name,
        resource: owed.resource.as_deref(),
        resource_id: owed.resource_id.as_deref(),
        payload: &owed.payload,
        created_at_ms: owed.created_at_ms,
        message_id: id,
        is_test: owed.rule == TEST_RULE,
        attempt: owed.attempts + 1,
        secrets: &secrets,
        credentials: &credentials,
        now_ms,
    };
    let request = webhook::request(&settings, &material).map_err(|e| e.to_string())?;
    let sent = request.headers.iter().filter(|header| header.is_secret);
    let mut masked: Vec<Secret> = sent.map(|header| Secret::new(header.value.clone())).collect();
    masked.extend(credentials.into_values().chain(secrets));
    Ok(Prepared { settings, request, masked })
}

fn conclude<P: Platform>(
    platform: &P,
    target: &Target,
    owed: &Owed,
    prepared: Prepared,
    answer: &Answer,
    started_at_ms: i64,
) -> AttemptResult {
    let now_ms = platform.now_ms();
    let id = &message_id(&owed.event, owed.rule);
    let (number, outcome) = (owed.attempts + 1, answer.outcome());
    let aborted = answer.wish() == Some(ReceiverDirective::AbortMessage);
    let retry_after = answer.header("retry-after").and_then(|h| parse_retry_after(h, now_ms));
    let schedule = &prepared.settings.retry_schedule_seconds;
    let turn = number - owed.attempts_before;
    let settled = state::settle(schedule, turn, outcome, aborted, retry_after, id, now_ms);
    let state = owed.state.after(settled.transition);
    platform.log_event(&json!({"at": "attempt", "message_id": id, "workspace": owed.workspace,
        "connection": owed.connection, "attempt": number, "outcome": outcome,
        "status": answer.status, "duration_ms": now_ms - started_at_ms, "state": state.as_str(),
        "due_at_ms": settled.due_at_ms}));
    let reason = (settled.transition == Transition::GivenUp).then_some(match outcome {
        Outcome::Gone => EndReason::Gone,
        _ if aborted => EndReason::Aborted,
        _ => EndReason::AttemptsUsedUp,
    });
    let attempted = DeliveryUpdate {
        key: owed.key(),
        state,
        due_at_ms: settled.due_at_ms,
        sweep_at_ms: settled.sweep_at_ms,
        started_at_ms: owed.started_at_ms.unwrap_or(started_at_ms),
        completed_at_ms: (!state.is_open()).then_some(now_ms),
        reason,
        record: Record {
            asked_by: owed.asked_by.clone(),
            ..record(number, &prepared, answer, started_at_ms, now_ms)
        },
    };
    let less_until_ms =
        answer.asks_for_less().then(|| retry_after.map_or(0, |after_ms| now_ms + after_ms));
    let meaning = ConnectionEffect {
        is_slow: now_ms - started_at_ms >= SLOW_AFTER_MS,
        due_at_ms: settled.due_at_ms,
        less_until_ms,
        ..meaning(target, owed, answer, now_ms)
    };
    AttemptResult::DeliveryUpdate { attempted: Box::new(attempted), meaning }
}

/// What an answer means for the connection. A receiver that aborts a message is up and well.
fn meaning(target: &Target, owed: &Owed, answer: &Answer, now_ms: i64) -> ConnectionEffect {
    let outcome = answer.outcome();
    if outcome == Outcome::Delivered {
        return ConnectionEffect {
            succeeded: true,
            ends_failing: owed.failing_since_ms.is_some(),
            ends_warning: target.warned_percent > 0,
            ..ConnectionEffect::default()
        };
    }
    let health = health::after_failure(owed.failing_since_ms, target.warned_percent, now_ms);
    let inactive = match (outcome, answer.wish(), health) {
        (Outcome::Gone, _, _) => Some(InactiveReason::EndpointGone),
        (_, Some(ReceiverDirective::Disable), _) => Some(InactiveReason::DisabledByReceiver),
        (_, _, Health::GivenUp) => Some(InactiveReason::DeliveryFailing),
        _ => None,
    };
    let warning = match health {
        Health::Warning(percent) => owed.failing_since_ms.map(|since_ms| (since_ms, percent)),
        _ => None,
    };
    let failed = answer.wish() != Some(ReceiverDirective::AbortMessage);
    ConnectionEffect { failed, inactive, warning, ..ConnectionEffect::default() }
}

fn record(
    number: u32,
    prepared: &Prepared,
    answer: &Answer,
    started_at_ms: i64,
    ended_at_ms: i64,
) -> Record {
    let masked: Vec<&str> = prepared.masked.iter().map(Secret::expose).collect();
    let request = &prepared.request;
    let shown = |header: &crate::destinations::OutboundHeader| {
        let value = if header.is_secret { attempt::MASK } else { &header.value };
        (header.name.clone(), value.to_owned())
    };
    Record {
        number,
        asked_by: None,
        wrapped: prepared.settings.payload_mode == PayloadMode::Wrapped,
        started_at_ms,
        duration_ms: ended_at_ms - started_at_ms,
        outcome: answer.outcome(),
        status: answer.status,
        error: answer.error().map(|error| attempt::mask(&error, &masked)),
        method: request.method.clone(),
        url: request.url.clone(),
        request_headers: request.headers.iter().map(shown).collect(),
        response_headers: attempt::kept_headers(&answer.headers, &masked),
        excerpt: attempt::readable(&attempt::mask(
            &String::from_utf8_lossy(&answer.excerpt),
            &masked,
        )),
        truncated: answer.truncated,
    }
}

/// A fault of our own uses no attempt and is tried again with a backoff, for 7 days.
fn fault<P: Platform>(platform: &P, owed: &Owed, id: &str, why: &str) -> AttemptResult {
    let now_ms = platform.now_ms();
    let over = now_ms - owed.owed_since_ms > INTERNAL_DEADLINE_MS;
    let state = if over { owed.state.after(Transition::GivenUp) } else { owed.state };
    let due_at_ms = (!over).then(|| now_ms + internal_backoff_ms(owed.faults + 1));
    platform.log_event(&json!({"at": "fault", "message_id": id, "workspace": owed.workspace,
        "connection": owed.connection, "error": why, "state": state.as_str(),
        "due_at_ms": due_at_ms}));
    AttemptResult::InternalFault(InternalFault { key: owed.key(), state, due_at_ms })
}
