//! Pipedrive: persons, their fields and labels, with a personal token. Persons are looked for by
//! their address first. One that was created while the answer was lost can be there twice, if the
//! search does not know it yet when the attempt starts over.

use serde_json::{Value, json};

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Item, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{
    LOOKUP_BYTES_MAX, Object, Pages, TOKEN, chosen, email, mapped_text, others, part, query,
};
use crate::destinations::reading::{self, Body, Case, Means};
use crate::destinations::texts::Texts;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::Target;

/// Pipedrive.
pub struct Pipedrive;

const API: &str = "https://api.pipedrive.com/api";
const WORDS: [&str; 3] = ["error", "message", "error_info"];
/// The field that holds a person's labels.
const LABELS: &str = "label_ids";

const LABEL: Input = Input::new("id", InputKind::Id("labels"), "Label").required();

static ABOUT: About = About {
    key: "pipedrive",
    name: "Pipedrive",
    authentication: "api_key",
    fields: &[Field::new("access_token", Kind::Matching(TOKEN), "API token")
        .required()
        .secret()
        .hint("From Personal preferences, API.")
        .says("A person's API token. Write-only.", "0123456789abcdef0123456789abcdef01234567")],
    actions: &[
        Action {
            key: "sync_person",
            label: "Create or update person",
            noun: "person",
            description: "Creates or updates the person",
            inputs: &[],
        },
        Action {
            key: "update_person_field",
            label: "Update field",
            noun: "person",
            description: "Creates the person or finds it, and sets one of its fields",
            inputs: &[
                Input::new("id", InputKind::Id("properties"), "Field").required(),
                Input::new("value", InputKind::Line, "Value")
                    .required()
                    .hint("A text, the id of one of the field's options, or such as {{plan}}."),
            ],
        },
        Action {
            key: "add_label_to_person",
            label: "Add label",
            noun: "person",
            description: "Creates the person or finds it, and gives it a label",
            inputs: &[LABEL],
        },
        Action {
            key: "remove_label_from_person",
            label: "Remove label",
            noun: "person",
            description: "Takes a label from the person",
            inputs: &[LABEL],
        },
    ],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

const OWN: [&str; 3] = ["email", "name", "phone"];

static PERSON: [PersonField; 3] = [
    PersonField::EMAIL,
    PersonField::new("name", "Name").of("name"),
    PersonField::new("phone", "Phone").of("phone").format("phone"),
];

impl Destination for Pipedrive {
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
            "update_person_field" => setting(call, answers),
            "add_label_to_person" | "remove_label_from_person" => labelling(call, answers),
            _ => syncing(call, answers),
        };
        Ok(next.unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/v1/users/me"))
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
        let items: &dyn Fn(&Body) -> Vec<Item> = match name {
            "labels" => &labels,
            "properties" => &properties,
            _ => return Err(format!("Pipedrive has no list {name}")),
        };
        let ask = |page: Option<&Body>, _| {
            let cursor = match page {
                None => None,
                Some(page) => Some(page.text("additional_data/next_cursor")?),
            };
            let mut asked = vec![("limit", "500")];
            asked.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            Some(request(account, "GET", &format!("/v2/personFields?{}", query(&asked))))
        };
        Ok(Pages { answers, verdict, items, ask: &ask }.listing())
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let request = OutboundRequest::new(method, format!("{API}{path}"));
    let request = request.header("accept", "application/json");
    let request = request.secret_header("x-api-token", account.credential("access_token"));
    OutboundRequest { answer_bytes_max: LOOKUP_BYTES_MAX, ..request }
}

/// The verdict on an answer. A company whose plan has ended (402) or that is closed (410) takes
/// nothing by any token; what a person may not do (403) is refused.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    const CASES: [Case; 4] = [
        (200, "success", "false", Means::Refused),
        (201, "success", "false", Means::Refused),
        (402, "", "", Means::Unauthorized),
        (410, "", "", Means::Unauthorized),
    ];
    reading::verdict(answer, now_ms, &CASES, &WORDS)
}

