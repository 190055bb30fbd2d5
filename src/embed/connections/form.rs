//! The form of a connection: what stands in its fields. What is sent becomes the `metadata` that
//! the API takes too, so that both are checked by the same code.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::destinations::form::OPTIONS;
use crate::destinations::model::{Field as Setting, Kind, Part, Values};
use crate::destinations::{Destination, preset};
use crate::domain::base::error::{Error, FieldError};
use crate::domain::base::limits::CUSTOM_HEADERS_MAX;
use crate::domain::connection::options::DeliveryOptions;
use crate::embed::connections::{event_choice, headers};
use crate::embed::frame::layout::{csrf_token, path};
use crate::embed::frame::parts::{Difference, Errors, Field};
use crate::embed::text::{self, Texts, moments};
use crate::http::access::EmbedSession;
use crate::http::form::Form;
use crate::store::event_types::Listed;

/// What the fields hold that can be shown again.
#[derive(Debug, Clone, Default)]
pub struct Draft(Map<String, Value>);

impl Draft {
    /// The fields of a new connection.
    pub fn new(destination: &dyn Destination) -> Self {
        let about = destination.about();
        let options =
            DeliveryOptions { max_per_second: about.max_per_second, ..DeliveryOptions::default() };
        let mut draft = Self::of("", destination, &Values::new(about.fields), &options);
        draft.put("secret", "generate");
        draft
    }

    /// The fields of a connection as it is.
    pub fn of(
        name: &str,
        destination: &dyn Destination,
        values: &Values,
        options: &DeliveryOptions,
    ) -> Self {
        let mut draft = Self::default();
        draft.put("name", name);
        for setting in destination.about().fields.iter().filter(|setting| !setting.is_secret) {
            draft.put(setting.key, values.text(setting.key));
            for (index, name) in values.names(setting.key).into_iter().enumerate() {
                draft.put(&format!("header_name_{index}"), name);
            }
        }
        draft.put("timeout_seconds", &options.timeout_seconds.to_string());
        draft.put("retry_schedule", &moments::schedule(options.retry_schedule_seconds.steps()));
        draft.put("ordering", options.ordering.as_str());
        let per_second = options.max_per_second.map(|most| most.to_string());
        draft.put("max_per_second", &per_second.unwrap_or_default());
        let in_flight = options.max_in_flight.map(|most| most.to_string());
        draft.put("max_in_flight", &in_flight.unwrap_or_default());
        draft.put("secret", "keep");
        draft
    }

    /// The fields as they were sent.
    pub fn sent(form: &Form, destination: &dyn Destination) -> Self {
        let mut draft = Self::new(destination);
        let names: Vec<String> = draft.0.keys().cloned().collect();
        let headers = (0..CUSTOM_HEADERS_MAX).map(|index| format!("header_name_{index}"));
        for name in names.into_iter().chain(headers) {
            draft.put(&name, form.get(&name));
        }
        draft
    }

    /// The fields in which another draft, of what is stored now, is different.
    pub fn differences(
        &self,
        t: &Texts,
        now: &Self,
        destination: &dyn Destination,
    ) -> Vec<Difference> {
        // What was sent has a place for each header.
        let differing = self.0.keys().filter(|name| *name != "secret");
        let differing = differing.filter(|name| self.get(name) != now.get(name));
        let shown = |name: &String| {
            let setting = destination.about().field(name).map(|setting| setting.label);
            let label = setting.map(t.form.registry).unwrap_or((t.form.field)(name).0);
            let label = if label.is_empty() { t.header_name } else { label };
            (label.to_owned(), now.get(name).to_owned(), self.get(name).to_owned())
        };
        differing.map(shown).collect()
    }

