//! Asks whether a shard can be written before anything is sent on it; see
//! `domain/delivery/write_gate.rs`.

use serde_json::json;

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::domain::base::time::SECOND_MS;
use crate::domain::delivery::write_gate::Writable;
use crate::ports::Platform;
use crate::store::write_check;

/// Whether attempts may start on a shard; tries a write if it has to.
///
/// # Errors
/// The time before which they may not.
pub async fn open<P: Platform>(platform: &P, shard: u16) -> std::result::Result<(), i64> {
    let known = platform.write_gate().borrow().check(shard, platform.now_ms());
    match known {
        Writable::Yes => return Ok(()),
        Writable::NotBefore(at_ms) => return Err(at_ms),
        Writable::TryFirst => {}
    }
    let tried = match history_db(platform, shard) {
        Ok(log) => write_check::try_write(log).await,
        Err(error) => Err(error),
    };
    note(platform, shard, &tried);
    not_before_ms(platform, shard).map_or(Ok(()), Err)
}

/// Notes whether a write succeeded. Data that the database refuses says nothing about it.
pub fn note<P: Platform, T>(platform: &P, shard: u16, written: &Result<T>) {
    let (now_ms, mut gate) = (platform.now_ms(), platform.write_gate().borrow_mut());
    match written {
        Ok(_) => gate.succeeded(shard, now_ms),
        Err(error) if error.is_refused_data() => {}
        Err(error) => {
            gate.failed(shard, now_ms);
            drop(gate);
            platform.log_event(&json!({"at": "write_gate", "shard": shard,
                "error": error.to_string()}));
        }
    }
}

/// The time before which nothing may start on a shard, if it is known not to be writable.
pub fn not_before_ms<P: Platform>(platform: &P, shard: u16) -> Option<i64> {
    match platform.write_gate().borrow().check(shard, platform.now_ms()) {
        Writable::NotBefore(at_ms) => Some(at_ms),
        Writable::Yes | Writable::TryFirst => None,
    }
}

/// The shards on which nothing may start now.
pub fn closed<P: Platform>(platform: &P) -> Vec<u16> {
    platform.write_gate().borrow().closed(platform.now_ms())
}

/// Whole seconds until a time, at least 1.
pub fn seconds_until<P: Platform>(platform: &P, at_ms: i64) -> u32 {
    let ms = (at_ms - platform.now_ms()).max(1);
    u32::try_from((ms + SECOND_MS - 1) / SECOND_MS).unwrap_or(1)
}
