//! Who may do what in the embed: every row of the route table with every kind of session, and with
//! whoever has none.

use http::Method;
use posthorn::domain::base::time::rfc3339;
use posthorn::http::access::Access;
use posthorn::ports::Clock;
use posthorn::routes::{Route, routes};
use serde_json::{Value, json};

use crate::edge::{Edge, Reply, START_MS};
use crate::tenant::{Answered, ORIGIN, Tenant, call};
use crate::visit::Visitor;

struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    rule: String,
    event: String,
    replay: String,
}

const DUE: (&str, &str) = ("order", "7");

fn world() -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let url = json!({"url": "https://hooks.example.com/a"});
    let connection = tenant.connection(&edge, url);
    let body = json!({"workspace": tenant.workspace, "connection": connection, "event": "x",
        "resource": DUE.0, "resource_id": DUE.1, "metadata": {"action": "send_webhook"}});
    let rule = crate::tenant::text(&tenant.post(&edge, "/api/v1/rules", &body), "/rule/id");
    let event = json!({"event": "x", "resource": DUE.0, "resource_id": DUE.1, "payload": {"a": 1}});
    let event = tenant.emit_text(&edge, &event.to_string()).json();
    let event = crate::tenant::text(&event, "/event/id");
    edge.run_for(1_000);
    let range = json!({"since": rfc3339(START_MS), "until": rfc3339(edge.now_ms()),
        "status": "completed"});
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    let replay = crate::tenant::text(&tenant.post(&edge, &path, &range), "/replay/id");
    World { edge, tenant, connection, rule, event, replay }
}

fn embed_rows() -> Vec<&'static Route<Edge>> {
    routes::<Edge>().iter().filter(|route| route.path.starts_with("/embed/s/")).collect()
}

impl World {
    /// Leaves a delivery that waits for its retry.
    fn owe(&self) {
        self.edge.receivers.script("https://hooks.example.com/a", |_| Reply::status(500));
        let event = json!({"event": "x", "resource": DUE.0, "resource_id": DUE.1, "payload": {}});
        assert_eq!(self.tenant.emit_text(&self.edge, &event.to_string()).status, 201);
        self.edge.run_for(1_000);
    }

    /// The row's path below the session, with the tenant's own ids.
    fn below(&self, route: &Route<Edge>) -> String {
        let below = route.path.strip_prefix("/embed/s/:session").expect("a row of the embed");
        let kind = below.trim_start_matches("/live").split('/').nth(1).unwrap_or_default();
        let id = match kind {
            "connections" => &self.connection,
            "rules" => &self.rule,
            "replays" => &self.replay,
            _ => &self.event,
        };
        let below = below.trim_start_matches('/').replace(":rule_id", &self.rule);
        let below = below.replace(":id", id).replace(":n", "1");
        if below.starts_with("live/") {
            return format!("{below}?workspace={}&before=~", self.tenant.workspace);
        }
        below
    }

    /// The way to poll for a page that says it itself.
    fn poll(&self, route: &Route<Edge>, visitor: &Visitor) -> Option<String> {
        let page = self.below(route).strip_prefix("live/")?.split('?').next()?.to_owned();
        if !route.path.contains(":id") {
            return None;
        }
        visitor.poll(&self.edge, &page)
    }

    /// Fields with which the row's form is taken.
    fn fields(&self, route: &Route<Edge>) -> Vec<(&str, &str)> {
        if route.path.contains("/:session/replays") {
            let range = [("since", "2026-01-01T00:00"), ("until", "2026-01-02T00:00")];
            return [range.as_slice(), &[("id", &self.event), ("count", "0")]].concat();
        }
        match route.path.rsplit('/').next() {
            Some("new" | "edit") => vec![
                ("name", "Orders"),
                ("url", "https://hooks.example.com/b"),
                ("http_method", "POST"),
                ("payload_mode", "raw"),
                ("auth_scheme", "none"),
                ("signing_algorithm", "hmac-sha256"),
                ("signing_scheme", "standard"),
            ],
            Some("secret") => vec![("newest", "1"), ("secret", "generate")],
            Some("test") => vec![("event", "posthorn.test"), ("payload", "{}")],
            Some("theme") => vec![("theme", "dark")],
            Some("rules" | ":id") => vec![("connection", &self.connection), ("event", "y")],
            _ => vec![],
        }
    }

