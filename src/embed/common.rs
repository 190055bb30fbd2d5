//! What pages of several rooms need.

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
