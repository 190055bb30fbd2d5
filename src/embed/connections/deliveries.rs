//! What a connection was sent lately: the newest deliveries, filtered by state and date, and what
//! the page says of its health is read with them.

use maud::{Markup, html};

use crate::domain::base::error::Result;
use crate::domain::base::ids::first_event_id;
use crate::domain::delivery::state::State;
use crate::domain::tenants::session::{Need, SessionType};
use crate::embed::charts::Week;
use crate::embed::common::history_db;
use crate::embed::frame::layout::path;
use crate::embed::frame::parts::{self, Button};
use crate::embed::history::delivery::AFTER;
use crate::embed::last_day::LastDay;
use crate::embed::text::{self, moments};
use crate::http::access::EmbedSession;
use crate::http::{Call, cursor};
use crate::ports::Platform;
use crate::store::connection_deliveries::{self, DAY_LOOKED_AT, Delivery, LOOKED_AT, NEWEST_SHOWN};
use crate::store::connections::Connection;
use crate::store::events::NEWEST;
use crate::store::held;
use crate::store::lanes::{self, HeldBack, Trouble};
use crate::store::{rollups, together};

/// The states that can be asked for, by the word of the API.
const STATES: [(&str, &[State]); 6] = [
    ("pending", &[State::Pending, State::Held]),
    ("held", &[State::Held]),
    ("retrying", &[State::Retrying]),
    ("completed", &[State::Delivered]),
    ("failed", &[State::Failed]),
    ("canceled", &[State::Canceled]),
];

/// Which deliveries are shown.
#[derive(Debug, Default)]
pub struct Wanted {
    status: String,
    since: String,
    until: String,
}

impl Wanted {
    fn read(call: &Call) -> Self {
        let asked = |name: &str| call.request.query(name).unwrap_or_default().trim().to_owned();
        let status = asked("status");
        let status = if states(&status).is_some() { status } else { String::new() };
        Self { status, since: asked("since"), until: asked("until") }
    }

    fn is_all(&self) -> bool {
        self.status.is_empty() && self.since.is_empty() && self.until.is_empty()
    }

    /// The id before which the event of a delivery was accepted too early.
    fn first(&self) -> String {
        moments::parse_field(&self.since).map(first_event_id).unwrap_or_default()
    }

    fn has(&self, delivery: &Delivery, first: &str) -> bool {
        let is_meant = states(&self.status).is_none_or(|all| all.contains(&delivery.state));
        is_meant && delivery.event.as_str() >= first
    }

    fn query(&self, cursor: &str) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let fields = [("status", &self.status), ("since", &self.since), ("until", &self.until)];
        query.extend_pairs(fields.iter().filter(|(_, value)| !value.is_empty()));
        query.append_pair("cursor", cursor);
        query.finish()
    }
}

fn states(word: &str) -> Option<&'static [State]> {
    STATES.iter().find(|(known, _)| *known == word).map(|(_, states)| *states)
}

/// A page of a connection's deliveries, and its health.
pub struct Deliveries {
    /// The deliveries that are shown, newest first.
    pub shown: Vec<Delivery>,
    /// The newest of all if that is what is shown, one more than fits if there is more.
    pub newest: Option<Vec<Delivery>>,
    /// Why its lane holds deliveries back.
    pub held_back: Option<HeldBack>,
    /// The event at the head of a strict line that holds the others back.
    pub holds_the_line: Option<String>,
    /// Whether its last attempt failed.
    pub trouble: Option<Trouble>,
    /// What became of its deliveries in the last days.
    pub week: Week,
    /// What became of those of the last 24 hours.
    pub last_day: LastDay,
    /// Until when they were counted.
    pub counted_ms: Option<i64>,
    /// How many deliveries wait, as far as they are counted.
    pub waiting: usize,
    wanted: Wanted,
    next: Option<(String, u32)>,
}

