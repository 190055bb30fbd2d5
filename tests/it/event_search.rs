//! Finding events on the page: filters that stay in the address, and files of what they find.

use posthorn::domain::base::time::rfc3339;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;
use crate::visit::Visitor;

const HOOK: &str = "https://hooks.example.com/search";
const OTHER: &str = "https://hooks.example.com/search-b";

struct World {
    edge: Edge,
    tenant: Tenant,
    /// Gets all events; its name begins like a formula.
    first: String,
    /// Gets `order.paid`, and refuses it.
    second: String,
    events: [String; 3],
    /// Before the last event, and after the others.
    between_ms: i64,
}

fn world() -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers
        .script(OTHER, |_| Reply::status(500).header("webhook-delivery", "abort-message"));
    let (first, _) = tenant.route(&edge, "*", json!({"url": HOOK}));
    let named = json!({"name": "=SUM(1,2)"});
    tenant.call(&edge, "PATCH", &format!("/api/v1/connections/{first}"), &named);
    let (second, _) = tenant.route(&edge, "order.paid", json!({"url": OTHER}));
    let emit = |event: &str, id: &str| {
        let body = json!({"event": event, "resource": "order", "resource_id": id, "payload": {}});
        let sent = tenant.emit_text(&edge, &body.to_string()).json();
        sent["event"]["id"].as_str().expect("an id").to_owned()
    };
    let (paid, sent) = (emit("order.paid", "7"), emit("order.sent", "7"));
    edge.run_for(120_000);
    let between_ms = edge.now_ms() - 60_000;
    let late = emit("user.made", "8");
    edge.run_for(3_000);
    World { edge, tenant, first, second, events: [paid, sent, late], between_ms }
}

impl World {
    fn visitor(&self) -> Visitor {
        Visitor::new(&self.edge, &self.tenant, json!({"role": "admin"}))
    }

    /// Which of the events a page lists.
    fn listed(&self, page: &str) -> [bool; 3] {
        let table = page.split_once("id=\"events\"").expect("a list").1;
        self.events.each_ref().map(|id| table.contains(&format!("events/{id}\"")))
    }
}

#[test]
fn events_are_found_by_name_status_connection_resource_and_date() {
    let world = world();
    let visitor = world.visitor();
    let at = rfc3339(world.between_ms)[..16].to_owned();
    for (query, expected) in [
        (String::new(), [true, true, true]),
        ("event=order.*".to_owned(), [true, true, false]),
        ("event=order.paid".to_owned(), [true, false, false]),
        ("status=failed".to_owned(), [true, false, false]),
        (format!("connection={}", world.second), [true, false, false]),
        (format!("connection={}&event=order.*", world.first), [true, true, false]),
        ("resource=order&resource_id=8".to_owned(), [false, false, true]),
        (format!("since={at}"), [false, false, true]),
        (format!("until={at}"), [true, true, false]),
        (format!("until={at}&status=completed"), [false, true, false]),
        ("status=nonsense&since=yesterday".to_owned(), [true, true, true]),
    ] {
        let page = visitor.get(&world.edge, &format!("events?{query}"));
        assert_eq!(page.status, 200, "{query}");
        assert_eq!(world.listed(&page.text), expected, "{query}");
        // What was asked for stands in the fields.
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let is_shown = page.text.contains(&format!("value=\"{value}\""));
            assert!(is_shown || value == "nonsense", "{name}={value}: {}", page.text);
        }
    }
    let page = visitor.get(&world.edge, "events").text;
    assert!(page.contains("=SUM(1,2), "), "an event names its connections: {page}");
}

#[test]
fn a_connection_that_pages_leave_out_cannot_be_asked_for() {
    let world = world();
    let path = format!("/api/v1/connections/{}", world.second);
    world.tenant.call(&world.edge, "PATCH", &path, &json!({"hidden": true}));
    let visitor = world.visitor();
    for below in ["events", "events/export"] {
        let below = format!("{below}?connection={}", world.second);
        assert_eq!(visitor.get(&world.edge, &below).status, 404, "{below}");
    }
    let file = visitor.get(&world.edge, "events/export");
    assert_eq!(file.text.lines().count(), 4, "{}", file.text);
    assert!(!file.text.contains(&world.second), "{}", file.text);
}

