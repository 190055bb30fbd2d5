//! What stands in the form of a mapping: a part for each field, each with where its value comes
//! from and what is done to it.
//!
//! What was filled in becomes the schema that the API takes too, so that both are checked by the
//! same code. Fields stand in the schema in the order of the form, so an error names its part.

use maud::{Markup, html};
use serde_json::{Value, json};

use crate::destinations::model::PersonField;
use crate::domain::routing::mapping::schema::{ON_ERROR, TRANSFORMS_MAX};
use crate::embed::filter_rows::{scalar, typed};
use crate::embed::frame::parts::{Difference, Errors, Field};
use crate::embed::text::Texts;
use crate::embed::text::mapping::label;
use crate::http::form::Form;

/// One field as it stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    dest: String,
    is_literal: bool,
    value: String,
    /// What is done to the value, each with what it needs to know.
    steps: Vec<(String, String)>,
    on_error: String,
    notes: String,
}

/// What stands in the fields of a mapping.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    rows: Vec<Row>,
    /// What people say of the mapping, which the form does not show.
    meta: Value,
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Row {
    fn of(field: &Value) -> Self {
        let (source, steps) = (&field["source"], field["transforms"].as_array());
        let is_literal = source["type"] == "literal";
        let value = match is_literal {
            true => typed(&source["value"]).unwrap_or_default(),
            false => text_of(&source["value"]),
        };
        Self {
            dest: text_of(&field["dest"]),
            is_literal,
            value,
            steps: steps.into_iter().flatten().map(step_of).collect(),
            on_error: text_of(&field["on_error"]),
            notes: text_of(&field["notes"]),
        }
    }

    /// Whether nothing is to be sent.
    fn is_left_out(&self, catalogue: &[PersonField]) -> bool {
        self.value.is_empty() && (self.dest.is_empty() || known(catalogue, &self.dest).is_some())
    }

    fn to_json(&self) -> Value {
        let source = match self.is_literal {
            true => json!({"type": "literal", "value": scalar(&self.value)}),
            false => json!({"type": "path", "value": self.value}),
        };
        let steps: Vec<Value> = self.steps.iter().map(|(word, with)| step(word, with)).collect();
        let mut field = json!({"dest": self.dest, "source": source, "transforms": steps});
        for (key, text) in [("on_error", &self.on_error), ("notes", &self.notes)] {
            if !text.is_empty() {
                field[key] = json!(text);
            }
        }
        field
    }

    /// It in words, to compare it with another version.
    fn told(&self, t: &Texts) -> String {
        let source = if self.is_literal { "literal" } else { "path" };
        let mut told = format!("{} {}", label(&t.mapping.sources, source), self.value);
        for (word, with) in &self.steps {
            told.push_str(&format!("; {}", label(&t.mapping.steps, word)));
            if !with.is_empty() {
                told.push_str(&format!(": {with}"));
            }
        }
        if !self.on_error.is_empty() && self.on_error != ON_ERROR[0].0 {
            told.push_str(&format!("; {}", label(&t.mapping.on_errors, &self.on_error)));
        }
        told
    }
}

/// A transform and what it needs to know, as one text.
fn step_of(step: &Value) -> (String, String) {
    let word = text_of(&step["type"]);
    let with = match word.as_str() {
        "default" => typed(&step["value"]).unwrap_or_default(),
        "substring" => match &step["length"] {
            Value::Null => step["start"].to_string(),
            length => format!("{},{length}", step["start"]),
        },
        _ => text_of(&step["timezone"]),
    };
    (word, with)
}

/// What is no number goes on as it is, so that it is refused together with all else.
fn step(word: &str, with: &str) -> Value {
    let number = |text: &str| text.parse::<u32>().map_or_else(|_| json!(text), Value::from);
    let mut step = json!({ "type": word });
    match word {
        "default" => step["value"] = scalar(with),
        "to_date" | "to_datetime" if !with.is_empty() => step["timezone"] = json!(with),
        "substring" => {
            let (start, length) = with.split_once(',').unwrap_or((with, ""));
            for (key, text) in [("start", start.trim()), ("length", length.trim())] {
                if !text.is_empty() {
                    step[key] = number(text);
                }
            }
        }
        _ => {}
    }
    step
}

