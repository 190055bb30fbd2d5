//! What a person can do about one delivery.

use crate::app::common::history_db;
use crate::app::{cancel, events, retry};
use crate::domain::base::error::Result;
use crate::domain::base::ids;
use crate::embed::common::home;
use crate::embed::frame::confirm::Question;
use crate::embed::frame::layout::{Section, path};
use crate::embed::text;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::events as stored;

/// The field of the button on a list that leads back to it.
pub const AFTER: &str = "after";

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/retry`.
pub async fn retry<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    retry::retry(platform, &visit.session.actor(), &event, &rule).await?;
    let form = call.form()?;
    let after = match (form.get(AFTER), ids::parse_uuid(form.get("connection"))) {
        ("connection", Some(connection)) => format!("connections/{connection}?done=retried"),
        ("failed", None) => "failed?done=retried".to_owned(),
        ("failed", Some(connection)) => format!("failed?connection={connection}&done=retried"),
        _ => format!("events/{event}?done=retried"),
    };
    Ok(Reply::see_other(&path(visit, &after)))
}

/// `GET /embed/s/{session}/events/{id}/rules/{rule}/cancel`: asks first.
pub async fn ask_to_cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    let scope = visit.session.actor().scope;
    let home = home(visit);
    let log = history_db(platform, home.shard)?;
    let found = stored::find(&home.workspace, &event).run(log).await?;
    let key = events::delivery_key(&scope, &found, &rule)?;
    events::check_shown(platform, &scope, &key).await?;
    let question = Question {
        section: Section::Events,
        title: t.cancel_delivery,
        consequence: t.cancel_delivery_means,
        label: t.cancel_yes,
        action: &format!("events/{event}/rules/{rule}/cancel"),
        fields: &[],
        back: &format!("events/{event}"),
    };
    Ok(question.ask(visit))
}

/// `POST /embed/s/{session}/events/{id}/rules/{rule}/cancel`.
pub async fn cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let (event, rule) = (call.id("id", "event")?, call.id("rule_id", "rule")?);
    cancel::delivery(platform, &visit.session.actor(), &event, &rule).await?;
    Ok(Reply::see_other(&path(visit, &format!("events/{event}?done=canceled"))))
}
