//! Reading a slice of jobs: what they owe, the connections they go to, and whether their result can
//! be recorded, all at once.

use std::rc::Rc;

use futures_util::future::join3;
use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::write_gate;
use crate::app::reseal;
use crate::destinations;
use crate::domain::base::error::Result;
use crate::domain::base::limits::TARGET_AGE_MS_MAX;
use crate::domain::connection::model::Target;
use crate::domain::connection::target_cache::Kept;
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Platform;
use crate::store::deliveries::{self, Owed};
use crate::store::targets::Wanted;

/// What was read.
pub struct Slice {
    /// The deliveries that owe an attempt.
    pub owed: Vec<Owed>,
    /// The connections that exist.
    pub targets: Vec<Rc<FreshTarget>>,
}

/// A connection, and when it was read at the latest.
pub struct FreshTarget {
    /// The connection.
    pub target: Rc<Target>,
    read_at_ms: i64,
}

impl FreshTarget {
    /// Whether an attempt that begins now may use it.
    pub fn is_fresh(&self, now_ms: i64) -> bool {
        now_ms - self.read_at_ms <= TARGET_AGE_MS_MAX
    }
}

/// Reads a slice. `None` when that cannot be done now, or its result could not be recorded.
pub async fn read<P: Platform>(platform: &P, shard: u16, keys: &[DeliveryKey]) -> Option<Slice> {
    if write_gate::not_before_ms(platform, shard).is_some() {
        return None;
    }
    let owed = async {
        match history_db(platform, shard) {
            Ok(log) => deliveries::owed(log, keys).await,
            Err(error) => Err(error),
        }
    };
    let (owed, targets, open) =
        join3(owed, find(platform, keys), write_gate::open(platform, shard)).await;
    let complain = |error: &str| platform.log_event(&json!({"at": "deliver", "error": error}));
    let slice = owed.and_then(|owed| {
        owed.wrong.iter().for_each(|why| complain(why));
        Ok(Slice { owed: owed.rows, targets: targets? })
    });
    if let Err(error) = &slice {
        complain(&error.to_string());
    }
    slice.ok().filter(|_| open.is_ok())
}

/// The connections of these deliveries, as they were a moment ago at the earliest.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find<P: Platform>(platform: &P, keys: &[DeliveryKey]) -> Result<Vec<Rc<FreshTarget>>> {
    let read_at_ms = platform.now_ms();
    let mut named: Vec<Wanted<'_>> = Vec::new();
    for key in keys {
        match named.iter_mut().find(|(w, c, _)| *w == key.workspace && *c == key.connection) {
            Some((_, _, rules)) if rules.contains(&key.rule) => {}
            Some((_, _, rules)) => rules.push(key.rule),
            None => named.push((&key.workspace, &key.connection, vec![key.rule])),
        }
    }
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    let changes = {
        let cache = platform.targets().borrow();
        for (workspace, connection, rules) in named {
            match cache.get(workspace, connection, &rules, read_at_ms) {
                Some(kept) => found.push(kept),
                None => unknown.push((workspace, connection, rules)),
            }
        }
        cache.changes()
    };
    if !unknown.is_empty() {
        let read = reseal::find_targets(platform, &unknown).await?.into_iter();
        let read: Vec<Kept> = read.map(|target| kept(target, &unknown, read_at_ms)).collect();
        found.extend(read.iter().cloned());
        platform.targets().borrow_mut().keep(changes, read, platform.now_ms());
    }
    let fresh = |Kept { target, read_at_ms, .. }| Rc::new(FreshTarget { target, read_at_ms });
    Ok(found.into_iter().map(fresh).collect())
}

fn kept(target: Target, wanted: &[Wanted<'_>], read_at_ms: i64) -> Kept {
    let asks = destinations::find(&target.kind).is_none_or(|one| one.about().reads_rules());
    let rules = asks.then(|| {
        let of_it = wanted.iter().filter(|(_, connection, _)| *connection == target.connection);
        of_it.flat_map(|(_, _, rules)| rules.iter().copied()).collect()
    });
    Kept { target: Rc::new(target), read_at_ms, rules }
}

/// The connection of some deliveries as it was a moment ago at the earliest, to be used at once;
/// `None` when it cannot be read, is gone, or takes no deliveries.
pub async fn read_target<P: Platform>(
    platform: &P,
    keys: &[DeliveryKey],
) -> Option<Rc<FreshTarget>> {
    let found = find(platform, keys).await.ok()?.pop()?;
    (found.target.active && found.is_fresh(platform.now_ms())).then_some(found)
}
