//! The consumer: from a batch of queue messages to recorded attempts.

pub mod attempt;
pub mod batch;
pub mod deliver;
pub mod effect;
pub mod lane_read;
pub mod lane_run;
pub mod lanes;
pub mod queue_delay;
pub mod recorder;
pub mod reports;
pub mod slice;
pub mod slowness;
pub mod trace;
pub mod wake;
pub mod work;
pub mod write_gate;
