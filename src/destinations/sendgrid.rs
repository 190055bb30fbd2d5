//! SendGrid: a mail, written in the rule or by one of its dynamic templates.
//!
//! SendGrid has no key against repeats: a mail whose answer was lost is sent twice. The message id
//! stands among its custom arguments.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::mail::{Address, FROM_INPUT, SUBJECT_INPUT, TO_INPUT, recipient, sender};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{Object, Pages, TOKEN, chosen, query};
use crate::destinations::reading::{self, Body, Case, Means};
use crate::destinations::texts::Texts;
use crate::domain::base::tree::Tree;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::Target;

/// SendGrid.
pub struct SendGrid;

const WORDS: [&str; 1] = ["errors/0/message"];
/// Begins the names of mapped fields that go to the template.
const VARIABLES: &str = "template_variables.";

static ABOUT: About = About {
    key: "sendgrid",
    name: "SendGrid",
    authentication: "api_key",
    fields: &[
        Field::new("api_key", Kind::Matching(TOKEN), "API key")
            .required()
            .secret()
            .hint("Begins with SG. Permissions: Mail Send; Template Engine (read) for templates.")
            .says("A key of SendGrid with Mail Send. Write-only.", "SG.abc.def"),
        Field::new("region", Kind::Words(&[("us", "Global"), ("eu", "EU")]), "Region")
            .or("us")
            .says("Where the account lives: `us` or `eu`.", "us"),
    ],
    actions: &[
        Action {
            key: "send_email_template",
            label: "Send e-mail template",
            noun: "e-mail",
            description: "Sends a dynamic template of SendGrid",
            inputs: &[
                Input::new("id", InputKind::Id("templates"), "Template").required(),
                TO_INPUT,
                FROM_INPUT.required(),
                SUBJECT_INPUT,
            ],
        },
        Action {
            key: "send_email",
            label: "Send e-mail",
            noun: "e-mail",
            description: "Sends a mail that is written here",
            inputs: &[
                TO_INPUT,
                FROM_INPUT.required(),
                SUBJECT_INPUT.required(),
                Input::new("body", InputKind::Text, "Text (HTML)")
                    .required()
                    .hint("Such as: <p>Hello {{first_name}}</p>"),
            ],
        },
    ],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 1] = [PersonField::EMAIL];

impl Destination for SendGrid {
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
            None => sending(call).map_or_else(Step::Done, Step::Send),
        })
    }

    /// A mail in the sandbox, which is checked and not sent: a key that may only send passes.
    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        let address = json!({"email": "check@posthorn.example"});
        let body = json!({
            "personalizations": [{"to": [address]}],
            "from": address,
            "subject": "Check",
            "content": [{"type": "text/plain", "value": "Check"}],
            "mail_settings": {"sandbox_mode": {"enable": true}},
        });
        Some(request(account, "POST", "/v3/mail/send").json(body.to_string()))
    }

    fn test_verdict(&self, answer: &Answer) -> Verdict {
        // The key holds; that its sender is not verified is no wonder.
        const SENDER: [Case; 1] = [(403, "errors/0/field", "from", Means::Delivered)];
        reading::verdict(answer, 0, &SENDER, &WORDS)
    }

    fn list(
        &self,
        account: &Account<'_>,
        name: &str,
        answers: &[Answer],
    ) -> Result<Listing, String> {
        if name != "templates" {
            return Err(format!("SendGrid has no list {name}"));
        }
        let ask = |page: Option<&Body>, _| {
            let next = match page {
                None => None,
                Some(page) => Some(next_page(&page.text("_metadata/next")?)?),
            };
            let mut asked = vec![("generations", "dynamic"), ("page_size", "200")];
            asked.extend(next.as_deref().map(|token| ("page_token", token)));
            Some(request(account, "GET", &format!("/v3/templates?{}", query(&asked))))
        };
        let items = |page: &Body| page.items("result", "id", "name");
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

/// The token of the next page. Its URL is not followed: it comes from outside.
fn next_page(url: &str) -> Option<String> {
    let (_, asked) = url.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(asked.as_bytes());
    pairs.find(|(key, _)| key == "page_token").map(|(_, token)| token.into_owned())
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let host = match account.values.text("region") {
        "eu" => "https://api.eu.sendgrid.com",
        _ => "https://api.sendgrid.com",
    };
    OutboundRequest::new(method, format!("{host}{path}")).bearer(account.credential("api_key"))
}

/// The verdict on an answer. A sender that is not verified is 403: the key is well.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    reading::verdict(answer, now_ms, &[], &WORDS)
}

fn sending(call: &Call<'_>) -> Result<OutboundRequest, Verdict> {
    let mut texts = Texts::new(call);
    let to = recipient(&mut texts)?;
    let from = sender(&mut texts)?;
    let from = from.ok_or_else(|| Verdict::refused("The mail has no sender"))?;
    let mut person = Object::new().json("to", format!("[{}]", address(&to)));
    let mut body = Object::new().json("from", address(&from));
    if call.action == "send_email" {
        let subject = texts.required("subject", Target::Line)?;
        let text = texts.required("body", Target::Html)?;
        body = body.text("subject", &subject);
        body = body.json("content", json!([{"type": "text/html", "value": text}]));
    } else {
        let subject = texts.text("subject", Target::Line)?;
        person = person.object("dynamic_template_data", &data(call, &subject));
        if !subject.is_empty() {
            body = body.text("subject", &subject);
        }
        body = body.text("template_id", chosen(call, "template")?);
    }
    body = body.json("personalizations", format!("[{person}]"));
    body = body.json("custom_args", json!({"posthorn_message_id": call.message_id}));
    let request = request(&call.account, "POST", "/v3/mail/send").json(body.to_string());
    Ok(request.noting(texts.notes))
}

fn address(address: &Address) -> Object {
    let object = Object::new().text("email", &address.email);
    if address.name.is_empty() { object } else { object.text("name", &address.name) }
}

/// What the template can name: the payload, and over it the mapped fields and the rule's subject.
/// A dynamic template has a subject of its own, in which it can write `{{subject}}`.
fn data(call: &Call<'_>, subject: &str) -> Object {
    let mut over: Vec<(String, String)> = Vec::new();
    for (key, value) in call.mapped {
        over.extend(key.strip_prefix(VARIABLES).map(|key| (key.to_owned(), value.clone())));
    }
    if !subject.is_empty() {
        over.push(("subject".to_owned(), json!(subject).to_string()));
    }
    let mut data = Object::new();
    if let Tree::Object(entries) = call.tree() {
        for (key, value) in &entries {
            if !over.iter().any(|(name, _)| name == key) {
                data = data.json(key, value.to_json());
            }
        }
    }
    over.iter().fold(data, |data, (key, value)| data.json(key, value))
}

#[cfg(test)]
mod tests;
