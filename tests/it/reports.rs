//! Kinds of trouble that people report of webhook systems, each with the right value.

use serde_json::{Value, json};

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant, params, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";
const WHSEC: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct World {
    edge: Edge,
    tenant: Tenant,
}

fn world() -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    World { edge, tenant }
}

impl World {
    /// A connection with these settings more.
    fn connect(&self, name: &str, more: &Value) -> Answered {
        let mut metadata = json!({"url": URL});
        for (key, value) in more.as_object().expect("an object") {
            metadata[key] = value.clone();
        }
        let body = json!({"workspace": self.tenant.workspace, "type": "webhook", "name": name,
            "metadata": metadata});
        self.tenant.call(&self.edge, "POST", "/api/v1/connections", &body)
    }

    /// The `authorization` with which a connection with these settings calls.
    fn authorization(&self, name: &str, more: &Value) -> String {
        let made = self.connect(name, more);
        assert_eq!(made.status, 201, "{more}: {}", made.text);
        self.tenant.rule(&self.edge, name, &text(&made.json(), "/connection/id"));
        self.tenant.emit(&self.edge, name);
        self.edge.run_for(1_000);
        let seen = self.edge.receivers.seen(URL);
        seen.last().expect("a request").header("authorization").to_owned()
    }

    fn visitor(&self) -> Visitor {
        let session = json!({"role": "admin", "scopes": ["events.payload:read"]});
        Visitor::new(&self.edge, &self.tenant, session)
    }
}

/// Field report 5: RFC 7617 takes UTF-8, and either half may be empty.
#[test]
fn either_half_of_basic_authentication_may_be_empty() {
    use base64::Engine;
    let world = world();
    let basic =
        |pair: &str| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair));
    let scheme = |user: Value, password: Value| {
        let mut fields = json!({"auth_scheme": "basic"});
        for (key, value) in [("auth_username", user), ("auth_password", password)] {
            if !value.is_null() {
                fields[key] = value;
            }
        }
        fields
    };
    for (name, user, password, pair) in [
        ("a", json!("apikey"), json!(""), "apikey:"),
        ("b", json!("apikey"), json!(null), "apikey:"),
        ("c", json!(""), json!("pässwörd"), ":pässwörd"),
        ("d", json!(null), json!("pw"), ":pw"),
        ("e", json!("größe"), json!("ä b"), "größe:ä b"),
    ] {
        assert_eq!(world.authorization(name, &scheme(user, password)), basic(pair), "{pair}");
    }
    for (user, password, expected) in [
        (json!(null), json!(null), vec!["metadata.auth_username", "metadata.auth_password"]),
        (json!(""), json!(""), vec!["metadata.auth_username"]),
        (json!("a:b"), json!("x"), vec!["metadata.auth_username"]),
        (json!("a"), json!("x\ny"), vec!["metadata.auth_password"]),
    ] {
        let refused = world.connect("bad", &scheme(user, password));
        assert_eq!((refused.status, params(&refused.json())), (400, expected));
    }
}

/// Field report 20: a pasted `Bearer ` is not sent twice.
#[test]
fn a_pasted_bearer_is_left_out_and_said() {
    let world = world();
    let token = |token: &str| json!({"auth_scheme": "bearer", "auth_token": token});
    for (name, given) in [("a", "Bearer abc"), ("b", "bearer  abc"), ("c", "abc")] {
        assert_eq!(world.authorization(name, &token(given)), "Bearer abc", "{given}");
    }
    let warned = world.connect("d", &token("Bearer abc")).json()["connection"].clone();
    assert!(text(&warned, "/warnings/0").starts_with("metadata.auth_token: "), "{warned}");
    assert_eq!(world.connect("e", &token("abc")).json()["connection"].get("warnings"), None);
}

/// Field report 7: what nobody sees is not percent-encoded and sent, but refused by its name.
#[test]
fn a_url_has_no_invisible_character() {
    let world = world();
    for hidden in ["\u{200b}", "\u{feff}", "\u{2060}", "\u{ad}", "\u{202e}"] {
        for url in [format!("{hidden}{URL}"), format!("{URL}{hidden}"), format!("{URL}/{hidden}b")]
        {
            let refused = world.connect("hidden", &json!({"url": url}));
            assert_eq!((refused.status, params(&refused.json())), (422, vec!["metadata.url"]));
            assert!(refused.text.contains("an invisible"), "{}", refused.text);
        }
        // A name of which there is nothing to be seen is none.
        for name in [hidden.to_owned(), format!(" {hidden}\u{200d} ")] {
            let refused = world.connect(&name, &json!({"url": URL}));
            assert_eq!((refused.status, params(&refused.json())), (400, vec!["name"]), "{name:?}");
        }
    }
    assert_eq!(world.connect("👩\u{200d}🚀\u{200b}", &json!({"url": URL})).status, 201);
}

