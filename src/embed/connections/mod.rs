//! The pages of connections.

pub mod deliveries;
pub(crate) mod event_choice;
pub mod form;
pub mod headers;
pub(crate) mod health;
pub mod list;
pub mod mapping;
pub(crate) mod mapping_form;
pub(crate) mod new_secret;
pub mod page;
pub mod secret;
pub mod test_event;
pub mod verification;
pub(crate) mod verification_page;
