//! The lane of a connection: what keeps its retries in order.

pub mod breaker;
pub mod machine;
pub mod messages;
pub mod pace;
pub mod queue;
pub mod window;
