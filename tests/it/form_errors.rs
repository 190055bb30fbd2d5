//! What is wrong in a form, in the language of its page: headers, credentials, templates, filters
//! and mappings.

use serde_json::json;

use crate::edge::Reply;
use crate::german::German;
use crate::providers::route;
use crate::visit::links_within;

const ENGLISH: &str = include_str!("../../src/domain/base/reason.rs");

/// The English words of reasons, cut where something is put into them.
fn english() -> Vec<&'static str> {
    let display = ENGLISH.split_once("impl fmt::Display").expect("the words").1;
    let texts = display.split('"').skip(1).step_by(2);
    let parts = texts.flat_map(|text| text.split(['{', '}']));
    parts.filter(|part| part.matches(' ').count() > 2).map(str::trim).collect()
}

impl German {
    /// Sends a form; what its page says of it.
    fn refused(&self, below: &str, fields: &[(&str, &str)]) -> String {
        let page = self.visitor.post(&self.edge, below, fields);
        assert!((400..500).contains(&page.status), "{}: {}", page.status, page.text);
        assert!(links_within(&page.text) > 0);
        let summary = page.text.split_once("role=\"alert\"").expect("a summary").1;
        let summary = summary.split("</ul>").next().expect("its end").to_owned();
        for text in english() {
            assert!(!page.text.contains(text), "{below} says {text:?}: {summary}");
        }
        summary
    }
}

fn says(summary: &str, words: &[&str]) {
    for words in words {
        assert!(summary.contains(words), "{words}: {summary}");
    }
}

