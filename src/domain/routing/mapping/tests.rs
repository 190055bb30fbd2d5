//! Tests of mappings: what they make of payloads, and what callers may write.

use proptest::prelude::*;
use serde_json::Value;

use super::schema::{FIELDS_MAX, TRANSFORMS};
use super::*;

const PAYLOAD: &str = r#"{"email":"a@b.c","user":{"name":" Ann ","plan":null},"total":1.50,
    "items":[{"sku":"x1"}],"at":"2026-11-28T23:30:00-05:00","day":"2026-11-28","s":1800000000}"#;

fn read(fields: Value) -> Result<Schema, Vec<String>> {
    let schema = json!({"schema_version": 1, "fields": fields});
    told(&schema.to_string())
}

fn told(text: &str) -> Result<Schema, Vec<String>> {
    let schema = Schema::read(text);
    schema.map_err(|e| e.fields.iter().map(|f| format!("{} {}", f.param, f.msg)).collect())
}

fn apply(fields: Value) -> Applied {
    let tree = Tree::read(PAYLOAD).expect("JSON");
    read(fields).expect("a mapping").apply(&tree)
}

#[test]
fn values_come_from_paths_and_literals() {
    let path = |value: &str| json!({"type": "path", "value": value});
    let applied = apply(json!([
        {"dest": "email", "source": path("email")},
        {"dest": "sku", "source": path("items.0.sku")},
        {"dest": "total", "source": path("total")},
        {"dest": "none", "source": path("user.plan")},
        {"dest": "gone", "source": path("a.b")},
        {"dest": "vip", "source": {"type": "literal", "value": true}},
        {"dest": "clear", "source": {"type": "literal", "value": null}},
    ]));
    let fields: Vec<_> = applied.fields.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let expected = ["clear=null", "email=\"a@b.c\"", "sku=\"x1\"", "total=1.50", "vip=true"];
    assert_eq!(fields, expected);
    assert_eq!((applied.warnings.len(), applied.failure), (0, None));
}

#[test]
fn transforms_are_applied_in_order() {
    for (path, transforms, expected) in [
        ("user.name", json!([{"type": "trim"}, {"type": "upper"}]), Some("\"ANN\"")),
        ("user.name", json!([{"type": "substring", "start": 1, "length": 2}]), Some("\"An\"")),
        ("user.name", json!([{"type": "substring", "start": 9}]), Some("\"\"")),
        ("user.plan", json!([{"type": "default", "value": "free"}]), Some("\"free\"")),
        ("a.b", json!([{"type": "default", "value": 7}, {"type": "to_string"}]), Some("\"7\"")),
        ("a.b", json!([{"type": "lower"}]), None),
        ("total", json!([{"type": "to_string"}]), Some("\"1.50\"")),
        ("total", json!([{"type": "lower"}]), None),
        ("day", json!([{"type": "to_number"}]), None),
        ("total", json!([{"type": "to_string"}, {"type": "to_number"}]), Some("1.50")),
        ("s", json!([{"type": "to_boolean"}]), None),
        ("at", json!([{"type": "to_date"}]), Some("\"2026-11-29\"")),
        ("at", json!([{"type": "to_date", "timezone": "-05:00"}]), Some("\"2026-11-28\"")),
        ("day", json!([{"type": "to_date", "timezone": "+14:00"}]), Some("\"2026-11-28\"")),
        ("at", json!([{"type": "to_datetime"}]), Some("\"2026-11-29T04:30:00.000Z\"")),
        (
            "day",
            json!([{"type": "to_datetime", "timezone": "+02:00"}]),
            Some("\"2026-11-28T00:00:00.000+02:00\""),
        ),
        ("s", json!([{"type": "to_datetime"}]), Some("\"2027-01-15T08:00:00.000Z\"")),
        ("email", json!([{"type": "to_date"}]), None),
    ] {
        let source = json!({"type": "path", "value": path});
        let applied = apply(json!([{"dest": "x", "source": source, "transforms": transforms}]));
        assert_eq!(applied.fields.get("x").map(String::as_str), expected, "{path} {transforms}");
    }
    for (text, expected) in [
        (json!("yes"), Some("true")),
        (json!(" FALSE "), Some("false")),
        (json!(1), Some("true")),
        (json!("maybe"), None),
    ] {
        let source = json!({"type": "literal", "value": text});
        let fields =
            json!([{"dest": "x", "source": source, "transforms": [{"type": "to_boolean"}]}]);
        assert_eq!(apply(fields).fields.get("x").map(String::as_str), expected, "{text}");
    }
}

#[test]
fn a_field_without_a_value_is_left_out_told_or_the_end() {
    let field = |dest: &str, on_error: &str| {
        let source = json!({"type": "path", "value": "a.b"});
        json!({"dest": dest, "source": source, "on_error": on_error})
    };
    let applied = apply(json!([field("x", "skip_field"), field("y", "warn_action")]));
    let told = "The mapping has no value for y: the payload has nothing at a.b";
    assert_eq!(applied.warnings, [told]);
    assert_eq!((applied.fields.len(), applied.failure), (0, None));
    let applied = apply(json!([field("y", "fail_action"), field("z", "fail_action")]));
    assert_eq!(applied.failure.as_deref(), Some(told));
}

