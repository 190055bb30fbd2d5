//! Customer.io: who a person is and what happened, in one call of the Pipelines API.
//!
//! Both parts carry ids made of the message id, by which Customer.io knows a repeat.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{Object, TOKEN, email, mapped_text, others};
use crate::destinations::reading::{self, Case, Means};
use crate::destinations::texts::Texts;
use crate::domain::base::time::rfc3339;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::Target;

/// Customer.io.
pub struct CustomerIo;

/// A longer call is taken and not processed.
const CALL_BYTES_MAX: usize = 32 * 1024;
const WORDS: [&str; 3] = ["message", "error", "errors/0/message"];

static ABOUT: About = About {
    key: "customer_io",
    name: "Customer.io",
    authentication: "api_key",
    fields: &[
        Field::new("api_key", Kind::Matching(TOKEN), "Pipelines API key")
            .required()
            .secret()
            .hint("Of the integration Customer.io API, in Integrations.")
            .says("A key of the Pipelines API. Write-only.", "f0ab1c2d3e4f5a6b7c8d"),
        Field::new("region", Kind::Words(&[("us", "US"), ("eu", "EU")]), "Region")
            .or("us")
            .says("Where the account lives: `us` or `eu`.", "us"),
    ],
    actions: &[Action {
        key: "track_event",
        label: "Track event",
        noun: "event",
        description: "Creates or updates the person and adds the event to it",
        inputs: &[Input::new("event_name_override", InputKind::Line, "Event name")
            .hint("Left out, it is the event's own name.")],
    }],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 6] = [
    PersonField::EMAIL,
    PersonField::new("userId", "Id of the person").of("id"),
    PersonField::new("name", "Name").of("name"),
    PersonField::new("first_name", "First name").of("first_name"),
    PersonField::new("last_name", "Last name").of("last_name"),
    PersonField::new("phone", "Phone").of("phone").format("phone"),
];

impl Destination for CustomerIo {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn address(&self, _: &Values) -> String {
        ABOUT.name.to_owned()
    }

    fn person(&self) -> &'static [PersonField] {
        &PERSON
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        Ok(match answers.first() {
            Some(answer) => Step::Done(verdict(answer, call.now_ms)),
            None => batch(call).map_or_else(Step::Done, Step::Send),
        })
    }

    /// A batch of nothing: a key that does not hold is 401, and nothing is taken.
    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account).json(json!({"batch": []}).to_string()))
    }

    fn test_verdict(&self, answer: &Answer) -> Verdict {
        const NOTHING: [Case; 1] = [(400, "", "", Means::Delivered)];
        reading::verdict(answer, 0, &NOTHING, &WORDS)
    }
}

/// In strict mode a call that is wrong is told; otherwise the answer is 200 to almost everything.
fn request(account: &Account<'_>) -> OutboundRequest {
    let host = match account.values.text("region") {
        "eu" => "https://cdp-eu.customer.io",
        _ => "https://cdp.customer.io",
    };
    let request = OutboundRequest::new("POST", format!("{host}/v1/batch"));
    request.basic(account.credential("api_key"), "").header("x-strict-mode", "1")
}

fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    const CASES: [Case; 1] = [(200, "success", "false", Means::Refused)];
    reading::verdict(answer, now_ms, &CASES, &WORDS)
}

fn batch(call: &Call<'_>) -> Result<OutboundRequest, Verdict> {
    let email = email(call)?;
    let user = mapped_text(call, "userId").unwrap_or_else(|| email.clone());
    let mut texts = Texts::new(call);
    let name = match texts.text("event_name_override", Target::Line)? {
        name if name.is_empty() => call.name.to_owned(),
        name => name,
    };
    let timestamp = rfc3339(call.created_at_ms);
    let part = |kind: &str, id: &str| {
        let part = Object::new().text("type", kind).text("userId", &user).text("messageId", id);
        part.text("timestamp", &timestamp)
    };
    let traits = Object::new().text("email", &email).all(&others(call, &["email", "userId"]));
    let identify = part("identify", &format!("{}.identify", call.message_id));
    let identify = identify.json("traits", traits).to_string();
    let track = part("track", call.message_id).text("event", &name);
    let track = track.json("properties", call.payload).to_string();
    if identify.len().max(track.len()) > CALL_BYTES_MAX {
        let told = "Customer.io takes at most 32 KB of one event; the payload is too large";
        return Err(Verdict::refused(told));
    }
    let request = request(&call.account).json(format!("{{\"batch\":[{identify},{track}]}}"));
    Ok(request.noting(texts.notes))
}

#[cfg(test)]
mod tests;