#[test]
fn headers_and_credentials() {
    let german = German::new();
    assert!(english().len() > 20, "{:?}", english());
    let webhook = [
        ("type", "webhook"),
        ("name", "A"),
        ("url", "https://hooks.example.com/"),
        ("auth_scheme", "basic"),
        ("auth_username", "a:b"),
        ("auth_password", "c"),
        ("header_name_0", "X A"),
        ("header_value_0", "b"),
        ("header_name_1", "X-B"),
        ("header_name_2", "Host"),
        ("header_value_2", "b"),
    ];
    let summary = german.refused("connections/new", &webhook);
    says(
        &summary,
        &[
            "darf keinen Doppelpunkt haben",
            "#header_name_0\">Header</a> muss ein Header-Name mit 1 bis 64 Zeichen sein",
            "#header_value_1\">Wert</a> fehlt noch",
        ],
    );
    let reserved = [&webhook[..4], &webhook[9..], &[("auth_scheme", "bearer")]].concat();
    let reserved: Vec<_> = reserved.into_iter().filter(|one| *one != webhook[3]).collect();
    let summary = german.refused("connections/new", &reserved);
    says(&summary, &["muss ein anderer Header sein: Host setzt HTTP selbst", "fehlt noch"]);
    let refused = [("type", "webhook"), ("name", "A"), ("url", "http://10.0.0.1/")];
    says(&german.refused("connections/new", &refused), &["Die URL muss mit https:// beginnen"]);
    let slack = [("type", "slack"), ("name", "A"), ("bot_token", "x")];
    let summary = german.refused("connections/new", &slack);
    says(&summary, &["muss ein Bot-Token sein, das mit xoxb- beginnt"]);
    let slack = [("type", "slack"), ("name", "A")];
    says(&german.refused("connections/new", &slack), &["genau eines davon muss da sein"]);
    german.edge.receivers.script("https://slack.com/api/auth.test", |_| {
        Reply::status(200).body(r#"{"ok":false,"error":"invalid_auth"}"#)
    });
    let slack = [("type", "slack"), ("name", "A"), ("bot_token", "xoxb-1-2-abcdef")];
    let summary = german.refused("connections/new", &slack);
    says(&summary, &["wird nicht angenommen. Slack sagt invalid_auth: Das Token gilt nicht"]);
    // Another host is told nothing that it was not given.
    let basic = json!({"url": "https://hooks.example.com/", "auth_scheme": "bearer",
        "auth_token": "t", "custom_headers": [{"name": "X-A", "value": "v"}]});
    let connection = german.tenant.connection(&german.edge, basic);
    let moved = [
        ("name", "A"),
        ("url", "https://other.example.com/"),
        ("auth_scheme", "bearer"),
        ("header_name_0", "X-A"),
    ];
    let summary = german.refused(&format!("connections/{connection}/edit"), &moved);
    says(&summary, &["#auth_token", "#header_value_0", "muss neu eingegeben werden"]);
}

#[test]
fn templates_and_filters() {
    let german = German::new();
    let connect =
        |kind, metadata, says| route(&german.edge, &german.tenant, kind, metadata, says).0;
    let slack = connect(
        "slack",
        json!({"webhook_url": "https://hooks.slack.com/services/T/B/x"}),
        json!({"action": "send_message", "template": "x"}),
    );
    for (template, words) in [
        ("", "#metadata.template\">Nachricht</a> fehlt noch"),
        ("Hi {{user.name", "Die Klammern ab Zeichen 4 werden nicht geschlossen"),
        ("{{a b}}", "{{a b}} ab Zeichen 1 ist kein Pfad wie {{user.name}}"),
        ("{{$event.x}}", "{{$event.x}} ab Zeichen 1 gibt es nicht, nur $event.name"),
    ] {
        let rule = [("event", "x.y"), ("connection", &slack), ("metadata.template", template)];
        says(&german.refused("rules", &rule), &[words]);
    }
    let url = json!({"url": "https://hooks.example.com/"});
    let http = connect("http", url, json!({"action": "send_request", "body": "{}"}));
    for (body, words) in [("{", "ist ausgefüllt kein gültiges JSON"), ("\"\\{{a}}\"", "steht ein")]
    {
        let rule = [("event", "x.y"), ("connection", &http), ("metadata.body", body)];
        says(&german.refused("rules", &rule), &[words]);
    }
    for (filter, words) in [
        ("{", "ist kein gültiges JSON"),
        ("[1]", "muss ein Objekt mit path, and, or oder not sein"),
        (r#"{"path":"a..b","eq":1}"#, "path: muss aus Namen mit je einem Punkt"),
        (r#"{"path":"a\\b","eq":1}"#, "auf das weder . noch"),
        (r#"{"path":"a","is":1}"#, "is: ist kein Vergleich; es gibt eq, ne"),
        (r#"{"path":"a","gt":true}"#, "gt: muss eine Zahl oder ein Text sein"),
        (r#"{"path":"a","exists":1}"#, "exists: muss true oder false sein"),
        (r#"{"path":"a","starts_with":1}"#, "muss ein Text in Anführungszeichen sein"),
        (r#"{"path":"a","eq":[]}"#, "muss ein Text, eine Zahl, true, false oder null sein"),
        (r#"{"path":"a","eq":0.12345678901234567}"#, "Dezimalzahl mit 15 Stellen"),
        (r#"{"path":"a","in":[]}"#, "in: muss 1 bis 100 Werte enthalten"),
    ] {
        let rule = [("event", "x.y"), ("connection", &slack), ("filter", filter)];
        says(&german.refused("rules", &rule), &["#filter", words]);
    }
}

#[test]
fn mappings_and_ranges() {
    let german = German::new();
    let plan = json!({"action": "update_property", "id": "plan", "value": "pro"});
    let token = json!({"access_token": "pat-1"});
    let (connection, _) = route(&german.edge, &german.tenant, "hubspot", token, plan);
    let wrong = [
        ("dest_0", "email"),
        ("value_0", "user..email"),
        ("dest_1", "own"),
        ("value_1", "a"),
        ("step_1_0", "to_date"),
        ("with_1_0", "Berlin"),
        ("dest_2", "twin"),
        ("value_2", "a"),
        ("dest_3", "more"),
        ("value_3", "a"),
        ("step_3_0", "substring"),
        ("with_3_0", "x"),
        ("dest_4", "less"),
        ("value_4", "a"),
        ("step_4_0", "substring"),
        ("with_4_0", "0,0"),
        ("dest_5", "twin"),
        ("value_5", "a"),
    ];
    let at = format!("connections/{connection}/mapping");
    let summary = german.refused(&at, &[&[("version", "0")], &wrong[..]].concat());
    says(
        &summary,
        &[
            "#value_0\">E-Mail</a> muss ein Pfad wie user.name sein",
            "muss UTC oder eine Abweichung davon sein",
            "twin steht zweimal da",
            "muss eine ganze Zahl sein",
            "muss mindestens 1 sein",
        ],
    );
    let range =
        [("status", "failed"), ("since", "2027-01-02T00:00"), ("until", "2027-01-01T00:00")];
    says(&german.refused("replays/new", &range), &["muss nach dem Beginn liegen"]);
    let range =
        [("status", "failed"), ("since", "2027-01-01T00:00"), ("until", "2027-01-31T00:00")];
    says(
        &german.refused("replays/new", &range),
        &["darf höchstens 14 Tage nach dem Beginn liegen"],
    );
}
