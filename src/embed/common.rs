//! What pages of several rooms need.

use futures_util::future::join;

use crate::app::intake::ask;
use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::session::Session;
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::http::access::EmbedSession;
use crate::ports::Platform;

/// The LOG database that holds a session's events.
pub fn history_db<'a, P: Platform>(platform: &'a P, session: &Session) -> Result<&'a P::Database> {
    platform.history_db(session.shard).map_err(|error| Error::internal(error.to_string()))
}

/// Where the events of a session's workspace live.
pub fn home(visit: &EmbedSession) -> WorkspaceLocation {
    let session = &visit.session;
    let number = crate::domain::base::ids::workspace_number(&session.id).unwrap_or_default();
    WorkspaceLocation { workspace: session.workspace.clone(), number, shard: session.shard }
}

/// What was read, and whether LOG has the newest events of the workspace: a first page has them
/// flushed while it reads what it needs beside them.
pub async fn with_newest<P: Platform, T>(
    platform: &P,
    session: &Session,
    is_first: bool,
    read: impl Future<Output = T>,
) -> (T, bool) {
    let newest = async { !is_first || ask::caught_up(platform, &[&session.workspace]).await };
    join(read, newest).await
}
