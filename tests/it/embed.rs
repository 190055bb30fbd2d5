//! The embed's pages on the native edge: how sessions begin and end, what pages never show, what
//! they cost, and that nothing a stranger writes becomes markup.

use posthorn::domain::base::time::rfc3339;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{ORIGIN, Tenant, call, text};
use crate::visit::{Visitor, cookie_of, create, launch_target, links_within};

const HOOK: &str = "https://hooks.example.com/a";

#[test]
fn a_launch_token_works_once_and_not_for_long() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let launch = |created: &Value| call(&edge, "GET", &launch_target(created), &[], b"");
    let created = create(&edge, &tenant, json!({"launch_page": "events"}));
    let other = create(&edge, &tenant, json!({}));
    let (id, token) = (text(&created, "/session_id"), text(&other, "/launch_token"));

    let swapped = format!("/embed/s/{id}/launch?token={token}");
    assert_eq!(call(&edge, "GET", &swapped, &[], b"").status, 401);
    let access = text(&created, "/access_token");
    let access = format!("/embed/s/{id}/launch?token={access}");
    assert_eq!(call(&edge, "GET", &access, &[], b"").status, 401);

    let first = launch(&created);
    assert_eq!(first.status, 303, "{}", first.text);
    assert_eq!(first.headers["location"], format!("/embed/s/{id}/events"));
    let cookie = first.headers["set-cookie"].to_str().expect("text");
    for word in
        ["HttpOnly", "Secure", "SameSite=None", "Partitioned", &format!("Path=/embed/s/{id};")]
    {
        assert!(cookie.contains(word), "{cookie} without {word}");
    }
    let second = launch(&created);
    assert_eq!(second.status, 401, "{}", second.text);
    assert!(second.headers.get("set-cookie").is_none());

    edge.run_for(30_000);
    assert_eq!(launch(&other).status, 401, "30 s are over");
}

#[test]
fn a_session_is_refreshed_and_revoked() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &tenant, json!({"ttl_seconds": 300}));
    let at = |action: &str| format!("/api/v1/sessions/{}{action}", visitor.session);
    edge.run_for(200_000);
    let refreshed = tenant.call(&edge, "POST", &at("/refresh"), &Value::Null);
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    let refreshed = refreshed.json();
    assert_eq!(refreshed["session_id"], json!(visitor.session));
    assert_eq!(refreshed["expires_in"], json!(300));
    assert!(refreshed.get("launch_url").is_none());

    // The cookie that is in use stays, and is renewed by the new access token only.
    let auth = |token: &str, cookie: &str| {
        let body = format!("token={token}");
        let headers = [
            ("cookie", cookie),
            ("origin", ORIGIN),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let path = format!("/embed/s/{}/auth", visitor.session);
        call(&edge, "POST", &path, &headers, body.as_bytes())
    };
    assert_eq!(auth(&visitor.access_token, &visitor.cookie).status, 401, "the old one");
    let token = text(&refreshed, "/access_token");
    assert_eq!(cookie_of(&auth(&token, &visitor.cookie)), visitor.cookie);
    edge.run_for(200_000);
    assert_eq!(visitor.get(&edge, "dashboard").status, 200, "it goes on");
    let fresh = cookie_of(&auth(&token, ""));
    assert_ne!(fresh, visitor.cookie);
    assert_eq!(visitor.get(&edge, "dashboard").status, 401, "the former cookie is another's now");

    assert_eq!(
        tenant.call(&edge, "DELETE", &at(""), &Value::Null).json(),
        json!({"revoked": true})
    );
    assert_eq!(auth(&token, &fresh).status, 401);
    let again = tenant.call(&edge, "POST", &at("/refresh"), &Value::Null);
    assert_eq!(again.status, 409, "{}", again.text);
    let path = format!("/api/v1/sessions?workspace_id={}&status=revoked", tenant.workspace);
    let listed = tenant.get(&edge, &path);
    assert_eq!(listed["records"][0]["id"], json!(visitor.session));
    assert_eq!(tenant.get(&edge, &path.replace("revoked", "active"))["count"], json!(0));
}

