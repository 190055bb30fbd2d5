//! What people and products do: emit, pause, activate, rotate, delete. Their calls go through the
//! front door and are cut off like everything else; only what was answered counts.

use std::rc::Rc;

use posthorn::http::problem;
use posthorn::routes::{Front, Head};
use serde_json::{Value, json};

use super::world::World;
use crate::edge::Edge;
use crate::tenant::{Answered, ORIGIN};

/// A payload that a JSON parser would not write again as it is.
fn payload(n: usize) -> String {
    format!("{{ \"n\":{n},\"price\":1.0e2,\"huge\":123456789012345678901,\"n\" : \"twice\"}}")
}

impl World {
    /// Somebody does something.
    pub fn deed(&self) {
        let chaos = &self.edge.chaos;
        match chaos.draw(24) {
            0..=13 => self.emit(1),
            14..=17 => self.emit(2 + usize::try_from(chaos.draw(4)).expect("small")),
            18..=19 => self.change("pauses", "deactivate", json!({})),
            20..=21 => {
                let held = if chaos.draw(4) == 0 { "cancel" } else { "deliver" };
                self.change("activates", "activate", json!({"held": held}));
            }
            22 => self.rotate(),
            _ if chaos.draw(3) == 0 => self.delete(),
            _ => self.emit(1),
        }
    }

    fn emit(&self, count: usize) {
        let chaos = &self.edge.chaos;
        chaos.note(if count == 1 { "emits" } else { "emits in bulk" });
        let tenant = usize::try_from(chaos.draw(self.tenants.len() as u64)).expect("small");
        let mut texts = Vec::new();
        for _ in 0..count {
            let n = self.ledger.emitted.borrow().len();
            let payload = payload(n);
            texts.push(format!("{{\"event\":\"x\",\"payload\":{payload}}}"));
            self.ledger.emitted.borrow_mut().push((tenant, payload));
        }
        let (path, body) = match texts.len() {
            1 => ("/api/v1/events", texts.remove(0)),
            _ => ("/api/v1/events/bulk", format!("[{}]", texts.join(","))),
        };
        let key = self.tenants[tenant].publishable_key.clone();
        let headers = vec![("x-meshes-publishable-key".to_owned(), key)];
        let (edge, ledger) = (self.edge.clone(), Rc::clone(&self.ledger));
        self.edge.spawn(async move {
            let answer = ask(&edge, "POST", path, headers, body).await;
            if answer.status != 201 {
                return edge.chaos.say(|| format!("emit is answered {}", answer.status));
            }
            let answer = answer.json();
            let one = answer["event"].as_object().map(|_| vec![answer["event"].clone()]);
            for event in one.or_else(|| answer["records"].as_array().cloned()).expect("events") {
                let id = event["id"].as_str().expect("an id").to_owned();
                edge.chaos.say(|| format!("{id} is accepted"));
                ledger.accepted.borrow_mut().push((tenant, id));
            }
        });
    }

    fn change(&self, deed: &'static str, what: &str, body: Value) {
        let route = self.any_route();
        self.edge.chaos.note(deed);
        let path = format!("/api/v1/connections/{}/{what}", route.connection);
        self.manage(route.tenant, "POST", path, body, |_| {});
    }

    fn rotate(&self) {
        let (route, chaos) = (self.any_route(), &self.edge.chaos);
        chaos.note("rotates");
        let secret = format!("a secret of the customer's, number {:04}", chaos.draw(10_000));
        let overlap_s = chaos.draw(2) * 30;
        let path = format!("/api/v1/connections/{}/secret/rotate", route.connection);
        let body = json!({"secret": secret, "overlap_seconds": overlap_s});
        // It may be in force before it is answered, and is in force from then on.
        let secrets = Rc::clone(&route.secrets);
        let (edge, begun) = (self.edge.clone(), secret.clone());
        secrets.borrow_mut().maybe.push(begun);
        self.manage(route.tenant, "POST", path, body, move |answer| {
            if answer.status == 200 {
                edge.chaos.say(|| "a rotation is answered".to_owned());
                secrets.borrow_mut().answered(&edge, secret.clone());
            }
        });
    }

    fn delete(&self) {
        let route = self.any_route();
        self.edge.chaos.note("deletes");
        let path = format!("/api/v1/connections/{}", route.connection);
        self.manage(route.tenant, "DELETE", path, json!({"force_delete": true}), |_| {});
    }

    /// Activates every connection that is inactive; nothing goes wrong any more.
    pub fn activate_all(&self) {
        for route in &self.routes {
            let path = format!("/api/v1/connections/{}/activate", route.connection);
            self.manage(route.tenant, "POST", path, json!({}), |_| {});
        }
    }

    fn manage(
        &self,
        tenant: usize,
        method: &'static str,
        path: String,
        body: Value,
        then: impl Fn(&Answered) + 'static,
    ) {
        let bearer = format!("Bearer {}", self.tenants[tenant].token(&self.edge));
        let headers = vec![("authorization".to_owned(), bearer)];
        let edge = self.edge.clone();
        self.edge.spawn(async move {
            let answer = ask(&edge, method, &path, headers, body.to_string()).await;
            edge.chaos.say(|| format!("{method} {path} {body} is answered {}", answer.status));
            then(&answer);
        });
    }
}

/// A call through the front door.
async fn ask(
    edge: &Edge,
    method: &str,
    path: &str,
    headers: Vec<(String, String)>,
    body: String,
) -> Answered {
    let method = http::Method::from_bytes(method.as_bytes()).expect("a method");
    let head = Head {
        origin: ORIGIN.to_owned(),
        method,
        path: path.to_owned(),
        query: String::new(),
        headers: headers.into_iter().collect(),
    };
    let read_body = async |bytes_max: usize| {
        if body.len() > bytes_max {
            return Err(problem::body_too_large(bytes_max));
        }
        Ok(body.into_bytes())
    };
    let reply = Front::<Edge>::default().serve(edge, head, read_body).await;
    Answered {
        status: reply.status.as_u16(),
        headers: http::HeaderMap::new(),
        text: String::from_utf8(reply.body).expect("UTF-8"),
    }
}
