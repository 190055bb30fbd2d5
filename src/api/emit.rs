//! `POST /events` and `POST /events/bulk`.

use http::StatusCode;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::api::events::show_event;
use crate::app::emit::emit;
use crate::app::loops::{self, Came};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::fields::first_items;
use crate::domain::base::limits::BULK_EVENTS_MAX;
use crate::domain::routing::event::{Event, NewEvent};
use crate::domain::routing::idempotency::{self, Key};
use crate::domain::routing::trace::TRACEPARENT;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;

/// `POST /events`.
pub async fn single<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    // A bad request goes on to the check of the credential, which is answered first.
    let (key, input) = match read(call) {
        Ok((key, body)) => (key, NewEvent::parse(body)),
        Err(error) => (None, Err(error)),
    };
    let answers =
        emit(platform, call.caller.emitter()?, &came(call), key.as_ref(), vec![input]).await?;
    let answer = answers.events.into_iter().next();
    let event = answer.unwrap_or_else(|| Err(Error::internal("no answer to an event")))?;
    let reply = Reply::created(&json!({"event": show_event(&event)}));
    Ok(marked(reply, answers.replayed))
}

/// `POST /events/bulk`: each event by itself; 207 when some were not accepted.
pub async fn bulk<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (key, items) = match read(call).and_then(|(key, body)| Ok((key, items(body)?))) {
        Ok(read) => read,
        Err(error) => {
            // The credential is checked before the request is complained about.
            emit(platform, call.caller.emitter()?, &came(call), None, Vec::new()).await?;
            return Err(error);
        }
    };
    let inputs = items.iter().map(|item| NewEvent::parse(item.get())).collect();
    let answers = emit(platform, call.caller.emitter()?, &came(call), key.as_ref(), inputs).await?;
    let records: Vec<Value> = answers.events.iter().map(show_answer).collect();
    let failed = answers.events.iter().filter(|answer| answer.is_err()).count();
    let mut body = json!({"count": records.len() - failed, "records": records});
    let mut status = StatusCode::CREATED;
    if failed > 0 {
        body["error_count"] = json!(failed);
        status = StatusCode::MULTI_STATUS;
    }
    Ok(marked(Reply::json(status, &body), answers.replayed))
}

/// The idempotency key, if there is one, and the body.
fn read(call: &Call) -> Result<(Option<Key>, &str)> {
    let key = call.request.header(idempotency::HEADER);
    let key = key.map(|text| Key::parse(text, &call.request.body)).transpose()?;
    Ok((key, call.body()?))
}

/// Where the request came from.
fn came(call: &Call) -> Came {
    let header = |name| call.request.header(name);
    Came::read(header(loops::HOPS_HEADER), header(loops::EVENT_HEADER), header(TRACEPARENT))
}

/// Says of an answer that it is an earlier one.
fn marked(reply: Reply, replayed: bool) -> Reply {
    if replayed { reply.with_header("idempotent-replayed", "true") } else { reply }
}

fn items(text: &str) -> Result<Vec<&RawValue>> {
    const MOST: usize = BULK_EVENTS_MAX + 1;
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|e| Error::invalid(format!("The body is not valid JSON: {e}")))?;
    let wrong =
        || Error::field("", format!("must be a JSON array of 1 to {BULK_EVENTS_MAX} events"));
    let items = first_items::<MOST>(value.get()).ok_or_else(wrong)?;
    if items.is_empty() || items.len() > BULK_EVENTS_MAX {
        return Err(wrong());
    }
    Ok(items)
}

fn show_answer(answer: &Result<Event>) -> Value {
    match answer {
        Ok(event) => show_event(event),
        Err(error) => json!({"message": error.message, "error": problem::error_object(error)}),
    }
}
