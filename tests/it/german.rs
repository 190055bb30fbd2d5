//! What pages in German put together from what was stored, refused, tried and answered: no word of
//! ours is English in it.

use posthorn::domain::delivery::attempt::{Answer, Failure};
use serde_json::json;

use crate::edge::{Edge, Reply};
use crate::languages::read;
use crate::providers::route;
use crate::tenant::Tenant;
use crate::visit::Visitor;

/// Words that no German sentence has.
const ENGLISH: [&str; 34] = [
    "the", "is", "are", "has", "have", "must", "with", "of", "to", "for", "it", "its", "this",
    "that", "no", "be", "by", "from", "you", "your", "when", "which", "were", "there", "only",
    "cannot", "and", "or", "not", "none", "nothing", "at", "more", "sent",
];

fn check(path: &str, page: &str) {
    assert!(page.contains("<html lang=\"de\""), "{path}");
    for text in read(page) {
        // Filters are JSON, and so are payloads.
        let quoted = text.replace("and, or, not", "").replace("and, or oder not", "");
        let said = quoted.split('"').step_by(2).collect::<String>();
        let mut words = said.split(|c: char| !c.is_alphabetic() && c != '_' && c != '.');
        let found = words.find(|word| ENGLISH.contains(word));
        assert_eq!(found, None, "{path} says {text:?}");
    }
}

/// A workspace whose owner sees its pages in German.
pub struct German {
    pub edge: Edge,
    pub tenant: Tenant,
    pub visitor: Visitor,
}

impl German {
    pub fn new() -> Self {
        let edge = Edge::new();
        let tenant = Tenant::new(&edge, "Acme");
        let more = json!({"role": "owner", "scopes": ["events.payload:read"]});
        let visitor = Visitor::launched(&edge, &tenant, more, "&locale=de");
        Self { edge, tenant, visitor }
    }

    /// A page, and all attempts that it links to.
    fn seen(&self, below: &str) -> String {
        let mut seen = self.visitor.get(&self.edge, below).text;
        check(below, &seen);
        let attempts = seen.split("href=\"").filter_map(|link| link.split('"').next());
        let attempts: Vec<String> =
            attempts.filter(|link| link.contains("/attempts/")).map(str::to_owned).collect();
        for attempt in attempts {
            let page = self.visitor.get_path(&self.edge, &attempt).text;
            check(&attempt, &page);
            seen.push_str(&page);
        }
        seen
    }

    /// Sends a form, whose answer says all of this.
    fn told(&self, below: &str, fields: &[(&str, &str)], words: &[&str]) {
        let page = self.visitor.post(&self.edge, below, fields);
        let text = page.text.replace("&quot;", "\"");
        check(below, &page.text);
        words.iter().for_each(|words| assert!(text.contains(words), "{words}: {text}"));
    }
}

#[test]
fn what_receivers_and_networks_answer() {
    let german = German::new();
    let German { edge, tenant, .. } = &german;
    let failed = |failure| Reply { after_ms: 1, answer: Answer::failed(failure) };
    let broken = Failure::Network("it broke off, or is not encoded as its headers say".to_owned());
    let cut = Answer { failure: Some(broken), ..Reply::status(200).answer };
    let moved = Reply::status(301).header("location", "https://b.example/");
    let unknown = Failure::Network("No answer: the host name does not resolve".to_owned());
    for (name, reply, words) in [
        ("late", Reply::hang(), "Zeitüberschreitung vor der Antwort"),
        ("moved", moved, "Weiterleitung zu https://b.example/"),
        ("same", Reply::status(304), "die nichts annimmt"),
        ("edge", Reply::status(521), "Status 521 vom Netz vor dem Empfänger: Der Server"),
        ("dns", failed(unknown), "Keine Antwort: Der Hostname"),
        ("cut", Reply { after_ms: 1, answer: cut }, "der Inhalt war nicht zu lesen: Er brach ab"),
        ("error", Reply::status(500), "Antwort 500"),
        ("gone", Reply::status(410), "410"),
    ] {
        let url = format!("https://hooks.example.com/{name}");
        edge.receivers.script(&url, move |_| reply.clone());
        let event = format!("x.{name}");
        let metadata = json!({"url": url, "retry_schedule_seconds": [1]});
        let (connection, _) = tenant.route(edge, &event, metadata);
        let event = tenant.emit(edge, &event);
        edge.run_for(60_000);
        let pages = [format!("connections/{connection}"), format!("events/{event}")];
        let said = pages.map(|below| german.seen(&below)).concat() + &german.seen("failed");
        assert!(said.contains(words), "{words}");
    }
}

