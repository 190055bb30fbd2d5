//! `/integrations`, and the actions of a connection.

use serde_json::{Value, json};

use crate::app::connections::parts;
use crate::app::live_lists;
use crate::destinations::model::{About, Action, Field, Input, InputKind, Kind};
use crate::destinations::{self, Destination};
use crate::domain::base::error::Result;
use crate::domain::base::time::rfc3339;
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::connections::{Connection, find};

fn show(destination: &&'static dyn Destination) -> Value {
    let about = destination.about();
    let fields: Vec<Value> = about.fields.iter().filter_map(show_field).collect();
    json!({
        "name": about.name,
        "type": about.key,
        "authentication": {"type": about.authentication, "fields": fields},
        "actions": show_actions(about),
    })
}

/// A field of the form; what no single input can take is left out.
fn show_field(field: &Field) -> Option<Value> {
    let kind = match field.kind {
        Kind::Headers(_) => return None,
        Kind::Words(_) => "select",
        _ if field.is_secret => "password",
        _ => "text",
    };
    let mut shown = json!({"key": field.key, "label": field.label, "type": kind});
    if field.is_required {
        shown["required"] = json!(true);
    }
    if !field.hint.is_empty() {
        shown["helpText"] = json!(field.hint);
    }
    if field.kind.is_url() {
        shown["validate"] = json!("url");
    }
    if let Some(default) = field.default {
        shown["defaultValue"] = json!(default);
    }
    if let Kind::Words(words) = field.kind {
        shown["options"] = options(words);
    }
    if let Some((on, words)) = field.when {
        shown["dependsOn"] = json!({"field": on, "value": words});
    }
    Some(shown)
}

fn options(words: &[(&str, &str)]) -> Value {
    words.iter().map(|(value, label)| json!({"label": label, "value": value})).collect()
}

fn show_actions(about: &About) -> Value {
    let actions = about.actions.iter();
    Value::Object(actions.map(|action| (action.key.to_owned(), show_action(action))).collect())
}

fn show_action(action: &Action) -> Value {
    json!({
        "key": action.key,
        "label": action.label,
        "noun": action.noun,
        "data": action.inputs.iter().map(show_input).collect::<Vec<_>>(),
        "fields": action.inputs.iter().map(|input| input.key).collect::<Vec<_>>(),
        "display": {"label": action.label, "description": action.description},
    })
}

fn show_input(input: &Input) -> Value {
    let (kind, (key, value)) = match input.kind {
        InputKind::Id(list) => ("simple", ("from", list)),
        InputKind::Line => ("field", ("type", "text")),
        InputKind::Text | InputKind::Body => ("field", ("type", "textarea")),
        InputKind::Words(_) => ("field", ("type", "select")),
    };
    let mut shown =
        json!({"key": input.key, "field": input.key, "kind": kind, "label": input.label});
    shown[key] = json!(value);
    if let InputKind::Words(words) = input.kind {
        shown["options"] = options(words);
    }
    if !input.hint.is_empty() {
        shown["description"] = json!(input.hint);
    }
    if input.is_required {
        shown["required"] = json!(true);
    }
    shown
}

/// `GET /integrations`.
pub async fn list<P: Platform>(_: &P, call: &Call) -> Result<Reply> {
    let limit = call.limit()?;
    // All of them are one page, so no cursor is one of this list.
    cursor::read::<()>(call, "integrations")?;
    let all = destinations::ALL.iter().map(show).collect();
    Ok(cursor::page_to("integrations", all, limit, None::<&()>))
}

async fn connection<P: Platform>(platform: &P, call: &Call) -> Result<Connection> {
    let id = call.id("id", "connection")?;
    find(platform.control(), &call.caller.machine()?.scope, &id).await
}

/// `GET /connections/{id}/actions`, with the live lists that they choose from.
pub async fn actions<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let its = connection(platform, call).await?;
    let (destination, _) = parts(&its)?;
    let refresh = call.query_word("refresh", &["true", "false"])?.as_deref() == Some("true");
    let lists = live_lists::read(platform, &its, refresh).await?;
    let mut shown = json!({
        "id": its.id,
        "type": its.kind,
        "actions": show_actions(destination.about()),
        "data": lists.data,
        "refreshed_at": rfc3339(lists.refreshed_at_ms),
    });
    if lists.errors.as_array().is_some_and(|errors| !errors.is_empty()) {
        shown["errors"] = lists.errors;
    }
    Ok(Reply::ok(&shown))
}
