//! Tests of templates: what is filled in, what is refused, and that nothing breaks out.

use super::*;
use proptest::prelude::*;

const PAYLOAD: &str = r#"{"user":{"name":"Ann"},"items":[{"sku":"A-1"}],"n":1.0,"big":1e400,
    "yes":true,"none":null,"a key":"odd","a":{"b c":{"d":"deep"}},"list":[1, "x"],"tag":"<b>"}"#;

fn rendered(text: &str, target: Target) -> Rendered {
    let (payload, mapped) = (Tree::read(PAYLOAD).expect("a tree"), BTreeMap::new());
    let facts = Facts { event: "e1", name: "user.signup", ..Facts::default() };
    let source = Source { payload: &payload, facts, mapped: &mapped };
    Template::parse(text).expect("a template").render(&source, target)
}

#[test]
fn paths_are_filled_in() {
    for (text, expected, missing) in [
        ("plain } { text", "plain } { text", ""),
        ("Hi {{user.name}}!", "Hi Ann!", ""),
        ("{{ user.name }}{{items.0.sku}}", "AnnA-1", ""),
        ("{{n}} {{big}} {{yes}}", "1.0 1e400 true", ""),
        (r#"{{["a key"]}} {{a["b c"].d}}"#, "odd deep", ""),
        (r#"{{["}}|"]|none}}"#, "none", ""),
        ("<{{tag}}>", "<&lt;b&gt;>", ""),
        ("{{list}} {{items}}", r#"[1,"x"] [{"sku":"A-1"}]"#, ""),
        ("-{{none}}-{{user.age}}-{{user.age}}", "---", "none user.age"),
        ("{{none|nobody}} {{user.name|x}} {{x|}}", "nobody Ann ", ""),
        ("{{$event.name}} {{$event.id}} {{$event.resource|-}}", "user.signup e1 -", ""),
    ] {
        let found = rendered(text, Target::Slack);
        assert_eq!((found.text.as_str(), found.missing.join(" ").as_str()), (expected, missing));
    }
    let told = rendered("{{user.age}}", Target::Plain).notes();
    assert_eq!(told, ["The payload has nothing at user.age"]);
}

#[test]
fn what_the_payload_does_not_have_is_looked_for_among_mapped_fields() {
    let (payload, facts) = (Tree::read("{\"a\":1}").expect("a tree"), Facts::default());
    let mapped = [("a", "2"), ("b.c", "\"x\"")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let source = Source { payload: &payload, facts, mapped: &mapped };
    let template = Template::parse("{{a}} {{b.c}}").expect("a template");
    assert_eq!(template.render(&source, Target::Plain).text, "1 x");
}

#[test]
fn what_is_no_template_is_told_with_its_place() {
    for (text, told) in [
        ("Hi {{user.name", "open at character 4 are never closed"),
        ("é{{}}", "{{}} at character 2 is not a path"),
        ("{{a b}}", "character 1"),
        ("{{a..b}}", "character 1"),
        ("{{a.}}", "character 1"),
        ("{{0.a}}", "character 1"),
        ("{{[x]}}", "character 1"),
        ("{{[\"}}\"", "character 1"),
        ("{{#if a}}", "character 1"),
        ("{{$event.secret}}", "is none of $event.name, $event.id"),
    ] {
        let error = Template::parse(text).expect_err(text);
        assert!(error.to_string().contains(told), "{text}: {error}");
    }
}

#[test]
fn a_json_text_stays_one() {
    for (text, expected) in [
        (r#"{"a":"{{user.name}} {{n}}","b":{{n}}}"#, r#"{"a":"Ann 1.0","b":1.0}"#),
        (r#"{"a":{"b":{{list}}}}"#, r#"{"a":{"b":[1,"x"]}}"#),
        (r#"[{{user.name}},{{x}},{{x|0}},{{x|no}},"{{x}}"]"#, r#"["Ann",null,0,"no",""]"#),
    ] {
        assert_eq!(Template::parse(text).expect("read").check_json(), Ok(()), "{text}");
        assert_eq!(rendered(text, Target::Json).text, expected);
    }
    for text in [
        r#"{"a":{{n}}"#,
        r#"{ {{n}}: 1 }"#,
        r#"["\{{n}}n"]"#,
        r#"["\u00{{n}}41"]"#,
        "1{{n}}",
        "{{n}}{{n}}",
        "",
    ] {
        assert!(Template::parse(text).expect("read").check_json().is_err(), "{text}");
    }
}

#[test]
fn what_is_too_long_is_cut() {
    let long = format!("{{\"a\":\"{}\"}}", "é".repeat(3_000));
    let (payload, mapped) = (Tree::read(&long).expect("a tree"), BTreeMap::new());
    let source = Source { payload: &payload, facts: Facts::default(), mapped: &mapped };
    let one = Template::parse("{{a}}").expect("read").render(&source, Target::Plain);
    assert_eq!(one.text.chars().count(), TEMPLATE_VALUE_CHARS_MAX);
    assert!(one.text.ends_with("é…") && !one.is_cut);
    let many = Template::parse(&"{{a}}".repeat(1_000)).expect("read");
    let many = many.render(&source, Target::Plain);
    assert!(many.is_cut && many.text.len() <= RENDERED_BYTES_MAX);
    assert_eq!((shorten("abc", 3).as_str(), shorten("abcd", 3).as_str()), ("abc", "ab…"));
}

proptest! {
    #[test]
    fn anything_is_read_without_panic(text in "[{}\\[\\]\"\\\\|.$a-c é]{0,30}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = template.check_json();
            let source =
                Source { payload: &Tree::Null, facts: Facts::default(), mapped: &BTreeMap::new() };
            template.render(&source, Target::Html);
        }
    }

    #[test]
    fn no_value_leaves_its_json_string(value in any::<String>(), key in "[a-z]{1,3}") {
        let payload = json!({ key.clone(): value }).to_string();
        let payload = Tree::read(&payload).expect("a tree");
        let mapped = BTreeMap::new();
        let source = Source { payload: &payload, facts: Facts::default(), mapped: &mapped };
        let text = format!(r#"{{"in":"-{{{{{key}}}}}-","out":{{{{{key}}}}},"end":1}}"#);
        let template = Template::parse(&text).expect("a template");
        prop_assert_eq!(template.check_json(), Ok(()));
        let rendered = template.render(&source, Target::Json).text;
        let read: serde_json::Value = serde_json::from_str(&rendered).expect("JSON");
        prop_assert_eq!(read.as_object().map(serde_json::Map::len), Some(3));
        prop_assert_eq!(&read["out"], &json!(value));
        prop_assert_eq!(&read["in"], &json!(format!("-{}-", cut(&value))));
    }

    #[test]
    fn a_template_that_is_json_stays_json_with_any_value(
        text in r#"[{}\[\]":,\\a-b1 ]{0,12}\{\{a\}\}[{}\[\]":,\\a-b1 ]{0,12}"#,
        value in prop_oneof!["[\"\\\\{}a,:\n]{0,6}".prop_map(|text| json!(text)),
            any::<i32>().prop_map(|n| json!(n)), Just(json!([1, {"b": "\""}])), Just(json!(null))],
    ) {
        let Ok(template) = Template::parse(&text) else { return Ok(()) };
        if template.check_json().is_ok() {
            let payload = json!({ "a": value }).to_string();
            let payload = Tree::read(&payload).expect("a tree");
            let mapped = BTreeMap::new();
            let source = Source { payload: &payload, facts: Facts::default(), mapped: &mapped };
            let rendered = template.render(&source, Target::Json).text;
            prop_assert!(serde_json::from_str::<IgnoredAny>(&rendered).is_ok(), "{}", rendered);
        }
    }

    #[test]
    fn no_value_mentions_a_channel_writes_html_or_ends_a_line(value in any::<String>()) {
        let slack = fit(&value, Target::Slack);
        prop_assert!(!slack.contains(['<', '>']), "{}", slack);
        let html = fit(&value, Target::Html);
        prop_assert!(!html.contains(['<', '>', '"', '\'']), "{}", html);
        let line = fit(&value, Target::Line);
        prop_assert!(!line.contains(['\r', '\n', '\0', '\u{2028}']), "{}", line);
        let form = fit(&value, Target::Form);
        prop_assert!(!form.contains(['&', '=', ' ']), "{}", form);
    }
}
