//! The page of one connection: what it is set to, its secrets, its rules, and what it was sent
//! lately; making it active and inactive, and deleting it.

use maud::{Markup, html};

use crate::app::activation::{self, Held};
use crate::app::connections as app;
use crate::destinations::Destination;
use crate::destinations::model::{Kind, Part, Values};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::version::Expected;
use crate::domain::connection::options::Ordering;
use crate::domain::connection::signing::{Algorithm, Signing};
use crate::domain::tenants::session::{Need, SessionType};
use crate::embed::common::history_db;
use crate::embed::connections::list::{activity, shown};
use crate::embed::connections::secret;
use crate::embed::frame::confirm::Question;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::live;
use crate::embed::frame::parts::{self, Button};
use crate::embed::rules;
use crate::embed::text::{self, moments};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connection_deliveries::{self, Delivery, NEWEST_SHOWN};
use crate::store::connections::{self, Connection};
use crate::store::events::NEWEST;
use crate::store::held::{self, COUNTED_MAX};
use crate::store::lanes::{self, HeldBack, Trouble};
use crate::store::secrets;
use crate::store::{four, rules as stored_rules, three, two};

/// `GET /embed/s/{session}/connections/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (session, id) = (&visit.session, call.id("id", "connection")?);
    let (scope, now_ms) = (session.actor().scope, platform.now_ms());
    let queries = (
        connections::one_shown(&scope, &id),
        secrets::live(&scope, &id, now_ms),
        stored_rules::shown(&scope),
    );
    let (connection, secrets, all_rules) = three(platform.control(), queries).await?;
    let of_it: Vec<_> = all_rules.into_iter().filter(|rule| rule.connection == id).collect();
    let (destination, values) = app::parts(&connection)?;
    let signing = destination.signing(&values).map_err(Error::internal)?;
    let deliveries = deliveries(platform, visit, call, &id).await?;
    let at = format!("connections/{id}");
    let edit = format!("{at}/edit");
    let fails = deliveries.as_ref().is_some_and(|page| page.trouble.is_some());
    let state = activity(&connection, of_it.len(), fails);
    let body = html! {
        (heading(visit, &connection, state, &at))
        (inactive_notice(visit, &connection))
        (warning(&connection, now_ms))
        @if let Some(page) = deliveries.as_ref().filter(|_| connection.active) {
            (failing_notice(page, now_ms))
        }
        @if let Some(page) = &deliveries { (line_notice(visit, page, now_ms)) }
        div.columns {
            section {
                h2 { (text::SETTINGS) }
                (summary(destination, &values, &connection))
                (parts::link_button(visit, Need::Manage, &edit, text::EDIT, "quiet"))
            }
            @if let Some(signing) = &signing {
                section {
                    h2 { (text::SIGNATURE) }
                    p { (text::signature_summary(signing)) }
                    @if signing.algorithm != Algorithm::None {
                        (secret::summary(visit, &connection, &secrets, now_ms))
                    }
                    p {
                        a href=(path(visit, &format!("{at}/verification"))) {
                            (text::VERIFICATION)
                        }
                    }
                }
            }
        }
        section {
            h2 { (text::RULES) }
            (rules::of_connection(visit, &id, &of_it))
        }
        @if let Some(page) = &deliveries { (history(visit, page, &id, now_ms)) }
        (danger(visit, &at))
    };
    let mut shown = Page::new(Section::Connections, &connection.name);
    let done = call.request.query("done");
    shown.done = done.as_deref();
    shown.live = deliveries
        .filter(|page| page.is_first)
        .map(|page| live::of_connection(visit, &id, &page.read));
    Ok(page(visit, &shown, &body))
}

fn heading(visit: &EmbedSession, connection: &Connection, state: &str, at: &str) -> Markup {
    let (toggle, label) = match connection.active {
        true => (format!("{at}/deactivate"), text::PAUSE),
        false => (format!("{at}/activate"), text::RESUME),
    };
    let test = format!("{at}/test");
    html! {
        div.heading {
            h1 { (connection.name) " " (parts::state(state)) }
            div.actions {
                (parts::link_button(visit, Need::Act, &test, text::SEND_TEST, "primary"))
                (Button { label, action: &toggle, need: Need::Manage, look: "quiet", fields: &[] }
                    .render(visit))
            }
        }
    }
}

fn inactive_notice(visit: &EmbedSession, connection: &Connection) -> Markup {
    let cancel = format!("connections/{}/activate", connection.id);
    html! {
        @if let Some(reason) = connection.inactive_reason {
            div.notice role="status" {
                p { strong { (text::why::inactive(reason)) } " " (text::HELD_MEANWHILE) }
                (parts::link_button(visit, Need::Manage, &cancel, text::RESUME_WITHOUT, "quiet"))
            }
        }
    }
}