/// Field report 8: what is shown is what is called.
#[test]
fn a_url_is_kept_as_it_is_called() {
    let world = world();
    for (index, (typed, called)) in [
        ("https://hooks.example.com/t1/%2e%2e/t2/h", "https://hooks.example.com/t2/h"),
        ("https://HOOKS.example.com:443/a/./b", "https://hooks.example.com/a/b"),
        ("https://hooks.example.com", "https://hooks.example.com/"),
        ("https://bücher.example/ü?q=ä", "https://xn--bcher-kva.example/%C3%BC?q=%C3%A4"),
    ]
    .into_iter()
    .enumerate()
    {
        let made = world.connect(&format!("n{index}"), &json!({"url": typed})).json();
        assert_eq!(text(&made, "/connection/metadata/url"), called);
        let event = format!("e.{index}");
        world.tenant.rule(&world.edge, &event, &text(&made, "/connection/id"));
        let id = world.tenant.emit(&world.edge, &event);
        world.edge.run_for(1_000);
        assert_eq!(world.edge.receivers.seen(called).len(), 1, "{typed}");
        let rule = text(&world.tenant.delivery(&world.edge, &id), "/rule");
        let attempt = &world.tenant.attempts(&world.edge, &id, &rule)[0];
        assert_eq!(attempt["request"]["url"], called);
        let path = format!("/api/v1/connections/{}", text(&made, "/connection/id"));
        let same = json!({"metadata": {"url": typed}});
        let again = world.tenant.call(&world.edge, "PATCH", &path, &same);
        assert_eq!(again.json()["metadata"]["url"], called);
    }
}

