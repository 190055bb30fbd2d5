//! Values without parts, with their patterns and limits. The limits are the constants that the
//! checks use; that a pattern accepts what the check behind it accepts is tested
//! (`tests/it/reference/checks.rs`).

use serde_json::{Value, json};
use uuid::Uuid;

use crate::domain::base::names::NAME_BYTES_MAX;
use crate::domain::base::time::rfc3339;
use crate::reference::shape::Shape;

/// Ids in our answers: lower case.
const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
/// Organizations have ids that older clients take, of versions 1 to 5.
const OLDER_UUID: &str =
    "^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
/// Ids that we are sent.
const ANY_UUID: &str =
    "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$";
/// Times in our answers: with milliseconds, in UTC.
const TIME: &str = "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$";
/// The moment of the examples: 2026-10-01T08:00:00Z.
const EXAMPLE_AT_MS: i64 = 1_790_841_600_000;

/// A leaf of this schema.
pub fn leaf(schema: Value, example: impl Into<Value>) -> Shape {
    Shape::Leaf(schema, example.into())
}

/// The id of a record that is an example. Events have ids with the time in front.
pub fn example_id(noun: &str) -> String {
    match noun {
        "event" => "019a1b2c-3d4e-7f50-8a6b-7c8d00000001".to_owned(),
        noun => Uuid::new_v5(&Uuid::NAMESPACE_OID, noun.as_bytes()).to_string(),
    }
}

/// The id of a record in an answer.
pub fn id(noun: &str) -> Shape {
    leaf(json!({"type": "string", "format": "uuid", "pattern": UUID}), example_id(noun))
}

/// The id of an organization.
pub fn organization_id() -> Shape {
    let schema = json!({"type": "string", "format": "uuid", "pattern": OLDER_UUID});
    leaf(schema, example_id("organization"))
}

/// The id of a record in a request.
pub fn given_id(noun: &str) -> Shape {
    leaf(json!({"type": "string", "format": "uuid", "pattern": ANY_UUID}), example_id(noun))
}

/// A time in an answer.
pub fn time() -> Shape {
    let schema = json!({"type": "string", "format": "date-time", "pattern": TIME});
    leaf(schema, rfc3339(EXAMPLE_AT_MS))
}

/// A time in a request, so many milliseconds after that of the examples.
pub fn given_time(after_ms: i64) -> Shape {
    leaf(json!({"type": "string", "format": "date-time"}), rfc3339(EXAMPLE_AT_MS + after_ms))
}

/// Any text.
pub fn text(example: &str) -> Shape {
    leaf(json!({"type": "string"}), example)
}

/// A text with something in it.
pub fn words(example: &str) -> Shape {
    leaf(json!({"type": "string", "minLength": 1}), example)
}

/// A text of this pattern.
pub fn matching(pattern: &str, example: &str) -> Shape {
    leaf(json!({"type": "string", "pattern": pattern}), example)
}

/// A text of at most so many characters.
pub fn text_up_to(chars_max: usize, example: &str) -> Shape {
    leaf(json!({"type": "string", "maxLength": chars_max}), example)
}

/// One of these words; the first is the example.
pub fn one_of(words: &[&str]) -> Shape {
    leaf(json!({"type": "string", "enum": words}), *words.first().unwrap_or(&""))
}

/// This word.
pub fn only(word: &str) -> Shape {
    leaf(json!({"type": "string", "const": word}), word)
}

/// `true` or `false`.
pub fn flag(example: bool) -> Shape {
    leaf(json!({"type": "boolean"}), example)
}

/// `true`; where it would not be, the field is missing.
pub fn truth() -> Shape {
    leaf(json!({"type": "boolean", "const": true}), true)
}

/// `null`.
pub fn nothing() -> Shape {
    leaf(json!({"type": "null"}), Value::Null)
}

/// A count of things.
pub fn count(example: u64) -> Shape {
    leaf(json!({"type": "integer", "minimum": 0}), example)
}

