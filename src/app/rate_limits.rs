//! Rate limits: how many requests a key or a session may make. They are approximate. They stop one
//! caller from using everybody's share; they are no quota.
//!
//! A request is counted while the read that identifies its caller is running, so that nobody waits
//! for the count: [`count`] before the read, [`Counting::check`] after it. A caller whose
//! credential is not valid gets that answer first.

use futures_util::future::{LocalBoxFuture, join_all};
use serde_json::json;

use crate::domain::base::error::{Error, Kind, Result};
use crate::ports::{Limited, Platform, PortError, RateLimits};

/// A request that is being counted.
pub struct Counting(Vec<LocalBoxFuture<'static, std::result::Result<bool, PortError>>>);

/// Begins to count a request. `id` may be what a caller only claims to be: keys and sessions cannot
/// be guessed, so nobody can use up another's share.
pub fn count<P: Platform>(platform: &P, limited: Limited, id: &str) -> Counting {
    count_events(platform, limited, id, 1)
}

/// Begins to count a request that does the work of so many, such as a bulk of events.
pub fn count_events<P: Platform>(
    platform: &P,
    limited: Limited,
    id: &str,
    events: usize,
) -> Counting {
    let one = |_| platform.rate_limits().count(limited, id);
    Counting((0..events.max(1)).map(one).collect())
}

impl Counting {
    /// Lets the request through if it is within the limit, or if that is not known.
    ///
    /// # Errors
    /// `RateLimited` when there were too many.
    pub async fn check<P: Platform>(self, platform: &P) -> Result<()> {
        let mut is_known = true;
        for counted in join_all(self.0).await {
            match counted {
                Ok(true) => {}
                Ok(false) => {
                    let told = "Too many requests; try again later";
                    return Err(Error::new(Kind::RateLimited, told));
                }
                Err(PortError(why)) if is_known => {
                    is_known = false;
                    platform.log_event(&json!({"at": "rate limit", "error": why}));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }
}
