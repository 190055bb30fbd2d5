//! The page of one connection: what it is set to, its secrets, its rules, and what it was sent
//! lately; making it active and inactive, and deleting it.

use maud::{Markup, html};

use crate::app::activation::{self, Held};
use crate::app::connections as app;
use crate::app::{fingerprints, retry};
use crate::destinations::Destination;
use crate::destinations::model::{Kind, Part, Values};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::version::Expected;
use crate::domain::connection::model::InactiveReason;
use crate::domain::connection::options::Ordering;
use crate::domain::connection::signing::{Algorithm, Signing};
use crate::domain::tenants::session::Need;
use crate::embed::common::{history_db, with_newest};
use crate::embed::connections::deliveries;
use crate::embed::connections::health::Health;
use crate::embed::connections::list::{activity, shown};
use crate::embed::connections::secret;
use crate::embed::frame::confirm::Question;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::live;
use crate::embed::frame::parts::{self, Button};
use crate::embed::rules;
use crate::embed::text::{self, Texts, moments};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::held::{self, COUNTED_MAX};
use crate::store::secrets;
use crate::store::{rules as stored_rules, together};

/// `GET /embed/s/{session}/connections/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (session, id) = (&visit.session, call.id("id", "connection")?);
    let (scope, now_ms) = (session.actor().scope, platform.now_ms());
    let queries = (
        connections::one_shown(&scope, &id),
        secrets::live(&scope, &id, now_ms),
        stored_rules::shown(&scope),
    );
    let read = together(platform.control(), queries);
    let is_first = call.request.query("cursor").is_none();
    let (read, is_whole) = with_newest(platform, session, is_first, read).await;
    let (connection, secrets, all_rules) = read?;
    let of_it: Vec<_> = all_rules.into_iter().filter(|rule| rule.connection == id).collect();
    let (destination, values) = app::parts(&connection)?;
    let signing = destination.signing(&values).map_err(Error::internal)?;
    let deliveries = deliveries::read(platform, visit, call, &connection).await?;
    let prints = fingerprints::of_secrets(platform, &connection, &secrets);
    let at = format!("connections/{id}");
    let (edit, mapping) = (format!("{at}/edit"), format!("{at}/mapping"));
    let fails = deliveries.as_ref().is_some_and(|page| page.trouble.is_some());
    let state = activity(&connection, of_it.len(), fails);
    let (rules, page_read) = (of_it.len(), deliveries.as_ref());
    let health = Health { visit, connection: &connection, rules, page: page_read, now_ms };
    let body = html! {
        (heading(visit, &connection, state, &destination.address(&values)))
        (health.render())
        @if let Some(page) = &deliveries {
            (deliveries::history(visit, page, &connection, is_whole, now_ms))
        }
        div.columns {
            section {
                h2 { (t.settings) }
                (summary(t, destination, &values, &connection))
                div.actions {
                    (parts::link_button(visit, Need::Manage, &edit, t.edit, "quiet"))
                    @if !destination.person().is_empty() {
                        (parts::link_button(visit, Need::Manage, &mapping, t.mapping.title,
                            "quiet"))
                    }
                }
            }
            @if let Some(signing) = &signing {
                section {
                    h2 { (t.signature) }
                    p { ((t.signature_summary)(signing)) }
                    @if signing.algorithm != Algorithm::None {
                        (secret::summary(visit, &connection, &secrets, &prints, now_ms))
                    }
                    p {
                        a href=(path(visit, &format!("{at}/verification"))) {
                            (t.verification)
                        }
                    }
                }
            }
        }
        section {
            h2 { (t.rules) }
            (rules::of_connection(visit, &id, &of_it))
        }
        (danger(visit, &at))
    };
    let mut shown = Page::new(Section::Connections, &connection.name);
    let done = call.request.query("done");
    shown.done = done.as_deref();
    let newest = deliveries.as_ref().and_then(|page| page.newest.as_ref());
    shown.live = newest.map(|newest| live::of_connection(visit, &id, newest));
    Ok(page(visit, &shown, &body))
}

fn heading(visit: &EmbedSession, connection: &Connection, state: &str, address: &str) -> Markup {
    let t = text::of(visit);
    let at = format!("connections/{}", connection.id);
    let (test, pause) = (format!("{at}/test"), format!("{at}/deactivate"));
    html! {
        div.heading {
            div {
                h1 { (connection.name) " " (parts::state(t, state)) }
                p.hint.url { (address) }
            }
            div.actions {
                (parts::link_button(visit, Need::Act, &test, t.send_test, "primary"))
                @if connection.active {
                    (Button {
                        label: t.pause,
                        action: &pause,
                        need: Need::Manage,
                        look: "quiet",
                        fields: &[],
                    }.render(visit))
                }
            }
        }
    }
}

