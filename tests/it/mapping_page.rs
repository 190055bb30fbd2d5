//! The page of a connection's mapping: drawn from the fields of its integration, saved as the API
//! saves it, and what it says to what is wrong or came too late.

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::providers::route;
use crate::tenant::{Answered, Tenant};
use crate::visit::{Visitor, links_within};

struct Mapping {
    edge: Edge,
    tenant: Tenant,
    visitor: Visitor,
    connection: String,
}

fn mapping() -> Mapping {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let says = json!({"action": "update_property", "id": "plan", "value": "pro"});
    let (connection, _) = route(&edge, &tenant, "hubspot", json!({"access_token": "pat-1"}), says);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    Mapping { edge, tenant, visitor, connection }
}

impl Mapping {
    fn at(&self) -> String {
        format!("connections/{}/mapping", self.connection)
    }

    fn page(&self) -> String {
        let page = self.visitor.get(&self.edge, &self.at());
        assert_eq!(page.status, 200, "{}", page.text);
        page.text
    }

    fn save(&self, version: &str, fields: &[(&str, &str)]) -> Answered {
        let fields = [&[("version", version)], fields].concat();
        self.visitor.post(&self.edge, &self.at(), &fields)
    }

    fn stored(&self) -> Value {
        let path = format!("/api/v1/connections/{}/mappings/default", self.connection);
        self.tenant.get(&self.edge, &path)["mapping"].clone()
    }
}

/// An address and a plan, the plan with two changes.
const FIELDS: [(&str, &str); 12] = [
    ("dest_0", "email"),
    ("source_0", "path"),
    ("value_0", "user.email"),
    ("dest_1", "firstname"),
    ("value_1", ""),
    ("dest_2", "plan"),
    ("source_2", "literal"),
    ("value_2", "7"),
    ("step_2_0", "to_string"),
    ("step_2_1", "substring"),
    ("with_2_1", "0,1"),
    ("on_error_2", "fail_action"),
];

#[test]
fn a_mapping_is_drawn_from_the_fields_and_saved_as_the_api_does() {
    let mapping = mapping();
    let page = mapping.page();
    for words in ["Nothing is saved yet", "First name", "value=\"first_name\"", "value=\"email\""] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let saved = mapping.save("0", &FIELDS);
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stored = mapping.stored();
    let expected = json!([
        {"dest": "email", "source": {"type": "path", "value": "user.email"}},
        {"dest": "plan", "source": {"type": "literal", "value": 7}, "on_error": "fail_action",
            "transforms": [{"type": "to_string"}, {"type": "substring", "start": 0, "length": 1}]},
    ]);
    assert_eq!((&stored["version"], &stored["schema"]["fields"]), (&json!(1), &expected));
    let page = mapping.page();
    assert!(page.contains("value=\"0,1\"") && !page.contains("Nothing is saved yet"), "{page}");
    let connection = format!("connections/{}", mapping.connection);
    let of_it = mapping.visitor.get(&mapping.edge, &connection);
    assert!(of_it.text.contains(&format!("{connection}/mapping")), "{}", of_it.text);
}

#[test]
fn what_is_wrong_is_told_at_its_field_and_nothing_is_saved() {
    let mapping = mapping();
    let wrong = [
        ("dest_0", "email"),
        ("value_0", "user..email"),
        ("dest_1", "own"),
        ("value_1", "a"),
        ("step_1_0", "to_date"),
        ("with_1_0", "Berlin"),
    ];
    let page = mapping.save("0", &wrong);
    assert_eq!(page.status, 400);
    for words in ["#value_0\"", "must be a path", "#step_1_0\"", "an offset such as"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert_eq!(links_within(&page.text), 3, "{}", page.text);
    assert!(page.text.contains("value=\"user..email\"") && page.text.contains("value=\"Berlin\""));
    assert_eq!(mapping.stored()["version"], 0);
    // More lines save nothing, and leave one free after those that are filled in.
    let more = mapping.save("0", &[&wrong[..], &[("do", "more")]].concat());
    assert_eq!(more.status, 200);
    assert!(more.text.contains("name=\"step_1_1\""), "{}", more.text);
    assert_eq!(mapping.stored()["version"], 0);
}

#[test]
fn a_form_that_came_too_late_shows_both_versions() {
    let mapping = mapping();
    assert_eq!(mapping.save("0", &FIELDS).status, 303);
    let late = [("dest_0", "email"), ("value_0", "person.mail")];
    let page = mapping.save("0", &late);
    assert_eq!(page.status, 409);
    for words in ["a path in the payload user.email", "a path in the payload person.mail"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    assert_eq!(mapping.stored()["version"], 1);
    // The form that is shown then is of the stored version.
    assert!(page.text.contains("name=\"version\" value=\"1\""), "{}", page.text);
    assert_eq!(mapping.save("1", &late).status, 303);
}

#[test]
fn notes_and_names_that_the_form_does_not_show_stay() {
    let mapping = mapping();
    let path = format!("/api/v1/connections/{}/mappings/default", mapping.connection);
    let schema = json!({"schema_version": 1, "meta": {"notes": "by hand"}, "fields": [
        {"dest": "email", "source": {"type": "path", "value": "a"}, "notes": "why"}]});
    let body = json!({"schema": schema, "name": "People"});
    assert_eq!(mapping.tenant.call(&mapping.edge, "PUT", &path, &body).status, 200);
    assert!(mapping.page().contains("name=\"notes_0\" value=\"why\""));
    let fields = [("dest_0", "email"), ("value_0", "b"), ("notes_0", "why")];
    assert_eq!(mapping.save("1", &fields).status, 303);
    let stored = mapping.stored();
    assert_eq!(stored["name"], "People");
    assert_eq!(stored["schema"]["meta"], schema["meta"]);
    let field = json!({"dest": "email", "source": {"type": "path", "value": "b"}, "notes": "why"});
    assert_eq!(stored["schema"]["fields"], json!([field]));
}

#[test]
fn a_connection_without_persons_shows_its_own_page() {
    let mapping = mapping();
    let hook = mapping.tenant.connection(&mapping.edge, json!({"url": "https://a.example.com/"}));
    let at = format!("connections/{hook}");
    let answer = mapping.visitor.get(&mapping.edge, &format!("{at}/mapping"));
    assert_eq!(answer.status, 303);
    assert!(!mapping.visitor.get(&mapping.edge, &at).text.contains("/mapping"));
}
