//! Reading a slice of jobs: what they owe, the connections they go to, and whether their result can
//! be recorded, all at once.
//!
//! A job can come so late that its delivery would be taken for lost while it is attempted. Such a
//! delivery is left to the lane of its connection. If there is none, the time at which it is taken
//! for lost is put off first.

use std::collections::HashSet;
use std::rc::Rc;

use futures_util::future::join3;
use serde_json::json;

use crate::app::common::history_db;
use crate::app::delivery::write_gate;
use crate::app::reseal;
use crate::destinations;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::TARGET_AGE_MS_MAX;
use crate::domain::connection::model::Target;
use crate::domain::connection::target_cache::Kept;
use crate::domain::delivery::lateness::{self, Timing, timing};
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::Platform;
use crate::store::deliveries::{self, Owed};
use crate::store::sweeps::{self, Claim};
use crate::store::targets::Wanted;

/// What was read.
pub struct Slice {
    /// The deliveries that owe an attempt.
    pub owed: Vec<Owed>,
    /// Those among them that are left to a lane because their jobs come late.
    pub for_lanes: HashSet<DeliveryKey>,
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
    let slice = async {
        let owed = owed?;
        owed.wrong.iter().for_each(|why| complain(why));
        let mut slice = Slice { owed: owed.rows, for_lanes: HashSet::new(), targets: targets? };
        if open.is_ok() {
            slice.see_to_late_ones(platform, shard).await?;
        }
        Ok::<_, Error>(slice)
    };
    let slice = slice.await;
    if let Err(error) = &slice {
        complain(&error.to_string());
    }
    slice.ok().filter(|_| open.is_ok())
}

impl Slice {
    /// Whether the consumer itself is to send it.
    fn is_sent(&self, owed: &Owed) -> bool {
        let of = |fresh: &&Rc<FreshTarget>| fresh.target.connection == owed.connection;
        let target = self.targets.iter().find(of).map(|fresh| &fresh.target);
        target.is_some_and(|it| {
            let policy = it.options.lane_policy();
            it.active && !lateness::is_for_lane(owed.mode, &policy, owed.is_test())
        })
    }

    /// Leaves what comes late to lanes, or puts off the time at which it is taken for lost. What
    /// somebody else has taken meanwhile is not in the slice any more: another job comes for it.
    async fn see_to_late_ones<P: Platform>(&mut self, platform: &P, shard: u16) -> Result<()> {
        let now_ms = platform.now_ms();
        let mut claims = Vec::new();
        let mut for_lanes = HashSet::new();
        for owed in &self.owed {
            match timing(owed.sweep_at_ms, now_ms, owed.has_lane, owed.is_test()) {
                Timing::LeaveToLane if self.is_sent(owed) => drop(for_lanes.insert(owed.key())),
                Timing::PutOffFirst if self.is_sent(owed) => claims.push(owed.claim(now_ms)),
                _ => {}
            }
        }
        self.for_lanes = for_lanes;
        if claims.is_empty() {
            return Ok(());
        }
        let taken = sweeps::claim(history_db(platform, shard)?, &claims).await?;
        for Claim { key, sweep_at_ms, .. } in claims {
            let is_it = |owed: &Owed| owed.key() == key;
            let Some(index) = self.owed.iter().position(is_it) else { continue };
            match taken.contains(&key) {
                true => self.owed[index].sweep_at_ms = sweep_at_ms,
                false => drop(self.owed.swap_remove(index)),
            }
        }
        Ok(())
    }
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