#[test]
fn older_pages_keep_the_filter_and_lead_back_to_the_newest() {
    let world = world();
    for _ in 0..30 {
        world.tenant.emit(&world.edge, "many.made");
    }
    let visitor = world.visitor();
    let page = visitor.get(&world.edge, "events?event=many.*").text;
    let older = page.split("href=\"").find(|link| link.contains("cursor=")).expect("older ones");
    let older = older.split('"').next().expect("its end").replace("&amp;", "&");
    assert!(older.contains("event=many.*"), "{older}");
    let page = visitor.get_path(&world.edge, &older).text;
    assert_eq!(page.matches("many.<wbr>made</a>").count(), 5, "{page}");
    assert!(page.contains("events?event=many.*\">Newest"), "{page}");
}

#[test]
fn what_is_listed_can_be_taken_along_as_csv_and_as_json_lines() {
    let world = world();
    let visitor = world.visitor();
    let file = visitor.get(&world.edge, "events/export?format=csv&event=order.*");
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"events.csv\"");
    assert_eq!(file.headers["cache-control"], "no-store");
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(lines[0].starts_with("event_id,event,resource,resource_id,accepted_at"));
    assert_eq!(lines.len(), 4, "a line for each delivery: {}", file.text);
    assert!(file.text.contains("\"'=SUM(1,2)\""), "no cell is a formula: {}", file.text);
    let file = visitor.get(&world.edge, "events/export?format=jsonl&status=failed");
    assert_eq!(file.headers["content-type"], "application/x-ndjson");
    let lines: Vec<Value> =
        file.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "both deliveries of the one that failed: {}", file.text);
    let failed = lines.iter().find(|line| line["delivery"] == "failed").expect("it");
    assert_eq!((&failed["event"], &failed["attempts"]), (&json!("order.paid"), &json!(1)));
    assert_eq!(failed["last_error"], json!("Answered 500"));
    // Who sees one resource gets its events alone, and no receiver's words.
    let only = json!({"session_type": "resource", "resource": "order", "resource_id": "7"});
    let narrow = Visitor::new(&world.edge, &world.tenant, only);
    let file = narrow.get(&world.edge, "events/export?format=jsonl");
    assert_eq!(file.text.lines().count(), 3, "{}", file.text);
    assert!(!file.text.contains("Answered"), "{}", file.text);
}

#[test]
fn a_file_has_at_most_ten_thousand_events_and_says_where_it_goes_on() {
    let world = world();
    world.edge.logs[0].execute(&format!(
        "insert into events (workspace, event, name, created_by, created_at_ms, fan_out, \
           payload_bytes, payload) \
         with recursive n (n) as (select 1 union all select n + 1 from n where n < 10200) \
         select workspace, printf('0%07d%s', n, substr(event, 9)), 'many.made', created_by, \
           created_at_ms, '[]', payload_bytes, payload \
         from events cross join n where event = '{}'",
        world.events[0]
    ));
    let visitor = world.visitor();
    let path = "events/export?format=jsonl&event=many.*";
    let file = visitor.get(&world.edge, path);
    let mut lines: Vec<Value> =
        file.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 10_001);
    let last = lines.pop().expect("a last line");
    let next = last["next_cursor"].as_str().expect("where it goes on");
    assert_eq!(file.headers["posthorn-next-cursor"], next);
    let rest = visitor.get(&world.edge, &format!("{path}&cursor={next}"));
    assert!(rest.headers.get("posthorn-next-cursor").is_none());
    lines.extend(rest.text.lines().map(|line| serde_json::from_str(line).expect("JSON")));
    let ids: std::collections::BTreeSet<String> =
        lines.iter().map(|line| line["event_id"].to_string()).collect();
    assert_eq!((lines.len(), ids.len()), (10_200, 10_200));
    // The other kind of file says it in its last line too.
    let file = visitor.get(&world.edge, "events/export?event=many.*");
    assert_eq!(file.text.lines().last(), Some(format!("next_cursor,{next}").as_str()));
}
