//! The form of a connection: what stands in its fields. What is sent becomes the `metadata` that
//! the API takes too, so that both are checked by the same code.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::destinations::webhook::Settings;
use crate::domain::base::error::{Error, FieldError};
use crate::domain::base::limits::CUSTOM_HEADERS_MAX;
use crate::embed::frame::layout::{csrf_token, path};
use crate::embed::frame::parts::{Errors, Field};
use crate::embed::text::{self, moments};
use crate::http::access::EmbedSession;
use crate::http::form::Form;
use crate::store::event_types::Listed;

/// Fields with values that are write-only: never filled in again.
const CREDENTIALS: [&str; 4] =
    ["auth_username", "auth_password", "auth_token", "auth_header_value"];
/// Fields that are put into `metadata` as they are.
const PLAIN: [&str; 6] =
    ["url", "http_method", "payload_mode", "auth_scheme", "signing_algorithm", "ordering"];
const SIGNATURE: [&str; 3] = ["signature_header", "signature_encoding", "signature_prefix"];

/// What the fields hold that can be shown again.
#[derive(Debug, Clone, Default)]
pub struct Draft(Map<String, Value>);

impl Draft {
    /// The fields of a new connection.
    pub fn new() -> Self {
        let mut draft = Self::of("", &Settings::new(String::new()));
        draft.put("secret", "generate");
        draft
    }

    /// The fields of a connection as it is.
    pub fn of(name: &str, settings: &Settings) -> Self {
        let (signing, mut draft) = (&settings.signing, Self::default());
        draft.put("name", name);
        draft.put("url", &settings.url);
        draft.put("http_method", &settings.http_method);
        draft.put("payload_mode", settings.payload_mode.as_str());
        draft.put("auth_scheme", settings.auth_scheme.as_str());
        draft.put("auth_header_name", settings.auth_header_name.as_deref().unwrap_or_default());
        draft.put("signing_algorithm", signing.algorithm.as_str());
        draft.put("signing_scheme", signing.scheme.as_str());
        draft.put("signature_header", &signing.signature_header);
        draft.put("signature_encoding", signing.signature_encoding.as_str());
        draft.put("signature_prefix", &signing.signature_prefix);
        draft.put("timestamp_header", &signing.timestamp_header);
        draft.put("timeout_seconds", &settings.timeout_seconds.to_string());
        draft.put("retry_schedule", &moments::schedule(settings.retry_schedule_seconds.steps()));
        draft.put("ordering", settings.ordering.as_str());
        let per_second = settings.max_per_second.map(|most| most.to_string());
        draft.put("max_per_second", &per_second.unwrap_or_default());
        draft.put("secret", "keep");
        for (index, name) in settings.custom_headers.iter().enumerate() {
            draft.put(&format!("header_name_{index}"), name);
        }
        draft
    }

