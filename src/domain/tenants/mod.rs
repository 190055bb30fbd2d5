//! Who calls and for whom: organizations, workspaces, keys, tokens and sessions.

pub mod actor;
pub mod api_key;
pub mod change;
pub mod key_limits;
pub mod large_bodies;
pub mod look;
pub mod notice;
pub mod organization;
pub mod origins;
pub mod routing;
pub mod routing_cache;
pub mod session;
pub mod session_path;
pub mod session_token;
pub mod workspace;