/// The answers after the search, and the person that it found.
type Found<'a> = (Option<String>, &'a [Answer]);

/// What an attempt does instead of going on.
type Next = Box<Result<Step, Verdict>>;

/// Searches for the person; the request to do so comes as the error.
fn found<'a>(call: &Call<'_>, answers: &'a [Answer]) -> Result<Found<'a>, Next> {
    let email = email(call).map_err(|why| Box::new(Err(why)))?;
    let Some((first, rest)) = answers.split_first() else {
        let asked = [
            ("term", email.as_str()),
            ("fields", "email"),
            ("exact_match", "true"),
            ("limit", "1"),
        ];
        let path = format!("/v2/persons/search?{}", query(&asked));
        return Err(Box::new(Ok(Step::Send(request(&call.account, "GET", &path)))));
    };
    taken(call, first).map_err(|why| Box::new(Err(why)))?;
    let body = Body::of(first);
    if !body.at("data/items").is_array() {
        return Err(Box::new(Err(Verdict::Retry(None))));
    }
    Ok((body.text("data/items/0/item/id"), rest))
}

fn taken(call: &Call<'_>, answer: &Answer) -> Result<(), Verdict> {
    match verdict(answer, call.now_ms) {
        Verdict::Delivered => Ok(()),
        failed => Err(failed),
    }
}

fn change(call: &Call<'_>, id: &str, body: &Object) -> Step {
    let path = format!("/v2/persons/{}", part(id));
    Step::Send(request(&call.account, "PATCH", &path).json(body.to_string()))
}

fn create(call: &Call<'_>, more: &Object) -> Result<Step, Verdict> {
    let email = email(call)?;
    let name = mapped_text(call, "name").unwrap_or_else(|| email.clone());
    let emails = json!([{"value": email, "primary": true, "label": "work"}]);
    let body = Object::new().text("name", &name).json("emails", emails).extend(more);
    Ok(Step::Send(request(&call.account, "POST", "/v2/persons").json(body.to_string())))
}

/// What is known of the person beside name and address. Fields of the account's own are named by
/// a hash and stand by themselves.
fn fields(call: &Call<'_>) -> Object {
    let mut all = Object::new();
    if let Some(phone) = mapped_text(call, "phone") {
        let phones = json!([{"value": phone, "primary": true, "label": "work"}]);
        all = all.json("phones", phones);
    }
    let more = others(call, &OWN);
    let (custom, own): (Vec<_>, Vec<_>) = more.into_iter().partition(|(key, _)| is_custom(key));
    all.all(&own).object("custom_fields", &Object::new().all(&custom))
}

