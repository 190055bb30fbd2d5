//! The lane of a connection, which keeps its retries in order.

pub mod breaker;
pub mod ended;
pub mod machine;
pub mod messages;
pub mod pace;
pub mod queue;
pub mod window;
