//! Who has shown no credential that holds is counted by address.

use crate::app::rate_limits::count;
use crate::domain::base::error::{Error, Kind, Result};
use crate::http::Request;
use crate::ports::{Limited, Platform};

/// Counts a request of somebody who has shown nothing that holds.
///
/// # Errors
/// `RateLimited` when too many come from the same address.
pub async fn check<P: Platform>(platform: &P, request: &Request) -> Result<()> {
    let address = request.header("cf-connecting-ip").unwrap_or("unknown");
    count(platform, Limited::Stranger, address).check(platform).await
}

/// The error of a credential that does not hold, or that too many such came.
pub async fn refused<P: Platform>(platform: &P, request: &Request, error: Error) -> Error {
    if error.kind != Kind::Unauthenticated {
        return error;
    }
    check(platform, request).await.err().unwrap_or(error)
}
