//! MailerLite: subscribers in groups. A subscriber is found by the address, so everything can be
//! repeated.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, PersonField, Values,
};
use crate::destinations::provider::{
    LOOKUP_BYTES_MAX, Object, Pages, TOKEN, chosen, email, others, part,
};
use crate::destinations::reading::{self, Body};
use crate::domain::delivery::attempt::Answer;

/// MailerLite.
pub struct MailerLite;

const API: &str = "https://connect.mailerlite.com/api";

const GROUP: Input = Input::new("id", InputKind::Id("groups"), "Group").required();

static ABOUT: About = About {
    key: "mailerlite",
    name: "MailerLite",
    authentication: "api_key",
    fields: &[Field::new("api_key", Kind::Matching(TOKEN), "API token")
        .required()
        .secret()
        .hint("From Integrations, API. Accounts of MailerLite Classic have another API.")
        .says("A token of MailerLite. Write-only.", "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.e30.x")],
    actions: &[
        Action {
            key: "add_to_group",
            label: "Add to group",
            noun: "subscriber",
            description: "Creates or updates the subscriber and adds it to a group",
            inputs: &[GROUP],
        },
        Action {
            key: "remove_from_group",
            label: "Remove from group",
            noun: "subscriber",
            description: "Takes the subscriber out of a group",
            inputs: &[GROUP],
        },
    ],
    is_signed: false,
    // 120 requests a minute.
    max_per_second: Some(2),
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 5] = [
    PersonField::EMAIL,
    PersonField::new("name", "First name").of("first_name"),
    PersonField::new("last_name", "Last name").of("last_name"),
    PersonField::new("phone", "Phone").of("phone"),
    PersonField::new("ip_address", "IP address").of("ip_address"),
];

impl Destination for MailerLite {
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
            "remove_from_group" => removing(call, answers),
            _ => adding(call, answers),
        };
        Ok(next.unwrap_or_else(Step::Done))
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        Some(request(account, "GET", "/groups?limit=1"))
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
        if name != "groups" {
            return Err(format!("MailerLite has no list {name}"));
        }
        let ask = |page: Option<&Body>, _| {
            let number = |page: &Body, key: &str| page.text(key)?.parse::<u32>().ok();
            let next = match page {
                None => 1,
                Some(page) => {
                    let at = number(page, "meta/current_page")?;
                    (at < number(page, "meta/last_page")?).then_some(at + 1)?
                }
            };
            Some(request(account, "GET", &format!("/groups?limit=100&page={next}")))
        };
        let items = |page: &Body| page.items("data", "id", "name");
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

fn request(account: &Account<'_>, method: &str, path: &str) -> OutboundRequest {
    let request = OutboundRequest::new(method, format!("{API}{path}"));
    request.header("accept", "application/json").bearer(account.credential("api_key"))
}

fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    reading::verdict(answer, now_ms, &[], &["message"])
}

/// One request creates or updates the subscriber and adds it to the group.
fn adding(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    if let Some(answer) = answers.first() {
        return Err(verdict(answer, call.now_ms));
    }
    let (group, email) = (chosen(call, "group")?, email(call)?);
    let fields = Object::new().all(&others(call, &["email", "ip_address"]));
    let body = Object::new().text("email", &email).object("fields", &fields);
    let body = body.json("groups", json!([group])).mapped(call, "ip_address", "ip_address");
    Ok(Step::Send(request(&call.account, "POST", "/subscribers").json(body.to_string())))
}

fn removing(call: &Call<'_>, answers: &[Answer]) -> Result<Step, Verdict> {
    let (group, email) = (chosen(call, "group")?, email(call)?);
    let is_absent = answers.last().is_some_and(|answer| answer.status == Some(404));
    let verdict = answers.last().map(|answer| verdict(answer, call.now_ms));
    match (answers, verdict) {
        ([], _) => {
            let find = request(&call.account, "GET", &format!("/subscribers/{}", part(&email)));
            Ok(Step::Send(OutboundRequest { answer_bytes_max: LOOKUP_BYTES_MAX, ..find }))
        }
        // Who is not there is not in the group.
        _ if is_absent => Err(Verdict::Delivered),
        ([found], Some(Verdict::Delivered)) => {
            let id = Body::of(found).text("data/id").ok_or(Verdict::Retry(None))?;
            let path = format!("/subscribers/{}/groups/{}", part(&id), part(group));
            Ok(Step::Send(request(&call.account, "DELETE", &path)))
        }
        (_, verdict) => Err(verdict.unwrap_or(Verdict::Retry(None))),
    }
}

#[cfg(test)]
mod tests;
