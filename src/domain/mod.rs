//! Values and decisions. Nothing here does IO, reads a clock, draws random bytes or knows the
//! platform; these come in as arguments.
//!
//! Rooms, from the lowest: [`base`]; then [`connection`], [`lane`] and [`routing`]; then
//! [`delivery`], [`intake`] and [`tenants`].

pub mod base;

pub mod connection;
pub mod lane;
pub mod routing;

pub mod delivery;
pub mod intake;
pub mod tenants;
