//! The intake: a short write-ahead buffer in front of LOG, and nothing else. An event is accepted
//! once an intake has stored it. Soon after, the intake flushes it to LOG with the deliveries it
//! owes; from then on LOG is the truth, and the intake forgets it.
//!
//! Rules are matched by isolates, which may know them as they were up to three seconds ago. So an
//! intake counts what it is told of changes ([`generations`]) and refuses what was matched before.

pub mod backlog;
pub mod bounds;
pub mod company;
pub mod gathering;
pub mod generations;
pub mod messages;
pub mod waiting;
