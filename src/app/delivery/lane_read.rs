//! What a run of a lane reads: the connection, and what of a hand-out still owes an attempt.

use std::rc::Rc;

use futures_util::future::join;
use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes;
use crate::app::delivery::slice::{self, FreshTarget};
use crate::domain::base::error::Result;
use crate::domain::lane::queue::{ConnectionQueue, DeliveryKey, QueuePosition};
use crate::ports::Platform;
use crate::store::deliveries::{self, Owed};
use crate::store::held;

/// The connection, unless it is gone, and those of the deliveries that owe an attempt.
pub type Read = (Option<Rc<FreshTarget>>, Vec<Owed>);

/// Reads what will be handed out in all likelihood. What cannot be read now is read later.
pub async fn read_ahead<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    next: Option<QueuePosition>,
) -> Option<(QueuePosition, Read)> {
    let place = next?;
    let read = read(platform, line, &[line.key(&place)]).await;
    read.ok().map(|read| (place, read))
}

/// Reads the connection and those of the deliveries that still owe an attempt. Those of a
/// connection that is gone are canceled, those of an inactive one held.
///
/// # Errors
/// When a database does not answer.
pub async fn read<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    keys: &[DeliveryKey],
) -> Result<Read> {
    let log = history_db(platform, line.shard)?;
    let (targets, owed) = join(slice::find(platform, keys), deliveries::owed(log, keys)).await;
    let (target, owed) = (targets?.pop(), owed?);
    owed.wrong.iter().for_each(|why| complain(platform, line, why));
    match &target {
        None => lanes::abandon(platform, line).await?,
        Some(fresh) if !fresh.target.active => {
            held::hold_connection(log, &line.workspace, &line.connection).await?;
        }
        Some(_) => {}
    }
    Ok((target, owed.rows))
}

/// Logs what went wrong with a line.
pub fn complain<P: Platform>(platform: &P, line: &ConnectionQueue, error: &str) {
    let line = json!({"at": "lane_run", "connection": line.connection, "error": error});
    platform.log_event(&line);
}
