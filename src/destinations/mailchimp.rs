//! Mailchimp: people in audiences. A person is found by the address, so everything can be repeated.

use std::collections::BTreeMap;

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{
    About, Action, Field, Input, InputKind, Kind, Pattern, PersonField, Values,
};
use crate::destinations::provider::{Object, Pages, TOKEN, chosen, email, others, part};
use crate::destinations::reading::{self, Body};
use crate::domain::base::fields::Fields;
use crate::domain::base::secret::Secret;
use crate::domain::delivery::attempt::Answer;
use crate::domain::delivery::mask::MASK;

/// Mailchimp.
pub struct Mailchimp;

const WORDS: [&str; 3] = ["errors/0/message", "detail", "title"];
/// Lists of one page.
const PAGE: usize = 500;

/// It is a part of a host name.
const DATA_CENTER: Pattern =
    Pattern { regex: "[a-z]{2,4}[0-9]{1,3}", fits: is_data_center, told: "must be such as us21" };

const AUDIENCE: Input = Input::new("id", InputKind::Id("lists"), "Audience").required();

static ABOUT: About = About {
    key: "mailchimp",
    name: "Mailchimp",
    authentication: "api_key",
    fields: &[
        Field::new("api_key", Kind::Matching(TOKEN), "API key")
            .required()
            .secret()
            .hint("Ends with the data center, such as -us21.")
            .says("A key of Mailchimp. Write-only.", "0123456789abcdef0123456789abcdef-us21"),
        Field::new("data_center", Kind::Matching(DATA_CENTER), "Data center")
            .hint("Only if the key does not end with it.")
            .says("The account's data center. Left out, it is the key's ending.", "us21"),
    ],
    actions: &[
        Action {
            key: "add_to_list",
            label: "Add to audience",
            noun: "contact",
            description: "Creates or updates the contact and subscribes it to an audience",
            inputs: &[AUDIENCE],
        },
        Action {
            key: "remove_from_list",
            label: "Remove from audience",
            noun: "contact",
            description: "Unsubscribes the contact from an audience",
            inputs: &[AUDIENCE],
        },
    ],
    is_signed: false,
    max_per_second: None,
    has_provider: true,
    one_of: &[],
};

static PERSON: [PersonField; 5] = [
    PersonField::EMAIL,
    PersonField::new("ip_signup", "IP address at sign-up").of("ip_address"),
    PersonField::new("FNAME", "First name").of("first_name"),
    PersonField::new("LNAME", "Last name").of("last_name"),
    PersonField::new("PHONE", "Phone").of("phone"),
];

fn is_data_center(text: &str) -> bool {
    let letters = text.bytes().take_while(u8::is_ascii_lowercase).count();
    let digits = text.bytes().skip(letters).take_while(u8::is_ascii_digit).count();
    (2..=4).contains(&letters) && (1..=3).contains(&digits) && letters + digits == text.len()
}

/// The data center that a key ends with.
fn ending(key: &str) -> Option<&str> {
    key.rsplit_once('-').map(|(_, ending)| ending).filter(|ending| is_data_center(ending))
}

impl Destination for Mailchimp {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn check(&self, fields: &mut Fields<'_>, values: &Values, given: &BTreeMap<String, Secret>) {
        let key = given.get("api_key").map(|key| key.expose());
        if values.get("data_center").is_none() && key.is_some_and(|key| ending(key).is_none()) {
            let msg = "is required: the key does not end with one, such as -us21";
            fields.fail("data_center", msg);
        }
    }

    fn address(&self, _: &Values) -> String {
        ABOUT.name.to_owned()
    }

    fn person(&self) -> &'static [PersonField] {
        &PERSON
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        let is_removal = call.action == "remove_from_list";
        Ok(match answers.first() {
            // Who is not there is not in the list.
            Some(answer) if is_removal && answer.status == Some(404) => {
                Step::Done(Verdict::Delivered)
            }
            Some(answer) => Step::Done(verdict(answer, call.now_ms)),
            None => member(call, is_removal).map_or_else(Step::Done, Step::Send),
        })
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        request(account, "GET", "/ping")
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
        if name != "lists" {
            return Err(format!("Mailchimp has no list {name}"));
        }
        let ask = |page: Option<&Body>, read: usize| {
            let total = page.map(|page| page.text("total_items"));
            let total = total.map(|total| total.and_then(|total| total.parse().ok()).unwrap_or(0));
            let is_last = total.is_some_and(|total: usize| read == 0 || read >= total);
            let fields = "lists.id,lists.name,total_items";
            let path = format!("/lists?fields={fields}&count={PAGE}&offset={read}");
            if is_last { None } else { request(account, "GET", &path) }
        };
        let items = |page: &Body| page.items("lists", "id", "name");
        Ok(Pages { answers, verdict, items: &items, ask: &ask }.listing())
    }
}

/// A request to the account's data center; none where that is not known.
fn request(account: &Account<'_>, method: &str, path: &str) -> Option<OutboundRequest> {
    let key = account.credential("api_key");
    // A preview does not know the key.
    let known = account.values.get("data_center").or_else(|| ending(key));
    let center = known.or((key == MASK).then_some(MASK))?;
    let url = format!("https://{center}.api.mailchimp.com/3.0{path}");
    Some(OutboundRequest::new(method, url).basic("posthorn", key))
}

/// The verdict on an answer. Under load Mailchimp answers a bare 403; its own 403 is JSON.
fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    let is_bare = Body::of(answer).text("title").is_none();
    if answer.status == Some(403) && is_bare {
        return Verdict::Throttled(reading::retry_after_ms(answer, now_ms));
    }
    reading::verdict(answer, now_ms, &[], &WORDS)
}

/// The request that subscribes a person or takes that back.
fn member(call: &Call<'_>, is_removal: bool) -> Result<OutboundRequest, Verdict> {
    let (list, email) = (chosen(call, "audience")?, email(call)?);
    // In the place of the address's hash Mailchimp takes the address itself.
    let path = format!("/lists/{}/members/{}", part(list), part(&email.to_lowercase()));
    let (method, path, body) = if is_removal {
        ("PATCH", path, json!({"status": "unsubscribed"}).to_string())
    } else {
        ("PUT", format!("{path}?skip_merge_validation=true"), subscription(call, &email))
    };
    let request = request(&call.account, method, &path);
    let request = request.ok_or_else(|| {
        Verdict::refused("The connection has no data center, and the key does not end with one")
    })?;
    Ok(request.json(body))
}

fn subscription(call: &Call<'_>, email: &str) -> String {
    let merge = Object::new().all(&others(call, &["email", "ip_signup"]));
    let body = Object::new().text("email_address", email);
    let body = body.text("status_if_new", "subscribed").text("status", "subscribed");
    body.object("merge_fields", &merge).mapped(call, "ip_signup", "ip_signup").to_string()
}

#[cfg(test)]
mod tests;
