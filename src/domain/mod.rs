//! The ground: values and decisions. Nothing here does IO, reads a clock, draws random bytes or
//! knows the platform; what it needs of those comes in as arguments.
//!
//! Rooms, from the ground up: [`base`]; then [`connection`], [`lane`] and [`routing`]; then
//! [`delivery`] and [`tenants`].

pub mod base;

pub mod connection;
pub mod lane;
pub mod routing;

pub mod delivery;
pub mod tenants;
