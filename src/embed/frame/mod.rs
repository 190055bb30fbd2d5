//! What every page has in common: launch, session cookie, layout, live updates, theme.

pub mod assets;
pub(crate) mod confirm;
pub mod front;
pub mod launch;
pub(crate) mod layout;
pub mod live;
pub(crate) mod parts;
pub(crate) mod pretty;
pub(crate) mod security;
pub(crate) mod theme;