#[test]
fn sessions_are_forgotten_a_week_after_they_are_over() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let week_ms = 7 * 86_400_000;
    for (index, over_since_ms) in [week_ms + 1, week_ms - 120_000, -300_000].iter().enumerate() {
        let id = text(&create(&edge, &tenant, json!({})), "/session_id");
        let aged = format!(
            "update sessions set id = '0193f6a0-0000-7000-8000-00000000000{index}', \
             expires_at_ms = {} where id = '{id}'",
            edge.now_ms() - over_since_ms
        );
        assert_eq!(edge.logs[0].execute(&aged), 1);
    }
    edge.run_for(60_000);
    assert_eq!(edge.logs[0].ask("select count(*) from sessions"), [json!(2)]);
}

#[test]
fn a_page_that_opens_nothing_can_still_be_framed_by_its_product() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let created = create(&edge, &tenant, json!({"allowed_origins": ["https://app.example"]}));
    let path = format!("/embed/s/{}/dashboard", text(&created, "/session_id"));
    let page = call(&edge, "GET", &path, &[], b"");
    assert_eq!(page.status, 401);
    let policy = page.headers["content-security-policy"].to_str().expect("text");
    assert!(policy.ends_with("frame-ancestors *"), "{policy}");
    // A session's id does not tell whose it is, nor whether there is such a session.
    assert!(!page.text.contains("app.example") && !page.text.contains("Acme"), "{}", page.text);
    assert!(page.text.contains("data-origins=\"*\""), "{}", page.text);
    let unknown = "019a1b2c-3d4e-7f50-8a6b-7c8d00000001";
    let strange = call(&edge, "GET", &format!("/embed/s/{unknown}/dashboard"), &[], b"");
    let id = text(&created, "/session_id");
    assert_eq!(strange.text, page.text.replace(&id, unknown));
    assert_eq!(strange.headers["content-security-policy"], policy);
}

#[test]
fn hidden_connections_are_on_no_page() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let (connection, rule) = tenant.route(&edge, "x", json!({"url": HOOK}));
    let hide = json!({"hidden": true, "name": "A hidden one"});
    tenant.call(&edge, "PATCH", &format!("/api/v1/connections/{connection}"), &hide);
    let event = tenant.emit(&edge, "x");
    edge.run_for(1_000);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    for (path, page) in visitor.crawl(&edge) {
        for word in ["A hidden one", &connection, &rule, HOOK] {
            assert!(!page.text.contains(word), "{path} shows {word}");
        }
    }
    let page = visitor.get(&edge, &format!("events/{event}")).text;
    assert!(!page.contains("deleted connection"), "{page}");
    for below in ["", "/edit", "/test", "/secret", "/verification"] {
        let below = format!("connections/{connection}{below}");
        assert_eq!(visitor.get(&edge, &below).status, 404, "{below}");
    }
}

#[test]
fn fields_of_a_session_are_checked() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (field, value) in [
        ("role", json!("root")),
        ("session_type", json!("all")),
        ("ttl_seconds", json!(299)),
        ("ttl_seconds", json!(3_601)),
        ("launch_ttl_seconds", json!(14)),
        ("launch_ttl_seconds", json!(61)),
        ("launch_page", json!("secrets")),
        ("scopes", json!(["all"])),
        ("external_user_id", json!("x".repeat(256))),
        ("allowed_origins", json!(["https://a.example/path"])),
        ("allowed_origins", json!(["*"])),
        ("allowed_origins", Value::from(vec!["https://a.example"; 11])),
        ("resource", json!("order")),
        ("workspace_id", json!("x")),
    ] {
        let mut body = json!({"workspace_id": tenant.workspace});
        body[field] = value.clone();
        let answer = tenant.call(&edge, "POST", "/api/v1/sessions", &body);
        assert_eq!(answer.status, 400, "{field} {value}: {}", answer.text);
        assert_eq!(answer.json()["error"]["data"][0]["param"], json!(field), "{}", answer.text);
    }
    let body = json!({"workspace_id": tenant.workspace, "session_type": "resource"});
    let answer = tenant.call(&edge, "POST", "/api/v1/sessions", &body).json();
    let named = |index: usize| answer["error"]["data"][index]["param"].clone();
    assert_eq!([named(0), named(1)], [json!("resource"), json!("resource_id")]);
}

