//! What a rule would send for a payload, without sending it.

use serde_json::{Map, Value, json};

use crate::app::connections::parts;
use crate::app::mapping::applied;
use crate::app::rules::{action_of, check};
use crate::destinations::call::{Account, Call, Step, Verdict};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::secret::Secret;
use crate::domain::base::tree::Tree;
use crate::domain::connection::model::Credentials;
use crate::domain::delivery::mask::MASK;
use crate::domain::routing::rule::Metadata;
use crate::domain::routing::template::{Facts, Source, Target, Template};
use crate::store::connections::Connection;

/// What a rule would make of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Preview {
    /// The texts of its templates, by key of the metadata.
    pub texts: Map<String, Value>,
    /// The first request: method, URL and body; credentials are masked.
    pub request: Option<Value>,
    /// What there is to know of how it was made.
    pub notes: Vec<String>,
    /// Why nothing would be sent.
    pub refused: Option<String>,
}

/// Shows what a rule with this action and metadata on a connection would send, with the
/// connection's stored mapping if it has one.
///
/// # Errors
/// As [`check`]; `Internal` when what is stored cannot be read.
pub fn preview(
    connection: &Connection,
    action: &str,
    metadata: &Metadata,
    event: &str,
    payload: &str,
    mapping: Option<&str>,
    now_ms: i64,
) -> Result<Preview> {
    let (destination, values) = parts(connection)?;
    let action = action_of(destination, Some(action))?;
    check(destination, connection, action, metadata)?;
    let tree = Tree::read(payload).ok_or_else(|| Error::internal("a payload is no tree"))?;
    let facts = Facts { name: event, ..Facts::default() };
    let applied = applied(destination, mapping, payload).map_err(Error::internal)?;
    let source = Source { payload: &tree, facts, mapped: &applied.fields };
    let mut preview = Preview::default();
    for input in action.inputs.iter().filter(|input| input.kind.is_template()) {
        let text = metadata.get(input.key).map_or("", String::as_str);
        if let (false, Ok(template)) = (text.is_empty(), Template::parse(text)) {
            let rendered = template.render(&source, Target::Plain);
            preview.texts.insert(input.key.to_owned(), json!(rendered.text));
        }
    }
    let masked = |name: &String| (name.clone(), Secret::new(MASK));
    let credentials: Credentials = connection.credentials.keys().map(masked).collect();
    let call = Call {
        account: Account { values: &values, credentials: &credentials },
        action: action.key,
        metadata,
        mapped: &applied.fields,
        secrets: &[],
        timeout_ms: connection.options.timeout_ms(),
        event: "",
        name: event,
        resource: None,
        resource_id: None,
        external_id: None,
        payload,
        created_at_ms: now_ms,
        hops: 0,
        message_id: "",
        is_test: false,
        attempt: 1,
        now_ms,
    };
    match destination.step(&call, &[]) {
        Ok(Step::Send(_)) if applied.failure.is_some() => preview.refused = applied.failure,
        Ok(Step::Send(request)) => {
            preview.notes.clone_from(&request.notes);
            preview.notes.extend(applied.warnings);
            preview.request = Some(json!({
                "method": request.method,
                "url": request.shown_url(),
                "body": String::from_utf8_lossy(&request.body),
            }));
        }
        Ok(Step::Done(Verdict::Permanent { told, .. })) => preview.refused = Some(told),
        // Without the signing secret a webhook makes no request.
        Ok(Step::Done(_)) | Err(_) => {}
    }
    Ok(preview)
}
