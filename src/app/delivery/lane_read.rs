//! What a run of a lane reads: the connection, and what of a hand-out still owes an attempt.

use std::collections::HashSet;
use std::rc::Rc;

use futures_util::future::join;
use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::lanes;
use crate::app::delivery::slice::{self, FreshTarget};
use crate::app::delivery::write_gate;
use crate::domain::base::error::{Error, Result};
use crate::domain::lane::messages::Given;
use crate::domain::lane::queue::{ConnectionQueue, DeliveryKey, QueuePosition};
use crate::ports::Platform;
use crate::store::deliveries::{self, Owed};
use crate::store::held;
use crate::store::sweeps::{self, Claim};

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

/// Reads what was handed out, unless that was done `ahead`. `None` when that cannot be done now, or
/// what comes of it could not be recorded.
pub async fn read_given<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    given: &[Given],
    ahead: Option<(QueuePosition, Read)>,
) -> Option<Read> {
    let read = async {
        let (target, owed) = match ahead {
            Some((place, read)) if given.len() == 1 && given[0].place == place => read,
            _ => read(platform, line, &keys(line, given)).await?,
        };
        Ok::<_, Error>((target, take_lost(platform, line, given, owed).await?))
    };
    let read = read.await;
    if let Err(error) = &read {
        complain(platform, line, &error.to_string());
    }
    let open = write_gate::open(platform, line.shard).await;
    read.ok().filter(|_| open.is_ok())
}

/// The deliveries that were handed out.
pub fn keys(line: &ConnectionQueue, given: &[Given]) -> Vec<DeliveryKey> {
    given.iter().map(|given| line.key(&given.place)).collect()
}

/// Reads the connection and those of the deliveries that still owe an attempt. Those of a
/// connection that is gone are canceled, those of an inactive one held.
async fn read<P: Platform>(
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

/// Those of the deliveries that may be attempted as they were handed out: not those whose jobs were
/// given up, if somebody else has taken them since.
async fn take_lost<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    given: &[Given],
    mut owed: Vec<Owed>,
) -> Result<Vec<Owed>> {
    let lost_at_ms = |owed: &Owed| {
        let is_it =
            |given: &&Given| given.place.event == owed.event && given.place.rule == owed.rule;
        given.iter().find(is_it).map_or(0, |given| given.lost_at_ms)
    };
    let now_ms = platform.now_ms();
    let lost = owed.iter().filter(|owed| lost_at_ms(owed) > 0);
    let lost = lost.filter(|owed| owed.sweep_at_ms <= lost_at_ms(owed));
    let claims: Vec<Claim> = lost.map(|owed| owed.claim(now_ms)).collect();
    let taken = match claims.is_empty() {
        true => HashSet::new(),
        false => sweeps::claim(history_db(platform, line.shard)?, &claims).await?,
    };
    owed.retain(|owed| lost_at_ms(owed) == 0 || taken.contains(&owed.key()));
    Ok(owed)
}

/// Logs what went wrong with a line.
pub fn complain<P: Platform>(platform: &P, line: &ConnectionQueue, error: &str) {
    let line = json!({"at": "lane_run", "connection": line.connection, "error": error});
    platform.log_event(&line);
}
