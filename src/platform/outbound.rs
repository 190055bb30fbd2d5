//! `fetch` as the [`Outbound`] port: redirects are not followed, one deadline covers headers and
//! body, and no more of the body is read than is kept.

use std::pin::{Pin, pin};

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Uint8Array, global};
use worker::wasm_bindgen::JsCast;
use worker::web_sys::{AbortController, RequestInit, RequestRedirect, Response, WorkerGlobalScope};
use worker::{ByteStream, console_log};

use crate::destinations::call::{OutboundHeader, OutboundRequest};
use crate::domain::delivery::answers::network_failure;
use crate::domain::delivery::attempt::{Answer, Failure};
use crate::platform::timers::{Sleep, Timers};
use crate::platform::web;
use crate::ports::Outbound;
use serde_json::json;

/// The runtime's `fetch`.
pub struct FetchOutbound {
    timers: Timers,
}

impl FetchOutbound {
    /// That of an invocation with these timers.
    pub fn new(timers: Timers) -> Self {
        Self { timers }
    }
}

impl Outbound for FetchOutbound {
    async fn send(&self, request: OutboundRequest) -> Answer {
        let (timeout_ms, bytes_max) = (request.timeout_ms, request.answer_bytes_max);
        let deadline = pin!(self.timers.sleep(timeout_ms));
        let controller = match AbortController::new() {
            Ok(controller) => controller,
            Err(e) => return Answer::failed(unreached(&e.into())),
        };
        let answer = match send(request, &controller) {
            Ok(sent) => exchange(sent, deadline, (timeout_ms, bytes_max)).await,
            Err(e) => Answer::failed(unreached(&e)),
        };
        // Ends what is still under way: the rest of a long body, or a receiver that hangs.
        if answer.truncated || answer.failure.is_some() {
            controller.abort();
        }
        answer
    }
}

/// Sends a request. The runtime has a copy of it then; ours ends here, not with the answer.
fn send(request: OutboundRequest, controller: &AbortController) -> worker::Result<JsFuture> {
    let mut headers: Vec<(&str, &str)> = Vec::with_capacity(request.headers.len());
    for OutboundHeader { name, value, .. } in &request.headers {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.push((name, value));
    }
    let init = RequestInit::new();
    init.set_method(&request.method);
    init.set_headers(&web::headers_init(headers.into_iter())?);
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&controller.signal()));
    if !request.body.is_empty() {
        init.set_body(&Uint8Array::from(request.body.as_slice()));
    }
    let global: WorkerGlobalScope = global().unchecked_into();
    Ok(JsFuture::from(global.fetch_with_str_and_init(&request.url, &init)))
}

async fn exchange(
    mut sent: JsFuture,
    mut deadline: Pin<&mut Sleep>,
    (timeout_ms, bytes_max): (i64, usize),
) -> Answer {
    let response: Response = match select(pin!(&mut sent), deadline.as_mut()).await {
        Either::Left((Ok(response), _)) => response.unchecked_into(),
        Either::Left((Err(e), _)) => return Answer::failed(unreached(&e.into())),
        Either::Right(_) => {
            let why = format!("Timed out before the answer: nothing came within {timeout_ms} ms");
            return Answer::failed(Failure::Timeout(why));
        }
    };
    let headers = match web::header_pairs(&response.headers()) {
        Ok(headers) => headers,
        Err(e) => return Answer::failed(unreached(&e)),
    };
    let mut answer = Answer { status: Some(response.status()), headers, ..Answer::default() };
    let limits = (timeout_ms, bytes_max);
    answer.failure = read_body(&response, &mut answer, deadline, limits).await;
    answer
}

/// Reads the body up to what is kept; returns why it is not complete, if it is not.
async fn read_body(
    response: &Response,
    answer: &mut Answer,
    mut deadline: Pin<&mut Sleep>,
    (timeout_ms, bytes_max): (i64, usize),
) -> Option<Failure> {
    let late = || {
        let why = format!("timed out in its body, which was not complete within {timeout_ms} ms");
        Some(Failure::Timeout(why))
    };
    // Taken at once it costs half of what it costs chunk by chunk; what came of one that then is
    // late is not kept.
    if is_short(&answer.headers, bytes_max) {
        return match select(pin!(web::bytes(response.array_buffer())), deadline).await {
            Either::Left((Ok(body), _)) => {
                answer.excerpt = body;
                None
            }
            Either::Left((Err(e), _)) => Some(unreadable(&e)),
            Either::Right(_) => late(),
        };
    }
    // A response without a body (204, say) has no stream.
    let mut stream: ByteStream = response.body()?.into();
    loop {
        match select(stream.next(), deadline.as_mut()).await {
            Either::Left((None, _)) => return None,
            Either::Left((Some(Ok(chunk)), _)) => {
                let room = bytes_max - answer.excerpt.len();
                answer.excerpt.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if chunk.len() > room {
                    answer.truncated = true;
                    return None;
                }
            }
            Either::Left((Some(Err(e)), _)) => return Some(unreadable(&e)),
            Either::Right(_) => return late(),
        }
    }
}

/// Whether a body is told to have at most `bytes_max`. A compressed one may grow beyond what it is
/// told to have.
fn is_short(headers: &[(String, String)], bytes_max: usize) -> bool {
    let header = |wanted| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let told = header("content-length").and_then(|bytes| bytes.parse().ok());
    told.is_some_and(|bytes: usize| bytes <= bytes_max) && header("content-encoding").is_none()
}

/// Why no status came, in words for the customer.
fn unreached(error: &worker::Error) -> Failure {
    log(error);
    Failure::Network(format!("No answer: {}", network_failure(&error.to_string())))
}

/// Why the body of an answer could not be read, in words for the customer.
fn unreadable(error: &worker::Error) -> Failure {
    log(error);
    Failure::Network("it broke off, or is not encoded as its headers say".to_owned())
}

/// The runtime's own words name its parts, and a reference for its makers.
fn log(error: &worker::Error) {
    console_log!("{}", json!({"at": "outbound", "error": error.to_string()}));
}
