//! What the tests of destinations share: a call, and readable requests and answers.

use serde_json::Value;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Mapped, OutboundRequest, Step};
use crate::destinations::model::Values;
use crate::domain::base::secret::Secret;
use crate::domain::connection::model::Credentials;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::rule::Metadata;

/// The first step of a destination with these credentials and settings, for what a rule says (its
/// `action` among it) and a payload.
pub fn step(
    destination: &dyn Destination,
    given: &[(&str, &str)],
    says: &[(&str, &str)],
    payload: &str,
) -> Step {
    steps(destination, given, says, payload, &Mapped::new(), &[])
}

/// The step after these answers, with mapped fields.
pub fn steps(
    destination: &dyn Destination,
    given: &[(&str, &str)],
    says: &[(&str, &str)],
    payload: &str,
    mapped: &Mapped,
    answers: &[Answer],
) -> Step {
    let about = destination.about();
    let (mut values, mut credentials) = (Values::new(about.fields), Credentials::new());
    for (key, value) in given {
        match about.field(key) {
            Some(field) if !field.is_secret => values.set(key, Some(value)),
            _ => drop(credentials.insert((*key).to_owned(), Secret::new(*value))),
        }
    }
    let mut metadata: Metadata =
        says.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let action = metadata.remove("action").unwrap_or_else(|| about.actions[0].key.to_owned());
    let call = Call {
        account: Account { values: &values, credentials: &credentials },
        action: &action,
        metadata: &metadata,
        mapped,
        secrets: &[],
        timeout_ms: 15_000,
        event: "e1",
        name: "user.signup",
        resource: None,
        resource_id: None,
        external_id: None,
        payload,
        created_at_ms: 1_800_000_000_000,
        hops: 0,
        message_id: "msg_1",
        is_test: false,
        attempt: 1,
        now_ms: 1_800_000_001_000,
    };
    destination.step(&call, answers).expect("a step")
}

/// The request of a step.
pub fn sent(step: Step) -> OutboundRequest {
    match step {
        Step::Send(request) => request,
        Step::Done(verdict) => panic!("{verdict:?}"),
    }
}

/// The JSON body of a request.
pub fn json_of(request: &OutboundRequest) -> Value {
    serde_json::from_slice(&request.body).expect("JSON")
}

/// The value of a request's header.
pub fn header<'a>(request: &'a OutboundRequest, name: &str) -> &'a str {
    let found = request.headers.iter().find(|header| header.name == name);
    found.map_or("", |header| header.value.as_str())
}

/// An answer.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let excerpt = body.as_bytes().to_vec();
    Answer { status: Some(status), headers, excerpt, ..Answer::default() }
}