    fn put(&mut self, name: &str, value: &str) {
        self.0.insert(name.to_owned(), json!(value));
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// The `metadata` of a form that was sent.
pub fn metadata(form: &Form, destination: &dyn Destination) -> String {
    let about = destination.about();
    let mut metadata = Map::new();
    let mut put = |name: &str, value: Value| metadata.insert(name.to_owned(), value);
    for setting in about.fields {
        let key = setting.key;
        let counts = |(on, words): (&str, &[&str])| words.contains(&form.get(on));
        // What a chosen preset sets is not read from the fields below it.
        let sets = |one: &Setting| preset::settings(one, form.get(one.key)).iter();
        if about.fields.iter().any(|one| sets(one).any(|(set, _)| *set == key)) {
            continue;
        }
        if matches!(setting.kind, Kind::Headers(_)) {
            put(key, custom_headers(form));
        } else if setting.is_secret {
            // What is left empty keeps the stored value.
            if !form.get(key).is_empty() {
                put(key, json!(form.get(key)));
            }
        } else if setting.default.is_none() || setting.when.is_none_or(counts) {
            put(key, json!(form.filled(key)));
        }
    }
    let signs = form.get("signing_algorithm") != "none" || form.filled("signing_preset").is_some();
    if about.is_signed && signs {
        match form.get("secret") {
            "generate" => drop(put("generate_secret", json!(true))),
            "own" => drop(put("signing_secret", json!(form.get("signing_secret")))),
            _ => {}
        }
    }
    put("ordering", json!(form.filled("ordering")));
    // What is no number goes on as it is, so that it is refused together with all else.
    for name in ["timeout_seconds", "max_per_second", "max_in_flight"] {
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

/// Fields whose errors stand beside them: the parameter, and the id and the label of the field.
fn places(t: &Texts, destination: &dyn Destination) -> Vec<(String, String, &'static str)> {
    let mut places = vec![("name".to_owned(), "name".to_owned(), (t.form.field)("name").0)];
    let mut below =
        |key: &str, id: &str, label| places.push((format!("metadata.{key}"), id.to_owned(), label));
    for setting in destination.about().fields {
        match setting.kind {
            Kind::Headers(most) => {
                headers::places(t, most).for_each(|(key, id, label)| below(&key, &id, label));
            }
            _ => below(setting.key, setting.key, (t.form.registry)(setting.label)),
        }
    }
    for key in OPTIONS.into_iter().chain(["signing_secret"]) {
        let id = if key == "retry_schedule_seconds" { "retry_schedule" } else { key };
        below(key, id, (t.form.field)(id).0);
    }
    places
}

/// What is wrong with a form, in the form's own terms.
pub fn errors(t: &Texts, form: &Form, error: Error) -> Errors {
    let Errors(mut fields) = Errors::new(t, error.into_fields());
    let schedule = form.filled("retry_schedule").map(moments::parse_schedule);
    if let Some(Err(step)) = schedule {
        let named = |field: &&mut FieldError| field.param == "metadata.retry_schedule_seconds";
        fields.iter_mut().filter(named).for_each(|field| field.msg = (t.form.no_step)(&step));
    }
    Errors(fields)
}

/// What a form is about.
pub struct Context<'a> {
    /// What is connected.
    pub destination: &'static dyn Destination,
    /// Path below the session that it is sent to.
    pub action: &'a str,
    /// The tag of the version that the form was drawn from.
    pub version: Option<String>,
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
    let t = text::of(visit);
    let is_new = context.new_id.is_some();
    let (button, back) = match is_new {
        true => (t.create_connection, "connections"),
        false => (t.save, context.action.trim_end_matches("/edit")),
    };
    let form = FormView { t, context, draft, errors, is_new };
    let places = places(t, context.destination);
    let places: Vec<_> =
        places.iter().map(|(param, id, label)| (param.as_str(), id.as_str(), *label)).collect();
    html! {
        (errors.linked(t, &places))
        form.sheet method="post" action=(path(visit, context.action)) {
            (csrf_token(visit))
            @if let Some(id) = context.new_id { input type="hidden" name="id" value=(id); }
            input type="hidden" name="type" value=(context.destination.about().key);
            @if let Some(tag) = &context.version {
                input type="hidden" name="version" value=(tag);
            }
            (form.destination())
            @if is_new && context.destination.about().reads_rules() {
                (event_choice::later(t))
            } @else if is_new {
                (event_choice::render(t, context.catalogue, &context.chosen))
            }
            @if context.destination.about().is_signed { (form.signing()) }
            (form.authentication())
            (form.delivery())
            div.actions {
                button.primary { (button) }
                a.button.quiet href=(path(visit, back)) { (t.back) }
            }
        }
    }
}

/// What the parts of a form are drawn from.
struct FormView<'a> {
    t: &'a Texts,
    context: &'a Context<'a>,
    draft: &'a Draft,
    errors: &'a Errors,
    is_new: bool,
}

impl FormView<'_> {
    fn settings(&self, part: Part) -> impl Iterator<Item = &'static Setting> {
        let fields = self.context.destination.about().fields.iter();
        fields.filter(move |setting| setting.part == part)
    }