/// None for a session of one resource: what it was sent is about other resources too.
pub async fn read<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    call: &Call,
    connection: &Connection,
) -> Result<Option<Deliveries>> {
    let session = &visit.session;
    if session.session_type == SessionType::Resource {
        return Ok(None);
    }
    let wanted = Wanted::read(call);
    let before: Option<(String, u32)> = cursor::read(call, "deliveries")?;
    let is_newest = before.is_none() && wanted.is_all();
    let until = moments::parse_field(&wanted.until).map(first_event_id);
    let (event, rule) = before.unwrap_or_else(|| (until.unwrap_or(NEWEST.to_owned()), 0));
    let (of, id) = (&session.workspace, connection.id.as_str());
    let now_ms = platform.now_ms();
    let limit = if wanted.is_all() { NEWEST_SHOWN + 1 } else { LOOKED_AT };
    let queries = (
        connection_deliveries::list(of, id, (&event, rule), limit),
        lanes::held_back(of, id),
        lanes::holds_the_line(of, id),
        lanes::trouble(of, id),
        rollups::of_connection(of, id, Week::since_ms(now_ms)),
        rollups::progress(),
        held::count_waiting(of, id, connection.active),
        connection_deliveries::last_day(of, &[id], LastDay::since_ms(now_ms), DAY_LOOKED_AT),
    );
    let (read, held_back, holds_the_line, trouble, counted, progress, waiting, day) =
        together(history_db(platform, session)?, queries).await?;
    let newest = is_newest.then(|| read.clone());
    let (shown, next) = page_of(read, &wanted, limit);
    let last_day = LastDay::of(&day, id, DAY_LOOKED_AT, now_ms);
    let (week, counted_ms) = (Week::of(counted.iter(), now_ms), progress.as_of_ms);
    Ok(Some(Deliveries {
        shown,
        newest,
        held_back,
        holds_the_line,
        trouble,
        week,
        last_day,
        counted_ms,
        waiting,
        wanted,
        next,
    }))
}

/// What of what was read is shown, and where the list goes on.
fn page_of(
    read: Vec<Delivery>,
    wanted: &Wanted,
    limit: usize,
) -> (Vec<Delivery>, Option<(String, u32)>) {
    let place = |delivery: &Delivery| (delivery.event.clone(), delivery.rule);
    let first = wanted.first();
    let last_read = read.last().filter(|last| read.len() == limit && last.event >= first);
    let last_read = last_read.map(place);
    let mut shown = read;
    shown.retain(|delivery| wanted.has(delivery, &first));
    let has_more = shown.len() > NEWEST_SHOWN;
    shown.truncate(NEWEST_SHOWN);
    let next = if has_more { shown.last().map(place) } else { last_read };
    (shown, next)
}

/// The deliveries with their filters, and a link to older ones.
pub fn history(
    visit: &EmbedSession,
    page: &Deliveries,
    connection: &Connection,
    is_whole: bool,
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    let id = &connection.id;
    let next = page.next.as_ref().map(|next| page.wanted.query(&cursor::write("deliveries", next)));
    html! {
        div.heading {
            h2 { (t.deliveries) }
            @if parts::denied(visit, Need::Replay).is_none() {
                a href=(path(visit, &format!("replays/new?connection={id}"))) {
                    (t.connection.recover)
                }
            }
        }
        details open[!page.wanted.is_all()] {
            summary { (t.connection.filter) }
            (filters(visit, page, id))
        }
        section id="deliveries" data-live {
            (parts::lag(t, is_whole))
            @if page.shown.is_empty() {
                p.hint {
                    @if page.wanted.is_all() { (t.no_deliveries) }
                    @else { (t.connection.none_found) }
                }
            } @else {
                (table(visit, &page.shown, connection, now_ms))
            }
            @if let Some(next) = next {
                a.button.quiet href=(path(visit, &format!("connections/{id}?{next}#deliveries"))) {
                    (t.older)
                }
            }
        }
    }
}

