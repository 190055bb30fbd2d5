//! Mappings: which fields of a provider's person come from where in a payload. A mapping is read
//! from what a caller sends in `mapping/schema.rs`; here it is applied.
//!
//! A value is the JSON text that goes to the provider, so that numbers stay as they were written
//! and no value can leave its place.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat};
use serde_json::json;

use crate::domain::base::tree::Tree;

pub mod schema;

/// A mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Its fields, each of another name.
    pub fields: Vec<Field>,
    /// Its name and notes, as the caller gave them.
    pub meta: Option<Meta>,
}

/// What people say of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// Its name.
    pub name: Option<String>,
    /// Notes.
    pub notes: Option<String>,
}

/// A field of the provider's person, and where its value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The field.
    pub dest: String,
    /// Where its value comes from.
    pub source: Source,
    /// What is done to the value, in order.
    pub transforms: Vec<Transform>,
    /// What happens when there is no value, or one that a transform cannot take.
    pub on_error: OnError,
    /// Notes.
    pub notes: Option<String>,
}

impl Field {
    /// A field from a path, as it is.
    pub fn of(dest: &str, path: &str) -> Self {
        Self {
            dest: dest.to_owned(),
            source: Source::Path(path.to_owned()),
            transforms: Vec::new(),
            on_error: OnError::default(),
            notes: None,
        }
    }
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Keys and places joined by dots, from the payload's root.
    Path(String),
    /// The JSON text of a text, number, word or `null`.
    Literal(String),
}

/// What is done to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transform {
    /// It becomes a text.
    ToString,
    /// It becomes a number.
    ToNumber,
    /// It becomes true or false.
    ToBoolean,
    /// It becomes a date of a time zone.
    ToDate(Zone),
    /// It becomes a moment in a time zone.
    ToDatetime(Zone),
    /// This, where there is no value.
    Default(String),
    /// Without space around it.
    Trim,
    /// In lower case.
    Lower,
    /// In upper case.
    Upper,
    /// So many characters from this one.
    Substring(usize, Option<usize>),
}

/// A time zone: how far it is from UTC, and how it was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Zone(pub Option<String>);

impl Zone {
    /// How far it is from UTC; `None` when it cannot be told.
    pub fn offset(&self) -> Option<FixedOffset> {
        let text = match self.0.as_deref() {
            None | Some("UTC" | "Z" | "Etc/UTC" | "GMT") => "+00:00",
            Some(text) => text,
        };
        let moment = DateTime::parse_from_rfc3339(&format!("2000-01-01T00:00:00{text}")).ok()?;
        Some(*moment.offset())
    }
}

/// What happens to a field without a good value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnError {
    /// It is left out.
    #[default]
    SkipField,
    /// It is left out, and the attempt tells so.
    WarnAction,
    /// Nothing is sent, and the delivery has failed.
    FailAction,
}

/// What a mapping made of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Fields by name, each the JSON text of its value.
    pub fields: BTreeMap<String, String>,
    /// What the attempt tells.
    pub warnings: Vec<String>,
    /// Why nothing is to be sent.
    pub failure: Option<String>,
}

impl Schema {
    /// The mapping that stands for one where none is stored: (field, path).
    pub fn generated<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        Self { fields: fields.map(|(dest, path)| Field::of(dest, path)).collect(), meta: None }
    }

    /// What it makes of a payload.
    pub fn apply(&self, payload: &Tree<'_>) -> Applied {
        let mut applied = Applied::default();
        for field in &self.fields {
            match field.value(payload) {
                Ok(value) => {
                    applied.fields.insert(field.dest.clone(), value);
                }
                Err(_) if field.on_error == OnError::SkipField => {}
                Err(why) => {
                    let told = format!("The mapping has no value for {}: {why}", field.dest);
                    match field.on_error {
                        OnError::FailAction => {
                            applied.failure.get_or_insert(told);
                        }
                        _ => applied.warnings.push(told),
                    }
                }
            }
        }
        applied
    }
}

