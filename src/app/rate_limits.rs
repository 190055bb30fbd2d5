//! Rate limits: how many requests a key or a session may make. They are approximate and keep one
//! caller from taking everybody's share; they are no quota.

use std::future::Future;

use futures_util::future::join;
use serde_json::json;

use crate::domain::error::{Error, Kind};
use crate::ports::{Limited, Platform, PortError, RateLimits};

/// Runs `reading`, which finds out who is calling, and counts the request meanwhile, so that nobody
/// waits for the count. Whose credential does not hold is told that first.
///
/// `id` may be what a caller only claims to be: keys and sessions cannot be guessed, so nobody can
/// use up another's share. When it is not known how many there were, the request is let through.
///
/// # Errors
/// Those of `reading`; `RateLimited` when there were too many requests.
pub async fn within<P: Platform, T, E: From<Error>>(
    platform: &P,
    limited: Limited,
    id: &str,
    reading: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let (admitted, read) = join(platform.rate_limits().admits(limited, id), reading).await;
    let read = read?;
    match admitted {
        Ok(true) => Ok(read),
        Ok(false) => {
            let told = "Too many requests; try again later";
            Err(Error::new(Kind::RateLimited, told).into())
        }
        Err(PortError(why)) => {
            platform.line(&json!({"at": "rate limit", "error": why}));
            Ok(read)
        }
    }
}
