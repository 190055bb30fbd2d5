//! Who may call what: every row of the route table with every kind of caller. A row that is not
//! listed in `target` fails the walk, so none can be forgotten.

use posthorn::domain::base::ids::message_id;
use posthorn::http::access::Access;
use posthorn::routes::{Route, routes};
use serde_json::{Value, json};

use crate::edge::{ADMIN_TOKEN, Edge};
use crate::tenant::{Answered, Tenant, call, text};

type Headers<'a> = Vec<(&'a str, &'a str)>;

struct World {
    edge: Edge,
    tenant: Tenant,
    stranger: Tenant,
    connection: String,
    rule: String,
    event: String,
    session: String,
    replay: String,
    erasure: String,
    /// A machine key of the tenant's beside the one that it calls with.
    second_key: String,
}

fn world() -> World {
    let edge = Edge::new();
    let (tenant, stranger) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Stranger"));
    let url = json!({"url": "https://hooks.example.com/a"});
    let (connection, rule) = tenant.route(&edge, "x", url);
    let event = tenant.emit(&edge, "x");
    tenant.call(&edge, "PUT", "/api/v1/event-types/listed", &json!({"label": "Listed"}));
    let session = json!({"workspace_id": tenant.workspace});
    let session = tenant.call(&edge, "POST", "/api/v1/sessions", &session).json();
    let session = text(&session, "/session_id");
    edge.run_for(1_000);
    let path = format!("/api/v1/workspaces/{}/replays", tenant.workspace);
    let replay = text(&tenant.post(&edge, &path, &range()), "/replay/id");
    let path = format!("/api/v1/workspaces/{}/erasures", tenant.workspace);
    let about = json!({"resource": "order", "resource_id": "1"});
    let erasure = text(&tenant.post(&edge, &path, &about), "/erasure/id");
    let second_key = tenant.post(&edge, "/api/v1/machine-keys", &json!({}));
    let second_key = text(&second_key, "/machine_key/access_key");
    World { edge, tenant, stranger, connection, rule, event, session, replay, erasure, second_key }
}

/// What was delivered in the first hour.
fn range() -> Value {
    json!({"status": "completed", "since": "2027-01-15T08:00:00Z", "until": "2027-01-15T09:00:00Z"})
}

impl World {
    /// The row's path with the tenant's own ids.
    fn path(&self, route: &Route<Edge>) -> String {
        let id = match route.path.split('/').nth(3) {
            Some("organizations") => &self.tenant.organization,
            Some("workspaces") => &self.tenant.workspace,
            Some("connections") => &self.connection,
            Some("rules") => &self.rule,
            Some("events") => &self.event,
            Some("sessions") => &self.session,
            Some("replays") => &self.replay,
            _ => "",
        };
        let query = match (route.method.as_str(), route.path) {
            ("GET", "/api/v1/sessions") => format!("?workspace_id={}", self.tenant.workspace),
            _ => String::new(),
        };
        let path = route
            .path
            .replace(":access_key", &self.second_key)
            .replace(":key", "listed")
            .replace(":erasure", &self.erasure)
            .replace(":message_id", &message_id(&self.event, 1))
            .replace(":id", id)
            .replace(":rule_id", &self.rule)
            .replace(":n", "1");
        path + &query
    }

    /// A body with which the row succeeds.
    fn body(&self, route: &Route<Edge>) -> Value {
        let workspace = &self.tenant.workspace;
        let connection = json!({"workspace": workspace, "type": "webhook", "name": "Second",
            "metadata": {"url": "https://hooks.example.com/b"}, "force_delete": true});
        match (route.method.as_str(), route.path) {
            ("GET", _) => Value::Null,
            (_, "/api/v1/organizations" | "/api/v1/machine-keys") => json!({"name": "New"}),
            ("POST", "/api/v1/workspaces") => json!({"name": "Second"}),
            (
                "PUT" | "PATCH",
                "/api/v1/workspaces/:id" | "/api/v1/workspaces/:id/publishable-key",
            ) => json!({"name": "Renamed"}),
            ("DELETE", "/api/v1/workspaces/:id") => json!({"force_delete": true}),
            ("PUT", "/api/v1/connections/:id/mappings/default") => json!({"schema": {}}),
            (_, "/api/v1/connections" | "/api/v1/connections/:id") => connection,
            (_, "/api/v1/rules/test-filter") => {
                json!({"filter": {"path": "a", "eq": 1}, "payload": {}})
            }
            ("PATCH", "/api/v1/rules/:id") => json!({"event": "y"}),
            (_, "/api/v1/rules" | "/api/v1/rules/:id") => json!({"workspace": workspace,
                "connection": self.connection, "event": "y",
                "metadata": {"action": "send_webhook"}}),
            (_, "/api/v1/events") => json!({"workspace": workspace, "event": "x", "payload": {}}),
            (_, "/api/v1/events/bulk") => {
                json!([{"workspace": workspace, "event": "x", "payload": {}}])
            }
            (_, "/api/v1/event-types/:key") => json!({"label": "Listed"}),
            ("PATCH", "/api/v1/organization") => json!({"name": "Renamed"}),
            ("POST", "/api/v1/sessions") => json!({"workspace_id": workspace}),
            (
                "DELETE",
                "/api/v1/sessions/:id" | "/api/v1/replays/:id" | "/api/v1/machine-keys/:access_key",
            ) => json!({}),
            (_, "/api/v1/workspaces/:id/replays" | "/api/v1/workspaces/:id/cancellations") => {
                range()
            }
            ("POST", "/api/v1/workspaces/:id/erasures") => json!({"external_user_id": "nobody"}),
            ("PATCH", "/api/v1/organizations/:id") => json!({"suspended": false}),
            ("POST", "/api/v1/health/keys/reseal") => json!({}),
            ("DELETE", "/api/v1/organizations/:id" | "/api/v1/events/:id/payload") => json!({}),
            ("POST", "/api/v1/workspaces/:id/history") => json!({"events": []}),
            ("POST", path) if path.contains("/:id/") => json!({}),
            (method, path) => panic!("the walk has no body for {method} {path}"),
        }
    }

