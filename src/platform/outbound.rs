//! `fetch` as the [`Outbound`] port: redirects are not followed, one deadline covers headers and
//! body, and no more of the body is read than is kept.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::js_sys::Uint8Array;
use worker::{
    AbortController, ByteStream, Delay, Fetch, Headers, Request, Response, console_log, web_sys,
};

use crate::destinations::call::OutboundRequest;
use crate::domain::delivery::answers::network_failure;
use crate::domain::delivery::attempt::{Answer, Failure};
use crate::platform::is_short;
use crate::ports::Outbound;
use serde_json::json;

/// The runtime's `fetch`.
pub struct FetchOutbound;

impl Outbound for FetchOutbound {
    async fn send(&self, request: OutboundRequest) -> Answer {
        let timeout_ms = request.timeout_ms;
        let wait = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
        let deadline = pin!(Delay::from(wait));
        let controller = AbortController::default();
        let answer = match prepare(&request) {
            Ok(prepared) => {
                let limits = (timeout_ms, request.answer_bytes_max);
                exchange(prepared, &controller, deadline, limits).await
            }
            Err(e) => Answer::failed(unreached(&e)),
        };
        // Ends what is still under way: the rest of a long body, or a receiver that hangs.
        if answer.truncated || answer.failure.is_some() {
            controller.abort();
        }
        answer
    }
}

fn prepare(request: &OutboundRequest) -> worker::Result<Request> {
    let headers = Headers::new();
    for header in &request.headers {
        headers.set(&header.name, &header.value)?;
    }
    // Not worker's own `RequestInit`: with it comes the code for Cloudflare's image options.
    let init = web_sys::RequestInit::new();
    init.set_method(&request.method);
    init.set_headers(&headers.0);
    init.set_redirect(web_sys::RequestRedirect::Manual);
    if !request.body.is_empty() {
        init.set_body(&Uint8Array::from(request.body.as_slice()));
    }
    Ok(web_sys::Request::new_with_str_and_init(&request.url, &init)?.into())
}

async fn exchange(
    request: Request,
    controller: &AbortController,
    mut deadline: Pin<&mut Delay>,
    (timeout_ms, bytes_max): (i64, usize),
) -> Answer {
    let (fetch, signal) = (Fetch::Request(request), controller.signal());
    let sent = pin!(fetch.send_with_signal(&signal));
    let mut response = match select(sent, deadline.as_mut()).await {
        Either::Left((Ok(response), _)) => response,
        Either::Left((Err(e), _)) => return Answer::failed(unreached(&e)),
        Either::Right(_) => {
            let why = format!("Timed out before the answer: nothing came within {timeout_ms} ms");
            return Answer::failed(Failure::Timeout(why));
        }
    };
    let mut answer = Answer {
        status: Some(response.status_code()),
        headers: response.headers().entries().collect(),
        ..Answer::default()
    };
    let limits = (timeout_ms, bytes_max);
    answer.failure = read_body(&mut response, &mut answer, deadline, limits).await;
    answer
}

/// Reads the body up to what is kept; returns why it is not complete, if it is not.
async fn read_body(
    response: &mut Response,
    answer: &mut Answer,
    mut deadline: Pin<&mut Delay>,
    (timeout_ms, bytes_max): (i64, usize),
) -> Option<Failure> {
    let late = || {
        let why = format!("timed out in its body, which was not complete within {timeout_ms} ms");
        Some(Failure::Timeout(why))
    };
    // Taken at once it costs half of what it costs chunk by chunk; what came of one that then is
    // late is not kept.
    if is_short(response.headers(), bytes_max) {
        return match select(pin!(response.bytes()), deadline).await {
            Either::Left((Ok(body), _)) => {
                answer.excerpt = body;
                None
            }
            Either::Left((Err(e), _)) => Some(unreadable(&e)),
            Either::Right(_) => late(),
        };
    }
    // A response without a body (204, say) has no stream.
    let mut stream: ByteStream = response.stream().ok()?;
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
