//! A connection's signing secrets: which are live, setting another one, and the one moment at which
//! a generated one can be seen.

use crate::embed::connections::new_secret::fresh_secret;
use maud::{Markup, html};

use crate::app::connections::{self as app};
use crate::app::fingerprints;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::secret::Secret;
use crate::domain::connection::model::SetBy;
use crate::domain::connection::rotation::{OVERLAP_S_MAX, overlap_ms};
use crate::domain::connection::signing::Scheme;
use crate::domain::tenants::session::Need;
use crate::embed::frame::confirm::Question;
use crate::embed::frame::layout::{Page, Section, csrf_token, page, page_with, path};
use crate::embed::frame::parts::{self, Errors, Field};
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::secrets::{self, LiveSecret};
use crate::store::together;

/// The secrets that sign, newest first, with their fingerprints for who may set them.
fn list(
    visit: &EmbedSession,
    live: &[LiveSecret],
    prints: &[Option<String>],
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    let may = visit.session.may(Need::Manage).is_ok();
    let print = |index: usize| prints.get(index).and_then(Option::as_ref).filter(|_| may);
    let unseen = live.first().is_some_and(|newest| newest.set_by == SetBy::Generated);
    html! {
        ul.plain {
            @for (index, secret) in live.iter().enumerate() {
                li {
                    ((t.secret_name)(secret.number, index == 0)) " · "
                    ((t.secret_set_by)(secret.set_by)) " "
                    (parts::time(t, secret.created_at_ms, now_ms))
                    @if let Some(until_ms) = secret.expires_at_ms {
                        " · " (t.stops_signing) " " (parts::time(t, until_ms, now_ms))
                    }
                    @if let Some(print) = print(index) {
                        " · " (t.connection.fingerprint) " " code { (print) }
                    }
                }
            }
        }
        @if may && prints.iter().any(Option::is_some) { p.hint { (t.connection.fingerprint_hint) } }
        @if unseen { div.notice { p { (t.unseen_secret) } } }
    }
}

/// What the page of a connection says of its secrets.
pub fn summary(
    visit: &EmbedSession,
    connection: &Connection,
    live: &[LiveSecret],
    prints: &[Option<String>],
    now_ms: i64,
) -> Markup {
    let t = text::of(visit);
    let at = format!("connections/{}", connection.id);
    let (rotate, end) = (format!("{at}/secret"), format!("{at}/secret/end-overlap"));
    html! {
        (list(visit, live, prints, now_ms))
        div.actions {
            (parts::link_button(visit, Need::Manage, &rotate, t.rotate, "quiet"))
            @if live.len() > 1 {
                (parts::link_button(visit, Need::Manage, &end, t.end_overlap, "quiet"))
            }
        }
    }
}

/// `GET /embed/s/{session}/connections/{id}/secret`: the form for another secret.
pub async fn form<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (connection, live) = read(platform, visit, call).await?;
    let prints = fingerprints::of_secrets(platform, &connection, &live);
    let secrets = (live.as_slice(), prints.as_slice());
    let (none, now_ms) = (Errors::default(), platform.now_ms());
    let (shown, body) = rotation(visit, &connection, secrets, &none, now_ms)?;
    Ok(page(visit, &shown, &body))
}

async fn read<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    call: &Call,
) -> Result<(Connection, Vec<LiveSecret>)> {
    let (id, scope) = (call.id("id", "connection")?, visit.session.actor().scope);
    let now_ms = platform.now_ms();
    let queries = (connections::one_shown(&scope, &id), secrets::live(&scope, &id, now_ms));
    together(platform.control(), queries).await
}

