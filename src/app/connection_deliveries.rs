//! The deliveries of a connection, newest first.

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::domain::delivery::state::State;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::delivery_history::{self, Listed};
use crate::store::{connections, two};

/// Deliveries of a connection before the position (event, rule), at most `limit`, and where the
/// list goes on when it has shown all of them; only those in one of two states, if states are
/// named.
///
/// # Errors
/// `NotFound` when the actor has no such connection.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &str,
    states: Option<(State, State)>,
    before: (&str, u32),
    limit: usize,
) -> Result<(Vec<Listed>, Option<(String, u32)>)> {
    let found = connections::find(platform.control(), &actor.scope, connection).await?;
    let (log, of) = (history_db(platform, found.shard)?, &found.workspace);
    let list = delivery_history::list(of, connection, states, before, limit);
    match states {
        None | Some((State::Failed, _)) => Ok((list.run(log).await?, None)),
        Some(_) => {
            let end = delivery_history::list_end(of, connection, before);
            two(log, (list, end)).await
        }
    }
}
