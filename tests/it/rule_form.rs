//! The form of a rule: a filter without JSON, tried on the last events; names that nobody knows.

use serde_json::json;

use crate::edge::Edge;
use crate::tenant::Tenant;
use crate::visit::Visitor;

const HOOK: &str = "https://hooks.example.com/rules";

/// A page without what stands around its words.
fn after<'a>(page: &'a str, words: &str) -> &'a str {
    page.split_once(words).unwrap_or_else(|| panic!("no {words} in {page}")).1
}

#[test]
fn a_filter_is_made_of_conditions_and_comes_back_as_them() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": HOOK}));
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let fields = [
        ("connection", connection.as_str()),
        ("event", "order.paid"),
        ("filter_join", "or"),
        ("filter_path_0", "order.total"),
        ("filter_is_0", "gt"),
        ("filter_value_0", "100"),
        ("filter_path_1", "customer.tier"),
        ("filter_is_1", "eq"),
        ("filter_value_1", "gold"),
    ];
    let saved = visitor.post(&edge, "rules", &fields);
    assert_eq!(saved.status, 303, "{}", saved.text);
    let stored = edge.control.ask("select filter from rules");
    let expected =
        r#"{"or":[{"gt":100,"path":"order.total"},{"eq":"gold","path":"customer.tier"}]}"#;
    assert_eq!(stored, [json!(expected)]);
    let id = edge.control.ask("select id from rules")[0].as_str().expect("an id").to_owned();
    let page = visitor.get(&edge, &format!("rules/{id}")).text;
    for words in ["value=\"order.total\"", "value=\"gold\"", "value=\"or\" selected"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    // One that has another shape stays JSON, and JSON is used instead of the conditions.
    let nested = r#"{"not":{"path":"a","eq":1}}"#;
    let more = fields.into_iter().chain([("filter", nested)]).collect::<Vec<_>>();
    let more: Vec<_> = more.into_iter().filter(|(name, _)| *name != "version").collect();
    let saved = visitor.post(&edge, &format!("rules/{id}"), &more);
    assert_eq!(saved.status, 303, "{}", saved.text);
    let page = visitor.get(&edge, &format!("rules/{id}")).text;
    assert!(after(&page, "name=\"filter\"").contains("&quot;not&quot;"), "{page}");
    assert!(!page.contains("value=\"gold\""), "{page}");
    // What is wrong is told beside what was typed.
    let wrong = [
        ("connection", connection.as_str()),
        ("event", "order.paid"),
        ("filter_path_0", "a..b"),
        ("filter_is_0", "gt"),
        ("filter_value_0", "true"),
    ];
    let page = visitor.post(&edge, "rules", &wrong);
    assert_eq!(page.status, 400);
    assert!(page.text.contains("value=\"a..b\"") && page.text.contains("single dots"));
}

#[test]
fn a_filter_is_tried_on_the_last_events_by_who_may_read_them() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": HOOK}));
    let example = json!({"label": "Paid", "example": "{\"total\":500}"});
    tenant.call(&edge, "PUT", "/api/v1/event-types/order.paid", &example);
    let emit = |event: &str, total: u32| {
        let body = json!({"event": event, "payload": {"total": total, "secret": "payload-word"}});
        let sent = tenant.emit_text(&edge, &body.to_string()).json();
        sent["event"]["id"].as_str().expect("an id").to_owned()
    };
    let (small, large) = (emit("order.paid", 5), emit("order.paid", 200));
    emit("user.made", 200);
    let fields = [
        ("connection", connection.as_str()),
        ("event", "order.*"),
        ("do", "try"),
        ("filter_path_0", "total"),
        ("filter_is_0", "gt"),
        ("filter_value_0", "100"),
    ];
    let read = json!({"role": "admin", "scopes": ["events.payload:read"]});
    let page = Visitor::new(&edge, &tenant, read).post(&edge, "rules", &fields);
    assert_eq!(page.status, 200, "{}", page.text);
    let tried = after(&page.text, "1 of 2 would be sent");
    let of = |id: &str| after(tried, &format!("events/{id}\"")).split("</li>").next().expect("it");
    assert!(of(&large).contains("is sent<") && of(&small).contains("is not sent"), "{tried}");
    assert!(page.text.contains("<option value=\"secret\">"), "its paths are suggested");
    assert!(!page.text.contains("payload-word"));
    assert_eq!(edge.control.ask("select count(*) from rules"), [json!(0)], "nothing is saved");
    // Who may not read payloads tries the example.
    let fields = fields
        .map(|(name, value)| if name == "event" { (name, "order.paid") } else { (name, value) });
    let other = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = other.post(&edge, "rules", &fields).text;
    let tried = after(&page, "1 of 1 would be sent");
    assert!(tried.contains("The example of this event"), "{tried}");
    assert!(!page.contains(&large), "{page}");
}

#[test]
fn a_rule_for_a_name_that_nobody_knows_is_saved_with_a_word() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": HOOK}));
    tenant.emit(&edge, "order.paid");
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    for (event, done) in
        [("order.paid", "saved"), ("order.*", "saved"), ("order.payed", "saved-unknown")]
    {
        let fields = [("connection", connection.as_str()), ("event", event)];
        let saved = visitor.post(&edge, "rules", &fields);
        let to = saved.headers["location"].to_str().expect("text").to_owned();
        assert_eq!((saved.status, to), (303, visitor.path(&format!("rules?done={done}"))));
    }
    let page = visitor.get(&edge, "rules?done=saved-unknown").text;
    assert_eq!(page.matches("check the spelling").count(), 1, "{page}");
    assert_eq!(page.matches("Check the spelling").count(), 1, "the row says so, too: {page}");
    for choice in ["order.paid", "order.*", "*"] {
        assert!(page.contains(&format!("<option value=\"{choice}\">")), "{choice}: {page}");
    }
}

#[test]
fn event_types_are_shown_as_the_product_described_them() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.connection(&edge, json!({"url": HOOK}));
    let described = json!({"label": "Paid", "description": "Money came in.", "group": "Orders",
        "example": "{\"total\":5.0}"});
    tenant.call(&edge, "PUT", "/api/v1/event-types/order.paid", &described);
    let secret = json!({"label": "Not yet", "visible": false, "example": "{}"});
    tenant.call(&edge, "PUT", "/api/v1/event-types/order.secret", &secret);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = visitor.get(&edge, "event-types").text;
    assert!(page.contains("Money came in.") && page.contains("event-types?key=order.paid"));
    assert!(!page.contains("order.secret"), "{page}");
    let page = visitor.get(&edge, "event-types?key=order.paid").text;
    assert!(page.contains("&quot;total&quot;: 5.0"), "the example is laid out: {page}");
    assert!(page.contains("rules?event=order.paid"), "{page}");
    let page = visitor.get(&edge, "rules?event=order.paid").text;
    assert!(page.contains("name=\"event\" type=\"text\" value=\"order.paid\""), "{page}");
    for key in ["order.secret", "none", ""] {
        let below = format!("event-types?key={key}");
        assert_eq!(visitor.get(&edge, &below).status, 404, "{below}");
    }
}