/// A whole number in these bounds.
pub fn whole(least: i64, most: i64, example: i64) -> Shape {
    leaf(json!({"type": "integer", "minimum": least, "maximum": most}), example)
}

/// Any JSON object.
pub fn any_object(example: Value) -> Shape {
    leaf(json!({"type": "object"}), example)
}

const CONTROL: &str = "\\u0000-\\u001f\\u007f-\\u009f";

/// What nobody sees.
const INVISIBLE: &str = concat!(
    "\\u00ad\\u061c\\u115f\\u1160\\u180e\\u200b\\u200e\\u200f",
    "\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufeff\\uffa0\\ufff9-\\ufffb"
);

/// White space, and what joins its neighbours.
const SPACE: &str = " \\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000";
const JOINERS: &str = "\\u200c\\u200d\\ufe00-\\ufe0f";

/// A name of an event or of a resource, see `domain::base::names::check_name`. Its limit is one of
/// bytes, which a schema cannot say.
pub fn name(example: &str) -> Shape {
    let not = format!("{CONTROL}*{INVISIBLE}");
    let pattern = format!("^[^{not}{SPACE}{JOINERS}]([^{not}]*[^{not}{SPACE}])?$");
    let schema = json!({"type": "string", "maxLength": NAME_BYTES_MAX, "pattern": pattern});
    leaf(schema, example)
}

/// A resource id, see `domain::event::check_resource_id`.
pub fn resource_id() -> Shape {
    matching("^[A-Za-z0-9._:-]{1,64}$", "ord_1001")
}

/// A name that people see, see `domain::organization::label`.
pub fn label(example: &str) -> Shape {
    plain(128, example)
}

/// A text of at most so many characters of which something is to be seen, without control
/// characters.
fn plain(chars_max: usize, example: &str) -> Shape {
    let seen = format!("[^{CONTROL}{INVISIBLE}{SPACE}{JOINERS}]");
    let pattern = format!("^[^{CONTROL}]*{seen}[^{CONTROL}]*$");
    let schema = json!({"type": "string", "minLength": 1, "maxLength": chars_max,
        "pattern": pattern});
    leaf(schema, example)
}

/// A pattern of a rule or of a publishable key, see `domain::base::names::check_pattern`: a name;
/// or the beginning of names, a dot and a star; or the star alone.
pub fn pattern(example: &str) -> Shape {
    let pattern = format!("^(\\*|[^{CONTROL}*{INVISIBLE}]+(\\.\\*)?)$");
    let schema = json!({"type": "string", "maxLength": NAME_BYTES_MAX, "pattern": pattern});
    leaf(schema, example)
}

/// A workspace's environment, see `domain::workspace::check_environment`.
pub fn environment() -> Shape {
    plain(32, "staging")
}

/// What the product calls a workspace or a person, see `domain::workspace::check_external_id`.
pub fn external_id(example: &str) -> Shape {
    plain(255, example)
}

/// A workspace's name, see `domain::workspace::check_name`.
pub fn workspace_name() -> Shape {
    matching("^[a-zA-Z0-9_-][a-zA-Z0-9 _-]{1,48}[a-zA-Z0-9_-]$", "Acme Corp")
}

/// A description, see `domain::workspace::check_description`.
pub fn description() -> Shape {
    text_up_to(1_024, "Berlin")
}

/// A publishable key, see `domain::api_key`.
pub fn publishable_key() -> Shape {
    let example = "mesh_pub_ws.1_6c1f4a20_9d3be1f0a4c7528e6f1b0d93c2a85e47";
    matching("^mesh_pub_[A-Za-z0-9.-]+_[A-Za-z0-9.-]+_[A-Za-z0-9.-]+$", example)
}

/// The public part of a machine key.
pub fn access_key() -> Shape {
    matching("^mk_[A-Za-z0-9_-]{22,}$", "mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")
}

/// The secret part of a machine key.
pub fn secret_key() -> Shape {
    matching("^[A-Za-z0-9_-]{43,}$", "the-secret-key-is-43-characters-of-base64url_")
}
