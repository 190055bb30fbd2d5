//! Use cases, one per file. They ask the ports for what they need and leave decisions to `domain`.
//! [`emit`] takes events in, [`delivery`] is the consumer that sends them, [`upkeep`] is what the
//! cron does. The other files answer the API and the pages.

pub mod activation;
pub mod attempts;
pub mod cancel;
pub mod cancellations;
pub mod changes;
pub mod common;
pub mod connection_deliveries;
pub mod connection_list;
pub mod connections;
pub mod credentials;
pub mod delivery;
pub mod emit;
pub mod erasures;
pub mod event_types;
pub mod events;
pub mod failed;
pub mod fingerprints;
pub mod intake;
pub mod keys;
pub mod live_lists;
pub mod loops;
pub mod machine_keys;
pub mod mapping;
pub mod missing;
pub mod notices;
pub mod organizations;
pub mod outgoing;
pub mod preview;
pub mod publishable_keys;
pub mod rate_limits;
pub mod replays;
pub mod reseal;
pub mod retry;
pub mod rules;
pub mod sessions;
pub mod stats;
pub mod test_event;
pub mod too_costly;
pub mod transfers;
pub mod turn;
pub mod upkeep;
pub mod usage;
pub mod vitals;
pub mod workspaces;
