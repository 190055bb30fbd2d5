//! The rate limiting bindings as the [`RateLimits`] port. A binding that is not configured limits
//! nothing.

use worker::{Env, RateLimiter};

use crate::ports::{Limited, PortError, RateLimits};

/// The bindings, each if it is there.
pub struct Bound {
    publishable_keys: Option<RateLimiter>,
    machine_keys: Option<RateLimiter>,
    sessions: Option<RateLimiter>,
}

impl Bound {
    /// Opens the bindings.
    pub fn open(env: &Env) -> Self {
        let bound = |name: &str| env.rate_limiter(name).ok();
        Self {
            publishable_keys: bound("PUBLISHABLE_KEY_LIMIT"),
            machine_keys: bound("MACHINE_KEY_LIMIT"),
            sessions: bound("SESSION_LIMIT"),
        }
    }
}

impl RateLimits for Bound {
    async fn admits(&self, limited: Limited, id: &str) -> Result<bool, PortError> {
        let binding = match limited {
            Limited::PublishableKey => &self.publishable_keys,
            Limited::MachineKey => &self.machine_keys,
            Limited::Session => &self.sessions,
        };
        let Some(binding) = binding else { return Ok(true) };
        let outcome = binding.limit(id.to_owned()).await;
        outcome.map(|outcome| outcome.success).map_err(|e| PortError(format!("rate limit: {e}")))
    }
}
