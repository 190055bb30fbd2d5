//! `/connections`.

use serde_json::{Value, json};

use crate::api::events::{show_delivery, show_event, show_rule_event};
use crate::app::activation::{self, Held};
use crate::app::connection_list::{self, Failing};
use crate::app::connections::{self, Change, NewConnection, Saved};
use crate::app::{connection_deliveries, retry, test_event};
use crate::destinations::form::{self, SecretFacts};
use crate::destinations::{self, Destination};
use crate::domain::base::error::Result;
use crate::domain::base::fields::{Fields, kind_of};
use crate::domain::base::secret::Secret;
use crate::domain::base::time::rfc3339;
use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::state::State;
use crate::domain::routing::event::NewEvent;
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::organization::label;
use crate::http::{Call, Reply, cursor, event_filter, without_nulls};
use crate::ports::Platform;
use crate::store::connection_pages::After;
use crate::store::connections::{Connection, find};
use crate::store::delivery_history::{Filter, Listed};
use crate::store::events::NEWEST;
use crate::store::workspaces;

fn show(connection: &Connection) -> Value {
    let facts = connection.secret.as_ref().map(|secret| SecretFacts {
        set_at: rfc3339(secret.created_at_ms),
        set_by: secret.set_by.shown_word(),
    });
    let is_set = |field: &str| connection.credentials.contains_key(field);
    // One whose destination this version does not know shows no metadata.
    let metadata = connections::parts(connection).map(|(destination, values)| {
        form::show(destination, &values, &connection.options, is_set, facts.as_ref())
    });
    let reason = connection.inactive_reason;
    without_nulls(json!({
        "id": connection.id,
        "workspace": connection.workspace,
        "type": connection.kind,
        "name": connection.name,
        "metadata": metadata.unwrap_or_default(),
        "active": connection.active,
        "inactive_reason": reason.and_then(InactiveReason::of_contract),
        "inactive_detail": reason.map(InactiveReason::as_str),
        "hidden": connection.hidden,
        "created_by": connection.created_by,
        "created_at": rfc3339(connection.created_at_ms),
        "updated_at": rfc3339(connection.updated_at_ms),
    }))
}

/// What a caller is told of a secret that the page says more about.
const PLAIN_SECRET: &str = "signing_secret: it is used as the text that it is; verification \
    libraries of Standard Webhooks take it as whsec_ and the base64 of its bytes";
const SHORT_SECRET: &str = "signing_secret: it has fewer than 24 bytes, which can be guessed; \
    generate_secret makes a better one";

fn show_saved(saved: &Saved) -> Value {
    let mut shown = show(&saved.connection);
    if let Some(secret) = &saved.shown_secret {
        shown["metadata"]["signing_secret"] = json!(Secret::expose(secret));
    }
    if let Some(checked) = saved.credentials_checked {
        shown["credentials_checked"] = json!(checked);
    }
    let mut warnings = saved.warnings.clone();
    if let Some(advice) = &saved.advice {
        let is_plain = advice.equivalent_whsec.is_some().then_some(PLAIN_SECRET);
        let is_short = advice.short.then_some(SHORT_SECRET);
        warnings.extend(is_plain.into_iter().chain(is_short).map(str::to_owned));
    }
    if !warnings.is_empty() {
        shown["warnings"] = json!(warnings);
    }
    shown
}

/// `GET /connections`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    page(platform, call, &call.caller.machine()?.scope).await
}

/// `GET /workspaces/{id}/connections`.
pub async fn list_of_workspace<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "workspace")?;
    let scope = &call.caller.machine()?.scope;
    workspaces::find(platform.control(), scope, &id).await?;
    page(platform, call, &scope.within(&id)).await
}

async fn page<P: Platform>(platform: &P, call: &Call, scope: &Scope) -> Result<Reply> {
    let limit = call.wide_limit()?;
    let list = cursor::list_of("connections", scope);
    let after: Option<(String, i64, String)> = cursor::read(call, &list)?;
    let (workspace_name, created_at_ms, id) = after.unwrap_or_default();
    let after = After { workspace_name, created_at_ms, id };
    let plain = |after: After| (after.workspace_name, after.created_at_ms, after.id);
    if call.query_word("health", &["failing"])?.is_some() {
        let (found, end) = connection_list::failing(platform, scope, &after).await?;
        let position = |found: &Failing| plain(connection_list::position(&found.0));
        let end = end.map(plain);
        return Ok(cursor::page_within(&list, found, limit, end, position, show_failing));
    }
    let (found, end) = connection_list::all(platform, scope, &after, limit + 1).await?;
    let position = |found: &Connection| plain(connection_list::position(found));
    Ok(cursor::page_within(&list, found, limit, end.map(plain), position, show))
}