#[test]
fn only_allowed_origins_may_frame_it() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let framed = |more: Value| {
        let page = Visitor::new(&edge, &tenant, more).get(&edge, "dashboard");
        let policy = page.headers["content-security-policy"].to_str().expect("text").to_owned();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        policy.split("frame-ancestors ").nth(1).expect("a directive").to_owned()
    };
    assert_eq!(framed(json!({})), "'self'");
    let own = json!({"allowed_origins": ["https://app.example"]});
    assert_eq!(tenant.call(&edge, "PATCH", "/api/v1/organization", &own).status, 200);
    assert_eq!(framed(json!({})), "https://app.example");
    let two = json!({"allowed_origins": ["https://b.example", "https://c.example:8443"]});
    assert_eq!(framed(two), "https://b.example https://c.example:8443");
}

/// A workspace with something on every page, all of whose texts that somebody else writes are
/// hostile, and the secrets that no page may show.
fn furnished(edge: &Edge) -> (Tenant, Vec<String>) {
    let tenant = Tenant::new(edge, "Acme");
    let example = json!({"label": format!("Order {HOSTILE}"), "group": HOSTILE,
        "description": HOSTILE, "example": json!({"text": HOSTILE}).to_string()});
    tenant.call(edge, "PUT", "/api/v1/event-types/order.completed", &example);
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let metadata = json!({"url": HOOK, "signing_secret": secret, "auth_scheme": "basic",
        "auth_username": "user-4711", "auth_password": "password-4711",
        "custom_headers": [{"name": "X-Team", "value": "header-4711"}]});
    let connection = json!({"workspace": tenant.workspace, "type": "webhook", "name": HOSTILE,
        "metadata": metadata});
    let connection = text(&tenant.post(edge, "/api/v1/connections", &connection), "/connection/id");
    tenant.rule(edge, "order.completed", &connection);
    let body = json!({"signing_scheme": "body", "url": "https://other.example.com/",
        "signature_prefix": "\"><script>\\${x}", "generate_secret": true});
    let (second, _) = tenant.route(edge, "order.completed", body);
    let limited = json!({"workspace": tenant.workspace, "connection": second,
        "event": "order.completed", "resource": "invoice", "metadata": {"action": "send_webhook"}});
    tenant.post(edge, "/api/v1/rules", &limited);
    edge.receivers.script(HOOK, move |n| {
        let echo = format!("{HOSTILE} payload-word user-4711:password-4711 header-4711 {secret}");
        let reply = if n == 0 { Reply::status(500) } else { Reply::status(302) };
        reply.header("location", HOSTILE).header("x-hostile", HOSTILE).body(&echo)
    });
    let event = json!({"event": "order.completed", "resource": "order", "resource_id": "7",
        "payload": furnished_payload()});
    assert_eq!(tenant.emit_text(edge, &event.to_string()).status, 201);
    edge.run_for(8_000);
    give_up_and_replay(edge, &tenant);
    let secrets = [
        secret,
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "password-4711",
        "header-4711",
        "dXNlci00NzExOnBhc3N3b3JkLTQ3MTE=",
    ];
    (tenant, secrets.map(str::to_owned).into())
}

/// An event that is failed, and a replay of what was delivered.
fn give_up_and_replay(edge: &Edge, tenant: &Tenant) {
    let url = "https://gone.example.com/";
    edge.receivers.script(url, |_| {
        Reply::status(302).header("location", HOSTILE).header("webhook-delivery", "abort-message")
    });
    tenant.route(edge, "order.given-up", json!({"url": url}));
    tenant.emit(edge, "order.given-up");
    edge.run_for(1_000);
    let replay = json!({"since": rfc3339(edge.now_ms() - 60_000), "status": "completed",
        "until": rfc3339(edge.now_ms()), "event": "order.completed"});
    tenant.post(edge, &format!("/api/v1/workspaces/{}/replays", tenant.workspace), &replay);
}

