//! From an emit to the rules that match it: event, rule, payload filter, idempotency key.

pub mod event;
pub mod filter;
pub mod idempotency;
pub mod known_names;
pub mod mapping;
pub mod rule;
pub mod template;
pub mod trace;