/// Nothing succeeds any more, and some time is left to mend that.
fn warning(connection: &Connection, now_ms: i64) -> Markup {
    let given = connection.warning.filter(|(_, percent)| connection.active && *percent > 0);
    html! {
        @if let Some((since_ms, percent)) = given {
            div.notice.bad role="alert" {
                p { (text::why::warned(percent)) }
                p { (text::FAILING_SINCE) " " (parts::time(since_ms, now_ms)) "." }
            }
        }
    }
}

/// Since when nothing succeeds, and the last error that is on the page.
fn failing_notice(page: &Deliveries, now_ms: i64) -> Markup {
    let since_ms = page.trouble.as_ref().and_then(|trouble| trouble.failing_since_ms);
    let last_error = page.read.iter().find_map(|delivery| delivery.last_error.as_deref());
    html! {
        @if let Some(since_ms) = since_ms {
            div.notice.bad role="status" {
                p {
                    (text::FAILING_SINCE) " " (parts::time(since_ms, now_ms)) ". "
                    @if let Some(error) = last_error { (text::LAST_ERROR) " " (error) }
                }
            }
        }
    }
}

/// What keeps the whole line back: its lane, or the event at its head.
fn line_notice(visit: &EmbedSession, page: &Deliveries, now_ms: i64) -> Markup {
    html! {
        @if let Some(lane) = &page.held_back { div.notice { (parts::held_back(lane, now_ms)) } }
        @if let Some(event) = &page.holds_the_line {
            div.notice {
                p {
                    (text::HOLDS_THE_LINE) " "
                    a href=(path(visit, &format!("events/{event}"))) { code { (event) } }
                }
            }
        }
    }
}

fn summary(destination: &dyn Destination, values: &Values, connection: &Connection) -> Markup {
    let fields = destination.about().fields.iter();
    let fields = fields.filter(|field| field.part != Part::Signature && field.counts(values));
    let options = &connection.options;
    html! {
        dl {
            @for field in fields {
                @let names = values.names(field.key);
                @if !names.is_empty() {
                    dt { (field.label) }
                    dd { @for name in names { code { (name) ": ***" } " " } }
                } @else if field.is_secret && connection.credentials.contains_key(field.key) {
                    dt { (field.label) } dd { (text::SET) }
                } @else if let Some(value) = values.get(field.key) {
                    dt { (field.label) }
                    dd {
                        @match field.kind {
                            Kind::Url => { (parts::copyable_word(field.key, value)) }
                            Kind::Words(words) => { (word_label(words, value)) }
                            _ => { (value) }
                        }
                    }
                }
            }
            dt { (text::form::field("timeout_seconds").0) }
            dd { (moments::seconds(options.timeout_seconds)) }
            dt { (text::form::field("retry_schedule").0) }
            dd { (moments::schedule(options.retry_schedule_seconds.steps())) }
            @if options.ordering == Ordering::Strict {
                dt { (text::form::field("ordering").0) }
                dd { (text::form::ORDERINGS[1].1) }
            }
            @if let Some(most) = options.max_per_second {
                dt { (text::form::field("max_per_second").0) }
                dd { (most) }
            }
        }
    }
}

fn word_label<'a>(words: &[(&'a str, &'a str)], word: &'a str) -> &'a str {
    words.iter().find(|(known, _)| *known == word).map_or(word, |(_, label)| label)
}

/// A page of a connection's deliveries.
struct Deliveries {
    read: Vec<Delivery>,
    is_first: bool,
    held_back: Option<HeldBack>,
    holds_the_line: Option<String>,
    trouble: Option<Trouble>,
}

/// None for a session of one resource: what it was sent is about other resources too.
async fn deliveries<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    call: &Call,
    id: &str,
) -> Result<Option<Deliveries>> {
    let session = &visit.session;
    if session.session_type == SessionType::Resource {
        return Ok(None);
    }
    let before: Option<(String, u32)> = cursor::read(call, "deliveries")?;
    let is_first = before.is_none();
    let (event, rule) = before.unwrap_or_else(|| (NEWEST.to_owned(), 0));
    let of = &session.workspace;
    let queries = (
        connection_deliveries::list(of, id, (&event, rule), NEWEST_SHOWN + 1),
        lanes::held_back(of, id),
        lanes::holds_the_line(of, id),
        lanes::trouble(of, id),
    );
    let (read, held_back, holds_the_line, trouble) =
        four(history_db(platform, session)?, queries).await?;
    Ok(Some(Deliveries { read, is_first, held_back, holds_the_line, trouble }))
}

fn history(visit: &EmbedSession, page: &Deliveries, id: &str, now_ms: i64) -> Markup {
    let shown = &page.read[..page.read.len().min(NEWEST_SHOWN)];
    let next = shown.last().filter(|_| page.read.len() > NEWEST_SHOWN);
    let next = next.map(|last| cursor::write("deliveries", &(&last.event, last.rule)));
    html! {
        section id="deliveries" data-live {
            div.heading {
                h2 { (text::DELIVERIES) }
                a href=(path(visit, &format!("failed?connection={id}"))) { (text::replay::FAILED) }
            }
            @if shown.is_empty() { p.hint { (text::NO_DELIVERIES) } } @else {
                div.rows { @for delivery in shown { (delivery_row(visit, delivery, now_ms)) } }
            }
            @if let Some(next) = next {
                @let older = format!("connections/{id}?cursor={next}#deliveries");
                a.button.quiet href=(path(visit, &older)) { (text::OLDER) }
            }
        }
    }
}

