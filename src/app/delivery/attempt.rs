//! One attempt of one delivery: open its secrets, make the requests that its destination wants,
//! and decide what follows from the verdict. Nothing is stored here; see `recorder.rs`.

use serde_json::json;

use crate::app::delivery::effect::ConnectionEffect;
use crate::app::{delivery::trace, mapping, outgoing};
use crate::destinations;
use crate::destinations::call::{
    Account, Call, Content, OutboundHeader, OutboundRequest, STEPS_MAX, Step, Verdict,
};
use crate::destinations::model::Values;
use crate::domain::base::ids::message_id;
use crate::domain::base::limits::{BODY_KEPT_BYTES_MAX, ERROR_BYTES_MAX};
use crate::domain::base::secret::{SealContext, Secret};
use crate::domain::connection::model::{Credentials, RuleSays, SealedSigningSecret, Target};
use crate::domain::delivery::attempt::{self, Answer, Outcome, Record, StepRecord};
use crate::domain::delivery::mask::{self, Masker};
use crate::domain::delivery::retry::{
    INTERNAL_DEADLINE_MS, internal_backoff_ms, parse_retry_after,
};
use crate::domain::delivery::state::{self, EndReason, Transition};
use crate::ports::Platform;
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

/// Makes the attempt that is due.
pub async fn attempt<P: Platform>(platform: &P, target: &Target, owed: &Owed) -> AttemptResult {
    let id = message_id(&owed.event, owed.rule);
    let started_at_ms = platform.now_ms();
    let made = match open(platform, target, started_at_ms) {
        Ok(opened) => exchange(platform, target, owed, &id, opened, started_at_ms).await,
        Err(why) => Err(why),
    };
    match made {
        Ok(made) => conclude(platform, target, owed, &id, &made),
        Err(why) => fault(platform, owed, &id, &why),
    }
}

/// What a connection keeps sealed, opened for one attempt.
struct Opened {
    secrets: Vec<Secret>,
    credentials: Credentials,
}

fn open<P: Platform>(platform: &P, target: &Target, now_ms: i64) -> Result<Opened, String> {
    let open = |field: &str, sealed| {
        let place = SealContext { owner: &target.workspace, record: &target.connection, field };
        let keys = &platform.settings().master_keys;
        keys.open(&place, sealed).map_err(|e| format!("{field} of {}: {e}", target.connection))
    };
    let live = target.secrets.iter().filter(|secret| secret.is_live(now_ms));
    let secrets = live
        .map(|secret| open(&SealedSigningSecret::field(secret.number), &secret.sealed))
        .collect::<Result<_, _>>()?;
    let mut credentials = Credentials::new();
    for (field, sealed) in &target.credentials {
        credentials.insert(field.clone(), open(field, sealed)?);
    }
    Ok(Opened { secrets, credentials })
}

/// An attempt that is over.
struct Made {
    /// The requests, each with its answer and how long that took.
    exchanges: Vec<Exchange>,
    verdict: Verdict,
    /// What the receiver said of credentials that hold all the same.
    doubted: Option<String>,
    started_at_ms: i64,
    /// Everything that must not be kept: credentials as given and as sent, signing secrets.
    masked: Vec<Secret>,
}

struct Exchange {
    /// As it is recorded.
    request: OutboundRequest,
    answer: Answer,
    duration_ms: i64,
}

/// Makes requests until the destination has its verdict, all within the time of one attempt.
async fn exchange<P: Platform>(
    platform: &P,
    target: &Target,
    owed: &Owed,
    id: &str,
    opened: Opened,
    started_at_ms: i64,
) -> Result<Made, String> {
    let destination = destinations::stored(&target.kind)?;
    let values = Values::stored(&target.settings)?;
    let account = Account { values: &values, credentials: &opened.credentials };
    let rule = target.rules.iter().find(|rule| rule.number == owed.rule);
    let (stored, no_rule) = (target.mapping.as_deref(), RuleSays::default());
    let applied = mapping::applied(destination, stored, &owed.payload)?;
    let call = Call {
        account,
        action: rule.map_or(destination.about().actions[0].key, |rule| &rule.action),
        metadata: &rule.unwrap_or(&no_rule).metadata,
        mapped: &applied.fields,
        external_id: target.external_id.as_deref(),
        secrets: &opened.secrets,
        timeout_ms: target.options.timeout_ms(),
        event: &owed.event,
        name: &owed.name,
        resource: owed.resource.as_deref(),
        resource_id: owed.resource_id.as_deref(),
        payload: &owed.payload,
        created_at_ms: owed.created_at_ms,
        hops: owed.hops,
        message_id: id,
        is_test: owed.is_test(),
        attempt: owed.attempts + 1,
        now_ms: started_at_ms,
    };
    let (mut exchanges, mut answers) = (Vec::new(), Vec::new());
    let is_lost = rule.is_none() && !call.is_test && destination.about().reads_rules();
    let lost = is_lost.then_some("Its rule was deleted");
    let why = lost.or(applied.failure.as_deref());
    let verdict = loop {
        let mut request = match destination.step(&call, &answers)? {
            Step::Send(_) if why.is_some() => break Verdict::refused(why.unwrap_or_default()),
            Step::Done(verdict) => break verdict,
            Step::Send(_) if answers.len() == STEPS_MAX => return Err("too many requests".into()),
            Step::Send(request) if answers.is_empty() => request.noting(applied.warnings.clone()),
            Step::Send(request) => request,
        };
        let sent_at_ms = platform.now_ms();
        request.timeout_ms = (started_at_ms + call.timeout_ms - sent_at_ms).max(1);
        trace::add(platform, owed.trace.as_ref(), &mut request);
        // What is sent is not held beside the payload until the answer comes.
        let recorded = request.recorded();
        let answer = outgoing::send(platform, destination, request).await;
        answers.push(answer.clone());
        let duration_ms = platform.now_ms() - sent_at_ms;
        exchanges.push(Exchange { request: recorded, answer, duration_ms });
    };
    let doubted = match &verdict {
        Verdict::Unauthorized(told) => Some(told.clone()),
        _ => None,
    };
    let verdict =
        outgoing::confirmed(platform, destination, &account, verdict, call.timeout_ms).await;
    let sent = exchanges.iter().flat_map(|exchange| &exchange.request.headers);
    let sent = sent.filter(|header| header.is_secret);
    let mut masked: Vec<Secret> = sent.map(|header| Secret::new(header.value.clone())).collect();
    // A user name is no secret, and often an ordinary word.
    let given = opened.credentials.into_iter().filter(|(field, _)| field != "auth_username");
    masked.extend(given.map(|(_, value)| value).chain(opened.secrets));
    masked.extend(secret_paths(&exchanges));
    Ok(Made { exchanges, verdict, doubted, started_at_ms, masked })
}

