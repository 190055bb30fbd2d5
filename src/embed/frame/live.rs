//! Live updates: a page carries a word for what it shows, and its script asks now and then whether
//! that is still so. An answer costs one read: the session is checked in the same batch.

use serde_json::json;
use subtle::ConstantTimeEq;

use crate::embed::frame::layout::{self, Live};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::app::events::Listing;
use crate::app::rate_limits::count;
use crate::app::sessions;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::delivery::replay::Status;
use crate::domain::tenants::session::{Need, Session};
use crate::domain::tenants::session_token::{Token, link_word};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, event_filter, problem, strangers};
use crate::ports::{Limited, Platform};
use crate::store::connection_deliveries::{self, Delivery};
use crate::store::events::{self, EventWithDeliveries};
use crate::store::replays::{self, Replay};
use crate::store::sessions::{Stored, find as session};
use crate::store::{together, two_apart};

/// A word for what is shown: equal only while that is equal.
fn content_hash(shown: &impl Hash) -> String {
    let mut hasher = DefaultHasher::new();
    shown.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// Keeps a list of events up to date.
pub fn of_list(visit: &EmbedSession, listing: &Listing, shown: &[EventWithDeliveries]) -> Live {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("workspace", &listing.workspace);
    query.append_pair("before", &listing.before);
    query.append_pair("limit", &listing.limit.to_string());
    query.extend_pairs(event_filter::write(&listing.filter, listing.status.as_ref()));
    let path = layout::path(visit, &format!("live/events?{}", query.finish()));
    Live { path, seen: content_hash(&shown) }
}

/// Keeps the page of an event up to date.
pub fn of_event(visit: &EmbedSession, shown: &EventWithDeliveries) -> Live {
    let (id, workspace) = (&shown.event.id, &shown.event.workspace);
    let path = layout::path(visit, &format!("live/events/{id}?workspace={workspace}"));
    Live { path, seen: content_hash(shown) }
}

/// Keeps the page of a connection up to date.
pub fn of_connection(visit: &EmbedSession, connection: &str, shown: &[Delivery]) -> Live {
    let (workspace, word) = (&visit.session.workspace, link_word(&visit.csrf_token, connection));
    let below = format!("live/connections/{connection}?workspace={workspace}&word={word}");
    Live { path: layout::path(visit, &below), seen: content_hash(&shown) }
}

/// Keeps the page of a replay up to date.
pub fn of_replay(visit: &EmbedSession, shown: &Replay) -> Live {
    let word = link_word(&visit.csrf_token, &shown.id);
    let below = format!("live/replays/{}?workspace={}&word={word}", shown.id, shown.workspace);
    Live { path: layout::path(visit, &below), seen: content_hash(shown) }
}

/// `GET /embed/s/{session}/live/events`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let cookie = call.caller.visitor()?;
    let (filter, status) = event_filter::read(call)?;
    let listing = Listing {
        workspace: call.query_id("workspace")?,
        filter,
        status,
        before: call.request.query("before").unwrap_or_default(),
        limit: call.limit()?,
    };
    let (read, end) = listing.queries();
    let queries = (session(&cookie.session), read, end);
    let counting = count(platform, Limited::Session, &cookie.session);
    let (stored, read, end) = together(history_db(platform, cookie.shard)?, queries).await?;
    counting.check(platform).await?;
    let seen_by = |session: &Session| {
        session.workspace == listing.workspace
            && listing.clone().within(&session.actor().scope) == listing
    };
    if !holds(platform, call, stored, seen_by) {
        return over(platform, call).await;
    }
    let page = listing.page(read, end);
    let busy = page.found.iter().any(|found| is_busy(platform, found));
    Ok(news(&content_hash(&page.found.as_slice()), busy))
}

