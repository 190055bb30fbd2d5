//! Resend: a mail by one of its templates, and contacts in segments.
//!
//! A mail carries the message id as its idempotency key: Resend sends a repeated one once (within
//! 24 hours). Contacts are found by their address, so that everything else can be repeated too.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::mail::{FROM_INPUT, SUBJECT_INPUT, TO_INPUT, recipient, sender};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{Object, Pages, TOKEN, chosen, email, others, part};
use crate::destinations::reading::{self, Case, Means};
use crate::destinations::texts::Texts;
use crate::domain::base::time::HOUR_MS;
use crate::domain::base::tree::Tree;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::{Target, shorten};

/// Resend.
pub struct Resend;

const API: &str = "https://api.resend.com";
/// Variables of a template; Resend takes no more.
const VARIABLES_MAX: usize = 50;
const VARIABLE_CHARS_MAX: usize = 2_000;
/// Names of variables that Resend fills in itself.
const RESERVED: [&str; 6] =
    ["FIRST_NAME", "LAST_NAME", "EMAIL", "UNSUBSCRIBE_URL", "contact", "this"];
/// Begins the names of mapped fields that go to the template.
const VARIABLES: &str = "template_variables.";

/// From resend.com/docs/api-reference/errors.
const CASES: [Case; 7] = [
    (400, "message", "API key is invalid", Means::Unauthorized),
    (401, "name", "restricted_api_key", Means::Refused),
    (403, "name", "invalid_api_key", Means::Unauthorized),
    (409, "name", "invalid_idempotent_request", Means::Refused),
    (409, "name", "concurrent_idempotent_requests", Means::Retry),
    (429, "name", "daily_quota_exceeded", Means::Retry),
    (429, "name", "monthly_quota_exceeded", Means::Retry),
];

const SEGMENT: Input = Input::new("id", InputKind::Id("segments"), "Segment").required();

static ABOUT: About = About {
    key: "resend",
    name: "Resend",
    authentication: "api_key",
    fields: &[Field::new("api_key", Kind::Matching(TOKEN), "API key")
        .required()
        .secret()
        .hint("Begins with re_. Segments need a key with full access.")
        .says("A key of Resend. Write-only.", "re_c1tpEyD8_NKFusih9vKVQknRAQfmFcWCv")],
    actions: &[
        Action {
            key: "add_to_segment",
            label: "Add to segment",
            noun: "contact",
            description: "Creates or updates the contact and adds it to a segment",
            inputs: &[SEGMENT],
        },
        Action {
            key: "remove_from_segment",
            label: "Remove from segment",
            noun: "contact",
            description: "Takes the contact out of a segment",
            inputs: &[SEGMENT],
        },
        Action {
            key: "send_email_template",
            label: "Send e-mail template",
            noun: "e-mail",
            description: "Sends a published template of Resend",
            inputs: &[
                Input::new("id", InputKind::Id("templates"), "Template").required(),
                TO_INPUT,
                FROM_INPUT,
                SUBJECT_INPUT,
            ],
        },
    ],
    is_signed: false,
    max_per_second: Some(5),
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 3] = [
    PersonField::EMAIL,
    PersonField::new("firstName", "First name").of("first_name"),
    PersonField::new("lastName", "Last name").of("last_name"),
];

impl Destination for Resend {
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
        let next = match call.action {
            "send_email_template" => sending(call, answers),
            "remove_from_segment" => removing(call, answers),
            _ => adding(call, answers),
        };
        Ok(next.unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/domains"))
    }

    fn test_verdict(&self, answer: &Answer) -> Verdict {
        // A key that may only send is one that holds.
        const MAY_SEND: [Case; 1] = [(401, "name", "restricted_api_key", Means::Delivered)];
        let cases = [&MAY_SEND[..], &CASES[..]].concat();
        reading::verdict(answer, 0, &cases, &["message"])
    }

    fn list(
        &self,
        account: &Account<'_>,
        name: &str,
        answers: &[Answer],
    ) -> Result<Listing, String> {
        if !["segments", "templates"].contains(&name) {
            return Err(format!("Resend has no list {name}"));
        }
        let ask = |page: Option<&reading::Body>, _| match page {
            None => Some(request(account, "GET", &format!("/{name}?limit=100"))),
            Some(page) if page.text("has_more").as_deref() == Some("true") => {
                let last = page.items("data", "id", "name").pop()?.id;
                let after = part(&last);
                Some(request(account, "GET", &format!("/{name}?limit=100&after={after}")))
            }
            Some(_) => None,
        };
        let items = |page: &reading::Body| page.items("data", "id", "name");
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    OutboundRequest::new(method, format!("{API}{path}")).bearer(account.credential("api_key"))
}

/// The verdict on an answer.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    match reading::verdict(answer, now_ms, &CASES, &["message"]) {
        // Nothing is sent before the day or the month is over.
        Verdict::Retry(None) if answer.status == Some(429) => Verdict::Retry(Some(HOUR_MS)),
        verdict => verdict,
    }
}

