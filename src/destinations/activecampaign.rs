//! ActiveCampaign: contacts, their lists and tags. Contacts are matched by their address, so
//! everything can be repeated.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, Pattern, PersonField, Values,
};
use crate::destinations::provider::{
    LOOKUP_BYTES_MAX, Object, Pages, TOKEN, chosen, email, others, part, query,
};
use crate::destinations::reading::{self, Body, Case, Means};
use crate::domain::delivery::attempt::Answer;

/// ActiveCampaign.
pub struct ActiveCampaign;

const WORDS: [&str; 4] = ["errors/0/title", "errors/0/detail", "message", "error"];
const PAGE: usize = 100;

const API_URL: Pattern = Pattern {
    regex: "https://[A-Za-z0-9.-]+(:[0-9]+)?(/api/3)?/?",
    fits: is_api_url,
    told: "must be the account's API URL, such as https://acme.api-us1.com",
};

const LIST: Input = Input::new("id", InputKind::Id("lists"), "List").required();
const TAG: Input = Input::new("id", InputKind::Id("tags"), "Tag").required();

static ABOUT: About = About {
    key: "activecampaign",
    name: "ActiveCampaign",
    authentication: "api_key",
    fields: &[
        Field::new("api_url", Kind::Endpoint(API_URL), "API URL")
            .required()
            .hint("From Settings, Developer.")
            .says("The account's API URL.", "https://acme.api-us1.com"),
        Field::new("api_key", Kind::Matching(TOKEN), "API key")
            .required()
            .secret()
            .hint("From Settings, Developer.")
            .says("The account's API key. Write-only.", "0123456789abcdef0123456789abcdef"),
    ],
    actions: &[
        Action {
            key: "add_to_list",
            label: "Add to list",
            noun: "contact",
            description: "Creates or updates the contact and subscribes it to a list",
            inputs: &[LIST],
        },
        Action {
            key: "remove_from_list",
            label: "Remove from list",
            noun: "contact",
            description: "Unsubscribes the contact from a list",
            inputs: &[LIST],
        },
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
        Action {
            key: "sync_contact",
            label: "Create or update contact",
            noun: "contact",
            description: "Creates or updates the contact",
            inputs: &[],
        },
    ],
    is_signed: false,
    max_per_second: Some(5),
    has_provider: true,
    one_of: &[],
};

const OWN: [&str; 4] = ["email", "firstName", "lastName", "phone"];

static PERSON: [PersonField; 4] = [
    PersonField::EMAIL,
    PersonField::new("firstName", "First name").of("first_name"),
    PersonField::new("lastName", "Last name").of("last_name"),
    PersonField::new("phone", "Phone").of("phone").format("phone"),
];

fn is_api_url(url: &str) -> bool {
    let host = base(url).strip_prefix("https://").unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_part = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    !name.is_empty() && name.chars().all(is_part) && port.parse::<u16>().is_ok()
}

/// What stands before `/api/3`.
fn base(url: &str) -> &str {
    let url = url.strip_suffix('/').unwrap_or(url);
    url.strip_suffix("/api/3").unwrap_or(url)
}

impl Destination for ActiveCampaign {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn address(&self, values: &Values) -> String {
        format!("ActiveCampaign {}", values.text("api_url"))
    }

    fn person(&self) -> &'static [PersonField] {
        &PERSON
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        let next = match call.action {
            "remove_from_list" | "remove_tag" => removing(call, answers),
            _ => adding(call, answers),
        };
        Ok(next.unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/users/me"))
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
        let label = match name {
            "lists" => "name",
            "tags" => "tag",
            _ => return Err(format!("ActiveCampaign has no list {name}")),
        };
        let ask = |page: Option<&Body>, read: usize| {
            let total = page.map(|page| page.text("meta/total"));
            let total = total.map(|total| total.and_then(|total| total.parse().ok()).unwrap_or(0));
            let is_last = total.is_some_and(|total: usize| read == 0 || read >= total);
            let path = format!("/{name}?limit={PAGE}&offset={read}");
            (!is_last).then(|| request(account, "GET", &path))
        };
        let items = |page: &Body| page.items(name, "id", label);
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let url = format!("{}/api/3{path}", base(account.values.text("api_url")));
    let request = OutboundRequest::new(method, url);
    let request = request.secret_header("api-token", account.credential("api_key"));
    OutboundRequest { answer_bytes_max: LOOKUP_BYTES_MAX, ..request }
}

/// The verdict on an answer: 403 is a key that does not hold, and what is there already is a
/// success.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    const CASES: [Case; 3] = [
        (403, "", "", Means::Unauthorized),
        (422, "errors/0/code", "duplicate", Means::Delivered),
        (422, "errors/0/code", "related_already_exists", Means::Delivered),
    ];
    reading::verdict(answer, now_ms, &CASES, &WORDS)
}