/// Of a URL that is a credential, its path is one too.
fn secret_paths(exchanges: &[Exchange]) -> Vec<Secret> {
    let urls = exchanges.iter().map(|one| &one.request).filter(|one| one.public_url.is_some());
    let path = |request: &OutboundRequest| {
        let (_, rest) = request.url.split_once("://")?;
        rest.split_once('/').map(|(_, path)| Secret::new(path))
    };
    urls.filter_map(path).collect()
}

impl Made {
    /// The last answer; an empty one when nothing was asked.
    fn answer(&self) -> &Answer {
        self.exchanges.last().map_or(Answer::NONE, |last| &last.answer)
    }

    /// The contract's word for what became of it. The verdict counts, not the status: there are
    /// answers of 200 that are a failure and answers of 404 that are a success.
    fn outcome(&self) -> Outcome {
        let by_status = match self.exchanges.last() {
            Some(last) => last.answer.outcome(),
            None => Outcome::RejectedClientError,
        };
        match &self.verdict {
            Verdict::Delivered => Outcome::Delivered,
            Verdict::Unauthorized(_) => Outcome::AuthFailed,
            _ if by_status != Outcome::Delivered => by_status,
            Verdict::Throttled(_) => Outcome::RateLimited,
            Verdict::Retry(_) => Outcome::RejectedServerError,
            _ => Outcome::RejectedClientError,
        }
    }

    /// Why it failed, or why the body of an answer that delivered could not be read, in words for
    /// the customer.
    fn error(&self) -> Option<String> {
        let answer = self.answer();
        match &self.verdict {
            Verdict::Delivered if answer.outcome() == Outcome::Delivered => answer.error(),
            Verdict::Delivered => None,
            Verdict::Permanent { told, .. } | Verdict::Unauthorized(told) => Some(told.clone()),
            _ => {
                let error = self.doubted.clone().or_else(|| answer.error());
                error.or_else(|| Some("The answer says that it was not accepted".to_owned()))
            }
        }
    }

    /// How long the receiver wants to be left alone.
    fn retry_after_ms(&self, now_ms: i64) -> Option<i64> {
        match self.verdict {
            Verdict::Retry(Some(ms)) | Verdict::Throttled(Some(ms)) => Some(ms),
            _ => {
                let answer = self.answer();
                answer.header("retry-after").and_then(|value| parse_retry_after(value, now_ms))
            }
        }
    }

    /// Whether the receiver wants to be called less often.
    fn asks_for_less(&self) -> bool {
        matches!(self.verdict, Verdict::Throttled(_)) || self.answer().asks_for_less()
    }

    /// Why the delivery is given up, when it is.
    fn reason(&self) -> EndReason {
        match &self.verdict {
            Verdict::Gone => EndReason::Gone,
            Verdict::Permanent { reason, .. } => *reason,
            _ => EndReason::AttemptsUsedUp,
        }
    }
}

