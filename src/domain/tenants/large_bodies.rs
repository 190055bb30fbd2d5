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

/// The turns of keys. Keys that may send a body now are not in it.
#[derive(Debug, Default)]
pub struct LargeBodies(BTreeMap<String, Turns>);

#[derive(Debug, Default)]
struct Turns {
    /// When the next body may begin.
    next_ms: i64,
    /// When the last of those who wait tries again.
    last_try_ms: i64,
}

impl LargeBodies {
    /// Begins with a body of this key.
    ///
    /// # Errors
    /// When it may be tried again, if it may not begin now. Those who wait are told times of their
    /// own, so that however many they are, few try at once; one after `until_ms` is not kept free.
    pub fn begin(&mut self, key: &str, until_ms: i64, now_ms: i64) -> Result<(), i64> {
        self.forget(now_ms);
        if let Some(turns) = self.0.get_mut(key) {
            let at_ms = turns.next_ms.max(turns.last_try_ms + APART_MS);
            if at_ms <= until_ms {
                turns.last_try_ms = at_ms;
            }
            return Err(at_ms);
        }
        self.0.insert(key.to_owned(), Turns { next_ms: now_ms + APART_MS, last_try_ms: 0 });
        Ok(())
    }

    /// Counts a body that was read.
    pub fn count(&mut self, key: &str, bytes: usize, now_ms: i64) {
        self.forget(now_ms);
        // In 64 bits: a thousand times 8 MiB is more than a size of wasm can be.
        let thousandfold = bytes as u64 * SECOND_MS.unsigned_abs();
        let takes_ms = thousandfold.div_ceil(LARGE_BODIES_BYTES_PER_S);
        let turns = self.0.entry(key.to_owned()).or_default();
        turns.next_ms = turns.next_ms.max(now_ms) + i64::try_from(takes_ms).unwrap_or(i64::MAX);
    }

    fn forget(&mut self, now_ms: i64) {
        self.0.retain(|_, turns| turns.next_ms > now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1_024 * 1_024;

    const LONG_MS: i64 = 1_000_000;

    #[test]
    fn a_key_waits_for_its_own_bodies_and_for_no_others() {
        let mut bodies = LargeBodies::default();
        assert_eq!(bodies.begin("a", LONG_MS, 1_000), Ok(()), "the first waits for none");
        assert_eq!(bodies.begin("a", LONG_MS, 1_000), Err(1_008), "its size is not known yet");
        bodies.count("a", 4 * MIB, 1_020);
        assert_eq!(bodies.begin("b", LONG_MS, 1_020), Ok(()));
        bodies.count("a", 1, 1_020);
        assert_eq!(bodies.begin("a", LONG_MS, 1_020), Err(1_521), "a part of a millisecond is one");
        assert_eq!(bodies.begin("a", LONG_MS, 1_521), Ok(()));
    }

    #[test]
    fn those_who_wait_do_not_try_at_once() {
        let mut bodies = LargeBodies::default();
        bodies.count("a", MIB, 0);
        let mut begin = |until_ms| bodies.begin("a", until_ms, 0);
        assert_eq!([begin(150), begin(150), begin(150)], [Err(125), Err(133), Err(141)]);
        assert_eq!([begin(148), begin(148)], [Err(149); 2], "it does not wait");
    }

    #[test]
    fn one_that_never_comes_keeps_no_others_back() {
        let mut bodies = LargeBodies::default();
        for n in 0..100 {
            assert_eq!(bodies.begin("a", LONG_MS, n * APART_MS), Ok(()));
        }
    }
}