fn furnished_payload() -> Value {
    json!({"text": HOSTILE, "word": "payload-word"})
}

const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>";

#[test]
fn no_page_shows_a_secret_or_runs_a_strangers_text() {
    let edge = Edge::new();
    let (tenant, secrets) = furnished(&edge);
    let more = json!({"role": "admin", "scopes": ["events.payload:read"],
        "external_user_id": HOSTILE});
    let visitor = Visitor::new(&edge, &tenant, more);
    let again = [
        ("since", &rfc3339(edge.now_ms() - 60_000)[..19]),
        ("until", &rfc3339(edge.now_ms())[..19]),
        ("count", "1"),
        ("id", &tenant.emit(&edge, "something.else")),
    ];
    let made = visitor.post(&edge, "replays", &again);
    assert_eq!(made.status, 303, "{}", made.text);
    // What is typed into the filters comes back in their fields.
    let typed: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let mut pages = visitor.crawl(&edge);
    for below in [
        "events?event=",
        "events?resource_id=",
        "events?q=",
        "rules?connection=",
        "connections?done=",
        "events?status=",
        "rules?event=",
    ] {
        let path = visitor.path(&format!("{below}{typed}"));
        pages.push((path.clone(), visitor.get_path(&edge, &path)));
    }
    let typed = [("connection", ""), ("event", HOSTILE), ("since", HOSTILE), ("until", HOSTILE)];
    pages.push(("a form".to_owned(), visitor.post(&edge, "replays/new", &typed)));
    assert!(pages.len() > 25, "{} pages", pages.len());
    let mut kinds: Vec<&str> = Vec::new();
    for (path, page) in &pages {
        let is_refused = page.status == 400 && path == "a form";
        assert!(is_refused || [200, 303].contains(&page.status), "{path}: {}", page.text);
        for secret in &secrets {
            assert!(!page.text.contains(secret), "{path} shows {secret}");
        }
        for markup in ["<script>", "<img", "onerror=alert(2)>", "javascript:"] {
            assert!(!page.text.contains(markup), "{path} holds {markup}: {}", page.text);
        }
        kinds.extend(
            ["/attempts/", "/verification", "/edit", "/secret", "/test", "/rules/", "/failed"]
                .into_iter()
                .chain(["/replays/new", "/replays/0"])
                .filter(|kind| path.contains(kind)),
        );
    }
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 9, "not every kind of page was reached: {kinds:?}");
    assert!(pages.iter().any(|(_, page)| page.text.contains("&lt;script&gt;alert(1)")));
}

#[test]
fn a_page_costs_at_most_three_reads_and_a_poll_one() {
    let edge = Edge::new();
    let (tenant, _) = furnished(&edge);
    let more = json!({"role": "admin", "scopes": ["events.payload:read"]});
    let visitor = Visitor::new(&edge, &tenant, more);
    let cost = |path: &str| {
        let trips = || edge.control.round_trips.get() + edge.logs[0].round_trips.get();
        let before = trips();
        let page = visitor.get_path(&edge, path);
        (trips() - before, page)
    };
    let mut polls = 0;
    for (path, _) in visitor.crawl(&edge) {
        let (reads, page) = cost(&path);
        assert!(reads <= 3, "{path} costs {reads} reads");
        assert!(page.text.len() < 40_000, "{path} has {} bytes", page.text.len());
        let poll = page.text.split("data-poll=\"").nth(1).and_then(|rest| rest.split('"').next());
        if let Some(poll) = poll.map(|poll| poll.replace("&amp;", "&")) {
            let (reads, news) = cost(&poll);
            assert_eq!((reads, news.status), (1, 200), "{poll}: {}", news.text);
            let seen = page.text.split("data-seen=\"").nth(1).expect("a word");
            let seen = seen.split('"').next().expect("its end");
            assert_eq!(news.json()["seen"], json!(seen), "{poll} has news at once");
            polls += 1;
        }
    }
    assert!(polls > 3, "{polls} polls");
}

