//! Words of the pages about what was not delivered, and about sending it again.

use crate::domain::base::ids;
use crate::domain::delivery::replay::Status;

/// The words of the pages about what was not delivered, and about sending it again.
pub struct Replay {
    pub failed: &'static str,
    pub failed_hint: &'static str,
    pub none_failed: &'static str,
    pub none_failed_hint: &'static str,
    pub no_more_failed: &'static str,
    pub none_of_resource: &'static str,
    pub all_connections: &'static str,
    pub send_many: &'static str,
    pub send_many_hint: &'static str,
    pub event_or_all: &'static str,
    pub count: &'static str,
    pub nothing_chosen: &'static str,
    pub no_time: &'static str,
    pub preview: &'static str,
    pub count_changed: &'static str,
    pub same_ids: &'static str,
    pub held_meanwhile: &'static str,
    pub can_be_stopped: &'static str,
    pub replay: &'static str,
    pub replays: &'static str,
    pub replays_hint: &'static str,
    pub no_replays: &'static str,
    pub stop: &'static str,
    pub ended: &'static str,
    pub range_title: &'static str,
    pub replayed: &'static str,
    pub asked_by_title: &'static str,
    pub what_came_of_it: &'static str,
    pub to_deliveries: &'static str,
    pub to_events: &'static str,
    pub still_failed: &'static str,
    pub which_words: [(&'static str, &'static str); 4],
    pub heads: [(Option<&'static str>, &'static str); 6],
    pub deliveries: fn(usize) -> String,
    pub confirm: fn(usize) -> String,
    pub pace: fn(usize) -> String,
    pub range: fn(&str, &str) -> String,
    pub progress: fn(usize, usize) -> String,
    pub status_told: fn(Status, usize) -> String,
    pub status: fn(Status) -> &'static str,
    pub by_person: &'static str,
    pub by_api: &'static str,
}
impl Replay {
    /// Which deliveries are sent again, in words.
    pub fn which<'a>(&self, status: &'a str) -> &'a str {
        let found = self.which_words.iter().find(|(word, _)| *word == status);
        found.map_or(status, |(_, label)| label)
    }

    /// Who asked for a replay, by the record of its creator.
    pub fn asked_by<'a>(&self, created_by: &'a str) -> &'a str {
        match created_by.split_once(':') {
            // A session without a person of the product's is named by its id.
            Some(("session", who)) if ids::workspace_number(who).is_none() => who,
            Some(("session", _)) => self.by_person,
            _ => self.by_api,
        }
    }
}