    fn call(&self, route: &Route<Edge>, headers: &[(&str, &str)]) -> Answered {
        let body = self.body(route);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let method = route.method.as_str();
        call(&self.edge, method, &self.path(route), headers, body.as_bytes())
    }
}

#[test]
fn every_row_answers_its_own_callers_only() {
    // Rows of the embed have a walk of their own, see `embed_access.rs`.
    let rows = routes::<Edge>();
    let of_api = rows.iter().enumerate().filter(|(_, row)| !row.access.is_embed());
    for index in of_api.map(|(index, _)| index) {
        // A world of its own for each row, since rows delete things.
        let world = world();
        let route = &routes::<Edge>()[index];
        let row = format!("{} {}", route.method, route.path);
        if route.path.ends_with("/cancel") {
            world.edge.logs[0].execute("update deliveries set state = 'held'");
        }
        let bearer = |token: String| format!("Bearer {token}");
        let (edge, tenant) = (&world.edge, &world.tenant);
        let own = bearer(tenant.token(edge));
        let mut forged = tenant.clone();
        forged.secret_key = world.stranger.secret_key.clone();
        let forged = bearer(forged.token(edge));
        let mut misplaced = tenant.clone();
        misplaced.organization = world.stranger.organization.clone();
        let misplaced = bearer(misplaced.token(edge));
        let admin = bearer(ADMIN_TOKEN.to_owned());
        let (machine, emit) = (route.access == Access::Machine, route.access == Access::Emit);
        let public = route.access == Access::Public;
        let is_admin = route.access == Access::Admin;

        let key = tenant.publishable_key.as_str();
        let unknown_key = "mesh_pub_ws.1_00000000_0000";
        let header = "x-meshes-publishable-key";
        let session = json!({"workspace_id": tenant.workspace, "role": "owner"});
        let session = tenant.call(edge, "POST", "/api/v1/sessions", &session).json();
        let visitor = bearer(text(&session, "/access_token"));
        let callers: [(&str, Headers<'_>, bool); 12] = [
            ("nobody", vec![], public),
            ("empty bearer", vec![("authorization", "Bearer ")], public),
            ("basic", vec![("authorization", "Basic YTpi")], public),
            ("a word", vec![("authorization", "Bearer x.y.z")], public),
            ("forged", vec![("authorization", &forged)], public),
            ("another organization's claim", vec![("authorization", &misplaced)], public),
            ("unknown publishable key", vec![(header, unknown_key)], public),
            ("malformed publishable key", vec![(header, "mesh_pub_x")], public),
            ("publishable key", vec![(header, key)], public || emit),
            ("a session's access token", vec![("authorization", &visitor)], public),
            ("admin", vec![("authorization", &admin)], public || is_admin),
            ("own machine key", vec![("authorization", &own)], public || machine || emit),
        ];
        for (caller, headers, allowed) in callers {
            let answer = world.call(route, &headers);
            if allowed {
                let fine = (200..300).contains(&answer.status) || answer.status == never(route);
                assert!(fine, "{row} by {caller}: {}", answer.text);
            } else {
                assert_eq!(answer.status, 401, "{row} by {caller}: {}", answer.text);
            }
        }
        foreign_organization(&crate::access::world(), route, &row);
    }
}

/// What a row answers that never succeeds: a webhook has no mappings.
fn never(route: &Route<Edge>) -> u16 {
    match (route.method.as_str(), route.path.ends_with("/mappings/default")) {
        ("GET", true) => 404,
        (_, true) => 422,
        // Nothing waits to be sent.
        _ if route.path.ends_with("/probe") => 409,
        _ => 200,
    }
}

/// A key of another organization finds nothing of this one: 404, never 403, and lists stay empty.
fn foreign_organization(world: &World, route: &Route<Edge>, row: &str) {
    let foreign = format!("Bearer {}", world.stranger.token(&world.edge));
    if !matches!(route.access, Access::Machine | Access::Emit) {
        return;
    }
    let before = dump(world);
    let answer = world.call(route, &[("authorization", &foreign)]);
    // A PUT puts into the caller's own catalogue, where there is none yet.
    let named = [":id", ":access_key", ":message_id"];
    let names_a_record = named.iter().any(|name| route.path.contains(name))
        || route.path == "/api/v1/sessions"
        || route.path.contains(":key") && route.method != http::Method::PUT
        || ["/api/v1/connections", "/api/v1/rules", "/api/v1/events"].contains(&route.path)
            && route.method == http::Method::POST;
    if names_a_record {
        assert_eq!(answer.status, 404, "{row}: {}", answer.text);
        assert_eq!(dump(world), before, "{row} changed something");
    } else if route.path.ends_with("/bulk") {
        assert_eq!((answer.status, &answer.json()["count"]), (207, &json!(0)));
    } else if route.path == "/api/v1/organization" {
        assert_eq!(answer.json()["id"], json!(world.stranger.organization), "{row}");
    } else if route.path == "/api/v1/stats" {
        assert_eq!((answer.status, &answer.json()["workspaces"]), (200, &json!([])), "{row}");
    } else if route.method == http::Method::GET {
        let body = answer.json();
        for record in body["records"].as_array().expect("a list") {
            let (shown, own) = match route.path {
                // The same for everybody.
                "/api/v1/integrations" => continue,
                "/api/v1/machine-keys" => (&record["access_key"], &world.stranger.access_key),
                "/api/v1/usage" => (&record["workspace"], &world.stranger.workspace),
                _ => (&record["id"], &world.stranger.workspace),
            };
            assert_eq!(shown, &json!(own), "{row}: {record}");
        }
    }
}

/// All that the tenant has, in every table.
fn dump(world: &World) -> Vec<Value> {
    let stranger = &world.stranger.organization;
    let listed = "select group_concat(key || label) from event_types where organization <> ";
    let control = ["workspaces", "connections", "rules"]
        .map(|table| format!("select group_concat(id || updated_at_ms) from {table}"))
        .into_iter()
        .chain([
            format!("{listed}'{stranger}'"),
            "select group_concat(public_key || name || coalesce(expires_at_ms, '')) \
             from publishable_keys"
                .to_owned(),
            "select group_concat(access_key || coalesce(revoked_at_ms, '')) from machine_keys"
                .to_owned(),
        ])
        .map(|sql| world.edge.control.ask(&sql));
    let of_log = [
        "select count(*) from events",
        "select group_concat(event || state || attempts_before) from deliveries",
        "select group_concat(id || access_hash || coalesce(revoked_at_ms, '')) from sessions",
        "select group_concat(id || status || position) from replays",
    ];
    let log = of_log.map(|sql| world.edge.logs[0].ask(sql));
    control.chain(log).flatten().collect()
}

#[test]
fn tokens_that_are_revoked_or_out_of_time_are_refused() {
    let world = world();
    let (edge, tenant) = (&world.edge, &world.tenant);
    let early = format!("Bearer {}", tenant.token(edge));
    edge.run_for(59_000);
    let get = |token: &str| {
        call(edge, "GET", "/api/v1/workspaces", &[("authorization", token)], b"").status
    };
    assert_eq!(get(&early), 200, "30 s of life and 30 s of skew");
    edge.run_for(1_000);
    assert_eq!(get(&early), 401);
    let fresh = format!("Bearer {}", tenant.token(edge));
    assert_eq!(get(&fresh), 200);
    edge.control.execute("update machine_keys set revoked_at_ms = 1");
    assert_eq!(get(&fresh), 401);
    let emit = json!({"workspace": tenant.workspace, "event": "x", "payload": {}}).to_string();
    let headers = [("authorization", fresh.as_str())];
    assert_eq!(call(edge, "POST", "/api/v1/events", &headers, emit.as_bytes()).status, 401);
    edge.control.execute("update publishable_keys set expires_at_ms = 1");
    assert_eq!(tenant.emit_text(edge, r#"{"event":"x","payload":{}}"#).status, 401);
}

#[test]
fn sealed_values_open_only_where_they_were_sealed() {
    let world = world();
    let (edge, tenant) = (&world.edge, &world.tenant);
    // Somebody who can write to the database moves the stranger's key secret to the tenant's row.
    let swap = format!(
        "update machine_keys set secret_sealed = (select secret_sealed from machine_keys \
         where access_key = '{}') where access_key = '{}'",
        world.stranger.access_key, tenant.access_key
    );
    edge.control.execute(&swap);
    let answer = tenant.call(edge, "GET", "/api/v1/workspaces", &Value::Null);
    assert_eq!(answer.status, 500);
    assert!(!answer.text.contains("seal"), "inner text is for the log: {}", answer.text);
}