#[test]
fn a_poll_tells_of_news() {
    let edge = Edge::new();
    let (tenant, _) = furnished(&edge);
    let visitor = Visitor::new(&edge, &tenant, json!({}));
    let poll = |page: &str| {
        let found = page.split("data-poll=\"").nth(1).expect("a poll").split('"').next();
        let path = found.expect("its end").replace("&amp;", "&");
        visitor.get_path(&edge, &path).json()
    };
    let before = visitor.get(&edge, "events").text;
    assert_eq!(poll(&before)["busy"], json!(true), "a retry is due within a minute");
    tenant.emit(&edge, "something.else");
    let after = visitor.get(&edge, "events").text;
    let seen = |page: &str| {
        let word = page.split("data-seen=\"").nth(1).and_then(|rest| rest.split('"').next());
        word.expect("a word").to_owned()
    };
    assert_ne!(seen(&before), seen(&after));
    assert_eq!(poll(&before)["seen"], json!(seen(&after)));
}

#[test]
fn who_may_not_read_payloads_learns_their_length_and_hash() {
    let edge = Edge::new();
    let (tenant, _) = furnished(&edge);
    let listed = format!("/api/v1/workspaces/{}/events?event=order.completed", tenant.workspace);
    let below = format!("events/{}", text(&tenant.get(&edge, &listed), "/records/0/id"));
    let payload = furnished_payload().to_string();
    let hash = sha256(&payload);
    for (more, may) in [
        (json!({"role": "member", "scopes": ["events.payload:read"]}), false),
        (json!({"role": "admin"}), false),
        (json!({"role": "admin", "scopes": ["events.payload:read"]}), true),
    ] {
        let page = Visitor::new(&edge, &tenant, more.clone()).get(&edge, &below).text;
        // The receiver's answer echoes the payload, so it is held back likewise.
        assert_eq!(page.contains("payload-word"), may, "{more}");
        assert_eq!(page.contains(&hash), !may, "{more}");
        assert_eq!(page.contains(&format!("{} bytes", payload.len())), !may, "{more}");
    }
}

fn sha256(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_form_sent_twice_makes_one_connection_and_shows_its_secret_once() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let catalogue = json!({"label": "Order completed"});
    tenant.call(&edge, "PUT", "/api/v1/event-types/order.completed", &catalogue);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = visitor.get(&edge, "connections/new?type=webhook").text;
    let id = page.split("name=\"id\" value=\"").nth(1).expect("an id")[..36].to_owned();
    let fields = [
        ("id", id.as_str()),
        ("name", "Orders"),
        ("url", HOOK),
        ("http_method", "POST"),
        ("payload_mode", "raw"),
        ("auth_scheme", "none"),
        ("signing_algorithm", "hmac-sha256"),
        ("signing_scheme", "standard"),
        ("secret", "generate"),
        ("event", "order.completed"),
        ("event", "not.in.the.catalogue"),
    ];
    let made = visitor.post(&edge, "connections/new", &fields);
    assert_eq!(made.status, 200, "{}", made.text);
    assert_eq!(made.headers["cache-control"], "no-store");
    assert_eq!(made.text.matches("whsec_").count(), 1);
    let again = visitor.post(&edge, "connections/new", &fields);
    assert_eq!((again.status, again.text.contains("whsec_")), (303, false));
    assert_eq!(edge.control.ask("select count(*) from connections"), [json!(1)]);
    assert_eq!(edge.control.ask("select event from rules"), [json!("order.completed")]);
    let made = edge.control.ask("select id from connections")[0].clone();
    let id = made.as_str().expect("an id").to_owned();
    let page = visitor.get(&edge, &format!("connections/{id}")).text;
    assert!(!page.contains("whsec_"));

    // So with a rotation: sent again it changes nothing.
    let below = format!("connections/{id}/secret");
    let rotation = [("newest", "1"), ("secret", "generate"), ("overlap", "3600")];
    let rotated = visitor.post(&edge, &below, &rotation);
    assert_eq!((rotated.status, rotated.text.matches("whsec_").count()), (200, 1));
    assert_eq!(visitor.post(&edge, &below, &rotation).status, 303);
    assert_eq!(edge.control.ask("select max(number) from connection_secrets"), [json!(2)]);
    visitor.post(&edge, &format!("{below}/end-overlap"), &[]);
    let live = format!(
        "select count(*) from connection_secrets where expires_at_ms is null \
        or expires_at_ms > {}",
        edge.now_ms()
    );
    assert_eq!(edge.control.ask(&live), [json!(1)]);
}