    /// A field, shown only while what it depends on is chosen.
    fn setting(&self, setting: &Setting) -> Markup {
        let t = self.t;
        let param = format!("metadata.{}", setting.key);
        let (draft, key) = (self.draft, setting.key);
        let field = Field {
            name: key,
            label: (self.t.form.registry)(setting.label),
            hint: (self.t.form.registry)(setting.hint),
            error: self.errors.of(&param),
        };
        // What must be entered again is not kept.
        let is_asked =
            self.is_new || self.errors.of(&format!("metadata.{}", setting.key)).is_some();
        let kept = if is_asked { "" } else { t.unchanged };
        let control = match setting.kind {
            Kind::Words(words) if setting.default.is_none() && !setting.is_required => field
                .select(draft.get(key), &[vec![("", t.form.none)], t.form.words(words)].concat()),
            Kind::Words(words) => field.select(draft.get(key), &t.form.words(words)),
            Kind::Headers(most) => {
                let name = |index: usize| draft.get(&format!("header_name_{index}"));
                return headers::fields(t, field.label, most, name, self.errors);
            }
            _ if setting.is_secret => field.input("password", "", kept),
            Kind::Url => field.input("url", draft.get(key), setting.example),
            _ => field.input("text", draft.get(key), ""),
        };
        let classes = setting.when.map(|(_, words)| {
            words.iter().map(|word| format!("when-{word}")).collect::<Vec<_>>().join(" ")
        });
        html! {
            @match classes {
                Some(classes) => { div class=(classes) { (control) } }
                None => { (control) }
            }
        }
    }

    fn part(&self, part: Part) -> Markup {
        html! { @for setting in self.settings(part) { (self.setting(setting)) } }
    }

    fn destination(&self) -> Markup {
        let t = self.t;
        let name = field(t, self.errors, "name", "name");
        html! {
            fieldset {
                legend { (t.destination) }
                (self.part(Part::Destination))
                (name.input("text", self.draft.get("name"), t.name_example))
            }
        }
    }

    fn signing(&self) -> Markup {
        let t = self.t;
        let chosen = self.draft.get("secret");
        let choices: &[(&str, &str)] =
            if self.is_new { &t.form.new_secret } else { &t.form.changed_secret };
        let own = field(t, self.errors, "signing_secret", "metadata.signing_secret");
        html! {
            fieldset {
                legend { (t.signature) }
                (self.part(Part::Signature))
                div.when-body { p.hint { (t.body_scheme_warning) } }
                div.unless-unsigned role="radiogroup" aria-label=(t.secret) {
                    p.label { (t.secret) }
                    @for (value, label) in choices {
                        label.choice {
                            input type="radio" name="secret" value=(value)
                                checked[*value == chosen];
                            span { (label) }
                        }
                    }
                    div.when-own { (own.input("password", "", "")) }
                }
            }
        }
    }

    fn authentication(&self) -> Markup {
        let t = self.t;
        let is_changed = |setting: &Setting| {
            !setting.is_secret && self.draft.get(setting.key) != setting.default.unwrap_or_default()
        };
        let is_open = self.settings(Part::Authentication).any(is_changed)
            || !self.draft.get("header_name_0").is_empty();
        html! {
            @if self.settings(Part::Authentication).next().is_some() {
                details.part open[is_open] {
                    summary { (t.authentication) }
                    p.hint { (t.authentication_hint) }
                    (self.part(Part::Authentication))
                }
            }
        }
    }

    fn delivery(&self) -> Markup {
        let t = self.t;
        let (draft, errors) = (self.draft, self.errors);
        let is_open = OPTIONS.iter().any(|key| errors.of(&format!("metadata.{key}")).is_some());
        html! {
            details.part open[is_open] {
                summary { (t.delivery_options) }
                (self.part(Part::Delivery))
                (input(t, draft, errors, "timeout_seconds", "number"))
                (field(t, errors, "retry_schedule", "metadata.retry_schedule_seconds")
                    .input("text", draft.get("retry_schedule"), ""))
                (field(t, errors, "ordering", "metadata.ordering")
                    .select(draft.get("ordering"), &t.form.orderings))
                (input(t, draft, errors, "max_per_second", "number"))
                (input(t, draft, errors, "max_in_flight", "number"))
            }
        }
    }
}

/// A field with its words, and what is wrong with it below `metadata`.
fn field<'a>(t: &Texts, errors: &'a Errors, name: &'a str, param: &str) -> Field<'a> {
    let (label, hint) = (t.form.field)(name);
    Field { name, label, hint, error: errors.of(param) }
}

fn input(t: &Texts, draft: &Draft, errors: &Errors, name: &str, kind: &str) -> Markup {
    let param = format!("metadata.{name}");
    field(t, errors, name, &param).input(kind, draft.get(name), "")
}
