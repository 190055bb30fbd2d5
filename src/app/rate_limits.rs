//! Rate limits: how many requests a key or a session may make. They are approximate. They stop one
//! caller from using everybody's share; they are no quota.
//!
//! A request is counted while the read that identifies its caller is running, so that nobody waits
//! for the count: [`count`] before the read, [`Counting::check`] after it. A caller whose
//! credential is not valid gets that answer first.

use futures_util::future::LocalBoxFuture;
use serde_json::json;

use crate::domain::base::error::{Error, Kind, Result};
use crate::ports::{Limited, Platform, PortError, RateLimits};

/// A request that is being counted.
pub struct Counting(LocalBoxFuture<'static, std::result::Result<bool, PortError>>);

/// Begins to count a request. `id` may be what a caller only claims to be: keys and sessions cannot
/// be guessed, so nobody can use up another's share.
pub fn count<P: Platform>(platform: &P, limited: Limited, id: &str) -> Counting {
    Counting(platform.rate_limits().count(limited, id))
}

impl Counting {
    /// Lets the request through if it is within the limit, or if that is not known.
    ///
    /// # Errors
    /// `RateLimited` when there were too many.
    pub async fn check<P: Platform>(self, platform: &P) -> Result<()> {
        match self.0.await {
            Ok(true) => Ok(()),
            Ok(false) => {
                let told = "Too many requests; try again later";
                Err(Error::new(Kind::RateLimited, told))
            }
            Err(PortError(why)) => {
                platform.log_event(&json!({"at": "rate limit", "error": why}));
                Ok(())
            }
        }
    }
}
