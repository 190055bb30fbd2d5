//! The deliveries of a connection, newest first.

use crate::app::common::history_db;
use crate::app::intake::ask;
use crate::domain::base::error::Result;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::delivery_history::{self, Filter, Listed};
use crate::store::events::NEWEST;
use crate::store::{connections, together};

/// Deliveries of a connection before the position (event, rule), at most `limit`, and where the
/// list goes on when it has shown all of them.
///
/// # Errors
/// `NotFound` when the actor has no such connection.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &str,
    filter: &Filter,
    before: (&str, u32),
    limit: usize,
) -> Result<(Vec<Listed>, Option<(String, u32)>)> {
    let found = connections::find(platform.control(), &actor.scope, connection).await?;
    if before.0 == NEWEST {
        ask::caught_up(platform, &[&found.workspace]).await;
    }
    let (log, of) = (history_db(platform, found.shard)?, &found.workspace);
    let list = delivery_history::list(of, connection, filter, before, limit);
    if filter.is_exact() {
        return Ok((list.run(log).await?, None));
    }
    together(log, (list, delivery_history::list_end(of, connection, filter, before))).await
}