/// Creates or updates the contact; then its list or tag.
fn adding(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let email = email(call)?;
    let noun = if call.action == "add_tag" { "tag" } else { "list" };
    let wanted = match call.action {
        "sync_contact" => None,
        _ => Some(chosen(call, noun)?),
    };
    let verdict_on = |answer| verdict(answer, call.now_ms);
    match (answers, wanted) {
        ([], _) => Ok(Step::Send(sync(call, &email))),
        ([synced], Some(wanted)) if verdict_on(synced) == Verdict::Delivered => {
            let contact = Body::of(synced).text("contact/id").ok_or(Verdict::Retry(None))?;
            Ok(Step::Send(relation(call, noun, wanted, &contact)))
        }
        ([.., last], _) => Err(verdict_on(last)),
    }
}

fn sync(call: &Call<'_>, email: &str) -> OutboundRequest {
    let mut contact = Object::new().text("email", email);
    for key in &OWN[1..] {
        contact = contact.mapped(call, key, key);
    }
    let (mut values, mut notes) = (Vec::new(), Vec::new());
    for (key, value) in others(call, &OWN) {
        // Fields of the account's own are named by their number.
        match key.bytes().all(|byte| byte.is_ascii_digit()) {
            true => values.push(Object::new().text("field", key).json("value", value).to_string()),
            false => notes.push(format!("ActiveCampaign has no field {key}: its own have numbers")),
        }
    }
    if !values.is_empty() {
        contact = contact.json("fieldValues", format!("[{}]", values.join(",")));
    }
    let body = Object::new().json("contact", contact).to_string();
    request(&call.account, "POST", "/contact/sync").json(body).noting(notes)
}

/// The request that joins a contact and its list or tag.
fn relation(call: &Call<'_>, noun: &str, wanted: &str, contact: &str) -> OutboundRequest {
    let (path, body) = match (noun, call.action) {
        ("tag", _) => ("/contactTags", json!({"contactTag": {"contact": contact, "tag": wanted}})),
        (_, action) => {
            let status = if action == "remove_from_list" { 2 } else { 1 };
            let list =
                json!({"list": number(wanted), "contact": number(contact), "status": status});
            ("/contactLists", json!({ "contactList": list }))
        }
    };
    request(&call.account, "POST", path).json(body.to_string())
}

/// An id as the number that it is.
fn number(id: &str) -> serde_json::Value {
    id.parse::<u64>().map_or_else(|_| json!(id), |number| json!(number))
}

/// Finds the contact and takes the list or the tag from it. Who is not there has neither.
fn removing(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let email = email(call)?;
    let is_tag = call.action == "remove_tag";
    let wanted = chosen(call, if is_tag { "tag" } else { "list" })?;
    let Some((last, before)) = answers.split_last() else {
        let path = format!("/contacts?{}", query(&[("email", &email)]));
        return Ok(Step::Send(request(&call.account, "GET", &path)));
    };
    let verdict = verdict(last, call.now_ms);
    if !before.is_empty() && last.status == Some(404) {
        return Err(Verdict::Delivered);
    }
    if verdict != Verdict::Delivered {
        return Err(verdict);
    }
    let body = Body::of(last);
    match (before.len(), is_tag) {
        (0, _) => {
            let list = body.at("contacts").as_array().ok_or(Verdict::Retry(None))?;
            if list.is_empty() {
                return Err(Verdict::Delivered);
            }
            let contact = body.text("contacts/0/id").ok_or(Verdict::Retry(None))?;
            let path = format!("/contacts/{}/contactTags", part(&contact));
            let request = match is_tag {
                true => request(&call.account, "GET", &path),
                false => relation(call, "list", wanted, &contact),
            };
            Ok(Step::Send(request))
        }
        (1, true) => {
            let tags = body.at("contactTags").as_array().ok_or(Verdict::Retry(None))?.len();
            let has =
                |at: &usize| body.text(&format!("contactTags/{at}/tag")).as_deref() == Some(wanted);
            let found = (0..tags).find(has).ok_or(Verdict::Delivered)?;
            let id = body.text(&format!("contactTags/{found}/id")).ok_or(Verdict::Retry(None))?;
            let path = format!("/contactTags/{}", part(&id));
            Ok(Step::Send(request(&call.account, "DELETE", &path)))
        }
        _ => Err(Verdict::Delivered),
    }
}

#[cfg(test)]
mod tests;