#[test]
fn what_providers_answer() {
    let german = German::new();
    let German { edge, tenant, .. } = &german;
    let hook = "https://hooks.slack.com/services/T/B/x";
    let says = json!({"action": "send_message", "template": "{{a}}{{b}}"});
    let (slack, _) = route(edge, tenant, "slack", json!({"webhook_url": hook}), says);
    edge.receivers.script(hook, |_| Reply::status(404).body("no_service"));
    let mail = json!({"action": "send_email_template", "id": "t1"});
    let (resend, _) = route(edge, tenant, "resend", json!({"api_key": "re_1"}), mail);
    let refused = r#"{"name":"validation_error","message":"xyz"}"#;
    edge.receivers.script("https://api.resend.com/emails", |_| Reply::status(422).body(refused));
    let mut pages = Vec::new();
    for payload in [json!({"a": "Hi", "email": "a@b.c"}), json!({})] {
        let event = crate::providers::emit(edge, tenant, payload);
        edge.run_for(60_000);
        pages.push(format!("events/{event}"));
    }
    pages.extend([
        format!("connections/{slack}"),
        format!("connections/{resend}"),
        "failed".into(),
    ]);
    let said: String = pages.iter().map(|below| german.seen(below)).collect();
    for words in [
        "Slack sagt no_service: Dieser eingehende Webhook wurde entfernt",
        "In den Nutzdaten steht nichts bei b",
        "Das Ziel sagt: xyz",
        "Es gibt keine E-Mail-Adresse, an die gesendet werden kann: {{email}} ergibt nichts",
    ] {
        assert!(said.contains(words), "{words}");
    }
}

