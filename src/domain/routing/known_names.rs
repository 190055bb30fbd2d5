//! Names of events and resources that are known to be stored as names that their workspace has
//! emitted: nearly every event is named like others before it, and need not store its name again.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::base::limits::{NAMES_KNOWN_MAX, NAMES_KNOWN_MS};
use crate::domain::routing::event::Event;

/// A name to be stored: workspace, kind, name, when it was emitted, and by which event.
pub type NewName<'a> = (&'a str, &'static str, &'a str, i64, &'a str);

/// The names, each until it is not taken for granted any more.
#[derive(Debug, Default)]
pub struct KnownNames(BTreeMap<String, i64>);

impl KnownNames {
    /// Those names of events, which come with their payloads, that are not known to be stored, each
    /// once.
    pub fn new_ones<'a>(&self, events: &'a [(Event, String)], now_ms: i64) -> Vec<NewName<'a>> {
        let mut found = BTreeSet::new();
        let mut is_new = |name: &NewName<'_>| {
            let key = key(name);
            self.0.get(&key).is_none_or(|until_ms| *until_ms <= now_ms) && found.insert(key)
        };
        events.iter().flat_map(|(event, _)| names(event)).filter(|name| is_new(name)).collect()
    }

    /// Notes that names were stored.
    pub fn learn(&mut self, names: &[NewName<'_>], now_ms: i64) {
        if self.0.len() + names.len() > NAMES_KNOWN_MAX {
            self.0.clear();
        }
        self.0.extend(names.iter().map(|name| (key(name), now_ms + NAMES_KNOWN_MS)));
    }
}

/// The names that an event shows. A test event is no event of the workspace's own.
fn names(event: &Event) -> impl Iterator<Item = NewName<'_>> {
    let all = [("event", Some(&event.name)), ("resource", event.resource.as_ref())];
    let own = all.into_iter().filter(|_| !event.is_test());
    own.filter_map(|(kind, name)| {
        Some((event.workspace.as_str(), kind, name?.as_str(), event.created_at_ms, &*event.id))
    })
}

fn key((workspace, kind, name, ..): &NewName<'_>) -> String {
    format!("{workspace} {kind} {name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(workspace: &str, name: &str, resource: Option<&str>) -> (Event, String) {
        let event = Event {
            id: format!("id of {name}"),
            workspace: workspace.to_owned(),
            name: name.to_owned(),
            resource: resource.map(str::to_owned),
            resource_id: None,
            created_by: String::new(),
            created_at_ms: 5,
            hops: 0,
            trace: None,
            fan_out: Vec::new(),
            unmatched: Vec::new(),
        };
        (event, String::new())
    }

    #[test]
    fn a_name_is_new_until_it_was_stored_and_again_after_a_while() {
        let mut known = KnownNames::default();
        let events = [event("w", "a", Some("r")), event("w", "a", None), event("v", "a", None)];
        let new = known.new_ones(&events, 0);
        let of_w = [("w", "event", "a", 5, "id of a"), ("w", "resource", "r", 5, "id of a")];
        assert_eq!(new, [of_w[0], of_w[1], ("v", "event", "a", 5, "id of a")]);
        known.learn(&of_w, 0);
        assert_eq!(known.new_ones(&events, NAMES_KNOWN_MS - 1), new[2..]);
        assert_eq!(known.new_ones(&events, NAMES_KNOWN_MS), new);
        let many: Vec<String> = (0..NAMES_KNOWN_MAX).map(|n| n.to_string()).collect();
        let many: Vec<NewName<'_>> =
            many.iter().map(|name| ("w", "event", &**name, 5, "")).collect();
        known.learn(&many, 0);
        assert_eq!(known.new_ones(&events, 0), new, "it is full: some are forgotten");
    }
}
