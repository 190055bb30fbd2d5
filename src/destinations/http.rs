//! HTTP: a request to any URL, with a body made by a template. For what has no destination of its
//! own: Teams, PagerDuty, Telegram, Linear, home-made APIs.
//!
//! Without a template the body is the payload itself. Answers are read as a webhook's.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::destinations::Destination;
use crate::destinations::call::{Call, OutboundRequest, Step, Verdict};
use crate::destinations::model::{About, Action, Field, Input, InputKind, Kind, Part, Values};
use crate::destinations::webhook::{chosen_headers, fields as webhook, in_header, verdict};
use crate::domain::base::fields::Fields;
use crate::domain::base::reason::Reason;
use crate::domain::base::secret::Secret;
use crate::domain::base::tree::Tree;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::rule::Metadata;
use crate::domain::routing::template::{Source, Target, Template};

/// A request to any URL.
pub struct Http;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

static ABOUT: About = About {
    key: "http",
    name: "HTTP request",
    authentication: "none",
    fields: &[
        Field::new("url", Kind::Url, "URL")
            .required()
            .says("An https URL outside of private networks.", "https://api.acme.example/alerts"),
        Field::new(
            "http_method",
            Kind::Words(&[
                ("POST", "POST"),
                ("PUT", "PUT"),
                ("PATCH", "PATCH"),
                ("GET", "GET, without a body"),
                ("DELETE", "DELETE, without a body"),
            ]),
            "Method",
        )
        .or("POST"),
        Field::new(
            "content_type",
            Kind::Words(&[(JSON, "JSON"), (FORM, "Form"), ("text/plain", "Text")]),
            "Body",
        )
        .or(JSON)
        .says("What the rule's `body` is a template of.", ""),
        webhook::SCHEME,
        webhook::USERNAME,
        webhook::PASSWORD,
        webhook::TOKEN,
        webhook::HEADER_NAME,
        webhook::HEADER_VALUE,
        webhook::CUSTOM.of(Part::Authentication),
    ],
    actions: &[Action {
        key: "send_request",
        label: "Send request",
        noun: "request",
        description: "Sends a request with a body of your own",
        inputs: &[Input::new("body", InputKind::Body, "Body").hint(
            "A template, such as {\"text\": \"{{user.name}} has signed up\"}. Left empty, the \
             payload is sent.",
        )],
    }],
    is_signed: false,
    max_per_second: None,
    has_provider: false,
    one_of: &[],
};

impl Destination for Http {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, fields: &mut Fields<'_>, values: &Values, given: &BTreeMap<String, Secret>) {
        webhook::check_username(fields, given);
        webhook::check_header_names(fields, values);
    }

    fn address(&self, values: &Values) -> String {
        format!("{} {}", values.text("http_method"), values.text("url"))
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        match answers.first() {
            None => Ok(match body(call) {
                Ok((body, notes)) => Step::Send(request(call, &body)?.noting(notes)),
                Err(verdict) => Step::Done(verdict),
            }),
            Some(answer) => Ok(Step::Done(verdict(answer))),
        }
    }

    fn check_rule(
        &self,
        values: &Values,
        _: &Action,
        metadata: &Metadata,
    ) -> Result<(), (&'static str, Reason)> {
        let text = metadata.get("body").map_or("", |text| text.trim());
        if text.is_empty() || values.text("content_type") != JSON {
            return Ok(());
        }
        let template = Template::parse(text);
        template.and_then(|template| template.check_json()).map_err(|why| ("body", why))
    }
}

fn request(call: &Call<'_>, body: &str) -> Result<OutboundRequest, String> {
    let values = call.account.values;
    let method = values.text("http_method");
    let mut request = OutboundRequest::new(method, values.text("url"))
        .header("posthorn-event", &in_header(call.name))
        .header("posthorn-event-id", call.event)
        .header("posthorn-message-id", call.message_id)
        .header("posthorn-hops", &call.hops.saturating_add(1).to_string());
    if !["GET", "DELETE"].contains(&method) {
        request = request.body(values.text("content_type"), body);
    }
    request.headers.extend(chosen_headers(call.account)?);
    Ok(request)
}

/// The body, and what people should know of how it was made.
fn body(call: &Call<'_>) -> Result<(String, Vec<String>), Verdict> {
    let content_type = call.account.values.text("content_type");
    let text = call.says("body").trim();
    if text.is_empty() {
        let is_form = content_type == FORM;
        let body = if is_form { form_of(&call.tree()) } else { call.payload.to_owned() };
        return Ok((body, Vec::new()));
    }
    let template = Template::parse(text).map_err(Verdict::refused)?;
    let target = match content_type {
        JSON => {
            // The connection's body may have been another kind when the rule was saved.
            template.check_json().map_err(Verdict::refused)?;
            Target::Json
        }
        FORM => Target::Form,
        _ => Target::Plain,
    };
    let tree = call.tree();
    let source = Source { payload: &tree, facts: call.facts(), mapped: call.mapped };
    let rendered = template.render(&source, target);
    if rendered.is_cut {
        return Err(Verdict::refused("The body would be longer than 1 MiB"));
    }
    let notes = rendered.notes();
    Ok((rendered.text, notes))
}

/// The payload as a form: its keys and what stands there, as text.
fn form_of(payload: &Tree<'_>) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    if let Tree::Object(entries) = payload {
        for (key, value) in entries {
            form.append_pair(key, &value.to_text());
        }
    }
    form.finish()
}

#[cfg(test)]
mod tests;
