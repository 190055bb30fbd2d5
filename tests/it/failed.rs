//! Failed letters as customers see them: what died, why, sending it again, and who may.

use posthorn::domain::base::limits::LIST_READS_MAX;
use posthorn::domain::base::time::{DAY_MS, MINUTE_MS, rfc3339};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant, text};
use crate::visit::Visitor;

pub const HOOK: &str = "https://hooks.example.com/a";
const OTHER: &str = "https://hooks.example.com/b";

/// A tenant with two connections whose endpoints refuse everything for good.
pub struct World {
    pub edge: Edge,
    pub tenant: Tenant,
    pub connection: String,
    pub rule: String,
    pub other: String,
}

pub fn world() -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": HOOK}));
    let (other, _) = tenant.route(&edge, "y", json!({"url": OTHER}));
    let world = World { edge, tenant, connection, rule, other };
    for url in [HOOK, OTHER] {
        let refusal = |_| Reply::status(500).header("webhook-delivery", "abort-message");
        world.edge.receivers.script(url, refusal);
    }
    world
}

impl World {
    pub fn mend(&self) {
        self.edge.receivers.script(HOOK, |_| Reply::status(200));
    }

    /// Emits this many events of a name that die, one each second; their ids.
    pub fn failed(&self, event: &str, count: usize) -> Vec<String> {
        let one = |_| {
            let id = self.tenant.emit(&self.edge, event);
            self.edge.run_for(1_000);
            id
        };
        (0..count).map(one).collect()
    }

    /// Copies the failed delivery of an event so often, each to an event of its own, one a second
    /// before the last.
    pub fn copies(&self, event: &str, count: usize) {
        let log = &self.edge.logs[0];
        let id = "substr(d.event, 1, 24) || printf('%012x', n)";
        let numbers = format!(
            "(with recursive c(n) as (select 1 union all select n + 1 from c limit {count}) \
             select n from c)"
        );
        for (table, columns, key) in [
            ("events", "name, created_by, created_at_ms, payload_bytes, payload", "fan_out"),
            (
                "deliveries",
                "connection, rule, state, open, attempts, payload_bytes, created_at_ms",
                "reason",
            ),
        ] {
            let made = log.execute(&format!(
                "insert into {table} (workspace, event, {columns}, {key}) \
                 select d.workspace, {id}, {columns}, {key} from {table} d, {numbers} \
                 where d.event = '{event}'"
            ));
            assert_eq!(made, count, "{table}");
        }
    }

    pub fn visitor(&self, more: Value) -> Visitor {
        Visitor::new(&self.edge, &self.tenant, more)
    }

    pub fn count(&self, state: &str) -> Value {
        let sql = format!("select count(*) from deliveries where state = '{state}'");
        self.edge.logs[0].ask(&sql)[0].clone()
    }

    /// The fields of a form for the last hour.
    pub fn range(&self) -> Vec<(&'static str, String)> {
        let now_ms = self.edge.now_ms();
        let minute = |ms: i64| rfc3339(ms)[..16].to_owned();
        vec![
            ("connection", String::new()),
            ("event", String::new()),
            ("since", minute(now_ms - 60 * MINUTE_MS)),
            ("until", minute(now_ms + MINUTE_MS)),
        ]
    }
}

