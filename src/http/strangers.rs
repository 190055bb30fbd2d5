//! Callers without a valid credential are counted by address.

use crate::app::rate_limits::count;
use crate::domain::base::error::{Error, Kind, Result};
use crate::http::Request;
use crate::ports::{Limited, Platform};

/// The address that a request comes from.
pub fn address(request: &Request) -> &str {
    request.header("cf-connecting-ip").unwrap_or("unknown")
}

/// Counts a request from this address without a valid credential.
///
/// # Errors
/// `RateLimited` when too many come from the same address.
pub async fn check<P: Platform>(platform: &P, address: &str) -> Result<()> {
    count(platform, Limited::Stranger, address).check(platform).await
}

/// The error of a call from this address; `RateLimited` when its credential is not valid and too
/// many such calls came.
pub async fn refused<P: Platform>(platform: &P, address: &str, error: Error) -> Error {
    if error.kind != Kind::Unauthenticated {
        return error;
    }
    check(platform, address).await.err().unwrap_or(error)
}
