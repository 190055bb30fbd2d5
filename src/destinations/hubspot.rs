//! HubSpot: contacts, their lists and properties, with a private app's token. Contacts are matched
//! by their address, so everything can be repeated.
//!
//! HubSpot answers 207 to a batch that it took in part, and 200 to a list that does not know the
//! contact: neither is a success.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Item, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{
    LOOKUP_BYTES_MAX, Object, Pages, TOKEN, chosen, email, others, part,
};
use crate::destinations::reading::{self, Body, Case, Means};
use crate::destinations::texts::Texts;
use crate::domain::base::time::HOUR_MS;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::Target;

/// HubSpot.
pub struct HubSpot;

const API: &str = "https://api.hubapi.com";
const WORDS: [&str; 2] = ["errors/0/message", "message"];
const PAGE: usize = 250;

const CASES: [Case; 5] = [
    (207, "", "", Means::Refused),
    (403, "category", "MISSING_SCOPES", Means::Unauthorized),
    (0, "category", "EXPIRED_AUTHENTICATION", Means::Unauthorized),
    (0, "category", "INVALID_AUTHENTICATION", Means::Unauthorized),
    (423, "", "", Means::Throttled),
];

const LIST: Input = Input::new("id", InputKind::Id("lists"), "List")
    .required()
    .hint("Lists that fill themselves are left out: nobody can be added to them.");

static ABOUT: About = About {
    key: "hubspot",
    name: "HubSpot",
    authentication: "api_key",
    fields: &[Field::new("access_token", Kind::Matching(TOKEN), "Private app token")
        .required()
        .secret()
        .hint("Begins with pat-. Scopes: contacts and lists, read and write.")
        .says(
            "The access token of a private app. Write-only.",
            "pat-na1-11111111-2222-3333-4444-555555555555",
        )],
    actions: &[
        Action {
            key: "add_to_list",
            label: "Add to list",
            noun: "contact",
            description: "Creates or updates the contact and adds it to a list",
            inputs: &[LIST],
        },
        Action {
            key: "remove_from_list",
            label: "Remove from list",
            noun: "contact",
            description: "Takes the contact out of a list",
            inputs: &[LIST],
        },
        Action {
            key: "update_property",
            label: "Update property",
            noun: "contact",
            description: "Creates or updates the contact and sets one of its properties",
            inputs: &[
                Input::new("id", InputKind::Id("properties"), "Property").required(),
                Input::new("value", InputKind::Line, "Value")
                    .required()
                    .hint("A text, one of the property's options, or such as {{plan}}."),
            ],
        },
    ],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 4] = [
    PersonField::EMAIL,
    PersonField::new("firstname", "First name").of("first_name"),
    PersonField::new("lastname", "Last name").of("last_name"),
    PersonField::new("phone", "Phone").of("phone").format("phone"),
];

impl Destination for HubSpot {
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
        Ok(next(call, answers).unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/crm/objects/2026-03/contacts?limit=1"))
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
        match name {
            "lists" => Ok(lists(account, answers)),
            "properties" => Ok(properties(account, answers)),
            _ => Err(format!("HubSpot has no list {name}")),
        }
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let request = OutboundRequest::new(method, format!("{API}{path}"));
    let request = request.bearer(account.credential("access_token"));
    OutboundRequest { answer_bytes_max: LOOKUP_BYTES_MAX, ..request }
}

/// The verdict on an answer. A day's limit that is used up begins anew the next day.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    let verdict = reading::verdict(answer, now_ms, &CASES, &WORDS);
    let policy = Body::of(answer).text("policyName");
    match verdict {
        Verdict::Throttled(None) if policy.as_deref() == Some("DAILY") => {
            Verdict::Retry(Some(HOUR_MS))
        }
        verdict => verdict,
    }
}

