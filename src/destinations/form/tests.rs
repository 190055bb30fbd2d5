//! Tests of reading and showing the settings of connections.

use super::*;
use crate::destinations;

fn policy() -> url_guard::Policy<'static> {
    url_guard::Policy { allow_private: false, own_hosts: &[], blocked_hosts: &[] }
}

#[test]
fn what_is_shown_holds_no_credential_and_can_be_written_back() {
    let webhook = destinations::find("webhook").expect("a destination");
    let metadata = r#"{"url":"https://example.com/h","auth_scheme":"basic",
        "auth_username":"ann","auth_password":"s3cret","signing_secret":"hidden-secret",
        "custom_headers":[{"name":"X-Team","value":"blue"}]}"#;
    let form = read(webhook, metadata, None, |_| false, &policy()).expect("a form");
    assert_eq!(form.credential_names, ["auth_username", "auth_password", "custom_header:x-team"]);
    let shown = show(webhook, &form.values, &form.options, |_| true, None);
    let text = Value::Object(shown.clone()).to_string();
    for secret in ["ann", "s3cret", "hidden", "blue"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert_eq!(shown["has_auth_password"], json!(true));
    assert_eq!(shown["custom_headers"], json!([{"name": "X-Team", "has_value": true}]));
    let mut back = shown;
    back.insert("custom_headers".to_owned(), json!([{"name": "X-Team"}]));
    let current = Some((&form.values, &form.options));
    let text = Value::Object(back).to_string();
    let again = read(webhook, &text, current, |_| true, &policy()).expect("a form");
    assert_eq!((again.values, again.options), (form.values, form.options));
    assert_eq!(again.credential_names, form.credential_names);
    assert!(again.credentials.is_empty());
}

#[test]
fn fields_do_not_stand_twice_in_a_table_and_depend_on_earlier_ones() {
    for destination in destinations::ALL {
        let about = destination.about();
        for (index, field) in about.fields.iter().enumerate() {
            let before = &about.fields[..index];
            assert!(before.iter().all(|other| other.key != field.key), "{}", field.key);
            assert!(!OPTIONS.contains(&field.key) && !field.label.is_empty(), "{}", field.key);
            if let Some((key, words)) = field.when {
                let on = before.iter().find(|other| other.key == key).expect("a field");
                let Kind::Words(known) = on.kind else { panic!("{key} has no words") };
                assert!(words.iter().all(|word| known.iter().any(|(k, _)| k == word)));
            }
        }
    }
}
