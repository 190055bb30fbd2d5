//! The `metadata` of connections, as it is written and as it is read, from the tables of fields of
//! the destinations.

use serde_json::{Value, json};

use crate::destinations::model::{Field as Setting, Kind};
use crate::destinations::{self, Destination, form};
use crate::domain::base::limits::{
    HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX, TIMEOUT_S_DEFAULT, TIMEOUT_S_MAX, TIMEOUT_S_MIN,
    URL_CHARS_MAX,
};
use crate::domain::connection::model::SetBy;
use crate::domain::connection::options::Ordering;
use crate::domain::delivery::retry::{STEP_SECONDS_MAX, STEPS_MAX, Schedule};
use crate::domain::lane::pace::{IN_FLIGHT_MAX, PER_SECOND_MAX};
use crate::reference::leaves::{
    flag, leaf, matching, one_of, text, text_up_to, time, whole, words,
};
use crate::reference::shape::{
    Field, Names, Shape, closed, given, list_of, may, need, open, some_of, strict,
};

/// The types of connections.
pub fn kinds() -> Shape {
    let kinds: Vec<&str> =
        destinations::ALL.iter().map(|destination| destination.about().key).collect();
    one_of(&kinds)
}

/// The keys of all actions of rules.
pub fn actions() -> Vec<&'static str> {
    let actions = destinations::ALL.iter().flat_map(|destination| destination.about().actions);
    let mut keys: Vec<&str> = Vec::new();
    for action in actions {
        if !keys.contains(&action.key) {
            keys.push(action.key);
        }
    }
    keys
}

/// What callers read and write as the `metadata` of connections.
#[derive(Clone, Copy)]
pub enum Use {
    /// In answers.
    Read,
    /// Of a new connection.
    New,
    /// Of a connection that is there.
    Changed,
}

/// The name of a destination's shape.
fn name(destination: &dyn Destination, of: Use) -> &'static str {
    let begin = match of {
        Use::Read => "",
        Use::New => "New",
        Use::Changed => "Changed",
    };
    let name: String =
        destination.about().name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("{begin}{name}Metadata").leak()
}

/// The `metadata` of a connection of any type.
pub fn metadata(of: Use) -> Shape {
    let mut named: Vec<Shape> =
        destinations::ALL.iter().map(|it| Shape::Named(name(*it, of))).collect();
    if named.len() == 1 { named.remove(0) } else { Shape::AnyOf(named) }
}

/// The shapes of the destinations' `metadata`.
pub fn shapes() -> Names {
    let mut names = Names::new();
    for destination in destinations::ALL {
        names.push((name(destination, Use::Read), read(destination)));
        names.push((name(destination, Use::New), written(destination, true)));
        names.push((name(destination, Use::Changed), written(destination, false)));
    }
    names
}

/// A header's name, see `destinations::form`.
pub fn header_name(example: &str) -> Shape {
    matching(&format!("^[A-Za-z0-9!#$%&'*+.^_`|~-]{{1,{HEADER_NAME_CHARS_MAX}}}$"), example)
}

/// A header's value or a credential of at most so many bytes: printable ASCII without space
/// around it.
pub fn header_value(bytes_max: usize, example: &str) -> Shape {
    let schema = json!({"type": "string", "minLength": 1, "maxLength": bytes_max,
        "pattern": "^[!-~]([ -~]*[!-~])?$"});
    leaf(schema, example)
}

/// What stands before a signature.
pub fn prefix(chars_max: usize) -> Shape {
    matching(&format!("^[!-~]{{0,{chars_max}}}$"), "")
}

fn timeout() -> Shape {
    let (least, most) = (i64::from(TIMEOUT_S_MIN), i64::from(TIMEOUT_S_MAX));
    whole(least, most, i64::from(TIMEOUT_S_DEFAULT))
}

fn schedule() -> Shape {
    let step = whole(1, i64::from(STEP_SECONDS_MAX), 5);
    some_of(step, 1, STEPS_MAX)
}

fn per_second() -> Shape {
    whole(1, i64::from(PER_SECOND_MAX), 50)
}

fn in_flight() -> Shape {
    whole(1, i64::from(IN_FLIGHT_MAX), 10)
}

fn ordering() -> Shape {
    one_of(&[Ordering::None, Ordering::Strict].map(Ordering::as_str))
}

