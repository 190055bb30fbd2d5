//! The customer's page: server-rendered pages for an iframe in the product, one stylesheet, one
//! small script. Everything works without the script; with it pages stay up to date.
//!
//! A session begins at `launch`, where a token that is good once becomes a cookie for the session's
//! own path. `front` lets requests in: it checks cookie, origin and form word, and what the session
//! may do, and turns errors into pages. Each page is a file that reads what it shows and renders
//! it; what people read stands in `text`.

pub mod assets;
pub mod attempt;
pub mod connection;
pub mod connection_form;
pub mod connections;
pub mod dashboard;
pub mod dead;
pub mod delivery;
pub mod event;
pub mod events;
pub mod front;
pub mod launch;
mod layout;
pub mod live;
mod moments;
mod parts;
mod replay_form;
pub mod replays;
pub mod rules;
pub mod secret;
pub mod test_event;
mod text;
mod theme;
pub mod verification;
mod verification_page;

use crate::domain::error::{Error, Result};
use crate::domain::session::Session;
use crate::ports::Platform;

/// The LOG database that holds a session's events.
fn log<'a, P: Platform>(platform: &'a P, session: &Session) -> Result<&'a P::Database> {
    platform.log(session.shard).map_err(|error| Error::internal(error.to_string()))
}
