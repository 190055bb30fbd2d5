//! The history: `/events`, `/workspaces/{id}/events`, and the attempts of a delivery.

use serde_json::Value;

use crate::api::rules::add_resource;
use crate::app::events::{self, Listing};
use crate::app::{cancel, retry};
use crate::destinations::WEBHOOK;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids::{message_id, rule_event_id};
use crate::domain::base::json::json;
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::attempt::Record;
use crate::domain::delivery::state::{STATUSES, State};
use crate::domain::routing::event::{Event, FanOut, Unmatched};
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::events::{DeliverySummary, EventWithDeliveries, Filter, NEWEST};

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
    let rule_events = event.fan_out.iter().filter_map(|owed| {
        let delivery = found.deliveries.iter().find(|d| d.rule == owed.rule_number)?;
        Some(show_rule_event(event, owed, delivery))
    });
    shown["rule_events"] = rule_events.collect();
    if !event.unmatched.is_empty() {
        shown["unmatched_rules"] = event.unmatched.iter().map(show_unmatched).collect();
    }
    shown
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
    let status = State::parse(&delivery.state).map(State::status);
    let mut shown = json!({
        "id": rule_event_id(&event.id, owed.rule_number),
        "type": "rule",
        "workspace": event.workspace,
        "event": event.name,
        "event_id": event.id,
        "message_id": message_id(&event.id, owed.rule_number),
        "connection": owed.connection,
        "rule": owed.rule,
        "integration_type": WEBHOOK,
        "status": status,
        "attempt_count": delivery.attempts,
        "created_by": event.created_by,
        "created_at": rfc3339(event.created_at_ms),
    });
    add_resource(&mut shown, event.resource.as_deref(), event.resource_id.as_deref());
    let state = State::parse(&delivery.state);
    let open = state.is_some_and(State::is_open);
    if state == Some(State::Held) {
        shown["held"] = json!(true);
    }
    for (key, at_ms) in [
        ("next_attempt_at", delivery.due_at_ms.filter(|_| open)),
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

/// `GET /workspaces/{id}/events`, by event, resource, resource_id and status.
pub async fn list_of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let actor = call.caller.machine()?;
    let list = cursor::list_of("events", &actor.scope.within(&id));
    let (limit, before) = position(call, &list)?;
    let filter = Filter {
        name: call.request.query("event"),
        resource: call.request.query("resource"),
        resource_id: call.request.query("resource_id"),
    };
    let status = call.query_word("status", &STATUSES)?;
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
    // The payload's text is put in as it is: parsed and written again it would be another text.
    let mut text = show_with_deliveries(&found).to_string();
    text.pop();
    let text = format!("{text},\"payload\":{payload}}}");
    Ok(Reply::json_text(http::StatusCode::OK, text))
}

/// `GET /events/{id}/payload`: the payload's exact text is the body.
pub async fn payload<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "event")?;
    let text = events::payload(platform, call.caller.machine()?, &id).await?;
    Ok(Reply::json_text(http::StatusCode::OK, text))
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

/// The rule_event of this rule.
fn reply_with(found: &EventWithDeliveries, rule: &str) -> Result<Reply> {
    let shown = show_with_deliveries(found);
    let mut of_event = shown["rule_events"].as_array().into_iter().flatten();
    let of_rule = of_event.find(|shown| shown["rule"] == json!(rule));
    Ok(Reply::ok(of_rule.ok_or_else(|| Error::internal("a delivery is not shown"))?))
}

fn show_attempt(record: &Record) -> Value {
    let mut shown = json!({
        "number": record.number,
        "outcome": record.outcome,
        "started_at": rfc3339(record.started_at_ms),
        "duration_ms": record.duration_ms,
        "request": {
            "method": record.method,
            "url": record.url,
            "headers": headers(&record.request_headers),
        },
    });
    if let Some(asked_by) = &record.asked_by {
        shown["asked_by"] = json!(asked_by);
    }
    if let Some(status) = record.status {
        shown["status_code"] = json!(status);
    }
    if let Some(error) = &record.error {
        shown["error"] = json!(error);
    }
    shown
}

fn headers(headers: &[(String, String)]) -> Value {
    headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// `GET /events/{id}/rules/{rule_id}/attempts`.
pub async fn attempts<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let found = read_attempts(platform, call).await?;
    // A delivery has at most 21 attempts by its schedule, so they are one page.
    let limit = found.len().max(1);
    Ok(cursor::page("attempts", found, limit, |record| record.number, show_attempt))
}

/// `GET /events/{id}/rules/{rule_id}/attempts/{n}`.
pub async fn attempt<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    Ok(Reply::ok(&show_attempt(&read_attempt(platform, call).await?)))
}

/// `GET /events/{id}/rules/{rule_id}/attempts/{n}/response-details`.
pub async fn response_details<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let record = read_attempt(platform, call).await?;
    Ok(Reply::ok(&json!({
        "number": record.number,
        "status_code": record.status,
        "headers": headers(&record.response_headers),
        "body": record.excerpt,
        "truncated": record.truncated,
        "duration_ms": record.duration_ms,
        "error": record.error,
    })))
}

async fn read_attempts<P: Platform>(platform: &P, call: &Call) -> Result<Vec<Record>> {
    let event = call.id("id", "event")?;
    let rule = call.id("rule_id", "rule")?;
    events::attempts(platform, call.caller.machine()?, &event, &rule).await
}

async fn read_attempt<P: Platform>(platform: &P, call: &Call) -> Result<Record> {
    let number = call.param("n").parse::<u32>().ok();
    let found = read_attempts(platform, call).await?;
    let record = found.into_iter().find(|record| Some(record.number) == number);
    record.ok_or_else(|| Error::not_found("attempt"))
}
