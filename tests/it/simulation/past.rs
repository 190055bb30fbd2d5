//! What some worlds begin with: a connection whose endpoint was down, so that more died than one
//! step of a replay sends.

use posthorn::domain::base::limits::REPLAY_STEP;
use posthorn::domain::base::time::DAY_MS;
use posthorn::ports::Clock;

use super::people::payload;
use super::world::World;
use crate::tenant::{call, text};

/// Name of the events of the past; only one connection gets them.
const NAME: &str = "past";

impl World {
    /// Gives a past to one of three worlds.
    pub fn remember(&self) {
        let chaos = &self.edge.chaos;
        if chaos.draw(3) > 0 {
            return;
        }
        chaos.note("a past");
        // The first connection of a tenant is an ordinary one, the second is strict.
        let index = chaos.draw(2) * 4 + chaos.draw(2);
        let route = &self.routes[usize::try_from(index).expect("small")];
        self.tenants[route.tenant].rule(&self.edge, NAME, &route.connection);
        let more = usize::try_from(chaos.draw(REPLAY_STEP as u64 / 2)).expect("small");
        for count in [REPLAY_STEP, more] {
            self.edge.advance_to(self.edge.now_ms() + 1);
            self.emit_past(route.tenant, count);
        }
        // Who dies of what is for other tests to say.
        self.edge.queue.clear();
        self.edge.lanes.wipe();
        for log in &self.edge.logs {
            log.execute(
                "update deliveries set state = 'failed', open = 0, due_at_ms = null, \
                 sweep_at_ms = null, attempts = 2, reason = 'attempts_used_up'",
            );
        }
        if chaos.draw(2) == 0 {
            self.age();
        }
    }

    /// Days pass, so that the past is old enough to be deleted, but for what of it is still owed.
    fn age(&self) {
        self.edge.chaos.note("an old past");
        // What is older than a week is older than our own faults may last.
        let days = [3, 9][usize::try_from(self.edge.chaos.draw(2)).expect("small")];
        self.edge.advance_to(self.edge.now_ms() + days * DAY_MS);
        let now_ms = self.edge.now_ms();
        for log in &self.edge.logs {
            log.execute(&format!(
                "update deliveries set state = 'pending', open = 1, due_at_ms = {now_ms}, \
                   sweep_at_ms = {now_ms}, attempts = 0, reason = null \
                 where unicode(substr(event, -12, 1)) % 4 = 0"
            ));
        }
        let days = "update workspaces set retention_days = 1, retention_unsettled_days = 1";
        self.edge.control.execute(days);
        // What waited for days waits for nobody else.
        self.edge.control.execute(&format!("update connections set updated_at_ms = {now_ms}"));
        let accepted = self.ledger.accepted.borrow();
        self.ledger.old.borrow_mut().extend(accepted.iter().map(|(_, event)| event.clone()));
    }

    fn emit_past(&self, tenant: usize, count: usize) {
        let one = |_| {
            let payload = payload(self.ledger.emitted.borrow().len());
            self.ledger.emitted.borrow_mut().push((tenant, payload.clone()));
            format!("{{\"event\":\"{NAME}\",\"payload\":{payload}}}")
        };
        let texts: Vec<String> = (0..count).map(one).collect();
        if texts.is_empty() {
            return;
        }
        let key = self.tenants[tenant].publishable_key.as_str();
        let headers = [("x-meshes-publishable-key", key)];
        let body = format!("[{}]", texts.join(","));
        let answer =
            call(&self.edge, "POST", "/api/v1/events/bulk", &headers, body.as_bytes()).json();
        for event in answer["records"].as_array().expect("a list") {
            self.ledger.accepted.borrow_mut().push((tenant, text(event, "/id")));
        }
    }
}
