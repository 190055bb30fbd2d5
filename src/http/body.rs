//! Reading bodies: within a deadline, and within bytes that all bodies of an isolate share. An
//! isolate has 128 MB for all that it serves, and a client can send a body as slowly as it likes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt, pin_mut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};

use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::{BODIES_BYTES_MAX, BODY_DEADLINE_MS, SMALL_BODY_BYTES};
use crate::http::problem;
use crate::ports::Clock;

/// Bodies of each kind that an isolate holds at once, each until its request is answered. What
/// comes above that would only wait for the others, and every answer would be late.
const AT_ONCE_MAX: usize = 256;
/// Milliseconds after which one is forgotten: the runtime may end a request without a word.
const BELIEVED_MS: i64 = 60_000;
const TOO_MANY: &str = "Too many requests are under way here. Nothing was done; send it again";

/// The bodies that an isolate holds. Small ones have a share of their own, so that large ones do
/// not keep them out.
#[derive(Debug, Default)]
pub struct Bodies {
    small: RefCell<Share>,
    large: RefCell<Share>,
}

#[derive(Debug, Default)]
struct Share {
    /// Bytes by number, and until when they are believed to be held.
    held: BTreeMap<u64, (usize, i64)>,
    bytes: usize,
    last: u64,
}

impl Share {
    fn begin(&mut self, now_ms: i64) -> Option<u64> {
        while let Some((&number, &(_, until_ms))) = self.held.first_key_value() {
            if until_ms > now_ms {
                break;
            }
            self.end(number);
        }
        if self.held.len() >= AT_ONCE_MAX {
            return None;
        }
        self.last += 1;
        self.held.insert(self.last, (0, now_ms + BELIEVED_MS));
        Some(self.last)
    }

    fn end(&mut self, number: u64) {
        let (bytes, _) = self.held.remove(&number).unwrap_or_default();
        self.bytes -= bytes;
    }
}

/// A body that is held until this is dropped, when the request was answered.
#[derive(Debug)]
pub struct Held {
    bodies: Rc<Bodies>,
    is_small: bool,
    number: u64,
}

impl Held {
    fn begin(bodies: &Rc<Bodies>, is_small: bool, now_ms: i64) -> Result<Self> {
        let number = bodies.share(is_small).borrow_mut().begin(now_ms).ok_or_else(too_many)?;
        Ok(Self { bodies: Rc::clone(bodies), is_small, number })
    }

    fn take(&mut self, bytes: usize) -> Result<()> {
        let mut share = self.bodies.share(self.is_small).borrow_mut();
        if share.bytes + bytes > BODIES_BYTES_MAX {
            return Err(too_many());
        }
        // One that took so long is not counted any more.
        if let Some((held, _)) = share.held.get_mut(&self.number) {
            *held += bytes;
            share.bytes += bytes;
        }
        Ok(())
    }
}

impl Bodies {
    fn share(&self, is_small: bool) -> &RefCell<Share> {
        if is_small { &self.small } else { &self.large }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.bodies.share(self.is_small).borrow_mut().end(self.number);
    }
}

fn too_many() -> Error {
    Error::unavailable("the bodies being read are too many").unavailable_means(TOO_MANY)
}

/// How many bytes a body is told to have; `None` where that is not told, or where it is compressed
/// and may grow.
pub fn told_bytes(headers: &HeaderMap) -> Option<usize> {
    let told =
        headers.get(CONTENT_LENGTH).and_then(|bytes| bytes.to_str().ok()?.trim().parse().ok());
    told.filter(|_| !headers.contains_key(CONTENT_ENCODING))
}

/// Whether a body is told to be so small that it may be read before it is known who sends it.
pub fn is_small(headers: &HeaderMap) -> bool {
    told_bytes(headers).is_some_and(|bytes| bytes <= SMALL_BODY_BYTES)
}

/// Takes in what is left of a body and keeps none of it: a client that is still sending when the
/// connection is closed never sees the answer.
async fn drain<E>(chunks: &mut (impl Stream<Item = std::result::Result<Vec<u8>, E>> + Unpin)) {
    let mut left = BODIES_BYTES_MAX;
    while let Some(Ok(chunk)) = chunks.next().await {
        if chunk.len() > left {
            return;
        }
        left -= chunk.len();
    }
}

/// Takes in the body of a request that was answered without it, and keeps none of it. Who sends on
/// for longer than the deadline is cut off.
pub async fn discard<E>(
    clock: &impl Clock,
    chunks: impl Stream<Item = std::result::Result<Vec<u8>, E>>,
) {
    let discarding = async {
        pin_mut!(chunks);
        drain(&mut chunks).await;
    };
    let deadline = clock.sleep_ms(BODY_DEADLINE_MS);
    pin_mut!(discarding, deadline);
    select(discarding, deadline).await;
}

/// Reads a body that comes in chunks.
///
/// # Errors
/// `TooLarge` when it is larger than `bytes_max`, `Invalid` when it breaks off or is not
/// there within the deadline, `Unavailable` when too many are being read.
pub async fn read<E>(
    clock: &impl Clock,
    bodies: &Rc<Bodies>,
    told_bytes: Option<usize>,
    bytes_max: usize,
    chunks: impl Stream<Item = std::result::Result<Vec<u8>, E>>,
) -> Result<(Vec<u8>, Held)> {
    let is_small = told_bytes.is_some_and(|bytes| bytes <= SMALL_BODY_BYTES);
    let begun = Held::begin(bodies, is_small, clock.now_ms());
    let reading = async {
        let mut body = Vec::new();
        pin_mut!(chunks);
        let mut held = match begun {
            Ok(held) => held,
            // The runtime takes in a small one by itself.
            Err(error) if is_small => return Err(error),
            Err(error) => {
                drain(&mut chunks).await;
                return Err(error);
            }
        };
        if told_bytes.is_some_and(|bytes| bytes > bytes_max) {
            drain(&mut chunks).await;
            return Err(problem::body_too_large(bytes_max));
        }
        while let Some(chunk) = chunks.next().await {
            let chunk =
                chunk.map_err(|_| Error::invalid("The body ended before it was complete"))?;
            if body.len() + chunk.len() > bytes_max {
                drop((body, held));
                drain(&mut chunks).await;
                return Err(problem::body_too_large(bytes_max));
            }
            if let Err(error) = held.take(chunk.len()) {
                drop((body, held));
                drain(&mut chunks).await;
                return Err(error);
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, held))
    };
    let deadline = clock.sleep_ms(BODY_DEADLINE_MS);
    pin_mut!(reading, deadline);
    match select(reading, deadline).await {
        Either::Left((read, _)) => read,
        Either::Right(_) => {
            let seconds = BODY_DEADLINE_MS / 1_000;
            Err(Error::invalid(format!("The body did not come within {seconds} seconds")))
        }
    }
}