fn sending(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    if let Some(answer) = answers.first() {
        return Err(verdict(answer, call.now_ms));
    }
    let id = chosen(call, "template")?;
    let mut texts = Texts::new(call);
    let (to, from) = (recipient(&mut texts)?, sender(&mut texts)?);
    let subject = texts.text("subject", Target::Line)?;
    let mut template = Object::new().text("id", id);
    template = template.object("variables", &variables(call));
    let mut body = Object::new();
    if let Some(from) = from {
        body = body.text("from", &from.line());
    }
    body = body.json("to", json!([to.line()]));
    if !subject.is_empty() {
        body = body.text("subject", &subject);
    }
    let body = body.json("template", template).to_string();
    let request = request(&call.account, "POST", "/emails");
    let request = request.header("idempotency-key", call.message_id).json(body);
    Ok(Step::Send(request.noting(texts.notes)))
}

/// What the mapping has for the template; without that, the payload's own texts and numbers.
fn variables(call: &Call<'_>) -> Object {
    let mapped = call.mapped.iter();
    let mut chosen: Vec<(String, Tree<'_>)> = mapped
        .filter_map(|(key, value)| {
            Some((key.strip_prefix(VARIABLES)?.to_owned(), Tree::read(value)?))
        })
        .collect();
    if chosen.is_empty()
        && let Tree::Object(entries) = call.tree()
    {
        chosen = entries.into_iter().map(|(key, value)| (key.into_owned(), value)).collect();
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let fits = |key: &str| {
        (1..=50).contains(&key.len()) && key.chars().all(is_part) && !RESERVED.contains(&key)
    };
    let taken = chosen.into_iter().filter(|(key, _)| fits(key));
    let taken = taken.filter_map(|(key, value)| Some((key, variable(&value)?)));
    taken.take(VARIABLES_MAX).fold(Object::new(), |all, (key, json)| all.json(&key, json))
}

/// A variable is a text or a number.
fn variable(value: &Tree<'_>) -> Option<String> {
    match value {
        Tree::Number(_) => Some(value.to_json()),
        Tree::Text(_) | Tree::Bool(_) => {
            Some(json!(shorten(&value.to_text(), VARIABLE_CHARS_MAX)).to_string())
        }
        _ => None,
    }
}

/// Updates the contact, or creates it where there is none, and adds it to the segment.
fn adding(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let (segment, email) = (chosen(call, "segment")?, email(call)?);
    let path = format!("/contacts/{}", part(&email));
    let is_missing = answers.first().is_some_and(|answer| answer.status == Some(404));
    let known = answers.get(usize::from(is_missing));
    let fields = fields(call);
    match (answers.first(), known) {
        (None, _) if fields.is_empty() => Ok(Step::Send(request(&call.account, "GET", &path))),
        (None, _) => {
            Ok(Step::Send(request(&call.account, "PATCH", &path).json(fields.to_string())))
        }
        (Some(_), None) => {
            let body = Object::new().text("email", &email).json("unsubscribed", false);
            let body = body.extend(&fields).to_string();
            Ok(Step::Send(request(&call.account, "POST", "/contacts").json(body)))
        }
        (Some(_), Some(known)) => {
            let verdict_on = |answer| verdict(answer, call.now_ms);
            match (verdict_on(known), answers.get(usize::from(is_missing) + 1)) {
                (Verdict::Delivered, None) => {
                    let path = format!("{path}/segments/{}", part(segment));
                    Ok(Step::Send(request(&call.account, "POST", &path)))
                }
                (Verdict::Delivered, Some(last)) => Err(verdict_on(last)),
                (failed, _) => Err(failed),
            }
        }
    }
}

/// What is known of the contact beside its address, under Resend's names.
fn fields(call: &Call<'_>) -> Object {
    let own =
        Object::new().mapped(call, "firstName", "first_name").mapped(call, "lastName", "last_name");
    let more = others(call, &["email", "firstName", "lastName"]);
    let more: Vec<_> = more.into_iter().filter(|(key, _)| !key.starts_with(VARIABLES)).collect();
    own.object("properties", &Object::new().all(&more))
}

fn removing(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    match answers.first() {
        // Who is not there is not in the segment.
        Some(answer) if answer.status == Some(404) => Err(Verdict::Delivered),
        Some(answer) => Err(verdict(answer, call.now_ms)),
        None => {
            let (segment, email) = (chosen(call, "segment")?, email(call)?);
            let path = format!("/contacts/{}/segments/{}", part(&email), part(segment));
            Ok(Step::Send(request(&call.account, "DELETE", &path)))
        }
    }
}

#[cfg(test)]
mod tests;