fn delivery_row(visit: &EmbedSession, delivery: &Delivery, now_ms: i64) -> Markup {
    html! {
        a.row href=(path(visit, &format!("events/{}", delivery.event))) {
            span.main {
                strong { (delivery.name) }
                small {
                    @if let Some(id) = &delivery.resource_id { (id) " · " }
                    (parts::time(delivery.created_at_ms, now_ms))
                    @if let Some(error) = &delivery.last_error { " · " (error) }
                }
            }
            span.side {
                (parts::state(delivery.state.as_str()))
                small {
                    (text::attempts_count(delivery.attempts))
                    @if let Some(due_at_ms) = delivery.due_at_ms.filter(|_| delivery.attempts > 0) {
                        " · " (text::NEXT) " " (parts::time(due_at_ms, now_ms))
                    }
                }
            }
        }
    }
}

fn danger(visit: &EmbedSession, at: &str) -> Markup {
    html! {
        @if parts::denied(visit, Need::Manage).is_none() {
            section.part {
                a.button.danger href=(path(visit, &format!("{at}/delete"))) {
                    (text::DELETE_CONNECTION)
                }
            }
        }
    }
}

/// `POST /embed/s/{session}/connections/{id}/deactivate`.
pub async fn deactivate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    activation::deactivate(platform, &visit.session.actor(), &id).await?;
    Ok(Reply::see_other(&path(visit, &format!("connections/{id}?done=paused"))))
}

/// `GET /embed/s/{session}/connections/{id}/activate`: asks before held deliveries are canceled.
pub async fn ask_to_cancel_held<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    let count = held::count_held(&visit.session.workspace, &id);
    let count = count.run(history_db(platform, &visit.session)?).await?;
    let question = Question {
        section: Section::Connections,
        title: &text::cancel_held_title(count, count >= COUNTED_MAX),
        consequence: &text::cancel_held_means(count),
        label: text::RESUME_WITHOUT,
        action: &format!("connections/{id}/activate"),
        fields: &[("held", "cancel")],
        back: &format!("connections/{id}"),
    };
    Ok(question.ask(visit))
}

/// `POST /embed/s/{session}/connections/{id}/activate`.
pub async fn activate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    let held = if call.form()?.get("held") == "cancel" { Held::Cancel } else { Held::Deliver };
    shown(platform, &visit.session, &id).await?;
    activation::activate(platform, &visit.session.actor(), &id, held).await?;
    let done = if held == Held::Cancel { "resumed-canceled" } else { "resumed" };
    Ok(Reply::see_other(&path(visit, &format!("connections/{id}?done={done}"))))
}

/// `GET /embed/s/{session}/connections/{id}/delete`: asks, and says what goes with it.
pub async fn ask_to_delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (id, session) = (call.id("id", "connection")?, &visit.session);
    let scope = session.actor().scope;
    let queries = (connections::one_shown(&scope, &id), stored_rules::shown(&scope));
    let (_, rules) = two(platform.control(), queries).await?;
    let rules = rules.iter().filter(|rule| rule.connection == id).count();
    let of = &session.workspace;
    let counts = (held::count_held(of, &id), held::count_open(of, &id));
    let (held, open) = two(history_db(platform, session)?, counts).await?;
    let or_more = held >= COUNTED_MAX || open >= COUNTED_MAX;
    let question = Question {
        section: Section::Connections,
        title: text::DELETE_ASK,
        consequence: &text::delete_means(rules, held + open, or_more),
        label: text::DELETE_CONNECTION,
        action: &format!("connections/{id}/delete"),
        fields: &[],
        back: &format!("connections/{id}"),
    };
    Ok(question.ask(visit))
}

/// `POST /embed/s/{session}/connections/{id}/delete`: with its rules; what it owes is canceled.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    app::delete(platform, &visit.session.actor(), &id, true, &Expected::default()).await?;
    Ok(Reply::see_other(&path(visit, "connections?done=deleted")))
}

/// `GET /embed/s/{session}/connections/{id}/verification`: code that checks what the connection is
/// sent.
pub async fn verification<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    let connection = shown(platform, &visit.session, &id).await?;
    let signing: Signing =
        app::signing(&connection)?.ok_or_else(|| Error::not_found("signature"))?;
    let asked = call.request.query("language");
    let body = crate::embed::connections::verification_page::body(
        visit,
        &connection,
        &signing,
        asked.as_deref(),
    );
    Ok(page(visit, &Page::new(Section::Connections, text::VERIFICATION), &body))
}