/// `GET /embed/s/{session}/live/events/{id}`.
pub async fn event<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let cookie = call.caller.visitor()?;
    let (id, workspace) = (call.id("id", "event")?, call.query_id("workspace")?);
    let queries = (session(&cookie.session), events::find(&workspace, &id));
    let counting = count(platform, Limited::Session, &cookie.session);
    let (stored, found) = two_apart(history_db(platform, cookie.shard)?, queries).await?;
    counting.check(platform).await?;
    let seen_by = |session: &Session| {
        let scope = session.actor().scope;
        let sees = |found: &EventWithDeliveries| {
            let event = &found.event;
            scope.sees(event.resource.as_deref(), event.resource_id.as_deref())
        };
        session.workspace == workspace
            && session.may(Need::View).is_ok()
            && found.as_ref().is_ok_and(sees)
    };
    if !holds(platform, call, stored, seen_by) {
        return over(platform, call).await;
    }
    let found = found?;
    Ok(news(&content_hash(&found), is_busy(platform, &found)))
}

/// `GET /embed/s/{session}/live/connections/{id}`.
pub async fn connection<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let cookie = call.caller.visitor()?;
    let (id, workspace) = (call.id("id", "connection")?, call.query_id("workspace")?);
    let newest = connection_deliveries::newest(&workspace, &id);
    let counting = count(platform, Limited::Session, &cookie.session);
    let (stored, found) =
        together(history_db(platform, cookie.shard)?, (session(&cookie.session), newest)).await?;
    counting.check(platform).await?;
    let is_linked = is_linked(call, cookie, &id);
    let seen_by = |session: &Session| {
        is_linked && session.workspace == workspace && session.may(Need::ViewAll).is_ok()
    };
    if !holds(platform, call, stored, seen_by) {
        return over(platform, call).await;
    }
    let now_ms = platform.now_ms();
    let busy = found.iter().any(|d| d.state.is_busy(d.due_at_ms, now_ms));
    Ok(news(&content_hash(&found.as_slice()), busy))
}

/// `GET /embed/s/{session}/live/replays/{id}`.
pub async fn replay<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let cookie = call.caller.visitor()?;
    let (id, workspace) = (call.id("id", "replay")?, call.query_id("workspace")?);
    let queries = (session(&cookie.session), replays::find(&workspace, &id));
    let counting = count(platform, Limited::Session, &cookie.session);
    let (stored, found) = two_apart(history_db(platform, cookie.shard)?, queries).await?;
    counting.check(platform).await?;
    let is_linked = is_linked(call, cookie, &id);
    let seen_by = |session: &Session| {
        is_linked && session.workspace == workspace && session.may(Need::ViewAll).is_ok()
    };
    if !holds(platform, call, stored, seen_by) {
        return over(platform, call).await;
    }
    let found = found?;
    Ok(news(&content_hash(&found), found.status == Status::Running))
}

/// Whether a page of the session led here: it has looked whether the connection is hidden, which
/// the history does not know.
fn is_linked(call: &Call, cookie: &Token, record: &str) -> bool {
    let word = call.request.query("word").unwrap_or_default();
    word.as_bytes().ct_eq(link_word(&cookie.csrf_token(), record).as_bytes()).into()
}

fn history_db<P: Platform>(platform: &P, shard: u16) -> Result<&P::Database> {
    // The shard comes with the cookie, so one that is not there is the caller's fault.
    platform
        .history_db(shard)
        .map_err(|_| Error::new(Kind::Unauthenticated, "There is no such session"))
}

/// Whether the session that was read together with the news is the caller's, goes on, and may see
/// them.
fn holds<P: Platform>(
    platform: &P,
    call: &Call,
    stored: Option<Stored>,
    may_see: impl Fn(&Session) -> bool,
) -> bool {
    let Ok(cookie) = call.caller.visitor() else { return false };
    sessions::opened(stored, cookie, platform.now_ms()).is_ok_and(|session| may_see(&session))
}

fn is_busy<P: Platform>(platform: &P, found: &EventWithDeliveries) -> bool {
    let now_ms = platform.now_ms();
    found.deliveries.iter().any(|d| d.state.is_busy(d.due_at_ms, now_ms))
}

fn news(seen: &str, busy: bool) -> Reply {
    Reply::ok(&json!({"seen": seen, "busy": busy}))
}

/// The script loads the page again then, and finds the session closed.
async fn over<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    strangers::check(platform, strangers::address(&call.request)).await?;
    Ok(Reply::json(problem::status(Kind::Unauthenticated), &json!({"seen": null})))
}