/// Field report 14: a secret with something before `whsec_` would be taken as text, and stock
/// verifiers would fail.
#[test]
fn a_secret_begins_with_its_prefix_or_has_none() {
    let world = world();
    let given = |secret: &str| json!({"signing_secret": secret});
    for before in ["v1,", "\"", "WEBHOOK_SECRET=", "secret: "] {
        let refused = world.connect("bad", &given(&format!("{before}{WHSEC}")));
        assert_eq!(
            (refused.status, params(&refused.json())),
            (400, vec!["metadata.signing_secret"])
        );
        assert!(refused.text.contains("before whsec_"), "{}", refused.text);
    }
    let warnings = |name: &str, secret: &str| {
        let made = world.connect(name, &given(secret)).json()["connection"].clone();
        made["warnings"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(warnings("whsec", WHSEC), 0);
    assert_eq!(warnings("long", "a text that has more than 24 bytes"), 1);
    assert_eq!(warnings("short", "a short text"), 2);
}

/// Field report 15: receivers behind Cloudflare Access, and true reasons for the others.
#[test]
fn reserved_headers_have_true_reasons() {
    let world = world();
    let headers = |name: &str| json!({"custom_headers": [{"name": name, "value": "some value"}]});
    for name in ["CF-Access-Client-Id", "cf-access-client-secret", "X-Team"] {
        assert_eq!(world.connect(name, &headers(name)).status, 201, "{name}");
    }
    for (name, why) in [
        ("CF-Connecting-IP", "is set by proxies on the way"),
        ("cf_ray", "is set by proxies on the way"),
        ("X-Forwarded-For", "is set by proxies on the way"),
        ("Host", "is set by HTTP itself"),
        ("Cookie", "is for browsers"),
        ("Content-Type", "describes the body"),
        ("Webhook-Id", "is set by Posthorn"),
        ("User-Agent", "is set by Posthorn"),
        ("Authorization", "is set by auth_scheme"),
    ] {
        let refused = world.connect("bad", &headers(name));
        let named = vec!["metadata.custom_headers[0].name"];
        assert_eq!((refused.status, params(&refused.json())), (400, named), "{name}");
        assert!(refused.text.contains(why), "{name}: {}", refused.text);
    }
}

/// Field report 16: a rotation to the secret that is current would take a slot and sign twice.
#[test]
fn a_rotation_is_to_another_secret() {
    let world = world();
    let made = world.connect("one", &json!({"signing_secret": WHSEC})).json();
    let path = format!("/api/v1/connections/{}/secret/rotate", text(&made, "/connection/id"));
    let rotate =
        |secret: &str| world.tenant.call(&world.edge, "POST", &path, &json!({"secret": secret}));
    let refused = rotate(WHSEC);
    assert_eq!((refused.status, params(&refused.json())), (409, vec!["secret"]));
    assert_eq!(refused.json()["error"]["code"], "duplicate");
    assert_eq!(world.edge.control.ask("select count(*) from connection_secrets"), [json!(1)]);
    assert_eq!(rotate("another secret of some length").status, 200);
    assert_eq!(rotate(WHSEC).status, 200, "a former one may come back");
}

/// Field report 2: a page offers no button that cannot work.
#[test]
fn what_cannot_be_sent_again_has_no_button() {
    let world = world();
    let once = json!({"url": URL, "retry_schedule_seconds": [5]});
    let (connection, _) = world.tenant.route(&world.edge, "order.paid", once);
    world.edge.receivers.script(URL, |_| Reply::status(500));
    let event = world.tenant.emit(&world.edge, "order.paid");
    world.edge.run_for(60_000);
    let visitor = world.visitor();
    let buttons = || {
        let pages = [format!("events/{event}"), "failed".to_owned()];
        let pages = pages.map(|below| visitor.get(&world.edge, &below));
        pages.map(|page| (page.status, page.text.matches("/retry\"").count()))
    };
    assert_eq!(buttons(), [(200, 1), (200, 1)]);
    let path = format!("/api/v1/connections/{connection}");
    let act = |method: &str, below: &str, body: &Value| {
        world.tenant.call(&world.edge, method, &format!("{path}{below}"), body).status
    };
    assert_eq!(act("POST", "/deactivate", &Value::Null), 200);
    assert_eq!(buttons(), [(200, 0), (200, 0)]);
    assert_eq!(act("POST", "/activate", &Value::Null), 200);
    assert_eq!(buttons(), [(200, 1), (200, 1)]);
    assert_eq!(act("DELETE", "", &json!({"force_delete": true})), 200);
    assert_eq!(buttons().map(|(_, count)| count), [0, 0]);
}

/// Field report 9: what is copied is what was sent, odd URLs and long bodies too.
#[test]
fn a_request_is_copied_as_a_command_that_works() {
    let world = world();
    let odd = "https://hooks.example.com/x[1-3]/y?z={a,b}";
    world.tenant.route(&world.edge, "order.paid", json!({"url": odd}));
    let emit = |payload: &str| {
        let body = format!("{{\"event\":\"order.paid\",\"payload\":{payload}}}");
        let id = text(&world.tenant.emit_text(&world.edge, &body).json(), "/event/id");
        world.edge.run_for(2_000);
        id
    };
    let visitor = world.visitor();
    let page = |id: &str| visitor.get(&world.edge, &format!("events/{id}")).text;
    let short = page(&emit("{\"a\":1.0}"));
    assert!(short.contains("curl --globoff -X POST"), "{short}");
    assert!(short.contains("--data-binary '{&quot;a&quot;:1.0}'"), "{short}");
    let payload = format!("{{\"b\":1.0,\"a\":\"{}\"}}", "x".repeat(400_000));
    let id = emit(&payload);
    let long = page(&id);
    assert!(long.contains(&format!("--data-binary @payload-{id}.json")), "no file is named");
    assert!(long.contains(&format!("events/{id}/payload\"")), "the file is not offered");
    let file = visitor.get(&world.edge, &format!("events/{id}/payload"));
    assert_eq!((file.status, file.text == payload), (200, true));
    assert_eq!(
        file.headers["content-disposition"],
        format!("attachment; filename=\"payload-{id}.json\"")
    );
    let other = Visitor::new(&world.edge, &world.tenant, json!({"role": "admin"}));
    assert_eq!(other.get(&world.edge, &format!("events/{id}/payload")).status, 403);
}

/// Field report 18: what is masked is secret. A user name is none, and no word of six letters
/// disappears because it is one.
#[test]
fn a_user_name_is_not_masked() {
    let world = world();
    let metadata = json!({"url": URL, "auth_scheme": "basic", "auth_username": "application",
        "auth_password": "pass-very-secret"});
    let (_, rule) = world.tenant.route(&world.edge, "x", metadata);
    let echo = "application with pass-very-secret";
    world.edge.receivers.script(URL, move |_| Reply::status(500).body(echo));
    let event = world.tenant.emit(&world.edge, "x");
    world.edge.run_for(1_000);
    let attempt = world.tenant.attempts(&world.edge, &event, &rule)[0].clone();
    let headers = attempt["request"]["headers"].to_string();
    assert!(headers.contains("application/json"), "{headers}");
    let details = format!("/api/v1/events/{event}/rules/{rule}/attempts/1/response-details");
    assert_eq!(world.tenant.get(&world.edge, &details)["body"], "application with ***");
}

/// Field reports 10 and 13: an answer is told as what it is, and what stands in front of a receiver
/// is not called the receiver.
#[test]
fn an_answer_is_told_as_what_it_is() {
    let world = world();
    for (status, location, outcome, words) in [
        (304, None, "rejected_server_error", "Answered 304"),
        (300, None, "rejected_server_error", "Answered 300"),
        (302, Some("/b"), "redirect_refused", "a redirect to /b"),
        (530, None, "rejected_server_error", "the host name does not resolve"),
        (521, None, "rejected_server_error", "refused the connection"),
    ] {
        let name = format!("answered.{status}");
        let url = format!("https://hooks.example.com/{status}");
        let (_, rule) = world.tenant.route(&world.edge, &name, json!({"url": url}));
        world.edge.receivers.script(&url, move |_| {
            let reply = Reply::status(status);
            location.iter().fold(reply, |reply, to| reply.header("location", to))
        });
        let event = world.tenant.emit(&world.edge, &name);
        world.edge.run_for(1_000);
        let attempt = world.tenant.attempts(&world.edge, &event, &rule)[0].clone();
        assert_eq!(
            (&attempt["outcome"], &attempt["status_code"]),
            (&json!(outcome), &json!(status))
        );
        let told = text(&attempt, "/error");
        assert!(told.contains(words), "{status}: {told}");
        assert_eq!(told.contains("redirect"), location.is_some(), "{status}: {told}");
    }
}