fn known<'a>(catalogue: &'a [PersonField], dest: &str) -> Option<&'a PersonField> {
    catalogue.iter().find(|field| field.key == dest)
}

/// What people call a field of the catalogue.
fn named(t: &Texts, field: &PersonField) -> &'static str {
    (t.form.registry)(field.label)
}

impl Draft {
    /// The fields of a mapping as it is.
    pub fn of(schema: &Value) -> Self {
        let fields = schema["fields"].as_array();
        let rows = fields.into_iter().flatten().map(Row::of).collect();
        Self { rows, meta: schema["meta"].clone() }
    }

    /// The fields as they were sent; those that are left out are not there.
    pub fn sent(form: &Form, catalogue: &[PersonField], meta: &Value) -> Self {
        let all = form.by_name();
        let get = |name: String| all.get(name.as_str()).map_or("", |value| value.trim()).to_owned();
        let row = |index: usize| {
            let steps = (0..).map_while(|number| {
                let word = format!("step_{index}_{number}");
                let is_there = all.contains_key(word.as_str());
                is_there.then(|| (get(word), get(format!("with_{index}_{number}"))))
            });
            let is_there = all.contains_key(format!("dest_{index}").as_str());
            is_there.then(|| Row {
                dest: get(format!("dest_{index}")),
                is_literal: get(format!("source_{index}")) == "literal",
                value: get(format!("value_{index}")),
                steps: steps.filter(|(word, _)| !word.is_empty()).collect(),
                on_error: get(format!("on_error_{index}")),
                notes: get(format!("notes_{index}")),
            })
        };
        let rows = (0..).map_while(row).filter(|row| !row.is_left_out(catalogue)).collect();
        Self { rows, meta: meta.clone() }
    }

    /// The mapping that they say, as the API takes it.
    pub fn to_schema(&self) -> String {
        let fields: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
        let mut schema = json!({"schema_version": 1, "fields": fields});
        if !self.meta.is_null() {
            schema["meta"] = self.meta.clone();
        }
        schema.to_string()
    }

    /// The fields in which another draft, of what is stored now, is different.
    pub fn differences(&self, t: &Texts, now: &Self, catalogue: &[PersonField]) -> Vec<Difference> {
        let mut names: Vec<&String> = Vec::new();
        for row in now.rows.iter().chain(&self.rows) {
            if !names.contains(&&row.dest) {
                names.push(&row.dest);
            }
        }
        let told = |draft: &Self, dest: &str| {
            let found = draft.rows.iter().find(|row| row.dest == dest);
            found.map(|row| row.told(t)).unwrap_or_default()
        };
        let all = names.into_iter().map(|dest| {
            let label = known(catalogue, dest).map_or(dest.as_str(), |field| named(t, field));
            (label.to_owned(), told(now, dest), told(self, dest))
        });
        all.filter(|(_, now, yours)| now != yours).collect()
    }

    /// The fields: those that are mapped, then the others of the catalogue, then one more.
    pub fn render(&self, t: &Texts, catalogue: &[PersonField], errors: &Errors) -> Markup {
        let mut rows = self.rows.clone();
        for field in catalogue {
            if !rows.iter().any(|row| row.dest == field.key) {
                rows.push(Row { dest: field.key.to_owned(), ..Row::default() });
            }
        }
        rows.push(Row::default());
        html! {
            @for (index, row) in rows.iter().enumerate() {
                (part(t, index, row, known(catalogue, &row.dest), errors))
            }
        }
    }

