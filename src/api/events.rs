//! The history: `/events`, `/workspaces/{id}/events`, and the attempts of a delivery.

use serde_json::{Value, json};

use crate::api::rules::add_resource;
use crate::app::events::{self, Listing};
use crate::app::{attempts as app_attempts, cancel, retry};
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::ids::{self, attempt_id, message_id, rule_event_id};
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::attempt::{Record, StepRecord};
use crate::domain::delivery::state::State;
use crate::domain::routing::event::{Event, FanOut, Unmatched};
use crate::http::{Call, Reply, cursor, event_filter, without_nulls};
use crate::ports::Platform;
use crate::store::events::{DeliverySummary, EventWithDeliveries, NEWEST};

/// An event as the wire contract shows it.
pub fn show_event(event: &Event) -> Value {
    let mut shown = json!({
        "id": event.id,
        "type": "event",
        "event": event.name,
        "workspace": event.workspace,
        "created_by": event.created_by,
        "created_at": rfc3339(event.created_at_ms),
    });
    if event.is_test() {
        shown["test"] = json!(true);
    }
    add_resource(&mut shown, event.resource.as_deref(), event.resource_id.as_deref());
    shown
}

fn show_with_deliveries(found: &EventWithDeliveries) -> Value {
    let event = &found.event;
    let mut shown = show_event(event);
    shown["status"] = json!(events::status(found));
    let of_rules = event.fan_out.iter().filter_map(|owed| {
        let delivery = found.deliveries.iter().find(|d| d.rule == owed.rule_number)?;
        Some((owed, delivery))
    });
    let rule_events: Vec<Value> =
        of_rules.clone().map(|(owed, delivery)| show_rule_event(event, owed, delivery)).collect();
    shown["total_rules"] = json!(rule_events.len());
    shown["rule_events"] = rule_events.into();
    add_progress(&mut shown, of_rules.map(|(_, delivery)| delivery));
    if let Some(at_ms) = found.kept.and_then(|kept| found.kept_until_ms(kept)) {
        shown["kept_until"] = json!(rfc3339(at_ms));
    }
    if let Some(at_ms) = found.erased_at_ms {
        shown["erased_at"] = json!(rfc3339(at_ms));
    }
    if !event.unmatched.is_empty() {
        shown["unmatched_rules"] = event.unmatched.iter().map(show_unmatched).collect();
    }
    shown
}

/// Adds how far an event's deliveries are. It is completed when the last of them is settled.
fn add_progress<'a>(
    shown: &mut Value,
    deliveries: impl Iterator<Item = &'a DeliverySummary> + Clone,
) {
    let in_state = |state| {
        let of_state = move |delivery: &&DeliverySummary| delivery.state == state;
        deliveries.clone().filter(of_state).count()
    };
    shown["completed_count"] = json!(in_state(State::Delivered));
    shown["failed_count"] = json!(in_state(State::Failed));
    if let Some(at_ms) = deliveries.clone().filter_map(|delivery| delivery.started_at_ms).min() {
        shown["started_at"] = json!(rfc3339(at_ms));
    }
    let completed: Option<Vec<i64>> = deliveries.map(|delivery| delivery.completed_at_ms).collect();
    if let Some(at_ms) = completed.and_then(|times| times.into_iter().max()) {
        shown["completed_at"] = json!(rfc3339(at_ms));
    }
}

fn show_unmatched(unmatched: &Unmatched) -> Value {
    let mut shown = json!({"rule": unmatched.rule, "reason": unmatched.why});
    if let Some(detail) = &unmatched.detail {
        shown["detail"] = json!(detail);
    }
    shown
}

/// A delivery as the wire contract shows it.
pub fn show_rule_event(event: &Event, owed: &FanOut, delivery: &DeliverySummary) -> Value {
    let mut shown = json!({
        "id": rule_event_id(&event.id, owed.rule_number),
        "type": "rule",
        "workspace": event.workspace,
        "event": event.name,
        "event_id": event.id,
        "message_id": message_id(&event.id, owed.rule_number),
        "connection": owed.connection,
        "rule": owed.rule,
        "integration_type": owed.kind,
        "status": delivery.state.status(),
        "attempt_count": delivery.attempts,
        "created_by": event.created_by,
        "created_at": rfc3339(event.created_at_ms),
    });
    add_resource(&mut shown, event.resource.as_deref(), event.resource_id.as_deref());
    if delivery.state == State::Held {
        shown["held"] = json!(true);
    }
    for (key, at_ms) in [
        ("next_attempt_at", delivery.due_at_ms.filter(|_| delivery.state.is_open())),
        ("started_at", delivery.started_at_ms),
        ("completed_at", delivery.completed_at_ms),
    ] {
        if let Some(at_ms) = at_ms {
            shown[key] = json!(rfc3339(at_ms));
        }
    }
    if let Some(error) = &delivery.last_error {
        shown["last_error"] = json!(error);
    }
    shown
}

