//! What a request to a receiver says of the trace that its event belongs to.

use crate::destinations::call::{OutboundHeader, OutboundRequest};
use crate::domain::routing::trace::{TRACEPARENT, Trace};
use crate::ports::Platform;

/// Tells the receiver the trace; a header of the customer's own wins.
pub fn add<P: Platform>(platform: &P, trace: Option<&Trace>, request: &mut OutboundRequest) {
    let Some(trace) = trace else { return };
    let is_traced = |header: &OutboundHeader| header.name.eq_ignore_ascii_case(TRACEPARENT);
    if !request.headers.iter().any(is_traced) {
        let value = trace.header(platform.bytes());
        request.headers.push(OutboundHeader::plain(TRACEPARENT, &value));
    }
}