    /// What is wrong, each with a link to where it stands.
    pub fn summary(&self, t: &Texts, catalogue: &[PersonField], errors: &Errors) -> Markup {
        let place = |param: &str| {
            let (index, rest) = param.strip_prefix("fields[")?.split_once(']')?;
            let row = self.rows.get(index.parse::<usize>().ok()?)?;
            let field = known(catalogue, &row.dest);
            let step = rest.strip_prefix(".transforms[").and_then(|rest| rest.split_once(']'));
            let id = match step {
                Some((number, _)) => format!("step_{index}_{number}"),
                None if rest == ".dest" && field.is_none() => format!("dest_{index}"),
                None => format!("value_{index}"),
            };
            let label = field.map_or(row.dest.as_str(), |field| named(t, field));
            let label = if label.is_empty() { t.mapping.own_field } else { label };
            Some((format!("#{id}"), label.to_owned()))
        };
        html! {
            @if !errors.0.is_empty() {
                div.notice.bad role="alert" tabindex="-1" {
                    p { strong { (t.not_saved) } }
                    ul {
                        @for error in &errors.0 {
                            li {
                                @if let Some((link, label)) = place(&error.param) {
                                    a href=(link) { (label) } " "
                                }
                                (error.msg)
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What is wrong with a place of a mapping or below it.
fn below<'a>(errors: &'a Errors, place: &str) -> Option<&'a str> {
    let found = errors.0.iter().find(|error| error.param.starts_with(place));
    found.map(|error| error.msg.as_str())
}

/// The part of one field.
fn part(t: &Texts, index: usize, row: &Row, its: Option<&PersonField>, errors: &Errors) -> Markup {
    let at = |what: &str| below(errors, &format!("fields[{index}].{what}"));
    let name = |what: &str| format!("{what}_{index}");
    let (dest, source, value) = (name("dest"), name("source"), name("value"));
    let own = Field {
        name: &dest,
        label: t.mapping.own_name,
        hint: t.mapping.own_hint,
        error: at("dest"),
    };
    let from = Field { name: &source, label: t.mapping.source, hint: "", error: None };
    let hint = if its.is_some_and(|its| its.is_required) { t.mapping.required } else { "" };
    let error = at("source").or_else(|| its.and_then(|_| at("dest")));
    let asked = Field { name: &value, label: t.mapping.value, hint, error };
    let example = its.and_then(|its| its.from).unwrap_or_default();
    html! {
        fieldset {
            legend { (its.map_or(t.mapping.own_field, |its| named(t, its))) }
            @match its {
                Some(_) => { input type="hidden" name=(dest) value=(row.dest); }
                None => { (own.input("text", &row.dest, "")) }
            }
            @if !row.notes.is_empty() {
                input type="hidden" name=(name("notes")) value=(row.notes);
            }
            div.pair {
                (from.select(if row.is_literal { "literal" } else { "path" }, &t.mapping.sources))
                (asked.input("text", &row.value, example))
            }
            (changes(t, index, row, errors))
        }
    }
}

/// What is done to the value of a field.
fn changes(t: &Texts, index: usize, row: &Row, errors: &Errors) -> Markup {
    let is_default = row.on_error.is_empty() || row.on_error == ON_ERROR[0].0;
    let shown = (row.steps.len() + 1).min(TRANSFORMS_MAX.max(row.steps.len()));
    let on_error = format!("on_error_{index}");
    let on_error_field = Field {
        name: &on_error,
        label: t.mapping.on_error,
        hint: "",
        error: below(errors, &format!("fields[{index}].on_error")),
    };
    html! {
        details.part open[!row.steps.is_empty() || !is_default] {
            summary { (t.mapping.changes) }
            p.hint { (t.mapping.argument_hint) }
            @for number in 0..shown {
                @let (word, with) = row.steps.get(number).cloned().unwrap_or_default();
                @let place = format!("fields[{index}].transforms[{number}]");
                @let (step, its) = (format!("step_{index}_{number}"), below(errors, &place));
                @let given = format!("with_{index}_{number}");
                div.pair {
                    (Field { name: &step, label: t.mapping.step, hint: "", error: its }
                        .select(&word, &t.mapping.steps))
                    (Field { name: &given, label: t.mapping.argument, hint: "", error: None }
                        .input("text", &with, ""))
                }
            }
            (on_error_field.select(&row.on_error, &t.mapping.on_errors))
        }
    }
}

#[cfg(test)]
mod tests;
