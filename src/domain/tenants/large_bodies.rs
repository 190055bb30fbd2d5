//! How fast one key may send large bodies into an isolate. To read, match, store, sign and send a
//! megabyte takes about 40 ms of the one thread that serves everybody, so a key gets a share of it:
//! its next body is read when those before it have had their time.

use std::collections::BTreeMap;

use crate::domain::base::time::SECOND_MS;

/// Bytes of large bodies that an isolate takes from one key in a second: a bulk that is as large as
/// it may be. They take about a third of its thread.
pub const LARGE_BODIES_BYTES_PER_S: u64 = 8 * 1_024 * 1_024;
/// Time between the beginnings of two bodies: how long the first one is, is known when it is there.
const APART_MS: i64 = 8;
/// How long a large body waits for those that came with the same key before it. The public clients
/// wait for an answer for 5 s, and it has to be read and stored yet.
pub const LARGE_BODY_WAIT_MS: i64 = 4 * SECOND_MS;

/// When each key may send its next large body. Keys that may send one now are not in it.
#[derive(Debug, Default)]
pub struct LargeBodies(BTreeMap<String, i64>);

impl LargeBodies {
    /// Begins with a body of this key.
    ///
    /// # Errors
    /// When it may be tried again, if it may not begin now.
    pub fn begin(&mut self, key: &str, now_ms: i64) -> Result<(), i64> {
        self.0.retain(|_, next_ms| *next_ms > now_ms);
        match self.0.get(key) {
            Some(&next_ms) => Err(next_ms),
            None => {
                self.0.insert(key.to_owned(), now_ms + APART_MS);
                Ok(())
            }
        }
    }

    /// Counts a body that was read.
    pub fn count(&mut self, key: &str, bytes: usize, now_ms: i64) {
        // In 64 bits: a thousand times 8 MiB is more than a size of wasm can be.
        let thousandfold = bytes as u64 * SECOND_MS.unsigned_abs();
        let takes_ms = thousandfold.div_ceil(LARGE_BODIES_BYTES_PER_S);
        let next_ms = self.0.entry(key.to_owned()).or_insert(now_ms);
        *next_ms = (*next_ms).max(now_ms) + i64::try_from(takes_ms).unwrap_or(i64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1_024 * 1_024;

    #[test]
    fn a_key_waits_for_its_own_bodies_and_for_no_others() {
        let mut bodies = LargeBodies::default();
        assert_eq!(bodies.begin("a", 1_000), Ok(()), "the first waits for none");
        assert_eq!(bodies.begin("a", 1_000), Err(1_008), "how long it is, is not known yet");
        bodies.count("a", 4 * MIB, 1_020);
        assert_eq!(bodies.begin("a", 1_020), Err(1_520));
        assert_eq!(bodies.begin("b", 1_020), Ok(()));
        bodies.count("a", 1, 1_020);
        assert_eq!(bodies.begin("a", 1_520), Err(1_521), "a part of a millisecond is one");
        assert_eq!(bodies.begin("a", 1_521), Ok(()));
    }

    #[test]
    fn one_that_never_comes_keeps_no_others_back() {
        let mut bodies = LargeBodies::default();
        for n in 0..100 {
            assert_eq!(bodies.begin("a", n * APART_MS), Ok(()));
        }
    }
}