#[test]
fn bad_fields_are_named_and_what_was_typed_stays() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let fields = [
        ("name", ""),
        ("url", "http://localhost/typed-url"),
        ("http_method", "POST"),
        ("payload_mode", "raw"),
        ("auth_scheme", "bearer"),
        ("auth_token", "typed-token"),
        ("signing_algorithm", "hmac-sha256"),
        ("signing_scheme", "standard"),
        ("secret", "own"),
        ("signing_secret", "short"),
        ("retry_schedule", "5s, 30 weeks"),
        ("timeout_seconds", "soon"),
        ("max_per_second", "5000000"),
    ];
    let page = visitor.post(&edge, "connections/new", &fields);
    assert_eq!(page.status, 400, "{}", page.text);
    assert_eq!(page.text.matches("data-bad").count(), 5, "{}", page.text);
    assert!(page.text.contains("typed-url") && page.text.contains("value=\"5s, 30 weeks\""));
    assert!(page.text.contains("&quot;weeks&quot; is not a time: write it"), "{}", page.text);
    assert!(!page.text.contains("typed-token") && !page.text.contains("\"short\""));
    // Each is told by the field's label, with a link to the field.
    let link = "<a href=\"#max_per_second\">Requests per second</a>";
    assert!(page.text.contains(link), "{}", page.text);
    assert!(!page.text.contains("metadata."), "{}", page.text);
    assert!(links_within(&page.text) > 4, "{}", page.text);
    // A header's name or value is a field of its own.
    let fields = [
        ("name", "A"),
        ("url", "https://hooks.example.com/"),
        ("header_name_0", "X A"),
        ("header_name_1", "X-B"),
    ];
    let page = visitor.post(&edge, "connections/new", &fields);
    assert_eq!(page.status, 400, "{}", page.text);
    let links = [
        "<a href=\"#header_name_0\">Header</a> must be a header name",
        "<a href=\"#header_value_1\">Value</a> is required for a new header",
    ];
    for link in links {
        assert!(page.text.contains(link), "{link}: {}", page.text);
    }
    assert_eq!((links_within(&page.text), page.text.matches("data-bad").count()), (3, 2));
    assert!(page.text.contains("aria-describedby=\"header_wrong_1\""), "{}", page.text);
    assert_eq!(edge.control.ask("select count(*) from connections"), [json!(0)]);
}

