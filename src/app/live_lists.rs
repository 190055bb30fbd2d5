//! The live lists from which rules choose, such as channels: asked of the provider page by page,
//! and kept until somebody wants them fresh or the connection changes.

use serde_json::{Value, json};

use crate::app::connections::parts;
use crate::app::credentials;
use crate::app::outgoing;
use crate::destinations::Destination;
use crate::destinations::call::{Account, Item, Listing};
use crate::destinations::model::InputKind;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{
    LIST_BYTES_MAX, LIST_DEADLINE_MS, LIST_ITEMS_MAX, LIST_KEPT_MS, LIST_PAGE_BYTES_MAX,
    LIST_PAGES_MAX,
};
use crate::domain::base::secret::Secret;
use crate::domain::delivery::attempt::Answer;
use crate::domain::delivery::mask::Masker;
use crate::ports::Platform;
use crate::store::catalogues::{self, Catalogue};
use crate::store::connections::Connection;

/// The kind of catalogue under which they are kept.
pub const KIND: &str = "actions";

/// The live lists of a connection.
#[derive(Debug, Clone, PartialEq)]
pub struct LiveLists {
    /// Items by list: `{"channels": [{"id", "name", "options"?}]}`.
    pub data: Value,
    /// Lists that could not be read whole, as `[{"list", "message"}]`.
    pub errors: Value,
    /// When they were read.
    pub refreshed_at_ms: i64,
}

impl LiveLists {
    /// What is kept, if it was read with the connection as it is.
    pub fn kept(found: Option<Catalogue>, connection: &Connection) -> Option<Self> {
        let found = found.filter(|found| found.version == connection.version)?;
        let mut body: Value = serde_json::from_str(&found.body).ok()?;
        let (data, errors) = (body["data"].take(), body["errors"].take());
        Some(Self { data, errors, refreshed_at_ms: found.refreshed_at_ms })
    }

    /// The items of a list, as (id, name).
    pub fn items(&self, list: &str) -> Vec<(&str, &str)> {
        let items = self.data[list].as_array().into_iter().flatten();
        items.filter_map(|item| Some((item["id"].as_str()?, item["name"].as_str()?))).collect()
    }
}

/// The names of the lists that a destination's actions choose from.
pub fn names(destination: &dyn Destination) -> Vec<&'static str> {
    let mut names: Vec<&str> = Vec::new();
    let inputs = destination.about().actions.iter().flat_map(|action| action.inputs);
    for input in inputs {
        if let InputKind::Id(list) = input.kind
            && !names.contains(&list)
        {
            names.push(list);
        }
    }
    names
}

/// The lists of a connection: what is kept, or with `refresh`, and when that is old, what the
/// provider has now.
///
/// # Errors
/// When CONTROL does not answer, or what is stored cannot be opened.
pub async fn read<P: Platform>(
    platform: &P,
    connection: &Connection,
    refresh: bool,
) -> Result<LiveLists> {
    let (control, now_ms) = (platform.control(), platform.now_ms());
    let (workspace, id) = (&connection.workspace, &connection.id);
    let (destination, values) = parts(connection)?;
    let names = names(destination);
    if names.is_empty() {
        return Ok(LiveLists { data: json!({}), errors: json!([]), refreshed_at_ms: now_ms });
    }
    if !refresh {
        let found = catalogues::find(workspace, id, KIND).run(control).await?;
        let kept = LiveLists::kept(found, connection);
        if let Some(kept) = kept.filter(|kept| now_ms - kept.refreshed_at_ms < LIST_KEPT_MS) {
            return Ok(kept);
        }
    }
    let credentials = credentials::open(platform, connection)?;
    let account = Account { values: &values, credentials: &credentials };
    let (mut data, mut errors) = (json!({}), Vec::new());
    let end_ms = now_ms + LIST_DEADLINE_MS;
    for name in names {
        let (items, error) = one(platform, destination, &account, name, end_ms).await?;
        data[name] = items.iter().take(LIST_ITEMS_MAX).map(show).collect();
        errors.extend(error.map(|message| json!({"list": name, "message": message})));
    }
    let lists = LiveLists { data, errors: json!(errors), refreshed_at_ms: now_ms };
    let body = json!({"data": lists.data, "errors": lists.errors}).to_string();
    // What is longer is read anew each time.
    if body.len() <= LIST_BYTES_MAX {
        let read = Catalogue { body, version: connection.version, refreshed_at_ms: now_ms };
        catalogues::put(control, workspace, id, KIND, &read).await?;
    }
    Ok(lists)
}

/// The items of one list, and why there are no more if something went wrong.
async fn one<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    account: &Account<'_>,
    name: &str,
    end_ms: i64,
) -> Result<(Vec<Item>, Option<String>)> {
    let mut answers = Vec::new();
    loop {
        let next = destination.list(account, name, &answers).map_err(Error::internal)?;
        let mut request = match next {
            Listing::Done(items, error) => {
                // A provider may repeat what it was sent.
                let masker = Masker::new(account.credentials.values().map(Secret::expose));
                return Ok((items, error.map(|error| masker.mask(&error))));
            }
            Listing::Send(request) => request,
        };
        request.timeout_ms = end_ms - platform.now_ms();
        if answers.len() == LIST_PAGES_MAX || request.timeout_ms <= 0 {
            return Ok(partly(destination, account, name, answers));
        }
        request.answer_bytes_max = LIST_PAGE_BYTES_MAX;
        answers.push(outgoing::send(platform, destination, request).await);
    }
}

/// What the pages so far hold, where there is no time or room for more.
fn partly(
    destination: &dyn Destination,
    account: &Account<'_>,
    name: &str,
    mut answers: Vec<Answer>,
) -> (Vec<Item>, Option<String>) {
    // An answer that never came ends the list with what is before it.
    answers.push(Answer::default());
    let told = "The list is longer than what is shown".to_owned();
    match destination.list(account, name, &answers) {
        Ok(Listing::Done(items, _)) => (items, Some(told)),
        _ => (Vec::new(), Some(told)),
    }
}

fn show(item: &Item) -> Value {
    let mut shown = json!({"id": item.id, "name": item.name});
    if !item.options.is_empty() {
        let options = item.options.iter();
        let option = |(value, label): &(String, String)| json!({"label": label, "value": value});
        shown["options"] = options.map(option).collect();
    }
    shown
}
