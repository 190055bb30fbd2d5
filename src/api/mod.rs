//! JSON in, JSON out: one file for each noun, wire forms beside their handlers.

pub mod connections;
pub mod emit;
pub mod events;
pub mod health;
pub mod names;
pub mod organizations;
pub mod rules;
pub mod workspaces;
