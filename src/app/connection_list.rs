//! Lists of connections: all of a scope, or those that fail.

use crate::app::common::{group_by_key, history_db};
use crate::domain::base::error::Result;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::actor::Scope;
use crate::ports::Platform;
use crate::store::connection_pages::{self, After};
use crate::store::connections::Connection;
use crate::store::{lanes, together};

/// Connections of which the lanes are asked at once.
const ASKED_AT_ONCE: usize = 500;

/// Some connections, and where the list goes on when all of them are shown.
pub type Found<T> = (Vec<T>, Option<After>);

/// Connections in a scope after a position, at most `limit`.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn all<P: Platform>(
    platform: &P,
    scope: &Scope,
    after: &After,
    limit: usize,
) -> Result<Found<Connection>> {
    let queries =
        (connection_pages::list(scope, after, limit), connection_pages::list_end(scope, after));
    together(platform.control(), queries).await
}

/// A connection that fails, and since when: none when its failures are no longer known.
pub type Failing = (Connection, Option<i64>);

/// Connections in a scope that fail: nothing has succeeded since an attempt failed, or it was
/// switched off for that. Looks at a bounded number of them.
///
/// # Errors
/// When a database does not answer.
pub async fn failing<P: Platform>(
    platform: &P,
    scope: &Scope,
    after: &After,
) -> Result<Found<Failing>> {
    let (read, mut end) = all(platform, scope, after, ASKED_AT_ONCE).await?;
    if read.len() == ASKED_AT_ONCE {
        end = read.last().map(position);
    }
    let mut failing_since: Vec<(String, i64)> = Vec::new();
    for (shard, there) in group_by_key(&read, |connection| connection.shard) {
        let keys: Vec<(&str, &str)> =
            there.iter().map(|c| (c.workspace.as_str(), c.id.as_str())).collect();
        failing_since.extend(lanes::failing(&keys).run(history_db(platform, shard)?).await?);
    }
    let judged = read.into_iter().filter_map(|connection| {
        let known = failing_since.iter().find(|(id, _)| *id == connection.id);
        let since_ms = known.map(|(_, since_ms)| *since_ms);
        let why = connection.inactive_reason;
        let switched_off = why.is_some_and(|why| why != InactiveReason::Paused);
        (since_ms.is_some() || switched_off).then_some((connection, since_ms))
    });
    Ok((judged.collect(), end))
}

/// Where a list goes on after a connection.
pub fn position(connection: &Connection) -> After {
    After {
        workspace_name: connection.workspace_name.clone(),
        created_at_ms: connection.created_at_ms,
        id: connection.id.clone(),
    }
}
