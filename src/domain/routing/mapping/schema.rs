//! Reads a mapping from what a caller sends, and writes it.

use serde_json::{Map, Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::reason::Reason;
use crate::domain::routing::mapping::{Field, Meta, OnError, Schema, Source, Transform, Zone};

/// Fields of a mapping.
pub const FIELDS_MAX: usize = 250;
/// Transforms of a field.
pub const TRANSFORMS_MAX: usize = 10;
/// Characters of the names of a mapping.
pub const NAME_CHARS_MAX: usize = 64;
/// Characters of notes.
pub const NOTES_CHARS_MAX: usize = 1_024;
/// Characters of a path, and of a field's name.
pub const PATH_CHARS_MAX: usize = 128;
/// Characters of a text that stands in a mapping.
pub const LITERAL_CHARS_MAX: usize = 256;
/// Characters of a text that stands for a value that is not there.
pub const DEFAULT_CHARS_MAX: usize = 128;

/// The words of [`OnError`].
pub const ON_ERROR: [(&str, OnError); 3] = [
    ("skip_field", OnError::SkipField),
    ("warn_action", OnError::WarnAction),
    ("fail_action", OnError::FailAction),
];

/// The words of transforms.
pub const TRANSFORMS: [&str; 10] = [
    "to_string",
    "to_number",
    "to_boolean",
    "to_date",
    "to_datetime",
    "default",
    "trim",
    "lower",
    "upper",
    "substring",
];

impl Schema {
    /// Reads a mapping, the text of a JSON object.
    ///
    /// # Errors
    /// `Invalid` naming each bad field.
    pub fn read(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        known(&mut fields, &["schema_version", "fields", "meta"]);
        match fields.integer("schema_version") {
            Some(1) => {}
            Some(_) => fields.fail("schema_version", "must be 1"),
            None if fields.names_failure("schema_version") => {}
            None => fields.fail("schema_version", "is required"),
        }
        let mut schema = Self::default();
        match fields.items("fields", "an array of fields") {
            Some(items) if items.len() > FIELDS_MAX => {
                fields.fail("fields", format!("must be at most {FIELDS_MAX} fields"));
            }
            Some(items) => {
                for (index, item) in items.iter().enumerate() {
                    match Field::read(item.get()) {
                        Ok(field) if schema.fields.iter().any(|one| one.dest == field.dest) => {
                            let at = format!("fields[{index}].dest");
                            fields.fail(&at, Reason::Twice(field.dest));
                        }
                        Ok(field) => schema.fields.push(field),
                        Err(error) => fields.fail_with(&format!("fields[{index}]"), error),
                    }
                }
            }
            None if fields.names_failure("fields") => {}
            None => fields.fail("fields", "is required"),
        }
        if let Some(text) = fields.raw("meta").filter(|text| *text != "null") {
            match Meta::read(text) {
                Ok(meta) => schema.meta = Some(meta),
                Err(error) => fields.fail_with("meta", error),
            }
        }
        fields.finish()?;
        Ok(schema)
    }

    /// It as callers read it, which is also how it is stored.
    pub fn show(&self) -> Value {
        let fields: Vec<Value> = self.fields.iter().map(Field::show).collect();
        let mut shown = json!({"schema_version": 1, "fields": fields});
        if let Some(meta) = &self.meta {
            let given = [("name", &meta.name), ("notes", &meta.notes)];
            let given = given.into_iter().filter_map(|(key, text)| Some((key, text.as_ref()?)));
            let given: Map<_, _> = given.map(|(key, text)| (key.to_owned(), json!(text))).collect();
            shown["meta"] = Value::Object(given);
        }
        shown
    }
}

impl Meta {
    fn read(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        known(&mut fields, &["name", "notes"]);
        let name = fields.checked_text("name", |text| chars(text, NAME_CHARS_MAX));
        let notes = fields.checked_text("notes", |text| chars(text, NOTES_CHARS_MAX));
        fields.finish()?;
        Ok(Self { name, notes })
    }
}

impl Field {
    fn read(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        known(&mut fields, &["dest", "source", "transforms", "on_error", "notes"]);
        let dest = fields.required_checked_text("dest", |text| chars(text, PATH_CHARS_MAX));
        let source = match fields.raw("source").map(Source::read) {
            Some(Ok(source)) => source,
            Some(Err(error)) => {
                fields.fail_with("source", error);
                Source::Literal("null".to_owned())
            }
            None => {
                fields.fail("source", "is required");
                Source::Literal("null".to_owned())
            }
        };
        let mut transforms = Vec::new();
        let items = fields.items("transforms", "an array of transforms").unwrap_or_default();
        if items.len() > TRANSFORMS_MAX {
            fields.fail("transforms", format!("must be at most {TRANSFORMS_MAX} transforms"));
        }
        for (index, item) in items.iter().enumerate() {
            match Transform::read(item.get()) {
                Ok(transform) => transforms.push(transform),
                Err(error) => fields.fail_with(&format!("transforms[{index}]"), error),
            }
        }
        let word = fields.text("on_error");
        let found = |word: &String| ON_ERROR.iter().find(|(known, _)| known == word);
        let on_error = match word.as_ref().map(found) {
            None => OnError::default(),
            Some(Some((_, on_error))) => *on_error,
            Some(None) => {
                let words: Vec<&str> = ON_ERROR.iter().map(|(word, _)| *word).collect();
                fields.fail("on_error", Reason::OneOf(words.join(", ")));
                OnError::default()
            }
        };
        let notes = fields.checked_text("notes", |text| chars(text, NOTES_CHARS_MAX));
        fields.finish()?;
        Ok(Self { dest, source, transforms, on_error, notes })
    }

    fn show(&self) -> Value {
        let source = match &self.source {
            Source::Path(path) => json!({"type": "path", "value": path}),
            Source::Literal(json) => json!({"type": "literal", "value": value(json)}),
        };
        let mut shown = json!({"dest": self.dest, "source": source});
        if !self.transforms.is_empty() {
            shown["transforms"] = self.transforms.iter().map(Transform::show).collect();
        }
        if self.on_error != OnError::default() {
            let word = ON_ERROR.iter().find(|(_, on_error)| *on_error == self.on_error);
            shown["on_error"] = json!(word.map(|(word, _)| *word));
        }
        if let Some(notes) = &self.notes {
            shown["notes"] = json!(notes);
        }
        shown
    }
}

impl Source {
    fn read(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        known(&mut fields, &["type", "value"]);
        let kind = fields.required_text("type");
        let source = match kind.as_str() {
            "path" => Self::Path(fields.required_checked_text("value", check_path)),
            "literal" => Self::Literal(plain(&mut fields, "value", LITERAL_CHARS_MAX)),
            _ => {
                if !fields.failed() {
                    fields.fail("type", "must be one of path, literal");
                }
                Self::Literal("null".to_owned())
            }
        };
        fields.finish()?;
        Ok(source)
    }
}

impl Transform {
    fn read(text: &str) -> Result<Self> {
        let mut fields = Fields::parse(text)?;
        let kind = fields.required_text("type");
        let more: &[&str] = match kind.as_str() {
            "to_date" | "to_datetime" => &["timezone"],
            "default" => &["value"],
            "substring" => &["start", "length"],
            _ => &[],
        };
        known(&mut fields, &[&["type"], more].concat());
        let read = match kind.as_str() {
            "to_string" => Self::ToString,
            "to_number" => Self::ToNumber,
            "to_boolean" => Self::ToBoolean,
            "to_date" => Self::ToDate(zone(&mut fields)),
            "to_datetime" => Self::ToDatetime(zone(&mut fields)),
            "default" => Self::Default(plain(&mut fields, "value", DEFAULT_CHARS_MAX)),
            "trim" => Self::Trim,
            "lower" => Self::Lower,
            "upper" => Self::Upper,
            "substring" => {
                if !fields.has("start") {
                    fields.fail("start", Reason::Required);
                }
                let start = count(&mut fields, "start", 0).unwrap_or_default();
                Self::Substring(start, count(&mut fields, "length", 1))
            }
            _ => {
                if !fields.failed() {
                    fields.fail("type", Reason::OneOf(TRANSFORMS.join(", ")));
                }
                Self::Trim
            }
        };
        fields.finish()?;
        Ok(read)
    }

    fn show(&self) -> Value {
        let with_zone = |kind: &str, zone: &Zone| match &zone.0 {
            None => json!({ "type": kind }),
            Some(zone) => json!({"type": kind, "timezone": zone}),
        };
        match self {
            Self::ToString => json!({"type": "to_string"}),
            Self::ToNumber => json!({"type": "to_number"}),
            Self::ToBoolean => json!({"type": "to_boolean"}),
            Self::ToDate(zone) => with_zone("to_date", zone),
            Self::ToDatetime(zone) => with_zone("to_datetime", zone),
            Self::Default(json) => json!({"type": "default", "value": value(json)}),
            Self::Trim => json!({"type": "trim"}),
            Self::Lower => json!({"type": "lower"}),
            Self::Upper => json!({"type": "upper"}),
            Self::Substring(start, None) => json!({"type": "substring", "start": start}),
            Self::Substring(start, Some(length)) => {
                json!({"type": "substring", "start": start, "length": length})
            }
        }
    }
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn known(fields: &mut Fields<'_>, keys: &[&str]) {
    for name in fields.names() {
        if !keys.contains(&name.as_str()) {
            fields.fail(&name, format!("is not a field here; there are {}", keys.join(", ")));
        }
    }
}

fn chars(text: &str, most: usize) -> std::result::Result<(), Reason> {
    let fits = (1..=most).contains(&text.chars().count());
    fits.then_some(()).ok_or(Reason::Chars(most))
}

/// A path such as `user.name` or `items.0.sku`.
fn check_path(path: &str) -> std::result::Result<(), Reason> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let is_key = |key: &str| !key.is_empty() && key.chars().all(is_part);
    let begins_well = !path.starts_with(|c: char| c.is_ascii_digit());
    if path.len() <= PATH_CHARS_MAX && begins_well && path.split('.').all(is_key) {
        return Ok(());
    }
    Err(Reason::Path(PATH_CHARS_MAX))
}

/// A text, number, word or `null`, as its JSON text.
fn plain(fields: &mut Fields<'_>, key: &str, chars_max: usize) -> String {
    let Some(text) = fields.raw(key) else {
        fields.fail(key, Reason::Required);
        return "null".to_owned();
    };
    match text.as_bytes().first() {
        Some(b'{' | b'[') => fields.fail(key, "must be a string, number, boolean or null"),
        Some(b'"') => {
            fields.checked_text(key, |text| chars(text, chars_max));
        }
        _ if text.len() > chars_max => {
            fields.fail(key, Reason::CharsMost(chars_max));
        }
        _ => {}
    }
    text.to_owned()
}

/// A time zone. The names of cities are not known here: their hours change with the laws.
fn zone(fields: &mut Fields<'_>) -> Zone {
    let check = |text: &str| match Zone(Some(text.to_owned())).offset() {
        Some(_) => Ok(()),
        None => Err(Reason::Zone),
    };
    Zone(fields.checked_text("timezone", check))
}

fn count(fields: &mut Fields<'_>, key: &str, least: i64) -> Option<usize> {
    let number = fields.integer(key)?;
    if number < least {
        fields.fail(key, Reason::AtLeast(least));
    }
    // No text has more characters.
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}
