//! What use cases share.

use crate::domain::base::error::{Error, Result};
use crate::domain::base::url_guard::Policy;
use crate::ports::{Platform, PortError};

/// The LOG database of a shard.
pub fn history_db<P: Platform>(platform: &P, shard: u16) -> Result<&P::Database> {
    platform.history_db(shard).map_err(|PortError(text)| Error::internal(text))
}

/// Groups items by a key, in the order in which the keys first appear. For few keys.
pub fn group_by_key<K: PartialEq, T>(
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
pub fn url_policy<P: Platform>(platform: &P) -> Policy<'_> {
    let settings = platform.settings();
    Policy {
        allow_private: settings.allow_private_destinations,
        own_hosts: &settings.own_hosts,
        blocked_hosts: &settings.blocked_hosts,
    }
}

/// A new record's id.
pub fn new_id<P: Platform>(platform: &P) -> String {
    crate::domain::base::ids::record_id(platform.bytes())
}

/// An id that carries its workspace's number, by which it is found again.
pub fn new_event_id<P: Platform>(platform: &P, workspace_number: u32) -> String {
    crate::domain::base::ids::event_id(platform.now_ms(), platform.bytes(), 0, workspace_number)
}