fn summary(
    t: &Texts,
    destination: &dyn Destination,
    values: &Values,
    connection: &Connection,
) -> Markup {
    let fields = destination.about().fields.iter();
    let fields = fields.filter(|field| field.part != Part::Signature && field.counts(values));
    let options = &connection.options;
    html! {
        dl {
            @for field in fields {
                @let names = values.names(field.key);
                @if !names.is_empty() {
                    dt { ((t.form.registry)(field.label)) }
                    dd { @for name in names { code { (name) ": ***" } " " } }
                } @else if field.is_secret && connection.credentials.contains_key(field.key) {
                    dt { ((t.form.registry)(field.label)) } dd { (t.set) }
                } @else if let Some(value) = values.get(field.key) {
                    dt { ((t.form.registry)(field.label)) }
                    dd {
                        @match field.kind {
                            Kind::Url => { (parts::copyable_word(t, field.key, value)) }
                            Kind::Words(words) => { ((t.form.registry)(word_label(words, value))) }
                            _ => { (value) }
                        }
                    }
                }
            }
            dt { ((t.form.field)("timeout_seconds").0) }
            dd { ((t.moments.seconds)(options.timeout_seconds)) }
            dt { ((t.form.field)("retry_schedule").0) }
            dd { (moments::schedule(options.retry_schedule_seconds.steps())) }
            @if options.ordering == Ordering::Strict {
                dt { ((t.form.field)("ordering").0) }
                dd { (t.form.orderings[1].1) }
            }
            @if let Some(most) = options.max_in_flight {
                dt { ((t.form.field)("max_in_flight").0) }
                dd { (most) }
            }
            @if let Some(most) = options.max_per_second {
                dt { ((t.form.field)("max_per_second").0) }
                dd { (most) }
            }
        }
    }
}

fn word_label<'a>(words: &[(&'a str, &'a str)], word: &'a str) -> &'a str {
    words.iter().find(|(known, _)| *known == word).map_or(word, |(_, label)| label)
}

fn danger(visit: &EmbedSession, at: &str) -> Markup {
    let t = text::of(visit);
    html! {
        @if parts::denied(visit, Need::Manage).is_none() {
            section.part {
                a.button.danger href=(path(visit, &format!("{at}/delete"))) {
                    (t.delete_connection)
                }
            }
        }
    }
}

/// `POST /embed/s/{session}/connections/{id}/probe`: tries the oldest delivery that waits at once.
pub async fn probe<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    let (found, _) = retry::probe(platform, &visit.session.actor(), &id).await?;
    let tried = format!("events/{}?done=retried", found.event.id);
    Ok(Reply::see_other(&path(visit, &tried)))
}

/// `POST /embed/s/{session}/connections/{id}/deactivate`.
pub async fn deactivate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    activation::deactivate(platform, &visit.session.actor(), &id, InactiveReason::Paused).await?;
    Ok(Reply::see_other(&path(visit, &format!("connections/{id}?done=paused"))))
}

/// `GET /embed/s/{session}/connections/{id}/activate`: asks before held deliveries are canceled.
pub async fn ask_to_cancel_held<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let id = call.id("id", "connection")?;
    shown(platform, &visit.session, &id).await?;
    let count = held::count_held(&visit.session.workspace, &id);
    let count = count.run(history_db(platform, &visit.session)?).await?;
    let question = Question {
        section: Section::Connections,
        title: &(t.cancel_held_title)(count, count >= COUNTED_MAX),
        consequence: &(t.cancel_held_means)(count),
        label: t.resume_without,
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
    let t = text::of(visit);
    let (id, session) = (call.id("id", "connection")?, &visit.session);
    let scope = session.actor().scope;
    let queries = (connections::one_shown(&scope, &id), stored_rules::shown(&scope));
    let (_, rules) = together(platform.control(), queries).await?;
    let rules = rules.iter().filter(|rule| rule.connection == id).count();
    let of = &session.workspace;
    let counts = (held::count_held(of, &id), held::count_open(of, &id));
    let (held, open) = together(history_db(platform, session)?, counts).await?;
    let or_more = held >= COUNTED_MAX || open >= COUNTED_MAX;
    let question = Question {
        section: Section::Connections,
        title: t.delete_ask,
        consequence: &(t.delete_means)(rules, held + open, or_more),
        label: t.delete_connection,
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
    let t = text::of(visit);
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
    Ok(page(visit, &Page::new(Section::Connections, t.verification), &body))
}
