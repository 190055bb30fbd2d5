//! A delivery: its states, jobs, attempts, retry times, replays and statistics.

pub mod answers;
pub mod attempt;
pub mod cause;
pub mod headers;
pub mod in_flight;
pub mod job;
pub mod lateness;
pub mod mask;
pub mod overlap;
pub mod replay;
pub mod retention;
pub mod retry;
pub mod slots;
pub mod state;
pub mod stats;
pub mod upkeep;
pub mod write_gate;
