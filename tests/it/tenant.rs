//! Calls through the front door, and a tenant to call with.

use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use posthorn::http::problem;
use posthorn::ports::Clock;
use posthorn::routes::{self, Head};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::edge::{ADMIN_TOKEN, Edge};
use crate::reference::conformance;

/// Where the tests call Posthorn.
pub const ORIGIN: &str = "https://posthorn.example";

/// An answer.
#[derive(Debug, Clone)]
pub struct Answered {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answered {
    /// The body as JSON; `null` when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// Sends a request through the front door, and waits for nothing else.
pub fn call(
    edge: &Edge,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answered {
    let headers = headers.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    edge.block_on(ask(edge, method, target, headers, body.to_vec()))
}

/// A call through the front door. What comes back must be what the reference says.
pub async fn ask(
    edge: &Edge,
    method: &str,
    target: &str,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Answered {
    let length = ("content-length".to_owned(), body.len().to_string());
    let headers = headers.into_iter().chain((!body.is_empty()).then_some(length));
    let headers: Vec<(String, String)> = headers.collect();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let named = |(name, value): &(String, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        (name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"))
    };
    let head = Head {
        method: Method::from_bytes(method.as_bytes()).expect("a method"),
        origin: ORIGIN.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers.iter().map(named).collect(),
    };
    let sent = body.clone();
    let read_body = async |bytes_max: usize| {
        if sent.len() > bytes_max { Err(problem::body_too_large(bytes_max)) } else { Ok(sent) }
    };
    let reply = routes::serve(edge, head, read_body).await;
    let answered = Answered {
        status: reply.status.as_u16(),
        headers: reply.headers,
        text: String::from_utf8(reply.body).expect("UTF-8"),
    };
    conformance::check(method, path, &body, &answered);
    answered
}

/// A number that no other call gets: names of connections and rules that are made many times.
pub fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An organization with a workspace.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub organization: String,
    pub access_key: String,
    pub secret_key: String,
    pub workspace: String,
    pub publishable_key: String,
}

/// A text field of an answer.
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}

impl Tenant {
    /// A new organization with a workspace.
    pub fn new(edge: &Edge, name: &str) -> Self {
        let bearer = format!("Bearer {ADMIN_TOKEN}");
        let body = json!({"name": name}).to_string();
        let headers = [("authorization", bearer.as_str())];
        let made = call(edge, "POST", "/api/v1/organizations", &headers, body.as_bytes()).json();
        let mut tenant = Self {
            organization: text(&made, "/organization/id"),
            access_key: text(&made, "/machine_key/access_key"),
            secret_key: text(&made, "/machine_key/secret_key"),
            workspace: String::new(),
            publishable_key: String::new(),
        };
        let made = tenant.post(edge, "/api/v1/workspaces", &json!({"name": name}));
        tenant.workspace = text(&made, "/workspace/id");
        let read = tenant.get(edge, &format!("/api/v1/workspaces/{}", tenant.workspace));
        tenant.publishable_key = text(&read, "/publishable_key/public_key");
        tenant
    }

    /// A machine token, valid for 30 s from now.
    pub fn token(&self, edge: &Edge) -> String {
        let now_s = edge.now_ms() / 1_000;
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": self.access_key});
        let claims = json!({
            "iss": format!("urn:meshes:m2m:{}", self.access_key), "aud": "meshes-api",
            "org": self.organization, "iat": now_s, "exp": now_s + 30,
        });
        let part = |json: Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret_key.as_bytes()).expect("a key");
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    /// A call with a machine token.
    pub fn call(&self, edge: &Edge, method: &str, target: &str, body: &Value) -> Answered {
        let bearer = format!("Bearer {}", self.token(edge));
        let body = if body.is_null() { String::new() } else { body.to_string() };
        call(edge, method, target, &[("authorization", &bearer)], body.as_bytes())
    }

    /// A GET that succeeds.
    pub fn get(&self, edge: &Edge, target: &str) -> Value {
        let answer = self.call(edge, "GET", target, &Value::Null);
        let told = || edge.lines.borrow().last().cloned();
        assert_eq!(answer.status, 200, "{target}: {} {:?}", answer.text, told());
        answer.json()
    }

    /// A POST that creates.
    pub fn post(&self, edge: &Edge, target: &str, body: &Value) -> Value {
        let answer = self.call(edge, "POST", target, body);
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer.json()
    }

    /// A POST that changes something.
    pub fn post_ok(&self, edge: &Edge, target: &str) {
        let answer = self.call(edge, "POST", target, &json!({}));
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    /// A connection to `url` with a rule for `event`; their ids.
    pub fn route(&self, edge: &Edge, event: &str, metadata: Value) -> (String, String) {
        let connection = self.connection(edge, metadata);
        let rule = self.rule(edge, event, &connection);
        (connection, rule)
    }

    /// A connection.
    pub fn connection(&self, edge: &Edge, metadata: Value) -> String {
        let name = format!("Orders {}", next());
        let body = json!({"workspace": self.workspace, "type": "webhook", "name": name,
            "metadata": metadata});
        text(&self.post(edge, "/api/v1/connections", &body), "/connection/id")
    }

    /// A rule for `event`.
    pub fn rule(&self, edge: &Edge, event: &str, connection: &str) -> String {
        let body = json!({"workspace": self.workspace, "connection": connection, "event": event,
            "metadata": {"action": "send_webhook", "key": next().to_string()}});
        text(&self.post(edge, "/api/v1/rules", &body), "/rule/id")
    }

    /// Emits with the publishable key.
    pub fn emit_text(&self, edge: &Edge, body: &str) -> Answered {
        let key = ("x-meshes-publishable-key", self.publishable_key.as_str());
        call(edge, "POST", "/api/v1/events", &[key], body.as_bytes())
    }

    /// Emits an event that is accepted; its id.
    pub fn emit(&self, edge: &Edge, event: &str) -> String {
        let answer =
            self.emit_text(edge, &json!({"event": event, "payload": {"a": 1}}).to_string());
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.json(), "/event/id")
    }

    /// The one delivery of an event, as the history shows it.
    pub fn delivery(&self, edge: &Edge, event: &str) -> Value {
        let found = self.get(edge, &format!("/api/v1/events/{event}"));
        found["rule_events"][0].clone()
    }

    /// The attempts of an event's delivery by a rule.
    pub fn attempts(&self, edge: &Edge, event: &str, rule: &str) -> Vec<Value> {
        let path = format!("/api/v1/events/{event}/rules/{rule}/attempts");
        self.get(edge, &path)["records"].as_array().expect("a list").clone()
    }
}

/// The fields that an answer complains about.
pub fn params(answer: &Value) -> Vec<&str> {
    let data = answer["error"]["data"].as_array().map(Vec::as_slice).unwrap_or_default();
    data.iter().map(|field| field["param"].as_str().expect("a param")).collect()
}