fn is_custom(key: &str) -> bool {
    key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn syncing(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let (id, rest) = match found(call, answers) {
        Ok(found) => found,
        Err(step) => return *step,
    };
    let known = Object::new().mapped(call, "name", "name").extend(&fields(call));
    match (id, rest) {
        (_, [last, ..]) => Err(verdict(last, call.now_ms)),
        (None, []) => create(call, &fields(call)),
        (Some(_), []) if known.is_empty() => Err(Verdict::Delivered),
        (Some(id), []) => Ok(change(call, &id, &known)),
    }
}

/// Search; what kind of field it is; create or change.
fn setting(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let field = chosen(call, "field")?;
    let mut texts = Texts::new(call);
    let value = texts.required("value", Target::Plain)?;
    let (id, rest) = match found(call, answers) {
        Ok(found) => found,
        Err(step) => return *step,
    };
    let Some((described, rest)) = rest.split_first() else {
        let path = format!("/v2/personFields/{}", part(field));
        return Ok(Step::Send(request(&call.account, "GET", &path)));
    };
    taken(call, described)?;
    let kind = Body::of(described).text("data/field_type").unwrap_or_default();
    let value = typed(&kind, &value)?;
    let set = match is_custom(field) {
        true => Object::new().json("custom_fields", Object::new().json(field, value)),
        false => Object::new().json(field, value),
    };
    let step = match (id, rest) {
        (_, [last, ..]) => return Err(verdict(last, call.now_ms)),
        (None, []) => create(call, &set)?,
        (Some(id), []) => change(call, &id, &set),
    };
    Ok(match step {
        Step::Send(request) => Step::Send(request.noting(texts.notes)),
        done @ Step::Done(_) => done,
    })
}

/// A text as a field of this type takes it.
fn typed(kind: &str, text: &str) -> Result<Value, Verdict> {
    let number = |text: &str| {
        let number = serde_json::from_str::<serde_json::Number>(text.trim());
        let told = || Verdict::refused(format!("The field takes a number and not {text:?}"));
        number.map(Value::Number).map_err(|_| told())
    };
    match kind {
        "enum" | "int" | "double" | "user" | "org" | "people" | "visible_to" | "status" => {
            number(text)
        }
        "set" => text.split(',').map(number).collect::<Result<_, _>>().map(Value::Array),
        _ => Ok(json!(text)),
    }
}

/// Search; the labels that the person has; all of them with the one more or less.
fn labelling(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let wanted = chosen(call, "label")?;
    let label: u64 =
        wanted.parse().map_err(|_| Verdict::refused("The label is none of Pipedrive's"))?;
    let is_removal = call.action == "remove_label_from_person";
    let (id, rest) = match found(call, answers) {
        Ok(found) => found,
        Err(step) => return *step,
    };
    let with = |labels: &[u64]| Object::new().json(LABELS, json!(labels));
    let id = match (id, rest) {
        (None, _) if is_removal => return Err(Verdict::Delivered),
        (None, []) => return create(call, &with(&[label])),
        (None, [made, ..]) => return Err(verdict(made, call.now_ms)),
        (Some(id), _) => id,
    };
    let Some((read, rest)) = rest.split_first() else {
        let path = format!("/v2/persons/{}", part(&id));
        return Ok(Step::Send(request(&call.account, "GET", &path)));
    };
    if let Some(last) = rest.last() {
        return Err(verdict(last, call.now_ms));
    }
    taken(call, read)?;
    let body = Body::of(read);
    if !body.at("data").is_object() {
        return Err(Verdict::Retry(None));
    }
    let labels = body.at(&format!("data/{LABELS}")).as_array().cloned().unwrap_or_default();
    let mut labels: Vec<u64> = labels.iter().filter_map(Value::as_u64).collect();
    match (is_removal, labels.contains(&label)) {
        (true, false) | (false, true) => return Err(Verdict::Delivered),
        (true, true) => labels.retain(|one| *one != label),
        (false, false) => labels.push(label),
    }
    Ok(change(call, &id, &with(&labels)))
}

/// The labels of persons.
fn labels(page: &Body) -> Vec<Item> {
    let fields = page.at("data").as_array().map_or(0, Vec::len);
    let code = |at: usize| page.text(&format!("data/{at}/field_code"));
    let found = (0..fields).find(|at| code(*at).as_deref() == Some(LABELS));
    found.map_or_else(Vec::new, |at| page.items(&format!("data/{at}/options"), "id", "label"))
}

/// The fields of persons, with the options of those that have some.
fn properties(page: &Body) -> Vec<Item> {
    let fields = page.at("data").as_array().map_or(0, Vec::len);
    let item = |at: usize| {
        let id = page.text(&format!("data/{at}/field_code"))?;
        let name = page.text(&format!("data/{at}/field_name")).unwrap_or_else(|| id.clone());
        let options = page.items(&format!("data/{at}/options"), "id", "label");
        let options = options.into_iter().map(|option| (option.id, option.name)).collect();
        Some(Item { id, name, options })
    };
    (0..fields).filter_map(item).collect()
}

#[cfg(test)]
mod tests;