/// `GET /events`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let actor = call.caller.machine()?;
    let list = cursor::list_of("events", &actor.scope);
    let (limit, before) = position(call, &list)?;
    let page = events::list(platform, actor, &before, limit).await?;
    let records = page.found.iter().map(show_with_deliveries).collect();
    Ok(cursor::page_to(&list, records, limit, page.next.as_ref()))
}

/// `GET /workspaces/{id}/events`, filtered.
pub async fn list_of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let actor = call.caller.machine()?;
    let list = cursor::list_of("events", &actor.scope.within(&id));
    let (limit, before) = position(call, &list)?;
    let (filter, status) = event_filter::read(call)?;
    let listing = Listing { workspace: id, filter, status, before, limit };
    let page = events::list_of_workspace(platform, actor, listing).await?;
    let records = page.found.iter().map(show_with_deliveries).collect();
    Ok(cursor::page_to(&list, records, limit, page.next.as_ref()))
}

fn position(call: &Call, list: &str) -> Result<(usize, String)> {
    let before: Option<String> = cursor::read(call, list)?;
    Ok((call.limit()?, before.unwrap_or_else(|| NEWEST.to_owned())))
}

/// `GET /events/{id}`, with its payload's exact text.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "event")?;
    let caller = call.caller.machine()?;
    let (found, payload) = events::find(platform, caller, &id).await?;
    if found.erased_at_ms.is_some() {
        return Ok(Reply::ok(&show_with_deliveries(&found)));
    }
    Ok(with_payload(&found, &payload))
}

fn with_payload(found: &EventWithDeliveries, payload: &str) -> Reply {
    // The payload's text is put in as it is: parsed and written again it would be another text.
    let mut text = show_with_deliveries(found).to_string();
    text.pop();
    let text = format!("{text},\"payload\":{payload}}}");
    Reply::json_text(http::StatusCode::OK, text)
}

/// `GET /events/{id}/payload`: the same, as clients of the contract ask for it, and 410 once it was
/// erased.
pub async fn payload<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "event")?;
    let (found, payload) = events::find(platform, call.caller.machine()?, &id).await?;
    if found.erased_at_ms.is_some() {
        return Err(
            Error::new(Kind::Gone, "The payload of this event was erased").with_code(Code::Erased)
        );
    }
    Ok(with_payload(&found, &payload))
}

/// `POST /events/{id}/rules/{rule_id}/retry`: attempts a delivery now, a settled one once more.
pub async fn retry<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let found = retry::retry(platform, call.caller.machine()?, &event, &rule).await?;
    reply_with(&found, &rule)
}

/// `POST /events/{id}/rules/{rule_id}/cancel`: it is not sent any more.
pub async fn cancel_delivery<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let found = cancel::delivery(platform, call.caller.machine()?, &event, &rule).await?;
    reply_with(&found, &rule)
}

/// `POST /events/{id}/cancel`: nothing that it owes is sent any more.
pub async fn cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let event = call.id("id", "event")?;
    let found = cancel::event(platform, call.caller.machine()?, &event).await?;
    Ok(Reply::ok(&show_with_deliveries(&found)))
}

/// `GET /messages/{message_id}`: the delivery whose attempts carry this id, and its event.
pub async fn message<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let actor = call.caller.machine()?;
    let (found, rule) = events::message(platform, actor, call.param("message_id")).await?;
    let rule_event = show_delivery(&found, |owed| owed.rule_number == rule)?;
    Ok(Reply::ok(&json!({"event": show_with_deliveries(&found), "rule_event": rule_event})))
}

fn reply_with(found: &EventWithDeliveries, rule: &str) -> Result<Reply> {
    Ok(Reply::ok(&show_delivery(found, |owed| owed.rule == rule)?))
}

/// Renders the delivery of an event that is meant.
///
/// # Errors
/// When the event has none such.
pub fn show_delivery(
    found: &EventWithDeliveries,
    is_meant: impl Fn(&FanOut) -> bool,
) -> Result<Value> {
    let owed = found.event.fan_out.iter().find(|owed| is_meant(owed));
    let of = |owed: &FanOut| found.deliveries.iter().find(|one| one.rule == owed.rule_number);
    let found_both = owed.and_then(|owed| Some((owed, of(owed)?)));
    let (owed, delivery) = found_both.ok_or_else(|| Error::internal("a delivery is not there"))?;
    Ok(show_rule_event(&found.event, owed, delivery))
}

