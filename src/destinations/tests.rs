//! What the tests of destinations share, and what must hold for all destinations of persons.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::destinations::call::{OutboundRequest, STEPS_MAX, Step, Verdict};
use crate::domain::base::tree::Tree;
use crate::domain::connection::model::Credentials;
use crate::domain::routing::mapping::{Field, Schema};

/// A connection and a rule.
#[derive(Clone)]
pub struct Given {
    destination: &'static dyn Destination,
    values: Values,
    credentials: Credentials,
    mapping: Schema,
}

impl Given {
    /// A connection with these settings and credentials, all of them texts.
    pub fn new(kind: &str, metadata: &[(&str, &str)]) -> Self {
        let destination = find(kind).expect("a destination");
        let about = destination.about();
        let (mut values, mut credentials) = (Values::new(about.fields), Credentials::new());
        for (key, value) in metadata {
            if about.field(key).expect("a field").is_secret {
                credentials.insert((*key).to_owned(), Secret::new(*value));
            } else {
                values.set(key, Some(value));
            }
        }
        let of = |field: &PersonField| Some((field.key, field.from?));
        let mapping = Schema::generated(destination.person().iter().filter_map(of));
        Self { destination, values, credentials, mapping }
    }

    /// The same with another field mapped.
    pub fn mapping(mut self, dest: &str, path: &str) -> Self {
        self.mapping.fields.push(Field::of(dest, path));
        self
    }

    /// What it signs in with.
    pub fn account(&self) -> Account<'_> {
        Account { values: &self.values, credentials: &self.credentials }
    }

    /// What follows from these answers.
    pub fn step(
        &self,
        action: &str,
        says: &[(&str, &str)],
        payload: &str,
        answers: &[Answer],
    ) -> Step {
        let metadata: Metadata =
            says.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mapped = self.mapping.apply(&Tree::read(payload).expect("JSON")).fields;
        let call = Call {
            account: self.account(),
            action,
            metadata: &metadata,
            mapped: &mapped,
            secrets: &[],
            timeout_ms: 15_000,
            event: "e1",
            name: "user.signup",
            resource: None,
            resource_id: None,
            external_id: None,
            payload,
            created_at_ms: 0,
            hops: 0,
            message_id: "msg_1",
            is_test: false,
            attempt: 1,
            now_ms: 0,
        };
        self.destination.step(&call, answers).expect("a step")
    }

    /// The requests and the verdict with these answers; the last request may have none.
    pub fn walk(
        &self,
        action: &str,
        says: &[(&str, &str)],
        payload: &str,
        answers: &[Answer],
    ) -> (Vec<String>, Option<Verdict>) {
        let mut requests = Vec::new();
        for count in 0..=answers.len() {
            match self.step(action, says, payload, &answers[..count]) {
                Step::Send(request) => requests.push(shown(&request)),
                Step::Done(verdict) => return (requests, Some(verdict)),
            }
        }
        (requests, None)
    }

    /// The requests for a live list with these answers, and the list itself.
    pub fn list(&self, name: &str, answers: &[Answer]) -> (Vec<String>, Option<Listing>) {
        let mut requests = Vec::new();
        for count in 0..=answers.len() {
            match self.destination.list(&self.account(), name, &answers[..count]).expect("a list") {
                Listing::Send(request) => requests.push(shown(&request)),
                done => return (requests, Some(done)),
            }
        }
        (requests, None)
    }

    /// The request that tests the credentials.
    pub fn test(&self) -> String {
        shown(&self.destination.test_call(&self.account()).expect("a test call"))
    }

    /// What an answer to it says.
    pub fn tested(&self, answer: &Answer) -> Verdict {
        self.destination.test_verdict(answer)
    }
}

/// A request in lines: method and URL, headers but `user-agent`, body.
pub fn shown(request: &OutboundRequest) -> String {
    let mut lines = vec![format!("{} {}", request.method, request.url)];
    for header in request.headers.iter().filter(|header| header.name != "user-agent") {
        let mark = if header.is_secret { " (secret)" } else { "" };
        lines.push(format!("{}: {}{mark}", header.name, header.value));
    }
    lines.push(String::from_utf8(request.body.clone()).expect("UTF-8"));
    lines.join("\n").trim_end().to_owned()
}

/// An answer.
pub fn answer(status: u16, text: &str) -> Answer {
    Answer { status: Some(status), excerpt: text.as_bytes().to_vec(), ..Answer::default() }
}

/// What a delivery was refused with.
pub fn refusal(verdict: Option<Verdict>) -> String {
    match verdict {
        Some(Verdict::Permanent { told, .. }) => told,
        other => panic!("{other:?}"),
    }
}

