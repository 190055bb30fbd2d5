//! The customer's page: server-rendered pages for an iframe in the product, one stylesheet, one
//! small script. Everything works without the script; with it pages stay up to date.
//!
//! A session begins at `launch`, where a token that is good once becomes a cookie for the session's
//! own path. `front` lets requests in: it checks cookie, origin and form word, and what the session
//! may do, and turns errors into pages. Each page is a file that reads what it shows and renders
//! it; what people read stands in `text`.

pub mod changes;
pub mod charts;
pub(crate) mod common;
pub mod connections;
pub mod dashboard;
pub mod event_types;
pub(crate) mod filter_rows;
pub mod frame;
pub mod history;
pub mod last_day;
pub mod rule_action;
pub mod rule_draft;
pub(crate) mod rule_filter;
pub mod rule_reads;
pub mod rules;
pub(crate) mod text;