/// A setting as it is written.
fn shape(setting: &Setting) -> Shape {
    let example = if setting.example.is_empty() {
        setting.default.unwrap_or_default()
    } else {
        setting.example
    };
    match setting.kind {
        Kind::Url => {
            let schema = json!({"type": "string", "format": "uri", "maxLength": URL_CHARS_MAX});
            leaf(schema, example)
        }
        Kind::Words(words) => one_of(&words.iter().map(|(word, _)| *word).collect::<Vec<_>>()),
        Kind::HeaderName => header_name(example),
        Kind::HeaderValue(most) => header_value(most, example),
        Kind::Half(most, _) => text_up_to(most, example),
        Kind::Prefix(most) => prefix(most),
        Kind::Matching(pattern) | Kind::Endpoint(pattern) => {
            matching(&format!("^{}$", pattern.regex), example)
        }
        Kind::Headers(most) => {
            let value = given("value", header_value(HEADER_VALUE_BYTES_MAX, "blue"));
            let value = value.says("Write-only. Left out, the stored one is kept.").shown();
            some_of(open([need("name", header_name("X-Team")), value]), 0, most)
        }
    }
}

fn written_field(setting: &'static Setting, is_new: bool) -> Field {
    let field = match (setting.is_required && setting.when.is_none(), is_new) {
        (true, true) => need(setting.key, shape(setting)),
        (true, false) => given(setting.key, shape(setting)),
        (false, _) => may(setting.key, shape(setting)),
    };
    let field = field.says(setting.about);
    match setting.default {
        Some(default) => field.or(default),
        None => field,
    }
}

/// What a caller writes.
fn written(destination: &dyn Destination, is_new: bool) -> Shape {
    let about = destination.about();
    let settings = about.fields.iter().map(|setting| written_field(setting, is_new));
    let secret = [
        // The secret cannot be taken away.
        given("signing_secret", text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
            .says("Write-only: `whsec_` and 24 to 64 bytes of base64, or a text."),
        may("generate_secret", flag(true))
            .shown()
            .says("Makes a secret and shows it in this answer only."),
    ];
    let options = [
        may("timeout_seconds", timeout()).or(TIMEOUT_S_DEFAULT),
        may("retry_schedule_seconds", schedule())
            .says("Seconds to wait after each failed attempt."),
        may("ordering", ordering())
            .or("none")
            .says("`strict`: no event is sent before every earlier one is settled."),
        may("max_per_second", per_second()).says("Requests in any second; `null` for no limit."),
        may("max_in_flight", in_flight())
            .says("Attempts under way at once; `null`: as many as answers allow, at most 64."),
    ];
    let ignored = form::read_only(destination)
        .into_iter()
        .map(|key| may(key.leak(), leaf(json!({}), Value::Null)).says("Only read; ignored."));
    let secret = secret.into_iter().filter(|_| about.is_signed);
    strict(settings.chain(secret).chain(options).chain(ignored))
}

fn read_field(setting: &'static Setting) -> Field {
    let example = if setting.example.is_empty() {
        setting.default.unwrap_or_default()
    } else {
        setting.example
    };
    if let Kind::Headers(_) = setting.kind {
        let header = closed([need("name", words("X-Team")), need("has_value", flag(true))]);
        return need(setting.key, list_of(header));
    }
    let (key, shape): (&str, Shape) = match setting.kind {
        _ if setting.is_secret => (format!("has_{}", setting.key).leak(), flag(true)),
        Kind::Words(_) => (setting.key, shape(setting)),
        Kind::Prefix(_) => (setting.key, text(example)),
        _ => (setting.key, words(example)),
    };
    let is_always = setting.default.is_some() || (setting.is_required && setting.when.is_none());
    if is_always { need(key, shape) } else { may(key, shape) }
}

/// What a caller reads.
fn read(destination: &dyn Destination) -> Shape {
    let about = destination.about();
    let settings = about.fields.iter().map(read_field);
    let secret = [
        need("has_signing_secret", flag(true)),
        may("signing_secret_set_at", time()).shown(),
        may("secret_set_by", one_of(&[SetBy::Given.as_str(), SetBy::Generated.as_str()])).shown(),
        may("signing_secret", words("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
            .says("Only in the one answer that made it, when that was asked for."),
    ];
    let options = [
        need("timeout_seconds", timeout()),
        need("retry_schedule_seconds", schedule_example()),
        need("ordering", ordering()),
        may("max_per_second", per_second()),
        may("max_in_flight", in_flight()),
    ];
    let secret = secret.into_iter().filter(|_| about.is_signed);
    closed(settings.chain(secret).chain(options))
}

fn schedule_example() -> Shape {
    let schema = schedule().schema();
    leaf(schema, json!(Schedule::default().steps()))
}
