//! Intercom: contacts and their tags, with an access token. Contacts are looked for first, and
//! Intercom refuses a second one with the same address, so everything can be repeated.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{
    LOOKUP_BYTES_MAX, Object, Pages, TOKEN, chosen, email, mapped_text, others, part,
};
use crate::destinations::reading::{self, Body};
use crate::domain::delivery::attempt::Answer;

/// Intercom.
pub struct Intercom;

/// The version of the API whose document this follows.
const VERSION: &str = "2.16";
const TAG: Input = Input::new("id", InputKind::Id("tags"), "Tag").required();

static ABOUT: About = About {
    key: "intercom",
    name: "Intercom",
    authentication: "api_key",
    fields: &[
        Field::new("access_token", Kind::Matching(TOKEN), "Access token")
            .required()
            .secret()
            .hint("Of an app of yours in Intercom's Developer Hub: Authentication.")
            .says("The access token of an app. Write-only.", "dG9rOmExYjJjM2Q0"),
        Field::new(
            "region",
            Kind::Words(&[("us", "US"), ("eu", "EU"), ("au", "Australia")]),
            "Region",
        )
        .or("us")
        .says("Where the workspace lives: `us`, `eu` or `au`.", "us"),
    ],
    actions: &[
        Action {
            key: "add_tag",
            label: "Add tag",
            noun: "contact",
            description: "Creates or updates the contact and gives it a tag",
            inputs: &[TAG],
        },
        Action {
            key: "remove_tag",
            label: "Remove tag",
            noun: "contact",
            description: "Takes a tag from the contact",
            inputs: &[TAG],
        },
    ],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

const OWN: [&str; 4] = ["email", "external_id", "name", "phone"];

static PERSON: [PersonField; 4] = [
    PersonField::EMAIL,
    PersonField::new("external_id", "External id").of("id"),
    PersonField::new("name", "Name").of("name"),
    PersonField::new("phone", "Phone").of("phone").format("phone"),
];

impl Destination for Intercom {
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
            "remove_tag" => removing(call, answers),
            _ => adding(call, answers),
        };
        Ok(next.unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/me"))
    }

    fn test_verdict(&self, answer: &Answer) -> Verdict {
        verdict(answer, 0)
    }

    fn list(
        &self,
        account: &Account<'_>,
        name: &str,
        answers: &[Answer],
    ) -> Result<Listing, String> {
        if name != "tags" {
            return Err(format!("Intercom has no list {name}"));
        }
        let ask = |page: Option<&Body>, _| match page {
            None => Some(request(account, "GET", "/tags")),
            Some(_) => None,
        };
        let items = |page: &Body| page.items("data", "id", "name");
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let host = match account.values.text("region") {
        "eu" => "https://api.eu.intercom.io",
        "au" => "https://api.au.intercom.io",
        _ => "https://api.intercom.io",
    };
    let request = OutboundRequest::new(method, format!("{host}{path}"));
    let request = request.header("accept", "application/json").header("intercom-version", VERSION);
    let request = request.bearer(account.credential("access_token"));
    OutboundRequest { answer_bytes_max: LOOKUP_BYTES_MAX, ..request }
}

fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    reading::verdict(answer, now_ms, &[], &["errors/0/message"])
}

/// Looks for the contact by its address, and by the product's own id where that is mapped.
fn search(call: &Call<'_>, email: &str) -> OutboundRequest {
    let by = |field: &str, value: &str| json!({"field": field, "operator": "=", "value": value});
    let query = match mapped_text(call, "external_id") {
        None => by("email", email),
        Some(id) => {
            json!({"operator": "OR", "value": [by("external_id", &id), by("email", email)]})
        }
    };
    request(&call.account, "POST", "/contacts/search").json(json!({ "query": query }).to_string())
}

/// The contact that was found; the one with the product's own id before one with the address.
fn found(call: &Call<'_>, answer: &Answer) -> Result<Option<String>, Verdict> {
    let body = Body::of(answer);
    let count = body.at("data").as_array().ok_or(Verdict::Retry(None))?.len();
    let wanted = mapped_text(call, "external_id");
    let is_wanted =
        |at: &usize| wanted.is_some() && body.text(&format!("data/{at}/external_id")) == wanted;
    let at = (0..count).find(is_wanted).unwrap_or(0);
    Ok(body.text(&format!("data/{at}/id")))
}

/// Search; create or update; tag. A contact that was made in between is searched for once more.
fn adding(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let (tag, email) = (chosen(call, "tag")?, email(call)?);
    let taken = |answer: &Answer| match verdict(answer, call.now_ms) {
        Verdict::Delivered => Ok(()),
        failed => Err(failed),
    };
    let Some((first, rest)) = answers.split_first() else {
        return Ok(Step::Send(search(call, &email)));
    };
    taken(first)?;
    let known = found(call, first)?;
    let update = update(call);
    match (known, rest) {
        (None, []) => Ok(Step::Send(create(call, &email))),
        (None, [made]) if made.status == Some(409) => Ok(Step::Send(search(call, &email))),
        (None, [made, again, rest @ ..]) if made.status == Some(409) => {
            taken(again)?;
            let id = found(call, again)?.ok_or(Verdict::Retry(None))?;
            tagged(call, &id, tag, rest)
        }
        (None, [made, rest @ ..]) => {
            taken(made)?;
            let id = Body::of(made).text("id").ok_or(Verdict::Retry(None))?;
            tagged(call, &id, tag, rest)
        }
        (Some(id), []) if !update.is_empty() => {
            let path = format!("/contacts/{}", part(&id));
            Ok(Step::Send(request(&call.account, "PUT", &path).json(update.to_string())))
        }
        (Some(id), [updated, rest @ ..]) if !update.is_empty() => {
            taken(updated)?;
            tagged(call, &id, tag, rest)
        }
        (Some(id), rest) => tagged(call, &id, tag, rest),
    }
}

/// The request that gives a contact its tag, or the verdict on it.
fn tagged(call: &Call<'_>, id: &str, tag: &str, answers: &[Answer]) -> Result<Step, Verdict> {
    if let Some(answer) = answers.last() {
        return Err(verdict(answer, call.now_ms));
    }
    let path = format!("/contacts/{}/tags", part(id));
    let body = json!({ "id": tag }).to_string();
    Ok(Step::Send(request(&call.account, "POST", &path).json(body)))
}

fn create(call: &Call<'_>, email: &str) -> OutboundRequest {
    let body = Object::new().text("role", "user").text("email", email);
    let body = body.mapped(call, "external_id", "external_id").extend(&update(call));
    request(&call.account, "POST", "/contacts").json(body.to_string())
}

/// What is known of a contact beside what it is found by.
fn update(call: &Call<'_>) -> Object {
    let own = Object::new().mapped(call, "name", "name").mapped(call, "phone", "phone");
    own.object("custom_attributes", &Object::new().all(&others(call, &OWN)))
}

fn removing(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let (tag, email) = (chosen(call, "tag")?, email(call)?);
    match answers {
        [] => Ok(Step::Send(search(call, &email))),
        [first] if verdict(first, call.now_ms) == Verdict::Delivered => {
            // Who is not there has no tag.
            let id = found(call, first)?.ok_or(Verdict::Delivered)?;
            let path = format!("/contacts/{}/tags/{}", part(&id), part(tag));
            Ok(Step::Send(request(&call.account, "DELETE", &path)))
        }
        [_, last] if last.status == Some(404) => Err(Verdict::Delivered),
        [.., last] => Err(verdict(last, call.now_ms)),
    }
}

#[cfg(test)]
mod tests;
