//! The form of a mapping and back.

use super::*;
use crate::domain::routing::mapping::Schema;
use crate::embed::text;

const CATALOGUE: [PersonField; 2] =
    [PersonField::EMAIL, PersonField::new("first", "First name").of("first_name")];

fn t() -> &'static Texts {
    text::LANGUAGES[0]
}

/// The form that a page of these fields sends when nothing is changed.
fn sent(draft: &Draft) -> Form {
    let page = draft.render(t(), &CATALOGUE, &Errors::default()).into_string();
    let mut fields = Vec::new();
    let is_field = |tag: &&str| tag.starts_with("input") || tag.starts_with("sel");
    for tag in page.split('<').filter(is_field) {
        let name = tag.split("name=\"").nth(1).and_then(|rest| rest.split('"').next());
        let Some(name) = name else { continue };
        let value = tag.split(" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        let rest = page.split(&format!("name=\"{name}\"")).nth(1).unwrap_or_default();
        let options = rest.split("</select>").next().unwrap_or_default();
        let chosen = options.split("<option value=\"").find(|one| one.contains("selected"));
        let chosen = chosen.and_then(|one| one.split('"').next());
        let value = if tag.starts_with("sel") { chosen } else { value };
        let plain = value.unwrap_or_default().replace("&quot;", "\"");
        fields.push(format!("{name}={}", plain.replace('+', "%2B").replace(' ', "+")));
    }
    let kind = Some("application/x-www-form-urlencoded");
    Form::parse(kind, fields.join("&").as_bytes()).expect("a form")
}

#[test]
fn a_mapping_is_the_same_after_the_form() {
    let all: Vec<Value> = t().mapping.steps[1..]
        .iter()
        .map(|(word, _)| match *word {
            "default" => json!({"type": "default", "value": "7"}),
            "to_date" => json!({"type": "to_date", "timezone": "+02:00"}),
            "substring" => json!({"type": "substring", "start": 1, "length": 3}),
            word => json!({ "type": word }),
        })
        .collect();
    let schema = json!({"schema_version": 1, "meta": {"name": "m"}, "fields": [
        {"dest": "own", "source": {"type": "literal", "value": 7}, "notes": "why"},
        {"dest": "email", "source": {"type": "path", "value": "user.email"},
            "transforms": all, "on_error": "fail_action"},
        {"dest": "text", "source": {"type": "literal", "value": "7"},
            "transforms": [{"type": "substring", "start": 2}], "on_error": "warn_action"},
    ]});
    let stored = Schema::read(&schema.to_string()).expect("a mapping");
    let draft = Draft::of(&stored.show());
    let again = Draft::sent(&sent(&draft), &CATALOGUE, &schema["meta"]);
    assert_eq!(Schema::read(&again.to_schema()).expect("a mapping"), stored);
    assert!(again.differences(t(), &draft, &CATALOGUE).is_empty());
}

#[test]
fn what_differs_is_told_by_field() {
    let draft = |path: &str| {
        Draft::of(&json!({"fields": [
            {"dest": "first", "source": {"type": "path", "value": path},
                "transforms": [{"type": "trim"}]}]}))
    };
    let differing = draft("b").differences(t(), &draft("a"), &CATALOGUE);
    let told = |path: &str| format!("a path in the payload {path}; remove spaces around it");
    assert_eq!(differing, [("First name".to_owned(), told("a"), told("b"))]);
}

#[test]
fn an_error_stands_at_its_field_and_its_step() {
    let form = Form::from([
        ("dest_0", "email"),
        ("value_0", ""),
        ("dest_1", "first"),
        ("source_1", "path"),
        ("value_1", "a..b"),
        ("step_1_0", ""),
        ("step_1_1", "substring"),
        ("with_1_1", "x"),
        ("dest_2", "own"),
    ]);
    let draft = Draft::sent(&form, &CATALOGUE, &Value::Null);
    let error = Schema::read(&draft.to_schema()).expect_err("it is wrong");
    let errors = Errors(error.into_fields());
    let page = draft.render(t(), &CATALOGUE, &errors).into_string();
    let at = |id: &str| {
        let rest = page.split(&format!("id=\"{id}-hint\"")).nth(1).unwrap_or_default();
        rest.split("</p>").next().unwrap_or_default().to_owned()
    };
    assert!(at("value_0").contains("must be a path such as user.name"), "{page}");
    assert!(at("step_0_0").contains("must be"), "{page}");
    assert!(at("value_1").contains("must be a path"), "{page}");
    let summary = draft.summary(t(), &CATALOGUE, &errors).into_string();
    for link in ["<a href=\"#value_0\">First name</a>", "#step_0_0", "#value_1\">own"] {
        assert!(summary.contains(link), "{link}: {summary}");
    }
}