#[test]
fn secrets_stay_out_of_the_products_hands_if_it_says_so() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let connection = tenant.connection(&edge, json!({"url": HOOK}));
    let setting = json!({"secrets_in_embed_only": true});
    assert_eq!(tenant.call(&edge, "PATCH", "/api/v1/organization", &setting).status, 200);
    let at = format!("/api/v1/connections/{connection}");
    for (metadata, param) in [
        (json!({"signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}), "signing_secret"),
        (json!({"generate_secret": true}), "generate_secret"),
        (json!({"auth_scheme": "bearer", "auth_token": "t"}), "auth_token"),
        (json!({"custom_headers": [{"name": "X-A", "value": "v"}]}), "custom_headers"),
    ] {
        let answer = tenant.call(&edge, "PATCH", &at, &json!({"metadata": metadata}));
        assert_eq!(answer.status, 422, "{}", answer.text);
        let named = answer.json()["error"]["data"][0]["param"].clone();
        assert_eq!(named, json!(format!("metadata.{param}")));
    }
    let rotate = tenant.call(&edge, "POST", &format!("{at}/secret/rotate"), &json!({}));
    assert_eq!(rotate.status, 422, "{}", rotate.text);
    let other = json!({"metadata": {"url": "https://hooks.example.com/b"}});
    assert_eq!(tenant.call(&edge, "PATCH", &at, &other).status, 200);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let below = format!("connections/{connection}/secret");
    let page = visitor.post(&edge, &below, &[("newest", "1"), ("secret", "generate")]);
    assert_eq!((page.status, page.text.contains("whsec_")), (200, true));
}

#[test]
fn pages_say_what_keeps_deliveries_back() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    edge.receivers.script(HOOK, |_| Reply::status(500));
    let (loose, _) = tenant.route(&edge, "loose", json!({"url": HOOK}));
    let strict = json!({"url": HOOK, "ordering": "strict", "max_per_second": 7});
    let (strict, _) = tenant.route(&edge, "strict", strict);
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let page = |below: String| visitor.get(&edge, &below).text;
    let connection = |id: &str| page(format!("connections/{id}"));
    assert!(!connection(&loose).contains("only one delivery at a time"));

    let events: Vec<String> = (0..6).map(|_| tenant.emit(&edge, "loose")).collect();
    let first = tenant.emit(&edge, "strict");
    let second = tenant.emit(&edge, "strict");
    edge.run_for(20_000);
    let held_back = "only one delivery at a time";
    assert!(connection(&loose).contains(held_back), "{}", connection(&loose));
    assert!(page(format!("events/{}", events[5])).contains(held_back));
    let shown = connection(&strict);
    let notice = shown.split("blocks all later ones").nth(1).expect("a notice");
    assert!(notice[..400].contains(&first) && !notice[..400].contains(&second), "{notice}");
    assert!(shown.contains("Requests per second"), "{shown}");

    // Two and a half days later nothing has succeeded still.
    edge.control.execute(&format!(
        "update connections set failing_since_ms = {}, warned_percent = 50 where id = '{loose}'",
        edge.now_ms() - 216_000_000
    ));
    for shown in [connection(&loose), page("dashboard".to_owned())] {
        assert!(shown.contains("50 % of the 5 days"), "{shown}");
    }
    edge.control.execute(&format!(
        "update connections set active = 0, inactive_reason = 'delivery_failing' \
         where id = '{loose}'"
    ));
    for shown in [connection(&loose), page("dashboard".to_owned())] {
        assert!(shown.contains("could be delivered for 5 days"), "{shown}");
        assert!(!shown.contains("50 % of"), "{shown}");
    }
}

#[test]
fn a_form_cannot_ask_whether_a_connection_exists() {
    let edge = Edge::new();
    let (tenant, stranger) = (Tenant::new(&edge, "Acme"), Tenant::new(&edge, "Stranger"));
    let foreign = stranger.connection(&edge, json!({"url": HOOK}));
    let own = tenant.connection(&edge, json!({"url": HOOK}));
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    let unknown = "019a1b2c-3d4e-4f50-8a6b-7c8d00000001";
    let send = |id: &str| {
        let name = format!("Orders {id}");
        let fields = [
            ("id", id),
            ("name", name.as_str()),
            ("url", HOOK),
            ("http_method", "POST"),
            ("payload_mode", "raw"),
            ("auth_scheme", "none"),
            ("signing_algorithm", "hmac-sha256"),
            ("signing_scheme", "standard"),
            ("secret", "generate"),
        ];
        visitor.post(&edge, "connections/new", &fields)
    };
    let count = || edge.control.ask("select count(*) from connections")[0].as_i64();
    for (made, id) in [&foreign, &own, unknown].into_iter().enumerate() {
        let first = send(id);
        assert_eq!(first.status, 200, "{id}: {}", first.text);
        assert_eq!(count(), Some(3 + made as i64));
        // The same form once more leads to what it made.
        let again = send(id);
        assert_eq!(again.status, 303, "{}", again.text);
        let to = again.headers["location"].to_str().expect("text");
        assert_eq!(visitor.get_path(&edge, to).status, 200, "{to}");
        assert!(!to.contains(id));
        assert_eq!(count(), Some(3 + made as i64));
    }
}