fn show_failing((connection, since_ms): &Failing) -> Value {
    let mut shown = show(connection);
    if let Some(since_ms) = since_ms {
        shown["failing_since"] = json!(rfc3339(*since_ms));
    }
    shown
}

/// `GET /connections/{id}/deliveries`, newest first.
pub async fn list_deliveries<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let limit = call.limit()?;
    let list = format!("deliveries/{id}");
    let before: Option<(String, u32)> = cursor::read(call, &list)?;
    let (event, rule) = before.unwrap_or_else(|| (NEWEST.to_owned(), 0));
    let words = ["pending", "held", "retrying", "completed", "failed", "canceled"];
    let states = call.query_word("status", &words)?.map(|word| match word.as_str() {
        "pending" => (State::Pending, State::Held),
        "held" => (State::Held, State::Held),
        "retrying" => (State::Retrying, State::Retrying),
        "completed" => (State::Delivered, State::Delivered),
        "failed" => (State::Failed, State::Failed),
        _ => (State::Canceled, State::Canceled),
    });
    let filter = Filter {
        states,
        name: call.request.query("event"),
        since_ms: event_filter::time(call, "since")?,
        until_ms: event_filter::time(call, "until")?,
    };
    let actor = call.caller.machine()?;
    let (found, end) =
        connection_deliveries::list(platform, actor, &id, &filter, (&event, rule), limit + 1)
            .await?;
    let position = |found: &Listed| (found.event.id.clone(), found.delivery.rule);
    let show = |found: &Listed| show_rule_event(&found.event, &found.owed, &found.delivery);
    Ok(cursor::page_within(&list, found, limit, end, position, show))
}

/// `GET /connections/{id}`.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let scope = &call.caller.machine()?.scope;
    let found = find(platform.control(), scope, &id).await?;
    Ok(Reply::versioned(&show(&found), &found.tag()))
}

/// `POST /connections`.
pub async fn create<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let mut fields = Fields::parse(call.body()?)?;
    let destination = destination(&mut fields);
    let new = NewConnection {
        id: None,
        destination: destination.unwrap_or(destinations::ALL[0]),
        workspace: fields.required_uuid("workspace"),
        name: fields.required_checked_text("name", label),
        metadata: metadata(&mut fields).unwrap_or_default(),
        hidden: fields.flag("hidden").unwrap_or(false),
        skip_test: fields.flag("skip_test").unwrap_or(false),
        origin: call.request.origin.clone(),
    };
    if new.metadata.is_empty() && !fields.has("metadata") {
        fields.fail("metadata", "is required");
    }
    fields.finish()?;
    let saved = connections::create(platform, call.caller.machine()?, new).await?;
    Ok(Reply::created(&json!({"connection": show_saved(&saved)})))
}

fn destination(fields: &mut Fields<'_>) -> Option<&'static dyn Destination> {
    let kind = fields.required_text("type");
    let found = destinations::find(&kind);
    if found.is_none() && !fields.names_failure("type") {
        fields.fail("type", format!("must be one of {}", destinations::kinds()));
    }
    found
}

fn metadata(fields: &mut Fields<'_>) -> Option<String> {
    let text = fields.raw("metadata")?;
    if !text.starts_with('{') {
        let kind = serde_json::from_str(text).map_or("a value", kind_of);
        fields.fail("metadata", format!("must be an object, not {kind}"));
    }
    Some(text.to_owned())
}

/// `PUT /connections/{id}`.
pub async fn put<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let mut fields = Fields::parse(call.body()?)?;
    let change = Change {
        name: Some(fields.required_checked_text("name", label)),
        metadata: metadata(&mut fields),
        hidden: fields.flag("hidden"),
        skip_test: fields.flag("skip_test").unwrap_or(false),
        origin: call.request.origin.clone(),
    };
    fields.finish()?;
    changed(platform, call, &id, &change).await
}