    fn call(&self, route: &Route<Edge>, visitor: &Visitor) -> Answered {
        let below = self.poll(route, visitor).unwrap_or_else(|| self.below(route));
        match route.method == Method::POST {
            true => visitor.post(&self.edge, &below, &self.fields(route)),
            false => visitor.get(&self.edge, &below),
        }
    }

    /// All that a form can change.
    fn dump(&self) -> Vec<Value> {
        let control = [
            "select group_concat(id || settings || active || updated_at_ms) from connections",
            "select group_concat(connection || number || coalesce(expires_at_ms, '')) \
             from connection_secrets",
            "select group_concat(id || event || active || updated_at_ms) from rules",
        ];
        let log = [
            "select count(*) from events",
            "select group_concat(event || state || attempts_before) from deliveries",
            "select group_concat(id || theme || coalesce(cookie_hash, '')) from sessions",
            "select group_concat(id || status) from replays",
        ];
        let control = control.map(|sql| self.edge.control.ask(sql)).into_iter().flatten();
        control.chain(log.map(|sql| self.edge.logs[0].ask(sql)).into_iter().flatten()).collect()
    }
}

/// A kind of session: its name, the fields that make it, and how rows answer it: 200, 403 for what
/// its role may not do, 404 for what is outside its type.
type Kind = (&'static str, Value, fn(Access) -> u16);

fn kinds() -> Vec<Kind> {
    let resource = json!({"session_type": "resource", "resource": DUE.0, "resource_id": DUE.1});
    let with_role = |mut session: Value, role: &str| {
        session["role"] = json!(role);
        session
    };
    let sees = |access| match access {
        Access::Poll | Access::Overview => 200,
        _ => 404,
    };
    let acts = |access| match access {
        Access::ManageRules | Access::Manage => 403,
        _ => 200,
    };
    let acts_on_one = |access| match access {
        Access::Poll | Access::Overview | Access::View | Access::Act => 200,
        Access::ManageRules => 403,
        _ => 404,
    };
    let rules_of_one = |access| match access {
        Access::Poll | Access::Overview | Access::View | Access::Act | Access::ManageRules => 200,
        _ => 404,
    };
    let all = |_| 200;
    vec![
        ("member", with_role(json!({}), "member"), acts),
        ("admin", with_role(json!({}), "admin"), all),
        ("owner", with_role(json!({}), "owner"), all),
        ("member of a resource", with_role(resource.clone(), "member"), acts_on_one),
        ("admin of a resource", with_role(resource, "admin"), rules_of_one),
        ("dashboard", json!({"session_type": "dashboard", "role": "owner"}), sees),
    ]
}

#[test]
fn every_row_answers_its_own_sessions_only() {
    for (kind, more, may) in kinds() {
        for route in embed_rows() {
            if route.access == Access::SessionToken {
                continue;
            }
            let row = format!("{} {} as {kind}", route.method, route.path);
            let world = world();
            if route.path.ends_with("/cancel") {
                world.edge.logs[0].execute("update deliveries set state = 'held'");
            }
            if route.path.ends_with("/probe") {
                world.owe();
            }
            let visitor = Visitor::new(&world.edge, &world.tenant, more.clone());
            let before = world.dump();
            let answer = world.call(route, &visitor);
            // The history of a connection is about all resources, so it is not for one of them, and
            // a poll for a list must be for its own list.
            let is_wide = ["live/connections/:id", "live/events", "live/replays/:id"];
            let is_wide = is_wide.iter().any(|below| route.path.ends_with(below));
            let is_walled = is_wide && kind.ends_with("resource")
                || route.path.contains("/live/")
                    && !route.path.ends_with("/live/events")
                    && kind == "dashboard";
            if is_walled {
                assert_eq!(answer.status, 401, "{row}: {}", answer.text);
            } else if route.path.ends_with("/events/:id/payload") && may(route.access) == 200 {
                assert_eq!(answer.status, 403, "{row}: it needs a scope, too");
            } else if may(route.access) == 200 {
                assert!([200, 303].contains(&answer.status), "{row}: {}", answer.text);
            } else {
                assert_eq!(answer.status, may(route.access), "{row}: {}", answer.text);
                assert_eq!(world.dump(), before, "{row} changed something");
            }
        }
    }
}

#[test]
fn nobody_gets_in_without_the_sessions_own_cookie() {
    for route in embed_rows() {
        let world = world();
        let (edge, tenant) = (&world.edge, &world.tenant);
        let visitor = Visitor::new(edge, tenant, json!({"role": "admin"}));
        let other = Visitor::new(edge, tenant, json!({"role": "admin"}));
        let before = world.dump();
        let path = visitor.path(&world.below(route));
        let machine = format!("Bearer {}", tenant.token(edge));
        let access = format!("Bearer {}", visitor.access_token);
        let disguised = format!("posthorn={}", visitor.access_token);
        let cut = &visitor.cookie[..visitor.cookie.len() - 1];
        for headers in [
            vec![],
            vec![("cookie", "posthorn=")],
            vec![("cookie", cut)],
            vec![("cookie", other.cookie.as_str())],
            vec![("cookie", disguised.as_str())],
            vec![("authorization", machine.as_str())],
            vec![("authorization", access.as_str())],
            vec![("x-meshes-publishable-key", tenant.publishable_key.as_str())],
        ] {
            let mut all = headers.clone();
            all.push(("origin", ORIGIN));
            all.push(("content-type", "application/x-www-form-urlencoded"));
            let answer = call(edge, route.method.as_str(), &path, &all, b"");
            let row = format!("{} {} with {headers:?}", route.method, route.path);
            assert_eq!(answer.status, 401, "{row}: {}", answer.text);
        }
        assert_eq!(world.dump(), before, "{} changed something", route.path);
    }
}

#[test]
fn a_session_that_is_over_opens_nothing() {
    for route in embed_rows() {
        if route.access == Access::SessionToken {
            continue;
        }
        for is_revoked in [true, false] {
            let world = world();
            let (edge, tenant) = (&world.edge, &world.tenant);
            let visitor = Visitor::new(edge, tenant, json!({"role": "admin", "ttl_seconds": 300}));
            if is_revoked {
                let path = format!("/api/v1/sessions/{}", visitor.session);
                assert_eq!(tenant.call(edge, "DELETE", &path, &Value::Null).status, 200);
            } else {
                edge.run_for(300_000);
            }
            let before = world.dump();
            let answer = world.call(route, &visitor);
            assert_eq!(answer.status, 401, "{} {}", route.method, route.path);
            assert_eq!(world.dump(), before, "{} changed something", route.path);
        }
    }
}

#[test]
fn another_workspaces_records_do_not_exist() {
    for route in embed_rows() {
        if !route.path.contains(":id") {
            continue;
        }
        let world = world();
        let edge = &world.edge;
        // Of another organization, and of the same one.
        let stranger = Tenant::new(edge, "Stranger");
        let mut sister = world.tenant.clone();
        let made = sister.post(edge, "/api/v1/workspaces", &json!({"name": "Sister"}));
        sister.workspace = crate::tenant::text(&made, "/workspace/id");
        for other in [&stranger, &sister] {
            let visitor = Visitor::new(edge, other, json!({"role": "admin"}));
            let before = world.dump();
            let answer = world.call(route, &visitor);
            // A poll names the workspace, and is refused when that is another.
            let expected = if route.access == Access::Poll { 401 } else { 404 };
            let row = format!("{} {}", route.method, route.path);
            assert_eq!(answer.status, expected, "{row}: {}", answer.text);
            assert!(!answer.text.contains("hooks.example.com"), "{row}: {}", answer.text);
            assert_eq!(world.dump(), before, "{row} changed something");
        }
    }
}

/// A world whose only connection is hidden, with a replay of what went to it.
fn hidden_world() -> World {
    let mut world = world();
    let (edge, tenant) = (&world.edge, &world.tenant);
    let range = json!({"since": rfc3339(START_MS), "until": rfc3339(edge.now_ms()),
        "status": "completed", "connection": world.connection});
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    let replay = crate::tenant::text(&tenant.post(edge, &path, &range), "/replay/id");
    let at = format!("/api/v1/connections/{}", world.connection);
    assert_eq!(tenant.call(edge, "PATCH", &at, &json!({"hidden": true})).status, 200);
    world.replay = replay;
    world
}

#[test]
fn hidden_connections_do_not_exist() {
    let of_it = ["connections/:id", "rules/:id", "rules/:rule_id", "replays/:id"];
    for route in embed_rows() {
        if route.access == Access::SessionToken {
            continue;
        }
        let world = hidden_world();
        let visitor = Visitor::new(&world.edge, &world.tenant, json!({"role": "owner"}));
        let before = world.dump();
        let answer = world.call(route, &visitor);
        let row = format!("{} {}", route.method, route.path);
        for told in [&world.connection, &world.rule, "hooks.example.com/a"] {
            let shown = answer.text.replace(&world.below(route), "");
            assert!(!shown.contains(told), "{row} tells {told}: {}", answer.text);
        }
        if of_it.iter().any(|part| route.path.contains(part)) {
            let expected = if route.access == Access::Poll { 401 } else { 404 };
            assert_eq!(answer.status, expected, "{row}: {}", answer.text);
            assert_eq!(world.dump(), before, "{row} changed something");
        } else {
            assert!(answer.status < 500, "{row}: {}", answer.text);
        }
        // The product itself manages them.
        let at = format!("/api/v1/connections/{}", world.connection);
        assert_eq!(world.tenant.get(&world.edge, &at)["hidden"], true);
    }
}

#[test]
fn what_goes_to_hidden_connections_is_in_no_list() {
    let world = hidden_world();
    let edge = &world.edge;
    edge.logs[0].execute("update deliveries set state = 'failed'");
    let visitor = Visitor::new(edge, &world.tenant, json!({"role": "owner"}));
    let failed = visitor.get(edge, "events?status=failed").text;
    assert!(!failed.contains(&world.event), "{failed}");
    for below in ["events", "dashboard", &format!("events/{}", world.event)] {
        let page = visitor.get(edge, below).text;
        assert!(page.contains(&world.event), "{below}: {page}");
        assert!(!page.contains("data-state=\"failed\""), "{below}: {page}");
    }
    let at = format!("failed?connection={}", world.connection);
    assert_eq!(visitor.get(edge, &at).status, 404);
    // By a form, neither.
    let fields = [("connection", world.connection.as_str()), ("event", "y")];
    assert_eq!(visitor.post(edge, "rules", &fields).status, 404);
}

#[test]
fn another_resources_records_do_not_exist() {
    let world = world();
    let edge = &world.edge;
    let more = json!({"session_type": "resource", "resource": DUE.0, "resource_id": "8",
        "role": "admin", "scopes": ["events.payload:read"]});
    let visitor = Visitor::new(edge, &world.tenant, more);
    for route in embed_rows() {
        let about_it = route.path.contains("/rules/:id") || route.path.contains("events/:id");
        if !about_it {
            continue;
        }
        let before = world.dump();
        let answer = world.call(route, &visitor);
        let expected = if route.access == Access::Poll { 401 } else { 404 };
        assert_eq!(answer.status, expected, "{}: {}", route.path, answer.text);
        assert_eq!(world.dump(), before, "{} changed something", route.path);
    }
    let own = format!(
        "live/events?workspace={}&before=~&resource=order&resource_id=8",
        world.tenant.workspace
    );
    assert_eq!(visitor.get(edge, &own).status, 200);
    assert_eq!(visitor.get(edge, &own.replace("id=8", "id=7")).status, 401);
    for below in ["dashboard", "events", "rules"] {
        let page = visitor.get(edge, below).text;
        assert!(!page.contains(&world.event) && !page.contains(&world.rule), "{below}: {page}");
    }
    // A rule that it makes is for its own resource, whatever its form says.
    let fields = [("connection", world.connection.as_str()), ("event", "z"), ("resource_id", "7")];
    assert_eq!(visitor.post(edge, "rules", &fields).status, 303);
    let limits = edge.control.ask("select resource || resource_id from rules where event = 'z'");
    assert_eq!(limits, [json!("order8")]);
}

#[test]
fn forms_of_other_pages_are_refused() {
    for route in embed_rows().into_iter().filter(|route| route.method == Method::POST) {
        let world = world();
        let visitor = Visitor::new(&world.edge, &world.tenant, json!({"role": "admin"}));
        let (below, fields) = (world.below(route), world.fields(route));
        let before = world.dump();
        for headers in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "https://posthorn.example.evil.example")],
            &[("origin", "http://posthorn.example")],
            &[("origin", ORIGIN), ("sec-fetch-site", "cross-site")],
            &[("origin", ORIGIN), ("sec-fetch-site", "same-site")],
        ] {
            let answer = visitor.post_with(&world.edge, &below, &fields, headers);
            assert_eq!(answer.status, 403, "{} with {headers:?}", route.path);
        }
        if route.access != Access::SessionToken {
            for word in ["", "wrong", &visitor.csrf_token()[1..]] {
                let mut fields = fields.clone();
                fields.push(("csrf_token", word));
                let answer = visitor.post(&world.edge, &below, &fields);
                assert_eq!(answer.status, 403, "{} with the word {word:?}", route.path);
            }
        }
        assert_eq!(world.dump(), before, "{} changed something", route.path);
    }
}