fn show_attempt((id, record): &(String, Record)) -> Value {
    let mut shown = json!({
        "id": id,
        "number": record.number,
        "outcome": record.outcome,
        "started_at": rfc3339(record.started_at_ms),
        "duration_ms": record.duration_ms,
    });
    // What cannot be sent as it is asked for is refused without a request.
    if !record.method.is_empty() {
        let headers = headers(&record.request_headers);
        shown["request"] = json!({"method": record.method, "url": record.url, "headers": headers});
    }
    if let Some(asked_by) = &record.asked_by {
        shown["asked_by"] = json!(asked_by);
    }
    if !record.body.is_empty() {
        shown["request"]["body"] = json!(record.body);
    }
    if !record.notes.is_empty() {
        shown["notes"] = json!(record.notes);
    }
    if !record.steps.is_empty() {
        shown["steps"] = record.steps.iter().map(show_step).collect();
    }
    if let Some(status) = record.status {
        shown["status_code"] = json!(status);
    }
    if let Some(error) = &record.error {
        shown["error"] = json!(error);
    }
    shown
}

fn show_step(step: &StepRecord) -> Value {
    let mut shown =
        json!({"method": step.method, "url": step.url, "duration_ms": step.duration_ms});
    if let Some(status) = step.status {
        shown["status_code"] = json!(status);
    }
    shown
}

fn headers(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// `GET /events/{id}/rules/{rule_id}/attempts`.
pub async fn attempts<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let (limit, list) = (call.limit()?, format!("attempts/{event}/{rule}"));
    let after: u32 = cursor::read(call, &list)?.unwrap_or_default();
    let found = read_attempts(platform, call, after, limit + 1).await?;
    Ok(cursor::page(&list, found, limit, |(_, record)| record.number, show_attempt))
}

/// `GET /events/{id}/rules/{rule_id}/attempts/{n}`, by number or id.
pub async fn attempt<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    Ok(Reply::ok(&show_attempt(&read_attempt(platform, call).await?)))
}

/// `GET /events/{id}/rules/{rule_id}/attempts/{n}/response-details`.
pub async fn response_details<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (id, record) = read_attempt(platform, call).await?;
    Ok(Reply::ok(&without_nulls(json!({
        "id": id,
        "number": record.number,
        "status_code": record.status,
        "headers": headers(&record.response_headers),
        "body": record.excerpt,
        "truncated": record.truncated,
        "duration_ms": record.duration_ms,
        "error": record.error,
    }))))
}

/// The attempts of a delivery after a number, with their ids.
async fn read_attempts<P: Platform>(
    platform: &P,
    call: &Call,
    after: u32,
    limit: usize,
) -> Result<Vec<(String, Record)>> {
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let of = (event.as_str(), rule.as_str());
    let found = app_attempts::list(platform, call.caller.machine()?, of, after, limit).await?;
    let with_id = |(number, record): (u32, Record)| {
        let id = attempt_id(&rule_event_id(&event, number), record.number);
        (id, record)
    };
    Ok(found.into_iter().map(with_id).collect())
}

async fn read_attempt<P: Platform>(platform: &P, call: &Call) -> Result<(String, Record)> {
    let asked = call.param("n");
    let number = match asked.parse::<u32>() {
        Ok(number) => Some(number),
        Err(_) => numbered(platform, call, &ids::parse_uuid(asked)).await?,
    };
    let number = number.filter(|number| *number > 0).ok_or_else(|| Error::not_found("attempt"))?;
    let found = read_attempts(platform, call, number - 1, 1).await?;
    let is_it = |(_, record): &(String, Record)| record.number == number;
    found.into_iter().find(is_it).ok_or_else(|| Error::not_found("attempt"))
}

/// The number of the attempt with this id: ids are made of numbers.
async fn numbered<P: Platform>(
    platform: &P,
    call: &Call,
    id: &Option<String>,
) -> Result<Option<u32>> {
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let (found, _) = events::find(platform, call.caller.machine()?, &event).await?;
    let owed = found.event.fan_out.iter().find(|owed| owed.rule == rule);
    let of_rule = |number| found.deliveries.iter().find(|delivery| delivery.rule == number);
    let Some(delivery) = owed.and_then(|owed| of_rule(owed.rule_number)) else { return Ok(None) };
    let of = rule_event_id(&event, delivery.rule);
    Ok((1..=delivery.attempts).find(|number| id.as_ref() == Some(&attempt_id(&of, *number))))
}
