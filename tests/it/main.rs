//! Native integration tests: the product's own use cases and SQL on bundled SQLite, with a virtual
//! clock, scripted receivers, and ports that can fail before or after they took effect.

mod access;
mod activation;
mod api;
mod bytes;
mod contract;
mod deletion;
mod deliver;
mod edge;
mod embed;
mod embed_access;
mod emit;
mod failed;
mod idempotency;
mod lanes;
mod lists;
mod machine_keys;
mod publishable_keys;
mod quotas;
mod rate_limits;
mod reference;
mod replay_pages;
mod replays;
mod retry;
mod rules;
mod signed;
mod simulation;
mod stats;
mod tenant;
mod test_event;
mod tidy;
mod verification;
mod visit;
mod weather;
mod workspaces;
