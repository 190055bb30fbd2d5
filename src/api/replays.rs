//! `/replays` and `/workspaces/{id}/replays`: sending again, or at last, what a range holds.

use serde_json::{Value, json};

use crate::app::replays::{self, Wanted};
use crate::domain::base::error::Result;
use crate::domain::base::fields::Fields;
use crate::domain::base::names::check_name;
use crate::domain::base::time::{parse_rfc3339, rfc3339};
use crate::domain::delivery::replay::{REPLAYED_STATUSES, Selection, Which};
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::events::NEWEST;
use crate::store::replays::Replay;

fn show(replay: &Replay) -> Value {
    let what = &replay.selection;
    let mut shown = json!({
        "id": replay.id,
        "workspace": replay.workspace,
        "status": replay.status.as_str(),
        "replays": what.which.status(),
        "since": rfc3339(what.since_ms),
        "until": rfc3339(what.until_ms),
        "count": replay.count,
        "replayed": replay.replayed,
        "created_by": replay.created_by,
        "created_at": rfc3339(replay.created_at_ms),
    });
    for (key, value) in [
        ("connection", what.connection.clone()),
        ("event", what.event.clone()),
        ("completed_at", replay.completed_at_ms.map(rfc3339)),
    ] {
        if let Some(value) = value {
            shown[key] = json!(value);
        }
    }
    shown
}

/// `POST /workspaces/{id}/replays`; with `dry_run` it only counts.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let mut fields = Fields::parse(call.body()?)?;
    let selection = read(&mut fields);
    let dry_run = fields.flag("dry_run").unwrap_or(false);
    fields.finish()?;
    let caller = call.caller.machine()?;
    let home = replays::workspace(platform, caller, &id).await?;
    let wanted = Wanted { selection, only_shown: false };
    if dry_run {
        let count = replays::preview(platform, &home, &wanted).await?;
        return Ok(Reply::ok(&json!({"count": count})));
    }
    let replay = replays::create(platform, &home, caller, wanted, None, None).await?;
    Ok(Reply::created(&json!({"replay": show(&replay)})))
}

fn read(fields: &mut Fields<'_>) -> Selection {
    let which = match fields.text("status").map(|word| Which::replayed(&word)) {
        None => Which::Failed,
        Some(Some(which)) => which,
        Some(None) => {
            fields.fail("status", format!("must be one of {}", REPLAYED_STATUSES.join(", ")));
            Which::Failed
        }
    };
    read_range(fields, which)
}

/// A range of time, of one connection or event if they are named.
pub fn read_range(fields: &mut Fields<'_>, which: Which) -> Selection {
    Selection {
        connection: fields.uuid("connection"),
        event: fields.checked_text("event", check_name),
        which,
        since_ms: time(fields, "since"),
        until_ms: time(fields, "until"),
    }
}

fn time(fields: &mut Fields<'_>, name: &str) -> i64 {
    let is_time = |text: &str| match parse_rfc3339(text) {
        Some(_) => Ok(()),
        None => Err("must be an RFC 3339 time such as 2026-01-31T08:00:00Z".to_owned()),
    };
    parse_rfc3339(&fields.required_checked_text(name, is_time)).unwrap_or_default()
}

/// `GET /workspaces/{id}/replays`, newest first.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let actor = call.caller.machine()?;
    let list = cursor::list_of("replays", &actor.scope.within(&id));
    let (limit, before) = (call.limit()?, cursor::read(call, &list)?);
    let before: String = before.unwrap_or_else(|| NEWEST.to_owned());
    let found = replays::list(platform, actor, &id, &before, limit + 1).await?;
    Ok(cursor::page(&list, found, limit, |replay| replay.id.clone(), show))
}

/// `GET /replays/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "replay")?;
    Ok(Reply::ok(&show(&replays::find(platform, call.caller.machine()?, &id).await?)))
}

/// `DELETE /replays/{id}`: what was not replayed yet stays as it is.
pub async fn cancel<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "replay")?;
    Ok(Reply::ok(&show(&replays::cancel(platform, call.caller.machine()?, &id).await?)))
}