impl Field {
    /// Its value, or why there is none.
    fn value(&self, payload: &Tree<'_>) -> Result<String, String> {
        let (mut value, missing) = match &self.source {
            Source::Literal(json) => (Some(json.clone()), String::new()),
            Source::Path(path) => {
                let found = path.split('.').try_fold(payload, |tree, key| tree.get(key));
                let found = found.filter(|found| **found != Tree::Null);
                (found.map(Tree::to_json), format!("the payload has nothing at {path}"))
            }
        };
        for transform in &self.transforms {
            value = match (transform, value) {
                (Transform::Default(json), None) => Some(json.clone()),
                (Transform::Default(json), Some(text)) if text == "null" => Some(json.clone()),
                (_, None) => None,
                (_, Some(text)) if text == "null" => Some(text),
                (transform, Some(text)) => Some(transform.apply(&text)?),
            };
        }
        value.ok_or(missing)
    }
}

impl Transform {
    /// What it makes of a value's JSON text.
    fn apply(&self, json_text: &str) -> Result<String, String> {
        let value = Tree::read(json_text).unwrap_or(Tree::Null);
        let text = || match &value {
            Tree::Text(text) => Ok(text.as_ref()),
            _ => Err(format!("{json_text:.40} is no text")),
        };
        let quoted = |text: &str| json!(text).to_string();
        Ok(match self {
            Self::Default(_) => json_text.to_owned(),
            Self::ToString => quoted(&value.to_text()),
            Self::ToNumber => number(&value)?,
            Self::ToBoolean => boolean(&value)?.to_string(),
            Self::ToDate(zone) => quoted(&date(&value, zone)?),
            Self::ToDatetime(zone) => quoted(&datetime(&value, zone)?),
            Self::Trim => quoted(text()?.trim()),
            Self::Lower => quoted(&text()?.to_lowercase()),
            Self::Upper => quoted(&text()?.to_uppercase()),
            Self::Substring(start, length) => {
                let rest = text()?.chars().skip(*start);
                quoted(&rest.take(length.unwrap_or(usize::MAX)).collect::<String>())
            }
        })
    }
}

fn number(value: &Tree<'_>) -> Result<String, String> {
    let text = match value {
        Tree::Bool(flag) => return Ok(u8::from(*flag).to_string()),
        Tree::Number(number) => number.text(),
        Tree::Text(text) => text.trim(),
        _ => "",
    };
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(no("number", value)),
    }
}

fn boolean(value: &Tree<'_>) -> Result<bool, String> {
    if let Tree::Bool(flag) = value {
        return Ok(*flag);
    }
    match value.to_text().trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(no("true or false", value)),
    }
}

/// What was meant as a time: a day by itself, or a moment.
enum Time {
    Day(NaiveDate),
    Moment(DateTime<FixedOffset>),
}

/// Reads RFC 3339, `YYYY-MM-DD`, and numbers of seconds or milliseconds since 1970.
fn time(value: &Tree<'_>) -> Option<Time> {
    /// From here on a number is of milliseconds: as seconds it would be the year 5138.
    const MILLISECONDS_FROM: i64 = 100_000_000_000;
    let text = value.to_text();
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(Time::Moment(moment));
    }
    if let Ok(day) = text.parse() {
        return Some(Time::Day(day));
    }
    let whole: i64 = text.split('.').next()?.parse().ok()?;
    let moment = match whole.abs() < MILLISECONDS_FROM {
        true => DateTime::from_timestamp_millis(whole.checked_mul(1_000)?),
        false => DateTime::from_timestamp_millis(whole),
    };
    moment.map(|moment| Time::Moment(moment.fixed_offset()))
}

fn date(value: &Tree<'_>, zone: &Zone) -> Result<String, String> {
    let offset = zone.offset().ok_or("its time zone is not known")?;
    let day = match time(value).ok_or_else(|| no("date", value))? {
        Time::Day(day) => day,
        Time::Moment(moment) => moment.with_timezone(&offset).date_naive(),
    };
    Ok(day.to_string())
}

fn datetime(value: &Tree<'_>, zone: &Zone) -> Result<String, String> {
    let offset = zone.offset().ok_or("its time zone is not known")?;
    let moment = match time(value).ok_or_else(|| no("time", value))? {
        Time::Moment(moment) => moment.with_timezone(&offset),
        Time::Day(day) => {
            let midnight = day.and_time(chrono::NaiveTime::MIN).and_local_timezone(offset);
            midnight.single().ok_or_else(|| no("time", value))?
        }
    };
    Ok(moment.to_rfc3339_opts(SecondsFormat::Millis, true))
}

fn no(what: &str, value: &Tree<'_>) -> String {
    let shown: String = value.to_json().chars().take(40).collect();
    format!("{shown} is no {what}")
}

#[cfg(test)]
mod tests;