fn conclude<P: Platform>(
    platform: &P,
    target: &Target,
    owed: &Owed,
    id: &str,
    made: &Made,
) -> AttemptResult {
    let (now_ms, started_at_ms) = (platform.now_ms(), made.started_at_ms);
    let (number, outcome) = (owed.attempts + 1, made.outcome());
    let is_test = owed.is_test();
    // A test event is tried once: who sent it sees what came of it, and sends another.
    let is_final = is_test || matches!(made.verdict, Verdict::Gone | Verdict::Permanent { .. });
    let retry_after = made.retry_after_ms(now_ms);
    let schedule = &target.options.retry_schedule_seconds;
    let turn = number - owed.attempts_before;
    let mut settled = state::settle(schedule, turn, outcome, is_final, retry_after, id, now_ms);
    if matches!(made.verdict, Verdict::Unauthorized(_)) && !is_test {
        // The connection becomes inactive: its event waits for new credentials, also where this was
        // the last attempt of the schedule.
        settled = settled.or_wait(now_ms);
    }
    let state = owed.state.after(settled.transition);
    platform.log_event(&json!({"at": "attempt", "message_id": id, "workspace": owed.workspace,
        "connection": owed.connection, "attempt": number, "outcome": outcome,
        "status": made.answer().status, "duration_ms": now_ms - started_at_ms,
        "state": state.as_str(), "due_at_ms": settled.due_at_ms,
        "trace_id": owed.trace.as_ref().map(|trace| trace.id())}));
    let attempted = DeliveryUpdate {
        key: owed.key(),
        state,
        due_at_ms: settled.due_at_ms,
        sweep_at_ms: settled.sweep_at_ms,
        started_at_ms: owed.started_at_ms.unwrap_or(started_at_ms),
        completed_at_ms: (!state.is_open()).then_some(now_ms),
        reason: (settled.transition == Transition::GivenUp).then(|| made.reason()),
        record: Record { asked_by: owed.asked_by.clone(), ..record(number, made, now_ms) },
    };
    let less_until_ms =
        made.asks_for_less().then(|| retry_after.map_or(0, |after_ms| now_ms + after_ms));
    let meaning = match is_test {
        true => ConnectionEffect::default(),
        false => ConnectionEffect {
            due_at_ms: settled.due_at_ms,
            less_until_ms,
            ..ConnectionEffect::of(target, owed, &made.verdict, now_ms)
        },
    };
    AttemptResult::DeliveryUpdate { attempted: Box::new(attempted), meaning }
}

fn record(number: u32, made: &Made, ended_at_ms: i64) -> Record {
    let masker = Masker::new(made.masked.iter().map(Secret::expose));
    let shown = |header: &OutboundHeader| {
        let value = if header.is_secret { mask::MASK } else { &header.value };
        (header.name.clone(), value.to_owned())
    };
    let answer = made.answer();
    let excerpt = String::from_utf8_lossy(&answer.excerpt);
    let excerpt = if answer.truncated { masker.mask_cut(&excerpt) } else { masker.mask(&excerpt) };
    let request = made.exchanges.last().map(|last| &last.request);
    let rendered = request.filter(|request| request.content == Content::Rendered);
    let rendered = rendered.map(|one| masker.mask(&String::from_utf8_lossy(&one.body)));
    let notes = made.exchanges.iter().flat_map(|one| &one.request.notes);
    let steps = made.exchanges.iter().map(|one| StepRecord {
        method: one.request.method.clone(),
        url: one.request.shown_url().to_owned(),
        status: one.answer.status,
        duration_ms: one.duration_ms,
    });
    Record {
        number,
        asked_by: None,
        wrapped: request.is_some_and(|request| request.content == Content::Wrapped),
        body: rendered.map(|body| attempt::cut(&body, BODY_KEPT_BYTES_MAX)).unwrap_or_default(),
        notes: notes.map(|note| masker.mask(note)).collect(),
        started_at_ms: made.started_at_ms,
        duration_ms: ended_at_ms - made.started_at_ms,
        outcome: made.outcome(),
        status: answer.status,
        error: made.error().map(|error| attempt::cut(&masker.mask(&error), ERROR_BYTES_MAX)),
        method: request.map(|request| request.method.clone()).unwrap_or_default(),
        url: request.map(|request| request.shown_url().to_owned()).unwrap_or_default(),
        request_headers: request
            .map(|request| request.headers.iter().map(shown).collect())
            .unwrap_or_default(),
        steps: if made.exchanges.len() > 1 { steps.collect() } else { Vec::new() },
        response_headers: attempt::kept_headers(&answer.headers, &masker),
        excerpt: attempt::readable(&excerpt),
        truncated: answer.truncated,
    }
}

/// A fault of our own uses no attempt and is tried again with a backoff, for 7 days.
fn fault<P: Platform>(platform: &P, owed: &Owed, id: &str, why: &str) -> AttemptResult {
    let now_ms = platform.now_ms();
    let over = now_ms - owed.faulted_since_ms.unwrap_or(now_ms) > INTERNAL_DEADLINE_MS;
    let state = if over { owed.state.after(Transition::GivenUp) } else { owed.state };
    let due_at_ms = (!over).then(|| now_ms + internal_backoff_ms(owed.faults + 1));
    platform.log_event(&json!({"at": "fault", "message_id": id, "workspace": owed.workspace,
        "connection": owed.connection, "error": why, "state": state.as_str(),
        "due_at_ms": due_at_ms}));
    AttemptResult::InternalFault(InternalFault { key: owed.key(), state, due_at_ms })
}

#[cfg(test)]
mod tests;
