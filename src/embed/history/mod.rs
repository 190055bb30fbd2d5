//! The pages of events, deliveries, attempts and replays.

pub mod attempt;
pub(crate) mod compare;
pub mod delivery;
pub mod event;
pub mod events;
pub mod export;
pub mod failed;
pub(crate) mod payload;
pub(crate) mod replay_form;
pub mod replays;
pub(crate) mod search;
pub(crate) mod shown;
pub(crate) mod timeline;
pub(crate) mod verify_link;