fn filters(visit: &EmbedSession, page: &Deliveries, id: &str) -> Markup {
    let t = text::of(visit);
    let at = path(visit, &format!("connections/{id}"));
    let wanted = &page.wanted;
    html! {
        form.filters method="get" action=(at) role="search" {
            label { (t.filter_status)
                select.menu name="status" {
                    option value="" { (t.any) }
                    @for (word, states) in STATES {
                        option value=(word) selected[word == wanted.status] {
                            ((t.why.state)(states[0].as_str()))
                        }
                    }
                } }
            label { (t.connection.since)
                input type="datetime-local" name="since" value=(wanted.since); }
            label { (t.connection.until)
                input type="datetime-local" name="until" value=(wanted.until); }
            div.actions {
                button { (t.show) }
                @if !wanted.is_all() { a.button.quiet href=(at) { (t.clear) } }
            }
        }
    }
}

fn table(visit: &EmbedSession, shown: &[Delivery], connection: &Connection, now_ms: i64) -> Markup {
    let t = text::of(visit);
    html! {
        table.list {
            thead {
                tr {
                    @for (class, head) in t.connection.heads {
                        @if head.is_empty() { td {} }
                        @else { th scope="col" class=[class] { (head) } }
                    }
                }
            }
            tbody { @for delivery in shown { (row(visit, delivery, connection, now_ms)) } }
        }
    }
}

fn row(visit: &EmbedSession, delivery: &Delivery, connection: &Connection, now_ms: i64) -> Markup {
    let t = text::of(visit);
    html! {
        tr {
            td {
                a href=(path(visit, &format!("events/{}", delivery.event))) {
                    (parts::breakable(&delivery.name))
                }
                @if let Some(id) = &delivery.resource_id { " " code { (id) } }
            }
            td {
                (parts::state(t, delivery.state.as_str()))
                @if let Some(error) = &delivery.last_error { " " small { ((t.said)(error)) } }
            }
            td.wide { (delivery.attempts) }
            td.wide {
                @if let Some(due_at_ms) = delivery.due_at_ms.filter(|_| delivery.attempts > 0) {
                    (parts::due(t, due_at_ms, now_ms))
                }
            }
            td { (parts::time(t, delivery.created_at_ms, now_ms)) }
            td { (send_again(visit, delivery, connection)) }
        }
    }
}

/// The button that sends it again, for what is settled and was not delivered.
fn send_again(visit: &EmbedSession, delivery: &Delivery, connection: &Connection) -> Markup {
    let t = text::of(visit);
    let is_over = matches!(delivery.state, State::Failed | State::Canceled);
    let may = parts::denied(visit, Need::Act).is_none() && connection.active;
    let action = format!("events/{}/rules/{}/retry", delivery.event, delivery.rule_id);
    let button = Button {
        label: t.send_again,
        action: &action,
        need: Need::Act,
        look: "quiet",
        fields: &[(AFTER, "connection"), ("connection", &connection.id)],
    };
    html! { @if is_over && may { (button.render(visit)) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivery(n: usize, state: State) -> Delivery {
        Delivery {
            event: format!("{:04}", 1_000 - n),
            rule: 1,
            rule_id: String::new(),
            name: String::new(),
            resource_id: None,
            state,
            attempts: 0,
            due_at_ms: None,
            created_at_ms: 0,
            last_error: None,
        }
    }

    #[test]
    fn a_page_of_some_goes_on_after_what_it_looked_at() {
        let failed = Wanted { status: "failed".to_owned(), ..Wanted::default() };
        let state = |n| if n % 10 == 0 { State::Failed } else { State::Delivered };
        let read: Vec<Delivery> = (0..100).map(|n| delivery(n, state(n))).collect();
        // All that was looked at is shown, and there may be more behind it.
        let (shown, next) = page_of(read.clone(), &failed, 100);
        assert_eq!((shown.len(), next), (10, Some(("0901".to_owned(), 1))));
        let (shown, next) = page_of(read.clone(), &failed, 101);
        assert_eq!((shown.len(), next), (10, None), "the end was reached");
        // More was found than a page shows.
        let (shown, next) = page_of(read.clone(), &Wanted::default(), 100);
        assert_eq!((shown.len(), next), (NEWEST_SHOWN, Some(("0981".to_owned(), 1))));
        let (shown, next) = page_of(read[..20].to_vec(), &Wanted::default(), 21);
        assert_eq!((shown.len(), next), (20, None));
    }
}
