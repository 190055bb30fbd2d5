//! The ground: values and decisions. Nothing here does IO, reads a clock, draws random bytes or
//! knows the platform; what it needs of those comes in as arguments.

pub mod actor;
pub mod api_key;
pub mod attempt;
pub mod breaker;
pub mod connection;
pub mod delivery;
pub mod error;
pub mod event;
pub mod fields;
pub mod health;
pub mod ids;
pub mod in_flight;
pub mod job;
pub mod key_limits;
pub mod lane;
pub mod lane_talk;
pub mod limits;
pub mod line;
pub mod organization;
pub mod pace;
pub mod replay;
pub mod retry;
pub mod rotation;
pub mod rule;
pub mod secret;
pub mod session;
pub mod signing;
pub mod slots;
pub mod stats;
pub mod time;
pub mod url_guard;
pub mod window;
pub mod workspace;
