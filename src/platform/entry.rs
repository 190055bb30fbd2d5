//! The events of the Worker: fetch, queue, scheduled.

use futures_util::future::Either;
use futures_util::stream::once;
use http::header::{HeaderName, HeaderValue, ToStrError};
use serde_json::json;
use worker::js_sys::futures::spawn_local;
use worker::js_sys::{self, Reflect, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::web_sys::{Request, Response, ResponseInit};
use worker::{
    ByteStream, Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, ScheduleContext,
    ScheduledEvent, Url, console_error, event,
};

use crate::app::delivery::deliver::{Verdict, deliver};
use crate::app::delivery::work::QueueMessage;
use crate::app::upkeep::tasks;
use crate::domain::base::error::Error;
use crate::domain::base::limits::{HAND_BACK_S, SMALL_BODY_BYTES};
use crate::domain::delivery::upkeep::UpkeepJob;
use crate::http::{Reply, body, problem};
use crate::platform::{Edge, web};
use crate::routes::{self, Head};

/// The cron text with which a local installation announces that it was restarted: its queue lives
/// in memory, so no job is on its way.
const RESTART: &str = "@restart";

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
    // Where that fails they are woken as before.
    let _ = wake_by_promise();
}

/// Has tasks woken by a promise that is fulfilled. The runtime's `queueMicrotask` wraps what it is
/// given in a task of its own, which takes five microseconds each time. The queue of tasks looks
/// for it once, when the first task is spawned.
fn wake_by_promise() -> Result<(), JsValue> {
    let (global, name) = (js_sys::global(), JsValue::from("queueMicrotask"));
    let own = Reflect::get(&global, &name)?;
    Reflect::set(&global, &name, &JsValue::UNDEFINED)?;
    spawn_local(async {});
    Reflect::set(&global, &name, &own)?;
    Ok(())
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _: Context) -> worker::Result<Response> {
    let reply = match Edge::open(&env) {
        Ok(edge) => {
            let reply = serve(&edge, request).await;
            edge.meter().print("fetch");
            reply
        }
        Err(why) => {
            console_error!("{}", json!({"at": "configuration", "error": why}));
            problem::reply(&Error::internal(why), "none")
        }
    };
    response(reply)
}

async fn serve(edge: &Edge, request: Request) -> Reply {
    let Some(head) = head(&request) else {
        return problem::reply(&Error::invalid("The request is not readable"), "none");
    };
    let told_bytes = body::told_bytes(&head.headers);
    // What was read is held until it is answered.
    let (mut held, mut is_read) = (None, false);
    let read_body = async |bytes_max: usize| {
        is_read = true;
        // A small body taken at once costs a third of what it costs chunk by chunk.
        let chunks = if told_bytes.is_some_and(|bytes| bytes <= bytes_max.min(SMALL_BODY_BYTES)) {
            Either::Left(once(web::bytes(request.array_buffer())))
        } else {
            // A request without a body has no stream.
            let Some(stream) = request.body() else { return Ok(Vec::new()) };
            Either::Right(ByteStream::from(stream))
        };
        let read = body::read(edge, edge.bodies(), told_bytes, bytes_max, chunks).await;
        let (body, bytes) = read?;
        held = Some(bytes);
        Ok(body)
    };
    let reply = routes::serve(edge, head, read_body).await;
    drop(held);
    if !is_read && let Some(stream) = request.body() {
        body::discard(edge, ByteStream::from(stream)).await;
    }
    reply
}

fn head(request: &Request) -> Option<Head> {
    let url = Url::parse(&request.url()).ok()?;
    Some(Head {
        method: http::Method::from_bytes(request.method().as_bytes()).ok()?,
        origin: url.origin().ascii_serialization(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: web::header_pairs(&request.headers())
            .ok()?
            .into_iter()
            .filter_map(header)
            .collect(),
    })
}

/// A header as this crate holds it; values that are not ASCII stay as they are.
fn header((name, value): (String, String)) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
}

fn response(reply: Reply) -> worker::Result<Response> {
    let pairs: Result<Vec<_>, _> = reply
        .headers
        .iter()
        .map(|(name, value)| Ok::<_, ToStrError>((name.as_str(), value.to_str()?)))
        .collect();
    let pairs = pairs.map_err(|e| e.to_string())?;
    let init = ResponseInit::new();
    init.set_status(reply.status.as_u16());
    init.set_headers(&web::headers_init(pairs.into_iter())?);
    // The answers to some statuses may have no body, not even an empty one.
    let body = (!reply.body.is_empty()).then(|| Uint8Array::from(reply.body.as_slice()));
    Ok(Response::new_with_opt_buffer_source_and_init(body.as_deref(), &init)?)
}

/// Never returns an error: that would reset the instance, and every message of the batch would be
/// counted as failed. Each message is acknowledged or comes again.
#[event(queue)]
async fn queue(batch: MessageBatch<String>, env: Env, ctx: Context) -> worker::Result<()> {
    let edge = match Edge::open(&env) {
        Ok(edge) => edge,
        Err(why) => {
            console_error!("{}", json!({"at": "configuration", "error": why}));
            batch.retry_all_with_options(&retry_after(HAND_BACK_S));
            return Ok(());
        }
    };
    let messages: Vec<_> = batch.raw_iter().collect();
    // A message that is no string is malformed; the empty text says so downstream.
    let read = messages.iter().map(|message| QueueMessage {
        text: message.body().as_string().unwrap_or_default(),
        sent_at_ms: i64::try_from(message.timestamp().as_millis()).unwrap_or_default(),
    });
    let read: Vec<QueueMessage> = read.collect();
    // Messages of the upkeep queue come one by one, so that each has an invocation of its own.
    if let Some(job) = read.first().and_then(|message| UpkeepJob::parse(&message.text)) {
        batch.ack_all();
        tasks::work(&edge, job).await;
        edge.meter().print("upkeep");
        return Ok(());
    }
    let served = deliver(&edge, &read).await;
    for (message, verdict) in messages.iter().zip(served.verdicts) {
        match verdict {
            Verdict::Ack => message.ack(),
            Verdict::Retry(delay_s) => message.retry_with_options(&retry_after(delay_s)),
        }
    }
    ctx.wait_until(async move {
        served.rest.await;
        edge.meter().print("queue");
    });
    Ok(())
}

fn retry_after(delay_s: u32) -> worker::QueueRetryOptions {
    QueueRetryOptionsBuilder::new().with_delay_seconds(delay_s).build()
}

#[event(scheduled)]
async fn scheduled(event: ScheduledEvent, env: Env, _: ScheduleContext) {
    match Edge::open(&env) {
        Ok(edge) => {
            tasks::announce(&edge, event.cron() == RESTART).await;
            edge.meter().print("scheduled");
        }
        Err(why) => {
            console_error!("{}", json!({"at": "configuration", "error": why}));
        }
    }
}