fn next(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let email = email(call)?;
    let is_removal = call.action == "remove_from_list";
    let is_property = call.action == "update_property";
    let wanted = chosen(call, if is_property { "property" } else { "list" })?;
    let verdict_on = |answer| verdict(answer, call.now_ms);
    match answers {
        [] if is_removal => {
            let path = format!("/crm/objects/2026-03/contacts/{}?idProperty=email", part(&email));
            Ok(Step::Send(request(&call.account, "GET", &path)))
        }
        [] => upsert(call, &email, is_property.then_some(wanted)).map(Step::Send),
        // Who is not there is not in the list.
        [found] if is_removal && found.status == Some(404) => Err(Verdict::Delivered),
        [found] if !is_property && verdict_on(found) == Verdict::Delivered => {
            let id = if is_removal { "id" } else { "results/0/id" };
            let id = Body::of(found).text(id).ok_or(Verdict::Retry(None))?;
            let verb = if is_removal { "remove" } else { "add" };
            let path = format!("/crm/lists/2026-03/{}/memberships/{verb}", part(wanted));
            Ok(Step::Send(request(&call.account, "PUT", &path).json(json!([id]).to_string())))
        }
        [_, last] if !is_removal && is_missing(last) => {
            Err(Verdict::refused("The list does not know the contact: HubSpot did not add it"))
        }
        [.., last] => Err(verdict_on(last)),
    }
}

/// Whether a list knows nothing of the contact that was to be added.
fn is_missing(answer: &Answer) -> bool {
    let body = Body::of(answer);
    ["recordIdsMissing", "recordsIdsMissing"]
        .iter()
        .any(|key| body.at(key).as_array().is_some_and(|ids| !ids.is_empty()))
}

/// The request that creates the contact or sets what is known of it.
fn upsert(
    call: &Call<'_>,
    email: &str,
    property: Option<&str>,
) -> Result<OutboundRequest, Verdict> {
    let mut texts = Texts::new(call);
    let own: Vec<&str> = property.into_iter().chain(["email"]).collect();
    let mut properties = Object::new().text("email", email).all(&others(call, &own));
    if let Some(property) = property {
        properties = properties.text(property, &texts.required("value", Target::Plain)?);
    }
    let input = Object::new().text("id", email).text("idProperty", "email");
    let input = input.json("properties", properties);
    let body = format!("{{\"inputs\":[{input}]}}");
    let path = "/crm/objects/2026-03/contacts/batch/upsert";
    Ok(request(&call.account, "POST", path).json(body).noting(texts.notes))
}

/// The lists that contacts can be put into.
fn lists(account: &Account<'_>, answers: &[Answer]) -> Listing {
    let ask = |page: Option<&Body>, _| {
        let offset = match page {
            None => 0,
            Some(page) if page.text("hasMore").as_deref() == Some("true") => {
                page.text("offset")?.parse::<u64>().ok()?
            }
            Some(_) => return None,
        };
        let body = json!({"objectTypeId": "0-1", "processingTypes": ["MANUAL", "SNAPSHOT"],
            "offset": offset, "count": PAGE, "additionalProperties": [], "listIds": []});
        Some(request(account, "POST", "/crm/lists/2026-03/search").json(body.to_string()))
    };
    let items = |page: &Body| page.items("lists", "listId", "name");
    Pages { answers, verdict, items: &items, ask: &ask }.listing()
}

/// The contacts' properties that can be written, with the options of those that have some.
fn properties(account: &Account<'_>, answers: &[Answer]) -> Listing {
    let path = "/crm/properties/2026-03/contacts";
    let ask = |page: Option<&Body>, _| match page {
        None => Some(request(account, "GET", path)),
        Some(_) => None,
    };
    let items = |page: &Body| {
        let all = page.at("results").as_array().map_or(0, Vec::len);
        let text = |at: usize, key: &str| page.text(&format!("results/{at}/{key}"));
        let item = |at: usize| {
            let is_fixed = text(at, "modificationMetadata/readOnlyValue");
            if is_fixed.as_deref() == Some("true") || text(at, "hidden").as_deref() == Some("true")
            {
                return None;
            }
            let id = text(at, "name")?;
            let name = text(at, "label").unwrap_or_else(|| id.clone());
            let options = page.items(&format!("results/{at}/options"), "value", "label");
            let options = options.into_iter().map(|option| (option.id, option.name)).collect();
            Some(Item { id, name, options })
        };
        (0..all).filter_map(item).collect()
    };
    Pages { answers, verdict, items: &items, ask: &ask }.listing()
}

#[cfg(test)]
mod tests;
