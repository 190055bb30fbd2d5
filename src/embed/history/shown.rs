//! What the page of an event is made of, and which of its attempts is looked at.

use crate::app::events::{self, EventDetails};
use crate::domain::base::error::Result;
use crate::domain::base::ids::message_id;
use crate::domain::delivery::attempt::Record;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::FanOut;
use crate::embed::common::home;
use crate::http::Call;
use crate::http::access::EmbedSession;
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::events::DeliverySummary;
use crate::store::hidden_connections;
use crate::store::rules::{self, Rule};
use crate::store::{together, workspaces};

/// The order in which deliveries stand: what needs a person first, what was delivered last.
const ORDER: [State; 6] = [
    State::Failed,
    State::Retrying,
    State::Held,
    State::Pending,
    State::Canceled,
    State::Delivered,
];

/// What the page is made of.
pub struct Shown<'a> {
    /// Who looks at it.
    pub visit: &'a EmbedSession,
    /// The event.
    pub whole: EventDetails,
    /// The connections that pages show.
    pub connections: Vec<Connection>,
    /// The rules that pages show.
    pub rules: Vec<Rule>,
    /// When it is shown.
    pub now_ms: i64,
    /// Until when the event is kept.
    pub kept_until_ms: Option<i64>,
    hidden: Vec<String>,
}

/// The attempt that is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Selected<'a> {
    /// The delivery that it was made for.
    pub owed: &'a FanOut,
    /// The attempt.
    pub record: &'a Record,
}

/// Reads the event that a page was asked for. `look_at` is the id of a rule and the number of an
/// attempt.
///
/// # Errors
/// `NotFound` when the session sees none with this id; when a database does not answer.
pub async fn read<'a, P: Platform>(
    platform: &P,
    call: &'a Call,
    look_at: Option<(&str, u32)>,
) -> Result<Shown<'a>> {
    let visit = call.caller.visit()?;
    let (id, scope) = (call.id("id", "event")?, visit.session.actor().scope);
    let whole = events::whole_at(platform, &home(visit), &scope, &id, look_at).await?;
    let queries = (
        connections::shown(&scope),
        hidden_connections::hidden(&scope),
        rules::shown(&scope),
        workspaces::retention(&visit.session.workspace),
    );
    let (connections, hidden, rules, kept) = together(platform.control(), queries).await?;
    let kept_until_ms = whole.found.kept_until_ms(kept);
    let now_ms = platform.now_ms();
    Ok(Shown { visit, whole, connections, rules, now_ms, hidden, kept_until_ms })
}

impl Shown<'_> {
    /// The deliveries but those to connections that pages leave out, failed ones first.
    pub fn deliveries(&self) -> Vec<(&FanOut, &DeliverySummary)> {
        let found = &self.whole.found;
        let by_rule = |rule| found.deliveries.iter().find(|delivery| delivery.rule == rule);
        let shown =
            found.event.fan_out.iter().filter(|owed| !self.hidden.contains(&owed.connection));
        let mut shown: Vec<(&FanOut, &DeliverySummary)> =
            shown.filter_map(|owed| Some((owed, by_rule(owed.rule_number)?))).collect();
        shown.sort_by_key(|(_, delivery)| ORDER.iter().position(|state| *state == delivery.state));
        shown
    }

    /// The newest attempts of a delivery, in order.
    pub fn records(&self, owed: &FanOut) -> Vec<&Record> {
        let attempts = self.whole.attempts.iter().filter(|one| one.rule == owed.rule_number);
        attempts.map(|attempt| &attempt.record).collect()
    }

    /// The attempt with this number of a delivery, if it was asked for, with all that was answered.
    pub fn looked_at(&self, owed: &FanOut, number: u32) -> Option<&Record> {
        let mut of_it = self.whole.looked_at.iter().filter(|one| one.rule == owed.rule_number);
        of_it.find(|one| one.record.number == number).map(|attempt| &attempt.record)
    }

    /// The connection that a delivery goes to, while it is there.
    pub fn connection(&self, owed: &FanOut) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == owed.connection)
    }

    /// The id of a delivery's message.
    pub fn message(&self, owed: &FanOut) -> String {
        message_id(&self.whole.found.event.id, owed.rule_number)
    }
}
