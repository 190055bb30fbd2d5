//! What the reference says of a value is what the check behind it takes: the same texts, neither
//! more nor fewer.

use posthorn::domain::base::names;
use posthorn::domain::tenants::key_limits::check_patterns;
use posthorn::domain::tenants::{organization, workspace};
use posthorn::reference::leaves;
use posthorn::reference::shape::Shape;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::schema::errors;

type Check = fn(&str) -> Result<(), String>;

fn table() -> Vec<(&'static str, Shape, Check)> {
    vec![
        ("event name", leaves::name(""), names::check_name),
        ("resource id", leaves::resource_id(), names::check_resource_id),
        ("label", leaves::label(""), organization::label),
        ("environment", leaves::environment(), workspace::check_environment),
        ("external id", leaves::external_id(""), workspace::check_external_id),
        ("pattern of a rule", leaves::pattern(""), names::check_pattern),
        ("limit of a key", leaves::pattern(""), |text| check_patterns(&[text.to_owned()])),
        ("workspace name", leaves::workspace_name(), workspace::check_name),
        ("description", leaves::description(), workspace::check_description),
    ]
}

/// Whether a schema takes more than the check does: no schema counts bytes, and none counts the
/// dots of a name that may begin with one.
fn is_wider(name: &str) -> bool {
    ["event name", "pattern of a rule", "limit of a key"].contains(&name)
}

fn takes(shape: &Shape, text: &str) -> bool {
    errors(&Value::Null, &shape.schema(), &json!(text)).is_empty()
}

#[test]
fn schemas_take_what_the_checks_take() {
    let mut texts: Vec<String> =
        ["", " ", "a", "ab", "abc", " ab", "ab ", "a b", "a\tb", "a\nb", "é"]
            .iter()
            .chain(&[
                "a.b",
                ".a",
                "a:b/c-d_e",
                "a*",
                "order.*",
                "_ab",
                "-ab",
                "\u{a0}",
                "日本",
                "$a b",
                "a\u{200b}",
                "\u{200b}",
                "\u{feff} \u{2060}",
                "\u{200d}\u{fe0f}",
                "\u{3000}",
                "\u{200b}a\u{200d}b",
            ])
            .map(|text| (*text).to_owned())
            .collect();
    let dots = |count: usize| format!("{}.*", vec!["a"; count].join("."));
    texts.extend((1..=9).map(dots));
    texts.extend(["a..*", ".*", "*", "**", "a.*.b", "a*", "a.b*", "a.*.*"].map(str::to_owned));
    texts.extend([125, 126, 127, 128, 129].map(|length| format!("{}.*", "x".repeat(length))));
    let lengths = [2, 3, 50, 51, 64, 65, 128, 129, 255, 256, 1_024, 1_025];
    texts.extend(lengths.map(|length| "x".repeat(length)));
    texts.extend(lengths.map(|length| "é".repeat(length)));
    for (name, shape, check) in table() {
        let (mut taken, mut refused) = (0, 0);
        for text in &texts {
            let expected = check(text).is_ok();
            let taken_by_schema = takes(&shape, text);
            let agrees = if is_wider(name) {
                !expected || taken_by_schema
            } else {
                taken_by_schema == expected
            };
            assert!(agrees, "{name}: {text:?}");
            if expected { taken += 1 } else { refused += 1 }
        }
        assert!(taken > 0 && refused > 0, "{name}");
    }
}

proptest! {
    #[test]
    fn schemas_take_what_the_checks_take_of_any_text(
        text in "[ -~\t\u{a0}é]{0,6}|[ab.*]{0,24}|[\u{200b}\u{feff}\u{200d}\u{3000} a]{0,4}",
    ) {
        for (name, shape, check) in table() {
            let (taken, expected) = (takes(&shape, &text), check(&text).is_ok());
            let agrees = if is_wider(name) { !expected || taken } else { taken == expected };
            prop_assert!(agrees, "{}: {:?}", name, text);
        }
    }
}