/// What a rule says: keys and values.
type Said = Vec<(&'static str, &'static str)>;

/// All destinations of persons, with every action and something for each of its inputs.
fn all() -> Vec<(Given, &'static Action, Said)> {
    let mut all = Vec::new();
    for destination in ALL.into_iter().filter(|one| !one.person().is_empty()) {
        let about = destination.about();
        let given: Vec<(&str, &str)> = about
            .fields
            .iter()
            .filter(|field| field.is_required)
            .map(|field| match field.key {
                "api_url" => ("api_url", "https://acme.api-us1.com"),
                key => (key, "key-us21"),
            })
            .collect();
        for action in about.actions {
            let says = action.inputs.iter().filter(|input| input.key != "to");
            let says = says.map(|input| match input.key {
                "from" => ("from", "{{first_name}} <team@acme.example>"),
                "id" => ("id", "7"),
                key => (key, "v: {{first_name}}"),
            });
            all.push((Given::new(about.key, &given), action, says.collect()));
        }
    }
    assert!(all.len() > 20);
    all
}

#[test]
fn an_event_about_nobody_is_refused_and_the_connection_stays_well() {
    for (given, action, says) in all() {
        for payload in ["{}", r#"{"email":null,"id":"7"}"#, r#"{"email":" "}"#] {
            let Step::Done(Verdict::Permanent { told, .. }) =
                given.step(action.key, &says, payload, &[])
            else {
                panic!("{}: {payload}", action.key);
            };
            assert!(told.contains("e-mail address"), "{}: {told}", action.key);
        }
        for email in ["a@b.c,d@e.f", "a b@c.d", "nobody", "a@b.c\nBcc: d@e.f"] {
            let step = given.step(action.key, &says, &json!({ "email": email }).to_string(), &[]);
            assert!(matches!(step, Step::Done(Verdict::Permanent { .. })), "{email}: {step:?}");
        }
    }
}

#[test]
fn every_destination_of_persons_tests_its_credentials_and_reads_its_lists() {
    for (given, action, _) in all() {
        let test = given.test();
        assert!(test.contains("(secret)") && test.contains(" https://"), "{test}");
        assert_eq!(given.tested(&answer(200, "{}")), Verdict::Delivered, "{test}");
        let refused = given.tested(&answer(401, "{}"));
        assert!(matches!(refused, Verdict::Unauthorized(_)), "{test}: {refused:?}");
        for input in action.inputs {
            if let model::InputKind::Id(name) = input.kind {
                let (asked, none) = given.list(name, &[]);
                assert!(asked[0].contains("(secret)") && none.is_none(), "{asked:?}");
                let (_, failed) = given.list(name, &[answer(401, "{}")]);
                let told = match failed {
                    Some(Listing::Done(items, Some(told))) if items.is_empty() => told,
                    other => panic!("{name}: {other:?}"),
                };
                assert_eq!(told, "Answered 401", "{name}");
            }
        }
    }
}

