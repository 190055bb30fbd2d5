//! Posthorn.
mod platform;