    /// The fields as they were sent.
    pub fn sent(form: &Form) -> Self {
        let mut draft = Self::new();
        let names: Vec<String> = draft.0.keys().cloned().collect();
        let headers = (0..CUSTOM_HEADERS_MAX).map(|index| format!("header_name_{index}"));
        for name in names.into_iter().chain(headers) {
            draft.put(&name, form.get(&name));
        }
        draft
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The `metadata` of a form that was sent.
pub fn metadata(form: &Form) -> String {
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    for name in PLAIN {
        put(name, json!(form.filled(name)));
    }
    for name in CREDENTIALS.into_iter().filter(|name| !form.get(name).is_empty()) {
        put(name, json!(form.get(name)));
    }
    put("auth_header_name", json!(form.filled("auth_header_name")));
    put("custom_headers", custom_headers(form));
    let scheme = form.get("signing_scheme");
    put("signing_scheme", json!(scheme));
    if scheme != "standard" {
        for name in SIGNATURE.into_iter().chain(["timestamp_header"]) {
            put(name, json!(form.filled(name)));
        }
    }
    if form.get("signing_algorithm") != "none" {
        match form.get("secret") {
            "generate" => drop(put("generate_secret", json!(true))),
            "own" => drop(put("signing_secret", json!(form.get("signing_secret")))),
            _ => {}
        }
    }
    // What is no number goes on as it is, so that it is refused together with all else.
    for name in ["timeout_seconds", "max_per_second"] {
        let number = form.filled(name).map(|text| (text, text.parse::<u32>()));
        put(name, number.map_or(Value::Null, |(text, read)| read.map_or(json!(text), Value::from)));
    }
    let steps = form.filled("retry_schedule").map(|text| (text, moments::parse_schedule(text)));
    let steps = steps.map_or(Value::Null, |(text, read)| read.map_or(json!(text), Value::from));
    put("retry_schedule_seconds", steps);
    Value::Object(metadata).to_string()
}

/// A row without a name is none; one without a value keeps the stored one.
fn custom_headers(form: &Form) -> Value {
    let row = |index: usize| {
        let name = form.filled(&format!("header_name_{index}"))?.to_owned();
        let value = form.get(&format!("header_value_{index}")).to_owned();
        let shown = json!({"name": name});
        Some(if value.is_empty() { shown } else { json!({"name": name, "value": value}) })
    };
    (0..CUSTOM_HEADERS_MAX).filter_map(row).collect()
}

/// Fields whose errors stand beside them.
pub const SHOWN: [&str; 15] = [
    "name",
    "metadata.url",
    "metadata.auth_username",
    "metadata.auth_password",
    "metadata.auth_token",
    "metadata.auth_header_name",
    "metadata.auth_header_value",
    "metadata.signing_scheme",
    "metadata.signing_secret",
    "metadata.signature_header",
    "metadata.signature_prefix",
    "metadata.timestamp_header",
    "metadata.timeout_seconds",
    "metadata.retry_schedule_seconds",
    "metadata.max_per_second",
];

/// What is wrong with a form, in the form's own terms.
pub fn errors(form: &Form, error: Error) -> Errors {
    let mut fields = error.into_fields();
    let schedule = form.filled("retry_schedule").map(moments::parse_schedule);
    if let Some(Err(msg)) = schedule {
        let named = |field: &&mut FieldError| field.param == "metadata.retry_schedule_seconds";
        fields.iter_mut().filter(named).for_each(|field| field.msg.clone_from(&msg));
    }
    Errors(fields)
}

/// What a form is about.
pub struct Context<'a> {
    /// Path below the session that it is sent to.
    pub action: &'a str,
    /// The id that a new connection will have, so that a form sent twice makes one.
    pub new_id: Option<&'a str>,
    /// Event types to choose among, for a new connection.
    pub catalogue: &'a [Listed],
    /// Those that were chosen.
    pub chosen: Vec<String>,
}

/// The form.
pub fn render(
    visit: &EmbedSession,
    context: &Context<'_>,
    draft: &Draft,
    errors: &Errors,
) -> Markup {
    let is_new = context.new_id.is_some();
    let (button, back) = match is_new {
        true => (text::CREATE_CONNECTION, "connections"),
        false => (text::SAVE, context.action.trim_end_matches("/edit")),
    };
    html! {
        (errors.summary(&SHOWN))
        form.sheet method="post" action=(path(visit, context.action)) {
            (csrf_token(visit))
            @if let Some(id) = context.new_id { input type="hidden" name="id" value=(id); }
            (destination(draft, errors))
            @if is_new { (events(context)) }
            (signing(draft, errors, is_new))
            (authentication(draft, errors, is_new))
            (delivery(draft, errors))
            div.actions {
                button.primary { (button) }
                a.button.quiet href=(path(visit, back)) { (text::BACK) }
            }
        }
    }
}

/// A field with its words, and what is wrong with it below `metadata`.
fn field<'a>(errors: &'a Errors, name: &'a str, param: &str) -> Field<'a> {
    let (label, hint) = text::form::field(name);
    Field { name, label, hint, error: errors.of(param) }
}

fn input(draft: &Draft, errors: &Errors, name: &str, kind: &str) -> Markup {
    let param = format!("metadata.{name}");
    field(errors, name, &param).input(kind, draft.get(name), "")
}

fn secret_input(errors: &Errors, name: &str, is_new: bool) -> Markup {
    let param = format!("metadata.{name}");
    let placeholder = if is_new { "" } else { text::UNCHANGED };
    field(errors, name, &param).input("password", "", placeholder)
}

fn select(draft: &Draft, errors: &Errors, name: &str, options: &[(&str, &str)]) -> Markup {
    let param = format!("metadata.{name}");
    field(errors, name, &param).select(draft.get(name), options)
}

fn destination(draft: &Draft, errors: &Errors) -> Markup {
    html! {
        fieldset {
            legend { (text::DESTINATION) }
            (field(errors, "url", "metadata.url").input("url", draft.get("url"), text::URL_EXAMPLE))
            (field(errors, "name", "name").input("text", draft.get("name"), text::NAME_EXAMPLE))
        }
    }
}

fn events(context: &Context<'_>) -> Markup {
    html! {
        fieldset {
            legend { (text::EVENTS_TO_SEND) }
            @if context.catalogue.is_empty() {
                p.hint { (text::NO_CATALOGUE) }
            } @else {
                p.hint { (text::EVENTS_TO_SEND_HINT) }
                div.choices {
                    @for (index, listed) in context.catalogue.iter().enumerate() {
                        @let group = listed.group.as_deref();
                        @let before = index.checked_sub(1).and_then(|i| context.catalogue.get(i));
                        @if group.is_some() && before.is_none_or(|b| b.group.as_deref() != group) {
                            h3 { (group.unwrap_or_default()) }
                        }
                        label.choice {
                            input type="checkbox" name="event" value=(listed.key)
                                checked[context.chosen.contains(&listed.key)];
                            span {
                                strong { (listed.label) } " " code { (listed.key) }
                                @if let Some(description) = &listed.description {
                                    br; small { (description) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn signing(draft: &Draft, errors: &Errors, is_new: bool) -> Markup {
    let chosen = draft.get("secret");
    let choices: &[(&str, &str)] =
        if is_new { &text::form::NEW_SECRET } else { &text::form::CHANGED_SECRET };
    html! {
        fieldset {
            legend { (text::SIGNATURE) }
            (select(draft, errors, "signing_scheme", &text::form::SCHEMES))
            div.when-body.when-timestamped {
                (input(draft, errors, "signature_header", "text"))
            }
            div.when-body {
                (select(draft, errors, "signature_encoding", &text::form::ENCODINGS))
                (input(draft, errors, "signature_prefix", "text"))
                (input(draft, errors, "timestamp_header", "text"))
                p.hint { (text::BODY_SCHEME_WARNING) }
            }
            (select(draft, errors, "signing_algorithm", &text::form::ALGORITHMS))
            div.unless-unsigned role="radiogroup" aria-label=(text::SECRET) {
                p.label { (text::SECRET) }
                @for (value, label) in choices {
                    label.choice {
                        input type="radio" name="secret" value=(value) checked[*value == chosen];
                        span { (label) }
                    }
                }
                div.when-own { (secret_input(errors, "signing_secret", true)) }
            }
        }
    }
}

fn authentication(draft: &Draft, errors: &Errors, is_new: bool) -> Markup {
    let is_open = draft.get("auth_scheme") != "none" || !draft.get("header_name_0").is_empty();
    html! {
        details.part open[is_open] {
            summary { (text::AUTHENTICATION) }
            p.hint { (text::AUTHENTICATION_HINT) }
            (select(draft, errors, "auth_scheme", &text::form::AUTH_SCHEMES))
            div.when-basic {
                (secret_input(errors, "auth_username", is_new))
                (secret_input(errors, "auth_password", is_new))
            }
            div.when-bearer { (secret_input(errors, "auth_token", is_new)) }
            div.when-header {
                (input(draft, errors, "auth_header_name", "text"))
                (secret_input(errors, "auth_header_value", is_new))
            }
            p.label { (text::CUSTOM_HEADERS) }
            @for index in 0..CUSTOM_HEADERS_MAX { (custom_header(draft, index)) }
        }
    }
}

fn custom_header(draft: &Draft, index: usize) -> Markup {
    let name = format!("header_name_{index}");
    let kept = !draft.get(&name).is_empty();
    html! {
        div.pair {
            input name=(name) value=(draft.get(&name)) aria-label=(text::HEADER_NAME)
                placeholder=(text::HEADER_NAME) autocomplete="off" spellcheck="false";
            input name=(format!("header_value_{index}")) type="password" value=""
                aria-label=(text::HEADER_VALUE) autocomplete="new-password"
                placeholder=(if kept { text::UNCHANGED } else { text::HEADER_VALUE });
        }
    }
}

fn delivery(draft: &Draft, errors: &Errors) -> Markup {
    let is_open = errors.of("metadata.timeout_seconds").is_some()
        || errors.of("metadata.retry_schedule_seconds").is_some()
        || errors.of("metadata.max_per_second").is_some();
    html! {
        details.part open[is_open] {
            summary { (text::DELIVERY_OPTIONS) }
            (select(draft, errors, "http_method", &text::form::METHODS))
            (select(draft, errors, "payload_mode", &text::form::PAYLOAD_MODES))
            (input(draft, errors, "timeout_seconds", "number"))
            (field(errors, "retry_schedule", "metadata.retry_schedule_seconds")
                .input("text", draft.get("retry_schedule"), ""))
            (select(draft, errors, "ordering", &text::form::ORDERINGS))
            (input(draft, errors, "max_per_second", "number"))
        }
    }
}
