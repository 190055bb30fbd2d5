//! A checker for JSON Schemas, for the words that the reference uses. A word that it does not know
//! fails, so that none is passed over in silence.

use serde_json::Value;

use super::pattern::matches;

const ANNOTATIONS: [&str; 3] = ["description", "default", "format"];

/// What is wrong with a value; nothing when it is valid. References lead into `document`.
pub fn errors(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(document, schema, value, "", &mut found);
    found
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let words = schema.as_object().unwrap_or_else(|| panic!("{at}: no schema: {schema}"));
    for (word, what) in words {
        match word.as_str() {
            "$ref" => {
                let name = what.as_str().expect("a reference");
                let schema = document.pointer(&name[1..]).unwrap_or_else(|| panic!("no {name}"));
                check(document, schema, value, at, found);
            }
            "oneOf" => {
                let all = what.as_array().expect("schemas");
                let fitting = all.iter().map(|one| errors(document, one, value));
                let fitting: Vec<_> = fitting.collect();
                let count = fitting.iter().filter(|errors| errors.is_empty()).count();
                if count != 1 {
                    found.push(format!("{at} fits {count} of {}: {fitting:?}", all.len()));
                }
            }
            "anyOf" => {
                let all = what.as_array().expect("schemas");
                let fitting: Vec<_> = all.iter().map(|one| errors(document, one, value)).collect();
                if !fitting.iter().any(Vec::is_empty) {
                    found.push(format!("{at} fits none: {fitting:?}"));
                }
            }
            "additionalProperties" if what.is_object() => {
                let known = |name: &&String| schema["properties"].get(name.as_str()).is_some();
                let fields = value.as_object().into_iter().flatten();
                for (name, value) in fields.filter(|(name, _)| !known(name)) {
                    check(document, what, value, &format!("{at}.{name}"), found);
                }
            }
            "properties" => properties(document, what, value, at, found),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(document, what, item, &format!("{at}[{index}]"), found);
                }
            }
            word if ANNOTATIONS.contains(&word) => {}
            word => plain(word, what, schema, value, at, found),
        }
    }
}

fn properties(document: &Value, fields: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    for (name, field) in fields.as_object().expect("fields") {
        if let Some(value) = value.get(name) {
            check(document, field, value, &format!("{at}.{name}"), found);
        }
    }
}

/// The words that need no other schema.
fn plain(
    word: &str,
    what: &Value,
    schema: &Value,
    value: &Value,
    at: &str,
    found: &mut Vec<String>,
) {
    let limit = || what.as_i64().expect("a number");
    let text = value.as_str();
    let chars = text.map(|text| text.chars().count() as i64);
    let items = value.as_array().map(|items| items.len() as i64);
    let number = value.as_f64();
    let fits = match word {
        "type" => match what {
            Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
            kind => is_of(kind, value),
        },
        "enum" => what.as_array().expect("words").contains(value),
        "const" => what == value,
        "pattern" => text.is_none_or(|text| matches(what.as_str().expect("a pattern"), text)),
        "minLength" => chars.is_none_or(|chars| chars >= limit()),
        "maxLength" => chars.is_none_or(|chars| chars <= limit()),
        "minItems" => items.is_none_or(|items| items >= limit()),
        "maxItems" => items.is_none_or(|items| items <= limit()),
        "minimum" => number.is_none_or(|number| number >= limit() as f64),
        "maximum" => number.is_none_or(|number| number <= limit() as f64),
        "required" => {
            let needed = what.as_array().expect("names").iter().filter_map(Value::as_str);
            let missing: Vec<_> = needed.filter(|name| value.get(name).is_none()).collect();
            !value.is_object() || missing.is_empty()
        }
        "additionalProperties" => {
            assert_eq!(what, false, "an object is closed or a map");
            let known = |name: &String| schema["properties"].get(name).is_some();
            value.as_object().is_none_or(|value| value.keys().all(known))
        }
        word => panic!("{at}: the checker does not know {word}"),
    };
    if !fits {
        found.push(format!("{at}: {word} {what}: {value}"));
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().expect("a type") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        kind => panic!("the checker does not know the type {kind}"),
    }
}

#[test]
fn what_is_wrong_is_found() {
    let document = serde_json::json!({"named": {"type": "string", "pattern": "^[a-z]{2}$"}});
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {
            "a": {"$ref": "#/named"},
            "b": {"type": ["integer", "null"], "minimum": 1, "maximum": 3},
            "c": {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 1, "maxItems": 2},
            "d": {"oneOf": [{"minLength": 2}, {"type": "string", "maxLength": 3}]},
            "e": {"const": true},
            "f": {"type": "object", "properties": {"g": {"const": 1}},
                "additionalProperties": {"type": "string"}},
            "h": {"anyOf": [{"const": 1}, {"type": "integer"}]},
        },
    });
    for (text, wrong) in [
        (r#"{"a":"xy"}"#, 0),
        (r#"{"a":"xy","b":null,"c":["x","y"],"d":"a","e":true}"#, 0),
        (r#"[]"#, 1),
        (r#"{}"#, 1),
        (r#"{"a":"xyz"}"#, 1),
        (r#"{"a":7}"#, 1),
        (r#"{"a":"xy","z":1}"#, 1),
        (r#"{"a":"xy","b":0}"#, 1),
        (r#"{"a":"xy","b":4}"#, 1),
        (r#"{"a":"xy","b":1.5}"#, 1),
        (r#"{"a":"xy","c":[]}"#, 1),
        (r#"{"a":"xy","c":["x","x","z"]}"#, 2),
        (r#"{"a":"xy","d":"abc"}"#, 1),
        (r#"{"a":"xy","e":false}"#, 1),
        (r#"{"a":"xy","f":{"g":1,"x":"y"},"h":1}"#, 0),
        (r#"{"a":"xy","f":{"g":1,"x":1},"h":"1"}"#, 2),
    ] {
        let value = serde_json::from_str(text).expect("JSON");
        let found = errors(&document, &schema, &value);
        assert_eq!(found.len(), wrong, "{text}: {found:?}");
    }
}