/// `PATCH /connections/{id}`: what is left out is kept.
pub async fn patch<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let mut fields = Fields::parse(call.body()?)?;
    let change = Change {
        name: fields.checked_text("name", label),
        metadata: metadata(&mut fields),
        hidden: fields.flag("hidden"),
        skip_test: fields.flag("skip_test").unwrap_or(false),
        origin: call.request.origin.clone(),
    };
    fields.finish()?;
    changed(platform, call, &id, &change).await
}

async fn changed<P: Platform>(
    platform: &P,
    call: &Call,
    id: &str,
    change: &Change,
) -> Result<Reply> {
    let (actor, expected) = (call.caller.machine()?, call.expected());
    let saved = connections::update(platform, actor, id, change, &expected).await?;
    Ok(Reply::versioned(&show_saved(&saved), &saved.connection.tag()))
}

/// `POST /connections/{id}/activate`: what was held is delivered, or canceled with
/// `held: "cancel"`.
pub async fn activate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let mut fields = Fields::parse(call.optional_body()?)?;
    let what = match fields.text("held").as_deref() {
        None | Some("deliver") => Held::Deliver,
        Some("cancel") => Held::Cancel,
        Some(_) => {
            fields.fail("held", "must be \"deliver\" or \"cancel\"");
            Held::default()
        }
    };
    fields.finish()?;
    let activated = activation::activate(platform, call.caller.machine()?, &id, what).await?;
    Ok(Reply::ok(&show(&activated)))
}

/// `POST /connections/{id}/deactivate`: what it owes is held.
pub async fn deactivate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let reason = why_inactive(call.optional_body()?)?;
    let actor = call.caller.machine()?;
    let deactivated = activation::deactivate(platform, actor, &id, reason).await?;
    Ok(Reply::ok(&show(&deactivated)))
}

/// The reason that somebody names for deactivating a connection.
fn why_inactive(body: &str) -> Result<InactiveReason> {
    let mut fields = Fields::parse(body)?;
    let reason = fields.text("reason").unwrap_or_else(|| "paused".to_owned());
    let known = [InactiveReason::Paused, InactiveReason::SecretsMissing];
    let found = known.into_iter().find(|one| one.as_str() == reason);
    if found.is_none() {
        fields.fail("reason", "must be paused or secrets_missing");
    }
    fields.finish()?;
    Ok(found.unwrap_or(InactiveReason::Paused))
}

/// `POST /connections/{id}/probe`: attempts the oldest open delivery at once.
pub async fn probe<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let (found, rule) = retry::probe(platform, call.caller.machine()?, &id).await?;
    Ok(Reply::ok(&show_delivery(&found, |owed| owed.rule_number == rule)?))
}

/// `POST /connections/{id}/test`: sends a test event, by default with the catalogue's example.
pub async fn test<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let (caller, body) = (call.caller.machine()?, call.optional_body()?);
    let example = test_event::example(platform, caller, body).await?;
    let new = NewEvent::parse_test(body, example.as_deref())?;
    let event = test_event::send(platform, caller, &id, new).await?;
    Ok(Reply::created(&json!({"event": show_event(&event)})))
}

/// `POST /connections/{id}/secret/rotate`: a generated secret is shown in this answer only.
pub async fn rotate<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let mut fields = Fields::parse(call.optional_body()?)?;
    let given = fields.text("secret").map(Secret::new);
    let overlap_s = fields.integer("overlap_seconds");
    fields.finish()?;
    let caller = call.caller.machine()?;
    let saved = connections::rotate(platform, caller, &id, given, overlap_s).await?;
    Ok(Reply::ok(&show_saved(&saved)))
}

/// `DELETE /connections/{id}`, with `force_delete` its rules too.
pub async fn delete<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let id = call.id("id", "connection")?;
    let mut fields = Fields::parse(call.optional_body()?)?;
    let force = fields.flag("force_delete").unwrap_or(false);
    fields.finish()?;
    let (actor, expected) = (call.caller.machine()?, call.expected());
    let deleted = connections::delete(platform, actor, &id, force, &expected).await?;
    Ok(Reply::ok(&json!({"id": deleted.id, "type": deleted.kind})))
}
