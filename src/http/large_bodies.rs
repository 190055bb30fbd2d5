//! Large bodies wait for those that came with the same key before them, see
//! [`LargeBodies`](crate::domain::tenants::large_bodies::LargeBodies).

use crate::app::emit::grant::Credential;
use crate::app::keys::created_by;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::limits::SMALL_BODY_BYTES;
use crate::domain::base::time::SECOND_MS;
use crate::domain::tenants::large_bodies::{LARGE_BODIES_BYTES_PER_S, LARGE_BODY_WAIT_MS};
use crate::http::access::Caller;
use crate::http::{Request, body};
use crate::ports::Platform;

/// The key of a caller whose large bodies take turns; the operator's do not.
fn key(caller: &Caller) -> Option<String> {
    match caller {
        Caller::Emitter(Credential::Publishable(key, _)) => Some(key.clone()),
        Caller::Emitter(Credential::Machine(token)) => Some(created_by(&token.access_key)),
        Caller::Machine(actor) => Some(actor.created_by.clone()),
        _ => None,
    }
}

/// Waits until the body of a request may be read, if it is told to be large.
///
/// # Errors
/// `RateLimited` when it would wait for too long.
pub async fn wait<P: Platform>(platform: &P, request: &Request, caller: &Caller) -> Result<()> {
    let is_large = |bytes| bytes > SMALL_BODY_BYTES;
    let key = key(caller).filter(|_| body::told_bytes(&request.headers).is_some_and(is_large));
    let Some(key) = key else { return Ok(()) };
    let (until_ms, mut ticket) = (platform.now_ms() + LARGE_BODY_WAIT_MS, None);
    loop {
        let now_ms = platform.now_ms();
        let begun = platform.large_bodies().borrow_mut().begin(&key, &mut ticket, until_ms, now_ms);
        match begun {
            Ok(()) => return Ok(()),
            Err(next_ms) if next_ms > until_ms => return Err(too_fast(next_ms - now_ms)),
            Err(next_ms) => platform.sleep_ms(next_ms - now_ms).await,
        }
    }
}

/// Counts the body of a request, if it is large.
pub fn count<P: Platform>(platform: &P, request: &Request, caller: &Caller) {
    let bytes = request.body.len();
    if let Some(key) = key(caller).filter(|_| bytes > SMALL_BODY_BYTES) {
        platform.large_bodies().borrow_mut().count(&key, bytes, platform.now_ms());
    }
}

fn too_fast(wait_ms: i64) -> Error {
    let (small_kb, megabytes) = (SMALL_BODY_BYTES / 1_024, LARGE_BODIES_BYTES_PER_S / 1_048_576);
    let seconds = u32::try_from(wait_ms.unsigned_abs().div_ceil(SECOND_MS.unsigned_abs()));
    let told = format!(
        "Bodies of more than {small_kb} KiB come faster with this key than {megabytes} MiB a \
         second. Nothing was done; send it again later, or send smaller ones"
    );
    Error::new(Kind::RateLimited, told).with_retry_after(seconds.unwrap_or(u32::MAX))
}
