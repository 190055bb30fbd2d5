//! A connection: its parts, its health, its signing secrets and how it signs.

pub mod health;
pub mod model;
pub mod options;
pub mod rotation;
pub mod signing;
pub mod target_cache;
