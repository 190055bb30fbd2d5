//! Tests of what an attempt leads to.

use super::*;
use crate::domain::delivery::attempt::Failure;
use crate::domain::delivery::state::EndReason;

fn made(status: Option<u16>, verdict: Verdict) -> Made {
    let request = OutboundRequest::new("POST", "https://example.com/");
    let exchange = |status| {
        let answer = Answer { status: Some(status), ..Answer::default() };
        Exchange { request, answer, duration_ms: 1 }
    };
    let exchanges = status.map(exchange).into_iter().collect();
    Made { exchanges, verdict, doubted: None, started_at_ms: 0, masked: Vec::new() }
}

#[test]
fn the_verdict_counts_and_not_the_status() {
    let refused = || {
        let told = "no such channel".to_owned();
        Verdict::Permanent { reason: EndReason::Aborted, told }
    };
    for (status, verdict, outcome) in [
        (Some(404), Verdict::Delivered, Outcome::Delivered),
        (Some(200), refused(), Outcome::RejectedClientError),
        (Some(422), refused(), Outcome::RejectedClientError),
        (None, refused(), Outcome::RejectedClientError),
        (Some(200), Verdict::Retry(None), Outcome::RejectedServerError),
        (Some(503), Verdict::Retry(None), Outcome::RejectedServerError),
        (Some(200), Verdict::Throttled(Some(1)), Outcome::RateLimited),
        (Some(403), Verdict::Throttled(None), Outcome::AuthFailed),
        (Some(200), Verdict::Unauthorized("revoked".to_owned()), Outcome::AuthFailed),
        (Some(410), Verdict::Gone, Outcome::Gone),
    ] {
        let made = made(status, verdict);
        assert_eq!(made.outcome(), outcome, "{status:?} {:?}", made.verdict);
        assert_eq!(made.error().is_none(), outcome == Outcome::Delivered, "{:?}", made.verdict);
    }
    assert_eq!(made(Some(200), refused()).error().as_deref(), Some("no such channel"));
    let mut cut = made(Some(200), Verdict::Delivered);
    cut.exchanges[0].answer.failure = Some(Failure::Network("it broke off".to_owned()));
    let told = "Answered 200; its body could not be read: it broke off";
    assert_eq!((cut.outcome(), cut.error().as_deref()), (Outcome::Delivered, Some(told)));
    assert_eq!(made(Some(200), Verdict::Throttled(Some(7))).retry_after_ms(0), Some(7));
    assert!(made(Some(200), Verdict::Throttled(None)).asks_for_less());
}
