//! What every room uses: errors, ids, limits, secrets, times, JSON trees and the URL guard.

pub mod error;
pub mod fields;
pub mod ids;
pub mod limits;
pub mod names;
pub mod reason;
pub mod secret;
pub mod storage;
pub mod time;
pub mod tree;
pub mod url_guard;
pub mod version;