#[test]
fn what_a_rule_does_not_choose_is_not_asked_for() {
    for (given, action, _) in all() {
        if action.inputs.iter().any(|input| input.key == "id") {
            let says = [("from", "a@b.c"), ("value", "1")];
            let step = given.step(action.key, &says, r#"{"email":"a@b.c"}"#, &[]);
            let Step::Done(Verdict::Permanent { told, .. }) = step else { panic!("{step:?}") };
            assert!(told.contains("no rule names one"), "{}: {told}", action.key);
        }
    }
}

/// Answers as providers give them, good and bad.
fn answers() -> impl Strategy<Value = Answer> {
    let found = json!({"id": "1", "contact": {"id": "1"}, "contacts": [{"id": "1"}],
        "contactTags": [{"id": "2", "tag": "7"}], "results": [{"id": "1"}], "success": true,
        "data": {"id": "1", "field_type": "varchar", "items": [{"item": {"id": 1}}]}});
    let none = json!({"contacts": [], "results": [], "data": {"items": []}, "success": true});
    let bodies = [
        found.to_string(),
        none.to_string(),
        json!({"id": "1", "data": [{"id": "1"}], "total_count": 1}).to_string(),
        json!({"id": "1", "data": [], "total_count": 0}).to_string(),
        "{}".to_owned(),
        "<html>".to_owned(),
        String::new(),
    ];
    let statuses = prop::sample::select(vec![200, 201, 202, 204, 207, 400, 401, 403, 404, 409]);
    let rare = prop::sample::select(vec![402, 410, 422, 423, 429, 500, 503]);
    (prop_oneof![4 => statuses, 1 => rare], prop::sample::select(bodies.to_vec()))
        .prop_map(|(status, body)| answer(status, &body))
}

proptest! {
    /// An attempt that crashed after any step starts over with the request that it began with, and
    /// what it does next depends on nothing but the call and the answers.
    #[test]
    fn an_attempt_ends_after_few_requests_and_can_start_over(
        answers in prop::collection::vec(answers(), STEPS_MAX)
    ) {
        for (given, action, says) in all() {
            let payload = r#"{"email":"a@b.c","id":"u1","first_name":"Ann"}"#;
            let step = |count: usize| given.step(action.key, &says, payload, &answers[..count]);
            let first = step(0);
            for count in 0..=STEPS_MAX {
                prop_assert_eq!(step(count), step(count));
                prop_assert_eq!(step(0), first.clone());
                if matches!(step(count), Step::Done(_)) {
                    break;
                }
                prop_assert!(count < STEPS_MAX, "{} asks too often: {:?}", action.key, answers);
            }
        }
    }

    #[test]
    fn no_value_leaves_its_json_string_or_adds_a_header(value in "v.*") {
        let payload = |value: &str| {
            json!({"email": "a@b.c", "id": value, "first_name": value, "name": value,
                "phone": value, "ip_address": value}).to_string()
        };
        for (given, action, says) in all() {
            let plain = given.step(action.key, &says, &payload("x"), &[]);
            let odd = given.step(action.key, &says, &payload(&value), &[]);
            let (Step::Send(plain), Step::Send(odd)) = (plain, odd) else { continue };
            let names = |request: &OutboundRequest| {
                request.headers.iter().map(|header| header.name.clone()).collect::<Vec<_>>()
            };
            prop_assert_eq!(names(&plain), names(&odd));
            for header in &odd.headers {
                prop_assert!(!header.value.chars().any(char::is_control), "{:?}", header);
            }
            prop_assert_eq!(&plain.url, &odd.url);
            if !odd.body.is_empty() {
                let keys = |request: &OutboundRequest| {
                    shape(&serde_json::from_slice(&request.body).expect("JSON"))
                };
                prop_assert!(keys(&odd).is_subset(&keys(&plain)));
            }
        }
    }
}

proptest! {
    /// Nothing of a payload is read as HTML, and a mail has the one recipient and the one sender.
    #[test]
    fn no_value_writes_html_or_another_address_into_a_mail(value in any::<String>()) {
        let payload = json!({"email": "a@b.c", "v": value}).to_string();
        let says = [("from", "{{v}} <team@acme.example>"), ("subject", "s {{v}}"), ("id", "7"),
            ("body", "<p title=\"{{v}}\">{{v}}</p>")];
        let sent = |kind: &str, action: &str| {
            match Given::new(kind, &[("api_key", "key-1")]).step(action, &says, &payload, &[]) {
                Step::Send(request) => serde_json::from_slice::<Value>(&request.body).ok(),
                Step::Done(_) => None,
            }
        };
        let mail = sent("sendgrid", "send_email").expect("a mail");
        let html = mail["content"][0]["value"].as_str().expect("a text");
        let inner = html.strip_prefix("<p title=\"").and_then(|rest| rest.strip_suffix("</p>"));
        let inner = inner.expect("the rule's own tags");
        prop_assert!(!inner.replacen("\">", "", 1).contains(['<', '>', '"', '\'']), "{html}");
        prop_assert_eq!(&mail["personalizations"][0]["to"], &json!([{"email": "a@b.c"}]));
        prop_assert_eq!(&mail["from"]["email"], "team@acme.example");
        let lines = [&mail["subject"], &mail["from"]["name"]].map(|line| line.as_str());
        let mail = sent("resend", "send_email_template").expect("a mail");
        prop_assert_eq!(&mail["to"], &json!(["a@b.c"]));
        let from = mail["from"].as_str().expect("a text");
        prop_assert!(from.ends_with("team@acme.example") || from.ends_with("team@acme.example>"));
        prop_assert_eq!(from.matches(['<', '>']).count() % 2, 0, "{}", from);
        for line in lines.into_iter().flatten().chain([from]).chain(mail["subject"].as_str()) {
            prop_assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

/// The paths of all keys in a JSON value.
fn shape(value: &Value) -> std::collections::BTreeSet<String> {
    match value {
        Value::Object(fields) => {
            let below = |(key, value): (&String, &Value)| {
                let below = shape(value).into_iter().map(move |path| format!("{key}/{path}"));
                below.chain([key.clone()]).collect::<Vec<_>>()
            };
            fields.iter().flat_map(below).collect()
        }
        Value::Array(items) => items.iter().flat_map(shape).collect(),
        _ => std::collections::BTreeSet::new(),
    }
}
