//! JSON in, JSON out: one file for each noun, wire forms beside their handlers.

pub mod cancellations;
pub mod changes;
pub mod connections;
pub mod emit;
pub mod erasures;
pub mod event_types;
pub mod events;
pub mod health;
pub mod integrations;
pub mod limits;
pub mod machine_keys;
pub mod mappings;
pub mod metrics;
pub mod organizations;
pub mod publishable_keys;
pub mod replays;
pub mod retention;
pub mod rules;
pub mod sessions;
pub mod stats;
pub mod transfers;
pub mod usage;
pub mod workspaces;
