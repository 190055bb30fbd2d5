//! Posthorn: outbound webhooks at the edge.
#![allow(missing_docs)]
pub mod api;
pub mod app;
pub mod destination;
pub mod domain;
pub mod http;
mod platform;
pub mod ports;
pub mod routes;
pub mod store;
