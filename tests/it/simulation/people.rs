//! What people and products do: emit, pause, activate, rotate, move, delete, retry, cancel, replay.
//! Their calls go through the front door and are cut off like everything else; only what was
//! answered counts.

use std::cell::RefCell;
use std::rc::Rc;

use posthorn::domain::base::time::rfc3339;
use posthorn::ports::Clock;
use serde_json::{Value, json};

use super::changes::Changes;
use super::promises::Ledger;
use super::world::{Life, Route, World};
use crate::edge::{Edge, START_MS};
use crate::tenant::{Answered, ask, text};

/// A payload that a JSON parser would not write again as it is.
pub fn payload(n: usize) -> String {
    format!("{{ \"n\":{n},\"price\":1.0e2,\"huge\":123456789012345678901,\"n\" : \"twice\"}}")
}

impl World {
    /// Somebody does something.
    pub fn deed(&self) {
        let chaos = &self.edge.chaos;
        if chaos.draw(3) == 0 {
            // Nobody waits gladly.
            self.any_under_way().into_iter().for_each(|one| self.retry_one(one));
        }
        match chaos.draw(39) {
            0..=13 => self.emit(1),
            14..=17 => self.emit(2 + usize::try_from(chaos.draw(4)).expect("small")),
            18..=19 => self.pause(),
            20..=21 => {
                let held = if chaos.draw(4) == 0 { "cancel" } else { "deliver" };
                chaos.note("activates");
                self.activate(self.any_route(), json!({"held": held}));
            }
            22 => self.rotate(),
            23 if chaos.draw(3) == 0 => self.delete(),
            24..=27 => self.retry(),
            28..=29 => self.cancel(),
            30 => self.cancel_event(),
            31..=34 => self.replay(),
            35 => self.stop_replay(),
            36..=37 => self.move_on(),
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
        let (edge, ledger) = (self.front().clone(), Rc::clone(&self.ledger));
        self.edge.spawn(async move {
            let answer = ask(&edge, "POST", path, headers, body.into_bytes()).await;
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

    fn pause(&self) {
        let route = self.any_route();
        self.edge.chaos.note("pauses");
        let path = format!("/api/v1/connections/{}/deactivate", route.connection);
        self.manage_change(route.tenant, ("POST", path, json!({})), &route.life, Life::Paused);
    }

    fn activate(&self, route: &Route, body: Value) {
        let activated = (route.connection.clone(), self.edge.now_ms());
        self.ledger.activated.borrow_mut().push(activated);
        let path = format!("/api/v1/connections/{}/activate", route.connection);
        self.manage_change(route.tenant, ("POST", path, body), &route.life, Life::Active);
    }

    fn rotate(&self) {
        let (route, chaos) = (self.any_route(), &self.edge.chaos);
        chaos.note("rotates");
        let secret = format!("a secret of the customer's, number {:06}", chaos.draw(1_000_000));
        let overlap_s = chaos.draw(2) * 30;
        let path = format!("/api/v1/connections/{}/secret/rotate", route.connection);
        let body = json!({"secret": secret, "overlap_seconds": overlap_s});
        self.manage_change(route.tenant, ("POST", path, body), &route.secrets, secret);
    }

    fn move_on(&self) {
        let route = self.any_route();
        self.edge.chaos.note("moves");
        let url = route.endpoint.move_on(&self.edge);
        let path = format!("/api/v1/connections/{}", route.connection);
        let body = json!({"metadata": {"url": &url}});
        self.manage_change(route.tenant, ("PATCH", path, body), &route.urls, url);
    }

    fn delete(&self) {
        let route = self.any_route();
        self.edge.chaos.note("deletes");
        let path = format!("/api/v1/connections/{}", route.connection);
        let call = ("DELETE", path, json!({"force_delete": true}));
        self.manage_change(route.tenant, call, &route.life, Life::Deleted);
    }

    /// A change may be in force before it is answered, and is from then on.
    fn manage_change<T: PartialEq + 'static>(
        &self,
        tenant: usize,
        (method, path, body): (&'static str, String, Value),
        changes: &Rc<RefCell<Changes<T>>>,
        value: T,
    ) {
        let (edge, changes) = (self.edge.clone(), Rc::clone(changes));
        let handle = changes.borrow_mut().begin(value, edge.now_ms());
        self.manage(tenant, method, path, body, move |answer| {
            changes.borrow_mut().end(handle, answer.status, edge.now_ms());
        });
    }

    /// Somebody looks at a list of deliveries of one state, or at the last one that was attempted,
    /// and takes one: its tenant, its event and the id of its rule.
    fn any_delivery(&self, states: &[&str]) -> Option<(usize, String, String)> {
        let chaos = &self.edge.chaos;
        let state = states[usize::try_from(chaos.draw(states.len() as u64)).expect("small")];
        let which = match &*self.ledger.last.borrow() {
            // Often it is the one that is under way.
            Some((connection, event)) if chaos.draw(3) == 0 => {
                format!("d.connection = '{connection}' and d.event = '{event}'")
            }
            _ => format!("d.state = '{state}'"),
        };
        self.one_of(&self.deliveries(&which))
    }

    /// One whose retry has arrived and was not recorded: its endpoint takes its time.
    fn any_under_way(&self) -> Option<(usize, String, String)> {
        let arrived = self.ledger.attempts.borrow();
        let mut found = self.deliveries("d.state = 'retrying'");
        found.retain(|words| {
            arrived.contains_key(&(words[3].clone(), words[4].parse().expect("a number")))
        });
        self.one_of(&found)
    }

    /// The connection, event and rule of some deliveries, their message and their next attempt.
    fn deliveries(&self, which: &str) -> Vec<Vec<String>> {
        let found = self.ask(&format!(
            "select d.connection || ' ' || d.event || ' ' || (select value ->> 'r' \
               from json_each(e.fan_out) where value ->> 'n' = d.rule) || ' msg_' \
               || replace(d.event, '-', '') || printf('%08x', d.rule) || ' ' || (d.attempts + 1) \
             from deliveries d join events e on e.workspace = d.workspace and e.event = d.event \
             where {which}"
        ));
        let words =
            |row: &Value| row.as_str().expect("text").split(' ').map(str::to_owned).collect();
        found.iter().map(words).collect()
    }

    fn one_of(&self, found: &[Vec<String>]) -> Option<(usize, String, String)> {
        let index = self.edge.chaos.draw(found.len() as u64);
        let words = found.get(usize::try_from(index).expect("small"))?;
        let route = self.routes.iter().find(|route| route.connection == words[0]);
        let tenant = route.expect("a connection of this world").tenant;
        Some((tenant, words[1].clone(), words[2].clone()))
    }

    fn retry(&self) {
        let states = ["failed", "delivered", "retrying", "retrying", "pending", "held", "canceled"];
        let one = self.any_delivery(&states);
        one.into_iter().for_each(|one| self.retry_one(one));
    }

    fn retry_one(&self, (tenant, event, rule): (usize, String, String)) {
        self.edge.chaos.note("retries");
        self.ledger.asked.borrow_mut().push((event.clone(), self.edge.now_ms()));
        let path = format!("/api/v1/events/{event}/rules/{rule}/retry");
        self.manage(tenant, "POST", path, json!({}), |_| {});
    }

    fn cancel(&self) {
        let states = ["retrying", "retrying", "pending", "held", "delivered"];
        let Some((tenant, event, rule)) = self.any_delivery(&states) else { return };
        self.edge.chaos.note("cancels one");
        let path = format!("/api/v1/events/{event}/rules/{rule}/cancel");
        self.manage(tenant, "POST", path, json!({}), |_| {});
    }

    fn cancel_event(&self) {
        let Some((tenant, event, _)) = self.any_delivery(&["retrying", "pending"]) else { return };
        self.edge.chaos.note("cancels all of an event");
        self.manage(tenant, "POST", format!("/api/v1/events/{event}/cancel"), json!({}), |_| {});
    }

    /// Replays all, or some range of time, of all connections or of one. Half of those who do stop
    /// it a little later.
    fn replay(&self) {
        let (route, chaos) = (self.any_route(), &self.edge.chaos);
        chaos.note("replays");
        let elapsed_ms = self.edge.now_ms() - START_MS + 1;
        let some_ms = |ms: i64| i64::try_from(chaos.draw(ms.unsigned_abs())).expect("small");
        let (after_ms, range_ms) = match chaos.draw(2) {
            0 => (0, elapsed_ms),
            _ => (some_ms(elapsed_ms), 1 + some_ms(elapsed_ms)),
        };
        let since_ms = START_MS + after_ms;
        let mut body = json!({"status": if chaos.draw(3) == 0 { "completed" } else { "failed" },
            "since": rfc3339(since_ms), "until": rfc3339(since_ms + range_ms)});
        if chaos.draw(2) == 0 {
            body["connection"] = json!(route.connection);
        }
        let stop_after_ms = (chaos.draw(2) == 0).then(|| some_ms(6_000));
        let path = format!("/api/v1/workspaces/{}/replays", self.tenants[route.tenant].workspace);
        let (edge, ledger, tenant) = (self.edge.clone(), Rc::clone(&self.ledger), route.tenant);
        let bearer = self.bearer(tenant);
        self.manage(tenant, "POST", path, body, move |answer| {
            if answer.status != 201 {
                return;
            }
            let id = text(&answer.json(), "/replay/id");
            ledger.replays.borrow_mut().push((tenant, id.clone()));
            if let Some(ms) = stop_after_ms {
                let (edge, ledger, bearer) = (edge.clone(), Rc::clone(&ledger), bearer.clone());
                edge.clone().spawn(async move {
                    edge.sleep_ms(ms).await;
                    stop(&edge, &ledger, bearer, &id).await;
                });
            }
        });
    }

    fn stop_replay(&self) {
        let replays = self.ledger.replays.borrow().clone();
        let index = self.edge.chaos.draw(replays.len() as u64);
        let Some((tenant, id)) = replays.get(usize::try_from(index).expect("small")) else {
            return;
        };
        let (edge, ledger, id) = (self.edge.clone(), Rc::clone(&self.ledger), id.clone());
        let bearer = self.bearer(*tenant);
        self.edge.spawn(async move { stop(&edge, &ledger, bearer, &id).await });
    }

    fn bearer(&self, tenant: usize) -> String {
        format!("Bearer {}", self.tenants[tenant].token(&self.edge))
    }

    /// Activates every connection that is inactive; nothing goes wrong any more.
    pub fn activate_all(&self) {
        self.routes.iter().for_each(|route| self.activate(route, json!({})));
    }

    fn manage(
        &self,
        tenant: usize,
        method: &'static str,
        path: String,
        body: Value,
        then: impl Fn(&Answered) + 'static,
    ) {
        let headers = vec![("authorization".to_owned(), self.bearer(tenant))];
        let edge = self.front().clone();
        self.edge.spawn(async move {
            let answer = ask(&edge, method, &path, headers, body.to_string().into_bytes()).await;
            edge.chaos.say(|| format!("{method} {path} {body} is answered {}", answer.status));
            then(&answer);
        });
    }
}

/// Stops a replay. What it has sent by then is noted, for it may not send any more.
async fn stop(edge: &Edge, ledger: &Ledger, bearer: String, id: &str) {
    edge.chaos.note("stops a replay");
    let (path, headers) =
        (format!("/api/v1/replays/{id}"), vec![("authorization".to_owned(), bearer)]);
    let answer = ask(edge, "DELETE", &path, headers, Vec::new()).await;
    edge.chaos.say(|| format!("DELETE {path} is answered {} {}", answer.status, answer.text));
    if answer.status == 200 {
        let replayed = answer.json()["replayed"].as_i64().expect("a number");
        ledger.stopped.borrow_mut().push((id.to_owned(), replayed));
    }
}
