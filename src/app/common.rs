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

/// Hosts of this installation: those it was told, and the one at `origin`, where the request came
/// in that wants to save a URL. An installation that was told none does not call itself all the
/// same.
pub fn own_hosts<P: Platform>(platform: &P, origin: Option<&str>) -> Vec<String> {
    let mut own = platform.settings().own_hosts.clone();
    let host = origin.and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    if let Some(host) = host.filter(|host| !host.is_empty()) {
        own.extend(preview_of(host).map(str::to_owned));
        own.push(host.to_owned());
    }
    own
}

/// The host of the Worker of which `host` is a preview: `1a2b3c4d-posthorn.acme.workers.dev` is one
/// of `posthorn.acme.workers.dev`.
fn preview_of(host: &str) -> Option<&str> {
    let (version, of) = host.split_once('-').filter(|_| host.ends_with(".workers.dev"))?;
    let is_version = version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_version.then_some(of)
}

/// What destinations this installation allows.
pub fn url_policy<'a, P: Platform>(platform: &'a P, own_hosts: &'a [String]) -> Policy<'a> {
    let settings = platform.settings();
    Policy {
        allow_private: settings.allow_private_destinations,
        own_hosts,
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

/// Puts a new value in the place of a record's, where a change names one.
pub fn set<T: Clone>(place: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        place.clone_from(new);
    }
}

/// How often a change is tried while others change the same record.
const TRIES_MAX: usize = 20;

/// Makes a change that reads a record, and writes it if it is still of the version that was read:
/// tried anew when it is not, which is what `None` says.
///
/// # Errors
/// What `change` gives; `Unavailable` when the record never holds still.
pub async fn changing<T>(mut change: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    for _ in 0..TRIES_MAX {
        if let Some(changed) = change().await? {
            return Ok(changed);
        }
    }
    Err(Error::unavailable("a record is changed all the time"))
}