fn rotation(
    visit: &EmbedSession,
    connection: &Connection,
    (live, prints): (&[LiveSecret], &[Option<String>]),
    errors: &Errors,
    now_ms: i64,
) -> Result<(Page<'static>, Markup)> {
    let t = text::of(visit);
    let signing = app::signing(connection)?.ok_or_else(|| Error::not_found("signature"))?;
    let scheme = signing.scheme;
    let newest = live.first().map_or(0, |secret| secret.number).to_string();
    let (label, hint) = (t.form.field)("signing_secret");
    let own = Field { name: "signing_secret", label, hint, error: errors.of("secret") };
    let (label, hint) = (t.form.field)("overlap");
    let overlap = Field { name: "overlap", label, hint, error: errors.of("overlap_seconds") };
    let action = path(visit, &format!("connections/{}/secret", connection.id));
    let body = html! {
        h1 { (t.rotate) }
        p { (connection.name) }
        (errors.summary(t, &["secret", "overlap_seconds"]))
        form.sheet method="post" action=(action) {
            (csrf_token(visit))
            input type="hidden" name="newest" value=(newest);
            fieldset {
                legend { (t.new_secret_title) }
                label.choice {
                    input type="radio" name="secret" value="generate" checked;
                    span { (t.form.new_secret[0].1) }
                }
                label.choice {
                    input type="radio" name="secret" value="own";
                    span { (t.form.new_secret[1].1) }
                }
                div.when-own { (own.input("password", "", "")) }
            }
            @if scheme.has_one_signature() {
                p.hint { (t.no_overlap) }
            } @else {
                (overlap.select(&default_overlap(scheme), &t.form.overlaps))
            }
            div.actions {
                button.primary { (t.rotate) }
                a.button.quiet href=(path(visit, &format!("connections/{}", connection.id)))
                    { (t.back) }
            }
        }
        h2 { (t.live_secrets) }
        (list(visit, live, prints, now_ms))
    };
    Ok((Page::new(Section::Connections, t.rotate), body))
}

fn default_overlap(scheme: Scheme) -> String {
    overlap_ms(scheme, None).map_or_else(|_| "0".to_owned(), |ms| (ms / 1_000).to_string())
}

/// `POST /embed/s/{session}/connections/{id}/secret`. The answer shows a generated secret, this
/// once; the same form sent again changes nothing.
pub async fn rotate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let t = text::of(visit);
    let (connection, live) = read(platform, visit, call).await?;
    let at = path(visit, &format!("connections/{}", connection.id));
    let newest = live.first().map_or(0, |secret| secret.number).to_string();
    if form.get("newest") != newest {
        return Ok(Reply::see_other(&format!("{at}?done=rotated-already")));
    }
    let given = (form.get("secret") == "own").then(|| Secret::new(form.get("signing_secret")));
    let overlap =
        form.filled("overlap").map(|text| text.parse::<i64>().unwrap_or(OVERLAP_S_MAX + 1));
    let actor = visit.session.actor();
    match app::rotate(platform, &actor, &connection.id, given, overlap).await {
        Ok(saved) if saved.shows_secret() => {
            let body = html! {
                h1 { (t.rotated_title) }
                (fresh_secret(t, &saved, &at))
                a.button.primary href=(at) { (t.to_connection) }
            };
            Ok(page(visit, &Page::new(Section::Connections, t.rotated_title), &body))
        }
        Ok(_) => Ok(Reply::see_other(&format!("{at}?done=rotated"))),
        Err(error) if error.fields.is_empty() => Err(error),
        Err(error) => {
            let status = problem::status(error.kind);
            let errors = Errors::new(t, error.into_fields());
            let prints = fingerprints::of_secrets(platform, &connection, &live);
            let (secrets, now_ms) = ((live.as_slice(), prints.as_slice()), platform.now_ms());
            let (shown, body) = rotation(visit, &connection, secrets, &errors, now_ms)?;
            Ok(page_with(status, visit, &shown, &body))
        }
    }
}

/// `GET /embed/s/{session}/connections/{id}/secret/end-overlap`: asks first.
pub async fn ask_to_end_overlap<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let id = call.id("id", "connection")?;
    crate::embed::connections::list::shown(platform, &visit.session, &id).await?;
    let question = Question {
        section: Section::Connections,
        title: t.end_overlap_ask,
        consequence: t.end_overlap_means,
        label: t.end_overlap_yes,
        action: &format!("connections/{id}/secret/end-overlap"),
        fields: &[],
        back: &format!("connections/{id}"),
    };
    Ok(question.ask(visit))
}

/// `POST /embed/s/{session}/connections/{id}/secret/end-overlap`: from now on the newest secret
/// alone signs.
pub async fn end_overlap<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let id = call.id("id", "connection")?;
    crate::embed::connections::list::shown(platform, &visit.session, &id).await?;
    app::end_overlap(platform, &visit.session.actor(), &id).await?;
    Ok(Reply::see_other(&path(visit, &format!("connections/{id}?done=overlap-ended"))))
}