/// Sends a form with these fields.
pub fn send(
    world: &World,
    visitor: &Visitor,
    below: &str,
    fields: &[(&'static str, String)],
) -> Answered {
    let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    visitor.post(&world.edge, below, &fields)
}

/// The same fields with others in their places.
pub fn with(
    mut fields: Vec<(&'static str, String)>,
    others: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    for (name, value) in others {
        fields.retain(|(known, _)| known != name);
        fields.push((name, (*value).to_owned()));
    }
    fields
}

pub fn location(answer: &Answered, visitor: &Visitor) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text);
    let to = answer.headers["location"].to_str().expect("text");
    to.strip_prefix(&visitor.path("")).expect("a page of the session").to_owned()
}

/// Where ids stand in a page, in order.
fn places(page: &str, ids: &[String]) -> Vec<usize> {
    let place = |id: &String| page.find(&format!("/events/{id}\"")).unwrap_or(usize::MAX);
    ids.iter().map(place).collect()
}

#[test]
fn one_is_sent_again_from_the_list_it_was_seen_on() {
    let world = world();
    let edge = &world.edge;
    let ids = world.failed("x", 2);
    world.mend();
    let visitor = world.visitor(json!({"role": "member"}));
    let below = format!("events/{}/rules/{}/retry", ids[0], world.rule);
    let only = world.connection.as_str();
    for (fields, expected) in [
        (vec![("after", "failed"), ("connection", "")], "failed?done=retried".to_owned()),
        (
            vec![("after", "failed"), ("connection", only)],
            format!("failed?connection={only}&done=retried"),
        ),
        (vec![("after", "//evil.example")], format!("events/{}?done=retried", ids[0])),
    ] {
        let sent = visitor.post(edge, &below, &fields);
        assert_eq!(location(&sent, &visitor), expected);
        edge.run_for(MINUTE_MS);
    }
    let page = visitor.get(edge, "failed?done=retried").text;
    assert!(
        page.contains("It is being sent again.")
            && page.contains(&ids[1])
            && !page.contains(&ids[0])
    );
}

#[test]
fn a_list_goes_on_newest_first_over_all_connections() {
    let world = world();
    let (edge, visitor) = (&world.edge, world.visitor(json!({})));
    let mut ids = Vec::new();
    for event in ["x", "y"].repeat(15) {
        ids.extend(world.failed(event, 1));
    }
    ids.reverse();
    let page = visitor.get(edge, "failed").text;
    let shown = places(&page, &ids);
    assert!(shown[..25].is_sorted() && shown[24] < usize::MAX && shown[25] == usize::MAX);
    let next = page.split("failed?cursor=").nth(1).expect("there is more");
    let next = next.split('"').next().expect("its end");
    let page = visitor.get(edge, &format!("failed?cursor={next}")).text;
    let shown = places(&page, &ids[25..]);
    assert!(shown.is_sorted() && shown[4] < usize::MAX && !page.contains("cursor="));
    assert!(!page.contains(&ids[24]));

    let page = visitor.get(edge, &format!("failed?connection={}", world.other)).text;
    for (index, id) in ids.iter().enumerate() {
        assert_eq!(page.contains(id), index % 2 == 0, "{index}");
    }
    for unknown in ["x", &world.tenant.workspace] {
        assert_eq!(visitor.get(edge, &format!("failed?connection={unknown}")).status, 404);
    }
    assert_eq!(visitor.get(edge, "failed?cursor=x").status, 400);
}

#[test]
fn an_event_with_many_failed_deliveries_ends_its_page() {
    let world = world();
    let edge = &world.edge;
    for _ in 0..29 {
        world.tenant.rule(edge, "x", &world.connection);
    }
    let ids = world.failed("x", 1);
    edge.run_for(60 * MINUTE_MS);
    let newer = world.failed("x", 1);
    edge.run_for(60 * MINUTE_MS);
    assert_eq!(world.count("failed"), json!(60));
    let visitor = world.visitor(json!({}));
    let page = visitor.get(edge, "failed").text;
    assert_eq!(page.matches("Send again").count(), 30);
    assert!(page.contains(&newer[0]) && !page.contains(&ids[0]));
    let next = page.split("failed?cursor=").nth(1).expect("there is more");
    let page =
        visitor.get(edge, &format!("failed?cursor={}", &next[..next.find('"').expect("end")]));
    assert_eq!(page.text.matches("Send again").count(), 30);
    assert!(page.text.contains(&ids[0]) && !page.text.contains("cursor="));
}

#[test]
fn a_page_reads_little_however_much_is_failed_or_delivered() {
    let world = world();
    let (edge, visitor) = (&world.edge, world.visitor(json!({})));
    let id = world.failed("x", 1).remove(0);
    world.copies(&id, 30);
    let steps = || {
        edge.logs[0].steps_max.set(0);
        assert_eq!(visitor.get(edge, "failed").status, 200);
        edge.logs[0].steps_max.get()
    };
    let few = steps();
    world.copies(&world.failed("x", 1)[0], 20_000);
    let id = world.failed("x", 1).remove(0);
    world.copies(&id, 20_000);
    edge.logs[0].execute(&format!(
        "update deliveries set state = 'delivered' where event > '{}' and rule > 0",
        &id[..24]
    ));
    world.failed("x", 1);
    let many = steps();
    assert!(many < few * 2 && many < LIST_READS_MAX as i32 * 2, "{few} steps, then {many}");
}

#[test]
fn a_session_of_one_resource_sees_what_died_of_it() {
    let world = world();
    let edge = &world.edge;
    let mut ids = Vec::new();
    for number in ["7", "8"] {
        let event = json!({"event": "x", "resource": "order", "resource_id": number,
            "payload": {}});
        let made = world.tenant.emit_text(edge, &event.to_string()).json();
        ids.push(text(&made, "/event/id"));
    }
    edge.run_for(1_000);
    let more = json!({"session_type": "resource", "resource": "order", "resource_id": "7"});
    let visitor = world.visitor(more);
    let page = visitor.get(edge, "failed").text;
    assert!(page.contains(&ids[0]) && !page.contains(&ids[1]), "{page}");
    assert!(page.contains("Send again") && !page.contains("Send many"), "{page}");
    assert!(!page.contains("/replays"), "{page}");
    assert_eq!(send(&world, &visitor, "replays/new", &world.range()).status, 404);
    let other = visitor.get(edge, &format!("failed?connection={}", world.other)).text;
    assert!(!other.contains(&ids[0]) && other.contains("No failed deliveries"));
}

#[test]
fn another_workspaces_and_hidden_ones_are_not_there() {
    let world = world();
    let edge = &world.edge;
    let id = world.failed("x", 1).remove(0);
    let all = json!({"since": rfc3339(edge.now_ms() - DAY_MS), "until": rfc3339(edge.now_ms()),
        "connection": world.connection});
    let path = format!("/api/v1/workspaces/{}/replays", world.tenant.workspace);
    let replay = text(&world.tenant.post(edge, &path, &all), "/replay/id");
    let hide = json!({"hidden": true, "name": "A hidden one"});
    let at = format!("/api/v1/connections/{}", world.connection);
    world.tenant.call(edge, "PATCH", &at, &hide);
    let visitor = world.visitor(json!({"role": "admin"}));
    for below in ["failed", "replays", "dashboard"] {
        let page = visitor.get(edge, below).text;
        for word in [&id, &replay, &world.connection] {
            assert!(below == "dashboard" || !page.contains(word.as_str()), "{below}: {page}");
        }
        assert!(!page.contains("A hidden one"), "{below}: {page}");
    }
    assert_eq!(visitor.get(edge, &format!("replays/{replay}")).status, 404);
    assert_eq!(visitor.post(edge, &format!("replays/{replay}/stop"), &[]).status, 404);
    let fields = with(world.range(), &[("connection", &world.connection)]);
    assert_eq!(send(&world, &visitor, "replays/new", &fields).status, 404);
    let all = send(&world, &visitor, "replays/new", &world.range());
    assert!(all.text.contains("There are no such deliveries in this"), "{}", all.text);

    let mut sister = world.tenant.clone();
    let made = sister.post(edge, "/api/v1/workspaces", &json!({"name": "Sister"}));
    sister.workspace = text(&made, "/workspace/id");
    let stranger = Visitor::new(edge, &sister, json!({"role": "admin"}));
    assert!(stranger.get(edge, "failed").text.contains("No failed deliveries"));
    assert_eq!(stranger.get(edge, &format!("failed?connection={}", world.other)).status, 404);
    world.failed("y", 1);
    let none = send(&world, &stranger, "replays/new", &world.range());
    assert!(none.text.contains("There are no such deliveries in this"), "{}", none.text);
}

#[test]
fn the_overview_names_each_troubled_connection_once() {
    let world = world();
    let edge = &world.edge;
    edge.receivers.script(HOOK, |_| Reply::status(410));
    edge.receivers.script(OTHER, |_| Reply::status(500));
    world.failed("x", 1);
    for _ in 0..6 {
        world.tenant.emit(edge, "y");
    }
    edge.run_for(20_000);
    let page = world.visitor(json!({})).get(edge, "dashboard").text;
    let attention = page.split("<h2>Connections</h2>").nth(1).expect("a section");
    let attention = attention.split(" id=\"last-day\"").next().expect("its end");
    for connection in [&world.connection, &world.other] {
        assert_eq!(attention.matches(&format!("/connections/{connection}\"")).count(), 1);
    }
    for word in ["410 Gone", "1 failed delivery.", "only one delivery at a time"] {
        assert_eq!(attention.matches(word).count(), 1, "{word}: {attention}");
    }
    assert!(attention.contains(&format!("failed?connection={}", world.connection)));
    let only = json!({"session_type": "resource", "resource": "order", "resource_id": "7"});
    let page = world.visitor(only).get(edge, "dashboard").text;
    for word in ["failed delivery.", "only one delivery at a time"] {
        assert!(!page.contains(word), "{page}");
    }
}

#[test]
fn failed_deliveries_of_one_connection_hide_none_of_another() {
    let world = world();
    let id = world.failed("x", 1).remove(0);
    world.copies(&id, 600);
    world.failed("y", 1);
    let page = world.visitor(json!({})).get(&world.edge, "dashboard").text;
    for words in ["25 or more failed deliveries.", ">1 failed delivery."] {
        assert_eq!(page.matches(words).count(), 1, "{words}: {page}");
    }
}

#[test]
fn an_event_with_many_deliveries_unfolds_what_was_not_delivered() {
    let world = world();
    let (edge, tenant) = (&world.edge, &world.tenant);
    for _ in 0..3 {
        tenant.route(edge, "x", json!({"url": "https://hooks.example.com/c"}));
    }
    let many = world.failed("x", 1).remove(0);
    let few = world.failed("y", 1).remove(0);
    let visitor = world.visitor(json!({}));
    let page = visitor.get(edge, &format!("events/{many}")).text;
    let folded: Vec<&str> = page.split("<article class=\"delivery\" id=").skip(1).collect();
    assert_eq!(folded.len(), 4);
    for one in folded {
        // A link in a summary would be a button within a button.
        assert!(one.contains("\"><h3><a href="), "{one}");
        let (_, fold) = one.split_once("><details").expect("it is folded or unfolded");
        let is_open = fold.starts_with(" open><summary>");
        assert_eq!(is_open, one.contains("data-state=\"failed\">Failed"), "{one}");
    }
    let page = visitor.get(edge, &format!("events/{few}")).text;
    let one = page.split("<article class=\"delivery\" id=").nth(1).expect("a delivery");
    let heading = one.split("<ol").next().expect("its beginning");
    assert!(heading.contains("<h3>") && !heading.contains("<summary>"), "{one}");
}