#[test]
fn a_mapping_is_shown_as_it_was_written() {
    let source = json!({"type": "path", "value": "user.name"});
    let literal = json!({"type": "literal", "value": null});
    let transforms: Vec<Value> = TRANSFORMS
        .iter()
        .map(|kind| match *kind {
            "to_date" => json!({"type": kind, "timezone": "UTC"}),
            "default" => json!({"type": kind, "value": "x"}),
            "substring" => json!({"type": kind, "start": 0, "length": 3}),
            _ => json!({"type": kind}),
        })
        .collect();
    assert_eq!(transforms.len(), 10);
    let schema = json!({"schema_version": 1, "fields": [
        {"dest": "a", "source": source, "transforms": transforms, "on_error": "warn_action",
         "notes": "n"},
        {"dest": "b", "source": literal},
    ], "meta": {"name": "m", "notes": "n"}});
    let read = Schema::read(&schema.to_string()).expect("a mapping");
    assert_eq!(read.show(), schema);
    assert_eq!(Schema::read(&read.show().to_string()), Ok(read));
}

#[test]
fn what_is_wrong_is_named() {
    let one = |more: Value| {
        let mut field = json!({"dest": "a", "source": {"type": "path", "value": "x"}});
        for (key, value) in more.as_object().expect("an object") {
            field[key] = value.clone();
        }
        read(json!([field])).expect_err("it is wrong").remove(0)
    };
    let path = |value: &str| one(json!({"source": {"type": "path", "value": value}}));
    for text in ["", "a..b", "0.a", "a b", "a.", "a-b", "é", &"a".repeat(129)] {
        assert!(path(text).starts_with("fields[0].source.value must be a path"), "{text}");
    }
    let transform = |value: Value| one(json!({"transforms": [value]}));
    for (said, begins) in [
        (one(json!({"dest": ""})), "fields[0].dest must be 1 to 128"),
        (one(json!({"other": 1})), "fields[0].other is not a field here"),
        (one(json!({"on_error": "x"})), "fields[0].on_error must be one of"),
        (one(json!({"source": {"type": "x", "value": 1}})), "fields[0].source.type must be one"),
        (
            one(json!({"source": {"type": "literal", "value": {}}})),
            "fields[0].source.value must be a string, number",
        ),
        (
            one(json!({"source": {"type": "literal", "value": "x".repeat(257)}})),
            "fields[0].source.value must be 1 to 256",
        ),
        (transform(json!({"type": "shout"})), "fields[0].transforms[0].type must be one of"),
        (
            transform(json!({"type": "trim", "x": 1})),
            "fields[0].transforms[0].x is not a field here",
        ),
        (
            transform(json!({"type": "to_date", "timezone": "Europe/Berlin"})),
            "fields[0].transforms[0].timezone must be UTC or",
        ),
        (transform(json!({"type": "default"})), "fields[0].transforms[0].value is required"),
        (transform(json!({"type": "substring"})), "fields[0].transforms[0].start is required"),
        (
            transform(json!({"type": "substring", "start": -1})),
            "fields[0].transforms[0].start must be at least 0",
        ),
        (
            transform(json!({"type": "substring", "start": 0, "length": 0})),
            "fields[0].transforms[0].length must be at least 1",
        ),
    ] {
        assert!(said.starts_with(begins), "{said}");
    }
    let trims = vec![json!({"type": "trim"}); 11];
    assert!(one(json!({"transforms": trims})).contains("at most 10"));
    let field = |dest: &str| json!({"dest": dest, "source": {"type": "path", "value": "x"}});
    let twice = read(json!([field("a"), field("a")])).expect_err("twice");
    assert_eq!(twice, ["fields[1].dest a stands twice"]);
    let many: Vec<_> = (0..=FIELDS_MAX).map(|n| field(&n.to_string())).collect();
    assert!(read(json!(many)).expect_err("many")[0].contains("at most 250"));
    for (text, begins) in [
        ("{}", "schema_version is required"),
        (r#"{"schema_version":2,"fields":[]}"#, "schema_version must be 1"),
        (r#"{"schema_version":1}"#, "fields is required"),
        (r#"{"schema_version":1,"fields":[],"meta":{"name":""}}"#, "meta.name must be 1 to 64"),
    ] {
        let said = told(text).expect_err("it is wrong");
        assert!(said[0].starts_with(begins), "{said:?}");
    }
}

proptest! {
    /// Whatever stands in a payload, what comes out is one JSON value.
    #[test]
    fn no_value_leaves_its_json_text(text in any::<String>(), kind in 0..TRANSFORMS.len()) {
        let payload = json!({"v": text}).to_string();
        let tree = Tree::read(&payload).expect("JSON");
        let transform = match TRANSFORMS[kind] {
            "default" => json!({"type": "default", "value": 1}),
            "substring" => json!({"type": "substring", "start": 1, "length": 4}),
            kind => json!({ "type": kind }),
        };
        let source = json!({"type": "path", "value": "v"});
        let field = json!({"dest": "x", "source": source, "transforms": [transform]});
        let applied = read(json!([field])).expect("a mapping").apply(&tree);
        for value in applied.fields.values() {
            let read: Value = serde_json::from_str(value).expect("one JSON value");
            prop_assert!(!read.is_object() && !read.is_array());
        }
        prop_assert_eq!(applied.failure, None);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = Schema::read(&text);
    }
}
