//! Use cases, one per file. They ask the ports for what they need and leave decisions to `domain`.

pub mod activation;
pub mod attempt;
pub mod batch;
pub mod cancel;
pub mod connection_deliveries;
pub mod connection_list;
pub mod connections;
pub mod dead;
pub mod deleted_workspaces;
pub mod deliver;
pub mod emit;
pub mod event_quota;
pub mod events;
pub mod keys;
pub mod lane_run;
pub mod lanes;
pub mod machine_keys;
pub mod organizations;
pub mod publishable_keys;
pub mod rate_limits;
pub mod recorder;
pub mod replays;
pub mod reports;
pub mod retry;
pub mod rollups;
pub mod rules;
pub mod sessions;
pub mod stats;
pub mod sweep;
pub mod test_event;
pub mod wake;
pub mod workspaces;

use crate::domain::error::{Error, Result};
use crate::domain::url_guard::Policy;
use crate::ports::{Platform, PortError};

/// The LOG database of a shard.
fn log<P: Platform>(platform: &P, shard: u16) -> Result<&P::Database> {
    platform.log(shard).map_err(|PortError(text)| Error::internal(text))
}

/// Items by a key of theirs, in the order in which the keys first come. For a handful of keys.
fn grouped<K: PartialEq, T>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for item in items {
        let key = key(&item);
        match groups.iter_mut().find(|(of, _)| *of == key) {
            Some((_, group)) => group.push(item),
            None => groups.push((key, vec![item])),
        }
    }
    groups
}

/// What destinations this installation allows.
fn url_policy<P: Platform>(platform: &P) -> Policy<'_> {
    let settings = platform.settings();
    Policy { allow_private: settings.allow_private_destinations, own_hosts: &settings.own_hosts }
}

/// A new record's id.
fn new_id<P: Platform>(platform: &P) -> String {
    crate::domain::ids::record_id(platform.bytes())
}

/// An id that carries its workspace's number, by which it is found again.
pub fn new_event_id<P: Platform>(platform: &P, workspace_number: u32) -> String {
    crate::domain::ids::event_id(platform.now_ms(), platform.bytes(), 0, workspace_number)
}