#[test]
fn filters_that_are_tried() {
    let german = German::new();
    let German { edge, tenant, .. } = &german;
    let url = json!({"url": "https://hooks.example.com/"});
    let (connection, _) = tenant.route(edge, "order.paid", url);
    tenant.emit(edge, "order.paid");
    for (filter, words) in [
        (r#"{"path":"a","gt":100}"#, "nicht erfüllt: a ist mehr als 100"),
        (
            r#"{"and":[{"path":"a","exists":true},{"path":"b.c","exists":true}]}"#,
            "nicht erfüllt: b.c ist vorhanden",
        ),
        (r#"{"path":"a","exists":false}"#, "nicht erfüllt: a ist nicht vorhanden"),
        (r#"{"path":"a","in":["x"]}"#, "nicht erfüllt: a ist eines von (a, b, c) [\"x\"]"),
        (r#"{"or":[{"path":"b","eq":1}]}"#, "nicht erfüllt: keine der Bedingungen in \"or\""),
        (r#"{"not":{"path":"a","eq":1}}"#, "nicht erfüllt: die Bedingung in \"not\" ist erfüllt"),
    ] {
        let fields = [
            ("connection", connection.as_str()),
            ("event", "order.paid"),
            ("do", "try"),
            ("filter", filter),
        ];
        german.told("rules", &fields, &[words]);
    }
}

#[test]
fn previews_and_live_lists() {
    let german = German::new();
    let German { edge, tenant, .. } = &german;
    let event_type = json!({"label": "X", "example": "{\"a\":1,\"email\":\"a@b.c\"}"});
    tenant.call(edge, "PUT", "/api/v1/event-types/x", &event_type);
    edge.receivers
        .script("https://slack.com/api/auth.test", |_| Reply::status(200).body("{\"ok\":true}"));
    let says = json!({"action": "send_message", "id": "C1", "template": "x"});
    let (slack, _) = route(edge, tenant, "slack", json!({"bot_token": "xoxb-1-2-abcdef"}), says);
    let with = |does, template| {
        vec![
            ("event", "x"),
            ("connection", slack.as_str()),
            ("do", does),
            ("metadata.id", "C1"),
            ("metadata.template", template),
        ]
    };
    german.told("rules", &with("preview", "{{a}} {{b}}"), &["In den Nutzdaten steht nichts bei b"]);
    german.told("rules", &with("preview", "{{b}}"), &["Die Nachricht ist leer"]);
    german.told("rules", &with("preview", "{{"), &["Nachricht: Die Klammern ab Zeichen 1"]);
    let list = "https://slack.com/api/conversations.list?types=public_channel%2Cprivate_channel\
        &exclude_archived=true&limit=200";
    edge.receivers.script(list, |_| {
        Reply::status(200).body(r#"{"ok":false,"error":"missing_scope","needed":"channels:read"}"#)
    });
    german.told("rules", &with("refresh", "x"), &["Slack sagt missing_scope: Der Bot braucht"]);
    let plan = json!({"action": "update_property", "id": "plan", "value": "pro"});
    let (hubspot, _) = route(edge, tenant, "hubspot", json!({"access_token": "pat-1"}), plan);
    let mapping = [
        ("version", "0"),
        ("dest_0", "email"),
        ("value_0", "email"),
        ("dest_1", "firstname"),
        ("value_1", "first"),
        ("on_error_1", "fail_action"),
    ];
    let saved = german.visitor.post(edge, &format!("connections/{hubspot}/mapping"), &mapping);
    assert_eq!(saved.status, 303, "{}", saved.text);
    let fields = [
        ("event", "x"),
        ("connection", hubspot.as_str()),
        ("do", "preview"),
        ("metadata.action", "update_property"),
        ("action", "update_property"),
        ("metadata.id", "plan"),
        ("metadata.value", "pro"),
    ];
    german.told(
        "rules",
        &fields,
        &["Die Feldzuordnung hat keinen Wert für firstname: In den Nutzdaten"],
    );
}

#[test]
fn what_conflicts_with_what_is_stored() {
    let german = German::new();
    let German { edge, tenant, visitor } = &german;
    let connect = |name: &'static str, more: &[(&'static str, &'static str)]| {
        let url = "https://hooks.example.com/";
        [&[("type", "webhook"), ("name", name), ("url", url)], more].concat()
    };
    let made = visitor.post(edge, "connections/new", &connect("A", &[]));
    assert_eq!(made.status, 200);
    german.told("connections/new", &connect("a ", &[]), &["ist schon der Name einer anderen"]);
    for (schedule, words) in [
        ("5s, 0s", "Schritt 2 ist 0 s lang; ein Schritt dauert 1 bis 172800 s (48 h)"),
        ("60h", "Schritt 1 ist 216000 s lang"),
        ("soon", "\"soon\" ist keine Zeit: Schreiben Sie sie wie 30s"),
        (
            "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s",
            "es sind 1 bis 20 Schritte möglich, nicht 21",
        ),
    ] {
        german.told("connections/new", &connect("B", &[("retry_schedule", schedule)]), &[words]);
    }
    let numbers = [
        ("timeout_seconds", "99"),
        ("max_in_flight", "0"),
        ("signing_secret", "short"),
        ("secret", "own"),
    ];
    german.told(
        "connections/new",
        &connect("B", &numbers),
        &["muss 1 bis 25 sein", "muss 8 bis 256 Bytes haben; es sind 5"],
    );
    let id = edge.control.ask("select id from connections")[0].as_str().expect("an id").to_owned();
    let rule = [("connection", id.as_str()), ("event", "order.paid")];
    assert_eq!(visitor.post(edge, "rules", &rule).status, 303);
    german.told("rules", &rule, &["wird schon von einer anderen Regel mit derselben Ressource"]);
    let wrong =
        [("connection", id.as_str()), ("event", "a*b"), ("resource", "a "), ("resource_id", "é")];
    german.told(
        "rules",
        &wrong,
        &["darf ein * nur statt allem nach einem Punkt haben", "darf nur 1 bis 64 Zeichen"],
    );
    for payload in ["[]", "{", &"[".repeat(200)] {
        german.told(
            &format!("connections/{id}/test"),
            &[("event", "x"), ("payload", payload)],
            &["#payload"],
        );
    }
    for url in [
        "http://a.example/",
        "https://10.0.0.1/",
        "https://a",
        "https://a.lan/",
        "https://a.example:22/",
        "https://u:p@a.example/",
        "https://a.example/#x",
        "x y",
        "https://a.example\\",
    ] {
        german.told(
            "connections/new",
            &[("type", "webhook"), ("name", "C"), ("url", url)],
            &["#url"],
        );
    }
    // What is settled or under way.
    let event = tenant.emit(edge, "order.paid");
    edge.run_for(5_000);
    let rule = edge.control.ask("select id from rules")[0].as_str().expect("an id").to_owned();
    for (below, words) in [
        (format!("events/{event}/rules/{rule}/cancel"), "Es gibt nichts abzubrechen"),
        (format!("connections/{id}/probe"), "Auf dieser Verbindung wartet nichts"),
    ] {
        german.told(&below, &[], &[words]);
    }
    tenant.post_ok(edge, &format!("/api/v1/connections/{id}/deactivate"));
    let paused = format!("events/{event}/rules/{rule}/retry");
    german.told(&paused, &[], &["Die Verbindung dieser Zustellung ist pausiert"]);
}
